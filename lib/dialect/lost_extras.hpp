#pragma once
/// What it costs that a member only one dialect understands is left out on the way to another. Knows the few that matter, by
/// dialect and name; must not know why one is left out.

#include <string>

#include "chat/content.hpp"
#include "chat/loss.hpp"

namespace sluice::dialect {

/// kNote: the model of the request carries what it says in another form. kSemantic: without it the answer would be one to
/// something else. Everything else is what its dialect said when it kept it: kCosmetic, a setting of the provider's own, unless told.
[[nodiscard]] chat::LossSeverity severity_of_lost(const chat::Extra& extra) noexcept;
/// In words, for a report.
[[nodiscard]] std::string why_lost(const chat::Extra& extra);

}  // namespace sluice::dialect
