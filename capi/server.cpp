// Listeners behind their handles.

#include <memory>

#include "gateway.hpp"
#include "sluice/server.h"

using namespace sluice;
using namespace sluice::capi;

struct sluice_server {
  ForkMark mark;
  std::shared_ptr<ServerBox> box;
};

extern "C" {

sluice_code_t sluice_server_start(sluice_gateway_t* gateway, sluice_server_t** server, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (server == nullptr) return null_argument("server");
    *server = nullptr;
    const auto open = enter(gateway);
    if (!open) return tl::unexpected(open.error());
    auto handle = std::make_unique<sluice_server>();
    auto started = Server::start((*open)->gateway());
    if (!started) return tl::unexpected(started.error());
    handle->box = std::make_shared<ServerBox>(std::move(*started));
    if (!(*open)->keep(handle->box)) {
      handle->box->stop();
      return fail(Code::kClosed, "the gateway is closed");
    }
    *server = handle.release();
    return {};
  });
}

size_t sluice_server_address_count(const sluice_server_t* server) { return server == nullptr ? 0 : server->box->addresses().size(); }

sluice_bytes_t sluice_server_address(const sluice_server_t* server, size_t index) {
  if (server == nullptr || index >= server->box->addresses().size()) return {};
  return borrow(server->box->addresses()[index]);
}

sluice_code_t sluice_server_drain(sluice_server_t* server, int64_t deadline_ms, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (server == nullptr) return null_argument("server");
    if (server->mark.in_child()) return forked();
    if (Status may = may_wait("drain"); !may) return may;
    return server->box->drain(Milliseconds(deadline_ms));
  });
}

void sluice_server_free(sluice_server_t* server) {
  if (server == nullptr || server->mark.in_child() || inside_callback()) return;
  server->box->stop();
  delete server;
}

}  // extern "C"
