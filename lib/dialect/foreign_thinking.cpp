// Signatures under a mark.

#include "dialect/foreign_thinking.hpp"

namespace sluice::dialect {
namespace {

// No provider's own opaque strings begin like this.
constexpr std::string_view kSignature = "sluice.signature.";
constexpr std::string_view kRedacted = "sluice.redacted.";

}  // namespace

std::string seal(const chat::Thinking& thinking) {
  if (!thinking.redacted.empty()) return std::string(kRedacted) + thinking.redacted;
  if (!thinking.signature.empty()) return std::string(kSignature) + thinking.signature;
  return {};
}

bool unseal(std::string_view text, chat::Thinking& thinking) {
  if (text.starts_with(kRedacted)) {
    thinking.redacted = text.substr(kRedacted.size());
    return true;
  }
  if (text.starts_with(kSignature)) {
    thinking.signature = text.substr(kSignature.size());
    return true;
  }
  return false;
}

}  // namespace sluice::dialect
