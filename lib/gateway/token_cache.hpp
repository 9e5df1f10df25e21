#pragma once
/// The token of one upstream, shared by all engines: who holds one, who waits for one, and when the next may be asked for.
/// Knows lives, pauses and waiters; must not know what a token is for, how it is fetched, or the clock: callers pass now.

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "gateway/grant.hpp"
#include "sluice/clock.hpp"
#include "sluice/error.hpp"

namespace sluice::gateway {

/// Thread: any, concurrently.
///
///   - One fetch at a time, over all engines. Whoever is told to fetch does, and says how it ended: granted() or refused().
///   - A token is renewed ahead of its end: when a fifth of its life is left, or five minutes where that is more, but never
///     before half of it is over. Meanwhile it is handed out as before.
///   - While none is good, whoever asks waits for the fetch under way, or is refused in the pause after one that has failed:
///     1 s, doubled each time up to 60 s, or what the endpoint asks for, up to 5 min.
class TokenCache {
 public:
  using Held = std::shared_ptr<const Token>;
  /// Called once, on the thread of whoever ends the fetch, outside every lock.
  using Waiter = std::function<void(const Result<Held>&)>;

  explicit TokenCache(std::unique_ptr<const Grant> grant) : grant_(std::move(grant)) {}
  TokenCache(const TokenCache&) = delete;
  TokenCache& operator=(const TokenCache&) = delete;

  [[nodiscard]] const Grant& grant() const noexcept { return *grant_; }

  struct Answer {
    Held token = {};                     ///< it is good
    std::optional<Error> refused = {};   ///< there is none, and none is asked for now
    bool fetch = false;                  ///< the one who asked is to fetch one, whatever else it was told
  };                                     ///< neither token nor refusal: `waiter` will be called
  [[nodiscard]] Answer ask(TimePoint now, Waiter waiter);

  /// The fetch has ended. `asked_at`: when it began, from where the token's life is counted.
  void granted(Held token, TimePoint asked_at);
  /// Likewise. `asked` is the pause the endpoint wants, where it says one.
  void refused(Error why, TimePoint now, std::optional<Milliseconds> asked = {});
  /// The fetch was given up before it ended: another may follow at once. Who waits is told `why`.
  void given_up(const Error& why);

  /// The upstream does not take `token`. True: another attempt with another token makes sense. A token in whose place one has
  /// come already is no news; otherwise the token is dropped, at most once in 30 s: what a new token does not mend is not
  /// mended by the next.
  [[nodiscard]] bool reject(const Held& token, TimePoint now);

  /// Whether a fetch ahead of the end is due, for whoever keeps the time. True: the caller is to fetch. Nothing is renewed that
  /// nobody has used since it came.
  [[nodiscard]] bool renew(TimePoint now);
  /// When to ask that; nothing while there is nothing to renew.
  [[nodiscard]] std::optional<TimePoint> next_renewal() const;

 private:
  void settle(const Result<Held>& result, std::unique_lock<std::mutex>& lock);

  const std::unique_ptr<const Grant> grant_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  Held token_;
  TimePoint good_until_{}, renew_at_{};
  bool used_ = false;                    // since it came
  bool fetching_ = false;
  std::vector<Waiter> waiters_;
  std::optional<Error> failure_;         // of the last fetch
  std::uint32_t failures_ = 0;           // in a row
  TimePoint not_before_{};               // of the next fetch
  std::optional<TimePoint> rejected_at_;
};

}  // namespace sluice::gateway
