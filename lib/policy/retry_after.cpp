// The wait an upstream asks for. Numbers are read as integers, never through a double, and saturate; every text is read
// once, from the left.

#include "policy/retry_after.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "json/document.hpp"
#include "policy/civil_date.hpp"

namespace sluice::policy {
namespace {

using json::Type;
using json::Value;
using std::chrono::milliseconds;
using Wait = std::optional<milliseconds>;

constexpr std::uint64_t kNanosPerMilli = 1'000'000;
constexpr std::uint64_t kNanosPerSecond = 1'000'000'000;
/// Where sums stop: more than any wait, and far from overflow.
constexpr std::uint64_t kManyNanos = 100'000'000'000'000;  // 27 hours
constexpr std::uint64_t kManyWholes = 1'000'000'000'000'000;  // beyond any Unix time in milliseconds
constexpr std::uint64_t kUnixSeconds = 1'000'000'000;       // 2001: a bare number from here on is a moment
constexpr std::uint64_t kUnixMillis = 1'000'000'000'000;    // also 2001
constexpr std::size_t kScopes = 8;                          // rate limits one answer may tell of

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// An unsigned decimal number: `12`, `1.5`. Saturates; parts below 1e-9 are dropped.
struct Decimal {
  std::uint64_t whole = 0;
  std::uint64_t billionths = 0;
};

/// Takes one off the front of `text`.
std::optional<Decimal> take_decimal(std::string_view& text) noexcept {
  if (text.empty() || !is_digit(text.front())) return std::nullopt;
  Decimal number;
  std::size_t i = 0;
  for (; i < text.size() && is_digit(text[i]); ++i) {
    number.whole = std::min(number.whole * 10 + static_cast<std::uint64_t>(text[i] - '0'), kManyWholes);
  }
  if (i + 1 < text.size() && text[i] == '.' && is_digit(text[i + 1])) {
    ++i;
    for (std::uint64_t unit = 100'000'000; i < text.size() && is_digit(text[i]); ++i, unit /= 10) {
      number.billionths += unit * static_cast<std::uint64_t>(text[i] - '0');
    }
  }
  text.remove_prefix(i);
  return number;
}

/// `number` of a unit of so many nanoseconds, saturated.
std::uint64_t nanos_of(const Decimal& number, std::uint64_t unit) noexcept {
  if (number.whole >= kManyNanos / unit) return kManyNanos;
  // A unit is below 1e14 ns. In two steps, for the product of both would not fit.
  const std::uint64_t part = unit >= kNanosPerMilli ? number.billionths * (unit / kNanosPerMilli) / 1000 : number.billionths * unit / kNanosPerSecond;
  return number.whole * unit + part;
}

milliseconds wait_of(std::uint64_t nanos) noexcept {
  return std::min(milliseconds((nanos + kNanosPerMilli - 1) / kNanosPerMilli), kLongestAskedWait);
}

Wait wait_until(std::optional<WallTime> moment, WallTime now) noexcept {
  if (!moment || *moment < now) return std::nullopt;
  return std::min(*moment - now, kLongestAskedWait);
}

/// A bare number of units of so many nanoseconds.
Wait bare_number(std::string_view text, std::uint64_t unit) noexcept {
  const auto number = take_decimal(text);
  if (!number || !text.empty()) return std::nullopt;
  return wait_of(nanos_of(*number, unit));
}

struct Unit {
  std::string_view name;
  std::uint64_t nanos;
};
constexpr std::uint64_t kMinute = 60 * kNanosPerSecond, kHour = 60 * kMinute, kDay = 24 * kHour;
/// As Go prints durations (with either mu), and as people write them.
constexpr std::array kUnits = {
    Unit{"ns", 1}, Unit{"us", 1000}, Unit{"\xC2\xB5s", 1000}, Unit{"\xCE\xBCs", 1000},
    Unit{"ms", kNanosPerMilli}, Unit{"millisecond", kNanosPerMilli}, Unit{"milliseconds", kNanosPerMilli},
    Unit{"s", kNanosPerSecond}, Unit{"sec", kNanosPerSecond}, Unit{"secs", kNanosPerSecond},
    Unit{"second", kNanosPerSecond}, Unit{"seconds", kNanosPerSecond},
    Unit{"m", kMinute}, Unit{"min", kMinute}, Unit{"mins", kMinute}, Unit{"minute", kMinute}, Unit{"minutes", kMinute},
    Unit{"h", kHour}, Unit{"hr", kHour}, Unit{"hrs", kHour}, Unit{"hour", kHour}, Unit{"hours", kHour},
    Unit{"d", kDay}, Unit{"day", kDay}, Unit{"days", kDay},
};

/// Takes `1h2m3.5s` off the front of `text`, as far as it goes; where `spoken`, a blank may stand before each part of it.
/// Nothing where there is no number with a unit.
std::optional<std::uint64_t> take_duration(std::string_view& text, bool spoken) noexcept {
  std::optional<std::uint64_t> sum;
  for (;;) {
    std::string_view rest = text;
    const auto skip_blank = [&] {
      if (spoken && rest.starts_with(' ')) rest.remove_prefix(1);
    };
    skip_blank();
    const auto number = take_decimal(rest);
    if (!number) return sum;
    skip_blank();
    std::size_t letters = rest.starts_with("\xC2\xB5") || rest.starts_with("\xCE\xBC") ? 2 : 0;
    while (letters < rest.size() && lower(rest[letters]) >= 'a' && lower(rest[letters]) <= 'z') ++letters;
    const auto* unit = std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& u) { return u.name == rest.substr(0, letters); });
    if (unit == kUnits.end()) return sum;
    rest.remove_prefix(letters);
    sum = std::min(sum.value_or(0) + nanos_of(*number, unit->nanos), kManyNanos);
    text = rest;
  }
}

// The head.

Wait retry_after(const Headers& head, WallTime now) noexcept {
  if (const auto ms = head.get("retry-after-ms")) {
    if (const Wait wait = bare_number(*ms, kNanosPerMilli)) return wait;
  }
  const auto said = head.get("retry-after");
  if (!said) return std::nullopt;
  if (const Wait wait = bare_number(*said, kNanosPerSecond)) return wait;
  return wait_until(parse_http_date(*said, now), now);
}

/// The value of a reset field.
Wait reset_wait(std::string_view text, WallTime now) noexcept {
  std::string_view rest = text;
  if (const auto number = take_decimal(rest); number && rest.empty()) {
    if (number->whole >= kUnixMillis) return wait_until(WallTime(milliseconds(number->whole)), now);
    if (number->whole >= kUnixSeconds) return wait_until(WallTime(milliseconds(number->whole * 1000 + (number->billionths + 999'999) / 1'000'000)), now);
    return wait_of(nanos_of(*number, kNanosPerSecond));
  }
  rest = text;
  if (const auto nanos = take_duration(rest, false); nanos && rest.empty()) return wait_of(*nanos);
  if (const Wait wait = wait_until(parse_rfc3339(text), now)) return wait;
  return wait_until(parse_http_date(text, now), now);
}

bool begins_with(std::string_view name, std::string_view prefix) noexcept {
  return name.size() >= prefix.size() && same_name(name.substr(0, prefix.size()), prefix);
}

/// The field that tells how much is left of the limit that `reset` belongs to; empty where `reset` is no such field.
std::string remaining_field(std::string_view reset) {
  constexpr std::string_view kReset = "x-ratelimit-reset", kPrefix = "anthropic-ratelimit-", kSuffix = "-reset";
  if (begins_with(reset, kReset) && (reset.size() == kReset.size() || reset[kReset.size()] == '-')) {
    return "x-ratelimit-remaining" + std::string(reset.substr(kReset.size()));
  }
  if (begins_with(reset, kPrefix) && reset.size() > kPrefix.size() + kSuffix.size() && same_name(reset.substr(reset.size() - kSuffix.size()), kSuffix)) {
    return std::string(reset.substr(0, reset.size() - kSuffix.size())) + "-remaining";
  }
  return {};
}

Wait rate_limit_reset(const Headers& head, WallTime now) {
  Wait spent, any;
  std::size_t scopes = 0;
  for (const HeaderField field : head) {
    const std::string remaining = remaining_field(field.name);
    if (remaining.empty()) continue;
    if (++scopes > kScopes) break;  // each one looks through the head: a head full of them must not be quadratic
    const Wait wait = reset_wait(field.value, now);
    if (!wait) continue;
    any = std::max(any, wait);
    const auto left = head.get(remaining);
    if (left && bare_number(*left, kNanosPerSecond) == milliseconds(0)) spent = std::max(spent, wait);
  }
  return spent ? spent : any;
}

// The body.

Value member(const Value& object, std::string_view key) {
  if (!object.is(Type::kObject)) return {};
  const auto found = object.find(key);
  return found ? *found : Value{};
}

Wait retry_info(const Value& error) {
  const Value details = member(error, "details");
  if (!details.is(Type::kArray)) return std::nullopt;
  std::string scratch;
  for (Value detail = details.first(); detail; detail = detail.next()) {
    const Value type = member(detail, "@type"), delay = member(detail, "retryDelay");
    if (!type.is(Type::kString) || !delay.is(Type::kString) || !type.text(scratch).ends_with("google.rpc.RetryInfo")) continue;
    std::string_view text = delay.text(scratch);
    if (const auto nanos = take_duration(text, false); nanos && text.empty()) return wait_of(*nanos);
  }
  return std::nullopt;
}

/// A wait that a message speaks of.
Wait spoken_wait(const Value& message) {
  constexpr std::array<std::string_view, 4> kPhrases = {"reset after", "try again in", "retry after", "retry in"};
  if (!message.is(Type::kString)) return std::nullopt;
  std::string text, scratch;
  text = message.text(scratch);
  std::transform(text.begin(), text.end(), text.begin(), lower);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != 'r' && text[i] != 't') continue;
    std::string_view rest = std::string_view(text).substr(i);
    const auto* phrase = std::find_if(kPhrases.begin(), kPhrases.end(), [&](std::string_view p) { return rest.starts_with(p); });
    if (phrase == kPhrases.end()) continue;
    rest.remove_prefix(phrase->size());
    if (const auto nanos = take_duration(rest, true)) return wait_of(*nanos);
  }
  return std::nullopt;
}

Wait from_body(std::string_view body, bool error_status) {
  const std::size_t first = body.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || body.size() > kMaxErrorBody || (body[first] != '{' && body[first] != '[')) return std::nullopt;
  const auto document = json::Document::parse(Body::copy(body));
  if (!document) return std::nullopt;
  Value root = document->root();
  if (root.is(Type::kArray)) root = root.first();  // Gemini's streams answer with an array of one error
  Value error = member(root, "error");
  if (!error.is(Type::kObject)) {
    if (!error_status) return std::nullopt;  // an answer, not an error
    error = root;
  }
  if (const Wait wait = retry_info(error)) return wait;
  return spoken_wait(member(error, "message"));
}

}  // namespace

std::optional<milliseconds> asked_wait(int status, const Headers& head, std::string_view body, WallTime now) {
  const bool error_status = status >= 400;
  if (error_status) {
    if (const Wait wait = retry_after(head, now)) return wait;
  }
  if (const Wait wait = from_body(body, error_status)) return wait;
  return status == 429 ? rate_limit_reset(head, now) : std::nullopt;
}

}  // namespace sluice::policy
