// Testing one's own configuration: scripted upstreams, virtual time, no network. Two minutes with an outage in them pass in
// a few milliseconds.
#include <sluice/sluice.hpp>
#include <sluice/testing.hpp>

#include <iostream>

int main() {
  using namespace std::chrono_literals;
  sluice::testing::ManualClock clock;
  sluice::testing::Simulation simulation(clock, /*seed=*/7);
  simulation.upstream("primary").answers("All is well.").fails_with(503).from(0s).until(60s);

  auto gateway = sluice::Gateway::open_json(R"({
    "version": 1,
    "gateway": {"threads": 0},
    "upstreams": [{"name": "primary", "provider": "simulator"}],
    "routes": [{"name": "chat", "match": {"path": "/v1/chat/completions"}, "upstreams": [{"name": "primary"}]}]
  })", {.clock = &clock, .transport = simulation.transport()});
  if (!gateway) return std::cerr << gateway.error().message << "\n", 1;

  const auto ask = [&] {
    return simulation.run(*gateway, sluice::Request::post("/v1/chat/completions",
                                                          R"({"model": "m", "messages": [{"role": "user", "content": "hello"}]})"));
  };
  const auto during = ask();
  std::cout << "during the outage: " << during.status() << " " << during.body() << "\n";
  simulation.pass(*gateway, 120s);
  const auto after = ask();
  std::cout << "afterwards: " << after.status() << " " << after.body() << "\n";
  return during.status() == 503 && after.status() == 200 ? 0 : 1;
}
