// The Gemini dialect: what is its own, and that its answers could have been recorded.
#include "sim/gemini.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "sim/text.hpp"
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

TEST_CASE("content counts all texts, calls and results of its prompt, in both spellings") {
  Rig rig;
  const std::string contents = R"("contents":[{"role":"user","parts":[{"text":"Count to two"},{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]},
      {"role":"model","parts":[{"functionCall":{"name":"f","args":{"x":1}}}]},
      {"role":"user","parts":[{"functionResponse":{"name":"f","response":{"y":2}}}]}])";
  // "Be brief." 3, "Count to two" 3, f 1, {"x":1} 7, {"y":2} 7
  for (const std::string system : {"systemInstruction", "system_instruction"}) {
    const std::string body = "{\"" + system + R"(":{"parts":[{"text":"Be brief."}]},)" + contents + "}";
    CHECK(tongue("gemini").whole(body_of(rig, "/v1beta/models/m:generateContent", body)).input == 21);
    const Parsed counted(body_of(rig, "/v1beta/models/m:countTokens", R"({"generateContentRequest":)" + body + "}"));
    CHECK(counted.integer("/totalTokens") == 21);
  }
  CHECK(Parsed(body_of(rig, "/v1/models/m:countTokens", "{" + contents + "}")).integer("/totalTokens") == 18);
}

TEST_CASE("the path names the model, in any version and behind any publisher") {
  Rig rig;
  const std::string body = R"({"contents":[{"parts":[{"text":"x"}]}]})";
  for (const std::string target : {"/v1beta/models/gemini-9:generateContent", "/v1/models/gemini-9:generateContent?key=k",
                                   "/v1/projects/p/locations/l/publishers/google/models/gemini%2D9:generateContent"}) {
    CHECK(Parsed(body_of(rig, target, body)).text("/modelVersion") == "gemini-9");
  }
}

TEST_CASE("candidates stream side by side and each comes out whole") {
  Rig rig;
  rig.script().generates(9);
  const std::string body = R"({"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"candidateCount":2}})";
  CHECK(Parsed(body_of(rig, "/v1beta/models/m:generateContent", body)).at("/candidates").size() == 2);
  std::string said[2];
  int reasons = 0;
  std::int64_t last = -1;
  for (const std::string& event : events(body_of(rig, "/v1beta/models/m:streamGenerateContent?alt=sse", body))) {
    const Parsed parsed(event);
    const auto index = parsed.integer("/candidates/0/index");
    REQUIRE((index == 0 || index == 1));
    said[index] += parsed.text("/candidates/0/content/parts/0/text");
    if (parsed.at("/candidates/0/finishReason")) ++reasons;
    CHECK(parsed.integer("/usageMetadata/candidatesTokenCount") >= last);  // it only grows
    last = parsed.integer("/usageMetadata/candidatesTokenCount");
  }
  CHECK(reasons == 2);
  CHECK(last == 18);
  CHECK(count_tokens(said[0]) == 9);
  CHECK(count_tokens(said[1]) == 9);
  CHECK(said[0] != said[1]);
}

TEST_CASE("each chunk counts what was said so far, the last one all of it") {
  Rig rig;
  rig.script().answers("a b c");
  std::vector<std::int64_t> counts;
  for (const std::string& event : events(rig.run(tongue("gemini").ask(true, 0))->body)) {
    counts.push_back(Parsed(event).integer("/usageMetadata/candidatesTokenCount"));
  }
  CHECK(counts == std::vector<std::int64_t>{1, 2, 3, 3});
}

TEST_CASE("a stream is events where alt=sse says so, and one indented array otherwise") {
  Rig rig;
  const auto sse = rig.run(tongue("gemini").ask(true, 0));
  CHECK(sse->head.headers.get("content-type") == "text/event-stream");
  CHECK(sse->body.starts_with("data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hello\"}],\"role\":\"model\"},\"index\":0}]"));
  CHECK(sse->body.find("[DONE]") == std::string::npos);
  const auto array = rig.run(tongue("gemini array").ask(true, 0));
  CHECK(array->head.headers.get("content-type") == "application/json; charset=UTF-8");
  CHECK(array->body.starts_with("[{\n  \"candidates\": [\n"));
  CHECK(array->body.find("}\n,\n{\n") != std::string::npos);
  CHECK(array->body.ends_with("}\n]"));
}

TEST_CASE("errors have the number and the name of their status, and say when to come back") {
  Rig rig;
  for (const auto& [status, name] : {std::pair(400, "INVALID_ARGUMENT"), {401, "UNAUTHENTICATED"}, {403, "PERMISSION_DENIED"}, {404, "NOT_FOUND"},
                                     {429, "RESOURCE_EXHAUSTED"}, {500, "INTERNAL"}, {503, "UNAVAILABLE"}, {504, "DEADLINE_EXCEEDED"}}) {
    testing::Fault fails = fault(testing::Fault::Kind::kStatus);
    fails.status = status;
    fails.retry_after = std::chrono::milliseconds(33'500);
    rig.script().fails(fails);
    const Parsed sse(rig.run(tongue("gemini").ask(true, 0))->body);  // no event, though its type says so
    CHECK(sse.integer("/error/code") == status);
    CHECK(sse.text("/error/status") == name);
    CHECK(sse.text("/error/details/0/retryDelay") == "34s");
    CHECK(Parsed(rig.run(tongue("gemini array").ask(true, 0))->body).text("/0/error/status") == name);
  }
}

TEST_CASE("embeddings come one or as a batch, of the size asked for, and equal texts are equal") {
  Rig rig;
  const std::string one = R"({"content":{"parts":[{"text":"one "},{"text":"two"}]},"outputDimensionality":5})";
  const Parsed single(body_of(rig, "/v1beta/models/e:embedContent", one));
  CHECK(single.at("/embedding/values").size() == 5);
  CHECK(single.integer("/usageMetadata/promptTokenCount") == 2);
  const Parsed batch(body_of(rig, "/v1beta/models/e:batchEmbedContents",
                             R"({"requests":[{"content":{"parts":[{"text":"three"}]},"outputDimensionality":5},)" + one + "]}"));
  CHECK(batch.at("/embeddings").size() == 2);
  for (const std::string i : {"0", "1", "2", "3", "4"}) {
    CHECK(batch.at("/embeddings/1/values/" + i).number() == single.at("/embedding/values/" + i).number());
    CHECK(batch.at("/embeddings/0/values/" + i).number() != single.at("/embedding/values/" + i).number());
  }
  CHECK(batch.integer("/usageMetadata/promptTokenCount") == 3);
  CHECK(rig.run(Rig::post("/v1beta/models/e:embedContent", "{}"))->head.status == 400);
  CHECK(rig.run(Rig::post("/v1beta/models/e:batchEmbedContents", R"({"requests":[]})"))->head.status == 400);
}

TEST_CASE("generated content could have been recorded: text, tool calls, length, cached, refused") {
  if (recordings_missing("gemini")) return;
  Shapes shapes({"args"});
  for (const std::string directory : {"gemini/generateContent", "vertex/generateContent"}) {
    for (const Recorded& one : recorded_under(directory)) shapes.learn(one.body);
  }
  REQUIRE(shapes.learned() > 30);
  Rig rig;
  const auto differences = [&] { return shapes.differences(rig.run(tongue("gemini").ask(false, 2))->body); };
  CHECK(differences().empty());
  rig.script().cached(2);
  CHECK(differences().empty());
  rig.script().calls({{"call_1", "a", R"({"x": 1})"}, {"", "b", ""}});
  CHECK(differences().empty());
  rig.script().refuses("No.");
  CHECK(differences().empty());
}

TEST_CASE("the chunks of generated content could have been recorded, as events and as an array") {
  if (recordings_missing("gemini")) return;
  Shapes shapes({"args"}), arrays({"args"});
  for (const Recorded& one : recorded_under("gemini/streamGenerateContent")) {
    if (one.body.starts_with("[")) {
      arrays.learn(one.body);
      const Parsed array(one.body);
      for (json::Value element = array.document->root().first(); element; element = element.next()) shapes.learn(element.raw());
    }
    if (!one.body.starts_with("data: ")) continue;
    std::string body = one.body;
    for (std::size_t at; (at = body.find("\r\n")) != std::string::npos;) body.erase(at, 1);
    for (const std::string& event : events(body + (body.ends_with("\n\n") ? "" : "\n\n"))) shapes.learn(event);
  }
  REQUIRE(shapes.learned() > 50);
  REQUIRE(arrays.learned() > 2);
  Rig rig;
  for (const bool tools : {false, true}) {
    if (tools) rig.script().calls({{"", "a", R"({"x": 1})"}, {"", "b", ""}});
    for (const std::string& event : events(rig.run(tongue("gemini").ask(true, 0))->body)) CHECK(shapes.differences(event).empty());
    CHECK(arrays.differences(rig.run(tongue("gemini array").ask(true, 0))->body).empty());
  }
}

TEST_CASE("counts, embeddings and errors of Gemini could have been recorded") {
  if (recordings_missing("gemini")) return;
  Shapes counts, batches, errors;
  for (const Recorded& one : recorded_under("gemini/countTokens")) counts.learn(one.body);
  for (const Recorded& one : recorded_under("gemini/batchEmbedContents")) batches.learn(one.body);
  for (const std::string directory : {"gemini/generateContent", "gemini/streamGenerateContent", "gemini/batchEmbedContents"}) {
    for (const Recorded& one : recorded_under(directory, 0)) errors.learn(one.body);
  }
  REQUIRE(counts.learned() > 1);
  REQUIRE(batches.learned() > 1);
  REQUIRE(errors.learned() > 10);
  Rig rig;
  CHECK(counts.differences(body_of(rig, "/v1beta/models/m:countTokens", R"({"contents":[{"parts":[{"text":"x"}]}]})")).empty());
  CHECK(batches.differences(body_of(rig, "/v1beta/models/e:batchEmbedContents", R"({"requests":[{"content":{"parts":[{"text":"x"}]}}]})")).empty());
  rig.script().models({"other"});
  for (const bool stream : {false, true}) CHECK(errors.differences(rig.run(tongue("gemini").ask(stream, 0))->body).empty());
  rig.script().fails_with(400);
  CHECK(errors.differences(rig.run(tongue("gemini").ask(false, 0))->body).empty());
}
