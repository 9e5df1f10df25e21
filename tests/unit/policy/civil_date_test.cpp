// Moments as header fields write them.

#include "policy/civil_date.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::policy;
using namespace std::chrono_literals;

namespace {

constexpr WallTime at(int year, unsigned month, unsigned day, Duration time = {}) {
  return WallTime(std::chrono::sys_days(std::chrono::year(year) / static_cast<int>(month) / static_cast<int>(day))) + std::chrono::floor<std::chrono::milliseconds>(time);
}
constexpr WallTime kNow = at(2026, 1, 15);

}  // namespace

TEST_CASE("an HTTP-date in each of its three forms is the same moment") {  // RFC 9110, 5.6.7
  const WallTime moment = at(1994, 11, 6, 8h + 49min + 37s);
  CHECK(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", kNow) == moment);
  CHECK(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", kNow) == moment);
  CHECK(parse_http_date("Sun Nov  6 08:49:37 1994", kNow) == moment);
  CHECK(parse_http_date("Sun Nov 16 08:49:37 1994", kNow) == at(1994, 11, 16, 8h + 49min + 37s));
}

TEST_CASE("a year of two digits lies within fifty years of now") {
  const auto year = [](const char* text, WallTime now) { return parse_http_date(text, now); };
  CHECK(year("Monday, 01-Jan-75 00:00:00 GMT", kNow) == at(2075, 1, 1));
  CHECK(year("Monday, 01-Jan-76 00:00:00 GMT", kNow) == at(2076, 1, 1));
  CHECK(year("Monday, 01-Jan-77 00:00:00 GMT", kNow) == at(1977, 1, 1));
  CHECK(year("Monday, 01-Jan-05 00:00:00 GMT", at(2099, 6, 1)) == at(2105, 1, 1));
}

TEST_CASE("every month and the ends of days are read, a leap second as the next minute") {
  const char* const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  for (unsigned month = 1; month <= 12; ++month) {
    CHECK(parse_http_date(std::string("Mon, 28 ") + months[month - 1] + " 2025 23:59:59 GMT", kNow) == at(2025, month, 28, 24h - 1s));
  }
  CHECK(parse_http_date("Mon, 29 Feb 2024 00:00:00 GMT", kNow) == at(2024, 2, 29));
  CHECK(parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT", kNow) == at(2017, 1, 1));
}

TEST_CASE("what no calendar has and what is written otherwise is no date") {
  for (const char* text : {"", "Sun", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 GMT ", " Sun, 06 Nov 1994 08:49:37 GMT",
                           "Sun, 6 Nov 1994 08:49:37 GMT", "Son, 06 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
                           "Sun, 31 Nov 1994 08:49:37 GMT", "Sun, 29 Feb 2025 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT",
                           "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 06 Nov 94 08:49:37 GMT", "Sunday, 06-Nov-1994 08:49:37 GMT", "Sun, 06-Nov-94 08:49:37 GMT",
                           "Sun Nov 6 08:49:37 1994", "Sun Nov  6 08:49:37 94", "Sun Nov  6 08:49:37 1994 GMT", "Sun, 0x Nov 1994 08:49:37 GMT", "Sun, 06 Nov  994 08:49:37 GMT"}) {
    INFO(text);
    CHECK(parse_http_date(text, kNow) == std::nullopt);
  }
}

TEST_CASE("an RFC 3339 moment is read with its zone and its fraction") {
  const WallTime moment = at(2026, 1, 15, 10h + 30min);
  CHECK(parse_rfc3339("2026-01-15T10:30:00Z") == moment);
  CHECK(parse_rfc3339("2026-01-15t10:30:00z") == moment);
  CHECK(parse_rfc3339("2026-01-15T10:30:00+00:00") == moment);
  CHECK(parse_rfc3339("2026-01-15T10:30:00-00:00") == moment);
  CHECK(parse_rfc3339("2026-01-15T16:00:00+05:30") == moment);
  CHECK(parse_rfc3339("2026-01-14T22:00:00-12:30") == moment);
  CHECK(parse_rfc3339("2026-01-15T10:30:00.250Z") == moment + 250ms);
  CHECK(parse_rfc3339("2026-01-15T10:30:00.2500001Z") == moment + 251ms);
  CHECK(parse_rfc3339("2026-01-15T10:30:00.0000000000001Z") == moment);  // below a nanosecond: nothing
  CHECK(parse_rfc3339("2026-01-15T10:29:60Z") == moment);
  CHECK(parse_rfc3339("0000-01-01T00:00:00Z") == at(0, 1, 1));
}

TEST_CASE("what RFC 3339 does not allow is no moment") {
  for (const char* text : {"", "2026", "2026-01-15", "2026-01-15T10:30:00", "2026-01-15 10:30:00Z", "2026-01-15T10:30Z", "2026-01-15T10:30:00.Z", "2026-01-15T10:30:00.5",
                           "2026-01-15T10:30:00+0100", "2026-01-15T10:30:00+01", "2026-01-15T10:30:00+24:00", "2026-01-15T10:30:00+01:60", "2026-01-15T10:30:00ZZ",
                           "2026-13-15T10:30:00Z", "2026-00-15T10:30:00Z", "2026-02-30T10:30:00Z", "2026-01-15T24:30:00Z", "20260115T103000Z", "x026-01-15T10:30:00Z",
                           "2026-01-15T1x:30:00Z", "2026/01/15T10:30:00Z", "-2026-01-15T10:30:00Z"}) {
    INFO(text);
    CHECK(parse_rfc3339(text) == std::nullopt);
  }
}

TEST_CASE("a moment is written in UTC and whole seconds") {
  CHECK(rfc3339(*parse_rfc3339("2026-01-15T11:30:07.25+01:00")) == "2026-01-15T10:30:07Z");
  CHECK(rfc3339(*parse_rfc3339("2028-02-29T23:59:59Z")) == "2028-02-29T23:59:59Z");
  CHECK(rfc3339(at(1970, 1, 1)) == "1970-01-01T00:00:00Z");
  CHECK(rfc3339(*parse_rfc3339("1969-12-31T23:59:58.5Z")) == "1969-12-31T23:59:58Z");
}
