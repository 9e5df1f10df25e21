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

TEST_CASE("three thousand transfers at 64 in flight use at most 64 connections and lose nothing") {
  FaultServer server(FaultServer::Options{nullptr, false, "127.0.0.1", 0, false});
  server.on_request([](const RawRequest& request) { return Reply::ok(request.body); });
  TransportRig rig;
  auto channel = rig.open(endpoint_of(server));
  constexpr int kAll = 3000, kAtOnce = 64;
  std::vector<std::unique_ptr<Recorder>> sinks;
  int started = 0, done = 0, wrong = 0, reused = 0;
  std::function<void()> next = [&] {
    auto& sink = *sinks.emplace_back(std::make_unique<Recorder>());
    const std::string body = "body " + std::to_string(started++);
    sink.when_done = [&, body] {
      ++done;
      wrong += sink.end.code == Code::kOk && sink.body == body && sink.end.sends == 1 && sink.end.bytes_sent == body.size() ? 0 : 1;
      reused += sink.end.reused_connection ? 1 : 0;
      if (started < kAll) next();
    };
    sink.transfer = channel->start(post(body), sink);
  };
  for (int i = 0; i < kAtOnce; ++i) next();
  REQUIRE(rig.until([&] { return done == kAll; }));
  CHECK(wrong == 0);
  CHECK(server.opened() <= kAtOnce);
  CHECK(reused == kAll - static_cast<int>(server.opened()));
  CHECK(engine::open_connections(*rig.budgets, "up") == server.opened() - server.closed());
  channel.reset();
  CHECK(engine::open_connections(*rig.budgets, "up") == 0);
  CHECK(server.wait_for([&] { return server.closed() == server.opened(); }));
}

TEST_CASE("methods and bodies go out as they were given") {
  FaultServer server;
  TransportRig rig;
  auto channel = rig.open(endpoint_of(server));
  const auto send = [&](engine::WireRequest request) {
    Recorder sink;
    auto transfer = channel->start(std::move(request), sink);
    REQUIRE(rig.until([&] { return sink.done(); }));
    CHECK(sink.end.code == Code::kOk);
    return server.requests().back();
  };
  const auto with_method = [](engine::WireRequest request, std::string method) {
    request.method = std::move(method);
    return request;
  };
  // One channel, one handle, in an order in which every leftover of the request before would show.
  CHECK(send(with_method(post("{}"), "PUT")).head.rfind("PUT /v1/chat/completions HTTP/1.1\r\n", 0) == 0);
  const auto head = send(with_method(get(), "HEAD"));
  CHECK(head.method == "HEAD");
  CHECK_FALSE(head.header("content-length"));
  CHECK(send(get()).method == "GET");
  CHECK(send(with_method(get(), "DELETE")).method == "DELETE");
  const auto empty = send(with_method(get(), "POST"));
  CHECK(empty.header("content-length") == "0");
  CHECK_FALSE(empty.header("content-type"));
  const auto searched = send(with_method(post("{\"q\":1}"), "GET"));
  CHECK(searched.method == "GET");
  CHECK(searched.body == "{\"q\":1}");
  const auto plain = send(post("{\"a\":1}"));
  CHECK(plain.body == "{\"a\":1}");
  CHECK(plain.header("content-type") == "application/json");
  for (const char* name : {"expect", "accept", "user-agent", "connection", "transfer-encoding"}) CHECK_FALSE(plain.header(name));

  for (const std::size_t size : {std::size_t{1000}, std::size_t{65535}, std::size_t{65536}, std::size_t{3} << 20}) {
    std::string text(size, 'x');
    for (std::size_t i = 0; i < size; i += 97) text[i] = static_cast<char>('a' + i % 23);
    CHECK(send(post(text)).body == text);
    auto request = post(text);
    request.body.replace(0, 1, "[");
    request.body.replace(size / 2, 3, "");
    request.body.replace(size, 0, "]]]");
    const std::string edited = request.body.to_string();
    const auto seen = send(std::move(request));
    CHECK(seen.body == edited);
    CHECK_FALSE(seen.header("expect"));
  }
}

TEST_CASE("fields that belong to the transport or to one hop are not the caller's to set") {
  FaultServer server;
  TransportRig rig;
  auto endpoint = endpoint_of(server);
  endpoint.authority = "models.example";
  auto channel = rig.open(endpoint);
  Recorder sink;
  auto request = post("{}");
  for (const char* name : {"Host", "Content-Length", "Connection", "Accept-Encoding", "Transfer-Encoding", "Expect", "TE", "Upgrade",
                           "Keep-Alive", "Trailer", "Proxy-Connection", "Proxy-Authorization"}) {
    request.headers.add_trusted(name, "13");
  }
  request.headers.add_trusted("X-Empty", "");
  request.headers.add_trusted("Authorization", "Bearer k");
  auto transfer = channel->start(std::move(request), sink);
  REQUIRE(rig.until([&] { return sink.done(); }));
  CHECK(server.requests().at(0).head ==
        "POST /v1/chat/completions HTTP/1.1\r\nHost: models.example\r\ncontent-type: application/json\r\nX-Empty:\r\n"
        "Authorization: Bearer k\r\nAccept-Encoding: identity\r\nContent-Length: 2\r\n\r\n");
}
