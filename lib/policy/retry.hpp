#pragma once
/// Decides whether a failed attempt is followed by another, where, and when. Knows what the route's policies allow, what was
/// tried so far and which waits were asked for. Must not know sockets or dialects, which member is chosen (balance.hpp),
/// what other exchanges do (retry_budget.hpp), or the clock: callers pass now.

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "policy/balance.hpp"
#include "policy/few.hpp"
#include "sluice/clock.hpp"
#include "sluice/error.hpp"
#include "sluice/random.hpp"
#include "sluice/route.hpp"

namespace sluice::policy {

/// What kind of failure an attempt ended with, or nothing where it is never tried again: the caller's own mistake, a refusal
/// of the gateway's, an answer no other upstream would mend. `status` is that of the upstream's answer, 0 where none came;
/// where it is an error, it decides, whatever became of the body behind it.
[[nodiscard]] std::optional<FailureKind> classify(Code code, int status) noexcept;

/// The n-th pause (n from 1) at one upstream: by chance 0 to backoff * 2^(n-1), at most max_backoff and never more than a
/// day, each nanosecond alike. The same dice give the same pause.
[[nodiscard]] Duration backoff(const RetryPolicy& policy, std::uint32_t n, Random& random) noexcept;

/// A failed attempt.
struct Failure {
  FailureKind kind = FailureKind::kConnection;
  std::uint32_t sends = 1;                                   ///< how often the request went out; none counts as one
  std::optional<std::chrono::milliseconds> asked = {};       ///< the wait its upstream asked for: retry_after.hpp
};

/// What follows a failed attempt.
struct NextStep {
  enum class Kind : std::uint8_t {
    kAgain,   ///< at `candidate`, after `wait`; no pick is made for it (Balancer::enter)
    kOther,   ///< at once, at whichever is picked among the candidates that are left
    kGiveUp,  ///< not at all: the caller gets the failure
  };
  enum class Why : std::uint8_t {
    kInPlace,      ///< kAgain: the upstream has tries left before another takes over
    kSoonest,      ///< kAgain: all were tried, and this one's wait ends first
    kExhausted,    ///< kOther: the upstream has had its tries
    kLongWait,     ///< kOther: its wait would end too late. kGiveUp: so would every wait, and `wait` is the shortest
    kSpent,        ///< kGiveUp: all requests that one exchange may cost were sent
    kNotCovered,   ///< kGiveUp: neither retry nor failover is set for this kind of failure, or not for what is left
    kTooLate,      ///< kGiveUp: the deadline, or the latest start of an attempt, has passed
  };
  Kind kind = Kind::kGiveUp;
  Why why = Why::kSpent;
  std::size_t candidate = 0;
  Duration wait{};

  /// "again after 250 ms", "the next upstream at once", "no more: all requests of this exchange were sent".
  [[nodiscard]] std::string describe() const;
};

/// The attempts of one exchange: who may serve it, what was tried, and what comes next. The rules, in order:
///
///   1  never more than `attempts` requests, those counted that the library below resent on its own
///   2  no attempt begins at or after the deadline, nor later than `max_latency` after the request was whole
///   3  a kind in `retry.on` is tried again at the same member until that has failed `per_upstream` times
///   4  then, for a kind in `failover.on`, another member takes over at once, and the failed one is excluded
///   5  a wait that would pass (2) is not begun: the next member takes over at once
///   6  when all were tried, the member whose wait ends first is tried again after it, if what it failed with is in
///      `retry.on`; where that is another than the one that failed last, that failure must be in `failover.on` too
///
/// Each failure moves the end of its member's wait to now plus a backoff, or plus the wait asked for where that is longer;
/// never to an earlier moment. Where a policy keeps failover from an untried member, (6) does not begin: the member had its
/// tries, and the caller gets the failure.
///
/// A value. Up to 8 candidates need no heap. Lifetime: both policies outlive it. Thread: one.
class Retries {
 public:
  /// `whole` is when the request was whole; `deadline` that of the exchange, if it has one.
  Retries(const RetryPolicy& retry, const FailoverPolicy& failover, TimePoint whole, std::optional<TimePoint> deadline) noexcept;

  /// Lists a member, in the route's order. `usable`: false for one that cannot serve (weight 0, not fit).
  void add(std::uint32_t member, bool usable = true);
  /// Takes a candidate out for good: it has turned out that it cannot serve.
  void exclude(std::size_t candidate) noexcept;
  /// Those to pick from. Lifetime: until this is changed or moved.
  [[nodiscard]] std::span<const Candidate> candidates() const noexcept { return {candidates_.begin(), candidates_.size()}; }

  /// An attempt at `candidate` has failed with a kind that may be tried again (classify). Draws one backoff where the kind is
  /// in `retry.on`. A kAgain that is not followed, or a kOther for which nothing can be picked, ends the exchange.
  [[nodiscard]] NextStep failed(std::size_t candidate, const Failure& failure, TimePoint now, Random& random) noexcept;

  [[nodiscard]] std::uint32_t sends() const noexcept { return sends_; }
  /// How many more requests may go out. With 1 left, the library below must not resend it on its own.
  [[nodiscard]] std::uint32_t sends_left() const noexcept;

 private:
  /// What a candidate has been through.
  struct Record {
    TimePoint wait_until{};                       // once it has failed: no request before it
    std::uint32_t failures = 0;
    FailureKind kind = FailureKind::kConnection;  // of the last one
    bool out = false;                             // cannot serve
  };
  [[nodiscard]] bool in_time(TimePoint start) const noexcept;
  [[nodiscard]] bool any_left() const noexcept;
  [[nodiscard]] NextStep again_at_soonest(std::size_t failed, bool may_move, TimePoint now) const noexcept;

  const RetryPolicy* retry_;
  const FailoverPolicy* failover_;
  TimePoint latest_start_;                // no attempt begins later
  std::optional<TimePoint> deadline_;     // no attempt begins at it or later
  std::uint32_t sends_ = 0;
  Few<Candidate, 8> candidates_;
  Few<Record, 8> records_;                // parallel to candidates_
};

}  // namespace sluice::policy
