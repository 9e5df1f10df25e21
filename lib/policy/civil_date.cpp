// Moments of the civil time as header fields and configurations write them: read from the left, piece by piece, nothing looked at twice.

#include "policy/civil_date.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include <fmt/format.h>

namespace sluice::policy {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kDays = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
constexpr std::array<std::string_view, 7> kLongDays = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// A date and a time of day, as far as they were read.
struct Civil {
  int year = 0;
  unsigned month = 0, day = 0;
  int hour = 0, minute = 0, second = 0;

  /// The moment, in UTC; nothing where no calendar has it. A leap second is the first of the next minute.
  [[nodiscard]] std::optional<WallTime> moment() const noexcept {
    const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)};
    if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
    return WallTime(std::chrono::sys_days(date)) + std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second);
  }
};

/// Takes pieces off a text. Once one does not fit, nothing fits any more, so that only the end need be asked.
class Pieces {
 public:
  explicit Pieces(std::string_view text) noexcept : rest_(text) {}

  Pieces& literal(std::string_view piece) noexcept {
    fits_ = fits_ && rest_.starts_with(piece);
    if (fits_) rest_.remove_prefix(piece.size());
    return *this;
  }
  /// Exactly `digits` of them; the first may be a blank where `padded`.
  template <typename Int>
  Pieces& number(std::size_t digits, Int& value, bool padded = false) noexcept {
    fits_ = fits_ && rest_.size() >= digits;
    value = 0;
    for (std::size_t i = 0; fits_ && i < digits; ++i) {
      const char c = padded && i == 0 && rest_[0] == ' ' ? '0' : rest_[i];
      fits_ = is_digit(c);
      value = static_cast<Int>(value * 10 + static_cast<Int>(c - '0'));
    }
    if (fits_) rest_.remove_prefix(digits);
    return *this;
  }
  /// One of `names`; its place, counted from 0.
  Pieces& name(std::span<const std::string_view> names, unsigned& place) noexcept {
    for (place = 0; fits_ && place < names.size(); ++place) {
      if (rest_.starts_with(names[place])) return literal(names[place]);
    }
    fits_ = false;
    return *this;
  }
  Pieces& time(Civil& civil) noexcept {
    return number(2, civil.hour).literal(":").number(2, civil.minute).literal(":").number(2, civil.second);
  }
  /// The next byte, or NUL where nothing is left or nothing fits any more.
  [[nodiscard]] char peek() const noexcept { return fits_ && !rest_.empty() ? rest_.front() : '\0'; }
  /// The same, and takes it.
  [[nodiscard]] char byte() noexcept {
    const char c = peek();
    if (fits_ && !rest_.empty()) rest_.remove_prefix(1);
    return c;
  }
  [[nodiscard]] bool done() const noexcept { return fits_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool fits_ = true;
};

/// `94`, read so that it lies within 50 years of now.
int whole_year(int two_digits, WallTime now) noexcept {
  const std::chrono::year_month_day today{std::chrono::floor<std::chrono::days>(now)};
  const int this_year = static_cast<int>(today.year());
  int year = this_year - this_year % 100 + two_digits;
  if (year > this_year + 50) year -= 100;
  if (year <= this_year - 50) year += 100;
  return year;
}

}  // namespace

std::optional<WallTime> parse_http_date(std::string_view text, WallTime now) noexcept {
  Civil civil;
  unsigned weekday = 0, month = 0;

  Pieces fixed(text);
  fixed.name(kDays, weekday).literal(", ").number(2, civil.day).literal(" ").name(kMonths, month).literal(" ").number(4, civil.year).literal(" ");
  fixed.time(civil).literal(" GMT");
  civil.month = month + 1;
  if (fixed.done()) return civil.moment();

  Pieces rfc850(text);
  int two_digits = 0;
  rfc850.name(kLongDays, weekday).literal(", ").number(2, civil.day).literal("-").name(kMonths, month).literal("-").number(2, two_digits);
  rfc850.literal(" ").time(civil).literal(" GMT");
  civil.month = month + 1;
  civil.year = whole_year(two_digits, now);
  if (rfc850.done()) return civil.moment();

  Pieces asctime(text);
  asctime.name(kDays, weekday).literal(" ").name(kMonths, month).literal(" ").number(2, civil.day, true).literal(" ");
  asctime.time(civil).literal(" ").number(4, civil.year);
  civil.month = month + 1;
  if (asctime.done()) return civil.moment();
  return std::nullopt;
}

std::optional<WallTime> parse_rfc3339(std::string_view text) noexcept {
  Civil civil;
  Pieces pieces(text);
  pieces.number(4, civil.year).literal("-").number(2, civil.month).literal("-").number(2, civil.day);
  if (const char t = pieces.byte(); t != 'T' && t != 't') return std::nullopt;
  pieces.time(civil);

  std::int64_t nanos = 0;
  if (pieces.peek() == '.') {
    pieces.literal(".");
    if (!is_digit(pieces.peek())) return std::nullopt;
    for (std::int64_t unit = 100'000'000; is_digit(pieces.peek()); unit /= 10) nanos += unit * (pieces.byte() - '0');
  }
  std::chrono::minutes offset{0};
  const char zone = pieces.byte();
  if (zone == '+' || zone == '-') {
    int hours = 0, minutes = 0;
    pieces.number(2, hours).literal(":").number(2, minutes);
    if (hours > 23 || minutes > 59) return std::nullopt;
    offset = std::chrono::hours(zone == '+' ? hours : -hours) + std::chrono::minutes(zone == '+' ? minutes : -minutes);
  } else if (zone != 'Z' && zone != 'z') {
    return std::nullopt;
  }
  if (!pieces.done()) return std::nullopt;
  const auto moment = civil.moment();
  if (!moment) return std::nullopt;
  return *moment - offset + std::chrono::ceil<std::chrono::milliseconds>(std::chrono::nanoseconds(nanos));
}

std::string rfc3339(WallTime moment) {
  const auto day = std::chrono::floor<std::chrono::days>(moment);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{std::chrono::floor<std::chrono::seconds>(moment - day)};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()), time.hours().count(), time.minutes().count(), time.seconds().count());
}

}  // namespace sluice::policy
