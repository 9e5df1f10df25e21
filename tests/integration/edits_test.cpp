// What a route changes in heads and bodies, and how large a body may be.

#include <catch2/catch.hpp>

#include "integration/rig.hpp"

using namespace sluice;
using namespace sluice::test;

TEST_CASE("header fields are removed, set and added, both ways") {
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  a->on_request([](const RawRequest&) { return json_reply(chat_answer("a"), 200, "OpenAI-Processing-Ms: 12\r\nX-RateLimit-Limit: 5\r\nX-Internal: 1\r\n"); });
  Live live(document(a.entry(), route_to("a", R"(,"forward_headers":["x-*"],"request_headers":{"remove":["X-Debug"],"set":{"X-Team":"a","OpenAI-Beta":"v2"},"add":{"X-Many":"two"}},)"
                                              R"("response_headers":{"remove":["openai-processing-ms"],"set":{"X-RateLimit-Limit":"9"},"add":{"X-Gateway":"edge"}})")),
            threads);
  const WireAnswer answer = ask(live, post("/v1/chat/completions", chat_body("m"), "X-Debug: 1\r\nX-Team: client\r\nX-Many: one\r\nOpenAI-Beta: v1\r\n"));
  const RawRequest seen = a->requests().at(0);
  CHECK_FALSE(seen.header("x-debug"));
  CHECK(seen.header("x-team") == "a");
  CHECK(seen.head.find("client") == std::string::npos);
  CHECK(seen.header("openai-beta") == "v2");
  CHECK(seen.head.find("v1\r\n") == std::string::npos);
  CHECK(seen.head.find("one\r\n") != std::string::npos);
  CHECK(seen.head.find("two\r\n") != std::string::npos);
  CHECK_FALSE(answer.field("openai-processing-ms"));
  CHECK(answer.field("x-ratelimit-limit") == "9");
  CHECK(answer.field("x-gateway") == "edge");
  CHECK_FALSE(answer.field("x-internal"));
}

TEST_CASE("a body whose declared length is too large is refused before it is asked for") {  // LIMIT-20
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  Live live(document(a.entry(), route_to("a"), R"(,"gateway":{"limits":{"body_bytes":4096}})"), threads);
  {
    RawClient client(live.port());
    client.send("POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 4097\r\n\r\n");
    CHECK(client.until("\r\n\r\n").substr(0, 12) == "HTTP/1.1 413");  // no 100 before it
    const WireAnswer answer = client.answer();
    CHECK(error_code(answer.body) == "body_too_large");
    CHECK(answer.body.find("4096") != std::string::npos);
  }
  {
    RawClient client(live.port());
    client.send("POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9000000000000000\r\n\r\n");
    CHECK(client.answer().status == 413);
    CHECK(client.closed());
  }
  // One that fits is asked for.
  RawClient client(live.port());
  const std::string body = chat_body("m");
  client.send("POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n");
  CHECK(client.until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  client.send(body);
  CHECK(client.answer().status == 200);
  CHECK(a->request_count() == 1);
}

TEST_CASE("where a length is required, a body without one is refused before it is read") {  // LIMIT-20
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  Live live(document(a.entry(), route_to("a"), R"(,"gateway":{"limits":{"require_length":true}})"), threads);
  const std::string head = "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
  {
    RawClient client(live.port());
    client.send(head + "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n");
    CHECK(client.until("\r\n\r\n").substr(0, 12) == "HTTP/1.1 411");  // no 100 before it
    const WireAnswer answer = client.answer();
    CHECK(error_code(answer.body) == "length_required");
    CHECK(live.outcomes().wait(1)[0].bytes_in == 0);
  }
  RawClient client(live.port());
  const std::string body = chat_body("m");
  client.send(head + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  CHECK(client.answer().status == 200);
  client.send("GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n");  // has no body to state a length of
  CHECK(client.answer().status != 411);
}

TEST_CASE("a body of unknown length is refused as soon as it is too large") {  // LIMIT-20
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  Live live(document(a.entry(), route_to("a"), R"(,"gateway":{"limits":{"body_bytes":4096}})"), threads);
  RawClient client(live.port());
  client.send("POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
  const std::string chunk = "400\r\n" + std::string(1024, ' ') + "\r\n";
  for (int i = 0; i < 5; ++i) (void)client.try_send(chunk);  // the fifth is over it; the body never ends
  const WireAnswer answer = client.answer();
  CHECK(answer.status == 413);
  CHECK(answer.field("connection") == "close");
  const Outcome outcome = live.outcomes().wait(1)[0];
  CHECK(outcome.bytes_in <= 5 * 1024);  // the bytes that tipped it are counted, and nothing after them
  CHECK(outcome.ending == Ending::kRefused);
  CHECK(live.gateway().statistics().body_bytes_held == 0);
  // At the limit exactly it is served.
  std::string whole = chat_body("m");
  whole += std::string(4096 - whole.size(), ' ');
  CHECK(ask(live, post("/v1/chat/completions", whole)).status == 200);
  CHECK(ask(live, post("/v1/chat/completions", whole + " ")).status == 413);
}

TEST_CASE("all bodies together stay within the gateway's budget, and what is over it is told to come again") {
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  Live live(document(a.entry(), route_to("a"), R"(,"gateway":{"limits":{"body_bytes":65536,"body_budget_bytes":100000}})"), threads);
  const std::string head = "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: ";
  RawClient first(live.port());
  first.send(head + "65536\r\n\r\n");
  CHECK(first.until("\r\n\r\n").find("100 Continue") != std::string::npos);
  RawClient second(live.port());
  second.send(head + "65536\r\n\r\n");
  const WireAnswer shed = second.answer();
  CHECK(shed.status == 503);
  CHECK(shed.field("retry-after") == "1");
  first.close();
  CHECK(eventually([&] { return live.gateway().statistics().body_bytes_held == 0; }));
  CHECK(ask(live, post("/v1/chat/completions", chat_body("m"))).status == 200);
}

TEST_CASE("a content type that is no JSON is refused where JSON is read") {
  Backend a("a");
  Live live(document(a.entry(), route_to("a")));
  const std::string body = chat_body("m");
  const auto typed = [&](const std::string& type) {
    return ask(live, "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: " + type + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body).status;
  };
  CHECK(typed("application/json; charset=utf-8") == 200);
  CHECK(typed("application/problem+json") == 200);
  for (const char* type : {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonx"}) CHECK(typed(type) == 415);
}
