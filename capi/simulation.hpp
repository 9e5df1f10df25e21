#pragma once
/// A simulation behind its C handle. Gateways that use it keep it.

#include <deque>
#include <memory>
#include <string>

#include "sluice/simulation.h"
#include "sluice/testing.hpp"

struct sluice_script {
  sluice::testing::Script* script;
};

namespace sluice::capi {

struct Simulated {
  explicit Simulated(std::uint64_t seed) : simulation(clock, seed), first(clock.now()) {}
  testing::ManualClock clock;
  testing::Simulation simulation;
  const TimePoint first;
  std::deque<std::pair<std::string, sluice_script>> scripts;   // that somebody has asked for
};

}  // namespace sluice::capi

struct sluice_simulation {
  std::shared_ptr<sluice::capi::Simulated> state;
};
