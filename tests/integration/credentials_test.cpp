// Keys and headers: whose go where, and whose never do.

#include <catch2/catch.hpp>

#include "integration/rig.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

std::string consumers(const std::string& list) { return ",\"consumers\":[" + list + "]"; }
std::string consumer(const std::string& name, const std::string& key) {
  return R"({"name":")" + name + R"(","keys":[{"sha256":")" + sha256(key) + "\"}]}";
}
std::string chat(const std::string& fields, const std::string& query = {}) { return post("/v1/chat/completions" + query, chat_body("m"), fields); }

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  return text;
}

}  // namespace

TEST_CASE("a field that would split a head is refused where it is made, and never sent") {  // SEC-15
  Headers headers;
  for (const std::string& value : {std::string("a\r\nX-Admin: 1"), std::string("a\nX-Admin: 1"), std::string("a\rb"), std::string("a\0b", 3)}) {
    for (const Status& refused : {headers.add("X-Note", value), headers.set("X-Note", value), headers.add(value, "x")}) {
      REQUIRE_FALSE(refused);
      CHECK(refused.error().code == Code::kInvalidHeader);
    }
    Backend a("a");
    Route route{.name = "r", .upstreams = {{.upstream = "a"}}};
    route.request_headers.set["X-Note"] = value;
    Upstream upstream;
    upstream.name = "a";
    upstream.url = "http://" + a->authority() + "/v1";
    CHECK_FALSE(Gateway::Builder().upstream(upstream).route(route).open());
    route.request_headers = {};
    route.response_headers.add["X-Note"] = value;
    CHECK_FALSE(Gateway::Builder().upstream(upstream).route(route).open());
    route.response_headers = {};
    upstream.credential = Secret::literal(value);
    upstream.allow_plaintext_credential = true;
    CHECK_FALSE(Gateway::Builder().upstream(upstream).route(route).open());
    upstream.credential = {};
    upstream.url += value;
    CHECK_FALSE(Gateway::Builder().upstream(upstream).route(route).open());
    CHECK(a->opened() == 0);
  }
  CHECK(headers.empty());
}

TEST_CASE("a request made in the process cannot split a head by its method, its target or what a path captures") {  // SEC-15
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  Live live(document(a.entry(), R"({"name":"named","match":{"path":"/x/{name}/y"},"operation":"opaque","rewrite":{"path":"/v1/{name}"},"upstreams":[{"name":"a"}]},)" +
                                    route_to("a", R"(,"operation":"opaque")")),
            threads);
  for (const std::string& evil : {std::string("TRACE"), std::string("CONNECT"), std::string("GET / HTTP/1.1\r\nX-Admin: 1\r\n\r\nGET"), std::string("GET\r\nX-Admin: 1"), std::string("G T"), std::string("")}) {
    Request request = Request::get("/v1/files");
    request.method = evil;
    const auto answer = live.gateway().send(request).get();
    CHECK((!answer || answer->status >= 400));
  }
  for (const std::string& evil : {std::string("/v1/files HTTP/1.1\r\nX-Admin: 1\r\n\r\nGET /"), std::string("/v1/fi les"), std::string("/v1/a\nX-Admin: 1"), std::string("/a\0b", 4),
                                  std::string("/v1#files"), std::string("files"), std::string("")}) {
    const auto answer = live.gateway().send(Request::get(evil)).get();
    CHECK((!answer || answer->status >= 400));
  }
  CHECK(a->request_count() == 0);
  CHECK(ask(live, get("/x/a%0d%0aX-Admin:%201%0d%0a/y")).status != 0);
  for (const RawRequest& request : a->requests()) CHECK(lower(request.head).find("\nx-admin") == std::string::npos);
}

TEST_CASE("nothing that proves who the client is goes upstream, and nothing of the upstream's own comes back") {  // SEC-21
  const auto threads = GENERATE(1u, 4u);
  const bool opaque = GENERATE(false, true);
  ::setenv("SLUICE_TEST_HELD_KEY", "held-key-000111222333", 1);
  Backend a("a");
  a->on_request([](const RawRequest&) {
    return json_reply(chat_answer("a"), 200,
                      "Set-Cookie: session=upstream\r\nSet-Cookie2: b=c\r\nServer: origin/1.0\r\nVia: 1.1 inner\r\nX-Powered-By: origin\r\nKeep-Alive: timeout=5\r\n"
                      "Connection: X-Hop\r\nX-Hop: secret\r\nProxy-Authenticate: Basic\r\nTrailer: X-T\r\nX-Request-Id: req-of-upstream\r\n");
  });
  Live live(document(a.entry(R"(,"credential":{"env":"SLUICE_TEST_HELD_KEY"},"allow_plaintext_credential":true)"),
                     route_to("a", opaque ? R"(,"operation":"opaque","forward_headers":["*"])" : R"(,"forward_headers":["*"])")),
            threads);
  const WireAnswer answer = ask(
      live, chat("Authorization: Bearer client-secret\r\nX-Api-Key: client-secret\r\nX-Goog-Api-Key: client-secret\r\nApi-Key: client-secret\r\n"
                 "Cookie: session=client-secret\r\nProxy-Authorization: Basic client-secret\r\nConnection: keep-alive, X-Named\r\nX-Named: client-secret\r\n"
                 "Keep-Alive: timeout=client-secret\r\nTE: trailers\r\nTrailer: client-secret\r\nProxy-Connection: client-secret\r\n"
                 "X-Amz-Security-Token: client-secret\r\nX-Harmless: yes\r\n",
                 "?key=client-secret&alt=sse&k%65y=client-secret&key"));
  CHECK(answer.status == 200);
  REQUIRE(a->request_count() == 1);
  const RawRequest seen = a->requests()[0];
  CHECK(seen.head.find("client-secret") == std::string::npos);
  CHECK(seen.header("authorization") == "Bearer held-key-000111222333");
  CHECK(seen.header("x-harmless") == "yes");
  CHECK(seen.target.find("alt=sse") != std::string::npos);
  CHECK(seen.header("host") == a->authority());
  for (const char* hop : {"te", "trailer", "proxy-connection", "keep-alive", "cookie", "x-api-key", "api-key", "x-goog-api-key"}) {
    INFO(hop);
    CHECK_FALSE(seen.header(hop));
  }
  for (const char* own : {"set-cookie", "set-cookie2", "server", "via", "x-powered-by", "x-hop", "proxy-authenticate", "trailer", "keep-alive"}) {
    INFO(own);
    CHECK_FALSE(answer.field(own));
  }
  CHECK(answer.field("x-request-id") == "req-of-upstream");
}

TEST_CASE("a credential that the route lists by its exact name goes on") {  // SEC-21
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  Live live(document(a.entry(), route_to("a", R"(,"forward_headers":["cookie","X-Trace-*"])")), threads);
  CHECK(ask(live, chat("Cookie: a=b\r\nAuthorization: Bearer mine\r\nX-Trace-Id: 7\r\nX-Other: 1\r\n")).status == 200);
  const RawRequest seen = a->requests().at(0);
  CHECK(seen.header("cookie") == "a=b");
  CHECK(seen.header("x-trace-id") == "7");
  CHECK_FALSE(seen.header("authorization"));
  CHECK_FALSE(seen.header("x-other"));
}

TEST_CASE("each upstream gets its own key and none of another's") {  // SEC-22
  const auto threads = GENERATE(1u, 4u);
  ::setenv("SLUICE_TEST_KEY_A", "key-of-a-0001112223", 1);
  ::setenv("SLUICE_TEST_KEY_B", "key-of-b-9998887776", 1);
  Backend a("a"), b("b");
  const auto keyed = [](const char* name) { return R"(,"allow_plaintext_credential":true,"credential":{"env":")" + std::string(name) + "\"}"; };
  Live live(document(a.entry(keyed("SLUICE_TEST_KEY_A")) + "," + b.entry(keyed("SLUICE_TEST_KEY_B")),
                     R"({"name":"to-a","match":{"model":"a-*"},"upstreams":[{"name":"a"}]},{"name":"to-b","upstreams":[{"name":"b"}]})"),
            threads);
  RawClient client(live.port());
  for (int i = 0; i < 4; ++i) {
    client.send(post("/v1/chat/completions", chat_body(i % 2 == 0 ? "a-1" : "b-1")));
    CHECK(served_by(client.answer()) == (i % 2 == 0 ? "a" : "b"));
  }
  for (const RawRequest& request : a->requests()) {
    CHECK(request.header("authorization") == "Bearer key-of-a-0001112223");
    CHECK((request.head + request.body).find("key-of-b") == std::string::npos);
  }
  for (const RawRequest& request : b->requests()) {
    CHECK(request.header("authorization") == "Bearer key-of-b-9998887776");
    CHECK((request.head + request.body).find("key-of-a") == std::string::npos);
  }
}

TEST_CASE("a key is taken from each of its places; two different ones are refused") {  // SEC-23
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  Live live(document(a.entry(), route_to("a"), consumers(consumer("app", "good-key") + "," + consumer("other", "other-key"))), threads);
  std::size_t n = 0;
  for (const char* fields : {"Authorization: Bearer good-key\r\n", "authorization: bearer  good-key\r\n", "X-Api-Key: good-key\r\n", "api-key: good-key\r\n", "x-goog-api-key: good-key\r\n",
                             "Authorization: Bearer good-key\r\nX-Api-Key: good-key\r\n"}) {
    INFO(fields);
    CHECK(ask(live, chat(fields)).status == 200);
    CHECK(live.outcomes().wait(++n).back().consumer == "app");
  }
  for (const char* query : {"?key=good-key", "?k%65y=good%2Dkey"}) {
    CHECK(ask(live, chat("", query)).status == 200);
    CHECK(live.outcomes().wait(++n).back().consumer == "app");
  }
  for (const RawRequest& request : a->requests()) CHECK(request.head.find("good") == std::string::npos);
  const std::size_t sent = a->request_count();
  const WireAnswer both = ask(live, chat("Authorization: Bearer good-key\r\nX-Api-Key: other-key\r\n"));
  CHECK(both.status == 400);
  CHECK(error_code(both.body) == "ambiguous_credentials");
  CHECK(ask(live, chat("X-Api-Key: good-key\r\n", "?key=other-key")).status == 400);
  CHECK(ask(live, chat("X-Api-Key: good-key\r\nX-Api-Key: other-key\r\n")).status == 400);
  for (const char* fields : {"", "X-Api-Key: bad-key\r\n", "Authorization: good-key\r\n", "X-Api-Key: \r\n"}) {
    INFO(fields);
    const WireAnswer answer = ask(live, chat(fields));
    CHECK(answer.status == 401);
    CHECK(answer.field("www-authenticate") == "Bearer");
    CHECK(answer.body.find("bad-key") == std::string::npos);
  }
  CHECK(a->request_count() == sent);
}

TEST_CASE("keys that share a prefix are never one identity, and a key is data") {  // SEC-24
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  const std::string stem = "sk-live-0123456789abcdef0123456789abcdef0123456789abcdef";
  Live live(document(a.entry(), route_to("a"), consumers(consumer("one", stem + "A") + "," + consumer("two", stem + "B"))), threads);
  std::size_t n = 0;
  const auto who = [&](const std::string& key) {
    const int status = ask(live, chat("X-Api-Key: " + key + "\r\n")).status;
    return status == 200 ? live.outcomes().wait(++n).back().consumer : ((void)live.outcomes().wait(++n), std::to_string(status));
  };
  for (int round = 0; round < 3; ++round) {
    CHECK(who(stem + "A") == "one");
    CHECK(who(stem + "B") == "two");
    CHECK(who(stem) == "401");
    CHECK(who(stem + "AB") == "401");
    CHECK(who(stem + "a") == "401");
  }
  for (const char* text : {"' OR '1'='1", "*", "%", "\"; DROP TABLE keys; --", "{\"$gt\":\"\"}", "../../etc/passwd"}) CHECK(who(text) == "401");
}

TEST_CASE("where no consumers are configured, a client's key is not looked at and goes nowhere") {  // SEC-21
  Backend a("a");
  Live live(document(a.entry(), route_to("a")));
  CHECK(ask(live, chat("Authorization: Bearer x\r\nX-Api-Key: y\r\n")).status == 200);
  CHECK_FALSE(a->requests().at(0).header("authorization"));
  CHECK_FALSE(a->requests().at(0).header("x-api-key"));
}
