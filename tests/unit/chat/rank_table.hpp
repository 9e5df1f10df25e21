#pragma once
/// Rank files made up for tests: every single byte, and tokens made of tokens; and merging as slowly as it can be said.

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::tests {

inline std::string base64(std::string_view bytes) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t k) { return i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u; };
    const unsigned three = byte(0) << 16 | byte(1) << 8 | byte(2);
    for (std::size_t k = 0; k != 4; ++k) out += i + k > bytes.size() ? '=' : kAlphabet[three >> (18 - 6 * k) & 63];
  }
  return out;
}

/// Tokens by rank.
using Tokens = std::vector<std::string>;

/// The single bytes, the highest first, so that no rank is what its byte is, and `more` behind them.
inline Tokens tokens_with(const Tokens& more) {
  Tokens tokens;
  for (int byte = 255; byte >= 0; --byte) tokens.emplace_back(1, static_cast<char>(byte));
  tokens.insert(tokens.end(), more.begin(), more.end());
  return tokens;
}

/// As a vocabulary is learned: `merges` pairs of the tokens so far, of a few letters, each put together.
inline Tokens learned(std::size_t merges, std::uint32_t seed, std::string_view letters = "ab c\xC3\xA9\n") {
  Tokens tokens = tokens_with({});
  Tokens parts;
  for (const char c : letters) parts.emplace_back(1, c);
  std::mt19937 random(seed);
  while (merges != 0) {
    const std::string both = parts[random() % parts.size()] + parts[random() % parts.size()];
    if (both.size() > 12 || std::find(parts.begin(), parts.end(), both) != parts.end()) continue;
    parts.push_back(both);
    tokens.push_back(both);
    --merges;
  }
  return tokens;
}

inline std::string rank_file(const Tokens& tokens) {
  std::string out;
  for (std::size_t i = 0; i != tokens.size(); ++i) out += base64(tokens[i]) + " " + std::to_string(i) + "\n";
  return out;
}

using Ranks = std::map<std::string, std::uint32_t, std::less<>>;
inline Ranks ranks_of(const Tokens& tokens) {
  Ranks ranks;
  for (std::size_t i = 0; i != tokens.size(); ++i) ranks.emplace(tokens[i], static_cast<std::uint32_t>(i));
  return ranks;
}

/// The ranks of a piece, merged pair by pair: the definition.
inline std::vector<std::uint32_t> merged_slowly(const Ranks& ranks, std::string_view piece) {
  if (const auto whole = ranks.find(piece); whole != ranks.end()) return {whole->second};
  Tokens parts;
  for (const char c : piece) parts.emplace_back(1, c);
  while (true) {
    std::size_t best = parts.size();
    std::uint32_t lowest = UINT32_MAX;
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
      const auto both = ranks.find(parts[i] + parts[i + 1]);
      if (both == ranks.end() || both->second >= lowest) continue;
      lowest = both->second;
      best = i;
    }
    if (best == parts.size()) break;
    parts[best] += parts[best + 1];
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
  std::vector<std::uint32_t> out;
  for (const std::string& part : parts) out.push_back(ranks.find(part)->second);
  return out;
}

}  // namespace sluice::tests
