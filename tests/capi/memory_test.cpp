// No memory: every allocation of a whole use of the library fails once, each in a run of its own.

#include <cstdlib>
#include <new>

#include "rig.hpp"

namespace {

thread_local long allocations_left = -1;  // negative: all are granted

void* allocate(std::size_t size) {
  if (allocations_left == 0) throw std::bad_alloc();
  if (allocations_left > 0) --allocations_left;
  if (void* const got = std::malloc(size == 0 ? 1 : size)) return got;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  try {
    return allocate(size);
  } catch (...) {
    return nullptr;
  }
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

using namespace capi_test;

namespace {

/// Every allocation but the first `grants` fails while this lives.
struct Grant {
  explicit Grant(long grants) { allocations_left = grants; }
  ~Grant() { allocations_left = -1; }
};

/// Calls `f(err)` with so many allocations. False: it was refused, rightly, for want of memory.
template <typename F>
bool with_memory(long grants, F&& f) {
  auto* err = reinterpret_cast<sluice_error_t*>(8);
  sluice_code_t code;
  {
    const Grant grant(grants);
    code = f(&err);
  }
  if (code == SLUICE_OK) {
    CHECK(err == nullptr);
    return true;
  }
  CHECK(code == SLUICE_CODE_OUT_OF_MEMORY);
  CHECK(sluice_error_code(err) == code);
  CHECK(sluice_error_message(err).size != 0);
  sluice_error_free(err);
  return false;
}

/// How many allocations `f` needs; each smaller number is tried.
template <typename F>
long exhaust(F&& f) {
  for (long grants = 0; grants < 100'000; ++grants) {
    if (with_memory(grants, f)) return grants;
  }
  FAIL("it never succeeds");
  return 0;
}

}  // namespace

// ABI-08
TEST_CASE("opening a gateway without memory is refused, at whatever allocation it fails") {
  sluice_gateway_free(open());  // what libraries below set up once in a process, and cannot do without memory
  sluice_gateway_t* gateway = nullptr;
  sluice_queue_t* queue = nullptr;
  sluice_simulation_t* simulation = nullptr;
  sluice_options_t* options = nullptr;
  CHECK(exhaust([&](auto err) { return sluice_queue_new(&queue, err); }) > 0);
  CHECK(exhaust([&](auto err) { return sluice_options_new(&options, err); }) > 0);
  CHECK(exhaust([&](auto err) { return sluice_simulation_new(7, &simulation, err); }) > 0);
  CHECK(exhaust([&](auto err) { return sluice_options_set_json(options, kConfig, SLUICE_NUL_TERMINATED, err); }) > 0);
  good([&](auto err) { return sluice_options_set_simulation(options, simulation, err); });
  CHECK(exhaust([&](auto err) { return sluice_gateway_open(options, &gateway, err); }) > 50);
  CHECK(gateway != nullptr);
  sluice_gateway_free(gateway);
  sluice_options_free(options);
  sluice_simulation_free(simulation);
  sluice_queue_free(queue);
}

// ABI-08
TEST_CASE("a call without memory is refused and leaves nothing behind; the next one is served") {
  Rig rig;
  const sluice_request_t request = chat();
  sluice_call_t call = 0;
  CHECK(exhaust([&](auto err) { return sluice_submit(rig.gateway, rig.queue.queue, &request, 1, &call, err); }) > 5);
  rig.settle();
  const auto events = rig.queue.drain();
  REQUIRE(events.size() == 3);  // of the one that was taken
  CHECK(events.back().event.status == 200);
  sluice_statistics_info_t info{};
  info.struct_size = sizeof info;
  good([&](auto err) { return sluice_gateway_statistics(rig.gateway, &info, err); });
  CHECK(info.exchanges_started == 1);
  CHECK(info.exchanges_open == 0);
}

// ABI-08
TEST_CASE("what is asked of a gateway without memory is refused and changes nothing") {
  Rig rig;
  const sluice_request_t request = chat();
  sluice_buffer_t text{}, json{};
  std::int32_t status = 0;
  sluice_statistics_info_t info{};
  info.struct_size = sizeof info;
  CHECK(exhaust([&](auto err) { return sluice_gateway_explain(rig.gateway, &request, &status, &text, &json, err); }) > 5);
  CHECK(status == 200);
  sluice_buffer_free(&text);
  sluice_buffer_free(&json);
  CHECK(exhaust([&](auto err) { return sluice_gateway_dump(rig.gateway, &json, err); }) > 5);
  sluice_buffer_free(&json);
  exhaust([&](auto err) { return sluice_gateway_statistics(rig.gateway, &info, err); });
  CHECK(exhaust([&](auto err) { return sluice_gateway_reload_json(rig.gateway, kConfig, SLUICE_NUL_TERMINATED, err); }) > 50);
  CHECK(rig.run(chat()).back().event.status == 200);
}

// ABI-08
TEST_CASE("events are polled and outcomes taken without memory: what was said waits for nobody's") {
  Rig rig;
  sluice_request_t nowhere = chat();
  nowhere.target = "/nowhere";
  const sluice_call_t call = submit(rig.gateway, rig.queue.queue, nowhere);
  rig.settle();
  sluice_event_t events[8];
  std::size_t count = 0;
  CHECK(with_memory(0, [&](auto err) { return sluice_queue_poll(rig.queue.queue, events, sizeof events[0], 8, 0, &count, err); }));
  REQUIRE(count == 3);
  CHECK(events[2].kind == SLUICE_EVENT_END);
  CHECK(events[2].code == SLUICE_CODE_ROUTE_NOT_FOUND);
  sluice_outcome_t* outcome = nullptr;
  CHECK(exhaust([&](auto err) { return sluice_call_take_outcome(rig.queue.queue, call, &outcome, err); }) == 1);
  CHECK(outcome != nullptr);
  sluice_outcome_free(outcome);
}
