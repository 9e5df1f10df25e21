// Names: globs, and the nearest of some to a mistyped one.

#include <catch2/catch.hpp>

#include <array>

#include "base/glob.hpp"
#include "base/mailbox.hpp"
#include "base/nearest.hpp"
#include "sluice/random.hpp"

using namespace sluice::base;

namespace {

/// The meaning of a glob, written down and slow.
bool fits(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*') return fits(pattern.substr(1), text) || (!text.empty() && fits(pattern, text.substr(1)));
  return !text.empty() && (pattern[0] == '?' || pattern[0] == text[0]) && fits(pattern.substr(1), text.substr(1));
}

std::string word(sluice::Random& random, std::string_view letters, std::size_t most) {
  std::string out;
  for (std::size_t i = 0, n = random.below(most + 1); i < n; ++i) out += letters[random.below(letters.size())];
  return out;
}

}  // namespace

TEST_CASE("a glob fits whole names, case counting") {
  CHECK(glob_match("gpt-4o", "gpt-4o"));
  CHECK_FALSE(glob_match("gpt-4o", "gpt-4o-mini"));
  CHECK_FALSE(glob_match("gpt-4o", "GPT-4o"));
  CHECK(glob_match("gpt-4o*", "gpt-4o"));
  CHECK(glob_match("*-mini", "gpt-4o-mini"));
  CHECK(glob_match("g?t-*", "gpt-4"));
  CHECK(glob_match("*", ""));
  CHECK_FALSE(glob_match("?", ""));
  CHECK_FALSE(glob_match("", "a"));
  CHECK(is_glob("a*"));
  CHECK(is_glob("?"));
  CHECK_FALSE(is_glob("meta-llama/Llama-3[1]"));
}

TEST_CASE("a glob fits exactly what its meaning says") {
  sluice::Random random(3);
  int fitted = 0;
  for (int round = 0; round < 20'000; ++round) {
    const std::string pattern = word(random, "ab*?", 7), text = word(random, "ab", 7);
    INFO(pattern << " " << text);
    REQUIRE(glob_match(pattern, text) == fits(pattern, text));
    fitted += fits(pattern, text) ? 1 : 0;
  }
  CHECK(fitted > 1000);
}

TEST_CASE("many stars cost no more than pattern times text") {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "*a";
  pattern += "*b";
  CHECK_FALSE(glob_match(pattern, std::string(20'000, 'a')));
}

TEST_CASE("the nearest name is the one that was meant") {
  constexpr std::array<std::string_view, 4> kNames{"upstreams", "upstream", "models", "timeouts"};
  CHECK(nearest("upstraem", kNames) == "upstream");
  CHECK(nearest("upstreems", kNames) == "upstreams");
  CHECK(nearest("model", kNames) == "models");
  CHECK(nearest("timeout_ms", kNames) == "timeouts");
  CHECK(nearest("models", kNames) == "models");
}

TEST_CASE("a name that is not near is not offered") {
  constexpr std::array<std::string_view, 3> kNames{"upstreams", "routes", "consumers"};
  CHECK(nearest("temperature", kNames).empty());
  CHECK(nearest("rxxxxs", kNames).empty());
  CHECK(nearest("anything", {}).empty());
  const std::string endless(100'000, 'r');
  CHECK(nearest(endless, kNames).empty());
}

TEST_CASE("a swap of neighbours is one change, and of equals the first is offered") {
  constexpr std::array<std::string_view, 3> kNames{"abcd", "wxyz", "abdd"};
  CHECK(nearest("bacd", kNames) == "abcd");
  constexpr std::array<std::string_view, 2> kEqual{"cat", "bat"};
  CHECK(nearest("rat", kEqual) == "cat");
}

TEST_CASE("a mailbox says when its reader must be woken, and keeps the order") {
  Mailbox box;
  std::string order;
  CHECK(box.push([&] { order += 'a'; }));
  CHECK_FALSE(box.push([&] { order += 'b'; }));
  std::vector<Task> tasks{[&] { order += 'x'; }};
  box.take(tasks);
  REQUIRE(tasks.size() == 2);
  for (const Task& task : tasks) task();
  CHECK(order == "ab");
  CHECK(box.push([] {}));
}
