// Regular expressions and text searches of rules.

#include "policy/regex.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>

using namespace sluice;
using namespace sluice::policy;

namespace {

/// The fastest of several runs, in nanoseconds.
double fastest_ns(const Regex& regex, const std::string& text) {
  double best = 1e12;
  for (int i = 0; i < 5; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const bool found = regex.found_in(text);
    best = std::min(best, std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count());
    CHECK_FALSE(found);
  }
  return best;
}

}  // namespace

TEST_CASE("a pattern is looked for anywhere unless it is tied to the ends") {
  CHECK(Regex::compile("b+")->found_in("abbc"));
  CHECK_FALSE(Regex::compile("^b+")->found_in("abbc"));
  CHECK(Regex::compile("^$")->found_in(""));
  CHECK(Regex::compile("^$")->found_in(std::string_view()));
  CHECK(Regex::compile("HELLO", true)->found_in("say hello"));
  CHECK_FALSE(Regex::compile("HELLO")->found_in("say hello"));
}

TEST_CASE("a literal is itself, and ignoring case reaches beyond ASCII") {
  CHECK(Regex::literal("a.b", false)->found_in("xa.by"));
  CHECK_FALSE(Regex::literal("a.b", false)->found_in("axb"));
  CHECK_FALSE(Regex::literal("Hello", false)->found_in("hello"));
  CHECK(Regex::literal("HeLLo", true)->found_in("say hEllO"));
  CHECK(Regex::literal("ÄÖÜ", true)->found_in("größe äöü"));
  CHECK(Regex::literal("ΣΟΦΙΑ", true)->found_in("σοφια"));
  CHECK(Regex::literal("σοφιας", true)->found_in("ΣΟΦΙΑΣ"));  // final sigma
  CHECK(Regex::literal("ПРИВЕТ", true)->found_in("привет"));
  CHECK(Regex::literal("straße", true)->found_in("STRAßE"));
  CHECK_FALSE(Regex::literal("straße", true)->found_in("STRASSE"));  // one character to one
}

TEST_CASE("a pattern that does not compile, or is too long or too large, is refused at load") {
  for (const std::string& pattern : {std::string("("), std::string("a{2"), std::string("(?=x)"), std::string("\\1"), std::string("[z-a]")}) {
    const auto regex = Regex::compile(pattern);
    INFO(pattern);
    if (pattern == "a{2") {  // a literal brace to RE2
      CHECK(regex);
      continue;
    }
    REQUIRE_FALSE(regex);
    CHECK(regex.error().code == Code::kInvalidConfiguration);
    CHECK(regex.error().message.find("no RE2 regular expression") != std::string::npos);
  }
  CHECK_FALSE(Regex::compile(std::string(Regex::kMaxPatternBytes + 1, 'a')));
  CHECK(Regex::compile(std::string(Regex::kMaxPatternBytes, 'a')));
  const auto large = Regex::compile("((a{100}){10}){10}x\\pL{900}");
  REQUIRE_FALSE(large);
  INFO(large.error().message);
  CHECK(large.error().code == Code::kInvalidConfiguration);
}

TEST_CASE("a pattern made to explode is linear in its text") {  // SEC-33
  const auto regex = Regex::compile("^(([a-z])+.)+[A-Z]([a-z])+$");
  REQUIRE(regex);
  CHECK(regex->found_in("abcXyz"));
  CHECK_FALSE(regex->found_in(std::string(32, 'a')));
  // 1 ms per KB is the bar; the sanitizers and a busy machine get ten times that.
  const double small = fastest_ns(*regex, std::string(32, 'a'));
  const double large = fastest_ns(*regex, std::string(1 << 20, 'a'));
  WARN("32 bytes: " << small << " ns; 1 MiB: " << large / 1024 << " ns per KB");
  CHECK(small < 10e6);
  CHECK(large / 1024 < 10e6);
  // Linear: eight times the text costs about eight times, not more.
  CHECK(large < 80 * fastest_ns(*regex, std::string(1 << 17, 'a')));
}
