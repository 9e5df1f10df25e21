// The end of a stream that ends before its upstream's does: a failure's, or a filter's. Knows who can write it; must not know why
// it ends.

#include <algorithm>

#include "gateway/core.hpp"
#include "gateway/exchange.hpp"
#include "gateway/exchange_plugins.hpp"
#include "gateway/translation.hpp"

namespace sluice::gateway {

/// In the caller's dialect. Where an end has to close what stands open, and nobody knows what does, it is an error that ends it.
std::string Exchange::early_end(const Error& error, const dialect::ErrorContext& context, bool filtered) {
  std::string told;
  const bool edited = decodes();
  const chat::Usage usage = translation_ ? translation_->usage() : tap_ ? tap_->usage() : chat::Usage{};
  if (edited) {
    // Not the translation: what it has written, plugins may have kept back, and its end would say it again.
    if (plugins_->editor->end_early({error, filtered, context.provider_text, usage, recognised_.framing}, told)) return told;
  } else if (translation_) {
    if (!filtered) translation_->fail(error, context.provider_text, told);
    if (!filtered || translation_->cut(chat::FinishReason::kContentFilter, std::max(view_.choices, 1u), told)) return told;
  }
  if (!filtered || !dialect_->ends_anywhere()) return dialect_->encode_stream_error(error, context, recognised_.framing);
  chat::AnswerStart start;
  std::string example;
  if (edited && plugins_->editor->add_event({}, {}, example)) {
    // The end belongs to the answer the caller reads: it goes by the same name.
    if (const auto document = json::Document::parse(Body::copy(example))) {
      const auto text = [&document](std::string_view key) {
        const auto value = document->root().find(key);
        std::string scratch;
        return value && value->is(json::Type::kString) ? std::string(value->text(scratch)) : std::string();
      };
      start.id = text("id");
      start.model = text("model");
      if (const auto created = document->root().find("created"); created && *created) start.created = created->integer();
    }
  }
  const auto encoder = dialect_->delta_encoder(answer_form());
  std::string out;
  encoder->encode({.choice = 0, .event = std::move(start)}, out);
  for (std::uint32_t choice = 0; choice < std::max(view_.choices, 1u); ++choice) {
    encoder->encode({.choice = choice, .event = chat::FinishDelta{.reason = chat::FinishReason::kContentFilter}}, out);
  }
  if (!chat::empty(usage)) encoder->encode({.choice = 0, .event = chat::UsageDelta{.usage = usage}}, out);
  encoder->end(out);
  return out;
}

}  // namespace sluice::gateway
