// Where the time of an exchange went, in virtual time: every wait is somebody's, and nothing is counted twice.

#include <catch2/catch.hpp>

#include "sluice/testing.hpp"
#include "telemetry_support.hpp"

using namespace sluice;
using namespace sluice::test;
using namespace std::chrono_literals;
using testing::ManualClock;
using testing::Script;
using testing::Simulation;

namespace {

struct Rig {
  ManualClock clock;
  Simulation simulation{clock, 1};
  Events events;
  std::optional<Gateway> gateway;

  explicit Rig(const std::string& upstream = {}, const std::string& route = {}) {
    OpenOptions options = telling(events);
    options.clock = &clock;
    options.seed = 7;
    options.transport = simulation.transport();
    auto opened = Gateway::open_json(document(R"({"name":"a","url":"http://a.test/v1")" + upstream + "}", route_to("a", route), R"(,"gateway":{"threads":0})"), options);
    INFO((opened ? std::string() : opened.error().message));
    REQUIRE(opened);
    gateway.emplace(std::move(*opened));
  }
  std::uint64_t submit(std::shared_ptr<Counting> caller, bool stream = false) {
    auto id = gateway->submit(Request::post("/v1/chat/completions", chat_body("m", "hello", stream)), std::move(caller));
    REQUIRE(id);
    return *id;
  }
  /// The nth event.
  std::string event(std::size_t n) {
    const auto lines = events.all();
    REQUIRE(lines.size() > n);
    INFO(lines[n]);
    CHECK(fits_schema(lines[n]));
    CHECK(times_add_up(lines[n]));
    return lines[n];
  }
};

std::int64_t us(const std::string& event, const char* part) { return number_at(event, {"times", part}); }

}  // namespace

// TELE-11
TEST_CASE("waiting for a place, for the next attempt and for the upstream add up to the whole") {
  Rig rig(R"(,"caps":{"in_flight":1,"queue":4,"queue_wait_ms":60000})", R"(,"retry":{"attempts":3,"backoff_ms":1000,"max_backoff_ms":1000})");
  rig.simulation.upstream("a").pace({.first_token = 300ms});
  rig.submit(std::make_shared<Counting>());
  rig.submit(std::make_shared<Counting>());
  rig.simulation.settle(*rig.gateway);
  const std::string first = rig.event(0), second = rig.event(1);
  CHECK(us(first, "upstream_us") == 300'000);
  CHECK(us(first, "queue_us") == 0);
  CHECK(us(second, "queue_us") == 300'000);
  CHECK(us(second, "upstream_us") == 300'000);
  CHECK(us(second, "total_us") == 600'000);
  CHECK(us(second, "gateway_us") == 0);
  CHECK(at(second, {"attempts", "0", "queued_ms"}) == "300.000");
}

// TELE-11
TEST_CASE("a pause between two attempts is told as waiting, and each attempt's time as its own") {
  Rig rig({}, R"(,"retry":{"attempts":2,"backoff_ms":1000,"max_backoff_ms":1000})");
  rig.simulation.upstream("a").pace({.first_token = 200ms}).fails({.kind = testing::Fault::Kind::kStatus, .status = 503}).times(1);
  rig.submit(std::make_shared<Counting>());
  rig.simulation.settle(*rig.gateway);
  const std::string event = rig.event(0);
  CHECK(at(event, {"ending"}) == "\"completed\"");
  CHECK_FALSE(at(event, {"attempts", "1", "wait_ms"}).empty());
  CHECK(us(event, "wait_us") > 0);
  CHECK(us(event, "wait_us") <= 1'000'000);
  CHECK(us(event, "wait_us") + us(event, "upstream_us") == us(event, "total_us"));
}

// TELE-11. A caller who left a queue had waited for nobody: the time was told as the gateway's own.
TEST_CASE("a caller who leaves a queue has waited there") {
  Rig rig(R"(,"caps":{"in_flight":1,"queue":4,"queue_wait_ms":60000})");
  rig.simulation.upstream("a").fails({.kind = testing::Fault::Kind::kStall});
  rig.submit(std::make_shared<Counting>());
  const std::uint64_t waits = rig.submit(std::make_shared<Counting>());
  rig.simulation.pass(*rig.gateway, 5s);
  rig.gateway->cancel(waits);
  rig.simulation.pass(*rig.gateway, 1ms);
  const std::string event = rig.event(0);
  CHECK(at(event, {"ending"}) == "\"cancelled\"");
  CHECK(us(event, "queue_us") == 5'000'000);
  CHECK(us(event, "gateway_us") == 0);
}

// TELE-11. Likewise who left a pause between two attempts.
TEST_CASE("a caller who leaves between two attempts has waited for the next") {
  Rig rig({}, R"(,"retry":{"attempts":2,"backoff_ms":0,"max_backoff_ms":60000})");
  rig.simulation.upstream("a").fails({.kind = testing::Fault::Kind::kStatus, .status = 503, .retry_after = 30s});
  const std::uint64_t waits = rig.submit(std::make_shared<Counting>());
  rig.simulation.pass(*rig.gateway, 7s);
  rig.gateway->cancel(waits);
  rig.simulation.pass(*rig.gateway, 1ms);
  const std::string event = rig.event(0);
  CHECK(at(event, {"ending"}) == "\"cancelled\"");
  CHECK(us(event, "wait_us") == 7'000'000);
  CHECK(us(event, "gateway_us") == 0);
}

// TELE-11
TEST_CASE("a body that comes slowly is told as receiving, also where the caller leaves before its end") {
  const auto threads = GENERATE(1u, 4u);
  const bool leaves = GENERATE(false, true);
  Events events;
  Backend a("a");
  Live live(document(a.entry(), route_to("a")), threads, telling(events));
  const std::string request = post("/v1/chat/completions", chat_body("m"));
  RawClient client(live.port());
  client.send(request.substr(0, request.size() - 10));
  REQUIRE(eventually([&] { return live.gateway().statistics().exchanges_open == 1; }));
  const auto began = std::chrono::steady_clock::now();
  REQUIRE(eventually([&] { return std::chrono::steady_clock::now() - began > 30ms; }));
  if (leaves) {
    client.reset();
  } else {
    client.send(request.substr(request.size() - 10));
    CHECK(client.answer().status == 200);
  }
  const auto lines = events.wait(1);
  REQUIRE(lines.size() == 1);
  CHECK(fits_schema(lines[0]));
  CHECK(times_add_up(lines[0]));
  CHECK(us(lines[0], "receive_us") >= 25'000);
  CHECK(us(lines[0], "gateway_us") < 25'000 * kSlowdown);
}

// TELE-01: pauses are told as they were.
TEST_CASE("the pauses of a stream are told as its upstream made them") {
  Rig rig;
  rig.simulation.upstream("a").answers("one two three four five six seven eight nine ten").pace({.first_token = 50ms, .tokens_per_second = 100});
  rig.submit(std::make_shared<Counting>(), true);
  rig.simulation.settle(*rig.gateway);
  const std::string event = rig.event(0);
  CHECK(at(event, {"deltas"}) == "10");
  CHECK(at(event, {"first_delta_ms"}) == "50.000");
  CHECK(at(event, {"inter_delta_p50_ms"}) == "10.000");
  CHECK(at(event, {"inter_delta_p99_ms"}) == "10.000");
}

TEST_CASE("with a seed, two gateways tell the same events") {
  std::vector<std::string> lines;
  for (int i = 0; i < 2; ++i) {
    Rig rig;
    rig.submit(std::make_shared<Counting>(), true);
    rig.simulation.settle(*rig.gateway);
    lines.push_back(rig.event(0));
  }
  CHECK(lines[0] == lines[1]);
}
