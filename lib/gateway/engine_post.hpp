#pragma once
/// The way onto one engine's thread as plugins know it: Resumers outlive exchanges, engines and gateways.

#include <utility>

#include "engine/late_post.hpp"
#include "plugin/run.hpp"

namespace sluice::gateway {

/// Thread: any. Once closed, tasks are dropped.
class EnginePost final : public plugin::Post {
 public:
  explicit EnginePost(engine::Loop& loop) noexcept : late_(loop) {}
  void post(base::Task task) override { late_.post(std::move(task)); }
  /// The loop goes.
  void close() noexcept { late_.close(); }

 private:
  engine::LatePost late_;
};

}  // namespace sluice::gateway
