#pragma once
/// Globs over names: `*` any run, `?` one character, everything else itself. Linear time.

#include <string_view>

namespace sluice::base {

/// True where all of `text` fits `pattern`. Case counts.
[[nodiscard]] bool glob_match(std::string_view pattern, std::string_view text) noexcept;
/// True where the pattern holds a wildcard.
[[nodiscard]] bool is_glob(std::string_view pattern) noexcept;

}  // namespace sluice::base
