// Asking where a request would go, and why, without sending it: for tests of a routing table.
#include <sluice/sluice.hpp>

#include <iostream>

int main() {
  auto gateway = sluice::Gateway::open_json(R"({
    "version": 1,
    "upstreams": [{"name": "a", "provider": "simulator"}, {"name": "b", "provider": "simulator"}],
    "routes": [
      {"name": "gold", "match": {"path": "/v1/chat/completions", "headers": {"x-tier": "gold"}}, "upstreams": [{"name": "a"}]},
      {"name": "rest", "match": {"path": "/v1/chat/completions", "model": ["small-*"]}, "upstreams": [{"name": "b"}]}]
  })");
  if (!gateway) return std::cerr << gateway.error().message << "\n", 1;

  auto request = sluice::Request::post("/v1/chat/completions", R"({"model": "large-1", "messages": [{"role": "user", "content": "hello"}]})");
  const auto refused = gateway->explain(request);
  std::cout << refused.text << "\n\n";
  if (auto added = request.headers.set("x-tier", "gold"); !added) return std::cerr << added.error().message << "\n", 1;
  const auto taken = gateway->explain(request);
  std::cout << taken.text << "\n" << taken.json << "\n";
  return refused.status == 404 && taken.status == 200 ? 0 : 1;
}
