// usageMetadata, brought to one meaning: input includes what was read from a cache and what tools of the server's own read,
// output includes what was thought. total = prompt + candidates + thoughts + tool use, in all recorded answers.

#include <algorithm>

#include "dialect/gemini.hpp"
#include "dialect/gemini_keys.hpp"

namespace sluice::dialect::gemini_parts {
namespace {

using Count = std::optional<std::uint64_t>;
using json::Type;
using json::Value;

Count count(const Value& object, std::string_view name) {
  const Value value = member(object, name);
  if (!value.is(Type::kNumber)) return std::nullopt;
  const auto n = value.integer();
  return n && *n >= 0 ? Count{static_cast<std::uint64_t>(*n)} : Count{};
}

Count plus(const Count& a, const Count& b) {
  if (!a) return b;
  return b ? *a + *b : *a;
}

}  // namespace

chat::Usage read_usage(const Value& usage) {
  chat::Usage out;
  if (!usage.is(Type::kObject)) return out;
  out.reasoning_tokens = count(usage, "thoughtsTokenCount");
  out.input_tokens = plus(count(usage, "promptTokenCount"), count(usage, "toolUsePromptTokenCount"));
  out.output_tokens = plus(count(usage, "candidatesTokenCount"), out.reasoning_tokens);
  out.cached_input_tokens = count(usage, "cachedContentTokenCount");
  out.total_tokens = count(usage, "totalTokenCount");
  // A count of 0 is left out.
  if (out.total_tokens && out.input_tokens == out.total_tokens && !out.output_tokens) out.output_tokens = 0;
  if (out.total_tokens && out.output_tokens == out.total_tokens && !out.input_tokens) out.input_tokens = 0;
  return out;
}

chat::Usage parse_usage(std::string_view usage_json) {
  const auto document = json::Document::parse(Body::copy(usage_json));
  return document ? read_usage(document->root()) : chat::Usage{};
}

std::string write_usage(const chat::Usage& usage) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  const auto put = [&writer](std::string_view key, const Count& n) {
    if (n) writer.key(key).unsigned_integer(*n);
  };
  put("promptTokenCount", usage.input_tokens);
  Count candidates = usage.output_tokens;
  if (candidates && usage.reasoning_tokens) *candidates -= std::min(*candidates, *usage.reasoning_tokens);
  put("candidatesTokenCount", candidates);
  put("totalTokenCount", chat::total(usage));
  put("cachedContentTokenCount", usage.cached_input_tokens);
  put("thoughtsTokenCount", usage.reasoning_tokens);
  writer.end_object();
  return out;
}

}  // namespace sluice::dialect::gemini_parts
