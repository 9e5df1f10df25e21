#pragma once
/// Upstreams of provider `simulator` in a real gateway: the settings of a configuration become scripts, shared by its
/// engines. Knows Upstream::Simulator and the stage; must not know configurations or snapshots.

#include <cstdint>
#include <memory>
#include <string>

#include "engine/loop.hpp"
#include "engine/transport.hpp"
#include "sim/stage.hpp"
#include "sluice/upstream.hpp"

namespace sluice::sim {

/// The scripts behind a gateway's simulated upstreams. One for all engines. Thread: any, concurrently.
class SimulatorScripts {
 public:
  SimulatorScripts(std::uint64_t seed, TimePoint first) : stage_(std::make_shared<Stage>(seed, first, false)) {}

  /// Puts the settings of the upstream called `name` in force, for requests that come after. Setting again replaces.
  void set(const std::string& name, const Upstream::Simulator& settings);
  [[nodiscard]] const std::shared_ptr<Stage>& stage() const noexcept { return stage_; }

 private:
  std::shared_ptr<Stage> stage_;
};

/// A transport for one engine. An endpoint's name says which script answers; one that was never set answers as the
/// default settings say. Works on any clock. `scripts` may go before the transport.
[[nodiscard]] std::unique_ptr<engine::Transport> make_simulator_transport(engine::Loop& loop, const SimulatorScripts& scripts);

}  // namespace sluice::sim
