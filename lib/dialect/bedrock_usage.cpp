// Usage and stop reasons as Bedrock states them, and as its callers read them.

#include <algorithm>
#include <array>

#include "dialect/bedrock.hpp"
#include "dialect/reading.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::bedrock_parts {
namespace {

using Count = std::optional<std::uint64_t>;

constexpr std::string_view kPrefix = "usage.";
constexpr std::array<std::string_view, 5> kCounts{"inputTokens", "outputTokens", "totalTokens", "cacheReadInputTokens", "cacheWriteInputTokens"};

Count count(const json::Value& usage, std::string_view key) {
  const auto n = reading::integer(reading::member(usage, key));
  return n && *n >= 0 ? Count(static_cast<std::uint64_t>(*n)) : std::nullopt;
}

struct Word {
  std::string_view native;
  chat::FinishReason reason;
};

// The first word of a reason is the one that is written for it. Source: StopReason of the service model.
constexpr std::array kWords{
    Word{"end_turn", chat::FinishReason::kStop},
    Word{"stop_sequence", chat::FinishReason::kStop},
    Word{"malformed_model_output", chat::FinishReason::kStop},
    Word{"malformed_tool_use", chat::FinishReason::kStop},
    Word{"max_tokens", chat::FinishReason::kLength},
    Word{"model_context_window_exceeded", chat::FinishReason::kLength},
    Word{"tool_use", chat::FinishReason::kToolCalls},
    Word{"content_filtered", chat::FinishReason::kContentFilter},
    Word{"guardrail_intervened", chat::FinishReason::kContentFilter},
};

}  // namespace

chat::Usage read_usage(const json::Value& usage) {
  chat::Usage out;
  out.input_tokens = count(usage, "inputTokens");
  out.output_tokens = count(usage, "outputTokens");
  out.total_tokens = count(usage, "totalTokens");
  out.cached_input_tokens = count(usage, "cacheReadInputTokens");
  out.cache_write_tokens = count(usage, "cacheWriteInputTokens");
  // Bedrock counts what came from a cache or went into one beside the input, not in it.
  if (out.input_tokens) *out.input_tokens += out.cached_input_tokens.value_or(0) + out.cache_write_tokens.value_or(0);
  return out;
}

void keep_usage_extras(const json::Value& usage, chat::Extras& extras) {
  std::string scratch;
  for (json::Value m = usage.first(); m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    if (std::find(kCounts.begin(), kCounts.end(), key) == kCounts.end() && !m.is(json::Type::kNull)) {
      reading::keep(extras, kName, std::string(kPrefix).append(key), m);
    }
  }
}

std::string write_usage(const chat::Usage& usage, const chat::Extras& extras) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  const auto put = [&writer](std::string_view key, const Count& n) {
    if (n) writer.key(key).unsigned_integer(*n);
  };
  Count fresh = usage.input_tokens;
  if (fresh) *fresh -= std::min(*fresh, usage.cached_input_tokens.value_or(0) + usage.cache_write_tokens.value_or(0));
  put("inputTokens", fresh);
  put("outputTokens", usage.output_tokens);
  put("totalTokens", chat::total(usage));
  put("cacheReadInputTokens", usage.cached_input_tokens);
  put("cacheWriteInputTokens", usage.cache_write_tokens);
  for (const chat::Extra& extra : extras) {
    if (extra.dialect == kName && extra.key.starts_with(kPrefix)) writer.key(std::string_view(extra.key).substr(kPrefix.size())).raw(extra.json);
  }
  writer.end_object();
  return out;
}

chat::FinishReason finish_reason(std::string_view native) noexcept {
  if (native.empty()) return chat::FinishReason::kNone;
  for (const Word& word : kWords) {
    if (word.native == native) return word.reason;
  }
  return chat::FinishReason::kStop;
}

std::string_view stop_reason(chat::FinishReason reason, std::string_view native) noexcept {
  const auto is = [&](const Word& word) { return word.reason == reason && word.native == native; };
  if (const auto own = std::find_if(kWords.begin(), kWords.end(), is); own != kWords.end()) return own->native;
  for (const Word& word : kWords) {
    if (word.reason == reason) return word.native;
  }
  return "end_turn";
}

}  // namespace sluice::dialect::bedrock_parts
