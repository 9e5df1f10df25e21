// Pieces: each alternative of the two patterns, at its edges, as the reference cuts (tests/clients/exact_tokens.py compares
// more).

#include <catch2/catch.hpp>

#include <string>
#include <string_view>

#include "base/utf8.hpp"
#include "chat/pretokens.hpp"

using namespace sluice;
using chat::tokens::first_piece;
using chat::tokens::Vocabulary;

namespace {

/// The pieces with `|` between them.
std::string cut(std::string_view text, Vocabulary vocabulary) {
  std::string out;
  bool whole = true;
  while (!text.empty()) {
    const std::size_t size = first_piece(text, vocabulary, whole);
    REQUIRE(size != 0);
    REQUIRE(size <= text.size());
    out += (out.empty() ? "" : "|") + std::string(text.substr(0, size));
    text.remove_prefix(size);
  }
  return out;
}
std::string o200k(std::string_view text) { return cut(text, Vocabulary::kO200k); }
std::string cl100k(std::string_view text) { return cut(text, Vocabulary::kCl100k); }

std::string character(std::uint32_t code_point) {
  std::string out;
  base::append_utf8(out, code_point);
  return out;
}

}  // namespace

TEST_CASE("a word takes one sign or space before it along, but no line end, digit or second sign") {
  for (const auto& both : {o200k, cl100k}) {
    CHECK(both("the cat") == "the| cat");
    CHECK(both("(the") == "(the");
    CHECK(both("((the") == "((|the");
    CHECK(both("\tthe") == "\tthe");
    CHECK(both("\nthe") == "\n|the");
    CHECK(both("  the") == " | the");
    CHECK(both("1the") == "1|the");
    CHECK(both("\xC2\xA0the") == "\xC2\xA0the");
  }
}

TEST_CASE("cl100k takes letters of any case for one word") {
  CHECK(cl100k("camelCaseHTTP") == "camelCaseHTTP");
  CHECK(cl100k("\xE6\x97\xA5\xE6\x9C\xAC" "ABCdef\xC7\x85") == "\xE6\x97\xA5\xE6\x9C\xAC" "ABCdef\xC7\x85");
}

TEST_CASE("a mark ends a word of cl100k, and stands in one of o200k") {
  CHECK(cl100k("e\xCC\x81t") == "e|\xCC\x81t");
  CHECK(o200k("e\xCC\x81t") == "e\xCC\x81t");
  CHECK(o200k(" \xCC\x81" "ABC") == " \xCC\x81|ABC");
  CHECK(o200k("\xCC\x81" "ABC") == "\xCC\x81|ABC");
  CHECK(o200k("\xCC\x81" "abc") == "\xCC\x81" "abc");
  CHECK(o200k("\xCC\x81\xCC\x81") == "\xCC\x81\xCC\x81");
  CHECK(o200k("!\xCC\x81") == "!\xCC\x81");
  CHECK(o200k("!!\xCC\x81" "a") == "!!\xCC\x81|a");
}

TEST_CASE("o200k begins a word where a capital follows a small letter") {
  CHECK(o200k("camelCase") == "camel|Case");
  CHECK(o200k("HTTPServer") == "HTTPServer");
  CHECK(o200k("ABC") == "ABC");
  CHECK(o200k(" ABC DEf") == " ABC| DEf");
  CHECK(o200k("\xC7\x85" "a\xC7\x85") == "\xC7\x85" "a|\xC7\x85");  // U+01C5, a title letter, is a capital
}

TEST_CASE("o200k gives capitals back that end a run of letters without case") {
  CHECK(o200k("\xE6\x97\xA5\xE6\x9C\xAC" "ABC") == "\xE6\x97\xA5\xE6\x9C\xAC|ABC");
  CHECK(o200k("\xE6\x97\xA5" "A\xE6\x9C\xAC" "BC") == "\xE6\x97\xA5" "A\xE6\x9C\xAC|BC");
  CHECK(o200k("\xE6\x97\xA5" "ABc") == "\xE6\x97\xA5" "ABc");
  CHECK(o200k("a\xE6\x97\xA5" "B") == "a\xE6\x97\xA5|B");
  CHECK(o200k("A\xCA\xB0" "B") == "A\xCA\xB0|B");  // U+02B0, a modifier letter
}

TEST_CASE("contractions are pieces of cl100k, and ends of words in o200k") {
  for (const char* end : {"'s", "'S", "'t", "'m", "'d", "'D", "'re", "'Re", "'vE", "'LL", "'\xC5\xBF"}) {
    INFO(end);
    CHECK(cl100k("you" + std::string(end) + "x") == "you|" + std::string(end) + "|x");
    CHECK(o200k("you" + std::string(end) + "x") == "you" + std::string(end) + "|x");
    CHECK(o200k("YOU" + std::string(end)) == "YOU" + std::string(end));
  }
  CHECK(cl100k("you'x") == "you|'x");
  CHECK(o200k("you'x") == "you|'x");
  CHECK(cl100k("you'") == "you|'");
  CHECK(cl100k("'r 'l") == "'r| '|l");
  CHECK(o200k("1's") == "1|'s");
  CHECK(o200k("'s't") == "'s't");
}

TEST_CASE("digits go by threes, whatever the script, and take no space") {
  for (const auto& both : {o200k, cl100k}) {
    CHECK(both("1234567") == "123|456|7");
    CHECK(both(" 12") == " |12");
    CHECK(both("\xD9\xA3\xD9\xA4\xD9\xA5\xD9\xA6") == "\xD9\xA3\xD9\xA4\xD9\xA5|\xD9\xA6");
    CHECK(both("\xC2\xBD\xE2\x85\xA7" "1") == "\xC2\xBD\xE2\x85\xA7" "1");
    CHECK(both("3.14") == "3|.|14");
  }
}

TEST_CASE("signs take one space before them and the line ends behind them along") {
  for (const auto& both : {o200k, cl100k}) {
    CHECK(both(" ...\r\n\n x") == " ...\r\n\n| x");
    CHECK(both("  ...") == " | ...");
    CHECK(both("\t...") == "\t|...");
    CHECK(both("...  ") == "...|  ");
    CHECK(both("\xF0\x9F\x9A\x80\xF0\x9F\x9A\x80 ") == "\xF0\x9F\x9A\x80\xF0\x9F\x9A\x80| ");
    CHECK(both("a!!b") == "a|!!|b");
  }
  CHECK(o200k("!\n/\n//a") == "!\n/\n//|a");
  CHECK(cl100k("!\n/\n//a") == "!\n|/\n|//|a");
  CHECK(o200k("!\n.") == "!\n|.");
}

TEST_CASE("white space goes to its last line end, leaves its last space to a word, and ends a text") {
  for (const auto& both : {o200k, cl100k}) {
    CHECK(both("a \n \r\n  b") == "a| \n \r\n| | b");
    CHECK(both("a   b") == "a|  | b");
    CHECK(both("a\t\tb") == "a|\t|\tb");
    CHECK(both("a  1") == "a| | |1");
    CHECK(both("a   ") == "a|   ");
    CHECK(both(" ") == " ");
    CHECK(both("a\xC2\x85\xE2\x80\xA8 \xE3\x80\x80" "b") == "a|\xC2\x85\xE2\x80\xA8 |\xE3\x80\x80" "b");
    CHECK(both("\n\n\n") == "\n\n\n");
  }
  CHECK(o200k("a \n  ") == "a| \n|  ");
  CHECK(cl100k("a \n  ") == "a| \n  ");
}

TEST_CASE("every category of character is known, and what is unassigned, private or a half is a sign") {
  // Beside an `a`: a letter goes on with it, everything else begins another piece, and a mark does so in cl100k alone.
  const auto parts = [](std::uint32_t c) {
    const std::string text = "a" + character(c);
    return std::pair(cl100k(text) == text, o200k(text) == text);
  };
  const std::pair letter(true, true), mark(false, true), other(false, false), capital(true, false);
  for (const std::uint32_t c : {0x61u, 0xdfu, 0x3b1u, 0x10450u, 0x2b0u, 0x3400u, 0x4e00u, 0x9fffu, 0x20000u, 0x323afu, 0xac00u, 0xe01u, 0x16fe0u}) {
    INFO(std::hex << c);
    CHECK(parts(c) == letter);
  }
  for (const std::uint32_t c : {0x41u, 0x1c5u, 0x1e9eu, 0x10400u, 0x1d400u}) {
    INFO(std::hex << c);
    CHECK(parts(c) == capital);
  }
  for (const std::uint32_t c : {0x301u, 0x903u, 0x20ddu, 0xfe0fu, 0xe0100u, 0xe01efu, 0x1d165u, 0x897u}) {
    INFO(std::hex << c);
    CHECK(parts(c) == mark);
  }
  for (const std::uint32_t c : {0x30u, 0xbdu, 0x2167u, 0x20u, 0xau, 0x2au, 0x20acu, 0x2b7u - 0x2b7u, 0x7fu, 0x200du, 0xfeffu, 0xe000u, 0x378u,
                                0x323b0u, 0xe0001u, 0xe01f0u, 0x10ffffu, 0x1f680u}) {
    INFO(std::hex << c);
    CHECK(parts(c) == other);
  }
}

TEST_CASE("a byte that belongs to no character is a sign by itself, and is told") {
  for (const std::string_view broken : {"\x80", "\xC3", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE2\x82", "\xFF"}) {
    for (const Vocabulary vocabulary : {Vocabulary::kO200k, Vocabulary::kCl100k}) {
      bool whole = true;
      CHECK(first_piece(broken, vocabulary, whole) == broken.size());  // signs, all of them
      CHECK_FALSE(whole);
      whole = true;
      CHECK(first_piece("a" + std::string(broken), vocabulary, whole) == 1);
    }
  }
  bool whole = true;
  CHECK(first_piece("\xE2\x82\xAC", Vocabulary::kO200k, whole) == 3);
  CHECK(first_piece("\xF4\x8F\xBF\xBF", Vocabulary::kO200k, whole) == 4);
  CHECK(first_piece("\xED\x9F\xBF", Vocabulary::kO200k, whole) == 3);
  CHECK(whole);
  CHECK(first_piece("", Vocabulary::kO200k, whole) == 0);
}
