// Merging: of all adjacent parts of a piece whose bytes together are a token, those of the lowest rank become one, the
// leftmost first, until there are none. Short pieces look for them in a row, long ones in a heap.

#include "chat/bpe.hpp"

#include <algorithm>
#include <array>
#include <functional>

#include "base/utf8.hpp"
#include "chat/pretokens.hpp"

namespace sluice::chat::tokens {
namespace {

constexpr std::uint32_t kNone = RankTable::kNone;
constexpr std::size_t kShort = 48;  // from here on a heap is faster than a row

/// Merges one piece after the other; its memory is used again.
class Merger {
 public:
  explicit Merger(const RankTable& ranks) noexcept : ranks_(ranks) {}

  /// How many tokens `piece` has, at most kLongestPiece bytes; `take` is called with each, from left to right.
  template <typename Take> std::size_t merge(std::string_view piece, Take take) {
    if (const std::uint32_t whole = ranks_.find(piece); whole != kNone) {
      take(whole);
      return 1;
    }
    return piece.size() <= kShort ? row(piece, take) : heap(piece, take);
  }

 private:
  struct Part {
    std::uint16_t begin;
    std::uint32_t rank;  // of this part and the next together
  };

  template <typename Take> std::size_t row(std::string_view piece, Take take) {
    std::array<Part, kShort + 1> parts;
    std::size_t n = piece.size();
    for (std::size_t i = 0; i != n; ++i) {
      parts[i] = {static_cast<std::uint16_t>(i), i + 1 < n ? ranks_.pair(piece[i], piece[i + 1]) : kNone};
    }
    parts[n] = {static_cast<std::uint16_t>(n), kNone};
    const auto rank_at = [&](std::size_t i) {
      return i + 2 > n ? kNone : ranks_.find(piece.substr(parts[i].begin, std::size_t{parts[i + 2].begin} - parts[i].begin));
    };
    while (n > 1) {
      std::size_t least = 0;
      for (std::size_t i = 1; i + 1 < n; ++i) {
        if (parts[i].rank < parts[least].rank) least = i;
      }
      if (parts[least].rank == kNone) break;
      for (std::size_t i = least + 1; i != n; ++i) parts[i] = parts[i + 1];
      --n;
      parts[least].rank = rank_at(least);
      if (least != 0) parts[least - 1].rank = rank_at(least - 1);
    }
    for (std::size_t i = 0; i != n; ++i) take(std::pair(parts[i].begin, parts[i + 1].begin));
    return n;
  }

  /// The same with neighbours in a linked list, and pairs ordered by rank, then by where they begin. An offer whose pair has
  /// changed since is known by its length.
  template <typename Take> std::size_t heap(std::string_view piece, Take take) {
    const std::size_t size = piece.size();
    const auto none = static_cast<std::uint16_t>(size);
    next_.resize(size + 1);
    before_.resize(size + 1);
    offers_.clear();
    for (std::size_t i = 0; i != size; ++i) {
      next_[i] = static_cast<std::uint16_t>(i + 1);
      before_[i] = static_cast<std::uint16_t>(i == 0 ? size : i - 1);
      const std::uint32_t rank = i + 1 < size ? ranks_.pair(piece[i], piece[i + 1]) : kNone;
      if (rank != kNone) offers_.push_back(offer(rank, i, 2));
    }
    next_[size] = none;
    std::make_heap(offers_.begin(), offers_.end(), std::greater<>{});
    const auto offer_at = [&](std::size_t i) {
      const std::size_t second = next_[i];
      if (second == size) return;
      const std::size_t length = std::size_t{next_[second]} - i;
      const std::uint32_t rank = ranks_.find(piece.substr(i, length));
      if (rank == kNone) return;
      offers_.push_back(offer(rank, i, length));
      std::push_heap(offers_.begin(), offers_.end(), std::greater<>{});
    };
    std::size_t parts = size;
    while (!offers_.empty()) {
      std::pop_heap(offers_.begin(), offers_.end(), std::greater<>{});
      const std::uint64_t best = offers_.back();
      offers_.pop_back();
      const auto first = static_cast<std::uint16_t>(best >> 16);
      const std::size_t length = best & 0xffff;
      const std::uint16_t second = next_[first];
      if (second == kMerged || second == none || std::size_t{next_[second]} - first != length) continue;
      next_[first] = next_[second];
      if (next_[second] != none) before_[next_[second]] = first;
      next_[second] = kMerged;
      --parts;
      offer_at(first);
      if (before_[first] != none) offer_at(before_[first]);
    }
    for (std::size_t i = 0; i != size; i = next_[i]) take(std::pair(static_cast<std::uint16_t>(i), next_[i]));
    return parts;
  }

  static std::uint64_t offer(std::uint32_t rank, std::size_t at, std::size_t length) noexcept {
    return std::uint64_t{rank} << 32 | std::uint64_t{at} << 16 | length;
  }

  static constexpr std::uint16_t kMerged = 0xffff;
  static_assert(Bpe::kLongestPiece < kMerged);
  const RankTable& ranks_;
  std::vector<std::uint16_t> next_, before_;  // by where a part begins
  std::vector<std::uint64_t> offers_;
};

/// Of `tokens` for `counted` bytes, what `bytes` have, rounded up.
std::uint64_t extrapolated(std::uint64_t tokens, std::uint64_t counted, std::uint64_t bytes) noexcept {
  if (counted == 0) return bytes;
  return bytes / counted * tokens + (bytes % counted * tokens + counted - 1) / counted;
}

}  // namespace

Count Bpe::count(std::string_view text) const {
  Count out;
  Merger merger(ranks_);
  while (!text.empty()) {
    const std::size_t size = first_piece(text, vocabulary_, out.exact);
    const std::size_t merged = std::min(size, kLongestPiece);
    const std::uint64_t tokens = merger.merge(text.substr(0, merged), [](const auto&) {});
    out.exact = out.exact && merged == size;
    out.tokens += merged == size ? tokens : extrapolated(tokens, merged, size);
    text.remove_prefix(size);
  }
  return out;
}

bool Bpe::encode(std::string_view text, std::vector<std::uint32_t>& tokens) const {
  Merger merger(ranks_);
  bool whole = true;
  while (!text.empty()) {
    const std::size_t size = first_piece(text, vocabulary_, whole);
    if (size > kLongestPiece) return false;
    struct Take {
      const RankTable& ranks;
      std::string_view piece;
      std::vector<std::uint32_t>& tokens;
      void operator()(std::uint32_t rank) const { tokens.push_back(rank); }
      void operator()(std::pair<std::uint16_t, std::uint16_t> part) const {
        tokens.push_back(ranks.find(piece.substr(part.first, static_cast<std::size_t>(part.second - part.first))));
      }
    };
    (void)merger.merge(text.substr(0, size), Take{ranks_, text.substr(0, size), tokens});
    text.remove_prefix(size);
  }
  return true;
}

void BoundedCount::add(std::string_view text) {
  const std::string_view counted = base::truncate_utf8(text, static_cast<std::size_t>(std::min<std::uint64_t>(left_, text.size())));
  const Count more = bpe_.count(counted);
  count_.tokens += more.tokens;
  count_.exact = count_.exact && more.exact;
  bytes_ += text.size();
  seen_ += counted.size();
  left_ = counted.size() == text.size() ? left_ - text.size() : 0;
}

Count BoundedCount::counted() const noexcept {
  if (seen_ == bytes_) return count_;
  return {extrapolated(count_.tokens, seen_, bytes_), false};
}

}  // namespace sluice::chat::tokens
