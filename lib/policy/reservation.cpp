// All or nothing: every account is locked, all are asked, and only then is anything drawn.

#include "policy/reservation.hpp"

#include <algorithm>
#include <cassert>
#include <functional>
#include <utility>

namespace sluice::policy {

/// The locks of some accounts, taken in the order of their addresses and given back together.
class AccountLocks {
 public:
  template <typename Accounts, typename Of>
  AccountLocks(const Accounts& accounts, Of&& of) noexcept {
    for (const auto& one : accounts) ordered_[count_++] = of(one);
    std::sort(ordered_.begin(), ordered_.begin() + static_cast<std::ptrdiff_t>(count_), std::less<>());
    for (std::size_t i = 0; i < count_; ++i) {
      assert(i == 0 || ordered_[i] != ordered_[i - 1]);
      ordered_[i]->mutex_.lock();
    }
  }
  AccountLocks(const AccountLocks&) = delete;
  AccountLocks& operator=(const AccountLocks&) = delete;
  ~AccountLocks() {
    while (count_ > 0) ordered_[--count_]->mutex_.unlock();
  }

 private:
  std::array<Account*, Reservation::kMost> ordered_{};
  std::size_t count_ = 0;
};

namespace {

/// The longest of the waits; empty where nobody has to.
class Longest {
 public:
  void add(std::size_t draw, Duration wait) noexcept {
    if (wait <= wait_) return;
    wait_ = wait;
    draw_ = draw;
  }
  [[nodiscard]] explicit operator bool() const noexcept { return wait_ > Duration{}; }
  [[nodiscard]] DrawRefused refused() const noexcept {
    return {.draw = draw_, .retry_after = wait_ == Duration::max() ? std::nullopt : std::optional(wait_)};
  }

 private:
  Duration wait_{};
  std::size_t draw_ = 0;
};

}  // namespace

Reservation::Reservation(Reservation&& other) noexcept : held_(std::move(other.held_)), count_(std::exchange(other.count_, 0)) {}

Reservation& Reservation::operator=(Reservation&& other) noexcept {
  if (this == &other) return *this;
  abandon();
  held_ = std::move(other.held_);
  count_ = std::exchange(other.count_, 0);
  return *this;
}

tl::expected<Reservation, DrawRefused> Reservation::make(std::span<const Draw> draws, TimePoint now) noexcept {
  assert(draws.size() <= kMost);
  Reservation out;
  const AccountLocks locks(draws, [](const Draw& draw) { return draw.account.get(); });
  Longest wait;
  for (std::size_t i = 0; i < draws.size(); ++i) wait.add(i, draws[i].account->wait_for(draws[i].amount, now));
  if (wait) return tl::unexpected(wait.refused());
  for (const Draw& draw : draws) out.held_[out.count_++] = {draw.account, draw.amount, draw.account->draw(draw.amount, now)};
  return out;
}

tl::expected<void, DrawRefused> Reservation::more(std::span<const std::uint64_t> amounts, TimePoint now) noexcept {
  assert(amounts.size() == count_);
  const std::span<Held> held(held_.data(), count_);
  const AccountLocks locks(held, [](const Held& one) { return one.account.get(); });
  Longest wait;
  for (std::size_t i = 0; i < count_; ++i) wait.add(i, held[i].account->wait_for(amounts[i], now));
  if (wait) return tl::unexpected(wait.refused());
  for (std::size_t i = 0; i < count_; ++i) {
    held[i].account->add(amounts[i], now);
    held[i].amount += amounts[i];
  }
  return {};
}

void Reservation::settle(std::span<const std::uint64_t> used, TimePoint now) noexcept {
  assert(count_ == 0 || used.size() == count_);
  for (std::size_t i = 0; i < count_; ++i) {
    Held& held = held_[i];
    {
      const std::lock_guard lock(held.account->mutex_);
      if (used[i] > held.amount) held.account->add(used[i] - held.amount, now);
      held.account->give_back(held.mark, held.amount - std::min(used[i], held.amount), now);
    }
    held.account.reset();
  }
  count_ = 0;
}

void Reservation::abandon() noexcept {
  for (std::size_t i = 0; i < count_; ++i) {
    {
      const std::lock_guard lock(held_[i].account->mutex_);
      --held_[i].account->open_;
    }
    held_[i].account.reset();
  }
  count_ = 0;
}

}  // namespace sluice::policy
