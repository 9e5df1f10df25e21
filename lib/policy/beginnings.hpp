#pragma once
/// From a regular expression the one that fits every beginning of what it fits, so that somebody who reads a text piece by
/// piece can tell what may yet become a match from what cannot. Knows RE2's syntax; must not know texts.
///
/// Whatever a pattern looks at, a character or a place between two, may also be the end of what has come so far: each of
/// these X becomes (?:X|\z). `ab+` has the beginnings (?:(?:a|\z)(?:b|\z)+)\z, which fit "a", "ab" and "abb" at the end of
/// a text, and nothing in "ac".

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::policy {

struct Beginnings {
  std::string pattern;          ///< fits at the end of a text, from the first place on from which a match may go on
  std::uint64_t shortest = 0;   ///< no match of the pattern has fewer bytes; a match may well have more
};

/// `pattern` compiles as RE2. Empty where it uses what this does not read: `\C`, a byte that is no character.
[[nodiscard]] std::optional<Beginnings> beginnings_of(std::string_view pattern);

}  // namespace sluice::policy
