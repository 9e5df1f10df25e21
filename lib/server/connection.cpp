// One client connection, from accept to close.

#include "server/connection.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "http/forwarded.hpp"
#include "server/hub.hpp"

namespace sluice::server {
namespace {

constexpr std::size_t kPendingBytes = 64 * 1024;    // of pipelined requests; then the client is not read from
constexpr std::size_t kPauseAt = 48 * 1024;         // unsent bytes of an answer; with one more read of 16 KiB, 64 KiB at most
constexpr std::size_t kResumeAt = 16 * 1024;
constexpr std::uint64_t kSlowestBody = 500;         // bytes a second, on the whole, once its first body_timeout is over
constexpr std::size_t kLingerBytes = 1u << 20;
constexpr Milliseconds kLinger{2'000};              // for the client to read the last answer before a reset could take it away
constexpr std::string_view kSpeakTls =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 52\r\nConnection: close\r\n\r\n"
    "this port speaks TLS: ask again with https:// there\n";
static_assert(kSpeakTls.size() - kSpeakTls.find("\r\n\r\n") - 4 == 52);

}  // namespace

Connection::Connection(Hub& hub, int fd, std::string peer)
    : hub_(hub),
      channel_(fd, hub.tls()),
      peer_(std::move(peer)),
      parser_(*this, {hub.limits().header_bytes, hub.limits().headers}),
      timer_([this] { on_timer(); }) {}

Connection::~Connection() = default;

void Connection::open() {
  if (channel_.secure()) {
    phase_ = Phase::kHandshake;
    watch();
    return expect_within(hub_.listen().tls->handshake_timeout);
  }
  watch();
  expect_within(hub_.listen().header_timeout);
}

void Connection::drain() { draining_ = true; }

void Connection::cut() {
  last_ = true;
  if (exchange_ == nullptr) return;
  exchange_->abandon(make_error(Code::kShuttingDown, "the gateway shuts down; its drain deadline has passed"));
}

void Connection::close() {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosed;
  if (exchange_ != nullptr) exchange_->cancel();
  hub_.loop().disarm(timer_);
  hub_.loop().unwatch(channel_.fd());
  channel_.close();
  hub_.leave(*this);
}

void Connection::on_ready(int, std::uint32_t ready) {
  if (phase_ == Phase::kHandshake) return shake_hands_later();
  // Under TLS one direction may have waited for the other.
  if (channel_.interest() != 0) ready |= engine::kWritable | (reading_paused_ ? engine::kNothing : engine::kReadable);
  if ((ready & engine::kWritable) != 0) on_writable();
  if (phase_ != Phase::kClosed && (ready & (engine::kReadable | engine::kBroken)) != 0) read();
}

void Connection::shake_hands_later() {
  if (!std::exchange(shaking_later_, true)) hub_.shake_hands(*this);
}

bool Connection::shake_hands() {
  shaking_later_ = false;
  if (phase_ != Phase::kHandshake) return false;
  auto& counters = hub_.counters();
  switch (channel_.handshake()) {
    case Channel::State::kAgain: watch(); return true;
    case Channel::State::kClosed:
      counters.tls_failures.fetch_add(1, std::memory_order_relaxed);
      if (channel_.spoke_plainly()) channel_.send_plainly(kSpeakTls);
      close();
      return true;
    case Channel::State::kDone: break;
  }
  counters.tls_handshakes.fetch_add(1, std::memory_order_relaxed);
  if (auto certificate = channel_.peer_certificate()) {
    certificate_ = std::make_unique<const auth::PeerCertificate>(*std::move(certificate));
  }
  phase_ = Phase::kIdle;
  watch();
  expect_within(hub_.listen().header_timeout);
  if (channel_.buffered()) read_later();
  return true;
}

void Connection::read() {
  auto& space = hub_.scratch();
  const Channel::Moved got = channel_.receive(space);
  if (got.state == Channel::State::kAgain) return watch();
  if (got.state == Channel::State::kClosed) return gone();
  hub_.counters().bytes_received.fetch_add(got.bytes, std::memory_order_relaxed);
  take({space.data(), got.bytes});
  if (phase_ != Phase::kClosed && !reading_paused_ && channel_.buffered()) read_later();
}

/// What TLS has taken off the socket already makes nothing readable.
void Connection::read_later() {
  if (std::exchange(read_again_, true)) return;
  hub_.loop().defer([self = shared_from_this()] {
    self->read_again_ = false;
    if (self->phase_ != Phase::kClosed && !self->reading_paused_) self->read();
  });
}

void Connection::take(std::string_view bytes) {
  switch (phase_) {
    case Phase::kLingering:
      discarded_ += bytes.size();
      if (discarded_ > kLingerBytes) close();
      return;
    case Phase::kAnswering:
      pending_.append(bytes);
      if (pending_.size() >= kPendingBytes) {
        reading_paused_ = true;
        watch();
      }
      return;
    case Phase::kIdle:
    case Phase::kHead:
    case Phase::kBody: return parse(bytes);
    case Phase::kHandshake:
    case Phase::kClosed: return;
  }
}

void Connection::parse(std::string_view bytes) {
  const TimePoint idle_until = deadline_;
  if (phase_ == Phase::kIdle) {
    phase_ = Phase::kHead;
    expect_within(hub_.listen().header_timeout);
  }
  parsing_ = true;
  const auto taken = parser_.feed(bytes);
  parsing_ = false;
  if (phase_ == Phase::kClosed) return;
  if (!taken) return refuse_wire(taken.error());
  if (*taken < bytes.size() && phase_ != Phase::kLingering) pending_.append(bytes.substr(*taken));
  // Bytes that made no request yet (a blank line between two) leave the connection as idle as it was.
  if (phase_ == Phase::kHead && parser_.idle()) {
    phase_ = Phase::kIdle;
    deadline_ = idle_until;  // and buys no time
  }
  if (phase_ == Phase::kIdle && !pending_.empty()) parse_pending();
}

void Connection::parse_pending() {
  // Deferred, so that a long pipeline of quick answers costs no stack and lets other connections in between.
  hub_.loop().defer([self = shared_from_this()] {
    if (self->phase_ != Phase::kIdle || self->pending_.empty()) return;
    const std::string bytes = std::move(self->pending_);
    self->pending_.clear();
    self->parse(bytes);
  });
}

void Connection::on_head(http::RequestHead&& head) {
  responder_.begin(head.http10, head.method == "HEAD");
  request_whole_ = false;
  skipping_body_ = false;
  last_ = !head.keep_alive || draining_;
  phase_ = head.has_body ? Phase::kBody : Phase::kAnswering;
  expect_within(head.has_body ? hub_.listen().body_timeout : Milliseconds{0});
  body_since_ = hub_.loop().now();
  body_bytes_ = 0;

  if (answer_browser(head) || serve_page(head)) {
    skipping_body_ = true;
    return;
  }
  gateway::RequestStart start;
  const auto& trusted = hub_.rules().trusted_proxies;
  start.client_address = trusted.empty() ? peer_ : http::client_address(peer_, head.headers, trusted);
  start.method = std::move(head.method);
  start.target = std::move(head.target);
  start.headers = std::move(head.headers);
  start.has_body = head.has_body;
  if (head.has_body && !head.chunked) start.declared_length = head.content_length;
  start.fixed_dialect = hub_.listen().dialect;
  start.certificate = certificate_.get();
  closing_if_early_ = skips_too_much(head);  // a request that is answered before its body has come costs the connection then
  gateway::Exchange& exchange = hub_.engine().open(*this);
  exchange_ = &exchange;
  if (!exchange.begin(std::move(start))) {
    skipping_body_ = true;
    return;
  }
  if (head.expects_continue && head.has_body) {
    responder_.interim("HTTP/1.1 100 Continue");
    flush_later();
  }
}

void Connection::on_body(std::string_view bytes) {
  if (skipping_body_ || exchange_ == nullptr) return;
  // A byte now and then is no silence, yet it would hold an exchange for as long as its sender likes.
  body_bytes_ += bytes.size();
  const Duration ahead = body_since_ + std::chrono::seconds(body_bytes_ / kSlowestBody) - hub_.loop().now();
  const Milliseconds behind = std::min(Milliseconds{0}, std::chrono::floor<Milliseconds>(ahead));
  expect_within(std::max(Milliseconds{1}, hub_.listen().body_timeout + behind));
  if (!exchange_->body_bytes(bytes)) skipping_body_ = true;
}

void Connection::on_complete() {
  request_whole_ = true;
  parser_.pause();
  if (phase_ == Phase::kLingering || phase_ == Phase::kClosed) return;
  phase_ = Phase::kAnswering;
  expect_taking();
  if (exchange_ != nullptr) return exchange_->body_done();
  answer_done();
}

void Connection::on_head(const ResponseHead& head) {
  if (phase_ == Phase::kClosed) return;
  last_ = last_ || draining_ || (!request_whole_ && closing_if_early_);
  tell(head, last_);
  flush_later();
}

void Connection::on_bytes(std::string_view bytes) {
  if (phase_ == Phase::kClosed || broken_) return;
  wrote(responder_.body(channel_, bytes));
}

void Connection::on_end(const Outcome& outcome) {
  exchange_ = nullptr;
  upstream_paused_ = false;
  if (phase_ == Phase::kClosed || broken_) return hub_.exchange_ended();
  // A whole answer that breaks off must not look whole: its last chunk is withheld and the connection ends.
  const bool cut_short = responder_.missing() != 0 ||
                         (outcome.error && !outcome.streamed && responder_.framing() == Framing::kChunked);
  if (cut_short) {
    last_ = true;
    wrote(responder_.flush(channel_));
  } else {
    wrote(responder_.finish(channel_));
  }
  hub_.exchange_ended();
  if (phase_ != Phase::kClosed && !broken_) answer_done();
}

/// The answer is given to the responder, and maybe still on its way out of it.
void Connection::answer_done() {
  if (!request_whole_ && !last_) {
    skipping_body_ = true;  // what is left of the body is read and thrown away; on_complete comes back here
    return;
  }
  if (responder_.kept() != 0) return;  // on_writable comes back here
  if (last_) return linger();
  next_request();
}

void Connection::next_request() {
  phase_ = Phase::kIdle;
  resume_reading();
  expect_within(hub_.listen().idle_timeout);
  if (!pending_.empty() && !parsing_) parse_pending();
}

void Connection::wrote(Responder::Written written) {
  hub_.counters().bytes_sent.fetch_add(responder_.take_sent(), std::memory_order_relaxed);
  if (written == Responder::Written::kBroken) {
    // The client is gone. Not now: an exchange may be telling us something.
    if (broken_) return;
    broken_ = true;
    hub_.loop().defer([self = shared_from_this()] { self->close(); });
    return;
  }
  if (exchange_ != nullptr && !upstream_paused_ && responder_.kept() > kPauseAt) {
    upstream_paused_ = true;
    exchange_->pause_answer();
  } else if (upstream_paused_ && responder_.kept() <= kResumeAt) {
    resume_later();
  }
  // What is written behind bytes that wait already buys a client that takes none of them no time.
  if (behind_ != (responder_.kept() != 0)) expect_taking();
  watch();
}

/// While an answer waits to be taken its client has a deadline, as it has while its request is waited for.
void Connection::expect_taking() {
  behind_ = responder_.kept() != 0;
  if (phase_ == Phase::kAnswering) expect_within(behind_ ? hub_.listen().body_timeout : Milliseconds{0});
}

/// Whoever wrote: a flush that takes all that waited leaves no socket to become writable. Not inside what the exchange tells.
void Connection::resume_later() {
  if (std::exchange(resuming_later_, true)) return;
  hub_.loop().defer([self = shared_from_this()] {
    self->resuming_later_ = false;
    if (!self->upstream_paused_ || self->responder_.kept() > kResumeAt) return;
    self->upstream_paused_ = false;
    self->exchange_->resume_answer();
  });
}

void Connection::flush_later() {
  // `this` outlives the turn: a connection that leaves goes by a later deferred task.
  hub_.loop().defer([this] {
    if (phase_ != Phase::kClosed && !broken_ && responder_.kept() != 0) wrote(responder_.flush(channel_));
  });
}

void Connection::on_writable() {
  if (phase_ == Phase::kClosed) return;
  wrote(responder_.flush(channel_));
  if (broken_) return;
  expect_taking();  // some of it was
  if (responder_.kept() == 0 && exchange_ == nullptr && phase_ == Phase::kAnswering) answer_done();
}

/// Answered for the last time. Closing at once could reset the answer away while the client still sends.
void Connection::linger() {
  if (phase_ == Phase::kClosed || phase_ == Phase::kLingering) return;
  if (request_whole_ && pending_.empty()) return close();
  phase_ = Phase::kLingering;
  pending_.clear();
  channel_.finish();
  resume_reading();
  expect_within(kLinger);
}

void Connection::resume_reading() {
  reading_paused_ = false;
  watch();
  if (channel_.buffered()) read_later();
}

void Connection::watch() {
  if (phase_ == Phase::kClosed) return;
  std::uint32_t interest = channel_.interest();
  if (!reading_paused_ && phase_ != Phase::kHandshake) interest |= engine::kReadable;
  if (responder_.kept() != 0 && phase_ != Phase::kLingering) interest |= engine::kWritable;
  if (interest == interest_) return;
  interest_ = interest;
  hub_.loop().watch(channel_.fd(), interest, *this);
}

// One timer for the phase at hand; a later deadline does not touch the heap, the timer just finds itself early.
void Connection::expect_within(Milliseconds limit) {
  deadline_ = limit.count() == 0 ? TimePoint::max() : hub_.loop().now() + limit;
  if (limit.count() != 0 && (!timer_.armed() || timer_.deadline() > deadline_)) hub_.loop().arm(timer_, deadline_);
}

void Connection::on_timer() {
  if (phase_ == Phase::kClosed || deadline_ == TimePoint::max()) return;
  if (hub_.loop().now() < deadline_) return hub_.loop().arm(timer_, deadline_);
  switch (phase_) {
    case Phase::kHandshake: hub_.counters().tls_failures.fetch_add(1, std::memory_order_relaxed); return close();
    case Phase::kIdle:
    case Phase::kLingering:
    case Phase::kAnswering: return close();
    case Phase::kHead:
      return refuse_wire(make_error(Code::kRequestTimeout, "the request's head was not whole within " +
                                                               std::to_string(hub_.listen().header_timeout.count()) + " ms"));
    case Phase::kBody:
      if (exchange_ == nullptr) return close();
      return refuse_wire(make_error(Code::kRequestTimeout, "the request's body came too slowly: nothing for " +
                                                               std::to_string(hub_.listen().body_timeout.count()) + " ms, or less than " +
                                                               std::to_string(kSlowestBody) + " bytes a second"));
    case Phase::kClosed: return;
  }
}

void Connection::gone() { close(); }

}  // namespace sluice::server
