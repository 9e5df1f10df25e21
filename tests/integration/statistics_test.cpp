// What a gateway tells of itself: attempts and failures by upstream, connections and bytes.

#include <catch2/catch.hpp>

#include "integration/rig.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

UpstreamStatistics told(Live& live, std::size_t upstream) {
  const auto all = live.gateway().statistics().upstreams;
  REQUIRE(upstream < all.size());
  return all[upstream];
}

ConnectionStatistics connections(Live& live) { return live.gateway().statistics().connections; }

}  // namespace

TEST_CASE("each upstream has its attempts, and of these those that failed") {
  Backend a("a"), b("b");
  a->on_request([](const RawRequest&) { return json_reply("{}", 503); });
  Live live(document(a.entry() + "," + b.entry(), R"({"name":"r","upstreams":[{"name":"a"},{"name":"b"}]})"));
  CHECK(served_by(ask(live, post("/v1/chat/completions", chat_body("m")))) == "b");
  CHECK(told(live, 0).name == "a");
  CHECK(told(live, 0).attempts == 1);
  CHECK(told(live, 0).failures == 1);
  CHECK(told(live, 1).name == "b");
  CHECK(told(live, 1).attempts == 1);
  CHECK(told(live, 1).failures == 0);
}

TEST_CASE("a status that no other attempt could mend is the caller's, not the upstream's") {
  Backend a("a");
  a->on_request([](const RawRequest&) { return json_reply(R"({"error":{"message":"no such thing"}})", 400); });
  Live live(document(a.entry(), route_to("a")));
  CHECK(ask(live, post("/v1/chat/completions", chat_body("m"))).status == 400);
  CHECK(told(live, 0).attempts == 1);
  CHECK(told(live, 0).failures == 0);
}

TEST_CASE("an attempt under way is told as one, and is no failure when its caller leaves") {
  Backend a("a");
  a->on_request([](const RawRequest&) { return Reply::nothing(); });
  Live live(document(a.entry(), route_to("a")));
  RawClient client(live.port());
  client.send(post("/v1/chat/completions", chat_body("m")));
  REQUIRE(eventually([&] { return told(live, 0).in_flight == 1; }));
  client.close();
  REQUIRE(eventually([&] { return told(live, 0).in_flight == 0; }));
  CHECK(told(live, 0).attempts == 1);
  CHECK(told(live, 0).failures == 0);
}

TEST_CASE("counts of an upstream outlive a reload that leaves it as it is") {
  Backend a("a"), b("b");
  const std::string listen = R"(,"gateway":{"listen":[{"address":"127.0.0.1:0"}]})";
  Live live(document(a.entry(), route_to("a"), listen));
  CHECK(ask(live, post("/v1/chat/completions", chat_body("m"))).status == 200);
  const auto config = Config::parse(document(b.entry() + "," + a.entry(), route_to("a"), listen));
  REQUIRE(config);
  REQUIRE(live.gateway().reload(*config));
  CHECK(told(live, 0).name == "b");
  CHECK(told(live, 0).attempts == 0);
  CHECK(told(live, 1).attempts == 1);
}

TEST_CASE("connections are counted as they come, are turned away and go, and so are their bytes") {
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  Live live(document(a.entry(), route_to("a"), R"(,"gateway":{"listen":[{"address":"127.0.0.1:0","max_connections":1}]})"), threads);
  CHECK(connections(live).accepted == 0);
  const std::string request = post("/v1/chat/completions", chat_body("m"));
  {
    RawClient client(live.port());
    client.send(request);
    const WireAnswer answer = client.answer();
    CHECK(answer.status == 200);
    CHECK(connections(live).open == 1);
    CHECK(connections(live).accepted == 1);
    CHECK(connections(live).bytes_received == request.size());
    const std::size_t sent = answer.head.size() + 2 + answer.body.size();  // the head is told without its last line
    CHECK(eventually([&] { return connections(live).bytes_sent == sent; }));
    RawClient refused(live.port());
    CHECK(refused.answer().status == 503);
    CHECK(connections(live).refused == 1);
    CHECK(connections(live).accepted == 1);
  }
  CHECK(eventually([&] { return connections(live).open == 0; }));
}

TEST_CASE("they are served on an address of their own, to whoever asks, and who asks is not counted") {
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  const std::string consumers = R"(,"consumers":[{"name":"app","keys":[{"sha256":")" + sha256("key") + R"("}]}])";
  Live live(document(a.entry(), route_to("a"), R"(,"gateway":{"listen":[{"address":"127.0.0.1:0"}],"statistics_address":"127.0.0.1:0"})" + consumers), threads);
  const std::string address = live.server().statistics_address();
  REQUIRE(address.starts_with("127.0.0.1:"));
  RawClient reader(static_cast<std::uint16_t>(std::stoi(address.substr(10))));
  for (int i = 0; i < 2; ++i) {
    reader.send(get("/statistics"));
    const WireAnswer answer = reader.answer();
    CHECK(answer.status == 200);
    CHECK(answer.field("content-type") == "application/json");
    CHECK(answer.body.find(R"("connections":{"open":0,"accepted":0,)") != std::string::npos);
  }
  CHECK(live.gateway().statistics().connections.bytes_received == 0);
  live.stop_server();
  CHECK(reader.closed());
}

TEST_CASE("unasked, no address is bound for them") {
  Backend a("a");
  Live live(document(a.entry(), route_to("a")));
  CHECK(live.server().statistics_address().empty());
}
