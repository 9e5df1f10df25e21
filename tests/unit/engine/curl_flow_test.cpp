// Pausing, cancelling, and what happens below: connections that die, requests that go out twice.

#include <catch2/catch.hpp>

#include <random>

#include "transfers.hpp"

using namespace std::chrono_literals;
using namespace sluice::testing;
using sluice::Code;
namespace engine = sluice::engine;

namespace {

std::string numbered(std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += std::to_string(text.size()) + ' ';
  return text;
}

}  // namespace

TEST_CASE("a slow reader gets every byte in order, and no call while it pauses") {
  const std::string text = numbered(3u << 20);
  const bool chunked = GENERATE(false, true);
  const bool streaming = GENERATE(false, true);
  FaultServer server;
  server.on_request([&](const RawRequest&) {
    return chunked ? Reply::chunked().chunk(text.substr(0, 1000)).chunk(text.substr(1000)).end_chunks() : Reply::ok(text);
  });
  TransportRig rig;
  auto channel = rig.open(endpoint_of(server));
  Recorder sink;
  int while_paused = 0;
  bool paused = false;
  sink.when_bytes = [&] {
    while_paused += paused ? 1 : 0;
    sink.transfer->pause();
    paused = true;
  };
  auto request = get();
  request.streaming = streaming;
  sink.transfer = channel->start(std::move(request), sink);
  while (!sink.done()) {
    REQUIRE(rig.until([&] { return paused || sink.done(); }));
    rig.settle();
    if (!std::exchange(paused, false)) continue;
    sink.transfer->resume();
  }
  CHECK(sink.end.code == Code::kOk);
  CHECK(sink.body == text);
  CHECK(while_paused == 0);
  CHECK(sink.largest <= (streaming ? 2048u : 16384u));
}

TEST_CASE("a paused transfer neither spins nor holds up another") {
  FaultServer server;
  server.on_request([&](const RawRequest& request) {
    return request.target == "/slow" ? Reply::chunked().repeat("400\r\n" + std::string(1024, 'x') + "\r\n", 20'000).end_chunks() : Reply::ok();
  });
  TransportRig rig;
  auto channel = rig.open(endpoint_of(server));
  Recorder slow, quick;
  slow.when_bytes = [&] { slow.transfer->pause(); };
  slow.transfer = channel->start(get("/slow"), slow);
  REQUIRE(rig.until([&] { return !slow.body.empty(); }));
  rig.settle();
  const std::size_t held = slow.body.size();
  CHECK(held <= 65536);
  quick.transfer = channel->start(get("/quick"), quick);
  REQUIRE(rig.until([&] { return quick.done(); }));
  rig.settle();
  std::size_t calls = 0;
  for (int i = 0; i < 5; ++i) calls += rig.loop->turn(rig.loop->refresh_now() + 2ms);
  CHECK(calls <= 2);  // nothing happens, so the loop must sleep
  CHECK(slow.body.size() == held);
  slow.transfer.reset();
  CHECK(server.wait_for([&] { return server.reads_closed() >= 1; }));
}

TEST_CASE("a paused transfer whose peer resets does not spin") {
  FaultServer server;
  server.on_request([&](const RawRequest&) { return Reply::chunked().chunk(std::string(100'000, 'x')).then_wait("go").then_reset(); });
  TransportRig rig;
  auto channel = rig.open(endpoint_of(server));
  Recorder sink;
  sink.when_bytes = [&] { sink.transfer->pause(); };
  sink.transfer = channel->start(get(), sink);
  REQUIRE(rig.until([&] { return !sink.body.empty(); }));
  server.open("go");
  REQUIRE(server.wait_for([&] { return server.closed() == 1; }));
  rig.settle();
  std::size_t calls = 0;
  for (int i = 0; i < 5; ++i) calls += rig.loop->turn(rig.loop->refresh_now() + 2ms);
  CHECK(calls <= 2);
  CHECK(sink.ends == 0);
  sink.when_bytes = nullptr;
  sink.transfer->resume();
  REQUIRE(rig.until([&] { return sink.done(); }));
  CHECK(sink.end.code != Code::kOk);
}

TEST_CASE("a decoded answer may be paused between any two pieces and still ends in order") {
  FaultServer server;
  TransportRig rig;
  auto endpoint = endpoint_of(server);
  endpoint.compressed = true;
  auto channel = rig.open(endpoint);
  const std::string plain = numbered(64 * 1024);
  // Stored deflate blocks, made by hand.
  std::string bytes("\x78\x01", 2);
  std::uint32_t a = 1, b = 0;
  for (std::size_t at = 0; at < plain.size();) {
    const std::size_t n = std::min<std::size_t>(plain.size() - at, 65535);
    const auto size = static_cast<std::uint16_t>(n);
    bytes += static_cast<char>(at + n == plain.size() ? 1 : 0);
    for (const std::uint16_t half : {size, static_cast<std::uint16_t>(~size)}) {
      bytes += static_cast<char>(half & 0xff);
      bytes += static_cast<char>(half >> 8);
    }
    bytes.append(plain, at, n);
    at += n;
  }
  for (const char c : plain) {
    a = (a + static_cast<unsigned char>(c)) % 65521;
    b = (b + a) % 65521;
  }
  for (const std::uint32_t byte : {b >> 8, b & 0xff, a >> 8, a & 0xff}) bytes += static_cast<char>(byte);
  server.on_request([&](const RawRequest&) { return Reply::ok(bytes, "Content-Encoding: deflate\r\n"); });
  Recorder sink;
  bool paused = false;
  int while_paused = 0;
  sink.when_bytes = [&] {
    while_paused += paused ? 1 : 0;
    sink.transfer->pause();
    paused = true;
  };
  sink.transfer = channel->start(get(), sink);
  while (!sink.done()) {
    REQUIRE(rig.until([&] { return paused || sink.done(); }));
    rig.settle();
    CHECK((!paused || !sink.done() || sink.body == plain));
    if (std::exchange(paused, false) && !sink.done()) sink.transfer->resume();
  }
  CHECK(while_paused == 0);
  CHECK(sink.end.code == Code::kOk);
  CHECK(sink.body == plain);
}

TEST_CASE("a transfer dropped at any stage tells nobody, closes its connection and leaves no descriptor") {  // STREAM-06, STREAM-08
  const std::string stage = GENERATE(as<std::string>{}, "at once", "connected", "sent", "head", "bytes", "paused", "between", "done");
  CAPTURE(stage);
  FaultServer server;
  server.on_request([](const RawRequest& request) {
    if (request.target == "/silent") return Reply::nothing().then_stall();
    return Reply::chunked().chunk("first").then_wait("more").chunk("second").end_chunks();
  });
  TransportRig rig;
  const std::size_t before = open_descriptors() - server.opened() + server.closed();
  {
    auto channel = rig.open(endpoint_of(server));
    Recorder sink;
    const auto drop = [&] { sink.transfer.reset(); };
    if (stage == "connected") sink.when_connected = drop;
    if (stage == "head") sink.when_head = drop;
    if (stage == "bytes") sink.when_bytes = drop;
    if (stage == "done") sink.when_done = drop;
    if (stage == "paused") sink.when_bytes = [&] { sink.transfer->pause(); };
    sink.transfer = channel->start(get(stage == "sent" ? "/silent" : "/"), sink);
    if (stage == "at once") drop();
    if (stage == "sent") {
      REQUIRE(rig.until([&] { return server.request_count() == 1; }));
      drop();
    }
    if (stage == "between" || stage == "paused") {
      REQUIRE(rig.until([&] { return !sink.body.empty(); }));
      rig.settle();
      drop();
    }
    if (stage == "done") {
      server.open("more");
      REQUIRE(rig.until([&] { return sink.done(); }));
      CHECK(sink.end.code == Code::kOk);
      CHECK(sink.body == "firstsecond");
    } else if (stage != "at once") {
      REQUIRE(rig.until([&] { return sink.transfer == nullptr; }));
      rig.settle();
      CHECK(engine::open_connections(*rig.budgets, "up") == 0);  // closed in the turn that dropped it
      CHECK(server.wait_for([&] { return server.closed() == server.opened(); }, 1000ms));
    }
    rig.settle();
    CHECK(sink.ends == (stage == "done" ? 1 : 0));
    // The channel goes on.
    server.on_request([](const RawRequest&) { return Reply::ok("next"); });
    Recorder next;
    next.transfer = channel->start(get(), next);
    REQUIRE(rig.until([&] { return next.done(); }));
    CHECK(next.body == "next");
  }
  REQUIRE(server.wait_for([&] { return server.closed() == server.opened(); }));
  CHECK(open_descriptors() == before);
}

TEST_CASE("a sink may drop another transfer, start one, or end its channel inside any call") {
  FaultServer server;
  server.on_request([](const RawRequest& request) {
    return request.target == "/stream" ? Reply::chunked().chunk("x").then_stall() : Reply::ok("whole");
  });
  TransportRig rig;
  auto channel = rig.open(endpoint_of(server));
  Recorder victim, actor, third;
  victim.transfer = channel->start(get("/stream"), victim);
  REQUIRE(rig.until([&] { return !victim.body.empty(); }));
  const std::string when = GENERATE(as<std::string>{}, "connected", "head", "bytes", "done");
  CAPTURE(when);
  const auto act = [&] {
    victim.transfer.reset();
    third.transfer = channel->start(get("/third"), third);
  };
  if (when == "connected") actor.when_connected = act;
  if (when == "head") actor.when_head = act;
  if (when == "bytes") actor.when_bytes = act;
  if (when == "done") actor.when_done = act;
  actor.transfer = channel->start(get("/actor"), actor);
  REQUIRE(rig.until([&] { return actor.done() && third.done(); }));
  CHECK(victim.ends == 0);
  CHECK(third.body == "whole");

  Recorder last;
  const auto end_all = [&] { channel.reset(); };
  if (when == "connected") last.when_connected = end_all;
  if (when == "head") last.when_head = end_all;
  if (when == "bytes") last.when_bytes = end_all;
  if (when == "done") last.when_done = end_all;
  last.transfer = channel->start(get("/last"), last);
  REQUIRE(rig.until([&] { return channel == nullptr; }));
  rig.settle();
  CHECK(last.ends == (when == "done" ? 1 : 0));
  CHECK(engine::open_connections(*rig.budgets, "up") == 0);
}

TEST_CASE("a request that libcurl sends again by itself is counted") {  // BAL-39
  FaultServer server;
  std::atomic<bool> drop{false};
  server.on_request([&](const RawRequest& request) {
    if (drop && request.on_connection > 1) return Reply::nothing().then_close();
    return Reply::ok(request.body);
  });
  TransportRig rig;
  auto channel = rig.open(endpoint_of(server));
  const auto send = [&](engine::WireRequest request, Recorder& sink) {
    sink.transfer = channel->start(std::move(request), sink);
    REQUIRE(rig.until([&] { return sink.done(); }));
  };
  Recorder first;
  send(post("one"), first);
  drop = true;
  SECTION("a small body") {
    Recorder second;
    send(post("two"), second);
    CHECK(second.end.code == Code::kOk);
    CHECK(second.body == "two");
    CHECK(second.end.sends == 2);
    CHECK(second.connected == 2);
    CHECK_FALSE(second.end.reused_connection);
    CHECK(server.request_count() == 3);
  }
  SECTION("a large edited body is sent again from its first byte") {
    Recorder second;
    auto request = post(numbered(300'000));
    request.body.replace(0, 1, "edited ");
    const std::string expected = request.body.to_string();
    send(std::move(request), second);
    CHECK(second.end.code == Code::kOk);
    CHECK(second.body == expected);
    CHECK(second.end.sends == 2);
  }
  SECTION("never where the request must not be repeated") {
    Recorder second;
    auto request = post("two");
    request.repeatable = false;
    send(std::move(request), second);
    CHECK(second.end.code == Code::kOk);
    CHECK(second.end.sends == 1);
    CHECK_FALSE(second.end.reused_connection);
    CHECK(server.request_count() == 2);
  }
}

TEST_CASE("an idle connection its peer closes is noticed, costs nothing and is not used") {
  FaultServer server;
  TransportRig rig;
  auto channel = rig.open(endpoint_of(server));
  Recorder first, second;
  first.transfer = channel->start(post("a"), first);
  REQUIRE(rig.until([&] { return first.done(); }));
  CHECK(engine::open_connections(*rig.budgets, "up") == 1);
  const std::size_t with_one = open_descriptors();
  server.close_idle();
  REQUIRE(server.wait_for([&] { return server.closed() == 1; }));
  REQUIRE(rig.until([&] { return engine::open_connections(*rig.budgets, "up") == 0; }));
  rig.settle();
  CHECK(open_descriptors() < with_one - 1);  // theirs and ours
  std::size_t calls = 0;
  for (int i = 0; i < 5; ++i) calls += rig.loop->turn(rig.loop->refresh_now() + 2ms);
  CHECK(calls == 0);
  second.transfer = channel->start(post("b"), second);
  REQUIRE(rig.until([&] { return second.done(); }));
  CHECK(second.end.code == Code::kOk);
  CHECK(second.end.sends == 1);
}

TEST_CASE("streams cancelled at random points leave everything as it was") {  // STREAM-09
  FaultServer server(FaultServer::Options{nullptr, false, "127.0.0.1", 0, false});
  server.on_request([](const RawRequest&) {
    Reply reply = Reply::chunked();
    for (int i = 0; i < 20; ++i) reply.chunk("data: {\"n\":1}\n\n");
    return reply.in_pieces(40).end_chunks();
  });
  TransportRig rig;
  const std::size_t before = open_descriptors();
  auto channel = rig.open(endpoint_of(server));
  std::mt19937 random(42);
  constexpr int kAll = 10'000, kAtOnce = 100;
  int started = 0, finished = 0, cancelled = 0, wrong = 0;
  struct Stream {
    Recorder sink;
    int left = 0;
  };
  std::vector<std::unique_ptr<Stream>> streams;
  std::function<void(Stream&)> begin = [&](Stream& stream) {
    stream.sink = Recorder();
    stream.left = static_cast<int>(random() % 30);
    const auto step = [&] {
      if (stream.left-- > 0) return;
      stream.sink.transfer.reset();
      ++cancelled;
    };
    stream.sink.when_connected = stream.sink.when_head = stream.sink.when_bytes = step;
    stream.sink.when_done = [&] {
      ++finished;
      wrong += stream.sink.end.code == Code::kOk && stream.sink.body.size() == 300 ? 0 : 1;
    };
    auto request = get();
    request.streaming = true;
    ++started;
    stream.sink.transfer = channel->start(std::move(request), stream.sink);
    if (random() % 50 == 0) {
      stream.sink.transfer.reset();
      ++cancelled;
    }
  };
  for (int i = 0; i < kAtOnce; ++i) begin(*streams.emplace_back(std::make_unique<Stream>()));
  REQUIRE(rig.until([&] {
    for (auto& stream : streams) {
      if (started < kAll && (stream->sink.done() || stream->sink.transfer == nullptr)) begin(*stream);
    }
    return finished + cancelled == kAll;
  }, 60s));
  CHECK(wrong == 0);
  CHECK(cancelled > 1000);
  CHECK(finished > 1000);
  streams.clear();
  channel.reset();
  rig.settle();
  CHECK(engine::open_connections(*rig.budgets, "up") == 0);
  REQUIRE(server.wait_for([&] { return server.closed() == server.opened(); }));
  CHECK(open_descriptors() == before);
}

TEST_CASE("closing a channel with live streams returns at once and closes them") {  // STREAM-09
  FaultServer server;
  server.on_request([](const RawRequest&) { return Reply::chunked().chunk("x").then_stall(); });
  TransportRig rig;
  auto channel = rig.open(endpoint_of(server));
  std::vector<std::unique_ptr<Recorder>> sinks;
  for (int i = 0; i < 200; ++i) {
    auto& sink = *sinks.emplace_back(std::make_unique<Recorder>());
    sink.transfer = channel->start(get(), sink);
  }
  REQUIRE(rig.until([&] { return std::all_of(sinks.begin(), sinks.end(), [](const auto& sink) { return !sink->body.empty(); }); }));
  channel.reset();
  CHECK(engine::open_connections(*rig.budgets, "up") == 0);
  rig.settle();
  for (const auto& sink : sinks) CHECK(sink->ends == 0);
  CHECK(server.wait_for([&] { return server.closed() == 200; }));
}
