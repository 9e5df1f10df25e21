#pragma once
/// The gateway behind its C handle: the C++ gateway, the calls in flight on it, and what must live as long as it does.
/// Knows handles and lifetimes; must not know how a call's events are told (call.hpp), nor what a plugin's hooks do.

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "guard.hpp"
#include "simulation.hpp"
#include "sluice/fork_mark.hpp"
#include "sluice/gateway.h"
#include "sluice/gateway.hpp"
#include "sluice/plugin.hpp"
#include "sluice/server.hpp"
#include "transport.hpp"

namespace sluice::capi {

class QueuedCall;
class PendingHooks;

/// A number no call and no hook of this process has had or will have; never 0.
[[nodiscard]] std::uint64_t new_number() noexcept;

/// A listener that ends when its gateway does, whoever frees its handle later.
class ServerBox {
 public:
  explicit ServerBox(Server server) : server_(std::make_unique<Server>(std::move(server))), addresses_(server_->addresses()) {}
  [[nodiscard]] const std::vector<std::string>& addresses() const noexcept { return addresses_; }
  [[nodiscard]] Status drain(Milliseconds deadline);
  void stop() noexcept;

 private:
  std::mutex mutex_;
  std::unique_ptr<Server> server_;   // null once stopped
  const std::vector<std::string> addresses_;
};

/// An open gateway. Whoever is inside a call on it holds it; the last to let go ends it.
class Open {
 public:
  Open(std::shared_ptr<Simulated> clock, std::shared_ptr<Carried> transport, std::vector<std::string> plugins,
       std::vector<std::shared_ptr<PendingHooks>> hooks, std::optional<std::uint32_t> threads, bool host_driven, Gateway gateway)
      : clock_(std::move(clock)), transport_(std::move(transport)), plugins_(std::move(plugins)), hooks_(std::move(hooks)),
        threads_(threads), host_driven_(host_driven), gateway_(std::move(gateway)) {}
  Open(const Open&) = delete;
  Open& operator=(const Open&) = delete;

  // Any thread.
  [[nodiscard]] Gateway& gateway() noexcept { return gateway_; }
  [[nodiscard]] bool host_driven() const noexcept { return host_driven_; }
  /// Whose time this gateway lives in, and often whose network; null where both are real.
  [[nodiscard]] const std::shared_ptr<Simulated>& simulation() const noexcept { return clock_; }
  [[nodiscard]] const std::vector<std::shared_ptr<PendingHooks>>& hooks() const noexcept { return hooks_; }
  /// What the options say of every configuration: threads, and plugins that no list names.
  void complete(Config& config) const;
  void keep(const std::shared_ptr<QueuedCall>& call);
  /// Null where it has ended.
  [[nodiscard]] std::shared_ptr<QueuedCall> find(sluice_call_t call);
  void forget(sluice_call_t call) noexcept;
  /// False: the gateway is closing.
  [[nodiscard]] bool keep(const std::shared_ptr<ServerBox>& server);
  [[nodiscard]] Status close();

 private:
  const std::shared_ptr<Simulated> clock_;        // these two outlive the gateway
  const std::shared_ptr<Carried> transport_;
  const std::vector<std::string> plugins_;
  const std::vector<std::shared_ptr<PendingHooks>> hooks_;
  const std::optional<std::uint32_t> threads_;
  const bool host_driven_;
  std::mutex mutex_;
  // Under mutex_.
  std::unordered_map<sluice_call_t, std::shared_ptr<QueuedCall>> calls_;
  std::vector<std::weak_ptr<ServerBox>> servers_;
  bool closing_ = false;

  Gateway gateway_;  // last: its calls use the rest until they have ended
};

/// Puts what the options of a gateway say into a configuration.
void complete(Config& config, const std::optional<std::uint32_t>& threads, const std::vector<std::string>& plugins);

}  // namespace sluice::capi

struct sluice_gateway {
  sluice::ForkMark mark;
  std::mutex mutex;
  std::shared_ptr<sluice::capi::Open> open;   // null once closed
  std::mutex closing;
};

namespace sluice::capi {

/// What stands behind a handle. Errors: kInvalidParameter, kForked, kClosed.
[[nodiscard]] Result<std::shared_ptr<Open>> enter(sluice_gateway_t* gateway);

}  // namespace sluice::capi
