// The Cohere dialect: what is its own, and that its answers could have been recorded.
#include "sim/cohere.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

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

TEST_CASE("a Cohere chat counts all texts, calls and documents of its prompt") {
  Rig rig;
  // "Be brief." 3, "Count to two" 3, f 1, {"x":1} 7, {"y":2} 7, "I will" 2
  const Parsed answer(body_of(rig, "/v2/chat", R"({"model":"m","messages":[{"role":"system","content":"Be brief."},
      {"role":"user","content":[{"type":"text","text":"Count to two"}]},
      {"role":"assistant","tool_plan":"I will","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}}]},
      {"role":"tool","tool_call_id":"a","content":[{"type":"document","document":{"data":{"y":2}}}]}]})"));
  CHECK(answer.integer("/usage/tokens/input_tokens") == 23);
  CHECK(answer.integer("/usage/billed_units/input_tokens") == 23);
}

TEST_CASE("a Cohere stream ends with a message-end and [DONE]") {
  Rig rig;
  const auto heard = rig.run(tongue("cohere").ask(true, 0));
  CHECK(heard->head.headers.get("content-type") == "text/event-stream");
  CHECK(heard->body.starts_with("event: message-start\ndata: {\"type\":\"message-start\","));
  CHECK(heard->body.ends_with("data: [DONE]\n\n"));
  const auto list = events(heard->body);
  CHECK(Parsed(list[list.size() - 2]).text("/type") == "message-end");
}

TEST_CASE("embeddings come in every number format, all of the same vector") {
  Rig rig;
  const Parsed answer(body_of(rig, "/v2/embed", R"({"model":"e","texts":["one two","three"],"input_type":"search_document","output_dimension":12,
      "embedding_types":["float","int8","uint8","binary","ubinary","base64"]})"));
  CHECK(answer.text("/texts/1") == "three");
  CHECK(answer.integer("/meta/billed_units/input_tokens") == 3);
  for (const std::string text : {"/0", "/1"}) {
    std::vector<double> numbers;
    for (int i = 0; i < 12; ++i) {
      const std::string at = text + "/" + std::to_string(i);
      numbers.push_back(answer.at("/embeddings/float" + at).number().value_or(9));
      CHECK(std::abs(static_cast<double>(answer.integer("/embeddings/int8" + at)) - numbers.back() * 127) <= 0.501);
      CHECK(answer.integer("/embeddings/uint8" + at) == answer.at("/embeddings/int8" + at).integer().value_or(0) + 128);
    }
    int first = 0;
    for (int i = 0; i < 8; ++i) first = first * 2 + (numbers[static_cast<std::size_t>(i)] >= 0 ? 1 : 0);
    CHECK(answer.at("/embeddings/ubinary" + text).size() == 2);
    CHECK(answer.integer("/embeddings/ubinary" + text + "/0") == first);
    CHECK(answer.at("/embeddings/binary" + text + "/0").integer() == first - 128);
    CHECK(decoded_base64(answer.text("/embeddings/base64" + text)).size() == 48);
  }
}

TEST_CASE("embeddings need an input and its type, and take images and mixed inputs") {
  Rig rig;
  const auto status = [&](std::string_view body) { return rig.run(Rig::post("/v2/embed", body))->head.status; };
  CHECK(status(R"({"model":"e","texts":["x"]})") == 400);
  CHECK(status(R"({"model":"e","input_type":"image"})") == 400);
  const Parsed images(body_of(rig, "/v2/embed", R"({"model":"e","images":["data:image/png;base64,AAAA"],"input_type":"image"})"));
  CHECK(images.at("/embeddings/float").size() == 1);
  CHECK(images.at("/texts").size() == 0);
  const Parsed mixed(body_of(rig, "/v2/embed", R"({"model":"e","inputs":[{"content":[{"type":"text","text":"one two"}]}],"input_type":"image"})"));
  const Parsed plain(body_of(rig, "/v2/embed", R"({"model":"e","texts":["one two"],"input_type":"search_query"})"));
  CHECK(mixed.at("/embeddings/float/0").raw() == plain.at("/embeddings/float/0").raw());
}

TEST_CASE("documents are ranked by the words they share with the query, and cut at top_n") {
  Rig rig;
  const std::string body = R"({"model":"r","query":"blue whale song","documents":["a red fox","the blue whale","song of a blue whale"])";
  const Parsed all(body_of(rig, "/v2/rerank", body + "}"));
  REQUIRE(all.at("/results").size() == 3);
  CHECK(all.integer("/results/0/index") == 2);
  CHECK(all.integer("/results/1/index") == 1);
  CHECK(all.integer("/results/2/index") == 0);
  for (const std::string i : {"0", "1", "2"}) {
    const double score = all.at("/results/" + i + "/relevance_score").number().value_or(-1);
    CHECK(score >= 0);
    CHECK(score <= 1);
  }
  CHECK(Parsed(body_of(rig, "/v2/rerank", body + R"(,"top_n":2})")).at("/results").size() == 2);
  CHECK(rig.run(Rig::post("/v2/rerank", R"({"model":"r","documents":["x"]})"))->head.status == 400);
  CHECK(rig.run(Rig::post("/v2/rerank", R"({"model":"r","query":"x","documents":[]})"))->head.status == 400);
}

TEST_CASE("Cohere chats could have been recorded: text, tool calls, length") {
  if (recordings_missing("cohere")) return;
  Shapes shapes;
  for (const Recorded& one : recorded_under("cohere/v2_chat")) shapes.learn(one.body);
  REQUIRE(shapes.learned() > 10);
  Rig rig;
  CHECK(shapes.differences(rig.run(tongue("cohere").ask(false, 0))->body).empty());
  CHECK(shapes.differences(rig.run(tongue("cohere").ask(false, 2))->body).empty());
  rig.script().calls({{"", "a", R"({"x": 1})"}, {"", "b", ""}});
  CHECK(shapes.differences(rig.run(tongue("cohere").ask(false, 0))->body).empty());
}

TEST_CASE("the events of a Cohere chat could have been recorded: text, tool calls, error") {
  if (recordings_missing("cohere")) return;
  Shapes shapes;
  for (const Recorded& one : recorded_under("cohere/v2_chat-stream")) {
    for (const std::string& event : events(one.body.ends_with("\n\n") ? one.body : one.body + "\n\n")) {
      if (event != "[DONE]") shapes.learn(event);
    }
  }
  REQUIRE(shapes.learned() > 500);
  Rig rig;
  const auto compare = [&] {
    auto list = events(rig.run(tongue("cohere").ask(true, 0))->body);
    CHECK(list.back() == "[DONE]");
    list.pop_back();
    for (const std::string& event : list) CHECK(shapes.differences(event).empty());
  };
  compare();
  rig.script().calls({{"", "a", R"({"x": 1})"}, {"", "b", ""}});
  compare();
  testing::Fault broken = fault(testing::Fault::Kind::kErrorInStream);
  broken.after_events = 3;
  rig.script().fails(broken);
  compare();
}

TEST_CASE("Cohere's embeddings, rankings and errors could have been recorded") {
  if (recordings_missing("cohere")) return;
  Shapes embeddings, rankings, errors;
  for (const Recorded& one : recorded_under("cohere/embed")) embeddings.learn(one.body);
  for (const Recorded& one : recorded_under("cohere/rerank")) rankings.learn(one.body);
  for (const std::string directory : {"cohere/embed", "cohere/v2_chat"}) {
    for (const Recorded& one : recorded_under(directory, 0)) errors.learn(one.body);
  }
  REQUIRE(embeddings.learned() > 1);
  REQUIRE(rankings.learned() > 1);
  REQUIRE(errors.learned() > 1);
  Rig rig;
  CHECK(embeddings.differences(body_of(rig, "/v2/embed", R"({"model":"e","texts":["x"],"input_type":"image","embedding_types":["float","int8"]})")).empty());
  CHECK(rankings.differences(body_of(rig, "/v2/rerank", R"({"model":"r","query":"x","documents":["x","y"]})")).empty());
  rig.script().models({"other"});
  CHECK(errors.differences(rig.run(tongue("cohere").ask(false, 0))->body).empty());
  rig.script().fails_with(429);
  CHECK(errors.differences(rig.run(tongue("cohere").ask(false, 0))->body).empty());
}
