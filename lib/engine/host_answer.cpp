// The host's side of a transfer: see host_answer.hpp. Everything is kept before the engine is woken, and the engine is woken
// before anything is kept: where there is no memory for either, nothing has changed.

#include "engine/host_answer.hpp"

#include <utility>

namespace sluice::engine {
namespace {

constexpr std::size_t kEnough = 64 * 1024;       // waiting bytes from which on the host is told to wait
constexpr std::size_t kTooMuch = 1024 * 1024;    // and from which on it is refused, where it did not

}  // namespace

// --- the host ------------------------------------------------------------------------------------------------------

void HostAnswer::connected() {
  const std::lock_guard lock(mutex_);
  if (over_ || headed_) return;
  call_reader_locked();
  news_.connected = true;
}

Status HostAnswer::head(ResponseHead head) {
  const std::lock_guard lock(mutex_);
  if (over_) return {};
  if (headed_) return out_of_order("has its head already");
  call_reader_locked();
  bodiless_ = bodiless_ || head.status == 204 || head.status == 304;
  news_.connected = headed_ = true;
  news_.head = std::move(head);
  return {};
}

Result<bool> HostAnswer::bytes(std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  if (over_) return false;
  if (!headed_) return out_of_order("has no head yet, which comes before its bytes");
  if (bodiless_ || bytes.empty()) return told_to_wait_ = full();
  if (waiting_ >= kTooMuch) {
    told_to_wait_ = true;
    Error error = make_error(Code::kOverloaded, "transfer " + std::to_string(transfer_) + " has " + std::to_string(waiting_) +
                                                    " bytes that nobody has taken yet; go on when it is resumed");
    return tl::unexpected(std::move(error));
  }
  call_reader_locked();
  bytes_.append(bytes);
  waiting_ += bytes.size();
  return told_to_wait_ = full();
}

Status HostAnswer::end() {
  const std::lock_guard lock(mutex_);
  if (over_) return {};
  if (!headed_) return out_of_order("has no head yet; fail says that none comes");
  call_reader_locked();
  end_ = End{};
  over_ = true;
  return {};
}

void HostAnswer::fail(Code code, std::string detail) {
  const std::lock_guard lock(mutex_);
  if (over_) return;
  call_reader_locked();
  end_ = End{code, std::move(detail)};
  over_ = true;
}

bool HostAnswer::full() const noexcept { return paused_ || waiting_ >= kEnough; }

tl::unexpected<Error> HostAnswer::out_of_order(const char* what) const {
  return sluice::fail(Code::kInvalidParameter, "transfer " + std::to_string(transfer_) + " " + what, "transfer");
}

void HostAnswer::call_reader_locked() {
  if (posted_) return;
  post_->post([self = shared_from_this()] {
    if (self->reader_ != nullptr) self->reader_->on_news();
  });
  posted_ = true;
}

// --- the engine ----------------------------------------------------------------------------------------------------

void HostAnswer::call_reader() {
  const std::lock_guard lock(mutex_);
  call_reader_locked();
}

HostAnswer::News HostAnswer::take_news() {
  const std::lock_guard lock(mutex_);
  posted_ = false;
  return std::exchange(news_, {});
}

bool HostAnswer::take_bytes(std::string& out) {
  const std::lock_guard lock(mutex_);
  bytes_.swap(out);
  return !out.empty();
}

void HostAnswer::given(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  waiting_ -= bytes;
}

std::optional<HostAnswer::End> HostAnswer::take_end() {
  const std::lock_guard lock(mutex_);
  if (waiting_ != 0) return std::nullopt;
  return std::exchange(end_, std::nullopt);
}

void HostAnswer::set_paused(bool paused) {
  const std::lock_guard lock(mutex_);
  paused_ = paused;
}

bool HostAnswer::may_go_on() {
  const std::lock_guard lock(mutex_);
  if (!told_to_wait_ || over_ || full()) return false;
  told_to_wait_ = false;
  return true;
}

bool HostAnswer::close() {
  reader_ = nullptr;
  const std::lock_guard lock(mutex_);
  bytes_ = std::string();
  return std::exchange(over_, true);
}

}  // namespace sluice::engine
