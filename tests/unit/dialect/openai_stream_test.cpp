// Streams through deltas and back, event by event.

#include <catch2/catch.hpp>

#include <algorithm>

#include "http/sse.hpp"
#include "unit/dialect/wire.hpp"

using namespace sluice;
using chat::Delta;
using chat::Operation;
using dialect::openai;

namespace {

std::vector<Delta> decoded(const std::vector<std::string>& events, Operation operation = Operation::kChat) {
  const auto decoder = openai().delta_decoder({operation});
  std::vector<Delta> out;
  for (const std::string& event : events) {
    INFO(event);
    REQUIRE(decoder->on_event({}, event, out));
  }
  return out;
}

std::vector<std::string> events_of(std::string_view stream) {
  http::SseReader reader;
  reader.feed(stream);
  std::vector<std::string> out;
  http::SseEvent event;
  while (*reader.next(event)) out.emplace_back(event.data);
  return out;
}

std::string encoded(const std::vector<Delta>& deltas, bool usage, Operation operation = Operation::kChat) {
  const auto encoder = openai().delta_encoder({operation, usage});
  std::string out;
  for (const Delta& delta : deltas) encoder->encode(delta, out);
  encoder->end(out);
  return out;
}

chat::Message gathered(const std::vector<Delta>& deltas) {
  chat::Gatherer gatherer;
  for (const Delta& delta : deltas) gatherer.add(delta);
  return gatherer.take();
}

std::string chunk(std::string_view delta, std::string_view finish = "null") {
  return R"({"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":)" + std::string(delta) +
         R"(,"finish_reason":)" + std::string(finish) + "}]}";
}

std::vector<chat::ToolCall> calls_of(const chat::Message& message) {
  std::vector<chat::ToolCall> calls;
  for (const chat::Part& part : message.choices.at(0).turn.parts) {
    if (const auto* call = part.as<chat::ToolCall>()) calls.push_back(*call);
  }
  return calls;
}

}  // namespace

TEST_CASE("a stream gathers to what it said, and again after being written") {
  const std::vector<std::string> events{
      chunk(R"({"role":"assistant","content":"","refusal":null})"), chunk(R"({"reasoning":"hm"})"), chunk(R"({"content":"Hel"})"),
      chunk(R"({"content":"lo \ud83d\ude00"})"), chunk(R"({"tool_calls":[{"index":0,"id":"1","type":"function","function":{"name":"f","arguments":""}}]})"),
      chunk(R"({"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":"}}]})"), chunk(R"({"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]})"),
      chunk(R"({"reasoning_details":[{"a":1}]})"), chunk(R"({"reasoning_details":[{"a":2}]})"), chunk("{}", R"("eos")"),
      R"({"id":"c","object":"chat.completion.chunk","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3},"obfuscation":"xyz"})", "[DONE]"};
  const chat::Message message = gathered(decoded(events));
  CHECK(message.id == "c");
  CHECK(message.model == "m");
  REQUIRE(message.choices.size() == 1);
  CHECK(message.choices[0].turn.text() == "Hello \xf0\x9f\x98\x80");
  CHECK(message.choices[0].turn.parts[0].as<chat::Thinking>()->text == "hm");
  CHECK(message.choices[0].finish == chat::FinishReason::kStop);
  CHECK(message.choices[0].native_finish == "eos");
  CHECK(message.choices[0].turn.extras[0].json == R"([{"a":1},{"a":2}])");
  CHECK(calls_of(message)[0].arguments == R"({"a":1})");
  CHECK(message.usage->total_tokens == 3u);

  const std::string written = encoded(decoded(events), true);
  chat::Message again = gathered(decoded(events_of(written)));
  // The native finish reason travels as a member of its own.
  CHECK(again.choices[0].extras == chat::Extras{{"openai", "native_finish_reason", "\"eos\""}});
  again.choices[0].extras.clear();
  again.choices[0].native_finish = "eos";
  CHECK(again == message);
  CHECK(written.ends_with("data: [DONE]\n\n"));
}

TEST_CASE("members that are repeated in every chunk are said once; lists are pieces and all count") {
  const std::string event =
      R"({"id":"c","system_fingerprint":"fp","choices":[{"index":0,"seed":7,"delta":{"reasoning_details":[{"a":1}]}}]})";
  const auto deltas = decoded({event, event});
  const auto extras = [&](std::string_view key) {
    return std::count_if(deltas.begin(), deltas.end(), [&](const Delta& delta) {
      const auto* extra = delta.as<chat::ExtraDelta>();
      return extra != nullptr && extra->extra.key == key;
    });
  };
  CHECK(extras("system_fingerprint") == 1);
  CHECK(extras("seed") == 1);
  CHECK(extras("reasoning_details") == 2);
  CHECK(gathered(deltas).choices[0].turn.extras[0].json == R"([{"a":1},{"a":1}])");
}

// DIAL-12
TEST_CASE("usage is written once at the end where it was asked for, and nowhere else") {
  const std::vector<Delta> deltas{{0, chat::AnswerStart{"c", "m", 1, {}}}, {0, chat::TurnStart{}}, {0, chat::TextDelta{"x"}},
                                  {0, chat::UsageDelta{{1, 1, {}, {}, {}, {}}, ""}}, {0, chat::FinishDelta{chat::FinishReason::kStop, ""}},
                                  {0, chat::UsageDelta{{1, 2, {}, {}, {}, {}}, ""}}};
  CHECK(encoded(deltas, false).find("usage") == std::string::npos);
  const auto events = events_of(encoded(deltas, true));
  REQUIRE(events.size() == 5);
  CHECK(events[3] == R"({"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}})");
  for (std::size_t i = 0; i < 3; ++i) CHECK(events[i].find("usage") == std::string::npos);
  // Asked for, but unknown: absent.
  CHECK(encoded({deltas[0], deltas[2]}, true).find("usage") == std::string::npos);
}

// DIAL-05
TEST_CASE("calls are told apart by id, then by index, and fragments join the right one") {
  using Calls = std::vector<std::pair<std::string, std::string>>;
  struct Row {
    std::string what;
    std::vector<std::string> deltas;
    Calls calls;
  };
  const auto row = GENERATE(values<Row>({
      {"two ids under one index", {R"([{"index":0,"id":"a","function":{"name":"f","arguments":"1"}},{"index":0,"id":"b","function":{"name":"g","arguments":"2"}}])"},
       {{"a", "1"}, {"b", "2"}}},
      {"no index at all", {R"([{"id":"a","function":{"name":"f","arguments":"1"}}])", R"([{"id":"b","function":{"name":"g","arguments":"2"}}])", R"([{"function":{"arguments":"3"}}])"},
       {{"a", "1"}, {"b", "23"}}},
      {"interleaved by index",
       {R"([{"index":0,"id":"a","function":{"name":"f","arguments":""}}])", R"([{"index":1,"id":"b","function":{"name":"g","arguments":""}}])",
        R"([{"index":0,"function":{"arguments":"1"}}])", R"([{"index":1,"function":{"arguments":"2"}},{"index":0,"function":{"arguments":"3"}}])"},
       {{"a", "13"}, {"b", "2"}}},
      {"id repeated in every fragment", {R"([{"index":0,"id":"a","function":{"name":"f","arguments":"1"}}])", R"([{"index":0,"id":"a","function":{"arguments":"2"}}])"}, {{"a", "12"}}},
      {"empty ids after the first", {R"([{"index":0,"id":"a","function":{"name":"f","arguments":"1"}}])", R"([{"index":0,"id":"","function":{"name":"","arguments":"2"}}])"}, {{"a", "12"}}},
      {"indexes that begin at 1", {R"([{"index":1,"id":"a","function":{"name":"f","arguments":"1"}}])", R"([{"index":1,"function":{"arguments":"2"}}])"}, {{"a", "12"}}},
      {"two calls under one index, fragments after each",
       {R"([{"index":0,"id":"a","function":{"name":"f","arguments":""}}])", R"([{"index":0,"function":{"arguments":"1"}}])",
        R"([{"index":0,"id":"b","function":{"name":"g","arguments":""}}])", R"([{"index":0,"function":{"arguments":"2"}}])"},
       {{"a", "1"}, {"b", "2"}}},
      {"arguments as an object", {R"([{"index":0,"id":"a","function":{"name":"f","arguments":{"x":1}}}])"}, {{"a", R"({"x":1})"}}},
  }));
  INFO(row.what);
  std::vector<std::string> events;
  for (const std::string& calls : row.deltas) events.push_back(chunk("{\"tool_calls\":" + calls + "}"));
  const auto found = calls_of(gathered(decoded(events)));
  Calls got;
  for (const chat::ToolCall& call : found) got.emplace_back(call.id, call.arguments);
  CHECK(got == row.calls);
}

// DIAL-08
TEST_CASE("deltas come as they come, not at the end") {
  const auto decoder = openai().delta_decoder({Operation::kChat});
  std::vector<Delta> out;
  REQUIRE(decoder->on_event({}, chunk(R"({"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}]})"), out));
  REQUIRE(out.size() == 4);
  CHECK(out[2].as<chat::ToolCallStart>());
  CHECK(out[3].as<chat::ToolCallDelta>()->arguments == "{");
}

TEST_CASE("a stream that never said it was over is truncated") {
  const auto decoder = openai().delta_decoder({Operation::kChat});
  std::vector<Delta> out;
  REQUIRE(decoder->on_event({}, chunk(R"({"content":"x"})"), out));
  CHECK(decoder->on_end().error().code == Code::kUpstreamTruncated);
  REQUIRE(decoder->on_event({}, chunk("{}", "\"stop\""), out));
  CHECK(decoder->on_end());
}

TEST_CASE("an error is the last thing a stream says") {
  const auto decoder = openai().delta_decoder({Operation::kChat});
  std::vector<Delta> out;
  REQUIRE(decoder->on_event({}, R"({"error":{"message":"overloaded","code":503}})", out));
  REQUIRE(decoder->on_event({}, chunk(R"({"content":"x"})"), out));
  REQUIRE(out.size() == 1);
  REQUIRE(out[0].as<chat::ErrorDelta>());
  CHECK(out[0].as<chat::ErrorDelta>()->error.http_status == 503);
  const std::string written = encoded(out, true);
  CHECK(written.find("[DONE]") == std::string::npos);
  CHECK(written.find("overloaded") != std::string::npos);
}

// DIAL-24
TEST_CASE("odd events do no harm, and what is no JSON is a typed error") {
  for (const std::string_view odd : {"", "{}", R"({"choices":null})", R"({"choices":[null]})", R"({"choices":[{"delta":null,"index":-1}]})",
                                     R"({"choices":[{"delta":{"content":7,"tool_calls":[7,null,{}]}}],"usage":7,"id":7})"}) {
    const auto decoder = openai().delta_decoder({Operation::kChat});
    std::vector<Delta> out;
    INFO(odd);
    CHECK(decoder->on_event({}, odd, out));
    (void)encoded(out, true);
  }
  for (const std::string_view bad : {"<html>", "{", "[]", "7", "{\"a\":1}x"}) {
    const auto decoder = openai().delta_decoder({Operation::kChat});
    std::vector<Delta> out;
    INFO(bad);
    CHECK(decoder->on_event({}, bad, out).error().code == Code::kUpstreamInvalidAnswer);
  }
}

// DIAL-20
TEST_CASE("text that looks like framing stays inside one event") {
  const std::vector<Delta> deltas{{0, chat::TextDelta{"a\n\ndata: [DONE]\n\n\r\xe2\x80\xa8" "event: error"}}};
  const std::string written = encoded(deltas, false);
  const auto events = events_of(written);
  REQUIRE(events.size() == 2);
  CHECK(gathered(decoded({events[0]})).choices[0].turn.text() == deltas[0].as<chat::TextDelta>()->text);
}

TEST_CASE("completions stream their text") {
  const std::vector<std::string> events{R"({"id":"c","object":"text_completion","created":1,"choices":[{"text":"a","index":0,"logprobs":null,"finish_reason":null}],"model":"m"})",
                                        R"({"id":"c","object":"text_completion","choices":[{"text":"b","index":0,"finish_reason":"length"}],"model":"m"})", "[DONE]"};
  const auto deltas = decoded(events, Operation::kCompletions);
  CHECK(gathered(deltas).choices[0].turn.text() == "ab");
  const auto again = decoded(events_of(encoded(deltas, false, Operation::kCompletions)), Operation::kCompletions);
  CHECK(gathered(again) == gathered(deltas));
}

TEST_CASE("the older function call streams as it always did") {
  const std::vector<std::string> events{chunk(R"({"role":"assistant","content":null,"function_call":{"name":"f","arguments":""}})"),
                                        chunk(R"({"function_call":{"arguments":"{}"}})"), chunk("{}", "\"function_call\"")};
  const auto calls = calls_of(gathered(decoded(events)));
  REQUIRE(calls.size() == 1);
  CHECK(calls[0].legacy);
  CHECK(calls[0].arguments == "{}");
  const auto again = gathered(decoded(events_of(encoded(decoded(events), false))));
  CHECK(again == gathered(decoded(events)));
}

TEST_CASE("the text of an event is what the first choice says") {
  CHECK(openai().event_text(chunk(R"({"content":"a\u0062"})")) == "ab");
  CHECK(openai().event_text(chunk(R"({"content":null})")).empty());
  CHECK(openai().event_text(chunk(R"({"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]})")) == "ab");
  CHECK(openai().event_text(R"({"choices":[{"index":1,"delta":{"content":"no"}},{"index":0,"delta":{"content":"yes"}}]})") == "yes");
  CHECK(openai().event_text(R"({"choices":[{"index":0,"text":"c"}]})") == "c");
  CHECK(openai().event_text("[DONE]").empty());
  CHECK(openai().event_text("{").empty());
}
