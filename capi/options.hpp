#pragma once
/// What a gateway is opened with, gathered. Knows what was set; must not know what a gateway does with it.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "guard.hpp"
#include "simulation.hpp"
#include "sluice/gateway.hpp"
#include "sluice/options.h"
#include "sluice/plugin.hpp"
#include "transport.hpp"

namespace sluice::capi {

class PendingHooks;

/// The log function of a host, and what goes with it.
class Log {
 public:
  Log(sluice_log_fn function, void* user, sluice_finalize_fn finalize) : function_(function), user_(user), finalize_(finalize) {}
  ~Log() {
    if (finalize_ != nullptr) finalize_(user_);
  }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  void write(LogLevel level, std::string_view line) const {
    const CallbackScope scope;
    function_(user_, static_cast<std::int32_t>(level), line.data(), line.size());
  }

 private:
  const sluice_log_fn function_;
  void* const user_;
  const sluice_finalize_fn finalize_;
};

struct Options {
  std::optional<std::string> json, file;
  std::optional<std::uint32_t> threads;
  std::uint64_t seed = 0;
  std::shared_ptr<const Log> log;
  std::vector<std::shared_ptr<const Plugin>> plugins;
  std::vector<std::shared_ptr<PendingHooks>> hooks;   // of the queued ones among them
  std::vector<HostCredential> credentials;
  std::shared_ptr<Simulated> simulation;   // the network is its own
  std::shared_ptr<Simulated> clock;        // the time is its own
  std::shared_ptr<Carried> transport;
};

}  // namespace sluice::capi

struct sluice_options {
  sluice::capi::Options options;
};
