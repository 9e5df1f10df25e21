#pragma once
/// How long an upstream asks to be left alone, read out of a failed answer: its head and the error in its body.
/// Knows the forms in which providers say so; must not know what becomes of the wait, nor ask what time it is.

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

#include "sluice/clock.hpp"
#include "sluice/headers.hpp"

namespace sluice::policy {

/// No wait is taken for longer: to ask once an hour costs nothing, and a wrong figure must not put an upstream away for days.
inline constexpr std::chrono::milliseconds kLongestAskedWait = std::chrono::hours(1);
/// An error body longer than this is not looked into.
inline constexpr std::size_t kMaxErrorBody = 64 * 1024;

/// The wait the answer asks for, rounded up to a millisecond, 0 to kLongestAskedWait; nothing where it asks for none. What is
/// negative, past or cannot be read counts as not said. The first of these that says something:
///
///   1  `retry-after-ms`: milliseconds
///   2  `retry-after`: seconds, whole or decimal, or an HTTP-date
///   3  in the error's `details`: google.rpc.RetryInfo, `"retryDelay": "34s"`
///   4  in the error's own `message`: "reset after 2m 13s", "try again in 1.5s", "retry after 26 seconds", "retry in 34.07s"
///   5  only with status 429: `x-ratelimit-reset`, `x-ratelimit-reset-SCOPE` and `anthropic-ratelimit-SCOPE-reset`, as `6m0s`,
///      a number of seconds, RFC 3339 or an HTTP-date. A number from 1e9 on is Unix time in seconds (1e9 s are 31 years: no
///      wait), from 1e12 on in milliseconds. Of the first 8 scopes those whose `remaining` is 0, else all; of these the longest
///
/// The error is the member `error` where that is an object; with an error status, else the body itself (or the first element
/// of an array). The head speaks only with an error status: some providers put `retry-after` on every 200. No other text is
/// ever searched: an answer that says "try again in 5 s" asks for nothing.
///
/// `status` and `head` are those of the answer, `body` its error as JSON (of a stream: the data of the event that held it),
/// `now` the civil time that dates are compared with. Cost: linear in head and body.
[[nodiscard]] std::optional<std::chrono::milliseconds> asked_wait(int status, const Headers& head, std::string_view body, WallTime now);

}  // namespace sluice::policy
