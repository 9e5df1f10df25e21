// The Responses dialect: what is its own, and that its answers could have been recorded.
#include "sim/openai_responses.hpp"

#include <catch2/catch.hpp>

#include <string>

#include "unit/sim/recordings.hpp"
#include "unit/sim/rig.hpp"
#include "unit/sim/tongues.hpp"

using namespace sluice;
using namespace sluice::sim;

namespace {

const Tongue& responses() { return tongue("openai-responses"); }

/// What callers decide stands apart.
const std::set<std::string> kOpaque = {"tools", "text", "reasoning", "metadata", "tool_choice", "instructions"};

}  // namespace

TEST_CASE("a response counts all texts, calls and outputs of its input") {
  Rig rig;
  // "Be brief." 3, "Count to two" 3, f 1, {"x":1} 7, "one two" 2, "no" 1
  const Parsed answer(rig.run(Rig::post("/v1/responses", R"({"model":"m","instructions":"Be brief.","input":[
      {"role":"user","content":[{"type":"input_text","text":"Count to two"},{"type":"input_image","image_url":"http://x/y"}]},
      {"type":"message","role":"assistant","content":[{"type":"refusal","refusal":"no"}]},
      {"type":"function_call","call_id":"a","name":"f","arguments":"{\"x\":1}"},
      {"type":"function_call_output","call_id":"a","output":"one two"}]})"))->body);
  CHECK(answer.integer("/usage/input_tokens") == 17);
  CHECK(answer.integer("/usage/total_tokens") == 17 + answer.integer("/usage/output_tokens"));
}

TEST_CASE("a response repeats what was asked, on one line where it streams") {
  Rig rig;
  const std::string body = R"({"model":"m","input":"x","temperature":0.5,"metadata":{"a":"b"},"instructions":"Be\nbrief.","max_output_tokens":99,
      "tools":[{"type":"function",
                "name":"f","parameters":{}}],"tool_choice":"required","store":false)";
  const Parsed whole(rig.run(Rig::post("/v1/responses", body + "}"))->body);
  const auto list = events(rig.run(Rig::post("/v1/responses", body + R"(,"stream":true})"))->body);
  for (const Parsed* answer : {&whole}) {
    CHECK(answer->at("/temperature").raw() == "0.5");
    CHECK(answer->text("/metadata/a") == "b");
    CHECK(answer->text("/instructions") == "Be\nbrief.");
    CHECK(answer->integer("/max_output_tokens") == 99);
    CHECK(answer->text("/tools/0/name") == "f");
    CHECK(answer->text("/tool_choice") == "required");
    CHECK(answer->at("/store").boolean() == false);
    CHECK(answer->at("/top_p").raw() == "1.0");
  }
  CHECK(Parsed(list.front()).text("/response/tools/0/name") == "f");
  CHECK(Parsed(list.back()).text("/response/instructions") == "Be\nbrief.");
}

TEST_CASE("the events of a response are numbered without a gap, and named twice alike") {
  Rig rig;
  for (const bool tools : {false, true}) {
    if (tools) rig.script().calls({{"", "a", R"({"x": 1})"}, {"", "b", ""}});
    const std::string body = rig.run(responses().ask(true, 0))->body;
    CHECK(body.find("[DONE]") == std::string::npos);
    std::int64_t number = 0;
    std::string named;
    for (const std::string& event : events(body)) {
      const Parsed parsed(event);
      CHECK(parsed.integer("/sequence_number") == number++);
      named += "event: " + parsed.text("/type") + "\ndata: " + event + "\n\n";
    }
    CHECK(named == body);
  }
}

TEST_CASE("a response that breaks off goes on with the numbers, and fails") {
  Rig rig;
  testing::Fault broken = fault(testing::Fault::Kind::kErrorInStream);
  broken.after_events = 6;
  rig.script().fails(broken);
  const auto list = events(rig.run(responses().ask(true, 0))->body);
  REQUIRE(list.size() == 8);
  CHECK(Parsed(list[6]).text("/type") == "error");
  CHECK(Parsed(list[6]).integer("/sequence_number") == 6);
  CHECK(Parsed(list[6]).text("/error/code") == "server_error");
  CHECK(Parsed(list[7]).text("/type") == "response.failed");
  CHECK(Parsed(list[7]).integer("/sequence_number") == 7);
  CHECK(Parsed(list[7]).text("/response/status") == "failed");
}

TEST_CASE("what is done repeats what was said, and the last response holds all items") {
  Rig rig;
  rig.script().answers("one two");
  const auto list = events(rig.run(responses().ask(true, 0))->body);
  const Parsed last(list.back());
  CHECK(last.text("/response/output/0/content/0/text") == "one two");
  for (const std::string& event : list) {
    const Parsed parsed(event);
    if (parsed.text("/type") == "response.output_text.done") CHECK(parsed.text("/text") == "one two");
    if (parsed.text("/type") == "response.output_item.done") CHECK(parsed.text("/item/id") == last.text("/response/output/0/id"));
    if (parsed.at("/item_id")) CHECK(parsed.text("/item_id") == last.text("/response/output/0/id"));
  }
}

TEST_CASE("responses could have been recorded: text, tool calls, length") {
  if (recordings_missing("openai")) return;
  Shapes shapes(kOpaque);
  for (const Recorded& one : recorded_under("openai/responses")) shapes.learn(one.body);
  REQUIRE(shapes.learned() > 40);
  Rig rig;
  CHECK(shapes.differences(rig.run(responses().ask(false, 0))->body).empty());
  CHECK(shapes.differences(rig.run(responses().ask(false, 2))->body).empty());
  rig.script().calls({{"", "a", R"({"x": 1})"}, {"", "b", ""}});
  CHECK(shapes.differences(rig.run(responses().ask(false, 0))->body).empty());
}

TEST_CASE("the events of a response could have been recorded: text, tool calls, length, refusal") {
  if (recordings_missing("openai")) return;
  Shapes shapes(kOpaque);
  for (const Recorded& one : recorded_under("openai/responses-stream")) {
    if (!one.body.starts_with("event: ")) continue;
    for (const std::string& event : events(one.body.ends_with("\n\n") ? one.body : one.body + "\n\n")) shapes.learn(event);
  }
  REQUIRE(shapes.learned() > 1000);
  Rig rig;
  const auto compare = [&](std::uint64_t max_tokens) {
    for (const std::string& event : events(rig.run(responses().ask(true, max_tokens))->body)) CHECK(shapes.differences(event).empty());
  };
  compare(0);
  compare(2);
  rig.script().calls({{"", "a", R"({"x": 1})"}, {"", "b", ""}});
  compare(0);
  rig.script().refuses("No, sorry.");
  compare(0);
}

TEST_CASE("a response that fails could have been recorded") {
  if (recordings_missing("openai")) return;
  Shapes shapes(kOpaque);
  for (const std::string& event : lines(recorded_file("openai/vercel-ai/responses__openai-error.1.chunks.txt") + "\n")) shapes.learn(event);
  REQUIRE(shapes.learned() == 4);
  Rig rig;
  testing::Fault broken = fault(testing::Fault::Kind::kErrorInStream);
  broken.after_events = 2;
  rig.script().fails(broken);
  const auto list = events(rig.run(responses().ask(true, 0))->body);
  REQUIRE(list.size() == 4);
  CHECK(Parsed(list[2]).at("/error").size() == 4);
  CHECK(shapes.differences(list[3]) == "(response.failed)/response/completed_at was never recorded\n");  // newer ones have it
}

TEST_CASE("errors of responses could have been recorded") {
  if (recordings_missing("openai")) return;
  Shapes shapes;
  for (const Recorded& one : recorded_under("openai/responses", 0)) shapes.learn(one.body);
  REQUIRE(shapes.learned() > 10);
  Rig rig;
  rig.script().models({"other"});
  const auto unknown = rig.run(responses().ask(false, 0));
  CHECK(unknown->head.status == 400);
  CHECK(Parsed(unknown->body).text("/error/code") == "model_not_found");
  CHECK(shapes.differences(unknown->body).empty());
  rig.script().fails_with(401);
  CHECK(shapes.differences(rig.run(responses().ask(false, 0))->body).empty());
}
