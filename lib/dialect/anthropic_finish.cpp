// Why an answer ended, in Anthropic's words and in the model's.

#include <array>

#include "dialect/anthropic.hpp"

namespace sluice::dialect::anthropic_parts {
namespace {

using chat::FinishReason;

struct Word {
  std::string_view native;
  FinishReason reason;
};

// The first of a reason is what other dialects' answers get.
constexpr std::array kWords{
    Word{"end_turn", FinishReason::kStop},
    Word{"stop_sequence", FinishReason::kStop},
    Word{"pause_turn", FinishReason::kStop},  // a server's tool pauses: the turn is sent again as it is
    Word{"compaction", FinishReason::kStop},
    Word{"max_tokens", FinishReason::kLength},
    Word{"model_context_window_exceeded", FinishReason::kLength},
    Word{"tool_use", FinishReason::kToolCalls},
    Word{"refusal", FinishReason::kContentFilter},
};

}  // namespace

FinishReason finish_reason(std::string_view native) noexcept {
  if (native.empty()) return FinishReason::kNone;
  for (const Word& word : kWords) {
    if (word.native == native) return word.reason;
  }
  return FinishReason::kStop;
}

std::string_view stop_reason(FinishReason reason, std::string_view native, bool calls) noexcept {
  for (const Word& word : kWords) {
    if (word.native == native && word.reason == reason) return word.native;
  }
  if (reason == FinishReason::kStop && calls) return "tool_use";
  for (const Word& word : kWords) {
    if (word.reason == reason) return word.native;
  }
  return calls ? "tool_use" : "end_turn";
}

}  // namespace sluice::dialect::anthropic_parts
