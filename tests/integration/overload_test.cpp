// Ten times what a gateway may hold: who is over it is sent away at once and told when to come again, who is in is served, and
// when it is over nothing of it is left.
#include <poll.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>

#include "stream_support.hpp"

using namespace sluice;
using namespace sluice::test;
using namespace std::chrono_literals;

namespace {

using Steady = std::chrono::steady_clock;

/// The clients that have an answer, or an end, to read; waits until there are `n`.
std::vector<RawClient*> answered(std::vector<RawClient>& clients, std::size_t n) {
  std::vector<pollfd> entries;
  for (const RawClient& client : clients) entries.push_back({client.fd(), POLLIN, 0});
  std::vector<RawClient*> out;
  REQUIRE(eventually([&] {
    out.clear();
    ::poll(entries.data(), entries.size(), 0);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (entries[i].revents != 0) out.push_back(&clients[i]);
    }
    return out.size() >= n;
  }));
  return out;
}

void check_sent_away(const WireAnswer& answer, std::string_view code) {
  CHECK(answer.status == 503);
  CHECK(answer.complete);
  CHECK(answer.field("retry-after") == "1");
  CHECK(answer.body.find(code) != std::string::npos);
}

/// Memory that grew between the two, where it is told truly: sanitizers keep what was freed.
std::size_t grown([[maybe_unused]] std::size_t before, [[maybe_unused]] std::size_t after) {
#if defined(SLUICE_SANITIZED)
  return 0;
#else
  return after - std::min(before, after);
#endif
}

struct Door {
  std::string upstream, gateway, code;
};

}  // namespace

// AVAIL-02
TEST_CASE("ten times what is admitted is answered once each: served, or sent away at once with the time to come again") {
  constexpr std::size_t kAdmitted = 8, kClients = 10 * kAdmitted, kRounds = 12;
  const auto threads = GENERATE(1u, 4u);
  const auto door = GENERATE(values<Door>({{"", R"("max_exchanges":8)", "overloaded"}, {R"("caps":{"in_flight":4,"queue":4,"queue_wait_ms":0})", "", "queue_full"}}));
  FaultServer::Options quiet;
  quiet.record = false;
  FaultServer server(quiet);
  // Every round has a gate of its own: the last message of a request names it.
  server.on_request([](const RawRequest& request) {
    const std::size_t at = request.body.find("round-");
    return Reply::nothing().then_wait(request.body.substr(at, request.body.find('"', at) - at)).then("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
  });
  Live live(config_of(server, door.upstream, door.gateway), threads);
  std::vector<RawClient> clients;
  for (std::size_t i = 0; i < kClients; ++i) clients.emplace_back(live.port());
  RawClient one_more(live.port());
  std::size_t served = 0, refused = 0, early = 0;
  std::vector<Steady::duration> took;
  for (std::size_t round = 0; round < kRounds; ++round) {
    const std::string name = "round-" + std::to_string(round), request = post("/v1/chat/completions", chat_body("m", name));
    for (RawClient& client : clients) client.send(request);
    // While everything that may be held is held, everybody else has an answer already.
    const auto away = answered(clients, kClients - kAdmitted);
    REQUIRE(away.size() == kClients - kAdmitted);
    for (RawClient* client : away) check_sent_away(client->answer(), door.code);
    refused += away.size();
    REQUIRE(eventually([&] { return live.gateway().statistics().exchanges_open == kAdmitted; }));
    const auto begun = Steady::now();
    one_more.send(request);
    check_sent_away(one_more.answer(), door.code);
    took.push_back(Steady::now() - begun);
    ++refused;
    server.open(name);
    for (RawClient* client : answered(clients, kAdmitted)) {
      CHECK(client->answer().status == 200);
      ++served;
    }
    // Over as soon as it is over: the next one is served.
    REQUIRE(eventually([&] { return live.gateway().statistics().exchanges_open == 0; }));
    one_more.send(request);
    CHECK(one_more.answer().status == 200);
    ++served;
    if (round == kRounds / 3) early = resident_bytes();
  }
  std::sort(took.begin(), took.end());
  CHECK(took.back() <= 50ms * kSlowdown);  // 5 ms, with the slack of a busy machine
  CHECK(grown(early, resident_bytes()) < 4u << 20);
  CHECK(served == kRounds * (kAdmitted + 1));
  CHECK(refused == kRounds * (kClients - kAdmitted + 1));
  CHECK(live.outcomes().wait(served + refused).size() == served + refused);
}

// AVAIL-02 AVAIL-03
TEST_CASE("a storm of connections is turned away one by one, and who is connected does not notice") {
  constexpr std::size_t kWaves = 10, kWave = 200, kPlaces = 20;
  const auto threads = GENERATE(1u, 4u);
  FaultServer::Options quiet;
  quiet.record = false;
  FaultServer server(quiet);
  server.on_request([](const RawRequest&) { return answer_of(); });
  Live live(config_of(server, {}, R"("listen":[{"address":"127.0.0.1:0","max_connections":)" + std::to_string(kPlaces) + "}]"), threads);
  RawClient good(live.port());
  good.send(plain_request());
  REQUIRE(good.answer().status == 200);
  const std::size_t descriptors = open_descriptors();
  std::size_t served = 0, refused = 0, early = 0;
  for (std::size_t wave = 0; wave < kWaves; ++wave) {
    std::vector<RawClient> storm;
    for (std::size_t i = 0; i < kWave; ++i) {
      storm.emplace_back(live.port());
      (void)storm.back().try_send(plain_request());  // as clients do: before they have heard that there is no place
    }
    const auto begun = Steady::now();
    good.send(plain_request());
    CHECK(good.answer().status == 200);
    CHECK(Steady::now() - begun < 500ms * kSlowdown);
    for (RawClient& client : storm) {
      const WireAnswer answer = client.answer();
      CHECK(answer.complete);
      if (answer.status == 200) {
        ++served;
        continue;
      }
      check_sent_away(answer, "too_many_connections");
      CHECK(answer.field("connection") == "close");
      ++refused;
    }
    storm.clear();
    // What is kept towards the upstream has two ends in this process, on each of the engines; nothing of the storm is left.
    REQUIRE(eventually([&] { return open_descriptors() <= descriptors + 8 * kPlaces; }));
    if (wave == kWaves / 3) early = resident_bytes();
  }
  CHECK(served + refused == kWaves * kWave);
  CHECK(served >= kPlaces - 1);
  CHECK(refused >= kWaves * kWave / 2);
  CHECK(grown(early, resident_bytes()) < 4u << 20);
  // A place that came free is given again.
  CHECK(eventually([&] {
    RawClient next(live.port());
    return next.try_send(plain_request()) && next.answer().status == 200;
  }));
}

// AVAIL-03
TEST_CASE("a connection has one exchange at a time: what it sends ahead waits for its turn") {
  const auto threads = GENERATE(1u, 4u);
  FaultServer server;
  server.on_request([](const RawRequest&) { return Reply::nothing().then_wait("go").then("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"); });
  Live live(config_of(server, {}, R"("max_exchanges":1)"), threads);
  RawClient client(live.port());
  client.send(plain_request() + plain_request() + plain_request());
  REQUIRE(server.wait_for([&] { return server.request_count() == 1; }));
  CHECK(live.gateway().statistics().exchanges_open == 1);
  server.open("go");
  for (int i = 0; i < 3; ++i) CHECK(client.answer().status == 200);  // were two open at once, one would have been refused
  CHECK(live.gateway().statistics().refused == 0);
}

// AVAIL-02
TEST_CASE("whoever is sent away for want of an upstream is told when to come again, too") {
  Live live(R"({"version":1,"upstreams":[{"name":"up","provider":"simulator","models":["m"]},{"name":"other","provider":"simulator","models":["o"]}],)"
            R"("routes":[{"name":"all","upstreams":[{"name":"up","weight":0},{"name":"other"}]}]})");
  RawClient client(live.port());
  client.send(plain_request());
  check_sent_away(client.answer(), "no_backend_available");
}
