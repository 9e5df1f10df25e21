// The match of one route, compiled.

#include "policy/rules.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::policy;

TEST_CASE("a wildcard host stands for exactly one label") {  // ROUTE-04
  CHECK(host_matches("api.example.com", "api.example.com"));
  CHECK_FALSE(host_matches("api.example.com", "x.api.example.com"));
  CHECK(host_matches("*.example.com", "api.example.com"));
  CHECK_FALSE(host_matches("*.example.com", "example.com"));
  CHECK_FALSE(host_matches("*.example.com", "a.b.example.com"));
  CHECK_FALSE(host_matches("*.example.com", ".example.com"));
  CHECK_FALSE(host_matches("*.example.com", "apiexample.com"));
}

TEST_CASE("a host of a rule is lower-cased, and what is no host is refused") {
  CHECK(compile_host("API.Example.COM").value() == "api.example.com");
  CHECK(compile_host("*.Example.com").value() == "*.example.com");
  CHECK(compile_host("[::1]").value() == "::1");
  CHECK(compile_host("127.0.0.1").value() == "127.0.0.1");
  for (const char* text : {"", "*", "*.", "*.*.com", "a.*.com", "a*.com", "http://a.com", "a.com:80", "a.com/", "a..com", ".a.com", "a.com.", "a b"}) {
    INFO(text);
    CHECK_FALSE(compile_host(text));
  }
}

TEST_CASE("names and globs of a set, with exact names searched and globs tried") {
  const NameSet names({"b", "a", "gpt-4*", "c"});
  CHECK(names.contains("a"));
  CHECK(names.contains("c"));
  CHECK(names.contains("gpt-4o"));
  CHECK_FALSE(names.contains("gpt-3"));
  CHECK_FALSE(names.contains(""));
  CHECK_FALSE(NameSet().contains("a"));
  CHECK(NameSet().empty());
}

TEST_CASE("every mistake of a match is reported under its pointer") {
  Route route{.name = "r"};
  route.match.path = "/a/{";
  route.match.path_prefix = "b";
  route.match.hosts = {"ok.com", "a.com:1"};
  route.match.methods = {"POST", "post", ""};
  route.match.headers = {{"x-a", HeaderMatch::Op::kRegex, "("}, {"bad name", HeaderMatch::Op::kPresent, ""}};
  route.match.body = {{"/a", BodyMatch::Op::kExists, {true}}, {"a", BodyMatch::Op::kExists, {true}}};
  route.match.prompt = {{PromptMatch::Where::kAny, PromptMatch::Op::kRegex, "[", false}};
  Problems problems;
  (void)Rules::compile(route, "/routes/3", problems);
  const std::vector<std::string> pointers = {
      "/routes/3/match/path: ", "/routes/3/match/path_prefix: ", "/routes/3/match/host/1: ", "/routes/3/match/method/1: ", "/routes/3/match/method/2: ",
      "/routes/3/match/headers/x-a/regex: ", "/routes/3/match/headers/bad name: ", "/routes/3/match/body/1/pointer: ", "/routes/3/match/prompt/0/regex: "};
  REQUIRE(problems.lines.size() == pointers.size());
  for (std::size_t i = 0; i < pointers.size(); ++i) {
    INFO(problems.lines[i]);
    CHECK(problems.lines[i].starts_with(pointers[i]));
  }
}
