#pragma once
/// A gateway behind the C ABI for tests: in simulated time, or with threads of its own. Knows the C headers alone.

#include <catch2/catch.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sluice.h"

namespace capi_test {

inline constexpr const char* kConfig = R"({
  "version": 1,
  "upstreams": [{"name": "a", "provider": "simulator"}, {"name": "b", "provider": "simulator"}],
  "routes": [{"name": "chat", "match": {"path": "/v1/chat/completions"}, "upstreams": [{"name": "a"}, {"name": "b", "tier": 1}],
              "retry": {"attempts": 3}}]
})";
inline constexpr const char* kWhole = R"({"model":"m","messages":[{"role":"user","content":"hello"}]})";
inline constexpr const char* kStream = R"({"model":"m","stream":true,"messages":[{"role":"user","content":"hello"}]})";

inline std::string_view view(sluice_bytes_t bytes) { return {bytes.data == nullptr ? "" : bytes.data, bytes.size}; }

/// The code of a call that must fail, with its error looked at and freed.
inline sluice_code_t refused(sluice_code_t code, sluice_error_t* err) {
  CHECK(code != SLUICE_OK);
  REQUIRE(err != nullptr);
  CHECK(sluice_error_code(err) == code);
  CHECK(sluice_error_message(err).size != 0);
  sluice_error_free(err);
  return code;
}

/// The same of one that must not.
inline void ok(sluice_code_t code, sluice_error_t* err) {
  if (code != SLUICE_OK) FAIL(std::string(view(sluice_code_name(code))) << ": " << view(sluice_error_message(err)));
  CHECK(err == nullptr);
}

/// Calls `f(err)`, which must succeed.
template <typename F>
void good(F&& f) {
  auto* err = reinterpret_cast<sluice_error_t*>(8);  // it is always written
  const sluice_code_t code = f(&err);
  ok(code, err);
}

/// Calls `f(err)`, which must fail. The code.
template <typename F>
sluice_code_t bad(F&& f) {
  sluice_error_t* err = nullptr;
  const sluice_code_t code = f(&err);
  return refused(code, err);
}

/// An event with its data.
struct Seen {
  sluice_event_t event{};
  std::string data;
};

struct Queue {
  Queue() { good([&](auto err) { return sluice_queue_new(&queue, err); }); }
  ~Queue() { sluice_queue_free(queue); }
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  /// One poll, copied out and released.
  std::vector<Seen> poll(int timeout_ms = 0, std::size_t capacity = 64) {
    std::vector<sluice_event_t> events(capacity);
    std::size_t count = 99;
    good([&](auto err) { return sluice_queue_poll(queue, events.data(), sizeof events[0], capacity, timeout_ms, &count, err); });
    const std::string_view arena = view(sluice_queue_arena(queue));
    std::vector<Seen> out;
    for (std::size_t i = 0; i < count; ++i) {
      REQUIRE(std::size_t{events[i].offset} + events[i].size <= arena.size());
      out.push_back({events[i], std::string(arena.substr(events[i].offset, events[i].size))});
    }
    sluice_queue_release(queue);
    return out;
  }
  /// All that waits.
  std::vector<Seen> drain(std::size_t capacity = 64) {
    std::vector<Seen> out;
    for (;;) {
      auto more = poll(0, capacity);
      if (more.empty()) return out;
      out.insert(out.end(), more.begin(), more.end());
    }
  }
  /// Waits for the END of `calls` calls; everything that came.
  std::vector<Seen> until_ended(std::size_t calls) {
    std::vector<Seen> out;
    while (calls > 0) {
      const auto more = poll(20'000);
      if (more.empty()) FAIL("no event came in 20 s");
      for (const Seen& seen : more) calls -= seen.event.kind == SLUICE_EVENT_END ? 1 : 0;
      out.insert(out.end(), more.begin(), more.end());
    }
    return out;
  }

  sluice_queue_t* queue = nullptr;
};

inline sluice_request_t chat(const char* body = kWhole) {
  sluice_request_t request{};
  request.struct_size = sizeof request;
  request.target = "/v1/chat/completions";
  request.target_size = SLUICE_NUL_TERMINATED;
  request.body = body;
  request.body_size = SLUICE_NUL_TERMINATED;
  return request;
}

inline sluice_call_t submit(sluice_gateway_t* gateway, sluice_queue_t* queue, const sluice_request_t& request, std::uint64_t tag = 1) {
  sluice_call_t call = 0;
  good([&](auto err) { return sluice_submit(gateway, queue, &request, tag, &call, err); });
  CHECK(call != 0);
  return call;
}

/// A gateway in simulated time.
struct Rig {
  explicit Rig(const char* config = kConfig, const std::function<void(sluice_options_t*)>& prepare = {}, std::uint64_t seed = 7) {
    good([&](auto err) { return sluice_simulation_new(seed, &simulation, err); });
    sluice_options_t* options = nullptr;
    good([&](auto err) { return sluice_options_new(&options, err); });
    good([&](auto err) { return sluice_options_set_json(options, config, SLUICE_NUL_TERMINATED, err); });
    good([&](auto err) { return sluice_options_set_seed(options, seed, err); });
    good([&](auto err) { return sluice_options_set_simulation(options, simulation, err); });
    if (prepare) prepare(options);
    good([&](auto err) { return sluice_gateway_open(options, &gateway, err); });
    sluice_options_free(options);
  }
  ~Rig() {
    sluice_gateway_free(gateway);
    sluice_simulation_free(simulation);
  }
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  sluice_script_t* script(const char* upstream) {
    sluice_script_t* out = nullptr;
    good([&](auto err) { return sluice_simulation_script(simulation, upstream, SLUICE_NUL_TERMINATED, &out, err); });
    return out;
  }
  void settle() {
    good([&](auto err) { return sluice_simulation_settle(simulation, gateway, 3'600'000'000'000, err); });
  }
  void advance(std::int64_t ns) {
    good([&](auto err) { return sluice_simulation_advance(simulation, gateway, ns, err); });
  }
  /// Submits, lets everything happen, and gives what came.
  std::vector<Seen> run(const sluice_request_t& request) {
    submit(gateway, queue.queue, request);
    settle();
    return queue.drain();
  }

  Queue queue;
  sluice_simulation_t* simulation = nullptr;
  sluice_gateway_t* gateway = nullptr;
};

/// A gateway with threads and the real clock.
inline sluice_gateway_t* open(const char* config = kConfig) {
  sluice_gateway_t* gateway = nullptr;
  good([&](auto err) { return sluice_gateway_open_json(config, SLUICE_NUL_TERMINATED, &gateway, err); });
  return gateway;
}

inline std::string body_of(const std::vector<Seen>& events) {
  std::string out;
  for (const Seen& seen : events) {
    if (seen.event.kind == SLUICE_EVENT_CHUNK) out += seen.data;
  }
  return out;
}

inline std::string text_of(const std::vector<Seen>& events, std::int32_t channel = SLUICE_CHANNEL_TEXT) {
  std::string out;
  for (const Seen& seen : events) {
    if (seen.event.kind == SLUICE_EVENT_DELTA && seen.event.channel == channel) out += seen.data;
  }
  return out;
}

}  // namespace capi_test
