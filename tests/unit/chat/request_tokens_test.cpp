// Tokens of whole requests: the rule around messages, and what makes a count a guess.

#include <catch2/catch.hpp>

#include <string>
#include <utility>

#include "chat/request_tokens.hpp"
#include "unit/chat/rank_table.hpp"

using namespace sluice;
using namespace sluice::chat;

namespace {

constexpr std::size_t kAll = 1 << 20;

/// A vocabulary in which the roles and some words are tokens.
tokens::Bpe vocabulary() {
  auto table = tokens::RankTable::parse(tests::rank_file(tests::tokens_with({"user", "system", "developer", "assistant", "tool", "hi"})));
  REQUIRE(table);
  return {tokens::Vocabulary::kO200k, std::move(*table)};
}

Turn turn(Role role, std::string text) {
  Turn out;
  out.role = role;
  out.parts.push_back({Text{.text = std::move(text)}});
  return out;
}

Request request_of(std::vector<Turn> turns) {
  Request request;
  request.input = ChatInput{.turns = std::move(turns)};
  return request;
}

tokens::Count counted(const Request& request, std::size_t bound = kAll) { return count_tokens(request, vocabulary(), bound); }

}  // namespace

TEST_CASE("a message has three tokens, its role and its text, and the answer begins with three") {
  CHECK(counted(request_of({turn(Role::kUser, "hi")})) == tokens::Count{3 + 1 + 1 + 3, true});
  CHECK(counted(request_of({turn(Role::kSystem, "hi"), turn(Role::kUser, "hi hi")})) == tokens::Count{3 + 1 + 1 + 3 + 1 + 3 + 3, true});  // hi, a space, hi
}

TEST_CASE("a participant's name is a token more, and the name") {
  Request request = request_of({turn(Role::kUser, "hi")});
  request.chat()->turns[0].name = "hi";
  CHECK(counted(request) == tokens::Count{3 + 1 + 1 + 3 + 1 + 1, true});
}

TEST_CASE("a developer's message is counted by that word") {
  Request request = request_of({turn(Role::kSystem, "hi")});
  request.chat()->turns[0].developer = true;
  CHECK(counted(request) == tokens::Count{3 + 1 + 1 + 3, true});
}

TEST_CASE("tools, calls, results, media and forms of the answer make a count a guess") {
  const auto plain = request_of({turn(Role::kUser, "hi")});
  const auto with = [&](auto change) {
    Request request = plain;
    change(*request.chat());
    return counted(request);
  };
  CHECK(counted(plain).exact);
  const auto tools = with([](ChatInput& chat) { chat.tools.push_back({}), chat.tools.back().name = "hi"; });
  CHECK(tools == tokens::Count{counted(plain).tokens + 4 + 1, false});
  const auto call = with([](ChatInput& chat) { chat.turns[0].parts.push_back({ToolCall{.name = "hi", .arguments = "hi"}}); });
  CHECK(call == tokens::Count{counted(plain).tokens + 4 + 2, false});
  const auto result = with([](ChatInput& chat) { chat.turns[0].parts.push_back({ToolResult{.parts = {{Text{.text = "hi"}}}}}); });
  CHECK(result == tokens::Count{counted(plain).tokens + 4 + 1, false});
  CHECK_FALSE(with([](ChatInput& chat) { chat.turns[0].parts.push_back({Image{}}); }).exact);
  CHECK_FALSE(with([](ChatInput& chat) { chat.turns[0].parts.push_back({Thinking{.text = "hi"}}); }).exact);
  CHECK_FALSE(with([](ChatInput& chat) { chat.response_format.emplace(); }).exact);
  CHECK_FALSE(with([](ChatInput& chat) { chat.prediction.emplace(); }).exact);
}

TEST_CASE("text behind the bound makes a count a guess, of about the same size") {
  const auto request = request_of({turn(Role::kUser, std::string(9000, '.'))});
  const auto all = counted(request), some = counted(request, 3000);
  CHECK_FALSE(some.exact);
  CHECK(some.tokens * 10 >= all.tokens * 9);
  CHECK(some.tokens * 9 <= all.tokens * 10);
}

TEST_CASE("a request without text has no tokens") {
  CHECK(counted(request_of({})) == tokens::Count{0, true});
  Request models;
  models.input = ModelsInput{};
  CHECK(counted(models) == tokens::Count{0, true});
}
