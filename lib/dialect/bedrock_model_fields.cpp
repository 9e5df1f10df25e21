// Top-k and thinking, in the words of each family. Sources: the inference parameters of the models in the Bedrock user guide.

#include "dialect/bedrock_model_fields.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "dialect/bedrock.hpp"

namespace sluice::dialect::bedrock_parts {
namespace {

using chat::LossSeverity;

constexpr std::int64_t kLeastBudget = 1024;  // of Anthropic's

struct Effort {
  std::string_view word;
  std::int64_t budget;
};
// No provider states what its words are worth; read back by size they are the same words again.
constexpr std::array kEfforts{
    Effort{"minimal", 1024}, Effort{"low", 2048}, Effort{"medium", 8192}, Effort{"high", 16384}, Effort{"xhigh", 32768}, Effort{"max", 32768},
};

bool thinks(const chat::Reasoning& reasoning) noexcept {
  if (reasoning.enabled) return *reasoning.enabled;
  return reasoning.budget_tokens.value_or(0) > 0 || (!reasoning.effort.empty() && reasoning.effort != "none");
}

/// A budget or a switch as one of three words.
std::string_view effort_of(const chat::Reasoning& reasoning) noexcept {
  if (reasoning.budget_tokens) return *reasoning.budget_tokens <= 4096 ? "low" : *reasoning.budget_tokens <= 10240 ? "medium" : "high";
  if (reasoning.effort.empty() || reasoning.effort == "none") return "medium";
  if (reasoning.effort == "minimal") return "low";
  return reasoning.effort == "xhigh" || reasoning.effort == "max" ? std::string_view("high") : std::string_view(reasoning.effort);
}

/// Members one by one, the object around them opened by the first.
class Fields {
 public:
  explicit Fields(json::Writer& writer) : writer_(writer) {}
  ~Fields() {
    if (open_) writer_.end_object();
  }
  Fields(const Fields&) = delete;
  Fields& operator=(const Fields&) = delete;
  json::Writer& key(std::string_view name) { return inside().key(name); }
  /// The writer, with the object open.
  json::Writer& inside() {
    if (!open_) writer_.key("additionalModelRequestFields").begin_object();
    open_ = true;
    return writer_;
  }

 private:
  json::Writer& writer_;
  bool open_ = false;
};

void write_top_k(Fields& fields, const chat::Request& request, Family family, bool thinking, chat::LossReport& loss) {
  if (!request.sampling.top_k) return;
  if (family == Family::kAnthropic && !thinking) {
    fields.key("top_k").integer(*request.sampling.top_k);
  } else if (family == Family::kNova) {
    fields.key("inferenceConfig").begin_object().key("topK").integer(*request.sampling.top_k).end_object();
  } else {
    loss.add("top_k", thinking ? "a model that thinks takes none" : "not every model of bedrock takes it", LossSeverity::kCosmetic);
  }
}

}  // namespace

Family family_of(std::string_view model) noexcept {
  const auto has = [model](std::string_view name) { return model.find(name) != std::string_view::npos; };
  if (has("anthropic.")) return Family::kAnthropic;
  if (has("amazon.nova")) return Family::kNova;
  return has("openai.") ? Family::kOpenAi : Family::kOther;
}

std::optional<std::int64_t> thinking_budget(const chat::Request& request, Family family) {
  const chat::ChatInput* const chat = request.chat();
  if (family != Family::kAnthropic || chat == nullptr || !chat->reasoning || !thinks(*chat->reasoning)) return std::nullopt;
  const chat::Reasoning& reasoning = *chat->reasoning;
  std::int64_t budget = 8192;
  for (const Effort& effort : kEfforts) {
    if (effort.word == reasoning.effort) budget = effort.budget;
  }
  if (reasoning.budget_tokens) budget = *reasoning.budget_tokens;
  if (const auto& bound = request.sampling.max_output_tokens; bound && *bound <= static_cast<std::uint64_t>(std::max<std::int64_t>(budget, 0))) {
    budget = static_cast<std::int64_t>(*bound) - 1;
  }
  return budget < kLeastBudget ? std::nullopt : std::optional(budget);
}

void write_nova_reasoning(json::Writer& writer, const chat::Reasoning& reasoning, chat::LossReport& loss) {
  if (!thinks(reasoning)) return;
  if (reasoning.effort.empty()) {
    loss.add(reasoning.budget_tokens ? "reasoning.budget_tokens" : "reasoning.enabled", "nova has efforts in place of it", LossSeverity::kNote);
  }
  writer.key("reasoningConfig").begin_object().field("type", "enabled").field("maxReasoningEffort", effort_of(reasoning)).end_object();
}

void write_model_fields(json::Writer& writer, const chat::Request& request, Family family, chat::LossReport& loss) {
  if (const std::string* own = chat::find_extra(request.extras, kName, "additionalModelRequestFields")) {
    writer.key("additionalModelRequestFields").raw(*own);
    return;
  }
  const chat::ChatInput* const chat = request.chat();
  const auto budget = thinking_budget(request, family);
  Fields fields(writer);
  write_top_k(fields, request, family, budget.has_value(), loss);
  if (chat == nullptr || !chat->reasoning || !thinks(*chat->reasoning)) return;
  const chat::Reasoning& reasoning = *chat->reasoning;
  const bool by_word = !reasoning.effort.empty();
  const std::string field = by_word ? "reasoning_effort" : reasoning.budget_tokens ? "reasoning.budget_tokens" : "reasoning.enabled";
  switch (family) {
    case Family::kAnthropic:
      if (!budget) {
        loss.add(field, "thinking takes 1024 tokens at least, and the answer is to be shorter", LossSeverity::kCosmetic);
        return;
      }
      if (budget != reasoning.budget_tokens) loss.add(field, "a budget of " + std::to_string(*budget) + " tokens stands for it", LossSeverity::kNote);
      fields.key("thinking").begin_object().field("type", "enabled").key("budget_tokens").integer(*budget).end_object();
      break;
    case Family::kNova:
      write_nova_reasoning(fields.inside(), reasoning, loss);
      break;
    case Family::kOpenAi:
      if (!by_word) loss.add(field, "this model has efforts in place of it", LossSeverity::kNote);
      fields.key("reasoning_effort").string(effort_of(reasoning));
      break;
    case Family::kOther: loss.add(field, "not every model of bedrock thinks", LossSeverity::kCosmetic); break;
  }
  if (!reasoning.summary.empty()) loss.add("reasoning.summary", "bedrock does not summarise thinking", LossSeverity::kCosmetic);
}

}  // namespace sluice::dialect::bedrock_parts
