#pragma once
/// A host with a network of its own behind the C ABI, for tests: what it was asked, and how it answers.

#include <atomic>
#include <mutex>

#include "rig.hpp"

namespace capi_test {

inline constexpr const char* kHosted = R"({
  "version": 1,
  "upstreams": [{"name": "a", "url": "http://a.example/v1"}, {"name": "b", "url": "https://b.example:8443/v1"}],
  "routes": [{"name": "chat", "match": {"path": "/v1/chat/completions"}, "upstreams": [{"name": "a"}, {"name": "b", "tier": 1}],
              "retry": {"attempts": 3}}]
})";
inline constexpr std::string_view kHostedAnswer = R"({"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,)"
                                                  R"("message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}],)"
                                                  R"("usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}})";

/// A stream that says "Grüß Gott".
inline constexpr std::string_view kEvents = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Gr\xC3\xBC\xC3\x9F \"}}]}\n\n"
                                            "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Gott\"},\"finish_reason\":\"stop\"}]}\n\n"
                                            "data: [DONE]\n\n";

/// What the host was asked to send.
struct Asked {
  sluice_transfer_t transfer = 0;
  std::string upstream, origin, method, target, headers, body;
  bool has_body = false, stream = false;
};

class Host {
 public:
  using Answer = std::function<void(Host&, const Asked&)>;

  explicit Host(Answer how = {}) : answer(std::move(how)) {
    sluice_transport_functions_t table = functions();
    good([&](auto err) { return sluice_transport_new(&table, &transport, err); });
  }
  ~Host() {
    sluice_transport_free(transport);
    CHECK(refused == 0);
    CHECK(finalized == 1);
  }
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  [[nodiscard]] sluice_transport_functions_t functions() {
    sluice_transport_functions_t table{};
    table.struct_size = sizeof table;
    table.user = this;
    table.start = [](void* user, sluice_transfer_t transfer, const sluice_wire_t* wire) { static_cast<Host*>(user)->started(transfer, wire); };
    table.cancel = [](void* user, sluice_transfer_t transfer) { static_cast<Host*>(user)->note(&Host::cancelled_, transfer); };
    table.resume = [](void* user, sluice_transfer_t transfer) { static_cast<Host*>(user)->note(&Host::resumed_, transfer); };
    table.finalize = [](void* user) { ++static_cast<Host*>(user)->finalized; };
    return table;
  }

  // What is said of a transfer, from any thread: what is refused is counted, and checked in the end.
  void connected(sluice_transfer_t transfer) { fits(sluice_transfer_connected(transport, transfer, nullptr)); }
  void head(sluice_transfer_t transfer, std::int32_t status, const char* type, std::vector<sluice_header_t> fields = {}) {
    fields.push_back({"Content-Type", SLUICE_NUL_TERMINATED, type, SLUICE_NUL_TERMINATED});
    fits(sluice_transfer_head(transport, transfer, status, fields.data(), fields.size(), nullptr));
  }
  /// True: wait.
  bool bytes(sluice_transfer_t transfer, std::string_view data) {
    std::int32_t wait = 7;
    fits(sluice_transfer_bytes(transport, transfer, data.data(), data.size(), &wait, nullptr));
    if (wait != 0 && wait != 1) ++refused;
    return wait == 1;
  }
  void end(sluice_transfer_t transfer) { fits(sluice_transfer_end(transport, transfer, nullptr)); }
  void fail(sluice_transfer_t transfer, sluice_code_t code, std::string_view why = "as the test has it") {
    fits(sluice_transfer_fail(transport, transfer, code, why.data(), why.size(), nullptr));
  }
  void whole(sluice_transfer_t transfer, std::string_view body = kHostedAnswer) {
    head(transfer, 200, "application/json");
    bytes(transfer, body);
    end(transfer);
  }

  // What it has seen so far.
  [[nodiscard]] std::vector<Asked> asked() { return copy(asked_); }
  [[nodiscard]] std::vector<sluice_transfer_t> cancelled() { return copy(cancelled_); }
  [[nodiscard]] std::vector<sluice_transfer_t> resumed() { return copy(resumed_); }

  sluice_transport_t* transport = nullptr;
  Answer answer;   // inside start
  std::atomic<int> finalized{0}, refused{0};

 private:
  void fits(sluice_code_t code) { refused += code == SLUICE_OK ? 0 : 1; }
  template <typename T>
  std::vector<T> copy(const std::vector<T>& list) {
    const std::lock_guard lock(mutex_);
    return list;
  }
  void note(std::vector<sluice_transfer_t> Host::*list, sluice_transfer_t transfer) {
    const std::lock_guard lock(mutex_);
    (this->*list).push_back(transfer);
  }
  void started(sluice_transfer_t transfer, const sluice_wire_t* wire) {
    sluice_wire_info_t info{};
    info.struct_size = sizeof info;
    fits(sluice_wire_info(wire, &info, nullptr));
    Asked seen;
    seen.transfer = transfer;
    seen.upstream = view(info.upstream);
    seen.origin = view(info.origin);
    seen.method = view(info.method);
    seen.target = view(info.target);
    seen.body = view(info.body);
    for (std::size_t i = 0; i < info.header_count; ++i) {
      const sluice_header_t& field = info.headers[i];
      seen.headers.append(field.name, field.name_size).append(": ").append(field.value, field.value_size).append("\n");
    }
    seen.has_body = info.has_body != 0;
    seen.stream = info.stream != 0;
    {
      const std::lock_guard lock(mutex_);
      asked_.push_back(seen);
    }
    if (answer) answer(*this, seen);
  }

  std::mutex mutex_;
  std::vector<Asked> asked_;
  std::vector<sluice_transfer_t> cancelled_, resumed_;
};

/// A gateway on a host's network; in the time of a simulation where `timed`, otherwise in real time.
struct Hosted {
  explicit Hosted(Host& host, std::uint32_t threads = 0, bool timed = true, const char* config = kHosted, std::uint64_t seed = 7) {
    sluice_options_t* options = nullptr;
    good([&](auto err) { return sluice_options_new(&options, err); });
    good([&](auto err) { return sluice_options_set_json(options, config, SLUICE_NUL_TERMINATED, err); });
    good([&](auto err) { return sluice_options_set_threads(options, threads, err); });
    good([&](auto err) { return sluice_options_set_seed(options, seed, err); });
    good([&](auto err) { return sluice_options_set_transport(options, host.transport, err); });
    if (timed) {
      good([&](auto err) { return sluice_simulation_new(seed, &time, err); });
      good([&](auto err) { return sluice_options_set_clock(options, time, err); });
    }
    good([&](auto err) { return sluice_gateway_open(options, &gateway, err); });
    sluice_options_free(options);
  }
  ~Hosted() {
    sluice_gateway_free(gateway);
    sluice_simulation_free(time);
  }
  Hosted(const Hosted&) = delete;
  Hosted& operator=(const Hosted&) = delete;

  /// Does what is due now; in the simulation's time.
  void now() { advance(0); }
  void advance(std::int64_t ns) {
    good([&](auto err) { return sluice_simulation_advance(time, gateway, ns, err); });
  }
  /// Submits, and gives what comes until the END, whoever drives.
  std::vector<Seen> run(const sluice_request_t& request, bool driven) {
    submit(gateway, queue.queue, request);
    if (!driven) return queue.until_ended(1);
    std::vector<Seen> out;
    for (int turns = 0; turns < 10'000 && (out.empty() || out.back().event.kind != SLUICE_EVENT_END); ++turns) {
      good([&](auto err) { return sluice_gateway_drive(gateway, 0, nullptr, err); });
      for (Seen& seen : queue.drain()) out.push_back(std::move(seen));
    }
    return out;
  }

  Queue queue;
  sluice_simulation_t* time = nullptr;
  sluice_gateway_t* gateway = nullptr;
};

/// Polls without releasing, so that the outcome can be taken. The last event.
inline sluice_event_t last_of(sluice_queue_t* queue) {
  sluice_event_t events[64];
  std::size_t count = 0;
  good([&](auto err) { return sluice_queue_poll(queue, events, sizeof events[0], 64, 0, &count, err); });
  return count == 0 ? sluice_event_t{} : events[count - 1];
}

inline std::size_t ends(const std::vector<Seen>& events) {
  std::size_t count = 0;
  for (const Seen& seen : events) count += seen.event.kind == SLUICE_EVENT_END ? 1 : 0;
  return count;
}

inline bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// The attempts of the call whose END was polled last: "a upstream_reset 1 send; b ok 1 send; ".
inline std::string ledger(sluice_queue_t* queue, sluice_call_t call) {
  sluice_outcome_t* outcome = nullptr;
  good([&](auto err) { return sluice_call_take_outcome(queue, call, &outcome, err); });
  sluice_outcome_info_t info{};
  info.struct_size = sizeof info;
  good([&](auto err) { return sluice_outcome_info(outcome, &info, err); });
  std::string told;
  for (std::size_t i = 0; i < info.attempt_count; ++i) {
    sluice_attempt_info_t attempt{};
    attempt.struct_size = sizeof attempt;
    good([&](auto err) { return sluice_outcome_attempt(outcome, i, &attempt, err); });
    told.append(view(attempt.upstream)).append(" ").append(view(sluice_code_name(attempt.code)));
    told += " " + std::to_string(attempt.sends) + "; ";
  }
  sluice_outcome_free(outcome);
  return told;
}

}  // namespace capi_test
