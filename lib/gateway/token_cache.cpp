// The token of one upstream: handed out, renewed ahead, waited for.

#include "gateway/token_cache.hpp"

#include <algorithm>
#include <utility>

namespace sluice::gateway {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration kAhead = minutes(5), kFirstPause = seconds(1), kLongestPause = seconds(60), kLongestAsked = minutes(5);
constexpr Duration kRejectionsApart = seconds(30), kLastMoments = seconds(10);

Duration ahead_of(Duration life) noexcept { return std::max(life / 5, std::min<Duration>(kAhead, life / 2)); }

/// A request that is sent in a token's last moments may come when it is over.
Duration last_moments_of(Duration life) noexcept { return std::min<Duration>(kLastMoments, life / 20); }

}  // namespace

TokenCache::Answer TokenCache::ask(TimePoint now, Waiter waiter) {
  const std::lock_guard lock(mutex_);
  Answer answer;
  const bool may_fetch = !fetching_ && now >= not_before_;
  if (token_ && now < good_until_) {
    used_ = true;
    answer.token = token_;
    answer.fetch = may_fetch && now >= renew_at_;
  } else if (fetching_ || may_fetch) {
    waiters_.push_back(std::move(waiter));
    answer.fetch = !fetching_;
  } else {
    answer.refused = failure_;
    answer.refused->retry_after = std::chrono::ceil<Milliseconds>(not_before_ - now);
  }
  fetching_ = fetching_ || answer.fetch;
  return answer;
}

void TokenCache::granted(Held token, TimePoint asked_at) {
  std::unique_lock lock(mutex_);
  good_until_ = asked_at + token->lifetime - last_moments_of(token->lifetime);
  renew_at_ = asked_at + token->lifetime - ahead_of(token->lifetime);
  token_ = std::move(token);
  used_ = !waiters_.empty();
  failure_.reset();
  failures_ = 0;
  not_before_ = {};
  settle(token_, lock);
}

void TokenCache::refused(Error why, TimePoint now, std::optional<Milliseconds> asked) {
  std::unique_lock lock(mutex_);
  Duration pause = kFirstPause;
  for (std::uint32_t i = 0; i < failures_ && pause < kLongestPause; ++i) pause *= 2;
  pause = std::min(pause, kLongestPause);
  if (asked) pause = std::max(pause, std::min<Duration>(*asked, kLongestAsked));
  ++failures_;
  not_before_ = now + pause;
  why.retry_after = std::chrono::ceil<Milliseconds>(pause);
  failure_ = why;
  settle(tl::unexpected(std::move(why)), lock);
}

void TokenCache::given_up(const Error& why) {
  std::unique_lock lock(mutex_);
  settle(tl::unexpected(why), lock);
}

void TokenCache::settle(const Result<Held>& result, std::unique_lock<std::mutex>& lock) {
  fetching_ = false;
  const std::vector<Waiter> waiters = std::exchange(waiters_, {});
  lock.unlock();
  for (const Waiter& waiter : waiters) waiter(result);
}

bool TokenCache::reject(const Held& token, TimePoint now) {
  const std::lock_guard lock(mutex_);
  if (token_ != token) return true;
  if (rejected_at_ && now < *rejected_at_ + kRejectionsApart) return false;
  rejected_at_ = now;
  token_.reset();
  return true;
}

bool TokenCache::renew(TimePoint now) {
  const std::lock_guard lock(mutex_);
  if (!token_ || !used_ || fetching_ || now < renew_at_ || now >= good_until_ || now < not_before_) return false;
  fetching_ = true;
  return true;
}

std::optional<TimePoint> TokenCache::next_renewal() const {
  const std::lock_guard lock(mutex_);
  if (!token_) return std::nullopt;
  return std::max(renew_at_, not_before_);
}

}  // namespace sluice::gateway
