#pragma once
/// Values in messages: quoted as in JSON, and cut to what a line can hold. Knows text only.

#include <span>
#include <string>
#include <string_view>

namespace sluice::policy {

/// `"gpt-4o"`; a long one ends in `...`.
[[nodiscard]] std::string shown(std::string_view text);
/// `"a", "b" or "c"`; a long list ends in `or 7 more`.
[[nodiscard]] std::string shown(std::span<const std::string> names);

}  // namespace sluice::policy
