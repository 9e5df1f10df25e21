// The front door over a socket: HTTP Basic, keys that end, clients behind proxies, and pages of other origins.

#include <catch2/catch.hpp>

#include "integration/telemetry_support.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

/// `more` is a listener's own members.
std::string listening(const std::string& more, const std::string& consumers = {}) {
  return R"(,"gateway":{"listen":[{"address":"127.0.0.1:0",)" + more + "}]}" + (consumers.empty() ? "" : R"(,"consumers":[)" + consumers + "]");
}
std::string consumer(const std::string& name, const std::string& key, const std::string& more = {}) {
  return R"({"name":")" + name + R"(","keys":[{"sha256":")" + sha256(key) + "\"" + more + "}]}";
}
std::string chat(const std::string& fields, const std::string& target = "/v1/chat/completions") { return post(target, chat_body("m"), fields); }
std::string options(const std::string& fields) { return "OPTIONS /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n"; }

const std::string kOpaque = R"({"name":"r","operation":"opaque","upstreams":[{"name":"a"}]})";
const std::string kPage = "Origin: https://app.example.com\r\n";
const std::string kPages = R"("cors":{"allow_origins":["https://app.example.com","http://localhost:3000"],"expose_headers":["x-request-id"]})";

/// How often a field stands in an answer's head.
std::size_t count(const WireAnswer& answer, const std::string& name) {
  std::string head = answer.head;
  for (char& c : head) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  std::size_t n = 0;
  for (std::size_t at = head.find("\r\n" + name + ":"); at != std::string::npos; at = head.find("\r\n" + name + ":", at + 2)) ++n;
  return n;
}

bool mentions_cors(const WireAnswer& answer) { return count(answer, "vary") != 0 || answer.head.find("ccess-") != std::string::npos; }

void check_lets_the_page_read(const WireAnswer& answer, const std::string& origin = "https://app.example.com") {
  CHECK(count(answer, "access-control-allow-origin") == 1);
  CHECK(answer.field("access-control-allow-origin") == origin);
  CHECK(answer.field("access-control-expose-headers") == "x-request-id");
  CHECK(answer.field("vary") == "Origin");
  CHECK_FALSE(answer.field("access-control-allow-credentials"));
}

}  // namespace

TEST_CASE("a consumer's name and one of its keys are HTTP Basic; anything else is 401 that asks for them") {  // SEC-37
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  Live live(document(a.entry(), route_to("a"), listening(R"("anonymous":false)", consumer("app", "good-key") + "," + consumer("other", "other-key"))), threads);
  // app:good-key, as a browser and as curl send it.
  const WireAnswer right = ask(live, chat("Authorization: Basic YXBwOmdvb2Qta2V5\r\n"));
  CHECK(right.status == 200);
  CHECK(live.outcomes().wait(1).back().consumer == "app");
  CHECK_FALSE(a->requests().at(0).header("authorization"));
  CHECK(a->requests().at(0).head.find("good-key") == std::string::npos);

  for (const char* token : {
           "YXBwOmJhZC1rZXk=",      // app:bad-key
           "bm9ib2R5Omdvb2Qta2V5",  // nobody:good-key
           "b3RoZXI6Z29vZC1rZXk=",  // other:good-key
           "YXBwZ29vZC1rZXk=",      // appgood-key: no colon
           "good-key",              // no base64
           "YXBwOmdvb2Qta2V5!",
           "YXBwOg==",              // app: and no key
       }) {
    INFO(token);
    const WireAnswer answer = ask(live, chat("Authorization: Basic " + std::string(token) + "\r\n"));
    CHECK(answer.status == 401);
    CHECK(answer.field("www-authenticate") == R"(Basic realm="sluice", charset="UTF-8")");
    CHECK(error_code(answer.body) == "unauthorized");
    CHECK(answer.body.find("key-") == std::string::npos);
  }
  const WireAnswer two = ask(live, chat("Authorization: Basic YXBwOmdvb2Qta2V5\r\nX-Api-Key: other-key\r\n"));
  CHECK(two.status == 400);
  CHECK(error_code(two.body) == "ambiguous_credentials");
  CHECK(ask(live, chat("Authorization: Basic YXBwOmdvb2Qta2V5\r\nX-Api-Key: good-key\r\n")).status == 200);
  CHECK(a->request_count() == 2);
}

TEST_CASE("a key that has ended is refused with its date, and the one that takes its place is good") {
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  Live live(document(a.entry(), route_to("a"),
                     R"(,"consumers":[{"name":"app","keys":[{"sha256":")" + sha256("old-key") + R"(","expires":"2020-01-31T00:00:00Z"},{"sha256":")" + sha256("new-key") +
                         R"(","expires":"9999-12-31T00:00:00Z"}]}])"),
            threads);
  const WireAnswer old = ask(live, chat("X-Api-Key: old-key\r\n"));
  CHECK(old.status == 401);
  CHECK(old.body.find("expired") != std::string::npos);
  CHECK(old.body.find("2020-01-31T00:00:00Z") != std::string::npos);
  CHECK(old.body.find("app") == std::string::npos);
  CHECK(ask(live, chat("X-Api-Key: new-key\r\n")).status == 200);
  CHECK(live.outcomes().wait(2).back().consumer == "app");
}

TEST_CASE("fields that name a client mean nothing from a peer that is no trusted proxy") {  // LIMIT-23
  const auto threads = GENERATE(1u, 4u);
  const std::string proxies = GENERATE(R"("anonymous":false)", R"("trusted_proxies":["10.0.0.0/8","::1"])");
  Backend a("a");
  Events events;
  Live live(document(a.entry(), route_to("a"), listening(proxies)), threads, telling(events));
  std::size_t n = 0;
  for (const char* field : {"X-Real-IP", "X-Forwarded-For", "True-Client-IP", "CF-Connecting-IP", "Forwarded"}) {
    INFO(field);
    CHECK(ask(live, chat(std::string(field) + ": 203.0.113.9\r\n")).status == 200);
    const std::string line = events.wait(++n).back();
    CHECK(at(line, {"client_address"}) == R"("127.0.0.1")");
    CHECK(fits_schema(line));
  }
}

TEST_CASE("behind a trusted proxy X-Forwarded-For alone names the client, from its right end") {  // LIMIT-23
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  Events events;
  Live live(document(a.entry(), route_to("a"), listening(R"("trusted_proxies":["127.0.0.1","10.0.0.0/8"])")), threads, telling(events));
  std::size_t n = 0;
  const auto client = [&](const std::string& fields) {
    CHECK(ask(live, chat(fields)).status == 200);
    const std::string quoted = at(events.wait(++n).back(), {"client_address"});
    return quoted.substr(1, quoted.size() - 2);
  };
  CHECK(client("") == "127.0.0.1");
  CHECK(client("X-Forwarded-For: 203.0.113.9\r\n") == "203.0.113.9");
  CHECK(client("X-Forwarded-For: 1.2.3.4, 203.0.113.9, 10.0.0.2\r\n") == "203.0.113.9");
  CHECK(client("X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: [2001:DB8::9]:443\r\n") == "2001:db8::9");
  CHECK(client("X-Forwarded-For: 203.0.113.9, unknown\r\n") == "127.0.0.1");
  CHECK(client("X-Real-IP: 203.0.113.9\r\nTrue-Client-IP: 203.0.113.9\r\nCF-Connecting-IP: 203.0.113.9\r\n") == "127.0.0.1");
}

TEST_CASE("who may connect is judged on the peer, trusted proxy or not") {  // LIMIT-23, SEC-35
  Backend a("a");
  Live live(document(a.entry(), route_to("a"), listening(R"("allow_addresses":["10.0.0.0/8"],"trusted_proxies":["127.0.0.1"])")));
  RawClient client(live.port());
  (void)client.try_send(chat("X-Forwarded-For: 10.1.1.1\r\n"));
  CHECK(client.answer().status == 403);
}

TEST_CASE("a request without an origin passes untouched") {  // SEC-34
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  Live live(document(a.entry(), route_to("a"), listening(kPages)), threads);
  const WireAnswer answer = ask(live, chat(""));
  CHECK(answer.status == 200);
  CHECK_FALSE(mentions_cors(answer));
  CHECK(ask(live, get("/healthz")).status == 200);
}

TEST_CASE("a page of an origin off the list is refused in the caller's dialect, and no upstream hears of it") {  // SEC-34
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  Live live(document(a.entry(), route_to("a"), listening(kPages)), threads);
  for (const char* origin : {"https://evil.example", "https://app.example.com.evil.example", "http://app.example.com", "null"}) {
    INFO(origin);
    const WireAnswer answer = ask(live, chat("Origin: " + std::string(origin) + "\r\n"));
    CHECK(answer.status == 403);
    CHECK(answer.complete);
    CHECK(error_code(answer.body) == "origin_not_allowed");
    CHECK(count(answer, "access-control-allow-origin") == 0);
  }
  CHECK(ask(live, chat("Origin: https://evil.example\r\n", "/v1/messages")).body.find(R"({"type":"error","error":{"type":"permission_error")") == 0);
  CHECK(ask(live, options("Origin: https://evil.example\r\nAccess-Control-Request-Method: POST\r\n")).status == 403);
  CHECK(a->request_count() == 0);
  CHECK(live.gateway().statistics().exchanges_started == 0);
}

TEST_CASE("a preflight is answered before anybody asks for a key") {  // SEC-34
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  Live live(document(a.entry(), route_to("a"), listening(kPages, consumer("app", "good-key"))), threads);
  RawClient client(live.port());  // one connection for all: none of these ends it
  client.send(options(kPage));
  const WireAnswer none = client.answer();
  CHECK(none.status == 400);
  check_lets_the_page_read(none);

  client.send(options(kPage + "Access-Control-Request-Method: DELETE\r\n"));
  const WireAnswer off = client.answer();
  CHECK(off.status == 405);
  CHECK(off.field("allow") == "GET, POST");
  CHECK(error_code(off.body) == "method_not_allowed");

  client.send(options(kPage + "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization,content-type\r\n"));
  const WireAnswer good = client.answer();
  CHECK(good.status == 204);
  CHECK(good.body.empty());
  CHECK_FALSE(good.field("content-length"));
  CHECK_FALSE(good.field("transfer-encoding"));
  CHECK(good.field("access-control-allow-origin") == "https://app.example.com");
  CHECK(good.field("access-control-allow-methods") == "GET, POST");
  CHECK(good.field("access-control-allow-headers") == "authorization, content-type");
  CHECK(good.field("access-control-max-age") == "600");
  CHECK(good.field("vary") == "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");

  client.send(chat(kPage + "X-Api-Key: good-key\r\n"));
  const WireAnswer served = client.answer();
  CHECK(served.status == 200);
  check_lets_the_page_read(served);
  CHECK(a->request_count() == 1);
}

TEST_CASE("a page may read errors and streams as it may read answers") {  // SEC-34
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  Live live(document(a.entry(), route_to("a"), listening(kPages, consumer("app", "good-key"))), threads);
  const WireAnswer locked = ask(live, chat(kPage));
  CHECK(locked.status == 401);
  check_lets_the_page_read(locked);
  const WireAnswer lost = ask(live, chat(kPage + "X-Api-Key: good-key\r\n", "/nowhere"));
  CHECK(lost.status == 404);
  check_lets_the_page_read(lost);

  a->on_request([](const RawRequest&) { return json_reply(R"({"error":{"message":"no","type":"rate_limit_error"}})", 429); });
  const WireAnswer limited = ask(live, chat(kPage + "X-Api-Key: good-key\r\n"));
  CHECK(limited.status == 429);
  check_lets_the_page_read(limited);

  a->on_request([](const RawRequest&) { return whole_stream(kRole + text_event("Hi") + kStop + kDone); });
  const WireAnswer stream = ask(live, post("/v1/chat/completions", chat_body("m", "hello", true), "Origin: http://localhost:3000\r\nX-Api-Key: good-key\r\n"));
  CHECK(stream.status == 200);
  CHECK(stream.field("content-type").value_or("").find("text/event-stream") == 0);
  check_lets_the_page_read(stream, "http://localhost:3000");
}

TEST_CASE("what an upstream says of origins is replaced, and it is not told the page's") {  // SEC-34
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  a->on_request([](const RawRequest&) {
    return json_reply("{}", 200, "Access-Control-Allow-Origin: *\r\nAccess-Control-Allow-Credentials: true\r\nAccess-Control-Expose-Headers: x-secret\r\nVary: Accept\r\n");
  });
  Live live(document(a.entry(), kOpaque, listening(kPages)), threads);
  const WireAnswer answer = ask(live, chat(kPage));
  CHECK(answer.status == 200);
  CHECK(count(answer, "access-control-allow-origin") == 1);
  CHECK(answer.field("access-control-allow-origin") == "https://app.example.com");
  CHECK(answer.field("access-control-expose-headers") == "x-request-id");
  CHECK_FALSE(answer.field("access-control-allow-credentials"));
  CHECK(count(answer, "vary") == 2);
  CHECK_FALSE(a->requests().at(0).header("origin"));
  // Nor does what it says reach anybody else: another origin's page may be shown a stored answer.
  CHECK_FALSE(ask(live, chat("")).field("access-control-allow-origin"));
}

TEST_CASE("a listener without cors changes nothing for pages") {  // SEC-34
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  a->on_request([](const RawRequest&) { return json_reply("{}", 200, "Access-Control-Allow-Origin: *\r\n"); });
  Live live(document(a.entry(), kOpaque), threads);
  const WireAnswer answer = ask(live, chat("Origin: https://evil.example\r\n"));
  CHECK(answer.status == 200);
  CHECK(answer.field("access-control-allow-origin") == "*");
  CHECK(count(answer, "vary") == 0);
  CHECK(a->requests().at(0).header("origin") == "https://evil.example");
  CHECK(ask(live, options(kPage + "Access-Control-Request-Method: POST\r\n")).status == 200);
  CHECK(a->requests().at(1).header("access-control-request-method") == "POST");
}

TEST_CASE("with credentials a page is named, and told that it may send them") {  // SEC-34
  Backend a("a");
  Live live(document(a.entry(), route_to("a"), listening(R"("cors":{"allow_origins":["https://app.example.com"],"allow_credentials":true})")));
  const WireAnswer answer = ask(live, chat(kPage));
  CHECK(answer.field("access-control-allow-origin") == "https://app.example.com");
  CHECK(answer.field("access-control-allow-credentials") == "true");
  CHECK(problems(document(a.entry(), route_to("a"), listening(R"("cors":{"allow_origins":["*"],"allow_credentials":true})"))).find("/gateway/listen/0/cors/allow_credentials: ") !=
        std::string::npos);
}

TEST_CASE("a preflight with a body ends as any answered request does: a short one is skipped, a long one costs the connection") {
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  Live live(document(a.entry(), route_to("a"), listening(kPages)), threads);
  const std::string asking = kPage + "Access-Control-Request-Method: POST\r\n";
  RawClient client(live.port());
  client.send(options(asking + "Content-Length: 4\r\n") + "body" + chat(kPage));
  CHECK(client.answer().status == 204);
  CHECK(client.answer().status == 200);
  client.send(options(asking + "Transfer-Encoding: chunked\r\n"));
  const WireAnswer last = client.answer();
  CHECK(last.status == 204);
  CHECK(last.field("connection") == "close");
}

TEST_CASE("bytes that are no request are not answered as the page's before them") {
  Backend a("a");
  Live live(document(a.entry(), route_to("a"), listening(kPages)));
  RawClient client(live.port());
  client.send(chat(kPage));
  CHECK(client.answer().status == 200);
  client.send("GARBAGE\r\n\r\n");
  const WireAnswer refused = client.answer();
  CHECK(refused.status == 400);
  CHECK_FALSE(mentions_cors(refused));
}

TEST_CASE("an address of other machines needs callers who prove themselves") {
  const auto outside = [](const std::string& more) {
    return problems(R"({"version":1,"gateway":{"listen":[{"address":"0.0.0.0:0","cors":{"allow_origins":["*"]},"trusted_proxies":["10.0.0.0/8"]}]})" + more + "}");
  };
  CHECK(outside("").find("/gateway/listen/0/address: ") != std::string::npos);
  CHECK(outside(R"(,"consumers":[])").find("/gateway/listen/0/address: ") != std::string::npos);
  // Certificates are a way in where a listener asks for them; here none does.
  CHECK(outside(R"(,"consumers":[{"name":"app","certificates":[{"san":"app.example.com"}]}])").starts_with("/consumers/0/certificates: "));
  CHECK(outside(R"(,"consumers":[{"name":"app","keys":[{"env":"K","expires":"2027-01-31T00:00:00Z"}]}])").empty());
}
