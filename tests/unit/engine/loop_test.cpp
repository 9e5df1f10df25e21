// The loop: timers, tasks and descriptors, the same over both back ends.

#include "engine/loop.hpp"

#include <catch2/catch.hpp>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using sluice::Duration;
using sluice::TimePoint;
using sluice::engine::Backend;
using sluice::engine::IoHandler;
using sluice::engine::Loop;
using sluice::engine::Timer;
namespace engine = sluice::engine;

namespace {

class HandMovedClock final : public sluice::Clock {
 public:
  [[nodiscard]] TimePoint now() const noexcept override { return now_; }
  [[nodiscard]] sluice::WallTime wall() const noexcept override { return {}; }
  [[nodiscard]] bool is_manual() const noexcept override { return true; }
  void advance(Duration by) { now_ += by; }

 private:
  TimePoint now_{1h};
};

class SocketPair {
 public:
  SocketPair() { REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds_) == 0); }
  SocketPair(const SocketPair&) = delete;
  SocketPair& operator=(const SocketPair&) = delete;
  ~SocketPair() {
    close_near();
    ::close(fds_[1]);
  }
  [[nodiscard]] int near() const { return fds_[0]; }
  [[nodiscard]] int far() const { return fds_[1]; }
  void write_far() const { REQUIRE(::write(fds_[1], "x", 1) == 1); }
  void close_near() {
    if (fds_[0] >= 0) ::close(fds_[0]);
    fds_[0] = -1;
  }

 private:
  int fds_[2] = {-1, -1};
};

class Calls final : public IoHandler {
 public:
  void on_ready(int fd, std::uint32_t ready) override {
    seen.emplace_back(fd, ready);
    if (then) then();
  }
  std::vector<std::pair<int, std::uint32_t>> seen;
  std::function<void()> then;
};

std::unique_ptr<Loop> make(Backend backend, const sluice::Clock& clock = sluice::system_clock()) {
  auto loop = Loop::create(backend, clock);
  REQUIRE(loop);
  return std::move(*loop);
}

bool is_readable(int fd, std::chrono::milliseconds limit) {
  pollfd entry{fd, POLLIN, 0};
  return ::poll(&entry, 1, static_cast<int>(limit.count())) == 1;
}

}  // namespace

TEST_CASE("timers fire in the order of their deadlines, equal ones first come first served") {
  const auto backend = GENERATE(Backend::kEpoll, Backend::kPoll);
  HandMovedClock clock;
  auto loop = make(backend, clock);
  std::string order;
  Timer a([&] { order += 'a'; }), b([&] { order += 'b'; }), c([&] { order += 'c'; }), d([&] { order += 'd'; });
  loop->arm_in(c, 30ms);
  loop->arm_in(a, 10ms);
  loop->arm_in(b, 10ms);
  loop->arm_in(d, 5ms);
  loop->disarm(d);
  CHECK(loop->turn(std::nullopt) == 0);  // a manual clock: returns at once, nothing is due
  CHECK(loop->next_deadline() == clock.now() + 10ms);
  clock.advance(10ms);
  CHECK(loop->turn(std::nullopt) == 2);
  CHECK(order == "ab");
  clock.advance(20ms);
  loop->turn(std::nullopt);
  CHECK(order == "abc");
  CHECK_FALSE(loop->next_deadline());
}

TEST_CASE("a thousand timers armed, moved and disarmed at random fire exactly when due") {
  HandMovedClock clock;
  auto loop = make(Backend::kEpoll, clock);
  const TimePoint start = clock.now();
  std::vector<std::unique_ptr<Timer>> timers;
  std::vector<TimePoint> fired(1000), due(1000);
  std::uint32_t seed = 7;
  auto random = [&] { return (seed = seed * 1664525u + 1013904223u) >> 8; };
  for (std::size_t i = 0; i < 1000; ++i) {
    timers.push_back(std::make_unique<Timer>([&, i] { fired[i] = loop->now(); }));
    loop->arm(*timers[i], start + std::chrono::milliseconds(random() % 500));
  }
  for (std::size_t i = 0; i < 1000; i += 3) loop->arm(*timers[i], start + std::chrono::milliseconds(random() % 500));
  for (std::size_t i = 0; i < 1000; ++i) due[i] = timers[i]->deadline();
  for (std::size_t i = 1; i < 1000; i += 7) loop->disarm(*timers[i]);
  for (std::size_t i = 2; i < 1000; i += 7) timers[i].reset();
  for (int ms = 0; ms < 501; ++ms, clock.advance(1ms)) loop->turn(std::nullopt);
  for (std::size_t i = 0; i < 1000; ++i) {
    const bool gone = i % 7 == 1 || i % 7 == 2;
    CHECK(fired[i] == (gone ? TimePoint{} : due[i]));
  }
}

TEST_CASE("a timer may arm, disarm or destroy itself and others while it fires") {
  const auto backend = GENERATE(Backend::kEpoll, Backend::kPoll);
  HandMovedClock clock;
  auto loop = make(backend, clock);
  int own = 0, other = 0, again = 0;
  std::unique_ptr<Timer> victim, suicide;
  std::string captured = "a string that is long enough to live on the heap";
  suicide = std::make_unique<Timer>([&, captured] {
    suicide.reset();
    victim.reset();
    own += captured.size() > 10 ? 1 : 0;  // what the callback captured outlives its timer
  });
  victim = std::make_unique<Timer>([&] { ++other; });
  Timer* self = nullptr;
  Timer repeating([&] {
    if (++again < 3) loop->arm(*self, clock.now());
  });
  self = &repeating;
  loop->arm_in(*suicide, 1ms);
  loop->arm_in(*victim, 1ms);
  loop->arm_in(repeating, 1ms);
  clock.advance(1ms);
  for (int i = 0; i < 3; ++i) loop->turn(std::nullopt);
  CHECK(own == 1);
  CHECK(other == 0);
  CHECK(again == 3);
  CHECK_FALSE(repeating.armed());
}

TEST_CASE("a timer that always arms itself for now does not keep the loop to itself") {
  auto loop = make(Backend::kEpoll);
  int fired = 0;
  bool told = false;
  Timer* self = nullptr;
  Timer greedy([&] {
    ++fired;
    loop->arm(*self, loop->now());
  });
  self = &greedy;
  loop->arm(greedy, loop->now());
  loop->post([&] { told = true; });
  loop->turn(loop->now());
  CHECK(told);
  CHECK(fired <= 2);
}

TEST_CASE("a timer outlives its loop") {
  Timer timer([] {});
  {
    auto loop = make(Backend::kEpoll);
    loop->arm_in(timer, 1h);
  }
  CHECK_FALSE(timer.armed());
}

TEST_CASE("readiness is reported level by level, with what was asked for") {
  const auto backend = GENERATE(Backend::kEpoll, Backend::kPoll);
  auto loop = make(backend);
  SocketPair pair;
  Calls calls;
  loop->watch(pair.near(), engine::kReadable, calls);
  CHECK(loop->turn(loop->now()) == 0);
  pair.write_far();
  CHECK(loop->turn(std::nullopt) == 1);
  CHECK(loop->turn(std::nullopt) == 1);  // unread: reported again
  CHECK(calls.seen.back() == std::pair{pair.near(), std::uint32_t{engine::kReadable}});
  loop->watch(pair.near(), engine::kWritable, calls);
  loop->turn(std::nullopt);
  CHECK(calls.seen.back().second == engine::kWritable);
  loop->watch(pair.near(), engine::kNothing, calls);
  CHECK(loop->turn(loop->now()) == 0);
  ::shutdown(pair.far(), SHUT_RDWR);
  loop->turn(std::nullopt);
  CHECK((calls.seen.back().second & engine::kBroken) != 0);  // reported though nothing was asked for
  loop->unwatch(pair.near());
  const std::size_t before = calls.seen.size();
  loop->turn(loop->now());
  CHECK(calls.seen.size() == before);
}

TEST_CASE("unwatch inside a handler silences events of the same turn, also for a reused descriptor number") {
  const auto backend = GENERATE(Backend::kEpoll, Backend::kPoll);
  auto loop = make(backend);
  auto first = std::make_unique<SocketPair>(), second = std::make_unique<SocketPair>();
  Calls one, two, newcomer;
  std::unique_ptr<SocketPair> reused;
  const auto replace = [&](SocketPair& other) {
    // Both descriptors are ready in this turn; whichever handler comes first closes the other's and gives its number to
    // a new, silent socket that somebody else watches.
    return [&] {
      const int number = other.near();
      loop->unwatch(number);
      other.close_near();
      reused = std::make_unique<SocketPair>();
      REQUIRE(reused->near() == number);
      loop->watch(number, engine::kReadable, newcomer);
      one.then = two.then = nullptr;
    };
  };
  one.then = replace(*second);
  two.then = replace(*first);
  loop->watch(first->near(), engine::kReadable, one);
  loop->watch(second->near(), engine::kReadable, two);
  first->write_far();
  second->write_far();
  CHECK(loop->turn(std::nullopt) == 1);
  CHECK(one.seen.size() + two.seen.size() == 1);
  CHECK(newcomer.seen.empty());
  reused->write_far();
  loop->turn(std::nullopt);
  CHECK(newcomer.seen.size() == 1);
}

TEST_CASE("a descriptor that was closed behind the loop's back can be watched anew") {
  const auto backend = GENERATE(Backend::kEpoll, Backend::kPoll);
  auto loop = make(backend);
  auto pair = std::make_unique<SocketPair>();
  Calls calls;
  const int number = pair->near();
  loop->watch(number, engine::kReadable, calls);
  pair->close_near();
  SocketPair next;
  REQUIRE(next.near() == number);
  loop->watch(number, engine::kReadable | engine::kWritable, calls);
  loop->turn(loop->now() + 1s);
  REQUIRE_FALSE(calls.seen.empty());
  CHECK(calls.seen.back().second == engine::kWritable);
}

TEST_CASE("a descriptor the back end refuses is reported as broken") {
  auto loop = make(Backend::kEpoll);
  Calls calls;
  calls.then = [&] { loop->unwatch(9999); };
  loop->watch(9999, engine::kReadable, calls);
  loop->turn(loop->now() + 1s);
  REQUIRE(calls.seen.size() == 1);
  CHECK(calls.seen[0].second == engine::kBroken);
}

TEST_CASE("tasks from many threads all run on the loop's thread, each thread's in order, and stop() ends run()") {
  const auto backend = GENERATE(Backend::kEpoll, Backend::kPoll);
  auto loop = make(backend);
  constexpr int kThreads = 4, kTasks = 500;
  std::vector<int> next(kThreads, 0);
  bool in_order = true, on_thread = true;
  std::thread engine([&] { loop->run(); });
  std::vector<std::thread> posters;
  for (int t = 0; t < kThreads; ++t) {
    posters.emplace_back([&, t] {
      for (int i = 0; i < kTasks; ++i) {
        loop->post([&, t, i] {
          in_order = in_order && next[static_cast<std::size_t>(t)] == i;
          on_thread = on_thread && loop->on_loop_thread();
          ++next[static_cast<std::size_t>(t)];
        });
        static_cast<void>(loop->take_lag());
      }
    });
  }
  for (auto& poster : posters) poster.join();
  CHECK_FALSE(loop->on_loop_thread());
  loop->stop();
  engine.join();
  CHECK(in_order);
  CHECK(on_thread);
  CHECK(next == std::vector<int>(kThreads, kTasks));
}

TEST_CASE("a loop that was stopped before it ran returns at once, after what was posted") {
  auto loop = make(Backend::kEpoll);
  int ran = 0;
  loop->post([&] { ++ran; });
  loop->stop();
  loop->run();
  CHECK(ran == 1);
}

TEST_CASE("deferred tasks run at the end of the turn, and what they defer in the next") {
  const auto backend = GENERATE(Backend::kEpoll, Backend::kPoll);
  auto loop = make(backend);
  std::string order;
  loop->post([&] {
    order += 'p';
    loop->defer([&] {
      order += 'd';
      loop->defer([&] { order += 'e'; });
    });
    order += 'q';
  });
  loop->turn(std::nullopt);
  CHECK(order == "pqd");
  loop->turn(std::nullopt);
  CHECK(order == "pqde");
}

TEST_CASE("the descriptor of a host-driven loop is readable for timers, posted and deferred tasks and readiness alone") {
  auto loop = make(Backend::kEpoll);
  CHECK_FALSE(is_readable(loop->fd(), 0ms));
  int fired = 0;
  Timer timer([&] { ++fired; });
  loop->arm_in(timer, 5ms);  // armed from outside a turn
  CHECK(is_readable(loop->fd(), 2000ms));
  loop->turn(loop->now());
  CHECK(fired == 1);
  loop->turn(loop->now());
  CHECK_FALSE(is_readable(loop->fd(), 0ms));

  loop->post([&] { loop->arm_in(timer, 5ms); });  // armed inside one
  CHECK(is_readable(loop->fd(), 0ms));
  loop->turn(loop->now());
  CHECK_FALSE(is_readable(loop->fd(), 0ms));
  CHECK(is_readable(loop->fd(), 2000ms));
  loop->turn(loop->now());
  CHECK(fired == 2);

  loop->arm_in(timer, 20ms);
  loop->disarm(timer);
  CHECK_FALSE(is_readable(loop->fd(), 40ms));

  loop->defer([] {});
  CHECK(is_readable(loop->fd(), 0ms));
  loop->turn(loop->now());
  loop->post([&] { loop->defer([&] { loop->defer([] {}); }); });
  loop->turn(loop->now());
  CHECK(is_readable(loop->fd(), 0ms));  // the inner one is still to come
  loop->turn(loop->now());
  loop->turn(loop->now());
  CHECK_FALSE(is_readable(loop->fd(), 0ms));

  SocketPair pair;
  Calls calls;
  loop->watch(pair.near(), engine::kReadable, calls);
  pair.write_far();
  CHECK(is_readable(loop->fd(), 0ms));
  loop->unwatch(pair.near());
}

TEST_CASE("a turn waits for its own limit and for the next timer, whichever is first") {
  const auto backend = GENERATE(Backend::kEpoll, Backend::kPoll);
  auto loop = make(backend);
  const TimePoint start = loop->refresh_now();
  loop->turn(start + 3ms);
  CHECK(loop->refresh_now() - start >= 3ms);
  bool fired = false;
  Timer timer([&] { fired = true; });
  loop->arm(timer, loop->now() + 3ms);
  while (!fired) loop->turn(std::nullopt);
  CHECK(loop->now() >= timer.deadline());
}

TEST_CASE("the longest turn is remembered until it is asked for") {
  HandMovedClock clock;
  auto loop = make(Backend::kEpoll, clock);
  loop->post([&] { clock.advance(7ms); });
  loop->turn(std::nullopt);
  loop->turn(std::nullopt);
  CHECK(loop->take_lag() == 7ms);
  CHECK(loop->take_lag() == 0ms);
}
