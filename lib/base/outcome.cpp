// Names of how an exchange can end.

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

}  // namespace sluice
