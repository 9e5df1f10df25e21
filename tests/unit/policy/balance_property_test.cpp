// Random runs over random subsets against naive models. The models keep what a strategy promises in the plainest way and
// share nothing with the code under test.

#include <catch2/catch.hpp>

#include <algorithm>
#include <list>
#include <map>
#include <random>

#include "policy/balance.hpp"

using namespace sluice;
using namespace sluice::policy;

namespace {

/// A random route, and the part of it that may serve at the moment.
struct Setting {
  std::vector<Member> members;
  std::vector<Candidate> candidates;

  explicit Setting(std::mt19937& dice) {
    std::vector<std::shared_ptr<InFlight>> upstreams(1 + dice() % 6);
    for (auto& upstream : upstreams) upstream = std::make_shared<InFlight>();
    for (std::size_t n = 1 + dice() % 9; n > 0; --n) {
      members.push_back({upstreams[dice() % upstreams.size()], static_cast<std::uint32_t>(dice() % 5), dice() % 4 == 0 ? 1u : 0u});
    }
  }
  void deal(std::mt19937& dice) {
    candidates.clear();
    for (std::uint32_t i = 0; i < members.size(); ++i) {
      if (dice() % 4 != 0) candidates.push_back({i, dice() % 4 == 0});
    }
    if (dice() % 3 == 0) std::shuffle(candidates.begin(), candidates.end(), dice);
  }
  /// The members to choose from, as they are listed.
  [[nodiscard]] std::vector<std::uint32_t> usable() const {
    std::map<std::uint32_t, std::vector<std::uint32_t>> tiers;
    for (const Candidate& c : candidates) {
      if (!c.excluded && members[c.member].weight > 0) tiers[members[c.member].tier].push_back(c.member);
    }
    return tiers.empty() ? std::vector<std::uint32_t>{} : tiers.begin()->second;
  }
};

bool contains(const std::vector<std::uint32_t>& members, std::uint32_t member) { return std::find(members.begin(), members.end(), member) != members.end(); }

/// Who was chosen longest ago: a list of those chosen, the last one at its end.
struct Turns {
  std::list<std::uint32_t> chosen;

  [[nodiscard]] std::uint32_t longest_ago(const std::vector<std::uint32_t>& among) const {
    for (const std::uint32_t member : among) {
      if (std::find(chosen.begin(), chosen.end(), member) == chosen.end()) return member;  // never
    }
    return *std::find_if(chosen.begin(), chosen.end(), [&](std::uint32_t member) { return contains(among, member); });
  }
  void choose(std::uint32_t member) {
    chosen.remove(member);
    chosen.push_back(member);
  }
};

/// Runs `steps` picks of random subsets; `model` names the member of each from those that are usable.
template <typename Model>
void compare(Strategy strategy, unsigned seed, int steps, Model model) {
  std::mt19937 dice(seed);
  Setting setting(dice);
  Balancer balancer(strategy, setting.members);
  Random random(seed);
  std::vector<std::pair<std::uint32_t, Load>> open;
  for (int step = 0; step < steps; ++step) {
    if (step % 7 == 0 || dice() % 3 == 0) setting.deal(dice);
    while (!open.empty() && dice() % 3 == 0) {
      std::swap(open[dice() % open.size()], open.back());
      open.pop_back();
    }
    const auto usable = setting.usable();
    auto pick = balancer.pick(setting.candidates, random);
    REQUIRE(pick.has_value() == !usable.empty());
    if (!pick) continue;
    const std::uint32_t member = setting.candidates[pick->candidate].member;
    REQUIRE(member == model(setting, usable, open));
    open.emplace_back(member, std::move(pick->load));
    for (const Member& m : setting.members) {
      const auto counted = std::count_if(open.begin(), open.end(), [&](const auto& entry) { return setting.members[entry.first].in_flight == m.in_flight; });
      REQUIRE(m.in_flight->count() == static_cast<std::uint32_t>(counted));
    }
  }
  open.clear();
  for (const Member& m : setting.members) REQUIRE(m.in_flight->count() == 0);
}

using Open = std::vector<std::pair<std::uint32_t, Load>>;

}  // namespace

TEST_CASE("round robin is who was chosen longest ago, over random subsets") {  // BAL-02
  for (unsigned seed = 0; seed < 60; ++seed) {
    Turns turns;
    compare(Strategy::kRoundRobin, seed, 300, [&](const Setting&, const std::vector<std::uint32_t>& usable, const Open&) {
      const std::uint32_t member = turns.longest_ago(usable);
      if (usable.size() > 1) turns.choose(member);  // where there is no choice, no turn is taken
      return member;
    });
  }
}

TEST_CASE("weighted is smooth weighted round robin, over random subsets, and nobody's credit drifts away") {  // BAL-03
  for (unsigned seed = 0; seed < 60; ++seed) {
    std::map<std::uint32_t, long> credit;
    long weight_of_all = 0;
    compare(Strategy::kWeighted, seed, 1000, [&](const Setting& setting, const std::vector<std::uint32_t>& usable, const Open&) {
      long given = 0;
      for (const std::uint32_t member : usable) {
        credit[member] += setting.members[member].weight;
        given += setting.members[member].weight;
      }
      weight_of_all = std::max(weight_of_all, given);
      const std::uint32_t richest = *std::max_element(usable.begin(), usable.end(), [&](auto a, auto b) { return credit[a] < credit[b]; });
      credit[richest] -= given;
      return richest;
    });
    for (const auto& [member, left] : credit) CHECK(std::abs(left) <= 4 * weight_of_all);
  }
}

TEST_CASE("weighted gives every member its exact share of every cycle, and never runs ahead by a whole turn") {  // BAL-03
  std::mt19937 dice(3);
  for (int round = 0; round < 60; ++round) {
    std::vector<Member> members;
    std::vector<Candidate> candidates;
    long sum = 0;
    for (std::uint32_t n = 2 + dice() % 6, i = 0; i < n; ++i) {
      members.push_back({std::make_shared<InFlight>(), static_cast<std::uint32_t>(1 + dice() % 20)});
      candidates.push_back({i});
      sum += members.back().weight;
    }
    Balancer balancer(Strategy::kWeighted, members);
    Random random(1);
    std::vector<long> served(members.size());
    for (long k = 1; k <= 3 * sum; ++k) {
      ++served[balancer.pick(candidates, random)->candidate];
      for (std::size_t i = 0; i < members.size(); ++i) {
        REQUIRE(served[i] * sum < k * members[i].weight + sum);
        if (k % sum == 0) REQUIRE(served[i] == k / sum * members[i].weight);
      }
    }
  }
}

TEST_CASE("least in flight is the fewest, then who was chosen longest ago, over random subsets and ends") {  // BAL-05
  for (unsigned seed = 0; seed < 60; ++seed) {
    Turns turns;
    compare(Strategy::kLeastInFlight, seed, 300, [&](const Setting& setting, const std::vector<std::uint32_t>& usable, const Open& open) {
      std::map<const InFlight*, int> under_way;
      for (const auto& entry : open) ++under_way[setting.members[entry.first].in_flight.get()];
      int fewest = 1 << 30;
      for (const std::uint32_t member : usable) fewest = std::min(fewest, under_way[setting.members[member].in_flight.get()]);
      std::vector<std::uint32_t> equal;
      for (const std::uint32_t member : usable) {
        if (under_way[setting.members[member].in_flight.get()] == fewest) equal.push_back(member);
      }
      const std::uint32_t member = turns.longest_ago(equal);
      if (usable.size() > 1) turns.choose(member);
      return member;
    });
  }
}

TEST_CASE("ordered and random choose only who may serve, over random subsets") {  // BAL-03, BAL-04, BAL-10
  for (unsigned seed = 0; seed < 60; ++seed) {
    compare(Strategy::kOrdered, seed, 200, [](const Setting&, const std::vector<std::uint32_t>& usable, const Open&) { return usable.front(); });
    Random twin(seed);
    compare(Strategy::kRandom, seed, 200, [&](const Setting& setting, const std::vector<std::uint32_t>& usable, const Open&) {
      if (usable.size() == 1) return usable.front();  // no dice are thrown where there is no choice
      std::vector<std::uint32_t> lots;                // each member as often as it weighs
      for (const std::uint32_t member : usable) lots.insert(lots.end(), setting.members[member].weight, member);
      return lots[twin.below(lots.size())];
    });
  }
}
