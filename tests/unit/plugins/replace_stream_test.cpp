// A rule on its way through a text: the same at every cut, the same as said the slow way, and no faster than it may.

#include <catch2/catch.hpp>

#include <random>
#include <string>
#include <vector>

#include "base/utf8.hpp"
#include "plugins/replace_stream.hpp"
#include "policy/beginnings.hpp"
#include "unit/plugins/replace_reference.hpp"

using namespace sluice;
using namespace sluice::plugins;
using policy::ReplaceRule;

namespace {

ReplaceRule rule_of(std::string_view pattern, std::string_view replacement, std::size_t max_match = 256) {
  INFO(pattern);
  auto rule = ReplaceRule::compile(pattern, replacement, max_match);
  if (!rule) FAIL(rule.error().message);
  return std::move(*rule);
}

std::string whole(const ReplaceRule& rule, std::string_view text) {
  ReplaceStream stream(rule);
  std::string out;
  stream.take(text, out);
  stream.end(out);
  return out;
}

std::string replaced(std::string_view pattern, std::string_view replacement, std::string_view text, std::size_t max_match = 256) {
  return whole(rule_of(pattern, replacement, max_match), text);
}

/// In pieces that end at `cuts`, ascending.
std::string in_pieces(const ReplaceRule& rule, std::string_view text, const std::vector<std::size_t>& cuts) {
  ReplaceStream stream(rule);
  std::string out;
  std::size_t from = 0;
  for (const std::size_t cut : cuts) {
    stream.take(text.substr(from, cut - from), out);
    from = cut;
  }
  stream.take(text.substr(from), out);
  stream.end(out);
  return out;
}

struct Case {
  std::string pattern, replacement = "<\\0>", alphabet = "ab ";
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {"ab"}, {"a+"}, {"a+b"}, {"a*"}, {"a*?b"}, {"a.*b"}, {"a.*?b"}, {"ab|abab"}, {"abab|ab"}, {"a|a.*b"}, {"a.*b|a"},
      {"(a)(b)?", "\\2\\1"}, {"(?P<x>a)|b", "[\\1]"}, {"^a"}, {"^"}, {"$"}, {"a$"}, {"b$|a"}, {"^$"}, {"(?m)^", "> ", "ab\n"},
      {"(?m)$", ";", "ab\n"}, {"(?m)^a$", "<\\0>", "a\n"}, {"(?m)a\\n^b", "<\\0>", "ab\n"}, {"(?m)a$\\nb", "<\\0>", "ab\n"}, {"\\b", "|"}, {"\\ba"}, {"a\\b"}, {"\\Ba"}, {"a\\B"}, {"\\B", "|", "a\xC3\xA9 "},
      {"\\ba+\\b", "<\\0>", "ab "}, {"(?i)AB", "<\\0>", "aAbB"}, {"(?s)a.b", "<\\0>", "ab\n"}, {"a{2,3}"}, {"(?:ab){2}"}, {"(?:a|ab)(?:b|$)"},
      {"[^a]+"}, {"[[:alpha:]]b"}, {"[]a]", "<\\0>", "ab]"}, {"\\Qa.\\E+", "<\\0>", "a.b"}, {"\xC3\xA9+", "<\\0>", "e\xC3\xA9\xC3\xA8"},
      {"[\xC3\xA8-\xC3\xAA]a", "<\\0>", "a\xC3\xA9\xC3\xA8"}, {"\xE2\x82\xAC.", "<\\0>", "\xE2\x82\xAC\xC3\xA9" "a"}, {"\\pL ", "<\\0>", "a\xC3\xA9 "},
      {"\\x61\\x{62}", "<\\0>"}, {"\\141", "<\\0>"}, {"a{,2}", "<\\0>", "a{,2}"}, {"a||b"}, {"(?:)", "-"}, {"(?U)a+b?", "<\\0>"}, {"(?-s:a.)b", "<\\0>", "ab\n"},
      {"(a|b)*\\b ", "<\\1>"}, {"\\Aab"}, {"ab\\z"}, {"(?:^| )a(?: |$)"}, {"a", ""}, {"a(?:b(?:a(?:b)?)?)?"}, {"[\\]a]b", "<\\0>", "]ab"}, {"(?i:\xE2\x84\xAA)", "<\\0>", "kK\xE2\x84\xAA"}};
  return all;
}

std::string random_text(std::mt19937& random, const std::string& alphabet, std::size_t characters) {
  std::vector<std::string> letters;
  for (std::size_t i = 0; i < alphabet.size();) {
    const auto lead = static_cast<unsigned char>(alphabet[i]);
    const std::size_t size = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    letters.push_back(alphabet.substr(i, size));
    i += size;
  }
  std::string out;
  for (std::size_t i = 0; i < characters; ++i) out += letters[random() % letters.size()];
  return out;
}

}  // namespace

// PLUG-19
TEST_CASE("at every cut of a small text the result is that of the whole one, and what the slow way says") {
  std::mt19937 random(1);
  for (const Case& one : cases()) {
    for (const std::size_t max_match : {1u, 2u, 3u, 5u, 256u}) {
      const auto rule = ReplaceRule::compile(one.pattern, one.replacement, max_match);
      if (!rule) {
        REQUIRE_THAT(rule.error().message, Catch::Contains("fits nothing below"));
        continue;
      }
      const ReplaceReference reference(one.pattern, one.replacement, max_match);
      for (int round = 0; round < 12; ++round) {
        const std::string text = random_text(random, one.alphabet, random() % 11);
        const std::string expected = reference(text);
        INFO("pattern " << one.pattern << " within " << max_match << " on '" << text << "'");
        REQUIRE(whole(*rule, text) == expected);
        for (std::size_t a = 0; a <= text.size(); ++a) {
          for (std::size_t b = a; b <= text.size(); ++b) {
            INFO("cut at " << a << " and " << b);
            REQUIRE(in_pieces(*rule, text, {a, b}) == expected);
          }
        }
      }
    }
  }
}

// PLUG-19
TEST_CASE("a larger text in any pieces comes out as it does whole") {
  std::mt19937 random(2);
  for (const Case& one : cases()) {
    for (const std::size_t max_match : {4u, 40u}) {
      const auto rule = ReplaceRule::compile(one.pattern, one.replacement, max_match);
      if (!rule) continue;
      const ReplaceReference reference(one.pattern, one.replacement, max_match);
      for (int round = 0; round < 4; ++round) {
        const std::string text = random_text(random, one.alphabet, round == 3 ? 6000 : 300);
        const std::string expected = reference(text);
        INFO("pattern " << one.pattern << " within " << max_match << ", round " << round);
        REQUIRE(whole(*rule, text) == expected);
        for (const std::size_t longest : {1u, 7u, 90u}) {
          std::vector<std::size_t> cuts;
          for (std::size_t at = 0; at < text.size(); at += 1 + random() % longest) cuts.push_back(at);
          REQUIRE(in_pieces(*rule, text, cuts) == expected);
        }
      }
    }
  }
}

TEST_CASE("where no match is longer than the bound, the result is what RE2 itself replaces") {
  std::mt19937 random(3);
  for (const Case& one : cases()) {
    if (one.pattern == "\\B") continue;  // there RE2 cuts characters in two
    const ReplaceRule rule = rule_of(one.pattern, one.replacement);
    for (int round = 0; round < 20; ++round) {
      const std::string text = random_text(random, one.alphabet, 1 + random() % 30);
      std::string expected = text;
      RE2::GlobalReplace(&expected, RE2(one.pattern, RE2::Quiet), one.replacement);
      INFO("pattern " << one.pattern << " on '" << text << "'");
      REQUIRE(whole(rule, text) == expected);
    }
  }
}

TEST_CASE("a match is looked for within its bound, and is the best one there") {
  CHECK(replaced("a+", "<\\0>", "aaaaa", 3) == "<aaa><aa>");
  CHECK(replaced("<.*>", "-", "<abcd> <a>", 3) == "<abcd> -");
  CHECK(replaced("<.*>", "-", "<a> <b>", 7) == "-");
  CHECK(replaced("<.*>", "-", "<a> <b>", 6) == "- -");
  CHECK(replaced("a+$", "-", "aaaaa", 3) == "aa-");      // it reaches the end from there on
  CHECK(replaced("a+\\b", "-", "aaaaa b", 3) == "aa- b");  // and the end of its word
  CHECK(replaced("^a+", "-", "aaaaa", 3) == "-aa");      // the second one does not begin the text
}

TEST_CASE("a match far into a text is as good as one at its beginning") {
  const ReplaceRule rule = rule_of("a+|b", "<\\0>", 40);
  for (std::size_t before = 400; before <= 520; ++before) {
    const std::string head(before, 'x');
    REQUIRE(whole(rule, head + std::string(30, 'a') + "xb" + head + "b") == head + "<" + std::string(30, 'a') + ">x<b>" + head + "<b>");
  }
}

TEST_CASE("no match cuts a character in two") {
  for (const std::string_view text : {"\xC3\xA9", "a\xC3\xA9 \xE2\x82\xAC", "\xF0\x9F\x98\x80\xC3\xA9"}) {
    CHECK(base::is_utf8(replaced("\\B", "|", text)));
    CHECK(base::is_utf8(replaced("", "|", text)));
  }
  CHECK(replaced("\\B", "|", "a\xC3\xA9\xC3\xA9") == "a\xC3\xA9|\xC3\xA9|");
}

TEST_CASE("what comes out of pieces that end between characters ends between characters") {
  std::mt19937 random(4);
  for (const Case& one : cases()) {
    const ReplaceRule rule = rule_of(one.pattern, one.replacement, 64);
    const std::string text = random_text(random, one.alphabet + "\xE2\x82\xAC", 200);
    ReplaceStream stream(rule);
    for (std::size_t at = 0; at < text.size();) {
      std::size_t size = 1;
      while (at + size < text.size() && (static_cast<unsigned char>(text[at + size]) & 0xc0) == 0x80) ++size;
      std::string out;
      stream.take(text.substr(at, size), out);
      INFO("pattern " << one.pattern << " gave '" << out << "'");
      REQUIRE(base::is_utf8(out));
      at += size;
    }
  }
}

TEST_CASE("text is given on at once where no match can come of it") {
  const ReplaceRule rule = rule_of("sk-[a-z]{4,}", "***");
  ReplaceStream stream(rule);
  const auto next = [&stream](std::string_view piece) {
    std::string out;
    stream.take(piece, out);
    return out;
  };
  CHECK(next("Hello, my ke") == "Hello, my ke");
  CHECK(next("y is") == "y i");   // an s may be its beginning
  CHECK(next(" s") == "s ");
  CHECK(next("k-") == "");
  CHECK(next("abc") == "");
  CHECK(next("d") == "");         // a match, which may be a longer one yet
  CHECK(next("e.") == "***.");
  CHECK(next("sk-abc.") == "sk-abc.");
  std::string rest;
  stream.take("sk-abcd", rest);
  stream.end(rest);
  CHECK(rest == "***");
}

TEST_CASE("what a match has used up holds nothing back") {
  const ReplaceRule rule = rule_of("ab|b[a-z ]*c", "<\\0>");
  ReplaceStream stream(rule);
  std::string out;
  stream.take("ab xyz", out);  // its b might begin a match, were it not part of one
  CHECK(out == "<ab> xyz");
}

TEST_CASE("held back is no more than the bound and an eighth, and it is looked at a bounded number of times") {
  for (const auto& [pattern, text_piece] : {std::pair{"(?s)<.*>", "<abc "}, std::pair{"[a-z.]+@[a-z]+", "abcd."}, std::pair{"(?s).+x", "a "}}) {
    const ReplaceRule rule = rule_of(pattern, "-");
    for (const std::size_t pieces : {2'000u, 20'000u}) {
      ReplaceStream stream(rule);
      std::string out;
      std::size_t most = 0, bytes = 0;
      for (std::size_t i = 0; i < pieces; ++i) {
        stream.take(text_piece, out);
        bytes += std::string_view(text_piece).size();
        most = std::max(most, stream.held());
      }
      INFO("pattern " << pattern << ", " << pieces << " pieces, looked at " << stream.looked_at() << " for " << bytes);
      CHECK(most <= 256 + 256 / 8 + 8);
      CHECK(out.size() + stream.held() == bytes);
      CHECK(stream.looked_at() <= 24 * bytes);
    }
  }
}

TEST_CASE("the worst of patterns costs its bound for each byte, and no more for a longer text") {
  const ReplaceRule rule = rule_of("(?s)a.*b", "-");
  for (const std::size_t size : {10'000u, 100'000u}) {
    std::string text(size, 'a');
    for (std::size_t i = 300; i < size; i += 300) text[i] = 'c';
    text.back() = 'b';
    ReplaceStream stream(rule);
    std::string out;
    stream.take(text, out);
    stream.end(out);
    CHECK(out.size() == size - 255);
    CHECK(stream.looked_at() <= 3 * 256 * size);
  }
}

TEST_CASE("after its end a stream is as new, and an empty text is left alone") {
  const ReplaceRule rule = rule_of("^a", "-");
  ReplaceStream stream(rule);
  for (int i = 0; i < 2; ++i) {
    std::string out;
    stream.take("aa", out);
    stream.end(out);
    CHECK(out == "-a");
  }
  CHECK(replaced("^", "-", "") == "");
  CHECK(replaced("^", "-", "a") == "-a");
}

TEST_CASE("beginnings fit the ends of texts from which a match may go on") {
  const auto begins = [](std::string_view pattern, std::string_view text) {
    const auto beginnings = policy::beginnings_of(pattern);
    REQUIRE(beginnings);
    re2::StringPiece found;
    REQUIRE(RE2(beginnings->pattern, RE2::Quiet).Match(re2::StringPiece(text.data(), text.size()), 0, text.size(), RE2::UNANCHORED, &found, 1));
    return std::string(found);
  };
  CHECK(begins("ab+c", "xab") == "ab");
  CHECK(begins("ab+c", "xabx") == "");
  CHECK(begins("(?:ab){2}c|b", "abab") == "abab");
  CHECK(begins("a\\bc", "a") == "a");
  CHECK(begins("[^]x]y", "]a") == "a");
  CHECK(begins("\\Qa|b\\E", "a|") == "a|");
  CHECK(begins("\\p{Greek}z", "a\xCE\xB1") == "\xCE\xB1");
  CHECK(begins("(?P<n>a)\\x{62}{3}c", "abb") == "abb");
}

TEST_CASE("the shortest match is told from the pattern") {
  const auto shortest = [](std::string_view pattern) { return policy::beginnings_of(pattern)->shortest; };
  CHECK(shortest("") == 0);
  CHECK(shortest("abc") == 3);
  CHECK(shortest("a|bcd") == 1);
  CHECK(shortest("a{3}b*c+d?(?:ef)+") == 6);
  CHECK(shortest("^\\bab$") == 2);
  CHECK(shortest("\\Qab\\E{2}") == 3);
  CHECK(shortest("\xE2\x82\xAC{2}") == 6);
  CHECK(shortest("(?i)\xE2\x84\xAA") == 1);  // the kelvin sign is a k where case does not count
  CHECK(shortest("(?:(?:a{1000}){1000}){1000}") >= 1'000'000);
  CHECK_FALSE(policy::beginnings_of("a\\Cb"));
}

// PLUG-10
TEST_CASE("a rule that cannot be kept is refused by its member") {
  struct Wrong {
    std::string pattern, replacement, param, message;
    std::size_t max_match = 256;
  };
  for (const auto& [pattern, replacement, param, message, max_match] : {
           Wrong{"a(", "", "pattern", "no RE2 regular expression"},
           Wrong{"(?:(?:a{100}){100}){100}", "", "pattern", ""},
           Wrong{"\\C", "", "pattern", "single bytes"},
           Wrong{"a{5}", "", "pattern", "fits nothing below 5 bytes, and matches are looked for within 4", 4},
           Wrong{"(a)", "\\2", "replacement", "does not fit the pattern"},
           Wrong{"a", "b\\", "replacement", "does not fit the pattern"},
           Wrong{"a", "\\q", "replacement", "does not fit the pattern"},
           Wrong{"a", std::string(4097, 'x'), "replacement", "4097 bytes"}}) {
    INFO(pattern << " -> " << replacement);
    const auto rule = ReplaceRule::compile(pattern, replacement, max_match);
    REQUIRE_FALSE(rule);
    CHECK(rule.error().code == Code::kInvalidConfiguration);
    CHECK(rule.error().param == param);
    CHECK_THAT(rule.error().message, Catch::Contains(message));
  }
  CHECK(ReplaceRule::compile("a{4}", "", 4));
}
