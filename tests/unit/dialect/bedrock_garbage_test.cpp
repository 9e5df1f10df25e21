// Bodies and events that are broken in a thousand ways: no crash, no hang, and every failure has a code. Seeded.

#include <random>

#include "dialect/provider_words.hpp"
#include "unit/dialect/bedrock_support.hpp"
#include "unit/dialect/editing.hpp"

using namespace sluice;
using chat::Operation;

namespace {

const std::vector<std::string> kSeeds{
    R"({"contentBlockIndex":0,"delta":{"text":"a\ud83d\ude00"},"p":"abc"})",
    R"({"contentBlockIndex":1,"start":{"toolUse":{"toolUseId":"t","name":"f","type":"server_tool_use"}}})",
    R"({"contentBlockIndex":1,"delta":{"toolUse":{"input":"{}"},"citation":{"location":{"web":{"url":"u"}}},"reasoningContent":{"text":"t","signature":"s"}}})",
    R"({"metadata":{"usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3,"cacheReadInputTokens":4},"metrics":{"latencyMs":1}}})",
    R"({"messageStop":{"stopReason":"tool_use","additionalModelResponseFields":{"a":1}}})",
    R"({"contentBlockStart":{"contentBlockIndex":2,"start":{"toolUse":{"toolUseId":"t","name":"f"}}}})",
    R"({"output":{"message":{"role":"assistant","content":[{"text":"a"},{"toolUse":{"toolUseId":"t","name":"f","input":{"a":1}}},{"reasoningContent":{"redactedContent":"AA=="}},{"citationsContent":{"content":[{"text":"c"}],"citations":[{"title":"t","location":{"documentPage":{"documentIndex":1,"start":2}}}]}}]}},"stopReason":"end_turn","usage":{"inputTokens":1}})",
    R"({"message":"m","inputTokens":7})",
    R"({"system":[{"text":"s"},{"cachePoint":{"type":"default"}}],"messages":[{"role":"user","content":[{"text":"u\u0062"},{"image":{"format":"png","source":{"bytes":"AA"}}},{"document":{"format":"pdf","name":"n","source":{"bytes":"AA"}}},{"toolResult":{"toolUseId":"t","content":[{"json":{"a":["b"]}}],"status":"error"}}]},{"role":"assistant","content":[{"toolUse":{"toolUseId":"t","name":"f","input":{}}}]}],"inferenceConfig":{"maxTokens":5,"stopSequences":["a"]},"toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{}}}}],"toolChoice":{"tool":{"name":"f"}}},"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":"{}"}}}},"requestMetadata":{"a":"b"}})",
    R"({"input":{"converse":{"messages":[{"role":"user","content":[{"text":"hi"}]}]}}})"};

const std::vector<std::string> kPieces{"{", "}", "[", "]", "\"", ",", ":", "null", "\\", "\\u0000", "\\ud800", "1e400", "-1", "18446744073709551616", "\xff", "\"text\":", "\"toolUse\":{}",
                                       "\"delta\":{", "\"contentBlockIndex\":99999", std::string(1, '\0'), "[[[[[[[[", "true", "\"\"", "\"content\":[{\"text\":1}]"};
const std::vector<std::string> kNames{"", "messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata", "!validationException", "!", "later"};

std::string broken(std::mt19937& random, std::string text) {
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % std::max<std::size_t>(n, 1)); };
  for (std::size_t edits = below(5); edits > 0; --edits) {
    const std::size_t at = below(text.size() + 1);
    switch (below(4)) {
      case 0: text.erase(at, below(20)); break;
      case 1: text.insert(at, kPieces[below(kPieces.size())]); break;
      case 2: text.resize(at); break;
      default: {
        const std::size_t end = std::min(text.size(), at + below(30));
        text.replace(at, end - at, kPieces[below(kPieces.size())]);
      }
    }
  }
  return text;
}

/// The frames of whatever was written are frames, and their data JSON.
void check_frames(std::string_view stream) {
  for (const test::NamedData& event : test::unframed(stream)) (void)test::parsed(event.data);
}

void as_stream(std::mt19937& random, const std::string& text) {
  const auto tap = test::bedrock().tap({.streaming = true});
  const auto decoder = test::bedrock().delta_decoder({});
  const auto editor = test::bedrock().answer_editor(Operation::kChat, true);
  std::vector<chat::Delta> deltas;
  for (int events = 0; events < 4; ++events) {
    const std::string& name = kNames[random() % kNames.size()];
    const std::string data = events == 0 ? text : kSeeds[random() % 6];
    const dialect::TapVerdict verdict = tap->on_event(name, data);
    if (verdict.error) REQUIRE(verdict.error->origin == Origin::kUpstream);
    if (const Status status = decoder->on_event(name, data, deltas); !status) REQUIRE(status.error().code == Code::kUpstreamInvalidAnswer);
    test::AnswerTexts texts;
    if (editor->read(data, texts)) {
      const bool was_json = static_cast<bool>(json::Document::parse(Body::copy(data)));
      for (test::AnswerText& one : texts.texts()) one.replacement = "\"{";
      if (was_json) (void)test::parsed(test::written(*editor, texts));
    }
  }
  std::string added;
  if (editor->add_event({}, "x", added)) (void)test::parsed(added);
  (void)decoder->on_end();
  std::string out;
  for (const dialect::Dialect* spoken : {&test::bedrock(), &test::openai()}) {
    const auto encoder = spoken->delta_encoder({.framing = spoken == &test::bedrock() ? http::Framing::kAwsEvents : http::Framing::kSse});
    for (const chat::Delta& delta : deltas) encoder->encode(delta, out);
    encoder->end(out);
    if (spoken == &test::bedrock()) check_frames(out);
  }
}

void as_whole(const std::string& text, Operation operation) {
  const auto tap = test::bedrock().tap({.operation = operation});
  if (tap->on_bytes(text)) (void)tap->on_end();
  chat::LossReport loss;
  if (const auto message = test::bedrock().decode_answer(text, {operation})) {
    (void)test::parsed(test::bedrock().encode_answer(*message, {.operation = operation}, loss));
    (void)test::parsed(test::openai().encode_answer(*message, {}, loss));
  } else {
    REQUIRE(message.error().origin == Origin::kUpstream);
  }
  const auto editor = test::bedrock().answer_editor(Operation::kChat, false);
  test::AnswerTexts texts;
  if (editor->read(text, texts)) {
    for (test::AnswerText& one : texts.texts()) one.replacement = "\"{";
    (void)editor->add_text({}, "x", texts);
    if (json::Document::parse(Body::copy(text))) (void)test::parsed(test::written(*editor, texts));
  }
  (void)test::bedrock().is_error_body(text);
  (void)test::bedrock().event_text(text);
}

void as_request(const std::string& text, Operation operation) {
  const auto document = json::Document::parse(Body::copy(text));
  if (!document) return;
  chat::RequestView view;
  (void)test::bedrock().inspect(*document, operation, chat::kWantPrompt | chat::kWantTools | chat::kWantShape, view);
  chat::LossReport loss;
  if (const auto request = test::bedrock().decode_request(*document, operation)) {
    (void)test::parsed(test::bedrock().encode_request(*request, {.operation = request->operation, .model = test::kClaude}, loss));
    (void)test::parsed(test::openai().encode_request(*request, {.operation = request->operation}, loss));
  }
}

}  // namespace

// DIAL-24
TEST_CASE("bedrock: garbage is survived, and what is written is always JSON in whole frames") {
  std::mt19937 random(20261126);
  for (int round = 0; round < 6000; ++round) {
    const std::string text = broken(random, kSeeds[static_cast<std::size_t>(round) % kSeeds.size()]);
    INFO(text);
    as_stream(random, text);
    as_whole(text, round % 2 == 0 ? Operation::kChat : Operation::kCountTokens);
    as_request(text, round % 3 == 0 ? Operation::kCountTokens : Operation::kChat);
  }
}
