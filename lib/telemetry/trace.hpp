#pragma once
/// The place of an exchange in a distributed trace: W3C Trace Context, Level 2. Knows the two header fields and how to
/// make ids; must not know who is trusted, nor what becomes of a trace: callers decide.
/// Source: https://www.w3.org/TR/trace-context-2/

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "sluice/headers.hpp"
#include "sluice/random.hpp"

namespace sluice::telemetry {

/// An id as it stands in the fields: lower-case hex digits, not all of them zero.
template <std::size_t kDigits>
struct HexId {
  std::array<char, kDigits> digits{};
  /// Lifetime: this object.
  [[nodiscard]] std::string_view text() const noexcept { return {digits.data(), digits.size()}; }
  friend bool operator==(const HexId&, const HexId&) = default;
};
using TraceId = HexId<32>;
using SpanId = HexId<16>;

/// What a `traceparent` says of its sender.
struct TraceParent {
  TraceId trace_id{};
  SpanId span_id{};
  bool sampled = false;
};

/// Reads one field value. Nothing where it is malformed: upper-case digits, an id of zeros, version ff, a version 00
/// that is not exactly as long as it must be. A version above 00 is read as far as it is known.
[[nodiscard]] std::optional<TraceParent> parse_traceparent(std::string_view value) noexcept;

/// The members of every `tracestate` field together, as one value to hand on; empty members and blanks are left out.
/// Empty where a member is malformed, a key stands twice, or there are more than 32 of them. Above 512 characters whole
/// members go: first those of more than 128, then the last ones.
[[nodiscard]] std::string joined_tracestate(const Headers& headers);

/// One exchange in its trace.
struct Trace {
  TraceId trace_id{};
  SpanId span_id{};                        ///< the exchange's own
  std::optional<SpanId> parent_span_id;    ///< the caller's, where its trace is continued
  bool sampled = true;
  std::string state = {};                  ///< `tracestate` for those who are asked next; empty: none is sent
};

/// Continues the trace the request's `traceparent` names, or begins one: where there is none, more than one, a
/// malformed one, or none is `trusted`.
[[nodiscard]] Trace join_trace(const Headers& headers, bool trusted, Random& random);

/// The `traceparent` for those who are asked next: version 00, the exchange as their parent.
[[nodiscard]] std::string traceparent(const Trace& trace);

}  // namespace sluice::telemetry
