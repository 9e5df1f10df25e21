// How streams end: what is whole, what is not, and what the caller is told. Through listener, libcurl and a server that
// misbehaves byte by byte.
#include <catch2/catch.hpp>

#include <chrono>

#include "stream_support.hpp"
#include "sluice/testing.hpp"

using namespace sluice;
using namespace sluice::test;
using namespace std::chrono_literals;

namespace {

/// A chat stream from the wire. `meet`: waits for this text first, then opens the gate `go`.
WireAnswer stream_from(Live& live, FaultServer& server, std::string_view meet = {}) {
  RawClient client(live.port());
  client.send(stream_request());
  if (!meet.empty()) {
    client.until(meet);
    server.open("go");
  }
  return client.answer();
}

bool starts_with(std::string_view text, std::string_view beginning) { return text.substr(0, beginning.size()) == beginning; }

}  // namespace

// STREAM-01
TEST_CASE("a stream that breaks off ends with an error event and no invented end") {
  const auto threads = GENERATE(1u, 4u);
  struct Break {
    const char* how;
    Reply reply;
    Code code;
  };
  const std::string said = kRole + text_event("he") + text_event("llo");
  auto broken = GENERATE_COPY(values<Break>({
      {"the body ends without finish reason or [DONE]", whole_stream(said), Code::kUpstreamTruncated},
      {"the connection that frames the body ends", open_unframed_stream().then(said).then_close(), Code::kUpstreamTruncated},
      {"the connection ends between two chunks", open_stream().chunk(said).then_close(), Code::kUpstreamTruncated},
      {"the connection ends inside a chunk's size", open_stream().chunk(said).then("1").then_close(), Code::kUpstreamTruncated},
      {"the connection ends inside an event", open_stream().chunk(said + "data: {\"id\":\"c1\",\"cho").then_close(), Code::kUpstreamTruncated},
      {"the body ends inside an event", whole_stream(said + "data: {\"id\":\"c1\",\"cho"), Code::kUpstreamTruncated},
      {"the body ends inside [DONE]", whole_stream(said + "data: [DO"), Code::kUpstreamTruncated},
      {"the connection is reset", open_stream().chunk(said).then_wait("go").then_reset(), Code::kUpstreamReset},
      {"the chunks are garbled", open_stream().chunk(said).then("zz\r\n"), Code::kUpstreamProtocolError},
  }));
  INFO(broken.how);
  FaultServer server;
  server.on_request([&](const RawRequest&) { return broken.reply; });
  Live live(config_of(server), threads);
  const WireAnswer answer = stream_from(live, server, "llo");
  CHECK(answer.status == 200);
  CHECK(answer.complete);
  INFO(answer.body);
  REQUIRE(starts_with(answer.body, said));
  const auto events = read_events(answer.body);
  REQUIRE(events.size() == 4);
  CHECK(starts_with(events.back().data, R"({"error":{"message":)"));
  CHECK(events.back().data.find(to_string(broken.code)) != std::string::npos);
  CHECK(answer.body.find("[DONE]") == std::string::npos);
  CHECK(answer.body.find(R"("finish_reason":"stop")") == std::string::npos);
  const auto outcomes = live.outcomes().wait(1);
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes[0].ending == Ending::kFailed);
  REQUIRE(outcomes[0].error);
  CHECK(outcomes[0].error->code == broken.code);
  CHECK(outcomes[0].finish_reason.empty());
  REQUIRE(outcomes[0].attempts.size() == 1);
  CHECK(outcomes[0].attempts[0].code == broken.code);
  CHECK(server.request_count() == 1);
}

// STREAM-01, in virtual time
TEST_CASE("a simulated stream that is cut or reset ends with an error event") {
  const auto kind = GENERATE(testing::Fault::Kind::kCut, testing::Fault::Kind::kReset);
  testing::ManualClock clock;
  testing::Simulation simulation(clock, 3);
  testing::Fault fault;
  fault.kind = kind;
  fault.at_byte = 600;
  simulation.upstream("up").generates(40).fails(fault);
  OpenOptions options;
  options.clock = &clock;
  options.transport = simulation.transport();
  auto gateway = Gateway::open_json(config_of("http://up.test/v1", {}, R"("threads":0)"), options);
  REQUIRE(gateway);
  const auto run = simulation.run(*gateway, Request::post("/v1/chat/completions", chat_body("m", "hi", true)));
  CHECK(run.outcome().ending == Ending::kFailed);
  const auto events = read_events(run.body());
  REQUIRE(events.size() >= 2);
  CHECK(starts_with(events.back().data, R"({"error":)"));
  CHECK(run.body().find("[DONE]") == std::string::npos);
}

// STREAM-02
TEST_CASE("an end behind the finish reason is complete without [DONE], and none is invented") {
  const auto threads = GENERATE(1u, 4u);
  const std::string said = kRole + text_event("hello") + kStop;
  auto reply = GENERATE_COPY(values<Reply>({whole_stream(said), open_unframed_stream().then(said).then_close(), open_stream().chunk(said).then_close()}));
  FaultServer server;
  server.on_request([&](const RawRequest&) { return reply; });
  Live live(config_of(server), threads);
  const WireAnswer answer = stream_from(live, server);
  CHECK(answer.complete);
  CHECK(answer.body == said);
  const auto outcomes = live.outcomes().wait(1);
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes[0].ending == Ending::kCompleted);
  CHECK(outcomes[0].finish_reason == "stop");
  CHECK_FALSE(outcomes[0].error);
}

// STREAM-02
TEST_CASE("a caller who closes after the end of the stream has not cancelled") {
  const auto threads = GENERATE(1u, 4u);
  const std::string said = kRole + text_event("hello") + kStop;
  const auto last = GENERATE_COPY(values<std::string>({said, said + kDone}));
  FaultServer server;
  server.on_request([&](const RawRequest&) { return open_stream().chunk(last).then_stall(); });
  Live live(config_of(server), threads);
  RawClient client(live.port());
  client.send(stream_request());
  client.until(last.substr(last.size() - 16));
  client.close();
  const auto outcomes = live.outcomes().wait(1);
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes[0].ending == Ending::kCompleted);
  CHECK(server.wait_for([&] { return server.reads_closed() == 1; }));
}

// STREAM-02: an upstream that says [DONE] and then holds its connection held the caller until the idle timeout, which
// then put an error event behind the [DONE].
TEST_CASE("an upstream that never ends its body after [DONE] does not hold the caller") {
  const auto threads = GENERATE(1u, 4u);
  const std::string said = kRole + text_event("hello") + kStop + kDone;
  FaultServer server;
  server.on_request([&](const RawRequest&) { return open_stream().chunk(said).then_stall(); });
  Live live(config_of(server, R"("timeouts":{"idle_ms":60000})"), threads);
  const auto begun = std::chrono::steady_clock::now();
  const WireAnswer answer = stream_from(live, server);
  CHECK(std::chrono::steady_clock::now() - begun < 10s);
  CHECK(answer.complete);
  CHECK(answer.body == said);
  const auto outcomes = live.outcomes().wait(1);
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes[0].ending == Ending::kCompleted);
}

// STREAM-03 (the half without failover)
TEST_CASE("a 200 whose first event is an error is answered with a real error status") {
  const auto threads = GENERATE(1u, 4u);
  struct First {
    std::string event;
    int status;
    const char* words;
  };
  const auto first = GENERATE(values<First>({
      {event_of(R"({"error":{"message":"no tokens left","type":"x","code":429}})"), 429, "no tokens left"},
      {event_of(R"({"error":{"message":"it broke","type":"server_error","code":null}})"), 502, "it broke"},
      {"event: error\n" + event_of(R"({"error":{"message":"it broke"}})"), 502, "it broke"},
      {event_of("upstream connect error"), 502, "upstream connect error"},
  }));
  INFO(first.event);
  FaultServer server;
  server.on_request([&](const RawRequest&) { return whole_stream(first.event); });
  Live live(config_of(server), threads);
  const WireAnswer answer = stream_from(live, server);
  CHECK(answer.status == first.status);
  CHECK(answer.field("content-type") == "application/json");
  CHECK(answer.body.find(first.words) != std::string::npos);
  const auto outcomes = live.outcomes().wait(1);
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes[0].ending == Ending::kFailed);
  CHECK(outcomes[0].status == first.status);
}

// STREAM-03
TEST_CASE("an error event inside a running stream reaches the caller once and ends it") {
  const auto threads = GENERATE(1u, 4u);
  FaultServer server;
  const std::string words = event_of(R"({"error":{"message":"it broke","type":"server_error","param":null,"code":null}})");
  server.on_request([&](const RawRequest&) { return whole_stream(kRole + text_event("he") + words + text_event("more") + kDone); });
  Live live(config_of(server), threads);
  const WireAnswer answer = stream_from(live, server);
  CHECK(answer.status == 200);
  CHECK(answer.complete);
  CHECK(answer.body == kRole + text_event("he") + words);
  const auto outcomes = live.outcomes().wait(1);
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes[0].ending == Ending::kFailed);
}

// SEC: providers echo keys, also inside a stream.
TEST_CASE("an error event that holds the upstream's key is masked") {
  ::setenv("STREAM_TEST_KEY", "sk-upstream-9f3d2a", 1);
  FaultServer server;
  server.on_request([&](const RawRequest&) {
    return whole_stream(kRole + event_of(R"({"error":{"message":"bad key sk-upstream-9f3d2a","type":"x"}})"));
  });
  Live live(config_of(server, R"("credential":{"env":"STREAM_TEST_KEY"},"allow_plaintext_credential":true)"), 1);
  const WireAnswer answer = stream_from(live, server);
  CHECK(answer.body.find("bad key") != std::string::npos);
  CHECK(answer.body.find("9f3d2a") == std::string::npos);
  const auto outcomes = live.outcomes().wait(1);
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes[0].error->message.find("9f3d2a") == std::string::npos);
}

// STREAM-16 (one dialect: what is no JSON at all), DIAL-19
TEST_CASE("an event that is no JSON becomes an error event, never a gap") {
  const auto threads = GENERATE(1u, 4u);
  const auto bad = GENERATE(values<std::string>({"data: <html>Bad gateway</html>\n\n", "data: upstream error\n\n", "event: error\ndata: oops\n\n"}));
  FaultServer server;
  server.on_request([&](const RawRequest&) { return whole_stream(kRole + text_event("he") + bad + text_event("llo") + kStop + kDone); });
  Live live(config_of(server), threads);
  const WireAnswer answer = stream_from(live, server);
  INFO(answer.body);
  const std::string before = kRole + text_event("he");
  REQUIRE(starts_with(answer.body, before));
  const auto events = read_events(answer.body);
  REQUIRE(events.size() == 3);
  CHECK(starts_with(events[2].data, R"({"error":{)"));
  CHECK(answer.complete);
  const auto outcomes = live.outcomes().wait(1);
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes[0].ending == Ending::kFailed);
}
