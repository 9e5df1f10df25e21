// Every dialect takes whatever bytes a client or an upstream sends without falling over: taps, decoders, error readers,
// request readers. (SEC-36, DIAL-24)
#include <algorithm>
#include <string>
#include <vector>

#include "dialect/dialect.hpp"
#include "dialect/provider_words.hpp"
#include "fuzz/check.hpp"

namespace {

using namespace sluice;

void as_request(const dialect::Dialect& spoken, dialect::Operation operation, std::string_view input) {
  const auto document = json::Document::parse(Body::copy(input));
  if (!document) return;
  chat::RequestView view;
  if (spoken.inspect(*document, operation, chat::kWantPrompt | chat::kWantTools | chat::kWantShape, view)) {
    base::EditedBody body(document->body());
    const auto asked = spoken.ask_for_usage(body, *document, view);
    if (view.model_value) {
      base::EditedBody renamed(document->body());
      if (spoken.set_model(renamed, *document, view, "other")) FUZZ_CHECK(json::Document::parse(Body::copy(renamed.to_string())));
    }
    if (asked && *asked) FUZZ_CHECK(json::Document::parse(Body::copy(body.to_string())));
  }
  if (const auto request = spoken.decode_request(*document, operation)) {
    chat::LossReport loss;
    FUZZ_CHECK(json::Document::parse(Body::copy(spoken.encode_request(*request, {.operation = request->operation}, loss))));
  }
}

void as_answer(const dialect::Dialect& spoken, dialect::Operation operation, std::string_view input) {
  const auto tap = spoken.tap({.operation = operation, .streaming = false, .withhold_usage = false});
  if (tap->on_bytes(input)) (void)tap->on_end();
  if (const auto answer = spoken.decode_answer(input, {operation})) {
    chat::LossReport loss;
    FUZZ_CHECK(json::Document::parse(Body::copy(spoken.encode_answer(*answer, {operation}, loss))));
  }
  (void)spoken.is_error_body(input);
  const std::string text = dialect::error_text(input);
  const Error error = make_error(Code::kUpstreamError, text);
  FUZZ_CHECK(json::Document::parse(Body::copy(spoken.encode_error(error, {.request_id = {}, .provider_text = text, .provider_status = 500}))));
}

// Each line of the input is the data of one event.
void as_stream(const dialect::Dialect& spoken, dialect::Operation operation, std::string_view input, bool withhold) {
  const auto tap = spoken.tap({.operation = operation, .streaming = true, .withhold_usage = withhold});
  const auto decoder = spoken.delta_decoder({operation});
  const auto encoder = spoken.delta_encoder({operation, true});
  std::vector<chat::Delta> deltas;
  std::string out;
  while (!input.empty()) {
    const std::string_view line = input.substr(0, input.find('\n'));
    input.remove_prefix(std::min(line.size() + 1, input.size()));
    const auto verdict = tap->on_event({}, line);
    // What was JSON stays JSON; what was not is the upstream's own doing.
    if (verdict.action == dialect::TapAction::kReplace && json::Document::parse(Body::copy(line))) {
      FUZZ_CHECK(json::Document::parse(Body::copy(verdict.replacement)));
    }
    (void)spoken.event_text(line);
    if (!decoder->on_event({}, line, deltas)) break;
  }
  for (const chat::Delta& delta : deltas) encoder->encode(delta, out);
  encoder->end(out);
  (void)decoder->on_end();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto input = fuzz::text(data, size);
  const auto choice = fuzz::take(input);
  // OpenAI's first, as the corpus was gathered; the others by what is left of the byte.
  static const auto names = [] {
    auto all = dialect::dialect_names();
    std::stable_partition(all.begin(), all.end(), [](std::string_view name) { return name == "openai"; });
    return all;
  }();
  const dialect::Dialect& spoken = *dialect::find_dialect(names[choice / 24 % names.size()]);
  constexpr dialect::Operation kOperations[] = {dialect::Operation::kChat, dialect::Operation::kCompletions, dialect::Operation::kEmbeddings,
                                                dialect::Operation::kModerations};
  const auto operation = kOperations[choice / 6 % 4];
  if (!spoken.serves(operation)) return 0;
  switch (choice % 6) {
    case 0: as_request(spoken, operation, input); break;
    case 1: as_answer(spoken, operation, input); break;
    case 2: as_stream(spoken, operation, input, true); break;
    case 3: as_stream(spoken, operation, input, false); break;
    default: {
      dialect::Recognised recognised;
      (void)dialect::recognise("POST", input, {}, Headers{}, recognised);
    }
  }
  return 0;
}
