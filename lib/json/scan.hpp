#pragma once
/// The inner loops over JSON bytes: where a string's plain run ends, where white space ends.
/// Knows bytes and, on x86, SSE2 (part of every x86-64, so no -march is needed); must not know values or documents.

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace sluice::json::scan {

[[nodiscard]] inline bool is_space(char c) noexcept { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
[[nodiscard]] inline bool is_digit(char c) noexcept { return static_cast<unsigned char>(c - '0') <= 9; }

/// What stops a plain run inside a string: the quote, the backslash and the control characters below 0x20.
[[nodiscard]] inline bool is_string_stop(char c) noexcept {
  return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20;
}

/// The bytes that make an escape of two bytes behind a backslash.
[[nodiscard]] inline bool is_two_byte_escape(char c) noexcept {
  switch (c) {
    case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't': return true;
    default: return false;
  }
}

namespace detail {
inline constexpr auto kHexDigits = [] {
  std::array<std::int8_t, 256> table{};
  table.fill(-1);
  for (std::int8_t i = 0; i != 10; ++i) table[static_cast<std::size_t>('0' + i)] = i;
  for (std::int8_t i = 10; i != 16; ++i) {
    table[static_cast<std::size_t>('a' + i - 10)] = i;
    table[static_cast<std::size_t>('A' + i - 10)] = i;
  }
  return table;
}();
}  // namespace detail

/// The value of a hexadecimal digit, or a negative number.
[[nodiscard]] inline int hex_digit(char c) noexcept { return detail::kHexDigits[static_cast<unsigned char>(c)]; }

/// The 16-bit unit of the four digits at `p`, or a negative number. Reads four bytes.
[[nodiscard]] inline int hex_unit(const char* p) noexcept {
  const int a = hex_digit(p[0]), b = hex_digit(p[1]), c = hex_digit(p[2]), d = hex_digit(p[3]);
  return (a | b | c | d) < 0 ? -1 : a * 0x1000 + b * 0x100 + c * 0x10 + d;
}

[[nodiscard]] inline bool is_high_surrogate(int unit) noexcept { return (unit & 0xFC00) == 0xD800; }
[[nodiscard]] inline bool is_low_surrogate(int unit) noexcept { return (unit & 0xFC00) == 0xDC00; }

/// Sixteen bytes seen as string content: bit i of `stops` says that byte i is a string stop; `high` is not zero where
/// a byte is above 0x7F.
struct Block {
  static constexpr int kSize = 16;
  std::uint32_t stops;
  std::uint32_t high;
};

/// Which of sixteen bytes are a backslash, and which could stand behind one in an escape of two bytes (`\n`, not `\u`).
struct Escapes {
  std::uint32_t backslashes;
  std::uint32_t two_byte;
};

/// The bytes that a backslash escapes, given where backslashes stand and that the first byte is not escaped. Bit 16
/// says that the byte behind the block is.
[[nodiscard]] inline std::uint32_t escaped(std::uint32_t backslashes) noexcept {
  if ((backslashes & (backslashes << 1)) == 0) return backslashes << 1;
  std::uint32_t out = 0;
  while (backslashes != 0) {
    const std::uint32_t first = backslashes & (~backslashes + 1);
    out |= first << 1;
    backslashes &= ~(first * 3);  // one that is escaped escapes nothing
  }
  return out;
}

#if defined(__SSE2__)

[[nodiscard]] inline __m128i load(const char* p) noexcept {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}
[[nodiscard]] inline __m128i string_stops(__m128i v) noexcept {
  const __m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
  const __m128i backslash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
  const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1F)), v);
  return _mm_or_si128(_mm_or_si128(quote, backslash), control);
}
[[nodiscard]] inline std::uint32_t mask(__m128i v) noexcept {
  return static_cast<std::uint32_t>(_mm_movemask_epi8(v));
}

[[nodiscard]] inline Block block(const char* p) noexcept {
  const __m128i v = load(p);
  return {mask(string_stops(v)), mask(v)};
}

[[nodiscard]] inline Escapes escapes(const char* p) noexcept {
  const __m128i v = load(p);
  const auto equal = [v](char c) { return _mm_cmpeq_epi8(v, _mm_set1_epi8(c)); };
  const __m128i backslash = equal('\\');
  const __m128i marks = _mm_or_si128(_mm_or_si128(equal('"'), backslash), equal('/'));
  const __m128i letters = _mm_or_si128(_mm_or_si128(_mm_or_si128(equal('n'), equal('t')), equal('r')),
                                       _mm_or_si128(equal('b'), equal('f')));
  return {mask(backslash), mask(_mm_or_si128(marks, letters))};
}

/// Jumps over 64-byte runs without a stop while 64 bytes are left before `end`. Adds to `high` as Block has it.
[[nodiscard]] inline const char* skip_plain_runs(const char* p, const char* end, std::uint32_t& high) noexcept {
  while (end - p >= 64) {
    const __m128i a = load(p), b = load(p + 16), c = load(p + 32), d = load(p + 48);
    const __m128i stops = _mm_or_si128(_mm_or_si128(string_stops(a), string_stops(b)),
                                       _mm_or_si128(string_stops(c), string_stops(d)));
    if (mask(stops) != 0) break;
    high |= mask(_mm_or_si128(_mm_or_si128(a, b), _mm_or_si128(c, d)));
    p += 64;
  }
  return p;
}

/// The first byte from `p` on that is no white space. Reads up to 16 bytes past it: needs padding, and a byte that
/// stops it.
[[nodiscard]] inline const char* skip_long_space(const char* p) noexcept {
  for (;; p += 16) {
    const __m128i v = load(p);
    const __m128i space = _mm_or_si128(
        _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(' ')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\n'))),
        _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('\r')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\t'))));
    const std::uint32_t other = mask(space) ^ 0xFFFFU;
    if (other != 0) return p + std::countr_zero(other);
  }
}

/// How many bytes of [p, end) go on a character that began before them (10xxxxxx in UTF-8). Reads nothing outside.
[[nodiscard]] inline std::size_t continuation_bytes(const char* p, const char* end) noexcept {
  std::size_t n = 0;
  while (end - p >= 16) {
    // As signed bytes these are the ones below -64. A lane counts up to 255 before its sum is taken.
    __m128i lanes = _mm_setzero_si128();
    for (const char* const stop = p + std::min<std::ptrdiff_t>((end - p) / 16, 255) * 16; p != stop; p += 16) {
      lanes = _mm_sub_epi8(lanes, _mm_cmplt_epi8(load(p), _mm_set1_epi8(-64)));
    }
    const __m128i sums = _mm_sad_epu8(lanes, _mm_setzero_si128());
    n += static_cast<std::size_t>(_mm_cvtsi128_si64(sums) + _mm_cvtsi128_si64(_mm_unpackhi_epi64(sums, sums)));
  }
  for (; p != end; ++p) n += static_cast<signed char>(*p) < -64 ? 1 : 0;
  return n;
}

#else  // the same in plain C++, eight bytes to a word

namespace detail {
inline constexpr std::uint64_t kOnes = 0x0101010101010101U, kHighs = 0x8080808080808080U;
/// The high bit of each byte of `w` that is `c`, exactly (no carry between bytes).
[[nodiscard]] inline std::uint64_t equal(std::uint64_t w, unsigned char c) noexcept {
  const std::uint64_t x = w ^ (kOnes * c);
  return ~(((x & ~kHighs) + ~kHighs) | x) & kHighs;
}
[[nodiscard]] inline std::uint64_t string_stops(std::uint64_t w) noexcept {
  const std::uint64_t control = ~((w & ~kHighs) + kOnes * (0x80 - 0x20)) & ~w & kHighs;
  return equal(w, '"') | equal(w, '\\') | control;
}
[[nodiscard]] inline std::uint64_t load(const char* p) noexcept {
  std::uint64_t w = 0;
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(&w, p, sizeof w);
  } else {
    for (int i = 7; i >= 0; --i) w = (w << 8) | static_cast<unsigned char>(p[i]);
  }
  return w;
}
/// One bit a byte out of the high bits.
[[nodiscard]] inline std::uint32_t gather(std::uint64_t highs) noexcept {
  return static_cast<std::uint32_t>(((highs >> 7) * 0x0102040810204080U) >> 56);
}
}  // namespace detail

[[nodiscard]] inline Block block(const char* p) noexcept {
  const std::uint64_t a = detail::load(p), b = detail::load(p + 8);
  return {detail::gather(detail::string_stops(a)) | (detail::gather(detail::string_stops(b)) << 8),
          ((a | b) & detail::kHighs) != 0 ? 1U : 0U};
}

[[nodiscard]] inline Escapes escapes(const char* p) noexcept {
  Escapes out{0, 0};
  for (int i = 0; i != Block::kSize; ++i) {
    out.backslashes |= static_cast<std::uint32_t>(p[i] == '\\') << i;
    out.two_byte |= static_cast<std::uint32_t>(is_two_byte_escape(p[i])) << i;
  }
  return out;
}

[[nodiscard]] inline const char* skip_plain_runs(const char* p, const char* end, std::uint32_t& high) noexcept {
  while (end - p >= 16) {
    const std::uint64_t a = detail::load(p), b = detail::load(p + 8);
    if ((detail::string_stops(a) | detail::string_stops(b)) != 0) break;
    high |= ((a | b) & detail::kHighs) != 0 ? 1U : 0U;
    p += 16;
  }
  return p;
}

[[nodiscard]] inline const char* skip_long_space(const char* p) noexcept {
  while (is_space(*p)) ++p;
  return p;
}

[[nodiscard]] inline std::size_t continuation_bytes(const char* p, const char* end) noexcept {
  std::size_t n = 0;
  for (; end - p >= 8; p += 8) {
    const std::uint64_t w = detail::load(p);  // bit 7 without bit 6
    n += ((w >> 7) & (~w >> 6) & detail::kOnes) * detail::kOnes >> 56;
  }
  for (; p != end; ++p) n += static_cast<signed char>(*p) < -64 ? 1 : 0;
  return n;
}

#endif

/// The first byte from `p` on that is no white space. Most often that is `p` or the byte behind it.
[[nodiscard]] inline const char* skip_space(const char* p) noexcept {
  if (!is_space(*p)) return p;
  if (!is_space(*++p)) return p;
  return skip_long_space(p);
}

/// The first string stop in [p, end), or `end`. Reads nothing outside.
[[nodiscard]] inline const char* find_string_stop(const char* p, const char* end) noexcept {
  std::uint32_t ignored = 0;
  p = skip_plain_runs(p, end, ignored);
  for (; end - p >= Block::kSize; p += Block::kSize) {
    const std::uint32_t stops = block(p).stops;
    if (stops != 0) return p + std::countr_zero(stops);
  }
  while (p != end && !is_string_stop(*p)) ++p;
  return p;
}

}  // namespace sluice::json::scan
