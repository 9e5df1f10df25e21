// Whole transfers over libcurl against a server that does what it is told.

#include "engine/curl_transport.hpp"

#include <catch2/catch.hpp>

#include "transfers.hpp"

using namespace std::chrono_literals;
using namespace sluice::testing;
using sluice::Code;
namespace engine = sluice::engine;

TEST_CASE("a GET brings its head, its body and one end") {
  const auto backend = GENERATE(engine::Backend::kEpoll, engine::Backend::kPoll);
  FaultServer server;
  server.on_request([](const RawRequest&) { return Reply::ok("hello", "X-One: 1\r\nConnection: keep-alive, X-Hop\r\nX-Hop: no\r\n"); });
  TransportRig rig(nullptr, nullptr, backend);
  auto channel = rig.open(endpoint_of(server));
  Recorder sink;
  auto transfer = channel->start(get("/a//b/../c?x=%2F"), sink);
  CHECK(sink.ends == 0);
  REQUIRE(rig.until([&] { return sink.done(); }));
  CHECK(sink.end.code == Code::kOk);
  CHECK(sink.connected == 1);
  CHECK(sink.heads == 1);
  CHECK(sink.head.status == 200);
  CHECK(sink.head.headers.get("x-one") == "1");
  CHECK(sink.head.headers.get("content-length") == "5");
  CHECK_FALSE(sink.head.headers.contains("connection"));
  CHECK_FALSE(sink.head.headers.contains("x-hop"));
  CHECK(sink.body == "hello");
  CHECK(sink.end.sends == 1);
  CHECK(sink.end.bytes_received == 5);
  CHECK_FALSE(sink.end.reused_connection);
  CHECK(sink.end.remote_address == server.authority());
  CHECK(sink.end.total >= sink.end.first_byte);
  CHECK(sink.end.first_byte >= sink.end.connect);
  const auto seen = server.requests();
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].head == "GET /a//b/../c?x=%2F HTTP/1.1\r\nHost: " + server.authority() + "\r\nAccept-Encoding: identity\r\n\r\n");
}
