#pragma once
/// The gateway behind its handle: engines, the snapshot in force, budgets, and the life of threads.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "engine/curl_transport.hpp"
#include "gateway/engine.hpp"
#include "policy/token_ratios.hpp"
#include "sim/provider.hpp"
#include "sluice/fork_mark.hpp"
#include "sluice/gateway.hpp"
#include "sluice/random.hpp"
#include "telemetry/sink.hpp"

namespace sluice::gateway {

/// What an access log tells of an exchange beside its account. Lifetime: the call.
struct AskedFor {
  std::string_view method, path;          ///< as they came, without the query; empty where the head could not be read
  std::string_view client_address;        ///< as the listener judged it; empty = in process
  const telemetry::SecretMask& mask;      ///< of the exchange's configuration
};
using AccessLog = std::function<void(const Outcome& outcome, const AskedFor& asked)>;

class Core {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Core>> open(Config config, OpenOptions options);
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  // Any thread.
  [[nodiscard]] std::shared_ptr<const Snapshot> snapshot() const;
  [[nodiscard]] const OpenOptions& options() const noexcept { return options_; }
  [[nodiscard]] const Clock& clock() const noexcept { return *clock_; }
  [[nodiscard]] const std::vector<std::unique_ptr<Engine>>& engines() const noexcept { return engines_; }
  [[nodiscard]] Engine& least_loaded() const noexcept;
  [[nodiscard]] bool host_driven() const noexcept { return threads_.empty() && host_driven_; }
  [[nodiscard]] bool on_engine_thread() const noexcept;
  /// kClosed or kForked where nothing may be started any more.
  [[nodiscard]] Status usable() const;
  [[nodiscard]] Result<std::uint64_t> submit(Request request, std::shared_ptr<ExchangeListener> listener, CallOptions options);
  void cancel(std::uint64_t ticket);
  /// Pauses or resumes the upstream of a submitted request.
  void pause(std::uint64_t ticket, bool paused);
  void send_body(std::uint64_t ticket, std::string bytes, bool last);
  Status reload(Config config);
  [[nodiscard]] Explanation explain(const Request& request, const CallOptions& options) const;
  [[nodiscard]] Statistics statistics() const;
  Status close();
  void log(LogLevel level, std::string_view line) const;

  /// Takes `bytes` out of the budget for request bodies; false where it is spent.
  [[nodiscard]] bool take_body_bytes(std::uint64_t bytes, std::uint64_t budget) noexcept;
  void give_body_bytes(std::uint64_t bytes) noexcept { body_bytes_.fetch_sub(bytes, std::memory_order_relaxed); }

  /// A place among at most `most` open exchanges, exact over all engines; 0 = no bound, and no place to give back.
  [[nodiscard]] bool take_exchange(std::uint32_t most) noexcept;
  void give_exchange() noexcept { counted_exchanges_.fetch_sub(1, std::memory_order_relaxed); }

  /// Turns away new exchanges with kShuttingDown; what runs goes on. For the listener's drain.
  void set_draining(bool draining) noexcept { draining_.store(draining, std::memory_order_relaxed); }
  [[nodiscard]] bool draining() const noexcept { return draining_.load(std::memory_order_relaxed); }

  [[nodiscard]] const std::shared_ptr<engine::ConnectionBudgets>& connection_budgets() const noexcept { return budgets_; }

  [[nodiscard]] const std::shared_ptr<sim::SimulatorScripts>& simulators() const noexcept { return simulators_; }

  /// What was learned of upstreams' counts; holds over reloads.
  [[nodiscard]] policy::TokenRatios& token_ratios() const noexcept { return *token_ratios_; }

  /// What key ids are made with: secret, and this gateway's own.
  [[nodiscard]] const std::string& key_salt() const noexcept { return key_salt_; }

  /// Called once for each exchange, behind on_outcome, on its engine thread; must not block. Set before the first exchange.
  void set_access_log(AccessLog log) { access_log_ = std::move(log); }
  [[nodiscard]] const AccessLog& access_log() const noexcept { return access_log_; }

  [[nodiscard]] TimePoint opened_at() const noexcept { return opened_at_; }

  // Host-driven.
  [[nodiscard]] Engine& host_engine() const noexcept { return *engines_.front(); }
  /// Carries the events of this turn to their files: there is no thread that would.
  void carry_events();

 private:
  explicit Core(OpenOptions options);
  void run_threads();
  void set_simulators(const Snapshot& snapshot);
  [[nodiscard]] Result<std::shared_ptr<telemetry::EventSinks>> open_events(const Snapshot& snapshot) const;
  [[nodiscard]] std::shared_ptr<telemetry::EventSinks> events() const;
  [[nodiscard]] TimePoint farewell() const;
  [[nodiscard]] std::string make_key_salt();

  OpenOptions options_;
  HostPlugins host_plugins_;
  AccessLog access_log_;
  const Clock* clock_;
  const TimePoint opened_at_;
  const ForkMark fork_mark_;
  bool host_driven_ = false;
  mutable std::mutex mutex_;                       // guards snapshot_, events_, reloads and close
  std::mutex reload_mutex_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::shared_ptr<telemetry::EventSinks> events_;
  std::string key_salt_;
  Random seeds_;
  std::shared_ptr<engine::ConnectionBudgets> budgets_;
  std::shared_ptr<sim::SimulatorScripts> simulators_;
  const std::unique_ptr<policy::TokenRatios> token_ratios_ = std::make_unique<policy::TokenRatios>();
  std::vector<std::unique_ptr<Engine>> engines_;
  std::vector<std::thread> threads_;
  std::atomic<std::uint64_t> body_bytes_{0};
  std::atomic<std::uint32_t> counted_exchanges_{0};
  std::atomic<std::uint64_t> next_ticket_{1};
  std::atomic<bool> draining_{false}, closed_{false};
};

}  // namespace sluice::gateway
