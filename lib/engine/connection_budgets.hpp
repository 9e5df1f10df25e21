#pragma once
/// How many sockets are open towards each upstream, over all engines, and who waits for one: what makes a connection cap
/// exact. Knows counts and loops to post to; must not know libcurl, and never runs a channel's code itself.

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/loop.hpp"

namespace sluice::engine {

class Budget;

/// One socket's place in a budget; its end gives the place back, or hands it to whoever has waited longest.
class Place {
 public:
  Place() = default;
  explicit Place(std::shared_ptr<Budget> budget) : budget_(std::move(budget)) {}
  Place(Place&& other) noexcept : budget_(std::move(other.budget_)) {}
  Place& operator=(Place&& other) noexcept {
    if (this != &other) {
      release();
      budget_ = std::move(other.budget_);
    }
    return *this;
  }
  ~Place() { release(); }
  explicit operator bool() const noexcept { return budget_ != nullptr; }
  void release() noexcept;

 private:
  std::shared_ptr<Budget> budget_;
};

/// What a channel is told, on its own loop.
class BudgetMember {
 public:
  /// A place came free for the one who asked by `ticket`. Not wanted any more: let it go.
  virtual void on_place(std::uint64_t ticket, Place place) = 0;
  /// Somebody waits on another engine: close an idle connection, if there is one.
  virtual void on_asked_to_spare() = 0;

 protected:
  ~BudgetMember() = default;
};

/// The budget of one upstream. Thread: any.
class Budget : public std::enable_shared_from_this<Budget> {
 public:
  /// 0 = no bound. The bound said last counts, for all channels.
  void set_limit(std::uint32_t limit);
  /// Joins as a channel that may wait and may spare idle connections; leaving forgets its tickets. `member` is called
  /// on `loop` only. The id is never 0.
  [[nodiscard]] std::uint64_t join(Loop& loop, BudgetMember& member);
  void leave(std::uint64_t id) noexcept;

  /// A place, where there is one and nobody has waited for it longer; else an empty one.
  [[nodiscard]] Place take();
  /// Queues for a place, behind all who queue already; asks another member that has idle connections to spare one.
  [[nodiscard]] std::uint64_t wait(std::uint64_t member, TimePoint now);
  void cancel(std::uint64_t ticket) noexcept;
  /// Tells how many idle connections the member holds.
  void set_idle(std::uint64_t member, std::uint32_t idle) noexcept;
  /// True where another member than `member` has waited since before `since`: a connection should go to it.
  [[nodiscard]] bool owes(std::uint64_t member, TimePoint since) const noexcept;

  [[nodiscard]] std::uint32_t open() const noexcept { return open_.load(std::memory_order_relaxed); }

 private:
  friend class Place;
  struct Member;
  struct Ticket {
    std::uint64_t id;
    std::shared_ptr<Member> member;
    TimePoint since;
  };
  void give_back() noexcept;
  void grant_front();

  mutable std::mutex mutex_;
  std::uint32_t limit_ = 0;
  std::atomic<std::uint32_t> open_{0};
  std::atomic<std::uint32_t> waiting_{0};   // the length of queue_, readable without the lock
  std::uint64_t ids_ = 0;
  std::list<Ticket> queue_;
  std::vector<std::shared_ptr<Member>> members_;
};

/// All budgets, by upstream name. Thread: any.
class ConnectionBudgets {
 public:
  [[nodiscard]] std::shared_ptr<Budget> of(const std::string& name);
  [[nodiscard]] std::uint32_t open(const std::string& name) const;

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<Budget>> budgets_;
};

}  // namespace sluice::engine
