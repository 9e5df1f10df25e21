// Exact counts: merging against its definition, what bounds it, and what is told of a guess.

#include <catch2/catch.hpp>

#include <time.h>

#include <chrono>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "chat/bpe.hpp"
#include "chat/pretokens.hpp"
#include "unit/chat/rank_table.hpp"

using namespace sluice;
using namespace sluice::chat::tokens;

namespace {

Bpe bpe_of(const tests::Tokens& tokens, Vocabulary vocabulary = Vocabulary::kO200k) {
  auto table = RankTable::parse(tests::rank_file(tokens));
  REQUIRE(table);
  return {vocabulary, std::move(*table)};
}

std::vector<std::uint32_t> encoded(const Bpe& bpe, std::string_view text) {
  std::vector<std::uint32_t> out;
  REQUIRE(bpe.encode(text, out));
  return out;
}

/// Piece by piece, by the definition.
std::vector<std::uint32_t> encoded_slowly(const tests::Ranks& ranks, Vocabulary vocabulary, std::string_view text) {
  std::vector<std::uint32_t> out;
  bool whole = true;
  while (!text.empty()) {
    const std::size_t size = first_piece(text, vocabulary, whole);
    const auto more = tests::merged_slowly(ranks, text.substr(0, size));
    out.insert(out.end(), more.begin(), more.end());
    text.remove_prefix(size);
  }
  return out;
}

std::chrono::nanoseconds thread_time() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

}  // namespace

TEST_CASE("pairs of the lowest rank are merged first, of equal ones the leftmost") {
  const tests::Tokens tokens = tests::tokens_with({"bc", "ab", "aa", "abc", "aaa"});
  const Bpe bpe = bpe_of(tokens);
  const auto rank = [&](std::string_view token) { return bpe.ranks().find(token); };
  CHECK(encoded(bpe, "abcd") == std::vector{rank("abc"), rank("d")});          // b c, then a bc
  CHECK(encoded(bpe, "aaaaax") == std::vector{rank("aa"), rank("aaa"), rank("x")});  // aa aa a, then aa aaa
  CHECK(encoded(bpe, "aab") == std::vector{rank("a"), rank("ab")});
  CHECK(bpe.count("") == Count{0, true});
  CHECK(bpe.count("abcd") == Count{2, true});
}

TEST_CASE("a piece that is a token is one, though no merge would lead there") {
  const Bpe bpe = bpe_of(tests::tokens_with({"xyz"}));
  CHECK(encoded(bpe, "xyz") == std::vector{256u});
  CHECK(bpe.count("wxyz").tokens == 4);  // inside a piece nothing leads there
}

TEST_CASE("merging comes to what its definition says, for short pieces and for long ones") {
  for (const Vocabulary vocabulary : {Vocabulary::kO200k, Vocabulary::kCl100k}) {
    for (std::uint32_t seed = 1; seed != 7; ++seed) {
      // In the first, pairs compete for each letter, and what won is in no pair itself.
      const tests::Tokens tokens = seed == 1 ? tests::tokens_with({"ba", "ab"})
                                             : seed % 2 == 0 ? tests::learned(seed * 12, seed, "ab") : tests::learned(400, seed);
      const Bpe bpe = bpe_of(tokens, vocabulary);
      const tests::Ranks ranks = tests::ranks_of(tokens);
      std::mt19937 random(seed);
      for (int i = 0; i != 60; ++i) {
        std::string text;
        const std::size_t size = i % 3 == 0 ? 40 + random() % 20 : random() % 300;
        const std::string_view letters = i % 2 == 0 ? "ab" : "ab c\xC3\xA9\n";
        while (text.size() < size) text += letters[random() % letters.size()];
        INFO(seed << ' ' << text);
        const auto expected = encoded_slowly(ranks, vocabulary, text);
        REQUIRE(encoded(bpe, text) == expected);
        REQUIRE(bpe.count(text).tokens == expected.size());
      }
    }
  }
}

TEST_CASE("tokens put together again are the text, whatever bytes it has") {
  const Bpe bpe = bpe_of(tests::learned(400, 9));
  std::mt19937 random(9);
  for (int i = 0; i != 300; ++i) {
    std::string text(random() % 400, '\0');
    for (char& c : text) c = static_cast<char>(i % 2 == 0 ? random() : "ab c"[random() % 4]);
    std::string again;
    for (const std::uint32_t token : encoded(bpe, text)) again += bpe.ranks().token(token);
    REQUIRE(again == text);
    REQUIRE(bpe.count(text).tokens <= text.size());
  }
}

TEST_CASE("a piece of the longest is merged whole; of a longer one the rest is extrapolated, and called no count") {
  const Bpe bpe = bpe_of(tests::tokens_with({"aa", "aaaa"}));
  CHECK(bpe.count(std::string(Bpe::kLongestPiece, 'a')) == Count{Bpe::kLongestPiece / 4, true});
  CHECK(bpe.count(std::string(Bpe::kLongestPiece + 1, 'a')) == Count{Bpe::kLongestPiece / 4 + 1, false});
  CHECK(bpe.count(std::string(1'000'000, 'a')) == Count{250'000, false});
  std::vector<std::uint32_t> tokens;
  CHECK_FALSE(bpe.encode("b " + std::string(Bpe::kLongestPiece, 'a'), tokens));
  CHECK(tokens.size() == 1);
}

TEST_CASE("bytes that are no UTF-8 are counted, and the count is called none") {
  const Bpe bpe = bpe_of(tests::tokens_with({"ab"}));
  CHECK(bpe.count("ab\xFF") == Count{2, false});
  CHECK(bpe.count("ab\xC3\xA9") == Count{3, true});
}

// AVAIL-08
TEST_CASE("a megabyte of one character, or of what merges worst, takes no more time than its size") {
  const Bpe bpe = bpe_of(tests::learned(2000, 3));
  const auto time_of = [&](const std::string& text) {
    const auto began = thread_time();
    const Count count = bpe.count(text);
    CHECK(count.tokens <= text.size());
    return thread_time() - began;
  };
  std::string longest;  // pieces just short of where they are cut off
  while (longest.size() < 1'000'000) longest += " " + std::string(Bpe::kLongestPiece - 1, 'a');
  std::string capitals;  // letters that the first alternative of o200k takes and gives back
  while (capitals.size() < 1'000'000) capitals += "\xCC\x81" + std::string(500, 'A');
  const std::string texts[] = {std::string(1'000'000, 'a'), std::string(1'000'000, ' '), std::string(1'000'000, '_'),
                               std::string(1'000'000, '\n'), longest, capitals, std::string(1'000'000, '\xCC'), " \n" + std::string(999'998, ' ') + "x"};
  for (const std::string& text : texts) {
    INFO(text.substr(0, 8));
    CHECK(time_of(text) < std::chrono::seconds(10));  // of a build without optimisation on a busy machine; 1 s is asked for
    // Twice the text, not four times the time.
    const auto half = time_of(text.substr(0, 500'000)) + std::chrono::milliseconds(20);
    CHECK(time_of(text) < half * 10);
  }
}

TEST_CASE("texts behind a bound are taken to be like those before it") {
  const Bpe bpe = bpe_of(tests::tokens_with({"ab"}));
  BoundedCount all(bpe, 100);
  all.add("abab");
  all.add("ab");
  CHECK(all.counted() == Count{3, true});
  BoundedCount some(bpe, 4);
  some.add("abab");
  some.add("abababab");
  CHECK(some.counted() == Count{6, false});
  some.add_unseen(4);
  CHECK(some.counted() == Count{8, false});
  BoundedCount none(bpe, 0);
  none.add("abc");
  CHECK(none.counted() == Count{3, false});  // a token for each byte: the bound that always holds
  BoundedCount within(bpe, 3);
  within.add("ab\xC3\xA9");  // not within a character
  CHECK(within.counted() == Count{2, false});
}

TEST_CASE("many threads count with one vocabulary") {
  const Bpe bpe = bpe_of(tests::learned(400, 5));
  const std::string text(3000, 'b');
  const Count expected = bpe.count(text);
  std::vector<std::thread> threads;
  std::vector<Count> counts(4);
  for (Count& count : counts) threads.emplace_back([&] { count = bpe.count(text); });
  for (std::thread& thread : threads) thread.join();
  for (const Count& count : counts) CHECK(count == expected);
}
