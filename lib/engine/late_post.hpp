#pragma once
/// The way onto one engine's thread for whoever may come late, after the loop has gone. Knows a loop while there is one; must
/// not know what is sent.

#include <mutex>
#include <utility>

#include "engine/loop.hpp"

namespace sluice::engine {

/// Thread: any. Once closed, tasks are dropped.
class LatePost {
 public:
  explicit LatePost(Loop& loop) noexcept : loop_(&loop) {}
  void post(base::Task task) {
    const std::lock_guard lock(mutex_);
    if (loop_ != nullptr) loop_->post(std::move(task));  // moved from: what is destroyed behind the lock is empty, or the caller's
  }
  /// The loop goes.
  void close() noexcept {
    const std::lock_guard lock(mutex_);
    loop_ = nullptr;
  }

 private:
  std::mutex mutex_;
  Loop* loop_;
};

}  // namespace sluice::engine
