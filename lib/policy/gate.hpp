#pragma once
/// In-flight caps that are exact over all threads, with a bounded queue in order of arrival.
/// Knows counts; must not know sockets or the clock: callers keep their own deadlines.

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>

namespace sluice::policy {

class Gate;

/// A place under a cap; gives it back when it goes. Move-only. Thread: any.
class Place {
 public:
  Place() = default;
  explicit Place(std::shared_ptr<Gate> gate) : gate_(std::move(gate)) {}
  Place(Place&& other) noexcept = default;
  Place& operator=(Place&& other) noexcept;
  ~Place() { release(); }
  void release() noexcept;
  [[nodiscard]] explicit operator bool() const noexcept { return gate_ != nullptr; }

 private:
  std::shared_ptr<Gate> gate_;
};

/// Thread: any, concurrently.
class Gate : public std::enable_shared_from_this<Gate> {
 public:
  /// `cap` 0 = no bound. `queue` = how many may wait.
  Gate(std::uint32_t cap, std::uint32_t queue) : cap_(cap), queue_(queue) {}

  enum class Entry : std::uint8_t { kEntered, kWaiting, kFull };
  using Waiter = std::uint64_t;

  /// Enters, or queues: `wake` is then called once, from any thread, with the place, unless leave_queue came first. It
  /// must be quick and must not throw: it runs on the thread that gave a place back, and others wait behind it.
  /// `waiter` is set before `wake` can run.
  [[nodiscard]] Entry enter(Place& place, std::function<void(Place)> wake, Waiter& waiter);
  /// Gives up waiting. False where wake has been called or is being called: the place comes, and must be let go.
  bool leave_queue(Waiter waiter);
  /// A reload may change the bounds; those who wait are let in if they now fit.
  void set_bounds(std::uint32_t cap, std::uint32_t queue);

  [[nodiscard]] std::uint32_t in_flight() const;
  [[nodiscard]] std::uint32_t waiting() const;

 private:
  friend class Place;
  struct Waiting {
    Waiter id;
    std::function<void(Place)> wake;
  };

  void give_back() noexcept;
  // With mutex_ held.
  [[nodiscard]] bool fits() const noexcept { return cap_ == 0 || in_flight_ < cap_; }
  void let_in(std::unique_lock<std::mutex>& lock) noexcept;

  mutable std::mutex mutex_;
  std::uint32_t cap_, queue_;
  std::uint32_t in_flight_ = 0;
  bool letting_in_ = false;  // a frame further out, or another thread, hands out places
  Waiter next_ = 1;
  std::list<Waiting> waiting_;  // in order of arrival
};

}  // namespace sluice::policy
