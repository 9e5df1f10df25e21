// Usage as OpenAI and the servers that follow it state it, brought to one meaning: input includes what came from a
// cache, output includes what was spent on reasoning.

#include "dialect/openai.hpp"
#include "dialect/reading.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::openai_parts {
namespace {

using Count = std::optional<std::uint64_t>;
using json::Type;
using json::Value;
using reading::count;

/// What is looked at of one object; a key that stands twice counts as unknown rather than as an error: the answer has
/// been paid for whatever its accounts look like.
Value member(const Value& object, std::string_view key) {
  if (!object.is(Type::kObject)) return {};
  const auto found = object.find(key);
  return found ? *found : Value{};
}

/// The first of several members that holds a count; the others are not looked for.
Count first_of(const Value& object, std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    if (const Count found = count(member(object, key))) return found;
  }
  return std::nullopt;
}

}  // namespace

chat::Usage read_usage(const Value& usage) {
  chat::Usage out;
  if (!usage.is(Type::kObject)) return out;
  const Value input_details = member(usage, "prompt_tokens_details");
  const Value output_details = member(usage, "completion_tokens_details");
  out.input_tokens = count(member(usage, "prompt_tokens"));
  out.output_tokens = count(member(usage, "completion_tokens"));
  out.total_tokens = count(member(usage, "total_tokens"));
  // The later names: Together (and Moonshot), DeepSeek, Mistral, Venice.
  out.cached_input_tokens = count(member(input_details, "cached_tokens"));
  if (!out.cached_input_tokens) {
    out.cached_input_tokens =
        first_of(usage, {"cached_tokens", "prompt_cache_hit_tokens", "num_cached_tokens", "cache_read_input_tokens"});
  }
  out.cache_write_tokens = count(member(input_details, "cache_write_tokens"));
  if (!out.cache_write_tokens) out.cache_write_tokens = count(member(usage, "cache_creation_input_tokens"));
  // At the top level: Perplexity, and Gemini models behind GitHub Copilot.
  out.reasoning_tokens = count(member(output_details, "reasoning_tokens"));
  if (!out.reasoning_tokens) out.reasoning_tokens = count(member(usage, "reasoning_tokens"));
  // xAI counts reasoning beside the completion (total = prompt + completion + reasoning), everybody else within it.
  if (out.input_tokens && out.output_tokens && out.total_tokens && out.reasoning_tokens.value_or(0) > 0 &&
      *out.total_tokens == *out.input_tokens + *out.output_tokens + *out.reasoning_tokens) {
    *out.output_tokens += *out.reasoning_tokens;
  }
  // Embedding servers that state the total alone (Voyage) read all of it.
  if (!out.input_tokens && !out.output_tokens) out.input_tokens = out.total_tokens;
  return out;
}

chat::Usage parse_usage(std::string_view usage_json) {
  const auto document = json::Document::parse(Body::copy(usage_json));
  return document ? read_usage(document->root()) : chat::Usage{};
}

bool is_own_usage(std::string_view raw) {
  const auto document = json::Document::parse(Body::copy(raw));
  if (!document) return false;
  const Value root = document->root();
  // Responses states a total, too, beside its own two.
  return member(root, "prompt_tokens") || member(root, "completion_tokens") || (member(root, "total_tokens") && !member(root, "input_tokens"));
}

std::string write_usage(const chat::Usage& usage, Operation operation) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  const auto put = [&writer](std::string_view key, const Count& n) {
    if (n) writer.key(key).unsigned_integer(*n);
  };
  put("prompt_tokens", usage.input_tokens);
  if (operation != Operation::kEmbeddings) put("completion_tokens", usage.output_tokens);
  put("total_tokens", chat::total(usage));
  if (usage.cached_input_tokens || usage.cache_write_tokens) {
    writer.key("prompt_tokens_details").begin_object();
    put("cached_tokens", usage.cached_input_tokens);
    put("cache_write_tokens", usage.cache_write_tokens);
    writer.end_object();
  }
  if (usage.reasoning_tokens) {
    writer.key("completion_tokens_details").begin_object();
    put("reasoning_tokens", usage.reasoning_tokens);
    writer.end_object();
  }
  writer.end_object();
  return out;
}

}  // namespace sluice::dialect::openai_parts
