// Caps towards an upstream, exact over all engines: connections, exchanges in flight, the queue before them. And what the
// library below sends twice.
#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <thread>

#include "gateway/core.hpp"
#include "stream_support.hpp"

using namespace sluice;
using namespace sluice::test;
using namespace std::chrono_literals;

namespace {

std::uint32_t waiting(Live& live) { return live.gateway().core().snapshot()->upstreams[0].state->gate->waiting(); }
std::uint32_t in_flight(Live& live) { return live.gateway().core().snapshot()->upstreams[0].state->gate->in_flight(); }

const std::string kEmptyAnswer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";

/// The text of the only message, which names a request.
std::string name_of(const RawRequest& request) {
  const std::string key = R"("content":")";
  const std::size_t at = request.body.find(key) + key.size();
  return request.body.substr(at, request.body.find('"', at) - at);
}

std::string named(std::size_t n) { return post("/v1/chat/completions", chat_body("m", "n" + std::to_string(n))); }

}  // namespace

TEST_CASE("no more connections are open towards an upstream than its cap, over all engines") {
  const auto threads = GENERATE(1u, 4u);
  constexpr std::size_t kCap = 3, kClients = 24, kRounds = 8;
  FaultServer server;
  server.on_request([&](const RawRequest&) { return Reply::nothing().then_wait("go").then(kEmptyAnswer); });
  Live live(config_of(server, R"("caps":{"connections":3})"), threads);
  std::vector<RawClient> clients;
  for (std::size_t i = 0; i < kClients; ++i) clients.emplace_back(live.port());
  for (auto& client : clients) client.send(plain_request());
  REQUIRE(server.wait_for([&] { return server.request_count() == kCap; }));
  REQUIRE(eventually([&] { return live.gateway().statistics().exchanges_open == kClients; }));
  CHECK(server.opened() == kCap);
  CHECK(server.request_count() == kCap);
  server.open("go");
  for (auto& client : clients) REQUIRE(client.answer().status == 200);
  // Under load: counted by the gateway, for a server may see a new connection before the end of the one it replaces.
  const auto& budgets = *live.gateway().core().connection_budgets();
  for (std::size_t round = 1; round < kRounds; ++round) {
    for (auto& client : clients) client.send(plain_request());
    for (auto& client : clients) {
      REQUIRE(client.answer().status == 200);
      REQUIRE(engine::open_connections(budgets, "up") <= kCap);
    }
  }
  CHECK(server.request_count() == kClients * kRounds);
  CHECK(live.outcomes().wait(kClients * kRounds).size() == kClients * kRounds);
}

TEST_CASE("exactly as many exchanges are in flight as the cap says, and those who wait go in their order") {
  const auto threads = GENERATE(1u, 4u);
  constexpr std::uint32_t kCap = 3;
  constexpr std::size_t kClients = 15;
  FaultServer server;
  server.on_request([&](const RawRequest& request) { return Reply::nothing().then_wait(name_of(request)).then(kEmptyAnswer); });
  Live live(config_of(server, R"("caps":{"in_flight":3,"queue":100,"queue_wait_ms":0})"), threads);
  std::vector<RawClient> clients;
  for (std::size_t i = 0; i < kClients; ++i) {
    clients.emplace_back(live.port());
    clients.back().send(named(i));
    if (i < kCap) {
      REQUIRE(server.wait_for([&] { return server.request_count() == i + 1; }));
    } else {
      REQUIRE(eventually([&] { return waiting(live) == i + 1 - kCap; }));
    }
  }
  CHECK(in_flight(live) == kCap);
  CHECK(server.request_count() == kCap);
  for (std::size_t i = 0; i < kClients; ++i) {
    server.open("n" + std::to_string(i));
    REQUIRE(clients[i].answer().status == 200);
    const std::size_t expected = std::min<std::size_t>(i + 1 + kCap, kClients);
    REQUIRE(server.wait_for([&] { return server.request_count() == expected; }));
    REQUIRE(in_flight(live) <= kCap);
  }
  const auto requests = server.requests();
  for (std::size_t i = 0; i < kClients; ++i) CHECK(name_of(requests[i]) == "n" + std::to_string(i));
  REQUIRE(eventually([&] { return in_flight(live) == 0; }));
  for (const Outcome& outcome : live.outcomes().wait(kClients)) CHECK(outcome.ending == Ending::kCompleted);
}

TEST_CASE("whoever waits too long for a place is refused in time, and the queue goes on") {
  const auto threads = GENERATE(1u, 4u);
  FaultServer server;
  server.on_request([&](const RawRequest&) { return Reply::nothing().then_wait("go").then(kEmptyAnswer); });
  Live live(config_of(server, R"("caps":{"in_flight":1,"queue":10,"queue_wait_ms":60})"), threads);
  RawClient first(live.port()), second(live.port());
  first.send(named(0));
  REQUIRE(server.wait_for([&] { return server.request_count() == 1; }));
  second.send(named(1));
  const WireAnswer refused = second.answer();
  CHECK(refused.status == info(Code::kQueueTimeout).http_status);
  CHECK(refused.body.find("queue_timeout") != std::string::npos);
  CHECK(refused.field("retry-after") == "1");
  CHECK(eventually([&] { return waiting(live) == 0; }));
  auto outcomes = live.outcomes().wait(1);
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes[0].ending == Ending::kRefused);
  REQUIRE(outcomes[0].attempts.size() == 1);
  CHECK(outcomes[0].attempts[0].skipped);
  CHECK(outcomes[0].total >= 50ms);
  CHECK(outcomes[0].total < 600ms);
  server.open("go");
  CHECK(first.answer().status == 200);
  second.send(named(2));
  CHECK(second.answer().status == 200);
  CHECK(server.request_count() == 2);
}

TEST_CASE("the exchange's own deadline holds in the queue") {
  FaultServer server;
  server.on_request([&](const RawRequest&) { return Reply::nothing().then_stall(); });
  Live live(config_of(server, R"("caps":{"in_flight":1,"queue":10,"queue_wait_ms":0},"timeouts":{"total_ms":80,"headers_ms":0})"), 4);
  RawClient first(live.port()), second(live.port());
  first.send(named(0));
  REQUIRE(server.wait_for([&] { return server.request_count() == 1; }));
  second.send(named(1));
  CHECK(second.answer().status == 504);
  CHECK(first.answer().status == 504);
  for (const Outcome& outcome : live.outcomes().wait(2)) CHECK(outcome.error->code == Code::kTotalTimeout);
}

TEST_CASE("a full queue refuses at once") {
  const auto threads = GENERATE(1u, 4u);
  const auto queue = GENERATE(0u, 2u);
  FaultServer server;
  server.on_request([&](const RawRequest&) { return Reply::nothing().then_wait("go").then(kEmptyAnswer); });
  Live live(config_of(server, R"("caps":{"in_flight":1,"queue":)" + std::to_string(queue) + "}"), threads);
  std::vector<RawClient> taken;
  for (std::uint32_t i = 0; i < 1 + queue; ++i) {
    taken.emplace_back(live.port());
    taken.back().send(named(i));
    REQUIRE((i == 0 ? server.wait_for([&] { return server.request_count() == 1; }) : eventually([&] { return waiting(live) == i; })));
  }
  RawClient refused(live.port());
  refused.send(named(9));
  const WireAnswer answer = refused.answer();
  CHECK(answer.status == info(Code::kQueueFull).http_status);
  CHECK(answer.body.find("queue_full") != std::string::npos);
  CHECK(answer.field("retry-after") == "1");
  server.open("go");
  for (auto& client : taken) CHECK(client.answer().status == 200);
}

// STREAM-06, STREAM-08: the place of one who left goes to the next.
TEST_CASE("a caller who leaves gives its place, or its turn in the queue, to the next") {
  const auto threads = GENERATE(1u, 4u);
  FaultServer server;
  server.on_request([&](const RawRequest& request) {
    return name_of(request) == "n0" ? Reply::nothing().then_stall() : answer_of();
  });
  Live live(config_of(server, R"("caps":{"in_flight":1,"queue":10})"), threads);
  RawClient first(live.port()), second(live.port()), third(live.port());
  first.send(named(0));
  REQUIRE(server.wait_for([&] { return server.request_count() == 1; }));
  second.send(named(1));
  REQUIRE(eventually([&] { return waiting(live) == 1; }));
  third.send(named(2));
  REQUIRE(eventually([&] { return waiting(live) == 2; }));
  second.close();
  REQUIRE(eventually([&] { return waiting(live) == 1; }));
  first.close();
  CHECK(third.answer().status == 200);
  CHECK(server.request_count() == 2);
  const auto outcomes = live.outcomes().wait(3);
  REQUIRE(outcomes.size() == 3);
  CHECK(outcomes[0].ending == Ending::kCancelled);
  CHECK(outcomes[0].attempts.empty());
  // The place is handed on before the account is closed: another engine may be the quicker one.
  CHECK(std::min(outcomes[1].ending, outcomes[2].ending) == Ending::kCompleted);
  CHECK(std::max(outcomes[1].ending, outcomes[2].ending) == Ending::kCancelled);
  CHECK(eventually([&] { return in_flight(live) == 0; }));
}

// BAL-39
TEST_CASE("a request that the library below sent twice is seen and counted; a non-repeatable one never is") {
  const auto threads = GENERATE(1u, 4u);
  const auto repeatable = GENERATE(true, false);
  FaultServer server;
  // A kept connection dies when its second request has come, unanswered.
  server.on_request([&](const RawRequest& request) {
    return request.on_connection == 2 ? Reply::nothing().then_close() : answer_of();
  });
  Live live(config_of(server, repeatable ? "" : R"("repeatable":false)"), threads);
  RawClient client(live.port());
  for (int i = 0; i < 4; ++i) {
    client.send(plain_request());
    CHECK(client.answer().status == 200);
  }
  const auto outcomes = live.outcomes().wait(4);
  REQUIRE(outcomes.size() == 4);
  std::uint32_t replayed = 0;
  for (const Outcome& outcome : outcomes) {
    REQUIRE(outcome.attempts.size() == 1);
    replayed += outcome.attempts[0].sends - 1;
  }
  CHECK(live.gateway().statistics().replayed_sends == replayed);
  CHECK(server.request_count() == 4 + replayed);
  if (repeatable) {
    // 1 on a new connection; 2 dies there and goes out again on another, which 3 kills, and so on.
    CHECK(replayed == 3);
    CHECK(outcomes[1].attempts[0].sends == 2);
  } else {
    CHECK(replayed == 0);
    CHECK(server.opened() == 4);
    for (const RawRequest& request : server.requests()) CHECK(request.on_connection == 1);
  }
}
