// Why an answer ended: every word a server of this dialect was seen to use, in OpenAI's own words.

#include <array>

#include "dialect/openai.hpp"

namespace sluice::dialect::openai_parts {
namespace {

struct Word {
  std::string_view native;
  chat::FinishReason reason;
};

constexpr std::array kWords{
    Word{"stop", chat::FinishReason::kStop},
    Word{"length", chat::FinishReason::kLength},
    Word{"tool_calls", chat::FinishReason::kToolCalls},
    Word{"function_call", chat::FinishReason::kToolCalls},  // OpenAI's older tools
    Word{"tool_call", chat::FinishReason::kToolCalls},      // models hosted by Azure
    Word{"content_filter", chat::FinishReason::kContentFilter},
    Word{"model_length", chat::FinishReason::kLength},      // Mistral
    Word{"eos", chat::FinishReason::kStop},                 // Together
    Word{"eos_token", chat::FinishReason::kStop},           // TGI behind Hugging Face's router
    Word{"stop_sequence", chat::FinishReason::kStop},       // the same
};

}  // namespace

chat::FinishReason finish_reason(std::string_view native) noexcept {
  if (native.empty()) return chat::FinishReason::kNone;
  for (const Word& word : kWords) {
    if (word.native == native) return word.reason;
  }
  return chat::FinishReason::kStop;
}

}  // namespace sluice::dialect::openai_parts
