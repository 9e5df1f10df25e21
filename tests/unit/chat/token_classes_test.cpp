// Token classes: what is counted where, and that it makes no difference how a text is cut.

#include <catch2/catch.hpp>

#include <initializer_list>
#include <random>
#include <string>
#include <utility>

#include "base/utf8.hpp"
#include "chat/token_classes.hpp"
#include "unit/chat/token_model.hpp"

using namespace sluice;
using chat::count_token_classes;
using chat::TokenClass;
using chat::TokenClassCounter;
using chat::TokenClassCounts;

namespace {

// Counts told as `3 kWord 1 kHump`.
std::string told(const TokenClassCounts& counted) {
  std::string out;
  for (std::size_t i = 0; i != chat::kTokenClasses; ++i) {
    if (counted.counts[i] == 0) continue;
    out += (out.empty() ? "" : " ") + std::to_string(counted.counts[i]) + " " +
           std::string(to_string(static_cast<TokenClass>(i)));
  }
  return out;
}

std::string told(std::string_view text) { return told(count_token_classes(text)); }

TokenClassCounts in_pieces(std::initializer_list<std::string_view> pieces) {
  TokenClassCounter counter;
  for (const std::string_view piece : pieces) counter.feed(piece);
  counter.end_text();
  return counter.counted();
}

// Something of every class, at its edges; in the middle, bytes that make no character.
constexpr std::string_view kEverything =
    "Word internationalization antidisestablishmentarianism camelCase aBcD HTTPServer zq 12 1234567 a1b2 3rd\r\n\r\n  x\t\ty  \n"
    "({[]}) }}} ---- =-=- \"a\":\"b\",\n// end\n                                  z\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n"
    "\xC3\x89t\xC3\xA9 stra\xC3\x9F" "e \xC5\x82\xC3\xB3" "d\xC5\xBA vi\xE1\xBB\x87t e\xCC\x81 \xCC\x81 -\xCC\x81-\xCE\xBB\xCF\x8C\xCE\xB3 "
    "\xD0\xB4\xD0\xB0, \xD1\x8F\xD1\x96 \xE2\x80\x94\xE2\x80\x9Dx \xE2\x94\x80\xE2\x94\x80 "
    "\xCE\xBB \xD0\xB4 \xD0\x81 \xD1\x96 \xD2\x9B \xD5\xA5 \xD7\xA9 \xD8\xB3 \xE0\xA4\x95 \xE0\xA6\x95 "
    "\xE0\xA8\x95 \xE0\xAA\x95 \xE0\xAE\x95 \xE0\xB0\x95 \xE0\xB2\x95 \xE0\xB4\x95 \xE0\xB6\x9A \xE1\x83\x90 "
    "\xEA\xB0\x80 \xE1\x84\x80 \xE0\xB8\x81 \xE0\xBA\x81 \xE0\xBD\x80 \xE1\x80\x80 \xE1\x9E\x80 \xE1\x88\x80 "
    "\xE3\x81\x82 \xE4\xBD\xA0 \xE2\x80\x94 \xEF\xB8\x8F \xE3\x80\x82 \xEF\xBC\x8C \xE2\x94\x80 \xC2\xAB \xDF\x8A "
    "\xE2\x86\x92 \xF0\x9F\x9A\x80 "
    "\x80 \xC3( \xE2\x82 \xF0\x9F\x9A \xED\xA0\x80 \xC0\xAF \xE0\x80\x80 \xF4\x90\x80\x80 \xFF\xFE\xF5 \xF0\x9F\x9A";

}  // namespace

TEST_CASE("latin words are counted with their long parts and humps") {
  CHECK(told("") == "");
  CHECK(told("the other train") == "3 kWord");
  CHECK(told("string") == "1 kWord");
  CHECK(told("strings") == "1 kWord 1 kLetter7To12");
  CHECK(told("internationalization") == "1 kWord 6 kLetter7To12 8 kLetterBeyond12 1 kRarePair");  // iz is common, za is not
  CHECK(told("toolBox") == "1 kWord 1 kHump 1 kRarePair");  // oo
  CHECK(told("stringTheRest") == "1 kWord 2 kHump");
  CHECK(told("stringsThe") == "1 kWord 1 kLetter7To12 1 kHump");
  CHECK(told("inOld aBeD") == "2 kWord 3 kShortHump");
  CHECK(told("TEST") == "1 kWord");
  CHECK(told("a1o22e") == "3 kWord 2 kDigitGroup");
}

TEST_CASE("pairs of letters that are seldom neighbours are counted in any case, but not across a hump") {
  CHECK(told("strength") == "1 kWord 2 kLetter7To12 1 kRarePair");  // gt
  CHECK(told("yksi") == "1 kWord 2 kRarePair");                     // yk, ks
  CHECK(told("HTTP") == told("http"));
  CHECK(told("HTTPserver") == told("httpserver"));
  CHECK(told("theQuest") == "1 kWord 1 kHump");
  CHECK(told("zq") == "1 kWord 1 kRarePair");
  CHECK(told("z\xC3\xA9q z q z1q") == "5 kWord 1 kLatin1 1 kDigitGroup");
}

TEST_CASE("letters beyond ASCII and combining marks belong to their word") {
  CHECK(told("\xC3\xA9t\xC3\xA9") == "1 kWord 2 kLatin1");
  CHECK(told("e\xCC\x81te\xCC\x81") == "1 kWord 2 kCombiningMark");
  CHECK(told("ti\xE1\xBA\xBFng") == "1 kWord 1 kLatinAdditional");
  CHECK(told("\xC5\x82\xC3\xB3" "d\xC5\xBA") == "1 kWord 1 kLatin1 2 kLatinExtended");
  CHECK(told("stra\xC3\x9F" "enate") == "1 kWord 4 kLetter7To12 1 kLatin1");
  // Its case is not known: a capital behind it is no hump.
  CHECK(told("\xC3\x89T\xC3\x89") == "1 kWord 2 kLatin1");
  CHECK(told("\xCC\x81") == "1 kCombiningMark");
}

TEST_CASE("digits go in threes, and a space before them stays behind") {
  CHECK(told("7") == "1 kDigitGroup");
  CHECK(told("1234567") == "3 kDigitGroup");
  CHECK(told("12 345") == "2 kDigitGroup 1 kDigitsBehindSpace");
  CHECK(told("1.25") == "2 kDigitGroup 1 kPunctuation");
}

TEST_CASE("punctuation is counted by runs, and repetition apart") {
  CHECK(told("({[") == "1 kPunctuation 2 kPunctuationMore");
  CHECK(told("}}}}") == "1 kPunctuation 3 kPunctuationRepeated");
  CHECK(told(std::string(15, '-')) == "1 kPunctuation");
  CHECK(told(std::string(47, '-')) == "1 kPunctuation 2 kLongRun");
  CHECK(told("--}}--") == "1 kPunctuation 2 kPunctuationMore 1 kPunctuationRepeated");
  CHECK(told("a, b;") == "2 kWord 2 kPunctuation");
  CHECK(told("\xE2\x80\x94,") == "1 kPunctuationMore 1 kTypographic");
}

TEST_CASE("line ends and indents are counted by runs") {
  CHECK(told("a\nb") == "2 kWord 1 kNewline");
  CHECK(told("a\r\n\r\nb") == "2 kWord 1 kNewline");
  CHECK(told("a;\nb") == "2 kWord 1 kPunctuation 1 kNewlineBehindMark");
  CHECK(told("a\n    b") == "2 kWord 1 kNewline 1 kSpaceRun");
  CHECK(told("a\n b") == "2 kWord 1 kNewline");
  CHECK(told("\t\t") == "1 kSpaceRun");
  CHECK(told(std::string(15, ' ')) == "1 kSpaceRun");
  CHECK(told(std::string(32, ' ')) == "1 kSpaceRun 2 kLongRun");
  CHECK(told(std::string(16, '\n')) == "1 kNewline 1 kLongRun");
}

TEST_CASE("every script has its class") {
  const std::pair<const char*, const char*> kCharacters[] = {
      {"\xCE\xBB", "1 kForeignWord 1 kGreek"}, {"\xD0\xB4", "1 kForeignWord 1 kCyrillic"},
      {"\xD0\x81", "1 kForeignWord 1 kCyrillic"}, {"\xD1\x96", "1 kForeignWord 1 kCyrillicOther"},
      {"\xD2\x9B", "1 kForeignWord 1 kCyrillicExtended"}, {"\xD5\xA5", "1 kForeignWord 1 kArmenian"},
      {"\xD7\xA9", "1 kForeignWord 1 kHebrew"}, {"\xD8\xB3", "1 kForeignWord 1 kArabic"},
      {"\xE0\xA4\x95", "1 kForeignWord 1 kDevanagari"}, {"\xE0\xA6\x95", "1 kForeignWord 1 kBengali"},
      {"\xE0\xA8\x95", "1 kForeignWord 1 kGurmukhi"}, {"\xE0\xAA\x95", "1 kForeignWord 1 kGujarati"},
      {"\xE0\xAE\x95", "1 kForeignWord 1 kTamil"}, {"\xE0\xB0\x95", "1 kForeignWord 1 kTelugu"},
      {"\xE0\xB2\x95", "1 kForeignWord 1 kKannada"}, {"\xE0\xB4\x95", "1 kForeignWord 1 kMalayalam"},
      {"\xE0\xB6\x9A", "1 kForeignWord 1 kSinhala"}, {"\xE1\x83\x90", "1 kForeignWord 1 kGeorgian"},
      {"\xEA\xB0\x80", "1 kForeignWord 1 kHangul"}, {"\xE1\x84\x80", "1 kForeignWord 1 kJamo"},
      {"\xE0\xB8\x81", "1 kThai"}, {"\xE0\xBA\x81", "1 kLao"}, {"\xE0\xBD\x80", "1 kTibetan"},
      {"\xE1\x80\x80", "1 kBurmese"}, {"\xE1\x9E\x80", "1 kKhmer"}, {"\xE1\x88\x80", "1 kEthiopic"},
      {"\xE3\x81\x82", "1 kKana"}, {"\xE4\xBD\xA0", "1 kHan"}, {"\xE2\x80\x94", "1 kTypographic"},
      {"\xEF\xB8\x8F", "1 kTypographic"}, {"\xE3\x80\x82", "1 kCjkPunctuation"},
      {"\xEF\xBC\x8C", "1 kCjkPunctuation"}, {"\xE2\x94\x80", "1 kBoxDrawing"}, {"\xC2\xAB", "1 kOtherTwoByte"},
      {"\xDF\x8A", "1 kOtherTwoByte"}, {"\xE2\x86\x92", "1 kOtherThreeByte"}, {"\xF0\x9F\x9A\x80", "1 kAstral"}};
  for (const auto& [text, counted] : kCharacters) CHECK(told(text) == counted);
  CHECK(told("\xD0\xB4\xD0\xB0, \xD1\x8F") == "1 kPunctuation 2 kForeignWord 3 kCyrillic");
}

TEST_CASE("every character of Unicode has the class of its script") {
  for (std::uint32_t point = 0x80; point != 0x20000; ++point) {
    if (point >= 0xd800 && point <= 0xdfff) continue;
    std::string text;
    base::append_utf8(text, point);
    if (count_token_classes(text) != test::modelled(text)) FAIL("U+" << std::hex << point << ": " << told(text));
  }
}

TEST_CASE("bytes that make no character are counted one by one") {
  CHECK(told("\x80") == "1 kBrokenByte");
  CHECK(told("\xC3(") == "1 kPunctuationMore 1 kBrokenByte");
  CHECK(told("\xE2\x82") == "2 kBrokenByte");
  CHECK(told("\xF0\x9F\x9A") == "3 kBrokenByte");
  CHECK(told("\xE2\x82\xC3\xA9") == "1 kWord 1 kLatin1 2 kBrokenByte");
  CHECK(told("\xC0\xAF") == "2 kBrokenByte");              // overlong
  CHECK(told("\xE0\x80\x80") == "3 kBrokenByte");          // overlong
  CHECK(told("\xED\xA0\x80") == "3 kBrokenByte");          // a surrogate
  CHECK(told("\xF4\x90\x80\x80") == "4 kBrokenByte");      // beyond U+10FFFF
  CHECK(told("\xFF\xFE\xF5") == "3 kBrokenByte");
  CHECK(told(std::string_view("\0", 1)) == "1 kPunctuation");
}

TEST_CASE("a text counts the same wherever it is cut") {
  const TokenClassCounts whole = count_token_classes(kEverything);
  for (std::size_t i = 0; i != chat::kTokenClasses; ++i) {
    INFO(to_string(static_cast<TokenClass>(i)));
    CHECK(whole.counts[i] != 0);
  }
  for (std::size_t a = 0; a <= kEverything.size(); ++a) {
    for (std::size_t b = a; b <= kEverything.size(); ++b) {
      if (in_pieces({kEverything.substr(0, a), kEverything.substr(a, b - a), kEverything.substr(b)}) != whole) {
        FAIL("cut at " << a << " and " << b << ": "
                       << told(in_pieces({kEverything.substr(0, a), kEverything.substr(a, b - a), kEverything.substr(b)})));
      }
    }
  }
  TokenClassCounter counter;
  for (const char& c : kEverything) counter.feed({&c, 1});
  counter.end_text();
  CHECK(counter.counted() == whole);
}

TEST_CASE("thousands of random texts count as the slow model counts them, whole and in pieces") {
  std::mt19937 random(20260301);
  constexpr std::string_view kAscii = "aaabbcZZQ019   \t\n\r..--{}\"/";
  for (int round = 0; round != 4000; ++round) {
    std::string text;
    for (unsigned i = random() % 60; i != 0; --i) {
      switch (random() % 6) {
        case 0: text += static_cast<char>(random() % 256); break;
        case 1: {
          const std::size_t at = random() % kEverything.size();
          text += kEverything.substr(at, random() % 12);
          break;
        }
        case 2: text += std::string(random() % 40, kAscii[random() % kAscii.size()]); break;
        default: text += kAscii[random() % kAscii.size()];
      }
    }
    const TokenClassCounts expected = test::modelled(text);
    const TokenClassCounts whole = count_token_classes(text);
    if (whole != expected) FAIL(round << ": " << text << "\n" << told(whole) << "\n" << told(expected));
    const std::size_t cut = random() % (text.size() + 1);
    if (in_pieces({std::string_view(text).substr(0, cut), std::string_view(text).substr(cut)}) != expected) {
      FAIL(round << " cut at " << cut << ": " << text);
    }
  }
}

TEST_CASE("counts only grow as text is appended") {
  TokenClassCounter counter;
  TokenClassCounts before;
  for (const char& c : kEverything) {
    counter.feed({&c, 1});
    const TokenClassCounts& now = counter.counted();
    for (std::size_t i = 0; i != chat::kTokenClasses; ++i) REQUIRE(now.counts[i] >= before.counts[i]);
    CHECK(now.bytes == before.bytes + 1);
    before = now;
  }
}

TEST_CASE("texts of one counter do not grow together") {
  TokenClassCounter counter;
  counter.feed("west");
  counter.end_text();
  counter.feed("er \xE2\x82");
  counter.end_text();
  counter.feed("\xAC" "1");
  counter.end_text();
  CHECK(told(counter.counted()) == "2 kWord 1 kDigitGroup 3 kBrokenByte");
  CHECK(counter.counted().bytes == 11);
}

TEST_CASE("counts of texts add up") {
  TokenClassCounts sum = count_token_classes("west");
  sum += count_token_classes("er 12");
  CHECK(told(sum) == "2 kWord 1 kDigitGroup 1 kDigitsBehindSpace");
  CHECK(sum.bytes == 9);
}
