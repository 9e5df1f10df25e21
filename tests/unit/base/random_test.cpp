// Chance: the same for the same seed everywhere, and even.

#include "sluice/random.hpp"

#include <catch2/catch.hpp>

#include <array>

#include "sluice/clock.hpp"

using sluice::Random;

TEST_CASE("a seed gives the sequence of xoshiro256** seeded by splitmix64") {
  // Worked out by another program from the published algorithms.
  Random zero(0), other(42);
  for (const std::uint64_t value : {0x99ec5f36cb75f2b4u, 0xbf6e1f784956452au, 0x1a5f849d4933e6e0u, 0x6aa594f1262d2d2cu}) CHECK(zero.next() == value);
  for (const std::uint64_t value : {0x15780b2e0c2ec716u, 0x6104d9866d113a7eu, 0xae17533239e499a1u, 0xecb8ad4703b360a1u}) CHECK(other.next() == value);
}

TEST_CASE("numbers below a bound are below it, all of them come, and equally often") {
  Random random(1);
  for (const std::uint64_t bound : {std::uint64_t{1}, std::uint64_t{2}, (std::uint64_t{1} << 63) + 1, ~std::uint64_t{0}}) {
    for (int i = 0; i < 1000; ++i) REQUIRE(random.below(bound) < bound);
  }
  std::array<int, 10> seen{};
  constexpr int kDraws = 100'000;
  for (int i = 0; i < kDraws; ++i) ++seen[random.below(seen.size())];
  double chi = 0;
  for (const int n : seen) chi += (n - kDraws / 10.0) * (n - kDraws / 10.0) / (kDraws / 10.0);
  CHECK(chi < 27.9);  // one in a thousand seeds is worse, 9 degrees of freedom; this seed is fixed
}

TEST_CASE("a bound of three quarters of the range is drawn evenly, which a plain remainder would not do") {
  Random random(2);
  constexpr std::uint64_t kBound = std::uint64_t{3} << 62;
  int low = 0;
  for (int i = 0; i < 30'000; ++i) low += random.below(kBound) < kBound / 3 ? 1 : 0;
  CHECK(low > 9'500);  // a remainder would give 15,000
  CHECK(low < 10'500);
}

TEST_CASE("a unit is at least 0, below 1, and half of them are in each half") {
  Random random(3);
  int low = 0;
  for (int i = 0; i < 10'000; ++i) {
    const double u = random.unit();
    REQUIRE(u >= 0.0);
    REQUIRE(u < 1.0);
    low += u < 0.5 ? 1 : 0;
  }
  CHECK(low > 4'800);
  CHECK(low < 5'200);
}

TEST_CASE("the machine's clock does not go back, and is not set by hand") {
  const sluice::Clock& clock = sluice::system_clock();
  const auto first = clock.now();
  CHECK(clock.now() >= first);
  CHECK(clock.wall().time_since_epoch() > std::chrono::hours(24 * 365 * 50));
  CHECK_FALSE(clock.is_manual());
}
