#pragma once
/// How fast a member of a route has answered of late. Knows durations and the moments they were measured at; must not know
/// who measures, nor the clock: callers pass now.

#include <atomic>
#include <cstdint>

#include "sluice/clock.hpp"
#include "sluice/route.hpp"

namespace sluice::policy {

/// A peak EWMA in one word, shared by all engines. What is slower than the estimate replaces it at once; what is faster is
/// mixed in, the more of it the longer ago the last measure was. Unmeasured, the estimate falls by half in each half-life, so
/// who was slow is asked again after a while.
///
/// A failure never makes a member look faster: it counts as what it took, as twice the estimate, or as a second, whichever
/// is the most, up to a minute.
///
/// Thread: any, concurrently. Cost: a word read and one exp2f; a measure is a compare-and-swap. No lock, no memory.
/// Limit: stamps are milliseconds in 32 bits, so a member that nobody measured for 24 days may look as if it had just been.
class Latency {
 public:
  explicit Latency(LatencyPolicy policy) noexcept : policy_(policy) {}

  /// The first content of an answer was there, `took` after the attempt began.
  void first_content(Duration took, TimePoint now) noexcept;
  /// An answer ended well. An answer that had no content of its own to wait for counts as a whole under either policy.
  void ended(Duration took, bool had_content, TimePoint now) noexcept;
  /// An attempt failed, and it was the upstream's fault.
  void failed(Duration took, TimePoint now) noexcept;

  /// In milliseconds, above 0; 0 = never measured.
  [[nodiscard]] float estimate(TimePoint now) const noexcept;
  [[nodiscard]] const LatencyPolicy& policy() const noexcept { return policy_; }

 private:
  void measured(Duration took, TimePoint now) noexcept;

  const LatencyPolicy policy_;
  std::atomic<std::uint64_t> word_{0};  // the estimate's bits above, the stamp below; 0 = never measured
};

}  // namespace sluice::policy
