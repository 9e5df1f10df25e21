// Gemini bodies and elements that are broken in a thousand ways: no crash, no hang, and every failure has a code. Seeded.

#include <catch2/catch.hpp>

#include <random>

#include "dialect/provider_words.hpp"
#include "dialect/providers.hpp"
#include "unit/dialect/wire.hpp"

using namespace sluice;
using chat::Operation;
using dialect::gemini;

namespace {

const std::vector<std::string> kSeeds{
    R"({"candidates":[{"content":{"role":"model","parts":[{"text":"a\ud83d\ude00","thoughtSignature":"s"},{"text":"t","thought":true},{"functionCall":{"name":"f","args":{"a":[1]},"id":"i"}},{"inlineData":{"mimeType":"audio/wav","data":"AA"}},{"executableCode":{"code":"x"}}]},"finishReason":"STOP","index":0,"groundingMetadata":{"groundingChunks":[{"web":{"uri":"u","title":"t"}}],"groundingSupports":[{"segment":{"startIndex":0,"endIndex":3},"groundingChunkIndices":[0]}]},"logprobsResult":{"chosenCandidates":[{"token":"a","logProbability":-1}],"topCandidates":[{"candidates":[{"token":"a","logProbability":-1}]}]}}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":2,"totalTokenCount":3},"modelVersion":"m","responseId":"r"})",
    R"({"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","willContinue":true}},{"functionCall":{"partialArgs":[{"jsonPath":"$.a[0].b","stringValue":"x","willContinue":true},{"jsonPath":"$['c d']","numberValue":1}],"willContinue":true}},{"functionCall":{}}]},"finishReason":"MALFORMED_FUNCTION_CALL"}],"promptFeedback":{"blockReason":"SAFETY"},"error":null})",
    R"({"systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[{"text":"u\u0062"},{"inline_data":{"mime_type":"image/png","data":"AA"}},{"fileData":{"fileUri":"gs://b"}}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"a":1},"parts":[{"inlineData":{"data":"A"}}]}}]}],"tools":[{"functionDeclarations":[{"name":"f","parameters":{"type":"OBJECT","properties":{"a":{"type":"STRING","nullable":true}}}}]},{"googleSearch":{}}],"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}},"generationConfig":{"maxOutputTokens":5,"candidateCount":2,"stopSequences":["a"],"thinkingConfig":{"thinkingBudget":-1},"responseSchema":{"type":"OBJECT"},"responseModalities":["TEXT"]}})",
    R"({"requests":[{"model":"models/e","content":{"parts":[{"text":"a"}]},"taskType":"RETRIEVAL_QUERY","outputDimensionality":8}],"content":{"parts":[{"text":"b"}]},"generateContentRequest":{"contents":[]}})",
    R"({"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":[{"@type":"t"}]}})",
    R"({"embeddings":[{"values":[0.1,2]}],"embedding":{"values":[]},"predictions":[{"embeddings":{"values":[1],"statistics":{"token_count":1e300}}}],"models":[{"name":"models/x"}],"totalTokens":3,"name":"models/y"})"};

/// Pieces that break things: brackets, quotes, keys, numbers out of range, bytes that are no UTF-8.
const std::vector<std::string> kPieces{"{", "}", "[", "]", "\"", ",", ":", "null", "\\", "\\u0000", "\\ud800", "1e400", "-1", "18446744073709551616", "\xff", "\"parts\":", "\"candidates\":[]",
                                       "\"text\":{", "\"error\":{}", "\"functionCall\":{}", "\"args\":[", "\"jsonPath\":\"$[[\"", std::string(1, '\0'), "[[[[[[[[", "true", "\"\"", "$.a[", "''"};

std::string broken(std::mt19937& random, std::string text) {
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % std::max<std::size_t>(n, 1)); };
  for (std::size_t edits = 1 + below(4); edits > 0; --edits) {
    const std::size_t at = below(text.size() + 1);
    switch (below(4)) {
      case 0: text.erase(at, below(20)); break;
      case 1: text.insert(at, kPieces[below(kPieces.size())]); break;
      case 2: if (below(4) == 0) text.resize(at); break;
      default: {
        const std::size_t end = std::min(text.size(), at + below(30));
        text.replace(at, end - at, kPieces[below(kPieces.size())]);
      }
    }
  }
  return text;
}

void as_stream(const std::string& text) {
  const auto tap = gemini().tap({Operation::kChat, true, false});
  const dialect::TapVerdict verdict = tap->on_event({}, text);
  if (verdict.error) REQUIRE(verdict.error->origin == Origin::kUpstream);
  const auto decoder = gemini().delta_decoder({Operation::kChat});
  std::vector<chat::Delta> deltas;
  if (const auto status = decoder->on_event({}, text, deltas); !status) REQUIRE(status.error().code == Code::kUpstreamInvalidAnswer);
  (void)decoder->on_event({}, kSeeds[1], deltas);
  for (const http::Framing framing : {http::Framing::kSse, http::Framing::kJsonArray}) {
    const auto encoder = gemini().delta_encoder({.framing = framing});
    const auto openai = dialect::openai().delta_encoder({});
    chat::Gatherer gatherer;
    std::string out, foreign;
    for (const chat::Delta& delta : deltas) {
      encoder->encode(delta, out);
      openai->encode(delta, foreign);
      gatherer.add(delta);
    }
    encoder->end(out);
    if (framing == http::Framing::kJsonArray) (void)test::parsed(out);
    for (const chat::Choice& choice : gatherer.message().choices) {
      for (const chat::Part& part : choice.turn.parts) {
        // Whatever came, arguments are JSON.
        if (const auto* call = part.as<chat::ToolCall>(); call != nullptr && call->arguments.starts_with('{')) (void)test::parsed(call->arguments);
      }
    }
    chat::LossReport loss;
    (void)test::parsed(gemini().encode_answer(gatherer.message(), {}, loss));
  }
  for (const bool streaming : {true, false}) {
    const auto editor = gemini().answer_editor(Operation::kChat, streaming);
    dialect::AnswerTexts texts;
    if (!editor->read(text, texts)) continue;
    std::string same;
    editor->write(texts, same);
    if (!texts.changed()) REQUIRE(same == text);
    for (dialect::AnswerText& one : texts.texts()) one.replacement = "x\"";
    std::string changed, said, end;
    editor->write(texts, changed);
    if (json::Document::parse(Body::copy(text))) (void)test::parsed(changed);
    if (streaming && texts.ends() && !texts.texts().empty()) {
      REQUIRE(editor->split(texts, said, end));
      // A lone surrogate that is no text stays one.
      if (!json::Document::parse(Body::copy(text))) continue;
      (void)test::parsed(said);
      (void)test::parsed(end);
    }
  }
}

void as_answer(const std::string& text, Operation operation) {
  const auto whole = gemini().tap({operation, false, false});
  if (whole->on_bytes(text)) (void)whole->on_end();
  chat::LossReport loss;
  if (const auto message = gemini().decode_answer(text, {operation})) {
    // What was understood can be written, and what was written is JSON.
    (void)test::parsed(gemini().encode_answer(*message, {operation}, loss));
    (void)test::parsed(dialect::openai().encode_answer(*message, {operation}, loss));
  } else {
    REQUIRE(message.error().origin == Origin::kUpstream);
  }
  (void)gemini().is_error_body(text);
  (void)gemini().event_text(text);
}

void as_request(const std::string& text, Operation operation) {
  const auto document = json::Document::parse(Body::copy(text));
  if (!document) return;
  chat::RequestView view;
  if (gemini().inspect(*document, operation, chat::kWantPrompt | chat::kWantTools | chat::kWantShape, view)) {
    base::EditedBody body(document->body());
    if (gemini().set_model(body, *document, view, "m")) (void)test::parsed(body.to_string());
  }
  const auto request = gemini().decode_request(*document, operation);
  if (!request) {
    REQUIRE(request.error().origin == Origin::kCaller);
    return;
  }
  for (const std::uint32_t quirks : {0u, std::uint32_t{dialect::kEmbedsByPredict | dialect::kCountsAtRoot}}) {
    chat::LossReport loss;
    (void)test::parsed(gemini().encode_request(*request, {.operation = operation, .model = "gemini-3-pro", .quirks = quirks}, loss));
    if (operation != Operation::kCountTokens) (void)test::parsed(dialect::openai().encode_request(*request, {.operation = operation}, loss));
  }
}

}  // namespace

// DIAL-24
TEST_CASE("broken gemini bodies and elements do no harm") {
  std::mt19937 random(20240607);
  for (int round = 0; round < 3000; ++round) {
    const std::string text = broken(random, kSeeds[static_cast<std::size_t>(round) % kSeeds.size()]);
    INFO(round << " " << text);
    as_stream(text);
    for (const Operation operation : {Operation::kChat, Operation::kEmbeddings, Operation::kCountTokens, Operation::kListModels, Operation::kGetModel}) {
      as_answer(text, operation);
      if (operation != Operation::kListModels && operation != Operation::kGetModel) as_request(text, operation);
    }
  }
}
