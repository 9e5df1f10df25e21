// See connection.hpp.
#include "sim/connection.hpp"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace sluice::sim {
namespace {

constexpr std::size_t kRead = 64 * 1024;
/// What leaves in one send where nothing is paced.
constexpr std::size_t kWrite = 32 * 1024;
/// A client that sends more than this while it is being answered is no longer read until it has its answer.
constexpr std::size_t kMostAhead = 1 << 20;
/// How soon a drain is looked at again; only where a peer is slow to read what comes before a reset.
constexpr std::chrono::milliseconds kDrainLook{1};
constexpr std::string_view kGarbage = "\x16\x03\x01 this is no HTTP answer\r\n\r\n\x00\xff\xfe";
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

Connection::Connection(engine::Loop& loop, ConnectionOwner& owner, int fd)
    : loop_(loop), owner_(owner), fd_(fd), timer_([this] { play(); }), reader_(std::make_unique<RequestReader>()) {
  watch(engine::kReadable);
}

Connection::~Connection() {
  if (fd_ >= 0) ::close(fd_);
}

void Connection::watch(std::uint32_t interest) {
  if (interest == interest_) return;
  interest_ = interest;
  loop_.watch(fd_, interest, *this);
}

void Connection::close(bool reset) {
  if (state_ == State::kClosed) return;
  if (reset) {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  } else {
    ::shutdown(fd_, SHUT_WR);
  }
  state_ = State::kClosed;
  loop_.disarm(timer_);
  loop_.unwatch(fd_);
  owner_.closed(*this, false);
}

/// The peer has gone.
void Connection::leave() {
  if (state_ == State::kClosed) return;
  const bool abandoned = telling_ != nullptr && state_ != State::kDraining;
  state_ = State::kClosed;
  loop_.disarm(timer_);
  loop_.unwatch(fd_);
  owner_.closed(*this, abandoned);
}

void Connection::on_ready(int, std::uint32_t ready) {
  if ((ready & (engine::kReadable | engine::kBroken)) != 0) receive();
  if (state_ != State::kClosed && (ready & engine::kWritable) != 0) play();
}

void Connection::receive() {
  static thread_local std::array<char, kRead> scratch;
  for (;;) {
    const ssize_t got = ::recv(fd_, scratch.data(), scratch.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (got <= 0) return leave();
    in_.append(scratch.data(), static_cast<std::size_t>(got));
    if (static_cast<std::size_t>(got) < scratch.size()) break;
  }
  if (state_ == State::kReading) {
    read_requests();
  } else if (in_.size() > kMostAhead) {
    watch(interest_ & ~std::uint32_t{engine::kReadable});
  }
}

/// Answers what is whole, one after the other, until an answer takes time or more must come.
void Connection::read_requests() {
  while (state_ == State::kReading && !in_.empty()) {
    switch (reader_->read(in_)) {
      case RequestReader::Step::kMore: return;
      case RequestReader::Step::kContinue:
        out_ += kContinue;
        if (!send_out()) return;
        break;
      case RequestReader::Step::kBad: return refuse(reader_->status());
      case RequestReader::Step::kWhole:
        if (begin_answer()) tell();
    }
  }
}

void Connection::refuse(int status) {
  Headers fields;
  fields.add_trusted("content-length", "0");
  out_ += write_head(status, fields, false, true);
  if (flush() != Flush::kBroken) close(false);
  else leave();
}

/// False where there is nothing to play: the connection is over.
bool Connection::begin_answer() {
  arrived_ = loop_.now();
  telling_ = owner_.answer(*reader_);
  if (state_ == State::kClosed) return false;  // the script has just begun to refuse connections
  keep_alive_ = reader_->keep_alive();
  const bool no_body = reader_->method() == "HEAD";
  const bool http_1_0 = reader_->http_1_0();
  in_.erase(0, reader_->size());
  if (in_.empty()) in_ = std::string();  // a stream may be long: hold nothing for it
  *reader_ = RequestReader();
  switch (telling_->opening()) {
    case Opening::kRefused: return close(true), false;
    case Opening::kHungUp: return close(false), false;
    case Opening::kGarbage:
      out_ += kGarbage;
      (void)flush();
      return close(false), false;
    case Opening::kHead: break;
  }
  if (no_body) framing_ = Framing::kNone;
  else if (telling_->length()) framing_ = Framing::kLength;
  else framing_ = http_1_0 ? Framing::kUntilClose : Framing::kChunked;
  if (framing_ == Framing::kUntilClose) keep_alive_ = false;
  head_ = write_head(telling_->status(), telling_->headers(), framing_ == Framing::kChunked, !keep_alive_);
  head_sent_ = 0;
  state_ = State::kHead;
  return true;
}

/// The clock or the socket is ready for more.
void Connection::play() {
  tell();
  read_requests();
}

/// Says what is due; then waits for the clock or for the socket.
void Connection::tell() {
  if (state_ == State::kDraining) return drain();
  if (!send_out()) return;
  if (state_ == State::kHead && !tell_head()) return;
  if (state_ == State::kBody && !tell_body()) return;
  if (state_ == State::kEnding) end_answer();
}

/// True once all of it is out, or in `out_` to leave with the first of the body.
bool Connection::tell_head() {
  const Duration step = telling_->head_step();
  while (head_sent_ < head_.size()) {
    const Duration at = telling_->head_at() + step * static_cast<std::int64_t>(step.count() > 0 ? head_sent_ + 1 : 0);
    if (arrived_ + at > loop_.now()) return wait_until(at), false;
    if (step.count() > 0) {
      out_ += head_[head_sent_++];
      if (!send_out()) return false;
    } else {
      out_ += head_;
      head_sent_ = head_.size();
    }
  }
  head_ = std::string();
  state_ = State::kBody;
  return true;
}

void Connection::frame(std::string_view bytes) {
  if (framing_ == Framing::kChunked) append_chunk(out_, bytes);
  else if (framing_ != Framing::kNone) out_ += bytes;
}

/// Moves what comes next into `out_`. False where nothing is there to move; `ended` says whether that is the end.
bool Connection::take_event(bool& ended) {
  if (body_at_ == body_.size()) {
    body_.clear();
    body_at_ = 0;
    const auto at = telling_->next_at();
    ended = !at;
    if (!at) return false;
    if (arrived_ + *at > loop_.now()) {
      // What is due already leaves before the wait.
      if (send_out()) wait_until(*at);
      return false;
    }
    telling_->next(body_);
  }
  const std::size_t piece = telling_->piece_bytes() == 0 ? body_.size() - body_at_ : telling_->piece_bytes();
  const std::string_view bytes = std::string_view(body_).substr(body_at_, piece);
  if (!bytes.empty()) frame(bytes);
  body_at_ += bytes.size();
  return true;
}

/// True once all of it is in `out_` or beyond.
bool Connection::tell_body() {
  const bool each = telling_->paced() || telling_->piece_bytes() != 0;
  bool ended = false;
  while (take_event(ended)) {
    if ((each || out_.size() >= kWrite) && !send_out()) return false;
  }
  if (!ended) return false;
  if (telling_->closing() == Closing::kComplete && framing_ == Framing::kChunked) out_ += "0\r\n\r\n";
  state_ = State::kEnding;
  return send_out();
}

/// Everything is out: what becomes of the connection?
void Connection::end_answer() {
  const Closing closing = telling_->closing();
  if (closing == Closing::kSilence) return;  // until the client leaves
  telling_.reset();
  body_ = std::string();
  body_at_ = 0;
  if (closing == Closing::kReset) {
    state_ = State::kDraining;
    return drain();
  }
  if (closing == Closing::kCut || !keep_alive_) return close(false);
  state_ = State::kReading;
  watch(engine::kReadable);
}

/// A reset throws away what the kernel has not sent: it waits until the peer has it all.
void Connection::drain() {
  int unsent = 0;
  if (::ioctl(fd_, SIOCOUTQ, &unsent) == 0 && unsent > 0) return loop_.arm_in(timer_, kDrainLook);
  close(true);
}

/// True where everything is out. Otherwise the socket is waited for, or gone.
bool Connection::send_out() {
  switch (flush()) {
    case Flush::kDone:
      if ((interest_ & engine::kWritable) != 0) watch(interest_ & ~std::uint32_t{engine::kWritable});
      return true;
    case Flush::kBlocked:
      loop_.disarm(timer_);
      watch(interest_ | engine::kWritable);
      return false;
    case Flush::kBroken: break;
  }
  leave();
  return false;
}

Connection::Flush Connection::flush() {
  while (out_at_ < out_.size()) {
    const ssize_t sent = ::send(fd_, out_.data() + out_at_, out_.size() - out_at_, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? Flush::kBlocked : Flush::kBroken;
    out_at_ += static_cast<std::size_t>(sent);
  }
  // A large answer's buffer is not kept for the small ones behind it.
  if (out_.capacity() > kWrite * 4) out_ = std::string();
  out_.clear();
  out_at_ = 0;
  return Flush::kDone;
}

void Connection::wait_until(Duration at) { loop_.arm(timer_, arrived_ + at); }

}  // namespace sluice::sim
