// The command line of serving: how the log is asked for.

#include <catch2/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "options.hpp"

using namespace sluiced;

namespace {

tl::expected<Options, std::string> parse(std::vector<std::string_view> arguments) { return parse_options(arguments); }

std::string refusal(std::vector<std::string_view> arguments) {
  const auto options = parse(std::move(arguments));
  return options ? "" : options.error();
}

}  // namespace

TEST_CASE("unasked, the log is text from info on, without a line for each exchange") {
  const auto options = parse({"a.json"});
  REQUIRE(options);
  CHECK(options->command == Command::kServe);
  CHECK(options->log.format == LogFormat::kText);
  CHECK(options->log.level == sluice::LogLevel::kInfo);
  CHECK_FALSE(options->log.access);
}

TEST_CASE("format, level and access lines are chosen before or behind the configuration") {
  for (const auto& arguments : {std::vector<std::string_view>{"--log-format", "json", "--access-log", "a.json", "--log-level", "warning"},
                                std::vector<std::string_view>{"a.json", "--log-level", "warning", "--log-format", "json", "--access-log"}}) {
    const auto options = parse(arguments);
    REQUIRE(options);
    CHECK(options->config == "a.json");
    CHECK(options->log.format == LogFormat::kJson);
    CHECK(options->log.level == sluice::LogLevel::kWarning);
    CHECK(options->log.access);
  }
}

TEST_CASE("every level has its name") {
  using sluice::LogLevel;
  const std::vector<std::pair<std::string_view, LogLevel>> levels{
      {"debug", LogLevel::kDebug}, {"info", LogLevel::kInfo}, {"warning", LogLevel::kWarning}, {"error", LogLevel::kError}};
  for (const auto& [name, level] : levels) CHECK(parse({"a.json", "--log-level", name})->log.level == level);
}

TEST_CASE("a value that is none, or is missing, is told with those that there are") {
  CHECK(refusal({"a.json", "--log-format", "xml"}) == "'--log-format' needs text or json");
  CHECK(refusal({"a.json", "--log-format"}) == "'--log-format' needs text or json");
  CHECK(refusal({"a.json", "--log-level", "warn"}) == "'--log-level' needs debug, info, warning or error");
  CHECK(refusal({"a.json", "--log-level", ""}) == "'--log-level' needs debug, info, warning or error");
  CHECK(refusal({"a.json", "--log-fromat", "json"}) == "unknown option '--log-fromat', did you mean '--log-format'?");
  CHECK(refusal({"a.json", "--acess-log"}) == "unknown option '--acess-log', did you mean '--access-log'?");
}

TEST_CASE("what logs nothing takes no option of the log") {
  CHECK(refusal({"a.json", "--check", "--access-log"}) == "'--access-log' goes with serving only");
  CHECK(refusal({"--version", "--log-level", "error"}) == "'--log-level' goes with serving only");
}
