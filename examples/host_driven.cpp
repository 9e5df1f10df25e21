// No hidden threads: with `threads: 0` the host's own event loop drives the gateway through one descriptor.
#include <sluice/sluice.hpp>

#include <poll.h>

#include <iostream>

namespace {

struct Printer : sluice::ExchangeListener {
  void on_head(const sluice::ResponseHead&) override {}
  void on_bytes(std::string_view bytes) override { std::cout << bytes; }
  void on_end(const sluice::Outcome& outcome) override { status = outcome.status, ended = true; }
  int status = 0;
  bool ended = false;
};

}  // namespace

int main() {
  auto gateway = sluice::Gateway::open_json(R"({
    "version": 1,
    "gateway": {"threads": 0},
    "upstreams": [{"name": "demo", "provider": "simulator", "simulator": {"tokens_per_second": 100}}],
    "routes": [{"name": "chat", "match": {"path": "/v1/chat/completions"}, "upstreams": [{"name": "demo"}]}]
  })");
  if (!gateway) return std::cerr << gateway.error().message << "\n", 1;

  auto printer = std::make_shared<Printer>();
  auto id = gateway->submit(sluice::Request::post("/v1/chat/completions",
                                                  R"({"model": "m", "stream": true, "messages": [{"role": "user", "content": "hello"}]})"),
                            printer);
  if (!id) return std::cerr << id.error().message << "\n", 1;
  while (!printer->ended) {
    // A real program waits here for its own descriptors too. fd() is -1 on systems without epoll: then drive() waits.
    pollfd watched{.fd = gateway->fd(), .events = POLLIN, .revents = 0};
    if (watched.fd >= 0) ::poll(&watched, 1, 1000);
    gateway->drive(watched.fd >= 0 ? sluice::Milliseconds(0) : sluice::Milliseconds(1000));
  }
  return printer->status == 200 ? 0 : 1;
}
