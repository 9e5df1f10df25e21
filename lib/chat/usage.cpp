// How counts of tokens add up.

#include "chat/usage.hpp"

#include <algorithm>

namespace sluice::chat {
namespace {

using Count = std::optional<std::uint64_t>;

void replace(Count& count, const Count& later) noexcept {
  if (later) count = later;
}

Count plus(const Count& a, const Count& b) noexcept {
  if (!a) return b;
  if (!b) return a;
  return *a + *b;
}

}  // namespace

bool empty(const Usage& usage) noexcept {
  return !usage.input_tokens && !usage.output_tokens && !usage.cached_input_tokens && !usage.cache_write_tokens &&
         !usage.reasoning_tokens && !usage.total_tokens;
}

void merge(Usage& usage, const Usage& later) noexcept {
  if (empty(later)) return;
  replace(usage.input_tokens, later.input_tokens);
  replace(usage.output_tokens, later.output_tokens);
  replace(usage.cached_input_tokens, later.cached_input_tokens);
  replace(usage.cache_write_tokens, later.cache_write_tokens);
  replace(usage.reasoning_tokens, later.reasoning_tokens);
  // A total belongs to the counts it was stated with.
  if (later.total_tokens || later.input_tokens || later.output_tokens) usage.total_tokens = later.total_tokens;
  usage.estimated = later.estimated;
  usage.estimated_by = later.estimated_by;
}

Usage sum(const Usage& a, const Usage& b) noexcept {
  Usage out;
  out.input_tokens = plus(a.input_tokens, b.input_tokens);
  out.output_tokens = plus(a.output_tokens, b.output_tokens);
  out.cached_input_tokens = plus(a.cached_input_tokens, b.cached_input_tokens);
  out.cache_write_tokens = plus(a.cache_write_tokens, b.cache_write_tokens);
  out.reasoning_tokens = plus(a.reasoning_tokens, b.reasoning_tokens);
  out.total_tokens = plus(total(a), total(b));
  out.estimated = a.estimated || b.estimated;
  // Of two ways the vaguer one; what was reported is none.
  if (a.estimated && b.estimated) out.estimated_by = std::min(a.estimated_by, b.estimated_by);
  else if (out.estimated) out.estimated_by = a.estimated ? a.estimated_by : b.estimated_by;
  return out;
}

Count total(const Usage& usage) noexcept {
  return usage.total_tokens ? usage.total_tokens : plus(usage.input_tokens, usage.output_tokens);
}

Count uncached_input(const Usage& usage) noexcept {
  if (!usage.input_tokens) return std::nullopt;
  const std::uint64_t cached = usage.cached_input_tokens.value_or(0);
  return cached > *usage.input_tokens ? 0 : *usage.input_tokens - cached;
}

std::string describe(const Usage& usage) {
  if (empty(usage)) return "unknown";
  const auto shown = [](const Count& n) { return n ? std::to_string(*n) : std::string("?"); };
  std::string out = shown(usage.input_tokens) + " in";
  if (usage.cached_input_tokens) out += " (" + shown(usage.cached_input_tokens) + " cached)";
  out += ", " + shown(usage.output_tokens) + " out";
  if (usage.reasoning_tokens) out += " (" + shown(usage.reasoning_tokens) + " reasoning)";
  if (usage.estimated) out += ", estimated";
  return out;
}

}  // namespace sluice::chat
