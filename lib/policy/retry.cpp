// Whether a failed attempt is followed by another, where, and when.

#include "policy/retry.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

namespace sluice::policy {
namespace {

using std::chrono::milliseconds;

/// Longer pauses than this mean never, and sums with them stay far from the ends of the time axis.
constexpr milliseconds kDay = std::chrono::hours(24);

Duration bounded(milliseconds wait) noexcept { return std::clamp(wait, milliseconds(0), kDay); }

bool has(const std::vector<FailureKind>& kinds, FailureKind kind) noexcept { return std::find(kinds.begin(), kinds.end(), kind) != kinds.end(); }

/// `1500 ms` reads worse than `1.5 s`; below a second it is the other way round.
std::string shown(Duration wait) {
  const auto ms = std::chrono::ceil<milliseconds>(wait).count();
  return ms < 1000 ? fmt::format("{} ms", ms) : fmt::format("{} s", static_cast<double>(ms) / 1000);
}

/// What an error status says; `unsaid` where there is none.
std::optional<FailureKind> by_status(int status, std::optional<FailureKind> unsaid) noexcept {
  if (status < 300) return unsaid;
  if (status == 408) return FailureKind::kTimeout;
  if (status == 429) return FailureKind::kHttp429;
  if (status >= 500) return FailureKind::kHttp5xx;
  return std::nullopt;
}

}  // namespace

std::optional<FailureKind> classify(Code code, int status) noexcept {
  switch (code) {
    case Code::kOk:
    case Code::kUpstreamStatus: return by_status(status, std::nullopt);
    case Code::kUpstreamResolveFailed:
    case Code::kUpstreamConnectFailed:
    case Code::kUpstreamTlsFailed:
    case Code::kUpstreamReset:
    case Code::kUpstreamProtocolError: return by_status(status, status == 0 ? FailureKind::kConnection : FailureKind::kBrokenAnswer);
    case Code::kUpstreamTruncated:
    case Code::kUpstreamInvalidAnswer:
    case Code::kUpstreamEventTooLarge:
    case Code::kUpstreamError: return by_status(status, FailureKind::kBrokenAnswer);
    case Code::kConnectTimeout:
    case Code::kHeadersTimeout:
    case Code::kFirstDeltaTimeout:
    case Code::kIdleTimeout: return by_status(status, FailureKind::kTimeout);
    // Redirects and refused addresses are a matter of configuration; a credential is refused the second time too; what is
    // over a bound of ours is as long anywhere else; the rest is the caller's doing or our own.
    default: return std::nullopt;
  }
}

Duration backoff(const RetryPolicy& policy, std::uint32_t n, Random& random) noexcept {
  Duration longest = bounded(policy.backoff);
  const Duration bound = bounded(policy.max_backoff);
  for (std::uint32_t i = 1; i < n && longest.count() > 0 && longest < bound; ++i) longest *= 2;
  longest = std::min(longest, bound);
  return Duration(static_cast<Duration::rep>(random.below(static_cast<std::uint64_t>(longest.count()) + 1)));
}

std::string NextStep::describe() const {
  switch (why) {
    case Why::kInPlace: return fmt::format("again after {}", shown(wait));
    case Why::kSoonest: return fmt::format("again after {}: every upstream was tried", shown(wait));
    case Why::kExhausted: return "the next upstream at once";
    case Why::kLongWait:
      if (kind == Kind::kOther) return fmt::format("the next upstream at once: a wait of {} would end too late", shown(wait));
      return fmt::format("no more: a wait of {} would end too late", shown(wait));
    case Why::kSpent: return "no more: all requests that one exchange may cost were sent";
    case Why::kNotCovered: return "no more: the route's policies do not cover this failure";
    case Why::kTooLate: return "no more: it is too late for another attempt";
  }
  return {};
}

Retries::Retries(const RetryPolicy& retry, const FailoverPolicy& failover, TimePoint whole, std::optional<TimePoint> deadline) noexcept
    : retry_(&retry), failover_(&failover), latest_start_(TimePoint::max()), deadline_(deadline) {
  if (failover.max_latency.count() > 0) latest_start_ = whole + bounded(failover.max_latency);
}

void Retries::add(std::uint32_t member, bool usable) {
  candidates_.push({.member = member, .excluded = !usable});
  records_.push({.out = !usable});
}

void Retries::exclude(std::size_t candidate) noexcept {
  candidates_[candidate].excluded = true;
  records_[candidate].out = true;
}

std::uint32_t Retries::sends_left() const noexcept {
  const std::uint32_t attempts = std::max(retry_->attempts, 1u);
  return attempts - std::min(sends_, attempts);
}

bool Retries::in_time(TimePoint start) const noexcept { return start <= latest_start_ && (!deadline_ || start < *deadline_); }

bool Retries::any_left() const noexcept {
  return std::any_of(candidates_.begin(), candidates_.end(), [](const Candidate& candidate) { return !candidate.excluded; });
}

NextStep Retries::failed(std::size_t candidate, const Failure& failure, TimePoint now, Random& random) noexcept {
  using Kind = NextStep::Kind;
  using Why = NextStep::Why;
  const bool may_repeat = has(retry_->on, failure.kind);
  const bool may_move = has(failover_->on, failure.kind);

  Record& record = records_[candidate];
  record.kind = failure.kind;
  ++record.failures;
  Duration wait = bounded(failure.asked.value_or(milliseconds(0)));
  if (may_repeat) wait = std::max(wait, backoff(*retry_, record.failures, random));
  record.wait_until = record.failures == 1 ? now + wait : std::max(record.wait_until, now + wait);
  sends_ += std::max(failure.sends, 1u);

  if (sends_left() == 0) return {Kind::kGiveUp, Why::kSpent};
  if (!may_repeat && !may_move) return {Kind::kGiveUp, Why::kNotCovered};
  if (!in_time(now)) return {Kind::kGiveUp, Why::kTooLate};

  const bool tries_left = may_repeat && !record.out && record.failures < retry_->per_upstream;
  const Duration pause = record.wait_until - now;
  if (tries_left && in_time(record.wait_until)) return {Kind::kAgain, Why::kInPlace, candidate, pause};

  candidates_[candidate].excluded = true;
  if (any_left()) {
    if (!may_move) return {Kind::kGiveUp, tries_left ? Why::kLongWait : Why::kNotCovered, candidate, tries_left ? pause : Duration{}};
    return {Kind::kOther, tries_left ? Why::kLongWait : Why::kExhausted, candidate, tries_left ? pause : Duration{}};
  }
  return again_at_soonest(candidate, may_move, now);
}

NextStep Retries::again_at_soonest(std::size_t failed, bool may_move, TimePoint now) const noexcept {
  const Record* const records = records_.begin();
  std::optional<std::size_t> soonest;
  for (std::size_t i = 0; i < records_.size(); ++i) {
    if (records[i].out || (i != failed && !may_move) || !has(retry_->on, records[i].kind)) continue;
    // At the same moment the one that has failed less often: while time stands still, too, each has its turn.
    if (!soonest || std::tie(records[i].wait_until, records[i].failures) < std::tie(records[*soonest].wait_until, records[*soonest].failures)) soonest = i;
  }
  if (!soonest) return {NextStep::Kind::kGiveUp, NextStep::Why::kNotCovered};
  const TimePoint start = std::max(records[*soonest].wait_until, now);
  if (!in_time(start)) return {NextStep::Kind::kGiveUp, NextStep::Why::kLongWait, *soonest, start - now};
  return {NextStep::Kind::kAgain, NextStep::Why::kSoonest, *soonest, start - now};
}

}  // namespace sluice::policy
