#pragma once
/// Decides whether a route may still add to the load of its upstreams: retries are a share of its exchanges, so that an
/// outage is not made worse by the attempts to live through it. Knows two counts of the last 10 seconds; must not know why
/// anything failed, or the clock: callers pass now.

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>

#include "sluice/clock.hpp"

namespace sluice::policy {

/// The counts of one route; it survives reloads with the route. Exact over all threads; the 10 seconds are counted in slots
/// of 200 ms, so what is counted leaves the window when it is 9.8 to 10 s old.
/// Thread: any, concurrently. Cost: one short lock; takes no memory. A now that is older than one seen before, as those of
/// two threads may be, is taken for the newer.
class RetryBudget {
 public:
  static constexpr Duration kWindow = std::chrono::seconds(10);
  /// Retries that are always allowed in one window: a route with little traffic could never retry otherwise.
  static constexpr std::uint32_t kAlways = 10;

  /// An exchange is about to make its first attempt.
  void exchange_began(TimePoint now) noexcept;
  /// True where one more attempt is allowed, which counts it: fewer retries than `percent` of the exchanges, or than kAlways,
  /// began in the window. To be asked last, once it is known that the attempt will be made.
  [[nodiscard]] bool take(std::uint32_t percent, TimePoint now) noexcept;

 private:
  static constexpr std::size_t kSlots = 50;
  static constexpr Duration kSlot = kWindow / kSlots;
  struct Counts {
    std::uint64_t exchanges = 0, retries = 0;
  };
  // With mutex_ held.
  Counts& slot_of(TimePoint now) noexcept;

  std::mutex mutex_;
  std::array<Counts, kSlots> slots_{};  // slot n of the time axis lies at n modulo kSlots
  Counts sum_;                          // of all slots
  std::int64_t newest_ = std::numeric_limits<std::int64_t>::min() / 2;  // number of the newest slot; the others lie before it
};

}  // namespace sluice::policy
