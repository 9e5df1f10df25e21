// Whether a failed attempt is followed by another, where, and when: whole exchanges, written out. Random ones against the
// rules themselves: retry_property_test.cpp.

#include <catch2/catch.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "heap_count.hpp"
#include "policy/retry.hpp"

using namespace sluice;
using namespace sluice::policy;
using namespace std::chrono_literals;

namespace {

constexpr TimePoint kStart{1000s};
using enum FailureKind;

std::string_view word(NextStep::Why why) {
  using Why = NextStep::Why;
  switch (why) {
    case Why::kInPlace: return "in place";
    case Why::kSoonest: return "soonest";
    case Why::kExhausted: return "exhausted";
    case Why::kLongWait: return "long wait";
    case Why::kSpent: return "spent";
    case Why::kNotCovered: return "not covered";
    case Why::kTooLate: return "too late";
  }
  return "";
}

/// One exchange on a route whose members are a, b, c and so on, tried in that order; every attempt takes `attempt_takes` and
/// fails as `answer` says. Without a backoff unless a test sets one, so that only waits that are asked for are waited.
struct Exchange {
  RetryPolicy retry{.backoff = 0ms};
  FailoverPolicy failover{};
  std::size_t members = 3;
  std::optional<Duration> deadline{};
  Duration attempt_takes{0};
  std::function<Failure(std::size_t member, int nth)> answer = [](std::size_t, int) { return Failure{kHttp5xx}; };
  std::vector<std::size_t> unusable{};
  std::uint64_t seed = 1;

  /// The members tried, in order, a pause before one in front of it, and why it ended: "a 250ms a b: spent".
  [[nodiscard]] std::string run() const {
    Retries retries(retry, failover, kStart, deadline ? std::optional(kStart + *deadline) : std::nullopt);
    for (std::size_t i = 0; i < members; ++i) retries.add(static_cast<std::uint32_t>(i), std::find(unusable.begin(), unusable.end(), i) == unusable.end());
    std::vector<int> tried(members);
    Random random(seed);
    TimePoint now = kStart;
    std::string out;
    NextStep next{NextStep::Kind::kOther};
    for (;;) {
      if (next.kind == NextStep::Kind::kGiveUp) return fmt::format("{}: {}", out, word(next.why));
      if (next.kind == NextStep::Kind::kOther) {
        const auto candidates = retries.candidates();
        next.candidate = static_cast<std::size_t>(std::find_if(candidates.begin(), candidates.end(), [](const Candidate& c) { return !c.excluded; }) - candidates.begin());
        REQUIRE(next.candidate < candidates.size());
      }
      now += next.wait;
      if (next.kind == NextStep::Kind::kAgain && next.wait > 0ms) out += fmt::format(" {}ms", std::chrono::ceil<std::chrono::milliseconds>(next.wait).count());
      out += out.empty() ? "" : " ";
      out += static_cast<char>('a' + next.candidate);
      now += attempt_takes;
      next = retries.failed(next.candidate, answer(next.candidate, ++tried[next.candidate]), now, random);
      if (next.kind == NextStep::Kind::kOther) next.wait = {};
    }
  }
};

Failure asking(FailureKind kind, std::chrono::milliseconds wait) { return {.kind = kind, .asked = wait}; }

}  // namespace

TEST_CASE("always 500 with 3 attempts: exactly 3 requests") {  // BAL-19
  CHECK(Exchange{.members = 1}.run() == "a a a: spent");
  CHECK(Exchange{.members = 2}.run() == "a b a: spent");
  CHECK(Exchange{.members = 3}.run() == "a b c: spent");
  CHECK(Exchange{.members = 9}.run() == "a b c: spent");
}

TEST_CASE("always 429 over 3 targets: the bound exactly, however it is divided") {  // BAL-24
  Exchange e;
  e.answer = [](std::size_t, int) { return Failure{kHttp429}; };
  const auto requests = [](const std::string& run) { return std::count_if(run.begin(), run.begin() + static_cast<long>(run.find(':')), [](char c) { return c != ' '; }); };
  for (e.retry.per_upstream = 1; e.retry.per_upstream <= 5; ++e.retry.per_upstream) {
    for (e.retry.attempts = 1; e.retry.attempts <= 12; ++e.retry.attempts) {
      INFO(e.retry.per_upstream << " " << e.run());
      CHECK(requests(e.run()) == e.retry.attempts);
    }
  }
}

TEST_CASE("no attempts at all are still one, and no tries at an upstream are one") {
  Exchange e;
  e.retry.attempts = 0;
  CHECK(e.run() == "a: spent");
  e.retry = {.attempts = 3, .per_upstream = 0, .backoff = 0ms};
  CHECK(e.run() == "a b c: spent");
}

TEST_CASE("an upstream has its tries before another takes over, and is back when all had theirs") {
  Exchange e;
  e.retry.attempts = 8;
  e.retry.per_upstream = 2;
  CHECK(e.run() == "a a b b c c a b: spent");
}

TEST_CASE("resends of the library below count as requests") {  // BAL-39
  Exchange e;
  e.retry.attempts = 4;
  e.answer = [](std::size_t, int) { return Failure{.kind = kConnection, .sends = 2}; };
  CHECK(e.run() == "a b: spent");
  e.answer = [](std::size_t, int) { return Failure{.kind = kConnection, .sends = 0}; };  // refused: nothing went out
  CHECK(e.run() == "a b c a: spent");
  Retries retries(e.retry, e.failover, kStart, std::nullopt);
  retries.add(0);
  Random random(1);
  CHECK(retries.sends_left() == 4);
  (void)retries.failed(0, {.sends = 3}, kStart, random);
  CHECK(retries.sends() == 3);
  CHECK(retries.sends_left() == 1);
  CHECK(retries.failed(0, {.sends = 7}, kStart, random).why == NextStep::Why::kSpent);
  CHECK(retries.sends_left() == 0);
}

TEST_CASE("failover triggers: 429, 408 and 5xx reach the chain where their kind is listed, and are relayed where not") {  // BAL-29
  const auto run = [](FailureKind fails_with, std::vector<FailureKind> failover_on) {
    return Exchange{.failover = {.on = std::move(failover_on)}, .answer = [=](std::size_t, int) { return Failure{fails_with}; }}.run();
  };
  CHECK(run(kHttp429, {kHttp5xx}) == "a: not covered");
  CHECK(run(kHttp429, {kHttp429}) == "a b c: spent");
  CHECK(run(kTimeout, {kTimeout}) == "a b c: spent");
  CHECK(run(kTimeout, {kHttp5xx}) == "a: not covered");
  CHECK(run(kConnection, {kHttp5xx, kConnection}) == "a b c: spent");
  CHECK(run(kBrokenAnswer, {kHttp5xx}) == "a: not covered");
  for (const FailureKind kind : {kConnection, kTimeout, kHttp429, kHttp5xx, kBrokenAnswer}) CHECK(run(kind, {}) == "a: not covered");
}

TEST_CASE("without failover an upstream still has its own tries; alone it has all of them") {  // BAL-29
  Exchange e{.failover = {.on = {}}};
  e.retry.per_upstream = 2;
  CHECK(e.run() == "a a: not covered");
  e.members = 1;
  CHECK(e.run() == "a a a: spent");
  e.members = 3;
  e.unusable = {1, 2};
  CHECK(e.run() == "a a a: spent");
}

TEST_CASE("what is not in retry.on is not tried again at the same upstream, neither now nor later") {  // BAL-29
  Exchange e;
  e.retry.attempts = 9;
  e.retry.per_upstream = 3;
  e.retry.on = {kHttp429};
  CHECK(e.run() == "a b c: not covered");
  e.answer = [](std::size_t member, int) { return Failure{member == 1 ? kHttp429 : kHttp5xx}; };
  CHECK(e.run() == "a b b b c b b b b: spent");  // only b is worth another try
  e.failover.on.clear();
  CHECK(e.run() == "a: not covered");
}

TEST_CASE("a failure failover is not set for ends the exchange where it happens, also far down the chain") {  // BAL-29
  Exchange e;
  e.retry.attempts = 9;
  e.failover.on = {kHttp5xx};
  e.answer = [](std::size_t member, int) { return Failure{member == 1 ? kHttp429 : kHttp5xx}; };
  CHECK(e.run() == "a b: not covered");
  e.members = 2;  // all were tried now; b's own failure lets it go on there, and nowhere else
  e.retry.attempts = 4;
  CHECK(e.run() == "a b b b: spent");
}

TEST_CASE("the chain serves once: what failed is excluded, the same upstream with another model is not") {  // BAL-30
  const RetryPolicy retry{.attempts = 5};
  const FailoverPolicy failover;
  Retries retries(retry, failover, kStart, std::nullopt);
  for (std::uint32_t member = 0; member < 3; ++member) retries.add(member);  // 0 and 1: two models of one upstream
  Random random(1);
  CHECK(retries.failed(0, {kHttp5xx}, kStart, random).kind == NextStep::Kind::kOther);
  CHECK(retries.candidates()[0].excluded);
  CHECK_FALSE(retries.candidates()[1].excluded);
  CHECK(retries.failed(2, {kHttp5xx}, kStart, random).kind == NextStep::Kind::kOther);  // the strategy chose another one
  CHECK(retries.candidates()[2].excluded);
  CHECK_FALSE(retries.candidates()[1].excluded);
}

TEST_CASE("no attempt begins later than max_latency after the request was whole") {  // BAL-30
  Exchange e;
  e.retry.attempts = 9;
  e.attempt_takes = 1s;
  e.failover.max_latency = 2500ms;
  CHECK(e.run() == "a b c: too late");
  e.failover.max_latency = 3s;  // at it, not after it
  CHECK(e.run() == "a b c a: too late");
  e.failover.max_latency = 0ms;
  CHECK(e.run() == "a b c a b c a b c: spent");
  e.failover.max_latency = 2500ms;
  e.members = 1;
  e.answer = [](std::size_t, int) { return asking(kHttp429, 600ms); };
  CHECK(e.run() == "a 600ms a: too late");
  e.answer = [](std::size_t, int) { return asking(kHttp429, 2s); };
  CHECK(e.run() == "a: long wait");
}

TEST_CASE("a wait asked for is a floor under the backoff, and the backoff a floor under it") {  // BAL-22
  Exchange e{.members = 1};
  e.retry.backoff = e.retry.max_backoff = 1s;
  Random twin(e.seed);
  const auto ms = [&] { return std::chrono::ceil<std::chrono::milliseconds>(backoff(e.retry, 1, twin)).count(); };
  const auto first = ms(), second = ms();
  CHECK(e.run() == fmt::format("a {}ms a {}ms a: spent", first, second));
  e.answer = [](std::size_t, int) { return asking(kHttp429, 5s); };
  CHECK(e.run() == "a 5000ms a 5000ms a: spent");
  e.answer = [](std::size_t, int) { return asking(kHttp429, 1ms); };
  CHECK(e.run() == fmt::format("a {}ms a {}ms a: spent", first, second));
}

TEST_CASE("pauses grow with the failures of their upstream, not of the exchange") {  // BAL-22
  const RetryPolicy retry{.attempts = 9, .per_upstream = 2, .backoff = 100ms};
  const FailoverPolicy failover;
  Retries retries(retry, failover, kStart, std::nullopt);
  retries.add(0);
  retries.add(1);
  Random random(9), twin(9);
  const auto wait = [&](std::size_t candidate) { return retries.failed(candidate, {kHttp5xx}, kStart, random).wait; };
  CHECK(wait(0) == backoff(retry, 1, twin));
  (void)backoff(retry, 2, twin);
  CHECK(wait(0) == 0ms);                      // b takes over at once; what a would wait for is kept
  CHECK(wait(1) == backoff(retry, 1, twin));  // b's first
}

TEST_CASE("a wait that would pass the deadline is not begun: the next upstream at once, else no more") {  // BAL-22, BAL-35
  Exchange e{.members = 2, .deadline = 10s};
  e.retry.per_upstream = 3;
  e.answer = [](std::size_t member, int) { return member == 0 ? asking(kHttp429, 60s) : Failure{kHttp5xx}; };
  CHECK(e.run() == "a b b: spent");
  e.members = 1;
  CHECK(e.run() == "a: long wait");
  e.deadline = 60s;  // it would end at the deadline, which is too late to begin anything
  CHECK(e.run() == "a: long wait");
  e.deadline = 61s;
  CHECK(e.run() == "a 60000ms a: long wait");
  e.members = 2;
  e.deadline = 10s;
  e.failover.on = {kHttp5xx};
  CHECK(e.run() == "a: long wait");
}

TEST_CASE("when every upstream asks for a wait, the soonest is waited for if it is inside the deadline") {  // BAL-35
  Exchange e{.deadline = 10s};
  e.retry.attempts = 5;
  e.answer = [](std::size_t member, int) { return asking(kHttp429, std::chrono::seconds(member == 1 ? 2 : 60)); };
  CHECK(e.run() == "a b c 2000ms b 2000ms b: spent");
  e.deadline = 3s;
  CHECK(e.run() == "a b c 2000ms b: long wait");
  e.deadline = 2s;
  CHECK(e.run() == "a b c: long wait");
}

TEST_CASE("who gives up for a long wait says how long the shortest is, for Retry-After") {  // BAL-35
  const RetryPolicy retry{.attempts = 5, .backoff = 0ms};
  const FailoverPolicy failover;
  Retries retries(retry, failover, kStart, kStart + 10s);
  retries.add(0);
  retries.add(1);
  Random random(1);
  CHECK(retries.failed(0, asking(kHttp429, 40s), kStart, random).kind == NextStep::Kind::kOther);
  const NextStep next = retries.failed(1, asking(kHttp429, 50s), kStart + 5s, random);
  CHECK(next.kind == NextStep::Kind::kGiveUp);
  CHECK(next.candidate == 0);
  CHECK(next.wait == 35s);
  CHECK(next.describe() == "no more: a wait of 35 s would end too late");
}

TEST_CASE("a wait goes on while others are tried, and no request comes before its end") {  // BAL-33
  Exchange e;
  e.retry.attempts = 6;
  e.attempt_takes = 300ms;
  e.answer = [](std::size_t member, int nth) { return member == 0 && nth == 1 ? asking(kHttp429, 1s) : asking(kHttp429, 2s); };
  CHECK(e.run() == "a b c 400ms a 1000ms b c: spent");
}

TEST_CASE("a later failure without a wait does not shorten the one that was asked for") {  // BAL-33
  const RetryPolicy retry{.attempts = 9, .per_upstream = 9, .backoff = 0ms};
  const FailoverPolicy failover;
  Retries retries(retry, failover, kStart, std::nullopt);
  retries.add(0);
  Random random(1);
  CHECK(retries.failed(0, asking(kHttp429, 1s), kStart, random).wait == 1s);
  CHECK(retries.failed(0, {kHttp429}, kStart + 200ms, random).wait == 800ms);  // of a second request that was under way
  CHECK(retries.failed(0, asking(kHttp429, 3s), kStart + 400ms, random).wait == 3s);
  CHECK(retries.failed(0, asking(kHttp429, 1s), kStart + 500ms, random).wait == 2900ms);
}

TEST_CASE("after the deadline nothing begins") {  // BAL-22, BAL-26
  Exchange e{.deadline = 2500ms};
  e.retry.attempts = 9;
  e.attempt_takes = 1s;
  CHECK(e.run() == "a b c: too late");
  e.deadline = 2s;
  CHECK(e.run() == "a b: too late");
}

TEST_CASE("an upstream that turns out unfit is never tried again") {
  const RetryPolicy retry{.attempts = 9, .per_upstream = 2, .backoff = 0ms};
  const FailoverPolicy failover;
  Retries retries(retry, failover, kStart, std::nullopt);
  for (std::uint32_t member = 0; member < 3; ++member) retries.add(member, member != 2);
  Random random(1);
  CHECK(retries.candidates()[2].excluded);
  retries.exclude(0);
  CHECK(retries.candidates()[0].excluded);
  CHECK(retries.failed(0, {kHttp5xx}, kStart, random).kind == NextStep::Kind::kOther);  // not in place
  CHECK(retries.failed(1, {kHttp5xx}, kStart, random).why == NextStep::Why::kInPlace);
  const NextStep next = retries.failed(1, {kHttp5xx}, kStart, random);
  CHECK(next.why == NextStep::Why::kSoonest);
  CHECK(next.candidate == 1);
  retries.exclude(1);
  CHECK(retries.failed(1, {kHttp5xx}, kStart, random).kind == NextStep::Kind::kGiveUp);
}

TEST_CASE("what comes next is said for a person") {
  using Kind = NextStep::Kind;
  using Why = NextStep::Why;
  const auto said = [](Kind kind, Why why, Duration wait = {}) { return NextStep{kind, why, 0, wait}.describe(); };
  CHECK(said(Kind::kAgain, Why::kInPlace, 250ms) == "again after 250 ms");
  CHECK(said(Kind::kAgain, Why::kInPlace, 999'000'001ns) == "again after 1 s");
  CHECK(said(Kind::kAgain, Why::kSoonest, 1250ms) == "again after 1.25 s: every upstream was tried");
  CHECK(said(Kind::kOther, Why::kExhausted) == "the next upstream at once");
  CHECK(said(Kind::kOther, Why::kLongWait, 60s) == "the next upstream at once: a wait of 60 s would end too late");
  CHECK(said(Kind::kGiveUp, Why::kSpent) == "no more: all requests that one exchange may cost were sent");
  CHECK(said(Kind::kGiveUp, Why::kNotCovered) == "no more: the route's policies do not cover this failure");
  CHECK(said(Kind::kGiveUp, Why::kTooLate) == "no more: it is too late for another attempt");
}

TEST_CASE("an exchange of up to eight candidates takes no memory for its retries") {
  const RetryPolicy retry{.attempts = 30};
  const FailoverPolicy failover;
  const std::size_t before = allocations();
  Retries retries(retry, failover, kStart, kStart + 1h);
  for (std::uint32_t member = 0; member < 8; ++member) retries.add(member);
  Random random(1);
  NextStep next{NextStep::Kind::kOther};
  int failures = 0;
  for (TimePoint now = kStart; next.kind != NextStep::Kind::kGiveUp; ++failures) {
    if (next.kind == NextStep::Kind::kOther) next.candidate = static_cast<std::size_t>(failures);
    now += next.wait;
    next = retries.failed(next.candidate, {kHttp5xx}, now, random);
  }
  const std::size_t taken = allocations() - before;
  CHECK(failures == 30);
  CHECK(taken == 0);
}
