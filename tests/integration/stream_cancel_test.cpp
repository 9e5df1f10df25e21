// Callers who leave: at every stage, on the wire and in the process. The upstream is let go at once, there is exactly one
// end, and nothing is tried again.
#include <catch2/catch.hpp>

#include <chrono>

#include "dead_names.hpp"
#include "deaf_port.hpp"
#include "gateway/core.hpp"
#include "sluice/testing.hpp"
#include "stream_support.hpp"

using namespace sluice;
using namespace sluice::test;
using namespace std::chrono_literals;

namespace {

std::uint32_t waiting(Gateway& gateway) { return gateway.core().snapshot()->upstreams[0].state->gate->waiting(); }
std::uint32_t in_flight(Gateway& gateway) { return gateway.core().snapshot()->upstreams[0].state->gate->in_flight(); }

struct Asked {
  const char* name;
  std::string request;
};
std::vector<Asked> endpoints() {
  return {{"chat", plain_request()},
          {"chat stream", stream_request()},
          {"completions", post("/v1/completions", R"({"model":"m","prompt":"hi"})")},
          {"completions stream", post("/v1/completions", R"({"model":"m","prompt":"hi","stream":true})")},
          {"embeddings", post("/v1/embeddings", R"({"model":"m","input":"hi"})")},
          {"moderations", post("/v1/moderations", R"({"model":"m","input":"hi"})")},
          {"models", get("/v1/models")}};
}

/// How long the upstream may take to see that its caller has gone: 100 ms, with the slack of a busy machine.
constexpr auto kSoon = 1000ms;

enum class Leaving { kFin, kHalfClose, kReset };

void leave(RawClient& client, Leaving how) {
  switch (how) {
    case Leaving::kFin: return client.close();
    case Leaving::kHalfClose: return client.shut_down();
    case Leaving::kReset: return client.reset();
  }
}

}  // namespace

// STREAM-06
TEST_CASE("a caller who leaves in the middle of an answer takes its upstream along, at any endpoint") {
  const auto threads = GENERATE(1u, 4u);
  const auto how = GENERATE(Leaving::kFin, Leaving::kHalfClose, Leaving::kReset);
  const std::vector<Asked> all = endpoints();
  for (const Asked& asked : all) {
    INFO(asked.name);
    const bool stream = asked.request.find("\"stream\":true") != std::string::npos;
    FaultServer server;
    server.on_request([&](const RawRequest& request) {
      if (request.number > 1) return answer_of();
      if (stream) return open_stream().chunk(text_event("begun")).then_stall();
      return Reply::raw("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"id\":\"begun").then_stall();
    });
    Live live(config_of(server, R"("caps":{"in_flight":1,"queue":0})"), threads);
    RawClient client(live.port());
    client.send(asked.request);
    REQUIRE(client.until("begun").find("begun") != std::string::npos);
    leave(client, how);
    CHECK(server.wait_for([&] { return server.reads_closed() == 1; }, kSoon));
    const auto outcomes = live.outcomes().wait(1);
    REQUIRE(outcomes.size() == 1);
    CHECK(outcomes[0].ending == Ending::kCancelled);
    REQUIRE(outcomes[0].attempts.size() == 1);
    CHECK(outcomes[0].attempts[0].code == Code::kCancelled);
    CHECK(in_flight(live.gateway()) == 0);
    RawClient next(live.port());
    next.send(plain_request());
    CHECK(next.answer().status == 200);
    CHECK(live.outcomes().wait(2).size() == 2);
  }
}

// STREAM-07
TEST_CASE("a caller who leaves before the first byte is not tried for again") {
  const auto threads = GENERATE(1u, 4u);
  const auto how = GENERATE(Leaving::kFin, Leaving::kReset);
  for (const Asked& asked : endpoints()) {
    INFO(asked.name);
    FaultServer server, other;
    server.on_request([](const RawRequest&) { return Reply::nothing().then_stall(); });
    const std::string config = R"({"version":1,"upstreams":[{"name":"a","url":"http://)" + server.authority() + R"(/v1"},{"name":"b","url":"http://)" +
                               other.authority() + R"(/v1"}],"routes":[{"name":"all","upstreams":[{"name":"a"},{"name":"b"}]}]})";
    Live live(config, threads);
    RawClient client(live.port());
    client.send(asked.request);
    REQUIRE(server.wait_for([&] { return server.request_count() == 1; }));
    leave(client, how);
    CHECK(server.wait_for([&] { return server.reads_closed() == 1; }, kSoon));
    const auto outcomes = live.outcomes().wait(1);
    REQUIRE(outcomes.size() == 1);
    CHECK(outcomes[0].ending == Ending::kCancelled);
    CHECK(outcomes[0].status == 0);
    CHECK(outcomes[0].attempts.size() == 1);
    CHECK(server.request_count() == 1);
    CHECK(other.request_count() == 0);
    CHECK(live.gateway().statistics().exchanges_open == 0);
  }
}

namespace {

/// A gateway brought to one stage of an exchange, and how to know that it is there.
struct Stage {
  const char* name;
  std::string url;
  std::string upstream;
  std::function<void(Gateway&)> prepare;
  std::function<bool(Gateway&)> reached;
};

struct Scene {
  FaultServer server, plain;
  DeafPort deaf;
  DeadNames names;
  std::vector<std::shared_ptr<Counting>> held;

  Scene() {
    server.on_request([](const RawRequest& request) {
      if (request.target == "/head/chat/completions") return open_stream().then_stall();
      if (request.target == "/mid/chat/completions") return open_stream().chunk(text_event("begun")).then_stall();
      return Reply::nothing().then_stall();
    });
  }
  [[nodiscard]] std::string at(const char* base) const { return "http://" + server.authority() + base; }

  std::vector<Stage> stages() {
    const auto sent = [this](Gateway&) { return server.request_count() == 1; };
    return {
        {"queued", at("/v1"), R"("caps":{"in_flight":1})",
         [this](Gateway& gateway) {
           held.push_back(std::make_shared<Counting>());
           REQUIRE(gateway.submit(Request::post("/v1/chat/completions", chat_body("m")), held.back()));
           REQUIRE(server.wait_for([this] { return server.request_count() == 1; }));
         },
         [](Gateway& gateway) { return waiting(gateway) == 1; }},
        {"resolving", "http://never.dead/v1", {}, {}, [this](Gateway&) { return names.asked() == 1; }},
        {"connecting", deaf.url(), {}, {}, [](Gateway& gateway) { return in_flight(gateway) == 1; }},
        {"in the TLS handshake", "https://" + plain.authority() + "/v1", {}, {}, [this](Gateway&) { return plain.opened() == 1; }},
        {"sent", at("/v1"), {}, {}, sent},
        {"behind the head", at("/head"), {}, {}, sent},
        {"in the middle of the stream", at("/mid"), {}, {}, sent},
    };
  }
};

constexpr std::size_t kStages = 7;

}  // namespace

// STREAM-08
TEST_CASE("a call cancelled at any stage has exactly one end, and leaves nothing behind") {
  const auto threads = GENERATE(1u, 4u);
  for (std::size_t i = 0; i < kStages; ++i) {
    Scene scene;
    const Stage stage = scene.stages()[i];
    INFO(stage.name);
    OpenOptions options;
    options.transport = &scene.names;
    auto gateway = Gateway::open_json(config_of(stage.url, stage.upstream, R"("threads":)" + std::to_string(threads)), options);
    INFO((gateway ? std::string() : gateway.error().message));
    REQUIRE(gateway);
    if (stage.prepare) stage.prepare(*gateway);
    const auto caller = std::make_shared<Counting>();
    const auto ticket = gateway->submit(Request::post("/v1/chat/completions", chat_body("m", "hi", true)), caller);
    REQUIRE(ticket);
    REQUIRE(eventually([&] { return stage.reached(*gateway); }));
    if (stage.url == scene.at("/mid")) REQUIRE(caller->wait_text("begun"));
    gateway->cancel(*ticket);
    gateway->cancel(*ticket);
    REQUIRE(caller->wait_end());
    gateway->cancel(*ticket);
    CHECK(caller->outcome().ending == Ending::kCancelled);
    REQUIRE(caller->outcome().error);
    CHECK(caller->outcome().error->code == Code::kCancelled);
    CHECK(gateway->statistics().exchanges_open == scene.held.size());
    CHECK(waiting(*gateway) == 0);
    CHECK(in_flight(*gateway) == scene.held.size());
    if (i == 1) CHECK(scene.names.dropped() <= 1);
    REQUIRE(gateway->close());
    CHECK(caller->ends() == 1);
    CHECK_FALSE(caller->late());
    for (const auto& other : scene.held) CHECK(other->ends() == 1);
    // The exchange lets go of its caller.
    CHECK(caller.use_count() == 1);
  }
}

// STREAM-08, over the wire
TEST_CASE("a client that closes its connection at any stage ends its exchange once") {
  const auto threads = GENERATE(1u, 4u);
  for (std::size_t i = 0; i < kStages; ++i) {
    Scene scene;
    const Stage stage = scene.stages()[i];
    INFO(stage.name);
    OpenOptions options;
    options.transport = &scene.names;
    Live live(config_of(stage.url, stage.upstream), threads, std::move(options));
    if (stage.prepare) stage.prepare(live.gateway());
    RawClient client(live.port());
    client.send(stream_request());
    REQUIRE(eventually([&] { return stage.reached(live.gateway()); }));
    client.close();
    const auto outcomes = live.outcomes().wait(1);
    REQUIRE(outcomes.size() == 1);
    CHECK(outcomes[0].ending == Ending::kCancelled);
    CHECK(live.gateway().statistics().exchanges_open == scene.held.size());
    CHECK(in_flight(live.gateway()) == scene.held.size());
    live.stop_server();
    REQUIRE(live.gateway().close());
    CHECK(live.outcomes().count() == 1 + scene.held.size());
  }
}

// STREAM-08
TEST_CASE("a cancel that comes after the end changes nothing") {
  const auto threads = GENERATE(1u, 4u);
  FaultServer server;
  server.on_request([](const RawRequest&) { return whole_stream(kRole + kStop + kDone); });
  auto gateway = Gateway::open_json(config_of(server, {}, R"("threads":)" + std::to_string(threads)));
  REQUIRE(gateway);
  const auto caller = std::make_shared<Counting>();
  const auto ticket = gateway->submit(Request::post("/v1/chat/completions", chat_body("m", "hi", true)), caller);
  REQUIRE(ticket);
  REQUIRE(caller->wait_end());
  gateway->cancel(*ticket);
  const auto next = std::make_shared<Counting>();
  REQUIRE(gateway->submit(Request::post("/v1/chat/completions", chat_body("m", "hi", true)), next));
  REQUIRE(next->wait_end());
  CHECK(caller->ends() == 1);
  CHECK(caller->outcome().ending == Ending::kCompleted);
  CHECK(next->outcome().ending == Ending::kCompleted);
}

// STREAM-08, in virtual time: every step of a simulated stream.
TEST_CASE("a simulated stream cancelled after any number of steps has exactly one end") {
  for (int steps = 0; steps < 40; ++steps) {
    testing::ManualClock clock;
    testing::Simulation simulation(clock, 11);
    testing::Pace pace;
    pace.head = 10ms;
    pace.first_token = 50ms;
    pace.tokens_per_second = 100;
    simulation.upstream("up").generates(20).pace(pace);
    OpenOptions options;
    options.clock = &clock;
    options.transport = simulation.transport();
    auto gateway = Gateway::open_json(config_of("http://up.test/v1", {}, R"("threads":0)"), options);
    REQUIRE(gateway);
    const auto caller = std::make_shared<Counting>();
    const auto ticket = gateway->submit(Request::post("/v1/chat/completions", chat_body("m", "hi", true)), caller);
    REQUIRE(ticket);
    for (int i = 0; i < steps && caller->ends() == 0; ++i) (void)simulation.step(*gateway);
    const bool over = caller->ends() != 0;
    gateway->cancel(*ticket);
    simulation.settle(*gateway);
    CHECK(caller->ends() == 1);
    CHECK((caller->outcome().ending == Ending::kCompleted || (!over && caller->outcome().ending == Ending::kCancelled)));
    CHECK(gateway->statistics().exchanges_open == 0);
  }
}
