#pragma once
/// One pattern and what takes the place of its matches, made so that a text can be read piece by piece. Knows how to find,
/// to rewrite, and to tell where a match may yet come; must not know which part of a text has come.
///
/// A place is a match where the pattern fits at most `max_match` bytes from there on. Of several ends the one RE2 prefers
/// among those counts, so `a*` fits the first 256 of 300 letters, and `<.*>` nothing where the `>` is further away. `^`,
/// `$`, `\b` and `\B` are judged by the text around the match: never by where somebody has cut it.

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sluice/error.hpp"

namespace re2 {
class RE2;
}

namespace sluice::policy {

/// Thread: immutable, any.
class ReplaceRule {
 public:
  static constexpr std::size_t kMaxReplacementBytes = 4096;
  /// Most memory the automata of a pattern and of its beginnings may take, in bytes, each.
  static constexpr int kMaxMemoryBytes = 4 << 20;

  struct Match {
    std::size_t begin = 0, end = 0;  ///< in the text that was looked at
    [[nodiscard]] std::size_t size() const noexcept { return end - begin; }
  };

  /// Errors: kInvalidConfiguration, `param` is `pattern` or `replacement`: a pattern that does not compile, is too large,
  /// looks at single bytes (`\C`) or fits nothing so short; a replacement that is too long, names a group the pattern does
  /// not have, or ends in a backslash.
  [[nodiscard]] static Result<ReplaceRule> compile(std::string_view pattern, std::string_view replacement, std::size_t max_match);

  ReplaceRule(ReplaceRule&&) noexcept;
  ReplaceRule& operator=(ReplaceRule&&) noexcept;
  ~ReplaceRule();

  [[nodiscard]] std::size_t max_match() const noexcept { return max_match_; }

  // `text` is what is known; its ends are those of the text where it begins, and where the caller says so where it ends.
  // Cost: one pass over the bytes from `from` to `to`, 1 to 3 ns each once the automata are warm.

  /// The first match that begins at `from` or behind it and ends at `to` or before it, as long as it likes.
  [[nodiscard]] std::optional<Match> find(std::string_view text, std::size_t from, std::size_t to) const;
  /// The match that begins at `from` itself.
  [[nodiscard]] std::optional<Match> find_at(std::string_view text, std::size_t from, std::size_t to) const;
  /// The first place, `from` or behind it, from which a match may reach the end of the text or go on behind it: what is
  /// before it no further text can change. The end of the text where there is none.
  [[nodiscard]] std::size_t first_open(std::string_view text, std::size_t from) const;
  /// Appends what takes the place of a match.
  void rewrite(std::string_view text, Match match, std::string& out) const;

 private:
  using Compiled = std::unique_ptr<const re2::RE2>;
  ReplaceRule(Compiled pattern, Compiled beginnings, std::string_view replacement, std::size_t max_match);
  Compiled pattern_, beginnings_;
  std::string replacement_;
  int groups_;  // it names, the whole match included; 0: none, and it holds no backslash
  std::size_t max_match_;
};

}  // namespace sluice::policy
