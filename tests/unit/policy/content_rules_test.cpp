// The conditions that read a request.

#include "policy/content_rules.hpp"

#include <catch2/catch.hpp>

#include <limits>

using namespace sluice;
using namespace sluice::policy;

namespace {

using BodyOp = BodyMatch::Op;
using HeaderOp = HeaderMatch::Op;
using PromptOp = PromptMatch::Op;
using Where = PromptMatch::Where;

json::Document document(std::string_view text) {
  auto parsed = json::Document::parse(Body::copy(text));
  INFO(text);
  REQUIRE(parsed);
  return std::move(*parsed);
}

bool body(std::string_view text, std::string pointer, BodyOp op, std::vector<Scalar> values) {
  const auto rule = BodyRule::compile({std::move(pointer), op, std::move(values)});
  REQUIRE(rule);
  const auto holds = rule->holds(document(text));
  REQUIRE(holds);
  return *holds;
}

bool header(const Headers& headers, HeaderOp op, std::string value = "") {
  const auto rule = HeaderRule::compile({"X-Team", op, std::move(value)});
  REQUIRE(rule);
  return rule->holds(headers);
}

Scalar i(std::int64_t n) { return n; }
Scalar d(double n) { return n; }
Scalar s(const char* text) { return std::string(text); }

}  // namespace

TEST_CASE("a header rule is exact, prefix, glob, regex or present, and a missing header never matches") {  // ROUTE-04
  const Headers team = {{"x-team", "red-7"}};
  CHECK(header(team, HeaderOp::kExact, "red-7"));
  CHECK_FALSE(header(team, HeaderOp::kExact, "red"));
  CHECK_FALSE(header(team, HeaderOp::kExact, "RED-7"));
  CHECK(header(team, HeaderOp::kPrefix, "red-"));
  CHECK_FALSE(header(team, HeaderOp::kPrefix, "blue"));
  CHECK(header(team, HeaderOp::kGlob, "r*-?"));
  CHECK_FALSE(header(team, HeaderOp::kGlob, "r*-??"));
  CHECK(header(team, HeaderOp::kRegex, "^red-[0-9]+$"));
  CHECK_FALSE(header(team, HeaderOp::kRegex, "^[0-9]+$"));
  CHECK(header(team, HeaderOp::kPresent));
  for (const auto op : {HeaderOp::kExact, HeaderOp::kPrefix, HeaderOp::kGlob, HeaderOp::kRegex, HeaderOp::kPresent}) {
    CHECK_FALSE(header({}, op, ""));
    CHECK_FALSE(header({{"x-teams", ""}}, op, ""));
  }
  CHECK(header({{"x-team", "blue"}, {"X-TEAM", "red-7"}}, HeaderOp::kExact, "red-7"));  // one of several
}

TEST_CASE("a body field is compared by type and value") {  // ROUTE-04
  constexpr auto kEquals = BodyOp::kEquals;
  CHECK(body(R"({"n":1})", "/n", kEquals, {i(1)}));
  CHECK(body(R"({"n":1.0})", "/n", kEquals, {i(1)}));
  CHECK(body(R"({"n":1})", "/n", kEquals, {d(1.0)}));
  CHECK(body(R"({"n":1e0})", "/n", kEquals, {i(1)}));
  CHECK_FALSE(body(R"({"n":"1"})", "/n", kEquals, {i(1)}));
  CHECK_FALSE(body(R"({"n":1})", "/n", kEquals, {s("1")}));
  CHECK_FALSE(body(R"({"n":true})", "/n", kEquals, {i(1)}));
  CHECK_FALSE(body(R"({"n":1})", "/n", kEquals, {true}));
  CHECK_FALSE(body(R"({"n":0})", "/n", kEquals, {nullptr}));
  CHECK(body(R"({"n":null})", "/n", kEquals, {nullptr}));
  CHECK(body(R"({"n":false})", "/n", kEquals, {false}));
  CHECK(body(R"({"n":"a\u0062"})", "/n", kEquals, {s("ab")}));
  CHECK(body(R"({"a":[{"b~/":2}]})", "/a/0/b~0~1", kEquals, {i(2)}));
  CHECK_FALSE(body(R"({"n":{}})", "/n", kEquals, {nullptr}));
}

TEST_CASE("integers are compared exactly, beyond what a double can tell apart") {  // SEC-29
  CHECK_FALSE(body(R"({"n":9007199254740993})", "/n", BodyOp::kEquals, {d(9007199254740992.0)}));
  CHECK(body(R"({"n":9007199254740993})", "/n", BodyOp::kGreater, {d(9007199254740992.0)}));
  CHECK(body(R"({"n":9223372036854775807})", "/n", BodyOp::kLess, {d(0x1p63)}));
  CHECK(body(R"({"n":18446744073709551616})", "/n", BodyOp::kGreater, {i(std::numeric_limits<std::int64_t>::max())}));
  CHECK(body(R"({"n":-1e300})", "/n", BodyOp::kLess, {i(std::numeric_limits<std::int64_t>::min())}));
  CHECK(body(R"({"n":-0})", "/n", BodyOp::kEquals, {i(0)}));
  CHECK(body(R"({"n":-0.0})", "/n", BodyOp::kEquals, {i(0)}));
  CHECK(body(R"({"n":0.5})", "/n", BodyOp::kGreater, {i(0)}));
  CHECK(body(R"({"n":-0.5})", "/n", BodyOp::kLess, {i(0)}));
  CHECK(body(R"({"n":-1.5})", "/n", BodyOp::kLess, {i(-1)}));
}

TEST_CASE("every comparison, in, exists, glob and regex") {  // ROUTE-04
  CHECK(body(R"({"n":5})", "/n", BodyOp::kLess, {i(6)}));
  CHECK_FALSE(body(R"({"n":6})", "/n", BodyOp::kLess, {i(6)}));
  CHECK(body(R"({"n":6})", "/n", BodyOp::kLessEqual, {i(6)}));
  CHECK_FALSE(body(R"({"n":6.1})", "/n", BodyOp::kLessEqual, {i(6)}));
  CHECK(body(R"({"n":6.1})", "/n", BodyOp::kGreater, {i(6)}));
  CHECK_FALSE(body(R"({"n":6})", "/n", BodyOp::kGreater, {i(6)}));
  CHECK(body(R"({"n":6})", "/n", BodyOp::kGreaterEqual, {d(6)}));
  CHECK_FALSE(body(R"({"n":5})", "/n", BodyOp::kGreaterEqual, {d(5.5)}));
  for (const auto op : {BodyOp::kLess, BodyOp::kLessEqual, BodyOp::kGreater, BodyOp::kGreaterEqual}) {
    CHECK_FALSE(body(R"({"n":"5"})", "/n", op, {i(5)}));
    CHECK_FALSE(body(R"({"n":null})", "/n", op, {i(0)}));
    CHECK_FALSE(body(R"({})", "/n", op, {i(0)}));
  }
  CHECK(body(R"({"n":"b"})", "/n", BodyOp::kIn, {s("a"), i(2), s("b")}));
  CHECK(body(R"({"n":2.0})", "/n", BodyOp::kIn, {s("a"), i(2), s("b")}));
  CHECK_FALSE(body(R"({"n":"2"})", "/n", BodyOp::kIn, {s("a"), i(2), s("b")}));
  CHECK(body(R"({"n":null})", "/n", BodyOp::kExists, {true}));
  CHECK_FALSE(body(R"({"n":null})", "/n", BodyOp::kExists, {false}));
  CHECK(body(R"({"m":1})", "/n", BodyOp::kExists, {false}));
  CHECK_FALSE(body(R"({"m":1})", "/n", BodyOp::kExists, {true}));
  CHECK(body(R"({"n":"abc"})", "/n", BodyOp::kGlob, {s("a*")}));
  CHECK(body(R"({"n":"\u0061bc"})", "/n", BodyOp::kGlob, {s("a*")}));
  CHECK_FALSE(body(R"({"n":["abc"]})", "/n", BodyOp::kGlob, {s("*")}));
  CHECK(body(R"({"n":"xabcx"})", "/n", BodyOp::kRegex, {s("a.c")}));
  CHECK_FALSE(body(R"({"n":123})", "/n", BodyOp::kRegex, {s("1")}));
}

TEST_CASE("a missing field fits nothing but exists false, whatever it is missing from") {  // ROUTE-04
  for (const char* text : {"{}", "[]", "1", R"({"a":1})", R"({"a":[]})"}) {
    CHECK_FALSE(body(text, "/a/b", BodyOp::kEquals, {nullptr}));
    CHECK(body(text, "/a/b", BodyOp::kExists, {false}));
  }
}

TEST_CASE("a rule that looks at a field that stands twice refuses the request") {  // SEC-27
  const auto rule = BodyRule::compile({"/a/b", BodyOp::kExists, {true}});
  REQUIRE(rule);
  for (const char* text : {R"({"a":{"b":1,"b":2}})", R"({"a":{},"a":{}})", R"({"a":{"b":1,"\u0062":2}})"}) {
    const json::Document body_text = document(text);
    const auto holds = rule->holds(body_text);
    REQUIRE_FALSE(holds);
    CHECK(holds.error().code == Code::kDuplicateKey);
  }
  CHECK(rule->holds(document(R"({"a":{"b":1},"c":1,"c":2})")).value());
}

TEST_CASE("body and header rules that cannot be meant are refused under their key") {
  const auto refused = [](const BodyMatch& match) {
    const auto rule = BodyRule::compile(match);
    REQUIRE_FALSE(rule);
    CHECK(rule.error().code == Code::kInvalidConfiguration);
    return rule.error().param;
  };
  CHECK(refused({"a", BodyOp::kExists, {true}}) == "pointer");
  CHECK(refused({"/a~2", BodyOp::kExists, {true}}) == "pointer");
  CHECK(refused({"/a", BodyOp::kEquals, {}}) == "equals");
  CHECK(refused({"/a", BodyOp::kEquals, {i(1), i(2)}}) == "equals");
  CHECK(refused({"/a", BodyOp::kIn, {}}) == "in");
  CHECK(refused({"/a", BodyOp::kExists, {i(1)}}) == "exists");
  CHECK(refused({"/a", BodyOp::kLess, {s("1")}}) == "lt");
  CHECK(refused({"/a", BodyOp::kLessEqual, {nullptr}}) == "lte");
  CHECK(refused({"/a", BodyOp::kGreater, {true}}) == "gt");
  CHECK(refused({"/a", BodyOp::kGreaterEqual, {d(std::numeric_limits<double>::infinity())}}) == "gte");
  CHECK(refused({"/a", BodyOp::kEquals, {d(std::numeric_limits<double>::quiet_NaN())}}) == "equals");
  CHECK(refused({"/a", BodyOp::kGlob, {i(1)}}) == "glob");
  CHECK(refused({"/a", BodyOp::kRegex, {i(1)}}) == "regex");
  CHECK(refused({"/a", BodyOp::kRegex, {s("(")}}) == "regex");
  CHECK(HeaderRule::compile({"x-a", HeaderOp::kRegex, "("}).error().param == "regex");
  CHECK_FALSE(HeaderRule::compile({"", HeaderOp::kPresent, ""}));
  CHECK_FALSE(HeaderRule::compile({"x a", HeaderOp::kPresent, ""}));
  CHECK(PromptRule::compile({Where::kAny, PromptOp::kRegex, "(", false}).error().param == "regex");
  CHECK(PromptRule::compile({Where::kAny, PromptOp::kContains, "", false}).error().param == "contains");
}

TEST_CASE("a prompt rule looks at any text, the last user message or the system's") {  // ROUTE-05, ROUTE-24
  chat::RequestView view;
  view.prompt = {{chat::Role::kSystem, false, "You are Terse."},
                 {chat::Role::kUser, false, "first question"},
                 {chat::Role::kAssistant, false, "an answer"},
                 {chat::Role::kUser, true, "second"},
                 {chat::Role::kUser, true, "part two"}};
  const auto holds = [&](Where where, PromptOp op, const char* value, bool ignore_case = false) {
    const auto rule = PromptRule::compile({where, op, value, ignore_case});
    REQUIRE(rule);
    return rule->holds(view);
  };
  CHECK(holds(Where::kAny, PromptOp::kContains, "answer"));
  CHECK(holds(Where::kAny, PromptOp::kContains, "question"));
  CHECK_FALSE(holds(Where::kAny, PromptOp::kContains, "Answer"));
  CHECK(holds(Where::kAny, PromptOp::kContains, "ANSWER", true));
  CHECK_FALSE(holds(Where::kLastUser, PromptOp::kContains, "question"));
  CHECK(holds(Where::kLastUser, PromptOp::kContains, "two"));
  CHECK_FALSE(holds(Where::kLastUser, PromptOp::kContains, "secondpart"));  // no match spans two parts
  CHECK(holds(Where::kSystem, PromptOp::kContains, "terse", true));
  CHECK_FALSE(holds(Where::kSystem, PromptOp::kContains, "second"));
  CHECK(holds(Where::kSystem, PromptOp::kRegex, "^You .*\\.$"));
  CHECK_FALSE(holds(Where::kAny, PromptOp::kRegex, "^question$"));
}

TEST_CASE("the reasons of rules name the values, but never a credential") {
  const auto team = HeaderRule::compile({"x-team", HeaderOp::kPrefix, "red-"});
  CHECK(team->why_not({}) == "header x-team is missing");
  CHECK(team->why_not({{"x-team", "blue"}}) == R"(header x-team is "blue", which does not fit prefix "red-")");
  const auto key = HeaderRule::compile({"Authorization", HeaderOp::kExact, "Bearer sk-a"});
  CHECK(key->why_not({{"authorization", "Bearer sk-b"}}) == "header Authorization is ***, which does not fit exact ***");
  const auto tokens = BodyRule::compile({"/max_tokens", BodyOp::kGreater, {i(100)}});
  CHECK(tokens->why_not(document("{}")) == "body field /max_tokens is missing");
  CHECK(tokens->why_not(document(R"({"max_tokens":5})")) == "body field /max_tokens is 5, which does not fit gt 100");
  const auto user = BodyRule::compile({"/user", BodyOp::kIn, {s("a"), nullptr}});
  CHECK(user->why_not(document(R"({"user":"c"})")) == R"(body field /user is "c", which does not fit in "a", null)");
  const auto absent = BodyRule::compile({"/user", BodyOp::kExists, {false}});
  CHECK(absent->why_not(document(R"({"user":"c"})")) == "body field /user is there");
  CHECK(PromptRule::compile({Where::kSystem, PromptOp::kContains, "x", false})->why_not() == R"(the system prompt does not contain "x")");
}
