// Why an answer ended. Gemini says STOP for calls too, and has a word for every kind of filter.

#include <array>

#include "dialect/gemini.hpp"

namespace sluice::dialect::gemini_parts {
namespace {

using chat::FinishReason;

// Everything else that is no STOP and no MAX_TOKENS (MALFORMED_FUNCTION_CALL, UNEXPECTED_TOOL_CALL, TOO_MANY_TOOL_CALLS,
// OTHER, NO_IMAGE, IMAGE_OTHER) ends as a stop that keeps its word.
constexpr std::array kFilters{
    std::string_view("SAFETY"),      std::string_view("RECITATION"),   std::string_view("LANGUAGE"),
    std::string_view("BLOCKLIST"),   std::string_view("PROHIBITED_CONTENT"), std::string_view("SPII"),
    std::string_view("IMAGE_SAFETY"), std::string_view("IMAGE_PROHIBITED_CONTENT"), std::string_view("IMAGE_RECITATION"),
    std::string_view("MODEL_ARMOR"),
};

}  // namespace

FinishReason finish_reason(std::string_view word, bool calls, std::string& native) {
  native.clear();
  if (word.empty()) return FinishReason::kNone;
  if (word == "STOP") return calls ? FinishReason::kToolCalls : FinishReason::kStop;
  if (word == "MAX_TOKENS") return FinishReason::kLength;
  native = word.substr(0, 64);
  for (const std::string_view filter : kFilters) {
    if (word == filter) return FinishReason::kContentFilter;
  }
  return FinishReason::kStop;
}

std::string_view finish_word(FinishReason reason, std::string_view native) noexcept {
  // Another dialect's word (`end_turn`) means nothing here; this one's are in capitals.
  const bool own = !native.empty() && native.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == std::string_view::npos;
  switch (reason) {
    case FinishReason::kNone: return {};
    case FinishReason::kLength: return "MAX_TOKENS";
    case FinishReason::kToolCalls: return "STOP";
    case FinishReason::kContentFilter: return own ? native : std::string_view("SAFETY");
    case FinishReason::kStop: break;
  }
  return own ? native : std::string_view("STOP");
}

}  // namespace sluice::dialect::gemini_parts
