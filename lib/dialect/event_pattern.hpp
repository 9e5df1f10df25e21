#pragma once
/// Knows the next event by the last one: the events of a stream are mostly the same bytes but for one text, and what was
/// parsed need not be parsed again. Knows bytes and strings; must not know what a member means.
///
/// Why it is exact: a JSON text in which one string is put for another is a JSON text of the same shape. So where all
/// bytes outside the strings that may differ are those of an event that was read, and what stands inside them is a string,
/// the event says what that one said, with another text.

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::dialect {

class EventPattern {
 public:
  /// Between the quotes of a string.
  struct Range {
    std::size_t begin = 0, end = 0;
  };
  struct Text {
    Range range;
    bool escaped = false;  ///< it holds a backslash
  };

  /// Takes `event` as the example: its text may differ in the next one, and `padding` too where there is some.
  void learn(std::string_view event, const Range& text, const std::optional<Range>& padding);
  /// Takes `event` as an example of nothing.
  void learn(std::string_view event);
  [[nodiscard]] const std::string& example() const noexcept { return example_; }

  /// Where the text of `data` stands, if it is the example with another text. Nothing, too, where the text is empty or
  /// holds escaped surrogates: a parser knows more of these.
  [[nodiscard]] std::optional<Text> match(std::string_view data) const noexcept;

 private:
  std::string example_;
  std::array<Range, 2> slots_{};  // in the order of the bytes
  std::size_t count_ = 0;         // of slots; 0: nothing matches
  std::size_t text_ = 0;          // the one that is the text
};

}  // namespace sluice::dialect
