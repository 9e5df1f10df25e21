// Which connections are made, to which addresses, and how many at once.

#include <catch2/catch.hpp>

#include <atomic>
#include <map>
#include <thread>

#include "transfers.hpp"

using namespace std::chrono_literals;
using namespace sluice::testing;
using sluice::Code;
namespace engine = sluice::engine;

namespace {

/// Answers from a table; a name that is not in it is never answered.
class TableResolver final : public engine::Resolver {
 public:
  struct Pending final : engine::Lookup {
    explicit Pending(int& count) : open(count) { ++open; }
    ~Pending() override { --open; }
    int& open;
  };
  explicit TableResolver(engine::Loop** loop = nullptr) : loop_(loop) {}
  std::unique_ptr<engine::Lookup> resolve(const std::string& host, Callback done) override {
    ++asked;
    if (const auto found = table.find(host); found != table.end()) {
      if (found->second.empty()) {
        done(sluice::fail(Code::kUpstreamResolveFailed, "the name '" + host + "' has no address"));
      } else {
        // Valid for no time at all: every transfer asks again.
        done(engine::Addresses{found->second, loop_ != nullptr ? (*loop_)->now() : sluice::TimePoint::max()});
      }
      return nullptr;
    }
    return std::make_unique<Pending>(pending);
  }
  std::map<std::string, std::vector<std::string>> table;
  int asked = 0, pending = 0;

 private:
  engine::Loop** loop_;
};

Code outcome_of(TransportRig& rig, const engine::Endpoint& endpoint, engine::TransferEnd* end = nullptr) {
  auto channel = rig.open(endpoint);
  Recorder sink;
  sink.transfer = channel->start(get(), sink);
  REQUIRE(rig.until([&] { return sink.done(); }));
  if (end != nullptr) *end = sink.end;
  return sink.end.code;
}

}  // namespace

TEST_CASE("names reach libcurl as addresses, and a change of address is followed") {
  FaultServer server;
  auto table = std::make_unique<TableResolver>();
  TableResolver& resolver = *table;
  resolver.table["api.example"] = {"127.0.0.1"};
  resolver.table["two.example"] = {"::1", "127.0.0.1"};
  TransportRig rig(nullptr, std::move(table));
  auto endpoint = endpoint_of(server);
  endpoint.host = "api.example";
  endpoint.authority = "api.example:" + std::to_string(server.port());
  CHECK(outcome_of(rig, endpoint) == Code::kOk);
  CHECK(server.requests().back().header("host") == endpoint.authority);
  endpoint.host = "two.example";  // nobody listens on the first one
  CHECK(outcome_of(rig, endpoint) == Code::kOk);
}

TEST_CASE("a name without address fails by its own code") {
  auto table = std::make_unique<TableResolver>();
  table->table["gone.example"] = {};
  TransportRig rig(nullptr, std::move(table));
  engine::Endpoint endpoint;
  endpoint.host = endpoint.authority = "gone.example";
  engine::TransferEnd end;
  CHECK(outcome_of(rig, endpoint, &end) == Code::kUpstreamResolveFailed);
  CHECK(end.detail.find("gone.example") != std::string::npos);
  CHECK(end.sends == 0);
}

TEST_CASE("a dead name server holds up nobody else, and a waiting transfer can be dropped") {  // AVAIL-09
  FaultServer server;
  auto table = std::make_unique<TableResolver>();
  TableResolver& resolver = *table;
  resolver.table["127.0.0.1"] = {"127.0.0.1"};
  TransportRig rig(nullptr, std::move(table));
  engine::Endpoint dead;
  dead.name = "dead";
  dead.host = dead.authority = "dead.example";
  auto dead_channel = rig.open(dead);
  auto live_channel = rig.open(endpoint_of(server));
  std::vector<std::unique_ptr<Recorder>> stuck;
  for (int i = 0; i < 10; ++i) {
    auto& sink = *stuck.emplace_back(std::make_unique<Recorder>());
    sink.transfer = dead_channel->start(get(), sink);
  }
  CHECK(resolver.pending == 1);
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) {
    Recorder sink;
    sink.transfer = live_channel->start(get(), sink);
    REQUIRE(rig.until([&] { return sink.done(); }));
    CHECK(sink.end.code == Code::kOk);
  }
  CHECK(std::chrono::steady_clock::now() - start < 2s);
  // A deadline is somebody else's timer that drops the transfer: it fires on time.
  bool fired = false;
  engine::Timer deadline([&] {
    fired = true;
    stuck.clear();
  });
  rig.loop->arm_in(deadline, 20ms);
  REQUIRE(rig.until([&] { return fired; }, 1s));
  dead_channel.reset();
  CHECK(resolver.pending == 0);
}

TEST_CASE("addresses that belong to no public network are refused by what they resolve to") {  // SEC-17
  FaultServer server;
  auto table = std::make_unique<TableResolver>();
  TableResolver& resolver = *table;
  TransportRig rig(nullptr, std::move(table));
  auto endpoint = endpoint_of(server);
  endpoint.public_addresses_only = true;
  const std::string host = GENERATE(as<std::string>{}, "127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "::ffff:127.0.0.1", "::1",
                                    "169.254.169.254", "fd00::1", "10.1.2.3", "inside.example", "mixed.example");
  CAPTURE(host);
  // A resolver that believes anything: libcurl reads odd spellings of addresses by itself, so the socket is the judge.
  resolver.table[host] = {host.find_first_of(".:") != std::string::npos && host != "0x7f.1" && host != "127.1" && host != "0177.0.0.1" ? host : "8.8.8.8"};
  resolver.table["inside.example"] = {"192.168.7.7"};
  resolver.table["mixed.example"] = {"10.0.0.1", "fe80::1"};
  endpoint.host = host;
  engine::TransferEnd end;
  CHECK(outcome_of(rig, endpoint, &end) == Code::kAddressRefused);
  CHECK(end.sends == 0);
  CHECK(server.opened() == 0);
}

TEST_CASE("a name that is public at first and private later is refused the second time") {  // SEC-17
  FaultServer server;
  engine::Loop* loop = nullptr;
  auto table = std::make_unique<TableResolver>(&loop);
  TableResolver& resolver = *table;
  resolver.table["rebind.example"] = {"8.8.8.8"};
  TransportRig rig(nullptr, std::move(table));
  loop = rig.loop.get();
  auto endpoint = endpoint_of(server);
  endpoint.public_addresses_only = true;
  endpoint.host = "rebind.example";
  auto channel = rig.open(endpoint);
  Recorder first, second;
  first.transfer = channel->start(get(), first);
  first.transfer.reset();  // before the loop turns: nothing leaves this machine
  resolver.table["rebind.example"] = {"127.0.0.1"};
  rig.loop->turn(rig.loop->refresh_now() + 1ms);
  second.transfer = channel->start(get(), second);
  REQUIRE(rig.until([&] { return second.done(); }));
  CHECK(second.end.code == Code::kAddressRefused);
  CHECK(server.opened() == 0);
}

TEST_CASE("the environment's proxy is not obeyed, a configured one is") {
  FaultServer server, proxy;
  proxy.on_request([](const RawRequest&) { return Reply::ok("by proxy"); });
  ::setenv("http_proxy", ("http://" + proxy.authority()).c_str(), 1);
  ::setenv("no_proxy", "*", 1);
  TransportRig rig;
  CHECK(outcome_of(rig, endpoint_of(server)) == Code::kOk);
  CHECK(proxy.opened() == 0);
  auto endpoint = endpoint_of(server);
  endpoint.proxy_host = "localhost";
  endpoint.proxy_port = proxy.port();
  endpoint.host = endpoint.authority = "never.resolved.example";
  endpoint.port = 80;
  CHECK(outcome_of(rig, endpoint) == Code::kOk);
  CHECK(proxy.requests().at(0).target == "http://never.resolved.example/");
  ::unsetenv("http_proxy");
  ::unsetenv("no_proxy");
}

TEST_CASE("what cannot be had is refused when the channel is opened") {
  TransportRig rig;
  engine::Endpoint endpoint;
  endpoint.name = "up";
  endpoint.host = endpoint.authority = "h.example";
  SECTION("HTTP/2 without TLS") { endpoint.http2 = true; }
  SECTION("address rules behind a proxy") {
    endpoint.public_addresses_only = true;
    endpoint.proxy_host = "p.example";
  }
  SECTION("a CA file that is not there") {
    endpoint.tls = true;
    endpoint.ca_file = "/nonexistent/ca.pem";
  }
  const auto channel = rig.transport->open(endpoint);
  REQUIRE_FALSE(channel);
  CHECK(channel.error().message.find("up") != std::string::npos);
}

TEST_CASE("a connection cap makes transfers wait, in order, and is never exceeded") {
  FaultServer server;
  server.on_request([](const RawRequest& request) { return Reply::nothing().then_wait(request.target).then("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"); });
  TransportRig rig;
  auto endpoint = endpoint_of(server);
  endpoint.max_connections = 2;
  auto channel = rig.open(endpoint);
  std::vector<std::unique_ptr<Recorder>> sinks;
  std::string order;
  for (int i = 0; i < 6; ++i) {
    auto& sink = *sinks.emplace_back(std::make_unique<Recorder>());
    sink.when_done = [&order, i] { order += static_cast<char>('0' + i); };
    sink.transfer = channel->start(get("/" + std::to_string(i)), sink);
  }
  REQUIRE(rig.until([&] { return server.request_count() == 2; }));
  rig.settle();
  CHECK(engine::open_connections(*rig.budgets, "up") == 2);
  sinks[3]->transfer.reset();  // one that waits leaves the queue
  for (const int i : {0, 1, 2, 4, 5}) {
    server.open("/" + std::to_string(i));
    REQUIRE(rig.until([&] { return sinks[static_cast<std::size_t>(i)]->done(); }));
    CHECK(sinks[static_cast<std::size_t>(i)]->end.code == Code::kOk);
  }
  CHECK(order == "01245");
  CHECK(server.opened() == 2);
  CHECK(server.peak() == 2);
}

TEST_CASE("a cap of one serves requests that need a fresh connection") {
  FaultServer server;
  TransportRig rig;
  auto endpoint = endpoint_of(server);
  endpoint.max_connections = 1;
  auto channel = rig.open(endpoint);
  std::vector<std::unique_ptr<Recorder>> sinks;
  for (int i = 0; i < 8; ++i) {
    auto& sink = *sinks.emplace_back(std::make_unique<Recorder>());
    auto request = post("x");
    request.repeatable = i % 2 == 0;
    sink.transfer = channel->start(std::move(request), sink);
  }
  REQUIRE(rig.until([&] { return std::all_of(sinks.begin(), sinks.end(), [](const auto& sink) { return sink->done(); }); }));
  for (int i = 0; i < 8; ++i) {
    CAPTURE(i);
    const auto& end = sinks[static_cast<std::size_t>(i)]->end;
    CHECK(end.code == Code::kOk);
    if (i % 2 == 1) CHECK_FALSE(end.reused_connection);
  }
  CHECK(engine::open_connections(*rig.budgets, "up") <= 1);
}

TEST_CASE("connections that die under a cap give their places back") {
  FaultServer server;
  server.on_request([](const RawRequest& request) {
    if (request.number % 3 == 0) return Reply::nothing().then_reset();
    if (request.number % 3 == 1) return Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx").then_close();
    return Reply::ok();
  });
  TransportRig rig;
  auto endpoint = endpoint_of(server);
  endpoint.max_connections = 3;
  auto channel = rig.open(endpoint);
  int done = 0;
  std::vector<std::unique_ptr<Recorder>> sinks;
  for (int i = 0; i < 300; ++i) {
    auto& sink = *sinks.emplace_back(std::make_unique<Recorder>());
    sink.when_done = [&] { ++done; };
    sink.transfer = channel->start(get(), sink);
    if (i % 10 == 0) {
      sink.transfer.reset();
      ++done;
    }
  }
  REQUIRE(rig.until([&] { return done == 300; }));
  CHECK(server.peak() <= 4);  // a reset and the next connect may cross on the server's side
  channel->trim();
  rig.settle();
  CHECK(engine::open_connections(*rig.budgets, "up") == 0);
}

TEST_CASE("a cap is exact over engines, and an engine that idles gives its connections to one that waits") {
  FaultServer server(FaultServer::Options{nullptr, false, "127.0.0.1", 0, false});
  const auto budgets = engine::make_connection_budgets();
  constexpr std::uint32_t kCap = 4;
  constexpr int kEngines = 2, kEach = 400, kAtOnce = 10;
  std::atomic<std::uint32_t> most{0};
  const auto work = [&](std::atomic<int>& finished) {
    TransportRig rig(budgets);
    auto endpoint = endpoint_of(server);
    endpoint.max_connections = kCap;
    auto channel = rig.open(endpoint);
    std::vector<std::unique_ptr<Recorder>> sinks;
    int started = 0, good = 0;
    std::function<void()> next = [&] {
      ++started;
      auto& sink = *sinks.emplace_back(std::make_unique<Recorder>());
      sink.when_done = [&] {
        const std::uint32_t now = engine::open_connections(*budgets, "up");
        std::uint32_t before = most;
        while (now > before && !most.compare_exchange_weak(before, now)) {
        }
        good += sink.end.code == Code::kOk ? 1 : 0;
        ++finished;
        if (started < kEach) next();
      };
      sink.transfer = channel->start(get(), sink);
    };
    for (int i = 0; i < kAtOnce; ++i) next();
    const bool all = rig.until([&] { return good == kEach; });
    // Stays, with its idle connections, until the other is finished too.
    return all && rig.until([&] { return finished == kEngines * kEach; });
  };
  std::atomic<int> finished{0};
  std::vector<std::thread> threads;
  std::atomic<int> complete{0};
  for (int i = 0; i < kEngines; ++i) threads.emplace_back([&] { complete += work(finished) ? 1 : 0; });
  for (auto& thread : threads) thread.join();
  CHECK(complete == kEngines);
  CHECK(most <= kCap);
  CHECK(most >= 1);
  CHECK(server.peak() <= 2 * kCap);  // closes and connects cross on the wire; the budget itself is exact
  CHECK(engine::open_connections(*budgets, "up") == 0);
}

TEST_CASE("an idle engine gives up its only connection to one that has none") {
  FaultServer server;
  const auto budgets = engine::make_connection_budgets();
  TransportRig first(budgets), second(budgets);
  auto endpoint = endpoint_of(server);
  endpoint.max_connections = 1;
  auto first_channel = first.open(endpoint), second_channel = second.open(endpoint);
  Recorder one, two;
  one.transfer = first_channel->start(get(), one);
  REQUIRE(first.until([&] { return one.done(); }));
  CHECK(engine::open_connections(*budgets, "up") == 1);
  two.transfer = second_channel->start(get(), two);
  second.settle();
  CHECK_FALSE(two.done());
  first.settle();  // is asked, and spares it
  REQUIRE(second.until([&] { return two.done(); }, 2s));
  CHECK(two.end.code == Code::kOk);
  CHECK(engine::open_connections(*budgets, "up") == 1);
  CHECK(server.opened() == 2);
}

TEST_CASE("trimming closes idle connections and leaves busy ones alone") {
  FaultServer server;
  server.on_request([](const RawRequest& request) {
    return request.target == "/stream" ? Reply::chunked().chunk("x").then_wait("end").end_chunks() : Reply::ok();
  });
  TransportRig rig;
  auto channel = rig.open(endpoint_of(server));
  Recorder stream, one;
  stream.transfer = channel->start(get("/stream"), stream);
  one.transfer = channel->start(get(), one);
  REQUIRE(rig.until([&] { return one.done() && !stream.body.empty(); }));
  CHECK(engine::open_connections(*rig.budgets, "up") == 2);
  channel->trim();
  CHECK(engine::open_connections(*rig.budgets, "up") == 1);
  CHECK(server.wait_for([&] { return server.closed() == 1; }));
  server.open("end");
  REQUIRE(rig.until([&] { return stream.done(); }));
  CHECK(stream.end.code == Code::kOk);
}

TEST_CASE("a thousand transfers at once are spread over CURLMs and all come back") {
  FaultServer server(FaultServer::Options{nullptr, false, "127.0.0.1", 0, false});
  TransportRig rig;
  auto channel = rig.open(endpoint_of(server));
  std::vector<std::unique_ptr<Recorder>> sinks;
  int done = 0;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 1000; ++i) {
      auto& sink = *sinks.emplace_back(std::make_unique<Recorder>());
      sink.when_done = [&] { done += sink.end.code == Code::kOk ? 1 : 0; };
      sink.transfer = channel->start(get(), sink);
    }
    REQUIRE(rig.until([&] { return done == (round + 1) * 1000; }));
    sinks.clear();
  }
  CHECK(server.opened() <= 1100);  // warm connections are found again
}
