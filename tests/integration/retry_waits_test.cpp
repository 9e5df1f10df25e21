// When a failed attempt is followed by another, in virtual time: pauses, what upstreams ask for, deadlines.

#include <catch2/catch.hpp>

#include <chrono>

#include "integration/rig.hpp"
#include "sluice/testing.hpp"

using namespace sluice;
using namespace sluice::test;
using namespace sluice::testing;
using namespace std::chrono_literals;

namespace {

/// A gateway in virtual time with upstreams a and b, and one route over `targets`.
struct Bench {
  ManualClock clock;
  Simulation simulation{clock, 5};
  std::optional<Gateway> gateway;
  Bench(const std::string& targets, const std::string& route, const std::string& upstream = {}, std::uint64_t seed = 3) {
    OpenOptions options;
    options.clock = &clock;
    options.seed = seed;
    options.transport = simulation.transport();
    const auto entry = [&](const char* name) { return R"({"name":")" + std::string(name) + R"(","url":"http://)" + name + R"(.test/v1")" + upstream + "}"; };
    auto opened = Gateway::open_json(document(entry("a") + "," + entry("b"), R"({"name":"r","upstreams":[)" + targets + "]," + route + "}", R"(,"gateway":{"threads":0})"), options);
    INFO((opened ? std::string() : opened.error().message));
    REQUIRE(opened);
    gateway.emplace(std::move(*opened));
  }
  Script& upstream(const char* name) { return simulation.upstream(name); }
  Run run(bool stream = false) { return simulation.run(*gateway, Request::post("/v1/chat/completions", chat_body("m", "hi", stream))); }
};

const std::string kA = R"({"name":"a"})", kBoth = R"({"name":"a"},{"name":"b"})";

Fault status(int code, std::chrono::milliseconds retry_after = 0ms) {
  Fault fault;
  fault.kind = Fault::Kind::kStatus;
  fault.status = code;
  fault.retry_after = retry_after;
  return fault;
}

}  // namespace

// BAL-22
TEST_CASE("pauses are chance below a doubling bound, the same for the same seed") {
  const auto pauses = [](std::uint64_t seed) {
    Bench bench(kA, R"("retry":{"attempts":6,"backoff_ms":1000,"max_backoff_ms":4000})", {}, seed);
    bench.upstream("a").fails_with(503);
    const Run run = bench.run();
    std::vector<Duration> out;
    REQUIRE(run.outcome().attempts.size() == 6);
    for (std::size_t i = 1; i < 6; ++i) {
      const Attempt &before = run.outcome().attempts[i - 1], &after = run.outcome().attempts[i];
      CHECK(after.wait == after.started - before.started - before.total);  // exactly what the clock says
      out.push_back(after.wait);
    }
    Duration total{};
    for (const Duration pause : out) total += pause;
    CHECK(run.outcome().wait_time == total);
    return out;
  };
  const auto first = pauses(3);
  for (std::size_t i = 0; i < first.size(); ++i) CHECK(first[i] <= std::min<Duration>(1000ms * (1 << i), 4000ms));
  CHECK(pauses(3) == first);
  CHECK(pauses(4) != first);
}

// BAL-22, BAL-23
TEST_CASE("what an upstream asks for is the least, in whatever form it asks") {
  struct Form {
    const char* name;
    const char* value;
    std::chrono::milliseconds wait;
  };
  const auto form = GENERATE(values<Form>({{"retry-after", "7", 7000ms},
                                           {"retry-after", "2.5", 2500ms},
                                           {"retry-after-ms", "1234", 1234ms},
                                           {"x-ratelimit-reset-requests", "1m3s", 63'000ms}}));
  INFO(form.name << ": " << form.value);
  Bench bench(kA, R"("retry":{"attempts":2,"backoff_ms":10})");
  bench.upstream("a").fails(status(429)).times(1).header(form.name, form.value);
  const Run run = bench.run();
  CHECK(run.status() == 200);
  REQUIRE(run.outcome().attempts.size() == 2);
  CHECK(run.outcome().attempts[1].wait == form.wait);
}

// BAL-22
TEST_CASE("a pause that would pass the deadline is not begun: the next upstream is asked at once") {
  Bench bench(kBoth, R"("retry":{"attempts":4,"per_upstream":3,"backoff_ms":10})", R"(,"timeouts":{"total_ms":20000})");
  bench.upstream("a").fails(status(429, 60'000ms));
  const Run run = bench.run();
  CHECK(run.status() == 200);
  REQUIRE(run.outcome().attempts.size() == 2);
  CHECK(run.outcome().attempts[1].upstream == "b");
  CHECK(run.outcome().total < 1s);
}

TEST_CASE("where nobody else is left, a pause past the deadline is told the caller instead of waited for") {
  Bench bench(kA, R"("retry":{"attempts":4,"backoff_ms":10})", R"(,"timeouts":{"total_ms":20000})");
  bench.upstream("a").fails(status(429, 60'000ms));
  const Run run = bench.run();
  CHECK(run.status() == 429);
  CHECK(run.headers().get("retry-after") == "60");
  CHECK(run.outcome().attempts.size() == 1);
  CHECK(run.outcome().total < 1s);
}

// BAL-33
TEST_CASE("a later and shorter wish does not shorten an earlier wait") {
  Bench bench(kBoth, R"("retry":{"attempts":5,"per_upstream":1,"backoff_ms":0})");
  bench.upstream("a").fails(status(429, 10'000ms)).times(1);
  bench.upstream("b").fails(status(429, 3'000ms)).times(1);
  const Run run = bench.run();
  CHECK(run.status() == 200);
  REQUIRE(run.outcome().attempts.size() == 3);
  CHECK(run.outcome().attempts[2].upstream == "b");  // whose wait ends first
  CHECK(run.outcome().attempts[2].wait == 3s);
}

TEST_CASE("one deadline holds over attempts and pauses alike") {
  Bench bench(kA, R"("retry":{"attempts":20,"backoff_ms":4000,"max_backoff_ms":4000})", R"(,"timeouts":{"total_ms":15000})");
  Pace pace;
  pace.first_token = 2s;
  Fault slow = status(503);
  bench.upstream("a").fails(slow).pace(pace);
  const Run run = bench.run();
  CHECK(run.outcome().total <= 15s);
  CHECK(run.outcome().attempts.size() > 2);
  CHECK(run.outcome().attempts.size() < 20);
}

// BAL-30
TEST_CASE("no attempt begins later than the failover's latest") {
  Bench bench(kBoth, R"("retry":{"attempts":9,"per_upstream":9,"backoff_ms":4000,"max_backoff_ms":4000},"failover":{"max_latency_ms":5000})");
  bench.upstream("a").fails_with(503);
  bench.upstream("b").fails_with(503);
  const Run run = bench.run();
  CHECK(run.status() == 503);
  for (const Attempt& attempt : run.outcome().attempts) CHECK(attempt.started <= 5s);
  CHECK(run.outcome().attempts.size() < 9);
}

// BAL-27
TEST_CASE("what the gateway itself refuses reaches no upstream and is not tried again") {
  Bench bench(kBoth, R"("models":{"allow":["gpt-*"]})");
  const Run run = bench.run();
  CHECK(run.status() == 403);
  CHECK(run.outcome().ending == Ending::kRefused);
  CHECK(run.outcome().attempts.empty());
  CHECK(bench.simulation.seen().empty());
  CHECK_FALSE(run.headers().contains("x-should-retry"));
}

TEST_CASE("who leaves during a pause ends the exchange there, and nobody is asked again") {
  Bench bench(kA, R"("retry":{"attempts":3,"backoff_ms":0})");
  bench.upstream("a").fails(status(503, 30'000ms));
  auto call = bench.gateway->send(Request::post("/v1/chat/completions", chat_body("m")));
  while (bench.simulation.seen().empty()) REQUIRE(bench.simulation.step(*bench.gateway));
  bench.simulation.pass(*bench.gateway, 5s);
  call.cancel();
  bench.simulation.settle(*bench.gateway);
  CHECK(bench.simulation.seen().size() == 1);
  CHECK(bench.gateway->statistics().cancelled == 1);
  CHECK(bench.gateway->statistics().exchanges_open == 0);
}
