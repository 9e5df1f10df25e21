// The Linux back end: one epoll descriptor, an eventfd to be woken by, and a timerfd that is armed only while a host
// drives the loop, so that the epoll descriptor turns readable for timers as well.

#include "engine/loop_backends.hpp"

#ifdef __linux__

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>

namespace sluice::engine {
namespace {

constexpr std::size_t kEventsPerTurn = 256;

std::uint32_t to_epoll(std::uint32_t interest) noexcept {
  std::uint32_t events = 0;
  if ((interest & kReadable) != 0) events |= EPOLLIN;
  if ((interest & kWritable) != 0) events |= EPOLLOUT;
  return events;
}

std::uint32_t from_epoll(std::uint32_t events) noexcept {
  std::uint32_t ready = kNothing;
  if ((events & EPOLLIN) != 0) ready |= kReadable;
  if ((events & EPOLLOUT) != 0) ready |= kWritable;
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) ready |= kBroken;
  return ready;
}

std::uint64_t tag(int fd, std::uint32_t generation) noexcept {
  return static_cast<std::uint64_t>(generation) << 32 | static_cast<std::uint32_t>(fd);
}

class EpollLoop final : public Loop {
 public:
  explicit EpollLoop(const Clock& clock) : Loop(clock) {}
  ~EpollLoop() override {
    for (const int fd : {timer_, event_, epoll_}) {
      if (fd >= 0) ::close(fd);
    }
  }

  [[nodiscard]] Status open() {
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    event_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    timer_ = ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (epoll_ < 0 || event_ < 0 || timer_ < 0 || !add_own(event_) || !add_own(timer_)) {
      return fail(Code::kSystem, std::string("the loop gets no epoll, eventfd or timerfd: ") + std::strerror(errno) +
                                     "; raise the limit of open files");
    }
    return {};
  }

  void watch(int fd, std::uint32_t interest, IoHandler& handler) override {
    WatchTable::Watch& watch = watches_.at(fd);
    const bool known = watch.handler != nullptr;
    const bool same = known && watch.interest == interest;
    watch.handler = &handler;
    watch.interest = interest;
    if (same) return;
    epoll_event event{};
    event.events = to_epoll(interest);
    event.data.u64 = tag(fd, watch.generation);
    // The kernel forgets a descriptor that was closed behind our back, and keeps one that was duplicated: either
    // operation may find what the other would need.
    int rc = ::epoll_ctl(epoll_, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
    if (rc != 0 && known && errno == ENOENT) rc = ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    if (rc != 0 && !known && errno == EEXIST) rc = ::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event);
    if (rc != 0) {
      defer([this, fd, generation = watch.generation] { watches_.deliver(fd, generation, kBroken); });
    }
  }

  void unwatch(int fd) override {
    if (!watches_.watched(fd)) return;
    watches_.forget(fd);
    ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
  }

  [[nodiscard]] int fd() const noexcept override { return epoll_; }

 protected:
  void wait(Duration wait) override {
    ready_ = 0;
    const int n = wait_for_events(wait);
    if (n > 0) ready_ = static_cast<std::size_t>(n);
  }

  std::size_t dispatch() override {
    std::size_t calls = 0;
    for (std::size_t i = 0; i < ready_; ++i) {
      const std::uint64_t data = events_[i].data.u64;
      const int fd = static_cast<int>(static_cast<std::uint32_t>(data));
      if (fd == event_ || fd == timer_) {
        std::uint64_t count = 0;
        [[maybe_unused]] const ssize_t got = ::read(fd, &count, sizeof count);
        if (fd == timer_) armed_for_.reset();
        continue;
      }
      calls += watches_.deliver(fd, static_cast<std::uint32_t>(data >> 32), from_epoll(events_[i].events)) ? 1 : 0;
    }
    ready_ = 0;
    return calls;
  }

  void wake() noexcept override {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t put = ::write(event_, &one, sizeof one);
  }

  void hand_out() noexcept override {
    if (clock().is_manual()) return;  // no real timer can know when somebody will move that clock
    const std::optional<TimePoint> deadline = next_deadline();
    if (deadline == armed_for_) return;
    itimerspec when{};
    if (deadline) {
      // Relative, because the clock is injected and its axis may start anywhere; 0 would disarm.
      const std::int64_t ns = std::max<std::int64_t>((*deadline - clock().now()).count(), 1);
      when.it_value.tv_sec = static_cast<time_t>(ns / 1'000'000'000);
      when.it_value.tv_nsec = static_cast<long>(ns % 1'000'000'000);
    }
    ::timerfd_settime(timer_, 0, &when, nullptr);
    armed_for_ = deadline;
  }

 private:
  bool add_own(int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = tag(fd, 0);
    return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0;
  }

  int wait_for_events(Duration wait) noexcept {
    const int capacity = static_cast<int>(events_.size());
    if (wait <= Duration::zero()) return ::epoll_wait(epoll_, events_.data(), capacity, wait < Duration::zero() ? -1 : 0);
    if (fine_) {
      timespec timeout{};
      timeout.tv_sec = static_cast<time_t>(wait.count() / 1'000'000'000);
      timeout.tv_nsec = static_cast<long>(wait.count() % 1'000'000'000);
      const int n = ::epoll_pwait2(epoll_, events_.data(), capacity, &timeout, nullptr);
      if (n >= 0 || errno == EINTR) return n;
      fine_ = false;  // kernels before 5.11 count in milliseconds
    }
    const std::int64_t ms = std::min<std::int64_t>((wait.count() + 999'999) / 1'000'000, 3'600'000);
    return ::epoll_wait(epoll_, events_.data(), capacity, static_cast<int>(ms));
  }

  int epoll_ = -1, event_ = -1, timer_ = -1;
  WatchTable watches_;
  std::array<epoll_event, kEventsPerTurn> events_{};
  std::size_t ready_ = 0;
  std::optional<TimePoint> armed_for_;
  bool fine_ = true;
};

}  // namespace

Result<std::unique_ptr<Loop>> make_epoll_loop(const Clock& clock) {
  auto loop = std::make_unique<EpollLoop>(clock);
  if (Status opened = loop->open(); !opened) return tl::unexpected<Error>(std::move(opened.error()));
  return loop;
}

}  // namespace sluice::engine

#else

namespace sluice::engine {

Result<std::unique_ptr<Loop>> make_epoll_loop(const Clock&) {
  return fail(Code::kSystem, "this system has no epoll; choose the poll back end");
}

}  // namespace sluice::engine

#endif
