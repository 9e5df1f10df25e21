#pragma once
/// Regular expressions and text searches of rules: RE2, compiled and capped at load, linear in the text by construction.
/// Knows patterns; must not know rules.

#include <memory>
#include <string>
#include <string_view>

#include "sluice/error.hpp"

namespace re2 {
class RE2;
}

namespace sluice::policy {

/// A pattern looked for anywhere in a text; `^` and `$` tie it to the ends. Thread: immutable, any.
class Regex {
 public:
  /// Longest pattern, in bytes.
  static constexpr std::size_t kMaxPatternBytes = 4096;
  /// Most memory one compiled pattern and its automata may take, in bytes; a larger program is refused at load.
  static constexpr int kMaxMemoryBytes = 1 << 20;

  /// A regular expression in RE2's syntax. Errors: kInvalidConfiguration for one that does not compile or is too large.
  [[nodiscard]] static Result<Regex> compile(std::string_view pattern, bool ignore_case = false);
  /// `text` itself. Ignoring case means Unicode's simple case folding, one character to one: Straße finds STRAßE, not STRASSE.
  [[nodiscard]] static Result<Regex> literal(std::string_view text, bool ignore_case);

  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;
  ~Regex();

  /// Cost: one pass, about 1 ns a byte once the automaton is warm; where it outgrows its memory, some 50 ns a byte.
  [[nodiscard]] bool found_in(std::string_view text) const;

 private:
  explicit Regex(std::unique_ptr<const re2::RE2> compiled);
  std::unique_ptr<const re2::RE2> compiled_;
};

}  // namespace sluice::policy
