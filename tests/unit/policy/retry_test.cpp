// What kind of failure an attempt ended with, and how long the pauses are.

#include "policy/retry.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>

using namespace sluice;
using namespace sluice::policy;
using namespace std::chrono_literals;

namespace {

using Kind = std::optional<FailureKind>;
constexpr Kind kTerminal = std::nullopt;

}  // namespace

TEST_CASE("no connection, no HTTP and no answer in time may be tried again") {  // BAL-20
  for (const Code code : {Code::kUpstreamResolveFailed, Code::kUpstreamConnectFailed, Code::kUpstreamTlsFailed, Code::kUpstreamReset, Code::kUpstreamProtocolError}) {
    CHECK(classify(code, 0) == FailureKind::kConnection);
  }
  for (const Code code : {Code::kConnectTimeout, Code::kHeadersTimeout, Code::kFirstDeltaTimeout, Code::kIdleTimeout}) {
    CHECK(classify(code, 0) == FailureKind::kTimeout);
    CHECK(classify(code, 200) == FailureKind::kTimeout);
  }
}

TEST_CASE("408, 429 and everything from 500 on may be tried again") {  // BAL-20
  for (const Code code : {Code::kOk, Code::kUpstreamStatus}) {
    CHECK(classify(code, 408) == FailureKind::kTimeout);
    CHECK(classify(code, 429) == FailureKind::kHttp429);
    for (int status = 500; status < 1000; ++status) REQUIRE(classify(code, status) == FailureKind::kHttp5xx);  // 529 among them
  }
}

TEST_CASE("a 2xx that holds an error, breaks off or is no answer may be tried again") {  // BAL-20
  for (const Code code : {Code::kUpstreamError, Code::kUpstreamTruncated, Code::kUpstreamInvalidAnswer, Code::kUpstreamEventTooLarge,
                          Code::kUpstreamReset, Code::kUpstreamProtocolError}) {
    CHECK(classify(code, 200) == FailureKind::kBrokenAnswer);
    CHECK(classify(code, 202) == FailureKind::kBrokenAnswer);
  }
}

TEST_CASE("every other status is relayed: 400, 401, 403, 404, 413, 422 and their like") {  // BAL-15, BAL-20
  for (int status = 200; status < 500; ++status) {
    if (status != 408 && status != 429) REQUIRE(classify(Code::kUpstreamStatus, status) == kTerminal);
  }
  CHECK(classify(Code::kOk, 200) == kTerminal);  // nothing failed
}

TEST_CASE("an error status decides, whatever became of the body behind it") {  // BAL-15, BAL-20
  for (const Code code : {Code::kUpstreamReset, Code::kUpstreamTruncated, Code::kUpstreamInvalidAnswer, Code::kIdleTimeout, Code::kUpstreamError}) {
    CHECK(classify(code, 400) == kTerminal);
    CHECK(classify(code, 404) == kTerminal);
    CHECK(classify(code, 429) == FailureKind::kHttp429);
    CHECK(classify(code, 503) == FailureKind::kHttp5xx);
  }
}

TEST_CASE("refusals of the gateway, the caller's leaving and its own mistakes are never tried again") {  // BAL-15, BAL-20, BAL-27
  const std::vector<Code> may = {Code::kUpstreamStatus, Code::kOk, Code::kUpstreamResolveFailed, Code::kUpstreamConnectFailed, Code::kUpstreamTlsFailed,
                                 Code::kUpstreamReset, Code::kUpstreamProtocolError, Code::kUpstreamTruncated, Code::kUpstreamInvalidAnswer,
                                 Code::kUpstreamEventTooLarge, Code::kUpstreamError, Code::kConnectTimeout, Code::kHeadersTimeout,
                                 Code::kFirstDeltaTimeout, Code::kIdleTimeout};
  int terminal = 0;
  for (const CodeInfo& row : all_codes()) {
    if (std::find(may.begin(), may.end(), row.code) != may.end()) continue;
    INFO(row.name);
    for (const int status : {0, 200, 302, 400, 429, 503}) CHECK(classify(row.code, status) == kTerminal);
    ++terminal;
  }
  CHECK(terminal > 40);
  for (const Code code : {Code::kUpstreamRedirect, Code::kAddressRefused, Code::kTotalTimeout, Code::kCancelled, Code::kQueueFull, Code::kUpstreamCredential}) {
    CHECK(classify(code, 0) == kTerminal);  // by name, for they look most like the others
  }
}

TEST_CASE("the n-th pause is by chance 0 to backoff times 2 to the n-1, exact for a seed") {  // BAL-22
  const RetryPolicy policy{.backoff = 250ms, .max_backoff = 8s};
  Random random(42), twin(42);
  const Duration longest[] = {250ms, 500ms, 1s, 2s, 4s, 8s, 8s, 8s};
  for (int round = 0; round < 2000; ++round) {
    for (std::uint32_t n = 1; n <= 8; ++n) {
      const Duration pause = backoff(policy, n, random);
      REQUIRE(pause == Duration(static_cast<Duration::rep>(twin.below(static_cast<std::uint64_t>(longest[n - 1].count()) + 1))));
    }
  }
}

TEST_CASE("the jitter is full: pauses lie all over the range, none beyond it") {  // BAL-22
  const RetryPolicy policy{.backoff = 100ms, .max_backoff = 10s};
  Random random(1);
  std::map<int, int> tenths;
  for (int i = 0; i < 20'000; ++i) {
    const Duration pause = backoff(policy, 3, random);
    REQUIRE(pause >= 0ms);
    REQUIRE(pause <= 400ms);
    ++tenths[static_cast<int>(pause / 40ms)];
  }
  for (int i = 0; i < 10; ++i) CHECK(tenths[i] == Approx(2000).epsilon(0.1));
}

TEST_CASE("impossible settings make no impossible pause") {
  Random random(1);
  CHECK(backoff({.backoff = 0ms}, 5, random) == 0ms);
  CHECK(backoff({.backoff = 250ms, .max_backoff = 0ms}, 5, random) == 0ms);
  CHECK(backoff({.backoff = -1s}, 5, random) == 0ms);
  CHECK(backoff({.backoff = 1s, .max_backoff = -1s}, 5, random) == 0ms);
  for (const std::uint32_t n : {0u, 1u, 2u, 63u, 64u, 65u, 0xFFFF'FFFFu}) {
    const Duration pause = backoff({.backoff = std::chrono::milliseconds::max(), .max_backoff = std::chrono::milliseconds::max()}, n, random);
    CHECK(pause >= 0ms);
    CHECK(pause <= 24h);
    CHECK(backoff({.backoff = 1ms, .max_backoff = 8s}, n, random) <= 8s);
  }
}
