// How fast a member has been: peaks, decay and failures; and the choice that is made by it.

#include "policy/latency.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <thread>
#include <vector>

#include "heap_count.hpp"
#include "policy/balance.hpp"

using namespace sluice;
using namespace sluice::policy;
using namespace std::chrono_literals;

namespace {

constexpr LatencyPolicy kTenSeconds{.of = LatencyOf::kFirstContent, .half_life = 10'000ms};
constexpr TimePoint kStart = TimePoint(100'000s);

struct Pair {
  std::vector<Member> members;
  std::vector<Candidate> candidates{{0}, {1}};
  Random random{7};
  TimePoint now = kStart;

  Pair() {
    for (int i = 0; i < 2; ++i) {
      members.push_back({.in_flight = std::make_shared<InFlight>(), .latency = std::make_shared<Latency>(kTenSeconds)});
    }
  }
  Latency& operator[](std::size_t i) { return *members[i].latency; }
  std::optional<Pick> pick(Balancer& balancer) { return balancer.pick(candidates, random, now); }
};

}  // namespace

TEST_CASE("a peak counts at once, and what is faster is mixed in by the time that has passed") {  // BAL-06
  Latency latency(kTenSeconds);
  CHECK(latency.estimate(kStart) == 0);
  latency.first_content(100ms, kStart);
  CHECK(latency.estimate(kStart) == Approx(100));
  latency.first_content(900ms, kStart);
  CHECK(latency.estimate(kStart) == Approx(900));
  latency.first_content(100ms, kStart + 10s);
  CHECK(latency.estimate(kStart + 10s) == Approx(500));
  latency.first_content(100ms, kStart + 20s);
  CHECK(latency.estimate(kStart + 20s) == Approx(300));
}

TEST_CASE("an idle estimate falls by half in each half-life, and not where a clock is a little behind") {  // BAL-06
  Latency latency(kTenSeconds);
  latency.first_content(800ms, kStart);
  CHECK(latency.estimate(kStart + 10s) == Approx(400));
  CHECK(latency.estimate(kStart + 30s) == Approx(100));
  CHECK(latency.estimate(kStart - 5ms) == Approx(800));
  CHECK(latency.estimate(kStart + 24h) > 0);  // it was measured
}

TEST_CASE("a failure never makes a member look fast, however quickly it comes") {  // BAL-06
  Latency latency(kTenSeconds);
  latency.failed(1ms, kStart);
  CHECK(latency.estimate(kStart) == Approx(1000));
  latency.failed(1ms, kStart + 10s);  // it had fallen to 500 by now
  CHECK(latency.estimate(kStart + 10s) == Approx(2000));
  latency.failed(7s, kStart + 10s);
  CHECK(latency.estimate(kStart + 10s) == Approx(7000));
  for (int i = 0; i < 10; ++i) latency.failed(1ms, kStart + 10s);
  CHECK(latency.estimate(kStart + 10s) == Approx(60'000));
  latency.first_content(10ms, kStart + 110s);  // after ten half-lives of health
  CHECK(latency.estimate(kStart + 110s) < 100);
}

TEST_CASE("first content and the whole are two measures, and a policy takes one of them") {
  Latency first(kTenSeconds), total({.of = LatencyOf::kTotal, .half_life = 10'000ms});
  for (Latency* one : {&first, &total}) {
    one->first_content(100ms, kStart);
    one->ended(3s, true, kStart);
  }
  CHECK(first.estimate(kStart) == Approx(100));
  CHECK(total.estimate(kStart) == Approx(3000));
  Latency no_content(kTenSeconds);
  no_content.ended(50ms, false, kStart);
  CHECK(no_content.estimate(kStart) == Approx(50));
}

TEST_CASE("the quicker of two is chosen, by what it takes times what is in flight there and one more") {  // BAL-06
  Pair team;
  Balancer balancer(Strategy::kLeastLatency, team.members);
  team[0].first_content(100ms, team.now);
  team[1].first_content(250ms, team.now);
  std::vector<Pick> open;
  std::string run;
  for (int i = 0; i < 7; ++i) {
    open.push_back(*team.pick(balancer));
    run += static_cast<char>('a' + open.back().candidate);
  }
  CHECK(std::count(run.begin(), run.end(), 'a') == 5);  // 500 to 500: two of seven
  CHECK(run.substr(0, 3) == "aab");
  CHECK(open[0].because.describe() == "about 100 ms and 0 in flight, the quicker of two drawn from 2");
}

TEST_CASE("a member that was never measured is tried first, and not flooded before it has answered") {
  Pair team;
  Balancer balancer(Strategy::kLeastLatency, team.members);
  team[0].first_content(1ms, team.now);
  const auto first = team.pick(balancer);
  CHECK(first->candidate == 1);
  CHECK(first->because.describe() == "never measured and 0 in flight, the quicker of two drawn from 2");
  CHECK(team.pick(balancer)->candidate == 0);  // it has one in flight, the other none
}

TEST_CASE("one ten times slower has a smaller share; once it is fast again its share comes back") {  // BAL-06
  Pair team;
  Balancer balancer(Strategy::kLeastLatency, team.members);
  const auto share_of_slow = [&](Duration slow) {
    int served = 0;
    for (int i = 0; i < 2'000; ++i) {
      const auto pick = team.pick(balancer);
      served += pick->candidate == 1;
      team.now += 50ms;
      team[pick->candidate].first_content(pick->candidate == 1 ? slow : Duration(100ms), team.now);
    }
    return served;
  };
  const int slow = share_of_slow(1s);
  CHECK(slow > 0);  // asked again now and then, or nobody would ever know
  CHECK(slow < 100);
  share_of_slow(100ms);
  CHECK(share_of_slow(100ms) > 600);
}

TEST_CASE("one that fails at once is not preferred to one that serves") {
  Pair team;
  Balancer balancer(Strategy::kLeastLatency, team.members);
  int failures = 0;
  for (int i = 0; i < 1'000; ++i) {
    const auto pick = team.pick(balancer);
    team.now += 50ms;
    if (pick->candidate == 1) {
      ++failures;
      team[1].failed(1ms, team.now);
    } else {
      team[0].first_content(100ms, team.now);
    }
  }
  CHECK(failures < 10);
}

TEST_CASE("what four threads measure at once is one of their figures or between them, and a pick takes no memory") {  // BAL-11, BAL-40
  Pair team;
  Balancer balancer(Strategy::kLeastLatency, team.members);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&team, t] {
      for (int i = 0; i < 50'000; ++i) team[0].first_content(Milliseconds(100 + 10 * t), kStart + Milliseconds(i));
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(team[0].estimate(kStart + 50s) >= 99.0F);
  CHECK(team[0].estimate(kStart + 50s) <= 130.5F);
  const std::size_t before = allocations();
  for (int i = 0; i < 100'000; ++i) (void)team.pick(balancer);
  const std::size_t taken = allocations() - before;
  CHECK(taken == 0);
}
