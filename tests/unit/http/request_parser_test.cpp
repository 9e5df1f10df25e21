// Requests off a connection: what is delivered, what is refused, and that pieces make no difference.

#include "http/request_parser.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "unit/http/transcript.hpp"

using namespace sluice;
using namespace sluice::http;
using namespace sluice::http::test;
using namespace std::string_literals;

namespace {

// Refused whole, at every cut, and byte by byte, with the same code and words; no second request was ever seen.
void check_refused(const std::string& bytes, Code code, bool head_was_good = false) {
  CAPTURE(bytes);
  const Outcome whole = run_whole(bytes);
  CHECK(to_string(whole.code) == to_string(code));
  CHECK(whole.requests.size() == (head_was_good ? 1u : 0u));
  for (const Seen& seen : whole.requests) CHECK_FALSE(seen.complete);
  CHECK(run_bytewise(bytes).text() == whole.text());
  for (std::size_t at = 1; at < bytes.size(); ++at) REQUIRE(run_cut(bytes, at).text() == whole.text());
}

void check_same_everywhere(const std::string& bytes) {
  CAPTURE(bytes);
  const std::string whole = run_whole(bytes).text();
  CHECK(run_bytewise(bytes).text() == whole);
  for (std::size_t at = 1; at < bytes.size(); ++at) REQUIRE(run_cut(bytes, at).text() == whole);
}

}  // namespace

TEST_CASE("a request comes as head, body and end, the same at every cut") {
  const std::string bytes = post(
      "Content-Type: application/json \t\r\nX-Empty:\r\nX-Text: d\xc3\xa9j\xc3\xa0\r\nContent-Length: 5\r\n", "hello");
  const Outcome out = run_whole(bytes);
  REQUIRE(out.code == Code::kOk);
  REQUIRE(out.requests.size() == 1);
  const Seen& seen = out.requests[0];
  CHECK(seen.head.method == "POST");
  CHECK(seen.head.target == "/v1/chat/completions");
  CHECK(seen.head.headers.size() == 5);
  CHECK(seen.head.headers.get("content-type") == "application/json");
  CHECK(seen.head.headers.get("x-empty") == "");
  CHECK(seen.head.headers.get("x-text") == "d\xc3\xa9j\xc3\xa0");
  CHECK(seen.head.keep_alive);
  CHECK(seen.head.has_body);
  CHECK(seen.head.content_length == 5);
  CHECK(seen.body == "hello");
  CHECK(seen.complete);
  CHECK(out.idle);
  check_same_everywhere(bytes);
}

TEST_CASE("a chunked body is joined, extensions and trailers are dropped") {
  const std::string bytes = chunked(
      "5\r\nhello\r\n00A;name;n=v;q=\"a;\\\"b\"\r\n0123456789\r\n0\r\nX-Trailer: t\r\nContent-Length: 7\r\n\r\n");
  const Outcome out = run_whole(bytes);
  REQUIRE(out.code == Code::kOk);
  REQUIRE(out.requests.size() == 1);
  CHECK(out.requests[0].head.chunked);
  CHECK(out.requests[0].head.has_body);
  CHECK(out.requests[0].body == "hello0123456789");
  CHECK(out.requests[0].complete);
  CHECK_FALSE(out.requests[0].head.headers.contains("x-trailer"));
  check_same_everywhere(bytes);
  // RFC 9112, 7: a coding's name has no case.
  CHECK(run_whole(post("Transfer-Encoding: Chunked\r\n", "0\r\n\r\n")).requests.at(0).complete);
}

TEST_CASE("pipelined requests come one after the other, with one empty line allowed before each") {
  const std::string get = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
  const std::string bytes =
      "\r\n" + get + post("Content-Length: 3\r\n", "abc") + "\r\n" + chunked("1\r\nx\r\n0\r\n\r\n") + get;
  const Outcome out = run_whole(bytes);
  REQUIRE(out.requests.size() == 4);
  CHECK(out.requests[1].body == "abc");
  CHECK(out.requests[2].body == "x");
  CHECK(out.requests[3].complete);
  check_same_everywhere(bytes);
  check_refused("\r\n\r\n" + get, Code::kInvalidRequest);
  check_refused("\n" + get, Code::kInvalidRequest);
  check_refused("\rG", Code::kInvalidRequest);
}

TEST_CASE("the connection stays open or not as the client says, and nothing behind its last request is read") {
  const auto keep = [](const std::string& version, const std::string& fields) {
    return run_whole("GET / HTTP/" + version + "\r\nHost: h\r\n" + fields + "\r\n").requests.at(0).head.keep_alive;
  };
  CHECK(keep("1.1", ""));
  CHECK(keep("1.1", "Connection: keep-alive\r\n"));
  CHECK(keep("1.1", "Connection: x-close, closed\r\n"));
  CHECK_FALSE(keep("1.1", "Connection: Close\r\n"));
  CHECK_FALSE(keep("1.1", "Connection: x , \tclose\t,\r\n"));
  CHECK_FALSE(keep("1.1", "Connection: keep-alive\r\nConnection: close\r\n"));
  CHECK_FALSE(keep("1.0", ""));
  CHECK(keep("1.0", "Connection: Keep-Alive\r\n"));
  const Outcome out =
      run_whole("GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(out.code == Code::kOk);
  CHECK(out.requests.size() == 1);
  CHECK(run_whole("GET / HTTP/1.0\r\n\r\n").requests.at(0).head.http10);
}

TEST_CASE("SEC-01: Content-Length beside Transfer-Encoding is refused, in both orders") {
  // SEC-01
  check_refused(post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), Code::kInvalidRequest);
  check_refused(post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"), Code::kInvalidRequest);
}

TEST_CASE("SEC-02: two Content-Length fields are refused, differing or identical") {
  // SEC-02
  check_refused(post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello!"), Code::kInvalidRequest);
  check_refused(post("Content-Length: 5\r\ncontent-length: 5\r\n", "hello"), Code::kInvalidRequest);
  check_refused(post("Content-Length: 0\r\nContent-Length: 0\r\n"), Code::kInvalidRequest);
}

TEST_CASE("SEC-03: Transfer-Encoding that is not exactly chunked, once, is refused") {
  // SEC-03
  for (const std::string value :
       {",chunked", "chunked, chunked", "xchunked", "chunked,", "identity", "gzip, chunked", "chunked, identity", "",
        "chunkedx", "chunked ", "chunked\t", "chunk", "\"chunked\"", "chunked;q=1", "chun ked"}) {
    CAPTURE(value);
    check_refused(post("Transfer-Encoding: " + value + "\r\n", "0\r\n\r\n"), Code::kInvalidRequest);
  }
  for (const std::string value : {"chunked\x0b",
                                  "\x0b"
                                  "chunked",
                                  "\x0c"
                                  "chunked",
                                  "chunked\x85", "chunked\xa0",
                                  "\xa0"
                                  "chunked"}) {
    CAPTURE(value);
    check_refused(post("Transfer-Encoding:" + value + "\r\n", "0\r\n\r\n"), Code::kInvalidHeader);
  }
  check_refused(post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
                Code::kInvalidRequest);
  check_refused(post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"),
                Code::kInvalidRequest);
  check_refused("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Code::kInvalidRequest);
}

TEST_CASE("SEC-04: Content-Length that is not a plain decimal number is refused") {
  // SEC-04
  for (const std::string value :
       {"+5", "0x5", "5 ", "5,5", "5, 5", "-1", "", "18446744073709551616", "18446744073709551615",
        "1000000000000000000", "5.0", "5;", "5\t", "five", " ", "1e1", "5 5", "\"5\""}) {
    CAPTURE(value);
    check_refused(post("Content-Length: " + value + "\r\n", "hello"), Code::kInvalidRequest);
  }
  CHECK(run_whole(post("Content-Length:005\r\n", "hello")).requests.at(0).complete);
  CHECK(run_whole(post("Content-Length: \t 999999999999999999\r\n")).requests.at(0).head.content_length ==
        999999999999999999u);
}

TEST_CASE("SEC-05: chunk framing that two parsers could read differently is refused") {
  // SEC-05
  for (const std::string body : {"0x5\r\nhello\r\n0\r\n\r\n",
                                 "+5\r\nhello\r\n0\r\n\r\n",
                                 "5_0\r\nhello\r\n0\r\n\r\n",
                                 "00000000000000005\r\nhello\r\n0\r\n\r\n",
                                 "5 ;a=\r\nhello\r\n0\r\n\r\n",
                                 "5;a=\r\nhello\r\n0\r\n\r\n",
                                 "5;a\rb\r\nhello\r\n0\r\n\r\n",
                                 "5;\r\nhello\r\n0\r\n\r\n",
                                 "5;a\x01\r\nhello\r\n0\r\n\r\n",
                                 "5;a=\"\r\nhello\r\n0\r\n\r\n",
                                 "5\nhello\r\n0\r\n\r\n",
                                 "5;a\nhello\r\n0\r\n\r\n",
                                 " 5\r\nhello\r\n0\r\n\r\n",
                                 "5 \r\nhello\r\n0\r\n\r\n",
                                 "5\r\r\nhello\r\n0\r\n\r\n",
                                 "-5\r\nhello\r\n",
                                 "\r\nhello\r\n",
                                 "ffffffffffffffff\r\nhello\r\n",
                                 ";a\r\nhello\r\n",
                                 "8000000000000000\r\n",
                                 "5\rhello\r\n0\r\n\r\n"}) {
    check_refused(chunked(body), Code::kInvalidRequest, true);
  }
  // After the chunk, and at the end.
  for (const std::string body :
       {"5\r\nhello\rX0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "5\r\nhello0\r\n\r\n", "5\r\nhelloworld\r\n0\r\n\r\n",
        "5\r\nhello\r\r\n0\r\n\r\n", "0\r\n\n", "0\n\r\n", "0\r\nX: 1\n\r\n"})
    check_refused(chunked(body), Code::kInvalidRequest, true);
  for (const std::string body :
       {"0\r\nX\r\n\r\n", "0\r\nX : 1\r\n\r\n", "0\r\n X: 1\r\n\r\n", "0\r\nX: a\rb\r\n\r\n", "0\r\n\r\r\n"})
    check_refused(chunked(body), Code::kInvalidHeader, true);
  check_refused(chunked("5;" + std::string(300, 'a') + "\r\nhello\r\n0\r\n\r\n"), Code::kInvalidRequest, true);
}

TEST_CASE("SEC-06: header lines that two parsers could read differently are refused") {
  // SEC-06
  for (const std::string line : {"X: a\r\n b\r\n",
                                 "X: a\r\n\tb\r\n",
                                 " X: a\r\n",
                                 "X : a\r\n",
                                 "X\t: a\r\n",
                                 "X\r\n",
                                 ": a\r\n",
                                 "X Y: a\r\n",
                                 "X: a\rb\r\n",
                                 "X: \r\r\n",
                                 "X\x80: a\r\n",
                                 "X: \x85\r\n",
                                 "X: \xa0\r\n",
                                 "X: a\x85\r\n",
                                 "X: a\xa0\r\n",
                                 "X: \x85 a\r\n",
                                 "X: \xa0"
                                 "a\r\n",
                                 "X: a\xc2\xa0\r\n",
                                 "X: a\xc2\x85\r\n",
                                 "X: \xc2\xa0"
                                 "a\xa0\r\n",
                                 "X: a\x0b\r\n",
                                 "X:\x0b"
                                 "a\r\n",
                                 "X: \x7f\r\n",
                                 "X: \x1b[0m\r\n",
                                 "X(y): a\r\n",
                                 "\"X\": a\r\n",
                                 "\x0b: a\r\n",
                                 "Transfer-Encoding\x0b: chunked\r\n",
                                 "Transfer-Encoding : chunked\r\n",
                                 "Content-Length : 5\r\n"})
    check_refused(post(line), Code::kInvalidHeader);
  check_refused(post("X: a\0b\r\n"s), Code::kInvalidHeader);
  check_refused(post("X\0: a\r\n"s), Code::kInvalidHeader);
  check_refused(post("X: a\nY: b\r\n"), Code::kInvalidRequest);
  check_refused(post("X: a\n"), Code::kInvalidRequest);
  check_refused("GET / HTTP/1.1\nHost: a\n\n", Code::kInvalidRequest);
  check_refused("GET / HTTP/1.1\r\nHost: a\r\n\n", Code::kInvalidRequest);
  check_refused("GET / HTTP/1.1\r\n Host: a\r\n\r\n", Code::kInvalidHeader);
  // A UTF-8 character whose last byte is A0 or 85 is text.
  CHECK(run_whole(post("X: d\xc3\xa9j\xc3\xa0\r\nY: \xe2\x80\xa0\r\nZ: \xf0\x9f\x98\x85\r\n")).code == Code::kOk);
}

TEST_CASE("SEC-07: a body on GET is a body, never a request; CONNECT and TRACE are refused by name") {
  // SEC-07
  const std::string inner = "GET /admin HTTP/1.1\r\nHost: a\r\n\r\n";
  for (const std::string method : {"GET", "HEAD", "DELETE", "OPTIONS"}) {
    const std::string bytes =
        method + " / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(inner.size()) + "\r\n\r\n" + inner;
    const Outcome out = run_whole(bytes);
    REQUIRE(out.requests.size() == 1);
    CHECK(out.requests[0].body == inner);
    CHECK(out.requests[0].complete);
    check_same_everywhere(bytes);
  }
  check_refused("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", Code::kUnsupportedProtocol);
  CHECK_THAT(run_whole("CONNECT a:443 HTTP/1.1\r\n").message, Catch::StartsWith("CONNECT "));
  check_refused("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", Code::kMethodNotAllowed);
  CHECK_THAT(run_whole("TRACE / HTTP/1.1\r\n").message, Catch::StartsWith("TRACE "));
  check_refused("BREW / HTTP/1.1\r\nHost: a\r\n\r\n", Code::kMethodNotAllowed);
  check_refused("get / HTTP/1.1\r\nHost: a\r\n\r\n", Code::kMethodNotAllowed);
}

TEST_CASE("SEC-40: WebSocket, h2c and other protocols are refused by name") {
  // SEC-40 (the parser's part)
  check_refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Code::kUnsupportedProtocol);
  CHECK_THAT(run_whole("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").message, Catch::Contains("h2c"));
  check_refused(post("Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n"),
                Code::kUnsupportedProtocol);
  check_refused(
      "GET /v1/realtime HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: "
      "13\r\n\r\n",
      Code::kUnsupportedProtocol);
  for (const std::string version : {"HTTP/2.0", "HTTP/1.2", "HTTP/0.9", "HTTP/3.0"})
    check_refused("GET / " + version + "\r\nHost: a\r\n\r\n", Code::kUnsupportedProtocol);
  check_refused("GET /\r\n\r\n", Code::kUnsupportedProtocol);
  for (const std::string version :
       {"http/1.1", "HTTP/1.10", "HTTP/1", "HTTP/01.1", "ICE/1.0", "HTTP/1.1x", "HTCPCP/1.0", "XTTP/1.1"})
    check_refused("GET / " + version + "\r\nHost: a\r\n\r\n", Code::kInvalidRequest);
  check_refused("SOURCE / ICE/1.0\r\nHost: a\r\n\r\n", Code::kInvalidRequest);
  check_refused("\x16\x03\x01\x02\x00\x01", Code::kInvalidRequest);
}

TEST_CASE("request lines and targets that are not in origin-form are refused") {
  for (const std::string line : {"GET  / HTTP/1.1",
                                 "GET /  HTTP/1.1",
                                 "GET / HTTP/1.1 ",
                                 "GET /a b HTTP/1.1",
                                 "GET\t/ HTTP/1.1",
                                 "GET /\tb HTTP/1.1",
                                 "GET http://a/ HTTP/1.1",
                                 "GET https://b/x HTTP/1.1",
                                 "GET * HTTP/1.1",
                                 "OPTIONS * HTTP/1.1",
                                 "GET a HTTP/1.1",
                                 "GET /a#b HTTP/1.1",
                                 "GET /\x80 HTTP/1.1",
                                 "GET /\x7f HTTP/1.1",
                                 "GET /\x0c HTTP/1.1",
                                 "G@T / HTTP/1.1",
                                 "GET / HTTP/1.1\r",
                                 "/ HTTP/1.1",
                                 "GET",
                                 "GET  HTTP/1.1"})
    check_refused(line + "\r\nHost: a\r\n\r\n", Code::kInvalidRequest);
  check_refused("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"s, Code::kInvalidRequest);
}

TEST_CASE("one good Host is asked of HTTP/1.1, and never two") {
  check_refused("GET / HTTP/1.1\r\n\r\n", Code::kInvalidRequest);
  check_refused("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", Code::kInvalidRequest);
  check_refused("GET / HTTP/1.1\r\nHost: a\r\nhOST: b\r\n\r\n", Code::kInvalidRequest);
  check_refused("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", Code::kInvalidRequest);
  for (const std::string host : {"", "a b", "a/b", "a@b", "a,b", "a:b", "a:", ":80", "http://a", "[::1", "[]", "[::1]x",
                                 "a\\b", "a:1:2", "a:123456", "\xc3\xa9"})
    check_refused("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n", Code::kInvalidRequest);
  for (const std::string host : {"a", "a:80", "127.0.0.1:8080", "[::1]", "[::1]:80", "my_service.internal."})
    CHECK(run_whole("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n").requests.size() == 1);
  CHECK(run_whole("GET / HTTP/1.0\r\n\r\n").requests.size() == 1);
}

TEST_CASE("100-continue is told, any other expectation is refused") {
  CHECK(run_whole(post("Expect: 100-Continue\r\nContent-Length: 5\r\n")).requests.at(0).head.expects_continue);
  CHECK_FALSE(run_whole(post("Expect: 100-continue\r\n")).requests.at(0).head.expects_continue);
  CHECK_FALSE(run_whole("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
                  .requests.at(0)
                  .head.expects_continue);
  check_refused(post("Expect: 200-ok\r\nContent-Length: 5\r\n"), Code::kExpectationFailed);
}

TEST_CASE("the limits hold while bytes dribble in") {
  const ParserLimits limits{.header_bytes = 200, .headers = 4};
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
  const auto sized = [&](std::size_t size) { return head + std::string(size - head.size() - 4, 'x') + "\r\n\r\n"; };
  CHECK(run_whole(sized(200), limits).requests.size() == 1);
  CHECK(run_bytewise(sized(200), limits).requests.size() == 1);
  CHECK(run_whole(sized(201), limits).code == Code::kHeaderTooLarge);
  CHECK(run_bytewise(sized(201), limits).code == Code::kHeaderTooLarge);
  // No line end is needed to be told.
  CHECK(run_bytewise("GET /" + std::string(300, 'x'), limits).code == Code::kHeaderTooLarge);
  CHECK(run_whole("GET /" + std::string(300, 'x'), limits).code == Code::kHeaderTooLarge);
  // Bytes of the body do not count, wherever the head ends.
  const std::string with_body = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" + std::string(1000, 'b');
  CHECK(run_whole(with_body, limits).requests.at(0).complete);
  CHECK(run_bytewise(with_body, limits).requests.at(0).complete);
  const auto fields = [&](int n) {
    std::string out = "GET / HTTP/1.1\r\nHost: a\r\n";
    for (int i = 1; i < n; ++i) out += "a: b\r\n";
    return out;
  };
  CHECK(run_whole(fields(4) + "\r\n", limits).requests.size() == 1);
  CHECK(run_whole(fields(5) + "\r\n", limits).code == Code::kHeaderTooLarge);
  CHECK(run_bytewise(fields(5), limits).code == Code::kHeaderTooLarge);
  // Trailers have the same limits.
  const std::string body = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
  CHECK(run_whole(body + "a: b\r\na: b\r\na: b\r\na: b\r\n\r\n", limits).requests.at(0).complete);
  CHECK(run_whole(body + "a: b\r\na: b\r\na: b\r\na: b\r\na: b\r\n", limits).code == Code::kHeaderTooLarge);
  CHECK(run_bytewise(body + "a: " + std::string(300, 'x'), limits).code == Code::kHeaderTooLarge);
  CHECK(run_whole(body + "a: " + std::string(100, 'x') + "\r\na: " + std::string(100, 'x') + "\r\n", limits).code ==
        Code::kHeaderTooLarge);
  // The grammar's own bound of 80 KiB caps what can be asked for.
  const ParserLimits wide{.header_bytes = 1u << 20, .headers = 4};
  CHECK(run_whole("GET /" + std::string(81 * 1024, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n", wide).code ==
        Code::kHeaderTooLarge);
  CHECK(run_whole("GET /" + std::string(79 * 1024, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n", wide).requests.size() == 1);
}

TEST_CASE("a failed connection stays failed, with the same words") {
  Recorder recorder;
  RequestParser parser(recorder, {});
  const auto first = parser.feed("GET / HTTP/1.1\n");
  REQUIRE_FALSE(first);
  const auto second = parser.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE_FALSE(second);
  CHECK(second.error().message == first.error().message);
  CHECK(recorder.requests.empty());
  CHECK_FALSE(parser.idle());
}

TEST_CASE("in_head and idle say where the parser stands") {
  Recorder recorder;
  RequestParser parser(recorder, {});
  CHECK(parser.idle());
  REQUIRE(parser.feed("\r\n"));
  CHECK(parser.idle());
  CHECK_FALSE(parser.in_head());
  REQUIRE(parser.feed("P"));
  CHECK(parser.in_head());
  CHECK_FALSE(parser.idle());
  REQUIRE(parser.feed("OST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na"));
  CHECK_FALSE(parser.in_head());
  CHECK_FALSE(parser.idle());
  REQUIRE(parser.feed("b"));
  CHECK(parser.idle());
}
