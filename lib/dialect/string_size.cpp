// Sizes of JSON strings, read off their raw text.

#include "dialect/string_size.hpp"

#include <algorithm>

#include "json/scan.hpp"

namespace sluice::dialect {
namespace {

/// What stands at a backslash: how many bytes the escape takes, and what it means. A surrogate is an escape of its own.
struct Escape {
  std::size_t length = 2;
  std::uint32_t unit = 0;
};
Escape escape_at(std::string_view raw) noexcept {
  if (raw.size() < 2) return {raw.size(), '\\'};
  switch (raw[1]) {
    case 'b': return {2, '\b'};
    case 'f': return {2, '\f'};
    case 'n': return {2, '\n'};
    case 'r': return {2, '\r'};
    case 't': return {2, '\t'};
    case 'u': break;
    default: return {2, static_cast<unsigned char>(raw[1])};
  }
  const int unit = raw.size() < 6 ? -1 : json::scan::hex_unit(raw.data() + 2);
  return unit < 0 ? Escape{} : Escape{6, static_cast<std::uint32_t>(unit)};
}

/// Bytes that begin a character.
std::size_t characters_of(std::string_view text) noexcept {
  return text.size() - json::scan::continuation_bytes(text.data(), text.data() + text.size());
}
bool is_break(std::uint32_t c) noexcept { return c == '\n' || c == '\r' || c == '\t' || c == ' '; }

bool is_hex(char c) noexcept { return json::scan::is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'); }

/// Calls plain(text) for each run between escapes and escape(unit) for each escape, in order.
template <typename Plain, typename Escaped>
void walk(std::string_view raw, Plain plain, Escaped escaped) {
  while (!raw.empty()) {
    const std::size_t stop = std::min(raw.find('\\'), raw.size());
    if (stop != 0) plain(raw.substr(0, stop));
    raw.remove_prefix(stop);
    if (raw.empty()) return;
    const Escape escape = escape_at(raw);
    escaped(escape.unit);
    raw.remove_prefix(escape.length);
  }
}

}  // namespace

std::uint64_t code_points(std::string_view raw) noexcept {
  std::uint64_t n = 0;
  walk(
      raw, [&](std::string_view text) { n += characters_of(text); },
      // The second half of a pair is no character of its own; the parser lets no half stand alone.
      [&](std::uint32_t unit) { n += json::scan::is_low_surrogate(static_cast<int>(unit)) ? 0 : 1; });
  return n;
}

std::uint64_t base64_bytes(std::string_view raw) noexcept {
  std::uint64_t digits = 0, padding = 0;  // padding with digits behind it was none
  walk(
      raw,
      [&](std::string_view text) {
        const std::size_t last = text.find_last_not_of('=');
        if (last != std::string_view::npos) {
          digits += padding + last + 1;
          padding = 0;
        }
        padding += text.size() - (last == std::string_view::npos ? 0 : last + 1);
      },
      [&](std::uint32_t unit) {
        if (is_break(unit)) return;
        if (unit == '=') {
          ++padding;
        } else {
          digits += padding + 1;
          padding = 0;
        }
      });
  return digits / 4 * 3 + digits % 4 * 3 / 4;
}

std::uint64_t percent_bytes(std::string_view raw) noexcept {
  std::uint64_t n = 0;
  walk(
      raw,
      [&](std::string_view text) {
        n += text.size();
        for (std::size_t i = text.find('%'); i != std::string_view::npos; i = text.find('%', i + 1)) {
          if (text.size() - i >= 3 && is_hex(text[i + 1]) && is_hex(text[i + 2])) {
            n -= 2;
            i += 2;
          }
        }
      },
      // In UTF-8; a surrogate is half of a character of four bytes.
      [&](std::uint32_t unit) { n += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xD800 && unit <= 0xDFFF) ? 2 : 3; });
  return n;
}

unsigned char take_ascii(std::string_view& raw) noexcept {
  std::size_t length = 1;
  std::uint32_t c = static_cast<unsigned char>(raw.front());
  if (c == '\\') {
    const Escape escape = escape_at(raw);
    length = escape.length;
    c = escape.unit;
  }
  raw.remove_prefix(length);
  return static_cast<unsigned char>(c < 0x80 ? c : 0x80);
}

}  // namespace sluice::dialect
