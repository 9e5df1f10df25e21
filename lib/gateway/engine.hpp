#pragma once
/// One engine: a thread's loop, transports, channels and exchanges. An exchange stays here from first byte to last.
/// Knows who is open and which snapshot is in force; must not know what an exchange does.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/loop.hpp"
#include "engine/transport.hpp"
#include "gateway/engine_post.hpp"
#include "gateway/exchange.hpp"
#include "gateway/snapshot.hpp"
#include "gateway/token_keeper.hpp"
#include "sluice/random.hpp"
#include "telemetry/sink.hpp"

namespace sluice::gateway {

class Core;

/// What listeners do on one engine.
struct ConnectionCounters {
  std::atomic<std::uint64_t> open{0}, accepted{0}, refused{0}, bytes_received{0}, bytes_sent{0}, tls_handshakes{0}, tls_failures{0};
};

/// Counters one engine keeps; read by anyone.
struct EngineCounters {
  std::atomic<std::uint64_t> started{0}, open{0}, completed{0}, refused{0}, failed{0}, cancelled{0}, replayed{0};
  // Of plugins.
  std::atomic<std::uint64_t> decoded{0}, plugin_errors{0}, plugin_timeouts{0}, plugins_failed_open{0}, ignored_resumes{0},
      unrecorded_verdicts{0};
  ConnectionCounters connections;
};

class Engine {
 public:
  Engine(Core& core, std::uint32_t index, std::uint64_t seed);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Makes loop and transports. Errors: kSystem. Thread: the opener's, before the engine runs.
  Status prepare(engine::Backend backend);

  // Any thread.
  [[nodiscard]] engine::Loop& loop() const noexcept { return *loop_; }
  [[nodiscard]] std::uint32_t index() const noexcept { return index_; }
  [[nodiscard]] EngineCounters& counters() noexcept { return counters_; }
  /// Open, or submitted and about to be.
  [[nodiscard]] std::uint64_t open_exchanges() const noexcept {
    return counters_.open.load(std::memory_order_relaxed) + promised_.load(std::memory_order_relaxed);
  }
  /// An exchange is on its way into the mailbox; start() redeems it, or else whoever promised takes it back.
  /// Sequentially consistent, as close() reads it: who promises before he looks whether the gateway is closed is seen.
  void promise() noexcept { promised_.fetch_add(1); }
  void take_back() noexcept { promised_.fetch_sub(1); }
  [[nodiscard]] bool promised() const noexcept { return promised_.load() != 0; }
  /// Connections a listener has given to this engine; the listener moves it.
  std::atomic<std::int64_t> connections{0};

  // Engine thread only; the loop's thread, or the host's inside drive().
  [[nodiscard]] Core& core() noexcept { return core_; }
  [[nodiscard]] const std::shared_ptr<const Snapshot>& snapshot() const noexcept { return snapshot_; }
  /// Opens an exchange for `caller`, which lives until its on_end; `keep_alive` is held as long.
  [[nodiscard]] Exchange& open(ExchangeListener& caller, std::shared_ptr<void> keep_alive = nullptr);
  /// Starts a submitted request under the ticket its caller holds.
  void start(std::uint64_t ticket, Request request, std::shared_ptr<ExchangeListener> listener, CallOptions options);
  /// Null where it has ended.
  [[nodiscard]] Exchange* find(std::uint64_t id) noexcept;
  [[nodiscard]] Exchange* find_ticket(std::uint64_t ticket) noexcept;
  /// The exchange has ended: it goes at the end of this turn.
  void retire(Exchange& exchange);
  void cancel_all();
  /// Puts a snapshot in force; channels of upstreams that are no more are closed once their transfers are done.
  /// `events`: who gets the events from now on, also those of exchanges that began before.
  void adopt(std::shared_ptr<const Snapshot> snapshot, std::shared_ptr<telemetry::EventSinks> events);
  [[nodiscard]] Result<std::shared_ptr<engine::Channel>> channel(const CompiledUpstream& upstream);
  /// To an endpoint that is no upstream's; the caller's own.
  [[nodiscard]] Result<std::unique_ptr<engine::Channel>> open_channel(const engine::Endpoint& endpoint) { return network_->open(endpoint); }
  [[nodiscard]] TokenKeeper& tokens() noexcept { return *tokens_; }
  [[nodiscard]] std::string new_id();
  [[nodiscard]] Random& random() noexcept { return random_; }
  /// For whoever outlives this engine.
  [[nodiscard]] std::shared_ptr<EnginePost> post();
  [[nodiscard]] const std::shared_ptr<telemetry::EventSinks>& events() const noexcept { return events_; }
  /// Room for the line of one event, which is used again for the next.
  [[nodiscard]] std::string& event_line() noexcept { return event_line_; }

 private:
  struct Slot {
    std::unique_ptr<Exchange> exchange;
    std::uint32_t generation = 0;
  };
  Core& core_;
  const std::uint32_t index_;
  Random random_;
  EngineCounters counters_;
  std::atomic<std::uint64_t> promised_{0};
  std::shared_ptr<const Snapshot> snapshot_;
  std::shared_ptr<telemetry::EventSinks> events_;
  std::string event_line_;
  std::unique_ptr<engine::Loop> loop_;
  std::unique_ptr<engine::Transport> network_, simulator_;
  std::unordered_map<const UpstreamState*, std::pair<std::shared_ptr<UpstreamState>, std::shared_ptr<engine::Channel>>> channels_;
  std::unordered_map<std::uint64_t, std::uint64_t> tickets_;  // of submitted requests -> exchange
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::vector<std::unique_ptr<Exchange>> retired_;
  std::unique_ptr<TokenKeeper> tokens_;
  std::shared_ptr<EnginePost> post_;  // once somebody has asked for it
};

}  // namespace sluice::gateway
