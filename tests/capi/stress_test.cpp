// Many threads at one gateway: whoever submits, cancels, gives credit, answers hooks, reloads and asks, beside one that polls.

#include <atomic>
#include <thread>

#include "rig.hpp"

using namespace capi_test;

// ABI-04
TEST_CASE("whatever many threads ask at once, every call has one end and every hook one answer") {
  constexpr std::uint64_t kThreads = 4, kEach = 60;
  sluice_options_t* options = nullptr;
  Queue queue, hooks;
  sluice_queued_plugin_t plugin{};
  plugin.struct_size = sizeof plugin;
  plugin.name = "slow";
  plugin.name_size = 4;
  plugin.phase = SLUICE_PHASE_GUARD;
  plugin.wants = SLUICE_WANTS_REQUEST;
  good([&](auto err) { return sluice_options_new(&options, err); });
  good([&](auto err) { return sluice_options_set_json(options, kConfig, SLUICE_NUL_TERMINATED, err); });
  good([&](auto err) { return sluice_options_set_threads(options, 2, err); });
  good([&](auto err) { return sluice_options_add_queued_plugin(options, &plugin, hooks.queue, err); });
  sluice_gateway_t* gateway = nullptr;
  good([&](auto err) { return sluice_gateway_open(options, &gateway, err); });
  sluice_options_free(options);

  std::atomic<bool> over{false};
  std::atomic<int> failures{0};
  const auto check = [&failures](bool good) { failures += good ? 0 : 1; };
  std::thread answering([&] {
    sluice_ruling_t go{};
    go.struct_size = sizeof go;
    while (!over) {
      sluice_event_t events[16];
      std::size_t count = 0;
      check(sluice_queue_poll(hooks.queue, events, sizeof events[0], 16, 10, &count, nullptr) == SLUICE_OK);
      for (std::size_t i = 0; i < count; ++i) check(sluice_hook_answer(gateway, events[i].call, &go, nullptr) == SLUICE_OK);
    }
  });
  std::thread asking([&] {
    while (!over) {
      sluice_statistics_info_t info{};
      info.struct_size = sizeof info;
      check(sluice_gateway_statistics(gateway, &info, nullptr) == SLUICE_OK);
      check(sluice_gateway_reload_json(gateway, kConfig, SLUICE_NUL_TERMINATED, nullptr) == SLUICE_OK);
      check(sluice_queue_wake(queue.queue, nullptr) == SLUICE_OK);
    }
  });
  std::vector<std::thread> callers;
  for (std::uint64_t t = 0; t < kThreads; ++t) {
    callers.emplace_back([&, t] {
      for (std::uint64_t i = 0; i < kEach; ++i) {
        sluice_request_t request = chat(i % 2 == 0 ? kStream : kWhole);
        request.answer = i % 3 == 0 ? SLUICE_ANSWER_DELTAS : SLUICE_ANSWER_RAW;
        if (i % 4 == 0) request.credit = 50;
        sluice_call_t call = 0;
        check(sluice_submit(gateway, queue.queue, &request, t * kEach + i, &call, nullptr) == SLUICE_OK);
        if (i % 5 == 0) check(sluice_call_cancel(gateway, call, nullptr) == SLUICE_OK);
        if (request.credit != 0) {
          for (int k = 0; k < 20; ++k) check(sluice_call_credit(gateway, call, 1000, nullptr) == SLUICE_OK);
        }
      }
    });
  }
  std::map<std::uint64_t, int> ended;
  std::size_t outcomes = 0;
  while (ended.size() < kThreads * kEach) {
    sluice_event_t events[32];
    std::size_t count = 0;
    const sluice_code_t polled = sluice_queue_poll(queue.queue, events, sizeof events[0], 32, 20'000, &count, nullptr);
    REQUIRE(polled == SLUICE_OK);
    for (std::size_t i = 0; i < count; ++i) {
      if (events[i].kind != SLUICE_EVENT_END) continue;
      ++ended[events[i].tag];
      sluice_outcome_t* outcome = nullptr;
      outcomes += sluice_call_take_outcome(queue.queue, events[i].call, &outcome, nullptr) == SLUICE_OK ? 1 : 0;
      sluice_outcome_free(outcome);
    }
  }
  for (std::thread& caller : callers) caller.join();
  over = true;
  answering.join();
  asking.join();
  good([&](auto err) { return sluice_gateway_close(gateway, err); });
  sluice_gateway_free(gateway);
  for (const auto& [tag, count] : ended) CHECK(count == 1);
  CHECK(outcomes == kThreads * kEach);
  CHECK(failures == 0);
}

// ABI-06
TEST_CASE("a gateway may be closed while others are inside calls on it") {
  for (int round = 0; round < 20; ++round) {
    sluice_gateway_t* gateway = open();
    Queue queue;
    std::atomic<std::uint64_t> taken{0};
    std::vector<std::thread> callers;
    for (int t = 0; t < 3; ++t) {
      callers.emplace_back([&] {
        for (;;) {
          const sluice_request_t request = chat();
          const sluice_code_t code = sluice_submit(gateway, queue.queue, &request, 1, nullptr, nullptr);
          if (code != SLUICE_OK) return;
          ++taken;
        }
      });
    }
    while (taken < 5) std::this_thread::yield();
    good([&](auto err) { return sluice_gateway_close(gateway, err); });
    for (std::thread& caller : callers) caller.join();
    std::uint64_t ended = 0;
    for (const Seen& seen : queue.drain()) ended += seen.event.kind == SLUICE_EVENT_END ? 1 : 0;
    CHECK(ended == taken);
    sluice_gateway_free(gateway);
  }
}
