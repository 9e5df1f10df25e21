// The slow paths of the parser's two rarest refusals.

#include "json/edge.hpp"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <system_error>

#include <simdjson.h>

namespace sluice::json::edge {

bool overflows(const char* begin, const char* end) noexcept {
  double value = 0;
  const auto [stop, error] = std::from_chars(begin, end, value);
  if (error != std::errc::result_out_of_range) return std::isinf(value);
  // Too large or too small: the power of ten of the first digit that counts tells which.
  const char* p = begin + (*begin == '-' ? 1 : 0);
  std::int64_t power = 0;
  bool point = false, significant = false;
  for (; p != end && (*p | 0x20) != 'e'; ++p) {
    if (*p == '.') {
      point = true;
      continue;
    }
    significant = significant || *p != '0';
    if (!point && significant) ++power;
    if (point && !significant) --power;
  }
  std::int64_t exponent = 0;
  if (p != end) {
    ++p;
    const bool negative = *p == '-';
    if (*p == '-' || *p == '+') ++p;
    for (; p != end && exponent < (std::int64_t{1} << 40); ++p) exponent = exponent * 10 + (*p - '0');
    if (negative) exponent = -exponent;
  }
  return significant && power + exponent > 0;
}

const char* first_invalid_utf8(const char* p, const char* end) noexcept {
  // Halving: a prefix that is cut between two characters is valid exactly while the fault lies behind it.
  while (end - p > 64) {
    const char* middle = p + (end - p) / 2;
    while (middle != p && (static_cast<unsigned char>(*middle) & 0xC0) == 0x80) --middle;
    if (middle == p) break;
    if (simdjson::validate_utf8(p, static_cast<std::size_t>(middle - p))) {
      p = middle;
    } else {
      end = middle;
    }
  }
  while (p != end) {
    std::ptrdiff_t length = 1;
    while (length <= 4 && length <= end - p && !simdjson::validate_utf8(p, static_cast<std::size_t>(length))) ++length;
    if (length > 4 || length > end - p) break;
    p += length;
  }
  return p;
}

}  // namespace sluice::json::edge
