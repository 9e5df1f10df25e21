#pragma once
/// The completion queue behind its handle: events of many calls, filled by engines, emptied by one. Knows events and their data;
/// must not know gateways.
///
/// Two batches: engines fill one while the consumer empties the other; they change places when it is empty. Their memory is used
/// again, so that no event costs an allocation. Ends are a list through the calls themselves: they need no memory at all.

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/error.hpp"
#include "sluice/fork_mark.hpp"
#include "sluice/gateway.hpp"
#include "sluice/outcome.hpp"
#include "sluice/queue.h"

namespace sluice::capi {

/// The end of one call, from when it is said until its batch is released. Made with the call.
struct CallEnd {
  sluice_event_t event{};
  std::string message;                 // of its error; empty where there was no memory for it
  std::unique_ptr<Outcome> outcome;    // null where there was no memory for it, or somebody took it
  std::shared_ptr<CallEnd> next;       // in a list of ends
};

/// Ends, first come, first served. Adding one allocates nothing.
class EndList {
 public:
  EndList() = default;
  EndList(EndList&& other) noexcept : first_(std::move(other.first_)), last_(std::exchange(other.last_, nullptr)) {}
  EndList(const EndList&) = delete;
  EndList& operator=(const EndList&) = delete;
  ~EndList() { clear(); }
  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
  void push(std::shared_ptr<CallEnd> end) noexcept;
  [[nodiscard]] std::shared_ptr<CallEnd> pop() noexcept;
  /// The outcome of that call, which is forgotten here; null where there is none.
  [[nodiscard]] std::unique_ptr<Outcome> take(sluice_call_t call, bool& found) noexcept;
  void swap(EndList& other) noexcept;
  void clear() noexcept;

 private:
  std::shared_ptr<CallEnd> first_;
  CallEnd* last_ = nullptr;
};

class Queue {
 public:
  Queue() = default;
  ~Queue();
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  // Any thread.
  [[nodiscard]] bool in_child() const noexcept { return mark_.in_child(); }
  /// One event with its data. Bytes behind bytes of the same call become one event. False: nobody will ever poll. Throws
  /// std::bad_alloc, and has added nothing then.
  bool push(const sluice_event_t& event, std::string_view data);
  /// The same for what came at once; `event` is what they have in common.
  bool push_deltas(const sluice_event_t& event, std::span<const AnswerDelta> deltas);
  void push_end(std::shared_ptr<CallEnd> end) noexcept;
  void wake() noexcept;
  [[nodiscard]] Result<int> fd();
  /// The consumer is gone.
  void abandon() noexcept;

  // The consumer's thread.
  [[nodiscard]] Result<std::size_t> poll(sluice_event_t* events, std::size_t capacity, std::int32_t timeout_ms);
  [[nodiscard]] std::string_view arena() const noexcept { return draining_.arena; }
  [[nodiscard]] Result<std::unique_ptr<Outcome>> take_outcome(sluice_call_t call);
  void release() noexcept;

 private:
  struct Batch {
    std::vector<sluice_event_t> events;
    std::string arena;
    void clear() noexcept;
  };
  [[nodiscard]] bool waits() const noexcept { return !filling_.events.empty() || !ended_.empty(); }
  void arrived(std::unique_lock<std::mutex>& lock) noexcept;
  void signal() noexcept;
  void unsignal() noexcept;

  const ForkMark mark_;
  std::mutex mutex_;
  std::condition_variable filled_;
  // Under mutex_.
  Batch filling_;
  EndList ended_;          // what they end is in filling_, or in front of it
  bool waiting_ = false;   // the consumer
  bool woken_ = false, abandoned_ = false;
  int fd_ = -1, write_fd_ = -1;
  bool signalled_ = false;

  // The consumer's alone.
  Batch draining_;
  std::size_t next_ = 0;   // of draining_.events
  EndList draining_ends_;  // behind these events
  EndList told_;           // of the last batch
};

}  // namespace sluice::capi

struct sluice_queue {
  std::shared_ptr<sluice::capi::Queue> queue;
};
