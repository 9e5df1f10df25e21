#pragma once
/// The way onto one engine's thread for whoever may come late: Resumers outlive exchanges, engines and gateways.
/// Knows a loop while there is one; must not know what is sent.

#include <mutex>

#include "engine/loop.hpp"
#include "plugin/run.hpp"

namespace sluice::gateway {

/// Thread: any. Once closed, tasks are dropped.
class EnginePost final : public plugin::Post {
 public:
  explicit EnginePost(engine::Loop& loop) noexcept : loop_(&loop) {}
  void post(base::Task task) override {
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
  engine::Loop* loop_;
};

}  // namespace sluice::gateway
