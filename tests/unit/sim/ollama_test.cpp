// The Ollama dialect: what is its own, and that its answers could have been recorded.
#include "sim/ollama.hpp"

#include <catch2/catch.hpp>

#include <string>

#include "unit/sim/recordings.hpp"
#include "unit/sim/rig.hpp"
#include "unit/sim/tongues.hpp"

using namespace sluice;
using namespace sluice::sim;

namespace {

std::string body_of(Rig& rig, const std::string& target, std::string_view body) {
  const auto heard = rig.run(Rig::post(target, body));
  CHECK(heard->head.status == 200);
  return heard->body;
}

}  // namespace

TEST_CASE("an Ollama chat counts all texts and calls of its prompt") {
  Rig rig;
  // "Be brief." 3, "Count to two" 3, f 1, {"x":1} 7, "one two" 2
  const Parsed answer(body_of(rig, "/api/chat", R"({"model":"m","stream":false,"messages":[{"role":"system","content":"Be brief."},
      {"role":"user","content":"Count to two","images":["AAAA"]},
      {"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{"x":1}}}]},
      {"role":"tool","tool_name":"f","content":"one two"}]})"));
  CHECK(answer.integer("/prompt_eval_count") == 16);
}

TEST_CASE("an answer streams as lines unless the request says it must not") {
  Rig rig;
  const auto heard = rig.run(Rig::post("/api/chat", R"({"model":"m","messages":[{"role":"user","content":"x"}]})"));
  CHECK(heard->head.headers.get("content-type") == "application/x-ndjson");
  CHECK(lines(heard->body).size() == 6);  // five tokens and the end
  const auto whole = rig.run(Rig::post("/api/chat", R"({"model":"m","stream":false,"messages":[{"role":"user","content":"x"}]})"));
  CHECK(whole->head.headers.get("content-type") == "application/json; charset=utf-8");
  CHECK(Parsed(whole->body).at("/done").boolean() == true);
}

TEST_CASE("a completion says its words as the response, whole and in lines") {
  Rig rig;
  rig.script().answers("one two");
  const Parsed whole(body_of(rig, "/api/generate", R"({"model":"m","prompt":"p q","system":"s","stream":false})"));
  CHECK(whole.text("/response") == "one two");
  CHECK(whole.integer("/prompt_eval_count") == 3);
  CHECK_FALSE(whole.at("/message"));
  std::string text;
  for (const std::string& line : lines(body_of(rig, "/api/generate", R"({"model":"m","prompt":"p q"})"))) text += Parsed(line).text("/response");
  CHECK(text == "one two");
}

TEST_CASE("a request without a prompt loads the model and says so") {
  Rig rig;
  for (const std::string path : {"/api/chat", "/api/generate"}) {
    const Parsed answer(body_of(rig, path, R"({"model":"m"})"));
    CHECK(answer.text("/done_reason") == "load");
    CHECK_FALSE(answer.at("/eval_count"));
  }
}

TEST_CASE("Ollama embeds one text or many, of the size asked for") {
  Rig rig;
  const Parsed one(body_of(rig, "/api/embed", R"({"model":"e","input":"one two","dimensions":5})"));
  CHECK(one.at("/embeddings").size() == 1);
  CHECK(one.at("/embeddings/0").size() == 5);
  CHECK(one.integer("/prompt_eval_count") == 2);
  const Parsed many(body_of(rig, "/api/embed", R"({"model":"e","input":["three","one two"],"dimensions":5})"));
  CHECK(many.at("/embeddings/1").raw() == one.at("/embeddings/0").raw());
  CHECK(rig.run(Rig::post("/api/embed", R"({"model":"e"})"))->head.status == 400);
}

TEST_CASE("Ollama's answers could have been recorded: text, tool calls, length, completions") {
  if (recordings_missing("ollama")) return;
  Shapes chats({"arguments"}), completions;
  for (const Recorded& one : recorded_under("ollama/api_chat")) chats.learn(one.body);
  for (const Recorded& one : recorded_under("ollama/api_generate")) completions.learn(one.body);
  REQUIRE(chats.learned() > 5);
  REQUIRE(completions.learned() > 1);
  Rig rig;
  CHECK(chats.differences(rig.run(tongue("ollama").ask(false, 0))->body).empty());
  CHECK(chats.differences(rig.run(tongue("ollama").ask(false, 2))->body).empty());
  rig.script().calls({{"", "a", R"({"x": 1})"}, {"", "b", ""}});
  CHECK(chats.differences(rig.run(tongue("ollama").ask(false, 0))->body).empty());
  CHECK(completions.differences(body_of(rig, "/api/generate", R"({"model":"m","prompt":"p","stream":false})")).empty());
}

TEST_CASE("the lines of Ollama's streams could have been recorded, those of the end too") {
  if (recordings_missing("ollama")) return;
  Shapes chats({"arguments"}), completions;
  // A last line stands apart from those before it.
  const auto kind = [](const std::string& line) { return Parsed(line).at("/done").boolean() == true ? "last" : "more"; };
  for (const Recorded& one : recorded_under("ollama/api_chat-stream")) {
    for (const std::string& line : lines(one.body)) chats.learn(line, kind(line));
  }
  for (const Recorded& one : recorded_under("ollama/api_generate-stream")) {
    for (const std::string& line : lines(one.body)) completions.learn(line, kind(line));
  }
  REQUIRE(chats.learned() > 1000);
  REQUIRE(completions.learned() > 2);
  Rig rig;
  for (const std::string& line : lines(rig.run(tongue("ollama").ask(true, 0))->body)) CHECK(chats.differences(line, kind(line)).empty());
  for (const std::string& line : lines(body_of(rig, "/api/generate", R"({"model":"m","prompt":"p"})"))) {
    CHECK(completions.differences(line, kind(line)).empty());
  }
  rig.script().calls({{"", "a", R"({"x": 1})"}, {"", "b", ""}});
  for (const std::string& line : lines(rig.run(tongue("ollama").ask(true, 0))->body)) CHECK(chats.differences(line, kind(line)).empty());
}

TEST_CASE("Ollama's errors could have been recorded") {
  if (recordings_missing("ollama")) return;
  Shapes errors;
  for (const Recorded& one : recorded_under("ollama/api_chat", 0)) errors.learn(one.body);
  REQUIRE(errors.learned() == 1);
  Rig rig;
  rig.script().models({"other"});
  CHECK(errors.differences(rig.run(tongue("ollama").ask(true, 0))->body).empty());
  rig.script().fails_with(500);
  CHECK(errors.differences(rig.run(tongue("ollama").ask(true, 0))->body).empty());
}
