#pragma once
/// What a text is made of, as far as that tells how many tokens it has: words and their lengths, digits, punctuation,
/// characters by script. One linear pass over UTF-8, at any split, without allocation.
/// Knows bytes and scripts; must not know vocabularies, models or what a class weighs: chat/tokens does.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::chat {

/// The classes, near the way the pre-tokenisers of byte-pair encodings cut text. Each count only grows as text is
/// appended. The order is the one of the weight tables (chat/token_weights.hpp).
enum class TokenClass : std::uint8_t {
  // Latin words. A run of Latin letters is one word; a hump (`camelCase`) begins a new part of it.
  kWord,
  kLetter7To12,      ///< each of the letters 7 to 12 of a part
  kLetterBeyond12,   ///< each one after them
  kHump,             ///< a capital behind a small letter
  kShortHump,        ///< the same where the part before has one or two letters: rather base64 than a name
  kRarePair,         ///< two ASCII letters that seldom stand together in English or code: other languages, random text
  kLatin1,           ///< each letter of U+00C0..U+00FF; it is a letter of its word too
  kLatinExtended,    ///< each letter of U+0100..U+02BF; likewise
  kLatinAdditional,  ///< each letter of U+1E00..U+1EFF, most of them Vietnamese; likewise
  kCombiningMark,    ///< each mark of U+02C0..U+037F: what NFD takes off the letters of Latin, Greek and Cyrillic
  // Everything else in ASCII.
  kDigitGroup,           ///< three digits, or what is left of a run
  kDigitsBehindSpace,    ///< a run of digits behind a space, which it cannot take with it
  kPunctuation,          ///< a run of it
  kPunctuationMore,      ///< each character of a run behind another one
  kPunctuationRepeated,  ///< each character of a run behind the same one, but for those that rules are drawn with
  kNewline,              ///< a run of CR and LF
  kNewlineBehindMark,    ///< the same behind punctuation, which takes it along
  kSpaceRun,             ///< two spaces or tabs, or more
  kLongRun,              ///< each 16 of a run of spaces, of line ends, or of one of `#%*+-./=_~`
  // Characters by script; where a script puts spaces between words, those count as well.
  kForeignWord,
  kGreek,
  kCyrillic,          ///< the letters of Russian
  kCyrillicOther,     ///< U+0400..U+045F without them: Ukrainian, Serbian
  kCyrillicExtended,  ///< U+0480..U+053F: Kazakh
  kArmenian, kHebrew, kArabic, kDevanagari, kBengali, kGurmukhi, kGujarati, kTamil, kTelugu, kKannada, kMalayalam, kSinhala,
  kGeorgian, kHangul,
  kJamo,  ///< what NFD makes of Hangul
  kThai, kLao, kTibetan, kBurmese, kKhmer, kEthiopic, kKana, kHan,
  // Signs.
  kTypographic,     ///< U+2000..U+207F and variation selectors: dashes, quotation marks, what joins emoji
  kCjkPunctuation,  ///< U+3000..U+303F and the full-width forms
  kBoxDrawing,      ///< U+2500..U+25BF
  kOtherTwoByte,    ///< signs of U+0080..U+00BF, and scripts without a class
  kOtherThreeByte,  ///< arrows, mathematics, scripts without a class, rare ideographs
  kAstral,          ///< emoji, and all beyond U+FFFF
  kBrokenByte,      ///< each byte that belongs to no character
};
inline constexpr std::size_t kTokenClasses = static_cast<std::size_t>(TokenClass::kBrokenByte) + 1;
/// As it is written in weight tables and by tools: `kForeignWord`.
[[nodiscard]] std::string_view to_string(TokenClass token_class) noexcept;

/// How often each class stands in a text, and how long the text is. Counts of several texts may be added.
struct TokenClassCounts {
  std::array<std::uint64_t, kTokenClasses> counts{};
  std::uint64_t bytes = 0;

  [[nodiscard]] std::uint64_t& operator[](TokenClass c) noexcept { return counts[static_cast<std::size_t>(c)]; }
  [[nodiscard]] std::uint64_t operator[](TokenClass c) const noexcept { return counts[static_cast<std::size_t>(c)]; }
  TokenClassCounts& operator+=(const TokenClassCounts& other) noexcept;
  friend bool operator==(const TokenClassCounts&, const TokenClassCounts&) = default;
};

/// Counts the classes of a text that comes in pieces; where it is cut makes no difference, inside a character neither.
/// It does not validate: bytes that make no character are counted as such.
/// Cost: linear, whatever the text; some 500 bytes of memory, none of them on the heap.
class TokenClassCounter {
 public:
  void feed(std::string_view piece) noexcept;
  /// Ends a text: a character that is cut off becomes broken bytes, and what is fed next (another message) continues
  /// no word of this one.
  void end_text() noexcept;
  /// What was counted so far, over all texts. A character that has only begun is not in it yet.
  [[nodiscard]] const TokenClassCounts& counted() const noexcept { return counts_; }

 private:
  /// What the next character stands behind.
  enum class Behind : std::uint8_t { kNothing, kSmall, kCapital, kLatin, kDigit, kSpace, kNewline, kMark, kForeign };

  const char* small_letters(const char* p, const char* end) noexcept;
  const char* capitals(const char* p, const char* end) noexcept;
  std::uint64_t pairs(const char* p, const char* end) noexcept;
  const char* digits(const char* p, const char* end) noexcept;
  const char* spaces(const char* p, const char* end) noexcept;
  const char* newlines(const char* p, const char* end) noexcept;
  const char* punctuation(const char* p, const char* end) noexcept;
  const char* wide(const char* p, const char* end) noexcept;
  const char* complete(const char* p, const char* end) noexcept;
  void character(TokenClass token_class) noexcept;
  void broken(std::size_t bytes) noexcept;
  [[nodiscard]] bool in_word() const noexcept;
  void enter_word() noexcept;
  void letters(std::uint64_t n) noexcept;
  void whitespace(Behind kind, std::uint64_t n) noexcept;

  TokenClassCounts counts_;
  Behind behind_ = Behind::kNothing;
  std::uint64_t run_ = 0;         // letters of the part, digits, spaces, line ends or equal marks so far
  std::uint32_t rare_next_ = 0;   // a bit for each letter that makes a rare pair with the one before
  char last_ = 0;                 // the character before this one, where it is ASCII punctuation
  std::array<char, 3> held_{};    // a character that has only begun
  std::uint8_t held_size_ = 0;
};

/// The counts of a whole text.
[[nodiscard]] TokenClassCounts count_token_classes(std::string_view text) noexcept;

}  // namespace sluice::chat
