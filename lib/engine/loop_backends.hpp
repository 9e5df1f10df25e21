#pragma once
/// What the back ends of the loop share, and how they are made. Knows descriptors; nothing above them.

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/loop.hpp"

namespace sluice::engine {

/// Errors: kSystem; kSystem too where this system has no epoll.
[[nodiscard]] Result<std::unique_ptr<Loop>> make_epoll_loop(const Clock& clock);
[[nodiscard]] Result<std::unique_ptr<Loop>> make_poll_loop(const Clock& clock);

/// Who waits on which descriptor. A descriptor's number may be closed and given out again inside one turn: each watch has
/// a generation, and an event counts only for the generation it was reported for.
class WatchTable {
 public:
  struct Watch {
    IoHandler* handler = nullptr;  // nullptr: not watched
    std::uint32_t interest = kNothing;
    std::uint32_t generation = 0;
  };

  [[nodiscard]] Watch& at(int fd) {
    const auto index = static_cast<std::size_t>(fd);
    if (index >= watches_.size()) watches_.resize(index + 1);
    return watches_[index];
  }
  [[nodiscard]] bool watched(int fd) const noexcept {
    return fd >= 0 && static_cast<std::size_t>(fd) < watches_.size() && watches_[static_cast<std::size_t>(fd)].handler != nullptr;
  }
  void forget(int fd) noexcept {
    Watch& watch = watches_[static_cast<std::size_t>(fd)];
    watch.handler = nullptr;
    watch.interest = kNothing;
    ++watch.generation;
  }
  /// Calls the handler of `fd` where the watch is still the one the event was reported for.
  bool deliver(int fd, std::uint32_t generation, std::uint32_t ready) {
    if (!watched(fd)) return false;
    const Watch& watch = watches_[static_cast<std::size_t>(fd)];
    if (watch.generation != generation) return false;
    watch.handler->on_ready(fd, ready);
    return true;
  }

 private:
  std::vector<Watch> watches_;  // by descriptor
};

}  // namespace sluice::engine
