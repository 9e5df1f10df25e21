// The five timers of an attempt (connect, headers, first content, idle, total), each alone: on the wire with deadlines of
// tens of milliseconds, and in virtual time where minutes pass.
#include <catch2/catch.hpp>
#include <chrono>

#include "deaf_port.hpp"
#include "gateway/core.hpp"
#include "sluice/testing.hpp"
#include "stream_support.hpp"

using namespace sluice;
using namespace sluice::test;
using namespace sluice::testing;
using namespace std::chrono_literals;

namespace {

struct Bench {
  ManualClock clock;
  Simulation simulation{clock, 5};
  std::optional<Gateway> gateway;
  explicit Bench(const std::string& timeouts, const std::string& route = {}) {
    OpenOptions options;
    options.clock = &clock;
    options.transport = simulation.transport();
    auto opened = Gateway::open_json(config_of("http://up.test/v1", R"("timeouts":{)" + timeouts + "}", R"("threads":0)", route), options);
    INFO((opened ? std::string() : opened.error().message));
    REQUIRE(opened);
    gateway.emplace(std::move(*opened));
  }
  Script& up() { return simulation.upstream("up"); }
  Run run(bool stream = true) { return simulation.run(*gateway, Request::post("/v1/chat/completions", chat_body("m", "hi", stream))); }
};

Pace pace_of(Duration first, double tokens_per_second, Duration ping = {}) {
  Pace pace;
  pace.first_token = std::chrono::duration_cast<std::chrono::microseconds>(first);
  pace.tokens_per_second = tokens_per_second;
  pace.ping = std::chrono::duration_cast<std::chrono::microseconds>(ping);
  return pace;
}

constexpr const char* kOff = R"("connect_ms":0,"headers_ms":0,"first_delta_ms":0,"idle_ms":0,"total_ms":0)";

/// All timers off but one.
std::string only(const std::string& name, int ms) {
  std::string text = kOff;
  const std::string key = "\"" + name + "\":";
  const std::size_t at = text.find(key) + key.size();
  return text.replace(at, 1, std::to_string(ms));
}

const std::string kPing = ": keep-alive\n\n";

std::string kept_alive(const FaultServer& server, int ms) {
  return config_of("http://" + server.authority() + "/v1", {}, {}, R"("stream_keep_alive_ms":)" + std::to_string(ms));
}

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) ++n;
  return n;
}

std::string without_pings(std::string body) {
  for (std::size_t at = body.find(kPing); at != std::string::npos; at = body.find(kPing, at)) body.erase(at, kPing.size());
  return body;
}

}  // namespace

// STREAM-11
TEST_CASE("each of the five timers alone ends an exchange that waits for its event") {
  const auto threads = GENERATE(1u, 4u);
  const auto stream = GENERATE(false, true);
  struct Timed {
    const char* timer;
    Code code;
    Reply reply;
    bool begun;  // an answer is on its way already
  };
  const Reply half = stream ? open_stream().chunk(kRole + text_event("he")).then_stall()
                            : Reply::raw("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"id\":").then_stall();
  auto timed = GENERATE_COPY(values<Timed>({
      {"connect_ms", Code::kConnectTimeout, Reply::nothing(), false},
      {"headers_ms", Code::kHeadersTimeout, Reply::nothing().then_stall(), false},
      {"first_delta_ms", Code::kFirstDeltaTimeout, open_stream().chunk(kRole + ": ping\n\n").then_stall(), true},
      {"idle_ms", Code::kIdleTimeout, half, true},
      {"total_ms", Code::kTotalTimeout, half, true},
      {"total_ms", Code::kTotalTimeout, Reply::nothing().then_stall(), false},
  }));
  if (timed.code == Code::kFirstDeltaTimeout && !stream) return;  // a stream's timer
  INFO(timed.timer << (stream ? ", stream" : ""));
  FaultServer server;
  server.on_request([&](const RawRequest&) { return timed.reply; });
  const DeafPort deaf;
  const std::string url = timed.code == Code::kConnectTimeout ? deaf.url() : "http://" + server.authority() + "/v1";
  Live live(config_of(url, R"("timeouts":{)" + only(timed.timer, 60) + "}"), threads);
  RawClient client(live.port());
  client.send(stream ? stream_request() : plain_request());
  const WireAnswer answer = client.answer();
  const auto outcomes = live.outcomes().wait(1);
  REQUIRE(outcomes.size() == 1);
  REQUIRE(outcomes[0].error);
  CHECK(outcomes[0].error->code == timed.code);
  CHECK(outcomes[0].ending == Ending::kFailed);
  CHECK(outcomes[0].total >= 50ms);
  CHECK(outcomes[0].total < 600ms * kSlowdown);
  if (timed.begun) {
    CHECK(answer.status == 200);
    CHECK(answer.body.find("[DONE]") == std::string::npos);
    CHECK(answer.complete == stream);  // a whole answer that breaks off must not look whole
    if (stream) CHECK(answer.body.find(to_string(timed.code)) != std::string::npos);
  } else {
    CHECK(answer.status == 504);
    CHECK(answer.body.find(to_string(timed.code)) != std::string::npos);
  }
}

// STREAM-11
TEST_CASE("ten minutes of thinking with pings are never cut by the idle timer") {
  Bench bench(R"("idle_ms":60000,"first_delta_ms":0,"total_ms":0)");
  bench.up().answers("At last.").pace(pace_of(600s, 0, 15s));
  const Run run = bench.run();
  CHECK(run.outcome().ending == Ending::kCompleted);
  CHECK(run.outcome().total >= 600s);
  CHECK(run.body().find("At last") == std::string::npos);  // in tokens
  CHECK(read_events(run.body()).back().data == "[DONE]");
}

// STREAM-11
TEST_CASE("a stream of pings alone trips the first-content timer") {
  Bench bench(R"("idle_ms":60000,"first_delta_ms":120000,"total_ms":0)");
  bench.up().answers("Too late.").pace(pace_of(600s, 0, 15s));
  const Run run = bench.run();
  REQUIRE(run.outcome().error);
  CHECK(run.outcome().error->code == Code::kFirstDeltaTimeout);
  CHECK(run.outcome().total >= 119s);
  CHECK(run.outcome().total <= 121s);
}

// STREAM-11
TEST_CASE("a token every ten seconds trips an idle timer that is set lower, and no other") {
  const auto idle = GENERATE(5000, 15000);
  Bench bench(R"("first_delta_ms":60000,"total_ms":0,"idle_ms":)" + std::to_string(idle));
  bench.up().generates(12).pace(pace_of(1s, 0.1));
  const Run run = bench.run();
  if (idle == 5000) {
    REQUIRE(run.outcome().error);
    CHECK(run.outcome().error->code == Code::kIdleTimeout);
    CHECK(run.outcome().total < 20s);
  } else {
    CHECK(run.outcome().ending == Ending::kCompleted);
    CHECK(run.outcome().total > 100s);
  }
}

// STREAM-11
TEST_CASE("the headers timer does not run once the head has come, nor the total timer before its time") {
  Bench bench(R"("headers_ms":2000,"first_delta_ms":0,"idle_ms":0,"total_ms":300000)");
  bench.up().answers("Slow but sure.").pace(pace_of(200s, 0));
  const Run run = bench.run();
  CHECK(run.outcome().ending == Ending::kCompleted);
  bench.up().pace(pace_of(400s, 0));
  const Run cut = bench.run();
  REQUIRE(cut.outcome().error);
  CHECK(cut.outcome().error->code == Code::kTotalTimeout);
  CHECK(cut.outcome().total == 300s);
}

// STREAM-14
TEST_CASE("a silent upstream's caller is kept alive by pings its dialect passes over, and is told nothing else") {
  const auto threads = GENERATE(1u, 4u);
  FaultServer server;
  // Silent behind the head, between two events, behind the finish reason, and, for as long as it is let, behind its last word.
  server.on_request([](const RawRequest&) {
    return open_stream().then_wait("one").chunk(kRole + text_event("he")).then_wait("two").chunk(text_event("llo") + kStop).then_wait("three").chunk(
        kDone).then_stall();
  });
  Live live(kept_alive(server, 20), threads);
  RawClient client(live.port());
  client.send(stream_request());
  const std::string two_pings = "\r\ne\r\n" + kPing + "\r\ne\r\n" + kPing;  // each in a chunk of its own, hence at once
  for (const auto& [behind, gate] : {std::pair<std::string, const char*>("\r\n", "one"), {text_event("he"), "two"}, {kStop, "three"}}) {
    REQUIRE(client.until(behind + two_pings).find(behind + two_pings) != std::string::npos);
    server.open(gate);
  }
  const WireAnswer answer = client.answer();
  CHECK(answer.status == 200);
  CHECK(answer.complete);
  CHECK(without_pings(answer.body) == kRole + text_event("he") + text_event("llo") + kStop + kDone);
  CHECK(answer.body.substr(answer.body.size() - kDone.size()) == kDone);
  const auto outcomes = live.outcomes().wait(1);
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes[0].ending == Ending::kCompleted);
}

// STREAM-14
TEST_CASE("pings come once an interval of silence, never before the head, and hold no timer of the upstream back") {
  Bench bench(R"("headers_ms":0,"first_delta_ms":300000,"idle_ms":0,"total_ms":0)", R"("stream_keep_alive_ms":15000)");
  Pace pace = pace_of(150s, 0);
  pace.head = std::chrono::microseconds(100s);  // a minute and more without a head: nothing can be sent yet
  bench.up().answers("At last.").pace(pace);
  const Run run = bench.run();
  CHECK(run.outcome().ending == Ending::kCompleted);
  CHECK(count(run.body(), kPing) == 3);  // 115, 130 and 145 s: the role event came with the head
  CHECK(read_events(run.body()).back().data == "[DONE]");

  bench.up().pace(pace_of(400s, 0));
  const Run cut = bench.run();
  REQUIRE(cut.outcome().error);
  CHECK(cut.outcome().error->code == Code::kFirstDeltaTimeout);
  CHECK(count(cut.body(), kPing) == 19);  // 15, 30 ... 285 s; at 300 s the timer comes first

  const Run whole = bench.run(false);
  CHECK(count(whole.body(), kPing) == 0);
}

// STREAM-14
TEST_CASE("a caller that does not read is sent no pings, however long it does not") {
  FaultServer server;
  server.on_request([](const RawRequest&) { return open_stream().chunk(kRole + text_event("he")).then_wait("on").chunk(kStop + kDone).end_chunks(); });
  Live live(kept_alive(server, 1), 1);
  auto caller = std::make_shared<Counting>();
  const auto id = live.gateway().submit(Request::post("/v1/chat/completions", chat_body("m", "hello", true)), caller);
  REQUIRE(id);
  REQUIRE(caller->wait_text(kPing));
  live.gateway().core().pause(*id, true);
  // Other exchanges have come and gone on the same loop: the pause is in force, and an interval has passed.
  for (int i = 0; i < 3; ++i) {
    auto other = std::make_shared<Counting>();
    REQUIRE(live.gateway().submit(Request::post("/v1/chat/completions", chat_body("m", "hello", true)), other));
    REQUIRE(other->wait_text(kPing));
  }
  const std::size_t told = count(caller->body(), kPing);
  for (int i = 0; i < 3; ++i) {
    auto other = std::make_shared<Counting>();
    REQUIRE(live.gateway().submit(Request::post("/v1/chat/completions", chat_body("m", "hello", true)), other));
    REQUIRE(other->wait_text(kPing + kPing));
  }
  CHECK(count(caller->body(), kPing) == told);
  live.gateway().core().pause(*id, false);
  server.open("on");
  REQUIRE(caller->wait_end());
  CHECK(without_pings(caller->body()) == kRole + text_event("he") + kStop + kDone);
}

// STREAM-12
TEST_CASE("a stream that outlives every timer of the listener is not truncated") {
  const auto threads = GENERATE(1u, 4u);
  auto server = SimServer::start(9);
  REQUIRE(server);
  Pace pace;
  pace.tokens_per_second = 25;
  server->configure([&](Script& script) { script.generates(15).pace(pace); });
  Live live(config_of(server->url(), {},
                      R"("listen":[{"address":"127.0.0.1:0","header_timeout_ms":40,"body_timeout_ms":40,"idle_timeout_ms":40}])"),
            threads);
  RawClient client(live.port());
  client.send(stream_request());
  const WireAnswer answer = client.answer();
  CHECK(answer.complete);
  REQUIRE(!read_events(answer.body).empty());
  CHECK(read_events(answer.body).back().data == "[DONE]");
  const auto outcomes = live.outcomes().wait(1);
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes[0].total >= 400ms);
  CHECK(outcomes[0].ending == Ending::kCompleted);
}
