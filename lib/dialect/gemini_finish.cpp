// Why an answer ended. Gemini says STOP for calls too, and has a word for every kind of filter.

#include <algorithm>
#include <array>

#include "dialect/gemini.hpp"

namespace sluice::dialect::gemini_parts {
namespace {

using chat::FinishReason;

// What is no STOP, no MAX_TOKENS and no filter (MALFORMED_FUNCTION_CALL, UNEXPECTED_TOOL_CALL, TOO_MANY_TOOL_CALLS, OTHER,
// NO_IMAGE, IMAGE_OTHER, whatever Gemini may say some day) ends as a stop that keeps its word.

/// Cohere writes its words as Gemini does.
constexpr std::array kOthers{std::string_view("COMPLETE"), std::string_view("STOP_SEQUENCE"), std::string_view("TOOL_CALL"),
                             std::string_view("ERROR"), std::string_view("TIMEOUT")};

constexpr std::array kFilters{
    std::string_view("SAFETY"),      std::string_view("RECITATION"),   std::string_view("LANGUAGE"),
    std::string_view("BLOCKLIST"),   std::string_view("PROHIBITED_CONTENT"), std::string_view("SPII"),
    std::string_view("IMAGE_SAFETY"), std::string_view("IMAGE_PROHIBITED_CONTENT"), std::string_view("IMAGE_RECITATION"),
    std::string_view("MODEL_ARMOR"),
};

/// By number, as far as the Gemini API and Vertex AI number them alike (`$alt=json;enum-encoding=int`).
constexpr std::array kNumbers{std::string_view(""), std::string_view("STOP"), std::string_view("MAX_TOKENS"), std::string_view("SAFETY"),
                              std::string_view("RECITATION"), std::string_view("OTHER")};

constexpr std::size_t kMaxWord = 64;

}  // namespace

std::string finish_word_of(std::string_view json) {
  if (json.size() >= 2 && json.front() == '"') return std::string(json.substr(1, std::min(json.size() - 2, kMaxWord)));
  if (json.size() == 1 && json[0] >= '0' && json[0] < static_cast<char>('0' + kNumbers.size())) return std::string(kNumbers[static_cast<std::size_t>(json[0] - '0')]);
  const bool number = !json.empty() && json.size() < 4 && json.find_first_not_of("0123456789") == std::string_view::npos;
  return number ? "FINISH_REASON_" + std::string(json) : std::string();
}

std::string finish_word_of(const json::Value& reason) { return reason ? finish_word_of(reason.raw()) : std::string(); }

FinishReason finish_reason(std::string_view word, bool calls, std::string& native) {
  native.clear();
  if (word.empty()) return FinishReason::kNone;
  if (word == "STOP") return calls ? FinishReason::kToolCalls : FinishReason::kStop;
  if (word == "MAX_TOKENS") return FinishReason::kLength;
  native = word.substr(0, kMaxWord);
  for (const std::string_view filter : kFilters) {
    if (word == filter) return FinishReason::kContentFilter;
  }
  return FinishReason::kStop;
}

std::string_view finish_word(FinishReason reason, std::string_view native) noexcept {
  // Another dialect's word (`end_turn`) means nothing here; this one's are in capitals.
  const bool own = !native.empty() && native.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") == std::string_view::npos &&
                   std::find(kOthers.begin(), kOthers.end(), native) == kOthers.end();
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
