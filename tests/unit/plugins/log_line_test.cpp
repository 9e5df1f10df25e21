// Lines of fields, read back by a reader that knows the rules alone.

#include "plugins/log_line.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <utility>
#include <vector>

#include "base/utf8.hpp"

using namespace sluice;
using plugins::LogLine;

namespace {

std::string written(std::string_view value, std::size_t longest = LogLine::kLongest) { return LogLine("x").field("k", value, longest).text(); }

using Fields = std::vector<std::pair<std::string, std::string>>;

/// The fields of a line, their values still escaped.
Fields read(const std::string& line) {
  Fields out;
  std::size_t at = line.find(' ');
  while (at < line.size()) {
    const std::size_t equals = line.find('=', ++at);
    REQUIRE(equals != std::string::npos);
    const std::string key = line.substr(at, equals - at);
    at = equals + 1;
    std::string value;
    if (line.at(at) == '"') {
      for (++at; line.at(at) != '"'; ++at) {
        value.push_back(line[at]);
        if (line[at] == '\\') value.push_back(line.at(++at));
      }
      ++at;
    } else {
      while (at < line.size() && line[at] != ' ') value.push_back(line[at++]);
    }
    REQUIRE((at == line.size() || line[at] == ' '));
    out.emplace_back(key, value);
  }
  return out;
}

}  // namespace

TEST_CASE("plain words stand bare, and everything else in quotes") {
  CHECK(written("gpt-4o") == "x k=gpt-4o");
  CHECK(written("openai/gpt-4o@eu:1.0+b_c") == "x k=openai/gpt-4o@eu:1.0+b_c");
  CHECK(written("a b") == R"(x k="a b")");
  CHECK(written("a=b") == R"(x k="a=b")");
  CHECK(written("caf\xc3\xa9") == "x k=\"caf\xc3\xa9\"");
  CHECK(written("say \"\\\"") == R"(x k="say \"\\\"")");
}

TEST_CASE("an empty value has no field") { CHECK(written("") == "x"); }

TEST_CASE("numbers and times are bare") {
  using namespace std::chrono_literals;
  CHECK(LogLine("x").field("n", std::uint64_t{18446744073709551615u}).text() == "x n=18446744073709551615");
  CHECK(LogLine("x").field("t", Duration(1234567us)).text() == "x t=1234.567");
  CHECK(LogLine("x").field("t", Duration(999ns)).text() == "x t=0.000");
  CHECK(LogLine("x").field("t", Duration(-5s)).text() == "x t=0.000");
}

// SEC-01: whoever chooses a value chooses no line and no field.
TEST_CASE("line breaks, controls and marks that reorder text are escaped") {
  const auto [value, shown] = GENERATE(table<std::string, std::string>({
      {"a\r\nexchange id=forged", R"(a\r\nexchange id=forged)"},
      {"a\tb", R"(a\tb)"},
      {std::string("a\0b", 3), R"(a\u0000b)"},
      {"\x1b[31m", R"(\u001b[31m)"},
      {"\x7f", R"(\u007f)"},
      {"\xc2\x85", R"(\u0085)"},
      {"\xe2\x80\xa8\xe2\x80\xa9", R"(\u2028\u2029)"},
      {"\xe2\x80\xae", R"(\u202e)"},
      {"\xe2\x81\xa6\xe2\x81\xa9", R"(\u2066\u2069)"},
      {"\xef\xbb\xbf", R"(\ufeff)"},
      {"\" status=200 x=\"", R"(\" status=200 x=\")"},
      {"\\", R"(\\)"},
  }));
  CHECK(written(value) == "x k=\"" + shown + '"');
}

TEST_CASE("what is no UTF-8 becomes replacement characters") {
  const std::string kReplaced = "\xef\xbf\xbd";
  CHECK(written("a\xff"
                "b") == "x k=\"a" + kReplaced + "b\"");
  CHECK(written("\xc3") == "x k=\"" + kReplaced + '"');
  CHECK(written("\xc3\x28") == "x k=\"" + kReplaced + "(\"");
  CHECK(written("\xed\xa0\x80") == "x k=\"" + kReplaced + kReplaced + kReplaced + '"');  // a surrogate
  CHECK(written("\xc0\xaf") == "x k=\"" + kReplaced + kReplaced + '"');                  // an overlong slash
  CHECK(written("\x80\n") == "x k=\"" + kReplaced + "\\n\"");
}

TEST_CASE("a long value is cut between two characters and marked") {
  CHECK(written("abcd", 4) == "x k=abcd");
  CHECK(written("abcde", 4) == R"(x k="abcd...")");
  CHECK(written("abc\xc3\xa9", 5) == "x k=\"abc\xc3\xa9\"");
  CHECK(written("abc\xc3\xa9x", 4) == R"(x k="abc...")");
  CHECK(written("a\xf0\x9f\x98\x80x", 4) == R"(x k="a...")");
}

TEST_CASE("whatever the values hold, the line is one, valid, and has the fields that were written") {
  std::mt19937 random(7);
  const std::vector<std::string> pieces = {"a", "\"", "\\", "\n", "\r", " ", "=", " k=v", "\" k=\"v", "\\\"", "\xc3\xa9", "\xe2\x80\xa8", "\xff", "\xc3",
                                           "\xf0\x9f\x98\x80", std::string(1, '\0'), "\x1f", "\xed\xa0\x80", "..."};
  for (int round = 0; round < 5000; ++round) {
    LogLine line("exchange");
    std::vector<std::string> keys;
    for (int field = 0; field < 4; ++field) {
      std::string value;
      for (auto n = random() % 12; n > 0; --n) value += pieces[random() % pieces.size()];
      const std::string key = "k" + std::to_string(field);
      if (!value.empty()) keys.push_back(key);
      line.field(key, value, 1 + random() % 20);
    }
    line.field("last", std::uint64_t{1});
    keys.emplace_back("last");
    INFO(line.text());
    REQUIRE(base::is_utf8(line.text()));
    for (const char c : line.text()) REQUIRE(static_cast<unsigned char>(c) >= 0x20);
    std::vector<std::string> seen;
    for (const auto& [key, value] : read(line.text())) seen.push_back(key);
    REQUIRE(seen == keys);
  }
}
