#pragma once
/// One line of `key=value` fields, which no value can forge: neither a second line nor a second field. Knows text only.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "sluice/clock.hpp"

namespace sluice::plugins {

/// A value stands bare where it is made of letters, digits and `._/:@+-` alone; every other one stands in quotes, with `"`
/// and `\` behind a backslash, and as `\n`, `\r`, `\t` or `\u0085` what is no printable character: controls, line and
/// paragraph separators, marks that change the direction of writing. What is no UTF-8 becomes U+FFFD, a byte each.
class LogLine {
 public:
  /// The first word of the line; bare.
  explicit LogLine(std::string_view what) {
    text_.reserve(512);
    text_.append(what);
  }

  /// Nothing is written of an empty value. One of more than `longest` bytes is cut between two characters and ends in
  /// `...`.
  LogLine& field(std::string_view key, std::string_view value, std::size_t longest = kLongest);
  LogLine& field(std::string_view key, std::uint64_t number);
  /// Milliseconds with three decimals.
  LogLine& field(std::string_view key, Duration time);

  [[nodiscard]] const std::string& text() const noexcept { return text_; }

  static constexpr std::size_t kLongest = 256;  // callers choose the names of models, and upstreams the words of errors

 private:
  void name(std::string_view key);

  std::string text_;
};

}  // namespace sluice::plugins
