#pragma once
/// What a host program needs to test its own gateway: a clock it moves, and upstreams that are scripted.
/// Target sluice::testing. No test framework in it.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sluice/clock.hpp"
#include "sluice/error.hpp"
#include "sluice/gateway.hpp"
#include "sluice/message.hpp"
#include "sluice/outcome.hpp"
#include "sluice/simulator.hpp"

namespace sluice {
namespace [[gnu::visibility("default")]] testing {

class Run;

/// Upstreams without a network, in virtual time: hand transport() to Gateway::open, then run requests.
/// Thread: one.
class Simulation {
 public:
  Simulation(ManualClock& clock, std::uint64_t seed);
  ~Simulation();

  /// The script of the upstream called `name`; made when first asked for. Lifetime: the simulation's.
  Script& upstream(const std::string& name);
  [[nodiscard]] TransportFactory* transport();
  [[nodiscard]] const std::vector<SeenRequest>& seen() const;
  void forget_seen();

  /// Sends a request, then moves the gateway and the clock until it has ended. A gateway in which nothing is left to
  /// happen before that gives a run whose outcome says kInternal.
  [[nodiscard]] Run run(Gateway& gateway, Request request, CallOptions options = {});
  /// Moves the gateway and the clock until nothing is left to happen, or `limit` of virtual time has passed.
  void settle(Gateway& gateway, Duration limit = std::chrono::hours(1));
  /// Lets exactly `time` pass, with everything that falls due in it.
  void pass(Gateway& gateway, Duration time);
  /// Moves to the next moment at which anything happens. False where nothing is left.
  bool step(Gateway& gateway);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// One finished run.
class Run {
 public:
  Run() = default;
  [[nodiscard]] const Outcome& outcome() const { return outcome_; }
  [[nodiscard]] int status() const { return head_.status; }
  [[nodiscard]] const Headers& headers() const { return head_.headers; }
  [[nodiscard]] const std::string& body() const { return body_; }

 private:
  friend class Simulation;
  ResponseHead head_;
  std::string body_;
  Outcome outcome_;
};

}  // namespace testing
}  // namespace sluice
