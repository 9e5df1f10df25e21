// Networks that the host brings: requests come to it as they would go on the wire, and what it answers, or does not, is treated as
// a network's answers and failures are.

#include <thread>

#include "host_rig.hpp"

using namespace capi_test;

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

}  // namespace

TEST_CASE("a request comes to the host as it would go on the wire, and its answer goes to the caller") {
  const auto threads = GENERATE(0u, 1u, 4u);
  Host host([](Host& self, const Asked& asked) { self.whole(asked.transfer); });
  Hosted hosted(host, threads, false);
  const auto events = hosted.run(chat(), threads == 0);
  REQUIRE(events.size() == 3);
  CHECK(events[0].event.status == 200);
  CHECK(body_of(events) == kHostedAnswer);
  CHECK(events[2].event.code == SLUICE_OK);
  const auto asked = host.asked();
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].transfer != 0);
  CHECK(asked[0].upstream == "a");
  CHECK(asked[0].origin == "http://a.example");
  CHECK(asked[0].method == "POST");
  CHECK(asked[0].target == "/v1/chat/completions");
  CHECK(has(asked[0].headers, "application/json"));
  CHECK(asked[0].body == kWhole);
  CHECK(asked[0].has_body);
  CHECK_FALSE(asked[0].stream);
  CHECK(host.cancelled().empty());
}

TEST_CASE("a body that the gateway has changed comes to the host in one piece, and one that is not there as none") {
  Host host([](Host& self, const Asked& asked) { self.whole(asked.transfer); });
  Hosted hosted(host, 0, false, R"({"version": 1, "upstreams": [{"name": "a", "url": "http://a.example"}],
    "routes": [{"name": "chat", "match": {"path": "/chat/completions"}, "upstreams": [{"name": "a"}]},
               {"name": "files", "match": {"path": "/files"}, "operation": "opaque", "upstreams": [{"name": "a"}]}]})");
  sluice_request_t streamed = chat(kStream);
  streamed.target = "/chat/completions";
  CHECK(hosted.run(streamed, true).back().event.kind == SLUICE_EVENT_END);
  sluice_request_t file = chat(nullptr);
  file.body_size = 0;
  file.target = "/files?limit=1";
  CHECK(hosted.run(file, true).back().event.kind == SLUICE_EVENT_END);
  const auto asked = host.asked();
  REQUIRE(asked.size() == 2);
  CHECK(has(asked[0].body, R"("messages":[{"role":"user","content":"hello"}])"));
  CHECK(has(asked[0].body, "include_usage"));
  CHECK(asked[0].stream);
  CHECK(asked[1].method == "GET");
  CHECK(asked[1].target == "/files?limit=1");
  CHECK_FALSE(asked[1].has_body);
}

TEST_CASE("a stream is the same however its bytes come, one by one from another thread or all inside start") {
  const auto threads = GENERATE(0u, 1u, 4u);
  const bool inside = GENERATE(false, true);
  const std::size_t piece = GENERATE(std::size_t{1}, std::size_t{7}, std::size_t{4096});
  const auto stream = [piece](Host& self, sluice_transfer_t transfer) {
    self.head(transfer, 200, "text/event-stream");
    for (std::size_t at = 0; at < kEvents.size(); at += piece) self.bytes(transfer, kEvents.substr(at, piece));
    self.end(transfer);
  };
  std::thread other;
  Host host([&](Host& self, const Asked& asked) {
    if (inside) return stream(self, asked.transfer);
    other = std::thread([&self, &stream, transfer = asked.transfer] { stream(self, transfer); });
  });
  Hosted hosted(host, threads, false);
  sluice_request_t request = chat(kStream);
  request.answer = SLUICE_ANSWER_DELTAS;
  submit(hosted.gateway, hosted.queue.queue, request);
  std::vector<Seen> events;
  while (ends(events) == 0) {
    if (threads == 0) good([&](auto err) { return sluice_gateway_drive(hosted.gateway, 1000, nullptr, err); });
    for (Seen& seen : hosted.queue.poll(threads == 0 ? 0 : 20'000)) events.push_back(std::move(seen));
  }
  if (other.joinable()) other.join();
  CHECK(text_of(events) == "Gr\xC3\xBC\xC3\x9F Gott");
  CHECK(events.back().event.status == 200);
}

// ABI-14
TEST_CASE("a failure of the host's network is a failure of a network: another upstream takes over, and the ledger says why") {
  struct Row {
    sluice_code_t code;
    const char* told;
  };
  const auto row = GENERATE(Row{SLUICE_CODE_UPSTREAM_RESOLVE_FAILED, "a upstream_resolve_failed 0; b ok 1; "},
                            Row{SLUICE_CODE_UPSTREAM_CONNECT_FAILED, "a upstream_connect_failed 0; b ok 1; "},
                            Row{SLUICE_CODE_UPSTREAM_TLS_FAILED, "a upstream_tls_failed 0; b ok 1; "},
                            Row{SLUICE_CODE_CONNECT_TIMEOUT, "a connect_timeout 0; b ok 1; "},
                            Row{SLUICE_CODE_UPSTREAM_RESET, "a upstream_reset 1; b ok 1; "},
                            Row{SLUICE_CODE_UPSTREAM_PROTOCOL_ERROR, "a upstream_protocol_error 1; b ok 1; "},
                            Row{SLUICE_CODE_HEADERS_TIMEOUT, "a headers_timeout 1; b ok 1; "},
                            Row{SLUICE_CODE_ADDRESS_REFUSED, "a address_refused 0; "});
  Host host([&](Host& self, const Asked& asked) {
    if (asked.upstream == "b") return self.whole(asked.transfer);
    self.fail(asked.transfer, row.code, "the cable is cut");
  });
  Hosted hosted(host);
  const sluice_call_t call = submit(hosted.gateway, hosted.queue.queue, chat());
  hosted.now();
  const sluice_event_t end = last_of(hosted.queue.queue);
  REQUIRE(end.kind == SLUICE_EVENT_END);
  CHECK(end.code == (row.code == SLUICE_CODE_ADDRESS_REFUSED ? row.code : SLUICE_OK));
  CHECK(ledger(hosted.queue.queue, call) == row.told);
  CHECK(host.cancelled().empty());
  if (host.asked().size() == 2) CHECK(host.asked()[1].origin == "https://b.example:8443");
}

TEST_CASE("an upstream that may be sent a request once only is not asked again after a failure that may have come later") {
  const sluice_code_t code = GENERATE(SLUICE_CODE_UPSTREAM_CONNECT_FAILED + 0, SLUICE_CODE_UPSTREAM_RESET + 0);
  const bool said = GENERATE(false, true);
  Host host([&](Host& self, const Asked& asked) {
    if (asked.upstream == "b") return self.whole(asked.transfer);
    if (said) self.connected(asked.transfer);
    self.fail(asked.transfer, code);
  });
  Hosted hosted(host, 0, true, R"({"version": 1,
    "upstreams": [{"name": "a", "url": "http://a.example/v1", "repeatable": false}, {"name": "b", "url": "http://b.example/v1"}],
    "routes": [{"name": "chat", "upstreams": [{"name": "a"}, {"name": "b", "tier": 1}]}]})");
  submit(hosted.gateway, hosted.queue.queue, chat());
  hosted.now();
  const bool sent = said || code == SLUICE_CODE_UPSTREAM_RESET;
  CHECK(last_of(hosted.queue.queue).code == (sent ? code : SLUICE_OK));
  CHECK(host.asked().size() == (sent ? 1 : 2));
}

TEST_CASE("a host that says nothing runs into the time-outs of its upstream, each in its turn, and hears that nobody waits") {
  Host host([](Host& self, const Asked& asked) {
    if (asked.upstream == "b") self.connected(asked.transfer);
  });
  Hosted hosted(host, 0, true, R"({"version": 1,
    "upstreams": [{"name": "a", "url": "http://a.example/v1", "timeouts": {"connect_ms": 2000}},
                  {"name": "b", "url": "http://b.example/v1", "timeouts": {"connect_ms": 1000, "headers_ms": 9000}}],
    "routes": [{"name": "chat", "upstreams": [{"name": "a"}, {"name": "b", "tier": 1}], "retry": {"attempts": 2}}]})");
  const sluice_call_t call = submit(hosted.gateway, hosted.queue.queue, chat());
  hosted.advance(2 * kSecond - 1);
  CHECK(host.asked().size() == 1);
  hosted.advance(1);
  REQUIRE(host.asked().size() == 2);
  CHECK(host.cancelled() == std::vector{host.asked()[0].transfer});
  hosted.advance(9 * kSecond - 1);
  CHECK(last_of(hosted.queue.queue).kind == 0);
  hosted.advance(1);
  CHECK(last_of(hosted.queue.queue).code == SLUICE_CODE_HEADERS_TIMEOUT);
  CHECK(ledger(hosted.queue.queue, call) == "a connect_timeout 0; b headers_timeout 0; ");
  CHECK(host.cancelled().size() == 2);
}

TEST_CASE("what no server may say ends a transfer as it would on the wire, and the host hears of it") {
  struct Row {
    const char* what;
    Host::Answer answer;
    sluice_code_t code;
    bool told;  // the host, that nobody waits
  };
  const std::vector<Row> rows = {
      {"two lengths", [](Host& self, const Asked& asked) {
         self.head(asked.transfer, 200, "application/json", {{"Content-Length", 14, "5", 1}, {"Content-Length", 14, "6", 1}});
       }, SLUICE_CODE_UPSTREAM_PROTOCOL_ERROR, true},
      {"too long a head", [](Host& self, const Asked& asked) {
         const std::string long_one(70'000, 'x');
         self.head(asked.transfer, 200, "application/json", {{"X-Long", 6, long_one.data(), long_one.size()}});
       }, SLUICE_CODE_UPSTREAM_HEAD_TOO_LARGE, true},
      {"fewer bytes than announced", [](Host& self, const Asked& asked) {
         self.head(asked.transfer, 200, "application/json", {{"Content-Length", 14, "5", 1}});
         self.bytes(asked.transfer, "{\"id");
         self.end(asked.transfer);
       }, SLUICE_CODE_UPSTREAM_TRUNCATED, false},
      {"more bytes than announced", [](Host& self, const Asked& asked) {
         self.head(asked.transfer, 200, "application/json", {{"Content-Length", 14, "5", 1}});
         self.bytes(asked.transfer, "123456");
       }, SLUICE_CODE_UPSTREAM_PROTOCOL_ERROR, true},
      {"a longer answer than is allowed", [](Host& self, const Asked& asked) {
         self.head(asked.transfer, 200, "application/json");
         self.bytes(asked.transfer, std::string(2000, ' '));
       }, SLUICE_CODE_UPSTREAM_ANSWER_TOO_LARGE, true},
      {"a redirect", [](Host& self, const Asked& asked) {
         self.head(asked.transfer, 302, "text/html", {{"Location", 8, "http://c.example/", 17}});
       }, SLUICE_CODE_UPSTREAM_REDIRECT, true},
  };
  for (const Row& row : rows) {
    INFO(row.what);
    Host host(row.answer);
    Hosted hosted(host, 0, true, R"({"version": 1, "upstreams": [{"name": "a", "url": "http://a.example/v1", "max_answer_bytes": 1000}],
      "routes": [{"name": "chat", "upstreams": [{"name": "a"}], "retry": {"attempts": 1}}]})");
    submit(hosted.gateway, hosted.queue.queue, chat());
    hosted.now();
    CHECK(last_of(hosted.queue.queue).code == row.code);
    CHECK(host.cancelled().size() == (row.told ? 1 : 0));
  }
}

TEST_CASE("a cancelled call is told to the host, and what is said of its transfer afterwards does nothing") {
  const auto threads = GENERATE(0u, 1u, 4u);
  Host host;
  Hosted hosted(host, threads, threads == 0);
  const sluice_call_t call = submit(hosted.gateway, hosted.queue.queue, chat(kStream));
  while (host.asked().empty()) {
    if (threads == 0) hosted.now(); else std::this_thread::yield();
  }
  const sluice_transfer_t transfer = host.asked()[0].transfer;
  host.head(transfer, 200, "text/event-stream");
  good([&](auto err) { return sluice_call_cancel(hosted.gateway, call, err); });
  if (threads == 0) hosted.now();
  const auto events = hosted.queue.until_ended(1);
  CHECK(events.back().event.detail == SLUICE_ENDING_CANCELLED);
  while (host.cancelled().empty()) std::this_thread::yield();
  CHECK(host.cancelled() == std::vector{transfer});
  for (int twice = 0; twice < 2; ++twice) {
    host.connected(transfer);
    host.head(transfer, 200, "text/event-stream");
    CHECK_FALSE(host.bytes(transfer, kEvents));
    host.end(transfer);
    host.fail(transfer, SLUICE_CODE_UPSTREAM_RESET);
  }
  CHECK_FALSE(host.bytes(0, "x"));                      // never was one
  CHECK_FALSE(host.bytes(0xFFFFFFFFFFFFFFFFu, "x"));
  if (threads == 0) hosted.now();
  CHECK(hosted.queue.drain().empty());
  CHECK(host.cancelled().size() == 1);
  CHECK(host.resumed().empty());
  good([&](auto err) { return sluice_gateway_close(hosted.gateway, err); });
  host.end(transfer);
}

// ABI-03
TEST_CASE("a slow caller makes the host wait, credit lets it go on, and every byte arrives") {
  Host host;
  Hosted hosted(host);
  sluice_request_t request = chat(kStream);
  request.credit = 1000;
  const sluice_call_t call = submit(hosted.gateway, hosted.queue.queue, request);
  hosted.now();
  REQUIRE(host.asked().size() == 1);
  const sluice_transfer_t transfer = host.asked()[0].transfer;
  host.head(transfer, 200, "text/event-stream");
  const std::string event = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" + std::string(900, 'x') + "\"}}]}\n\n";
  std::string given, got;
  std::size_t waits = 0, most = 0;
  const auto gather = [&] {
    const std::string more = body_of(hosted.queue.drain());
    got += more;
    return more.size();
  };
  for (int i = 0; i < 400; ++i) {
    given += event;
    const bool wait = host.bytes(transfer, event);
    hosted.now();
    gather();
    most = std::max(most, given.size() - got.size());
    if (!wait) continue;
    ++waits;
    CHECK(host.resumed().size() == waits - 1);
    hosted.advance(kSecond);
    CHECK(host.resumed().size() == waits - 1);          // nobody takes it
    good([&](auto err) { return sluice_call_credit(hosted.gateway, call, 2000, err); });
    hosted.now();
    gather();
    // What was on its way is taken off the next credit: perhaps it is not enough.
    for (int more = 0; more < 10 && host.resumed().size() < waits; ++more) {
      good([&](auto err) { return sluice_call_credit(hosted.gateway, call, 2000, err); });
      hosted.now();
      gather();
    }
    REQUIRE(host.resumed().size() == waits);
  }
  CHECK(waits > 50);
  CHECK(most < 4000);
  given += "data: [DONE]\n\n";
  host.bytes(transfer, "data: [DONE]\n\n");
  host.end(transfer);
  good([&](auto err) { return sluice_call_credit(hosted.gateway, call, 1 << 20, err); });
  hosted.now();
  gather();
  CHECK(got == given);
}

TEST_CASE("a host that does not wait is held to a bound, and loses nothing of what was taken") {
  Host host;
  Hosted hosted(host);
  sluice_request_t request = chat(kStream);
  request.credit = 1;
  const sluice_call_t call = submit(hosted.gateway, hosted.queue.queue, request);
  hosted.now();
  const sluice_transfer_t transfer = host.asked().at(0).transfer;
  host.head(transfer, 200, "text/event-stream");
  const std::string before = R"(data: {"choices":[{"index":0,"delta":{"content":")", behind = "\"}}]}\n\n";
  const std::string piece = before + std::string(32 * 1024 - before.size() - behind.size(), 'x') + behind;
  std::size_t taken = 0;
  sluice_code_t code = SLUICE_OK;
  while (code == SLUICE_OK && taken < 1000) {
    code = sluice_transfer_bytes(host.transport, transfer, piece.data(), piece.size(), nullptr, nullptr);
    taken += code == SLUICE_OK ? 1 : 0;
    if (taken == 2) CHECK(host.bytes(transfer, ""));  // 64 KiB
  }
  CHECK(code == SLUICE_CODE_OVERLOADED);
  CHECK(taken == 32);                                 // 1 MiB
  CHECK(host.resumed().empty());
  for (int i = 0; i < 200 && host.resumed().empty(); ++i) {
    hosted.now();
    good([&](auto err) { return sluice_call_credit(hosted.gateway, call, 64 * 1024, err); });
  }
  CHECK(host.resumed() == std::vector{transfer});
  CHECK_FALSE(host.bytes(transfer, "data: [DONE]\n\n"));
  host.end(transfer);
  good([&](auto err) { return sluice_call_credit(hosted.gateway, call, 4u << 20, err); });
  hosted.now();
  const auto events = hosted.queue.drain();
  CHECK(ends(events) == 1);
  CHECK(body_of(events).size() >= taken * piece.size());
}

TEST_CASE("what is said in the wrong order, or makes no sense, is refused and changes nothing") {
  Host host;
  Hosted hosted(host);
  submit(hosted.gateway, hosted.queue.queue, chat());
  hosted.now();
  const sluice_transfer_t transfer = host.asked().at(0).transfer;
  constexpr auto kInvalid = SLUICE_CODE_INVALID_PARAMETER;
  sluice_transport_t* const to = host.transport;
  CHECK(bad([&](auto err) { return sluice_transfer_bytes(to, transfer, "x", 1, nullptr, err); }) == kInvalid);
  CHECK(bad([&](auto err) { return sluice_transfer_end(to, transfer, err); }) == kInvalid);
  for (const std::int32_t status : {-1, 0, 100, 199, 600}) {
    CHECK(bad([&](auto err) { return sluice_transfer_head(to, transfer, status, nullptr, 0, err); }) == kInvalid);
  }
  const sluice_header_t broken{"a", 1, "b\r\nc: d", 7};
  CHECK(bad([&](auto err) { return sluice_transfer_head(to, transfer, 200, &broken, 1, err); }) == SLUICE_CODE_INVALID_HEADER);
  CHECK(bad([&](auto err) { return sluice_transfer_head(to, transfer, 200, nullptr, 1, err); }) == kInvalid);
  for (const sluice_code_t code : {SLUICE_OK + 0, SLUICE_CODE_UNAUTHORIZED + 0, SLUICE_CODE_UPSTREAM_STATUS + 0, SLUICE_CODE_TOTAL_TIMEOUT + 0, 9999}) {
    CHECK(bad([&](auto err) { return sluice_transfer_fail(to, transfer, code, "", 0, err); }) == kInvalid);
  }
  CHECK(bad([&](auto err) { return sluice_transfer_fail(to, transfer, SLUICE_CODE_UPSTREAM_RESET, "\xff", 1, err); }) == kInvalid);
  host.head(transfer, 200, "application/json");
  CHECK(bad([&](auto err) { return sluice_transfer_head(to, transfer, 200, nullptr, 0, err); }) == kInvalid);
  CHECK(bad([&](auto err) { return sluice_transfer_bytes(to, transfer, nullptr, 1, nullptr, err); }) == kInvalid);
  host.bytes(transfer, kHostedAnswer);
  host.end(transfer);
  host.end(transfer);
  hosted.now();
  const auto events = hosted.queue.drain();
  CHECK(body_of(events) == kHostedAnswer);
  CHECK(events.back().event.code == SLUICE_OK);
}

// ABI-14
TEST_CASE("a host rehearses its own failover policy offline: twice the same, pauses included, in no time at all") {
  const auto rehearse = [](std::uint64_t seed) {
    std::string told;
    sluice_simulation_t* time = nullptr;
    Host host([&](Host& self, const Asked& asked) {
      told += asked.upstream + "@" + std::to_string(sluice_simulation_now_ns(time)) + " ";
      if (sluice_simulation_now_ns(time) < 90 * kSecond) return self.fail(asked.transfer, SLUICE_CODE_UPSTREAM_RESET);
      self.whole(asked.transfer);
    });
    Hosted hosted(host, 0, true, kHosted, seed);
    time = hosted.time;
    for (int i = 0; i < 4; ++i) {
      submit(hosted.gateway, hosted.queue.queue, chat());
      hosted.advance(40 * kSecond);
      for (const Seen& seen : hosted.queue.drain()) told += std::to_string(seen.event.kind) + std::to_string(seen.event.status) + seen.data;
    }
    CHECK(hosted.time != nullptr);
    return told;
  };
  const std::string once = rehearse(7);
  CHECK(once == rehearse(7));
  CHECK(once != rehearse(8));
  CHECK(has(once, "a@0 b@0 "));
  CHECK(has(once, "a@120000000000 "));
  CHECK(has(once, "\"hello\""));
}
