// UTF-8 against the arithmetic of its definition.

#include "base/utf8.hpp"

#include <catch2/catch.hpp>

using namespace sluice::base;

namespace {

/// Decodes one character by arithmetic; 0 bytes where there is none that is well formed.
std::size_t decoded(std::string_view bytes, std::uint32_t& point) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (bytes.empty()) return 0;
  const std::size_t length = byte(0) < 0x80 ? 1 : (byte(0) & 0xe0) == 0xc0 ? 2 : (byte(0) & 0xf0) == 0xe0 ? 3 : (byte(0) & 0xf8) == 0xf0 ? 4 : 0;
  if (length == 0 || bytes.size() < length) return 0;
  point = length == 1 ? byte(0) : byte(0) & (0x7fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    point = (point << 6) | (byte(i) & 0x3f);
  }
  constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  return point < kLeast[length] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000) ? 0 : length;
}

bool plainly_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    std::uint32_t point = 0;
    const std::size_t n = decoded(bytes, point);
    if (n == 0) return false;
    bytes.remove_prefix(n);
  }
  return true;
}

}  // namespace

TEST_CASE("every code point is written as what it is, and what is none as U+FFFD") {
  std::size_t wrong = 0;
  for (std::uint32_t c = 0; c < 0x110400; ++c) {
    std::string out;
    append_utf8(out, c);
    std::uint32_t point = 0;
    const bool scalar = c <= 0x10ffff && !(c >= 0xd800 && c < 0xe000);
    if (decoded(out, point) != out.size() || point != (scalar ? c : 0xfffd) || !is_utf8(out)) ++wrong;
  }
  CHECK(wrong == 0);
}

TEST_CASE("what is well formed is decided as by arithmetic, for all short texts of telling bytes") {
  // The edges of every row of the table of well-formed sequences.
  constexpr unsigned char kBytes[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2,
                                      0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff};
  std::size_t wrong = 0, good = 0;
  std::string text(4, '\0');
  for (const unsigned char a : kBytes)
    for (const unsigned char b : kBytes)
      for (const unsigned char c : kBytes)
        for (const unsigned char d : kBytes) {
          text[0] = static_cast<char>(a), text[1] = static_cast<char>(b), text[2] = static_cast<char>(c), text[3] = static_cast<char>(d);
          for (std::size_t n = 1; n <= 4; ++n) {
            const std::string_view part = std::string_view(text).substr(0, n);
            wrong += is_utf8(part) != plainly_utf8(part) ? 1 : 0;
            good += is_utf8(part) ? 1 : 0;
          }
        }
  CHECK(wrong == 0);
  CHECK(good > 1000);
  CHECK(is_utf8(""));
}

TEST_CASE("a text is cut before a character, never inside one, and no earlier than it must") {
  const std::string text = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z";
  const std::size_t ends[] = {0, 1, 3, 6, 10, 11};
  for (std::size_t limit = 0; limit <= text.size() + 2; ++limit) {
    std::size_t best = 0;
    for (const std::size_t end : ends) best = end <= limit ? end : best;
    CHECK(truncate_utf8(text, limit) == text.substr(0, best));
  }
}

TEST_CASE("bytes that are no text are cut near the limit, not eaten up") {
  const std::string nonsense(100, '\x80');
  const std::size_t kept = truncate_utf8(nonsense, 50).size();
  CHECK(kept <= 50);
  CHECK(kept >= 46);
}
