#pragma once
/// How many attempts are under way at one upstream: over all engines, and over all routes that lead to it.
/// Knows a number; must not know who is counted, nor any bound (gate.hpp has those).

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace sluice::policy {

class Load;

/// The counter of one upstream. It lives with the upstream and survives a reload as the upstream does; every route that
/// leads there shares it. Only a Load moves it. Thread: any, concurrently.
class InFlight {
 public:
  [[nodiscard]] std::uint32_t count() const noexcept { return count_.load(std::memory_order_relaxed); }

 private:
  friend class Load;
  std::atomic<std::uint32_t> count_{0};
};

/// One attempt under way: holds its upstream's counter raised by one, and lets it fall when it goes, whatever the end was.
/// Move-only. Thread: any, one at a time.
class Load {
 public:
  Load() = default;
  explicit Load(const std::shared_ptr<InFlight>& upstream) noexcept { raise(upstream); }
  Load(Load&& other) noexcept = default;
  Load& operator=(Load&& other) noexcept {
    if (this != &other) {
      release();
      upstream_ = std::move(other.upstream_);
    }
    return *this;
  }
  ~Load() { release(); }

  /// Holds `upstream` raised by one, and no longer what it held before.
  void raise(const std::shared_ptr<InFlight>& upstream) noexcept {
    upstream->count_.fetch_add(1, std::memory_order_relaxed);
    hold(upstream);
  }
  /// The same, only if the counter stands at `seen`. False where it does not, and nothing has changed.
  [[nodiscard]] bool raise_from(std::uint32_t seen, const std::shared_ptr<InFlight>& upstream) noexcept {
    if (!upstream->count_.compare_exchange_strong(seen, seen + 1, std::memory_order_relaxed)) return false;
    hold(upstream);
    return true;
  }
  /// Once is enough; again does nothing.
  void release() noexcept {
    if (!upstream_) return;
    upstream_->count_.fetch_sub(1, std::memory_order_relaxed);
    upstream_.reset();
  }
  [[nodiscard]] explicit operator bool() const noexcept { return upstream_ != nullptr; }

 private:
  void hold(const std::shared_ptr<InFlight>& upstream) noexcept {
    release();
    upstream_ = upstream;
  }
  std::shared_ptr<InFlight> upstream_;
};

}  // namespace sluice::policy
