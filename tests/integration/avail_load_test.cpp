// Load that one exchange must not put on another: thousands of idle streams, and bodies of many megabytes.
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <ctime>
#include <thread>

#include "sluice/testing.hpp"
#include "stream_support.hpp"

using namespace sluice;
using namespace sluice::test;
using namespace std::chrono_literals;

namespace {

using Steady = std::chrono::steady_clock;

std::chrono::nanoseconds thread_cpu() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

/// Only told of by a condition: idle streams must not cost the test its own locks.
class Idle final : public ExchangeListener {
 public:
  explicit Idle(std::atomic<int>& begun) : begun_(begun) {}
  void on_head(const ResponseHead&) override {}
  void on_bytes(std::string_view) override {
    if (!std::exchange(told_, true)) ++begun_;
  }
  void on_end(const Outcome&) override {}

 private:
  std::atomic<int>& begun_;
  bool told_ = false;
};

/// Measures what its engine thread spends between the head and the end of one stream.
class Metered final : public ExchangeListener {
 public:
  void on_head(const ResponseHead&) override { begun_ = thread_cpu(); }
  void on_bytes(std::string_view bytes) override { bytes_ += bytes.size(); }
  void on_end(const Outcome&) override {
    {
      const std::lock_guard lock(mutex_);
      cpu_ = thread_cpu() - begun_;
      ended_ = true;
    }
    changed_.notify_all();
  }
  std::chrono::nanoseconds wait() {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, 20s, [this] { return ended_; }));
    return cpu_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::chrono::nanoseconds begun_{}, cpu_{};
  std::size_t bytes_ = 0;
  bool ended_ = false;
};

/// When each piece of a stream came.
class Paced final : public ExchangeListener {
 public:
  void on_head(const ResponseHead&) override {}
  void on_bytes(std::string_view) override { moments_.push_back(Steady::now()); }
  void on_end(const Outcome&) override {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }
  void add_gaps(std::vector<Steady::duration>& gaps) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, 20s, [this] { return ended_; }));
    for (std::size_t i = 1; i < moments_.size(); ++i) gaps.push_back(moments_[i] - moments_[i - 1]);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Steady::time_point> moments_;  // the engine's until the end
  bool ended_ = false;
};

std::size_t descriptors_allowed() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ::getrlimit(RLIMIT_NOFILE, &limit);
  }
  return limit.rlim_cur;
}

}  // namespace

// AVAIL-12
TEST_CASE("what a delta costs does not grow with the number of idle streams") {
  const auto threads = GENERATE(1u, 4u);
  constexpr std::size_t kDeltas = 8'000;
  FaultServer::Options quiet;
  quiet.record = false;
  FaultServer idle(quiet), busy(quiet);
  idle.on_request([](const RawRequest&) { return open_stream().chunk(kRole + text_event("well")).then_stall(); });
  const std::string delta = text_event("word");
  char size[16];
  std::snprintf(size, sizeof size, "%zx\r\n", delta.size());
  const std::string framed = size + delta + "\r\n";
  busy.on_request([&](const RawRequest&) { return open_stream().repeat(framed, kDeltas).chunk(kStop + kDone).end_chunks(); });
  const std::string config = R"({"version":1,"gateway":{"threads":)" + std::to_string(threads) + R"(},"upstreams":[{"name":"idle","url":"http://)" +
                             idle.authority() + R"(/v1","models":["idle"]},{"name":"busy","url":"http://)" + busy.authority() +
                             R"(/v1"}],"routes":[{"name":"i","match":{"model":["idle"]},"upstreams":[{"name":"idle"}]},{"name":"b","upstreams":[{"name":"busy"}]}]})";
  auto gateway = Gateway::open_json(config);
  INFO((gateway ? std::string() : gateway.error().message));
  REQUIRE(gateway);
  const auto cost = [&] {
    auto best = std::chrono::nanoseconds::max();
    for (int i = 0; i < 5; ++i) {
      const auto caller = std::make_shared<Metered>();
      REQUIRE(gateway->submit(Request::post("/v1/chat/completions", chat_body("m", "hi", true)), caller));
      best = std::min(best, caller->wait());
    }
    return best;
  };
  const auto alone = cost();
  // Two descriptors a stream, both ends of its connection.
  const auto streams = static_cast<int>(std::min<std::size_t>(4'096, (descriptors_allowed() - 200) / 2));
  std::atomic<int> begun{0};
  for (int i = 0; i < streams; ++i) {
    REQUIRE(gateway->submit(Request::post("/v1/chat/completions", chat_body("idle", "hi", true)), std::make_shared<Idle>(begun)));
  }
  REQUIRE(eventually([&] { return begun == streams; }));
  const auto beside = cost();
  WARN(streams << " idle streams: " << beside.count() / kDeltas << " ns a delta, alone " << alone.count() / kDeltas);
  CHECK(beside < alone * 2);
}

// AVAIL-15
TEST_CASE("a body of twenty megabytes does not hold up the streams beside it") {
  const auto threads = GENERATE(1u, 4u);
  constexpr int kStreams = 100;
  auto server = testing::SimServer::start(5);
  REQUIRE(server);
  testing::Pace pace;
  pace.tokens_per_second = 25;
  server->configure([&](testing::Script& script) { script.generates(25).pace(pace); });
  // The body goes elsewhere: a server that paces streams would hold them up itself while it reads.
  FaultServer other;
  other.on_request([](const RawRequest&) { return answer_of(); });
  const std::string config = R"({"version":1,"upstreams":[{"name":"paced","url":")" + server->url() + R"("},{"name":"other","url":"http://)" +
                             other.authority() + R"(/v1"}],"routes":[{"name":"b","match":{"model":["big"]},"upstreams":[{"name":"other"}]},)" +
                             R"({"name":"p","upstreams":[{"name":"paced"}]}]})";
  Live live(config, threads);
  const auto gaps = [&](const std::function<void()>& meanwhile) {
    std::vector<std::shared_ptr<Paced>> callers;
    for (int i = 0; i < kStreams; ++i) {
      callers.push_back(std::make_shared<Paced>());
      REQUIRE(live.gateway().submit(Request::post("/v1/chat/completions", chat_body("m", "hi", true)), callers.back()));
    }
    meanwhile();
    std::vector<Steady::duration> all;
    for (const auto& caller : callers) caller->add_gaps(all);
    std::sort(all.begin(), all.end());
    return all[all.size() * 99 / 100];
  };
  const auto alone = gaps([] {});
  (void)live.gateway().statistics();  // the lag from here on
  const std::string body = chat_body("big", std::string(20u << 20, 'x'));
  // 5 ms, with the slack of a busy machine and an unoptimised build. Such a machine can hold up anything once; a gateway that
  // holds up its streams does so each time.
  bool held_up = true;
  for (int round = 0; held_up && round < 3; ++round) {
    const auto beside = gaps([&] {
      RawClient client(live.port());
      client.send(post("/v1/chat/completions", body));
      CHECK(client.answer().status == 200);
    });
    const Duration lag = live.gateway().statistics().max_loop_lag;
    WARN("p99 gap alone " << alone / 1us << " us, beside 20 MB " << beside / 1us << " us, longest turn " << lag / 1us << " us");
    CHECK(lag > Duration{0});
    held_up = beside > alone + 50ms * kSlowdown;
  }
  CHECK_FALSE(held_up);
}
