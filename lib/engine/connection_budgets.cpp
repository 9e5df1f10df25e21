#include "engine/connection_budgets.hpp"

// Posting happens under the lock: whoever leaves takes the same lock, so a loop that is posted to is alive, and what was
// posted finds its member gone by itself. A place travels inside its task: a task that is never run gives it back.

#include <algorithm>

#include "engine/curl_transport.hpp"

namespace sluice::engine {

struct Budget::Member {
  std::uint64_t id;
  Loop* loop;
  BudgetMember* target;                  // the member's own thread only; nullptr once it left
  std::atomic<std::uint32_t> idle{0};
};

void Place::release() noexcept {
  if (budget_ == nullptr) return;
  const std::shared_ptr<Budget> budget = std::move(budget_);
  budget_ = nullptr;
  budget->give_back();
}

void Budget::set_limit(std::uint32_t limit) {
  const std::lock_guard lock(mutex_);
  limit_ = limit;
  while (!queue_.empty() && (limit_ == 0 || open() < limit_)) {
    open_.fetch_add(1, std::memory_order_relaxed);
    grant_front();
  }
}

std::uint64_t Budget::join(Loop& loop, BudgetMember& member) {
  const std::lock_guard lock(mutex_);
  auto joined = std::make_shared<Member>();
  joined->id = ++ids_;
  joined->loop = &loop;
  joined->target = &member;
  members_.push_back(joined);
  return joined->id;
}

void Budget::leave(std::uint64_t id) noexcept {
  const std::lock_guard lock(mutex_);
  const auto member = std::find_if(members_.begin(), members_.end(), [&](const auto& m) { return m->id == id; });
  if (member == members_.end()) return;
  (*member)->target = nullptr;
  queue_.remove_if([&](const Ticket& ticket) { return ticket.member->id == id; });
  waiting_.store(static_cast<std::uint32_t>(queue_.size()), std::memory_order_relaxed);
  members_.erase(member);
}

Place Budget::take() {
  const std::lock_guard lock(mutex_);
  if (limit_ != 0 && (!queue_.empty() || open() >= limit_)) return {};
  open_.fetch_add(1, std::memory_order_relaxed);
  return Place(shared_from_this());
}

std::uint64_t Budget::wait(std::uint64_t id, TimePoint now) {
  const std::lock_guard lock(mutex_);
  const auto own = std::find_if(members_.begin(), members_.end(), [&](const auto& m) { return m->id == id; });
  if (own == members_.end()) return 0;
  queue_.push_back({++ids_, *own, now});
  const std::uint64_t ticket = ids_;
  waiting_.store(static_cast<std::uint32_t>(queue_.size()), std::memory_order_relaxed);
  if (limit_ == 0 || open() < limit_) {  // came free since take()
    open_.fetch_add(1, std::memory_order_relaxed);
    grant_front();
    return ticket;
  }
  for (const std::shared_ptr<Member>& member : members_) {
    if (member->id == id || member->idle.load(std::memory_order_relaxed) == 0) continue;
    member->idle.fetch_sub(1, std::memory_order_relaxed);  // it will say the true figure again when it has done so
    member->loop->post([member] {
      if (member->target != nullptr) member->target->on_asked_to_spare();
    });
    break;
  }
  return ticket;
}

void Budget::cancel(std::uint64_t ticket) noexcept {
  if (ticket == 0) return;
  const std::lock_guard lock(mutex_);
  queue_.remove_if([&](const Ticket& queued) { return queued.id == ticket; });
  waiting_.store(static_cast<std::uint32_t>(queue_.size()), std::memory_order_relaxed);
}

void Budget::set_idle(std::uint64_t id, std::uint32_t idle) noexcept {
  const std::lock_guard lock(mutex_);
  for (const std::shared_ptr<Member>& member : members_) {
    if (member->id == id) member->idle.store(idle, std::memory_order_relaxed);
  }
}

bool Budget::owes(std::uint64_t id, TimePoint since) const noexcept {
  if (waiting_.load(std::memory_order_relaxed) == 0) return false;
  const std::lock_guard lock(mutex_);
  return !queue_.empty() && queue_.front().member->id != id && queue_.front().since < since;
}

void Budget::give_back() noexcept {
  const std::lock_guard lock(mutex_);
  if (!queue_.empty() && (limit_ == 0 || open() <= limit_)) return grant_front();
  open_.fetch_sub(1, std::memory_order_relaxed);
}

/// The place is counted already; the front of the queue gets it.
void Budget::grant_front() {
  const Ticket ticket = std::move(queue_.front());
  queue_.pop_front();
  waiting_.store(static_cast<std::uint32_t>(queue_.size()), std::memory_order_relaxed);
  auto place = std::make_shared<Place>(shared_from_this());
  ticket.member->loop->post([member = ticket.member, id = ticket.id, place] {
    if (member->target != nullptr) member->target->on_place(id, std::move(*place));
  });
}

std::shared_ptr<Budget> ConnectionBudgets::of(const std::string& name) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Budget>& budget = budgets_[name];
  if (budget == nullptr) budget = std::make_shared<Budget>();
  return budget;
}

std::uint32_t ConnectionBudgets::open(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = budgets_.find(name);
  return found == budgets_.end() ? 0 : found->second->open();
}

std::shared_ptr<ConnectionBudgets> make_connection_budgets() { return std::make_shared<ConnectionBudgets>(); }

std::uint32_t open_connections(const ConnectionBudgets& budgets, const std::string& name) { return budgets.open(name); }

}  // namespace sluice::engine
