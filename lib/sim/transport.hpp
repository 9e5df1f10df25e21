#pragma once
/// The simulated upstream as a Transport: answers come from a Stage, over the loop's timers alone, so that a manual clock
/// is enough. Knows scripts, loops and the transport interface; must not know gateways, and touches no descriptor.
///
/// It keeps to what the network would do: the sink hears nothing inside start() or resume(), nothing while it is paused,
/// and nothing after its transfer is gone. What has no meaning without a network (names, addresses, TLS, proxies,
/// connection caps) plays no part; the caps on heads and answers hold.

#include <memory>

#include "engine/loop.hpp"
#include "engine/transport.hpp"
#include "sim/stage.hpp"

namespace sluice::sim {

[[nodiscard]] std::unique_ptr<engine::Transport> make_transport(engine::Loop& loop, std::shared_ptr<Stage> stage);

}  // namespace sluice::sim
