#pragma once
/// The time as a parameter: nothing in sluice asks the system for it behind a caller's back.

#include <chrono>

namespace [[gnu::visibility("default")]] sluice {

/// A moment on a monotonic axis that starts anywhere; only differences mean something.
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;
using Duration = std::chrono::nanoseconds;
using Milliseconds = std::chrono::milliseconds;  // what a configuration counts in
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;

/// Tells the time. Thread: any, concurrently.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual TimePoint now() const noexcept = 0;
  /// The civil time, for dates in headers and logs only; no deadline is ever computed from it.
  [[nodiscard]] virtual WallTime wall() const noexcept = 0;
  /// True where time passes only when somebody advances it; such a clock needs a host-driven gateway.
  [[nodiscard]] virtual bool is_manual() const noexcept { return false; }
};

/// The machine's clocks. Lifetime: static.
[[nodiscard]] const Clock& system_clock() noexcept;

}  // namespace sluice
