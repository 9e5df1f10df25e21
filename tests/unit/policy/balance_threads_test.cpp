// What is shared by engine threads is exact over them: the totals of 4 threads are those of 1.

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <barrier>
#include <random>
#include <thread>

#include "policy/balance.hpp"

using namespace sluice;
using namespace sluice::policy;

namespace {

constexpr unsigned kThreads = 4;

/// Four threads that begin together.
template <typename Work>
void run_threads(Work work) {
  std::barrier begin(kThreads);
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      begin.arrive_and_wait();
      work(t);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

std::vector<Member> members_of(std::initializer_list<std::uint32_t> weights) {
  std::vector<Member> members;
  for (const std::uint32_t weight : weights) members.push_back({std::make_shared<InFlight>(), weight});
  return members;
}

}  // namespace

TEST_CASE("turns and weights are exact over four threads") {  // BAL-02, BAL-03, BAL-40
  constexpr int kPicks = 60'000;  // a thread; all together a multiple of each cycle
  for (const Strategy strategy : {Strategy::kRoundRobin, Strategy::kWeighted}) {
    const std::vector<Member> members = members_of({3, 1, 2});
    Balancer balancer(strategy, members);
    std::array<std::array<int, 3>, kThreads> served{};
    run_threads([&](unsigned t) {
      const std::array<Candidate, 3> candidates = {Candidate{0}, Candidate{1}, Candidate{2}};
      Random random(t);
      for (int i = 0; i < kPicks; ++i) ++served[t][balancer.pick(candidates, random)->candidate];
    });
    std::array<int, 3> all{};
    for (const auto& one : served) {
      for (std::size_t i = 0; i < 3; ++i) all[i] += one[i];
    }
    constexpr int kAll = kPicks * kThreads;
    CHECK(all == (strategy == Strategy::kRoundRobin ? std::array{kAll / 3, kAll / 3, kAll / 3} : std::array{kAll / 2, kAll / 6, kAll / 3}));
    for (const Member& member : members) CHECK(member.in_flight->count() == 0);
  }
}

TEST_CASE("least in flight spreads exactly over four threads, of one route and of several that share upstreams") {  // BAL-05, BAL-40
  constexpr std::uint32_t kPicks = 100'000;
  for (const unsigned routes : {1u, 2u, 4u}) {
    const std::vector<Member> members = members_of({1, 1, 1, 1, 1});
    std::vector<std::unique_ptr<Balancer>> balancers;
    for (unsigned i = 0; i < routes; ++i) balancers.push_back(std::make_unique<Balancer>(Strategy::kLeastInFlight, members));
    std::array<std::vector<Pick>, kThreads> open;
    run_threads([&](unsigned t) {
      std::vector<Candidate> candidates;
      for (std::uint32_t i = 0; i < members.size(); ++i) candidates.push_back({i});
      Random random(t);
      open[t].reserve(kPicks);
      for (std::uint32_t i = 0; i < kPicks; ++i) open[t].push_back(std::move(*balancers[t % routes]->pick(candidates, random)));
    });
    constexpr std::uint32_t kEach = kThreads * kPicks / 5;
    for (const Member& member : members) CHECK(member.in_flight->count() == kEach);
    // Least in flight heals what it did wrong, so the end says little. But no two picks may have chosen one upstream by the
    // same figure: the second one would have raised it over the others.
    std::array<std::vector<std::uint32_t>, 5> times;
    for (auto& of_member : times) of_member.resize(kEach);
    for (const auto& mine : open) {
      for (const Pick& pick : mine) {
        if (pick.because.figure < kEach) ++times[pick.candidate][pick.because.figure];
      }
    }
    for (const auto& of_member : times) CHECK(std::count(of_member.begin(), of_member.end(), 1u) == kEach);
    open = {};
    for (const Member& member : members) CHECK(member.in_flight->count() == 0);
  }
}

TEST_CASE("two choices keep four threads' attempts close together, and none is lost") {  // BAL-05, BAL-40
  constexpr std::uint32_t kPicks = 25'000;
  const std::vector<Member> members = members_of({1, 1, 1, 1, 1});
  Balancer balancer(Strategy::kPowerOfTwo, members);
  std::array<std::vector<Pick>, kThreads> open;
  run_threads([&](unsigned t) {
    const std::array<Candidate, 5> candidates = {Candidate{0}, Candidate{1}, Candidate{2}, Candidate{3}, Candidate{4}};
    Random random(t);
    open[t].reserve(kPicks);
    for (std::uint32_t i = 0; i < kPicks; ++i) open[t].push_back(std::move(*balancer.pick(candidates, random)));
  });
  std::uint32_t all = 0;
  for (const Member& member : members) {
    all += member.in_flight->count();
    CHECK(member.in_flight->count() == Approx(kThreads * kPicks / 5).epsilon(0.01));
  }
  CHECK(all == kThreads * kPicks);
  open = {};
  for (const Member& member : members) CHECK(member.in_flight->count() == 0);
}

TEST_CASE("every attempt is counted once and falls once, whatever four threads do with it") {  // BAL-05, BAL-40
  const std::vector<Member> members = members_of({2, 1, 1});
  Balancer busy(Strategy::kLeastInFlight, members), weighted(Strategy::kWeighted, members), ordered(Strategy::kOrdered, members);
  std::array<std::vector<std::pair<std::size_t, Load>>, kThreads> open;
  run_threads([&](unsigned t) {
    const std::array<Candidate, 3> candidates = {Candidate{0}, Candidate{1}, Candidate{2}};
    std::mt19937 dice(t);
    Random random(t);
    for (int i = 0; i < 20'000; ++i) {
      Balancer& balancer = dice() % 3 == 0 ? weighted : dice() % 2 == 0 ? busy : ordered;
      auto pick = balancer.pick(candidates, random);
      open[t].emplace_back(pick->candidate, std::move(pick->load));
      while (!open[t].empty() && dice() % 2 == 0) {
        std::swap(open[t][dice() % open[t].size()], open[t].back());
        open[t].back().second.release();
        open[t].pop_back();
      }
    }
  });
  std::array<std::uint32_t, 3> left{};
  for (const auto& mine : open) {
    for (const auto& [member, load] : mine) ++left[member];
  }
  for (std::size_t i = 0; i < 3; ++i) CHECK(members[i].in_flight->count() == left[i]);
  open = {};
  for (const Member& member : members) CHECK(member.in_flight->count() == 0);
}
