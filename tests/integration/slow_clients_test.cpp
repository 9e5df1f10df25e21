// Clients that are slow on purpose: who takes none of its answer, who sends a body a byte at a time, who announces much and
// sends nothing. Each has its time, and holds nobody else's place.
#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>

#include "stream_support.hpp"

using namespace sluice;
using namespace sluice::test;
using namespace std::chrono_literals;

namespace {

using Steady = std::chrono::steady_clock;

std::string listening(const std::string& members) { return R"("listen":[{"address":"127.0.0.1:0",)" + members + "}]"; }

constexpr std::size_t kPiece = 64 * 1024, kPieces = 384;  // 24 MB: more than the kernel's buffers on the way hold
Reply much() {
  return Reply::chunked("Content-Type: application/json\r\n").chunk("{}").repeat("10000\r\n" + std::string(kPiece, ' ') + "\r\n", kPieces).end_chunks();
}

std::string head_of(std::size_t length) {
  return "POST /v1/chat/completions HTTP/1.1\r\nHost: gateway.test\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

/// Time passes while others are served, which is also looked at.
void serve_others_until(RawClient& good, Steady::time_point until) {
  do {
    good.send(get("/healthz"));
    REQUIRE(good.answer().status == 200);
  } while (Steady::now() < until);
}

}  // namespace

// A client that did not read held its connection, its exchange and its upstream's place for ever.
TEST_CASE("a client that takes none of its answer is let go at the body timeout, and what it held with it") {
  constexpr std::size_t kSlow = 12;
  const auto threads = GENERATE(1u, 4u);
  FaultServer::Options quiet;
  quiet.record = false;
  FaultServer server(quiet);
  server.on_request([](const RawRequest&) { return much(); });
  Live live(config_of(server, R"("timeouts":{"idle_ms":0,"total_ms":0})", listening(R"("body_timeout_ms":150)")), threads);
  RawClient good(live.port());
  const std::size_t before = live.gateway().statistics().exchanges_open;
  std::vector<RawClient> slow;
  const auto begun = Steady::now();
  for (std::size_t i = 0; i < kSlow; ++i) {
    slow.emplace_back(live.port(), 4096);
    slow.back().send(plain_request());
  }
  REQUIRE(live.outcomes().wait(kSlow).size() == kSlow);
  CHECK(Steady::now() - begun >= 150ms);
  for (const Outcome& outcome : live.outcomes().wait(kSlow)) CHECK(outcome.ending == Ending::kCancelled);
  CHECK(live.gateway().statistics().exchanges_open == before);
  CHECK(server.wait_for([&] { return server.reads_closed() >= kSlow; }));  // nothing more is fetched for nobody
  serve_others_until(good, Steady::now());
}

TEST_CASE("a client that takes its answer slowly, but does, gets all of it") {
  const auto threads = GENERATE(1u, 4u);
  FaultServer server;
  server.on_request([](const RawRequest&) { return much(); });
  Live live(config_of(server, {}, listening(R"("body_timeout_ms":)" + std::to_string(400 * kSlowdown))), threads);
  RawClient good(live.port()), slow(live.port(), 4096);
  slow.send(plain_request());
  (void)slow.until("\r\n\r\n");
  std::size_t got = 0;
  const auto begun = Steady::now();
  for (std::size_t step = 1; got < kPieces * kPiece; ++step) {
    for (std::size_t taken = 0; taken < 4u << 20;) {
      const std::string piece = slow.receive();
      if (piece.empty()) break;
      taken += piece.size();
      got += piece.size();
      if (piece.ends_with("0\r\n\r\n")) break;
    }
    serve_others_until(good, begun + step * 100ms * kSlowdown);
  }
  CHECK(Steady::now() - begun > 400ms * kSlowdown);
  const auto outcomes = live.outcomes().wait(1);
  REQUIRE(outcomes.size() == 1);
  INFO((outcomes[0].error ? outcomes[0].error->message : std::string()));
  CHECK(outcomes[0].ending == Ending::kCompleted);
}

// An answer whose upstream was paused, and whose waiting bytes all went out by another way than a socket that became
// writable, was never gone on with.
TEST_CASE("a client that begins to read late gets all of its answer") {
  constexpr std::size_t kLate = 6;
  const auto threads = GENERATE(1u, 4u);
  FaultServer::Options quiet;
  quiet.record = false;
  FaultServer server(quiet);
  server.on_request([](const RawRequest&) { return much(); });
  Live live(config_of(server), threads);
  RawClient good(live.port());
  std::vector<RawClient> late;
  for (std::size_t i = 0; i < kLate; ++i) {
    late.emplace_back(live.port(), 4096);
    late.back().send(plain_request());
  }
  for (RawClient& client : late) REQUIRE(client.until("\r\n\r\n").starts_with("HTTP/1.1 200"));
  serve_others_until(good, Steady::now() + 100ms);
  for (RawClient& client : late) {
    std::size_t got = 0;
    std::string piece;
    do {
      piece = client.receive();
      got += piece.size();
    } while (!piece.empty() && !piece.ends_with("0\r\n\r\n"));
    CHECK(got >= kPieces * kPiece);
  }
  for (const Outcome& outcome : live.outcomes().wait(kLate)) CHECK(outcome.ending == Ending::kCompleted);
}

// A byte now and then put the end of silence off for ever.
TEST_CASE("a body that trickles is refused when it has had its time, however steadily it comes") {
  constexpr std::size_t kSlow = 20;
  const auto threads = GENERATE(1u, 4u);
  FaultServer server;
  Live live(config_of(server, {}, listening(R"("body_timeout_ms":300)")), threads);
  RawClient good(live.port());
  std::vector<RawClient> slow;
  const auto begun = Steady::now();
  for (std::size_t i = 0; i < kSlow; ++i) {
    slow.emplace_back(live.port());
    slow.back().send(head_of(100'000));
  }
  // A byte each 10 ms: 100 a second, a fifth of what is asked for, and never a silence.
  for (std::size_t step = 1; live.outcomes().count() < kSlow && Steady::now() - begun < 8s; ++step) {
    for (RawClient& client : slow) (void)client.try_send(" ");
    serve_others_until(good, begun + step * 10ms);
  }
  REQUIRE(live.outcomes().count() == kSlow);  // while bytes still came
  for (RawClient& client : slow) {
    const WireAnswer answer = client.answer();
    CHECK(answer.status == 408);
    CHECK(answer.body.find("request_timeout") != std::string::npos);
    CHECK(answer.field("connection") == "close");
  }
  CHECK(Steady::now() - begun >= 300ms);
  CHECK(server.request_count() == 0);
  CHECK(eventually([&] { return live.gateway().statistics().body_bytes_held == 0; }));
}

TEST_CASE("a body that comes at its rate has all the time it needs") {
  const auto threads = GENERATE(1u, 4u);
  FaultServer server;
  server.on_request([](const RawRequest&) { return answer_of(); });
  Live live(config_of(server, {}, listening(R"("body_timeout_ms":)" + std::to_string(200 * kSlowdown))), threads);
  RawClient good(live.port()), steady(live.port());
  std::string body = chat_body("m", std::string(3000, 'x'));
  steady.send(head_of(body.size()));
  const auto begun = Steady::now();
  for (std::size_t step = 1; !body.empty(); ++step) {
    steady.send(body.substr(0, 100));
    body.erase(0, std::min<std::size_t>(100, body.size()));
    serve_others_until(good, begun + step * 20ms * kSlowdown);
  }
  CHECK(steady.answer().status == 200);
  CHECK(Steady::now() - begun > 400ms * kSlowdown);
}

// Sixteen connections that announced 32 MiB each, and sent a byte now and then, took the whole budget for bodies.
TEST_CASE("a length that is only announced holds no place that bytes of others could take") {
  constexpr std::size_t kAnnounced = 64;
  const auto threads = GENERATE(1u, 4u);
  FaultServer server;
  server.on_request([](const RawRequest&) { return answer_of(); });
  Live live(config_of(server), threads);
  std::vector<RawClient> announced;
  for (std::size_t i = 0; i < kAnnounced; ++i) {
    announced.emplace_back(live.port());
    announced.back().send(head_of(32u << 20) + "{");
  }
  REQUIRE(eventually([&] { return live.gateway().statistics().exchanges_open == kAnnounced; }));
  CHECK(live.gateway().statistics().body_bytes_held <= kAnnounced * 64 * 1024);
  RawClient good(live.port());
  good.send(post("/v1/chat/completions", chat_body("m", std::string(1u << 20, 'x'))));
  CHECK(good.answer().status == 200);
}
