// In-flight caps that are exact over all threads. One mutex per gate, held for counting only: wake is called outside.

#include "policy/gate.hpp"

#include <utility>

namespace sluice::policy {

Place& Place::operator=(Place&& other) noexcept {
  if (this != &other) {
    release();
    gate_ = std::move(other.gate_);
  }
  return *this;
}

void Place::release() noexcept {
  if (const std::shared_ptr<Gate> gate = std::exchange(gate_, nullptr)) gate->give_back();
}

Gate::Entry Gate::enter(Place& place, std::function<void(Place)> wake, Waiter& waiter) {
  {
    const std::lock_guard lock(mutex_);
    // Those who wait come first, even in the moment in which a place is free and about to be handed over.
    if (!waiting_.empty() || !fits()) {
      if (waiting_.size() >= queue_) return Entry::kFull;
      waiter = next_++;  // before anybody can wake it
      waiting_.push_back({waiter, std::move(wake)});
      return Entry::kWaiting;
    }
    ++in_flight_;
  }
  place = Place(shared_from_this());  // outside the lock: it may let go of a place of this very gate
  return Entry::kEntered;
}

bool Gate::leave_queue(Waiter waiter) {
  std::list<Waiting> left;  // destroyed after the lock: what the callback holds may itself release a place
  const std::lock_guard lock(mutex_);
  for (auto it = waiting_.begin(); it != waiting_.end(); ++it) {
    if (it->id != waiter) continue;
    left.splice(left.begin(), waiting_, it);
    return true;
  }
  return false;
}

void Gate::set_bounds(std::uint32_t cap, std::uint32_t queue) {
  std::unique_lock lock(mutex_);
  cap_ = cap;
  queue_ = queue;
  let_in(lock);
}

std::uint32_t Gate::in_flight() const {
  const std::lock_guard lock(mutex_);
  return in_flight_;
}

std::uint32_t Gate::waiting() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::uint32_t>(waiting_.size());
}

void Gate::give_back() noexcept {
  std::unique_lock lock(mutex_);
  --in_flight_;
  let_in(lock);
}

void Gate::let_in(std::unique_lock<std::mutex>& lock) noexcept {
  // One frame at a time: a wake that drops its place at once comes back here, and must not recurse as deep as the queue.
  if (letting_in_) return;
  letting_in_ = true;
  while (!waiting_.empty() && fits()) {
    ++in_flight_;
    std::list<Waiting> first;
    first.splice(first.begin(), waiting_, waiting_.begin());
    lock.unlock();
    first.front().wake(Place(shared_from_this()));
    first.clear();
    lock.lock();
  }
  letting_in_ = false;
}

}  // namespace sluice::policy
