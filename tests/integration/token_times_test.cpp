// Tokens in time that passes when told: renewed ahead of their end without anybody waiting, and never twice at once.

#include <catch2/catch.hpp>

#include <deque>
#include <memory>

#include "engine/loop.hpp"
#include "engine/transport.hpp"
#include "integration/token_support.hpp"
#include "sluice/simulator.hpp"

using namespace sluice;
using namespace sluice::test;
using namespace std::chrono_literals;

namespace {

/// What one request was, and what it gets: at once, or when it is let go.
struct Asked {
  std::string endpoint, authorization, body;
};

/// A network in which the test answers. Everything runs on the thread that drives.
class Stage {
 public:
  std::deque<Asked> tokens, requests;
  std::function<std::pair<int, std::string>()> token_answer;
  bool hold = false;                              // token requests wait for release()
  std::vector<std::function<void()>> held;

  void release() {
    for (auto& one : std::exchange(held, {})) one();
  }
};

class StageTransfer final : public engine::Transfer {
 public:
  explicit StageTransfer(std::shared_ptr<bool> alive) : alive_(std::move(alive)) {}
  ~StageTransfer() override { *alive_ = false; }
  void pause() override {}
  void resume() override {}

 private:
  std::shared_ptr<bool> alive_;
};

class StageChannel final : public engine::Channel {
 public:
  StageChannel(engine::Loop& loop, Stage& stage, std::string name) : loop_(loop), stage_(stage), name_(std::move(name)) {}
  std::unique_ptr<engine::Transfer> start(engine::WireRequest request, engine::TransferSink& sink) override {
    Asked asked{name_, std::string(request.headers.get("authorization").value_or("")), request.body.to_string()};
    const bool token = name_.ends_with("(tokens)");
    (token ? stage_.tokens : stage_.requests).push_back(asked);
    auto alive = std::make_shared<bool>(true);
    const auto [status, body] = token ? stage_.token_answer() : std::pair(200, chat_answer("a"));
    const auto tell = [alive, status = status, body = body, to = &sink] {
      if (*alive) to->on_connected();
      if (*alive) to->on_head(ResponseHead{status, Headers{{"content-type", "application/json"}}});
      if (*alive) to->on_bytes(body);
      engine::TransferEnd end;
      end.sends = 1;
      if (*alive) to->on_done(end);
    };
    if (token && stage_.hold) {
      stage_.held.push_back([loop = &loop_, tell] { loop->defer(tell); });
    } else {
      loop_.defer(tell);
    }
    return std::make_unique<StageTransfer>(alive);
  }

 private:
  engine::Loop& loop_;
  Stage& stage_;
  const std::string name_;
};

class StageTransport final : public engine::Transport {
 public:
  StageTransport(engine::Loop& loop, Stage& stage) : loop_(loop), stage_(stage) {}
  Result<std::unique_ptr<engine::Channel>> open(const engine::Endpoint& endpoint) override { return std::make_unique<StageChannel>(loop_, stage_, endpoint.name); }

 private:
  engine::Loop& loop_;
  Stage& stage_;
};

class Staged final : public TransportFactory {
 public:
  explicit Staged(Stage& stage) : stage_(stage) {}
  Result<std::unique_ptr<engine::Transport>> create(engine::Loop& loop) override { return std::make_unique<StageTransport>(loop, stage_); }
  [[nodiscard]] bool simulated() const noexcept override { return true; }

 private:
  Stage& stage_;
};

struct Follower final : ExchangeListener {
  void on_head(const ResponseHead& head) override { status = head.status; }
  void on_bytes(std::string_view) override {}
  void on_end(const Outcome& ended) override { outcome = ended; }
  int status = 0;
  std::optional<Outcome> outcome;
};

/// A gateway with one upstream whose tokens are good for `life` seconds.
struct Bench {
  explicit Bench(int life, const std::string& route = {}) : factory(stage) {
    stage.token_answer = [this, life] {
      return std::pair(200, R"({"token_type":"Bearer","expires_in":)" + std::to_string(life) + R"(,"access_token":")" + Grantor::token(++granted) + "\"}");
    };
    const Grantor elsewhere;
    auto config = Config::parse(document(R"({"name":"a","url":"http://a.example/v1")" + elsewhere.entra() + "}", route_to("a", route)));
    REQUIRE(config);
    config->gateway.threads = 0;
    OpenOptions options;
    options.clock = &clock;
    options.transport = &factory;
    auto opened = Gateway::open(*config, options);
    REQUIRE(opened);
    gateway.emplace(std::move(*opened));
  }

  std::shared_ptr<Follower> submit() {
    auto follower = std::make_shared<Follower>();
    REQUIRE(gateway->submit(Request::post("/v1/chat/completions", chat_body("m")), follower));
    drive();
    return follower;
  }
  void drive() {
    while (gateway->drive(Milliseconds{0}) > 0) {
    }
  }
  void pass(Duration by) {
    clock.advance(by);
    drive();
  }
  /// The token the last request was sent with.
  [[nodiscard]] std::string shown() const { return stage.requests.empty() ? "" : stage.requests.back().authorization; }

  testing::ManualClock clock;
  Stage stage;
  Staged factory;
  int granted = 0;
  std::optional<Gateway> gateway;
};

}  // namespace

TEST_CASE("a token in use is renewed by the timer ahead of its end, and no request ever waits for it") {
  Bench bench(3600);
  CHECK(bench.stage.tokens.empty());  // nothing is asked for before somebody needs it
  CHECK(bench.submit()->status == 200);
  CHECK(bench.stage.tokens.size() == 1);
  for (int round = 2; round < 6; ++round) {
    bench.pass(48min - 1s);
    CHECK(bench.stage.tokens.size() == static_cast<std::size_t>(round - 1));
    CHECK(bench.submit()->outcome->queue_time == Duration::zero());
    CHECK(bench.shown() == Grantor::bearer(round - 1));
    bench.pass(1s);
    CHECK(bench.stage.tokens.size() == static_cast<std::size_t>(round));
    const auto next = bench.submit();
    CHECK(next->outcome->queue_time == Duration::zero());
    CHECK(bench.shown() == Grantor::bearer(round));
  }
}

TEST_CASE("a token nobody uses is not renewed; the next request asks for one") {
  Bench bench(3600);
  CHECK(bench.submit()->status == 200);
  bench.pass(48min);
  CHECK(bench.stage.tokens.size() == 2);  // the first one was used
  bench.pass(240h);
  CHECK(bench.stage.tokens.size() == 2);
  CHECK(bench.submit()->status == 200);
  CHECK(bench.stage.tokens.size() == 3);
  CHECK(bench.shown() == Grantor::bearer(3));
}

TEST_CASE("while a renewal is slow, the old token goes on; it is over before its successor comes only where that fails") {
  Bench bench(600, R"(,"retry":{"attempts":1})");
  CHECK(bench.submit()->status == 200);
  bench.stage.hold = true;
  bench.pass(5min);
  CHECK(bench.stage.tokens.size() == 2);
  for (int i = 0; i < 20; ++i) CHECK(bench.submit()->status == 200);
  CHECK(bench.stage.tokens.size() == 2);
  CHECK(bench.shown() == Grantor::bearer(1));
  bench.pass(10s);  // the renewal has had its time
  CHECK(bench.submit()->status == 200);
  bench.pass(1s);
  CHECK(bench.stage.tokens.size() == 3);
  bench.stage.release();
  bench.drive();
  CHECK(bench.submit()->status == 200);
  CHECK(bench.shown() == Grantor::bearer(3));
}

TEST_CASE("an endpoint that is slow with the first token is given up after ten seconds, and asked again after a pause") {
  Bench bench(600, R"(,"retry":{"attempts":1})");
  bench.stage.hold = true;
  const auto waiting = bench.submit();
  CHECK_FALSE(waiting->outcome);
  bench.pass(10s - 1ms);
  CHECK_FALSE(waiting->outcome);
  bench.pass(1ms);
  REQUIRE(waiting->outcome);
  CHECK(waiting->status == 504);
  CHECK(waiting->outcome->error->code == Code::kConnectTimeout);
  CHECK(bench.submit()->status == 504);  // at once: nobody is asked during the pause
  CHECK(bench.stage.tokens.size() == 1);
  bench.stage.hold = false;
  bench.pass(1s);
  CHECK(bench.submit()->status == 200);
  CHECK(bench.stage.tokens.size() == 2);
}

TEST_CASE("an endpoint that fails for hours is asked once a minute, not once a request") {
  Bench bench(600, R"(,"retry":{"attempts":1})");
  bench.stage.token_answer = [] { return std::pair(503, std::string("{}")); };
  for (int i = 0; i < 3600; ++i) {
    CHECK(bench.submit()->status == 502);
    bench.pass(1s);
  }
  CHECK(bench.stage.tokens.size() > 55);
  CHECK(bench.stage.tokens.size() < 70);
}

TEST_CASE("an exchange is tried again behind the pause of its grant, where the route allows") {
  Bench bench(600, R"(,"retry":{"attempts":2,"backoff_ms":0})");
  int n = 0;
  const auto good = bench.stage.token_answer;
  bench.stage.token_answer = [&n, good] { return ++n == 1 ? std::pair(503, std::string("{}")) : good(); };
  const auto follower = bench.submit();
  CHECK_FALSE(follower->outcome);
  bench.pass(1s);
  REQUIRE(follower->outcome);
  CHECK(follower->status == 200);
  CHECK(follower->outcome->attempts.size() == 2);
}
