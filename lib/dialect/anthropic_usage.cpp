// Usage as Anthropic's servers state it: what came from the cache and what went into it stand beside the input, thinking stands
// inside the output, and a stream states it twice.

#include "dialect/anthropic.hpp"
#include "dialect/reading.hpp"

namespace sluice::dialect::anthropic_parts {
namespace {

using Count = std::optional<std::uint64_t>;

void replace(Count& count, const json::Value& value) {
  const auto n = reading::integer(value);
  if (n && *n >= 0) count = static_cast<std::uint64_t>(*n);
}

}  // namespace

void UsageCounts::take(const json::Value& usage) {
  replace(input_, reading::member(usage, "input_tokens"));
  replace(output_, reading::member(usage, "output_tokens"));
  replace(cache_read_, reading::member(usage, "cache_read_input_tokens"));
  replace(cache_write_, reading::member(usage, "cache_creation_input_tokens"));
  replace(thinking_, reading::member(reading::member(usage, "output_tokens_details"), "thinking_tokens"));
}

chat::Usage UsageCounts::normalised() const {
  chat::Usage out;
  const auto or_none = [](const Count& count) { return count.value_or(0); };
  // No answer was ever given to nothing.
  if (or_none(input_) + or_none(output_) + or_none(cache_read_) + or_none(cache_write_) == 0) return out;
  if (input_ || cache_read_ || cache_write_) out.input_tokens = or_none(input_) + or_none(cache_read_) + or_none(cache_write_);
  out.output_tokens = output_;
  out.cached_input_tokens = cache_read_;
  out.cache_write_tokens = cache_write_;
  out.reasoning_tokens = thinking_;
  return out;
}

std::string write_usage(const chat::Usage& usage) {
  std::string out;
  json::Writer writer(out);
  const std::uint64_t aside = usage.cached_input_tokens.value_or(0) + usage.cache_write_tokens.value_or(0);
  const std::uint64_t input = usage.input_tokens.value_or(0);
  writer.begin_object().key("input_tokens").unsigned_integer(input > aside ? input - aside : 0);
  if (usage.cache_write_tokens) writer.key("cache_creation_input_tokens").unsigned_integer(*usage.cache_write_tokens);
  if (usage.cached_input_tokens) writer.key("cache_read_input_tokens").unsigned_integer(*usage.cached_input_tokens);
  writer.key("output_tokens").unsigned_integer(usage.output_tokens.value_or(0));
  if (usage.reasoning_tokens) {
    writer.key("output_tokens_details").begin_object().key("thinking_tokens").unsigned_integer(*usage.reasoning_tokens).end_object();
  }
  writer.end_object();
  return out;
}

}  // namespace sluice::dialect::anthropic_parts
