// Random exchanges against the rules of retry and failover, each read by itself off the list of what was sent.

#include <catch2/catch.hpp>

#include <algorithm>
#include <random>
#include <set>
#include <vector>

#include "policy/retry.hpp"

using namespace sluice;
using namespace sluice::policy;
using namespace std::chrono_literals;

namespace {

constexpr TimePoint kStart{1000s};

struct Sent {
  std::size_t member;
  TimePoint began, failed;
  Failure failure;
  NextStep next;  // what followed
};

struct Exchange {
  RetryPolicy retry;
  FailoverPolicy failover;
  std::optional<TimePoint> deadline;
  std::size_t members = 0;
  std::set<std::size_t> unusable;
  std::vector<Sent> sent;

  static std::vector<FailureKind> some(std::mt19937& dice) {
    std::vector<FailureKind> kinds;
    for (int kind = 0; kind < 5; ++kind) {
      if (dice() % 4 != 0) kinds.push_back(static_cast<FailureKind>(kind));
    }
    return kinds;
  }
  Exchange(std::mt19937& dice, bool unbounded) : members(1 + dice() % 11) {
    retry.attempts = 1 + dice() % 12;
    retry.per_upstream = 1 + dice() % 4;
    retry.backoff = std::chrono::milliseconds(dice() % 300);
    retry.max_backoff = std::chrono::milliseconds(dice() % 2000);
    if (unbounded) return;
    retry.on = some(dice);
    failover.on = some(dice);
    if (dice() % 2 == 0) deadline = kStart + std::chrono::milliseconds(1 + dice() % 8000);
    if (dice() % 3 == 0) failover.max_latency = std::chrono::milliseconds(1 + dice() % 8000);
    for (std::size_t i = 0; i < members; ++i) {
      if (dice() % 5 == 0) unusable.insert(i);
    }
    if (unusable.size() == members) unusable.erase(0);
  }

  void run(std::mt19937& dice) {
    Retries retries(retry, failover, kStart, deadline);
    for (std::size_t i = 0; i < members; ++i) retries.add(static_cast<std::uint32_t>(i), !unusable.contains(i));
    Random random(dice());
    TimePoint now = kStart;
    NextStep next{NextStep::Kind::kOther};
    while (next.kind != NextStep::Kind::kGiveUp) {
      if (next.kind == NextStep::Kind::kAgain) {
        now += next.wait;
      } else {
        std::vector<std::size_t> left;
        for (std::size_t i = 0; i < members; ++i) {
          if (!retries.candidates()[i].excluded) left.push_back(i);
        }
        REQUIRE_FALSE(left.empty());
        next.candidate = left[dice() % left.size()];
      }
      Sent& one = sent.emplace_back();
      one.member = next.candidate;
      one.began = now;
      now += std::chrono::milliseconds(dice() % 700);
      one.failed = now;
      one.failure.kind = static_cast<FailureKind>(dice() % 5);
      if (dice() % 3 == 0) one.failure.asked = std::chrono::milliseconds(dice() % 4000);
      if (dice() % 8 == 0) one.failure.sends = dice() % 3;
      one.next = next = retries.failed(one.member, one.failure, now, random);
    }
  }
};

bool has(const std::vector<FailureKind>& kinds, FailureKind kind) { return std::find(kinds.begin(), kinds.end(), kind) != kinds.end(); }

}  // namespace

TEST_CASE("random exchanges keep every rule of retry and failover") {  // BAL-19, BAL-22, BAL-24, BAL-29, BAL-30, BAL-33, BAL-39
  std::mt19937 dice(11);
  std::size_t endings[7] = {};
  for (int round = 0; round < 20'000; ++round) {
    Exchange e(dice, false);
    e.run(dice);
    ++endings[static_cast<int>(e.sent.back().next.why)];

    std::uint32_t sends = 0;
    std::set<std::size_t> tried;
    std::vector<std::uint32_t> times(e.members);
    std::vector<TimePoint> not_before(e.members, TimePoint::min());
    std::vector<FailureKind> last(e.members);
    for (std::size_t i = 0; i < e.sent.size(); ++i) {
      const Sent& one = e.sent[i];
      INFO("round " << round << ", attempt " << i);
      REQUIRE(sends < e.retry.attempts);
      REQUIRE_FALSE(e.unusable.contains(one.member));
      if (i > 0) {
        REQUIRE((!e.deadline || one.began < *e.deadline));
        REQUIRE((e.failover.max_latency == 0ms || one.began <= kStart + e.failover.max_latency));
      }
      REQUIRE(one.began >= not_before[one.member]);
      const bool all_tried = tried.size() + e.unusable.size() == e.members;
      if (times[one.member] > 0) {
        REQUIRE(has(e.retry.on, last[one.member]));
        if (!all_tried) REQUIRE(times[one.member] < e.retry.per_upstream);
      }
      if (i > 0 && e.sent[i - 1].member != one.member) REQUIRE(has(e.failover.on, e.sent[i - 1].failure.kind));
      if (i > 0 && times[one.member] > 0 && !all_tried) REQUIRE(e.sent[i - 1].member == one.member);  // in place, or not at all
      tried.insert(one.member);
      ++times[one.member];
      last[one.member] = one.failure.kind;
      not_before[one.member] = std::max(not_before[one.member], one.failed + one.failure.asked.value_or(0ms));
      sends += std::max(one.failure.sends, 1u);
    }
    const Sent& end = e.sent.back();
    if (end.next.why == NextStep::Why::kSpent) REQUIRE(sends >= e.retry.attempts);
    if (end.next.why == NextStep::Why::kLongWait) REQUIRE(end.next.wait > 0ms);
  }
  for (const auto why : {NextStep::Why::kLongWait, NextStep::Why::kSpent, NextStep::Why::kNotCovered, NextStep::Why::kTooLate}) {
    CHECK(endings[static_cast<int>(why)] > 500);  // each way to end was really walked
  }
}

TEST_CASE("where everything fails and nothing forbids it, the bound is spent exactly") {  // BAL-19, BAL-24
  std::mt19937 dice(12);
  for (int round = 0; round < 3000; ++round) {
    Exchange e(dice, true);
    e.run(dice);
    std::uint32_t sends = 0;
    for (const Sent& one : e.sent) sends += std::max(one.failure.sends, 1u);
    REQUIRE(e.sent.back().next.why == NextStep::Why::kSpent);
    REQUIRE(sends - std::max(e.sent.back().failure.sends, 1u) < e.retry.attempts);
    REQUIRE(sends >= e.retry.attempts);
    REQUIRE(sends <= e.retry.attempts + 1);  // where the library below resent the very last one
  }
}
