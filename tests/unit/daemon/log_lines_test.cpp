// Lines of the daemon's log: both forms, what they hold, and what no value can do to them.

#include "log_lines.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <string>
#include <vector>

#include "json/document.hpp"

using namespace sluice;
using namespace sluiced;

namespace {

const WallTime kNoon = WallTime(std::chrono::seconds(1'800'000'000)) + std::chrono::milliseconds(123);
const telemetry::SecretMask kNoMask;

Outcome served() {
  Outcome outcome;
  outcome.id = "req_1";
  outcome.ending = Ending::kCompleted;
  outcome.status = 200;
  outcome.consumer = "app";
  outcome.route = "chat";
  outcome.requested_model = "smart";
  outcome.served_model = "gpt-4o";
  outcome.started_at = kNoon;
  outcome.total = std::chrono::milliseconds(1500);
  outcome.first_delta = std::chrono::microseconds(20'250);
  outcome.bytes_in = 81;
  outcome.bytes_out = 412;
  outcome.usage.input_tokens = 3;
  outcome.usage.output_tokens = 0;
  outcome.attempts = {Attempt{.upstream = "down", .model = {}, .reason = {}, .chosen_because = {}},
                      Attempt{.upstream = "swift", .model = {}, .reason = {}, .chosen_because = {}},
                      Attempt{.upstream = "full", .model = {}, .reason = {}, .chosen_because = {}, .skipped = true}};
  return outcome;
}

gateway::AskedFor asked(std::string_view path = "/v1/chat/completions", const telemetry::SecretMask& mask = kNoMask) {
  return {.method = "POST", .path = path, .client_address = "192.0.2.7", .mask = mask};
}

/// A member of a line that is one JSON object, as it stands in the text; empty where there is none.
std::string member(const std::string& line, std::string_view name) {
  REQUIRE(line.ends_with('\n'));
  REQUIRE(line.find('\n') == line.size() - 1);
  const auto document = json::Document::parse(Body::copy(line));
  REQUIRE(document);
  const auto value = document->root().find(name);
  REQUIRE(value);
  return *value ? std::string(value->raw()) : std::string();
}

}  // namespace

TEST_CASE("a line of text is its time, its level and what is said") {
  CHECK(log_lines(LogFormat::kText, kNoon, LogLevel::kWarning, "accept: no descriptors") ==
        "2027-01-15T08:00:00.123Z warning accept: no descriptors\n");
}

TEST_CASE("a line of JSON is one object, whatever is said") {
  for (const std::string text : {"plain", "with \"quotes\" and \\", "a\ttab", "\xff no UTF-8", ""}) {
    const std::string line = log_lines(LogFormat::kJson, kNoon, LogLevel::kError, text);
    CHECK(member(line, "time") == "\"2027-01-15T08:00:00.123Z\"");
    CHECK(member(line, "level") == "\"error\"");
    CHECK_FALSE(member(line, "message").empty());
  }
  CHECK(member(log_lines(LogFormat::kJson, kNoon, LogLevel::kInfo, "a \"b\""), "message") == R"("a \"b\"")");
}

TEST_CASE("what is said in several lines becomes as many, each with its time") {
  CHECK(log_lines(LogFormat::kText, kNoon, LogLevel::kError, "two mistakes:\n/a: one\n/b: two") ==
        "2027-01-15T08:00:00.123Z error two mistakes:\n2027-01-15T08:00:00.123Z error /a: one\n2027-01-15T08:00:00.123Z error /b: two\n");
  const std::string json = log_lines(LogFormat::kJson, kNoon, LogLevel::kError, "one\ntwo");
  const std::size_t end = json.find('\n') + 1;
  CHECK(member(json.substr(0, end), "message") == "\"one\"");
  CHECK(member(json.substr(end), "message") == "\"two\"");
}

TEST_CASE("a control character is shown, not obeyed") {
  CHECK(log_lines(LogFormat::kText, kNoon, LogLevel::kInfo, "a\rb\x1b[31mc\x7f") == "2027-01-15T08:00:00.123Z info a\\x0db\\x1b[31mc\\x7f\n");
}

TEST_CASE("an exchange is one line with who, what, where, how it ended, and what it took") {
  CHECK(access_line(LogFormat::kText, served(), asked()) ==
        "2027-01-15T08:00:01.623Z info access id=req_1 consumer=app client=192.0.2.7 method=POST path=/v1/chat/completions route=chat "
        "upstream=swift model=smart served_model=gpt-4o status=200 ending=completed bytes_in=81 bytes_out=412 total_ms=1500.000 "
        "first_delta_ms=20.250 input_tokens=3 output_tokens=0\n");
}

TEST_CASE("the same as JSON, under the same names") {
  CHECK(access_line(LogFormat::kJson, served(), asked()) ==
        R"({"time":"2027-01-15T08:00:01.623Z","level":"info","message":"access","id":"req_1","consumer":"app","client":"192.0.2.7",)"
        R"("method":"POST","path":"/v1/chat/completions","route":"chat","upstream":"swift","model":"smart","served_model":"gpt-4o",)"
        R"("status":200,"ending":"completed","bytes_in":81,"bytes_out":412,"total_ms":1500.000,"first_delta_ms":20.250,)"
        R"("input_tokens":3,"output_tokens":0})"
        "\n");
}

TEST_CASE("what is unknown is left out, and a refusal says its code, not its words") {
  Outcome refused;
  refused.id = "req_2";
  refused.ending = Ending::kRefused;
  refused.status = 404;
  refused.started_at = kNoon;
  refused.error = make_error(Code::kRouteNotFound, "words that may quote the request");
  CHECK(access_line(LogFormat::kText, refused, {.method = "GET", .path = "/x", .client_address = {}, .mask = kNoMask}) ==
        "2027-01-15T08:00:00.123Z info access id=req_2 method=GET path=/x status=404 ending=refused error=" +
            std::string(to_string(Code::kRouteNotFound)) + " bytes_in=0 bytes_out=0 total_ms=0.000\n");
  CHECK(member(access_line(LogFormat::kJson, refused, asked()), "consumer").empty());
}

TEST_CASE("no value forges a field or a second line") {
  Outcome outcome = served();
  outcome.requested_model = "m status=500\n2027 info access";
  const std::string text = access_line(LogFormat::kText, outcome, asked("/v1/\" route=\"other"));
  CHECK(text.find('\n') == text.size() - 1);
  CHECK(text.find("model=\"m status=500\\n2027 info access\"") != std::string::npos);
  CHECK(text.find(R"(path="/v1/\" route=\"other")") != std::string::npos);
  CHECK(member(access_line(LogFormat::kJson, outcome, asked("/v1/\",\"route\":\"other")), "route") == "\"chat\"");
}

TEST_CASE("a secret of the configuration is masked wherever a caller puts it") {
  const std::vector<std::string> secrets{"sk-very-secret-indeed"};
  const telemetry::SecretMask mask(secrets);
  Outcome outcome = served();
  outcome.requested_model = "sk-very-secret-indeed";
  outcome.served_model = "x sk-very-secret-indeed";
  for (const LogFormat format : {LogFormat::kText, LogFormat::kJson}) {
    const std::string line = access_line(format, outcome, asked("/v1/sk-very-secret-indeed/chat", mask));
    CHECK(line.find("very-secret") == std::string::npos);
    CHECK(line.find("/v1/***/chat") != std::string::npos);
  }
}

TEST_CASE("what was dropped is told in the form of the log") {
  CHECK(dropped_line(LogFormat::kText, kNoon, 7) == "2027-01-15T08:00:00.123Z warning 7 lines were dropped here: the log was not read\n");
  CHECK(member(dropped_line(LogFormat::kJson, kNoon, 7), "message") == "\"7 lines were dropped here: the log was not read\"");
}
