// Streams of the Anthropic dialect: read into deltas, and written from the deltas of any dialect.

#include <catch2/catch.hpp>

#include "http/event_reader.hpp"
#include "unit/dialect/wire.hpp"

using namespace sluice;
using dialect::anthropic;
using dialect::openai;
using test::parsed;

namespace {

constexpr std::string_view kStart =
    R"({"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"usage":{"input_tokens":3,"output_tokens":1}}})";
constexpr std::string_view kStop = R"({"type":"message_stop"})";

std::string block(int index, std::string_view content) { return R"({"type":"content_block_start","index":)" + std::to_string(index) + R"(,"content_block":)" + std::string(content) + "}"; }
std::string delta(int index, std::string_view content) { return R"({"type":"content_block_delta","index":)" + std::to_string(index) + R"(,"delta":)" + std::string(content) + "}"; }
std::string stop(int index) { return R"({"type":"content_block_stop","index":)" + std::to_string(index) + "}"; }
std::string finish(std::string_view reason, std::string_view usage = R"({"output_tokens":5})") {
  return R"({"type":"message_delta","delta":{"stop_reason":")" + std::string(reason) + R"(","stop_sequence":null},"usage":)" + std::string(usage) + "}";
}

std::vector<chat::Delta> decoded(const dialect::Dialect& from, const std::vector<std::string>& events) {
  const auto decoder = from.delta_decoder({});
  std::vector<chat::Delta> out;
  for (const std::string& event : events) {
    INFO(event);
    const Status status = decoder->on_event({}, event, out);
    if (!status) FAIL(status.error().message);
  }
  CHECK(decoder->on_end());
  return out;
}

chat::Message gathered(const std::vector<chat::Delta>& deltas) {
  chat::Gatherer gatherer;
  for (const chat::Delta& one : deltas) gatherer.add(one);
  return gatherer.take();
}

std::string encoded(const std::vector<chat::Delta>& deltas, bool end = true) {
  const auto encoder = anthropic().delta_encoder({.model = "asked"});
  std::string out;
  for (const chat::Delta& one : deltas) encoder->encode(one, out);
  if (end) encoder->end(out);
  return out;
}

/// The data of the events, one a line, each in one spelling.
std::string lines(std::string_view stream) {
  const auto reader = http::make_event_reader(http::Framing::kSse, 1 << 20);
  reader->feed(stream);
  http::StreamEvent event;
  std::string out;
  while (*reader->next(event)) out += std::string(event.name) + " " + test::canonical(event.data, true) + "\n";
  return out;
}
std::string line(std::string_view name, std::string_view json) { return std::string(name) + " " + test::canonical(json, true) + "\n"; }

std::string written(const chat::Message& message) { return openai().encode_answer(message, {}, *std::make_unique<chat::LossReport>()); }

}  // namespace

// DIAL-04
TEST_CASE("calls are numbered among the calls of an answer, not among its blocks") {
  const auto deltas = decoded(anthropic(), {std::string(kStart), block(0, R"({"type":"text","text":""})"), R"({"type":"ping"})", delta(0, R"({"type":"text_delta","text":"a"})"),
                               stop(0), block(1, R"({"type":"tool_use","id":"x","name":"f","input":{}})"), delta(1, R"({"type":"input_json_delta","partial_json":""})"),
                               delta(1, R"({"type":"input_json_delta","partial_json":"{\"a\""})"), delta(1, R"({"type":"input_json_delta","partial_json":":1}"})"), stop(1),
                               block(2, R"({"type":"tool_use","id":"y","name":"g","input":{}})"), delta(2, R"({"type":"input_json_delta","partial_json":""})"), stop(2),
                               finish("tool_use"), std::string(kStop)});
  std::vector<std::uint32_t> indexes;
  for (const chat::Delta& one : deltas) {
    if (const auto* call = one.as<chat::ToolCallStart>()) indexes.push_back(call->index);
  }
  CHECK(indexes == std::vector<std::uint32_t>{0, 1});
  const chat::Message message = gathered(deltas);
  const auto& parts = message.choices[0].turn.parts;
  REQUIRE(parts.size() == 3);
  CHECK(parts[1].as<chat::ToolCall>()->arguments == R"({"a":1})");
  // DIAL-09: a call without arguments has an empty object of them.
  CHECK(parts[2].as<chat::ToolCall>()->arguments == "{}");
  CHECK(message.choices[0].finish == chat::FinishReason::kToolCalls);
  CHECK(message.choices[0].native_finish == "tool_use");
}

// DIAL-08
TEST_CASE("fragments of arguments go on as they come") {
  const auto decoder = anthropic().delta_decoder({});
  std::vector<chat::Delta> out;
  REQUIRE(decoder->on_event({}, kStart, out));
  REQUIRE(decoder->on_event({}, block(0, R"({"type":"tool_use","id":"x","name":"f","input":{}})"), out));
  out.clear();
  REQUIRE(decoder->on_event({}, delta(0, R"({"type":"input_json_delta","partial_json":"{\"a"})"), out));
  REQUIRE(out.size() == 1);
  CHECK(out[0].as<chat::ToolCallDelta>()->arguments == "{\"a");
}

// DIAL-13
TEST_CASE("later counts replace earlier ones and are never the larger of two") {
  const std::vector<std::string> events{
      R"({"type":"message_start","message":{"id":"i","model":"m","usage":{"input_tokens":8834,"output_tokens":1}}})", block(0, R"({"type":"text","text":"a"})"), stop(0),
      finish("end_turn", R"({"input_tokens":18,"cache_read_input_tokens":8831,"output_tokens":7})"), std::string(kStop)};
  const chat::Usage decoded_usage = *gathered(decoded(anthropic(), events)).usage;
  CHECK(decoded_usage.input_tokens == 8849u);
  CHECK(decoded_usage.cached_input_tokens == 8831u);
  CHECK_FALSE(decoded_usage.cache_write_tokens);
  CHECK(decoded_usage.output_tokens == 7u);
  const auto tap = anthropic().tap({chat::Operation::kChat, true, false});
  for (const std::string& event : events) CHECK(tap->on_event({}, event).action == dialect::TapAction::kForward);
  CHECK(tap->usage() == decoded_usage);
}

TEST_CASE("an older server's last usage names the output alone, and the rest stays") {
  const auto usage = *gathered(decoded(anthropic(), {R"({"type":"message_start","message":{"id":"i","model":"m","usage":{"input_tokens":2,"cache_creation_input_tokens":5,"cache_read_input_tokens":3,"output_tokens":1}}})",
                                         finish("end_turn"), std::string(kStop)})).usage;
  CHECK(usage.input_tokens == 10u);
  CHECK(usage.cache_write_tokens == 5u);
  CHECK(usage.output_tokens == 5u);
}

// DIAL-15
TEST_CASE("signatures and redacted thinking are carried to the byte, block by block") {
  const std::vector<std::string> events{std::string(kStart), block(0, R"({"type":"thinking","thinking":"","signature":""})"), delta(0, R"({"type":"thinking_delta","thinking":"hm"})"),
                                        delta(0, R"({"type":"signature_delta","signature":"S1=="})"), stop(0), block(1, R"({"type":"thinking","thinking":"","signature":""})"),
                                        delta(1, R"({"type":"signature_delta","signature":"S2=="})"), stop(1), block(2, R"({"type":"redacted_thinking","data":"R=="})"), stop(2),
                                        block(3, R"({"type":"text","text":""})"), delta(3, R"({"type":"text_delta","text":"x"})"), stop(3), finish("end_turn"), std::string(kStop)};
  const auto deltas = decoded(anthropic(), events);
  const auto check = [](const chat::Message& message) {
    const auto& parts = message.choices[0].turn.parts;
    REQUIRE(parts.size() == 4);
    CHECK(*parts[0].as<chat::Thinking>() == chat::Thinking{"hm", "S1=="});
    CHECK(*parts[1].as<chat::Thinking>() == chat::Thinking{"", "S2=="});
    CHECK(*parts[2].as<chat::Thinking>() == chat::Thinking{"", "", "R=="});
  };
  check(gathered(deltas));
  // Written again it is the same stream, event for event.
  std::string expected;
  for (const std::string& event : events) expected += std::string(test::canonical(event, true)) + "\n";
  const std::string again = lines(encoded(deltas));
  std::string bare;
  for (std::size_t at = 0; at < again.size();) {
    const std::size_t end = again.find('\n', at);
    bare += again.substr(again.find(' ', at) + 1, end - again.find(' ', at));
    at = end + 1;
  }
  // Members that are always there, null or not.
  const auto without = [](std::string text, std::string_view what) {
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what)) text.erase(at, what.size());
    return text;
  };
  CHECK(without(bare, "stop_sequence:null,") == without(expected, "stop_sequence:null,"));
}

// DIAL-10
TEST_CASE("each stop reason has its meaning, and its own word is kept") {
  struct Row {
    std::string native;
    chat::FinishReason reason;
  };
  const auto row = GENERATE(values<Row>({{"end_turn", chat::FinishReason::kStop}, {"stop_sequence", chat::FinishReason::kStop}, {"pause_turn", chat::FinishReason::kStop},
                                         {"max_tokens", chat::FinishReason::kLength}, {"model_context_window_exceeded", chat::FinishReason::kLength},
                                         {"tool_use", chat::FinishReason::kToolCalls}, {"refusal", chat::FinishReason::kContentFilter}, {"brand_new", chat::FinishReason::kStop}}));
  const chat::Message message = gathered(decoded(anthropic(), {std::string(kStart), finish(row.native), std::string(kStop)}));
  CHECK(message.choices[0].finish == row.reason);
  CHECK(message.choices[0].native_finish == row.native);
}

TEST_CASE("the words of a refusal are a refusal elsewhere and stay where they were here") {
  const std::string end = R"({"type":"message_delta","delta":{"stop_reason":"refusal","stop_sequence":null,"stop_details":{"type":"refusal","category":"cyber","explanation":"No."}},"usage":{"output_tokens":5}})";
  const auto deltas = decoded(anthropic(), {std::string(kStart), end, std::string(kStop)});
  const chat::Message message = gathered(deltas);
  CHECK(message.choices[0].turn.parts[0].as<chat::Refusal>()->text == "No.");
  CHECK(test::canonical(written(message)).find(R"(refusal:"No.")") != std::string::npos);
  const std::string again = lines(encoded(deltas));
  CHECK(again.find(line("message_delta", end)) != std::string::npos);
  CHECK(again.find("content_block") == std::string::npos);
}

// DIAL-23
TEST_CASE("events, blocks and deltas nobody knows are kept here and passed over elsewhere") {
  const std::vector<std::string> events{std::string(kStart), R"({"type":"new_event","x":1})", block(0, R"({"type":"server_tool_use","id":"s","name":"web_search","input":{}})"),
                                        delta(0, R"({"type":"input_json_delta","partial_json":"{\"q\":1}"})"), stop(0), block(1, R"({"type":"web_search_tool_result","tool_use_id":"s","content":[]})"), stop(1),
                                        block(2, R"({"type":"text","text":""})"), delta(2, R"({"type":"text_delta","text":"x"})"), delta(2, R"({"type":"new_delta","y":1})"), stop(2), finish("end_turn"), std::string(kStop)};
  const auto deltas = decoded(anthropic(), events);
  const std::string again = lines(encoded(deltas));
  CHECK(again.find(line("content_block_start", events[2])) != std::string::npos);
  CHECK(again.find(line("content_block_delta", events[3])) != std::string::npos);
  CHECK(again.find(line("content_block_start", events[5])) != std::string::npos);
  const chat::Message message = gathered(deltas);
  CHECK(message.choices[0].turn.text() == "x");
}

TEST_CASE("an answer that comes whole with its start is read") {
  const auto message = gathered(decoded(anthropic(), {
      R"({"type":"message_start","message":{"id":"i","model":"m","content":[{"type":"tool_use","id":"t","name":"f","input":{"a":1}}],"stop_reason":"tool_use","usage":{"input_tokens":1,"output_tokens":0}}})", std::string(kStop)}));
  CHECK(message.choices[0].turn.parts[0].as<chat::ToolCall>()->arguments == R"({"a":1})");
  CHECK(message.choices[0].finish == chat::FinishReason::kToolCalls);
}

TEST_CASE("a start told twice is one, and a second answer inside the first an error") {
  CHECK(gathered(decoded(anthropic(), {std::string(kStart), std::string(kStart), block(0, R"({"type":"text","text":"a"})"), finish("end_turn"), std::string(kStop)})).choices[0].turn.text() == "a");
  const auto decoder = anthropic().delta_decoder({});
  std::vector<chat::Delta> out;
  REQUIRE(decoder->on_event({}, kStart, out));
  REQUIRE(decoder->on_event({}, block(0, R"({"type":"text","text":"a"})"), out));
  const Status second = decoder->on_event({}, kStart, out);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == Code::kUpstreamInvalidAnswer);
}

TEST_CASE("a stream that ends before it was finished is truncated") {
  const auto decoder = anthropic().delta_decoder({});
  std::vector<chat::Delta> out;
  REQUIRE(decoder->on_event({}, kStart, out));
  CHECK_FALSE(decoder->over());
  REQUIRE_FALSE(decoder->on_end());
  CHECK(decoder->on_end().error().code == Code::kUpstreamTruncated);
  REQUIRE(decoder->on_event({}, finish("end_turn"), out));
  CHECK(decoder->on_end());
  CHECK_FALSE(decoder->over());
  REQUIRE(decoder->on_event({}, kStop, out));
  CHECK(decoder->over());
}

TEST_CASE("an error inside a stream has the status of its type, for who reads and who listens") {
  struct Row {
    std::string type;
    int status;
  };
  const auto row = GENERATE(values<Row>({{"overloaded_error", 529}, {"rate_limit_error", 429}, {"api_error", 500}, {"timeout_error", 504}, {"invalid_request_error", 400}}));
  const std::string event = R"({"type":"error","error":{"type":")" + row.type + R"(","message":"Overloaded"}})";
  const auto deltas = decoded(anthropic(), {std::string(kStart), event});
  const auto* error = deltas.back().as<chat::ErrorDelta>();
  REQUIRE(error);
  CHECK(error->error.http_status == row.status);
  CHECK(error->error.message == "Overloaded");
  CHECK(error->provider_text == "Overloaded");
  const auto tap = anthropic().tap({chat::Operation::kChat, true, false});
  REQUIRE(tap->on_event("error", event).error);
  CHECK(tap->on_event("error", event).error->http_status == row.status);
}

TEST_CASE("data that is no JSON object is no event, and says so") {
  const auto data = GENERATE(as<std::string>{}, "<html>", "[1]", "{", "nonsense");
  const auto decoder = anthropic().delta_decoder({});
  std::vector<chat::Delta> out;
  const Status status = decoder->on_event({}, data, out);
  REQUIRE_FALSE(status);
  CHECK(status.error().code == Code::kUpstreamInvalidAnswer);
}

// DIAL-22
TEST_CASE("deltas of another dialect are written in the grammar of this one") {
  const std::string out = lines(encoded({{0, chat::AnswerStart{"chatcmpl-1", "gpt", 7, {}}}, {0, chat::TurnStart{}}, {0, chat::ThinkingDelta{"hm", {}, {}, "reasoning"}},
                                         {0, chat::TextDelta{"a"}}, {0, chat::TextDelta{"b"}}, {0, chat::ToolCallStart{0, chat::ToolKind::kFunction, "call_1", "f"}},
                                         {0, chat::ToolCallDelta{0, "{}"}}, {0, chat::FinishDelta{chat::FinishReason::kStop, {}}}, {0, chat::UsageDelta{{7, 2, 4, {}, 1, 9}, R"({"prompt_tokens":7})"}}}));
  CHECK(out == line("message_start", R"({"type":"message_start","message":{"id":"chatcmpl-1","type":"message","role":"assistant","model":"gpt","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":0,"output_tokens":0}}})") +
                   line("content_block_start", block(0, R"({"type":"thinking","thinking":"","signature":""})")) + line("content_block_delta", delta(0, R"({"type":"thinking_delta","thinking":"hm"})")) + line("content_block_stop", stop(0)) +
                   line("content_block_start", block(1, R"({"type":"text","text":""})")) + line("content_block_delta", delta(1, R"({"type":"text_delta","text":"a"})")) +
                   line("content_block_delta", delta(1, R"({"type":"text_delta","text":"b"})")) + line("content_block_stop", stop(1)) +
                   line("content_block_start", block(2, R"({"type":"tool_use","id":"call_1","name":"f","input":{}})")) + line("content_block_delta", delta(2, R"({"type":"input_json_delta","partial_json":"{}"})")) +
                   line("content_block_stop", stop(2)) +
                   // DIAL-09: clients run calls by this word.
                   line("message_delta", finish("tool_use", R"({"input_tokens":3,"cache_read_input_tokens":4,"output_tokens":2,"output_tokens_details":{"thinking_tokens":1}})")) +
                   line("message_stop", kStop));
}

// DIAL-05
TEST_CASE("calls whose fragments interleave are written one after the other, each fragment in its own") {
  const std::string out = encoded({{0, chat::AnswerStart{"i", "m", {}, {}}}, {0, chat::ToolCallStart{0, chat::ToolKind::kFunction, "a", "f"}}, {0, chat::ToolCallStart{1, chat::ToolKind::kFunction, "b", "g"}},
                                   {0, chat::ToolCallStart{2, chat::ToolKind::kFunction, "c", "h"}}, {0, chat::ToolCallDelta{1, R"({"y":)"}}, {0, chat::ToolCallDelta{0, R"({"x":"\"}")"}}, {0, chat::ToolCallDelta{2, "{}"}},
                                   {0, chat::TextDelta{"late"}}, {0, chat::ToolCallDelta{1, "2}"}}, {0, chat::ToolCallDelta{0, "}"}}, {0, chat::FinishDelta{chat::FinishReason::kToolCalls, {}}}});
  std::vector<std::string> events;
  const auto reader = http::make_event_reader(http::Framing::kSse, 1 << 20);
  reader->feed(out);
  http::StreamEvent event;
  while (*reader->next(event)) events.emplace_back(event.data);
  const auto& message = gathered(decoded(anthropic(), events));
  const auto& parts = message.choices[0].turn.parts;
  REQUIRE(parts.size() == 4);
  CHECK(parts[0].as<chat::ToolCall>()->arguments == R"({"x":"\"}"})");
  CHECK(parts[1].as<chat::ToolCall>()->arguments == R"({"y":2})");
  CHECK(parts[2].as<chat::ToolCall>()->arguments == "{}");
  CHECK(parts[3].as<chat::Text>()->text == "late");
}

TEST_CASE("what waits for a call that never gets its arguments goes out at the end") {
  const auto out = lines(encoded({{0, chat::AnswerStart{"i", "m", {}, {}}}, {0, chat::ToolCallStart{0, chat::ToolKind::kFunction, "", "f"}}, {0, chat::ToolCallStart{1, chat::ToolKind::kFunction, "b", "g"}},
                                  {0, chat::ToolCallDelta{1, "{}"}}, {0, chat::FinishDelta{chat::FinishReason::kToolCalls, {}}}}));
  CHECK(out.find(line("content_block_start", block(0, R"({"type":"tool_use","id":"toolu_0_0","name":"f","input":{}})")) + line("content_block_stop", stop(0)) +
                 line("content_block_start", block(1, R"({"type":"tool_use","id":"b","name":"g","input":{}})"))) != std::string::npos);
}

TEST_CASE("an answer of nothing is whole all the same") {
  const auto out = lines(encoded({}));
  CHECK(out == line("message_start", R"({"type":"message_start","message":{"id":"msg_0","type":"message","role":"assistant","model":"asked","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":0,"output_tokens":0}}})") +
                   line("message_delta", finish("end_turn", R"({"input_tokens":0,"output_tokens":0})")) + line("message_stop", kStop));
  // DIAL-14: counts that are all 0 are unknown to who reads them.
  std::vector<chat::Delta> read;
  const auto decoder = anthropic().delta_decoder({});
  REQUIRE(decoder->on_event({}, finish("end_turn", R"({"input_tokens":0,"output_tokens":0})"), read));
  CHECK_FALSE(gathered(read).usage);
}

TEST_CASE("a stream that fails ends with an error event and nothing behind it") {
  Error error = make_error(Code::kUpstreamError, "gone");
  error.http_status = 529;
  const std::string out = encoded({{0, chat::AnswerStart{"i", "m", {}, {}}}, {0, chat::TextDelta{"a"}}, {0, chat::ErrorDelta{error, "Overloaded"}}, {0, chat::TextDelta{"b"}}});
  CHECK(out.ends_with("\n\n"));
  CHECK(out.find(R"("type":"overloaded_error","message":"Overloaded")") != std::string::npos);
  CHECK(out.find("message_stop") == std::string::npos);
  CHECK(out.find("\"b\"") == std::string::npos);
  CHECK(out.rfind("event: error") > out.rfind("content_block_delta"));
}

TEST_CASE("the text of an event is what a reader sees of it") {
  CHECK(anthropic().event_text(delta(0, R"({"type":"text_delta","text":"a\n"})")) == "a\n");
  CHECK(anthropic().event_text(block(0, R"({"type":"text","text":"b"})")) == "b");
  CHECK(anthropic().event_text(delta(0, R"({"type":"thinking_delta","thinking":"a"})")).empty());
  CHECK(anthropic().event_text("{").empty());
  CHECK(anthropic().stream_ping(http::Framing::kSse).starts_with("event: ping\ndata: {"));
  CHECK(anthropic().stream_ping(http::Framing::kNdjson).empty());
}
