#pragma once
/// Chance as a parameter: seeded, the same sequence for the same seed on every machine.

#include <cstdint>

namespace [[gnu::visibility("default")]] sluice {

/// A small fast generator (xoshiro256**). Not for secrets. Thread: one.
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept;
  [[nodiscard]] std::uint64_t next() noexcept;
  /// Uniform in [0, bound); bound must not be 0.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) noexcept;
  /// Uniform in [0, 1).
  [[nodiscard]] double unit() noexcept;

 private:
  std::uint64_t state_[4];
};

}  // namespace sluice
