#pragma once
/// A plugin whose hooks are events of a queue. The exchange waits until somebody answers. Knows queues and pending hooks; must
/// not know who answers.

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "hook.hpp"
#include "queue.hpp"
#include "sluice/plugin.h"
#include "sluice/plugin.hpp"

namespace sluice::capi {

/// Hooks that wait for an answer. Thread: any.
class PendingHooks {
 public:
  struct Pending {
    Resumer resumer;
    HookTargets targets;
  };
  void put(std::uint64_t hook, Pending pending);
  [[nodiscard]] std::optional<Pending> find(std::uint64_t hook);
  /// It is answered, or too late for that.
  void drop(std::uint64_t hook) noexcept;

 private:
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, Pending> pending_;
};

class QueuedPlugin final : public Plugin {
 public:
  QueuedPlugin(const sluice_queued_plugin_t& table, std::string name, std::shared_ptr<Queue> queue)
      : name_(std::move(name)), phase_(static_cast<Phase>(table.phase)), wants_(table.wants), tag_(table.tag), queue_(std::move(queue)),
        hooks_(std::make_shared<PendingHooks>()) {}

  [[nodiscard]] std::string_view name() const noexcept override { return name_; }
  [[nodiscard]] Phase phase() const noexcept override { return phase_; }
  [[nodiscard]] Wants wants() const noexcept override { return wants_; }
  [[nodiscard]] std::unique_ptr<PluginSession> open(const ExchangeView& exchange) const override;
  [[nodiscard]] const std::shared_ptr<PendingHooks>& hooks() const noexcept { return hooks_; }

 private:
  const std::string name_;
  const Phase phase_;
  const Wants wants_;
  const std::uint64_t tag_;
  const std::shared_ptr<Queue> queue_;
  const std::shared_ptr<PendingHooks> hooks_;
};

}  // namespace sluice::capi
