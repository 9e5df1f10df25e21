// Efforts into budgets and back into Anthropic's efforts.

#include "dialect/anthropic_reasoning.hpp"

#include <algorithm>

#include "dialect/anthropic_models.hpp"

namespace sluice::dialect::anthropic_parts {
namespace {

using chat::LossSeverity;
using Kind = ThinkingPlan::Kind;

/// Anthropic's least.
constexpr std::int64_t kLeastBudget = 1024;

/// No provider states what its words are worth: each is about twice the one before it.
std::int64_t budget_of(std::string_view effort) noexcept {
  if (effort == "minimal") return kLeastBudget;
  if (effort == "low") return 2048;
  if (effort == "high") return 16384;
  if (effort == "xhigh" || effort == "max") return 32000;
  return 8192;
}

/// The nearest effort the model knows.
std::string_view effort_of(std::string_view effort, const ModelTraits& traits) noexcept {
  if (effort == "minimal") return "low";
  if (effort == "xhigh" && !traits.xhigh) return "high";
  return effort;
}

std::string_view effort_of(std::int64_t budget) noexcept { return budget <= 4096 ? "low" : budget <= 10240 ? "medium" : "high"; }

}  // namespace

ThinkingPlan plan_thinking(const chat::Request& request, std::string_view model, bool forced, chat::LossReport& loss) {
  const auto& reasoning = request.chat()->reasoning;
  if (!reasoning) return {};
  if (!reasoning->summary.empty()) loss.add("reasoning.summary", "anthropic does not summarise reasoning", LossSeverity::kCosmetic);
  const ModelTraits traits = traits_of(model);
  if (reasoning->enabled == std::optional(false) || reasoning->effort == "none" || reasoning->budget_tokens == std::optional<std::int64_t>(0)) {
    return {.kind = traits.thinks ? Kind::kDisabled : Kind::kUnsaid};
  }
  const bool said = reasoning->enabled.has_value() || reasoning->budget_tokens.has_value();
  if (!said && reasoning->effort.empty()) return {};
  const std::string_view field = said ? "reasoning" : "reasoning_effort";
  if (!traits.thinks) {
    loss.add(std::string(field), "the model does not think aloud", LossSeverity::kCosmetic);
    return {};
  }
  if (!said && forced) {
    loss.add(std::string(field), "anthropic's models do not think before a call that is forced", LossSeverity::kCosmetic);
    return {};
  }
  const std::string_view effort = reasoning->effort.empty() ? std::string_view("medium") : std::string_view(reasoning->effort);
  const bool stated = reasoning->budget_tokens.value_or(-1) > 0;  // Gemini's -1: as the model likes
  std::int64_t budget = stated ? std::max(*reasoning->budget_tokens, kLeastBudget) : budget_of(effort);
  if (traits.adaptive && (!stated || !traits.budgets)) {
    if (!said) loss.add("reasoning_effort", "anthropic's thinking is asked for, and its effort", LossSeverity::kNote);
    if (stated) loss.add("reasoning.budget_tokens", "the model has efforts in place of budgets", LossSeverity::kNote);
    return {Kind::kAdaptive, budget, stated ? effort_of(budget) : effort_of(effort, traits), !said};
  }
  // Thinking counts among the tokens of the answer and must leave some of them.
  const auto most = request.sampling.max_output_tokens;
  if (most && static_cast<std::uint64_t>(budget) >= *most) {
    budget = static_cast<std::int64_t>(*most / 2);
    if (budget < kLeastBudget) {
      loss.add(std::string(field), "the answer may not be as long as the least that anthropic's models think", LossSeverity::kCosmetic);
      return {};
    }
    loss.add(std::string(field), "the budget leaves half of the answer's tokens to the answer", LossSeverity::kNote);
  }
  if (!stated) loss.add(std::string(field), "the model has budgets in place of efforts", LossSeverity::kNote);
  return {.kind = Kind::kEnabled, .budget = budget, .ours = !said};
}

}  // namespace sluice::dialect::anthropic_parts
