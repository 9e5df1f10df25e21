#pragma once
/// The tokens of a vocabulary and their ranks, out of the file they are published in, found by their bytes.
/// Knows one table; must not know how text is cut or merged.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/error.hpp"

namespace sluice::chat::tokens {

/// Immutable once parsed. Memory: 8 bytes for each of 2 to 4 slots a token, 4 bytes a rank, the bytes of the tokens, and 256 KB;
/// memory_bytes() tells. Thread: any.
class RankTable {
 public:
  static constexpr std::uint32_t kNone = 0xffff'ffff;
  // What no vocabulary comes near: a file that has more is another file.
  static constexpr std::size_t kMaxFileBytes = 64u << 20;
  static constexpr std::uint32_t kMaxRank = (1u << 20) - 1;
  static constexpr std::size_t kMaxTokenBytes = 1024;

  /// Reads the text of a rank file: a line for each token, its bytes in base64, a space, its rank. Empty lines are skipped.
  /// Errors: kInvalidConfiguration, with the line and what is wrong there: no base64, no rank, a token or rank that stands
  /// twice, a limit above, or a single byte that is no token, without which not every text has tokens.
  [[nodiscard]] static Result<RankTable> parse(std::string_view file);

  /// The rank of these bytes; kNone where they are no token.
  [[nodiscard]] std::uint32_t find(std::string_view bytes) const noexcept;
  /// The same of two bytes, at once.
  [[nodiscard]] std::uint32_t pair(char first, char second) const noexcept {
    return pairs_[static_cast<std::size_t>(static_cast<unsigned char>(first)) << 8 | static_cast<unsigned char>(second)];
  }
  /// The bytes of the token of this rank; empty where there is none. Lifetime: the table's.
  [[nodiscard]] std::string_view token(std::uint32_t rank) const noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t longest() const noexcept { return longest_; }
  [[nodiscard]] std::size_t memory_bytes() const noexcept;

 private:
  struct Slot {
    std::uint32_t tag = 0;
    std::uint32_t rank = kNone;
  };
  RankTable() = default;

  std::vector<Slot> slots_;             // open addressing, a power of two, at most half full
  std::vector<std::uint32_t> offsets_;  // by rank: where its bytes begin; one more at the end
  std::string bytes_;                   // of all tokens, by rank
  std::vector<std::uint32_t> pairs_;    // by two bytes
  std::size_t size_ = 0, longest_ = 0;
};

}  // namespace sluice::chat::tokens
