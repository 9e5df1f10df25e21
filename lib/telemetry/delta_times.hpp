#pragma once
/// How evenly one stream flows: the median and the 99th percentile of the pauses between its deltas, in 152 bytes
/// however long it is. Knows durations; must not read a clock: callers pass now.

#include <array>
#include <cstdint>

#include "sluice/clock.hpp"

namespace sluice::telemetry {

/// The pauses between the deltas of one stream. Percentile p of n pauses is the ceil(p n / 100)th shortest one (nearest
/// rank). Up to 32 pauses it is exact to the microsecond. Beyond that pauses are only counted, by size: what is
/// reported is within an eighth of the true value where that lies between 128 us and 6.29 s, within 64 us of it below,
/// and the longest pause above (exact to the microsecond, up to 71 minutes). Thread: one. Cost: a few nanoseconds a
/// delta, no allocation.
class DeltaTimes {
 public:
  /// A delta was given to the caller. Time that runs backwards makes a pause of 0.
  void add(TimePoint now) noexcept;

  [[nodiscard]] std::uint64_t deltas() const noexcept { return deltas_; }
  /// 0 where there were fewer than two deltas. `percent` is 1 to 100.
  [[nodiscard]] Duration percentile(unsigned percent) const noexcept;

 private:
  static constexpr std::uint32_t kExact = 32;
  static constexpr std::uint32_t kBuckets = 64;  // [0, 128) us, then four to an octave: [128, 160), [160, 192), ...

  [[nodiscard]] static std::uint32_t bucket(std::uint32_t microseconds) noexcept;
  void count(std::uint32_t microseconds) noexcept;

  // Which of the two it is `counting_` says. A bucket that is full halves all of them: their proportions stay.
  union {
    std::array<std::uint32_t, kExact> pauses_{};  // in microseconds
    std::array<std::uint16_t, kBuckets> counts_;
  };
  TimePoint last_{};
  std::uint64_t deltas_ = 0;
  std::uint32_t longest_ = 0;  // of all pauses, in microseconds
  bool counting_ = false;
};

}  // namespace sluice::telemetry
