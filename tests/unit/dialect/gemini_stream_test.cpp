// Streams of the Gemini dialect: elements into deltas, deltas into elements, in either framing.

#include <catch2/catch.hpp>

#include "http/event_reader.hpp"
#include "json/writer.hpp"
#include "unit/dialect/wire.hpp"

using namespace sluice;
using chat::Delta;
using chat::Operation;
using dialect::gemini;
using http::Framing;

namespace {

std::vector<Delta> read(const std::vector<std::string>& events, Status* end = nullptr) {
  const auto decoder = gemini().delta_decoder({Operation::kChat});
  std::vector<Delta> out;
  for (const std::string& event : events) {
    INFO(event);
    const Status status = decoder->on_event({}, event, out);
    if (!status) FAIL(status.error().message);
  }
  const Status ended = decoder->on_end();
  if (end != nullptr) {
    *end = ended;
  } else if (!ended) {
    FAIL(ended.error().message);
  }
  return out;
}

chat::Message gathered(const std::vector<Delta>& deltas) {
  chat::Gatherer gatherer;
  for (const Delta& delta : deltas) gatherer.add(delta);
  return gatherer.take();
}

std::string write(const std::vector<Delta>& deltas, Framing framing = Framing::kSse, bool end = true) {
  const auto encoder = gemini().delta_encoder({.framing = framing, .model = "asked"});
  std::string out;
  for (const Delta& delta : deltas) encoder->encode(delta, out);
  if (end) encoder->end(out);
  return out;
}

/// The elements of a written stream.
std::vector<std::string> elements(std::string_view stream, Framing framing = Framing::kSse) {
  const auto reader = http::make_event_reader(framing, 1u << 20);
  reader->feed(stream);
  std::vector<std::string> out;
  http::StreamEvent event;
  while (*reader->next(event)) {
    if (event.has_data) out.emplace_back(event.data);
  }
  CHECK(reader->held() == 0);
  return out;
}

std::string at(std::string_view json, std::string_view pointer) {
  const auto document = test::parsed(json);
  const auto value = document.root().at(pointer);
  return value && *value ? test::canonical(*value) : std::string();
}

std::string element(std::string_view parts, std::string_view rest = {}) {
  return R"({"candidates":[{"content":{"role":"model","parts":[)" + std::string(parts) + R"(]},"index":0)" + std::string(rest) + R"(}],"modelVersion":"m","responseId":"r"})";
}

const std::string kStop = R"(,"finishReason":"STOP")";

std::string arguments_of(const std::vector<std::string>& calls) {
  std::vector<std::string> events;
  for (const std::string& call : calls) events.push_back(element(R"({"functionCall":)" + call + "}"));
  events.push_back(element(R"({"text":""})", kStop));
  const auto message = gathered(read(events));
  REQUIRE(message.choices.size() == 1);
  std::string out;
  for (const chat::Part& part : message.choices[0].turn.parts) {
    const auto* call = part.as<chat::ToolCall>();
    REQUIRE(call != nullptr);
    (void)test::parsed(call->arguments);
    out += call->name + call->arguments;
  }
  return out;
}

}  // namespace

// DIAL-05, DIAL-08, DIAL-09
TEST_CASE("each element's parts are deltas as they come") {
  const auto deltas = read({element(R"({"text":"hm","thought":true})"), element(R"({"text":"Hi"},{"functionCall":{"name":"f","args":{"a":1}},"thoughtSignature":"S"})"),
                            element(R"({"functionCall":{"id":"own","name":"f"}})"), element(R"({"text":"","thoughtSignature":"T"})", kStop)});
  const auto message = gathered(deltas);
  CHECK(message.id == "r");
  CHECK(message.model == "m");
  REQUIRE(message.choices.size() == 1);
  const auto& parts = message.choices[0].turn.parts;
  REQUIRE(parts.size() == 5);
  CHECK(parts[0].as<chat::Thinking>()->text == "hm");
  CHECK(parts[1].as<chat::Text>()->text == "Hi");
  CHECK(parts[2].as<chat::ToolCall>()->arguments == R"({"a":1})");
  CHECK(parts[2].as<chat::ToolCall>()->signature == "S");
  CHECK(parts[3].as<chat::ToolCall>()->id == "own");
  CHECK(parts[3].as<chat::ToolCall>()->arguments == "{}");
  CHECK(parts[4].as<chat::Text>()->signature == "T");
  CHECK(message.choices[0].finish == chat::FinishReason::kToolCalls);
}

// DIAL-08
TEST_CASE("arguments that come as values with paths are a JSON text that grows") {
  CHECK(arguments_of({R"({"name":"f","willContinue":true})", R"({"partialArgs":[{"jsonPath":"$.a","stringValue":"x\"","willContinue":true}],"willContinue":true})",
                      R"({"partialArgs":[{"jsonPath":"$.a","stringValue":"y","willContinue":true}],"willContinue":true})", R"({"partialArgs":[{"jsonPath":"$.a","stringValue":""}],"willContinue":true})",
                      R"({"partialArgs":[{"jsonPath":"$.n","numberValue":0.5},{"jsonPath":"$.b","boolValue":true},{"jsonPath":"$.z","nullValue":"NULL_VALUE"}],"willContinue":true})", "{}"}) ==
        R"(f{"a":"x\"y","n":0.5,"b":true,"z":null})");
  CHECK(arguments_of({R"({"name":"f","willContinue":true})", R"({"partialArgs":[{"jsonPath":"$.l[0].a","stringValue":"1"},{"jsonPath":"$.l[0].b.c","numberValue":2},{"jsonPath":"$.l[1].a","stringValue":"3"},{"jsonPath":"$['x y'][0][1]","numberValue":4},{"jsonPath":"$['x y'][1]","numberValue":5},{"jsonPath":"$.k","numberValue":6}]})"}) ==
        R"(f{"l":[{"a":"1","b":{"c":2}},{"a":"3"}],"x y":[[4],5],"k":6})");
  // Nothing at all; an end that nobody said; the next call ending the one before.
  CHECK(arguments_of({R"({"name":"f","willContinue":true})", "{}"}) == "f{}");
  CHECK(arguments_of({R"({"name":"f","willContinue":true})", R"({"partialArgs":[{"jsonPath":"$.a","stringValue":"x","willContinue":true}],"willContinue":true})"}) == R"(f{"a":"x"})");
  CHECK(arguments_of({R"({"name":"f","willContinue":true})", R"({"partialArgs":[{"jsonPath":"$.a.b","numberValue":1}],"willContinue":true})", R"({"name":"g","args":{}})"}) == R"(f{"a":{"b":1}}g{})");
}

// DIAL-24
TEST_CASE("paths that contradict each other still make JSON") {
  CHECK(arguments_of({R"({"name":"f","willContinue":true})", R"({"partialArgs":[{"jsonPath":"$.a","stringValue":"x"},{"jsonPath":"$.a.b","numberValue":1},{"jsonPath":"$.a","stringValue":"again"},{"jsonPath":"$","numberValue":1},{"jsonPath":"$[0]","numberValue":1},{"jsonPath":"$.b[0]","numberValue":1},{"jsonPath":"$.b.c","numberValue":2},{"jsonPath":"","numberValue":3},{"jsonPath":"$.c[","numberValue":3}]})"})
        .starts_with(R"(f{"a":"x","b":[1])"));
}

// DIAL-11
TEST_CASE("usage is cumulative: what was stated last counts") {
  const auto message = gathered(read({R"({"candidates":[{"content":{"parts":[{"text":"t","thought":true}]}}],"usageMetadata":{"promptTokenCount":5,"thoughtsTokenCount":9,"totalTokenCount":14}})",
                                      R"({"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":2,"thoughtsTokenCount":9,"totalTokenCount":16}})"}));
  CHECK(chat::describe(*message.usage) == "5 in, 11 out (9 reasoning)");
  CHECK(chat::total(*message.usage) == 16u);
}

TEST_CASE("a stream that never said why it ended is truncated, and one that did is complete") {
  Status end;
  (void)read({element(R"({"text":"a"})")}, &end);
  REQUIRE_FALSE(end);
  CHECK(end.error().code == Code::kUpstreamTruncated);
  (void)read({element(R"({"text":"a"})", kStop)}, &end);
  CHECK(end);
  (void)read({}, &end);
  CHECK_FALSE(end);
  const auto blocked = read({R"({"promptFeedback":{"blockReason":"SAFETY"}})"}, &end);
  CHECK(end);
  CHECK(gathered(blocked).choices[0].finish == chat::FinishReason::kContentFilter);
}

TEST_CASE("an error inside a stream ends it") {
  const auto decoder = gemini().delta_decoder({Operation::kChat});
  std::vector<Delta> deltas;
  REQUIRE(decoder->on_event({}, R"({"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}})", deltas));
  REQUIRE(deltas.size() == 1);
  REQUIRE(deltas[0].as<chat::ErrorDelta>() != nullptr);
  CHECK(deltas[0].as<chat::ErrorDelta>()->error.http_status == 503);
  CHECK(decoder->over());
  CHECK(decoder->on_end());
  const auto odd = gemini().delta_decoder({Operation::kChat})->on_event({}, "[DONE]", deltas);
  REQUIRE_FALSE(odd);
  CHECK(odd.error().code == Code::kUpstreamInvalidAnswer);
}

// DIAL-22
TEST_CASE("a written stream has no [DONE], and tells its end and its usage in the last element") {
  chat::Usage usage;
  usage.input_tokens = 3;
  usage.output_tokens = 4;
  const auto events = elements(write({{0, chat::AnswerStart{.id = "c", .model = "gpt"}}, {0, chat::TurnStart{}}, {0, chat::TextDelta{.text = "Hi"}}, {0, chat::FinishDelta{chat::FinishReason::kLength, {}}},
                                      {0, chat::UsageDelta{.usage = usage}}}));
  REQUIRE(events.size() == 2);
  CHECK(test::canonical(events[0]) == test::canonical(R"({"candidates":[{"content":{"role":"model","parts":[{"text":"Hi"}]},"index":0}],"modelVersion":"gpt","responseId":"c"})"));
  CHECK(test::canonical(events[1]) == test::canonical(R"({"candidates":[{"content":{"role":"model","parts":[{"text":""}]},"finishReason":"MAX_TOKENS","index":0}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":4,"totalTokenCount":7},"modelVersion":"gpt","responseId":"c"})"));
}

// DIAL-08
TEST_CASE("a written call is whole, and goes out as soon as it is known to be") {
  const auto encoder = gemini().delta_encoder({});
  std::string out;
  const auto take = [&] { return elements(std::exchange(out, {})); };
  encoder->encode({0, chat::ToolCallStart{.index = 0, .id = "call_a", .name = "f"}}, out);
  encoder->encode({0, chat::ToolCallDelta{0, R"({"a")"}}, out);
  CHECK(out.empty());
  encoder->encode({0, chat::ToolCallStart{.index = 1, .id = "call_b", .name = "g", .signature = "S"}}, out);
  CHECK(out.empty());  // the first one may still go on
  encoder->encode({0, chat::ToolCallDelta{0, ":1}"}}, out);
  encoder->encode({0, chat::ToolCallStart{.index = 2, .id = "call_c", .name = "h"}}, out);
  const auto first = take();
  REQUIRE(first.size() == 1);
  CHECK(at(first[0], "/candidates/0/content/parts") == test::canonical(R"([{"functionCall":{"id":"call_a","name":"f","args":{"a":1}}}])"));
  encoder->encode({0, chat::TextDelta{.text = "x"}}, out);
  const auto rest = take();
  REQUIRE(rest.size() == 3);
  CHECK(at(rest[0], "/candidates/0/content/parts") == test::canonical(R"([{"functionCall":{"id":"call_b","name":"g","args":{}},"thoughtSignature":"S"}])"));
  CHECK(at(rest[1], "/candidates/0/content/parts/0/functionCall/name") == "\"h\"");
  CHECK(at(rest[2], "/candidates/0/content/parts/0/text") == "\"x\"");
}

// DIAL-20, DIAL-22
TEST_CASE("without alt=sse a stream is one JSON array, whatever is said in it") {
  const std::string evil = "a]}\n\ndata: [DONE]\n\n\"\\\xe2\x80\xa8";
  const std::vector<Delta> deltas{{0, chat::AnswerStart{.id = "c"}}, {0, chat::TextDelta{.text = evil}}, {0, chat::TextDelta{.text = "b"}}, {0, chat::FinishDelta{}}};
  const std::string stream = write(deltas, Framing::kJsonArray);
  const auto document = test::parsed(stream);
  REQUIRE(document.root().is(json::Type::kArray));
  CHECK(document.root().size() == 3);
  const auto events = elements(stream, Framing::kJsonArray);
  CHECK(events == elements(write(deltas)));
  CHECK(gathered(read(events)).choices[0].turn.text() == evil + "b");
  CHECK(test::canonical(write({}, Framing::kJsonArray)) == "[]");
}

// DIAL-17
TEST_CASE("a stream that fails ends with an error and its array closed") {
  const chat::ErrorDelta failed{make_error(Code::kUpstreamReset, "gone"), {}};
  for (const bool first : {true, false}) {
    std::vector<Delta> deltas{{0, chat::AnswerStart{.id = "c"}}};
    if (!first) deltas.push_back({0, chat::TextDelta{.text = "a"}});
    deltas.push_back({0, failed});
    const std::string stream = write(deltas, Framing::kJsonArray);
    const auto document = test::parsed(stream);
    REQUIRE(document.root().size() == (first ? 1u : 2u));
    CHECK(at(stream, first ? "/0/error/message" : "/1/error/message") == "\"gone\"");
    const auto events = elements(write(deltas));
    CHECK(at(events.back(), "/error/status") == "\"UNAVAILABLE\"");
  }
  const std::string begun = write({{0, chat::TextDelta{.text = "a"}}}, Framing::kJsonArray, false);
  const std::string whole = begun + std::string(gemini().stream_ping(Framing::kJsonArray)) + gemini().encode_stream_error(failed.error, {}, Framing::kJsonArray);
  CHECK(test::parsed(whole).root().size() == 2);
  CHECK(elements(gemini().encode_stream_error(failed.error, {}, Framing::kSse)).size() == 1);
}

TEST_CASE("choices interleave, and each says why it ended") {
  const auto events = elements(write({{0, chat::TextDelta{.text = "a"}}, {1, chat::TextDelta{.text = "b"}}, {0, chat::FinishDelta{}}, {1, chat::ThinkingDelta{.text = "t", .signature = "S"}},
                                      {1, chat::FinishDelta{chat::FinishReason::kContentFilter, "SPII"}}}));
  const auto message = gathered(read(events));
  REQUIRE(message.choices.size() == 2);
  CHECK(message.choices[0].turn.text() == "a");
  CHECK(message.choices[1].turn.parts[1].as<chat::Thinking>()->signature == "S");
  CHECK(message.choices[1].native_finish == "SPII");
}

// DIAL-15
TEST_CASE("signatures pass a stream to the byte") {
  const std::vector<Delta> deltas{{0, chat::TextDelta{.text = "a", .signature = "Zm9v+/="}}, {0, chat::TextDelta{.text = "b"}}, {0, chat::TextDelta{.signature = "x"}},
                                  {0, chat::ToolCallStart{.index = 0, .id = "i", .name = "f", .signature = "y=="}}, {0, chat::ToolCallDelta{0, "{}"}}, {0, chat::FinishDelta{chat::FinishReason::kToolCalls, {}}}};
  const auto message = gathered(deltas), reread = gathered(read(elements(write(deltas))));
  REQUIRE(message.choices[0].turn.parts.size() == 4);
  CHECK(reread.choices[0].turn.parts == message.choices[0].turn.parts);
}

TEST_CASE("what an in-process caller reads of an element is its first candidate's text without thoughts") {
  CHECK(gemini().event_text(element(R"({"text":"t","thought":true},{"text":"a"},{"functionCall":{"name":"f"}},{"text":"b"})")) == "ab");
  CHECK(gemini().event_text(R"({"candidates":[{"index":1,"content":{"parts":[{"text":"x"}]}}]})").empty());
  CHECK(gemini().event_text("x").empty());
}
