#pragma once
/// How much of one thing has been used of late: one limit of one caller, model or route. Knows amounts and moments; must not know
/// what is counted, for whom, or the clock: callers pass now. Several accounts at once are drawn from in reservation.hpp.
///
/// It is a GCRA (ITU-T I.371) with a window's amount as its burst. An account holds one moment, when all that was drawn from it will
/// have drained away again, at `amount` per `window`; a draw moves it on by the time its amount takes to drain, and is refused where
/// that would lie more than a window ahead. There is no edge of a window at which a burst could be had twice.

#include <cstdint>
#include <mutex>

#include "sluice/clock.hpp"

namespace sluice::policy {

/// `amount` in any `window`, and at most `amount` at once.
struct Rate {
  static constexpr std::uint64_t kMostAmount = std::uint64_t{1} << 50;
  static constexpr Duration kLeastWindow = std::chrono::seconds(1), kMostWindow = std::chrono::hours(24 * 31);
  std::uint64_t amount = 0;  ///< 0 to kMostAmount; 0 = nothing is allowed
  Duration window{};         ///< kLeastWindow to kMostWindow
  friend bool operator==(const Rate&, const Rate&) = default;
};

/// What an account stands at.
struct Standing {
  std::uint64_t limit = 0, remaining = 0;  ///< remaining: what may be drawn now; 0 where more was used than is allowed
  Duration resets_in{};                    ///< until all of `limit` may be drawn again
};

/// Thread: any, concurrently. Cost: a short lock; it takes no memory. A now that is older than one seen
/// before, as those of two threads may be, counts as it is: it makes an account look fuller, never emptier.
class Account {
 public:
  explicit Account(Rate rate) noexcept;
  Account(const Account&) = delete;
  Account& operator=(const Account&) = delete;

  [[nodiscard]] Standing standing(TimePoint now) const noexcept;
  /// True where forgetting it changes nothing: all of it may be drawn, and nobody is about to settle.
  [[nodiscard]] bool is_fresh(TimePoint now) const noexcept;
  /// After a reload: what was used of the old rate is used of the new one, in amounts.
  void set_rate(Rate rate, TimePoint now) noexcept;

 private:
  friend class Reservation;
  friend class AccountLocks;

  /// Time times amount: in it every draw and every moment is whole, whatever the rate, so that nothing is ever rounded. The
  /// longest window times the most amount is below 2^102.
  __extension__ using Level = __int128;
  static constexpr std::int64_t kMostWindows = 1'000;  // that a debt may take to drain
  /// Where in the queue of all draws one lies, so that what of it has drained already is not given back.
  struct Mark {
    Level end = 0;            // where it will have drained
    Level returned = 0;       // returned_ when it was drawn
    std::uint32_t epoch = 0;  // epoch_ when it was drawn
  };
  // With mutex_ held.
  [[nodiscard]] Level at(TimePoint now) const noexcept { return Level{now.time_since_epoch().count()} * static_cast<Level>(rate_.amount); }
  [[nodiscard]] Level cost(std::uint64_t amount) const noexcept { return static_cast<Level>(amount) * rate_.window.count(); }
  /// What lies ahead.
  [[nodiscard]] Level ahead(TimePoint now) const noexcept;
  /// How long until `amount` may be drawn: zero = now; Duration::max() = never.
  [[nodiscard]] Duration wait_for(std::uint64_t amount, TimePoint now) const noexcept;
  void add(std::uint64_t amount, TimePoint now) noexcept;
  /// add(), and a reservation more is open.
  Mark draw(std::uint64_t amount, TimePoint now) noexcept;
  /// A reservation less; `amount` of what it drew was not used.
  void give_back(const Mark& mark, std::uint64_t amount, TimePoint now) noexcept;
  void note_lowest(TimePoint now) noexcept;

  mutable std::mutex mutex_;
  Rate rate_;
  Level drained_at_;
  Level returned_ = 0;       // by all draws of this epoch
  Level lowest_ = 0;         // the least that lay ahead since the oldest open reservation was made
  std::uint32_t open_ = 0;   // reservations that are not settled
  std::uint32_t epoch_ = 0;  // a count of rates
};

}  // namespace sluice::policy
