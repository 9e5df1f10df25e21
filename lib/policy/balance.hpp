#pragma once
/// Decides which member of a route gets the next attempt. Knows weights, tiers, turns, how many attempts are under way at
/// each upstream and how fast it has been. Must not know HTTP, health, sockets or the clock: who may serve is told by the caller.
///
/// A member is one upstream and one model: two models of one upstream are two members with turns of their own and one
/// counter between them.

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "policy/in_flight.hpp"
#include "policy/latency.hpp"
#include "sluice/random.hpp"
#include "sluice/route.hpp"

namespace sluice::policy {

struct Member {
  std::shared_ptr<InFlight> in_flight;  ///< of its upstream; never null
  std::uint32_t weight = 1;             ///< 0 = never chosen, under any strategy
  std::uint32_t tier = 0;
  std::shared_ptr<Latency> latency = {};  ///< its own; never null under least_latency, unused under all others
  friend bool operator==(const Member&, const Member&) = default;
};

/// A member that may serve one exchange.
struct Candidate {
  std::uint32_t member = 0;  ///< index among the members
  bool excluded = false;     ///< not now: it was tried, or is not fit
};

/// Why a member was chosen, in figures: words cost more than the choice and are only made for who reads them.
struct ChosenBecause {
  enum class By : std::uint8_t { kOnly, kOrder, kTurn, kWeight, kChance, kFewest, kFewer, kQuicker, kUntried } by = By::kOnly;
  std::uint32_t figure = 0;       ///< its weight, or what was in flight there before it was chosen
  std::uint64_t among = 0;        ///< how many it was chosen from, or their weight together
  std::uint32_t in_flight = 0;    ///< kQuicker: there before it was chosen; its figure is the latency, in milliseconds
  std::uint32_t tier = 0;         ///< its own
  std::uint32_t lowest_tier = 0;  ///< of the candidates; below `tier` where nobody down there can serve

  /// "round robin among 3", "weight 3 of 4", "2 in flight, the fewest of 3",
  /// "2 in flight, the fewer of two drawn from 5", "first of tier 1: no member of tier 0 is left".
  [[nodiscard]] std::string describe() const;
};

struct Pick {
  std::size_t candidate = 0;  ///< index among the candidates
  Load load;                  ///< to be held as long as the attempt runs
  ChosenBecause because;
};

/// The strategy of one route, and where its turns stand. Only candidates of the lowest tier that has a usable one are
/// chosen from (usable: not excluded, weight above 0). Among these:
///
///   ordered          the one listed first
///   round_robin      the one that was chosen longest ago: in any n picks among the same n each has its turn once, whatever
///                    other subsets came before
///   weighted         smooth weighted round robin: each gains its weight in credit, the richest is chosen and pays what was
///                    given out. 3 to 1 is a a b a
///   random           by weight, with the caller's dice
///   least_in_flight  the fewest attempts under way; where equal, the one that was chosen longest ago
///   power_of_two     two are drawn by weight with the caller's dice; the one with fewer attempts under way, where equal the
///                    first drawn. As good as exact where there are many, and no pick waits for another
///   least_latency    two are drawn likewise; the one whose latency times its attempts under way and one is less. One that was
///                    never measured is taken to be as fast as the other, and wins where they are equal
///
/// Turns and credit stand still for those who are not candidates, so who comes back is not flooded.
///
/// What makes least_in_flight exact: within a route the mutex, under which one pick chooses and raises before the next one
/// looks. Between routes that share upstreams no such lock is needed: a pick raises its upstream's counter only from the
/// very figure it has chosen by, and looks again where another route moved it meanwhile. The others may have risen since
/// they were looked at, which makes the choice no worse. So as long as attempts only begin, every one of them begins where
/// there are the fewest at that moment, over all routes and engines; an end at the same moment may be seen or not.
///
/// Thread: any, concurrently. Cost: ordered, random, power_of_two, least_latency and a choice among one take no lock. No pick takes memory, makes a call
/// under the lock, or reads a clock.
class Balancer {
 public:
  Balancer(Strategy strategy, std::vector<Member> members);
  Balancer(const Balancer&) = delete;
  Balancer& operator=(const Balancer&) = delete;

  /// Chooses among `candidates`, each member at most once; nothing where none of them is usable. Latencies are
  /// taken as they are `now`; no other strategy looks at it.
  [[nodiscard]] std::optional<Pick> pick(std::span<const Candidate> candidates, Random& random, TimePoint now = {}) noexcept;
  /// What pick() would choose now: no turn is taken, no load kept and no dice thrown. For explanations. It takes memory.
  [[nodiscard]] std::optional<Pick> foresee(std::span<const Candidate> candidates, const Random& random, TimePoint now = {}) const;
  /// The load of one more attempt at a member that was chosen before. No turn is taken for it.
  [[nodiscard]] Load enter(std::size_t member) const noexcept { return Load(members_[member].in_flight); }
  /// Where the latency of a member is told; null where the strategy learns none.
  [[nodiscard]] const std::shared_ptr<Latency>& latency_of(std::size_t member) const noexcept { return members_[member].latency; }
  /// False for a member that is never chosen.
  [[nodiscard]] bool can_serve(std::size_t member) const noexcept { return members_[member].weight > 0; }
  /// True where it was made of exactly these.
  [[nodiscard]] bool is_of(Strategy strategy, std::span<const Member> members) const noexcept;

 private:
  /// What a pick looks at, side by side.
  struct Seat {
    const std::uint32_t weight, tier;
    // With mutex_ held.
    std::int64_t credit = 0;        // weighted: what it is owed
    std::uint64_t last_chosen = 0;  // a count of picks; 0 = never
  };
  /// What there is to choose from.
  struct Field {
    std::uint32_t tier = 0, lowest_tier = 0;
    std::uint32_t count = 0;        // usable candidates of that tier
    std::size_t first = 0;          // the first of them
    std::uint64_t weight = 0;       // theirs together
    bool whole = false;             // they are all members, in their order: nobody has to be passed over
  };
  [[nodiscard]] bool is_everyone(std::span<const Candidate> candidates) const noexcept;
  [[nodiscard]] Field survey(std::span<const Candidate> candidates) const noexcept;
  [[nodiscard]] bool is_in(const Field& field, const Candidate& candidate) const noexcept {
    if (field.whole) return true;
    const Seat& seat = seats_[candidate.member];
    return !candidate.excluded && seat.weight > 0 && seat.tier == field.tier;
  }
  // Each gives the candidate that was chosen.
  [[nodiscard]] std::size_t choose_in_turn(const Field& field, std::span<const Candidate> candidates) noexcept;
  [[nodiscard]] std::size_t choose_by_weight(const Field& field, std::span<const Candidate> candidates) noexcept;
  [[nodiscard]] std::size_t choose_by_chance(const Field& field, std::span<const Candidate> candidates, Random& random) const noexcept;
  /// Two different ones of `field`, which has two or more, by weight: the second from those that the first one left.
  [[nodiscard]] std::pair<std::size_t, std::size_t> draw_two(const Field& field, std::span<const Candidate> candidates, Random& random) const noexcept;
  [[nodiscard]] std::size_t choose_less_busy(const Field& field, std::span<const Candidate> candidates, Random& random, ChosenBecause& because) const noexcept;
  [[nodiscard]] std::size_t choose_quicker(const Field& field, std::span<const Candidate> candidates, Random& random, TimePoint now, ChosenBecause& because) const noexcept;
  /// Raises it, too: `load` is its load, and `seen` what was in flight there before.
  [[nodiscard]] std::size_t choose_least_busy(const Field& field, std::span<const Candidate> candidates, Load& load, std::uint32_t& seen) noexcept;

  const Strategy strategy_;
  const std::vector<Member> members_;
  std::vector<Seat> seats_;         // parallel to members_
  std::vector<std::uint64_t> sums_; // of the weights up to and with each; empty where not all are usable and of one tier
  mutable std::mutex mutex_;
  std::uint64_t picks_ = 0;         // with mutex_ held: those that took a turn
};

/// The balancer of a route after a reload: `before` itself where strategy and members are the same, so that its turns go on
/// for old and new exchanges alike; otherwise a new one. `before` may be null.
[[nodiscard]] std::shared_ptr<Balancer> carried_over(std::shared_ptr<Balancer> before, Strategy strategy, std::vector<Member> members);

}  // namespace sluice::policy
