// What follows a failed attempt, on the wire: how often upstreams are asked, what the caller is told, and what the ledger
// says of it.

#include <catch2/catch.hpp>

#include "integration/rig.hpp"
#include "integration/stream_support.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

/// A route to the upstreams called `names`, in that order, with more members (beginning with a comma).
std::string routed(const std::string& upstreams, const std::vector<std::string>& names, const std::string& more = {}) {
  std::string targets;
  for (const std::string& name : names) targets += (targets.empty() ? "" : ",") + std::string(R"({"name":")") + name + "\"}";
  return document(upstreams, R"({"name":"r","upstreams":[)" + targets + "]" + more + "}");
}

/// Three attempts without pauses, so that what is counted does not wait.
const std::string kThree = R"(,"retry":{"attempts":3,"backoff_ms":0})";

const std::string kProviderError = R"({"error":{"message":"the model is on fire","type":"server_error","param":null,"code":"on_fire"}})";

FaultServer::Handler answers(int status, const std::string& body = kProviderError, const std::string& fields = {}) {
  return [=](const RawRequest&) { return json_reply(body, status, fields); };
}

}  // namespace

// BAL-19, BAL-40
TEST_CASE("an upstream that always fails is asked exactly as often as configured, and its last error is relayed") {
  const auto threads = GENERATE(1u, 4u);
  const auto attempts = GENERATE(1, 3, 5);
  Backend a("a");
  a->on_request(answers(500, kProviderError, "x-request-id: req-of-a\r\n"));
  Live live(routed(a.entry(), {"a"}, R"(,"retry":{"attempts":)" + std::to_string(attempts) + R"(,"backoff_ms":0,"per_upstream":1})"), threads);
  const WireAnswer answer = ask(live, plain_request());
  CHECK(answer.status == 500);
  CHECK(answer.body.find("the model is on fire") != std::string::npos);
  CHECK(answer.field("x-request-id") == "req-of-a");
  CHECK(a->request_count() == static_cast<std::size_t>(attempts));
  const Outcome outcome = live.outcomes().wait(1)[0];
  CHECK(outcome.attempts.size() == static_cast<std::size_t>(attempts));
  for (const Attempt& attempt : outcome.attempts) CHECK(attempt.reason.substr(0, 10) == "status 500");
}

// BAL-24, BAL-40
TEST_CASE("three upstreams that always answer 429 are asked as often as one exchange may cost, not that often each") {
  const auto threads = GENERATE(1u, 4u);
  const auto attempts = GENERATE(2u, 3u, 4u, 7u);
  Backend a("a"), b("b"), c("c");
  for (Backend* one : {&a, &b, &c}) (*one)->on_request(answers(429));
  Live live(routed(a.entry() + "," + b.entry() + "," + c.entry(), {"a", "b", "c"},
                   R"(,"retry":{"attempts":)" + std::to_string(attempts) + R"(,"backoff_ms":0})"),
            threads);
  CHECK(ask(live, plain_request()).status == 429);
  CHECK(a->request_count() + b->request_count() + c->request_count() == attempts);
}

// BAL-15
TEST_CASE("what is the caller's own mistake is relayed and not tried again") {
  const auto threads = GENERATE(1u, 4u);
  const auto status = GENERATE(400, 404, 413, 422, 451);
  Backend a("a"), b("b");
  a->on_request(answers(status));
  Live live(routed(a.entry() + "," + b.entry(), {"a", "b"}, kThree), threads);
  const WireAnswer answer = ask(live, plain_request());
  CHECK(answer.status == status);
  CHECK(answer.body == kProviderError);
  CHECK_FALSE(answer.field("x-should-retry"));
  CHECK(a->request_count() == 1);
  CHECK(b->request_count() == 0);
}

// BAL-20, BAL-31
TEST_CASE("whatever goes wrong before the answer began, this request succeeds at the next upstream") {
  const auto threads = GENERATE(1u, 4u);
  const auto stream = GENERATE(false, true);
  struct Wrong {
    const char* what;
    Reply reply;
  };
  const Reply good_head = Reply::raw("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n{\"id\":");
  auto wrong = GENERATE_COPY(values<Wrong>({
      {"408", json_reply(kProviderError, 408)},
      {"429", json_reply(kProviderError, 429)},
      {"500", json_reply(kProviderError, 500)},
      {"502 in HTML", Reply::status(502, "<html>bad gateway</html>", "Content-Type: text/html\r\n")},
      {"503 without a body", Reply::status(503)},
      {"529", json_reply(kProviderError, 529)},
      {"a reset", Reply::nothing().then_reset()},
      {"a hang-up", Reply::nothing().then_close()},
      {"no HTTP", Reply::raw("garbage\r\n\r\n").then_close()},
      {"half an answer", Reply(good_head).then_close()},
      {"an answer that is no JSON", Reply::ok("<html>hello</html>", "Content-Type: application/json\r\n")},
      {"an error in a 200", json_reply(kProviderError, 200)},
      {"a head that never comes", Reply::nothing().then_stall()},
      {"a body that stops", Reply(good_head).then_stall()},
  }));
  INFO(wrong.what << (stream ? ", asked for as a stream" : ""));
  Backend a("a"), b("b");
  a->on_request([&](const RawRequest&) { return wrong.reply; });
  if (stream) b->on_request([](const RawRequest&) { return whole_stream(kRole + text_event("b") + kStop + kDone); });
  const std::string timeouts = R"(,"timeouts":{"headers_ms":100,"idle_ms":100})";
  Live live(routed(a.entry(timeouts) + "," + b.entry(), {"a", "b"}, kThree), threads);
  const WireAnswer answer = ask(live, stream ? stream_request() : plain_request());
  CHECK(answer.status == 200);
  CHECK(answer.complete);
  CHECK(answer.body == (stream ? kRole + text_event("b") + kStop + kDone : chat_answer("b")));
  CHECK(a->request_count() == 1);
  CHECK(b->request_count() == 1);
  const Outcome outcome = live.outcomes().wait(1)[0];
  CHECK(outcome.ending == Ending::kCompleted);
  REQUIRE(outcome.attempts.size() == 2);
  CHECK(outcome.attempts[0].upstream == "a");
  CHECK(outcome.attempts[0].code != Code::kOk);
  CHECK(outcome.attempts[1].code == Code::kOk);
}

// BAL-20, BAL-31
TEST_CASE("an upstream that cannot be reached is passed on from: refused, without an address, without TLS") {
  const auto threads = GENERATE(1u, 4u);
  std::uint16_t closed = 0;
  {
    FaultServer gone;
    closed = gone.port();
  }
  FaultServer plain;  // speaks no TLS
  const auto which = GENERATE(0, 1, 2);
  const std::string url = which == 0   ? "http://127.0.0.1:" + std::to_string(closed) + "/v1"
                          : which == 1 ? "http://nobody.invalid/v1"
                                       : "https://" + plain.authority() + "/v1";
  INFO(url);
  Backend b("b");
  Live live(routed(R"({"name":"a","url":")" + url + R"(","timeouts":{"connect_ms":3000}},)" + b.entry(), {"a", "b"}, kThree), threads);
  const WireAnswer answer = ask(live, plain_request());
  CHECK(answer.status == 200);
  CHECK(served_by(answer) == "b");
}

// BAL-21
TEST_CASE("an answer that talks about limits and trying again is an answer") {
  const auto threads = GENERATE(1u, 4u);
  const std::string body = R"({"id":"c1","object":"chat.completion","model":"m-1","choices":[{"index":0,"message":{"role":"assistant",)"
                           R"("content":"The error rate limit exceeded; try again in 5s. overloaded_error 429"},"finish_reason":"stop"}]})";
  Backend a("a"), b("b");
  a->on_request(answers(200, body, "retry-after: 30\r\n"));
  Live live(routed(a.entry() + "," + b.entry(), {"a", "b"}, kThree), threads);
  CHECK(ask(live, plain_request()).body == body);
  const std::string said = kRole + text_event("event: error rate limit, try again") + kStop + kDone;
  a->on_request([&](const RawRequest&) { return whole_stream(said); });
  CHECK(ask(live, stream_request()).body == said);
  CHECK(a->request_count() == 2);
  CHECK(b->request_count() == 0);
}

// BAL-25
TEST_CASE("when everything fails, a route adds no more requests than its budget, and the rest relay their first failure") {
  const auto threads = GENERATE(1u, 4u);
  constexpr std::size_t kExchanges = 300;
  Backend a("a");
  a->on_request(answers(500));
  Live live(routed(a.entry(), {"a"}, R"(,"retry":{"attempts":4,"backoff_ms":0,"budget_percent":10})"), threads);
  std::vector<RawClient> clients;
  for (int i = 0; i < 20; ++i) clients.emplace_back(live.port());
  for (std::size_t done = 0; done < kExchanges; done += clients.size()) {
    for (auto& client : clients) client.send(plain_request());
    for (auto& client : clients) CHECK(client.answer().status == 500);
  }
  const std::size_t retries = a->request_count() - kExchanges;
  CHECK(retries <= kExchanges / 10);
  CHECK(retries >= 10);
  std::size_t once = 0;
  for (const Outcome& outcome : live.outcomes().wait(kExchanges)) once += outcome.attempts.size() == 1;
  CHECK(once > kExchanges / 2);
}

// BAL-28, SEC-22
TEST_CASE("the next upstream gets the same request made for it: its model, its path, its key and nobody else's") {
  const auto threads = GENERATE(1u, 4u);
  Backend a("a"), b("b");
  a->on_request(answers(503));
  ::setenv("SLUICE_TEST_KEY_A", "sk-key-of-a-0001", 1);
  ::setenv("SLUICE_TEST_KEY_B", "sk-key-of-b-0002", 1);
  const auto keyed = [](Backend& one, const char* variable) { return one.entry(R"(,"allow_plaintext_credential":true,"credential":{"env":")" + std::string(variable) + "\"}"); };
  const std::string targets = R"("upstreams":[{"name":"a","model":"model-a"},{"name":"b","model":"model-b"}])";
  Live live(document(keyed(a, "SLUICE_TEST_KEY_A") + "," + keyed(b, "SLUICE_TEST_KEY_B"), R"({"name":"r",)" + targets + kThree + "}"), threads);
  const std::string body = R"({ "model" : "asked", "messages":[], "temperature":1.0, "stream":false })";
  CHECK(ask(live, post("/v1/chat/completions", body)).status == 200);
  REQUIRE(a->request_count() == 1);
  REQUIRE(b->request_count() == 1);
  const RawRequest to_a = a->requests()[0], to_b = b->requests()[0];
  CHECK(to_a.body == R"({ "model" : "model-a", "messages":[], "temperature":1.0, "stream":false })");
  CHECK(to_b.body == R"({ "model" : "model-b", "messages":[], "temperature":1.0, "stream":false })");
  CHECK(to_a.header("authorization") == "Bearer sk-key-of-a-0001");
  CHECK(to_b.header("authorization") == "Bearer sk-key-of-b-0002");
  CHECK((to_b.head + to_b.body).find("key-of-a") == std::string::npos);
}

// BAL-29
TEST_CASE("another upstream is tried for the failures that are listed, and for no other") {
  const auto threads = GENERATE(1u, 4u);
  struct Trigger {
    const char* on;
    int status;
    bool passed_on;
  };
  const auto trigger = GENERATE(values<Trigger>({{R"("http_5xx")", 429, false},
                                                 {R"("http_429")", 429, true},
                                                 {R"("timeout")", 408, true},
                                                 {R"("http_5xx")", 408, false},
                                                 {R"("http_5xx")", 503, true},
                                                 {"", 503, false},
                                                 {R"("connection","timeout","broken_answer")", 503, false}}));
  INFO(trigger.on << " and " << trigger.status);
  Backend a("a"), b("b");
  a->on_request(answers(trigger.status));
  Live live(routed(a.entry() + "," + b.entry(), {"a", "b"},
                   R"(,"retry":{"attempts":3,"on":[]},"failover":{"on":[)" + std::string(trigger.on) + "]}"),
            threads);
  CHECK(ask(live, plain_request()).status == (trigger.passed_on ? 200 : trigger.status));
  CHECK(a->request_count() == 1);
  CHECK(b->request_count() == (trigger.passed_on ? 1 : 0));
}

// BAL-30
TEST_CASE("every upstream and model is tried before one is tried twice, and the last error is the caller's") {
  const auto threads = GENERATE(1u, 4u);
  Backend a("a"), b("b");
  a->on_request([](const RawRequest& request) {
    const bool large = request.body.find("large") != std::string::npos;
    return json_reply(large ? R"({"error":{"message":"large is busy"}})" : R"({"error":{"message":"small is busy"}})", 503);
  });
  b->on_request(answers(502, R"({"error":{"message":"b is broken"}})"));
  Live live(document(a.entry() + "," + b.entry(),
                     R"({"name":"r","upstreams":[{"name":"a","model":"large"},{"name":"a","model":"small"},{"name":"b"}])" + kThree + "}"),
            threads);
  const WireAnswer answer = ask(live, plain_request());
  CHECK(answer.status == 502);
  CHECK(answer.body.find("b is broken") != std::string::npos);
  const Outcome outcome = live.outcomes().wait(1)[0];
  REQUIRE(outcome.attempts.size() == 3);
  CHECK(outcome.attempts[0].model == "large");
  CHECK(outcome.attempts[1].model == "small");
  CHECK(outcome.attempts[2].upstream == "b");
}

// ROUTE-16
TEST_CASE("who names a provider stays there: retries go to it alone, and its error is relayed") {
  const auto threads = GENERATE(1u, 4u);
  Backend a("a"), b("b");
  a->on_request(answers(503));
  Live live(routed(a.entry() + "," + b.entry(), {"b", "a"}, kThree), threads);
  const WireAnswer answer = ask(live, plain_request("@a/gpt-4o-mini"));
  CHECK(answer.status == 503);
  CHECK(answer.body == kProviderError);
  CHECK(a->request_count() == 3);
  CHECK(b->request_count() == 0);
}

// ROUTE-21
TEST_CASE("where the first provider is down the chain answers, across providers") {
  const auto threads = GENERATE(1u, 4u);
  Backend b("b");
  std::uint16_t closed = 0;
  {
    FaultServer gone;
    closed = gone.port();
  }
  Live live(routed(R"({"name":"a","provider":"openai-compatible","url":"http://127.0.0.1:)" + std::to_string(closed) + R"(/v1"},)" +
                       b.entry(R"(,"provider":"vllm")"),
                   {"a", "b"}, kThree),
            threads);
  for (int i = 0; i < 3; ++i) CHECK(served_by(ask(live, plain_request())) == "b");
}

// BAL-37
TEST_CASE("the ledger says of every attempt where it went, why there, what came of it and what it cost") {
  const auto threads = GENERATE(1u, 4u);
  Backend a("a"), b("b");
  a->on_request(answers(503));
  Live live(routed(a.entry(R"(,"caps":{"in_flight":1,"queue":0})") + "," + b.entry(), {"a", "b"}, kThree), threads);
  CHECK(ask(live, plain_request()).status == 200);
  const Outcome outcome = live.outcomes().wait(1)[0];
  REQUIRE(outcome.attempts.size() == 2);
  const Attempt &first = outcome.attempts[0], &second = outcome.attempts[1];
  CHECK(first.upstream == "a");
  CHECK(first.chosen_because.find("first") != std::string::npos);
  CHECK(first.status == 503);
  CHECK(first.code == Code::kUpstreamStatus);
  CHECK(first.bytes_sent > 0);
  CHECK(first.bytes_received > 0);
  CHECK(first.total > Duration::zero());
  CHECK_FALSE(first.skipped);
  CHECK(second.upstream == "b");
  CHECK(second.started >= first.started + first.total);
  CHECK(second.usage.input_tokens == 3u);
  CHECK(second.usage.output_tokens == 1u);
  CHECK_FALSE(first.usage.input_tokens);
  CHECK(outcome.upstream_time == first.total + second.total);

  // An upstream without room is passed over, and the ledger says so.
  a->on_request([](const RawRequest&) { return open_stream().chunk(kRole + text_event("x")).then_wait("go").chunk(kStop + kDone).end_chunks(); });
  RawClient holder(live.port());
  holder.send(stream_request());
  REQUIRE(holder.until("\"x\"").find("\"x\"") != std::string::npos);
  CHECK(served_by(ask(live, plain_request())) == "b");
  const Outcome passed = live.outcomes().wait(2)[1];
  REQUIRE(passed.attempts.size() == 2);
  CHECK(passed.attempts[0].skipped);
  CHECK(passed.attempts[0].upstream == "a");
  CHECK(passed.attempts[0].code == Code::kQueueFull);
  CHECK(passed.attempts[0].sends == 0);
  CHECK(passed.attempts[1].upstream == "b");
  a->open("go");
  CHECK(holder.answer().complete);
}

// BAL-38
TEST_CASE("an error after the gateway's own attempts tells the caller's library not to try again") {
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  SECTION("a provider's error") {
    a->on_request(answers(503, kProviderError, "x-should-retry: true\r\n"));
    Live live(routed(a.entry(), {"a"}, kThree), threads);
    const WireAnswer answer = ask(live, plain_request());
    CHECK(answer.status == 503);
    CHECK(answer.field("x-should-retry") == "false");
  }
  SECTION("an error of the gateway's own") {
    a->on_request([](const RawRequest&) { return Reply::nothing().then_reset(); });
    Live live(routed(a.entry(), {"a"}, kThree), threads);
    const WireAnswer answer = ask(live, plain_request());
    CHECK(answer.status == 502);
    CHECK(answer.field("x-should-retry") == "false");
    CHECK(a->request_count() == 3);
  }
  SECTION("without attempts of its own it says nothing") {
    a->on_request(answers(503));
    Live live(routed(a.entry(), {"a"}, R"(,"retry":{"attempts":1})"), threads);
    CHECK_FALSE(ask(live, plain_request()).field("x-should-retry"));
  }
}

// BAL-39
TEST_CASE("a request the library below sends twice counts twice, and never goes twice where it must not") {
  const auto threads = GENERATE(1u, 4u);
  const auto repeatable = GENERATE(true, false);
  Backend a("a");
  // Every second request on a connection dies unanswered.
  a->on_request([](const RawRequest& request) { return request.on_connection == 1 ? json_reply(chat_answer("a")) : Reply::nothing().then_close(); });
  Live live(routed(a.entry(repeatable ? "" : R"(,"repeatable":false)"), {"a"}, kThree), threads);
  RawClient client(live.port());
  for (int i = 0; i < 2; ++i) {
    client.send(plain_request());
    CHECK(client.answer().status == 200);
  }
  const auto outcomes = live.outcomes().wait(2);
  REQUIRE(outcomes[1].attempts.size() == 1);
  std::uint32_t sends = 0;
  for (const Attempt& attempt : outcomes[1].attempts) sends += attempt.sends;
  CHECK(a->request_count() == 1 + sends);
  CHECK(outcomes[1].attempts[0].sends == (repeatable ? 2 : 1));
  CHECK(live.gateway().statistics().replayed_sends == (repeatable ? 1u : 0u));
}

TEST_CASE("a request that may have been carried out is not sent again where the upstream is not repeatable") {
  const auto threads = GENERATE(1u, 4u);
  Backend a("a"), b("b");
  a->on_request([](const RawRequest&) { return Reply::nothing().then_reset(); });
  Live live(routed(a.entry(R"(,"repeatable":false)") + "," + b.entry(), {"a", "b"}, kThree), threads);
  CHECK(ask(live, plain_request()).status == 502);
  CHECK(a->request_count() == 1);
  CHECK(b->request_count() == 0);
}
