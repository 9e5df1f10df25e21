// Targets and URLs: what is matched is what is sent, and nothing that two readers could take apart differently passes.

#include "http/target.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace sluice;
using namespace sluice::http;

TEST_CASE("ROUTE-02: a path is normalised once") {
  // ROUTE-02
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"/", "/"},
      {"/v1", "/v1"},
      {"/v1/", "/v1/"},
      {"//v1///chat//", "/v1/chat/"},
      {"/v1/./chat", "/v1/chat"},
      {"/v1/chat/.", "/v1/chat/"},
      {"/.", "/"},
      {"/v1/../v2", "/v2"},
      {"/v1/..", "/"},
      {"/a/b/..", "/a/"},
      {"/a/b/../..", "/"},
      {"/a/%2e%2e/b", "/b"},
      {"/a/.%2E/b", "/b"},
      {"/a/%2e/b", "/a/b"},
      {"/a%2Fb", "/a%2Fb"},
      {"/a%2fb", "/a%2Fb"},
      {"/a/..%2fb", "/a/..%2Fb"},
      {"/%76%31/%7Euser", "/v1/~user"},
      {"/a/%252e%252e/b", "/a/%252e%252e/b"},
      {"/%25%32%65", "/%252e"},
      {"/%0d%0a", "/%0D%0A"},
      {"/a;b=c", "/a;b=c"},
      {"/...", "/..."},
      {"/.well-known/x", "/.well-known/x"},
      {"/a/..b", "/a/..b"},
      {"/v1beta/models/gemini:generateContent", "/v1beta/models/gemini:generateContent"},
      {"/a\\..\\b", "/a\\..\\b"},
  };
  for (const auto& [in, out] : cases) {
    CAPTURE(in);
    const Result<Target> target = parse_target(in);
    REQUIRE(target);
    CHECK(target->path == out);
    // Normal form is a fixed point: matching and sending cannot drift apart.
    CHECK(parse_target(out)->path == out);
  }
}

TEST_CASE("a query is kept byte for byte") {
  const Result<Target> target = parse_target("/v1/chat?a=%2e%2e&b=//&c=?%zz");
  REQUIRE(target);
  CHECK(target->path == "/v1/chat");
  CHECK(target->query == "a=%2e%2e&b=//&c=?%zz");
  CHECK(target->has_query);
  CHECK(parse_target("/a?")->has_query);
  CHECK_FALSE(parse_target("/a")->has_query);
}

TEST_CASE("absolute-form gives its authority and its path") {
  CHECK(parse_target("http://Example.com:80/a//b?c")->path == "/a/b");
  CHECK(parse_target("http://Example.com:80/a?c")->authority == "Example.com:80");
  CHECK(parse_target("HTTPS://example.com")->path == "/");
  CHECK(parse_target("http://[::1]:8080?q")->query == "q");
}

TEST_CASE("targets that cannot be read in one way are refused") {
  const std::vector<std::string> bad = {"",
                                        "*",
                                        "a",
                                        "example.com:443",
                                        "/a b",
                                        "/a\tb",
                                        "/a\r\nb",
                                        std::string("/a\0", 3),
                                        "/\x7f",
                                        "/\xc3\xa9",
                                        "/a#b",
                                        "/..",
                                        "/a/../..",
                                        "/%2e%2e",
                                        "/a/%2e%2e/%2E./",
                                        "/%",
                                        "/%2",
                                        "/%zz",
                                        "/%0",
                                        "/a%00",
                                        "//..",
                                        "ftp://a/",
                                        "http:///a",
                                        "http://a@b/",
                                        "http://a:b/",
                                        "http://[::1/",
                                        "http://a b/"};
  for (const std::string& in : bad) {
    CAPTURE(in);
    const Result<Target> target = parse_target(in);
    REQUIRE_FALSE(target);
    CHECK(target.error().code == Code::kInvalidRequest);
  }
}

TEST_CASE("SEC-16: a base URL with another scheme is refused by name") {
  // SEC-16
  for (const std::string in : {"file:///etc/hostname", "ftp://host/x", "gopher://host", "ftp:", "gopher:", "file:/etc",
                               "unix:/run/x", "httpx://a", "javascript:alert(1)", "ws://a", "data:text/plain,x"}) {
    CAPTURE(in);
    const Result<Url> url = parse_url(in);
    REQUIRE_FALSE(url);
    CHECK(url.error().code == Code::kInvalidUrl);
    CHECK(url.error().message.find("use http or https") != std::string::npos);
  }
}

TEST_CASE("a URL is taken apart") {
  const Url url = *parse_url("HTTPS://API.Example.com:8443/v1/openai//?api-version=2024-10-21");
  CHECK(url.tls);
  CHECK(url.host == "api.example.com");
  CHECK(url.port == 8443);
  CHECK(url.authority == "api.example.com:8443");
  CHECK(url.path == "/v1/openai");
  CHECK(url.query == "api-version=2024-10-21");
  const Url plain = *parse_url("http://127.0.0.1");
  CHECK_FALSE(plain.tls);
  CHECK(plain.port == 80);
  CHECK(plain.authority == "127.0.0.1");
  CHECK(plain.path.empty());
  CHECK(parse_url("https://a:443/")->authority == "a");
  const Url v6 = *parse_url("http://[2001:DB8::1]:8080/x");
  CHECK(v6.is_ipv6);
  CHECK(v6.host == "2001:db8::1");
  CHECK(v6.authority == "[2001:db8::1]:8080");
  CHECK(parse_url("http://host/https://other.example")->path == "/https://other.example");
}

TEST_CASE("URLs of a configuration that hide something are refused, and no credential is shown") {
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"", "no scheme"},
      {"api.example.com", "no scheme"},
      {"https://user:hunter2@host/", "credentials"},
      {"https://hunter2@host/", "credentials"},
      {"https://host/#x", "fragment"},
      {"https://host:0/", "port 0"},
      {"https://host:65536/", "port"},
      {"https://host:/", "port"},
      {"https://host:8o/", "port"},
      {"https:///path", "no host"},
      {"https://ho st/", "blank"},
      {"https://h\xc3\xb6st/", "ASCII"},
      {"https://host%41/", "character"},
      {"https://a..b/", "empty label"},
      {"https://[::1", "']'"},
      {"https://[::g]/", "no IPv6"},
      {"https://[fe80::1%25eth0]/", "no IPv6"},
      {"https://[::1]x/", "between"},
      {"https://::1/", "brackets"},
      {"http://2130706433/", "numeric"},
      {"http://0x7f.1/", "numeric"},
      {"http://127.1/", "numeric"},
      {"http://127.0.0.010/", "numeric"},
      {"https://host/a/../b", "segment"},
      {"https://host/%zz", "escape"},
      {"https://host\\evil/", "backslash"},
  };
  for (const auto& [in, word] : bad) {
    CAPTURE(in);
    const Result<Url> url = parse_url(in);
    REQUIRE_FALSE(url);
    CHECK(url.error().code == Code::kInvalidUrl);
    CHECK_THAT(url.error().message, Catch::Contains(word));
    CHECK_THAT(url.error().message, !Catch::Contains("hunter2"));
  }
}

TEST_CASE("listen addresses name host and port") {
  CHECK(parse_host_port("127.0.0.1:0")->port == 0);
  CHECK(parse_host_port("Localhost:8080")->host == "localhost");
  CHECK(parse_host_port("[::]:65535")->host == "::");
  for (const std::string in : {"", "8080", "127.0.0.1", "127.0.0.1:", ":8080", "::1:80", "[::1]", "[::1]80", "a:99999",
                               "a:-1", "a:1:2", "a:0x50"}) {
    CAPTURE(in);
    REQUIRE_FALSE(parse_host_port(in));
    CHECK(parse_host_port(in).error().code == Code::kInvalidUrl);
  }
}

TEST_CASE("percent coding goes there and back for every byte") {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  CHECK(percent_decode(percent_encode(all)) == all);
  CHECK(percent_encode("a/b ~") == "a%2Fb%20~");
  CHECK_FALSE(percent_decode("%"));
  CHECK_FALSE(percent_decode("%4"));
  CHECK_FALSE(percent_decode("a%g0"));
  CHECK(percent_decode("%41+b") == "A+b");
}
