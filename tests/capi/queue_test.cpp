// Events of calls: their order, their data, the descriptor, and credit.

#include <poll.h>

#include <atomic>
#include <thread>

#include "rig.hpp"

using namespace capi_test;

namespace {

bool readable(int fd) {
  pollfd watched{fd, POLLIN, 0};
  return ::poll(&watched, 1, 0) == 1;
}

std::size_t events_in(std::string_view stream) {
  std::size_t count = 0;
  for (std::size_t at = stream.find("data: "); at != std::string_view::npos; at = stream.find("data: ", at + 1)) ++count;
  return count;
}

}  // namespace

// ABI-01
TEST_CASE("a call gives its head, its bytes and one end, in this order, under its tag") {
  Rig rig;
  const sluice_request_t request = chat();
  const sluice_call_t call = submit(rig.gateway, rig.queue.queue, request, 42);
  rig.settle();
  const auto events = rig.queue.drain();
  REQUIRE(events.size() == 3);
  CHECK(events[0].event.kind == SLUICE_EVENT_HEAD);
  CHECK(events[0].event.status == 200);
  CHECK(events[0].data.find("content-type: application/json\r\n") != std::string::npos);
  CHECK(events[1].event.kind == SLUICE_EVENT_CHUNK);
  CHECK(events[1].data.find("\"chat.completion\"") != std::string::npos);
  CHECK(events[2].event.kind == SLUICE_EVENT_END);
  CHECK(events[2].event.status == 200);
  CHECK(events[2].event.code == SLUICE_OK);
  CHECK(events[2].event.detail == SLUICE_ENDING_COMPLETED);
  for (const Seen& seen : events) {
    CHECK(seen.event.tag == 42);
    CHECK(seen.event.call == call);
    CHECK(seen.event.session == 0);
    CHECK(seen.event.reserved == 0);
  }
}

// ABI-01
TEST_CASE("events of many calls stay in order within each, whatever the size of a batch") {
  const std::size_t capacity = GENERATE(1, 2, 3, 64, 1000);
  Rig rig;
  good([&](auto err) { return sluice_script_generate(rig.script("a"), 9, err); });
  const sluice_request_t request = chat(kStream);
  for (std::uint64_t tag = 1; tag <= 20; ++tag) submit(rig.gateway, rig.queue.queue, request, tag);
  rig.settle();
  std::map<std::uint64_t, std::vector<std::int32_t>> kinds;
  std::map<std::uint64_t, std::string> bodies;
  for (const Seen& seen : rig.queue.drain(capacity)) {
    kinds[seen.event.tag].push_back(seen.event.kind);
    if (seen.event.kind == SLUICE_EVENT_CHUNK) bodies[seen.event.tag] += seen.data;
  }
  REQUIRE(kinds.size() == 20);
  for (const auto& [tag, list] : kinds) {
    REQUIRE(list.size() >= 3);
    CHECK(list.front() == SLUICE_EVENT_HEAD);
    CHECK(list.back() == SLUICE_EVENT_END);
    CHECK(std::count(list.begin(), list.end(), SLUICE_EVENT_END) == 1);
    CHECK(bodies[tag].find("[DONE]") != std::string::npos);
  }
}

// ABI-01
TEST_CASE("the data of a batch stay until it is released, whatever comes meanwhile") {
  Rig rig;
  const sluice_request_t request = chat();
  submit(rig.gateway, rig.queue.queue, request);
  rig.settle();
  sluice_event_t events[8];
  std::size_t count = 0;
  good([&](auto err) { return sluice_queue_poll(rig.queue.queue, events, sizeof events[0], 8, 0, &count, err); });
  REQUIRE(count == 3);
  const std::string_view arena = view(sluice_queue_arena(rig.queue.queue));
  const std::string before(arena);
  for (int i = 0; i < 50; ++i) submit(rig.gateway, rig.queue.queue, request);
  rig.settle();
  CHECK(arena == before);
  CHECK(rig.queue.drain().size() == 150);
}

// ABI-02
TEST_CASE("the descriptor is readable while events wait, and not when they have been taken") {
  Rig rig;
  int fd = -1;
  good([&](auto err) { return sluice_queue_fd(rig.queue.queue, &fd, err); });
  CHECK_FALSE(readable(fd));
  const sluice_request_t request = chat();
  submit(rig.gateway, rig.queue.queue, request);
  rig.settle();
  CHECK(readable(fd));
  CHECK(rig.queue.poll(0, 2).size() == 2);
  CHECK(readable(fd));  // one is left
  CHECK(rig.queue.poll(0, 2).size() == 1);
  CHECK_FALSE(readable(fd));
  submit(rig.gateway, rig.queue.queue, request);
  rig.settle();
  CHECK(readable(fd));
  CHECK(rig.queue.drain().size() == 3);
  CHECK_FALSE(readable(fd));
}

// ABI-02
TEST_CASE("a descriptor that is asked for when events wait already is readable at once") {
  Rig rig;
  const sluice_request_t request = chat();
  submit(rig.gateway, rig.queue.queue, request);
  rig.settle();
  int fd = -1;
  good([&](auto err) { return sluice_queue_fd(rig.queue.queue, &fd, err); });
  CHECK(readable(fd));
}

// ABI-02
TEST_CASE("wake ends a poll that waits, or the next one") {
  Queue queue;
  int fd = -1;
  good([&](auto err) { return sluice_queue_fd(queue.queue, &fd, err); });
  good([&](auto err) { return sluice_queue_wake(queue.queue, err); });
  CHECK(readable(fd));
  CHECK(queue.poll(-1).empty());
  CHECK_FALSE(readable(fd));
  std::atomic<bool> returned{false};
  std::thread waiter([&] {
    sluice_event_t event;
    std::size_t count = 1;
    (void)sluice_queue_poll(queue.queue, &event, sizeof event, 1, -1, &count, nullptr);
    returned = count == 0;
  });
  good([&](auto err) { return sluice_queue_wake(queue.queue, err); });
  waiter.join();
  CHECK(returned);
}

TEST_CASE("a poll waits for the first event, and no longer than it may") {
  Queue queue;
  CHECK(queue.poll(1).empty());
  sluice_gateway_t* gateway = open();
  const sluice_request_t request = chat();
  submit(gateway, queue.queue, request);
  const auto events = queue.until_ended(1);
  CHECK(events.back().event.status == 200);
  sluice_gateway_free(gateway);
}

// ABI-03
TEST_CASE("spent credit pauses the upstream, and given credit lets every byte arrive") {
  Rig rig;
  good([&](auto err) { return sluice_script_generate(rig.script("a"), 4000, err); });
  good([&](auto err) {
    sluice_pace_t pace{};
    pace.struct_size = sizeof pace;
    pace.tokens_per_second = 1000;
    return sluice_script_pace(rig.script("a"), &pace, err);
  });
  const std::string whole = body_of(rig.run(chat(kStream)));
  REQUIRE(whole.size() > 400'000);

  sluice_request_t request = chat(kStream);
  request.credit = 10'000;
  const sluice_call_t call = submit(rig.gateway, rig.queue.queue, request);
  rig.advance(5'000'000'000);
  auto events = rig.queue.drain();
  std::string body = body_of(events);
  CHECK(body.size() >= 10'000);
  CHECK(body.size() < 10'000 + 64 * 1024);  // what was on its way
  rig.advance(5'000'000'000);
  CHECK(rig.queue.drain().empty());
  std::size_t rounds = 0;
  bool ended = false;
  while (!ended && ++rounds < 1000) {
    const std::size_t before = body.size();
    good([&](auto err) { return sluice_call_credit(rig.gateway, call, 30'000, err); });
    rig.advance(5'000'000'000);
    events = rig.queue.drain();
    body += body_of(events);
    CHECK(body.size() - before <= 30'000 + 64 * 1024);
    ended = !events.empty() && events.back().event.kind == SLUICE_EVENT_END;
  }
  CHECK(ended);
  CHECK(rounds > 5);
  CHECK(events_in(body) == events_in(whole));
  CHECK(body.substr(body.size() - 14) == "data: [DONE]\n\n");
}

// ABI-03
TEST_CASE("a caller that takes nothing slows nobody else down") {
  Rig rig;
  good([&](auto err) { return sluice_script_generate(rig.script("a"), 2000, err); });
  sluice_request_t slow = chat(kStream);
  slow.credit = 1;
  submit(rig.gateway, rig.queue.queue, slow, 1);
  submit(rig.gateway, rig.queue.queue, chat(kStream), 2);
  rig.advance(1'000'000'000);
  bool first = false, second = false;
  for (const Seen& seen : rig.queue.drain()) {
    if (seen.event.kind == SLUICE_EVENT_END) (seen.event.tag == 1 ? first : second) = true;
  }
  CHECK_FALSE(first);
  CHECK(second);
}

TEST_CASE("credit for a call that has none is refused, for one that is over it is nothing") {
  Rig rig;
  const sluice_call_t call = submit(rig.gateway, rig.queue.queue, chat());
  CHECK(bad([&](auto err) { return sluice_call_credit(rig.gateway, call, 1, err); }) == SLUICE_CODE_INVALID_PARAMETER);
  rig.settle();
  good([&](auto err) { return sluice_call_credit(rig.gateway, call, 1, err); });
}

TEST_CASE("an outcome is taken once, from the batch that holds its end") {
  Rig rig;
  const sluice_call_t call = submit(rig.gateway, rig.queue.queue, chat());
  rig.settle();
  sluice_outcome_t* outcome = nullptr;
  CHECK(bad([&](auto err) { return sluice_call_take_outcome(rig.queue.queue, call, &outcome, err); }) == SLUICE_CODE_INVALID_PARAMETER);
  sluice_event_t events[8];
  std::size_t count = 0;
  good([&](auto err) { return sluice_queue_poll(rig.queue.queue, events, sizeof events[0], 8, 0, &count, err); });
  good([&](auto err) { return sluice_call_take_outcome(rig.queue.queue, call, &outcome, err); });
  sluice_outcome_t* again = nullptr;
  CHECK(bad([&](auto err) { return sluice_call_take_outcome(rig.queue.queue, call, &again, err); }) == SLUICE_CODE_INVALID_PARAMETER);
  CHECK(again == nullptr);
  sluice_queue_release(rig.queue.queue);

  sluice_outcome_info_t info{};
  info.struct_size = sizeof info;
  good([&](auto err) { return sluice_outcome_info(outcome, &info, err); });
  CHECK(info.ending == SLUICE_ENDING_COMPLETED);
  CHECK(info.status == 200);
  CHECK(view(info.route) == "chat");
  CHECK(view(info.requested_model) == "m");
  CHECK(view(info.dialect) == "openai");
  CHECK(info.usage.input_tokens > 0);
  CHECK(info.usage.output_tokens > 0);
  REQUIRE(info.attempt_count == 1);
  sluice_attempt_info_t attempt{};
  attempt.struct_size = sizeof attempt;
  good([&](auto err) { return sluice_outcome_attempt(outcome, 0, &attempt, err); });
  CHECK(view(attempt.upstream) == "a");
  CHECK(attempt.status == 200);
  CHECK(view(attempt.reason) == "completed");
  CHECK(bad([&](auto err) { return sluice_outcome_attempt(outcome, 1, &attempt, err); }) == SLUICE_CODE_INVALID_PARAMETER);
  sluice_outcome_free(outcome);
}
