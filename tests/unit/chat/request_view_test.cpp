// Operations have names that differ.

#include <catch2/catch.hpp>

#include <set>

#include "chat/request_view.hpp"

TEST_CASE("every operation has a name of its own") {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(sluice::chat::Operation::kOpaque); ++i) {
    names.insert(to_string(static_cast<sluice::chat::Operation>(i)));
  }
  CHECK(names.size() == static_cast<std::size_t>(sluice::chat::Operation::kOpaque) + 1);
}
