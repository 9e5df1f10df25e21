// Each fault as it looks on the wire.
#include <catch2/catch.hpp>

#include <chrono>
#include <string>

#include "sluice/simulator.hpp"
#include "unit/sim/client.hpp"
#include "unit/sim/rig.hpp"

using namespace sluice;
using namespace sluice::sim;
using namespace std::chrono_literals;
using testing::Fault;
using testing::Script;
using testing::SimServer;
using Kind = Fault::Kind;

namespace {

SimServer serve(std::uint64_t seed = 7) {
  auto server = SimServer::start(seed);
  REQUIRE(server);
  return std::move(*server);
}

std::string body_of(std::string_view received) { return std::string(received.substr(received.find("\r\n\r\n") + 4)); }

}  // namespace

TEST_CASE("a status and an error in the stream look like the service's") {
  SimServer server = serve();
  Client client(server.port());
  server.configure([](Script& script) { script.fails_with(503).times(1).header("x-extra", "1"); });
  client.send(Client::chat(true));
  auto answer = client.answer();
  REQUIRE(answer);
  CHECK(answer->head.starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
  CHECK(answer->head.find("x-extra: 1\r\n") != std::string::npos);
  server.configure([](Script& script) {
    Fault broken = fault(Kind::kErrorInStream);
    broken.after_events = 2;
    script.fails(broken);
  });
  client.send(Client::chat(true));
  answer = client.answer();
  REQUIRE(answer);
  CHECK(answer->status == 200);
  const auto list = events(answer->body);
  REQUIRE(list.size() == 3);
  CHECK(Parsed(list[2]).text("/error/type") == "server_error");
}

TEST_CASE("cut is a FIN and reset an RST after exactly the bytes asked for") {
  SimServer server = serve();
  for (const Kind kind : {Kind::kCut, Kind::kReset}) {
    for (const bool stream : {true, false}) {
      for (const std::size_t at : {0, 1, 100, 301}) {
        server.configure([&](Script& script) {
          Fault broken = fault(kind);
          broken.at_byte = at;
          script.answers("one two three").fails(broken);
        });
        Client client(server.port());
        client.send(Client::chat(stream));
        CHECK(client.until_end() == (kind == Kind::kCut ? Client::End::kFin : Client::End::kReset));
        const std::string body = body_of(client.received());
        CHECK((stream ? dechunked(body) : body).size() == at);
        CHECK_FALSE(body.ends_with("0\r\n\r\n"));
      }
    }
  }
}

TEST_CASE("a reset waits until its client has the bytes before it") {
  SimServer server = serve();
  server.configure([](Script& script) {
    Fault broken = fault(Kind::kReset);
    broken.at_byte = 8'000'000;
    script.body("text/plain", std::string(9'000'000, 'x')).fails(broken);
  });
  Client client(server.port());
  client.send(Client::chat(false));
  CHECK(client.until_end() == Client::End::kReset);
  CHECK(body_of(client.received()).size() == 8'000'000);
}

TEST_CASE("a stall sends nothing more and keeps the connection until the client leaves") {
  SimServer server = serve();
  server.configure([](Script& script) {
    Fault broken = fault(Kind::kStall);
    broken.at_byte = 50;
    script.fails(broken);
  });
  Client client(server.port());
  client.send(Client::chat(true));
  while (dechunked(client.received().find("\r\n\r\n") == std::string::npos ? "" : body_of(client.received())).size() < 50) REQUIRE(client.more());
  CHECK(server.open_connections() == 1);
  CHECK(server.abandoned() == 0);
  client.leave();
  CHECK(server.wait_for([](const SimServer& s) { return s.abandoned() == 1 && s.open_connections() == 0; }, 10s));
}

TEST_CASE("a slow head comes a byte at a time") {
  SimServer server = serve();
  server.configure([](Script& script) {
    Fault slow = fault(Kind::kSlowHead);
    slow.step = 1ms;
    script.fails(slow);
  });
  Client client(server.port());
  const auto began = std::chrono::steady_clock::now();
  client.send(Client::chat(false));
  const auto answer = client.answer();
  REQUIRE(answer);
  CHECK(answer->status == 200);
  CHECK(std::chrono::steady_clock::now() - began >= std::chrono::milliseconds(answer->head.size()));
}

TEST_CASE("garbage is no HTTP, a hang-up no byte at all, HTML no JSON") {
  SimServer server = serve();
  server.configure([](Script& script) { script.fails(fault(Kind::kGarbage)); });
  Client garbage(server.port());
  garbage.send(Client::chat(false));
  CHECK(garbage.until_end() == Client::End::kFin);
  CHECK_FALSE(garbage.received().empty());
  CHECK_FALSE(garbage.received().starts_with("HTTP"));

  server.configure([](Script& script) { script.fails(fault(Kind::kHangUp)); });
  Client nothing(server.port());
  nothing.send(Client::chat(false));
  CHECK(nothing.until_end() == Client::End::kFin);
  CHECK(nothing.received().empty());

  server.configure([](Script& script) { script.fails(fault(Kind::kHtml)); });
  Client html(server.port());
  html.send(Client::chat(true));
  const auto answer = html.answer();
  REQUIRE(answer);
  CHECK(answer->status == 200);
  CHECK(answer->body.starts_with("<!DOCTYPE html>"));
  CHECK(server.requests() == 3);
}

TEST_CASE("a refusing server is not there: new connections, idle ones, and back again on the same port") {
  SimServer server = serve();
  Client idle(server.port());
  idle.send(Client::chat(false));
  REQUIRE(idle.answer());
  server.configure([](Script& script) { script.fails(fault(Kind::kRefuse)); });
  CHECK(idle.until_end() == Client::End::kReset);
  CHECK_FALSE(Client(server.port()).connected());
  server.configure([](Script& script) { script.fails({}); });
  Client again(server.port());
  REQUIRE(again.connected());
  again.send(Client::chat(false));
  CHECK(again.answer());
}

TEST_CASE("a counted refusal resets, and the next is answered") {
  SimServer server = serve();
  server.configure([](Script& script) { script.fails(fault(Kind::kRefuse)).times(1); });
  Client first(server.port());
  REQUIRE(first.connected());
  first.send(Client::chat(false));
  CHECK(first.until_end() == Client::End::kReset);
  CHECK(server.requests() == 0);
  Client second(server.port());
  second.send(Client::chat(false));
  CHECK(second.answer());
}

TEST_CASE("a fault in a window of real time comes and goes") {
  SimServer server = serve();
  server.configure([](Script& script) { script.fails(fault(Kind::kRefuse)).from(0s).until(150ms); });
  const auto began = std::chrono::steady_clock::now();
  bool refused = false, connected = false;
  // The window may have closed before the first try on a busy machine; it must have closed in the end.
  while (!connected && std::chrono::steady_clock::now() - began < 10s) {
    Client client(server.port());
    connected = client.connected();
    refused = refused || !connected;
  }
  CHECK(connected);
  if (refused) CHECK(std::chrono::steady_clock::now() - began > 50ms);
}
