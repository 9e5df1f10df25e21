// Which member gets the next attempt: each strategy by example. Random runs against naive models: balance_property_test.cpp.

#include "policy/balance.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <thread>

#include "heap_count.hpp"

using namespace sluice;
using namespace sluice::policy;

namespace {

/// A route whose members are called a, b, c and so on, each with an upstream of its own unless told otherwise.
struct Team {
  std::vector<Member> members;
  std::vector<Candidate> candidates;  // all of them, until a test says otherwise
  Random random{7};

  Team& add(std::uint32_t weight = 1, std::uint32_t tier = 0, std::shared_ptr<InFlight> upstream = std::make_shared<InFlight>()) {
    candidates.push_back({.member = static_cast<std::uint32_t>(members.size())});
    members.push_back({std::move(upstream), weight, tier});
    return *this;
  }
  /// The next member's letter; `-` where there is none. Its load is let go at once.
  char next(Balancer& balancer) {
    const auto pick = balancer.pick(candidates, random);
    return pick ? static_cast<char>('a' + candidates[pick->candidate].member) : '-';
  }
  std::string next(Balancer& balancer, int n) {
    std::string out;
    for (; n > 0; --n) out += next(balancer);
    return out;
  }
};

Team team_of(std::size_t n) {
  Team team;
  for (; n > 0; --n) team.add();
  return team;
}

constexpr Strategy kAll[] = {Strategy::kOrdered, Strategy::kRoundRobin, Strategy::kWeighted, Strategy::kRandom, Strategy::kLeastInFlight, Strategy::kPowerOfTwo};

}  // namespace

TEST_CASE("ordered takes the first that is listed, whatever it weighs") {
  Team team = team_of(3);
  Balancer balancer(Strategy::kOrdered, team.members);
  CHECK(team.next(balancer, 4) == "aaaa");
  team.candidates[0].excluded = true;
  CHECK(team.next(balancer, 4) == "bbbb");
  std::swap(team.candidates[1], team.candidates[2]);  // listed in another order for this exchange
  CHECK(team.next(balancer, 2) == "cc");
}

TEST_CASE("round robin gives each of n members 3 of 3n exchanges, in turn") {  // BAL-02
  for (std::size_t n = 1; n <= 12; ++n) {
    Team team = team_of(n);
    Balancer balancer(Strategy::kRoundRobin, team.members);
    const std::string first = team.next(balancer, static_cast<int>(n));
    CHECK(std::is_sorted(first.begin(), first.end()));
    CHECK(team.next(balancer, static_cast<int>(2 * n)) == first + first);
  }
}

TEST_CASE("two models of one upstream are two members: each has its turn under round robin and its own weight") {  // BAL-02, BAL-03
  Team team;
  const auto upstream = std::make_shared<InFlight>();
  team.add(1, 0, upstream).add(3, 0, upstream).add(1);
  Balancer turns(Strategy::kRoundRobin, team.members);
  CHECK(team.next(turns, 9) == "abcabcabc");
  Balancer weights(Strategy::kWeighted, team.members);
  const std::string run = team.next(weights, 10);
  CHECK(std::count(run.begin(), run.end(), 'a') == 2);
  CHECK(std::count(run.begin(), run.end(), 'b') == 6);
  CHECK(std::count(run.begin(), run.end(), 'c') == 2);
}

TEST_CASE("round robin is exact among whichever members may serve, whatever subsets came before") {  // BAL-02
  Team team = team_of(4);
  Balancer balancer(Strategy::kRoundRobin, team.members);
  CHECK(team.next(balancer, 3) == "abc");
  team.candidates[3].excluded = true;
  CHECK(team.next(balancer, 6) == "abcabc");
  team.candidates[0].excluded = true;
  CHECK(team.next(balancer, 4) == "bcbc");
  team.candidates[0].excluded = team.candidates[3].excluded = false;
  CHECK(team.next(balancer, 8) == "dabcdabc");  // who was away has the first turn, and no more than that
}

TEST_CASE("3 to 1 is a a b a, and every run of four has three and one") {  // BAL-03
  Team team;
  team.add(3).add(1);
  Balancer balancer(Strategy::kWeighted, team.members);
  const std::string run = team.next(balancer, 400);
  CHECK(run.substr(0, 8) == "aabaaaba");
  for (std::size_t i = 0; i + 4 <= run.size(); ++i) REQUIRE(std::count(run.begin() + i, run.begin() + i + 4, 'b') == 1);
}

TEST_CASE("weights are kept however large they are and however few may serve") {  // BAL-03
  Team team;
  team.add(0xFFFF'FFFF).add(0xFFFF'FFFF).add(1);
  Balancer balancer(Strategy::kWeighted, team.members);
  const std::string run = team.next(balancer, 1000);
  CHECK(std::abs(std::count(run.begin(), run.end(), 'a') - std::count(run.begin(), run.end(), 'b')) <= 1);
  team.candidates[1].excluded = true;
  team.next(balancer, 10);
  team.candidates[0].excluded = true;
  CHECK(team.next(balancer, 3) == "ccc");
}

TEST_CASE("weight 0 is never chosen, under any strategy") {  // BAL-03
  for (const Strategy strategy : kAll) {
    Team team;
    team.add(0).add(2).add(0).add(1);
    Balancer balancer(strategy, team.members);
    CHECK_FALSE(balancer.can_serve(0));
    CHECK(balancer.can_serve(1));
    const std::string run = team.next(balancer, 300);
    CHECK(run.find_first_not_of("bd") == std::string::npos);
    team.candidates[1].excluded = team.candidates[3].excluded = true;
    CHECK(team.next(balancer) == '-');
  }
}

TEST_CASE("chance reaches every member by its weight, and the same seed gives the same sequence") {  // BAL-04
  Team team;
  team.add(1).add(2).add(7);
  Balancer balancer(Strategy::kRandom, team.members);
  const std::string run = team.next(balancer, 10'000);
  CHECK(std::count(run.begin(), run.end(), 'a') == Approx(1000).epsilon(0.1));
  CHECK(std::count(run.begin(), run.end(), 'b') == Approx(2000).epsilon(0.1));
  CHECK(std::count(run.begin(), run.end(), 'c') == Approx(7000).epsilon(0.1));
  team.random = Random(7);
  CHECK(team.next(balancer, 10'000) == run);
  team.random = Random(8);
  CHECK(team.next(balancer, 10'000) != run);
}

TEST_CASE("where five streams are open at A and none at B, the next five go to B; then they take turns") {  // BAL-05
  Team team = team_of(2);
  Balancer balancer(Strategy::kLeastInFlight, team.members), another_route(Strategy::kOrdered, team.members);
  std::vector<std::optional<Pick>> open;
  for (int i = 0; i < 5; ++i) open.push_back(another_route.pick(team.candidates, team.random));
  CHECK(team.members[0].in_flight->count() == 5);
  for (int i = 0; i < 5; ++i) {
    open.push_back(balancer.pick(team.candidates, team.random));
    CHECK(open.back()->candidate == 1);
    CHECK(open.back()->because.figure == static_cast<std::uint32_t>(i));
  }
  CHECK(team.members[1].in_flight->count() == 5);
  std::string run;
  for (int i = 0; i < 4; ++i) {
    open.push_back(balancer.pick(team.candidates, team.random));
    run += static_cast<char>('a' + open.back()->candidate);
  }
  CHECK(run == "abab");
}

TEST_CASE("members that are equally busy are chosen in turn, also where two of them are one upstream") {  // BAL-05
  Team team;
  const auto upstream = std::make_shared<InFlight>();
  team.add(1, 0, upstream).add(1, 0, upstream).add();
  Balancer balancer(Strategy::kLeastInFlight, team.members);
  CHECK(team.next(balancer, 6) == "abcabc");  // each ends at once, so all are always equal
  std::vector<Pick> open;
  std::map<char, int> served;
  for (int i = 0; i < 12; ++i) {
    open.push_back(*balancer.pick(team.candidates, team.random));
    ++served[static_cast<char>('a' + open.back().candidate)];
  }
  CHECK(served == std::map<char, int>{{'a', 3}, {'b', 3}, {'c', 6}});  // six at each upstream
}

TEST_CASE("of two that are drawn the one with fewer in flight is chosen, so of three the busiest never is") {  // BAL-05
  Team team = team_of(3);
  Balancer balancer(Strategy::kPowerOfTwo, team.members);
  const Load a1(team.members[0].in_flight), a2(team.members[0].in_flight), b1(team.members[1].in_flight);
  const std::string run = team.next(balancer, 9'000);
  CHECK(std::count(run.begin(), run.end(), 'a') == 0);
  CHECK(std::count(run.begin(), run.end(), 'b') == Approx(3000).epsilon(0.1));  // drawn together with a
  CHECK(std::count(run.begin(), run.end(), 'c') == Approx(6000).epsilon(0.1));
  team.candidates[2].excluded = true;
  const auto pick = balancer.pick(team.candidates, team.random);
  CHECK(pick->candidate == 1);
  CHECK(pick->because.describe() == "1 in flight, the fewer of two drawn from 2");
}

TEST_CASE("two are drawn by weight, never one twice, and the same seed draws the same ones") {  // BAL-03, BAL-04
  Team team;
  team.add(8).add(1).add(1);
  Balancer balancer(Strategy::kPowerOfTwo, team.members);
  const std::string run = team.next(balancer, 10'000);  // all idle: the first drawn
  CHECK(std::count(run.begin(), run.end(), 'a') == Approx(8000).epsilon(0.05));
  CHECK(std::count(run.begin(), run.end(), 'b') == Approx(1000).epsilon(0.15));
  team.random = Random(7);
  CHECK(team.next(balancer, 10'000) == run);
  {
    const Load busy(team.members[0].in_flight);  // whoever a is drawn with has fewer
    CHECK(team.next(balancer, 1'000).find('a') == std::string::npos);
  }
  Team even;
  even.add(0xFFFF'FFFF).add(0xFFFF'FFFF).add(1);
  Balancer heavy(Strategy::kPowerOfTwo, even.members);
  const Load busy(even.members[1].in_flight);
  const std::string served = even.next(heavy, 1'000);
  CHECK(served.find('b') == std::string::npos);
}

TEST_CASE("a hundred members under two choices stay within a few of each other, where chance alone does not") {  // BAL-05
  const auto spread = [](Strategy strategy) {
    Team team = team_of(100);
    Balancer balancer(strategy, team.members);
    std::vector<Pick> open;
    for (int i = 0; i < 10'000; ++i) open.push_back(*balancer.pick(team.candidates, team.random));
    std::uint32_t most = 0;
    for (const Member& member : team.members) most = std::max(most, member.in_flight->count());
    return most;
  };
  CHECK(spread(Strategy::kPowerOfTwo) <= 104);
  CHECK(spread(Strategy::kRandom) > 115);
}

TEST_CASE("a load falls once, on whatever end, and outlives the route and the upstream it counts for") {  // BAL-05
  auto upstream = std::make_shared<InFlight>();
  {
    Load load(upstream);
    Load moved = std::move(load);
    CHECK(upstream->count() == 1);
    CHECK(moved);
    moved.release();
    moved.release();
    CHECK_FALSE(moved);
    CHECK(upstream->count() == 0);
    moved = Load(upstream);
    Load& itself = moved;
    moved = std::move(itself);
    CHECK(upstream->count() == 1);
    moved = Load(upstream);  // the former one falls
    CHECK(upstream->count() == 1);
    moved = Load();
    CHECK(upstream->count() == 0);
    moved = Load(upstream);
  }
  CHECK(upstream->count() == 0);
  for (const Strategy strategy : kAll) {
    Team team = team_of(2);
    auto balancer = std::make_unique<Balancer>(strategy, team.members);
    auto pick = balancer->pick(team.candidates, team.random);
    const std::weak_ptr<InFlight> counted = team.members[pick->candidate].in_flight;
    CHECK(counted.lock()->count() == 1);
    std::thread([load = std::move(pick->load)]() mutable { load.release(); }).join();  // on another thread than it was raised
    CHECK(counted.lock()->count() == 0);
    pick = balancer->pick(team.candidates, team.random);
    balancer.reset();
    team.members.clear();
    pick.reset();
  }
}

TEST_CASE("a load is raised only from the figure that was seen, and holds one upstream at a time") {
  const auto upstream = std::make_shared<InFlight>(), another = std::make_shared<InFlight>();
  const Load other(upstream);
  Load load(another);
  CHECK_FALSE(load.raise_from(0, upstream));
  CHECK(upstream->count() == 1);
  CHECK(another->count() == 1);  // nothing has changed
  CHECK(load.raise_from(1, upstream));
  CHECK(upstream->count() == 2);
  CHECK(another->count() == 0);
  load.raise(upstream);
  CHECK(upstream->count() == 2);
}

TEST_CASE("one more attempt at a chosen member is counted, and takes nobody's turn") {
  Team team = team_of(2);
  Balancer balancer(Strategy::kRoundRobin, team.members);
  CHECK(team.next(balancer) == 'a');
  {
    const Load again = balancer.enter(0);
    CHECK(team.members[0].in_flight->count() == 1);
    CHECK(team.next(balancer, 2) == "ba");
  }
  CHECK(team.members[0].in_flight->count() == 0);
}

TEST_CASE("a tier serves only while no lower one has a usable member, and traffic comes back") {  // BAL-10
  for (const Strategy strategy : kAll) {
    Team team;
    team.add(1, 1).add(1, 0).add(1, 3).add(1, 0).add(1, 1);
    Balancer balancer(strategy, team.members);
    const auto served = [&] {
      std::string run = team.next(balancer, 64);
      std::sort(run.begin(), run.end());
      run.erase(std::unique(run.begin(), run.end()), run.end());
      return run;
    };
    const bool first_only = strategy == Strategy::kOrdered;
    CHECK(served() == (first_only ? "b" : "bd"));
    team.candidates[1].excluded = true;
    CHECK(served() == "d");
    team.candidates[3].excluded = true;
    CHECK(served() == (first_only ? "a" : "ae"));
    team.candidates[0].excluded = team.candidates[4].excluded = true;
    CHECK(served() == "c");
    team.candidates[2].excluded = true;
    CHECK(served() == "-");
    team.candidates[1].excluded = team.candidates[0].excluded = false;
    CHECK(served() == "b");
  }
}

TEST_CASE("a tier of weight 0 has no usable member") {  // BAL-10
  Team team;
  team.add(0, 0).add(1, 1);
  Balancer balancer(Strategy::kWeighted, team.members);
  CHECK(team.next(balancer, 2) == "bb");
}

TEST_CASE("nobody is chosen where nobody may serve") {
  for (const Strategy strategy : kAll) {
    Team team = team_of(2);
    Balancer balancer(strategy, team.members);
    CHECK_FALSE(balancer.pick({}, team.random));
    for (Candidate& candidate : team.candidates) candidate.excluded = true;
    CHECK_FALSE(balancer.pick(team.candidates, team.random));
    for (const Member& member : team.members) CHECK(member.in_flight->count() == 0);
  }
}

TEST_CASE("a pick says why, for a person") {
  Team team;
  team.add(3).add(1).add(2, 1).add(2, 1);
  const auto why = [&](Strategy strategy) {
    Balancer balancer(strategy, team.members);
    return balancer.pick(team.candidates, team.random)->because.describe();
  };
  CHECK(why(Strategy::kOrdered) == "first of 2");
  CHECK(why(Strategy::kRoundRobin) == "round robin among 2");
  CHECK(why(Strategy::kWeighted) == "weight 3 of 4");
  CHECK(why(Strategy::kLeastInFlight) == "0 in flight, the fewest of 2");
  const Load open_a(team.members[0].in_flight), open_b(team.members[1].in_flight);
  CHECK(why(Strategy::kLeastInFlight) == "1 in flight, the fewest of 2");
  team.candidates[1].excluded = true;
  for (const Strategy strategy : kAll) CHECK(why(strategy) == "the only one that may serve");
  team.candidates[0].excluded = true;
  CHECK(why(Strategy::kOrdered) == "first of tier 1: no member of tier 0 is left");
  CHECK(why(Strategy::kRoundRobin) == "round robin among 2 in tier 1: no member of tier 0 is left");
  CHECK(why(Strategy::kRandom) == "by chance, weight 2 of 4 in tier 1: no member of tier 0 is left");
  team.candidates[2].excluded = true;
  CHECK(why(Strategy::kWeighted) == "the only one that may serve in tier 1: no member of tier 0 is left");
  team.add(1, 3).candidates[3].excluded = true;
  CHECK(why(Strategy::kWeighted) == "the only one that may serve in tier 3: no member of tiers 0 to 2 is left");
  team.candidates.erase(team.candidates.begin(), team.candidates.begin() + 2);  // the model policy left no member of tier 0
  CHECK(why(Strategy::kWeighted) == "the only one that may serve in tier 3: no member of tiers 1 to 2 is left");
}

TEST_CASE("a million picks take no memory under any strategy") {  // BAL-11; a pick is given neither a clock nor anything to call
#ifdef __SANITIZE_THREAD__
  constexpr std::size_t kPicks = 50'000;  // the same at a twentieth: there is one thread here
#else
  constexpr std::size_t kPicks = 1'000'000;
#endif
  for (const Strategy strategy : kAll) {
    Team team;
    team.add(3).add(1).add(2).add(1, 1);
    Balancer balancer(strategy, team.members);
    const std::size_t before = allocations();
    std::size_t chosen = 0;
    for (std::size_t i = 0; i < kPicks; ++i) chosen += balancer.pick(team.candidates, team.random).has_value();
    const std::size_t taken = allocations() - before;
    CHECK(chosen == kPicks);
    CHECK(taken == 0);
  }
}

TEST_CASE("turns and credit go on over a reload where strategy and members are the same, and begin anew where not") {
  Team team;
  team.add(3).add(1);
  auto balancer = carried_over(nullptr, Strategy::kWeighted, team.members);
  CHECK(team.next(*balancer, 2) == "aa");
  const auto same = carried_over(balancer, Strategy::kWeighted, team.members);
  CHECK(same == balancer);
  CHECK(team.next(*same) == 'b');
  CHECK(carried_over(balancer, Strategy::kRoundRobin, team.members) != balancer);
  auto changed = team.members;
  changed[1].weight = 2;
  CHECK(carried_over(balancer, Strategy::kWeighted, changed) != balancer);
  changed = team.members;
  changed[1].tier = 1;
  CHECK(carried_over(balancer, Strategy::kWeighted, changed) != balancer);
  changed = team.members;
  changed[0].in_flight = std::make_shared<InFlight>();  // another upstream, or the same one after its credential changed
  CHECK(carried_over(balancer, Strategy::kWeighted, changed) != balancer);
  changed = team.members;
  changed.pop_back();
  CHECK(carried_over(balancer, Strategy::kWeighted, changed) != balancer);
}

// ROUTE-22
TEST_CASE("what is foreseen is what is picked next, and looking moves nothing") {
  const auto strategy = GENERATE(Strategy::kOrdered, Strategy::kRoundRobin, Strategy::kWeighted, Strategy::kRandom, Strategy::kLeastInFlight,
                                 Strategy::kPowerOfTwo);
  Team team;
  team.add(3).add(1).add(2);
  Balancer balancer(strategy, team.members);
  std::vector<Load> held;
  for (int i = 0; i < 20; ++i) {
    const auto first = balancer.foresee(team.candidates, team.random), second = balancer.foresee(team.candidates, team.random);
    auto pick = balancer.pick(team.candidates, team.random);
    REQUIRE(first);
    REQUIRE(second);
    REQUIRE(pick);
    CHECK(first->candidate == pick->candidate);
    CHECK(second->candidate == pick->candidate);
    CHECK_FALSE(first->load);
    CHECK(first->because.describe() == pick->because.describe());
    held.push_back(std::move(pick->load));
  }
  std::uint32_t in_flight = 0;
  for (const Member& member : team.members) in_flight += member.in_flight->count();
  CHECK(in_flight == 20);
}
