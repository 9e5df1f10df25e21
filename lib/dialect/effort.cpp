// Budgets and switches in words.

#include "dialect/effort.hpp"

#include <string>

namespace sluice::dialect {

std::string_view effort_of(const chat::Reasoning& reasoning, std::string_view target, chat::LossReport& loss) {
  if (!reasoning.effort.empty()) return reasoning.effort;
  if (reasoning.budget_tokens) {
    loss.add("reasoning.budget_tokens", std::string(target) + " has efforts in place of budgets", chat::LossSeverity::kNote);
    // No provider states what its words are worth; these bounds keep small budgets small.
    return *reasoning.budget_tokens <= 4096 ? "low" : *reasoning.budget_tokens <= 10240 ? "medium" : "high";
  }
  if (reasoning.enabled) {
    loss.add("reasoning.enabled", std::string(target) + " has efforts in place of a switch", chat::LossSeverity::kNote);
    return *reasoning.enabled ? "medium" : "none";
  }
  return {};
}

}  // namespace sluice::dialect
