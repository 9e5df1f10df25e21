// The token of one upstream: who gets it, who waits, and when the next is asked for.

#include "gateway/token_cache.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

using namespace sluice;
using namespace sluice::gateway;
using namespace std::chrono_literals;

namespace {

/// A grant nobody asks: the cache takes what it is given.
class NoGrant final : public Grant {
 public:
  NoGrant() : Grant("id", {}, std::make_unique<const telemetry::SecretMask>()) {}
  Result<engine::WireRequest> request(WallTime) const override { return engine::WireRequest{}; }
  Result<std::shared_ptr<const Token>> read(int, std::string_view, WallTime) const override { return std::shared_ptr<const Token>(); }
};

TokenCache::Held token(Duration lifetime) {
  auto made = std::make_shared<Token>();
  made->lifetime = lifetime;
  return made;
}

struct Bench {
  TokenCache cache{std::make_unique<const NoGrant>()};
  TimePoint now{1h};
  int called = 0;
  std::optional<Result<TokenCache::Held>> told;

  TokenCache::Answer ask() {
    return cache.ask(now, [this](const Result<TokenCache::Held>& result) {
      ++called;
      told = result;
    });
  }
  /// What asking means now: h(eld), w(aits), r(efused), and f(etch) behind it.
  std::string asked() {
    const auto answer = ask();
    return std::string(answer.token ? "h" : answer.refused ? "r" : "w") + (answer.fetch ? "f" : "");
  }
  void grant(Duration lifetime) { cache.granted(token(lifetime), now); }
  void refuse(std::optional<Milliseconds> wait = {}) { cache.refused(make_error(Code::kUpstreamCredential, "no"), now, wait); }
};

}  // namespace

TEST_CASE("the first who asks fetches, the others wait, and all are told once") {
  Bench bench;
  CHECK(bench.asked() == "wf");
  CHECK(bench.asked() == "w");
  CHECK(bench.asked() == "w");
  CHECK(bench.called == 0);
  const auto made = token(1h);
  bench.cache.granted(made, bench.now);
  CHECK(bench.called == 3);
  REQUIRE(*bench.told);
  CHECK(**bench.told == made);
  CHECK(bench.ask().token == made);
  CHECK(bench.asked() == "h");
  CHECK(bench.called == 3);
}

TEST_CASE("a token is renewed ahead of its end by whoever asks then, and handed out meanwhile") {
  struct Life {
    Duration life, renewed, over;
  };
  // A fifth of the life, five minutes, or half of the life; the last moments: 10 s, or a twentieth.
  for (const Life& one : {Life{1h, 48min, 1h - 10s}, Life{10min, 5min, 10min - 10s}, Life{60s, 30s, 57s}, Life{2s, 1s, 1900ms}, Life{24h, 24h - 288min, 24h - 10s}}) {
    INFO(one.life.count());
    Bench bench;
    const TimePoint began = bench.now;
    CHECK(bench.asked() == "wf");
    bench.grant(one.life);
    bench.now = began + one.renewed - 1ns;
    CHECK(bench.asked() == "h");
    CHECK_FALSE(bench.cache.renew(bench.now));
    bench.now = began + one.renewed;
    CHECK(bench.cache.next_renewal() == bench.now);
    CHECK(bench.asked() == "hf");
    CHECK(bench.asked() == "h");  // one at a time
    bench.now = began + one.over - 1ns;
    CHECK(bench.asked() == "h");
    bench.now = began + one.over;
    CHECK(bench.asked() == "w");
  }
}

TEST_CASE("a token's life counts from when it was asked for, not from when it came") {
  Bench bench;
  const TimePoint began = bench.now;
  CHECK(bench.asked() == "wf");
  bench.now += 9s;
  bench.cache.granted(token(20s), began);
  CHECK(bench.asked() == "h");
  bench.now = began + 19s;
  CHECK(bench.asked() == "wf");
}

TEST_CASE("the timer renews what was used since it came, once, and nothing that is over") {
  Bench bench;
  const TimePoint began = bench.now;
  CHECK_FALSE(bench.cache.next_renewal());
  CHECK(bench.asked() == "wf");
  bench.grant(1h);
  bench.now = began + 50min;
  CHECK(bench.cache.renew(bench.now));
  CHECK_FALSE(bench.cache.renew(bench.now));
  bench.grant(1h);
  bench.now += 50min;
  CHECK_FALSE(bench.cache.renew(bench.now));  // nobody has used this one
  CHECK(bench.asked() == "hf");
  bench.grant(1h);
  CHECK(bench.asked() == "h");
  bench.now += 2h;
  CHECK_FALSE(bench.cache.renew(bench.now));
  CHECK(bench.asked() == "wf");
}

TEST_CASE("a grant that fails is asked again after growing pauses, and who asks in between is refused at once") {
  Bench bench;
  for (const Duration pause : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    CHECK(bench.asked() == "wf");
    bench.refuse();
    REQUIRE(bench.told);
    CHECK_FALSE(*bench.told);
    CHECK(bench.told->error().retry_after == std::chrono::ceil<Milliseconds>(pause));
    const auto refused = bench.ask().refused;
    REQUIRE(refused);
    CHECK(refused->message == "no");
    CHECK(refused->retry_after == std::chrono::ceil<Milliseconds>(pause));
    bench.now += pause - 1ns;
    CHECK(bench.asked() == "r");
    bench.now += 1ns;
  }
  CHECK(bench.asked() == "wf");
  bench.grant(1s);
  bench.now += 1s;
  CHECK(bench.asked() == "wf");
  bench.refuse();
  bench.now += 1s;
  CHECK(bench.asked() == "wf");  // the pauses begin anew
}

TEST_CASE("a pause the endpoint asks for is kept, up to five minutes") {
  Bench bench;
  for (const auto& [asked, pause] : {std::pair<Milliseconds, Duration>{7s, 7s}, {100ms, 2s}, {1h, 5min}}) {
    CHECK(bench.asked() == "wf");
    bench.refuse(asked);
    bench.now += pause - 1ns;
    CHECK(bench.asked() == "r");
    bench.now += 1ns;
  }
}

TEST_CASE("a renewal that fails leaves the token in use, and is tried again after its pause") {
  Bench bench;
  CHECK(bench.asked() == "wf");
  bench.grant(1h);
  bench.now += 48min;
  CHECK(bench.asked() == "hf");
  bench.refuse();
  CHECK(bench.asked() == "h");
  CHECK(bench.cache.next_renewal() == bench.now + 1s);
  CHECK_FALSE(bench.cache.renew(bench.now));
  bench.now += 1s;
  CHECK(bench.asked() == "hf");
}

TEST_CASE("a fetch that is given up makes no pause") {
  Bench bench;
  CHECK(bench.asked() == "wf");
  bench.cache.given_up(make_error(Code::kClosed, "bye"));
  CHECK(bench.told->error().code == Code::kClosed);
  CHECK(bench.asked() == "wf");
}

TEST_CASE("a token the upstream refuses is dropped once in half a minute; one that is gone already is no news") {
  Bench bench;
  CHECK(bench.asked() == "wf");
  bench.grant(1h);
  const auto first = bench.ask().token;
  CHECK(bench.cache.reject(first, bench.now));
  CHECK(bench.cache.reject(first, bench.now));
  CHECK(bench.asked() == "wf");
  bench.grant(1h);
  CHECK(bench.cache.reject(first, bench.now));
  const auto second = bench.ask().token;
  REQUIRE(second);
  bench.now += 30s - 1ns;
  CHECK_FALSE(bench.cache.reject(second, bench.now));
  CHECK(bench.ask().token == second);
  bench.now += 1ns;
  CHECK(bench.cache.reject(second, bench.now));
  CHECK(bench.asked() == "wf");
}

TEST_CASE("over many threads there is one fetch at a time, and nobody who waits is forgotten") {
  TokenCache cache(std::make_unique<const NoGrant>());
  std::atomic<int> fetches{0}, most{0}, running{0}, served{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        const auto now = TimePoint(1h) + i * 1s;
        const auto answer = cache.ask(now, [&](const Result<TokenCache::Held>&) { ++served; });
        if (answer.token) ++served;
        if (!answer.fetch) continue;
        ++fetches;
        most = std::max(most.load(), ++running);
        std::this_thread::yield();
        --running;
        cache.granted(token(2s), now);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(most == 1);
  CHECK(fetches > 1);
  CHECK(served == 1600);
}
