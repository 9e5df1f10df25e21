// What upstreams answer, well and badly, and what the transport makes of it.

#include <catch2/catch.hpp>
#include <zlib.h>

#include "transfers.hpp"

using namespace std::chrono_literals;
using namespace sluice::testing;
using sluice::Code;
namespace engine = sluice::engine;

namespace {

/// A server that always gives `reply`, and one exchange with it.
struct Exchange {
  explicit Exchange(Reply reply, const std::function<void(engine::Endpoint&)>& change = {}) {
    server.on_request([reply](const RawRequest&) { return reply; });
    auto endpoint = endpoint_of(server);
    if (change) change(endpoint);
    channel = rig.open(endpoint);
    send();
  }
  void send(engine::WireRequest request = get()) {
    sink = std::make_unique<Recorder>();
    sink->transfer = channel->start(std::move(request), *sink);
    REQUIRE(rig.until([&] { return sink->done(); }));
    CHECK(sink->ends == 1);
  }
  FaultServer server;
  TransportRig rig;
  std::unique_ptr<engine::Channel> channel;
  std::unique_ptr<Recorder> sink;
};

std::string deflate(const std::string& text, int window_bits) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, window_bits, 9, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}
std::string gzip(const std::string& text) { return deflate(text, 15 + 16); }

void compressed(engine::Endpoint& endpoint) { endpoint.compressed = true; }

std::size_t resident_bytes() {
  std::FILE* const file = std::fopen("/proc/self/statm", "r");
  unsigned long total = 0, resident = 0;
  REQUIRE(std::fscanf(file, "%lu %lu", &total, &resident) == 2);
  std::fclose(file);
  return resident * 4096;
}

}  // namespace

TEST_CASE("chunked, close-delimited and empty answers end well") {
  SECTION("chunked, cut anywhere") {
    Reply reply = Reply::chunked();
    reply.in_pieces(1).chunk("one").chunk("two").then("0\r\nX-Trailer: dropped\r\n\r\n");
    Exchange exchange(reply);
    CHECK(exchange.sink->end.code == Code::kOk);
    CHECK(exchange.sink->body == "onetwo");
    CHECK(exchange.sink->heads == 1);
    CHECK_FALSE(exchange.sink->head.headers.contains("transfer-encoding"));
    CHECK_FALSE(exchange.sink->head.headers.contains("x-trailer"));
  }
  SECTION("until the connection closes") {
    Exchange exchange(Reply::raw("HTTP/1.1 200 OK\r\n\r\nall of it").then_close());
    CHECK(exchange.sink->end.code == Code::kOk);
    CHECK(exchange.sink->body == "all of it");
  }
  SECTION("no content") {
    Exchange exchange(Reply::raw("HTTP/1.1 204 No Content\r\n\r\n"));
    CHECK(exchange.sink->end.code == Code::kOk);
    CHECK(exchange.sink->head.status == 204);
    CHECK(exchange.sink->body.empty());
  }
  SECTION("an error status is an answer like any other") {
    Exchange exchange(Reply::status(503, "later", "Retry-After: 3\r\n"));
    CHECK(exchange.sink->end.code == Code::kOk);
    CHECK(exchange.sink->head.status == 503);
    CHECK(exchange.sink->body == "later");
  }
}

TEST_CASE("interim heads are swallowed, a switch of protocols is refused") {
  SECTION("100 and 103") {
    Exchange exchange(Reply::raw("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\n"
                                 "Content-Length: 2\r\n\r\nok"));
    CHECK(exchange.sink->end.code == Code::kOk);
    CHECK(exchange.sink->heads == 1);
    CHECK(exchange.sink->head.status == 200);
    CHECK_FALSE(exchange.sink->head.headers.contains("link"));
  }
  SECTION("101") {
    Exchange exchange(Reply::raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"));
    CHECK(exchange.sink->end.code == Code::kUpstreamProtocolError);
    CHECK(exchange.sink->heads == 0);
  }
}

TEST_CASE("an answer that ends too early says so") {
  SECTION("short of its length") {
    Exchange exchange(Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").then_close());
    CHECK(exchange.sink->end.code == Code::kUpstreamTruncated);
    CHECK(exchange.sink->body == "half");
  }
  SECTION("inside a chunk") {  // STREAM-01 at the transport
    Exchange exchange(Reply::chunked().chunk("one").then("5\r\ntw").then_close());
    CHECK(exchange.sink->end.code == Code::kUpstreamTruncated);
  }
  SECTION("before the last chunk") {
    Exchange exchange(Reply::chunked().chunk("one").then_close());
    CHECK(exchange.sink->end.code == Code::kUpstreamTruncated);
  }
  SECTION("reset inside the body") {
    Exchange exchange(Reply::chunked().chunk("one").then_reset());
    CHECK((exchange.sink->end.code == Code::kUpstreamReset || exchange.sink->end.code == Code::kUpstreamTruncated));
  }
  SECTION("without a byte") {
    Exchange exchange(Reply::nothing().then_close());
    CHECK(exchange.sink->end.code == Code::kUpstreamReset);
    CHECK(exchange.sink->heads == 0);
    CHECK(exchange.sink->end.sends == 1);
  }
  SECTION("reset without a byte") {
    Exchange exchange(Reply::nothing().then_reset());
    CHECK(exchange.sink->end.code == Code::kUpstreamReset);
  }
  SECTION("inside the head") {
    Exchange exchange(Reply::raw("HTTP/1.1 200 OK\r\nContent-Le").then_close());
    CHECK(exchange.sink->end.code != Code::kOk);
    CHECK(exchange.sink->heads == 0);
  }
  SECTION("before a connection stood") {
    Exchange exchange(Reply::ok());
    exchange.channel.reset();
    engine::Endpoint nobody = endpoint_of(exchange.server);
    {
      FaultServer gone;
      nobody.port = gone.port();
    }
    exchange.channel = exchange.rig.open(nobody);
    exchange.send();
    CHECK(exchange.sink->end.code == Code::kUpstreamConnectFailed);
    CHECK(exchange.sink->end.sends == 0);
    CHECK(exchange.sink->end.detail.find("refused") != std::string::npos);
  }
}

TEST_CASE("an upstream that states both framings is read as chunked, and its connection is not used again") {  // SEC-12
  Exchange exchange(Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"));
  CHECK(exchange.sink->end.code == Code::kOk);
  CHECK(exchange.sink->body == "hello");
  CHECK_FALSE(exchange.sink->head.headers.contains("content-length"));
  exchange.server.on_request([](const RawRequest&) { return Reply::ok(); });
  exchange.send();
  CHECK(exchange.server.opened() == 2);
  exchange.send();  // the handle has forgotten it, and keeps its connections again
  CHECK(exchange.server.opened() == 2);
}

TEST_CASE("heads that contradict themselves are protocol errors") {  // SEC-12
  const std::string status = "HTTP/1.1 200 OK\r\n";
  const std::string fields = GENERATE(as<std::string>{}, "Content-Length: 2\r\nContent-Length: 7\r\n", "Content-Length: 7\r\nContent-Length: 2\r\n",
                                      "Content-Length: 2, 7\r\n", "Content-Length: -2\r\n", "Content-Length: +2\r\n", "Content-Length: 0x2\r\n",
                                      "Content-Length: 99999999999999999999\r\n", "Content-Length:\r\n", "Transfer-Encoding: gzip, chunked\r\n",
                                      "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "No colon\r\n", "Bad name: x\r\n",
                                      "X: a\r\n folded\r\n", "X : a\r\n", "X: a\x01z\r\n");
  CAPTURE(fields);
  Exchange exchange(Reply::raw(status + fields + "\r\nabcdefg").then_close());
  CHECK(exchange.sink->end.code == Code::kUpstreamProtocolError);
  CHECK(exchange.sink->heads == 0);
  CHECK(exchange.sink->body.empty());
}

TEST_CASE("what is no HTTP answer is a protocol error") {
  const std::string bytes = GENERATE(as<std::string>{}, "<html>hello</html>", "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 abc OK\r\n\r\n", "HTTP/1.1 999 OK\r\n\r\n",
                                     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", std::string("HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n", 27));
  CAPTURE(bytes);
  Exchange exchange(Reply::raw(bytes).then_close());
  CHECK(exchange.sink->end.code == Code::kUpstreamProtocolError);
}

TEST_CASE("a head larger than its bound is named as such, and asked for once") {  // SEC-13
  std::string head = "HTTP/1.1 200 OK\r\n";
  SECTION("one field of 90 KB and 400 of 1 KB") {
    head += "X-Big: " + std::string(90 * 1024, 'b') + "\r\n";
    for (int i = 0; i < 400; ++i) head += "X-" + std::to_string(i) + ": " + std::string(1024, 'v') + "\r\n";
  }
  SECTION("one field longer than libcurl takes") { head += "X-Big: " + std::string(200 * 1024, 'b') + "\r\n"; }
  SECTION("interim heads without end") {
    head.clear();
    for (int i = 0; i < 5000; ++i) head += "HTTP/1.1 102 Processing\r\n\r\n";
    head += "HTTP/1.1 200 OK\r\n";
  }
  Exchange exchange(Reply::raw(head + "Content-Length: 0\r\n\r\n"));
  CHECK(exchange.sink->end.code == Code::kUpstreamHeadTooLarge);
  CHECK(exchange.sink->heads == 0);
  CHECK(exchange.server.request_count() == 1);
}

TEST_CASE("a head larger than libcurl's own bound is named the same, whatever ours is") {  // SEC-13
  const auto wide = [](engine::Endpoint& endpoint) { endpoint.max_head_bytes = 8u << 20; };
  std::string head = "HTTP/1.1 200 OK\r\n";
  SECTION("one field") { head += "X-Big: " + std::string(200 * 1024, 'b') + "\r\n"; }
  SECTION("many fields") {
    for (int i = 0; i < 400; ++i) head += "X-" + std::to_string(i) + ": " + std::string(1024, 'v') + "\r\n";
  }
  Exchange exchange(Reply::raw(head + "Content-Length: 0\r\n\r\n"), wide);
  CHECK(exchange.sink->end.code == Code::kUpstreamHeadTooLarge);
  CHECK(exchange.server.request_count() == 1);
}

TEST_CASE("a redirect is an answer, and nobody follows it") {  // SEC-18
  FaultServer other;
  Exchange exchange(Reply::status(307, "", "Location: http://" + other.authority() + "/x\r\n"));
  CHECK(exchange.sink->end.code == Code::kOk);
  CHECK(exchange.sink->head.status == 307);
  CHECK(exchange.server.request_count() == 1);
  CHECK(other.opened() == 0);
}

TEST_CASE("bytes behind an answer never become the next one's head") {
  Exchange exchange(Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"));
  CHECK(exchange.sink->body == "ok");
  exchange.send();
  CHECK(exchange.sink->body == "ok");
  CHECK(exchange.server.opened() == 2);
}

TEST_CASE("an answer longer than allowed is stopped") {
  const auto bound = [](engine::Endpoint& endpoint) { endpoint.max_answer_bytes = 1000; };
  SECTION("when it says so, before its head is passed on") {
    Exchange exchange(Reply::ok(std::string(1001, 'x')), bound);
    CHECK(exchange.sink->end.code == Code::kUpstreamAnswerTooLarge);
    CHECK(exchange.sink->heads == 0);
  }
  SECTION("when it turns out so") {
    Exchange exchange(Reply::chunked().chunk(std::string(900, 'x')).chunk(std::string(101, 'x')).end_chunks(), bound);
    CHECK(exchange.sink->end.code == Code::kUpstreamAnswerTooLarge);
    CHECK(exchange.sink->body.size() <= 1000);
  }
  SECTION("exactly as long") {
    Exchange exchange(Reply::ok(std::string(1000, 'x')), bound);
    CHECK(exchange.sink->end.code == Code::kOk);
  }
}

TEST_CASE("compressed answers are decoded where that was asked for, at any split") {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "line " + std::to_string(i * i) + "\n";
  const auto [coding, bytes] = GENERATE_COPY(
      std::pair<std::string, std::string>{"gzip", gzip(text)}, std::pair<std::string, std::string>{"x-gzip", gzip(text)},
      std::pair<std::string, std::string>{"deflate", deflate(text, 15)}, std::pair<std::string, std::string>{"deflate", deflate(text, -15)},
      std::pair<std::string, std::string>{"gzip, gzip", gzip(gzip(text))}, std::pair<std::string, std::string>{"deflate, gzip", gzip(deflate(text, 15))},
      std::pair<std::string, std::string>{"gzip", gzip(text.substr(0, 5000)) + gzip(text.substr(5000))});
  const std::size_t piece = GENERATE(0u, 1u, 7u);
  CAPTURE(coding, piece);
  Reply reply = Reply::raw("HTTP/1.1 200 OK\r\nContent-Encoding: " + coding + "\r\nContent-Length: " + std::to_string(bytes.size()) + "\r\n\r\n");
  Exchange exchange(piece == 0 ? reply.then(bytes) : reply.in_pieces(piece).then(bytes), compressed);
  CHECK(exchange.sink->end.code == Code::kOk);
  CHECK(exchange.sink->body == text);
  CHECK_FALSE(exchange.sink->head.headers.contains("content-encoding"));
  CHECK_FALSE(exchange.sink->head.headers.contains("content-length"));
  CHECK(exchange.sink->end.bytes_received == bytes.size());
  CHECK(exchange.server.requests().at(0).header("accept-encoding") == "gzip, deflate");
}

TEST_CASE("encodings that were not asked for are passed as they are") {
  SECTION("nobody asked") {
    const std::string bytes = gzip("hello");
    Exchange exchange(Reply::ok(bytes, "Content-Encoding: gzip\r\n"));
    CHECK(exchange.sink->body == bytes);
    CHECK(exchange.sink->head.headers.get("content-encoding") == "gzip");
  }
  SECTION("one we do not know") {
    Exchange exchange(Reply::ok("???", "Content-Encoding: br\r\n"), compressed);
    CHECK(exchange.sink->body == "???");
    CHECK(exchange.sink->head.headers.get("content-encoding") == "br");
  }
}

TEST_CASE("broken encodings are errors") {
  const std::string bytes = gzip(std::string(100'000, 'a') + "end");
  SECTION("cut short, though the length is right") {
    Exchange exchange(Reply::ok(bytes.substr(0, bytes.size() - 9), "Content-Encoding: gzip\r\n"), compressed);
    CHECK(exchange.sink->end.code == Code::kUpstreamTruncated);
  }
  SECTION("no gzip at all") {
    Exchange exchange(Reply::ok("{\"a\":1}", "Content-Encoding: gzip\r\n"), compressed);
    CHECK(exchange.sink->end.code == Code::kUpstreamProtocolError);
  }
  SECTION("five times over") {
    Exchange exchange(Reply::ok("x", "Content-Encoding: gzip, gzip, gzip, gzip\r\nContent-Encoding: gzip\r\n"), compressed);
    CHECK(exchange.sink->end.code == Code::kUpstreamProtocolError);
  }
}

TEST_CASE("a compressed bomb is stopped before it costs memory") {  // SEC-14
  const std::string zeros(100u << 20, '\0');
  const std::string once = gzip(zeros), twice = gzip(once);
  CHECK(once.size() < 110'000);
  CHECK(twice.size() < 400);
  const auto [coding, bytes] = GENERATE_COPY(std::pair<std::string, std::string>{"gzip", once}, std::pair<std::string, std::string>{"gzip, gzip", twice});
  CAPTURE(coding);
  struct Counter final : engine::TransferSink {
    void on_head(sluice::ResponseHead&&) override { before = resident_bytes(); }
    void on_bytes(std::string_view given_bytes) override {
      seen += given_bytes.size();
      peak = std::max(peak, resident_bytes());
    }
    void on_done(const engine::TransferEnd& given) override { end = given, done = true; }
    std::size_t seen = 0, before = 0, peak = 0;
    engine::TransferEnd end;
    bool done = false;
  } sink;
  FaultServer server;
  const Reply reply = Reply::ok(bytes, "Content-Encoding: " + coding + "\r\n");
  server.on_request([reply](const RawRequest&) { return reply; });
  TransportRig rig;
  auto endpoint = endpoint_of(server);
  endpoint.compressed = true;
  auto channel = rig.open(endpoint);
  auto transfer = channel->start(get(), sink);
  REQUIRE(rig.until([&] { return sink.done; }));
  CHECK(sink.end.code == Code::kUpstreamDecodedTooLarge);
  CHECK(sink.seen <= 24u << 20);  // the ratio stops it, well before the 32 MiB do
  CHECK(sink.seen >= (1u << 20));
  CHECK(sink.peak - sink.before < (8u << 20));
}

TEST_CASE("the bound on decoded bytes holds below the ratio too") {
  std::string text;
  for (int i = 0; text.size() < 300'000; ++i) text += std::to_string(i * 7919);
  Exchange exchange(Reply::ok(gzip(text), "Content-Encoding: gzip\r\n"), [](engine::Endpoint& endpoint) {
    endpoint.compressed = true;
    endpoint.max_decoded_bytes = 200'000;
  });
  CHECK(exchange.sink->end.code == Code::kUpstreamDecodedTooLarge);
  CHECK(exchange.sink->body.size() <= 200'000);
}
