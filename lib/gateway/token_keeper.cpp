// Fetching tokens: one request to the grant's endpoint, bounded in time and bytes, or one question to the host
// program; and the timer of the next one.

#include "gateway/token_keeper.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "gateway/core.hpp"
#include "gateway/engine.hpp"
#include "gateway/engine_post.hpp"
#include "gateway/host_grant.hpp"
#include "policy/retry_after.hpp"

namespace sluice::gateway {
namespace {

constexpr Duration kLongestFetch = std::chrono::seconds(10);
constexpr std::size_t kLongestAnswer = 64 * 1024;

void wipe(Result<Credential>* given) {
  if (*given) OPENSSL_cleanse((*given)->value.data(), (*given)->value.size());
  delete given;
}

bool holds(const Snapshot& snapshot, const TokenCache& cache) {
  return std::any_of(snapshot.upstreams.begin(), snapshot.upstreams.end(),
                     [&cache](const CompiledUpstream& upstream) { return upstream.tokens.get() == &cache; });
}

}  // namespace

/// One cache, and what this engine has under way for it.
struct TokenKeeper::Kept {
  Kept(std::shared_ptr<TokenCache> its_cache, std::function<void()> on_time);
  std::shared_ptr<TokenCache> cache;
  engine::Timer timer;  // of the next renewal
  std::unique_ptr<Fetch> fetch;
  bool current = true;  // an upstream of the snapshot in force has it
};

class TokenKeeper::Fetch final : private engine::TransferSink {
 public:
  Fetch(TokenKeeper& keeper, Kept& kept)
      : keeper_(keeper), kept_(kept), engine_(keeper.engine_), grant_(kept.cache->grant()), began_(engine_.loop().now()),
        began_wall_(engine_.core().clock().wall()), timer_([this] { on_time(); }) {}

  /// May end it at once.
  void start() {
    if (const HostGrant* host = grant_.host()) return ask(*host);
    auto wire = grant_.request(began_wall_);
    if (!wire) return refuse(wire.error());
    auto channel = engine_.open_channel(grant_.endpoint());
    if (!channel) return refuse(channel.error());
    sent_ = wire->body;
    channel_ = *std::move(channel);
    engine_.loop().arm_in(timer_, kLongestFetch);
    transfer_ = channel_->start(*std::move(wire), *this);
  }

  /// Nothing is told to the cache any more.
  void stop() {
    engine_.loop().disarm(timer_);
    transfer_.reset();
    self_.reset();
  }

 private:
  void on_head(ResponseHead&& head) override {
    status_ = head.status;
    headers_ = std::move(head.headers);
  }

  void on_bytes(std::string_view bytes) override {
    if (body_.size() + bytes.size() > kLongestAnswer) return refuse(make_error(Code::kUpstreamCredential, says("answered with more than 64 KiB")));
    body_.append(bytes);
  }

  void on_done(const engine::TransferEnd& done) override {
    if (done.code != Code::kOk) return refuse(make_error(done.code, grant_.endpoint().authority + ": " + done.detail));
    if (status_ >= 300 && status_ < 400) {
      return refuse(make_error(Code::kUpstreamCredential, says("answered " + std::to_string(status_) + ", a redirect, which is never followed")));
    }
    auto token = grant_.read(status_, body_, began_wall_);
    if (!token) return refuse(make_error(Code::kUpstreamCredential, says(token.error().message)));
    hand_over(*std::move(token));
  }

  void hand_over(std::shared_ptr<const Token> token) {
    const auto cache = kept_.cache;
    const TimePoint began = began_;
    keeper_.ended(kept_);
    cache->granted(std::move(token), began);
    keeper_.rearm(kept_);
  }

  /// The answer comes from any thread and at any time, perhaps inside this: it is taken in another turn, where it is still
  /// waited for.
  void ask(const HostGrant& host) {
    engine_.loop().arm_in(timer_, kLongestFetch);
    self_ = std::make_shared<Fetch*>(this);
    host.ask(CredentialAnswer([post = engine_.post(), self = std::weak_ptr(self_)](Result<Credential> given) {
      const std::shared_ptr<Result<Credential>> held(new Result<Credential>(std::move(given)), &wipe);
      post->post([self, held] {
        if (const auto fetch = self.lock()) (*fetch)->on_answer(*held);
      });
    }));
  }

  void on_answer(const Result<Credential>& given) {
    if (!given) return refuse(make_error(Code::kUpstreamCredential, says("gave none: " + given.error().message)), given.error().retry_after);
    auto token = grant_.host()->take(*given);
    if (!token) return refuse(make_error(Code::kUpstreamCredential, says(token.error().message)));
    hand_over(*std::move(token));
  }

  void on_time() { refuse(make_error(Code::kConnectTimeout, says("granted none within 10 s"))); }

  [[nodiscard]] std::string says(const std::string& what) const { return grant_.endpoint().authority + ' ' + what; }

  void refuse(Error why, std::optional<Milliseconds> asked = {}) {
    grant_.mask(sent_, why.message);
    if (!asked) asked = policy::asked_wait(status_, headers_, body_, engine_.core().clock().wall());
    const auto cache = kept_.cache;
    engine_.core().log(LogLevel::kWarning, "upstream " + grant_.endpoint().name + ": " + why.message);
    keeper_.ended(kept_);
    cache->refused(std::move(why), engine_.loop().now(), asked);
    keeper_.rearm(kept_);
  }

  TokenKeeper& keeper_;
  Kept& kept_;
  Engine& engine_;
  const Grant& grant_;
  const TimePoint began_;
  const WallTime began_wall_;
  base::EditedBody sent_;
  int status_ = 0;
  Headers headers_;
  std::string body_;
  std::shared_ptr<engine::Channel> channel_;
  std::unique_ptr<engine::Transfer> transfer_;
  engine::Timer timer_;
  std::shared_ptr<Fetch*> self_;  // held while the host program's answer is waited for
};

TokenKeeper::Kept::Kept(std::shared_ptr<TokenCache> its_cache, std::function<void()> on_time) : cache(std::move(its_cache)), timer(std::move(on_time)) {}

TokenKeeper::TokenKeeper(Engine& engine) noexcept : engine_(engine) {}
TokenKeeper::~TokenKeeper() = default;

TokenCache::Answer TokenKeeper::ask(const std::shared_ptr<TokenCache>& cache, TokenCache::Waiter waiter) {
  TokenCache::Answer answer = cache->ask(engine_.loop().now(), std::move(waiter));
  if (answer.fetch) fetch(cache);
  return answer;
}

void TokenKeeper::fetch(const std::shared_ptr<TokenCache>& cache) {
  if (cancelled_) return cache->given_up(make_error(Code::kClosed, "the gateway closes"));
  std::unique_ptr<Kept>& kept = kept_[cache.get()];
  if (!kept) {
    kept = std::make_unique<Kept>(cache, [this, key = cache.get()] {
      const auto cache_due = kept_.at(key)->cache;
      if (cache_due->renew(engine_.loop().now())) fetch(cache_due);
    });
    kept->current = holds(*engine_.snapshot(), *cache);
  }
  engine_.loop().disarm(kept->timer);
  kept->fetch = std::make_unique<Fetch>(*this, *kept);
  kept->fetch->start();
}

/// Its fetch is over, and may be the one that calls.
void TokenKeeper::ended(Kept& kept) {
  kept.fetch->stop();
  engine_.loop().defer([over = std::shared_ptr<Fetch>(std::move(kept.fetch))] {});
}

void TokenKeeper::rearm(Kept& kept) {
  if (!kept.current) {
    // An exchange of an older snapshot was the last to want it.
    const auto held = kept_.find(kept.cache.get());
    engine_.loop().defer([over = std::shared_ptr<Kept>(std::move(held->second))] {});
    kept_.erase(held);
    return;
  }
  const auto at = kept.cache->next_renewal();
  if (at) engine_.loop().arm(kept.timer, std::max(*at, engine_.loop().now()));
}

void TokenKeeper::adopt(const Snapshot& snapshot) {
  for (auto it = kept_.begin(); it != kept_.end();) {
    Kept& kept = *it->second;
    kept.current = holds(snapshot, *kept.cache);
    if (kept.current || kept.fetch) {
      ++it;
    } else {
      it = kept_.erase(it);
    }
  }
}

void TokenKeeper::cancel() {
  cancelled_ = true;
  for (const auto& [key, kept] : kept_) {
    engine_.loop().disarm(kept->timer);
    if (!kept->fetch) continue;
    ended(*kept);
    kept->cache->given_up(make_error(Code::kClosed, "the gateway closes"));
  }
}

}  // namespace sluice::gateway
