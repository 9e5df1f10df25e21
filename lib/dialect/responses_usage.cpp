// Usage as servers of the Responses API state it: input includes what came from a cache, output includes what was spent
// on reasoning.

#include "dialect/reading.hpp"
#include "dialect/responses.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::responses_parts {

using reading::count;
using reading::member;

chat::Usage read_usage(const json::Value& usage) {
  chat::Usage out;
  const json::Value input_details = member(usage, "input_tokens_details"), output_details = member(usage, "output_tokens_details");
  out.input_tokens = count(member(usage, "input_tokens"));
  out.output_tokens = count(member(usage, "output_tokens"));
  out.total_tokens = count(member(usage, "total_tokens"));
  out.cached_input_tokens = count(member(input_details, "cached_tokens"));
  out.cache_write_tokens = count(member(input_details, "cache_write_tokens"));
  out.reasoning_tokens = count(member(output_details, "reasoning_tokens"));
  return out;
}

std::string write_usage(const chat::Usage& usage) {
  if (chat::empty(usage)) return {};
  std::string out;
  json::Writer writer(out);
  const auto put = [&writer](std::string_view key, const std::optional<std::uint64_t>& n) {
    if (n) writer.key(key).unsigned_integer(*n);
  };
  writer.begin_object();
  put("input_tokens", usage.input_tokens);
  // The schemas require the details; a provider that states none had none to state.
  writer.key("input_tokens_details").begin_object().key("cached_tokens").unsigned_integer(usage.cached_input_tokens.value_or(0));
  writer.key("cache_write_tokens").unsigned_integer(usage.cache_write_tokens.value_or(0)).end_object();
  put("output_tokens", usage.output_tokens);
  writer.key("output_tokens_details").begin_object().key("reasoning_tokens").unsigned_integer(usage.reasoning_tokens.value_or(0));
  writer.end_object();
  put("total_tokens", chat::total(usage));
  writer.end_object();
  return out;
}

}  // namespace sluice::dialect::responses_parts
