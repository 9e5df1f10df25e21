// Matching takes no memory.

#include <catch2/catch.hpp>

#include "heap_count.hpp"
#include "policy/match.hpp"

using namespace sluice;
using namespace sluice::policy;

TEST_CASE("a match without captures takes no heap, found or not") {
  std::vector<Route> routes;
  for (int i = 0; i < 50; ++i) {
    const std::string n = std::to_string(i);
    routes.push_back({.name = "r" + n,
                      .match = {.path = "/a-path-longer-than-any-short-string/" + n + "/*",
                                .hosts = {"*.example.com", "api.example.com"},
                                .methods = {"POST"},
                                .headers = {{"x-team", HeaderMatch::Op::kExact, "red"}, {"x-mode", HeaderMatch::Op::kRegex, "^a+$"}},
                                .models = {"gpt-*", "o1"},
                                .body = {{"/metadata/tier", BodyMatch::Op::kEquals, {std::string("a tier longer than any short string")}}},
                                .prompt = {{.where = PromptMatch::Where::kAny, .value = "HELLO", .ignore_case = true}},
                                .consumers = {"app"}}});
  }
  const auto matcher = Matcher::compile(routes);
  REQUIRE(matcher);
  const Headers headers = {{"x-team", "red"}, {"x-mode", "aaa"}};
  const auto document = json::Document::parse(Body::copy(R"({"metadata":{"tier":"a tier longer than any short string"}})"));
  chat::RequestView view;
  view.model_present = true;
  view.model = "gpt-4o";
  view.prompt = {{chat::Role::kUser, true, "say hello"}};
  Subject subject{.method = "POST", .host = "api.example.com", .path = "/a-path-longer-than-any-short-string/7/x", .headers = &headers,
                  .view = &view, .document = &*document, .consumer = "app"};
  REQUIRE(matcher->match(subject).value());  // the automata of RE2 are built on first use

  std::size_t before = allocations();
  const bool found = matcher->match(subject).value().has_value();
  std::size_t taken = allocations() - before;
  CHECK(found);
  CHECK(taken == 0);

  subject.path = "/another-path-longer-than-any-short-string";
  before = allocations();
  const bool lost = !matcher->match(subject).value().has_value();
  taken = allocations() - before;
  CHECK(lost);
  CHECK(taken == 0);
}
