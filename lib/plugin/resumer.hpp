#pragma once
/// The way back from any thread into a run that waits. Knows a mailbox and a place in a run; must not know what waits there.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "plugin/run.hpp"

namespace sluice::plugin {

/// Where a run can be found while it is there. Shared with everybody who may come late; looked into on the exchange's
/// thread only.
struct Anchor {
  RunState* run = nullptr;
};

/// One hook that may suspend: whose, and which of its calls.
struct Suspension {
  std::uint32_t seat = 0;
  std::uint64_t number = 0;
};

}  // namespace sluice::plugin

namespace sluice {

/// Shared by all copies of one Resumer. Thread: any.
class Resumer::State {
 public:
  State(std::shared_ptr<plugin::Post> post, std::shared_ptr<plugin::Anchor> anchor, plugin::Suspension where)
      : post_(std::move(post)), anchor_(std::move(anchor)), where_(where) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State();
  void resume(Verdict verdict, std::function<void()> edit);

 private:
  const std::shared_ptr<plugin::Post> post_;
  const std::shared_ptr<plugin::Anchor> anchor_;
  const plugin::Suspension where_;
  std::atomic<bool> used_{false};
};

}  // namespace sluice
