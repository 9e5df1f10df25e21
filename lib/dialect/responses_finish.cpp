// Why a response ended: a status, and where it is incomplete the reason.

#include "dialect/responses.hpp"

namespace sluice::dialect::responses_parts {

using chat::FinishReason;

Ending read_ending(std::string_view status, std::string_view incomplete_reason, bool called) {
  if (status == "incomplete") {
    // max_tokens: what some servers say in place of OpenAI's word.
    if (incomplete_reason == "max_output_tokens" || incomplete_reason == "max_tokens") return {FinishReason::kLength, std::string(incomplete_reason)};
    if (incomplete_reason == "content_filter") return {FinishReason::kContentFilter};
    return {FinishReason::kStop, std::string(incomplete_reason.empty() ? status : incomplete_reason)};
  }
  const FinishReason reason = called ? FinishReason::kToolCalls : FinishReason::kStop;
  return {reason, status == "completed" ? std::string() : std::string(status)};
}

ResponseStatus status_of(FinishReason reason) noexcept {
  switch (reason) {
    case FinishReason::kLength: return {"incomplete", "max_output_tokens"};
    case FinishReason::kContentFilter: return {"incomplete", "content_filter"};
    default: return {"completed", {}};
  }
}

}  // namespace sluice::dialect::responses_parts
