#pragma once
/// How many tokens a text has, and which, by a vocabulary itself: cut into pieces, and each merged by rank. Text alone: what
/// spells a special token is text. For a megabyte of one letter as for prose: pieces merge over a heap, and what of a piece is
/// longer than any word is not merged but extrapolated.
/// Knows a vocabulary; must not know models, requests or where the file lies.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "chat/bpe_ranks.hpp"
#include "chat/tokens.hpp"
#include "sluice/error.hpp"

namespace sluice::chat::tokens {

/// A number of tokens.
struct Count {
  std::uint64_t tokens = 0;
  /// False where some of it is a guess: a piece longer than kLongestPiece, text behind a bound, bytes that are no UTF-8
  /// (which a provider never sees as they are).
  bool exact = true;
  friend bool operator==(const Count&, const Count&) = default;
};

/// Immutable. Thread: any.
class Bpe {
 public:
  /// So many bytes of a piece are merged; the rest is taken to have as many tokens for each byte. Words of any language are
  /// shorter, and so is a paragraph without a space; a megabyte of one letter is not.
  static constexpr std::size_t kLongestPiece = 4096;

  Bpe(Vocabulary vocabulary, RankTable ranks) noexcept : vocabulary_(vocabulary), ranks_(std::move(ranks)) {}

  [[nodiscard]] Vocabulary vocabulary() const noexcept { return vocabulary_; }
  [[nodiscard]] const RankTable& ranks() const noexcept { return ranks_; }

  /// Never more than the bytes of `text`. Cost: some 25 us for 2 KB of English words; at worst 1 us a byte.
  [[nodiscard]] Count count(std::string_view text) const;
  /// Appends the tokens of `text`. False, and what stands before it, where a piece is longer than kLongestPiece.
  bool encode(std::string_view text, std::vector<std::uint32_t>& tokens) const;

 private:
  Vocabulary vocabulary_;
  RankTable ranks_;
};

/// Counts texts up to a bound of bytes, and takes what is behind it to be like what was counted.
class BoundedCount {
 public:
  /// `bpe` outlives it.
  BoundedCount(const Bpe& bpe, std::size_t bound) noexcept : bpe_(bpe), left_(bound) {}
  void add(std::string_view text);
  /// Bytes that nobody looks at: they are like the others.
  void add_unseen(std::uint64_t bytes) noexcept { bytes_ += bytes; }
  [[nodiscard]] Count counted() const noexcept;

 private:
  const Bpe& bpe_;
  std::uint64_t left_;
  std::uint64_t bytes_ = 0, seen_ = 0;  // of all texts; of what was counted
  Count count_;
};

}  // namespace sluice::chat::tokens
