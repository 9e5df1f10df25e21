// Bodies and events that are broken in a thousand ways: no crash, no hang, and every failure has a code. Seeded.

#include <catch2/catch.hpp>

#include <random>

#include "dialect/provider_words.hpp"
#include "unit/dialect/breaking.hpp"
#include "unit/dialect/wire.hpp"

using namespace sluice;
using chat::Operation;
using dialect::openai;

namespace {

const std::vector<std::string> kSeeds{
    R"({"id":"c","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"a\ud83d\ude00","tool_calls":[{"index":0,"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]},"logprobs":{"content":[{"token":"a","logprob":-1,"bytes":[97],"top_logprobs":[]}]},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"prompt_tokens_details":{"cached_tokens":1}}})",
    R"({"choices":[{"index":0,"message":{"role":"assistant","content":[{"type":"thinking","thinking":[{"type":"text","text":"t"}]},{"type":"text","text":"x"}],"annotations":[{"type":"url_citation","url_citation":{"start_index":0,"end_index":1,"url":"u","title":"t"}}],"audio":{"id":"a","expires_at":1}},"finish_reason":"eos"}],"error":null})",
    R"({"model":"m","stream":true,"n":2,"max_tokens":5,"stream_options":{"include_usage":false},"messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"u\u0062"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}},{"type":"file","file":{"file_data":"x"}}]},{"role":"tool","tool_call_id":"1","content":"r"}],"tools":[{"type":"function","function":{"name":"f","parameters":{}}}],"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"f"}}]}},"logit_bias":{"1":2},"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{}}},"stop":["a"]})",
    R"({"error":{"message":"m","code":429,"metadata":{"raw":"r"}},"detail":[{"loc":["a",0],"msg":"x"}]})",
    R"({"object":"list","data":[{"id":"a","index":0,"embedding":[0.1,2]}],"results":[{"flagged":true,"categories":{"a":true},"category_scores":{"a":1e-6}}],"input":["a",[1,2]],"prompt":[1]})"};

void use(const std::string& text, Operation operation) {
  for (const bool withhold : {false, true}) {
    const auto tap = openai().tap({operation, true, withhold});
    for (const std::string_view name : {"", "error"}) {
      const dialect::TapVerdict verdict = tap->on_event(name, text);
      if (verdict.action == dialect::TapAction::kReplace) REQUIRE(verdict.replacement.size() < text.size());
      if (verdict.error) REQUIRE(verdict.error->origin == Origin::kUpstream);
    }
  }
  const auto whole = openai().tap({operation, false, false});
  if (whole->on_bytes(text)) (void)whole->on_end();
  const auto decoder = openai().delta_decoder({operation});
  std::vector<chat::Delta> deltas;
  if (const auto status = decoder->on_event({}, text, deltas); !status) REQUIRE(status.error().code == Code::kUpstreamInvalidAnswer);
  const auto encoder = openai().delta_encoder({operation, true});
  chat::Gatherer gatherer;
  std::string out;
  for (const chat::Delta& delta : deltas) {
    encoder->encode(delta, out);
    gatherer.add(delta);
  }
  encoder->end(out);
  chat::LossReport loss;
  (void)openai().encode_answer(gatherer.message(), {operation}, loss);
  if (const auto message = openai().decode_answer(text, {operation})) {
    // What was understood can be written, and what was written is JSON.
    (void)test::parsed(openai().encode_answer(*message, {operation}, loss));
  } else {
    REQUIRE(message.error().origin == Origin::kUpstream);
  }
  REQUIRE(dialect::error_text(text).size() <= 2048);
  (void)openai().is_error_body(text);
  (void)openai().event_text(text);
  const auto document = json::Document::parse(Body::copy(text));
  if (!document) return;
  chat::RequestView view;
  if (openai().inspect(*document, operation, chat::kWantPrompt | chat::kWantTools, view)) {
    base::EditedBody body(document->body());
    if (openai().set_model(body, *document, view, "m") && openai().ask_for_usage(body, *document, view)) {
      (void)test::parsed(body.to_string());
    }
  }
  if (const auto request = openai().decode_request(*document, operation)) {
    const std::string written = openai().encode_request(*request, {.operation = request->operation}, loss);
    if (!written.empty()) (void)test::parsed(written);
  }
}

}  // namespace

// DIAL-24
TEST_CASE("garbage is survived, and what is written is always JSON") {
  std::mt19937 random(20261122);
  for (int round = 0; round < 4000; ++round) {
    const std::string text = test::broken(random, kSeeds[static_cast<std::size_t>(round) % kSeeds.size()]);
    INFO(text);
    use(text, static_cast<Operation>(round / 5 % 6));
  }
}
