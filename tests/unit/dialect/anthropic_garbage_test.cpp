// Bodies and events of the Anthropic dialect that are broken in a thousand ways: no crash, no hang, and every failure has a
// code; what was understood can be written in either dialect, and what was written is JSON. Seeded.

#include <catch2/catch.hpp>

#include <random>

#include "unit/dialect/wire.hpp"

using namespace sluice;
using chat::Operation;
using dialect::anthropic;
using dialect::openai;

namespace {

const std::vector<std::string> kSeeds{
    R"({"model":"m","max_tokens":5,"stream":true,"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral","ttl":"1h"}}],"messages":[{"role":"user","content":[{"type":"text","text":"u\u0062"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA"}},{"type":"document","source":{"type":"text","media_type":"text/plain","data":"d"}}]},{"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"S"},{"type":"tool_use","id":"1","name":"f","input":{"a":[1]}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"1","content":[{"type":"text","text":"r"}],"is_error":true}]}],"tools":[{"name":"f","input_schema":{}},{"type":"web_search_20250305","name":"w"}],"tool_choice":{"type":"tool","name":"f"},"thinking":{"type":"enabled","budget_tokens":1024},"output_config":{"effort":"low","format":{"type":"json_schema","schema":{}}},"metadata":{"user_id":"u"},"stop_sequences":["a"]})",
    R"({"id":"i","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"a","citations":[{"type":"web_search_result_location","url":"u","title":"t","cited_text":"c"}]},{"type":"tool_use","id":"1","name":"f","input":{}},{"type":"server_tool_use","id":"s","input":{}}],"stop_reason":"refusal","stop_details":{"type":"refusal","explanation":"no"},"usage":{"input_tokens":1,"cache_read_input_tokens":2,"output_tokens":3}})",
    R"({"type":"message_start","message":{"id":"i","model":"m","content":[{"type":"tool_use","id":"1","name":"f","input":{"a":1}}],"stop_reason":"tool_use","usage":{"input_tokens":1}}})",
    R"({"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"1","name":"f","input":{}}})",
    R"({"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"a\"","text":"t","thinking":"h"}})",
    R"({"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":"x","container":{}},"usage":{"output_tokens":2},"context_management":{}})",
    R"({"type":"error","error":{"type":"overloaded_error","message":"m"},"data":[{"id":"a","created_at":"2025-02-19T00:00:00Z"}],"input_tokens":4,"request_id":"r"})"};

/// Pieces that break things: brackets, quotes, keys, numbers out of range, bytes that are no UTF-8.
const std::vector<std::string> kPieces{"{", "}", "[", "]", "\"", ",", ":", "null", "\\", "\\u0000", "\\ud800", "1e400", "-1", "18446744073709551616", "\xff", "\"usage\":",
                                       "\"content\":[]", "\"type\":", "\"error\":{}", "<b>", std::string(1, '\0'), "[[[[[[[[", "true", "\"\""};

std::string broken(std::mt19937& random, std::string text) {
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % std::max<std::size_t>(n, 1)); };
  for (std::size_t edits = below(4); edits > 0; --edits) {
    const std::size_t at = below(text.size() + 1);
    switch (below(4)) {
      case 0: text.erase(at, below(20)); break;
      case 1: text.insert(at, kPieces[below(kPieces.size())]); break;
      case 2: text.resize(at); break;
      default: text.replace(at, std::min(text.size() - at, below(30)), kPieces[below(kPieces.size())]);
    }
  }
  return text;
}

void as_request(const json::Document& document, Operation operation) {
  chat::RequestView view;
  if (anthropic().inspect(document, operation, chat::kWantPrompt | chat::kWantTools | chat::kWantShape, view)) {
    base::EditedBody body(document.body());
    if (anthropic().set_model(body, document, view, "m")) (void)test::parsed(body.to_string());
  }
  const auto request = anthropic().decode_request(document, operation);
  if (!request) {
    REQUIRE(request.error().origin == Origin::kCaller);
    return;
  }
  for (const dialect::Dialect* to : {&anthropic(), &openai()}) {
    chat::LossReport loss;
    const std::string written = to->encode_request(*request, {.operation = request->operation, .quirks = 1u << 9}, loss);
    if (!written.empty()) (void)test::parsed(written);
  }
}

void as_answer(std::string_view text, Operation operation) {
  const auto tap = anthropic().tap({operation, false, false});
  if (tap->on_bytes(text)) (void)tap->on_end();
  chat::LossReport loss;
  if (const auto message = anthropic().decode_answer(text, {operation})) {
    for (const dialect::Dialect* to : {&anthropic(), &openai()}) (void)test::parsed(to->encode_answer(*message, {.operation = operation}, loss));
  } else {
    REQUIRE(message.error().origin == Origin::kUpstream);
  }
  (void)anthropic().is_error_body(text);
  const auto editor = anthropic().answer_editor(Operation::kChat, false);
  dialect::AnswerTexts texts;
  if (!editor->read(text, texts)) return;
  for (dialect::AnswerText& one : texts.texts()) one.replacement = "\"";
  std::string out;
  editor->write(texts, out);
  if (json::Document::parse(Body::copy(text))) (void)test::parsed(out);
}

}  // namespace

// DIAL-24
TEST_CASE("garbage of the anthropic dialect is survived, and what is written is always JSON") {
  std::mt19937 random(20261126);
  constexpr Operation kOperations[] = {Operation::kChat, Operation::kCountTokens, Operation::kListModels, Operation::kGetModel};
  for (int round = 0; round < 4000; ++round) {
    const std::string text = broken(random, kSeeds[static_cast<std::size_t>(round) % kSeeds.size()]);
    INFO(text);
    const Operation operation = kOperations[round % 11 % 4];
    as_answer(text, operation);
    if (const auto document = json::Document::parse(Body::copy(text))) as_request(*document, operation);
  }
}

// DIAL-24
TEST_CASE("streams of broken events are survived by tap, editor, reader and writers") {
  std::mt19937 random(20261127);
  for (int round = 0; round < 1500; ++round) {
    const auto decoder = anthropic().delta_decoder({});
    const auto tap = anthropic().tap({Operation::kChat, true, false});
    const auto editor = anthropic().answer_editor(Operation::kChat, true);
    std::vector<chat::Delta> deltas;
    for (int events = 0; events < 8; ++events) {
      const std::string text = broken(random, kSeeds[2 + random() % (kSeeds.size() - 2)]);
      INFO(text);
      (void)tap->on_event({}, text);
      (void)anthropic().event_text(text);
      dialect::AnswerTexts texts;
      if (editor->read(text, texts)) {
        std::string same, said, end;
        editor->write(texts, same);
        REQUIRE(same == text);
        if (texts.ends() && !texts.texts().empty() && editor->split(texts, said, end)) (void)test::parsed(end);
      }
      if (const Status status = decoder->on_event({}, text, deltas); !status) REQUIRE(status.error().code == Code::kUpstreamInvalidAnswer);
    }
    for (const dialect::Dialect* to : {&anthropic(), &openai()}) {
      const auto encoder = to->delta_encoder({});
      std::string out;
      for (const chat::Delta& delta : deltas) encoder->encode(delta, out);
      encoder->end(out);
      REQUIRE(out.ends_with("\n\n"));
    }
  }
}
