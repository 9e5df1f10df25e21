// Retries as a share of a route's exchanges. A ring of slots: time going on empties the oldest ones.

#include "policy/retry_budget.hpp"

#include <algorithm>

namespace sluice::policy {

void RetryBudget::exchange_began(TimePoint now) noexcept {
  const std::lock_guard lock(mutex_);
  ++slot_of(now).exchanges;
  ++sum_.exchanges;
}

bool RetryBudget::take(std::uint32_t percent, TimePoint now) noexcept {
  const std::lock_guard lock(mutex_);
  Counts& slot = slot_of(now);
  if (sum_.retries >= kAlways && sum_.retries * 100 >= sum_.exchanges * percent) return false;
  ++slot.retries;
  ++sum_.retries;
  return true;
}

RetryBudget::Counts& RetryBudget::slot_of(TimePoint now) noexcept {
  const Duration since = now.time_since_epoch();
  const std::int64_t number = since / kSlot - (since % kSlot < Duration::zero() ? 1 : 0);  // rounded down, on both sides of zero
  const auto at = [](std::int64_t n) { return static_cast<std::size_t>((n % std::int64_t{kSlots} + std::int64_t{kSlots}) % std::int64_t{kSlots}); };
  if (number > newest_) {
    // However far time has jumped, there are only so many slots to empty.
    const std::int64_t passed = std::min(number - newest_, std::int64_t{kSlots});
    for (std::int64_t i = 0; i < passed; ++i) {
      Counts& old = slots_[at(number - i)];
      sum_.exchanges -= old.exchanges;
      sum_.retries -= old.retries;
      old = {};
    }
    newest_ = number;
  }
  return slots_[at(newest_)];
}

}  // namespace sluice::policy
