// In-flight caps with a queue in order of arrival.

#include "policy/gate.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <deque>
#include <random>
#include <thread>
#include <vector>

using namespace sluice::policy;

namespace {

void nobody(Place) { FAIL("woken"); }

}  // namespace

TEST_CASE("a gate lets in as many as its cap, queues some, and refuses the rest") {
  const auto gate = std::make_shared<Gate>(2, 1);
  Place a, b, c, d;
  Place woken;
  Gate::Waiter waiter = 0;
  CHECK(gate->enter(a, nobody, waiter) == Gate::Entry::kEntered);
  CHECK(gate->enter(b, nobody, waiter) == Gate::Entry::kEntered);
  CHECK(a);
  CHECK(gate->in_flight() == 2);
  CHECK(gate->enter(c, [&](Place place) { woken = std::move(place); }, waiter) == Gate::Entry::kWaiting);
  CHECK_FALSE(c);
  CHECK(gate->waiting() == 1);
  CHECK(gate->enter(d, nobody, waiter) == Gate::Entry::kFull);
  a.release();
  CHECK(woken);
  CHECK(gate->in_flight() == 2);
  CHECK(gate->waiting() == 0);
  b.release();
  b.release();  // once is enough
  woken = Place();
  CHECK(gate->in_flight() == 0);
}

TEST_CASE("a gate without a queue refuses at once, one without a cap never") {
  const auto closed = std::make_shared<Gate>(1, 0);
  Place a, b;
  Gate::Waiter waiter = 0;
  CHECK(closed->enter(a, nobody, waiter) == Gate::Entry::kEntered);
  CHECK(closed->enter(b, nobody, waiter) == Gate::Entry::kFull);
  const auto open = std::make_shared<Gate>(0, 0);
  std::vector<Place> places(1000);
  for (Place& place : places) CHECK(open->enter(place, nobody, waiter) == Gate::Entry::kEntered);
  CHECK(open->in_flight() == 1000);
}

TEST_CASE("those who wait come in order, and nobody overtakes them") {
  const auto gate = std::make_shared<Gate>(1, 10);
  Place first;
  Gate::Waiter waiter = 0;
  REQUIRE(gate->enter(first, nobody, waiter) == Gate::Entry::kEntered);
  std::vector<int> order;
  std::deque<Place> held;
  Place none;
  for (int i = 0; i < 5; ++i) {
    REQUIRE(gate->enter(none, [&, i](Place place) { order.push_back(i); held.push_back(std::move(place)); }, waiter) == Gate::Entry::kWaiting);
  }
  first.release();
  Place late;
  CHECK(gate->enter(late, [&](Place) { order.push_back(99); }, waiter) == Gate::Entry::kWaiting);
  while (!held.empty()) {
    Place place = std::move(held.front());
    held.pop_front();
    place.release();
  }
  CHECK(order == std::vector<int>{0, 1, 2, 3, 4, 99});
  CHECK(gate->in_flight() == 0);
}

TEST_CASE("a place that is free for a moment belongs to those who wait, not to who asks in that moment") {
  const auto gate = std::make_shared<Gate>(1, 10);
  Place first, none, late;
  Gate::Waiter waiter = 0;
  REQUIRE(gate->enter(first, nobody, waiter) == Gate::Entry::kEntered);
  std::vector<int> order;
  REQUIRE(gate->enter(none, [&](Place place) {
    order.push_back(1);
    place.release();  // nobody is inside now, and the second still waits
    Gate::Waiter newcomer = 0;
    CHECK(gate->enter(late, [&](Place) { order.push_back(3); }, newcomer) == Gate::Entry::kWaiting);
  }, waiter) == Gate::Entry::kWaiting);
  REQUIRE(gate->enter(none, [&](Place) { order.push_back(2); }, waiter) == Gate::Entry::kWaiting);
  first.release();
  CHECK(order == std::vector<int>{1, 2, 3});
}

TEST_CASE("who leaves the queue is not woken; who was woken cannot leave") {
  const auto gate = std::make_shared<Gate>(1, 10);
  Place first, none, got;
  Gate::Waiter gone = 0, woken = 0;
  REQUIRE(gate->enter(first, nobody, gone) == Gate::Entry::kEntered);
  REQUIRE(gate->enter(none, nobody, gone) == Gate::Entry::kWaiting);
  REQUIRE(gate->enter(none, [&](Place place) { got = std::move(place); }, woken) == Gate::Entry::kWaiting);
  CHECK(gate->leave_queue(gone));
  CHECK_FALSE(gate->leave_queue(gone));
  first.release();
  CHECK(got);
  CHECK_FALSE(gate->leave_queue(woken));
}

TEST_CASE("wider bounds let the waiting in, narrower ones wait for the open") {
  const auto gate = std::make_shared<Gate>(1, 10);
  Place first, none;
  Gate::Waiter waiter = 0;
  REQUIRE(gate->enter(first, nobody, waiter) == Gate::Entry::kEntered);
  std::vector<Place> woken;
  for (int i = 0; i < 3; ++i) REQUIRE(gate->enter(none, [&](Place place) { woken.push_back(std::move(place)); }, waiter) == Gate::Entry::kWaiting);
  gate->set_bounds(3, 0);
  CHECK(woken.size() == 2);
  CHECK(gate->waiting() == 1);  // who waits already stays, though the queue is gone
  gate->set_bounds(1, 0);
  first.release();
  CHECK(woken.size() == 2);
  woken.pop_back();
  CHECK(woken.size() == 1);
  CHECK(gate->in_flight() == 1);
  CHECK(gate->waiting() == 1);
  gate->set_bounds(0, 0);
  CHECK(woken.size() == 2);
}

TEST_CASE("a queue whose waiters drop their places at once does not grow the stack") {
  const auto gate = std::make_shared<Gate>(1, 200'000);
  Place first, none;
  Gate::Waiter waiter = 0;
  REQUIRE(gate->enter(first, nobody, waiter) == Gate::Entry::kEntered);
  int woken = 0;
  for (int i = 0; i < 200'000; ++i) REQUIRE(gate->enter(none, [&](Place) { ++woken; }, waiter) == Gate::Entry::kWaiting);
  first.release();
  CHECK(woken == 200'000);
  CHECK(gate->in_flight() == 0);
}

TEST_CASE("a place moved over another gives the other back") {
  const auto gate = std::make_shared<Gate>(2, 0);
  Place a, b;
  Gate::Waiter waiter = 0;
  REQUIRE(gate->enter(a, nobody, waiter) == Gate::Entry::kEntered);
  REQUIRE(gate->enter(b, nobody, waiter) == Gate::Entry::kEntered);
  a = std::move(b);
  CHECK(gate->in_flight() == 1);
  CHECK(gate->enter(a, nobody, waiter) == Gate::Entry::kEntered);  // into a place that is held: taken first, then let go
  CHECK(gate->in_flight() == 1);
}

TEST_CASE("eight threads never pass the cap, lose no waiter and leave nothing behind") {
  constexpr std::uint32_t kCap = 5;
  const auto gate = std::make_shared<Gate>(kCap, 64);
  std::atomic<std::uint32_t> inside{0}, most{0}, entered{0}, waited{0}, woken{0}, left{0}, full{0};
  const auto step_in = [&] {
    const std::uint32_t now = ++inside;
    std::uint32_t seen = most.load();
    while (seen < now && !most.compare_exchange_weak(seen, now)) {
    }
  };
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      std::deque<Place> held;
      std::deque<Gate::Waiter> waiting;
      for (int i = 0; i < 20'000; ++i) {
        Place place;
        Gate::Waiter waiter = 0;
        const auto entry = gate->enter(place, [&](Place given) {
          step_in();
          ++woken;
          --inside;
          given.release();
        }, waiter);
        switch (entry) {
          case Gate::Entry::kEntered:
            step_in();
            ++entered;
            held.push_back(std::move(place));
            break;
          case Gate::Entry::kWaiting:
            ++waited;
            waiting.push_back(waiter);
            break;
          case Gate::Entry::kFull: ++full; break;
        }
        if (!waiting.empty() && random() % 4 == 0) {
          if (gate->leave_queue(waiting.front())) ++left;
          waiting.pop_front();
        }
        if (!held.empty() && (entry != Gate::Entry::kEntered || random() % 2 == 0)) {
          --inside;
          held.pop_front();
        }
      }
      while (!held.empty()) {
        --inside;
        held.pop_front();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(most <= kCap);
  CHECK(most > 1);
  CHECK(gate->in_flight() == 0);
  CHECK(gate->waiting() == 0);
  CHECK(waited == woken + left);
  CHECK(entered + waited + full == 8 * 20'000);
}
