// A gateway on virtual time, as a host program tests its own.
#include "sluice/testing.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <ctime>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace sluice;
using namespace sluice::testing;
using namespace std::chrono_literals;

namespace {

constexpr const char* kConfig = R"({
  "version": 1,
  "gateway": {"threads": 0},
  "upstreams": [{"name": "one", "provider": "simulator"}],
  "routes": [{"name": "chat", "match": {"path": "/v1/chat/completions"}, "upstreams": [{"name": "one"}]}]
})";

Request chat(bool stream = false) {
  return Request::post("/v1/chat/completions", stream ? R"({"model":"m","stream":true,"messages":[{"role":"user","content":"hello"}]})"
                                                      : R"({"model":"m","messages":[{"role":"user","content":"hello"}]})");
}

struct Bench {
  ManualClock clock;
  Simulation simulation;
  Result<Gateway> gateway;

  explicit Bench(std::uint64_t seed = 7) : simulation(clock, seed), gateway(open()) { REQUIRE(gateway); }
  Result<Gateway> open() {
    OpenOptions options;
    options.clock = &clock;
    options.seed = 1;
    options.transport = simulation.transport();
    return Gateway::open_json(kConfig, options);
  }
};

struct Counter final : ExchangeListener {
  explicit Counter(int& count) : ended(count) {}
  void on_head(const ResponseHead&) override {}
  void on_bytes(std::string_view) override {}
  void on_end(const Outcome& outcome) override { ended += outcome.ending == Ending::kCompleted ? 1 : 0; }
  int& ended;
};

}  // namespace

TEST_CASE("a run ends with the answer, its account and no real time spent") {
  Bench bench;
  Pace pace;
  pace.first_token = 20s;
  bench.simulation.upstream("one").answers("After a while.").pace(pace);
  const TimePoint before = bench.clock.now();
  const auto real = std::chrono::steady_clock::now();
  const Run run = bench.simulation.run(*bench.gateway, chat());
  CHECK(run.status() == 200);
  CHECK(run.body().find("After a while.") != std::string::npos);
  CHECK(run.headers().get("content-type") == "application/json");
  CHECK(run.outcome().ending == Ending::kCompleted);
  CHECK(run.outcome().usage.output_tokens == 4U);
  CHECK(run.outcome().total == 20s);
  CHECK(bench.clock.now() - before == 20s);
  CHECK(std::chrono::steady_clock::now() - real < 10s);
  REQUIRE(bench.simulation.seen().size() == 1);
  CHECK(bench.simulation.seen()[0].upstream == "one");
  bench.simulation.forget_seen();
  CHECK(bench.simulation.seen().empty());
}

TEST_CASE("a fault of the script is an attempt of the outcome") {
  Bench bench;
  bench.simulation.upstream("one").fails_with(503).times(1);
  const Run run = bench.simulation.run(*bench.gateway, chat());
  CHECK(run.status() == 200);
  REQUIRE(run.outcome().attempts.size() == 2);
  CHECK(run.outcome().attempts[0].status == 503);
  CHECK(run.outcome().attempts[0].reason == "status 503");
  CHECK(run.outcome().attempts[1].status == 200);
}

TEST_CASE("a stalled upstream runs into the gateway's own timeout") {
  Bench bench;
  Fault stall;
  stall.kind = Fault::Kind::kStall;
  bench.simulation.upstream("one").fails(stall);
  const Run run = bench.simulation.run(*bench.gateway, chat());
  CHECK(run.outcome().ending == Ending::kFailed);
  REQUIRE(run.outcome().error);
}

TEST_CASE("time passes by exactly what was asked") {
  Bench bench;
  const TimePoint before = bench.clock.now();
  bench.simulation.pass(*bench.gateway, 90s);
  CHECK(bench.clock.now() - before == 90s);
  bench.simulation.settle(*bench.gateway, 10s);
  CHECK(bench.clock.now() - before <= 100s);
}

TEST_CASE("the same seed gives the same run twice") {
  // AVAIL-14
  const auto trace = [](std::uint64_t seed) {
    Bench bench(seed);
    Pace pace;
    pace.first_token = 100ms;
    pace.jitter = 400ms;
    pace.tokens_per_second = 30;
    bench.simulation.upstream("one").generates(15).pace(pace);
    std::string all;
    for (int i = 0; i < 10; ++i) {
      const Run run = bench.simulation.run(*bench.gateway, chat(i % 2 == 0));
      all += run.body() + std::to_string(run.outcome().total.count()) + run.outcome().id;
    }
    return all;
  };
  const std::string once = trace(7);
  CHECK(trace(7) == once);
  CHECK(trace(8) != once);
}

TEST_CASE("ten minutes of traffic through a gateway take less than a second") {
  Bench bench;
  Pace pace;
  pace.first_token = 300ms;
  pace.jitter = 200ms;
  bench.simulation.upstream("one").generates(20).pace(pace);
  int completed = 0;
  const std::clock_t began = std::clock();
  for (int i = 0; i < 600 * 20; ++i) {
    REQUIRE(bench.gateway->submit(chat(i % 10 == 0), std::make_shared<Counter>(completed)));
    bench.simulation.pass(*bench.gateway, 50ms);
  }
  bench.simulation.settle(*bench.gateway);
  const double seconds = static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC;
  CHECK(completed == 12'000);
  INFO("12,000 exchanges took " << seconds << " s of processor time");
#if !defined(SLUICE_SANITIZED)  // a sanitizer pays several times the price
  CHECK(seconds < 1);
#endif
}
