#include <catch2/catch.hpp>

#include "options.hpp"
#include "request_file.hpp"

using namespace sluiced;
using Catch::Matchers::Contains;

namespace {

tl::expected<Options, std::string> given(std::vector<std::string_view> arguments) { return parse_options(arguments); }

}  // namespace

TEST_CASE("a path alone serves") {
  const auto options = given({"gateway.json"});
  REQUIRE(options);
  CHECK(options->command == Command::kServe);
  CHECK(options->config == "gateway.json");
}

TEST_CASE("options stand before or after the path") {
  for (const auto& arguments : {std::vector<std::string_view>{"c.json", "--explain", "r.json", "--json"},
                                {"--json", "--explain", "r.json", "c.json"}}) {
    const auto options = parse_options(arguments);
    REQUIRE(options);
    CHECK(options->command == Command::kExplain);
    CHECK(options->config == "c.json");
    CHECK(options->request == "r.json");
    CHECK(options->json);
  }
  CHECK(given({"-h"})->command == Command::kHelp);
}

TEST_CASE("a key is made for a name, without a configuration") {
  const auto options = given({"--new-key", "app"});
  REQUIRE(options);
  CHECK(options->command == Command::kNewKey);
  CHECK(options->name == "app");
  CHECK(options->config.empty());
  CHECK(given({"--new-key"}).error() == "'--new-key' needs the name of a consumer");
  CHECK(given({"--new-key", "--json"}).error() == "'--new-key' needs the name of a consumer");
  CHECK(given({"--new-key", "app", "c.json"}).error() == "'--new-key' takes no configuration file (is 'c.json')");
}

TEST_CASE("a command line that cannot be meant says why") {
  CHECK(given({}).error() == "no configuration file is named");
  CHECK(given({"--check"}).error() == "no configuration file is named");
  CHECK(given({"a", "--chekc"}).error() == "unknown option '--chekc', did you mean '--check'?");
  CHECK(given({"a", "-x"}).error() == "unknown option '-x'");
  CHECK(given({"a", "b"}).error() == "one configuration file, not two: 'a' and 'b'");
  CHECK(given({"a", "--explain"}).error() == "'--explain' needs the path of a request file");
  CHECK(given({"a", "--explain", "--json"}).error() == "'--explain' needs the path of a request file");
  CHECK(given({"a", "--check", "--dump"}).error() == "'--check' and '--dump' exclude each other");
  CHECK(given({"--init", "a"}).error() == "'--init' takes no configuration file (is 'a')");
  CHECK(given({"a", "--json"}).error() == "'--json' goes with '--check' and '--explain' only");
  CHECK(given({""}).error() == "a path is empty");
}

TEST_CASE("a request file becomes the request it describes") {
  const auto asked = parse_request(
      R"({"target": "/v1/chat/completions?x=1", "headers": {"X-Tier": "gold"}, "body": {"model": "m", "n":  1}, "consumer": "app"})");
  REQUIRE(asked);
  CHECK(asked->request.method == "POST");
  CHECK(asked->request.target == "/v1/chat/completions?x=1");
  CHECK(asked->request.headers.get("x-tier") == "gold");
  CHECK(asked->request.headers.get("content-type") == "application/json");
  CHECK(asked->request.body.view() == R"({"model": "m", "n":  1})");
  CHECK(asked->options.consumer == "app");

  const auto plain = parse_request(R"({"method": "PUT", "target": "/files", "body": "a\nb"})");
  REQUIRE(plain);
  CHECK(plain->request.method == "PUT");
  CHECK(plain->request.body.view() == "a\nb");
  CHECK_FALSE(plain->request.headers.contains("content-type"));
  CHECK(parse_request(R"({"target": "/"})")->request.method == "GET");
}

TEST_CASE("a request file with mistakes names them all") {
  const auto asked = parse_request(R"({"targt": "/", "headers": {"a b": "x", "c": 1}, "method": ""})");
  REQUIRE_FALSE(asked);
  const std::string& text = asked.error().message;
  CHECK_THAT(text, Contains("unknown key \"targt\", did you mean \"target\"?") && Contains("/headers/a b") &&
                       Contains("/headers/c") && Contains("/method"));
  CHECK_FALSE(parse_request("[]"));
  CHECK_FALSE(parse_request("{"));
}
