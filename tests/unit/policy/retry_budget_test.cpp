// Retries as a share of a route's exchanges.

#include "policy/retry_budget.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <deque>
#include <random>
#include <thread>
#include <vector>

using namespace sluice;
using namespace sluice::policy;
using namespace std::chrono_literals;

namespace {

constexpr TimePoint kStart{1000s};

/// How many of `n` retries are allowed at one moment.
int taken(RetryBudget& budget, int n, std::uint32_t percent, TimePoint now) {
  int allowed = 0;
  for (int i = 0; i < n; ++i) allowed += budget.take(percent, now);
  return allowed;
}

void exchanges(RetryBudget& budget, int n, TimePoint now) {
  for (int i = 0; i < n; ++i) budget.exchange_began(now);
}

}  // namespace

TEST_CASE("a budget of 10 percent and 1,000 exchanges that all fail: at most 100 retries") {  // BAL-25
  RetryBudget at_once;
  exchanges(at_once, 1000, kStart);
  CHECK(taken(at_once, 1000, 10, kStart) == 100);

  RetryBudget one_by_one;  // each fails before the next begins, within 10 s
  int retries = 0;
  for (int i = 0; i < 1000; ++i) {
    const TimePoint now = kStart + i * 9ms;
    one_by_one.exchange_began(now);
    retries += taken(one_by_one, 3, 10, now);
  }
  CHECK(retries <= 100);
  CHECK(retries >= 99);
}

TEST_CASE("ten retries are always allowed in a window, however few exchanges there are") {
  RetryBudget budget;
  CHECK(taken(budget, 20, 0, kStart) == 10);
  exchanges(budget, 100, kStart);
  CHECK(taken(budget, 20, 10, kStart) == 0);  // 10 percent of 100 are the same ten
  exchanges(budget, 1, kStart);
  CHECK(taken(budget, 20, 10, kStart) == 1);  // 10 of 101 are fewer than 10 percent
  CHECK(taken(budget, 20, 10, kStart) == 0);
}

TEST_CASE("a budget may be more than one retry for each exchange") {
  RetryBudget budget;
  exchanges(budget, 20, kStart);
  CHECK(taken(budget, 100, 200, kStart) == 40);
  CHECK(taken(budget, 100, 0xFFFF'FFFF, kStart) == 100);
}

TEST_CASE("what is older than 10 s no longer counts; what is younger than 9.8 s does") {
  RetryBudget budget;
  exchanges(budget, 1000, kStart);
  CHECK(taken(budget, 1000, 10, kStart) == 100);
  CHECK(taken(budget, 1, 10, kStart + 9799ms) == 0);
  CHECK(taken(budget, 1000, 10, kStart + 10s) == 10);  // with the exchanges gone too, only the ten
  RetryBudget staggered;
  exchanges(staggered, 1000, kStart + 5s);
  CHECK(taken(staggered, 60, 10, kStart + 5s) == 60);
  CHECK(taken(staggered, 1000, 10, kStart + 12s) == 40);
  CHECK(taken(staggered, 1000, 10, kStart + 14799ms) == 0);
  CHECK(taken(staggered, 1000, 10, kStart + 15s) == 0);  // the forty of 12 s are still more than ten
  CHECK(taken(staggered, 1000, 10, kStart + 22s) == 10);
}

TEST_CASE("while time stands still the budget of one window is all there is") {
  RetryBudget budget;
  exchanges(budget, 1000, kStart);
  for (int i = 0; i < 10; ++i) CHECK(taken(budget, 1000, 10, kStart) == (i == 0 ? 100 : 0));
}

TEST_CASE("a jump far ahead empties the window, however far, and time may begin anywhere") {
  for (const TimePoint start : {kStart, TimePoint{}, TimePoint{-5s}, TimePoint{-100h}, TimePoint::min()}) {
    for (const Duration jump : {Duration(10s), Duration(11s), Duration(20s), Duration(24h), Duration(std::chrono::years(100))}) {
      RetryBudget budget;
      exchanges(budget, 1000, start);
      CHECK(taken(budget, 1000, 10, start) == 100);
      CHECK(taken(budget, 1000, 10, start + jump) == 10);
      exchanges(budget, 200, start + jump);
      CHECK(taken(budget, 1000, 10, start + jump) == 10);
    }
  }
  RetryBudget budget;
  CHECK(taken(budget, 20, 10, TimePoint::max()) == 10);
}

TEST_CASE("a now that is older than one seen before counts as the newer one") {  // two threads read the clock, one is slower
  RetryBudget budget;
  exchanges(budget, 1000, kStart + 5s);
  CHECK(taken(budget, 50, 10, kStart) == 50);
  CHECK(taken(budget, 1000, 10, kStart - 1h) == 50);
  CHECK(taken(budget, 1, 10, kStart + 14799ms) == 0);  // they count as of 5 s
}

TEST_CASE("counts over slots are those of a list of all that happened") {
  std::mt19937 dice(5);
  for (int round = 0; round < 40; ++round) {
    RetryBudget budget;
    struct Event {
      std::int64_t slot;
      bool retry;
    };
    std::deque<Event> events;
    TimePoint now = kStart;
    const std::uint32_t percent = dice() % 60;
    for (int step = 0; step < 2000; ++step) {
      now += std::chrono::milliseconds(dice() % 100 == 0 ? dice() % 30'000 : dice() % 40);
      const std::int64_t slot = now.time_since_epoch() / 200ms;
      std::uint64_t began = 0, retries = 0;
      for (const Event& event : events) {
        if (event.slot > slot - 50) ++(event.retry ? retries : began);
      }
      if (dice() % 3 != 0) {
        budget.exchange_began(now);
        events.push_back({slot, false});
        continue;
      }
      const bool allowed = retries < 10 || retries * 100 < began * percent;
      REQUIRE(budget.take(percent, now) == allowed);
      if (allowed) events.push_back({slot, true});
    }
  }
}

TEST_CASE("four threads take exactly what one would") {  // BAL-25, BAL-40
  RetryBudget budget;
  std::array<int, 4> allowed{};
  const auto run_threads = [](auto work) {
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < 4; ++t) threads.emplace_back(work, t);
    for (std::thread& thread : threads) thread.join();
  };
  run_threads([&](std::size_t t) { exchanges(budget, 100'000, kStart + static_cast<int>(t) * 10ms); });
  run_threads([&](std::size_t t) { allowed[t] = taken(budget, 100'000, 10, kStart + 1s); });
  CHECK(allowed[0] + allowed[1] + allowed[2] + allowed[3] == 40'000);
}
