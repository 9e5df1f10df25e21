// The portable back end: poll(2) over a list of descriptors, and a pipe to be woken by. Waits are counted in whole
// milliseconds, rounded up, as poll does; it has no descriptor to give to a host (Loop::fd is -1).

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "engine/loop_backends.hpp"

namespace sluice::engine {
namespace {

short to_poll(std::uint32_t interest) noexcept {
  int events = 0;
  if ((interest & kReadable) != 0) events |= POLLIN;
  if ((interest & kWritable) != 0) events |= POLLOUT;
  return static_cast<short>(events);
}

std::uint32_t from_poll(int events) noexcept {
  std::uint32_t ready = kNothing;
  if ((events & POLLIN) != 0) ready |= kReadable;
  if ((events & POLLOUT) != 0) ready |= kWritable;
  if ((events & (POLLERR | POLLHUP | POLLNVAL)) != 0) ready |= kBroken;
  return ready;
}

class PollLoop final : public Loop {
 public:
  explicit PollLoop(const Clock& clock) : Loop(clock) {}
  ~PollLoop() override {
    for (const int fd : pipe_) {
      if (fd >= 0) ::close(fd);
    }
  }

  [[nodiscard]] Status open() {
    bool good = ::pipe(pipe_) == 0;
    for (const int fd : pipe_) {
      good = good && ::fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && ::fcntl(fd, F_SETFL, O_NONBLOCK) == 0;
    }
    if (!good) {
      return fail(Code::kSystem, std::string("the loop gets no pipe: ") + std::strerror(errno) + "; raise the limit of open files");
    }
    polled_.push_back({pipe_[0], POLLIN, 0});
    return {};
  }

  void watch(int fd, std::uint32_t interest, IoHandler& handler) override {
    WatchTable::Watch& watch = watches_.at(fd);
    if (watch.handler == nullptr) {
      if (places_.size() <= static_cast<std::size_t>(fd)) places_.resize(static_cast<std::size_t>(fd) + 1);
      places_[static_cast<std::size_t>(fd)] = polled_.size();
      polled_.push_back({fd, 0, 0});
    }
    watch.handler = &handler;
    watch.interest = interest;
    polled_[places_[static_cast<std::size_t>(fd)]].events = to_poll(interest);
  }

  void unwatch(int fd) override {
    if (!watches_.watched(fd)) return;
    watches_.forget(fd);
    const std::size_t place = places_[static_cast<std::size_t>(fd)];
    polled_[place] = polled_.back();
    polled_.pop_back();
    if (place < polled_.size()) places_[static_cast<std::size_t>(polled_[place].fd)] = place;
  }

  [[nodiscard]] int fd() const noexcept override { return -1; }

 protected:
  void wait(Duration wait) override {
    ready_.clear();
    int timeout = -1;
    if (wait >= Duration::zero()) {
      timeout = static_cast<int>(std::min<std::int64_t>((wait.count() + 999'999) / 1'000'000, 3'600'000));
    }
    int left = ::poll(polled_.data(), static_cast<nfds_t>(polled_.size()), timeout);
    for (std::size_t i = 0; left > 0 && i < polled_.size(); ++i) {
      const pollfd& entry = polled_[i];
      if (entry.revents == 0) continue;
      --left;
      if (i == 0) {
        drain();
      } else {
        ready_.push_back({entry.fd, watches_.at(entry.fd).generation, from_poll(entry.revents)});
      }
    }
  }

  std::size_t dispatch() override {
    std::size_t calls = 0;
    for (const Found& found : ready_) calls += watches_.deliver(found.fd, found.generation, found.ready) ? 1 : 0;
    ready_.clear();
    return calls;
  }

  void wake() noexcept override {
    const char byte = 1;  // a full pipe is as good: somebody has woken the loop already
    [[maybe_unused]] const ssize_t put = ::write(pipe_[1], &byte, 1);
  }

 private:
  struct Found {
    int fd;
    std::uint32_t generation, ready;
  };

  void drain() noexcept {
    char bytes[256];
    while (::read(pipe_[0], bytes, sizeof bytes) == static_cast<ssize_t>(sizeof bytes)) {
    }
  }

  int pipe_[2] = {-1, -1};
  WatchTable watches_;
  std::vector<pollfd> polled_;        // the first is the pipe
  std::vector<std::size_t> places_;   // by descriptor: where it stands in polled_
  std::vector<Found> ready_;
};

}  // namespace

Result<std::unique_ptr<Loop>> make_poll_loop(const Clock& clock) {
  auto loop = std::make_unique<PollLoop>(clock);
  if (Status opened = loop->open(); !opened) return tl::unexpected<Error>(std::move(opened.error()));
  return loop;
}

}  // namespace sluice::engine
