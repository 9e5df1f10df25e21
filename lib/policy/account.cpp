// GCRA in whole numbers of 128 bits.

#include "policy/account.hpp"

#include <algorithm>
#include <limits>

namespace sluice::policy {

Account::Account(Rate rate) noexcept : rate_(rate), drained_at_(std::numeric_limits<std::int64_t>::min() * static_cast<Level>(rate.amount)) {}

Account::Level Account::ahead(TimePoint now) const noexcept { return std::max(drained_at_ - at(now), Level{0}); }

Standing Account::standing(TimePoint now) const noexcept {
  const std::lock_guard lock(mutex_);
  const Level used = ahead(now), all = cost(rate_.amount);
  Standing out{.limit = rate_.amount};
  if (rate_.amount == 0) return out;
  if (used < all) out.remaining = static_cast<std::uint64_t>((all - used) / rate_.window.count());
  const Level amount = static_cast<Level>(rate_.amount);
  out.resets_in = Duration(static_cast<std::int64_t>((used + amount - 1) / amount));
  return out;
}

bool Account::is_fresh(TimePoint now) const noexcept {
  const std::lock_guard lock(mutex_);
  return open_ == 0 && ahead(now) == 0;
}

void Account::set_rate(Rate rate, TimePoint now) noexcept {
  const std::lock_guard lock(mutex_);
  if (rate == rate_) return;
  const Level window = rate_.window.count();
  const Level used = (ahead(now) + window - 1) / window;
  rate_ = rate;
  const Level most = cost(rate.amount) * kMostWindows;
  lowest_ = std::min(used * rate.window.count(), most);
  drained_at_ = at(now) + lowest_;
  returned_ = 0;
  ++epoch_;
}

Duration Account::wait_for(std::uint64_t amount, TimePoint now) const noexcept {
  if (amount == 0) return {};  // also where a debt stands: nothing is drawn
  if (amount > rate_.amount) return Duration::max();
  const Level over = ahead(now) + cost(amount) - cost(rate_.amount), drains = static_cast<Level>(rate_.amount);
  return over <= 0 ? Duration{} : Duration(static_cast<std::int64_t>((over + drains - 1) / drains));
}

/// Between two calls what lies ahead only shrinks, so it is lowest just before one of them.
void Account::note_lowest(TimePoint now) noexcept {
  if (open_ > 0) lowest_ = std::min(lowest_, ahead(now));
}

void Account::add(std::uint64_t amount, TimePoint now) noexcept {
  note_lowest(now);
  drained_at_ = at(now) + std::min(ahead(now) + cost(std::min(amount, Rate::kMostAmount)), cost(rate_.amount) * kMostWindows);
}

Account::Mark Account::draw(std::uint64_t amount, TimePoint now) noexcept {
  add(amount, now);
  if (open_++ == 0) lowest_ = ahead(now);
  return {.end = drained_at_, .returned = returned_, .epoch = epoch_};
}

/// What was drawn and not used shortens the queue, but only by what would still lie in it: had it never been drawn, the queue would
/// have run empty the earlier. At every moment since, at least what lies before the draw's own end lay ahead, and at least the
/// lowest level that was seen; the larger of the two can be given back without allowing anything that using less would not have.
void Account::give_back(const Mark& mark, std::uint64_t amount, TimePoint now) noexcept {
  note_lowest(now);
  --open_;
  const Level own = mark.epoch == epoch_ ? mark.end - (returned_ - mark.returned) - at(now) : Level{0};
  const Level back = std::min({cost(amount), std::max(own, lowest_), ahead(now)});
  if (back <= 0) return;
  drained_at_ -= back;
  lowest_ = std::max(lowest_ - back, Level{0});
  returned_ += back;
}

}  // namespace sluice::policy
