// Usage as OpenAI and the servers that follow it state it, brought to one meaning: input includes what came from a
// cache, output includes what was spent on reasoning.

#include <array>
#include <string>

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

/// Several members of one object in one pass, each as member() has it.
template <std::size_t N>
std::array<Value, N> members(const Value& object, const std::array<std::string_view, N>& keys) {
  std::array<Value, N> found;
  std::array<bool, N> twice{};
  if (!object.is(Type::kObject)) return found;
  std::string scratch;
  for (Value child = object.first(); child; child = child.next()) {
    const std::string_view key = child.key(scratch);
    for (std::size_t i = 0; i != N; ++i) {
      if (key != keys[i]) continue;
      twice[i] = found[i] || twice[i];
      found[i] = twice[i] ? Value{} : child;
      break;
    }
  }
  return found;
}

}  // namespace

chat::Usage read_usage(const Value& usage) {
  chat::Usage out;
  if (!usage.is(Type::kObject)) return out;
  enum Member : std::size_t { kInput, kOutput, kTotal, kInputDetails, kOutputDetails, kCached, kHits, kNumCached, kRead, kCreated, kReasoned };
  static constexpr std::array<std::string_view, 11> kMembers{
      "prompt_tokens", "completion_tokens", "total_tokens", "prompt_tokens_details", "completion_tokens_details",
      // The later names of what came from a cache: Together (and Moonshot), DeepSeek, Mistral, Venice.
      "cached_tokens", "prompt_cache_hit_tokens", "num_cached_tokens", "cache_read_input_tokens",
      "cache_creation_input_tokens",
      // At the top level: Perplexity, and Gemini models behind GitHub Copilot.
      "reasoning_tokens"};
  const auto said = members(usage, kMembers);
  const auto input_details = members(said[kInputDetails], std::array<std::string_view, 2>{"cached_tokens", "cache_write_tokens"});
  const auto first_of = [](const Value& one, const Value& other) {
    const Count found = count(one);
    return found ? found : count(other);
  };
  out.input_tokens = count(said[kInput]);
  out.output_tokens = count(said[kOutput]);
  out.total_tokens = count(said[kTotal]);
  out.cached_input_tokens = count(input_details[0]);
  for (const Member later : {kCached, kHits, kNumCached, kRead}) {
    if (!out.cached_input_tokens) out.cached_input_tokens = count(said[later]);
  }
  out.cache_write_tokens = first_of(input_details[1], said[kCreated]);
  out.reasoning_tokens = first_of(member(said[kOutputDetails], "reasoning_tokens"), said[kReasoned]);
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
  // A sum of one part alone is no total; vectors have no other part.
  const bool summed = operation == Operation::kEmbeddings || (usage.input_tokens && usage.output_tokens);
  put("total_tokens", summed ? chat::total(usage) : usage.total_tokens);
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
