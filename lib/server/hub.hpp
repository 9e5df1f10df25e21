#pragma once
/// What one listener has on one engine: its connections, and what they share there.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "gateway/core.hpp"
#include "gateway/engine.hpp"
#include "server/connection.hpp"
#include "server/listen_rules.hpp"
#include "server/pages.hpp"
#include "sluice/config.hpp"

namespace sluice::server {

/// Who is connected to one listener, over all engines. Thread: any.
class Census {
 public:
  /// Counts a connection in. False where the listener, or this address, has as many as it may; who is in stays.
  [[nodiscard]] bool enter(const std::string& address, const Listen& listen);
  void leave(const std::string& address);
  [[nodiscard]] std::uint32_t open() const;

 private:
  mutable std::mutex mutex_;
  std::uint32_t open_ = 0;
  std::unordered_map<std::string, std::uint32_t> by_address_;
};

/// Engine thread only, except the constructor.
class Hub {
 public:
  /// `index`: of the listener in the configuration, where exchanges are served.
  Hub(gateway::Engine& engine, std::size_t index, Serves serves, std::shared_ptr<Census> census);
  ~Hub();

  void adopt(int fd, std::string peer);
  /// Takes nothing more in; `idle` is called once, when no exchange is running here any more.
  void drain(std::function<void()> idle);
  void cut();
  void close_all();

  [[nodiscard]] gateway::Engine& engine() noexcept { return engine_; }
  [[nodiscard]] engine::Loop& loop() noexcept { return engine_.loop(); }
  /// As the configuration in force has it.
  [[nodiscard]] const Listen& listen() const noexcept;
  [[nodiscard]] std::shared_ptr<const auth::ServerTls> tls() const noexcept;  ///< null = plain
  /// Who may call, and who they are; likewise.
  [[nodiscard]] const ListenRules& rules();
  [[nodiscard]] const RequestLimits& limits() const noexcept { return engine_.snapshot()->config.gateway.limits; }
  [[nodiscard]] Serves serves() const noexcept { return serves_; }
  /// Who asks for statistics is not among those that are counted there.
  [[nodiscard]] gateway::ConnectionCounters& counters() noexcept { return serves_ == Serves::kExchanges ? engine_.counters().connections : apart_; }
  /// Read space all connections of this engine share: a connection that is not being read from holds none.
  [[nodiscard]] std::array<char, 64 * 1024>& scratch() noexcept { return *scratch_; }

  // For its connections.
  void leave(Connection& connection);
  void exchange_ended();
  /// Lets the connection do its step now, or in a later turn where this one has seen enough of them: a signature takes as
  /// long as ten requests, and streams are waiting.
  void shake_hands(Connection& connection);

 private:
  void report_if_idle();
  void shake_waiting_hands();
  gateway::Engine& engine_;
  const std::size_t index_;
  const Serves serves_;
  std::weak_ptr<const gateway::Snapshot> ruled_by_;  // what rules_ were compiled of
  std::optional<ListenRules> rules_;
  std::shared_ptr<Census> census_;
  gateway::ConnectionCounters apart_;  // of connections that do not count
  std::unique_ptr<std::array<char, 64 * 1024>> scratch_;
  std::unordered_map<Connection*, std::shared_ptr<Connection>> connections_;
  std::deque<std::weak_ptr<Connection>> waiting_;  // for a step of their handshake
  std::size_t steps_ = 0;                          // of handshakes, in this turn
  bool turn_ends_ = false;                         // shake_waiting_hands() is deferred
  bool draining_ = false;
  std::function<void()> idle_;
};

}  // namespace sluice::server
