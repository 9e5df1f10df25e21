// Rank files: what is read, and what is refused with its line.

#include <catch2/catch.hpp>

#include <string>

#include "chat/bpe_ranks.hpp"
#include "unit/chat/rank_table.hpp"

using namespace sluice;
using chat::tokens::RankTable;

namespace {

std::string refusal(const std::string& file) {
  const auto table = RankTable::parse(file);
  REQUIRE_FALSE(table);
  CHECK(table.error().code == Code::kInvalidConfiguration);
  return table.error().message;
}

const std::string kBytes = tests::rank_file(tests::tokens_with({}));  // 256 lines

}  // namespace

TEST_CASE("every token of a rank file is found by its bytes, and every other text is none") {
  const tests::Tokens tokens = tests::learned(3000, 1);
  const auto table = RankTable::parse(tests::rank_file(tokens));
  REQUIRE(table);
  CHECK(table->size() == tokens.size());
  for (std::size_t i = 0; i != tokens.size(); ++i) {
    REQUIRE(table->find(tokens[i]) == i);
    REQUIRE(table->token(static_cast<std::uint32_t>(i)) == tokens[i]);
    if (tokens[i].size() == 2) REQUIRE(table->pair(tokens[i][0], tokens[i][1]) == i);
  }
  CHECK(table->find("") == RankTable::kNone);
  CHECK(table->find("xyz") == RankTable::kNone);
  CHECK(table->find(std::string(100, 'a')) == RankTable::kNone);
  CHECK(table->pair('x', 'y') == RankTable::kNone);
  CHECK(table->token(static_cast<std::uint32_t>(tokens.size())).empty());
}

TEST_CASE("tokens of every length are told from their neighbours by each of their bytes") {
  tests::Tokens more;
  for (std::size_t size = 2; size != 70; ++size) more.push_back(std::string(size, 'q'));
  const auto table = RankTable::parse(tests::rank_file(tests::tokens_with(more)));
  REQUIRE(table);
  CHECK(table->longest() == 69);
  for (const std::string& token : more) {
    REQUIRE(table->find(token) != RankTable::kNone);
    for (std::size_t i = 0; i != token.size(); ++i) {
      std::string other = token;
      other[i] = 'r';
      REQUIRE(table->find(other) == RankTable::kNone);
    }
  }
}

TEST_CASE("ranks may come in any order, with gaps, CRs and empty lines") {
  const auto table = RankTable::parse("\n" + tests::base64("hello") + " 90000\r\n\r\n" + kBytes + tests::base64("hell") + " 300");
  REQUIRE(table);
  CHECK(table->size() == 258);
  CHECK(table->find("hello") == 90000);
  CHECK(table->find("hell") == 300);
  CHECK(table->token(90000) == "hello");
  CHECK(table->token(89999).empty());
  CHECK(table->token(301).empty());
}

TEST_CASE("a line that is none of a rank file is refused with its number") {
  CHECK(refusal(kBytes + "aGk=\n") == "line 257: 'aGk=' is not a token and its rank with a space between");
  CHECK(refusal(kBytes + "aGk 300\n") == "line 257: 'aGk' is no base64");
  CHECK(refusal(kBytes + "a=== 300\n") == "line 257: 'a===' is no base64");
  CHECK(refusal(kBytes + "a\tk= 300\n") == "line 257: 'a?k=' is no base64");
  CHECK(refusal(kBytes + " 300\n") == "line 257: '' is no base64");
  for (const char* rank : {"", "x", "-1", "3 ", "3.0", " 3", "1048576", "99999999999999999999"}) {
    INFO(rank);
    CHECK(refusal(kBytes + "aGk= " + rank + "\n") == "line 257: '" + std::string(rank) + "' is no rank from 0 to 1048575");
  }
  CHECK(refusal("<!DOCTYPE html><html><body>not found, and more than forty letters of it</body></html>").find("line 1: ") == 0);
}

TEST_CASE("a token or a rank that stands twice is refused") {
  CHECK(refusal(kBytes + "aGk= 300\naGk= 301\n") == "line 258: its token has rank 300 already");
  CHECK(refusal(kBytes + "aGk= 300\naGo= 300\n") == "line 258: rank 300 stands in line 257 already");
}

TEST_CASE("a table without every single byte is refused, for not every text has tokens then") {
  CHECK(refusal("") == "0 tokens, and none is the byte 0x00 alone: not every text could be counted");
  std::string but_one = kBytes;
  but_one.erase(0, but_one.find('\n') + 1);  // 0xff
  CHECK(refusal(but_one) == "255 tokens, and none is the byte 0xff alone: not every text could be counted");
}

TEST_CASE("what is larger than any vocabulary is refused before it is read") {
  CHECK(refusal(std::string(RankTable::kMaxFileBytes + 1, 'x')).find("more than the 67108864 of any rank file") != std::string::npos);
  const std::string longest(RankTable::kMaxTokenBytes, 'x');
  CHECK(RankTable::parse(kBytes + tests::base64(longest) + " 300\n"));
  CHECK(refusal(kBytes + tests::base64(longest + "x") + " 300\n") == "line 257: a token of 1025 bytes; the longest may have 1024");
}

TEST_CASE("a table takes the memory it says") {
  const auto table = RankTable::parse(tests::rank_file(tests::learned(3000, 1)));
  REQUIRE(table);
  // 3,256 tokens: 8,192 slots of 8 bytes, the ranks, the pairs, and the tokens.
  CHECK(table->memory_bytes() >= 8192 * 8 + 65536 * 4);
  CHECK(table->memory_bytes() <= 8192 * 8 + 65536 * 4 + 3300 * 2 * (4 + 12));
}
