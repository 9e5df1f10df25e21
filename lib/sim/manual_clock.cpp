// ManualClock: see sluice/simulator.hpp.
#include <atomic>

#include "sluice/simulator.hpp"

namespace sluice::testing {
namespace {

/// 2026-01-01T00:00:00Z, in milliseconds of the civil time: where every simulation begins.
constexpr std::int64_t kFirstWall = 1'767'225'600'000;
/// Not 0: a moment that was never set must not look like the first one.
constexpr std::chrono::hours kFirst{1};

}  // namespace

struct ManualClock::Impl {
  std::atomic<std::int64_t> passed_ns{0};
};

ManualClock::ManualClock() : impl_(std::make_unique<Impl>()) {}
ManualClock::~ManualClock() = default;

TimePoint ManualClock::now() const noexcept {
  return TimePoint(kFirst) + Duration(impl_->passed_ns.load(std::memory_order_acquire));
}

WallTime ManualClock::wall() const noexcept {
  return WallTime(std::chrono::milliseconds(kFirstWall + impl_->passed_ns.load(std::memory_order_acquire) / 1'000'000));
}

void ManualClock::advance(Duration by) {
  if (by.count() > 0) impl_->passed_ns.fetch_add(by.count(), std::memory_order_acq_rel);
}

}  // namespace sluice::testing
