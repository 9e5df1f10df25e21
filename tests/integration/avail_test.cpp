// What the gateway goes on doing while some of its callers, or the system below it, misbehave.
#include <sys/resource.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "dead_names.hpp"
#include "stream_support.hpp"

using namespace sluice;
using namespace sluice::test;
using namespace std::chrono_literals;

namespace {

using Steady = std::chrono::steady_clock;

std::string listening(const std::string& members) { return R"("listen":[{"address":"127.0.0.1:0",)" + members + "}]"; }

/// The slowest but one in a hundred.
Steady::duration p99(std::vector<Steady::duration> took) {
  REQUIRE(!took.empty());
  std::sort(took.begin(), took.end());
  return took[(took.size() - 1) * 99 / 100];
}

bool ready_to_read(const RawClient& client) {
  pollfd entry{client.fd(), POLLIN, 0};
  return ::poll(&entry, 1, 0) > 0;
}

/// The gateway's lowered limit of descriptors; put back at the end.
class FewDescriptors {
 public:
  explicit FewDescriptors(rlim_t more) {
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    // The lowest free descriptor is where the next one would come.
    const int next = ::dup(0);
    REQUIRE(next >= 0);
    ::close(next);
    rlimit few = before_;
    few.rlim_cur = static_cast<rlim_t>(next) + more;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  }
  ~FewDescriptors() { lift(); }
  void lift() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

}  // namespace

// AVAIL-01
TEST_CASE("connections that trickle a head are closed at the header timeout, and others do not notice") {
  const auto threads = GENERATE(1u, 4u);
  constexpr std::size_t kSlow = 500;
  FaultServer server;
  server.on_request([](const RawRequest&) { return answer_of(); });
  Live live(config_of(server, {}, listening(R"("header_timeout_ms":400)")), threads);
  RawClient good(live.port());
  const auto measure = [&](std::size_t n) {
    std::vector<Steady::duration> took;
    for (std::size_t i = 0; i < n; ++i) {
      const auto begun = Steady::now();
      good.send(plain_request());
      REQUIRE(good.answer().status == 200);
      took.push_back(Steady::now() - begun);
    }
    return p99(std::move(took));
  };
  const auto alone = measure(100);
  std::vector<RawClient> slow;
  const auto begun = Steady::now();
  for (std::size_t i = 0; i < kSlow; ++i) slow.emplace_back(live.port());
  const auto connected = Steady::now();
  // A byte each now and then: a head, or the blank lines that may stand before one.
  const std::string head = "POST /v1/chat/completions HTTP/1.1\r\nHost: gateway.test\r\nX-Long: ";
  std::size_t round = 0, open = kSlow;
  Steady::duration beside{};
  std::vector<bool> closed(kSlow, false);
  while (open != 0 && Steady::now() - connected < 8s) {
    for (std::size_t i = 0; i < kSlow; ++i) {
      if (closed[i]) continue;
      if (ready_to_read(slow[i])) {
        const std::string told = arrived(slow[i]);
        // Told so, where a request had begun; blank lines alone are none, and too many of them are refused.
        const bool blank = i % 5 == 0;
        CHECK((blank ? told.empty() || told.substr(0, 12) == "HTTP/1.1 400" : told.substr(0, 12) == "HTTP/1.1 408"));
        closed[i] = true;
        --open;
      } else if (i % 5 == 0) {
        (void)slow[i].try_send("\r\n");
      } else {
        (void)slow[i].try_send(round < head.size() ? std::string(1, head[round]) : "x");
      }
    }
    ++round;
    beside = std::max(beside, measure(20));
  }
  CHECK(open == 0);
  CHECK(Steady::now() - begun < 4s);  // ten times the timeout
  CHECK(round > 1);
  CHECK(beside <= alone * 10 + 50ms * kSlowdown);
  good.send(plain_request());
  CHECK(good.answer().status == 200);
}

// AVAIL-03
TEST_CASE("a listener that is full refuses politely, and those it has admitted finish") {
  const auto threads = GENERATE(1u, 4u);
  const auto limit = GENERATE(values<std::string>({R"("max_connections":3)", R"("max_connections_per_address":3)"}));
  FaultServer server;
  server.on_request([](const RawRequest&) { return open_stream().chunk(kRole).then_wait("go").chunk(kStop + kDone).end_chunks(); });
  Live live(config_of(server, {}, listening(limit)), threads);
  std::vector<RawClient> admitted;
  for (int i = 0; i < 3; ++i) {
    admitted.emplace_back(live.port());
    admitted.back().send(stream_request());
    REQUIRE(admitted.back().until("assistant").find("assistant") != std::string::npos);
  }
  for (int i = 0; i < 5; ++i) {
    RawClient late(live.port());
    const WireAnswer answer = late.answer();
    CHECK(answer.status == 503);
    CHECK(answer.complete);
    CHECK(answer.field("connection") == "close");
    CHECK(answer.field("retry-after") == "1");
    CHECK(answer.body.find("too_many_connections") != std::string::npos);
    CHECK(late.closed());
  }
  server.open("go");
  for (auto& client : admitted) {
    const WireAnswer answer = client.answer();
    CHECK(answer.complete);
    CHECK(answer.body == kRole + kStop + kDone);
  }
  admitted.clear();
  // A place that came free is given again.
  CHECK(eventually([&] {
    RawClient next(live.port());
    return next.try_send(stream_request()) && next.answer().status == 200;
  }));
}

// SEC-35
TEST_CASE("a listener with an allow-list takes connections from the addresses on it, whatever a header field says") {
  const auto threads = GENERATE(1u, 4u);
  FaultServer server;
  server.on_request([](const RawRequest&) { return answer_of(); });
  SECTION("the peer is on it") {
    const auto ranges = GENERATE(values<std::string>({R"("127.0.0.1")", R"("10.0.0.0/8","127.0.0.0/8")"}));
    Live live(config_of(server, {}, listening(R"("allow_addresses":[)" + ranges + "]")), threads);
    RawClient client(live.port());
    client.send(post("/v1/chat/completions", chat_body("m"), "X-Forwarded-For: 203.0.113.9\r\nX-Real-IP: 203.0.113.9\r\n"));
    CHECK(client.answer().status == 200);
  }
  SECTION("the peer is not") {
    Live live(config_of(server, {}, listening(R"("allow_addresses":["10.0.0.0/8","::1"])")), threads);
    for (const std::string field : {"X-Forwarded-For", "X-Real-IP", "True-Client-IP", "CF-Connecting-IP", "Forwarded"}) {
      RawClient client(live.port());
      (void)client.try_send(post("/v1/chat/completions", chat_body("m"), field + ": 10.0.0.1\r\n"));
      const WireAnswer answer = client.answer();
      CHECK(answer.status == 403);
      CHECK(answer.complete);
      CHECK(answer.field("connection") == "close");
      CHECK(answer.body.find("address_not_allowed") != std::string::npos);
      CHECK(client.closed());
    }
    CHECK(server.opened() == 0);
    CHECK(live.gateway().statistics().exchanges_started == 0);
  }
}

// AVAIL-09
TEST_CASE("a name that is never resolved holds up nobody else, and its deadline holds") {
  const auto threads = GENERATE(1u, 4u);
  FaultServer server;
  server.on_request([](const RawRequest&) { return answer_of(); });
  DeadNames names;
  OpenOptions options;
  options.transport = &names;
  const std::string config = R"({"version":1,"upstreams":[)"
                             R"({"name":"dead","url":"http://never.dead/v1","models":["dead"],"timeouts":{"connect_ms":300}},)"
                             R"({"name":"slow","url":"http://never.dead/v1","models":["slow"],"timeouts":{"connect_ms":0,"total_ms":500}},)"
                             R"({"name":"good","url":"http://)" + server.authority() + R"(/v1"}],"routes":[)"
                             R"({"name":"d","match":{"model":["dead"]},"upstreams":[{"name":"dead"}]},)"
                             R"({"name":"s","match":{"model":["slow"]},"upstreams":[{"name":"slow"}]},)"
                             R"({"name":"g","upstreams":[{"name":"good"}]}]})";
  Live live(config, threads, std::move(options));
  RawClient dead(live.port()), slow(live.port()), good(live.port());
  const auto begun = Steady::now();
  dead.send(plain_request("dead"));
  slow.send(plain_request("slow"));
  REQUIRE(eventually([&] { return names.asked() >= 1; }));
  for (int i = 0; i < 30; ++i) {
    good.send(plain_request());
    REQUIRE(good.answer().status == 200);
  }
  const WireAnswer first = dead.answer();
  CHECK(first.status == 504);
  CHECK(first.body.find("connect_timeout") != std::string::npos);
  CHECK(Steady::now() - begun >= 290ms);
  const WireAnswer second = slow.answer();
  CHECK(second.status == 504);
  CHECK(second.body.find("total_timeout") != std::string::npos);
  CHECK(Steady::now() - begun < 5s);
}

// AVAIL-09, with the machine's own resolver, whatever it says about a name that does not exist.
TEST_CASE("a name that does not exist ends in its own error within the deadline") {
  FaultServer server;
  server.on_request([](const RawRequest&) { return answer_of(); });
  Live live(config_of("http://no-such-host.invalid/v1", R"("timeouts":{"connect_ms":400})"), 1);
  RawClient client(live.port());
  const auto begun = Steady::now();
  client.send(plain_request());
  const WireAnswer answer = client.answer();
  CHECK(Steady::now() - begun < 4s);
  CHECK((answer.body.find("connect_timeout") != std::string::npos || answer.body.find("upstream_resolve_failed") != std::string::npos));
}

#if !defined(SLUICE_SANITIZED)  // the sanitizer opens a pipe to look at an object, and calls one it cannot look at broken
// AVAIL-11
TEST_CASE("a process out of descriptors does not spin, and accepts again when there are some") {
  const auto threads = GENERATE(1u, 4u);
  FaultServer server;
  server.on_request([](const RawRequest&) { return answer_of(); });
  std::atomic<int> warnings{0};
  OpenOptions options;
  options.log = [&](LogLevel, std::string_view line) { warnings += line.find("trying again") != std::string_view::npos ? 1 : 0; };
  Live live(config_of(server), threads, std::move(options));
  RawClient before(live.port());
  before.send(plain_request());
  REQUIRE(before.answer().status == 200);
  // The clients' own ends are there beforehand, so that none of them meets the gateway at the last descriptor.
  std::vector<RawClient> waiting(3);
  {
    FewDescriptors few(0);
    for (auto& client : waiting) client.connect(live.port());
    REQUIRE(eventually([&] { return warnings >= 1; }));
    // What is connected is served; the loop looks away from the socket in between.
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto cpu = [&usage] {
      ::getrusage(RUSAGE_SELF, &usage);
      return std::chrono::seconds(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
             std::chrono::microseconds(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    };
    const auto cpu_before = cpu();
    const int seen = warnings;
    const auto begun = Steady::now();
    REQUIRE(eventually([&] { return warnings >= seen + 3; }));
    const auto wall = Steady::now() - begun;
    CHECK(wall >= 200ms);  // a try each 100 ms, not each turn
    CHECK(cpu() - cpu_before < wall / 2 + 50ms * kSlowdown);
    before.send(plain_request());
    CHECK(before.answer().status == 200);
  }
  for (auto& client : waiting) {
    client.send(plain_request());
    CHECK(client.answer().status == 200);
  }
}
#endif

// AVAIL-16
TEST_CASE("streams are spread over the engines, however they come") {
  FaultServer server;
  server.on_request([](const RawRequest&) { return open_stream().chunk(kRole).then_stall(); });
  Live live(config_of(server), 4);
  const auto busiest = [&](std::uint64_t all) {
    const Statistics statistics = live.gateway().statistics();
    REQUIRE(statistics.exchanges_open == all);
    REQUIRE(statistics.open_per_engine.size() == 4);
    return *std::max_element(statistics.open_per_engine.begin(), statistics.open_per_engine.end());
  };
  SECTION("sixteen connections with a stream each") {
    std::vector<RawClient> clients;
    for (int i = 0; i < 16; ++i) clients.emplace_back(live.port());
    for (auto& client : clients) client.send(stream_request());
    for (auto& client : clients) REQUIRE(client.until("assistant").find("assistant") != std::string::npos);
    CHECK(busiest(16) <= 6);
  }
  SECTION("sixty-four connections") {
    std::vector<RawClient> clients;
    for (int i = 0; i < 64; ++i) {
      clients.emplace_back(live.port());
      clients.back().send(stream_request());
    }
    for (auto& client : clients) REQUIRE(client.until("assistant").find("assistant") != std::string::npos);
    CHECK(busiest(64) <= 24);
  }
  SECTION("sixty-four calls in the process") {
    std::vector<std::shared_ptr<Counting>> callers;
    for (int i = 0; i < 64; ++i) {
      callers.push_back(std::make_shared<Counting>());
      REQUIRE(live.gateway().submit(Request::post("/v1/chat/completions", chat_body("m", "hi", true)), callers.back()));
    }
    for (auto& caller : callers) REQUIRE(caller->wait_text("assistant"));
    CHECK(busiest(64) <= 24);
  }
}
