// No memory: every allocation of a whole use of the library fails once, each in a run of its own. And no luck: a thread is held
// at each of its allocations while another does what must not meet it there.

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <new>
#include <thread>

#include "rig.hpp"

namespace {

thread_local long allocations_left = -1;  // negative: all are granted

/// Where a thread is held until another has done something.
class Stop {
 public:
  // The thread that is held.
  void hold() {
    std::unique_lock lock(mutex_);
    held_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return released_; });
  }
  void past() { set(past_); }

  // The others.
  /// False: it went past without coming here.
  bool wait_for_it() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return held_ || past_; });
    return held_;
  }
  void done() { set(done_); }
  void wait_until_done(std::chrono::milliseconds most) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, most, [this] { return done_; });
  }
  void release() { set(released_); }

 private:
  void set(bool& what) {
    const std::lock_guard lock(mutex_);
    what = true;
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false, past_ = false, done_ = false, released_ = false;
};

thread_local Stop* stop = nullptr;
thread_local long stops_after = -1;  // so many allocations

void* allocate(std::size_t size) {
  if (stop != nullptr && stops_after-- == 0) stop->hold();
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

// ABI-08
TEST_CASE("a credential that is brought or given without memory is not taken; the next try is") {
  constexpr const char* kKeyed = R"({"version": 1, "upstreams": [{"name": "a", "provider": "openai"}],
    "routes": [{"name": "r", "upstreams": [{"name": "a"}]}]})";
  sluice_grant_t* kept = nullptr;
  int finalized = 0, tries = 0;
  const auto ask = [](void* user, sluice_grant_t* grant) { *static_cast<sluice_grant_t**>(user) = grant; };
  Rig rig(kKeyed, [&](sluice_options_t* options) {
    const auto count = [](void* user) { ++*static_cast<int*>(user); };
    const auto never = [](void*, sluice_grant_t* grant) { sluice_grant_free(grant); };
    sluice_options_t* other = nullptr;
    good([&](auto err) { return sluice_options_new(&other, err); });
    exhaust([&](auto err) { return ++tries, sluice_options_add_credential(other, "a", 1, never, &finalized, count, err); });
    CHECK(finalized == tries - 1);
    sluice_options_free(other);
    CHECK(finalized == tries);
    good([&](auto err) { return sluice_options_add_credential(options, "a", 1, ask, &kept, nullptr, err); });
  });
  submit(rig.gateway, rig.queue.queue, chat());
  rig.advance(1'000'000);
  REQUIRE(kept != nullptr);
  constexpr const char* kKey = "a key that no small string has room for";
  CHECK(exhaust([&](auto err) { return sluice_grant_give(kept, kKey, SLUICE_NUL_TERMINATED, 0, err); }) > 0);
  sluice_grant_free(kept);
  rig.advance(1'000'000);
  const auto events = rig.queue.drain();
  REQUIRE_FALSE(events.empty());
  CHECK(events.back().event.status == 200);
}

// ABI-06
TEST_CASE("a call that is submitted while its gateway closes is refused, or has its end, wherever the two meet") {
  long refused = 0, served = 0;
  for (long at = 0, held = 1; held != 0; ++at) {
    sluice_gateway_t* gateway = open();
    Queue queue;
    Stop here;
    const sluice_request_t request = chat();
    sluice_code_t code = SLUICE_OK;
    std::thread caller([&] {
      stops_after = at;
      stop = &here;
      code = sluice_submit(gateway, queue.queue, &request, 1, nullptr, nullptr);
      stop = nullptr;
      here.past();
    });
    held = here.wait_for_it() ? 1 : 0;
    std::thread closer([&] {
      sluice_gateway_close(gateway, nullptr);
      here.done();
    });
    // Where the call is taken already, close waits for it.
    here.wait_until_done(std::chrono::milliseconds(50));
    here.release();
    caller.join();
    closer.join();
    std::size_t ends = 0;
    for (const Seen& seen : queue.drain()) ends += seen.event.kind == SLUICE_EVENT_END ? 1 : 0;
    INFO("held at its allocation " << at);
    CHECK(ends == (code == SLUICE_OK ? 1 : 0));
    CHECK((code == SLUICE_OK || code == SLUICE_CODE_CLOSED));
    ++(code == SLUICE_OK ? served : refused);
    sluice_gateway_free(gateway);
  }
  CHECK(refused > 0);
  CHECK(served > 1);  // the last is not held at all
}
