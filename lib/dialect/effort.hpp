#pragma once
/// How much a model may think, as dialects say it that have words for it in place of budgets and switches.

#include <string_view>

#include "chat/loss.hpp"
#include "chat/request.hpp"

namespace sluice::dialect {

/// The caller's own word, or else one that stands for their budget or switch (put on the report as a note); empty where
/// they said nothing. `target` names the dialect in the report. Lifetime: `reasoning`.
[[nodiscard]] std::string_view effort_of(const chat::Reasoning& reasoning, std::string_view target, chat::LossReport& loss);

}  // namespace sluice::dialect
