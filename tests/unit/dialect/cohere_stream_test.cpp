// Streams of the Cohere dialect through deltas and back, event by event, and what a tap hears of them.

#include <catch2/catch.hpp>

#include "unit/dialect/translating.hpp"

using namespace sluice;
using chat::Delta;
using dialect::cohere;
using dialect::openai;
using http::Framing;
using test::Events;

namespace {

std::string golden(std::string_view name) {
  std::FILE* file = std::fopen((std::string(SLUICE_SOURCE_DIR "/tests/golden/cohere/") + std::string(name)).c_str(), "rb");
  REQUIRE(file != nullptr);
  std::string out;
  char buffer[4096];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, file)) > 0;) out.append(buffer, n);
  std::fclose(file);
  return out;
}

Events data_of(const std::vector<std::string>& events) {
  Events out;
  for (const std::string& event : events) out.emplace_back("", event);
  return out;
}

std::string piece(std::string_view type, std::string_view message, std::string_view index = "0") {
  return R"({"type":")" + std::string(type) + R"(","index":)" + std::string(index) + R"(,"delta":{"message":)" + std::string(message) + "}}";
}
const std::string kEnd = R"({"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"tokens":{"input_tokens":3,"output_tokens":4}}}})";

}  // namespace

// DIAL-02, DIAL-18
TEST_CASE("a stream of Cohere's gathers to what it said and is written as it came, at every split") {
  const std::string stream = golden("full.sse");
  const chat::Message message = test::gathered(test::decoded(cohere(), test::events_of(stream, Framing::kSse)));
  CHECK(message.id == "s1");
  CHECK(test::thinking_of(message) == "hm\xf0\x9f\x98\x80I will look.");
  CHECK(message.choices.at(0).turn.text() == "It is \xc3\xa9, -3.");
  CHECK(message.choices[0].finish == chat::FinishReason::kToolCalls);
  CHECK(message.usage->input_tokens == 1501u);
  CHECK(message.usage->reasoning_tokens == 304u);
  const auto calls = test::calls_of(message);
  REQUIRE(calls.size() == 3);
  CHECK(calls[0].arguments == R"({"x": 2})");
  CHECK(calls[1].arguments == "{}");
  CHECK(calls[2].arguments == "{}");
  for (std::size_t size = 1; size <= stream.size(); size = size < 70 ? size + 1 : size * 2) {
    const auto deltas = test::decoded(cohere(), test::events_of(stream, Framing::kSse, size));
    REQUIRE(test::gathered(deltas) == message);
    REQUIRE(test::encoded(cohere(), deltas) == golden("full.written.sse"));
  }
}

// DIAL-22
TEST_CASE("a stream for Cohere's callers keeps its grammar: pairs, indexes of each kind from 0, one end") {
  const std::vector<Delta> deltas{{0, chat::AnswerStart{"i", "m", 1}}, {0, chat::TurnStart{}}, {0, chat::ThinkingDelta{"t"}}, {0, chat::TextDelta{"a"}},
                                  {0, chat::TextDelta{"b"}}, {0, chat::ToolCallStart{0, chat::ToolKind::kFunction, "x", "f"}}, {0, chat::ToolCallDelta{0, "{"}},
                                  {0, chat::ToolCallStart{1, chat::ToolKind::kFunction, "", "g"}}, {0, chat::ToolCallDelta{1, "{}"}}, {0, chat::ToolCallDelta{0, "}"}},
                                  {0, chat::TextDelta{"c"}}, {0, chat::FinishDelta{chat::FinishReason::kLength, ""}}, {1, chat::TextDelta{"another choice"}}};
  std::string kinds;
  for (const auto& [name, data] : test::events_of(test::encoded(cohere(), deltas), Framing::kSse)) {
    const auto document = json::Document::parse(Body::copy(data));
    const auto index = document ? document->root().find("index") : Result<json::Value>{};
    kinds += (name.empty() ? data : name) + (index && *index ? ":" + std::string(index->raw()) : "") + "\n";
    if (document) CHECK(document->root().find("type")->equals(name));
  }
  CHECK(kinds == "message-start\ncontent-start:0\ncontent-delta:0\ncontent-end:0\ncontent-start:1\ncontent-delta:1\ncontent-delta:1\ncontent-end:1\n"
                 "tool-call-start:0\ntool-call-delta:0\ntool-call-end:0\ntool-call-start:1\ntool-call-delta:1\ntool-call-delta:0\ntool-call-end:1\n"
                 "content-start:2\ncontent-delta:2\ncontent-end:2\nmessage-end\n[DONE]\n");
}

// DIAL-01, DIAL-12
TEST_CASE("a stream of Cohere's reads as OpenAI's, and OpenAI's as Cohere's") {
  const chat::Message message = test::gathered(test::decoded(cohere(), test::events_of(golden("full.sse"), Framing::kSse)));
  const std::string told = test::encoded(openai(), test::decoded(cohere(), test::events_of(golden("full.sse"), Framing::kSse)));
  const chat::Message there = test::gathered(test::decoded(openai(), test::events_of(told, Framing::kSse)));
  CHECK(there.choices.at(0).turn.text() == message.choices.at(0).turn.text());
  CHECK(test::thinking_of(there) == test::thinking_of(message));
  CHECK(test::calls_of(there).size() == 3);
  CHECK(test::calls_of(there)[0].arguments == R"({"x": 2})");
  CHECK(there.usage->input_tokens == message.usage->input_tokens);
  CHECK(there.usage->output_tokens == message.usage->output_tokens);
  const std::string back = test::encoded(cohere(), test::decoded(openai(), test::events_of(told, Framing::kSse)));
  const chat::Message again = test::gathered(test::decoded(cohere(), test::events_of(back, Framing::kSse)));
  CHECK(again.choices.at(0).turn.text() == message.choices.at(0).turn.text());
  CHECK(again.choices[0].finish == chat::FinishReason::kToolCalls);
  CHECK(again.usage->output_tokens == message.usage->output_tokens);
}

// DIAL-05, DIAL-08
TEST_CASE("a piece of a call joins the call its index names, and goes on at once") {
  const auto decoder = cohere().delta_decoder({});
  std::vector<Delta> out;
  const auto say = [&](const std::string& event) { REQUIRE(decoder->on_event("", event, out)); };
  say(piece("tool-call-start", R"({"tool_calls":{"id":"a","function":{"name":"f","arguments":""}}})"));
  say(piece("tool-call-delta", R"({"tool_calls":{"function":{"arguments":"{1"}}})"));
  REQUIRE(out.size() == 4);
  CHECK(out[3].as<chat::ToolCallDelta>()->arguments == "{1");
  say(piece("tool-call-start", R"({"tool_calls":{"id":"b","function":{"name":"g","arguments":"{2"}}})", "0"));
  say(piece("tool-call-delta", R"({"tool_calls":{"function":{"arguments":"}"}}})", "0"));
  const auto calls = test::calls_of(test::gathered(out));
  REQUIRE(calls.size() == 2);
  CHECK(calls[0].arguments == "{1");
  CHECK(calls[1].arguments == "{2}");
}

// DIAL-09
TEST_CASE("null in place of arguments means none, and only then") {
  struct Row {
    std::vector<std::string> fragments;
    std::string arguments;
  };
  const auto row = GENERATE(values<Row>({
      {{}, "{}"}, {{"null"}, "{}"}, {{"nu", "ll"}, "{}"}, {{"null", "able"}, "nullable"}, {{"{", "null", "}"}, "{null}"}, {{"nu"}, "nu"},
  }));
  std::vector<std::string> events{piece("tool-call-start", R"({"tool_calls":{"id":"a","function":{"name":"f"}}})")};
  for (const std::string& fragment : row.fragments) {
    events.push_back(piece("tool-call-delta", R"({"tool_calls":{"function":{"arguments":")" + fragment + R"("}}})"));
  }
  events.push_back(kEnd);
  CHECK(test::calls_of(test::gathered(test::decoded(cohere(), data_of(events)))).at(0).arguments == row.arguments);
}

TEST_CASE("a stream of Cohere's that ends in an error says so last, both ways") {
  const std::string failed = R"({"type":"message-end","delta":{"finish_reason":"ERROR","usage":{},"error":"invalid tool generation","error_type":"X"}})";
  const auto deltas = test::decoded(cohere(), data_of({piece("content-delta", R"({"content":{"text":"a"}})"), failed, kEnd}));
  REQUIRE(deltas.back().as<chat::ErrorDelta>());
  CHECK(deltas.back().as<chat::ErrorDelta>()->provider_text == "invalid tool generation");
  const auto written = test::events_of(test::encoded(cohere(), deltas), Framing::kSse);
  REQUIRE(written.size() == 5);
  CHECK(written[3].first == "message-end");
  CHECK(written[3].second.find(R"("finish_reason":"ERROR","error":"invalid tool generation")") != std::string::npos);
  CHECK(written[4].second == "[DONE]");
  const Error error = make_error(Code::kIdleTimeout, "silent");
  CHECK(test::events_of(cohere().encode_stream_error(error, {}, Framing::kSse), Framing::kSse).at(0).second.find("silent") != std::string::npos);
  const auto told = test::decoded(cohere(), data_of({R"({"message":"too many","id":"x"})"}));
  CHECK(told.at(0).as<chat::ErrorDelta>()->error.message == "too many");
}

TEST_CASE("a stream of Cohere's that never said it was over is truncated") {
  const auto decoder = cohere().delta_decoder({});
  std::vector<Delta> out;
  REQUIRE(decoder->on_event("", piece("content-delta", R"({"content":{"text":"a"}})"), out));
  CHECK(decoder->on_end().error().code == Code::kUpstreamTruncated);
  CHECK_FALSE(decoder->over());
  REQUIRE(decoder->on_event("", kEnd, out));
  CHECK(decoder->on_end());
  REQUIRE(decoder->on_event("", "[DONE]", out));
  CHECK(decoder->over());
}

// DIAL-23, DIAL-24
TEST_CASE("odd events of Cohere's do no harm, and what is no JSON is a typed error") {
  for (const std::string_view odd : {"", "{}", R"({"type":7})", R"({"type":"new-thing","x":1})", R"({"type":"content-delta"})", R"({"type":"content-delta","delta":[]})",
                                     R"({"type":"tool-call-delta","delta":{"message":{"tool_calls":{"function":{"arguments":"x"}}}}})", R"({"type":"tool-call-end"})",
                                     R"({"type":"citation-start","delta":{"message":{"citations":7}}})", R"({"type":"message-end"})", R"({"type":"debug","prompt":"p"})"}) {
    INFO(odd);
    const auto decoder = cohere().delta_decoder({});
    std::vector<Delta> out;
    CHECK(decoder->on_event("", odd, out));
    (void)test::encoded(cohere(), out);
    const auto tap = cohere().tap({.streaming = true});
    CHECK(tap->on_event("", odd).content == (odd.find("arguments") != std::string_view::npos));
  }
  for (const std::string_view bad : {"<html>", "{", "[]", "7"}) {
    std::vector<Delta> out;
    CHECK(cohere().delta_decoder({})->on_event("", bad, out).error().code == Code::kUpstreamInvalidAnswer);
  }
}

// DIAL-20
TEST_CASE("text that looks like framing stays inside one event of Cohere's") {
  const std::string text = "a\n\ndata: [DONE]\n\n\r\xe2\x80\xa8" "event: message-end";
  const auto events = test::events_of(test::encoded(cohere(), {{0, chat::TextDelta{text}}}), Framing::kSse);
  CHECK(events.size() == 6);
  CHECK(test::gathered(test::decoded(cohere(), events)).choices.at(0).turn.text() == text);
}

TEST_CASE("a tap hears what a stream of Cohere's says of itself, with event names or without") {
  const bool named = GENERATE(false, true);
  const auto tap = cohere().tap({.streaming = true});
  std::string heard;
  for (const auto& [name, data] : test::events_of(golden("full.sse"), Framing::kSse)) {
    const dialect::TapVerdict verdict = tap->on_event(named ? std::string_view(name) : std::string_view(), data);
    CHECK(verdict.action == dialect::TapAction::kForward);
    CHECK_FALSE(verdict.error);
    heard += verdict.terminal ? 't' : verdict.finished ? 'f' : verdict.content ? 'c' : '.';
  }
  CHECK(heard == "..cc.cc.cc....cc.c.cc.ft");
  CHECK(tap->finish_reason() == "TOOL_CALL");
  CHECK(tap->usage().input_tokens == 1501u);
  CHECK(tap->usage().cached_input_tokens == 1008u);
  const auto verdict = cohere().tap({.streaming = true})->on_event("message-end", R"({"type":"message-end","delta":{"finish_reason":"ERROR","error":"e"}})");
  REQUIRE(verdict.error);
  CHECK(verdict.error->message == "e");
}

// DIAL-18
TEST_CASE("a tap reads whole answers of Cohere's in pieces of every size") {
  struct Row {
    std::string body;
    std::optional<std::uint64_t> input;
    std::string finish;
    bool error;
  };
  const auto row = GENERATE(values<Row>({
      {R"({"id":"i","message":{"role":"assistant","content":[{"type":"text","text":"a \"usage\":{"}]},"finish_reason":"COMPLETE","usage":{"tokens":{"input_tokens":9,"output_tokens":1}}})", 9u, "COMPLETE", false},
      {R"({"embeddings":{"float":[[1]]},"meta":{"billed_units":{"input_tokens":4}}})", 4u, "", false},
      {R"({"id":"i","message":"model not found"})", std::nullopt, "", true},
      {R"({"finish_reason":"ERROR","message":{"content":[]}})", std::nullopt, "ERROR", true},
  }));
  for (std::size_t size = 1; size <= row.body.size(); ++size) {
    const auto tap = cohere().tap({.streaming = false});
    for (std::size_t at = 0; at < row.body.size(); at += size) REQUIRE(tap->on_bytes(std::string_view(row.body).substr(at, size)));
    REQUIRE(tap->on_end());
    REQUIRE(tap->usage().input_tokens == row.input);
    REQUIRE(tap->finish_reason() == row.finish);
    REQUIRE(tap->error().has_value() == row.error);
  }
  const auto tap = cohere().tap({.streaming = false});
  REQUIRE(tap->on_bytes("{\"a\":"));
  CHECK(tap->on_end().error().code == Code::kUpstreamTruncated);
  CHECK(cohere().tap({.streaming = false})->on_bytes("<html>").error().code == Code::kUpstreamInvalidAnswer);
}

TEST_CASE("the text of an event of Cohere's is what it says") {
  CHECK(cohere().event_text(piece("content-delta", R"({"content":{"text":"a\u0062"}})")) == "ab");
  CHECK(cohere().event_text(piece("content-delta", R"({"content":{"thinking":"a"}})")).empty());
  CHECK(cohere().event_text("[DONE]").empty());
}
