// The two patterns, alternative by alternative, in their order. Where a pattern would backtrack, the comment says to what.
//
// o200k_base (Source: tiktoken, openai_public.py):
//   1  [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?
//   2  [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?
//   3  \p{N}{1,3}    4   ?[^\s\p{L}\p{N}]+[\r\n/]*    5  \s*[\r\n]+    6  \s+(?!\S)    7  \s+
// cl100k_base:
//   1  '(?i:[sdmt]|ll|ve|re)    2  [^\r\n\p{L}\p{N}]?+\p{L}++    3  \p{N}{1,3}+    4   ?[^\s\p{L}\p{N}]++[\r\n]*+
//   5  \s++$    6  \s*[\r\n]    7  \s+(?!\S)    8  \s

#include "chat/pretokens.hpp"

#include <array>
#include <cstdint>

#include "chat/character_table.hpp"

namespace sluice::chat::tokens {
namespace {

// What a character is; bits, so that a class of a pattern is a mask.
using Kinds = std::uint8_t;
constexpr Kinds kCapital = 1, kSmall = 2, kOtherLetter = 4, kMark = 8, kNumber = 16, kSpace = 32, kLineEnd = 64, kSign = 128;
constexpr Kinds kLetters = kCapital | kSmall | kOtherLetter;
constexpr Kinds kUpperSide = kCapital | kOtherLetter | kMark;  // [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]
constexpr Kinds kLowerSide = kSmall | kOtherLetter | kMark;    // [\p{Ll}\p{Lm}\p{Lo}\p{M}]
constexpr Kinds kBothSides = kOtherLetter | kMark;
constexpr Kinds kNotBefore = kLetters | kNumber | kLineEnd;    // what [^\r\n\p{L}\p{N}] leaves out

constexpr Kinds kind_named(char letter) {
  switch (letter) {
    case 'U': return kCapital;
    case 'l': return kSmall;
    case 'o': return kOtherLetter;
    case 'm': return kMark;
    case 'n': return kNumber;
    case 's': return kSpace;
    case 'r': return kLineEnd;
    default: return kSign;
  }
}

constexpr std::size_t kBlock = kCharacterBlocks[0].size();
constexpr auto kKinds = [] {
  std::array<std::array<Kinds, kBlock>, kCharacterBlocks.size()> kinds{};
  for (std::size_t b = 0; b != kinds.size(); ++b) {
    for (std::size_t i = 0; i != kBlock; ++i) kinds[b][i] = kind_named(kCharacterBlocks[b][i]);
  }
  return kinds;
}();
static_assert(kCharacterBlocks.size() <= 256 && kCharacterIndex.size() == 2 * kCharacterIndices);
constexpr auto kIndex = [] {
  std::array<std::uint8_t, kCharacterIndices> index{};
  for (std::size_t i = 0; i != index.size(); ++i) {
    index[i] = static_cast<std::uint8_t>((kCharacterIndex[2 * i] - 'a') * 26 + (kCharacterIndex[2 * i + 1] - 'a'));
  }
  return index;
}();

Kinds kind_of(std::uint32_t code_point) noexcept {
  const std::size_t block = code_point / kBlock;
  if (block < kIndex.size()) return kKinds[kIndex[block]][code_point % kBlock];
  return code_point >= 0xe0100 && code_point < 0xe01f0 ? kMark : kSign;
}

struct Character {
  Kinds kind;
  std::uint8_t size;  // 1 for a byte that belongs to none
};

/// Where it reads, and whether all of it was characters.
class Reader {
 public:
  Reader(const char* end, bool& whole) noexcept : end_(end), whole_(whole) {}

  [[nodiscard]] const char* end() const noexcept { return end_; }

  /// The character at `p`, which is not the end.
  [[nodiscard]] Character at(const char* p) const noexcept {
    const std::uint32_t c = byte(p, 0);
    if (c < 0x80) return {kKinds[kIndex[0]][c], 1};
    if (c >= 0xc2 && c < 0xe0 && follows(p, 1)) return {kind_of((c & 0x1f) << 6 | low(p, 1)), 2};
    if (c >= 0xe0 && c < 0xf0 && follows(p, 1) && follows(p, 2)) {
      const std::uint32_t code_point = (c & 0x0f) << 12 | low(p, 1) << 6 | low(p, 2);
      if (code_point >= 0x800 && (code_point < 0xd800 || code_point >= 0xe000)) return {kind_of(code_point), 3};
    }
    if (c >= 0xf0 && c < 0xf5 && follows(p, 1) && follows(p, 2) && follows(p, 3)) {
      const std::uint32_t code_point = (c & 0x07) << 18 | low(p, 1) << 12 | low(p, 2) << 6 | low(p, 3);
      if (code_point >= 0x10000 && code_point < 0x110000) return {kind_of(code_point), 4};
    }
    whole_ = false;
    return {kSign, 1};
  }

  /// The end of the run of `kinds` that begins at `p`.
  [[nodiscard]] const char* run(const char* p, Kinds kinds) const noexcept {
    while (p != end_) {
      const Character c = at(p);
      if ((c.kind & kinds) == 0) break;
      p += c.size;
    }
    return p;
  }

  [[nodiscard]] bool is(const char* p, Kinds kinds) const noexcept { return p != end_ && (at(p).kind & kinds) != 0; }

  /// The end of `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll` or `'d` at `p`, in any case; `p` where there is none.
  [[nodiscard]] const char* contraction(const char* p) const noexcept {
    if (end_ - p < 2 || *p != '\'') return p;
    const char first = lowered(p[1]);
    if (first == 's' || first == 't' || first == 'm' || first == 'd') return p + 2;
    if (end_ - p < 3) return p;
    const char second = lowered(p[2]);
    if ((first == 'r' || first == 'v') && second == 'e') return p + 3;
    if (first == 'l' && second == 'l') return p + 3;
    // U+017F, the long s, is an s in any case.
    return static_cast<unsigned char>(p[1]) == 0xc5 && static_cast<unsigned char>(p[2]) == 0xbf ? p + 3 : p;
  }

  /// \p{N}{1,3}
  [[nodiscard]] const char* digits(const char* p) const noexcept {
    for (int i = 0; i != 3 && is(p, kNumber); ++i) p += at(p).size;
    return p;
  }

  /// The white space at `p`, as much of it as the last alternatives take. `tail`: all that ends a text is one piece.
  [[nodiscard]] const char* spaces(const char* p, bool tail) const noexcept {
    const char* last = p;  // where the last one begins
    const char* line_end = nullptr;
    const char* q = p;
    while (q != end_) {
      const Character c = at(q);
      if ((c.kind & (kSpace | kLineEnd)) == 0) break;
      last = q;
      q += c.size;
      if (c.kind == kLineEnd) line_end = q;
    }
    if (q == end_ && tail) return q;
    if (line_end != nullptr) return line_end;
    return q == end_ || last == p ? q : last;  // the last one is left to the word behind it
  }

 private:
  static std::uint32_t byte(const char* p, std::size_t i) noexcept { return static_cast<unsigned char>(p[i]); }
  static std::uint32_t low(const char* p, std::size_t i) noexcept { return byte(p, i) & 0x3f; }
  static char lowered(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
  [[nodiscard]] bool follows(const char* p, std::ptrdiff_t i) const noexcept {
    return end_ - p > i && (byte(p, static_cast<std::size_t>(i)) & 0xc0) == 0x80;
  }

  const char* end_;
  bool& whole_;
};

/// ` ?[^\s\p{L}\p{N}]+`; `p` where there is none.
const char* signs(const Reader& in, const char* p) noexcept {
  const char* begin = *p == ' ' ? p + 1 : p;
  const char* end = in.run(begin, kSign | kMark);
  return end == begin ? p : end;
}

const char* cl100k(const Reader& in, const char* p) noexcept {
  if (const char* q = in.contraction(p); q != p) return q;
  const Character c = in.at(p);
  if ((c.kind & kLetters) != 0) return in.run(p, kLetters);
  if ((c.kind & kNotBefore) == 0 && in.is(p + c.size, kLetters)) return in.run(p + c.size, kLetters);
  if (c.kind == kNumber) return in.digits(p);
  if (const char* q = signs(in, p); q != p) return in.run(q, kLineEnd);
  return in.spaces(p, true);
}

/// `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+`; null where there is none.
const char* cased_word(const Reader& in, const char* p) noexcept {
  const char* both = nullptr;  // behind the last character that may stand on either side
  while (p != in.end()) {
    const Character c = in.at(p);
    if (c.kind == kSmall) return in.run(p, kLowerSide);
    if ((c.kind & kUpperSide) == 0) break;
    p += c.size;
    if ((c.kind & kBothSides) != 0) both = p;
  }
  return both;  // without a small letter, the first part gives back what it took, up to the last that the second may have
}

const char* o200k(const Reader& in, const char* p) noexcept {
  const Character c = in.at(p);
  const bool may_precede = (c.kind & kNotBefore) == 0;
  if (may_precede) {
    if (const char* q = cased_word(in, p + c.size)) return in.contraction(q);
  }
  if (const char* q = cased_word(in, p)) return in.contraction(q);  // a mark that preceded nothing is a word itself
  // What is left of the second alternative are capitals.
  const char* capitals = may_precede ? p + c.size : p;
  if (const char* q = in.run(capitals, kCapital); q != capitals) return in.contraction(q);
  if (c.kind == kNumber) return in.digits(p);
  if (const char* q = signs(in, p); q != p) {
    while (q != in.end() && (*q == '\r' || *q == '\n' || *q == '/')) ++q;
    return q;
  }
  return in.spaces(p, false);
}

}  // namespace

std::size_t first_piece(std::string_view text, Vocabulary vocabulary, bool& whole) noexcept {
  if (text.empty()) return 0;
  const Reader in(text.data() + text.size(), whole);
  const char* const end = vocabulary == Vocabulary::kCl100k ? cl100k(in, text.data()) : o200k(in, text.data());
  return static_cast<std::size_t>(end - text.data());
}

}  // namespace sluice::chat::tokens
