// Which of a route's upstreams serves: strategies and tiers, over all engines, on the wire.

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <set>

#include "gateway/core.hpp"
#include "integration/rig.hpp"
#include "integration/stream_support.hpp"
#include "sluice/testing.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

/// Upstreams called a, b, ..., each answering with its name.
struct Fleet {
  std::vector<std::unique_ptr<Backend>> all;
  explicit Fleet(std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) all.push_back(std::make_unique<Backend>(std::string(1, static_cast<char>('a' + i))));
  }
  Backend& operator[](std::size_t i) { return *all[i]; }
  [[nodiscard]] std::string entries() const {
    std::string out;
    for (const auto& one : all) out += (out.empty() ? "" : ",") + one->entry();
    return out;
  }
  /// Requests each has had, in order.
  [[nodiscard]] std::vector<std::size_t> counts() {
    std::vector<std::size_t> out;
    for (const auto& one : all) out.push_back((*one)->request_count());
    return out;
  }
};

/// A route over `targets` (JSON of the list) with `strategy`.
std::string balanced(const Fleet& fleet, const std::string& strategy, const std::string& targets) {
  return document(fleet.entries(), R"({"name":"r","strategy":")" + strategy + R"(","upstreams":[)" + targets + "]}");
}

/// Who serves `n` requests that come one after the other.
std::string sequence(Live& live, int n) {
  std::string out;
  for (int i = 0; i < n; ++i) out += served_by(ask(live, plain_request()));
  return out;
}

std::uint32_t in_flight(Live& live, std::size_t upstream) { return live.gateway().core().snapshot()->upstreams[upstream].state->in_flight->count(); }

/// One more client, which has been told the first text of a stream of `model`.
void open_stream_of(const char* model, Live& live, std::vector<RawClient>& clients) {
  clients.emplace_back(live.port());
  clients.back().send(stream_request(model));
  REQUIRE(clients.back().until("\"x\"").find("\"x\"") != std::string::npos);
}

}  // namespace

// BAL-02, BAL-40
TEST_CASE("round robin gives each of n members three of 3n exchanges, whoever's engine they run on") {
  const auto threads = GENERATE(1u, 4u);
  Fleet fleet(3);
  Live live(balanced(fleet, "round_robin", R"({"name":"a"},{"name":"b"},{"name":"c"})"), threads);
  std::vector<RawClient> clients;
  for (int i = 0; i < 9; ++i) clients.emplace_back(live.port());
  for (auto& client : clients) client.send(plain_request());
  for (auto& client : clients) CHECK(client.answer().status == 200);
  CHECK(fleet.counts() == std::vector<std::size_t>{3, 3, 3});
  CHECK(live.outcomes().wait(9)[0].attempts[0].chosen_because.find("round robin among 3") != std::string::npos);
}

// BAL-02
TEST_CASE("two models of one upstream are two members") {
  const auto threads = GENERATE(1u, 4u);
  Fleet fleet(2);
  Live live(balanced(fleet, "round_robin", R"({"name":"a","model":"small"},{"name":"a","model":"large"},{"name":"b"})"), threads);
  for (int i = 0; i < 9; ++i) CHECK(ask(live, plain_request()).status == 200);
  CHECK(fleet.counts() == std::vector<std::size_t>{6, 3});
  std::map<std::string, int> models;
  for (const RawRequest& request : fleet[0]->requests()) models[request.body.find("small") != std::string::npos ? "small" : "large"]++;
  CHECK(models["small"] == 3);
  CHECK(models["large"] == 3);
}

// BAL-03, BAL-40
TEST_CASE("weights of 3 and 1 give three and one of every four, smoothly, and none to weight 0") {
  const auto threads = GENERATE(1u, 4u);
  Fleet fleet(3);
  Live live(balanced(fleet, "weighted", R"({"name":"a","weight":3},{"name":"b"},{"name":"c","weight":0})"), threads);
  CHECK(sequence(live, 12) == "aabaaabaaaba");
  CHECK(fleet.counts()[2] == 0);
}

// BAL-04
TEST_CASE("chance reaches every member, and the same seed the same ones in the same order") {
  const auto play = [](std::uint64_t seed) {
    testing::ManualClock clock;
    testing::Simulation simulation(clock, 1);
    OpenOptions options;
    options.clock = &clock;
    options.seed = seed;
    options.transport = simulation.transport();
    const std::string upstreams = R"({"name":"a","url":"http://a.test/v1"},{"name":"b","url":"http://b.test/v1"},{"name":"c","url":"http://c.test/v1"})";
    auto gateway = Gateway::open_json(
        document(upstreams, R"({"name":"r","strategy":"random","upstreams":[{"name":"a","weight":2},{"name":"b"},{"name":"c"}]})", R"(,"gateway":{"threads":0})"), options);
    REQUIRE(gateway);
    std::string who;
    for (int i = 0; i < 60; ++i) who += simulation.run(*gateway, Request::post("/v1/chat/completions", chat_body("m"))).outcome().attempts[0].upstream;
    return who;
  };
  const std::string who = play(7);
  CHECK(std::set<char>(who.begin(), who.end()).size() == 3);
  CHECK(play(7) == who);
  CHECK(play(8) != who);
  CHECK(std::count(who.begin(), who.end(), 'a') > std::count(who.begin(), who.end(), 'b'));
}

// BAL-05, BAL-40
TEST_CASE("the fewest in flight are counted over all engines, and fall on end, failure and cancel alike") {
  const auto threads = GENERATE(1u, 4u);
  Fleet fleet(2);
  const auto held = [](const char* gate) {
    return [gate](const RawRequest&) { return open_stream().chunk(kRole + text_event("x")).then_wait(gate).chunk(kStop + kDone).end_chunks(); };
  };
  fleet[0]->on_request(held("a"));
  fleet[1]->on_request(held("b"));
  const std::string to_a = R"({"name":"only-a","match":{"model":"a"},"upstreams":[{"name":"a"}]},)";
  Live live(document(fleet.entries(), to_a + R"({"name":"r","strategy":"least_in_flight","upstreams":[{"name":"a"},{"name":"b"}]})"), threads);
  std::vector<RawClient> clients;
  const auto open = [&](const char* model) { open_stream_of(model, live, clients); };
  // Five on A by another route: the count is the upstream's, not the route's.
  for (int i = 0; i < 5; ++i) open("a");
  CHECK(in_flight(live, 0) == 5);
  for (int i = 0; i < 5; ++i) open("m");
  CHECK(fleet.counts() == std::vector<std::size_t>{5, 5});
  for (int i = 0; i < 4; ++i) open("m");
  CHECK(fleet.counts() == std::vector<std::size_t>{7, 7});
  // Three of A's callers leave: the next three go there.
  for (std::size_t i = 0; i < 3; ++i) clients[i].reset();
  REQUIRE(eventually([&] { return in_flight(live, 0) == 4; }));
  for (int i = 0; i < 3; ++i) open("m");
  CHECK(fleet.counts() == std::vector<std::size_t>{10, 7});
  // B's streams end: they fall to nothing, and the next goes there.
  fleet[1]->open("b");
  REQUIRE(eventually([&] { return in_flight(live, 1) == 0; }));
  fleet[1]->on_request([](const RawRequest&) { return Reply::raw("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"); });
  CHECK(ask(live, plain_request()).status == 400);
  CHECK(eventually([&] { return in_flight(live, 1) == 0; }));  // the answer is there before the exchange has ended
  CHECK(live.outcomes().count() > 0);
  fleet[0]->open("a");
  REQUIRE(eventually([&] { return in_flight(live, 0) == 0; }));
}

// BAL-05, BAL-40
TEST_CASE("a hundred that come at once are spread evenly by what is in flight") {
  const auto threads = GENERATE(1u, 4u);
  Fleet fleet(4);
  for (auto& one : fleet.all) {
    (*one)->on_request([](const RawRequest&) { return Reply::nothing().then_wait("go").then("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"); });
  }
  Live live(balanced(fleet, "least_in_flight", R"({"name":"a"},{"name":"b"},{"name":"c"},{"name":"d"})"), threads);
  std::vector<RawClient> clients;
  for (int i = 0; i < 100; ++i) clients.emplace_back(live.port());
  for (auto& client : clients) client.send(plain_request());
  REQUIRE(eventually([&] {
    const auto counts = fleet.counts();
    return counts[0] + counts[1] + counts[2] + counts[3] == 100;
  }));
  CHECK(fleet.counts() == std::vector<std::size_t>{25, 25, 25, 25});
  for (auto& one : fleet.all) (*one)->open("go");
  for (auto& client : clients) CHECK(client.answer().status == 200);
}

// BAL-05, BAL-40
TEST_CASE("of two drawn by chance the one with fewer in flight serves, whoever's engine it runs on") {
  const auto threads = GENERATE(1u, 4u);
  Fleet fleet(2);
  for (auto& one : fleet.all) {
    (*one)->on_request([](const RawRequest&) { return open_stream().chunk(kRole + text_event("x")).then_wait("go").chunk(kStop + kDone).end_chunks(); });
  }
  const std::string to_a = R"({"name":"only-a","match":{"model":"a"},"upstreams":[{"name":"a"}]},)";
  Live live(document(fleet.entries(), to_a + R"({"name":"r","strategy":"power_of_two","upstreams":[{"name":"a","weight":9},{"name":"b"}]})"), threads);
  std::vector<RawClient> clients;
  const auto open = [&](const char* model) { open_stream_of(model, live, clients); };
  for (int i = 0; i < 5; ++i) open("a");
  for (int i = 0; i < 5; ++i) open("m");  // both are drawn, so the count decides and not the weight
  CHECK(fleet.counts() == std::vector<std::size_t>{5, 5});
  for (auto& one : fleet.all) (*one)->open("go");
  for (auto& client : clients) CHECK(client.answer().complete);
  for (const Outcome& outcome : live.outcomes().wait(10)) {
    if (outcome.route == "r") CHECK(outcome.attempts[0].chosen_because.find("the fewer of two drawn from 2") != std::string::npos);
  }
}

// BAL-06, BAL-40
TEST_CASE("who takes longer to its first content has the smaller share, and who was never measured is tried") {
  const auto threads = GENERATE(1u, 4u);
  Fleet fleet(2);
  fleet[0]->on_request([](const RawRequest&) { return open_stream().chunk(kRole + text_event("x")).chunk(kStop + kDone).end_chunks(); });
  fleet[1]->on_request([](const RawRequest&) { return open_stream().then_wait("slow").chunk(kRole + text_event("x")).chunk(kStop + kDone).end_chunks(); });
  Live live(document(fleet.entries(), R"({"name":"r","strategy":"least_latency","latency":{"half_life_ms":600000},"upstreams":[{"name":"a"},{"name":"b"}]})"), threads);
  const auto is_measured = [&](std::size_t member) {
    return live.gateway().core().snapshot()->routes[0].balancer->latency_of(member)->estimate(live.gateway().core().clock().now()) > 0;
  };
  // Neither was ever measured, so each is tried; b is silent for as long as 20 requests after one another take.
  std::vector<RawClient> first;
  for (std::size_t i = 1; i <= 2; ++i) {
    first.emplace_back(live.port());
    first.back().send(stream_request("m"));
    REQUIRE(eventually([&] { return fleet.counts()[0] + fleet.counts()[1] == i; }));
  }
  CHECK(fleet.counts() == std::vector<std::size_t>{1, 1});
  REQUIRE(eventually([&] { return is_measured(0) && in_flight(live, 0) == 0; }));
  for (int i = 0; i < 20; ++i) {
    CHECK(ask(live, stream_request("m")).complete);
    REQUIRE(eventually([&] { return in_flight(live, 0) == 0; }));
  }
  CHECK(fleet.counts() == std::vector<std::size_t>{21, 1});
  CHECK_FALSE(is_measured(1));
  fleet[1]->open("slow");
  for (RawClient& client : first) CHECK(client.answer().complete);
  REQUIRE(eventually([&] { return is_measured(1) && in_flight(live, 1) == 0; }));
  for (int i = 0; i < 10; ++i) CHECK(ask(live, stream_request("m")).complete);
  CHECK(fleet.counts() == std::vector<std::size_t>{31, 1});
  CHECK(live.outcomes().wait(32).back().attempts[0].chosen_because.find("the quicker of two drawn from 2") != std::string::npos);
}

// BAL-06, BAL-40
TEST_CASE("who fails at once is not taken for fast") {
  const auto threads = GENERATE(1u, 4u);
  Fleet fleet(2);
  fleet[1]->on_request([](const RawRequest&) { return Reply::raw("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"); });
  Live live(balanced(fleet, "least_latency", R"({"name":"a"},{"name":"b"})"), threads);
  CHECK(sequence(live, 22) == std::string(22, 'a'));  // failed over
  CHECK(fleet.counts() == std::vector<std::size_t>{22, 1});
}

// BAL-01, BAL-40
TEST_CASE("a hundred streams over four upstreams each reach exactly one, and their chunks never mix") {
  const auto threads = GENERATE(1u, 4u);
  Fleet fleet(4);
  for (auto& one : fleet.all) {
    (*one)->on_request([name = one->name()](const RawRequest& request) {
      const std::string key = R"("content":")";
      const std::size_t at = request.body.find(key) + key.size();
      const std::string who = request.body.substr(at, request.body.find('"', at) - at);
      Reply reply = open_stream().chunk(kRole);
      for (int i = 0; i < 10; ++i) reply.chunk(text_event(name + "-" + who + "-" + std::to_string(i) + " "));
      return reply.chunk(kStop + kDone).end_chunks();
    });
  }
  Live live(balanced(fleet, "round_robin", R"({"name":"a"},{"name":"b"},{"name":"c"},{"name":"d"})"), threads);
  std::vector<RawClient> clients;
  for (int i = 0; i < 100; ++i) clients.emplace_back(live.port());
  for (std::size_t i = 0; i < clients.size(); ++i) clients[i].send(post("/v1/chat/completions", chat_body("m", "n" + std::to_string(i), true)));
  for (std::size_t i = 0; i < clients.size(); ++i) {
    const WireAnswer answer = clients[i].answer();
    REQUIRE(answer.complete);
    const auto events = read_events(answer.body);
    REQUIRE(events.size() == 13);
    const std::size_t at = events[1].data.find(R"("content":")") + 11;
    const std::string who = events[1].data.substr(at, 1);
    for (int k = 0; k < 10; ++k) {
      CHECK(events[static_cast<std::size_t>(k) + 1].data.find(who + "-n" + std::to_string(i) + "-" + std::to_string(k) + " ") != std::string::npos);
    }
  }
  CHECK(fleet.counts() == std::vector<std::size_t>{25, 25, 25, 25});
}

// BAL-10
TEST_CASE("a higher tier serves only while no member of the lower one is left, and gives way when that is back") {
  const auto threads = GENERATE(1u, 4u);
  Fleet fleet(3);
  Live live(balanced(fleet, "round_robin", R"({"name":"a"},{"name":"b"},{"name":"c","tier":1})"), threads);
  CHECK(sequence(live, 4) == "abab");
  const auto away = [](const RawRequest&) { return Reply::status(503); };
  fleet[0]->on_request(away);
  CHECK(sequence(live, 2) == "bb");  // a's turn: b takes over, and c is not needed
  fleet[1]->on_request(away);
  CHECK(sequence(live, 2) == "cc");
  const Outcome outcome = live.outcomes().wait(8).back();
  REQUIRE(outcome.attempts.size() == 3);
  CHECK(outcome.attempts[2].chosen_because.find("no member of tier 0 is left") != std::string::npos);
  for (std::size_t i = 0; i < 2; ++i) {
    fleet[i]->on_request([name = fleet[i].name()](const RawRequest&) { return json_reply(chat_answer(name)); });
  }
  const std::string back = sequence(live, 4);
  CHECK(std::count(back.begin(), back.end(), 'c') == 0);
}

// ROUTE-18
TEST_CASE("a pool is balanced over its members alone, in whatever case it is asked for, and its name goes nowhere") {
  const auto threads = GENERATE(1u, 4u);
  Fleet fleet(3);
  Live live(balanced(fleet, "round_robin",
                     R"({"name":"a","model":"m-a","pools":["fast"]},{"name":"b","model":"m-b"},{"name":"c","model":"m-c","pools":["Fast"]})"),
            threads);
  std::string who;
  for (const char* alias : {"pool:fast", "pool:Fast", "POOL:FAST", "pool:fAsT"}) who += served_by(ask(live, plain_request(alias)));
  CHECK(who == "acac");
  for (auto& one : fleet.all) {
    for (const RawRequest& request : (*one)->requests()) {
      std::string all = request.head + request.body;
      std::transform(all.begin(), all.end(), all.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
      CHECK(all.find("pool:") == std::string::npos);
      CHECK(all.find("fast") == std::string::npos);
    }
  }
}

// ROUTE-20
TEST_CASE("a bare model that several serve is balanced over exactly those") {
  const auto threads = GENERATE(1u, 4u);
  Fleet fleet(3);
  const std::string upstreams = fleet[0].entry(R"(,"models":["gpt-*"])") + "," + fleet[1].entry(R"(,"models":["llama-*"])") + "," + fleet[2].entry(R"(,"models":["gpt-4*","llama-*"])");
  Live live(document(upstreams, R"({"name":"r","strategy":"round_robin","upstreams":[{"name":"a"},{"name":"b"},{"name":"c"}]})"), threads);
  const auto who = [&](const char* model, int n) {
    std::string out;
    for (int i = 0; i < n; ++i) out += served_by(ask(live, plain_request(model)));
    return out;
  };
  CHECK(who("gpt-4o", 4) == "acac");
  CHECK(who("gpt-3.5", 2) == "aa");
  const std::string llamas = who("llama-3", 4);
  CHECK(std::count(llamas.begin(), llamas.end(), 'b') == 2);
  CHECK(std::count(llamas.begin(), llamas.end(), 'c') == 2);
  CHECK(ask(live, plain_request("mistral")).status == 403);
}

TEST_CASE("turns go on over a reload that leaves the route's members alone") {
  const auto threads = GENERATE(1u, 4u);
  Fleet fleet(2);
  const std::string config = balanced(fleet, "weighted", R"({"name":"a","weight":3},{"name":"b"})");
  Live live(config, threads);
  CHECK(sequence(live, 2) == "aa");
  auto again = Config::parse(config);
  REQUIRE(again);
  again->gateway.threads = threads;
  again->gateway.listen = {{}};
  REQUIRE(live.gateway().reload(std::move(*again)));
  CHECK(sequence(live, 2) == "ba");
}
