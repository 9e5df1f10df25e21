#pragma once
/// One listening socket: accepts, counts, and gives each connection to the least loaded engine before its first byte.
/// Knows sockets; must not know HTTP beyond the refusal it writes when it is full.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <sys/socket.h>

#include "base/address_range.hpp"
#include "engine/loop.hpp"
#include "server/hub.hpp"
#include "sluice/error.hpp"

namespace sluice::server {

class Acceptor final : public engine::IoHandler {
 public:
  /// Binds and listens; accepts nothing before open(). Errors: kAddressInUse, kSystem name the address;
  /// kInvalidConfiguration. Thread: any.
  /// `index`: of the listener in the configuration.
  [[nodiscard]] static Result<std::unique_ptr<Acceptor>> bind(gateway::Core& core, std::size_t index);
  /// The address statistics are served on; likewise.
  [[nodiscard]] static Result<std::unique_ptr<Acceptor>> bind_statistics(gateway::Core& core);
  ~Acceptor();

  /// The address really bound, `host:port`.
  [[nodiscard]] const std::string& address() const noexcept { return address_; }
  /// This listener's part on each engine, in their order.
  [[nodiscard]] const std::vector<std::unique_ptr<Hub>>& hubs() const noexcept { return hubs_; }

  // On the first engine's thread only.
  void open();
  /// Takes what is queued, then stops listening.
  void stop();

 private:
  Acceptor(gateway::Core& core, std::size_t index, Serves serves, int fd, std::string address);
  [[nodiscard]] static Result<std::unique_ptr<Acceptor>> bind(gateway::Core& core, const std::string& text, std::size_t index, Serves serves);
  void on_ready(int fd, std::uint32_t ready) override;
  /// True where there may be more.
  bool accept_one();
  void give(int fd, std::string peer);
  [[nodiscard]] bool allows(const sockaddr_storage& peer) const;
  void refuse(int fd, std::string_view answer);
  /// This listener's part on the engine that accepts; it knows what the configuration in force says.
  [[nodiscard]] Hub& here() const noexcept { return *hubs_.front(); }

  gateway::Core& core_;
  int fd_;
  const std::string address_;
  std::shared_ptr<Census> census_;
  std::vector<std::unique_ptr<Hub>> hubs_;
  engine::Timer again_;  // after the process ran out of descriptors
};

}  // namespace sluice::server
