// The simulated server over real loopback sockets: the answers of the in-process transport, requests and their ends. Faults
// are in server_faults_test.cpp.
#include <catch2/catch.hpp>

#include <algorithm>

#include <cctype>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "sim/text.hpp"
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

}  // namespace

TEST_CASE("the server says what the in-process transport says, of the same seed and script") {
  SimServer server = serve(11);
  server.configure([](Script& script) { script.generates(40); });
  Rig rig(11 ^ stable_hash("one"));  // a stage mixes the name in: undone here
  rig.script().generates(40);
  Client client(server.port());
  const auto strip = [](std::string text) {  // the civil time differs
    for (std::size_t at = text.find("\"created\":"); at != std::string::npos; at = text.find("\"created\":", at + 1)) {
      std::size_t digit = at + 10;
      while (text[digit] == ' ') ++digit;
      while (std::isdigit(static_cast<unsigned char>(text[digit])) != 0) text[digit++] = '0';
    }
    return text;
  };
  for (const bool stream : {true, false}) {
    client.send(Client::chat(stream));
    const auto answer = client.answer();
    REQUIRE(answer);
    const auto heard = rig.run(Rig::post("/v1/chat/completions",
                                         stream ? R"({"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]})"
                                                : R"({"model":"m","messages":[{"role":"user","content":"hi"}]})"));
    CHECK(answer->status == 200);
    CHECK(answer->chunked == stream);
    CHECK(strip(answer->body) == strip(heard->body));
  }
  CHECK(server.connections_accepted() == 1);
  CHECK(server.requests() == 2);
}

TEST_CASE("requests are seen as they came, chunked ones put together") {
  SimServer server = serve();
  Client client(server.port());
  const std::string body = R"({"model":"m","messages":[]})";
  client.send("POST /v1/chat/completions?a=b HTTP/1.1\r\nHost: h\r\nX-Two: 1\r\nx-two: 2\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (const char c : body) client.send(std::string("1\r\n") + c + "\r\n");
  client.send("0\r\n\r\n");
  REQUIRE(client.answer());
  const auto seen = server.seen();
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].method == "POST");
  CHECK(seen[0].target == "/v1/chat/completions?a=b");
  CHECK(seen[0].body == body);
  CHECK(seen[0].headers.count("X-Two") == 2);
  server.record(false);
  client.send(Client::chat(false));
  REQUIRE(client.answer());
  CHECK(server.seen().size() == 1);
  CHECK(server.requests() == 2);
}

TEST_CASE("a request arriving byte by byte is one request") {
  SimServer server = serve();
  Client client(server.port());
  for (const char c : Client::chat(false)) client.send(std::string(1, c));
  const auto answer = client.answer();
  REQUIRE(answer);
  CHECK(answer->status == 200);
}

TEST_CASE("requests sent at once are answered one after the other") {
  SimServer server = serve();
  Client client(server.port());
  std::string all;
  for (int i = 0; i < 500; ++i) all += Client::chat(i % 2 == 0);
  std::thread sender([&] { client.send(all); });
  for (int i = 0; i < 500; ++i) {
    const auto answer = client.answer();
    REQUIRE(answer);
    CHECK(answer->chunked == (i % 2 == 0));
  }
  sender.join();
}

TEST_CASE("100-continue is said once, HEAD gets no body, HTTP/1.0 gets no chunks") {
  SimServer server = serve();
  {
    Client client(server.port());
    client.send("POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 27\r\n\r\n");
    REQUIRE(client.until("HTTP/1.1 100 Continue\r\n\r\n"));
    client.send(R"({"model":"m","messages":[]})");
    REQUIRE(client.until("HTTP/1.1 200 OK\r\n"));
  }
  {
    Client client(server.port());
    client.send("HEAD /v1/models HTTP/1.1\r\nHost: h\r\n\r\nGET /health HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    CHECK(client.until_end() == Client::End::kFin);
    CHECK(client.received().find("}") == std::string::npos);
    CHECK(client.received().find("HTTP/1.1 200 OK") != std::string::npos);
  }
  {
    Client client(server.port());
    std::string request = Client::chat(true);
    request.replace(request.find("HTTP/1.1"), 8, "HTTP/1.0");
    client.send(request);
    CHECK(client.until_end() == Client::End::kFin);
    CHECK(client.received().find("chunked") == std::string::npos);
    CHECK(client.received().ends_with("data: [DONE]\n\n"));
  }
}

TEST_CASE("what is no proper request is refused and the connection ends") {
  SimServer server = serve();
  const std::string good = "POST /v1/models HTTP/1.1\r\nHost: h\r\n";
  for (const std::string& bad : {
           std::string("nonsense\r\n\r\n"), std::string("GET / HTTP/2.0\r\n\r\n"), std::string("GET  / HTTP/1.1\r\n\r\n"),
           good + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", good + "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
           good + "Content-Length: +5\r\n\r\n", good + "Content-Length: 0x5\r\n\r\n", good + "Content-Length: \r\n\r\n",
           good + "Transfer-Encoding: xchunked\r\n\r\n", good + "Transfer-Encoding: chunked\r\n\r\n5 ;x\r\n",
           good + "Transfer-Encoding: chunked\r\n\r\n1\r\nxX\r\n", good + " folded: 1\r\n\r\n", good + "X : 1\r\n\r\n", good + "X: a\rb\r\n\r\n"}) {
    Client client(server.port());
    client.send(bad);
    INFO(bad);
    CHECK(client.until_end() != Client::End::kSilence);
    CHECK(client.received().starts_with("HTTP/1.1 400 "));
  }
  CHECK(server.requests() == 0);
}

TEST_CASE("a body split at every byte is the same body in as many chunks") {
  SimServer server = serve();
  server.configure([](Script& script) { script.answers("split me").piece_bytes(1); });
  Client client(server.port());
  client.send(Client::chat(true));
  const auto answer = client.answer();
  REQUIRE(answer);
  CHECK(answer->chunks == answer->body.size());
  CHECK(events(answer->body).back() == "[DONE]");
}

TEST_CASE("paced events leave one by one, at their time") {
  SimServer server = serve();
  server.configure([](Script& script) {
    testing::Pace pace;
    pace.first_token = 20ms;
    pace.tokens_per_second = 100;
    script.generates(20).pace(pace);
  });
  // A reader that a busy machine keeps waiting finds several sends at once: the best of a few runs shows how they left.
  std::size_t reads = 0;
  for (int run = 0; run < 5 && reads < 15; ++run) {
    Client client(server.port());
    const auto began = std::chrono::steady_clock::now();
    client.send(Client::chat(true));
    const auto answer = client.answer();
    REQUIRE(answer);
    CHECK(std::chrono::steady_clock::now() - began >= 210ms);
    CHECK(answer->chunks == 1 + 20 + 1 + 1);
    reads = std::max<std::size_t>(reads, client.reads());
  }
  CHECK(reads >= 15);
}

TEST_CASE("head and first event leave in one send") {
  // STREAM-13, the upstream's half
  SimServer server = serve();
  server.configure([](Script& script) {
    testing::Pace pace;
    pace.first_token = 10s;
    pace.tokens_per_second = 1;
    script.pace(pace);
  });
  Client client(server.port());
  client.send(Client::chat(true));
  REQUIRE(client.more());
  CHECK(client.received().find("\"role\":\"assistant\"") != std::string::npos);
}

TEST_CASE("a client that leaves is noticed, wherever it leaves") {
  // STREAM-06, the upstream's half
  SimServer server = serve();
  server.configure([](Script& script) {
    testing::Pace pace;
    pace.head = 30s;
    pace.first_token = 60s;
    script.pace(pace);
  });
  {
    Client before_head(server.port());
    before_head.send(Client::chat(true));
    REQUIRE(server.wait_for([](const SimServer& s) { return s.requests() == 1; }, 10s));
  }
  CHECK(server.wait_for([](const SimServer& s) { return s.abandoned() == 1; }, 10s));
  {
    Client before_request(server.port());
    REQUIRE(server.wait_for([](const SimServer& s) { return s.open_connections() == 1; }, 10s));
  }
  CHECK(server.wait_for([](const SimServer& s) { return s.open_connections() == 0; }, 10s));
  CHECK(server.abandoned() == 1);
}

TEST_CASE("a slow reader gets every byte of a large answer, and memory stays with the script") {
  SimServer server = serve();
  server.configure([](Script& script) { script.generates(100'000); });
  Client client(server.port());
  client.send(Client::chat(true));
  const auto answer = client.answer();
  REQUIRE(answer);
  CHECK(events(answer->body).size() == 100'000 + 3);
}

TEST_CASE("what was seen is bounded") {
  SimServer server = serve();
  Client client(server.port());
  std::string all;
  for (int i = 0; i < 10'050; ++i) all += "GET /health?" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n";
  all.insert(all.size() - 2, "Connection: close\r\n");
  std::thread sender([&] { client.send(all); });
  CHECK(client.until_end() == Client::End::kFin);
  sender.join();
  CHECK(server.requests() == 10'050);
  const auto seen = server.seen();
  CHECK(seen.size() == 10'000);
  CHECK(seen.back().target == "/health?10049");
}

TEST_CASE("scripts change and counters are read from other threads while requests run") {
  SimServer server = serve();
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      Client client(server.port());
      for (int i = 0; i < 50; ++i) {
        client.send(Client::chat(i % 2 == 0));
        if (!client.answer()) break;
      }
    });
  }
  for (int i = 0; i < 50; ++i) {
    server.configure([&](Script& script) { script.answers("answer " + std::to_string(i)); });
    (void)server.seen();
    (void)server.open_connections();
  }
  for (auto& thread : threads) thread.join();
  CHECK(server.requests() == 150);
}

TEST_CASE("a server ends at once with answers under way, and moves") {
  SimServer server = serve();
  server.configure([](Script& script) { script.fails(fault(Kind::kStall)); });
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<Client>(server.port()));
    clients.back()->send(Client::chat(true));
  }
  REQUIRE(server.wait_for([](const SimServer& s) { return s.requests() == 20; }, 10s));
  SimServer moved = std::move(server);
  CHECK(moved.open_connections() == 20);
  const auto port = moved.port();
  CHECK(SimServer::start(1, port).error().code == Code::kAddressInUse);
  moved = serve();
  CHECK(moved.open_connections() == 0);
  for (auto& client : clients) CHECK(client->until_end() != Client::End::kSilence);
}

TEST_CASE("wait_for gives up at its limit") {
  SimServer server = serve();
  CHECK_FALSE(server.wait_for([](const SimServer&) { return false; }, 5ms));
  CHECK(server.wait_for([](const SimServer&) { return true; }, 0ms));
}
