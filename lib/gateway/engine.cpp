// One engine: who is open, which snapshot is in force, which channel leads to which upstream.

#include "gateway/engine.hpp"

#include "gateway/core.hpp"

namespace sluice::gateway {
namespace {

// An exchange's id: engine, slot and the slot's generation, so that a stale id finds nothing.
constexpr unsigned kSlotBits = 24, kGenerationBits = 32;

std::uint64_t make_id(std::uint32_t engine, std::uint32_t slot, std::uint32_t generation) noexcept {
  return (static_cast<std::uint64_t>(engine + 1) << (kSlotBits + kGenerationBits)) | (static_cast<std::uint64_t>(slot) << kGenerationBits) | generation;
}

}  // namespace

Engine::Engine(Core& core, std::uint32_t index, std::uint64_t seed) : core_(core), index_(index), random_(seed) {}

Engine::~Engine() {
  // Exchanges hold channels, channels hold transports, transports hold the loop: in that order they go.
  retired_.clear();
  slots_.clear();
  channels_.clear();
  simulator_.reset();
  network_.reset();
  if (post_) post_->close();
  loop_.reset();
}

Status Engine::prepare(engine::Backend backend) {
  auto loop = engine::Loop::create(backend, core_.clock());
  if (!loop) return tl::unexpected(loop.error());
  loop_ = std::move(*loop);
  auto network = core_.options().transport != nullptr ? core_.options().transport->create(*loop_)
                                                      : engine::make_curl_transport(*loop_, core_.connection_budgets());
  if (!network) return tl::unexpected(network.error());
  network_ = std::move(*network);
  return {};
}

std::shared_ptr<EnginePost> Engine::post() {
  if (!post_) post_ = std::make_shared<EnginePost>(*loop_);
  return post_;
}

Exchange& Engine::open(ExchangeListener& caller, std::shared_ptr<void> keep_alive) {
  std::uint32_t slot;
  if (free_slots_.empty()) {
    slot = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  counters_.started.fetch_add(1, std::memory_order_relaxed);
  counters_.open.fetch_add(1, std::memory_order_relaxed);
  const std::uint64_t id = make_id(index_, slot, slots_[slot].generation);
  slots_[slot].exchange = std::make_unique<Exchange>(*this, id, caller, std::move(keep_alive));
  return *slots_[slot].exchange;
}

Exchange* Engine::find(std::uint64_t id) noexcept {
  const auto slot = static_cast<std::uint32_t>((id >> kGenerationBits) & ((1u << kSlotBits) - 1));
  if (slot >= slots_.size()) return nullptr;
  Exchange* exchange = slots_[slot].exchange.get();
  return exchange != nullptr && exchange->id() == id ? exchange : nullptr;
}

void Engine::start(std::uint64_t ticket, Request request, std::shared_ptr<ExchangeListener> listener, CallOptions options) {
  promised_.fetch_sub(1, std::memory_order_relaxed);
  ExchangeListener& caller = *listener;
  Exchange& exchange = open(caller, std::move(listener));
  exchange.set_ticket(ticket);
  tickets_.emplace(ticket, exchange.id());
  caller.on_start(ticket);
  if (const Status usable = core_.usable(); !usable) return exchange.abandon(usable.error());
  RequestStart start;
  start.method = std::move(request.method);
  start.target = std::move(request.target);
  start.headers = std::move(request.headers);
  start.has_body = options.body_follows || !request.body.empty();
  if (!options.body_follows) start.declared_length = request.body.size();
  if (!options.consumer.empty()) start.consumer = std::move(options.consumer);
  start.deadline = options.deadline;
  if (!exchange.begin(std::move(start))) return;
  if (!options.body_follows) return exchange.body_whole(std::move(request.body));
  (void)exchange.body_bytes(request.body.view());  // false: it was answered, and what follows finds that out
}

Exchange* Engine::find_ticket(std::uint64_t ticket) noexcept {
  const auto found = tickets_.find(ticket);
  return found == tickets_.end() ? nullptr : find(found->second);
}

void Engine::retire(Exchange& exchange) {
  if (exchange.ticket() != 0) tickets_.erase(exchange.ticket());
  const auto index = static_cast<std::uint32_t>((exchange.id() >> kGenerationBits) & ((1u << kSlotBits) - 1));
  Slot& slot = slots_[index];
  // Its own code may still be on the stack.
  if (retired_.empty()) {
    loop_->defer([this] { retired_.clear(); });
  }
  retired_.push_back(std::move(slot.exchange));
  ++slot.generation;
  free_slots_.push_back(index);
}

void Engine::cancel_all() {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (Exchange* exchange = slots_[i].exchange.get()) exchange->cancel();
  }
}

void Engine::adopt(std::shared_ptr<const Snapshot> snapshot, std::shared_ptr<telemetry::EventSinks> events) {
  snapshot_ = std::move(snapshot);
  events_ = std::move(events);
  std::erase_if(channels_, [this](const auto& entry) {
    for (const CompiledUpstream& upstream : snapshot_->upstreams) {
      if (upstream.state.get() == entry.first) return false;
    }
    return true;
  });
}

Result<std::shared_ptr<engine::Channel>> Engine::channel(const CompiledUpstream& upstream) {
  const auto found = channels_.find(upstream.state.get());
  if (found != channels_.end()) return found->second.second;
  engine::Transport* transport = network_.get();
  if (upstream.state->simulated && core_.options().transport == nullptr) {
    if (!simulator_) simulator_ = sim::make_simulator_transport(*loop_, *core_.simulators());
    transport = simulator_.get();
  }
  auto opened = transport->open(upstream.state->endpoint);
  if (!opened) return tl::unexpected(opened.error());
  std::shared_ptr<engine::Channel> channel = std::move(*opened);
  // An exchange of an older snapshot may be the last to use this upstream: its channel is then its own.
  bool current = false;
  for (const CompiledUpstream& other : snapshot_->upstreams) current = current || other.state == upstream.state;
  if (current) channels_.emplace(upstream.state.get(), std::pair(upstream.state, channel));
  return channel;
}

std::string Engine::new_id() {
  static constexpr char kDigits[] = "0123456789abcdefghjkmnpqrstvwxyz";  // Crockford's base 32
  std::string id = "req_";
  id.reserve(28);
  std::uint64_t bits = random_.next();
  for (int i = 0; i < 24; ++i) {
    if (i == 12) bits = random_.next();
    id.push_back(kDigits[bits & 31]);
    bits >>= 5;
  }
  return id;
}

}  // namespace sluice::gateway
