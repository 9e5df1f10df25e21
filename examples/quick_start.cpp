// A gateway in twenty lines, answered by the simulated upstream: no key, no network.
#include <sluice/sluice.hpp>

#include <iostream>

int main() {
  auto gateway = sluice::Gateway::open_json(R"({
    "version": 1,
    "upstreams": [{"name": "demo", "provider": "simulator"}],
    "routes": [{"name": "chat", "match": {"path": "/v1/chat/completions"}, "upstreams": [{"name": "demo"}]}]
  })");
  if (!gateway) return std::cerr << gateway.error().message << "\n", 1;

  const std::string hello = R"({"model": "smart", "messages": [{"role": "user", "content": "hello"}])";
  auto answer = gateway->send(sluice::Request::post("/v1/chat/completions", hello + "}")).get();
  if (!answer) return std::cerr << answer.error().message << "\n", 1;
  std::cout << answer->status << " " << answer->body << "\n";

  auto stream = gateway->stream(sluice::Request::post("/v1/chat/completions", hello + R"(, "stream": true})"));
  while (auto event = stream.next(std::chrono::seconds(30))) std::cout << event->text() << std::flush;
  std::cout << "\n" << stream.outcome().usage.output_tokens.value_or(0) << " tokens written\n";
}
