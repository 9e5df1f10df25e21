// Paths of a route's match.

#include "policy/path_pattern.hpp"

#include <catch2/catch.hpp>

#include <random>

#include "base/glob.hpp"

using namespace sluice;
using namespace sluice::policy;

namespace {

PathPattern pattern(std::string_view text) {
  auto compiled = PathPattern::compile(text);
  INFO(text);
  REQUIRE(compiled);
  return std::move(*compiled);
}

bool fits(std::string_view text, std::string_view path) { return pattern(text).matches(path); }

std::string captured(std::string_view text, std::string_view path) {
  const PathPattern compiled = pattern(text);
  std::vector<PathPattern::Capture> captures;
  if (!compiled.matches(path, &captures)) return "no fit";
  std::string out;
  for (const auto& [name, value] : captures) out += std::string(name) + "=" + std::string(value) + ";";
  return out;
}

}  // namespace

TEST_CASE("an exact path takes itself alone") {  // ROUTE-02
  CHECK(fits("/v1/models", "/v1/models"));
  CHECK_FALSE(fits("/v1/models", "/v1/models/"));
  CHECK_FALSE(fits("/v1/models", "/v1/model"));
  CHECK_FALSE(fits("/v1/models", "/v1/Models"));
  CHECK_FALSE(fits("/v1/models/", "/v1/models"));
  CHECK(fits("/", "/"));
}

TEST_CASE("a prefix ends on a segment boundary") {  // ROUTE-02
  CHECK(below("/v1", "/v1"));
  CHECK(below("/v1", "/v1/"));
  CHECK(below("/v1", "/v1/x"));
  CHECK_FALSE(below("/v1", "/v1x"));
  CHECK_FALSE(below("/v1", "/v"));
  CHECK(below("", "/anything"));
  CHECK(compile_prefix("/v1/").value() == "/v1");
  CHECK(compile_prefix("/").value().empty());
  CHECK_FALSE(compile_prefix("/v1/*"));
  CHECK_FALSE(compile_prefix("/{a}"));
  CHECK_FALSE(compile_prefix("v1"));
  CHECK_FALSE(compile_prefix(""));
}

TEST_CASE("a star stays within its segment and needs something there") {  // ROUTE-02
  CHECK(fits("/v1/*/runs", "/v1/abc/runs"));
  CHECK_FALSE(fits("/v1/*/runs", "/v1/a/b/runs"));
  CHECK_FALSE(fits("/v1/*", "/v1/"));
  CHECK_FALSE(fits("/v1/*", "/v1"));
  CHECK(fits("/v1/file-*.txt", "/v1/file-.txt"));
  CHECK(fits("/v1/file-*.txt", "/v1/file-a.b.txt"));
  CHECK_FALSE(fits("/v1/file-*.txt", "/v1/file-a/b.txt"));
}

TEST_CASE("a double star takes any rest") {  // ROUTE-02
  CHECK(fits("/v1/**", "/v1"));
  CHECK(fits("/v1/**", "/v1/"));
  CHECK(fits("/v1/**", "/v1/a/b/c"));
  CHECK_FALSE(fits("/v1/**", "/v1x"));
  CHECK(fits("/**", "/"));
  CHECK(fits("/a/*/**", "/a/b/c"));
  CHECK(fits("/a/*/**", "/a/b"));
  CHECK_FALSE(fits("/a/*/**", "/a"));
}

TEST_CASE("a name captures one segment, or the part of it between literals, never nothing") {  // ROUTE-02, ROUTE-06
  CHECK(captured("/t/{team}/x/{id}", "/t/red/x/7") == "team=red;id=7;");
  CHECK(captured("/t/{team}", "/t/a%2Fb") == "team=a%2Fb;");
  CHECK(captured("/t/{team}", "/t/") == "no fit");
  CHECK(captured("/t/{team}", "/t/a/b") == "no fit");
  CHECK(captured("/v1beta/models/{model}:generateContent", "/v1beta/models/gemini-2.0:generateContent") == "model=gemini-2.0;");
  CHECK(captured("/v1beta/models/{model}:generateContent", "/v1beta/models/:generateContent") == "no fit");
  CHECK(captured("/t/{a}/{b}/end", "/t/1/2/else") == "no fit");
  CHECK(pattern("/t/{a}/{b}/**").names() == std::vector<std::string>{"a", "b"});
}

TEST_CASE("captures of a pattern that does not fit are taken back") {
  std::vector<PathPattern::Capture> captures = {{"kept", "1"}};
  CHECK_FALSE(pattern("/t/{a}/x").matches("/t/1/y", &captures));
  CHECK_FALSE(pattern("/t/{a}").matches("/t/1/y", &captures));
  CHECK(captures.size() == 1);
}

TEST_CASE("a path that no normalised request could have is refused") {  // ROUTE-02
  for (const char* text : {"", "v1", "/a//b", "/a/./b", "/../b", "/a?x=1", "/a#b", "/a b", "/\xc3\xa9", "/%zz", "/%4", "/%61", "/%2e%2e", "/%2f", "/%00",
                           "/{", "/}", "/{}", "/{1a}", "/{a-b}", "/{a}{b}", "/{a}/{a}", "/{a}*", "/**/x", "/a**", "/***"}) {
    INFO(text);
    const auto compiled = PathPattern::compile(text);
    REQUIRE_FALSE(compiled);
    CHECK(compiled.error().code == Code::kInvalidConfiguration);
    CHECK_FALSE(compiled.error().message.empty());
  }
  CHECK(PathPattern::compile("/a%2Fb%20c/~x-._"));
}

TEST_CASE("the literal prefix and the example of a pattern agree with what it takes") {
  CHECK(pattern("/v1/models/{m}").literal_prefix() == "/v1/models");
  CHECK(pattern("/{m}/x").literal_prefix().empty());
  CHECK(pattern("/v1/x").literal_prefix() == "/v1/x");
  for (const char* text : {"/", "/v1/x", "/v1/", "/{a}/b", "/a/*", "/a/f*.txt", "/a/{b}:c", "/a/**", "/**", "/*/"}) {
    const PathPattern one = pattern(text);
    INFO(text << " -> " << one.example());
    CHECK(one.matches(one.example()));
    CHECK(below(one.literal_prefix(), one.example()));
  }
}

TEST_CASE("patterns agree with a naive matcher on random paths") {
  // Naive: `**` is a glob over everything, the rest segment by segment by recursion.
  struct Naive {
    static bool segment(std::string_view p, std::string_view s) {
      if (p.empty()) return s.empty();
      if (p[0] == '*') return segment(p.substr(1), s) || (!s.empty() && segment(p, s.substr(1)));
      return !s.empty() && s[0] == p[0] && segment(p.substr(1), s.substr(1));
    }
    static bool whole(std::string_view p, std::string_view s) {
      if (p == "**") return true;
      const auto cut = [](std::string_view t) { return t.find('/'); };
      const std::string_view head = p.substr(0, cut(p)), part = s.substr(0, cut(s));
      const bool wild = head.find('*') != std::string_view::npos;
      if ((wild && part.empty()) || !segment(head, part)) return false;
      const bool more_p = cut(p) != std::string_view::npos, more_s = cut(s) != std::string_view::npos;
      if (more_p && !more_s) return p.substr(cut(p) + 1) == "**";
      if (more_p != more_s) return false;
      return !more_p || whole(p.substr(cut(p) + 1), s.substr(cut(s) + 1));
    }
  };
  std::mt19937 random(11);
  const char* segments[] = {"a", "b", "ab", "a*", "*", "*b", "a*b*"};
  const char* parts[] = {"a", "b", "ab", "ba", "aab", "abb", ""};
  int fitted = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text, path;
    for (std::size_t n = 1 + random() % 3; n > 0; --n) text += std::string("/") + segments[random() % 7];
    if (random() % 4 == 0) text += "/**";
    for (std::size_t n = 1 + random() % 4; n > 0; --n) path += std::string("/") + parts[random() % (n == 1 ? 7 : 6)];
    INFO(text << " on " << path);
    const bool naive = Naive::whole(std::string_view(text).substr(1), std::string_view(path).substr(1));
    REQUIRE(fits(text, path) == naive);
    fitted += naive;
  }
  CHECK(fitted > 1000);
}

TEST_CASE("globs agree with a naive matcher on random texts") {
  struct Naive {
    static bool match(std::string_view p, std::string_view s) {
      if (p.empty()) return s.empty();
      if (p[0] == '*') return match(p.substr(1), s) || (!s.empty() && match(p, s.substr(1)));
      return !s.empty() && (p[0] == '?' || s[0] == p[0]) && match(p.substr(1), s.substr(1));
    }
  };
  std::mt19937 random(13);
  int fitted = 0;
  for (int i = 0; i < 50'000; ++i) {
    std::string glob, text;
    for (std::size_t n = random() % 7; n > 0; --n) glob += "ab*?*"[random() % 5];
    for (std::size_t n = random() % 9; n > 0; --n) text += "ab"[random() % 2];
    INFO(glob << " on " << text);
    const bool naive = Naive::match(glob, text);
    REQUIRE(base::glob_match(glob, text) == naive);
    fitted += naive;
  }
  CHECK(fitted > 5000);
}
