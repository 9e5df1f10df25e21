// Names of how an exchange can end, and of how its tokens were estimated.

#include "sluice/outcome.hpp"

namespace sluice {

std::string_view to_string(Ending ending) noexcept {
  switch (ending) {
    case Ending::kCompleted: return "completed";
    case Ending::kRefused: return "refused";
    case Ending::kFailed: return "failed";
    case Ending::kCancelled: return "cancelled";
  }
  return "failed";
}

std::string_view to_string(EstimatedBy by) noexcept {
  switch (by) {
    case EstimatedBy::kWeights: return "weights";
    case EstimatedBy::kCorrected: return "corrected";
    case EstimatedBy::kTokenizerPartly: return "tokenizer_partly";
    case EstimatedBy::kTokenizer: return "tokenizer";
  }
  return "weights";
}

}  // namespace sluice
