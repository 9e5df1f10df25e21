// Routes that can never be reached.

#include <catch2/catch.hpp>

#include <chrono>

#include <fmt/format.h>

#include "policy/match.hpp"

using namespace sluice;
using namespace sluice::policy;

namespace {

using Pairs = std::vector<std::pair<std::size_t, std::size_t>>;

bool shadows(const Match& earlier, const Match& later) { return !shadowed({{.match = earlier}, {.match = later}}).empty(); }

}  // namespace

TEST_CASE("a route behind one that takes everything is shadowed by the first such") {
  CHECK(shadowed({{.name = "a", .match = {.path = "/a"}}, {.name = "all"}, {.name = "b", .match = {.path = "/b"}}, {.name = "c"}}) == Pairs{{2, 1}, {3, 1}});
  CHECK(shadowed({}).empty());
  CHECK(shadowed({{.name = "all"}}).empty());
}

TEST_CASE("a wider path shadows a narrower one, never the other way round") {
  const Match exact{.path = "/v1/x"}, prefix{.path_prefix = "/v1"}, deeper{.path_prefix = "/v1/x"}, star{.path = "/v1/*"}, name{.path = "/v1/{a}"}, rest{.path = "/v1/**"},
      other{.path = "/v2/x"};
  for (const Match* wide : {&prefix, &star, &name, &rest}) {
    CHECK(shadows(*wide, exact));
    CHECK_FALSE(shadows(exact, *wide));
    CHECK_FALSE(shadows(*wide, other));
  }
  CHECK(shadows(prefix, deeper));
  CHECK_FALSE(shadows(deeper, prefix));
  CHECK(shadows(prefix, rest));
  CHECK(shadows(rest, prefix));
  CHECK(shadows(rest, star));
  CHECK_FALSE(shadows(star, deeper));
  CHECK(shadows({.path = "/**"}, {.path_prefix = "/v1"}));
  CHECK(shadows({.path_prefix = "/"}, {}));
  CHECK_FALSE(shadows({.path = "/v1/x", .path_prefix = "/v1"}, {.path_prefix = "/v1"}));
}

TEST_CASE("a condition the later route does not make is not covered") {
  CHECK_FALSE(shadows({.hosts = {"a.com"}}, {}));
  CHECK_FALSE(shadows({.methods = {"GET"}}, {}));
  CHECK_FALSE(shadows({.models = {"*"}}, {}));
  CHECK_FALSE(shadows({.consumers = {"a"}}, {}));
  CHECK_FALSE(shadows({.stream = true}, {}));
  CHECK_FALSE(shadows({.headers = {{"x"}}}, {}));
  CHECK_FALSE(shadows({.body = {{"/a", BodyMatch::Op::kExists, {true}}}}, {}));
  CHECK_FALSE(shadows({.prompt = {{.value = "x"}}}, {}));
  CHECK_FALSE(shadows({.tools = {.offered = {"*"}}}, {}));
  CHECK_FALSE(shadows({.tools = {.forced = {"*"}}}, {}));
  CHECK_FALSE(shadows({.tools = {.last_called = {"*"}}}, {}));
}

TEST_CASE("lists, globs and wildcards cover what they hold") {
  CHECK(shadows({.hosts = {"b.com", "*.A.com"}}, {.hosts = {"x.a.com"}}));
  CHECK_FALSE(shadows({.hosts = {"*.a.com"}}, {.hosts = {"x.a.com", "a.com"}}));
  CHECK(shadows({.hosts = {"*.a.com"}}, {.hosts = {"*.a.com"}}));
  CHECK_FALSE(shadows({.hosts = {"x.a.com"}}, {.hosts = {"*.a.com"}}));
  CHECK(shadows({.methods = {"GET", "PUT"}}, {.methods = {"PUT"}}));
  CHECK_FALSE(shadows({.methods = {"PUT"}}, {.methods = {"GET", "PUT"}}));
  CHECK(shadows({.models = {"gpt-*"}}, {.models = {"gpt-4o", "gpt-4*"}}));
  CHECK_FALSE(shadows({.models = {"gpt-4*"}}, {.models = {"gpt-*"}}));
  CHECK_FALSE(shadows({.models = {"gpt-?"}}, {.models = {"gpt-*"}}));
  CHECK(shadows({.models = {"*"}}, {.models = {"a?b*"}}));
  CHECK_FALSE(shadows({.models = {""}}, {.models = {"a"}}));
  CHECK(shadows({.consumers = {"a", "b"}}, {.consumers = {"b"}}));
  CHECK(shadows({.stream = true}, {.stream = true}));
  CHECK_FALSE(shadows({.stream = true}, {.stream = false}));
  using Op = HeaderMatch::Op;
  CHECK(shadows({.headers = {{"x-a"}}}, {.headers = {{"X-A", Op::kExact, "1"}}}));
  CHECK(shadows({.headers = {{"x-a", Op::kPrefix, "ab"}}}, {.headers = {{"x-a", Op::kExact, "abc"}}}));
  CHECK(shadows({.headers = {{"x-a", Op::kGlob, "a*"}}}, {.headers = {{"x-a", Op::kGlob, "ab*"}}}));
  CHECK_FALSE(shadows({.headers = {{"x-a", Op::kExact, "ab"}}}, {.headers = {{"x-a", Op::kPrefix, "ab"}}}));
  CHECK_FALSE(shadows({.headers = {{"x-a"}}}, {.headers = {{"x-b"}}}));
  CHECK(shadows({.tools = {.offered = {"s*"}}}, {.tools = {.offered = {"sql"}}}));
  const BodyMatch n{"/n", BodyMatch::Op::kEquals, {std::int64_t{1}}}, m{"/m", BodyMatch::Op::kEquals, {std::int64_t{1}}};
  CHECK(shadows({.body = {n}}, {.body = {m, n}}));
  CHECK_FALSE(shadows({.body = {m, n}}, {.body = {n}}));
  CHECK(shadows({.prompt = {{.value = "x"}}}, {.prompt = {{.value = "x"}}}));
  CHECK_FALSE(shadows({.prompt = {{.value = "x"}}}, {.prompt = {{.value = "x", .ignore_case = true}}}));
}

TEST_CASE("a later route that takes an absent model by its default is reached where the earlier one does not") {
  const Route earlier{.match = {.models = {"gpt-*"}}}, later{.match = {.models = {"gpt-4o"}}, .models = {.default_model = "gpt-4o"}};
  CHECK(shadowed({earlier, later}).empty());
  Route both = earlier;
  both.models.default_model = "gpt-4";
  CHECK(shadowed({both, later}) == Pairs{{1, 0}});
}

TEST_CASE("ten thousand routes are judged in well under a second") {
  std::vector<Route> routes;
  for (int i = 0; i < 10'000; ++i) routes.push_back({.match = {.path = "/v1/chat/completions", .models = {fmt::format("m{}", i)}}});
  routes.push_back({.match = {.path = "/v1/chat/completions", .models = {"m77"}}});
  const auto start = std::chrono::steady_clock::now();
  CHECK(shadowed(routes) == Pairs{{10'000, 77}});
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  CHECK(seconds < 5);
}
