// What one account allows: bursts, edges, debts, and what is given back.

#include "policy/account.hpp"

#include <catch2/catch.hpp>

#include <vector>

#include "policy/reservation.hpp"

using namespace sluice;
using namespace sluice::policy;
using namespace std::chrono_literals;

namespace {

constexpr TimePoint kStart{1000s};

std::shared_ptr<Account> account(std::uint64_t amount, Duration window) { return std::make_shared<Account>(Rate{amount, window}); }

tl::expected<Reservation, DrawRefused> draw(const std::shared_ptr<Account>& from, std::uint64_t amount, TimePoint now) {
  const Draw one{from, amount};
  return Reservation::make({&one, 1}, now);
}

/// How many draws of `amount` in a row are allowed at one moment, each used as drawn.
int allowed(const std::shared_ptr<Account>& from, std::uint64_t amount, TimePoint now, int tries = 1000) {
  int count = 0;
  for (int i = 0; i < tries; ++i) {
    auto drawn = draw(from, amount, now);
    if (!drawn) continue;
    ++count;
    drawn->settle(std::vector{amount}, now);
  }
  return count;
}

void settle(Reservation& reservation, std::uint64_t used, TimePoint now) { reservation.settle({&used, 1}, now); }

}  // namespace

TEST_CASE("ten in a minute: ten at once, and the next when one has drained") {  // LIMIT-01
  const auto one = account(10, 1min), other = account(10, 1min);
  CHECK(allowed(one, 1, kStart) == 10);
  const auto refused = draw(one, 1, kStart);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().retry_after == Duration(6s));
  CHECK(allowed(one, 1, kStart + 6s - 1ns) == 0);
  CHECK(allowed(one, 1, kStart + 6s) == 1);
  CHECK(allowed(other, 1, kStart) == 10);
}

TEST_CASE("standing tells what is left, and until all of it may be drawn again") {  // LIMIT-01
  const auto one = account(10, 1min);
  CHECK(one->standing(kStart).remaining == 10);
  CHECK(one->standing(kStart).resets_in == 0s);
  CHECK(allowed(one, 1, kStart, 4) == 4);
  const Standing after = one->standing(kStart + 3s);
  CHECK(after.limit == 10);
  CHECK(after.remaining == 6);  // six whole ones and a half
  CHECK(after.resets_in == 21s);
}

TEST_CASE("a burst at the end of a minute and one at the beginning of the next are one burst") {  // LIMIT-02
  const auto one = account(10, 1min);
  CHECK(allowed(one, 1, kStart + 59'900ms) == 10);
  CHECK(allowed(one, 1, kStart + 60'100ms) == 0);
}

TEST_CASE("rates that no nanosecond divides allow exactly their amount, at once and over time") {
  const auto amount = GENERATE(std::uint64_t{7}, std::uint64_t{999'983}, std::uint64_t{700'001}, (std::uint64_t{1} << 40) + 1, Rate::kMostAmount);
  const auto window = GENERATE(Duration(1s), Duration(1min), Duration(24h * 31));
  const std::uint64_t piece = amount < 1000 ? 1 : amount / 997 + 1;
  const auto one = account(amount, window);
  const auto all = static_cast<std::uint64_t>(allowed(one, piece, kStart, 2000)) * piece;
  CHECK(all <= amount);
  CHECK(all + piece > amount);
  CHECK(allowed(one, amount - all, kStart, 1) == 1);  // the rest, to the last one
  CHECK(one->standing(kStart).remaining == 0);
  CHECK(allowed(one, amount, kStart + window - 1ns, 1) == 0);
  CHECK(allowed(one, amount, kStart + window, 1) == 1);
}

TEST_CASE("what was reserved and not used comes back, once") {  // LIMIT-05
  const auto one = account(1'000, 1min);
  auto drawn = draw(one, 1'000, kStart);
  REQUIRE(drawn);
  CHECK(one->standing(kStart).remaining == 0);
  settle(*drawn, 200, kStart);
  CHECK(one->standing(kStart).remaining == 800);
  settle(*drawn, 0, kStart);
  CHECK(one->standing(kStart).remaining == 800);
}

TEST_CASE("what comes back late is what using less would have left") {
  const auto one = account(1'000, 1min);
  auto drawn = draw(one, 1'000, kStart);
  REQUIRE(drawn);
  SECTION("some of it has drained by then: as much is free as if 200 had been drawn") {
    settle(*drawn, 200, kStart + 30s);
    CHECK(one->standing(kStart + 30s).remaining == 1'000);
  }
  SECTION("all of it has drained and others have drawn since: nothing comes back") {
    REQUIRE(allowed(one, 1'000, kStart + 1min, 1) == 1);
    settle(*drawn, 0, kStart + 1min);
    CHECK(one->standing(kStart + 1min).remaining == 0);
  }
  SECTION("others have drawn behind it all the while: all of it comes back") {
    for (int i = 1; i <= 20; ++i) REQUIRE(allowed(one, 50, kStart + i * 3s, 1) == 1);
    settle(*drawn, 200, kStart + 1min);
    CHECK(one->standing(kStart + 1min).remaining == 800);
  }
}

TEST_CASE("more than was reserved is charged, and the next one meets the debt") {  // LIMIT-06
  const auto one = account(1'000, 1min);
  auto drawn = draw(one, 100, kStart);
  REQUIRE(drawn);
  settle(*drawn, 3'000, kStart);
  CHECK(one->standing(kStart).remaining == 0);
  CHECK(one->standing(kStart).resets_in == 3min);
  const auto refused = draw(one, 1, kStart);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().retry_after == Duration(2min + 60ms));
}

TEST_CASE("a draw of nothing is never refused, and what is used of it is charged") {
  const auto one = account(10, 1min);
  CHECK(allowed(one, 10, kStart, 1) == 1);
  auto drawn = draw(one, 0, kStart);
  REQUIRE(drawn);
  settle(*drawn, 5, kStart);
  CHECK(one->standing(kStart).resets_in == 90s);
}

TEST_CASE("more than the whole of a window is never to be had, and says so") {
  const auto refused = draw(account(10, 1min), 11, kStart);
  REQUIRE_FALSE(refused);
  CHECK_FALSE(refused.error().retry_after);
  const auto none = account(0, 1min);
  REQUIRE_FALSE(draw(none, 1, kStart));
  CHECK_FALSE(draw(none, 1, kStart).error().retry_after);
  CHECK(none->standing(kStart).remaining == 0);
}

TEST_CASE("a debt has an end, however much was used") {
  const auto one = account(1, 1s);
  auto drawn = draw(one, 1, kStart);
  REQUIRE(drawn);
  settle(*drawn, ~std::uint64_t{0}, kStart);
  CHECK(one->standing(kStart).resets_in == 1'000s);
}

TEST_CASE("after a reload what was used of the old rate is used of the new one") {
  const auto one = account(100, 1min);
  auto drawn = draw(one, 60, kStart);
  REQUIRE(drawn);
  one->set_rate({1'000, 1h}, kStart);
  CHECK(one->standing(kStart).remaining == 940);
  SECTION("and what comes back of a reservation from before it, too") {
    settle(*drawn, 10, kStart);
    CHECK(one->standing(kStart).remaining == 990);
  }
  SECTION("to a rate of nothing and back") {
    one->set_rate({0, 1min}, kStart);
    one->set_rate({1'000, 1min}, kStart);
    CHECK(one->standing(kStart).remaining == 1'000);  // nothing of nothing is used
    settle(*drawn, 60, kStart);
  }
}

TEST_CASE("an account is fresh while nothing is used of it and nobody is about to settle") {
  const auto one = account(10, 1min);
  CHECK(one->is_fresh(kStart));
  auto drawn = draw(one, 1, kStart);
  REQUIRE(drawn);
  CHECK_FALSE(one->is_fresh(kStart + 1h));
  settle(*drawn, 1, kStart + 1h);
  CHECK(one->is_fresh(kStart + 1h));
}

TEST_CASE("a moment before the last one makes an account look fuller, never emptier") {  // LIMIT-25
  const auto one = account(10, 1min);
  CHECK(allowed(one, 10, kStart, 1) == 1);
  CHECK(one->standing(kStart - 1h).remaining == 0);
  CHECK(allowed(one, 1, kStart - 1h) == 0);
  CHECK(allowed(one, 1, kStart + 6s, 1) == 1);
}
