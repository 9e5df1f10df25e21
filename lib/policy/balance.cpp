// Which member gets the next attempt: one pass over the candidates finds the tier, a second one chooses in it. A route has a
// handful of members, and walking over them is cheaper than any structure that would have to be kept for every subset.

#include "policy/balance.hpp"

#include <algorithm>
#include <cassert>
#include <limits>

#include <fmt/format.h>

namespace sluice::policy {

std::string ChosenBecause::describe() const {
  const bool fell = lowest_tier < tier;
  std::string out;
  switch (by) {
    case By::kOnly: out = "the only one that may serve"; break;
    case By::kOrder: out = fell ? "first" : fmt::format("first of {}", among); break;
    case By::kTurn: out = fmt::format("round robin among {}", among); break;
    case By::kWeight: out = fmt::format("weight {} of {}", figure, among); break;
    case By::kChance: out = fmt::format("by chance, weight {} of {}", figure, among); break;
    case By::kFewest: out = fmt::format("{} in flight, the fewest of {}", figure, among); break;
    case By::kFewer: out = fmt::format("{} in flight, the fewer of two drawn from {}", figure, among); break;
    case By::kQuicker: out = fmt::format("about {} ms and {} in flight, the quicker of two drawn from {}", figure, in_flight, among); break;
    case By::kUntried: out = fmt::format("never measured and {} in flight, the quicker of two drawn from {}", in_flight, among); break;
  }
  if (!fell) return out;
  out += fmt::format(" {} tier {}: no member of tier", by == By::kOrder ? "of" : "in", tier);
  out += tier - lowest_tier == 1 ? fmt::format(" {} is left", lowest_tier) : fmt::format("s {} to {} is left", lowest_tier, tier - 1);
  return out;
}

Balancer::Balancer(Strategy strategy, std::vector<Member> members) : strategy_(strategy), members_(std::move(members)) {
  seats_.reserve(members_.size());
  for (const Member& member : members_) {
    assert(member.in_flight != nullptr);
    assert(strategy != Strategy::kLeastLatency || member.latency != nullptr);
    seats_.push_back({.weight = member.weight, .tier = member.tier});
  }
  const auto alike = [this](const Member& member) { return member.weight > 0 && member.tier == members_[0].tier; };
  if (!std::all_of(members_.begin(), members_.end(), alike)) return;
  std::uint64_t sum = 0;
  for (const Member& member : members_) sums_.push_back(sum += member.weight);
}

bool Balancer::is_of(Strategy strategy, std::span<const Member> members) const noexcept {
  return strategy == strategy_ && std::equal(members.begin(), members.end(), members_.begin(), members_.end());
}

std::optional<Pick> Balancer::foresee(std::span<const Candidate> candidates, const Random& random, TimePoint now) const {
  Balancer copy(strategy_, members_);
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < seats_.size(); ++i) {
      copy.seats_[i].credit = seats_[i].credit;
      copy.seats_[i].last_chosen = seats_[i].last_chosen;
    }
    copy.picks_ = picks_;
  }
  Random dice = random;
  auto chosen = copy.pick(candidates, dice, now);
  if (chosen) chosen->load.release();
  return chosen;
}

std::optional<Pick> Balancer::pick(std::span<const Candidate> candidates, Random& random, TimePoint now) noexcept {
  using By = ChosenBecause::By;
  const Field field = survey(candidates);
  if (field.count == 0) return std::nullopt;
  std::optional<Pick> pick(std::in_place);
  ChosenBecause& because = pick->because;
  because.among = field.count;
  because.tier = field.tier;
  because.lowest_tier = field.lowest_tier;
  std::size_t chosen = field.first;
  if (field.count == 1 || strategy_ == Strategy::kOrdered) {
    because.by = field.count == 1 ? By::kOnly : By::kOrder;
  } else if (strategy_ == Strategy::kRoundRobin) {
    because.by = By::kTurn;
    chosen = choose_in_turn(field, candidates);
  } else if (strategy_ == Strategy::kLeastInFlight) {
    because.by = By::kFewest;
    pick->candidate = choose_least_busy(field, candidates, pick->load, because.figure);
    return pick;
  } else if (strategy_ == Strategy::kPowerOfTwo) {
    chosen = choose_less_busy(field, candidates, random, because);
  } else if (strategy_ == Strategy::kLeastLatency) {
    chosen = choose_quicker(field, candidates, random, now, because);
  } else {
    const bool smooth = strategy_ == Strategy::kWeighted;
    because.by = smooth ? By::kWeight : By::kChance;
    chosen = smooth ? choose_by_weight(field, candidates) : choose_by_chance(field, candidates, random);
    because.figure = seats_[candidates[chosen].member].weight;
    because.among = field.weight;
  }
  pick->candidate = chosen;
  pick->load.raise(members_[candidates[chosen].member].in_flight);
  return pick;
}

/// The common case: nothing has failed yet, and the request may go to any member.
bool Balancer::is_everyone(std::span<const Candidate> candidates) const noexcept {
  if (sums_.empty() || candidates.size() != members_.size()) return false;
  std::uint32_t i = 0, others = 0;
  for (const Candidate& candidate : candidates) others |= (candidate.member ^ i++) | static_cast<std::uint32_t>(candidate.excluded);
  return others == 0;
}

Balancer::Field Balancer::survey(std::span<const Candidate> candidates) const noexcept {
  if (is_everyone(candidates)) {
    const std::uint32_t all = static_cast<std::uint32_t>(members_.size()), tier_of_all = seats_[0].tier;
    return {.tier = tier_of_all, .lowest_tier = tier_of_all, .count = all, .first = 0, .weight = sums_.back(), .whole = true};
  }
  std::uint64_t tier = std::uint64_t{1} << 32;  // above every tier
  std::uint64_t weight = 0;
  std::uint32_t lowest_tier = ~0u, count = 0;
  std::size_t first = 0;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const Seat& seat = seats_[candidates[i].member];
    lowest_tier = std::min(lowest_tier, seat.tier);
    if (candidates[i].excluded || seat.weight == 0 || seat.tier > tier) continue;
    if (seat.tier < tier) {
      tier = seat.tier;
      weight = 0;
      count = 0;
      first = i;
    }
    ++count;
    weight += seat.weight;
  }
  return {.tier = static_cast<std::uint32_t>(tier), .lowest_tier = lowest_tier, .count = count, .first = first, .weight = weight};
}

std::size_t Balancer::choose_in_turn(const Field& field, std::span<const Candidate> candidates) noexcept {
  const std::lock_guard lock(mutex_);
  std::size_t best = field.first;
  std::uint64_t longest_ago = seats_[candidates[best].member].last_chosen;
  for (std::size_t i = field.first + 1; i < candidates.size(); ++i) {
    const Seat& seat = seats_[candidates[i].member];
    if (seat.last_chosen >= longest_ago || !is_in(field, candidates[i])) continue;
    best = i;
    longest_ago = seat.last_chosen;
  }
  seats_[candidates[best].member].last_chosen = ++picks_;
  return best;
}

std::size_t Balancer::choose_by_weight(const Field& field, std::span<const Candidate> candidates) noexcept {
  const std::lock_guard lock(mutex_);
  std::size_t best = field.first;
  std::int64_t most = std::numeric_limits<std::int64_t>::min();
  for (std::size_t i = field.first; i < candidates.size(); ++i) {
    if (!is_in(field, candidates[i])) continue;
    Seat& seat = seats_[candidates[i].member];
    seat.credit += seat.weight;
    if (seat.credit <= most) continue;
    best = i;
    most = seat.credit;
  }
  seats_[candidates[best].member].credit = most - static_cast<std::int64_t>(field.weight);
  return best;
}

std::size_t Balancer::choose_by_chance(const Field& field, std::span<const Candidate> candidates, Random& random) const noexcept {
  std::uint64_t left = random.below(field.weight);
  if (field.whole) return static_cast<std::size_t>(std::upper_bound(sums_.begin(), sums_.end(), left) - sums_.begin());
  std::size_t best = field.first;
  for (std::size_t i = field.first; i < candidates.size(); ++i) {
    if (!is_in(field, candidates[i])) continue;
    best = i;
    const std::uint32_t weight = seats_[candidates[i].member].weight;
    if (left < weight) break;
    left -= weight;
  }
  return best;
}

std::pair<std::size_t, std::size_t> Balancer::draw_two(const Field& field, std::span<const Candidate> candidates, Random& random) const noexcept {
  const std::size_t first = choose_by_chance(field, candidates, random);
  std::uint64_t left = random.below(field.weight - seats_[candidates[first].member].weight);
  if (field.whole) {
    const std::uint64_t before_first = sums_[first] - seats_[first].weight;
    if (left >= before_first) left += seats_[first].weight;
    return {first, static_cast<std::size_t>(std::upper_bound(sums_.begin(), sums_.end(), left) - sums_.begin())};
  }
  std::size_t second = first;
  for (std::size_t i = field.first; i < candidates.size(); ++i) {
    if (i == first || !is_in(field, candidates[i])) continue;
    second = i;
    const std::uint32_t weight = seats_[candidates[i].member].weight;
    if (left < weight) break;
    left -= weight;
  }
  return {first, second};
}

std::size_t Balancer::choose_less_busy(const Field& field, std::span<const Candidate> candidates, Random& random, ChosenBecause& because) const noexcept {
  const auto [first, second] = draw_two(field, candidates, random);
  const std::uint32_t one = members_[candidates[first].member].in_flight->count();
  const std::uint32_t other = members_[candidates[second].member].in_flight->count();
  because.by = ChosenBecause::By::kFewer;
  because.figure = std::min(one, other);
  return other < one ? second : first;
}

std::size_t Balancer::choose_quicker(const Field& field, std::span<const Candidate> candidates, Random& random, TimePoint now, ChosenBecause& because) const noexcept {
  struct Drawn {
    std::uint32_t in_flight;
    float latency;
  };
  const auto look = [&](std::size_t i) {
    const Member& member = members_[candidates[i].member];
    return Drawn{member.in_flight->count(), member.latency->estimate(now)};
  };
  const auto [first, second] = draw_two(field, candidates, random);
  const Drawn one = look(first), other = look(second);
  const bool one_new = one.latency == 0, other_new = other.latency == 0;
  const bool alike = one_new || other_new;  // nothing is known of one: as fast as the other
  const float cost = (alike ? 1.0F : one.latency) * (static_cast<float>(one.in_flight) + 1.0F);
  const float other_cost = (alike ? 1.0F : other.latency) * (static_cast<float>(other.in_flight) + 1.0F);
  const bool takes_other = other_cost < cost || (other_cost <= cost && other_new && !one_new);
  const Drawn& taken = takes_other ? other : one;
  because.by = taken.latency == 0 ? ChosenBecause::By::kUntried : ChosenBecause::By::kQuicker;
  because.figure = static_cast<std::uint32_t>(std::min(taken.latency, 4e9F));
  because.in_flight = taken.in_flight;
  return takes_other ? second : first;
}

std::size_t Balancer::choose_least_busy(const Field& field, std::span<const Candidate> candidates, Load& load, std::uint32_t& seen) noexcept {
  const std::lock_guard lock(mutex_);
  for (;;) {  // again only where another route has moved the counter meanwhile, with a pick of its own: somebody gets on
    std::size_t best = field.first;
    seen = std::numeric_limits<std::uint32_t>::max();
    std::uint64_t longest_ago = 0;
    for (std::size_t i = field.first; i < candidates.size(); ++i) {
      if (!is_in(field, candidates[i])) continue;
      const std::uint32_t member = candidates[i].member;
      const std::uint32_t count = members_[member].in_flight->count();
      const std::uint64_t last_chosen = seats_[member].last_chosen;
      if (count > seen || (count == seen && last_chosen >= longest_ago)) continue;
      best = i;
      seen = count;
      longest_ago = last_chosen;
    }
    const std::uint32_t member = candidates[best].member;
    if (!load.raise_from(seen, members_[member].in_flight)) continue;
    seats_[member].last_chosen = ++picks_;
    return best;
  }
}

std::shared_ptr<Balancer> carried_over(std::shared_ptr<Balancer> before, Strategy strategy, std::vector<Member> members) {
  if (before && before->is_of(strategy, members)) return before;
  return std::make_shared<Balancer>(strategy, std::move(members));
}

}  // namespace sluice::policy
