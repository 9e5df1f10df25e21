// The peak EWMA of one member. Value and stamp share a word, so that no reader sees one of them without the other.
// The peak EWMA of RPC systems, with a half-life in place of its time constant.

#include "policy/latency.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>

namespace sluice::policy {

namespace {

constexpr float kLeast = 0.001F;             // ms: what was measured is never 0
constexpr float kLeastOfFailure = 1'000.0F;  // ms
constexpr float kMostOfFailure = 60'000.0F;  // ms

struct Measure {
  float value = 0;
  std::uint32_t stamp = 0;
};

Measure unpacked(std::uint64_t word) noexcept {
  return {std::bit_cast<float>(static_cast<std::uint32_t>(word >> 32)), static_cast<std::uint32_t>(word)};
}

std::uint64_t packed(Measure measure) noexcept {
  return (std::uint64_t{std::bit_cast<std::uint32_t>(measure.value)} << 32) | measure.stamp;
}

float milliseconds_of(Duration took) noexcept {
  return std::max(kLeast, std::chrono::duration<float, std::milli>(took).count());
}

std::uint32_t stamp_of(TimePoint now) noexcept {
  return static_cast<std::uint32_t>(std::chrono::duration_cast<Milliseconds>(now.time_since_epoch()).count());
}

/// What is left of a figure after its age. Engines read the clock each for itself: a stamp may lie a little ahead.
float weight_of(std::uint32_t stamp, std::uint32_t now, const LatencyPolicy& policy) noexcept {
  const auto age = static_cast<std::int32_t>(now - stamp);
  if (age <= 0) return 1.0F;
  return std::exp2(-static_cast<float>(age) / static_cast<float>(policy.half_life.count()));
}

}  // namespace

void Latency::first_content(Duration took, TimePoint now) noexcept {
  if (policy_.of == LatencyOf::kFirstContent) measured(took, now);
}

void Latency::ended(Duration took, bool had_content, TimePoint now) noexcept {
  if (policy_.of == LatencyOf::kTotal || !had_content) measured(took, now);
}

void Latency::measured(Duration took, TimePoint now) noexcept {
  const float value = milliseconds_of(took);
  const std::uint32_t stamp = stamp_of(now);
  std::uint64_t word = word_.load(std::memory_order_relaxed);
  Measure next;
  do {
    const Measure before = unpacked(word);
    next = {value, stamp};
    if (before.value > value) {
      const float weight = weight_of(before.stamp, stamp, policy_);
      next.value = before.value * weight + value * (1.0F - weight);
    }
  } while (!word_.compare_exchange_weak(word, packed(next), std::memory_order_relaxed));
}

void Latency::failed(Duration took, TimePoint now) noexcept {
  const float least = std::max(kLeastOfFailure, milliseconds_of(took));
  std::uint64_t word = word_.load(std::memory_order_relaxed);
  Measure next;
  do {
    const float before = unpacked(word).value;  // as it was measured: failing does not age it
    next = {std::max(before, std::min(kMostOfFailure, std::max(least, 2.0F * before))), stamp_of(now)};
  } while (!word_.compare_exchange_weak(word, packed(next), std::memory_order_relaxed));
}

float Latency::estimate(TimePoint now) const noexcept {
  const Measure measure = unpacked(word_.load(std::memory_order_relaxed));
  if (measure.value == 0) return 0;
  return std::max(kLeast, measure.value * weight_of(measure.stamp, stamp_of(now), policy_));
}

}  // namespace sluice::policy
