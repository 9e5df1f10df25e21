#pragma once
/// The listener: HTTP/1.1 on the gateway's own threads and loops.

#include <memory>
#include <string>
#include <vector>

#include "sluice/error.hpp"
#include "sluice/gateway.hpp"

namespace [[gnu::visibility("default")]] sluice {

/// Serves a gateway on the addresses its configuration lists. It accepts, parses, answers and drains; what happens to
/// a request is the gateway's business.
class Server {
 public:
  /// Binds and starts to accept. `gateway` is borrowed and outlives the server.
  /// Errors: kAddressInUse, kSystem name the address; kInvalidConfiguration where nothing is listed. Thread: any.
  [[nodiscard]] static Result<Server> start(Gateway& gateway);

  Server(Server&&) noexcept;
  Server& operator=(Server&&) noexcept;
  /// Stops at once: open exchanges are cancelled.
  ~Server();

  /// The addresses really bound, as `host:port`, in configuration order.
  [[nodiscard]] const std::vector<std::string>& addresses() const;

  /// The address statistics are really served on, as `host:port`; empty where they are not.
  [[nodiscard]] const std::string& statistics_address() const;

  /// Stops accepting (what is queued is still taken), reports not ready, lets running exchanges finish until `deadline`,
  /// then ends them with an error in the caller's dialect. Returns when all connections are closed. Thread: any but an engine's.
  Status drain(Milliseconds deadline);

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice
