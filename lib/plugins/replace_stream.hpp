#pragma once
/// One rule on its way through one text that comes in pieces. Gives on what no further piece can change, and holds back
/// the rest. Knows what has come; must not know what the pieces are pieces of.
///
/// What comes out in all does not depend on how the text was cut. Matches are made from the left; the next one begins
/// where the last one ended or behind it, and is not empty in the very place where one has ended. A match is empty only
/// between two characters. What may become a match is decided once its window is there: the rule's max_match bytes and one
/// more, which is its neighbour. A text without a single byte is left alone.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "policy/replace_rule.hpp"

namespace sluice::plugins {

class ReplaceStream {
 public:
  /// Lifetime: `rule` outlives it.
  explicit ReplaceStream(const policy::ReplaceRule& rule) noexcept : rule_(&rule) {}

  /// Appends to `out` what is decided by now. Held back is at most max_match bytes and an eighth of that, beside a
  /// character that is not whole yet: what is held is looked at again only where it has grown by an eighth, so that short
  /// pieces cost no more than long ones.
  /// Cost: some 10 looks at each byte; where the pattern goes on and on without a match, up to 3 max_match, or 512.
  void take(std::string_view text, std::string& out);
  /// The text is over: appends the rest, and is as new.
  void end(std::string& out);

  /// Whether the rule has fitted in this text.
  [[nodiscard]] bool fitted() const noexcept { return fitted_; }
  [[nodiscard]] std::size_t held() const noexcept { return text_.size() - at_; }
  /// How many bytes were looked at, those looked at twice counted twice.
  [[nodiscard]] std::uint64_t looked_at() const noexcept { return looked_at_; }

 private:
  void decide(bool ended, std::string& out);
  [[nodiscard]] std::size_t first_open(std::string_view text, std::size_t from);
  [[nodiscard]] std::optional<policy::ReplaceRule::Match> next_match(std::string_view text, std::size_t from, std::size_t open);

  const policy::ReplaceRule* rule_;
  std::string text_;             // what is held, behind the one byte before it
  std::size_t at_ = 0;           // where it begins: 0 at the beginning of the text, then 1
  std::size_t look_again_ = 0;   // size of text_ from which on it is worth it
  bool begun_ = false;           // a byte has come
  bool after_match_ = false;     // one has ended where what is held begins
  bool fitted_ = false;
  std::uint64_t looked_at_ = 0;
};

}  // namespace sluice::plugins
