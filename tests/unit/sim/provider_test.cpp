#include "sim/provider.hpp"

#include <catch2/catch.hpp>

#include "unit/sim/rig.hpp"

using namespace sluice;
using namespace sluice::sim;
using namespace std::chrono_literals;

TEST_CASE("the settings of a simulated upstream are its script, and setting again replaces them") {
  Rig rig;
  SimulatorScripts scripts(1, rig.clock.now());
  const auto transport = make_simulator_transport(*rig.loop, scripts);
  auto channel = transport->open(rig.endpoint);
  REQUIRE(channel);
  rig.channel = std::move(*channel);

  CHECK(Parsed(rig.run(Rig::chat())->body).text("/choices/0/message/content") == "Hello from the simulator.");

  Upstream::Simulator settings;
  settings.answer = "Other words.";
  settings.first_token = 250ms;
  scripts.set("one", settings);
  const TimePoint before = rig.clock.now();
  CHECK(Parsed(rig.run(Rig::chat())->body).text("/choices/0/message/content") == "Other words.");
  CHECK(rig.clock.now() - before == 250ms);

  settings.status = 503;
  scripts.set("one", settings);
  CHECK(rig.run(Rig::chat())->head.status == 503);
  settings.status = 200;
  scripts.set("one", settings);
  CHECK(rig.run(Rig::chat())->head.status == 200);
  CHECK(scripts.stage()->seen().empty());  // a real process keeps no record
}

TEST_CASE("the scripts may go before the transport that plays them") {
  Rig rig;
  auto scripts = std::make_unique<SimulatorScripts>(1, rig.clock.now());
  const auto transport = make_simulator_transport(*rig.loop, *scripts);
  scripts.reset();
  auto channel = transport->open(rig.endpoint);
  REQUIRE(channel);
  rig.channel = std::move(*channel);
  CHECK(rig.run(Rig::chat())->head.status == 200);
}
