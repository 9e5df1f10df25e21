#pragma once
/// Commands from any thread to one. A lock held for a push only; the reader takes everything at once.

#include <functional>
#include <mutex>
#include <vector>

namespace sluice::base {

using Task = std::function<void()>;

class Mailbox {
 public:
  /// True where the box was empty: the reader must be woken. Thread: any.
  bool push(Task task) {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    return tasks_.size() == 1;
  }
  /// Moves everything there is into `out` (emptied first). Thread: the reader's.
  void take(std::vector<Task>& out) {
    out.clear();
    const std::lock_guard lock(mutex_);
    tasks_.swap(out);
  }

 private:
  std::mutex mutex_;
  std::vector<Task> tasks_;
};

}  // namespace sluice::base
