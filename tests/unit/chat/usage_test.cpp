// How counts of tokens add up.

#include <catch2/catch.hpp>

#include "chat/usage.hpp"

using namespace sluice::chat;

TEST_CASE("a later count replaces an earlier one; what it leaves out stays") {
  Usage usage{10, 1, 4, {}, {}, 11};
  merge(usage, {{}, 5, {}, {}, 2, {}});
  CHECK(usage == Usage{10, 5, 4, {}, 2, {}});
  merge(usage, {});
  CHECK(usage.output_tokens == 5u);
  merge(usage, {10, 6, {}, {}, {}, 16});
  CHECK(usage == Usage{10, 6, 4, {}, 2, 16});
}

TEST_CASE("a smaller count that comes later counts") {
  // DIAL-13: never the larger of two.
  Usage usage{8834, 2, {}, {}, {}, {}};
  merge(usage, {8849, 1, 8831, {}, {}, {}});
  CHECK(usage.output_tokens == 1u);
}

TEST_CASE("unknown is not zero") {
  CHECK(empty({}));
  CHECK_FALSE(empty({0, {}, {}, {}, {}, {}}));
  CHECK_FALSE(total({}));
  CHECK(total({1, {}, {}, {}, {}, {}}) == 1u);
  CHECK(total({1, 2, {}, {}, {}, 9}) == 9u);
  CHECK(sum({1, {}, {}, {}, {}, {}}, {2, 3, {}, {}, {}, {}}) == Usage{3, 3, {}, {}, {}, 6});
  CHECK_FALSE(uncached_input({}));
  CHECK(uncached_input({10, {}, 4, {}, {}, {}}) == 6u);
  CHECK(uncached_input({4, {}, 10, {}, {}, {}}) == 0u);
}

TEST_CASE("usage is told in one line") {
  CHECK(describe({}) == "unknown");
  CHECK(describe({12, 30, 4, {}, 9, {}}) == "12 in (4 cached), 30 out (9 reasoning)");
  CHECK(describe({12, {}, {}, {}, {}, {}, true}) == "12 in, ? out, estimated");
}
