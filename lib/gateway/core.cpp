// The gateway behind its handle: opening, threads, submit, reload, close.

#include "gateway/core.hpp"

#include <csignal>

#include <algorithm>
#include <condition_variable>
#include <random>

#include "gateway/delta_listener.hpp"
#include "gateway/fixed_settings.hpp"
#include "json/prepare.hpp"

namespace sluice::gateway {
namespace {

/// Counts down from any thread; one waits.
class Latch {
 public:
  explicit Latch(std::size_t count) : count_(count) {}
  void arrive() {
    const std::lock_guard lock(mutex_);
    if (--count_ == 0) done_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return count_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable done_;
  std::size_t count_;
};

/// Keeps an engine from being closed down between a request's acceptance and its way into the mailbox.
class Promise {
 public:
  explicit Promise(Engine& engine) noexcept : engine_(&engine) { engine.promise(); }
  ~Promise() {
    if (engine_ != nullptr) engine_->take_back();
  }
  Promise(const Promise&) = delete;
  Promise& operator=(const Promise&) = delete;
  /// It is in the mailbox.
  void given() noexcept { engine_ = nullptr; }

 private:
  Engine* engine_;
};

constexpr std::uint64_t kMaxEngines = 256;  // a ticket's lowest byte names its engine

std::uint64_t system_seed() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}

}  // namespace

Core::Core(OpenOptions options)
    : options_(std::move(options)), clock_(options_.clock != nullptr ? options_.clock : &system_clock()),
      opened_at_(clock_->now()),
      seeds_(options_.seed != 0 ? options_.seed : system_seed()),
      budgets_(engine::make_connection_budgets()),
      simulators_(std::make_shared<sim::SimulatorScripts>(seeds_.next(), clock_->now())) {}

Result<std::unique_ptr<Core>> Core::open(Config config, OpenOptions options) {
  json::prepare();
  std::unique_ptr<Core> core(new Core(std::move(options)));
  const std::uint32_t threads = config.gateway.threads;
  if (core->clock_->is_manual()) {
    const bool simulated = core->options_.transport != nullptr && core->options_.transport->simulated();
    if (threads != 0 || !simulated) {
      return fail(Code::kInvalidConfiguration, "a manual clock needs threads = 0 and a simulated transport: nothing real waits for it");
    }
  }
  core->host_plugins_ = {core->options_.plugins, core->options_.observers, {}};
  if (const auto& log = core->options_.log) core->host_plugins_.log = [log](std::string_view line) { log(LogLevel::kInfo, line); };
  if (Status judged = judge_host(core->host_plugins_); !judged) return tl::unexpected(judged.error());
  auto snapshot = Snapshot::compile(std::move(config), nullptr, core->host_plugins_, core->options_.credentials);
  if (!snapshot) return tl::unexpected(snapshot.error());
  core->snapshot_ = std::move(*snapshot);
  core->host_driven_ = threads == 0;
  core->set_simulators(*core->snapshot_);
  auto events = core->open_events(*core->snapshot_);
  if (!events) return tl::unexpected(events.error());
  core->events_ = std::move(*events);

  const auto backend = core->options_.portable_loop ? engine::Backend::kPoll : engine::Backend::kEpoll;
  for (std::uint32_t i = 0; i < std::max(threads, 1u); ++i) {
    auto engine = std::make_unique<Engine>(*core, i, core->seeds_.next());
    if (Status prepared = engine->prepare(backend); !prepared) return tl::unexpected(prepared.error());
    engine->adopt(core->snapshot_, core->events_);
    core->engines_.push_back(std::move(engine));
  }
  core->key_salt_ = core->make_key_salt();
  if (!core->host_driven_) core->run_threads();
  return core;
}

void Core::run_threads() {
  // Engine threads take no signals: those are the host's.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  for (const auto& engine : engines_) {
    threads_.emplace_back([loop = &engine->loop()] { loop->run(); });
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Core::~Core() {
  if (fork_mark_.in_child()) {
    // A child of fork has none of the threads and shares the descriptors: it lets everything lie.
    for (std::thread& thread : threads_) thread.detach();
    for (auto& engine : engines_) (void)engine.release();
    return;
  }
  (void)close();
}

void Core::set_simulators(const Snapshot& snapshot) {
  for (const Upstream& upstream : snapshot.config.upstreams) {
    if (upstream.provider == "simulator") simulators_->set(upstream.name, upstream.simulator);
  }
}

std::shared_ptr<const Snapshot> Core::snapshot() const {
  const std::lock_guard lock(mutex_);
  return snapshot_;
}

Engine& Core::least_loaded() const noexcept {
  Engine* best = engines_.front().get();
  std::uint64_t fewest = best->open_exchanges();
  for (const auto& engine : engines_) {
    if (const std::uint64_t open = engine->open_exchanges(); open < fewest) {
      best = engine.get();
      fewest = open;
    }
  }
  return *best;
}

bool Core::on_engine_thread() const noexcept {
  for (const auto& engine : engines_) {
    if (engine->loop().on_loop_thread()) return true;
  }
  return false;
}

Status Core::usable() const {
  if (fork_mark_.in_child()) return fail(Code::kForked, "this gateway was opened in a parent process; open it after the fork");
  if (closed_.load()) return fail(Code::kClosed, "the gateway is closed");
  return {};
}

Result<std::uint64_t> Core::submit(Request request, std::shared_ptr<ExchangeListener> listener, CallOptions options) {
  if (Status ready = usable(); !ready) return tl::unexpected(ready.error());
  if (options.deltas) listener = read_deltas(request, std::move(listener));
  Engine& engine = least_loaded();
  struct Submission {
    Request request;
    std::shared_ptr<ExchangeListener> listener;
    CallOptions options;
  };
  auto submission = std::make_shared<Submission>(Submission{std::move(request), std::move(listener), std::move(options)});
  const std::uint64_t ticket = next_ticket_.fetch_add(1, std::memory_order_relaxed) * kMaxEngines + engine.index();
  Promise promise(engine);
  // Asked again behind the promise: either close() waits for this request, or this sees that it has begun.
  if (Status ready = usable(); !ready) return tl::unexpected(ready.error());
  engine.loop().post([&engine, submission, ticket] {
    engine.start(ticket, std::move(submission->request), std::move(submission->listener), std::move(submission->options));
  });
  promise.given();
  return ticket;
}

void Core::cancel(std::uint64_t ticket) {
  if (!usable()) return;
  const std::size_t index = ticket % kMaxEngines;
  if (index >= engines_.size()) return;
  Engine& engine = *engines_[index];
  engine.loop().post([&engine, ticket] {
    if (Exchange* exchange = engine.find_ticket(ticket)) exchange->cancel();
  });
}

void Core::pause(std::uint64_t ticket, bool paused) {
  if (!usable()) return;
  const std::size_t index = ticket % kMaxEngines;
  if (index >= engines_.size()) return;
  Engine& engine = *engines_[index];
  // From inside on_bytes at once: a pause that travels would let the rest of the turn in, and a resume could overtake it.
  if (paused && engine.loop().on_loop_thread()) {
    if (Exchange* exchange = engine.find_ticket(ticket)) exchange->pause_answer();
    return;
  }
  engine.loop().post([&engine, ticket, paused] {
    if (Exchange* exchange = engine.find_ticket(ticket)) paused ? exchange->pause_answer() : exchange->resume_answer();
  });
}

void Core::send_body(std::uint64_t ticket, std::string bytes, bool last) {
  if (!usable()) return;
  const std::size_t index = ticket % kMaxEngines;
  if (index >= engines_.size()) return;
  Engine& engine = *engines_[index];
  engine.loop().post([&engine, ticket, last, piece = std::move(bytes)] {
    Exchange* exchange = engine.find_ticket(ticket);
    if (exchange == nullptr || !exchange->body_bytes(piece)) return;
    if (last) exchange->body_done();
  });
}

Status Core::reload(Config config) {
  if (Status ready = usable(); !ready) return ready;
  if (on_engine_thread() && !host_driven_) return fail(Code::kWouldDeadlock, "reload waits for the engines; call it from another thread");
  const std::lock_guard one_at_a_time(reload_mutex_);
  const std::shared_ptr<const Snapshot> before = snapshot();
  if (const std::vector<Problem> fixed = changed_fixed_settings(before->config, config); !fixed.empty()) {
    return fail(Code::kInvalidConfiguration, to_string(fixed), fixed.front().pointer);
  }
  auto compiled = Snapshot::compile(std::move(config), before.get(), host_plugins_, options_.credentials);
  if (!compiled) return tl::unexpected(compiled.error());
  auto events = open_events(**compiled);
  if (!events) return tl::unexpected(events.error());
  std::shared_ptr<telemetry::EventSinks> replaced;
  {
    const std::lock_guard lock(mutex_);
    snapshot_ = *compiled;
    replaced = std::exchange(events_, *events);
  }
  set_simulators(**compiled);
  if (host_driven_) {
    engines_.front()->adopt(*compiled, *events);
    replaced->close_all_but(**events, farewell());
    return {};
  }
  auto latch = std::make_shared<Latch>(engines_.size());
  for (const auto& engine : engines_) {
    engine->loop().post([latch, target = engine.get(), snapshot = *compiled, events = *events] {
      target->adopt(snapshot, events);
      latch->arrive();
    });
  }
  latch->wait();
  replaced->close_all_but(**events, farewell());  // nobody writes to them any more
  return {};
}

Statistics Core::statistics() const {
  Statistics out;
  for (const auto& engine : engines_) {
    EngineCounters& counters = engine->counters();
    out.exchanges_started += counters.started.load(std::memory_order_relaxed);
    out.exchanges_open += counters.open.load(std::memory_order_relaxed);
    out.completed += counters.completed.load(std::memory_order_relaxed);
    out.refused += counters.refused.load(std::memory_order_relaxed);
    out.failed += counters.failed.load(std::memory_order_relaxed);
    out.cancelled += counters.cancelled.load(std::memory_order_relaxed);
    out.replayed_sends += counters.replayed.load(std::memory_order_relaxed);
    out.decoded_answers += counters.decoded.load(std::memory_order_relaxed);
    out.plugin_errors += counters.plugin_errors.load(std::memory_order_relaxed);
    out.plugin_timeouts += counters.plugin_timeouts.load(std::memory_order_relaxed);
    out.plugins_failed_open += counters.plugins_failed_open.load(std::memory_order_relaxed);
    out.ignored_resumes += counters.ignored_resumes.load(std::memory_order_relaxed);
    out.unrecorded_verdicts += counters.unrecorded_verdicts.load(std::memory_order_relaxed);
    out.max_loop_lag = std::max(out.max_loop_lag, engine->loop().take_lag());
    out.open_per_engine.push_back(engine->open_exchanges());
    const ConnectionCounters& connections = counters.connections;
    out.connections.open += connections.open.load(std::memory_order_relaxed);
    out.connections.accepted += connections.accepted.load(std::memory_order_relaxed);
    out.connections.refused += connections.refused.load(std::memory_order_relaxed);
    out.connections.tls_handshakes += connections.tls_handshakes.load(std::memory_order_relaxed);
    out.connections.tls_failures += connections.tls_failures.load(std::memory_order_relaxed);
    out.connections.bytes_received += connections.bytes_received.load(std::memory_order_relaxed);
    out.connections.bytes_sent += connections.bytes_sent.load(std::memory_order_relaxed);
  }
  out.body_bytes_held = body_bytes_.load(std::memory_order_relaxed);
  if (!fork_mark_.in_child()) {  // a child of fork may find a lock held by nobody it has
    const auto in_force = snapshot();
    for (const CompiledUpstream& upstream : in_force->upstreams) {
      const UpstreamState& state = *upstream.state;
      out.upstreams.push_back({.name = upstream.config->name,
                               .in_flight = state.in_flight->count(),
                               .attempts = state.attempts.load(std::memory_order_relaxed),
                               .failures = state.failures.load(std::memory_order_relaxed)});
    }
    out.events = events()->statistics();
    out.token_corrections = token_ratios_->all();
  }
  return out;
}

Status Core::close() {
  if (fork_mark_.in_child()) return fail(Code::kForked, "this gateway was opened in a parent process");
  if (on_engine_thread() && !host_driven_) return fail(Code::kWouldDeadlock, "close waits for the engines; call it from another thread");
  if (closed_.exchange(true)) return {};
  for (const auto& engine : engines_) {
    if (host_driven_) {
      engine->cancel_all();
      continue;
    }
    engine->loop().post([target = engine.get()] {
      target->cancel_all();
      // What is deferred still runs; then the loop ends.
      target->loop().defer([target] { target->loop().stop(); });
    });
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  // A request submitted beside close() may still lie in a mailbox, or be on its way there: it is told that the gateway is closed.
  for (const auto& engine : engines_) {
    do {
      engine->loop().turn(clock_->now());
    } while (engine->promised());
  }
  if (const auto last = events()) last->close(farewell());
  return {};
}

bool Core::take_exchange(std::uint32_t most) noexcept {
  if (most == 0) return true;
  std::uint32_t open = counted_exchanges_.load(std::memory_order_relaxed);
  while (open < most) {
    if (counted_exchanges_.compare_exchange_weak(open, open + 1, std::memory_order_relaxed)) return true;
  }
  return false;
}

void Core::log(LogLevel level, std::string_view line) const {
  if (options_.log) options_.log(level, line);
}

bool Core::take_body_bytes(std::uint64_t bytes, std::uint64_t budget) noexcept {
  std::uint64_t held = body_bytes_.load(std::memory_order_relaxed);
  while (held + bytes <= budget) {
    if (body_bytes_.compare_exchange_weak(held, held + bytes, std::memory_order_relaxed)) return true;
  }
  return false;
}

}  // namespace sluice::gateway
