// Bodies and events of dialects other than OpenAI's, broken in a thousand ways: no crash, no hang, and every failure has a code.

#include <catch2/catch.hpp>

#include "unit/dialect/breaking.hpp"
#include "unit/dialect/translating.hpp"

using namespace sluice;
using chat::Operation;
using dialect::openai;

namespace {

const std::vector<std::string> kSeeds{
    R"({"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"a\ud83d\ude00"}}},"logprobs":{"text":"a","token_ids":[1],"logprobs":[-1]}})",
    R"({"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"x","type":"function","function":{"name":"f","arguments":""}}}}})",
    R"({"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"tokens":{"input_tokens":1,"output_tokens":2},"cached_tokens":1},"error":"e"}})",
    R"({"id":"i","message":{"role":"assistant","tool_plan":"p","content":[{"type":"thinking","thinking":"t"},{"type":"text","text":"x"}],"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}}],
       "citations":[{"start":0,"end":1,"text":"x","sources":[{"document":{"title":"t"}}]}]},"finish_reason":"TOOL_CALL","logprobs":[{"text":"a","logprobs":[1]}],"usage":{"billed_units":{"input_tokens":1}}})",
    R"({"model":"m","stream":true,"messages":[{"role":"user","content":[{"type":"text","text":"u\u0062"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}],"images":["/9j/"]},
       {"role":"assistant","tool_plan":"p","content":"x","tool_calls":[{"id":"1","function":{"name":"f","arguments":{"a":1}}}]},{"role":"tool","tool_call_id":"1","tool_name":"f","content":"r"}],
       "tools":[{"type":"function","function":{"name":"f","parameters":{}}}],"tool_choice":"REQUIRED","response_format":{"type":"json_object","schema":{}},"format":{"a":1},"think":"low",
       "options":{"num_predict":3,"stop":["a"]},"thinking":{"type":"enabled","token_budget":1},"documents":["d"],"stop_sequences":["s"]})",
    R"({"model":"m","created_at":"2024-11-30T03:33:52.105113+01:00","message":{"role":"assistant","content":"a","thinking":"t","tool_calls":[{"function":{"index":0,"name":"f","arguments":{"x":[1]}}}]},
       "done":true,"done_reason":"stop","eval_count":3,"prompt_eval_count":2,"logprobs":[{"token":"a","logprob":-1,"bytes":[97],"top_logprobs":[]}],"context":[1]})",
    R"({"model":"m","prompt":"p","system":"s","images":["AA"],"response":"r","error":"e","detail":[{"loc":["a"],"msg":"x"}]})",
    R"({"model":"m","query":"q","documents":["a",{"text":"b"}],"top_k":1,"top_n":2,"return_documents":true,"texts":["t"],"input":["a"],"inputs":[{"content":[]}],"input_type":"query","embedding_types":["float"]})",
    R"({"object":"list","data":[{"index":0,"relevance_score":0.5,"document":"x","embedding":[1]}],"results":[{"index":1,"relevance_score":1,"document":{"text":"b"}}],
       "embeddings":{"float":[[0.5]],"base64":["AA"]},"meta":{"billed_units":{"input_tokens":1}},"models":[{"name":"a","modified_at":"x"}],"usage":{"total_tokens":3}})"};

void use(const dialect::Dialect& spoken, const std::string& text, Operation operation) {
  const http::Framing framing = spoken.name() == "ollama" ? http::Framing::kNdjson : http::Framing::kSse;
  const auto tap = spoken.tap({.operation = operation, .streaming = true});
  for (const std::string_view name : {"", "content-delta", "message-end"}) {
    const dialect::TapVerdict verdict = tap->on_event(name, text);
    if (verdict.error) REQUIRE(verdict.error->origin == Origin::kUpstream);
  }
  const auto whole = spoken.tap({.operation = operation});
  if (whole->on_bytes(text)) (void)whole->on_end();
  const auto decoder = spoken.delta_decoder({.operation = operation});
  std::vector<chat::Delta> deltas;
  if (const auto status = decoder->on_event("", text, deltas); !status) REQUIRE(status.error().code == Code::kUpstreamInvalidAnswer);
  for (const dialect::Dialect* to : {&spoken, &openai()}) {
    const std::string written = test::encoded(*to, deltas, {.operation = operation, .framing = framing});
    for (const auto& [name, data] : test::events_of(written, to == &spoken ? framing : http::Framing::kSse)) {
      if (data != "[DONE]") (void)test::parsed(data);
    }
  }
  for (const bool streaming : {false, true}) {
    const auto editor = spoken.answer_editor(operation, streaming);
    dialect::AnswerTexts texts;
    if (editor == nullptr || !editor->read(text, texts)) continue;
    std::string same, changed;
    editor->write(texts, same);
    REQUIRE(same == text);
    for (dialect::AnswerText& one : texts.texts()) one.replacement = "new";
    editor->write(texts, changed);
    if (!texts.data().empty() && json::Document::parse(Body::copy(text))) (void)test::parsed(changed);
  }
  chat::LossReport loss;
  const auto document = json::Document::parse(Body::copy(text));
  const dialect::AnswerForm form{.operation = operation, .framing = framing, .request = document ? &*document : nullptr};
  if (const auto message = spoken.decode_answer(text, {.operation = operation})) {
    (void)test::parsed(spoken.encode_answer(*message, form, loss));
    if (openai().serves(operation)) (void)test::parsed(openai().encode_answer(*message, {.operation = operation}, loss));
  } else {
    REQUIRE(message.error().origin == Origin::kUpstream);
  }
  (void)spoken.is_error_body(text);
  (void)spoken.event_text(text);
  if (!document) return;
  chat::RequestView view;
  if (spoken.inspect(*document, operation, chat::kWantPrompt | chat::kWantTools | chat::kWantShape, view)) {
    base::EditedBody body(document->body());
    if (spoken.set_model(body, *document, view, "m")) (void)test::parsed(body.to_string());
  }
  if (const auto request = spoken.decode_request(*document, operation)) {
    for (const dialect::Dialect* to : {&spoken, &openai(), &dialect::cohere(), &dialect::ollama(), &dialect::jina()}) {
      const std::string written = to->encode_request(*request, {.operation = operation}, loss);
      if (!written.empty()) (void)test::parsed(written);
    }
  }
}

}  // namespace

// DIAL-24
TEST_CASE("garbage is survived in every dialect, and what is written is always JSON") {
  std::mt19937 random(20261126);
  const std::vector<const dialect::Dialect*> dialects{&dialect::cohere(), &dialect::ollama(), &dialect::voyage(), &dialect::jina()};
  constexpr Operation kOperations[] = {Operation::kChat, Operation::kChat, Operation::kEmbeddings, Operation::kRerank, Operation::kListModels};
  for (int round = 0; round < 6000; ++round) {
    const std::string text = test::broken(random, kSeeds[static_cast<std::size_t>(round) % kSeeds.size()]);
    INFO(text);
    const dialect::Dialect& spoken = *dialects[static_cast<std::size_t>(round / 9) % dialects.size()];
    const Operation operation = kOperations[round / 36 % 5];
    if (spoken.serves(operation)) use(spoken, text, operation);
  }
}
