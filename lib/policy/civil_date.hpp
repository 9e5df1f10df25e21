#pragma once
/// Moments of the civil time as header fields and configurations write them. Knows the forms; must not know what a field means, nor ask what
/// time it is.

#include <optional>
#include <string>
#include <string_view>

#include "sluice/clock.hpp"

namespace sluice::policy {

/// An HTTP-date in any of its three forms; the year of two digits is the one nearest to `now`. Names and lengths are judged
/// strictly, the day of the week need not fit the date. Nothing for anything else.
/// Source: RFC 9110, 5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT`, `Sun Nov  6 08:49:37 1994`
[[nodiscard]] std::optional<WallTime> parse_http_date(std::string_view text, WallTime now) noexcept;

/// A moment like `2026-01-15T10:30:00Z` or `2026-01-15T11:30:00.25+01:00`, a part of a millisecond rounded up. Nothing for
/// anything else. Source: RFC 3339, 5.6
[[nodiscard]] std::optional<WallTime> parse_rfc3339(std::string_view text) noexcept;

/// The same, in UTC and whole seconds: `2026-01-15T10:30:00Z`.
[[nodiscard]] std::string rfc3339(WallTime moment);

}  // namespace sluice::policy
