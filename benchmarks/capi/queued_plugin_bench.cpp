// What a queued plugin that takes its time costs everybody else (ABI-17), through the library alone and in real time.
//
//   queued_plugin_bench    40 streams of 100 tokens a second on one engine thread, beside 8 exchanges whose plugin sleeps 50 ms
//                          over each hook: the pauses between two deltas of the streams, with the plugin and without
//
// The plugin's thread sleeps, which is what a plugin in a language with an interpreter lock looks like from here.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "sluice.h"

namespace {

constexpr std::uint64_t kStreams = 40, kWatched = 8, kTokens = 400;
constexpr std::chrono::milliseconds kThinks{50};

constexpr const char* kConfig = R"({"version": 1, "gateway": {"threads": 1},
  "upstreams": [{"name": "up", "provider": "simulator", "simulator": {"tokens_per_second": 100, "answer": "%s"}}],
  "routes": [{"name": "watched", "match": {"headers": {"x-watched": "1"}}, "upstreams": [{"name": "up"}],
              "plugins": [{"name": "slow", "timeout_ms": 60000}]},
             {"name": "free", "upstreams": [{"name": "up"}]}]})";

void must(sluice_code_t code) {
  if (code == SLUICE_OK) return;
  std::printf("%s\n", sluice_code_name(code).data);
  std::exit(1);
}

/// Answers every hook of `queue` 50 ms after it has taken it, one at a time, until it is told to stop.
class SlowPlugin {
 public:
  SlowPlugin(sluice_gateway_t* gateway, sluice_queue_t* queue) : gateway_(gateway), queue_(queue), thread_([this] { run(); }) {}
  ~SlowPlugin() {
    stopped_ = true;
    sluice_queue_wake(queue_, nullptr);
    thread_.join();
  }
  SlowPlugin(const SlowPlugin&) = delete;
  SlowPlugin& operator=(const SlowPlugin&) = delete;
  [[nodiscard]] std::uint64_t hooks() const { return hooks_; }

 private:
  void run() {
    while (!stopped_) {
      sluice_event_t event{};
      std::size_t count = 0;
      must(sluice_queue_poll(queue_, &event, sizeof event, 1, -1, &count, nullptr));
      if (count == 0) continue;
      std::this_thread::sleep_for(kThinks);
      sluice_ruling_t ruling{};
      ruling.struct_size = sizeof ruling;
      ruling.verdict = SLUICE_CONTINUE;
      (void)sluice_hook_answer(gateway_, event.call, &ruling, nullptr);  // closed meanwhile, perhaps
      ++hooks_;
    }
  }
  sluice_gateway_t* gateway_;
  sluice_queue_t* queue_;
  std::atomic<bool> stopped_{false};
  std::atomic<std::uint64_t> hooks_{0};
  std::thread thread_;
};

std::string config() {
  std::string answer;
  for (std::uint64_t i = 0; i < kTokens; ++i) answer += i == 0 ? "word" : " word";
  std::string text = kConfig;
  return text.replace(text.find("%s"), 2, answer);
}

void submit(sluice_gateway_t* gateway, sluice_queue_t* queue, bool watched, std::uint64_t tag) {
  const sluice_header_t mark{"x-watched", SLUICE_NUL_TERMINATED, "1", SLUICE_NUL_TERMINATED};
  sluice_request_t request{};
  request.struct_size = sizeof request;
  request.target = "/v1/chat/completions";
  request.target_size = SLUICE_NUL_TERMINATED;
  request.body = R"({"model":"m","stream":true,"messages":[{"role":"user","content":"hello"}]})";
  request.body_size = SLUICE_NUL_TERMINATED;
  request.answer = SLUICE_ANSWER_DELTAS;
  request.headers = watched ? &mark : nullptr;
  request.header_count = watched ? 1 : 0;
  must(sluice_submit(gateway, queue, &request, tag, nullptr, nullptr));
}

/// The pauses between two deltas of a stream, in ms, sorted.
std::vector<double> pauses(bool with_plugin) {
  sluice_queue_t *queue = nullptr, *hooks = nullptr;
  sluice_options_t* options = nullptr;
  sluice_gateway_t* gateway = nullptr;
  must(sluice_queue_new(&queue, nullptr));
  must(sluice_queue_new(&hooks, nullptr));
  must(sluice_options_new(&options, nullptr));
  const std::string text = config();
  must(sluice_options_set_json(options, text.data(), text.size(), nullptr));
  sluice_queued_plugin_t plugin{};
  plugin.struct_size = sizeof plugin;
  plugin.name = "slow";
  plugin.name_size = SLUICE_NUL_TERMINATED;
  plugin.phase = SLUICE_PHASE_TRANSFORM;
  plugin.wants = SLUICE_WANTS_DELTA_EDITS;
  must(sluice_options_add_queued_plugin(options, &plugin, hooks, nullptr));
  must(sluice_gateway_open(options, &gateway, nullptr));
  sluice_options_free(options);

  std::vector<double> out;
  {
    SlowPlugin slow(gateway, hooks);
    for (std::uint64_t tag = 1; with_plugin && tag <= kWatched; ++tag) submit(gateway, queue, true, kStreams + tag);
    for (std::uint64_t tag = 1; tag <= kStreams; ++tag) submit(gateway, queue, false, tag);
    std::map<std::uint64_t, std::chrono::steady_clock::time_point> last;
    for (std::uint64_t ended = 0; ended < kStreams;) {
      sluice_event_t events[64];
      std::size_t count = 0;
      must(sluice_queue_poll(queue, events, sizeof events[0], 64, -1, &count, nullptr));
      const auto now = std::chrono::steady_clock::now();
      for (std::size_t i = 0; i < count; ++i) {
        if (events[i].tag > kStreams) continue;
        if (events[i].kind == SLUICE_EVENT_END) ++ended;
        if (events[i].kind != SLUICE_EVENT_DELTA) continue;
        const auto before = last.find(events[i].tag);
        if (before != last.end()) out.push_back(std::chrono::duration<double, std::milli>(now - before->second).count());
        last[events[i].tag] = now;
      }
    }
    must(sluice_gateway_close(gateway, nullptr));
    if (with_plugin) std::printf("the plugin has slept over %llu hooks meanwhile\n", static_cast<unsigned long long>(slow.hooks()));
  }
  sluice_gateway_free(gateway);
  sluice_queue_free(queue);
  sluice_queue_free(hooks);
  std::sort(out.begin(), out.end());
  return out;
}

double at(const std::vector<double>& sorted, double part) { return sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1))]; }

}  // namespace

int main() {
  const auto without = pauses(false), with = pauses(true);
  std::printf("pauses without the plugin: p50 %.2f ms, p99 %.2f ms (%zu)\n", at(without, 0.5), at(without, 0.99), without.size());
  std::printf("pauses with the plugin:    p50 %.2f ms, p99 %.2f ms (%zu)\n", at(with, 0.5), at(with, 0.99), with.size());
  std::printf("p99 moved by %.2f ms\n", at(with, 0.99) - at(without, 0.99));
  return 0;
}
