// Where requests may go: the configured origin, by an address it may have, over a connection that is verified.

#include <catch2/catch.hpp>

#include "integration/rig.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

std::string with_url(const std::string& url, const std::string& more = {}) {
  return document(R"({"name":"a","url":")" + url + "\"" + more + "}", route_to("a"));
}

}  // namespace

TEST_CASE("only http and https are schemes of an upstream") {  // SEC-16
  for (const char* url : {"file:///etc/hostname", "ftp://example.com/v1", "gopher://example.com/1", "HTTPX://a/", "//example.com/v1", "javascript:1", "dict://127.0.0.1/"}) {
    INFO(url);
    const std::string said = problems(with_url(url));
    CHECK(said.find("/upstreams/0/url") != std::string::npos);
    CHECK(said.find("http") != std::string::npos);
  }
  Upstream upstream;
  upstream.name = "a";
  upstream.url = "file:///etc/hostname";
  CHECK_FALSE(Gateway::Builder().upstream(upstream).route({.name = "r", .upstreams = {{.upstream = "a"}}}).open());
}

TEST_CASE("an upstream that must be public is refused by the address its name comes down to") {  // SEC-17
  const auto threads = GENERATE(1u, 4u);
  FaultServer sink;
  const std::string port = ":" + std::to_string(sink.port()) + "/v1";
  for (const std::string& host : {std::string("127.0.0.1"), std::string("2130706433"), std::string("0x7f.1"), std::string("[::ffff:127.0.0.1]"), std::string("localhost"),
                                  std::string("169.254.169.254"), std::string("[fd00::1]"), std::string("[::1]"), std::string("0.0.0.0"), std::string("10.0.0.1"),
                                  std::string("a@127.0.0.1")}) {
    INFO(host);
    const std::string config = with_url("http://" + host + port, R"(,"addresses":"public","timeouts":{"connect_ms":3000})");
    if (const std::string said = problems(config); !said.empty()) {
      CHECK(said.find("/upstreams/0/url") != std::string::npos);
      continue;
    }
    Live live(config, threads);
    const WireAnswer answer = ask(live, post("/v1/chat/completions", chat_body("m")));
    CHECK(answer.status == 502);
    // A name that is no address in any resolver's eyes is not found at all; the rest is refused by what it resolves to.
    CHECK((error_code(answer.body) == "address_refused" || error_code(answer.body) == "upstream_resolve_failed"));
  }
  CHECK(sink.opened() == 0);
  CHECK(problems(with_url("http://a@127.0.0.1/v1")).find("/upstreams/0/url") != std::string::npos);
}

TEST_CASE("the plain loopback address is refused by name where only public ones are allowed") {  // SEC-17
  FaultServer sink;
  Live live(with_url("http://" + sink.authority() + "/v1", R"(,"addresses":"public")"));
  const WireAnswer answer = ask(live, post("/v1/chat/completions", chat_body("m")));
  CHECK(error_code(answer.body) == "address_refused");
  CHECK(answer.body.find("public") != std::string::npos);
  CHECK(sink.opened() == 0);
}

TEST_CASE("a redirect is an error, and nobody follows it") {  // SEC-18
  const auto threads = GENERATE(1u, 4u);
  const int status = GENERATE(301, 302, 303, 307, 308);
  FaultServer sink;
  Backend a("a");
  a->on_request([&sink, status](const RawRequest& request) {
    const std::string to = request.body.find("scheme") != std::string::npos ? "https://" + sink.authority() + "/v1/x"
                           : request.body.find("path") != std::string::npos ? "/v1/elsewhere"
                                                                            : "http://" + sink.authority() + "/v1/chat/completions";
    return json_reply("{}", status, "Location: " + to + "\r\n");
  });
  Live live(document(a.entry(), route_to("a")), threads);
  for (const char* kind : {"host", "scheme", "path"}) {
    const WireAnswer answer = ask(live, post("/v1/chat/completions", chat_body("m", kind)));
    CHECK(answer.status == 502);
    CHECK(error_code(answer.body) == "upstream_redirect");
    CHECK_FALSE(answer.field("location"));
  }
  CHECK(a->request_count() == 3);
  CHECK(sink.opened() == 0);
}

TEST_CASE("a request that names another place to go is not heard") {  // SEC-19
  const auto threads = GENERATE(1u, 4u);
  FaultServer sink;
  ::setenv("SLUICE_TEST_HELD_KEY", "held-key-000111222333", 1);
  Backend a("a");
  Live live(document(a.entry(R"(,"credential":{"env":"SLUICE_TEST_HELD_KEY"},"allow_plaintext_credential":true)"), route_to("a")), threads);
  const std::string url = "http://" + sink.authority() + "/v1";
  const std::string body = R"({"model":"m","messages":[],"api_base":")" + url + R"(","base_url":")" + url + R"(","api_key":"x"})";
  const std::string fields = "X-Api-Base: " + url + "\r\nApi-Base: " + url + "\r\nX-Portkey-Custom-Host: " + url + "\r\nX-Custom-Host: " + url +
                             "\r\nX-Forwarded-Host: " + sink.authority() + "\r\nForwarded: host=" + sink.authority() + "\r\nX-Original-URL: " + url +
                             "\r\nX-Rewrite-URL: " + url + "\r\n";
  CHECK(ask(live, post("/v1/chat/completions?api_base=" + url, body, fields)).status == 200);
  // The Host is the one of the connection; the key goes where it belongs.
  std::string named = post("/v1/chat/completions", body);
  named.replace(named.find("gateway.test"), 12, sink.authority());
  CHECK(ask(live, named).status == 200);
  CHECK(sink.opened() == 0);
  REQUIRE(a->request_count() == 2);
  for (const RawRequest& request : a->requests()) {
    CHECK(request.header("host") == a->authority());
    CHECK(request.header("authorization") == "Bearer held-key-000111222333");
    CHECK_FALSE(request.header("x-portkey-custom-host"));
    CHECK_FALSE(request.header("x-forwarded-host"));
  }
}

TEST_CASE("a key does not go over plain http unless that was asked for") {  // SEC-20
  const std::string keyed = R"(,"credential":{"env":"SLUICE_TEST_HELD_KEY"})";
  const std::string said = problems(with_url("http://example.com/v1", keyed));
  CHECK(said.find("/upstreams/0") != std::string::npos);
  CHECK(said.find("allow_plaintext_credential") != std::string::npos);
  CHECK(problems(with_url("http://example.com/v1", keyed + R"(,"allow_plaintext_credential":true)")).empty());
  CHECK(problems(with_url("https://example.com/v1", keyed)).empty());
}

TEST_CASE("TLS is verified, authority and name") {  // SEC-20
  const auto threads = GENERATE(1u, 4u);
  const testing::TestCertificates ours, foreign, misnamed("DNS:other.example");
  const auto attempt = [&](const testing::TestCertificates& server, const testing::TestCertificates& trusted) {
    FaultServer::Options options;
    options.tls = &server;
    FaultServer upstream(options);
    upstream.on_request([](const RawRequest&) { return json_reply(chat_answer("a")); });
    Live live(with_url("https://" + upstream.authority() + "/v1", R"(,"tls":{"ca_file":")" + trusted.ca_file() + "\"}"), threads);
    const WireAnswer answer = ask(live, post("/v1/chat/completions", chat_body("m")));
    CHECK(upstream.request_count() == (answer.status == 200 ? 1 : 0));
    return answer.status == 200 ? std::string("served") : error_code(answer.body);
  };
  CHECK(attempt(ours, ours) == "served");
  CHECK(attempt(misnamed, misnamed) == "upstream_tls_failed");
  CHECK(attempt(ours, foreign) == "upstream_tls_failed");
}
