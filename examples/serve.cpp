// A listener inside one's own program: any OpenAI client may use the address it prints. It serves until its input ends.
#include <sluice/sluice.hpp>

#include <iostream>

int main() {
  auto gateway = sluice::Gateway::open_json(R"({
    "version": 1,
    "gateway": {"threads": 1, "listen": [{"address": "127.0.0.1:0"}]},
    "upstreams": [{"name": "demo", "provider": "simulator"}],
    "routes": [{"name": "chat", "match": {"path": "/v1/chat/completions"}, "upstreams": [{"name": "demo"}]}]
  })");
  if (!gateway) return std::cerr << gateway.error().message << "\n", 1;

  auto server = sluice::Server::start(*gateway);
  if (!server) return std::cerr << server.error().message << "\n", 1;
  std::cout << "try: curl http://" << server->addresses().front()
            << R"(/v1/chat/completions --json '{"model": "m", "messages": [{"role": "user", "content": "hello"}]}')" << "\n"
            << "Ctrl-D ends." << std::endl;

  while (std::cin.get() != std::istream::traits_type::eof()) {
  }
  // What is open may finish; new connections are no longer taken.
  if (auto drained = server->drain(std::chrono::seconds(5)); !drained) return std::cerr << drained.error().message << "\n", 1;
}
