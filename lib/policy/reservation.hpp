#pragma once
/// Draws from several accounts at once, all or nothing, and settles them by what was used. Knows accounts; must not know what they
/// are for, nor the clock: callers pass now.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "policy/account.hpp"
#include "sluice/error.hpp"

namespace sluice::policy {

struct Draw {
  std::shared_ptr<Account> account;  ///< never null, and no account twice in one reservation
  std::uint64_t amount = 0;          ///< 0: nothing is drawn yet, and settling charges what was used
};

/// Which draw was refused: of several the one that has to wait longest.
struct DrawRefused {
  std::size_t draw = 0;
  /// Until all of the draws could be had, if nothing else is drawn; empty where that is never, as an account allows less.
  std::optional<Duration> retry_after;
};

/// What has been drawn for one exchange. Who holds it settles it, whatever the end was; one that goes unsettled stays charged as
/// drawn. Move-only. Thread: any, one at a time.
class Reservation {
 public:
  static constexpr std::size_t kMost = 16;  ///< accounts

  Reservation() = default;
  Reservation(Reservation&& other) noexcept;
  Reservation& operator=(Reservation&& other) noexcept;
  ~Reservation() { abandon(); }

  /// Draws all of it, or nothing of it: a refusal leaves every account as it was. At most kMost draws. The locks of all accounts are
  /// held together for it, in one order, so that no two exchanges ever wait for each other. Takes no memory.
  [[nodiscard]] static tl::expected<Reservation, DrawRefused> make(std::span<const Draw> draws, TimePoint now) noexcept;
  /// Draws more from the accounts it has, in their order; all or nothing again. What comes back in the end is bounded by what would
  /// still lie in the queue of the first draw or lay ahead at the least since: after more than that was drawn some stays charged.
  [[nodiscard]] tl::expected<void, DrawRefused> more(std::span<const std::uint64_t> amounts, TimePoint now) noexcept;
  /// What was used of each, in the order of the draws: the rest is given back, and what is beyond what was drawn is charged all the
  /// same, so that the next one meets the debt. Once; again does nothing.
  void settle(std::span<const std::uint64_t> used, TimePoint now) noexcept;

  /// True until it is settled.
  [[nodiscard]] explicit operator bool() const noexcept { return count_ > 0; }
  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  /// Drawn from one of them so far.
  [[nodiscard]] std::uint64_t drawn(std::size_t draw) const noexcept { return held_[draw].amount; }

 private:
  struct Held {
    std::shared_ptr<Account> account;
    std::uint64_t amount = 0;
    Account::Mark mark;
  };
  void abandon() noexcept;

  std::array<Held, kMost> held_;
  std::size_t count_ = 0;
};

}  // namespace sluice::policy
