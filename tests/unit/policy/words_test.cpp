// Values in messages.

#include "policy/words.hpp"

#include <catch2/catch.hpp>

#include <vector>

using sluice::policy::shown;

TEST_CASE("a value in a message is quoted, escaped and cut between characters") {
  CHECK(shown("gpt-4o") == "\"gpt-4o\"");
  CHECK(shown("a\nb\"") == "\"a\\nb\\\"\"");
  CHECK(shown(std::string(79, 'a') + "\xc3\xa9") == "\"" + std::string(79, 'a') + "\"...");
}

TEST_CASE("a list in a message names five and counts the others") {
  const std::vector<std::string> names = {"a", "b", "c", "d", "e", "f", "g"};
  const std::span<const std::string> all(names);
  CHECK(shown(all.first(1)) == "\"a\"");
  CHECK(shown(all.first(2)) == "\"a\" or \"b\"");
  CHECK(shown(all.first(3)) == "\"a\", \"b\" or \"c\"");
  CHECK(shown(all) == "\"a\", \"b\", \"c\", \"d\", \"e\" or 2 more");
}
