// Bodies and events of the Responses API broken in a thousand ways: no crash, no hang, every failure has a code, and what is
// written is JSON. Seeded.

#include <catch2/catch.hpp>

#include <random>

#include "unit/dialect/responses_wire.hpp"

using namespace sluice;
using chat::Operation;
using dialect::openai;
using dialect::openai_responses;

namespace {

const std::vector<std::string> kSeeds{
    R"({"type":"response.completed","sequence_number":3,"response":{"id":"r","model":"m","created_at":1,"status":"completed","output":[{"type":"message","id":"m","content":[{"type":"output_text","text":"a\ud83d\ude00","annotations":[{"type":"url_citation","url":"u","start_index":0}],"logprobs":[{"token":"a","logprob":-1,"bytes":[97],"top_logprobs":[]}]}]},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}],"usage":{"input_tokens":1,"output_tokens":2,"total_tokens":3}}})",
    R"({"type":"response.output_item.added","output_index":0,"item":{"id":"rs","type":"reasoning","summary":[{"type":"summary_text","text":"x"}],"encrypted_content":"sluice.signature.x"}})",
    R"({"type":"response.output_text.delta","item_id":"m","output_index":0,"content_index":0,"delta":"x","logprobs":[]})",
    R"({"id":"r","model":"m","status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"error":null,"output":[{"type":"reasoning","id":"1","summary":[],"content":[{"type":"reasoning_text","text":"t"}]},{"type":"web_search_call","id":"w"},{"type":"message","content":[{"type":"refusal","refusal":"n"}]}],"output_text":"x","usage":{"input_tokens":1}})",
    R"({"model":"m","stream":true,"instructions":"i","input":[{"role":"user","content":[{"type":"input_text","text":"u\u0062"},{"type":"input_image","image_url":"data:image/png;base64,AA"}]},{"type":"message","role":"assistant","id":"a","content":[{"type":"output_text","text":"x","annotations":[]}]},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":"r"},{"type":"item_reference","id":"z"}],"tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":{"a":{}}}},{"type":"custom","name":"g","format":{"type":"grammar","syntax":"lark","definition":"d"}}],"tool_choice":{"type":"allowed_tools","mode":"auto","tools":[{"type":"function","name":"f"}]},"text":{"format":{"type":"json_schema","name":"n","schema":{}}},"reasoning":{"effort":"low"},"include":["message.output_text.logprobs"]})",
    R"({"type":"error","error":{"message":"m","code":"c"},"sequence_number":1})"};

const std::vector<std::string> kPieces{"{", "}", "[", "]", "\"", ",", ":", "null", "\\", "\\u0000", "\\ud800", "1e400", "-1", "18446744073709551616", "\xff", "\"usage\":", "\"output\":[]",
                                       "\"delta\":{", "\"error\":{}", "\"type\":", "\"response\":", "\"item\":", "<b>", std::string(1, '\0'), "[[[[[[[[", "true", "\"\""};

std::string broken(std::mt19937& random, std::string text) {
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % std::max<std::size_t>(n, 1)); };
  for (std::size_t edits = 1 + below(4); edits > 0; --edits) {
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

void use(const std::string& text, dialect::AnswerEditor& stream_editor) {
  const auto tap = openai_responses().tap({Operation::kChat, true, false});
  (void)tap->on_event("", text);
  const auto whole = openai_responses().tap({Operation::kChat, false, false});
  if (whole->on_bytes(text)) (void)whole->on_end();
  const auto decoder = openai_responses().delta_decoder({});
  std::vector<chat::Delta> deltas;
  if (const auto status = decoder->on_event({}, text, deltas); !status) REQUIRE(status.error().code == Code::kUpstreamInvalidAnswer);
  std::string out;
  for (const dialect::Dialect* to : {&openai(), &openai_responses()}) {
    const auto encoder = to->delta_encoder({});
    for (const chat::Delta& delta : deltas) encoder->encode(delta, out);
    encoder->end(out);
  }
  for (const test::WireEvent& event : test::events_of(out)) {
    if (event.data != "[DONE]") (void)test::parsed(event.data);
  }
  chat::LossReport loss;
  if (const auto message = openai_responses().decode_answer(text, {})) {
    (void)test::parsed(openai_responses().encode_answer(*message, {}, loss));
    (void)test::parsed(openai().encode_answer(*message, {}, loss));
  } else {
    REQUIRE(message.error().origin == Origin::kUpstream);
  }
  for (const bool streaming : {false, true}) {
    const auto fresh = openai_responses().answer_editor(Operation::kChat, streaming);
    dialect::AnswerEditor& editor = streaming ? stream_editor : *fresh;
    dialect::AnswerTexts texts;
    if (!editor.read(text, texts)) continue;
    std::string same, changed;
    editor.write(texts, same);
    if (!streaming) REQUIRE(same == text);
    for (dialect::AnswerText& one : texts.texts()) one.replacement = "\"";
    editor.write(texts, changed);
    if (json::Document::parse(Body::copy(text))) (void)test::parsed(changed);
  }
  (void)openai_responses().event_text(text);
  const auto document = json::Document::parse(Body::copy(text));
  if (!document) return;
  chat::RequestView view;
  if (openai_responses().inspect(*document, Operation::kChat, chat::kWantPrompt | chat::kWantTools | chat::kWantShape, view)) {
    base::EditedBody body(document->body());
    if (openai_responses().set_model(body, *document, view, "m")) (void)test::parsed(body.to_string());
  }
  if (const auto request = openai_responses().decode_request(*document, Operation::kChat)) {
    (void)test::parsed(openai_responses().encode_request(*request, {}, loss));
    (void)test::parsed(openai().encode_request(*request, {}, loss));
  }
  const dialect::AnswerForm form{.request = &*document};
  (void)test::parsed(openai_responses().encode_answer({}, form, loss));
}

}  // namespace

// DIAL-24
TEST_CASE("garbage of the Responses API is survived, and what is written is always JSON") {
  std::mt19937 random(20261126);
  for (int round = 0; round < 6000; ++round) {
    const auto stream_editor = openai_responses().answer_editor(Operation::kChat, true);
    const std::string text = broken(random, kSeeds[static_cast<std::size_t>(round) % kSeeds.size()]);
    INFO(text);
    use(kSeeds[static_cast<std::size_t>(round / 7) % 3], *stream_editor);
    use(text, *stream_editor);
  }
}
