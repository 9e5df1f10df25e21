// Waiting for answers: Call gathers a whole one, Stream hands out its events as they come.

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "dialect/dialect.hpp"
#include "gateway/core.hpp"
#include "http/event_reader.hpp"
#include "http/target.hpp"
#include "sluice/gateway.hpp"

namespace sluice {
namespace {

// What one event of a pulled stream may hold; the gateway has bounded it before.
constexpr std::size_t kEventBytes = 1u << 20;

constexpr std::size_t kPauseAt = 48 * 1024;   // with one more read of 16 KiB on its way, 64 KiB wait unread at most
constexpr std::size_t kResumeAt = 16 * 1024;
constexpr Milliseconds kTurn{50};             // of a host-driven gateway while somebody waits

/// What the engine thread and the waiting thread share of one exchange.
class Inbox final : public ExchangeListener {
 public:
  explicit Inbox(gateway::Core& core, bool bounded) : core_(core), bounded_(bounded) {}

  void on_head(const ResponseHead& head) override {
    const std::lock_guard lock(mutex_);
    head_ = head;
  }
  void on_bytes(std::string_view bytes) override {
    bool pause = false;
    {
      const std::lock_guard lock(mutex_);
      bytes_.append(bytes);
      pause = bounded_ && !paused_ && ticket_ != 0 && bytes_.size() >= kPauseAt;
      paused_ = paused_ || pause;
    }
    if (pause) core_.pause(ticket_, true);
    arrived_.notify_all();
  }
  void on_end(const Outcome& outcome) override {
    {
      const std::lock_guard lock(mutex_);
      outcome_ = outcome;
      ended_ = true;
    }
    arrived_.notify_all();
  }

  /// Waits until the end, or until bytes are there; `until` empty = for ever. False: neither.
  bool wait(bool for_bytes, std::optional<std::chrono::steady_clock::time_point> until) {
    const auto ready = [&] { return ended_ || (for_bytes && !bytes_.empty()); };
    if (core_.host_driven()) {
      for (;;) {
        {
          const std::lock_guard lock(mutex_);
          if (ready()) return true;
        }
        auto& loop = core_.host_engine().loop();
        const bool manual = core_.clock().is_manual();
        const std::size_t events = loop.turn(core_.clock().now() + (manual ? Milliseconds{0} : kTurn));
        core_.carry_events();
        // Time that passes only when told will not pass while we wait for it.
        if (manual && events == 0) return false;
        if (until && std::chrono::steady_clock::now() >= *until) return false;
      }
    }
    std::unique_lock lock(mutex_);
    if (!until) return arrived_.wait(lock, ready), true;
    return arrived_.wait_until(lock, *until, ready);
  }
  /// Moves what has come into `out`, and lets the upstream go on.
  void take(std::string& out) {
    bool resume = false;
    {
      const std::lock_guard lock(mutex_);
      out.append(bytes_);
      bytes_.clear();
      resume = paused_ && bytes_.size() <= kResumeAt;
      if (resume) paused_ = false;
    }
    if (resume) core_.pause(ticket_, false);
  }

  gateway::Core& core_;
  const bool bounded_;
  std::atomic<std::uint64_t> ticket_{0};  // the engine may bring bytes before submit() has said it
  std::mutex mutex_;
  std::condition_variable arrived_;
  // Under mutex_.
  ResponseHead head_;
  std::string bytes_;
  Outcome outcome_;
  bool ended_ = false, paused_ = false;
};

}  // namespace

struct Call::State {
  std::shared_ptr<Inbox> inbox;
  std::optional<Error> refused;  // before anything was started
};

struct Stream::State {
  std::shared_ptr<Inbox> inbox;
  const dialect::Dialect* dialect = nullptr;
  std::string received;          // not yet taken apart
  std::string piece;             // what the reader looks at
  http::Framing framing = http::Framing::kSse;
  std::unique_ptr<http::EventReader> reader;   // null until the head has come
  bool whole = false;            // the answer is no event stream: one event holds it
  bool judged = false;
  bool done = false;
  Outcome outcome;
};

Call Gateway::send(Request request, CallOptions options) {
  auto state = std::make_shared<Call::State>();
  state->inbox = std::make_shared<Inbox>(*core_, false);
  auto ticket = core_->submit(std::move(request), state->inbox, std::move(options));
  if (ticket) {
    state->inbox->ticket_ = *ticket;
  } else {
    state->refused = ticket.error();
  }
  return Call(std::move(state));
}

Call::Call(std::shared_ptr<State> state) : state_(std::move(state)) {}
Call::Call(Call&&) noexcept = default;
Call& Call::operator=(Call&& other) noexcept {
  if (this != &other) {
    cancel();
    state_ = std::move(other.state_);
  }
  return *this;
}
Call::~Call() { cancel(); }

void Call::cancel() {
  if (state_ && !state_->refused) state_->inbox->core_.cancel(state_->inbox->ticket_);
}

Result<Answer> Call::get() {
  if (!state_) return fail(Code::kInvalidRequest, "this call was moved from, or asked before");
  if (state_->refused) return tl::unexpected(*state_->refused);
  Inbox& inbox = *state_->inbox;
  if (!inbox.core_.host_driven() && inbox.core_.on_engine_thread()) {
    return fail(Code::kWouldDeadlock, "get() waits for an engine; call it from another thread, or use submit()");
  }
  if (!inbox.wait(false, std::nullopt)) {
    return fail(Code::kWouldDeadlock, "the clock is manual and nothing is due: advance it, then ask again");
  }
  const auto state = std::move(state_);
  if (inbox.outcome_.error) return tl::unexpected(*inbox.outcome_.error);
  return Answer{inbox.head_.status, std::move(inbox.head_.headers), std::move(inbox.bytes_), std::move(inbox.outcome_)};
}

Stream Gateway::stream(Request request, CallOptions options) {
  auto state = std::make_shared<Stream::State>();
  state->inbox = std::make_shared<Inbox>(*core_, true);
  dialect::Recognised recognised;
  const auto target = http::parse_target(request.target);
  if (target) {
    state->dialect = dialect::recognise(request.method, target->path, target->query, request.headers, recognised);
  }
  if (state->dialect == nullptr) state->dialect = &dialect::openai();
  state->framing = recognised.framing;
  auto ticket = core_->submit(std::move(request), state->inbox, std::move(options));
  if (ticket) {
    state->inbox->ticket_ = *ticket;
  } else {
    state->done = true;
    state->outcome.ending = Ending::kRefused;
    state->outcome.error = ticket.error();
    state->outcome.status = ticket.error().http_status;
  }
  return Stream(std::move(state));
}

Stream::Stream(std::shared_ptr<State> state) : state_(std::move(state)) {}
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&& other) noexcept {
  if (this != &other) {
    cancel();
    state_ = std::move(other.state_);
  }
  return *this;
}
Stream::~Stream() { cancel(); }

void Stream::cancel() {
  if (state_ && !state_->done) state_->inbox->core_.cancel(state_->inbox->ticket_);
}

bool Stream::done() const { return state_->done; }
const Outcome& Stream::outcome() const { return state_->outcome; }

std::optional<Event> Stream::next(std::chrono::milliseconds timeout) {
  State& s = *state_;
  const auto until = std::chrono::steady_clock::now() + timeout;
  const auto event_of = [&s](std::string_view data) {
    Event event;
    event.data_ = data;
    event.text_ = s.dialect->event_text(data);
    return event;
  };
  while (!s.done) {
    http::StreamEvent parsed;
    if (s.reader) {
      const auto more = s.reader->next(parsed);
      if (more && *more) {
        if (parsed.has_data) return event_of(parsed.data);
        continue;
      }
    }
    const bool arrived = s.inbox->wait(true, until);
    if (!arrived) return std::nullopt;
    bool ended = false;
    {
      const std::lock_guard lock(s.inbox->mutex_);
      ended = s.inbox->ended_;
      if (!s.judged) {
        s.judged = true;
        const ResponseHead& head = s.inbox->head_;
        const bool array = s.framing == http::Framing::kJsonArray && head.status < 400;  // a type that tells nothing
        s.whole = !http::is_stream_type(head.headers.get("content-type").value_or(""), s.framing) && !array;
        if (!s.whole) s.reader = http::make_event_reader(s.framing, kEventBytes);
      }
    }
    s.piece.clear();
    s.inbox->take(s.whole ? s.received : s.piece);
    if (!s.whole && !s.piece.empty()) {
      s.reader->feed(s.piece);
      continue;
    }
    if (!ended) continue;
    const std::lock_guard lock(s.inbox->mutex_);
    if (!s.inbox->bytes_.empty()) continue;
    s.outcome = s.inbox->outcome_;
    s.done = true;
    if (s.whole && !s.received.empty()) return event_of(s.received);
    if (!s.whole && s.reader->finish(parsed) && parsed.has_data) return event_of(parsed.data);
  }
  return std::nullopt;
}

}  // namespace sluice
