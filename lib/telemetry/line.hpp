#pragma once
/// Writes the one line of an event: members whose names are literals, texts, numbers. Knows JSON's syntax, the units
/// and the mask; must not know what a field means. It gathers small things on the stack, and copies names that the
/// compiler knows: json::Writer, which validates each, takes 37,000 instructions for what takes 4,000 here.

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "sluice/clock.hpp"
#include "telemetry/secret_mask.hpp"

namespace sluice::telemetry {

/// `,"name":` with its size as a constant, so that the compiler copies it in a few words.
template <std::size_t N>
struct Name {
  static constexpr std::size_t kSize = N - 1 + 4;
  char text[kSize + 1] = {};  // one more: without its comma it is copied from the second byte on
  consteval Name(const char (&name)[N]) {  // NOLINT(google-explicit-constructor): what a literal operator takes
    text[0] = ',';
    text[1] = '"';
    std::copy_n(name, N - 1, text + 2);
    text[N + 1] = '"';
    text[N + 2] = ':';
  }
};
template <Name kName>
struct Key {};
/// `"consumer"_key`: a member's name. It must need no escape.
template <Name kName>
consteval Key<kName> operator""_key() {
  return {};
}

/// "00" to "99".
inline constexpr auto kPairs = [] {
  std::array<char, 200> pairs{};
  for (std::size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}();

/// Numbers and times into memory that has room for them; each gives the end of what it wrote.
[[nodiscard]] inline char* put_two_digits(char* to, std::uint32_t n) noexcept {
  std::memcpy(to, kPairs.data() + std::size_t{2} * n, 2);
  return to + 2;
}
[[nodiscard]] inline char* put_three_digits(char* to, std::uint32_t n) noexcept {
  *to = static_cast<char>('0' + n / 100);
  return put_two_digits(to + 1, n % 100);
}
[[nodiscard]] char* put_number(char* to, std::uint64_t n) noexcept;
/// RFC 3339 in UTC with milliseconds, in quotes. Years that have no four digits become the nearest that do.
[[nodiscard]] char* put_time(char* to, WallTime time) noexcept;

/// Appends to a string. The caller balances begin and end, and calls finish() once, last. Thread: one.
/// It works on a pointer in a register and stores it once a member: a char may alias anything, the stored one included.
class Line {
 public:
  /// `mask`, which may be null, and `out` outlive it.
  Line(std::string& out, const SecretMask* mask) noexcept
      : out_(out), mask_(mask != nullptr && !mask->empty() ? mask : nullptr) {}
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  /// An object or a list as an element, and as a member.
  Line& begin(char bracket) {
    room(2);
    if (!first_) *at_++ = ',';
    return open(at_, bracket);
  }
  template <Name kName>
  Line& begin(Key<kName> name, char bracket) {
    return open(key(name), bracket);
  }
  Line& end(char bracket) {
    room(1);
    first_ = false;
    *at_++ = bracket;
    return *this;
  }

  /// A text that is known to need neither escapes nor the mask, of at most 48 bytes.
  template <Name kName>
  Line& word(Key<kName> name, std::string_view text) {
    assert(text.size() <= kSlack - 16);
    char* const to = key(name);
    *to = '"';
    std::memcpy(to + 1, text.data(), text.size());
    to[text.size() + 1] = '"';
    return at_ = to + text.size() + 2, *this;
  }
  /// A text, escaped and masked, whatever it holds. One of more than kLongest bytes is cut, and ends in `...`: callers
  /// choose the names of models, and upstreams the words of their errors.
  template <Name kName>
  Line& text(Key<kName> name, std::string_view text) {
    return string(key(name), text), *this;
  }
  /// The same, however long.
  template <Name kName>
  Line& whole_text(Key<kName> name, std::string_view text) {
    return slow_string(key(name), text, text.size()), *this;
  }
  /// The same, and no member at all where it is empty.
  template <Name kName>
  Line& text_if_any(Key<kName> name, std::string_view value) {
    return value.empty() ? *this : text(name, value);
  }
  /// Less than nothing is nothing, here and for times: no count and no status is negative.
  template <Name kName, std::integral Number>
  Line& number(Key<kName> name, Number n) {
    return at_ = put_number(key(name), std::cmp_less(n, 0) ? 0 : static_cast<std::uint64_t>(n)), *this;
  }
  template <Name kName, std::integral Number>
  Line& number_if_any(Key<kName> name, Number n) {
    return n == 0 ? *this : number(name, n);
  }
  /// A number of [0, 1] in its shortest form.
  template <Name kName>
  Line& fraction(Key<kName> name, double n) {
    char* const to = key(name);
    return at_ = std::to_chars(to, to + kSlack, n).ptr, *this;
  }
  template <Name kName>
  Line& boolean(Key<kName> name, bool flag) {
    char* const to = key(name);
    std::memcpy(to, flag ? "true " : "false", 5);
    return at_ = to + (flag ? 4 : 5), *this;
  }
  /// `true`, or no member.
  template <Name kName>
  Line& flag_if_set(Key<kName> name, bool flag) {
    return flag ? boolean(name, true) : *this;
  }
  /// Milliseconds with three decimals.
  template <Name kName>
  Line& milliseconds(Key<kName> name, Duration time) {
    const std::uint64_t us = time.count() <= 0 ? 0 : static_cast<std::uint64_t>(time.count()) / 1000;
    char* to = put_number(key(name), us / 1000);
    *to++ = '.';
    return at_ = put_three_digits(to, static_cast<std::uint32_t>(us % 1000)), *this;
  }
  template <Name kName>
  Line& milliseconds_if_any(Key<kName> name, Duration time) {
    return time.count() == 0 ? *this : milliseconds(name, time);
  }
  template <Name kName>
  Line& time(Key<kName> name, WallTime time) {
    return at_ = put_time(key(name), time), *this;
  }

  /// Hands over what is gathered.
  void finish() {
    out_.append(buffer_, static_cast<std::size_t>(at_ - buffer_));
    at_ = buffer_;
  }

 private:
  // Behind the buffer's end there is room for a number, a time or a word without asking for it.
  static constexpr std::size_t kBuffer = 1024, kSlack = 64;
  static constexpr std::size_t kShort = 256;     // texts that are copied by way of the buffer
  static constexpr std::size_t kLongest = 2048;  // see text()

  void room(std::size_t size) {
    if (end_ - at_ < static_cast<std::ptrdiff_t>(size)) finish();  // it may stand behind end_, in the slack
  }
  /// Writes the name; gives where its value goes.
  template <Name kName>
  [[nodiscard]] char* key(Key<kName>) {
    room(kName.kSize);
    const std::size_t comma = first_ ? 1 : 0;
    first_ = false;
    char* const to = at_;
    std::memcpy(to, kName.text + comma, kName.kSize);
    return to + kName.kSize - comma;
  }
  Line& open(char* to, char bracket) {
    *to = bracket;
    at_ = to + 1;
    first_ = true;
    return *this;
  }
  void string(char* to, std::string_view text);
  void slow_string(char* to, std::string_view text, std::size_t longest);

  std::string& out_;
  const SecretMask* mask_;
  bool first_ = true;  // no comma before the next member or element
  char* at_ = buffer_;
  char* const end_ = buffer_ + kBuffer;
  char buffer_[kBuffer + kSlack];
};

}  // namespace sluice::telemetry
