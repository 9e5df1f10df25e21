// Streams of Converse, both ways: blocks and calls, thinking to the byte, ends, exceptions.

#include "unit/dialect/bedrock_support.hpp"

using namespace sluice;
using test::NamedData;

namespace {

using Events = std::vector<NamedData>;

// DIAL-04: a text in block 0, calls in blocks 1 and 2.
const Events kCalls{{"messageStart", R"({"role":"assistant","p":"abc"})"},
                    {"contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"text":"I look."},"p":"ab"})"},
                    {"contentBlockStop", R"({"contentBlockIndex":0})"},
                    {"contentBlockStart", R"({"contentBlockIndex":1,"start":{"toolUse":{"toolUseId":"t1","name":"weather"}}})"},
                    {"contentBlockDelta", R"({"contentBlockIndex":1,"delta":{"toolUse":{"input":""}}})"},
                    {"contentBlockDelta", R"({"contentBlockIndex":1,"delta":{"toolUse":{"input":"{\"city\":"}}})"},
                    {"contentBlockDelta", R"({"contentBlockIndex":1,"delta":{"toolUse":{"input":"\"Paris\"}"}}})"},
                    {"contentBlockStop", R"({"contentBlockIndex":1})"},
                    {"contentBlockStart", R"({"contentBlockIndex":2,"start":{"toolUse":{"toolUseId":"t2","name":"now","type":"tool_use"}}})"},
                    {"contentBlockStop", R"({"contentBlockIndex":2})"},
                    {"messageStop", R"({"stopReason":"tool_use","additionalModelResponseFields":{"stop_sequence":null}})"},
                    {"metadata", R"({"usage":{"inputTokens":10,"outputTokens":5,"totalTokens":35,"cacheReadInputTokens":20,"serverToolUsage":{}},"metrics":{"latencyMs":7}})"}};

Events written_by_openai(const std::vector<chat::Delta>& deltas) {
  const auto encoder = test::openai().delta_encoder({});
  std::string out;
  for (const chat::Delta& delta : deltas) encoder->encode(delta, out);
  encoder->end(out);
  const auto reader = http::make_event_reader(http::Framing::kSse, 1 << 20);
  reader->feed(out);
  Events events;
  http::StreamEvent event;
  while (*reader->next(event)) events.push_back({std::string(event.name), std::string(event.data)});
  return events;
}

chat::Message gathered(const std::vector<chat::Delta>& deltas) {
  chat::Gatherer gatherer;
  for (const chat::Delta& delta : deltas) gatherer.add(delta);
  return gatherer.take();
}

std::vector<std::string> names_of(const Events& events) {
  std::vector<std::string> out;
  for (const NamedData& event : events) out.push_back(event.name);
  return out;
}

}  // namespace

TEST_CASE("bedrock: calls of a stream are numbered as calls, not as blocks") {  // DIAL-04, DIAL-09
  const auto deltas = test::read_stream(test::bedrock(), kCalls);
  std::vector<std::pair<std::uint32_t, std::string>> calls;
  for (const chat::Delta& delta : deltas) {
    if (const auto* start = delta.as<chat::ToolCallStart>()) calls.emplace_back(start->index, start->id + " " + start->name);
    if (const auto* more = delta.as<chat::ToolCallDelta>()) calls.emplace_back(more->index, more->arguments);
  }
  CHECK(calls == std::vector<std::pair<std::uint32_t, std::string>>{{0, "t1 weather"}, {0, "{\"city\":"}, {0, "\"Paris\"}"}, {1, "t2 now"}, {1, "{}"}});
  const chat::Message message = gathered(deltas);
  CHECK(message.choices[0].finish == chat::FinishReason::kToolCalls);
  CHECK(message.choices[0].native_finish == "tool_use");
  CHECK(message.usage->input_tokens == 30u);
  CHECK(message.usage->cached_input_tokens == 20u);
  CHECK(message.usage->total_tokens == 35u);
}

TEST_CASE("bedrock: a stream that was read is written with the same blocks") {  // DIAL-04
  const Events written = test::written_stream(test::read_stream(test::bedrock(), kCalls));
  CHECK(written == Events{{"messageStart", R"({"role":"assistant"})"},
                          {"contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"text":"I look."}})"},
                          {"contentBlockStop", R"({"contentBlockIndex":0})"},
                          {"contentBlockStart", R"({"contentBlockIndex":1,"start":{"toolUse":{"toolUseId":"t1","name":"weather"}}})"},
                          {"contentBlockDelta", R"({"contentBlockIndex":1,"delta":{"toolUse":{"input":"{\"city\":"}}})"},
                          {"contentBlockDelta", R"({"contentBlockIndex":1,"delta":{"toolUse":{"input":"\"Paris\"}"}}})"},
                          {"contentBlockStop", R"({"contentBlockIndex":1})"},
                          {"contentBlockStart", R"({"contentBlockIndex":2,"start":{"toolUse":{"toolUseId":"t2","name":"now"}}})"},
                          {"contentBlockDelta", R"({"contentBlockIndex":2,"delta":{"toolUse":{"input":"{}"}}})"},
                          {"contentBlockStop", R"({"contentBlockIndex":2})"},
                          {"messageStop", R"({"stopReason":"tool_use","additionalModelResponseFields":{"stop_sequence":null}})"},
                          {"metadata", R"({"usage":{"inputTokens":10,"outputTokens":5,"totalTokens":35,"cacheReadInputTokens":20,"serverToolUsage":{}},"metrics":{"latencyMs":7}})"}});
}

TEST_CASE("bedrock: a stream reaches callers of the OpenAI dialect event by event, and comes back") {  // DIAL-04, DIAL-08
  const auto deltas = test::read_stream(test::bedrock(), kCalls);
  const chat::Message message = gathered(deltas);
  const chat::Message there = gathered(test::read_stream(test::openai(), written_by_openai(deltas)));
  CHECK(there.choices[0].turn.parts == message.choices[0].turn.parts);
  CHECK(there.choices[0].finish == message.choices[0].finish);
  CHECK(there.usage == message.usage);
  const Events back = test::written_stream(test::read_stream(test::openai(), written_by_openai(deltas)));
  CHECK(names_of(back) == names_of(test::written_stream(deltas)));
  // Nothing waits for the end: each event has been written when the next comes.
  const auto encoder = test::bedrock().delta_encoder({.framing = http::Framing::kAwsEvents});
  for (const chat::Delta& delta : deltas) {
    std::string out;
    encoder->encode(delta, out);
    if (delta.as<chat::TextDelta>() || delta.as<chat::ToolCallDelta>() || delta.as<chat::ToolCallStart>()) CHECK_FALSE(out.empty());
  }
}

TEST_CASE("bedrock: a stream is read the same at every split of its frames") {  // DIAL-25
  std::string stream;
  for (const NamedData& event : kCalls) http::append_event(stream, http::Framing::kAwsEvents, event.data, event.name);
  const chat::Message whole = gathered(test::read_stream(test::bedrock(), kCalls));
  for (std::size_t split = 0; split <= stream.size(); ++split) {
    const auto reader = http::make_event_reader(http::Framing::kAwsEvents, 1 << 20);
    const auto decoder = test::bedrock().delta_decoder({});
    std::vector<chat::Delta> deltas;
    for (const std::string_view given : {std::string_view(stream).substr(0, split), std::string_view(stream).substr(split)}) {
      const std::string piece(given);
      reader->feed(piece);
      http::StreamEvent event;
      while (*reader->next(event)) REQUIRE(decoder->on_event(event.name, event.data, deltas));
    }
    CHECK(gathered(deltas) == whole);
    CHECK(decoder->over());
  }
}

TEST_CASE("bedrock: thinking is carried to the byte, each block by itself") {
  const Events stream{{"messageStart", R"({"role":"assistant"})"},
                      {"contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"hm"}}})"},
                      {"contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"c2ln+/=="}}})"},
                      {"contentBlockStop", R"({"contentBlockIndex":0})"},
                      {"contentBlockDelta", R"({"contentBlockIndex":1,"delta":{"reasoningContent":{"redactedContent":"cmVkMQ=="}}})"},
                      {"contentBlockStop", R"({"contentBlockIndex":1})"},
                      {"contentBlockDelta", R"({"contentBlockIndex":2,"delta":{"reasoningContent":{"redactedContent":"cmVkMg=="}}})"},
                      {"contentBlockStop", R"({"contentBlockIndex":2})"},
                      {"contentBlockDelta", R"({"contentBlockIndex":3,"delta":{"reasoningContent":{"text":"more"}}})"},
                      {"contentBlockStop", R"({"contentBlockIndex":3})"},
                      {"contentBlockDelta", R"({"contentBlockIndex":4,"delta":{"text":"so"}})"},
                      {"contentBlockStop", R"({"contentBlockIndex":4})"},
                      {"messageStop", R"({"stopReason":"end_turn"})"}};
  const auto deltas = test::read_stream(test::bedrock(), stream);
  CHECK(test::written_stream(deltas) == stream);
  const chat::Message message = gathered(deltas);
  REQUIRE(message.choices[0].turn.parts.size() == 5);
  CHECK(message.choices[0].turn.parts[0].as<chat::Thinking>()->signature == "c2ln+/==");
  CHECK(message.choices[0].turn.parts[2].as<chat::Thinking>()->redacted == "cmVkMg==");
}

TEST_CASE("bedrock: what servers run themselves passes as it came, and is no call of the caller's") {
  const Events stream{{"messageStart", R"({"role":"assistant"})"},
                      {"contentBlockStart", R"({"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"s","name":"code","type":"server_tool_use"}}})"},
                      {"contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"toolUse":{"input":"{}"}}})"},
                      {"contentBlockStop", R"({"contentBlockIndex":0})"},
                      {"contentBlockStart", R"({"contentBlockIndex":1,"start":{"toolResult":{"toolUseId":"s","type":"code_result"}}})"},
                      {"contentBlockDelta", R"({"contentBlockIndex":1,"delta":{"toolResult":[{"json":{"a":1}}]}})"},
                      {"contentBlockStop", R"({"contentBlockIndex":1})"},
                      {"contentBlockStart", R"({"contentBlockIndex":2,"start":{"toolUse":{"toolUseId":"t","name":"mine"}}})"},
                      {"contentBlockDelta", R"({"contentBlockIndex":2,"delta":{"toolUse":{"input":"{}"}}})"},
                      {"contentBlockStop", R"({"contentBlockIndex":2})"},
                      {"contentBlockDelta", R"({"contentBlockIndex":3,"delta":{"futureDelta":{"a":1}}})"},
                      {"contentBlockStop", R"({"contentBlockIndex":3})"},
                      {"messageStop", R"({"stopReason":"tool_use"})"}};
  const auto deltas = test::read_stream(test::bedrock(), stream);
  CHECK(test::written_stream(deltas) == stream);
  std::vector<std::uint32_t> calls;
  for (const chat::Delta& delta : deltas) {
    if (const auto* call = delta.as<chat::ToolCallStart>()) calls.push_back(call->index);
  }
  CHECK(calls == std::vector<std::uint32_t>{0});
}

TEST_CASE("bedrock: citations stand in the block of the text they are of") {
  const std::string citation = R"({"title":"T","sourceContent":[{"text":"said"}],"location":{"documentChar":{"documentIndex":1,"start":2,"end":3}}})";
  const Events stream{{"messageStart", R"({"role":"assistant"})"},
                      {"contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"text":"so"}})"},
                      {"contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"citation":)" + citation + "}}"},
                      {"contentBlockStop", R"({"contentBlockIndex":0})"},
                      {"messageStop", R"({"stopReason":"end_turn"})"}};
  const auto deltas = test::read_stream(test::bedrock(), stream);
  CHECK(test::written_stream(deltas) == stream);
  const chat::Message message = gathered(deltas);
  const chat::Citation& read = message.choices[0].turn.parts[0].as<chat::Text>()->citations.at(0);
  CHECK(read.kind == chat::Citation::Kind::kDocument);
  CHECK(read.title == "T");
  CHECK(read.cited_text == "said");
  CHECK(read.document_index == 1);
  CHECK(read.start == 2);
  CHECK(read.end == 3);
}

TEST_CASE("bedrock: every stop reason keeps its meaning and its word") {
  using enum chat::FinishReason;
  for (const auto& [word, reason] : std::vector<std::pair<std::string, chat::FinishReason>>{
           {"end_turn", kStop}, {"stop_sequence", kStop}, {"malformed_model_output", kStop}, {"malformed_tool_use", kStop}, {"max_tokens", kLength},
           {"model_context_window_exceeded", kLength}, {"tool_use", kToolCalls}, {"content_filtered", kContentFilter}, {"guardrail_intervened", kContentFilter},
           {"a_later_word", kStop}}) {
    INFO(word);
    const Events stream{{"messageStop", "{\"stopReason\":\"" + word + "\"}"}};
    const auto deltas = test::read_stream(test::bedrock(), stream);
    const auto* finish = deltas.back().as<chat::FinishDelta>();
    REQUIRE(finish != nullptr);
    CHECK(finish->reason == reason);
    CHECK(finish->native == word);
    const std::string written = word == "a_later_word" ? "end_turn" : word;
    CHECK(test::written_stream(deltas).back().data == "{\"stopReason\":\"" + written + "\"}");
  }
  // Words of other dialects give way to Bedrock's.
  for (const auto& [reason, word] : std::vector<std::pair<chat::FinishReason, std::string>>{{kStop, "end_turn"}, {kLength, "max_tokens"}, {kToolCalls, "tool_use"}, {kContentFilter, "content_filtered"}}) {
    CHECK(test::written_stream({{0, chat::FinishDelta{reason, "SAFETY"}}}).back().data == "{\"stopReason\":\"" + word + "\"}");
  }
}

TEST_CASE("bedrock: a stream is over when it has stopped and counted, in either order, and cut off before it has stopped") {
  const NamedData stop{"messageStop", R"({"stopReason":"end_turn"})"}, count{"metadata", R"({"usage":{"inputTokens":1,"outputTokens":1,"totalTokens":2}})"};
  for (const auto& [first, second] : {std::pair{stop, count}, std::pair{count, stop}}) {
    const auto decoder = test::bedrock().delta_decoder({});
    std::vector<chat::Delta> deltas;
    REQUIRE(decoder->on_event(first.name, first.data, deltas));
    CHECK_FALSE(decoder->over());
    CHECK(static_cast<bool>(decoder->on_end()) == (first.name == "messageStop"));
    REQUIRE(decoder->on_event(second.name, second.data, deltas));
    CHECK(decoder->over());
    CHECK(decoder->on_end());
  }
  const auto decoder = test::bedrock().delta_decoder({});
  std::vector<chat::Delta> deltas;
  REQUIRE(decoder->on_event("contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"text":"a"}})", deltas));
  CHECK(decoder->on_end().error().code == Code::kUpstreamTruncated);
}

TEST_CASE("bedrock: an exception ends the stream with its words and its status") {  // DIAL-25
  for (const auto& [type, status] : std::vector<std::pair<std::string, int>>{{"throttlingException", 429}, {"validationException", 400}, {"modelStreamErrorException", 424},
                                                                            {"internalServerException", 500}, {"serviceUnavailableException", 503}, {"modelTimeoutException", 408},
                                                                            {"somethingNew", 502}}) {
    INFO(type);
    const auto decoder = test::bedrock().delta_decoder({});
    std::vector<chat::Delta> deltas;
    REQUIRE(decoder->on_event("!" + type, R"({"message":"too much"})", deltas));
    REQUIRE(deltas.size() == 1);
    const auto* error = deltas[0].as<chat::ErrorDelta>();
    REQUIRE(error != nullptr);
    CHECK(error->error.http_status == status);
    CHECK(error->error.message == "too much");
    CHECK(error->provider_text == "too much");
    CHECK(decoder->over());
    CHECK(decoder->on_end());
    REQUIRE(decoder->on_event("contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"text":"late"}})", deltas));
    CHECK(deltas.size() == 1);
  }
  std::vector<chat::Delta> deltas;
  REQUIRE(test::bedrock().delta_decoder({})->on_event("!InternalFailure", "", deltas));
  CHECK(deltas[0].as<chat::ErrorDelta>()->error.message == "the upstream's stream failed: InternalFailure");
}

TEST_CASE("bedrock: a failed stream ends with an exception and nothing behind it") {
  const auto encoder = test::bedrock().delta_encoder({.framing = http::Framing::kAwsEvents});
  std::string out;
  encoder->encode({0, chat::TurnStart{}}, out);
  encoder->encode({0, chat::TextDelta{"a"}}, out);
  Error error = make_error(Code::kUpstreamError, "slow down");
  error.http_status = 429;
  encoder->encode({0, chat::ErrorDelta{error, {}}}, out);
  encoder->encode({0, chat::TextDelta{"b"}}, out);
  encoder->end(out);
  const Events events = test::unframed(out);
  CHECK(names_of(events) == std::vector<std::string>{"messageStart", "contentBlockDelta", "!throttlingException"});
  CHECK(events.back().data == R"({"message":"slow down"})");
}

TEST_CASE("bedrock: a stream without an end of its own, a role or words is written whole all the same") {
  CHECK(names_of(test::written_stream({})) == std::vector<std::string>{"messageStart", "messageStop"});
  CHECK(names_of(test::written_stream({{0, chat::TextDelta{"a"}}, {0, chat::TextDelta{""}}, {1, chat::TextDelta{"another choice"}}})) ==
        std::vector<std::string>{"messageStart", "contentBlockDelta", "contentBlockStop", "messageStop"});
  CHECK(names_of(test::written_stream({{0, chat::FinishDelta{}}, {0, chat::TextDelta{"late"}}, {0, chat::FinishDelta{}}})) == std::vector<std::string>{"messageStart", "messageStop"});
}

TEST_CASE("bedrock: calls whose arguments interleave keep their own blocks") {
  const Events events = test::written_stream({{0, chat::ToolCallStart{.index = 0, .name = "f"}}, {0, chat::ToolCallDelta{0, "{"}}, {0, chat::ToolCallStart{.index = 1, .id = "b", .name = "g"}},
                                              {0, chat::ToolCallDelta{1, "{"}}, {0, chat::ToolCallDelta{0, "}"}}, {0, chat::ToolCallDelta{1, "}"}}, {0, chat::ToolCallDelta{7, "x"}}});
  const chat::Message message = gathered(test::read_stream(test::bedrock(), events));
  REQUIRE(message.choices[0].turn.parts.size() == 2);
  CHECK(message.choices[0].turn.parts[0].as<chat::ToolCall>()->arguments == "{}");
  CHECK(message.choices[0].turn.parts[0].as<chat::ToolCall>()->id == "call_0");
  CHECK(message.choices[0].turn.parts[1].as<chat::ToolCall>()->arguments == "{}");
}

TEST_CASE("bedrock: what is no event of a stream is refused, what is unknown passed over") {
  const auto decoder = test::bedrock().delta_decoder({});
  std::vector<chat::Delta> deltas;
  for (const std::string_view bad : {"", "[1]", "{\"a\":", "text"}) {
    CHECK(decoder->on_event("contentBlockDelta", bad, deltas).error().code == Code::kUpstreamInvalidAnswer);
  }
  CHECK(decoder->on_event("initial-response", "{}", deltas));
  CHECK(decoder->on_event("contentBlockDelta", "{}", deltas));
  CHECK(decoder->on_event("contentBlockDelta", R"({"contentBlockIndex":-1,"delta":{"toolUse":{"input":"x"}}})", deltas));
  CHECK(decoder->on_event("contentBlockStart", R"({"contentBlockIndex":0,"start":{}})", deltas));
  for (const chat::Delta& delta : deltas) CHECK((delta.as<chat::AnswerStart>() != nullptr || delta.as<chat::TurnStart>() != nullptr));
}

TEST_CASE("bedrock: an event's text is its words, framed or as SDKs show it") {
  CHECK(test::bedrock().event_text(R"({"contentBlockIndex":0,"delta":{"text":"a\n"}})") == "a\n");
  CHECK(test::bedrock().event_text(R"({"contentBlockDelta":{"contentBlockIndex":0,"delta":{"text":"b"}}})") == "b");
  CHECK(test::bedrock().event_text(R"({"contentBlockIndex":0,"delta":{"toolUse":{"input":"c"}}})") == "");
  CHECK(test::bedrock().event_text("x") == "");
}
