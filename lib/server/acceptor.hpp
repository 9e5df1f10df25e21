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
  [[nodiscard]] static Result<std::unique_ptr<Acceptor>> bind(gateway::Core& core, const Listen& listen, Serves serves = Serves::kExchanges);
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
  Acceptor(gateway::Core& core, const Listen& listen, std::vector<base::AddressRange> allowed, int fd, std::string address,
           Serves serves);
  void on_ready(int fd, std::uint32_t ready) override;
  /// True where there may be more.
  bool accept_one();
  void give(int fd, std::string peer);
  [[nodiscard]] bool allows(const sockaddr_storage& peer) const noexcept;
  void refuse(int fd, std::string_view answer);

  gateway::Core& core_;
  const Listen listen_;
  const std::vector<base::AddressRange> allowed_;  // empty = everyone
  int fd_;
  const std::string address_;
  std::shared_ptr<Census> census_;
  std::vector<std::unique_ptr<Hub>> hubs_;
  engine::Timer again_;  // after the process ran out of descriptors
};

}  // namespace sluice::server
