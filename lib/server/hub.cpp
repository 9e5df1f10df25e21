// Connections of one listener on one engine.

#include "server/hub.hpp"

#include <vector>

namespace sluice::server {

namespace {

constexpr std::size_t kHandshakeSteps = 4;  // a turn

}  // namespace

bool Census::enter(const std::string& address, const Listen& listen) {
  const std::lock_guard lock(mutex_);
  if (listen.max_connections != 0 && open_ >= listen.max_connections) return false;
  std::uint32_t& here = by_address_[address];
  if (listen.max_connections_per_address != 0 && here >= listen.max_connections_per_address) return false;  // then it is in the map for a reason
  ++here;
  ++open_;
  return true;
}

void Census::leave(const std::string& address) {
  const std::lock_guard lock(mutex_);
  --open_;
  const auto found = by_address_.find(address);
  // Counted out to zero, an address is forgotten: the map holds only who is connected.
  if (found != by_address_.end() && --found->second == 0) by_address_.erase(found);
}

std::uint32_t Census::open() const {
  const std::lock_guard lock(mutex_);
  return open_;
}

Hub::Hub(gateway::Engine& engine, std::size_t index, Serves serves, std::shared_ptr<Census> census)
    : engine_(engine), index_(index), serves_(serves), census_(std::move(census)), scratch_(std::make_unique<std::array<char, 64 * 1024>>()) {}

const Listen& Hub::listen() const noexcept {
  return serves_ == Serves::kExchanges ? engine_.snapshot()->config.gateway.listen[index_] : statistics_listen();
}

std::shared_ptr<const auth::ServerTls> Hub::tls() const noexcept {
  return serves_ == Serves::kExchanges ? engine_.snapshot()->listener_tls[index_] : nullptr;
}

Hub::~Hub() { close_all(); }

void Hub::adopt(int fd, std::string peer) {
  auto connection = std::make_shared<Connection>(*this, fd, std::move(peer));
  Connection& opened = *connection;
  connections_.emplace(&opened, std::move(connection));
  opened.open();
  if (draining_) opened.drain();
}

const ListenRules& Hub::rules() {
  const auto& now = engine_.snapshot();
  if (!rules_ || now.owner_before(ruled_by_) || ruled_by_.owner_before(now)) {
    ruled_by_ = now;  // which this does not keep alive
    rules_.emplace(listen());
  }
  return *rules_;
}

void Hub::leave(Connection& connection) {
  const auto found = connections_.find(&connection);
  if (found == connections_.end()) return;
  census_->leave(connection.peer());
  engine_.connections.fetch_sub(1, std::memory_order_relaxed);
  counters().open.fetch_sub(1, std::memory_order_relaxed);
  // Its own code may be on the stack: it goes when the turn is over.
  loop().defer([gone = std::move(found->second)] {});
  connections_.erase(found);
  report_if_idle();
}

void Hub::exchange_ended() { report_if_idle(); }

void Hub::drain(std::function<void()> idle) {
  draining_ = true;
  idle_ = std::move(idle);
  for (const auto& [pointer, connection] : connections_) pointer->drain();
  report_if_idle();
}

void Hub::cut() {
  std::vector<std::shared_ptr<Connection>> busy;
  for (const auto& [pointer, connection] : connections_) {
    if (pointer->busy()) busy.push_back(connection);
  }
  for (const auto& connection : busy) connection->cut();
}

void Hub::close_all() {
  std::vector<std::shared_ptr<Connection>> all;
  for (const auto& [pointer, connection] : connections_) all.push_back(connection);
  for (const auto& connection : all) connection->close();
  waiting_.clear();
}

void Hub::shake_hands(Connection& connection) {
  if (!std::exchange(turn_ends_, true)) loop().defer([this] { shake_waiting_hands(); });
  if (steps_ >= kHandshakeSteps || !waiting_.empty()) return waiting_.push_back(connection.weak_from_this());
  ++steps_;
  connection.shake_hands();
}

void Hub::shake_waiting_hands() {
  turn_ends_ = false;
  steps_ = 0;
  while (!waiting_.empty() && steps_ < kHandshakeSteps) {
    const std::shared_ptr<Connection> next = waiting_.front().lock();
    waiting_.pop_front();
    if (next && next->shake_hands()) ++steps_;
  }
  if (steps_ == 0) return;
  turn_ends_ = true;
  loop().defer([this] { shake_waiting_hands(); });
}

void Hub::report_if_idle() {
  if (!idle_) return;
  for (const auto& [pointer, connection] : connections_) {
    if (pointer->busy()) return;
  }
  std::exchange(idle_, nullptr)();
}

}  // namespace sluice::server
