// Accounts by key: each its own, no more than so many, and no fresh burst for new names.

#include "policy/accounts.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "policy/reservation.hpp"

using namespace sluice;
using namespace sluice::policy;
using namespace std::chrono_literals;

namespace {

constexpr TimePoint kStart{1000s};

bool draw(Accounts& accounts, const std::string& key, TimePoint now, std::uint64_t amount = 1) {
  const Draw one{accounts.of(key, now), amount};
  auto drawn = Reservation::make({&one, 1}, now);
  if (!drawn) return false;
  drawn->settle({&amount, 1}, now);
  return true;
}

}  // namespace

TEST_CASE("each key has an account of its own, and the same one again") {  // LIMIT-01
  Accounts accounts({2, 1min}, 100);
  CHECK(draw(accounts, "a", kStart));
  CHECK(draw(accounts, "a", kStart));
  CHECK_FALSE(draw(accounts, "a", kStart));
  CHECK(draw(accounts, "b", kStart));
  CHECK(accounts.of("a", kStart) == accounts.of("a", kStart));
  CHECK(accounts.size() == 2);
}

TEST_CASE("a million keys: so many accounts and no more, and no burst beyond theirs") {  // LIMIT-24
#ifdef __SANITIZE_THREAD__
  constexpr int kKeys = 50'000;  // the same at a twentieth: there is one thread here
#else
  constexpr int kKeys = 1'000'000;
#endif
  constexpr std::size_t kMost = 1'600;
  Accounts accounts({1, 1h}, kMost);
  std::size_t allowed = 0;
  for (int i = 0; i < kKeys; ++i) allowed += draw(accounts, "caller " + std::to_string(i), kStart + std::chrono::microseconds(i));
  CHECK(accounts.size() <= kMost);
  CHECK(allowed <= kMost + 1);  // the shared account has one too
  // Whoever was there keeps what was used, and what came too late shares one account.
  CHECK_FALSE(draw(accounts, "caller 0", kStart + 1s));
  // Once theirs have drained, new keys have room.
  for (int i = 0; i < 1'000; ++i) CHECK(draw(accounts, "late " + std::to_string(i), kStart + 2h));
  CHECK(accounts.size() <= kMost);
}

TEST_CASE("an account somebody holds is not forgotten") {
  Accounts accounts({1, 1h}, 16);  // one for each shard
  const auto held = accounts.of("held", kStart);
  for (int i = 0; i < 200; ++i) (void)accounts.of("other " + std::to_string(i), kStart);
  CHECK(accounts.of("held", kStart) == held);
  CHECK(accounts.size() <= 16);
}

TEST_CASE("a new rate is that of all accounts, also of those that come later") {
  Accounts accounts({1, 1min}, 100);
  CHECK(draw(accounts, "a", kStart));
  accounts.set_rate({3, 1min}, kStart);
  CHECK(draw(accounts, "a", kStart));
  CHECK(draw(accounts, "a", kStart));
  CHECK_FALSE(draw(accounts, "a", kStart));
  CHECK(draw(accounts, "b", kStart, 3));
}

TEST_CASE("threads that ask for the same keys get the same accounts") {
  const unsigned threads = GENERATE(1u, 4u);
  Accounts accounts({100, 1min}, 64);
  std::atomic<int> allowed{0};
  std::vector<std::thread> callers;
  for (unsigned t = 0; t < threads; ++t) {
    callers.emplace_back([&] {
      for (int i = 0; i < 2'000; ++i) allowed += draw(accounts, "k" + std::to_string(i % 4), kStart) ? 1 : 0;
    });
  }
  for (std::thread& one : callers) one.join();
  CHECK(allowed == 400);
}
