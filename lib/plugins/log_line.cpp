// Lines of fields: quoted, escaped, cut.

#include "plugins/log_line.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

#include <fmt/format.h>

#include "base/utf8.hpp"

namespace sluice::plugins {
namespace {

constexpr std::array<bool, 256> kBare = [] {
  std::array<bool, 256> table{};
  for (unsigned char c = 0; c < 0x80; ++c) {
    table[c] = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("._/:@+-").find(static_cast<char>(c)) != std::string_view::npos;
  }
  return table;
}();
bool is_bare(char c) noexcept { return kBare[static_cast<unsigned char>(c)]; }

void append_number(std::string& out, std::uint64_t number) {
  std::array<char, 20> digits;  // as many as the largest number has
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

/// The character at the front of `text`, and how many bytes it takes; U+FFFD and one byte where none begins there.
struct Character {
  std::uint32_t code_point = 0xFFFD;
  std::size_t length = 1;
};
Character first_of(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (text.size() < length || !base::is_utf8(text.substr(0, length))) return {};
  std::uint32_t code_point = lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) code_point = code_point << 6 | (byte(i) & 0x3FU);
  return {code_point, length};
}

/// True for what a viewer shows as something else than a character in its place. Source: Unicode 15, categories Cc, Zl and
/// Zp, and the explicit formatting characters of UAX 9.
bool is_unprintable(std::uint32_t c) noexcept {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x2028 || c == 0x2029 || c == 0x200E || c == 0x200F || c == 0x061C ||
         (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

void append_escaped(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const Character c = first_of(text);
    if (c.code_point == '"' || c.code_point == '\\') {
      out.append(1, '\\').append(1, static_cast<char>(c.code_point));
    } else if (c.code_point == '\n') {
      out.append("\\n");
    } else if (c.code_point == '\r') {
      out.append("\\r");
    } else if (c.code_point == '\t') {
      out.append("\\t");
    } else if (is_unprintable(c.code_point)) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", c.code_point);
    } else {
      base::append_utf8(out, c.code_point);
    }
    text.remove_prefix(c.length);
  }
}

}  // namespace

void LogLine::name(std::string_view key) {
  text_.push_back(' ');
  text_.append(key);
  text_.push_back('=');
}

LogLine& LogLine::field(std::string_view key, std::string_view value, std::size_t longest) {
  if (value.empty()) return *this;
  name(key);
  if (value.size() <= longest && std::all_of(value.begin(), value.end(), is_bare)) {
    text_.append(value);
    return *this;
  }
  text_.push_back('"');
  append_escaped(text_, base::truncate_utf8(value, longest));
  if (value.size() > longest) text_.append("...");
  text_.push_back('"');
  return *this;
}

LogLine& LogLine::field(std::string_view key, std::uint64_t number) {
  name(key);
  append_number(text_, number);
  return *this;
}

LogLine& LogLine::field(std::string_view key, Duration time) {
  const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::microseconds>(time).count()));
  field(key, us / 1000);
  const auto digit = [](std::uint64_t n) { return static_cast<char>('0' + n % 10); };
  const std::array<char, 4> below{'.', digit(us / 100), digit(us / 10), digit(us)};
  text_.append(below.data(), below.size());
  return *this;
}

}  // namespace sluice::plugins
