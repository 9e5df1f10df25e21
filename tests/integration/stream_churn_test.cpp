// Many streams that end badly: what the process holds afterwards is what it held before.
#include <malloc.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <random>

#include "gateway/core.hpp"
#include "stream_support.hpp"

using namespace sluice;
using namespace sluice::test;
using namespace std::chrono_literals;

namespace {

std::size_t threads_of_process() {
  std::size_t n = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) ++n;
  return n;
}

/// Bytes in use on the heap; 0 where a sanitizer owns it.
std::size_t heap_bytes() {
  const struct mallinfo2 info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

/// Streams run by one test at once, at most; each end makes room for the next.
class Crowd {
 public:
  void enter(std::size_t most) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, 20s, [&] { return inside_ < most; }));
    ++inside_;
  }
  void leave() {
    // Told under the lock: whoever waits may destroy all of this as soon as it is let go.
    const std::lock_guard lock(mutex_);
    --inside_;
    ++left_;
    changed_.notify_all();
  }
  [[nodiscard]] bool wait_empty() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 20s, [&] { return inside_ == 0; });
  }
  [[nodiscard]] std::size_t left() const {
    const std::lock_guard lock(mutex_);
    return left_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t inside_ = 0, left_ = 0;
};

/// Cancels its own exchange at its head (1), at the first bytes behind it (2), or as soon as it may (0).
class Leaver final : public ExchangeListener {
 public:
  Leaver(Gateway& gateway, Crowd& crowd, int at, std::atomic<std::size_t>& twice) : gateway_(gateway), crowd_(crowd), at_(at), twice_(twice) {}
  void on_head(const ResponseHead&) override { step(); }
  void on_bytes(std::string_view) override { step(); }
  void on_end(const Outcome&) override {
    if (ended_.exchange(true)) ++twice_;
    crowd_.leave();
  }
  /// The moment may be over before submit has said the ticket: whoever comes second cancels.
  void know(std::uint64_t ticket) {
    ticket_ = ticket;
    if (at_ == 0 || due_) gateway_.cancel(ticket);
  }

 private:
  void step() {
    if (++steps_ != at_) return;
    due_ = true;
    if (const std::uint64_t ticket = ticket_; ticket != 0) gateway_.cancel(ticket);
  }
  Gateway& gateway_;
  Crowd& crowd_;
  const int at_;
  std::atomic<std::size_t>& twice_;
  std::atomic<std::uint64_t> ticket_{0};
  std::atomic<bool> due_{false}, ended_{false};
  int steps_ = 0;
};

}  // namespace

// STREAM-09
TEST_CASE("ten thousand streams cancelled at random points leave nothing behind") {
  const auto threads = GENERATE(1u, 4u);
  const std::size_t fds_before = open_descriptors(), threads_before = threads_of_process();
  {
    FaultServer::Options quiet;
    quiet.record = false;
    FaultServer server(quiet);
    server.on_request([](const RawRequest& request) {
      Reply reply = open_stream();
      for (int i = 0; i < 4; ++i) reply.chunk(text_event("piece"));
      // Some end by themselves, the others would go on for ever.
      return request.number % 3 == 0 ? reply.chunk(kStop + kDone).end_chunks() : reply.then_stall();
    });
    auto gateway = Gateway::open_json(
        config_of(server, R"("caps":{"in_flight":48,"connections":40,"queue":1000})", R"("threads":)" + std::to_string(threads)));
    REQUIRE(gateway);
    Crowd crowd;
    std::atomic<std::size_t> twice{0};
    std::mt19937 random(7);
    std::size_t started = 0, heap_early = 0, fds_early = 0;
    for (; started < 10'000; ++started) {
      if (started == 1'000) {
        heap_early = heap_bytes();
        fds_early = open_descriptors();
      }
      crowd.enter(64);
      const auto caller = std::make_shared<Leaver>(*gateway, crowd, static_cast<int>(random() % 3), twice);
      const auto ticket = gateway->submit(Request::post("/v1/chat/completions", chat_body("m", "hi", true)), caller);
      REQUIRE(ticket);
      caller->know(*ticket);
      if (random() % 2 == 0) gateway->cancel(*ticket);
      REQUIRE(engine::open_connections(*gateway->core().connection_budgets(), "up") <= 40);
    }
    REQUIRE(crowd.wait_empty());
    CHECK(crowd.left() == 10'000);
    CHECK(twice == 0);
    const Statistics statistics = gateway->statistics();
    CHECK(statistics.exchanges_started == 10'000);
    CHECK(statistics.exchanges_open == 0);
    CHECK(statistics.completed + statistics.cancelled == 10'000);
    CHECK(statistics.cancelled > 1'000);
    CHECK(statistics.body_bytes_held == 0);
    CHECK(open_descriptors() <= fds_early + 2 * 40);  // both ends of what the pool keeps
    CHECK(heap_bytes() <= heap_early + (2u << 20));
  }
  CHECK(open_descriptors() == fds_before);
  CHECK(threads_of_process() == threads_before);
}

// STREAM-09
TEST_CASE("a gateway with live streams closes promptly and ends each of them once") {
  const auto threads = GENERATE(1u, 4u);
  FaultServer server;
  server.on_request([](const RawRequest&) { return open_stream().chunk(text_event("begun")).then_stall(); });
  auto gateway = Gateway::open_json(config_of(server, {}, R"("threads":)" + std::to_string(threads)));
  REQUIRE(gateway);
  std::vector<std::shared_ptr<Counting>> callers;
  for (int i = 0; i < 300; ++i) {
    callers.push_back(std::make_shared<Counting>());
    REQUIRE(gateway->submit(Request::post("/v1/chat/completions", chat_body("m", "hi", true)), callers.back()));
  }
  for (const auto& caller : callers) REQUIRE(caller->wait_text("begun"));
  const auto begun = std::chrono::steady_clock::now();
  REQUIRE(gateway->close());
  CHECK(std::chrono::steady_clock::now() - begun < 2s);
  for (const auto& caller : callers) {
    REQUIRE(caller->ends() == 1);
    REQUIRE(caller->outcome().ending == Ending::kCancelled);
  }
  CHECK(server.wait_for([&] { return server.closed() == server.opened(); }));
}

// STREAM-09, over the wire
TEST_CASE("clients that close at random points leave no descriptor behind") {
  const auto threads = GENERATE(1u, 4u);
  FaultServer::Options quiet;
  quiet.record = false;
  FaultServer server(quiet);
  server.on_request([](const RawRequest&) { return open_stream().chunk(text_event("one")).chunk(text_event("two")).then_stall(); });
  Live live(config_of(server), threads);
  std::mt19937 random(3);
  std::vector<RawClient> first;  // on every engine one, at once: each has then what it keeps (libcurl's own descriptors)
  for (std::uint32_t i = 0; i < threads; ++i) first.emplace_back(live.port());
  for (auto& client : first) client.send(stream_request());
  for (auto& client : first) client.until("two");
  first.clear();
  REQUIRE(eventually([&] { return live.gateway().statistics().exchanges_open == 0 && server.closed() == server.opened(); }));
  const std::size_t before = open_descriptors();
  constexpr std::size_t kClients = 600;
  const std::string request = stream_request();
  for (std::size_t i = 0; i < kClients; ++i) {
    RawClient client(live.port());
    switch (random() % 4) {
      case 0: client.send(request.substr(0, random() % request.size())); break;
      case 1: client.send(request); break;
      case 2:
        client.send(request);
        client.until("one");
        break;
      default:
        client.send(request);
        client.until("two");
        break;
    }
    if (random() % 2 == 0) client.reset();
  }
  CHECK(eventually([&] { return live.gateway().statistics().exchanges_open == 0; }));
  CHECK(eventually([&] { return open_descriptors() <= before; }));
  CHECK(open_descriptors() <= before);
  CHECK(live.gateway().statistics().completed == 0);
}
