#pragma once
/// The nearest of some names to a mistyped one, for messages that say what was meant.

#include <span>
#include <string_view>

namespace sluice::base {

/// The name with the smallest edit distance to `word`, or "" where none is near enough to be meant
/// (more than a third of the longer one would have to change; a single change always may be meant).
[[nodiscard]] std::string_view nearest(std::string_view word, std::span<const std::string_view> names);

}  // namespace sluice::base
