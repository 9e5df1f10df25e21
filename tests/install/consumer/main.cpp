// A stranger's program: opens a gateway on a simulated upstream, asks it something, then tests the same configuration
// in virtual time. What it links is what was installed.
#include <sluice/sluice.hpp>
#include <sluice/testing.hpp>

#include <iostream>

namespace {

sluice::Gateway::Builder demo(std::uint32_t threads) {
  sluice::Gateway::Builder builder;
  sluice::Upstream upstream;
  upstream.name = "demo";
  upstream.provider = "simulator";
  upstream.simulator.answer = "installed";
  sluice::Route route;
  route.name = "chat";
  route.match.path = "/v1/chat/completions";
  route.upstreams.push_back({.upstream = "demo"});
  builder.threads(threads).upstream(upstream).route(route);
  return builder;
}

sluice::Request hello() {
  return sluice::Request::post("/v1/chat/completions", R"({"model":"m","messages":[{"role":"user","content":"hello"}]})");
}

int ask() {
  auto gateway = demo(1).open();
  if (!gateway) return std::cerr << gateway.error().message << "\n", 1;
  auto answer = gateway->send(hello()).get();
  if (!answer) return std::cerr << answer.error().message << "\n", 1;
  std::cout << answer->body << "\n";
  return answer->status == 200 && answer->body.find("installed") != std::string::npos ? 0 : 1;
}

int rehearse() {
  sluice::testing::ManualClock clock;
  sluice::testing::Simulation simulation(clock, 7);
  simulation.upstream("demo").fails_with(503);
  auto gateway = demo(0).open({.clock = &clock, .transport = simulation.transport()});
  if (!gateway) return std::cerr << gateway.error().message << "\n", 1;
  const int status = simulation.run(*gateway, hello()).status();
  std::cout << "rehearsed: " << status << "\n";
  return status == 503 ? 0 : 1;
}

}  // namespace

int main() {
  std::cout << "sluice " << sluice::version() << "\n";
  return ask() != 0 || rehearse() != 0;
}
