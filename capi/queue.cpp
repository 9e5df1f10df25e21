// The completion queue: see queue.hpp.

#include "queue.hpp"

#include <fcntl.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/eventfd.h>
#endif

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "guard.hpp"

namespace sluice::capi {
namespace {

// Of a batch that is used again; what a burst has left beyond goes back.
constexpr std::size_t kKeptBytes = 4u << 20;
constexpr std::size_t kKeptEvents = 64u << 10;
constexpr std::size_t kArenaBytes = 0xFFFFFFFFu;  // offsets have 32 bits

}  // namespace

// --- ends ------------------------------------------------------------------------------------------------------------

void EndList::push(std::shared_ptr<CallEnd> end) noexcept {
  CallEnd* const added = end.get();
  (last_ == nullptr ? first_ : last_->next) = std::move(end);
  last_ = added;
}

std::shared_ptr<CallEnd> EndList::pop() noexcept {
  std::shared_ptr<CallEnd> end = std::move(first_);
  if (end != nullptr) first_ = std::move(end->next);
  if (first_ == nullptr) last_ = nullptr;
  return end;
}

std::unique_ptr<Outcome> EndList::take(sluice_call_t call, bool& found) noexcept {
  found = false;
  for (CallEnd* end = first_.get(); end != nullptr; end = end->next.get()) {
    if (end->event.call != call) continue;
    found = end->event.reserved == 0;  // taken before?
    end->event.reserved = 1;
    return std::move(end->outcome);
  }
  return nullptr;
}

void EndList::swap(EndList& other) noexcept {
  std::swap(first_, other.first_);
  std::swap(last_, other.last_);
}

// One by one: a chain that destroyed itself would do so in as many stack frames as it is long.
void EndList::clear() noexcept {
  while (!empty()) (void)pop();
}

// --- the queue ---------------------------------------------------------------------------------------------------------

void Queue::Batch::clear() noexcept {
  events.clear();
  arena.clear();
  if (events.capacity() > kKeptEvents) events = {};
  if (arena.capacity() > kKeptBytes) arena = {};
}

Queue::~Queue() {
  if (fd_ >= 0) ::close(fd_);
  if (write_fd_ >= 0 && write_fd_ != fd_) ::close(write_fd_);
}

bool Queue::push(const sluice_event_t& event, std::string_view data) {
  std::unique_lock lock(mutex_);
  if (abandoned_) return false;
  if (data.size() > kArenaBytes - filling_.arena.size()) throw std::bad_alloc();
  const auto offset = static_cast<std::uint32_t>(filling_.arena.size());
  if (event.kind == SLUICE_EVENT_CHUNK && !filling_.events.empty()) {
    sluice_event_t& last = filling_.events.back();
    if (last.kind == SLUICE_EVENT_CHUNK && last.call == event.call && last.offset + last.size == offset) {
      filling_.arena.append(data);
      last.size += static_cast<std::uint32_t>(data.size());
      return true;
    }
  }
  filling_.events.push_back(event);
  try {
    filling_.arena.append(data);
  } catch (...) {
    filling_.events.pop_back();
    throw;
  }
  filling_.events.back().offset = offset;
  filling_.events.back().size = static_cast<std::uint32_t>(data.size());
  arrived(lock);
  return true;
}

bool Queue::push_deltas(const sluice_event_t& event, std::span<const AnswerDelta> deltas) {
  std::unique_lock lock(mutex_);
  if (abandoned_) return false;
  const std::size_t events = filling_.events.size(), bytes = filling_.arena.size();
  sluice_event_t said = event;
  const auto add = [&](std::string_view data) {
    if (data.size() > kArenaBytes - filling_.arena.size()) throw std::bad_alloc();
    said.offset = static_cast<std::uint32_t>(filling_.arena.size());
    said.size = static_cast<std::uint32_t>(data.size());
    filling_.events.push_back(said);
    filling_.arena.append(data);
  };
  try {
    for (const AnswerDelta& delta : deltas) {
      said.choice = delta.choice;
      said.tool_index = delta.tool_index;
      if (!delta.tool_name.empty()) {
        said.channel = SLUICE_CHANNEL_TOOL_NAME;
        add(delta.tool_name);
      }
      if (delta.text.empty()) continue;
      said.channel = static_cast<std::int32_t>(delta.channel);
      add(delta.text);
    }
  } catch (...) {
    filling_.events.resize(events);
    filling_.arena.resize(bytes);
    throw;
  }
  arrived(lock);
  return true;
}

void Queue::push_end(std::shared_ptr<CallEnd> end) noexcept {
  std::unique_lock lock(mutex_);
  if (abandoned_) return;
  ended_.push(std::move(end));
  arrived(lock);
}

/// Something is there: whoever waits is told, once until it has taken all.
void Queue::arrived(std::unique_lock<std::mutex>& lock) noexcept {
  signal();
  const bool notify = std::exchange(waiting_, false);
  lock.unlock();
  if (notify) filled_.notify_one();
}

void Queue::wake() noexcept {
  std::unique_lock lock(mutex_);
  woken_ = true;
  arrived(lock);
}

void Queue::signal() noexcept {
  if (signalled_ || write_fd_ < 0) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t put = ::write(write_fd_, &one, sizeof one);
  signalled_ = true;
}

void Queue::unsignal() noexcept {
  if (!signalled_) return;
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = ::read(fd_, &count, sizeof count);
  signalled_ = false;
}

Result<int> Queue::fd() {
  const std::lock_guard lock(mutex_);
  if (fd_ >= 0) return fd_;
#ifdef __linux__
  fd_ = write_fd_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd_ < 0) return fail(Code::kSystem, std::string("the queue gets no eventfd: ") + std::strerror(errno) + "; raise the limit of open files");
#else
  int ends[2];
  if (::pipe(ends) != 0) return fail(Code::kSystem, std::string("the queue gets no pipe: ") + std::strerror(errno) + "; raise the limit of open files");
  for (const int end : ends) {
    ::fcntl(end, F_SETFL, O_NONBLOCK);
    ::fcntl(end, F_SETFD, FD_CLOEXEC);
  }
  fd_ = ends[0];
  write_fd_ = ends[1];
#endif
  if (waits() || woken_ || next_ < draining_.events.size() || !draining_ends_.empty()) signal();
  return fd_;
}

void Queue::abandon() noexcept {
  EndList dropped;
  const std::lock_guard lock(mutex_);
  abandoned_ = true;
  dropped.swap(ended_);
  filling_ = {};
}

Result<std::size_t> Queue::poll(sluice_event_t* events, std::size_t capacity, std::int32_t timeout_ms) {
  release();
  if (next_ == draining_.events.size() && draining_ends_.empty()) {
    std::unique_lock lock(mutex_);
    if (!waits() && !woken_ && timeout_ms != 0) {
      if (Status may = may_wait("a poll with a time-out"); !may) return tl::unexpected(may.error());
      const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(std::max(timeout_ms, 0));
      while (!waits() && !woken_) {
        waiting_ = true;
        if (timeout_ms < 0) {
          filled_.wait(lock);
        } else if (filled_.wait_until(lock, until) == std::cv_status::timeout) {
          break;
        }
      }
      waiting_ = false;
    }
    woken_ = false;
    std::swap(filling_, draining_);  // empty, the one that goes
    draining_ends_.swap(ended_);
    next_ = 0;
  }
  std::size_t count = std::min(capacity, draining_.events.size() - next_);
  std::copy_n(draining_.events.begin() + static_cast<std::ptrdiff_t>(next_), count, events);
  next_ += count;
  while (count < capacity && !draining_ends_.empty()) {
    std::shared_ptr<CallEnd> end = draining_ends_.pop();
    sluice_event_t& event = events[count++] = end->event;
    event.offset = 0;
    event.size = 0;
    if (!end->message.empty() && end->message.size() <= kArenaBytes - draining_.arena.size()) try {
        const std::size_t offset = draining_.arena.size();
        draining_.arena.append(end->message);
        event.offset = static_cast<std::uint32_t>(offset);
        event.size = static_cast<std::uint32_t>(end->message.size());
      } catch (const std::bad_alloc&) {  // the end comes without its words
      }
    told_.push(std::move(end));
  }
  if (next_ == draining_.events.size() && draining_ends_.empty()) {
    const std::lock_guard lock(mutex_);
    if (!waits() && !woken_) unsignal();
  }
  return count;
}

Result<std::unique_ptr<Outcome>> Queue::take_outcome(sluice_call_t call) {
  bool found = false;
  std::unique_ptr<Outcome> outcome = told_.take(call, found);
  if (!found) {
    return fail(Code::kInvalidParameter, "the last batch has no END of call " + std::to_string(call) + ", or its outcome was taken before", "call");
  }
  if (outcome == nullptr) return fail(Code::kOutOfMemory, "there was no memory for this outcome");
  return outcome;
}

void Queue::release() noexcept {
  told_.clear();
  if (next_ == draining_.events.size() && draining_ends_.empty()) {
    draining_.clear();
    next_ = 0;
  }
}

}  // namespace sluice::capi

using namespace sluice;
using namespace sluice::capi;

extern "C" {

sluice_code_t sluice_queue_new(sluice_queue_t** queue, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (queue == nullptr) return null_argument("queue");
    *queue = nullptr;
    *queue = new sluice_queue{std::make_shared<Queue>()};
    return {};
  });
}

sluice_code_t sluice_queue_poll(sluice_queue_t* queue, sluice_event_t* events, size_t event_size, size_t capacity,
                                int32_t timeout_ms, size_t* count, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (queue == nullptr) return null_argument("queue");
    if (count == nullptr) return null_argument("count");
    if (events == nullptr || capacity == 0) return fail(Code::kInvalidParameter, "events has no room; give at least one", "events");
    if (event_size != sizeof(sluice_event_t)) {
      return fail(Code::kInvalidParameter, "event_size " + std::to_string(event_size) + " is not that of sluice_event_t, 64", "event_size");
    }
    if (queue->queue->in_child()) return forked();
    auto polled = queue->queue->poll(events, capacity, timeout_ms);
    if (!polled) return tl::unexpected(polled.error());
    *count = *polled;
    return {};
  });
}

sluice_bytes_t sluice_queue_arena(const sluice_queue_t* queue) { return queue == nullptr ? sluice_bytes_t{} : borrow(queue->queue->arena()); }

void sluice_queue_release(sluice_queue_t* queue) {
  if (queue != nullptr && !queue->queue->in_child()) queue->queue->release();
}

sluice_code_t sluice_queue_fd(sluice_queue_t* queue, int* fd, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (queue == nullptr) return null_argument("queue");
    if (fd == nullptr) return null_argument("fd");
    if (queue->queue->in_child()) return forked();
    const auto made = queue->queue->fd();
    if (!made) return tl::unexpected(made.error());
    *fd = *made;
    return {};
  });
}

sluice_code_t sluice_queue_wake(sluice_queue_t* queue, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (queue == nullptr) return null_argument("queue");
    if (queue->queue->in_child()) return forked();
    queue->queue->wake();
    return {};
  });
}

void sluice_queue_free(sluice_queue_t* queue) {
  // In a child the lock may be held by a thread that is not there: all lies where it is.
  if (queue == nullptr || queue->queue->in_child()) return;
  queue->queue->abandon();
  delete queue;
}

}  // extern "C"
