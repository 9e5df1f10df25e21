// Usage and ends of answers, as Cohere words them.

#include <array>

#include "dialect/cohere.hpp"
#include "dialect/reading.hpp"
#include "dialect/writing.hpp"

namespace sluice::dialect::cohere_parts {
namespace {

using json::Value;
using reading::member;

std::optional<std::uint64_t> count(const Value& object, std::string_view key) { return reading::count(member(object, key)); }

struct Word {
  std::string_view native;
  chat::FinishReason reason;
};
constexpr std::array kWords{
    Word{"COMPLETE", chat::FinishReason::kStop},
    Word{"STOP_SEQUENCE", chat::FinishReason::kStop},
    Word{"MAX_TOKENS", chat::FinishReason::kLength},
    Word{"TOOL_CALL", chat::FinishReason::kToolCalls},
};

}  // namespace

chat::Usage read_usage(const Value& usage) {
  chat::Usage out;
  const Value tokens = member(usage, "tokens"), billed = member(usage, "billed_units");
  out.input_tokens = count(tokens, "input_tokens");
  out.output_tokens = count(tokens, "output_tokens");
  if (!out.input_tokens && !out.output_tokens) {
    out.input_tokens = count(billed, "input_tokens");
    out.output_tokens = count(billed, "output_tokens");
  }
  out.cached_input_tokens = count(usage, "cached_tokens");
  out.reasoning_tokens = count(tokens, "reasoning_tokens");
  return out;
}

chat::Usage parse_usage(std::string_view json) {
  const auto document = json::Document::parse(Body::copy(json));
  return document ? read_usage(document->root()) : chat::Usage{};
}

bool is_own_usage(std::string_view raw) {
  const auto document = json::Document::parse(Body::copy(raw));
  return document && (member(document->root(), "tokens") || member(document->root(), "billed_units"));
}

std::string write_usage(const chat::Usage& usage) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  // Cohere bills in numbers of its own; a foreign provider's are what it read and wrote.
  for (const std::string_view key : {"billed_units", "tokens"}) {
    writer.key(key).begin_object();
    writing::put(writer, "input_tokens", usage.input_tokens);
    writing::put(writer, "output_tokens", usage.output_tokens);
    if (key == "tokens") writing::put(writer, "reasoning_tokens", usage.reasoning_tokens);
    writer.end_object();
  }
  writing::put(writer, "cached_tokens", usage.cached_input_tokens);
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

bool is_failure(std::string_view native) noexcept { return native == "ERROR" || native == "TIMEOUT"; }

std::string_view finish_word(chat::FinishReason reason, std::string_view native) noexcept {
  for (const Word& word : kWords) {
    if (word.native == native) return native;
  }
  for (const Word& word : kWords) {
    if (word.reason == reason) return word.native;
  }
  return kWords[0].native;  // kContentFilter, for which it has no word
}

}  // namespace sluice::dialect::cohere_parts
