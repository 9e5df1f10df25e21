#pragma once
/// A network of the host's own behind its C handle. Knows functions and requests as they cross; must not know what is answered.

#include <atomic>
#include <memory>
#include <vector>

#include "guard.hpp"
#include "sluice/fork_mark.hpp"
#include "sluice/host_transport.hpp"
#include "sluice/transport.h"

struct sluice_wire {
  const sluice::HostRequest& request;
  std::vector<sluice_header_t> headers;
};

namespace sluice::capi {

/// The functions of a host, and what goes with them. Whoever is inside one holds this: the last to let go finalizes.
class TransportFunctions {
 public:
  explicit TransportFunctions(const sluice_transport_functions_t& table) : table_(table) {}
  ~TransportFunctions() {
    if (table_.finalize != nullptr) table_.finalize(table_.user);
  }
  TransportFunctions(const TransportFunctions&) = delete;
  TransportFunctions& operator=(const TransportFunctions&) = delete;

  void start(const HostRequest& request) const;
  void cancel(std::uint64_t transfer) const;
  void resume(std::uint64_t transfer) const;

 private:
  const sluice_transport_functions_t table_;
};

/// What gateways keep of it, also when its handle is gone.
class Carried final : private HostTransport {
 public:
  explicit Carried(std::shared_ptr<const TransportFunctions> functions) : functions_(std::move(functions)), network_(*this) {}

  [[nodiscard]] HostNetwork& network() noexcept { return network_; }
  /// The handle goes.
  void let_go();

 private:
  void start(const HostRequest& request) override;
  void cancel(std::uint64_t transfer) override;
  void resume(std::uint64_t transfer) override;
  [[nodiscard]] std::shared_ptr<const TransportFunctions> functions();

  std::mutex mutex_;
  std::shared_ptr<const TransportFunctions> functions_;   // under mutex_; null once the handle is gone
  HostNetwork network_;
};

}  // namespace sluice::capi

struct sluice_transport {
  const sluice::ForkMark mark;
  std::shared_ptr<sluice::capi::Carried> state;
};
