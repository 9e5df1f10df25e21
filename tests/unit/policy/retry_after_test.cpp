// The wait an upstream asks for, in every form in which providers say it.

#include "policy/retry_after.hpp"

#include <catch2/catch.hpp>

#include <fmt/format.h>

#include <random>

#include "policy/civil_date.hpp"

using namespace sluice;
using namespace sluice::policy;
using namespace std::chrono_literals;

namespace {

using Wait = std::optional<std::chrono::milliseconds>;

/// 2026-01-15T10:00:00Z.
constexpr WallTime kNow{std::chrono::sys_days(std::chrono::year(2026) / 1 / 15) + 10h};

Wait head(Headers fields, int status = 429) { return asked_wait(status, fields, "", kNow); }
Wait after(std::string_view value) { return head({{"retry-after", value}}); }
Wait reset(std::string_view value) { return head({{"x-ratelimit-reset-tokens", value}}); }
Wait body(std::string_view text, int status = 429) { return asked_wait(status, {}, text, kNow); }
Wait message(std::string_view text) { return body(fmt::format(R"({{"error":{{"message":"{}","type":"x"}}}})", text)); }
Wait retry_info(std::string_view delay) {
  return body(fmt::format(R"({{"error":{{"code":429,"message":"Resource exhausted","status":"RESOURCE_EXHAUSTED","details":[
    {{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[]}},
    {{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":{}}}]}}}})", delay));
}

}  // namespace

TEST_CASE("retry-after is seconds, whole or decimal, or any of the three HTTP-dates") {  // BAL-23
  CHECK(after("0") == 0ms);
  CHECK(after("2") == 2s);
  CHECK(after("1.5") == 1500ms);
  CHECK(after("0.0001") == 1ms);  // rounded up
  CHECK(after("Thu, 15 Jan 2026 10:00:30 GMT") == 30s);
  CHECK(after("Thursday, 15-Jan-26 10:01:00 GMT") == 1min);
  CHECK(after("Thu Jan 15 10:00:05 2026") == 5s);
}

TEST_CASE("retry-after-ms wins over retry-after, unless it says nothing") {  // BAL-23
  CHECK(head({{"retry-after", "9"}, {"retry-after-ms", "250"}}) == 250ms);
  CHECK(head({{"Retry-After-Ms", "250.5"}}) == 251ms);
  CHECK(head({{"retry-after", "9"}, {"retry-after-ms", "soon"}}) == 9s);
  CHECK(head({{"retry-after", "9"}, {"retry-after-ms", "-250"}}) == 9s);
}

TEST_CASE("a limit's reset is a Go duration, seconds, RFC 3339, an HTTP-date or Unix time") {  // BAL-23
  CHECK(reset("6m0s") == 6min);
  CHECK(reset("1h2m3.5s") == 1h);  // capped
  CHECK(reset("0h2m3.5s") == 123'500ms);
  CHECK(reset("250ms") == 250ms);
  CHECK(reset("2m59.56s") == 179'560ms);
  CHECK(reset("1s") == 1s);
  CHECK(reset("\xC2\xB5s") == std::nullopt);
  CHECK(reset("1500\xC2\xB5s") == 2ms);
  CHECK(reset("1500\xCE\xBCs") == 2ms);
  CHECK(reset("1us") == 1ms);
  CHECK(reset("20ns") == 1ms);
  CHECK(reset("12") == 12s);
  CHECK(reset("0.25") == 250ms);
  CHECK(reset("2026-01-15T10:00:20Z") == 20s);
  CHECK(reset("2026-01-15T11:00:20.5+01:00") == 20'500ms);
  CHECK(reset("Thu, 15 Jan 2026 10:00:30 GMT") == 30s);
  const auto unix_now = kNow.time_since_epoch() / 1s;
  CHECK(reset(std::to_string(unix_now + 40)) == 40s);
  CHECK(reset(std::to_string(unix_now + 40) + ".5") == 40'500ms);
  CHECK(reset(std::to_string((unix_now + 40) * 1000 + 7)) == 40'007ms);
  CHECK(reset("999999999") == kLongestAskedWait);  // below the threshold: seconds
  CHECK(reset("1000000000") == std::nullopt);      // from it on a moment, and that one was in 2001
  CHECK(reset("1000000000000") == std::nullopt);
}

TEST_CASE("of several limits the spent one counts, otherwise the longest") {  // BAL-23
  CHECK(head({{"x-ratelimit-reset-requests", "10s"}, {"x-ratelimit-reset-tokens", "3s"}}) == 10s);
  CHECK(head({{"x-ratelimit-reset-requests", "10s"}, {"x-ratelimit-reset-tokens", "3s"}, {"x-ratelimit-remaining-tokens", "0"}}) == 3s);
  CHECK(head({{"x-ratelimit-remaining-requests", "7"}, {"x-ratelimit-remaining-tokens", "12"},
              {"x-ratelimit-reset-requests", "2s"}, {"x-ratelimit-reset-tokens", "3s"}}) == 3s);
  CHECK(head({{"X-RateLimit-Remaining-Requests", "0"}, {"X-RateLimit-Remaining-Tokens", "0"},
              {"X-RateLimit-Reset-Requests", "2s"}, {"X-RateLimit-Reset-Tokens", "3s"}}) == 3s);
  CHECK(head({{"x-ratelimit-reset", "4"}}) == 4s);
  CHECK(head({{"x-ratelimit-reset", "4"}, {"x-ratelimit-remaining", "0"}, {"x-ratelimit-reset-day", "50"}}) == 4s);
  CHECK(head({{"anthropic-ratelimit-input-tokens-reset", "2026-01-15T10:00:08Z"}, {"anthropic-ratelimit-input-tokens-remaining", "0"},
              {"anthropic-ratelimit-requests-reset", "2026-01-15T10:00:50Z"}, {"anthropic-ratelimit-requests-remaining", "3"}}) == 8s);
  CHECK(head({{"x-ratelimit-reset-requests", "garbage"}, {"x-ratelimit-remaining-requests", "0"}, {"x-ratelimit-reset-tokens", "3s"}}) == 3s);
  for (const char* name : {"x-ratelimit-resets", "x-ratelimit-limit", "anthropic-ratelimit-reset", "anthropic-ratelimit--rese", "ratelimit"}) {
    CHECK(head({{name, "5"}}) == std::nullopt);
  }
}

TEST_CASE("a limit's reset counts with 429 only, and after every wait that was asked for outright") {  // BAL-23
  CHECK(head({{"x-ratelimit-reset-requests", "10s"}}, 503) == std::nullopt);
  CHECK(head({{"x-ratelimit-reset-requests", "10s"}, {"retry-after", "1"}}) == 1s);
  const Headers limits = {{"x-ratelimit-reset-requests", "10s"}};
  CHECK(asked_wait(429, limits, R"({"error":{"message":"Please try again in 2s."}})", kNow) == 2s);
  const Headers outright = {{"retry-after", "7"}};
  CHECK(asked_wait(429, outright, R"({"error":{"message":"Please try again in 2s."}})", kNow) == 7s);
}

TEST_CASE("Google's RetryInfo is read out of the error's details") {  // BAL-23
  CHECK(retry_info(R"("34s")") == 34s);
  CHECK(retry_info(R"("34.074824224s")") == 34'075ms);
  CHECK(retry_info(R"("0s")") == 0ms);
  CHECK(retry_info(R"("-3s")") == std::nullopt);
  CHECK(retry_info("34") == std::nullopt);
  CHECK(retry_info(R"("34s later")") == std::nullopt);
  CHECK(body(R"([{"error":{"details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"3s"}]}}])") == 3s);
  CHECK(body(R"({"error":{"details":[{"@type":"type.googleapis.com/google.rpc.Help","retryDelay":"3s"}]}})") == std::nullopt);
  CHECK(body(R"({"error":{"details":[{"retryDelay":"3s"}]}})") == std::nullopt);
  CHECK(body(R"({"details":[{"@type":"google.rpc.RetryInfo","retryDelay":"3s"}],"message":"try again in 9s"})") == 3s);
}

TEST_CASE("an error's message may speak of the wait") {  // BAL-23
  CHECK(message("Your quota will reset after 2m 13s.") == 133s);
  CHECK(message("Rate limit reached. Please try again in 1.5s. Visit us.") == 1500ms);
  CHECK(message("Please try again in 6m0s") == 6min);
  CHECK(message("Please retry after 26 seconds.") == 26s);
  CHECK(message("Please retry in 34.07482s.") == 34'075ms);
  CHECK(message("Try Again In 250MS") == 250ms);
  CHECK(message("try again in 1 hour") == 1h);
  CHECK(message("try again in a while, or retry after 3 minutes") == 3min);
  CHECK(message("try again in 20\\u006ds") == 20ms);  // escaped or not
  CHECK(message("try again in 5") == std::nullopt);
  CHECK(message("try again in 3 months") == std::nullopt);
  CHECK(message("try again in -5s") == std::nullopt);
  CHECK(message("used 5s, limit 10s") == std::nullopt);
}

TEST_CASE("only the error's own fields are read: no answer is searched, and no other field of an error") {  // BAL-21
  const char* const answer = R"({"choices":[{"message":{"content":"rate limit: try again in 5s"}}],"message":"retry after 5s"})";
  CHECK(body(answer, 200) == std::nullopt);
  CHECK(body("the model said: try again in 5s", 200) == std::nullopt);
  CHECK(body("overloaded, try again in 5s", 503) == std::nullopt);  // a page, not a field
  CHECK(body(R"({"error":{"message":"busy","param":"try again in 5s","type":"retry after 5s"},"message":"try again in 5s"})") == std::nullopt);
  CHECK(body(R"({"error":{"message":"busy","inner":{"message":"try again in 5s"}}})") == std::nullopt);
  CHECK(body(R"({"error":{"message":["try again in 5s"]}})") == std::nullopt);
  CHECK(body(R"({"error":{"message":"x"},"error":{"message":"try again in 5s"}})") == std::nullopt);  // which of them?
  CHECK(body(R"({"message":"try again in 5s"})", 429) == 5s);  // with an error status the body is the error
  CHECK(body(R"({"error":"busy","message":"try again in 5s"})", 503) == 5s);
  CHECK(body(R"({"error":{"message":"try again in 5s"}})", 200) == 5s);  // an error inside a 2xx
}

TEST_CASE("with a 2xx the head asks for nothing: some providers send retry-after on every answer") {
  CHECK(head({{"retry-after", "2"}, {"retry-after-ms", "10"}, {"x-ratelimit-reset", "5"}}, 200) == std::nullopt);
  CHECK(head({{"retry-after", "2"}}, 503) == 2s);
  CHECK(head({{"retry-after", "2"}}, 408) == 2s);
}

TEST_CASE("no wait is longer than an hour, however large the figure") {  // BAL-23
  const std::string huge(5000, '9');
  CHECK(after("3600") == 1h);
  for (const std::string& value : {std::string("3601"), std::string("86400"), std::string("18446744073709551616"), huge}) {
    CHECK(after(value) == kLongestAskedWait);
    CHECK(head({{"retry-after-ms", value + "0000"}}) == kLongestAskedWait);
    CHECK(reset(value + "s") == kLongestAskedWait);
    CHECK(reset(value + "d" + value + "h") == kLongestAskedWait);
    CHECK(message("try again in " + value + " days") == kLongestAskedWait);
    CHECK(retry_info('"' + value + "s\"") == kLongestAskedWait);
  }
  CHECK(reset(huge) == kLongestAskedWait);  // as Unix time
  CHECK(after("Fri, 31 Dec 9999 23:59:59 GMT") == kLongestAskedWait);
  CHECK(reset("9999-12-31T23:59:59Z") == kLongestAskedWait);
  CHECK(after("0." + huge) == 1s);
}

TEST_CASE("what is negative, past or no wait at all counts as not said") {  // BAL-23
  for (const char* value : {"", "-1", "+1", " ", "1s", "1,5", ".5", "5.", "1e3", "0x10", "NaN", "inf", "soon", "1 2",
                            "Thu, 15 Jan 2026 09:59:59 GMT", "Thursday, 15-Jan-26 09:00:00 GMT", "2026-01-15T10:00:20Z"}) {
    INFO(value);
    CHECK(after(value) == std::nullopt);
  }
  CHECK(after("Thu, 15 Jan 2026 10:00:00 GMT") == 0ms);
  for (const char* value : {"", "-1s", "s", "1x", "1s2", "1m -2s", "m", "1m s", "1 m", "2026-01-15T09:59:59Z", "2026-01-15 10:00:20Z", "1970-01-01T00:00:00Z"}) {
    INFO(value);
    CHECK(reset(value) == std::nullopt);
  }
}

TEST_CASE("no bytes whatever break it, and a body that is too long or no JSON is not looked into") {
  for (const char* text : {"", " ", "{", "[]", "[1]", "null", "{}", R"({"error":null})", R"({"error":[]})", R"({"error":{"details":{}}})",
                           R"({"error":{"details":[1,null,"x",[],{}]}})", R"({"error":{"message":null}})"}) {
    CHECK(body(text) == std::nullopt);
  }
  const std::string padding(kMaxErrorBody, ' ');
  CHECK(body(R"({"error":{"message":"try again in 5s"}})" + padding) == std::nullopt);
  CHECK(body(padding.substr(100) + R"({"error":{"message":"try again in 5s"}})") == 5s);

  std::mt19937 dice(17);
  const std::string_view pieces[] = {"try again in ", "retry after ", "reset after ", "retry in ", "r", "t", "1", "9", "59.", ".", "s", "ms", "m", "h", "d", " ", "\xC2\xB5", "\xC2",
                                     "GMT", "Thu, ", "Jan", "2026-01-15T", "10:00:", "Z", "+", "-", ":", "\"", "{", "}", "\x80", "\xff", "0000"};
  for (int round = 0; round < 30'000; ++round) {
    std::string text;
    for (std::size_t n = dice() % 12; n > 0; --n) {
      if (dice() % 8 == 0) {
        text += static_cast<char>(dice());
      } else {
        text += pieces[dice() % std::size(pieces)];
      }
    }
    Headers fields;
    for (const char* name : {"retry-after", "retry-after-ms", "x-ratelimit-reset", "x-ratelimit-remaining"}) {
      if (dice() % 2 == 0) fields.add_trusted(name, text);
    }
    const std::string wrapped = R"({"error":{"message":")" + text + R"(","details":[{"@type":"google.rpc.RetryInfo","retryDelay":")" + text + "\"}]}}";
    for (const std::string& error : {text, wrapped}) {
      const Wait wait = asked_wait(429, fields, error, kNow);
      if (wait) REQUIRE((*wait >= 0ms && *wait <= kLongestAskedWait));
    }
    (void)parse_http_date(text, kNow);
    (void)parse_rfc3339(text);
  }
}

TEST_CASE("a long message is read once, and of a head full of limits the first eight are looked at") {  // nothing is quadratic
  std::string text;
  while (text.size() < kMaxErrorBody - 200) text += "retry after ";
  CHECK(message(text) == std::nullopt);
  CHECK(message("try again in " + std::string(kMaxErrorBody - 200, '1')) == std::nullopt);
  CHECK(message("try again in " + std::string(kMaxErrorBody - 200, ' ')) == std::nullopt);
  Headers fields;
  for (int i = 1; i <= 8; ++i) fields.add_trusted("x-ratelimit-reset-" + std::to_string(i), std::to_string(i));
  CHECK(head(fields) == 8s);
  for (int i = 9; i < 10'000; ++i) fields.add_trusted("x-ratelimit-reset-" + std::to_string(i), std::to_string(i));
  CHECK(head(fields) == 8s);
}
