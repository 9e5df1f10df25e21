// How evenly a stream flows: exact while it is short, within its bound when it is long, and never larger.

#include "telemetry/delta_times.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <vector>

#include "sluice/random.hpp"

using namespace sluice;
using namespace std::chrono_literals;
using telemetry::DeltaTimes;

namespace {

/// What it reports, and what is true.
struct Watched {
  DeltaTimes times;
  TimePoint now{};
  std::vector<std::int64_t> pauses;  // in microseconds
  bool begun = false;

  void add(Duration pause) {
    if (!std::exchange(begun, true)) times.add(now);
    now += pause;
    times.add(now);
    pauses.push_back(std::chrono::duration_cast<std::chrono::microseconds>(pause).count());
  }
  [[nodiscard]] std::int64_t truth(unsigned percent) const {
    std::vector<std::int64_t> sorted = pauses;
    std::sort(sorted.begin(), sorted.end());
    return sorted[(sorted.size() * percent + 99) / 100 - 1];
  }
  [[nodiscard]] std::int64_t told(unsigned percent) const {
    return std::chrono::duration_cast<std::chrono::microseconds>(times.percentile(percent)).count();
  }
};

}  // namespace

TEST_CASE("a stream of fewer than two deltas has no pauses") {
  DeltaTimes times;
  CHECK(times.percentile(50) == 0ns);
  times.add(TimePoint(5s));
  CHECK(times.deltas() == 1);
  CHECK(times.percentile(99) == 0ns);
  times.add(TimePoint(5s + 3ms));
  CHECK(times.deltas() == 2);
  CHECK(times.percentile(50) == 3ms);
  CHECK(times.percentile(99) == 3ms);
}

TEST_CASE("up to 32 pauses every percentile is exact to the microsecond") {
  Random random(1);
  for (std::size_t n = 1; n <= 32; ++n) {
    Watched watched;
    for (std::size_t i = 0; i < n; ++i) watched.add(std::chrono::microseconds(random.below(3'000'000)));
    for (unsigned percent = 1; percent <= 100; ++percent) {
      INFO(n << " pauses, p" << percent);
      REQUIRE(watched.told(percent) == watched.truth(percent));
    }
  }
}

TEST_CASE("the 33rd pause loses nothing of the 32 before it") {
  Watched watched;
  for (int i = 0; i < 32; ++i) watched.add(100ms);
  watched.add(1ms);
  for (const unsigned percent : {1u, 3u}) CHECK(std::abs(watched.told(percent) - 1000) <= 125);
  for (const unsigned percent : {4u, 50u, 99u, 100u}) CHECK(std::abs(watched.told(percent) - 100'000) <= 12'500);
}

TEST_CASE("long streams are reported within an eighth, from 128 microseconds to 6.29 seconds") {
  Random random(2);
  const auto bounded = [](std::int64_t told, std::int64_t truth) {
    if (truth < 128) return std::abs(told - truth) <= 64;
    return static_cast<double>(std::abs(told - truth)) <= static_cast<double>(truth) / 8;
  };
  for (int round = 0; round < 60; ++round) {
    Watched watched;
    // Pauses over every order of magnitude there is, or bunched around one.
    const double low = round % 3 == 0 ? 0 : std::log(20'000.0), high = std::log(round % 3 == 2 ? 40'000.0 : 6'291'455.0);
    const std::size_t n = 33 + random.below(3000);
    for (std::size_t i = 0; i < n; ++i) {
      watched.add(std::chrono::microseconds(static_cast<std::int64_t>(std::exp(low + (high - low) * random.unit()))));
    }
    for (const unsigned percent : {1u, 10u, 50u, 75u, 90u, 99u, 100u}) {
      INFO("round " << round << ", p" << percent << ": " << watched.told(percent) << " for " << watched.truth(percent));
      REQUIRE(bounded(watched.told(percent), watched.truth(percent)));
    }
  }
}

TEST_CASE("the edges of every bucket stay within the bound") {
  for (std::int64_t us = 1; us < 6'291'456; us += std::max<std::int64_t>(1, us / 97)) {
    Watched watched;
    for (int i = 0; i < 40; ++i) watched.add(std::chrono::microseconds(us));
    watched.add(std::chrono::microseconds(10'000'000));  // or the longest pause would bound it from above
    INFO(us << " us told as " << watched.told(50));
    if (us < 128) REQUIRE(std::abs(watched.told(50) - us) <= 64);
    else REQUIRE(8 * std::abs(watched.told(50) - us) <= us);
  }
}

TEST_CASE("above 6.29 seconds the longest pause is told") {
  Watched watched;
  for (int i = 0; i < 50; ++i) watched.add(20ms);
  for (int i = 0; i < 3; ++i) watched.add(7s + std::chrono::seconds(i));
  CHECK(watched.told(99) == 9'000'000);
  CHECK(watched.told(100) == 9'000'000);
}

TEST_CASE("a pause that is never ending and one that runs backwards do not upset it") {
  DeltaTimes times;
  times.add(TimePoint(1h));
  times.add(TimePoint(0h));
  CHECK(times.percentile(50) == 0ns);
  times.add(TimePoint(1000h));
  CHECK(times.percentile(99) == std::chrono::microseconds(0xffffffff));
}

TEST_CASE("a million deltas keep their proportions") {
  Watched watched;
  watched.pauses.reserve(1'000'000);
  for (int i = 0; i < 1'000'000; ++i) watched.add(i % 50 == 0 ? 400ms : 20ms);  // 2 %
  CHECK(watched.times.deltas() == 1'000'001);
  CHECK(8 * std::abs(watched.told(50) - 20'000) <= 20'000);
  CHECK(8 * std::abs(watched.told(97) - 20'000) <= 20'000);
  CHECK(8 * std::abs(watched.told(99) - 400'000) <= 400'000);
}

TEST_CASE("a delta costs tens of nanoseconds and a stream 152 bytes") {
  CHECK(sizeof(DeltaTimes) <= 152);
  DeltaTimes times;
  constexpr int kDeltas = 1'000'000;
  TimePoint now{};
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kDeltas; ++i) times.add(now += std::chrono::microseconds(i & 0xffff));
  const double ns = std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count() / kDeltas;
  WARN("a delta in " << ns << " ns");
  CHECK(ns < 500);  // ten times the bar: sanitizers and busy machines
}
