// What is no request is refused once, costs the connection, and reaches no upstream.

#include <catch2/catch.hpp>
#include <csignal>

#include "integration/rig.hpp"

using namespace sluice;
using namespace sluice::test;
using namespace std::string_literals;

namespace {

struct Bad {
  const char* what;
  std::string bytes;
  int status = 400;
};

const std::string kLine = "POST /v1/chat/completions HTTP/1.1\r\nHost: gateway.test\r\nContent-Type: application/json\r\n";
const std::string kSmuggled = "GET /v1/models HTTP/1.1\r\nHost: gateway.test\r\n\r\n";

std::string with(const std::string& fields, const std::string& body) { return kLine + fields + "\r\n" + body; }
std::string chunked(const std::string& body) { return with("Transfer-Encoding: chunked\r\n", body); }

/// Every one is answered once and refused, the connection ends, and nothing went upstream.
void refuses(const std::vector<Bad>& inputs) {
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  Live live(document(a.entry(), route_to("a")), threads);
  for (const Bad& input : inputs) {
    INFO(input.what);
    RawClient client(live.port());
    client.send(input.bytes);
    const WireAnswer answer = client.answer();
    CHECK(answer.status == input.status);
    CHECK(answer.field("connection") == "close");
    CHECK(answer.complete);
    // What was smuggled behind it is not answered.
    std::string rest;
    for (std::string more; !(more = client.receive()).empty();) rest += more;
    CHECK(rest.empty());
    CHECK(a->request_count() == 0);
  }
  for (const Outcome& outcome : live.outcomes().wait(live.outcomes().count())) {
    CHECK(outcome.ending != Ending::kCompleted);
    CHECK(outcome.attempts.empty());
  }
}

}  // namespace

TEST_CASE("a length beside chunked framing is refused and the connection closed") {  // SEC-01
  refuses({{"CL then TE", with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n" + kSmuggled)},
           {"TE then CL", with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n" + kSmuggled)}});
}

TEST_CASE("a length that stands twice is refused, whether the two agree or not") {  // SEC-02
  refuses({{"differing", with("Content-Length: 2\r\nContent-Length: 7\r\n", "{}" + kSmuggled)},
           {"identical", with("Content-Length: 2\r\nContent-Length: 2\r\n", "{}" + kSmuggled)}});
}

TEST_CASE("a transfer coding that is not exactly chunked is refused") {  // SEC-03
  std::vector<Bad> inputs;
  for (const auto& value : {",chunked"s, "chunked, chunked"s, "xchunked"s, "chunked\x0b"s, "\x0b"
                            "chunked"s, "identity"s, "chunked;q=1"s, "gzip, chunked"s, "chunked,"s, ""s}) {
    inputs.push_back({"coding", with("Transfer-Encoding: " + value + "\r\n", "2\r\n{}\r\n0\r\n\r\n" + kSmuggled)});
  }
  inputs.push_back({"two lines", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n" + kSmuggled)});
  inputs.push_back({"in HTTP/1.0", "POST /v1/chat/completions HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + kSmuggled});
  refuses(inputs);
}

TEST_CASE("a length that is no plain number is refused") {  // SEC-04
  std::vector<Bad> inputs;
  for (const auto* value : {"+5", "0x5", "5 ", "5,5", "-1", "", "18446744073709551616", "5, 5", "5\t", "5\x0b", "1e3"}) {
    inputs.push_back({value, with("Content-Length: " + std::string(value) + "\r\n", "{\"a\"" + kSmuggled)});
  }
  refuses(inputs);
}

TEST_CASE("a chunk that can be read in two ways is refused and the connection closed") {  // SEC-05
  std::vector<Bad> inputs;
  for (const auto* size : {"0x5", "+5", "5_0", "00000000000000005", "5 ;a=\r", "-5", "", "g", "5 ", "5;a\r"}) {
    inputs.push_back({size, chunked(std::string(size) + "\r\nhello\r\n0\r\n\r\n" + kSmuggled)});
  }
  inputs.push_back({"end of a chunk", chunked("5\r\nhello\rX0\r\n\r\n" + kSmuggled)});
  inputs.push_back({"bare LF behind the size", chunked("5\nhello\r\n0\r\n\r\n" + kSmuggled)});
  inputs.push_back({"bare LF behind the data", chunked("5\r\nhello\n0\r\n\r\n" + kSmuggled)});
  inputs.push_back({"bare LF at the end", chunked("5\r\nhello\r\n0\n\n" + kSmuggled)});
  inputs.push_back({"data longer than its size", chunked("5\r\nhello!\r\n0\r\n\r\n" + kSmuggled)});
  inputs.push_back({"a folded trailer", chunked("2\r\n{}\r\n0\r\nX: a\r\n b\r\n\r\n" + kSmuggled)});
  refuses(inputs);
}

TEST_CASE("a field line that can be read in two ways is refused") {  // SEC-06
  std::vector<Bad> inputs;
  for (const auto& field : {"X: a\r\n b"s, "X : a"s, "X\t: a"s, "X: a\0b"s, "X: a\rb"s, "X: a\nY: b"s, "no colon"s, ": empty"s, "X: \x85"s,
                            "X: a\xa0"s, "X: \xa0"
                            "a"s, " X: a"s, "X\x0b: a"s, "X: a\x01"s, "X(: a"s}) {
    inputs.push_back({"field", with(field + "\r\nContent-Length: 2\r\n", "{}" + kSmuggled)});
  }
  inputs.push_back({"a blank before the first field", "POST /v1/chat/completions HTTP/1.1\r\n X: a\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"});
  inputs.push_back({"two hosts", with("Host: other.test\r\nContent-Length: 2\r\n", "{}")});
  inputs.push_back({"no host", "POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"});
  inputs.push_back({"absolute target", "POST http://evil.test/v1/chat/completions HTTP/1.1\r\nHost: gateway.test\r\nContent-Length: 2\r\n\r\n{}"});
  refuses(inputs);
}

TEST_CASE("CONNECT and TRACE are refused") {  // SEC-07
  refuses({{"CONNECT", "CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n\r\n" + kSmuggled, 501},
           {"TRACE", "TRACE / HTTP/1.1\r\nHost: gateway.test\r\n\r\n" + kSmuggled, 405}});
}

TEST_CASE("the body of a GET is never read as the next request") {  // SEC-07
  const auto threads = GENERATE(1u, 4u);
  const bool is_chunked = GENERATE(false, true);
  const bool known = GENERATE(true, false);  // a probe of the listener's own, or a request for the gateway
  Backend a("a");
  Live live(document(a.entry(), route_to("a")), threads);
  std::string bytes = std::string("GET ") + (known ? "/v1/models" : "/healthz") + " HTTP/1.1\r\nHost: gateway.test\r\nContent-Type: application/json\r\n";
  std::string inner = post("/v1/chat/completions", chat_body("smuggled"));
  if (is_chunked) {
    char size[16];
    std::snprintf(size, sizeof size, "%zx", inner.size());
    bytes += "Transfer-Encoding: chunked\r\n\r\n" + std::string(size) + "\r\n" + inner + "\r\n0\r\n\r\n";
  } else {
    bytes += "Content-Length: " + std::to_string(inner.size()) + "\r\n\r\n" + inner;
  }
  RawClient client(live.port());
  client.send(bytes);
  CHECK(client.answer().status != 0);
  // A request of ours behind it is the second answer, or the connection is closed.
  (void)client.try_send(get("/healthz"));
  const WireAnswer second = client.answer();
  CHECK((second.status == 200 ? second.body == "ok\n" : second.closed));
  for (const RawRequest& request : a->requests()) CHECK(request.target == "/v1/models");
  CHECK(a->request_count() <= 1);
}

TEST_CASE("other protocols are refused by name in HTTP/1.1") {  // SEC-40
  const std::string kNamed[] = {"WebSocket", "h2c", "HTTP/2", "gRPC"};
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  Live live(document(a.entry(), route_to("a")), threads);
  const std::vector<Bad> inputs{
      {"WebSocket", "GET /v1/realtime HTTP/1.1\r\nHost: gateway.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"},
      {"h2c", "GET /v1/models HTTP/1.1\r\nHost: gateway.test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
              "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n"},
      {"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
      {"gRPC", "POST /v1/chat/completions HTTP/1.1\r\nHost: gateway.test\r\nContent-Type: application/grpc\r\nTE: trailers\r\n"
               "Transfer-Encoding: chunked\r\n\r\n5\r\n\0\0\0\0\0\r\n0\r\n\r\n"s}};
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    INFO(inputs[i].what);
    RawClient client(live.port());
    client.send(inputs[i].bytes);
    const WireAnswer answer = client.answer();
    CHECK(answer.head.substr(0, 9) == "HTTP/1.1 ");
    CHECK(answer.status >= 400);
    CHECK(answer.status < 600);
    CHECK(answer.body.find(kNamed[i]) != std::string::npos);
    CHECK(answer.field("connection") == "close");
    CHECK(client.closed());
  }
  CHECK(a->request_count() == 0);
}

TEST_CASE("a client that resets while it is answered does not take the process along") {  // SEC-39
  REQUIRE(std::signal(SIGPIPE, SIG_DFL) == SIG_DFL);  // the default disposition, before and after
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  // More than any socket buffer, so that the gateway is in the middle of writing.
  a->on_request([](const RawRequest&) {
    return Reply::chunked("Content-Type: application/json\r\n").repeat("10000\r\n" + std::string(65536, ' ') + "\r\n", 256).end_chunks();
  });
  Live live(document(a.entry(), route_to("a")), threads);
  for (int i = 0; i < 8; ++i) {
    RawClient client(live.port());
    client.send(post("/v1/chat/completions", chat_body("m")));
    (void)client.until("\r\n\r\n");
    client.reset();
  }
  CHECK(live.outcomes().wait(8).size() == 8);
  CHECK(ask(live, get("/healthz")).status == 200);
}

TEST_CASE("an upstream that resets TLS in the middle of a request does not take the process along") {  // SEC-39
  REQUIRE(std::signal(SIGPIPE, SIG_DFL) == SIG_DFL);
  const auto threads = GENERATE(1u, 4u);
  const testing::TestCertificates certificates;
  FaultServer::Options options;
  options.tls = &certificates;
  options.receive_buffer = 4096;
  options.reset_after = 64 * 1024;
  FaultServer server(options);
  Live live(document(R"({"name":"a","url":"https://)" + server.authority() + R"(/v1","tls":{"ca_file":")" + certificates.ca_file() + "\"}}", route_to("a")),
            threads);
  const std::string body = chat_body("m", std::string(4 << 20, 'x'));
  for (int i = 0; i < 4; ++i) {
    const WireAnswer answer = ask(live, post("/v1/chat/completions", body));
    CHECK(answer.status == 502);
  }
  CHECK(ask(live, get("/healthz")).status == 200);
}
