#include <catch2/catch.hpp>

#include <limits>

#include "sluice/config.hpp"

using namespace sluice;
using Catch::Matchers::Contains;

namespace {

/// A configuration that is right, to make one thing wrong in.
Config right() {
  Config config;
  config.upstreams = {{.name = "a", .provider = "simulator"}};
  config.routes = {{.name = "r", .upstreams = {{.upstream = "a"}}}};
  return config;
}

std::vector<std::string> places(const Config& config) {
  std::vector<std::string> out;
  for (const Problem& problem : validate(config)) out.push_back(problem.pointer);
  return out;
}

using Places = std::vector<std::string>;

}  // namespace

// OPS-01: a program's objects pass the same judge as a document, forms and ranges included.
TEST_CASE("objects are judged as the document they stand for") {
  CHECK(places(right()) == Places{});
  CHECK(places(Config{}) == Places{});

  auto config = right();
  config.gateway.threads = 1000;
  config.gateway.listen = {{.address = "0.0.0.0:80", .header_timeout = Milliseconds(-1)}};
  config.upstreams[0].name = "two words";
  config.upstreams[0].timeouts.total = std::chrono::hours(48);
  config.routes[0].upstreams[0].upstream = "two words";
  CHECK(places(config) == Places{"/gateway/threads", "/gateway/listen/0/address", "/gateway/listen/0/header_timeout_ms",
                                 "/upstreams/0/name", "/upstreams/0/timeouts/total_ms"});
}

TEST_CASE("a required name that was never set is asked for") {
  auto config = right();
  config.upstreams[0].name.clear();
  config.routes[0].upstreams[0].upstream.clear();
  CHECK(places(config) == Places{"/upstreams/0", "/routes/0/upstreams/0"});
  CHECK_THAT(validate(config)[0].message, Contains("needs \"name\""));
}

TEST_CASE("what a program can set and a document cannot say is refused") {
  auto config = right();
  SECTION("two rules on one header field") {
    config.routes[0].match.headers = {{.name = "x-a", .op = HeaderMatch::Op::kPrefix, .value = "a"},
                                      {.name = "x-a", .op = HeaderMatch::Op::kGlob, .value = "*b"}};
    CHECK_THAT(to_string(validate(config)), Contains("/routes/0/match/headers/x-a: "));
  }
  SECTION("an enumerator that is none") {
    config.upstreams[0].mode = static_cast<UpstreamMode>(7);
    CHECK(places(config) == Places{"/upstreams/0/mode"});
  }
  SECTION("a body value that is no JSON") {
    config.routes[0].body.set = {{"/a", "{"}};
    CHECK(places(config) == Places{"/routes/0/body/set/~1a"});
  }
  SECTION("a body value that is two") {
    config.routes[0].body.set = {{"/a", "1, \"b\": 2"}};
    CHECK(places(config) == Places{"/routes/0/body/set/~1a"});
  }
  SECTION("a body rule without its operand") {
    config.routes[0].match.body = {{.pointer = "/a", .op = BodyMatch::Op::kEquals}};
    CHECK(places(config) == Places{"/routes/0/match/body/0"});
  }
  SECTION("a speed that is no number") {
    config.upstreams[0].simulator.tokens_per_second = std::numeric_limits<double>::quiet_NaN();
    CHECK(places(config) == Places{"/upstreams/0/simulator/tokens_per_second"});
  }
  SECTION("a size no document can hold") {
    config.upstreams[0].max_answer_bytes = std::numeric_limits<std::uint64_t>::max();
    CHECK(places(config) == Places{"/upstreams/0/max_answer_bytes"});
  }
  SECTION("a key by hash and by reference") {
    config.consumers = {{.name = "c", .keys = {{.sha256 = std::string(64, 'a'), .value = Secret::env("K")}}}};
    CHECK(places(config) == Places{"/consumers/0/keys/0"});
  }
  SECTION("a header called as a comment is") {
    config.routes[0].request_headers.set = {{"$comment", "x"}};
    CHECK(places(config) == Places{"/routes/0/request_headers/set/$comment"});
  }
}

// SEC-15
TEST_CASE("no value that could split a header passes, from a document or a program") {
  for (const std::string& value :
       {std::string("a\r\nX-Admin: 1"), std::string("a\nb"), std::string("a\0b", 3), std::string("\x7f")}) {
    auto config = right();
    config.routes[0].request_headers.set = {{"x-a", value}};
    config.routes[0].response_headers.add = {{"x-b", value}};
    CHECK(places(config) == Places{"/routes/0/request_headers/set/x-a", "/routes/0/response_headers/add/x-b"});
  }
}

// SEC-20
TEST_CASE("a credential over plain http needs a permission that says so") {
  auto config = right();
  config.upstreams.push_back(
      {.name = "b", .provider = "openai-compatible", .url = "http://10.0.0.1/v1", .credential = Secret::literal("k")});
  CHECK(places(config) == Places{"/upstreams/1/url"});
  config.upstreams[1].allow_plaintext_credential = true;
  CHECK(places(config) == Places{});
}

TEST_CASE("a dangling name tells the nearest one, and that there is none at all where there is none") {
  auto config = right();
  config.upstreams[0].name = "openai";
  config.routes[0].upstreams[0].upstream = "opnai";
  config.routes[0].admit = {"app"};
  const std::string text = to_string(validate(config));
  CHECK_THAT(text, Contains("there is no upstream \"opnai\", did you mean \"openai\"?"));
  CHECK_THAT(text,
             Contains("there is no consumer or group \"app\"; the configuration has no consumer or group at all"));
}

// ROUTE-03
TEST_CASE("a rewrite may only use names its match captures") {
  auto config = right();
  config.routes[0].match.path = "/t/{team}/{rest}";
  config.routes[0].rewrite.path = "/v1/{team}/{rset}";
  const auto problems = validate(config);
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].pointer == "/routes/0/rewrite/path");
  CHECK(problems[0].message == "the match captures no {rset}, did you mean \"rest\"?");
}
