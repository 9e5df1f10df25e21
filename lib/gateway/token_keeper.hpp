#pragma once
/// What one engine does for tokens: it fetches those it is told to fetch, and keeps the time of their renewal. Knows loops,
/// timers and transfers; must not know who waits, nor when a fetch is due (token_cache.hpp).

#include <map>
#include <memory>

#include "gateway/token_cache.hpp"

namespace sluice::gateway {

class Engine;
struct Snapshot;

/// Thread: the engine's.
class TokenKeeper {
 public:
  /// `engine` is borrowed and outlives it.
  explicit TokenKeeper(Engine& engine) noexcept;
  ~TokenKeeper();
  TokenKeeper(const TokenKeeper&) = delete;
  TokenKeeper& operator=(const TokenKeeper&) = delete;

  /// TokenCache::ask, and the fetch where one is due. `waiter` is called on any engine's thread, perhaps inside this.
  [[nodiscard]] TokenCache::Answer ask(const std::shared_ptr<TokenCache>& cache, TokenCache::Waiter waiter);
  /// Lets go of tokens no upstream of `snapshot` has; a fetch under way still ends.
  void adopt(const Snapshot& snapshot);
  /// The gateway closes: fetches are given up, and who waits for them is told.
  void cancel();

 private:
  class Fetch;
  struct Kept;
  void fetch(const std::shared_ptr<TokenCache>& cache);
  void ended(Kept& kept);
  void rearm(Kept& kept);

  Engine& engine_;
  std::map<const TokenCache*, std::unique_ptr<Kept>> kept_;
  bool cancelled_ = false;
};

}  // namespace sluice::gateway
