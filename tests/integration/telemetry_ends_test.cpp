// One event for every exchange, however it ends, and what stands in it.

#include <catch2/catch.hpp>

#include <set>

#include "telemetry_support.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

/// The one event of a gateway that has had one exchange.
std::string only_event(Live& live, Events& events) {
  (void)live.outcomes().wait(1);
  const auto lines = events.wait(1);
  REQUIRE(lines.size() == 1);
  INFO(lines[0]);
  CHECK(fits_schema(lines[0]));
  CHECK(times_add_up(lines[0]));
  return lines[0];
}

std::string ending(const std::string& event) { return at(event, {"ending"}); }

}  // namespace

// TELE-01
TEST_CASE("an exchange that is served leaves one event with everything that is known of it") {
  const auto threads = GENERATE(1u, 4u);
  Events events;
  Backend a("a");
  Live live(document(a.entry(), route_to("a"),
                     R"(,"gateway":{"name":"edge"},"consumers":[{"name":"app","tenant":"acme","keys":[{"sha256":")" +
                         sha256("caller-key-1") + "\"}]}]"),
            threads, telling(events));
  CHECK(ask(live, post("/v1/chat/completions", chat_body("m"), "Authorization: Bearer caller-key-1\r\n")).status == 200);
  const std::string event = only_event(live, events);
  const Outcome outcome = live.outcomes().wait(1).at(0);
  CHECK(at(event, {"schema"}) == "\"sluice.event/1\"");
  CHECK(at(event, {"id"}) == "\"" + outcome.id + "\"");
  CHECK(at(event, {"trace_id"}).size() == 34);
  CHECK(at(event, {"span_id"}).size() == 18);
  CHECK(at(event, {"parent_span_id"}).empty());
  CHECK(at(event, {"gateway"}) == "\"edge\"");
  CHECK(at(event, {"consumer"}) == "\"app\"");
  CHECK(at(event, {"tenant"}) == "\"acme\"");
  CHECK(at(event, {"route"}) == "\"r\"");
  CHECK(at(event, {"dialect"}) == "\"openai\"");
  CHECK(at(event, {"operation"}) == "\"chat\"");
  CHECK(at(event, {"requested_model"}) == "\"m\"");
  CHECK(at(event, {"served_model"}) == "\"a\"");
  CHECK(at(event, {"mode"}) == "\"embedded\"");
  CHECK(at(event, {"streamed"}) == "false");
  CHECK(at(event, {"status"}) == "200");
  CHECK(ending(event) == "\"completed\"");
  CHECK(at(event, {"finish_reason"}) == "\"stop\"");
  CHECK(at(event, {"attempts", "0", "upstream"}) == "\"a\"");
  CHECK(at(event, {"attempts", "0", "sends"}) == "1");
  CHECK(at(event, {"usage", "source"}) == "\"reported\"");
  CHECK(at(event, {"usage", "input_tokens"}) == "3");
  CHECK(at(event, {"content"}).empty());
}

// TELE-01
TEST_CASE("every attempt and every upstream that was passed over stands in the event") {
  const auto threads = GENERATE(1u, 4u);
  Events events;
  Backend a("a"), b("b");
  a->on_request([](const RawRequest&) { return Reply::status(503, "{}", "Content-Type: application/json\r\n"); });
  Live live(document(a.entry() + "," + b.entry(), R"({"name":"r","upstreams":[{"name":"a"},{"name":"b"}],"retry":{"per_upstream":1}})"), threads,
            telling(events));
  CHECK(ask(live, plain_request()).status == 200);
  const std::string event = only_event(live, events);
  CHECK(at(event, {"attempts", "0", "upstream"}) == "\"a\"");
  CHECK(at(event, {"attempts", "0", "status"}) == "503");
  CHECK(at(event, {"attempts", "0", "code"}) == "\"upstream_status\"");
  CHECK(at(event, {"attempts", "1", "upstream"}) == "\"b\"");
  CHECK(at(event, {"attempts", "1", "usage", "source"}) == "\"reported\"");
  CHECK(at(event, {"attempts", "2"}).empty());
}

// TELE-01
TEST_CASE("a refusal on the head, on the body or for want of a route leaves one event") {
  const auto threads = GENERATE(1u, 4u);
  struct Case {
    std::string request;
    const char* code;
  };
  const auto one = GENERATE(values<Case>({{post("/v1/chat/completions", chat_body("m"), "Authorization: Bearer nobody-has-this\r\n"), "unauthorized"},
                                          {post("/v1/chat/completions", chat_body("m")), "unauthorized"},
                                          {get("/nowhere", "Authorization: Bearer caller-key-1\r\n"), "route_not_found"},
                                          {get("/v1/chat/completions", "Authorization: Bearer caller-key-1\r\n"), "method_not_allowed"},
                                          {post("/v1/chat/completions", "{\"model\":", "Authorization: Bearer caller-key-1\r\n"), "invalid_json"},
                                          {post("/v1/chat/completions", chat_body("m"), "Authorization: Bearer caller-key-1\r\nX-Api-Key: other-key-2\r\n"), "ambiguous_credentials"}}));
  Events events;
  Backend a("a");
  Live live(document(a.entry(), route_to("a", R"(,"match":{"path_prefix":"/v1"})"),
                     R"(,"consumers":[{"name":"app","keys":[{"sha256":")" + sha256("caller-key-1") + "\"}]}]"),
            threads, telling(events));
  INFO(one.request);
  CHECK(ask(live, one.request).status >= 400);
  const std::string event = only_event(live, events);
  CHECK(ending(event) == "\"refused\"");
  CHECK(at(event, {"error", "code"}) == "\"" + std::string(one.code) + "\"");
  CHECK(at(event, {"attempts"}).empty());
  CHECK(at(event, {"usage"}).empty());
  CHECK(a->request_count() == 0);
}

// TELE-01
TEST_CASE("an attempt that fails leaves one event, whichever way it fails") {
  const auto threads = GENERATE(1u, 4u);
  struct Case {
    Reply reply;
    const char* code;
    bool streamed;
  };
  const auto i = GENERATE(range(0, 6));
  const std::vector<Case> cases{{Reply::nothing().then_reset(), "", false},
                                {Reply::raw("nonsense\r\n\r\n").then_close(), "", false},
                                {Reply::ok("<html>", "Content-Type: text/html\r\n"), "\"upstream_invalid_answer\"", false},
                                {Reply::status(302, "", "Location: http://127.0.0.1:1/\r\n"), "\"upstream_redirect\"", false},
                                {open_stream().chunk(kRole + text_event("he")).then_reset(), "", true},
                                {whole_stream(kRole + text_event("he") + event_of(R"({"error":{"message":"no","type":"x"}})")), "", true}};
  Events events;
  FaultServer server;
  server.on_request([&](const RawRequest&) { return cases[static_cast<std::size_t>(i)].reply; });
  Live live(config_of(server), threads, telling(events));
  (void)ask(live, cases[static_cast<std::size_t>(i)].streamed ? stream_request() : plain_request());
  const std::string event = only_event(live, events);
  CHECK(ending(event) == "\"failed\"");
  CHECK_FALSE(at(event, {"error", "code"}).empty());
  const std::string wanted = cases[static_cast<std::size_t>(i)].code;
  if (!wanted.empty()) CHECK(at(event, {"error", "code"}) == wanted);
  CHECK(at(event, {"attempts", "0", "code"}) == at(event, {"error", "code"}));
}

// TELE-01
TEST_CASE("an upstream that cannot be reached leaves one event") {
  const auto threads = GENERATE(1u, 4u);
  Events events;
  Live live(config_of("http://127.0.0.1:1/v1"), threads, telling(events));
  CHECK(ask(live, plain_request()).status >= 500);
  CHECK(ending(only_event(live, events)) == "\"failed\"");
}

// TELE-01
TEST_CASE("a caller who leaves leaves one event, before the answer and within a stream") {
  const auto threads = GENERATE(1u, 4u);
  const bool streamed = GENERATE(false, true);
  Events events;
  FaultServer server;
  server.on_request([&](const RawRequest&) {
    return streamed ? open_stream().chunk(kRole + text_event("hello there")).then_stall() : Reply::nothing().then_stall();
  });
  Live live(config_of(server), threads, telling(events));
  RawClient client(live.port());
  client.send(streamed ? stream_request() : plain_request());
  if (streamed) (void)client.until("hello there");
  REQUIRE(server.wait_for([&] { return server.request_count() == 1; }));
  client.reset();
  const std::string event = only_event(live, events);
  CHECK(ending(event) == "\"cancelled\"");
  CHECK(at(event, {"attempts", "0", "code"}) == "\"cancelled\"");
  CHECK(at(event, {"usage"}).empty() == !streamed);
}

// TELE-01
TEST_CASE("a gateway that closes leaves one event for each exchange that is open, and none is missed in its file") {
  const auto threads = GENERATE(1u, 4u);
  Directory directory;
  const std::string file = directory.file("events.jsonl");
  Events events;
  FaultServer server;
  server.on_request([](const RawRequest&) { return Reply::nothing().then_stall(); });
  std::string config = config_of(server);
  config.insert(config.size() - 1, R"(,"telemetry":{"files":[{"path":")" + file + "\"}]}");
  auto live = std::make_unique<Live>(config, threads, telling(events));
  constexpr std::size_t kOpen = 8;
  std::vector<std::shared_ptr<Counting>> callers;
  for (std::size_t i = 0; i < kOpen; ++i) {
    callers.push_back(std::make_shared<Counting>());
    REQUIRE(live->gateway().submit(Request::post("/v1/chat/completions", chat_body("m")), callers.back()));
  }
  REQUIRE(server.wait_for([&] { return server.request_count() == kOpen; }));
  live->stop_server();
  REQUIRE(live->gateway().close());
  const auto lines = events.all();
  CHECK(lines.size() == kOpen);
  CHECK(lines_of(file).size() == kOpen);
  std::set<std::string> ids;
  for (const std::string& line : lines) {
    CHECK(fits_schema(line));
    CHECK(ending(line) == "\"cancelled\"");
    ids.insert(at(line, {"id"}));
  }
  CHECK(ids.size() == kOpen);
  CHECK_FALSE(live->gateway().submit(Request::post("/v1/chat/completions", chat_body("m")), std::make_shared<Counting>()));
  CHECK(events.all().size() == kOpen);
}

// TELE-01: the drain deadline ends exchanges from outside.
TEST_CASE("an exchange that the listener abandons leaves one event") {
  const auto threads = GENERATE(1u, 4u);
  Events events;
  FaultServer server;
  server.on_request([](const RawRequest&) { return Reply::nothing().then_stall(); });
  Live live(config_of(server), threads, telling(events));
  RawClient client(live.port());
  client.send(plain_request());
  REQUIRE(server.wait_for([&] { return server.request_count() == 1; }));
  REQUIRE(live.server().drain(Milliseconds{20}));
  const std::string event = only_event(live, events);
  CHECK(ending(event) == "\"failed\"");
  CHECK(at(event, {"error", "code"}) == "\"shutting_down\"");
}

// TELE-01
TEST_CASE("a stream's event tells its deltas, the pauses between them and the time to the first") {
  const auto threads = GENERATE(1u, 4u);
  Events events;
  FaultServer server;
  server.on_request([](const RawRequest&) {
    return open_stream().chunk(kRole + text_event("a")).then_wait("go").chunk(text_event("b") + kStop + kDone).end_chunks();
  });
  Live live(config_of(server), threads, telling(events));
  RawClient client(live.port());
  client.send(stream_request());
  (void)client.until("\"content\":\"a\"");
  server.open("go");
  CHECK(client.answer().complete);
  const std::string event = only_event(live, events);
  CHECK(at(event, {"streamed"}) == "true");
  CHECK(at(event, {"deltas"}) == "2");
  const double pause = std::stod(at(event, {"inter_delta_p50_ms"}));
  CHECK(pause >= 0);  // one turn of the loop may have read both; telemetry_times_test.cpp measures in virtual time
  CHECK(at(event, {"inter_delta_p99_ms"}) == at(event, {"inter_delta_p50_ms"}));
  CHECK(std::stod(at(event, {"first_delta_ms"})) > 0);
  CHECK(std::stod(at(event, {"first_delta_ms"})) + pause <= static_cast<double>(number_at(event, {"times", "total_us"})) / 1000 + 0.01);
}
