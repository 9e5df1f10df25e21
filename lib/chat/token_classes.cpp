// The one pass: runs of ASCII by what they are, everything else by its block of 64 code points.
//
// A count is raised where its reason is seen and never lowered, so that a piece needs to know nothing of the next one.

#include "chat/token_classes.hpp"

#include <algorithm>

#include "chat/token_pairs.hpp"

namespace sluice::chat {
namespace {

enum class Kind : std::uint8_t { kSmall, kCapital, kDigit, kSpace, kNewline, kPunctuation, kWide };

constexpr auto kKinds = [] {
  std::array<Kind, 256> kinds{};
  kinds.fill(Kind::kPunctuation);  // control characters too
  for (std::size_t c = 'a'; c <= 'z'; ++c) kinds[c] = Kind::kSmall;
  for (std::size_t c = 'A'; c <= 'Z'; ++c) kinds[c] = Kind::kCapital;
  for (std::size_t c = '0'; c <= '9'; ++c) kinds[c] = Kind::kDigit;
  for (const std::size_t c : {' ', '\t'}) kinds[c] = Kind::kSpace;
  for (const std::size_t c : {'\n', '\r'}) kinds[c] = Kind::kNewline;
  for (std::size_t c = 0x80; c <= 0xff; ++c) kinds[c] = Kind::kWide;
  return kinds;
}();

constexpr std::size_t byte(char c) { return static_cast<unsigned char>(c); }
constexpr Kind kind(char c) { return kKinds[byte(c)]; }

constexpr char kNoPunctuation = 'a';

/// Characters that lines are drawn with: vocabularies have whole lines of them. Others cost up to half a token each.
constexpr bool is_rule(char c) { return std::string_view("#%*+-./=_~").find(c) != std::string_view::npos; }

// By letter, a bit for each letter that follows it seldom.
constexpr auto kRareNext = [] {
  std::array<std::uint32_t, 26> rare{};
  for (std::size_t i = 0; i != 26; ++i) {
    rare[i] = (1U << 26) - 1;
    for (const char next : kOftenNext[i]) rare[i] &= ~(1U << (next - 'a'));
  }
  return rare;
}();

/// The end of a run of one kind that begins at `p`.
const char* run_end(const char* p, const char* end, Kind of) noexcept {
  while (p != end && kind(*p) == of) ++p;
  return p;
}

struct Blocks {
  std::uint32_t first, last;  // code points; whole blocks of 64
  TokenClass token_class;
};
// Where a block has two scripts, the one that is met more often.
constexpr Blocks kScripts[] = {
    {0x00c0, 0x00ff, TokenClass::kLatin1},
    {0x0100, 0x02bf, TokenClass::kLatinExtended},
    {0x02c0, 0x037f, TokenClass::kCombiningMark},
    {0x0380, 0x03ff, TokenClass::kGreek},
    {0x0400, 0x047f, TokenClass::kCyrillic},
    {0x0480, 0x053f, TokenClass::kCyrillicExtended},
    {0x0540, 0x05bf, TokenClass::kArmenian},  // and the points of Hebrew
    {0x05c0, 0x05ff, TokenClass::kHebrew},
    {0x0600, 0x06ff, TokenClass::kArabic},
    {0x0740, 0x077f, TokenClass::kArabic},
    {0x0900, 0x097f, TokenClass::kDevanagari},
    {0x0980, 0x09ff, TokenClass::kBengali},
    {0x0a00, 0x0a7f, TokenClass::kGurmukhi},
    {0x0a80, 0x0aff, TokenClass::kGujarati},
    {0x0b80, 0x0bff, TokenClass::kTamil},
    {0x0c00, 0x0c7f, TokenClass::kTelugu},
    {0x0c80, 0x0cff, TokenClass::kKannada},
    {0x0d00, 0x0d7f, TokenClass::kMalayalam},
    {0x0d80, 0x0dff, TokenClass::kSinhala},
    {0x0e00, 0x0e7f, TokenClass::kThai},
    {0x0e80, 0x0eff, TokenClass::kLao},
    {0x0f00, 0x0fff, TokenClass::kTibetan},
    {0x1000, 0x10bf, TokenClass::kBurmese},
    {0x10c0, 0x10ff, TokenClass::kGeorgian},
    {0x1100, 0x11ff, TokenClass::kJamo},
    {0x1200, 0x13bf, TokenClass::kEthiopic},
    {0x1780, 0x17ff, TokenClass::kKhmer},
    {0x1e00, 0x1eff, TokenClass::kLatinAdditional},
    {0x2000, 0x207f, TokenClass::kTypographic},
    {0x2500, 0x25bf, TokenClass::kBoxDrawing},
    {0x3000, 0x303f, TokenClass::kCjkPunctuation},
    {0x3040, 0x30ff, TokenClass::kKana},
    {0x3140, 0x317f, TokenClass::kJamo},
    {0x4e00, 0x9fff, TokenClass::kHan},
    {0xac00, 0xd7bf, TokenClass::kHangul},
    {0xfe00, 0xfe3f, TokenClass::kTypographic},
    {0xff00, 0xff3f, TokenClass::kCjkPunctuation},
};

// By code point / 64, which UTF-8 has in the lead byte (two bytes) or in the first two (three).
constexpr auto kBlocks = [] {
  std::array<TokenClass, 1024> blocks{};
  blocks.fill(TokenClass::kOtherThreeByte);
  for (std::size_t i = 0; i != 32; ++i) blocks[i] = TokenClass::kOtherTwoByte;
  for (const Blocks& script : kScripts) {
    for (std::uint32_t i = script.first / 64; i <= script.last / 64; ++i) blocks[i] = script.token_class;
  }
  return blocks;
}();

/// Bytes of a character by its first one; 0 for a byte that begins none.
constexpr std::size_t sequence_length(char lead) {
  const std::size_t b = byte(lead);
  if (b >= 0xc2 && b <= 0xdf) return 2;
  if (b >= 0xe0 && b <= 0xef) return 3;
  return b >= 0xf0 && b <= 0xf4 ? 4 : 0;
}

/// True where `next` may be byte number `index` behind `lead` (Unicode 15, table 3-7).
constexpr bool continues(char lead, std::size_t index, char next) {
  const std::size_t b = byte(next);
  if (index == 1) {
    switch (byte(lead)) {
      case 0xe0: return b >= 0xa0 && b <= 0xbf;
      case 0xed: return b >= 0x80 && b <= 0x9f;
      case 0xf0: return b >= 0x90 && b <= 0xbf;
      case 0xf4: return b >= 0x80 && b <= 0x8f;
      default: break;
    }
  }
  return (b & 0xc0) == 0x80;
}

/// The class of a whole character.
constexpr TokenClass class_of(char lead, char second, std::size_t length) {
  if (length == 2) {
    const TokenClass block = kBlocks[byte(lead) & 0x1f];
    if (block != TokenClass::kCyrillic) return block;
    const std::size_t point = ((byte(lead) & 0x1f) << 6) | (byte(second) & 0x3f);
    const bool russian = (point >= 0x410 && point <= 0x44f) || point == 0x401 || point == 0x451;
    return russian ? TokenClass::kCyrillic : TokenClass::kCyrillicOther;
  }
  if (length == 3) return kBlocks[((byte(lead) & 0xf) << 6) | (byte(second) & 0x3f)];
  return TokenClass::kAstral;
}

constexpr bool is_latin(TokenClass c) { return c >= TokenClass::kLatin1 && c <= TokenClass::kLatinAdditional; }
/// Scripts that put spaces between words.
constexpr bool is_spaced(TokenClass c) { return c >= TokenClass::kGreek && c <= TokenClass::kJamo; }
constexpr bool is_mark(TokenClass c) { return c >= TokenClass::kTypographic && c <= TokenClass::kAstral; }

}  // namespace

std::string_view to_string(TokenClass token_class) noexcept {
  static constexpr std::array<std::string_view, kTokenClasses> kNames = {
      "kWord", "kLetter7To12", "kLetterBeyond12", "kHump", "kShortHump", "kRarePair", "kLatin1", "kLatinExtended",
      "kLatinAdditional", "kCombiningMark", "kDigitGroup", "kDigitsBehindSpace", "kPunctuation", "kPunctuationMore",
      "kPunctuationRepeated", "kNewline", "kNewlineBehindMark", "kSpaceRun", "kLongRun", "kForeignWord", "kGreek",
      "kCyrillic", "kCyrillicOther", "kCyrillicExtended", "kArmenian", "kHebrew", "kArabic", "kDevanagari",
      "kBengali", "kGurmukhi", "kGujarati", "kTamil", "kTelugu", "kKannada", "kMalayalam", "kSinhala", "kGeorgian",
      "kHangul", "kJamo", "kThai", "kLao", "kTibetan", "kBurmese", "kKhmer", "kEthiopic", "kKana", "kHan",
      "kTypographic", "kCjkPunctuation", "kBoxDrawing", "kOtherTwoByte", "kOtherThreeByte", "kAstral", "kBrokenByte"};
  return kNames[static_cast<std::size_t>(token_class)];
}

TokenClassCounts& TokenClassCounts::operator+=(const TokenClassCounts& other) noexcept {
  for (std::size_t i = 0; i != kTokenClasses; ++i) counts[i] += other.counts[i];
  bytes += other.bytes;
  return *this;
}

void TokenClassCounter::feed(std::string_view piece) noexcept {
  const char* p = piece.data();
  const char* const end = p + piece.size();
  counts_.bytes += piece.size();
  if (held_size_ != 0) p = complete(p, end);
  while (p != end) {
    switch (kind(*p)) {
      case Kind::kSmall: p = small_letters(p, end); break;
      case Kind::kCapital: p = capitals(p, end); break;
      case Kind::kDigit: p = digits(p, end); break;
      case Kind::kSpace: p = spaces(p, end); break;
      case Kind::kNewline: p = newlines(p, end); break;
      case Kind::kPunctuation: p = punctuation(p, end); break;
      case Kind::kWide: p = wide(p, end); break;
    }
  }
}

void TokenClassCounter::end_text() noexcept {
  broken(held_size_);
  held_size_ = 0;
  behind_ = Behind::kNothing;
}

bool TokenClassCounter::in_word() const noexcept { return behind_ >= Behind::kSmall && behind_ <= Behind::kLatin; }

void TokenClassCounter::enter_word() noexcept {
  if (in_word()) return;
  ++counts_[TokenClass::kWord];
  run_ = 0;
  rare_next_ = 0;
}

void TokenClassCounter::letters(std::uint64_t n) noexcept {
  const std::uint64_t before = run_;
  run_ += n;
  if (run_ <= 6) return;
  counts_[TokenClass::kLetter7To12] += std::clamp<std::uint64_t>(run_, 6, 12) - std::clamp<std::uint64_t>(before, 6, 12);
  counts_[TokenClass::kLetterBeyond12] += std::max<std::uint64_t>(run_, 12) - std::max<std::uint64_t>(before, 12);
}

// Looks at each letter of [p, end) beside the one before it.
std::uint64_t TokenClassCounter::pairs(const char* p, const char* end) noexcept {
  std::uint32_t rare_next = rare_next_, rare = 0;
  for (; p != end; ++p) {
    const std::size_t letter = (byte(*p) | 0x20) - 'a';
    rare += rare_next >> letter & 1;
    rare_next = kRareNext[letter];
  }
  rare_next_ = rare_next;
  return rare;
}

const char* TokenClassCounter::small_letters(const char* p, const char* end) noexcept {
  const char* const stop = run_end(p, end, Kind::kSmall);
  enter_word();
  counts_[TokenClass::kRarePair] += pairs(p, stop);
  letters(static_cast<std::uint64_t>(stop - p));
  behind_ = Behind::kSmall;
  return stop;
}

const char* TokenClassCounter::capitals(const char* p, const char* end) noexcept {
  const char* const stop = run_end(p, end, Kind::kCapital);
  enter_word();
  if (behind_ == Behind::kSmall) {
    ++counts_[run_ <= 2 ? TokenClass::kShortHump : TokenClass::kHump];
    run_ = 0;
    rare_next_ = 0;
  }
  counts_[TokenClass::kRarePair] += pairs(p, stop);
  letters(static_cast<std::uint64_t>(stop - p));
  behind_ = Behind::kCapital;
  return stop;
}

const char* TokenClassCounter::digits(const char* p, const char* end) noexcept {
  const char* const stop = run_end(p, end, Kind::kDigit);
  if (behind_ == Behind::kSpace) ++counts_[TokenClass::kDigitsBehindSpace];
  const std::uint64_t before = behind_ == Behind::kDigit ? run_ : 0;
  run_ = before + static_cast<std::uint64_t>(stop - p);
  counts_[TokenClass::kDigitGroup] += (run_ + 2) / 3 - (before + 2) / 3;
  behind_ = Behind::kDigit;
  return stop;
}

void TokenClassCounter::whitespace(Behind kind, std::uint64_t n) noexcept {
  const std::uint64_t before = behind_ == kind ? run_ : 0;
  run_ = before + n;
  counts_[TokenClass::kLongRun] += run_ / 16 - before / 16;
  behind_ = kind;
}

const char* TokenClassCounter::spaces(const char* p, const char* end) noexcept {
  const char* const stop = run_end(p, end, Kind::kSpace);
  const bool was_run = behind_ == Behind::kSpace && run_ >= 2;
  whitespace(Behind::kSpace, static_cast<std::uint64_t>(stop - p));
  if (run_ >= 2 && !was_run) ++counts_[TokenClass::kSpaceRun];
  return stop;
}

const char* TokenClassCounter::newlines(const char* p, const char* end) noexcept {
  const char* const stop = run_end(p, end, Kind::kNewline);
  if (behind_ == Behind::kMark) {
    ++counts_[TokenClass::kNewlineBehindMark];
  } else if (behind_ != Behind::kNewline) {
    ++counts_[TokenClass::kNewline];
  }
  whitespace(Behind::kNewline, static_cast<std::uint64_t>(stop - p));
  return stop;
}

const char* TokenClassCounter::punctuation(const char* p, const char* end) noexcept {
  const char* const stop = run_end(p, end, Kind::kPunctuation);
  if (behind_ != Behind::kMark) {
    ++counts_[TokenClass::kPunctuation];
    last_ = *p++;
    run_ = 1;
  }
  for (; p != stop; ++p) {
    if (*p != last_) {
      ++counts_[TokenClass::kPunctuationMore];
      last_ = *p;
      run_ = 1;
    } else if (!is_rule(*p)) {
      ++counts_[TokenClass::kPunctuationRepeated];
    } else if (++run_ % 16 == 0) {
      ++counts_[TokenClass::kLongRun];
    }
  }
  behind_ = Behind::kMark;
  return stop;
}

const char* TokenClassCounter::wide(const char* p, const char* end) noexcept {
  const std::size_t length = sequence_length(*p);
  if (length == 0) {
    broken(1);
    return p + 1;
  }
  if (static_cast<std::size_t>(end - p) < length) return complete(p, end);
  for (std::size_t i = 1; i != length; ++i) {
    if (continues(*p, i, p[i])) continue;
    broken(1);  // what follows begins no character and is counted in its turn
    return p + 1;
  }
  character(class_of(p[0], p[1], length));
  return p + length;
}

// Takes up a character that lies in several pieces, from its first byte or from where the last piece ended.
const char* TokenClassCounter::complete(const char* p, const char* end) noexcept {
  for (; p != end; ++p) {
    if (held_size_ != 0 && !continues(held_[0], held_size_, *p)) {
      broken(held_size_);
      held_size_ = 0;
      return p;
    }
    const std::size_t length = sequence_length(held_size_ == 0 ? *p : held_[0]);
    if (held_size_ + std::size_t{1} == length) {
      character(class_of(held_[0], held_size_ == 1 ? *p : held_[1], length));
      held_size_ = 0;
      return p + 1;
    }
    held_[held_size_++] = *p;
  }
  return p;
}

void TokenClassCounter::character(TokenClass token_class) noexcept {
  if (is_latin(token_class)) {
    enter_word();
    letters(1);
    rare_next_ = 0;
    behind_ = Behind::kLatin;
  } else if (token_class == TokenClass::kCombiningMark) {
    if (in_word()) {
      rare_next_ = 0;
      behind_ = Behind::kLatin;
    }
  } else if (is_mark(token_class)) {
    behind_ = Behind::kMark;
    last_ = kNoPunctuation;
  } else {
    if (is_spaced(token_class) && behind_ != Behind::kForeign) ++counts_[TokenClass::kForeignWord];
    behind_ = Behind::kForeign;
  }
  ++counts_[token_class];
}

void TokenClassCounter::broken(std::size_t bytes) noexcept {
  if (bytes == 0) return;
  counts_[TokenClass::kBrokenByte] += bytes;
  behind_ = Behind::kMark;
  last_ = kNoPunctuation;
}

TokenClassCounts count_token_classes(std::string_view text) noexcept {
  TokenClassCounter counter;
  counter.feed(text);
  counter.end_text();
  return counter.counted();
}

}  // namespace sluice::chat
