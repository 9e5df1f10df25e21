// Accounts by key, at most so many.

#include "policy/accounts.hpp"

#include <algorithm>
#include <utility>

namespace sluice::policy {
namespace {

/// How many accounts that cannot be forgotten are passed over for one that can, before the shared one has to do.
constexpr int kLooks = 8;

}  // namespace

Accounts::Accounts(Rate rate, std::size_t most)
    : most_each_(std::max<std::size_t>((most + kShards - 1) / kShards, 1)), rate_(rate), shared_(std::make_shared<Account>(rate)) {}

std::shared_ptr<Account> Accounts::of(std::string_view key, TimePoint now) {
  Shard& shard = shards_[std::hash<std::string_view>{}(key) % kShards];
  const auto found = [&]() -> std::shared_ptr<Account> {
    const auto at = shard.by_key.find(key);
    if (at == shard.by_key.end()) return nullptr;
    shard.entries.splice(shard.entries.end(), shard.entries, at->second);
    return at->second->account;
  };
  {
    const std::lock_guard lock(shard.mutex);
    if (auto known = found()) return known;
  }
  // All that takes memory is made before the lock is taken again.
  std::list<Entry> fresh, removed;
  {
    const std::lock_guard lock(rate_mutex_);
    fresh.push_back({std::string(key), std::make_shared<Account>(rate_)});
  }
  Index node;
  node.emplace(fresh.front().key, fresh.begin());
  const std::lock_guard lock(shard.mutex);
  if (auto known = found()) return known;
  if (shard.entries.size() >= most_each_ && !make_room(shard, removed, now)) return shared_;
  {
    const std::lock_guard rate(rate_mutex_);
    fresh.front().account->set_rate(rate_, now);  // where a reload came in between
  }
  shard.entries.splice(shard.entries.end(), fresh);
  shard.by_key.insert(node.extract(node.begin()));
  return shard.entries.back().account;
}

/// With the shard's mutex held. Whoever holds an account may be about to draw from it: only what nobody holds is forgotten, and
/// nobody can get hold of it meanwhile.
bool Accounts::make_room(Shard& shard, std::list<Entry>& removed, TimePoint now) const {
  for (int i = 0; i < kLooks; ++i) {
    const auto oldest = shard.entries.begin();
    if (oldest->account.use_count() == 1 && oldest->account->is_fresh(now)) {
      shard.by_key.erase(oldest->key);
      removed.splice(removed.end(), shard.entries, oldest);
      return true;
    }
    shard.entries.splice(shard.entries.end(), shard.entries, oldest);
  }
  return false;
}

void Accounts::set_rate(Rate rate, TimePoint now) {
  {
    const std::lock_guard lock(rate_mutex_);
    rate_ = rate;
  }
  shared_->set_rate(rate, now);
  for (Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    for (Entry& entry : shard.entries) entry.account->set_rate(rate, now);
  }
}

std::size_t Accounts::size() const {
  std::size_t all = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    all += shard.entries.size();
  }
  return all;
}

}  // namespace sluice::policy
