// Sequences of C calls (SEC-36): whatever a caller does in whatever order, nothing breaks, errors are written, and every call that
// was taken has one end.

#include <array>
#include <cstring>
#include <map>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

#include "check.hpp"
#include "sluice.h"

namespace {

constexpr std::string_view kConfig = R"({"version":1,"upstreams":[{"name":"a","provider":"openai"},{"name":"b","provider":"openai"}],
"routes":[{"name":"chat","match":{"path":"/v1/chat/completions"},"upstreams":[{"name":"a"},{"name":"b","tier":1}],"retry":{"attempts":2}}]})";
constexpr std::string_view kWhole = R"({"model":"m","messages":[{"role":"user","content":"hello"}]})";
constexpr std::string_view kStream = R"({"model":"m","stream":true,"messages":[{"role":"user","content":"hello"}]})";

class Sequence {
 public:
  Sequence(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {
    sluice_options_t* options = nullptr;
    take(sluice_simulation_new(1, &simulation_, nullptr));
    take(sluice_options_new(&options, nullptr));
    take(sluice_options_set_json(options, kConfig.data(), kConfig.size(), nullptr));
    take(sluice_queue_new(&queue_, nullptr));
    take(sluice_queue_new(&hooks_, nullptr));
    sluice_queued_plugin_t plugin{};
    plugin.struct_size = sizeof plugin;
    plugin.name = "p";
    plugin.name_size = 1;
    plugin.phase = SLUICE_PHASE_TRANSFORM;
    const std::uint8_t how = next();
    plugin.wants = (how & 1) != 0 ? SLUICE_WANTS_REQUEST_EDITS : SLUICE_WANTS_DELTA_EDITS;
    if ((how & 2) != 0) {
      bring_network(options);
    } else {
      take(sluice_options_set_simulation(options, simulation_, nullptr));
    }
    const std::uint8_t with = next();
    if ((with & 1) != 0) take(sluice_options_add_queued_plugin(options, &plugin, hooks_, nullptr));
    if ((with & 2) != 0) take(sluice_options_add_credential(options, "a", 1, &Sequence::asked, this, nullptr, nullptr));
    take(sluice_options_add_credential(options, "b", 1, &Sequence::asked, this, nullptr, nullptr));
    take(sluice_gateway_open(options, &gateway_, nullptr));
    sluice_options_free(options);
    take(sluice_simulation_script(simulation_, "a", 1, &script_, nullptr));
  }

  void run() {
    while (size_ > 0) step();
    take(sluice_gateway_close(gateway_, nullptr));
    for (;;) {
      if (poll(queue_, 16) == 0) break;
    }
    FUZZ_CHECK(taken_ == ended_.size());
    sluice_gateway_free(gateway_);
    sluice_transport_free(transport_);
    FUZZ_CHECK(finalized_ == (hosted_ ? 1 : 0));
    sluice_queue_free(queue_);
    if (hooks_ != nullptr) sluice_queue_free(hooks_);
    sluice_simulation_free(simulation_);
    for (sluice_grant_t* grant : grants_) sluice_grant_free(grant);
  }

 private:
  std::uint8_t next() {
    if (size_ == 0) return 0;
    --size_;
    return *data_++;
  }

  /// In the place of the simulation's: what its answers are, the sequence says.
  void bring_network(sluice_options_t* options) {
    hosted_ = true;
    sluice_transport_functions_t table{};
    table.struct_size = sizeof table;
    table.user = this;
    table.start = [](void* user, sluice_transfer_t transfer, const sluice_wire_t* wire) {
      sluice_wire_info_t info{};
      info.struct_size = sizeof info;
      take(sluice_wire_info(wire, &info, nullptr));
      static_cast<Sequence*>(user)->transfers_.push_back(transfer);
    };
    table.cancel = [](void* user, sluice_transfer_t transfer) { FUZZ_CHECK(static_cast<Sequence*>(user)->cancelled_.emplace(transfer, true).second); };
    table.resume = [](void* user, sluice_transfer_t transfer) { FUZZ_CHECK(static_cast<Sequence*>(user)->cancelled_.count(transfer) == 0); };
    table.finalize = [](void* user) { ++static_cast<Sequence*>(user)->finalized_; };
    take(sluice_transport_new(&table, &transport_, nullptr));
    take(sluice_options_set_transport(options, transport_, nullptr));
    take(sluice_options_set_clock(options, simulation_, nullptr));
  }

  void answer_transfer() {
    const std::uint8_t how = next(), what = next();
    const sluice_transfer_t transfer = transfers_.empty() ? what : transfers_[(how >> 3) % transfers_.size()];
    const sluice_header_t type{"content-type", 12, (what & 1) != 0 ? "text/event-stream" : "application/json", what & 1 ? 17u : 16u};
    constexpr std::string_view kBytes = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\ndata: [DONE]\n\n";
    switch (how & 7) {
      case 0: case 1: ask([&](auto err) { return sluice_transfer_head(transport_, transfer, 200 + (what >> 1), &type, 1, err); }); return;
      case 2: case 3: ask([&](auto err) { return sluice_transfer_bytes(transport_, transfer, kBytes.data(), what % kBytes.size(), nullptr, err); }); return;
      case 4: ask([&](auto err) { return sluice_transfer_connected(transport_, transfer, err); }); return;
      case 5: ask([&](auto err) { return sluice_transfer_end(transport_, transfer, err); }); return;
      case 6: ask([&](auto err) { return sluice_transfer_fail(transport_, transfer, 60 + what % 24, "cut", 3, err); }); return;
      default:
        if (what < 16) sluice_transport_free(std::exchange(transport_, nullptr));
        return;
    }
  }

  static void take(sluice_code_t code) { FUZZ_CHECK(code == SLUICE_OK); }

  /// One that may be refused: the error is written or not, as the code says.
  template <typename F>
  sluice_code_t ask(F&& f) {
    auto* err = reinterpret_cast<sluice_error_t*>(8);
    const sluice_code_t code = f(&err);
    FUZZ_CHECK((code == SLUICE_OK) == (err == nullptr));
    if (err != nullptr) {
      FUZZ_CHECK(sluice_error_code(err) == code);
      FUZZ_CHECK(sluice_error_message(err).size != 0);
      sluice_error_free(err);
    }
    return code;
  }

  sluice_call_t any_call() {
    const std::uint8_t which = next();
    return calls_.empty() ? which : calls_[which % calls_.size()];
  }

  std::size_t poll(sluice_queue_t* queue, std::size_t capacity) {
    std::vector<sluice_event_t> events(capacity);
    std::size_t count = 0;
    const sluice_code_t code = ask([&](auto err) { return sluice_queue_poll(queue, events.data(), sizeof events[0], capacity, 0, &count, err); });
    if (code != SLUICE_OK) return 0;
    const sluice_bytes_t arena = sluice_queue_arena(queue);
    unsigned sum = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const sluice_event_t& event = events[i];
      FUZZ_CHECK(std::size_t{event.offset} + event.size <= arena.size);
      for (std::size_t k = 0; k < event.size; ++k) sum += static_cast<unsigned char>(arena.data[event.offset + k]);
      if (event.kind == SLUICE_EVENT_HOOK) {
        waiting_.push_back(event.call);
        continue;
      }
      FUZZ_CHECK(ended_.count(event.call) == 0);  // nothing comes after the end
      if (event.kind == SLUICE_EVENT_END) {
        ended_[event.call] = true;
        last_ = event.call;
      }
    }
    sum_ = sum;
    return count;
  }

  void submit() {
    const std::uint8_t how = next();
    // A table may say that it is longer than this version's; then what it says is there.
    alignas(sluice_request_t) std::array<unsigned char, 256> room{};
    sluice_request_t& request = *new (room.data()) sluice_request_t{};
    request.struct_size = (how & 64) != 0 ? next() : sizeof request;
    request.target = "/v1/chat/completions";
    request.target_size = SLUICE_NUL_TERMINATED;
    const std::string_view body = (how & 1) != 0 ? kStream : kWhole;
    request.body = body.data();
    request.body_size = (how & 2) != 0 ? body.size() / 2 : body.size();
    if ((how & 4) != 0) request.flags = SLUICE_REQUEST_BODY_FOLLOWS;
    request.answer = (how & 8) != 0 ? SLUICE_ANSWER_DELTAS : SLUICE_ANSWER_RAW;
    request.credit = (how & 16) != 0 ? next() : 0u;
    request.deadline_ms = (how & 32) != 0 ? next() : 0;
    sluice_call_t call = 0;
    if (ask([&](auto err) { return sluice_submit(gateway_, queue_, &request, how, &call, err); }) != SLUICE_OK) return;
    FUZZ_CHECK(call != 0);
    calls_.push_back(call);
    ++taken_;
  }

  void answer() {
    sluice_ruling_t ruling{};
    const std::uint8_t how = next();
    ruling.struct_size = sizeof ruling;
    ruling.verdict = how & 7;
    ruling.edits = how >> 3;
    ruling.code = next();
    ruling.text = "text";
    ruling.text_size = 4;
    ruling.body = kWhole.data();
    ruling.body_size = kWhole.size();
    const std::uint64_t hook = waiting_.empty() ? how : waiting_[next() % waiting_.size()];
    ask([&](auto err) { return sluice_hook_answer(gateway_, hook, &ruling, err); });
  }

  void fault() {
    sluice_fault_t fault{};
    fault.struct_size = sizeof fault;
    fault.kind = next() % 13;
    fault.at_byte = next();
    fault.after_events = next() & 7u;
    fault.times = next() & 3u;
    ask([&](auto err) { return sluice_script_fault(script_, &fault, err); });
  }

  static void asked(void* user, sluice_grant_t* grant) {
    auto& self = *static_cast<Sequence*>(user);
    FUZZ_CHECK(sluice_grant_upstream(grant).size == 1);
    if (self.keeps_) return self.grants_.push_back(grant);
    take(sluice_grant_give(grant, "key", 3, 60'000, nullptr));
    sluice_grant_free(grant);
  }

  void grant() {
    const std::uint8_t how = next();
    if (grants_.empty()) return;
    const auto which = grants_.begin() + how % static_cast<std::ptrdiff_t>(grants_.size());
    const char value[] = {'k', 'e', 'y', static_cast<char>(next())};
    if ((how & 64) != 0) ask([&](auto err) { return sluice_grant_refuse(*which, value, how & 3u, how, err); });
    if ((how & 32) != 0) ask([&](auto err) { return sluice_grant_give(*which, value, sizeof value, how - 40, err); });
    if ((how & 128) == 0) return;
    sluice_grant_free(*which);
    grants_.erase(which);
  }

  void step() {
    const std::uint8_t what = next() % 22;
    switch (what) {
      case 0: case 1: case 2: return submit();
      case 3: return (void)poll(queue_, 1 + next() % 32u);
      case 4: return (void)(hooks_ != nullptr ? poll(hooks_, 1 + next() % 8u) : 0);
      case 5: ask([&](auto err) { return sluice_call_cancel(gateway_, any_call(), err); }); return;
      case 6: ask([&](auto err) { return sluice_call_credit(gateway_, any_call(), next(), err); }); return;
      case 7: {
        const std::string_view rest = kWhole.substr(kWhole.size() / 2);
        const std::uint8_t last = next() & 1u;
        ask([&](auto err) { return sluice_call_body(gateway_, any_call(), rest.data(), rest.size(), last, err); });
        return;
      }
      case 8: ask([&](auto err) { return sluice_simulation_advance(simulation_, gateway_, std::int64_t{next()} * 1'000'000, err); }); return;
      case 9: ask([&](auto err) { return sluice_simulation_step(simulation_, gateway_, nullptr, err); }); return;
      case 10: ask([&](auto err) { return sluice_gateway_drive(gateway_, 0, nullptr, err); }); return;
      case 11: return answer();
      case 12: return sluice_queue_release(queue_);
      case 13: {
        sluice_outcome_t* outcome = nullptr;
        ask([&](auto err) { return sluice_call_take_outcome(queue_, (next() & 1u) != 0 ? last_ : any_call(), &outcome, err); });
        sluice_outcome_info_t info{};
        info.struct_size = sizeof info;
        if (outcome != nullptr) take(sluice_outcome_info(outcome, &info, nullptr));
        return sluice_outcome_free(outcome);
      }
      case 14: ask([&](auto err) { return sluice_queue_wake(queue_, err); }); return;
      case 15: return hosted_ ? answer_transfer() : fault();
      case 16: ask([&](auto err) { return sluice_script_generate(script_, next(), err); }); return;
      case 17: ask([&](auto err) { return sluice_gateway_reload_json(gateway_, kConfig.data(), kConfig.size() - (next() & 1u), err); }); return;
      case 18:
        if (next() < 16) ask([&](auto err) { return sluice_gateway_close(gateway_, err); });
        return;
      case 19:
        if (next() < 32 && hooks_ != nullptr) {
          sluice_queue_free(hooks_);
          hooks_ = nullptr;
        }
        return;
      case 20: keeps_ = !keeps_; return;
      default: return grant();
    }
  }

  const std::uint8_t* data_;
  std::size_t size_;
  sluice_simulation_t* simulation_ = nullptr;
  sluice_script_t* script_ = nullptr;
  sluice_gateway_t* gateway_ = nullptr;
  sluice_transport_t* transport_ = nullptr;
  sluice_queue_t* queue_ = nullptr;
  sluice_queue_t* hooks_ = nullptr;
  std::vector<sluice_call_t> calls_;
  std::vector<std::uint64_t> waiting_;
  std::map<sluice_call_t, bool> ended_;
  std::vector<sluice_grant_t*> grants_;  // to be answered later
  bool keeps_ = false;
  std::vector<sluice_transfer_t> transfers_;
  std::map<sluice_transfer_t, bool> cancelled_;
  bool hosted_ = false;  // the network is this sequence's
  int finalized_ = 0;
  sluice_call_t last_ = 0;
  std::size_t taken_ = 0;
  volatile unsigned sum_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Sequence sequence(data, std::min<std::size_t>(size, 512));
  sequence.run();
  return 0;
}
