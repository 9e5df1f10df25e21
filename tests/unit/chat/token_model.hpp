#pragma once
/// Token classes counted the slow way, for comparison: the text is taken apart into characters first, and each is judged
/// by the characters before it. Shares no code with lib/chat/token_classes.cpp, only the list of pairs.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "chat/token_classes.hpp"
#include "chat/token_pairs.hpp"

namespace sluice::test {

/// A code point, or a byte that belongs to none (negative).
using Character = std::int64_t;

inline std::vector<Character> characters(std::string_view text) {
  const auto at = [&](std::size_t i) -> unsigned { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0; };
  std::vector<Character> out;
  for (std::size_t i = 0; i < text.size();) {
    const unsigned lead = at(i);
    const std::size_t length = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
    std::uint32_t point = length <= 1 ? lead : lead & (0xffU >> (length + 1));
    // The bytes that could still have become a character are broken together.
    std::size_t good = length == 0 ? 0 : 1;
    while (good != 0 && good < length && at(i + good) >> 6 == 2) {
      const std::uint32_t next = point << 6 | (at(i + good) & 0x3f);
      const std::uint32_t low = next << 6 * (length - good - 1), high = low | ((1U << 6 * (length - good - 1)) - 1);
      const std::uint32_t least = length == 3 ? 0x800 : length == 4 ? 0x10000 : 0x80;
      if (high < least || low > 0x10ffff || (low >= 0xd800 && high <= 0xdfff)) break;
      point = next;
      ++good;
    }
    if (length == 2 && lead < 0xc2) good = 0;
    if (length == 4 && lead > 0xf4) good = 0;
    if (length != 0 && good == length) {
      out.push_back(point);
    } else {
      good = std::max<std::size_t>(good, 1);
      for (std::size_t k = 0; k != good; ++k) out.push_back(-static_cast<Character>(at(i + k)));
    }
    i += good;
  }
  return out;
}

enum class Sort { kNone, kSmall, kCapital, kLatin, kDigit, kSpace, kNewline, kPunctuation, kOther, kSymbol };

struct Judged {
  Sort sort;
  chat::TokenClass token_class;  // of wide characters
};

inline Judged judge(Character c) {
  using enum chat::TokenClass;
  if (c < 0) return {Sort::kSymbol, kBrokenByte};
  if (c >= 'a' && c <= 'z') return {Sort::kSmall, kWord};
  if (c >= 'A' && c <= 'Z') return {Sort::kCapital, kWord};
  if (c >= '0' && c <= '9') return {Sort::kDigit, kDigitGroup};
  if (c == ' ' || c == '\t') return {Sort::kSpace, kSpaceRun};
  if (c == '\n' || c == '\r') return {Sort::kNewline, kNewline};
  if (c < 0x80) return {Sort::kPunctuation, kPunctuation};
  const auto in = [c](Character first, Character last) { return c >= first && c <= last; };
  if (in(0xc0, 0xff)) return {Sort::kLatin, kLatin1};
  if (in(0x100, 0x2bf)) return {Sort::kLatin, kLatinExtended};
  if (in(0x1e00, 0x1eff)) return {Sort::kLatin, kLatinAdditional};
  if (in(0x2c0, 0x37f)) return {Sort::kOther, kCombiningMark};
  if (in(0x380, 0x3ff)) return {Sort::kOther, kGreek};
  if (in(0x410, 0x44f) || c == 0x401 || c == 0x451) return {Sort::kOther, kCyrillic};
  if (in(0x400, 0x47f)) return {Sort::kOther, kCyrillicOther};
  if (in(0x480, 0x53f)) return {Sort::kOther, kCyrillicExtended};
  if (in(0x540, 0x5bf)) return {Sort::kOther, kArmenian};
  if (in(0x5c0, 0x5ff)) return {Sort::kOther, kHebrew};
  if (in(0x600, 0x6ff) || in(0x740, 0x77f)) return {Sort::kOther, kArabic};
  if (in(0x900, 0x97f)) return {Sort::kOther, kDevanagari};
  if (in(0x980, 0x9ff)) return {Sort::kOther, kBengali};
  if (in(0xa00, 0xa7f)) return {Sort::kOther, kGurmukhi};
  if (in(0xa80, 0xaff)) return {Sort::kOther, kGujarati};
  if (in(0xb80, 0xbff)) return {Sort::kOther, kTamil};
  if (in(0xc00, 0xc7f)) return {Sort::kOther, kTelugu};
  if (in(0xc80, 0xcff)) return {Sort::kOther, kKannada};
  if (in(0xd00, 0xd7f)) return {Sort::kOther, kMalayalam};
  if (in(0xd80, 0xdff)) return {Sort::kOther, kSinhala};
  if (in(0xe00, 0xe7f)) return {Sort::kOther, kThai};
  if (in(0xe80, 0xeff)) return {Sort::kOther, kLao};
  if (in(0xf00, 0xfff)) return {Sort::kOther, kTibetan};
  if (in(0x1000, 0x10bf)) return {Sort::kOther, kBurmese};
  if (in(0x10c0, 0x10ff)) return {Sort::kOther, kGeorgian};
  if (in(0x1100, 0x11ff) || in(0x3140, 0x317f)) return {Sort::kOther, kJamo};
  if (in(0x1200, 0x13bf)) return {Sort::kOther, kEthiopic};
  if (in(0x1780, 0x17ff)) return {Sort::kOther, kKhmer};
  if (in(0x3040, 0x30ff)) return {Sort::kOther, kKana};
  if (in(0x4e00, 0x9fff)) return {Sort::kOther, kHan};
  if (in(0xac00, 0xd7bf)) return {Sort::kOther, kHangul};
  if (in(0x2500, 0x25bf)) return {Sort::kSymbol, kBoxDrawing};
  if (in(0x2000, 0x207f) || in(0xfe00, 0xfe3f)) return {Sort::kSymbol, kTypographic};
  if (in(0x3000, 0x303f) || in(0xff00, 0xff3f)) return {Sort::kSymbol, kCjkPunctuation};
  if (c < 0x800) return {Sort::kSymbol, kOtherTwoByte};
  return {Sort::kSymbol, c < 0x10000 ? kOtherThreeByte : kAstral};
}

inline bool has_spaces(chat::TokenClass script) {
  using enum chat::TokenClass;
  for (const chat::TokenClass other : {kThai, kLao, kTibetan, kBurmese, kKhmer, kEthiopic, kKana, kHan}) {
    if (script == other) return false;
  }
  return true;
}

/// True for two ASCII letters that often stand together, in any case.
inline bool is_common_pair(Character first, Character second) {
  const std::string_view next = chat::kOftenNext[static_cast<std::size_t>((first | 0x20) - 'a')];
  return next.find(static_cast<char>(second | 0x20)) != std::string_view::npos;
}

/// The counts of a whole text.
inline chat::TokenClassCounts modelled(std::string_view text) {
  using enum chat::TokenClass;
  chat::TokenClassCounts out;
  out.bytes = text.size();
  Sort behind = Sort::kNone;
  Character last = 0;
  std::uint64_t letters = 0, run = 0, equal = 0;
  for (const Character c : characters(text)) {
    const auto [sort, wide] = judge(c);
    const bool in_word = behind == Sort::kSmall || behind == Sort::kCapital || behind == Sort::kLatin;
    const bool letter = sort == Sort::kSmall || sort == Sort::kCapital || sort == Sort::kLatin;
    const bool mark = behind == Sort::kPunctuation || behind == Sort::kSymbol;
    if (c < 0 || c >= 0x80) ++out[wide];
    if (wide == kCombiningMark) {
      if (in_word) behind = Sort::kLatin;
      continue;
    }
    if (letter) {
      if (!in_word) ++out[kWord];
      const bool hump = sort == Sort::kCapital && behind == Sort::kSmall;
      if (hump) ++out[letters <= 2 ? kShortHump : kHump];
      const bool pair = !hump && sort != Sort::kLatin && (behind == Sort::kSmall || behind == Sort::kCapital);
      if (pair && !is_common_pair(last, c)) ++out[kRarePair];
      letters = in_word && !hump ? letters + 1 : 1;
      if (letters > 6) ++out[letters > 12 ? kLetterBeyond12 : kLetter7To12];
    }
    run = sort == behind ? run + 1 : 1;
    switch (sort) {
      case Sort::kDigit:
        if (run % 3 == 1) ++out[kDigitGroup];
        if (behind == Sort::kSpace) ++out[kDigitsBehindSpace];
        break;
      case Sort::kSpace:
        if (run == 2) ++out[kSpaceRun];
        if (run % 16 == 0) ++out[kLongRun];
        break;
      case Sort::kNewline:
        if (run == 1) ++out[mark ? kNewlineBehindMark : kNewline];
        if (run % 16 == 0) ++out[kLongRun];
        break;
      case Sort::kPunctuation:
        equal = mark && behind == Sort::kPunctuation && c == last ? equal + 1 : 1;
        if (equal == 1) ++out[mark ? kPunctuationMore : kPunctuation];
        if (equal > 1 && std::string_view("#%*+-./=_~").find(static_cast<char>(c)) == std::string_view::npos) {
          ++out[kPunctuationRepeated];
        } else if (equal % 16 == 0) {
          ++out[kLongRun];
        }
        break;
      case Sort::kOther:
        if (behind != Sort::kOther && has_spaces(wide)) ++out[kForeignWord];
        break;
      default: break;
    }
    behind = sort;
    last = c;
  }
  return out;
}

}  // namespace sluice::test
