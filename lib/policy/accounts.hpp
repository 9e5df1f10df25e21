#pragma once
/// The accounts of one limit, by whom they are for: a consumer, a tenant, a client's address, any combination as one key. Knows keys
/// and accounts; must not know what is limited, nor the clock: callers pass now.

#include <array>
#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "policy/account.hpp"

namespace sluice::policy {

/// However many keys there are, no more than `most` accounts are kept (rounded up to a multiple of kShards). One is forgotten only
/// where that changes nothing (Account::is_fresh), the longest unused first; while none is, all further keys share one account, so
/// that inventing keys brings no fresh burst.
///
/// Thread: any, concurrently. Cost: the lock of one shard in kShards for a search in a tree, whose depth no choice of keys can
/// raise; a key that is new takes memory, outside the lock.
class Accounts {
 public:
  static constexpr std::size_t kShards = 16;

  Accounts(Rate rate, std::size_t most);
  Accounts(const Accounts&) = delete;
  Accounts& operator=(const Accounts&) = delete;

  /// Never null.
  [[nodiscard]] std::shared_ptr<Account> of(std::string_view key, TimePoint now);
  /// After a reload.
  void set_rate(Rate rate, TimePoint now);
  /// Accounts that are kept, the shared one not among them.
  [[nodiscard]] std::size_t size() const;

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<Account> account;
  };
  using Index = std::map<std::string_view, std::list<Entry>::iterator, std::less<>>;
  struct Shard {
    mutable std::mutex mutex;
    std::list<Entry> entries;  // the longest unused first
    Index by_key;              // views of the entries' keys
  };
  [[nodiscard]] bool make_room(Shard& shard, std::list<Entry>& removed, TimePoint now) const;

  std::array<Shard, kShards> shards_;
  const std::size_t most_each_;
  mutable std::mutex rate_mutex_;
  Rate rate_;
  const std::shared_ptr<Account> shared_;
};

}  // namespace sluice::policy
