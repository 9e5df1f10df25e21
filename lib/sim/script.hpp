#pragma once
/// What stands behind Script: the settings as one value, the faults that are still to come, the upstream's own chance.
/// Knows no request and no time but what it is given; must not know who moves the bytes.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sluice/clock.hpp"
#include "sluice/random.hpp"
#include "sluice/simulator.hpp"

namespace sluice::sim {

/// A fault with its limits. Moments count from the clock's first one.
struct FaultRule {
  testing::Fault fault;
  std::string body = {};                      ///< kStatus: instead of the dialect's error; empty = that
  Duration from = Duration::min();
  Duration until = Duration::max();
  std::optional<std::uint32_t> left = {};     ///< how many requests may still meet it; empty = any number

  [[nodiscard]] bool limited() const noexcept { return left || from != Duration::min() || until != Duration::max(); }
  [[nodiscard]] bool applies(Duration now) const noexcept { return now >= from && now < until && left.value_or(1) > 0; }
};

/// What a script says, without its faults. Shared, never changed once an answer has it.
struct Settings {
  enum class Content : std::uint8_t { kText, kGenerated, kToolCalls, kRefusal };
  Content content = Content::kText;
  std::string text = "Hello from the simulator.";
  std::size_t generated_tokens = 0;
  std::vector<testing::ScriptedToolCall> tools = {};
  testing::Pace pace = {};
  std::optional<std::pair<std::uint64_t, std::uint64_t>> usage = {};
  std::uint64_t cached = 0;
  bool no_usage = false;
  std::size_t dimensions = 16;
  std::vector<std::string> models = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::optional<std::pair<std::string, std::string>> body = {};   ///< content type, bytes
  std::optional<std::string> stream_bytes = {};
  std::size_t piece_bytes = 0;
};

/// What one request meets: the settings of that moment, its fault, and numbers of its own.
struct Cue {
  std::shared_ptr<const Settings> settings;
  std::optional<FaultRule> fault;
  Random random;
};

}  // namespace sluice::sim

namespace sluice::testing {

struct Script::Impl {
  /// Recursive, so that a server can make several changes one step.
  mutable std::recursive_mutex mutex;

  // Under the mutex.
  std::shared_ptr<const sim::Settings> settings = std::make_shared<const sim::Settings>();
  std::vector<sim::FaultRule> faults;
  Random random{0};

  /// Copy on write: answers under way keep what they began with.
  template <typename Change>
  void change(Change&& change) {
    const std::lock_guard lock(mutex);
    auto next = std::make_shared<sim::Settings>(*settings);
    change(*next);
    settings = std::move(next);
  }

  void seed(std::uint64_t seed);
  /// What a request that arrives at `now` (from the clock's first moment) meets; counted faults are used up by it.
  [[nodiscard]] sim::Cue cue(Duration now);
  /// True where connections are refused at `now` by a fault that is not counted.
  [[nodiscard]] bool refuses_connections(Duration now) const;
  /// The next moment after `now` at which refuses_connections may change.
  [[nodiscard]] std::optional<Duration> next_change(Duration now) const;
};

}  // namespace sluice::testing
