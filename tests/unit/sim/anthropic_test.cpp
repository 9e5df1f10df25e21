// The Anthropic dialect: what is its own, and that its answers could have been recorded.
#include "sim/anthropic.hpp"

#include <catch2/catch.hpp>

#include <string>

#include "unit/sim/recordings.hpp"
#include "unit/sim/rig.hpp"
#include "unit/sim/tongues.hpp"

using namespace sluice;
using namespace sluice::sim;

namespace {

const Tongue& anthropic() { return tongue("anthropic"); }

const std::set<std::string> kOpaque = {"input"};

Shapes recorded_messages() {
  Shapes shapes(kOpaque);
  for (const Recorded& one : recorded_under("anthropic/messages")) shapes.learn(one.body);
  REQUIRE(shapes.learned() > 20);
  return shapes;
}

Shapes recorded_events() {
  Shapes shapes(kOpaque);
  for (const Recorded& one : recorded_under("anthropic/messages-stream")) {
    for (const std::string& event : one.body.starts_with("event:") ? events(one.body + (one.body.ends_with("\n\n") ? "" : "\n\n"))
                                                                     : std::vector<std::string>()) {
      shapes.learn(event);
    }
  }
  REQUIRE(shapes.learned() > 500);
  return shapes;
}

}  // namespace

TEST_CASE("a message counts all texts, tools' arguments and results of its prompt") {
  Rig rig;
  const std::string body = R"({"model":"m","max_tokens":99,"system":[{"type":"text","text":"Be brief."}],"messages":[
      {"role":"user","content":[{"type":"text","text":"Count to two"},{"type":"image","source":{"type":"url","url":"http://x/y"}}]},
      {"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{"x":1}}]},
      {"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"text","text":"one two"}]}]}]})";
  // "Be brief." 3, "Count to two" 3, f 1, {"x":1} 7, "one two" 2
  const Parsed counted(rig.run(Rig::post("/v1/messages/count_tokens", body))->body);
  CHECK(counted.integer("/input_tokens") == 16);
  CHECK(counted.document->root().size() == 1);
  CHECK(anthropic().whole(rig.run(Rig::post("/v1/messages", body))->body).input == 16);
  CHECK(rig.run(Rig::post("/v1/messages/count_tokens?beta=true", R"({"model":"m","messages":[{"role":"user","content":"x"}]})"))->head.status == 200);
}

TEST_CASE("a message needs a model, max_tokens and at least one turn of a known role") {
  Rig rig;
  for (const std::string body : {R"({"max_tokens":1,"messages":[{"role":"user","content":"x"}]})",
                                 R"({"model":"m","messages":[{"role":"user","content":"x"}]})", R"({"model":"m","max_tokens":1})",
                                 R"({"model":"m","max_tokens":1,"messages":[]})",
                                 R"({"model":"m","max_tokens":1,"messages":[{"role":"system","content":"x"}]})"}) {
    const auto heard = rig.run(Rig::post("/v1/messages", body));
    CHECK(heard->head.status == 400);
    CHECK(Parsed(heard->body).text("/type") == "error");
    CHECK(Parsed(heard->body).text("/error/type") == "invalid_request_error");
  }
}

TEST_CASE("errors are of the type their status has, and answers name their request") {
  Rig rig;
  for (const auto& [status, type] : {std::pair(401, "authentication_error"), {403, "permission_error"}, {404, "not_found_error"},
                                     {413, "request_too_large"}, {429, "rate_limit_error"}, {500, "api_error"}, {529, "overloaded_error"}}) {
    rig.script().fails_with(status);
    const auto heard = rig.run(anthropic().ask(true, 0));
    CHECK(Parsed(heard->body).text("/error/type") == type);
    CHECK(heard->head.headers.get("request-id").value_or("").starts_with("req_"));
    CHECK_FALSE(heard->head.headers.get("openai-version"));
  }
}

TEST_CASE("a ping of the stream is an event of its own") {
  Rig rig;
  const std::string body = rig.run(anthropic().ask(true, 0))->body;
  CHECK(body.starts_with("event: message_start\ndata: {\"type\":\"message_start\","));
  CHECK(body.find("event: ping\ndata: {\"type\": \"ping\"}\n\n") != std::string::npos);
  CHECK(body.ends_with("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"));
}

TEST_CASE("messages could have been recorded: text, tool calls, length") {
  if (recordings_missing("anthropic")) return;
  const Shapes shapes = recorded_messages();
  Rig rig;
  CHECK(shapes.differences(rig.run(anthropic().ask(false, 0))->body).empty());
  CHECK(shapes.differences(rig.run(anthropic().ask(false, 2))->body).empty());
  rig.script().calls({{"", "a", R"({"x": 1})"}, {"", "b", ""}});
  CHECK(shapes.differences(rig.run(anthropic().ask(false, 0))->body).empty());
}

TEST_CASE("a refused message could have been recorded") {
  if (recordings_missing("anthropic")) return;
  Shapes messages, said;
  messages.learn(recorded_file("anthropic/vercel-ai/anthropic-refusal.json"));
  for (const std::string& event : lines(recorded_file("anthropic/vercel-ai/anthropic-refusal.chunks.txt"))) said.learn(event);
  Rig rig;
  rig.script().refuses("No.");
  const std::string ours = messages.differences(rig.run(anthropic().ask(false, 0))->body);
  CHECK(ours == "(message)/stop_details(refusal)/recommended_model is always there\n");  // newer than what we say
  for (const std::string& event : events(rig.run(anthropic().ask(true, 0))->body)) {
    const std::string different = said.differences(event);
    CHECK((different.empty() || different.find("recommended_model is always there") != std::string::npos ||
           different.find("stop_details was never recorded") != std::string::npos));  // of a start, which newer ones have
  }
}

TEST_CASE("the events of a message could have been recorded: text, tool calls, pings") {
  if (recordings_missing("anthropic")) return;
  const Shapes shapes = recorded_events();
  Rig rig;
  for (const std::string& event : events(rig.run(anthropic().ask(true, 0))->body)) CHECK(shapes.differences(event).empty());
  rig.script().calls({{"", "a", R"({"x": 1})"}, {"", "b", ""}});
  for (const std::string& event : events(rig.run(anthropic().ask(true, 0))->body)) CHECK(shapes.differences(event).empty());
}

TEST_CASE("errors and counts of tokens could have been recorded") {
  if (recordings_missing("anthropic")) return;
  Shapes errors, counts;
  for (const Recorded& one : recorded_under("anthropic/messages", 0)) errors.learn(one.body);
  for (const Recorded& one : recorded_under("anthropic/messages_count_tokens")) counts.learn(one.body);
  REQUIRE(errors.learned() > 10);
  REQUIRE(counts.learned() > 2);
  Rig rig;
  rig.script().models({"other"});
  CHECK(errors.differences(rig.run(anthropic().ask(false, 0))->body).empty());
  rig.script().models({});
  CHECK(errors.differences(rig.run(Rig::post("/v1/messages", "{}"))->body).empty());
  rig.script().fails_with(401);
  CHECK(errors.differences(rig.run(anthropic().ask(false, 0))->body).empty());
  rig.script().fails({});
  auto count = anthropic().ask(false, 0);
  count.target = "/v1/messages/count_tokens";
  CHECK(counts.differences(rig.run(std::move(count))->body).empty());
}
