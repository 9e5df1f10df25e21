// Several accounts at once, all or nothing; and that nothing is ever allowed that using less would not have allowed.

#include "policy/reservation.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <random>
#include <thread>
#include <vector>

using namespace sluice;
using namespace sluice::policy;
using namespace std::chrono_literals;

namespace {

constexpr TimePoint kStart{1000s};

std::shared_ptr<Account> account(std::uint64_t amount, Duration window) { return std::make_shared<Account>(Rate{amount, window}); }

}  // namespace

TEST_CASE("where one of several accounts refuses, the others are as they were") {  // LIMIT-04
  const auto gateway = account(1'000, 1min), route = account(500, 1min), caller = account(10, 1min);
  const std::vector<Draw> draws{{gateway, 11}, {route, 11}, {caller, 11}};
  const auto never = Reservation::make(draws, kStart);
  REQUIRE_FALSE(never);
  CHECK(never.error().draw == 2);
  CHECK_FALSE(never.error().retry_after);
  CHECK(gateway->standing(kStart).remaining == 1'000);
  CHECK(route->standing(kStart).remaining == 500);
  CHECK(caller->standing(kStart).remaining == 10);
}

TEST_CASE("of several that refuse, the one that has to wait longest is named") {
  const auto quick = account(10, 1s), slow = account(10, 1min);
  const std::vector<Draw> all{{quick, 10}, {slow, 10}}, one{{quick, 1}, {slow, 1}};
  auto drawn = Reservation::make(all, kStart);
  REQUIRE(drawn);
  const auto refused = Reservation::make(one, kStart);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().draw == 1);
  CHECK(refused.error().retry_after == Duration(6s));
}

TEST_CASE("more is drawn from all accounts or none, and comes back with the rest") {  // LIMIT-16
  const auto wide = account(10'000, 1min), narrow = account(1'000, 1min);
  const std::vector<Draw> draws{{wide, 600}, {narrow, 600}};
  auto drawn = Reservation::make(draws, kStart);
  REQUIRE(drawn);
  CHECK_FALSE(drawn->more(std::vector<std::uint64_t>{512, 512}, kStart));
  CHECK(wide->standing(kStart).remaining == 9'400);
  REQUIRE(drawn->more(std::vector<std::uint64_t>{400, 400}, kStart));
  CHECK(drawn->drawn(1) == 1'000);
  CHECK(narrow->standing(kStart).remaining == 0);
  drawn->settle(std::vector<std::uint64_t>{700, 700}, kStart);
  CHECK(wide->standing(kStart).remaining == 9'300);
  CHECK(narrow->standing(kStart).remaining == 300);
}

TEST_CASE("what nobody settles stays charged, and a moved reservation is settled once") {
  const auto one = account(10, 1min);
  const Draw four{one, 4};
  {
    auto drawn = Reservation::make({&four, 1}, kStart);
    REQUIRE(drawn);
  }
  CHECK(one->standing(kStart).remaining == 6);
  CHECK(one->is_fresh(kStart + 1min));
  auto drawn = Reservation::make({&four, 1}, kStart);
  Reservation moved = std::move(*drawn);
  CHECK_FALSE(*drawn);
  const std::uint64_t none = 0;
  drawn->settle({}, kStart);
  CHECK(one->standing(kStart).remaining == 2);
  moved.settle({&none, 1}, kStart);
  CHECK(one->standing(kStart).remaining == 6);
}

TEST_CASE("a hundred at once of a hundred each, of a thousand a minute: never more than ten") {  // LIMIT-03
  const auto threads = GENERATE(1, 4);
  for (int round = 0; round < 50; ++round) {
    const auto tenant = account(1'000, 1min), gateway = account(100'000, 1min);
    std::atomic<int> ready{0}, admitted{0};
    std::vector<std::thread> callers;
    for (int t = 0; t < threads; ++t) {
      callers.emplace_back([&, t] {
        // In either order: the locks have one of their own.
        const std::vector<Draw> draws = t % 2 == 0 ? std::vector<Draw>{{tenant, 100}, {gateway, 100}} : std::vector<Draw>{{gateway, 100}, {tenant, 100}};
        std::vector<Reservation> held;
        ++ready;
        while (ready < threads) std::this_thread::yield();
        for (int i = 0; i < 100 / threads; ++i) {
          auto drawn = Reservation::make(draws, kStart);
          if (drawn) held.push_back(std::move(*drawn));
        }
        admitted += static_cast<int>(held.size());
      });
    }
    for (std::thread& one : callers) one.join();
    CHECK(admitted == 10);
    CHECK(gateway->standing(kStart).remaining == 99'000);
  }
}

TEST_CASE("whatever is drawn, used and settled when, an account never allows what the usage alone would not have") {
  // The other world: every reservation that was made drew exactly what it used. Its queue may be shorter than the account's, never
  // longer; and where nothing is open and each came back at once, both are equal.
  const auto seed = GENERATE(1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u);
  std::mt19937 dice(seed);
  const auto below = [&dice](std::uint64_t n) { return std::uniform_int_distribution<std::uint64_t>(0, n - 1)(dice); };
  struct Open {
    Reservation reservation;
    std::size_t number;
    std::uint64_t used;
  };
  for (int round = 0; round < 40; ++round) {
    const std::uint64_t amount = 1 + below(200);
    const auto one = account(amount, 1min);
    TimePoint now = kStart;
    std::vector<Open> open;
    std::vector<std::pair<TimePoint, std::uint64_t>> usage;
    for (int step = 0; step < 150; ++step) {
      now += std::chrono::milliseconds(below(4) == 0 ? below(60'000) : below(2'000));
      if (open.empty() || below(2) == 0) {
        const Draw draw{one, 1 + below(amount)};
        auto drawn = Reservation::make({&draw, 1}, now);
        if (drawn) {
          open.push_back({std::move(*drawn), usage.size(), below(draw.amount + 1)});
          usage.emplace_back(now, open.back().used);
        }
      } else {
        const std::size_t which = below(open.size());
        open[which].reservation.settle({&open[which].used, 1}, now);
        open.erase(open.begin() + static_cast<std::ptrdiff_t>(which));
      }
      // In units of a millisecond times the amount, exactly.
      std::int64_t other = 0, held = 0;
      TimePoint at = kStart;
      for (const auto& [when, used] : usage) {
        other = std::max<std::int64_t>(0, other - (when - at) / 1ms * static_cast<std::int64_t>(amount)) + static_cast<std::int64_t>(used) * 60'000;
        at = when;
      }
      other = std::max<std::int64_t>(0, other - (now - at) / 1ms * static_cast<std::int64_t>(amount));
      const auto standing = one->standing(now);
      held = static_cast<std::int64_t>(standing.resets_in.count()) * static_cast<std::int64_t>(amount);  // in ns
      CHECK(held + static_cast<std::int64_t>(amount) >= other * 1'000'000);
    }
  }
}
