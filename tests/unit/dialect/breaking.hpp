#pragma once
/// Breaks JSON in a thousand ways. Seeded by who calls.

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace sluice::test {

/// Pieces that break things: brackets, quotes, keys, numbers out of range, bytes that are no UTF-8.
inline const std::vector<std::string> kPieces{"{", "}", "[", "]", "\"", ",", ":", "null", "\\", "\\u0000", "\\ud800", "1e400", "-1", "18446744073709551616", "\xff", "\"usage\":", "\"choices\":[]",
                                       "\"delta\":{", "\"error\":{}", "<b>", std::string(1, '\0'), "[[[[[[[[", "true", "\"\""};

/// `text`, broken in a few places.
inline std::string broken(std::mt19937& random, std::string text) {
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % std::max<std::size_t>(n, 1)); };
  for (std::size_t edits = 1 + below(4); edits > 0; --edits) {
    const std::size_t at = below(text.size() + 1);
    switch (below(4)) {
      case 0: text.erase(at, below(20)); break;
      case 1: text.insert(at, kPieces[below(kPieces.size())]); break;
      case 2: text.resize(at); break;
      default: {
        const std::size_t end = std::min(text.size(), at + below(30));
        text.replace(at, end - at, kPieces[below(kPieces.size())]);
      }
    }
  }
  return text;
}

}  // namespace sluice::test
