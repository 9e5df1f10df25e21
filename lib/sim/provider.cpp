// See provider.hpp.
#include "sim/provider.hpp"

#include <mutex>

#include "sim/transport.hpp"

namespace sluice::sim {

void SimulatorScripts::set(const std::string& name, const Upstream::Simulator& settings) {
  testing::Script& script = stage_->script(name);
  const std::lock_guard lock(script.impl().mutex);  // one step
  testing::Pace pace;
  pace.first_token = settings.first_token;
  pace.tokens_per_second = settings.tokens_per_second;
  script.answers(settings.answer).pace(pace).fails({});
  if (settings.status != 200) script.fails_with(settings.status);
}

std::unique_ptr<engine::Transport> make_simulator_transport(engine::Loop& loop, const SimulatorScripts& scripts) {
  return make_transport(loop, scripts.stage());
}

}  // namespace sluice::sim
