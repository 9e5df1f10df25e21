// What telemetry costs an exchange: its event written, with and without secrets to look for, and queued; a delta timed;
// a key named. Prints the fastest of many short batches and the median, in ns. With an argument, a number, it writes
// the plain event so often and nothing else, for a profiler to count:
//
//   valgrind --tool=callgrind --toggle-collect='sluice::telemetry::write_event*' event_bench 1000

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "telemetry/delta_times.hpp"
#include "telemetry/event.hpp"
#include "telemetry/jsonl.hpp"
#include "telemetry/key_id.hpp"

namespace {

using namespace sluice;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

Outcome plain() {
  Outcome outcome;
  outcome.id = "req_7h2k9q4m1x8w3v5t6r0s2d4f";
  outcome.ending = Ending::kCompleted;
  outcome.status = 200;
  outcome.consumer = "app";
  outcome.tenant = "acme";
  outcome.route = "chat";
  outcome.requested_model = "smart";
  outcome.served_model = "gpt-4o-mini-2024-07-18";
  outcome.dialect = "openai";
  outcome.operation = "chat";
  outcome.mode = "embedded";
  outcome.streamed = true;
  outcome.usage.input_tokens = 1210;
  outcome.usage.output_tokens = 388;
  outcome.usage.cached_input_tokens = 1024;
  outcome.usage.total_tokens = 1598;
  outcome.finish_reason = "stop";
  Attempt& attempt = outcome.attempts.emplace_back();
  attempt.upstream = "openai";
  attempt.model = "gpt-4o-mini";
  attempt.reason = "completed";
  attempt.chosen_because = "first of route 'chat' that serves 'smart'";
  attempt.status = 200;
  attempt.sends = 1;
  attempt.reused_connection = true;
  attempt.started = 212us;
  attempt.first_byte = 412'345us;
  attempt.total = 3'456'789us;
  attempt.bytes_sent = 2301;
  attempt.bytes_received = 90'233;
  attempt.usage = outcome.usage;
  outcome.started_at = WallTime(1'795'680'073'123ms);
  outcome.first_delta = 413'001us;
  outcome.total = 3'457'200us;
  outcome.receive_time = 150us;
  outcome.upstream_time = 3'456'789us;
  outcome.deltas = 388;
  outcome.inter_delta_p50 = 7'424us;
  outcome.inter_delta_p99 = 31'744us;
  outcome.bytes_in = 2301;
  outcome.bytes_out = 90'233;
  return outcome;
}

template <typename Work>
void report(const char* name, int batch, const Work& work) {
  std::vector<double> times;
  const auto until = Clock::now() + 400ms;
  while (Clock::now() < until) {
    const auto began = Clock::now();
    for (int i = 0; i != batch; ++i) work();
    times.push_back(std::chrono::duration<double, std::nano>(Clock::now() - began).count() / batch);
  }
  std::sort(times.begin(), times.end());
  std::printf("%-36s best %8.1f ns  median %8.1f ns\n", name, times.front(), times[times.size() / 2]);
}

}  // namespace

int main(int argc, char** argv) {
  const Outcome outcome = plain();
  Random random(1);
  const telemetry::Trace trace = telemetry::join_trace({}, true, random);
  std::vector<std::string> secrets;
  for (int i = 0; i < 10; ++i) {
    secrets.push_back("sk-proj-" + std::to_string(random.next()) + std::to_string(random.next()));
  }
  const telemetry::SecretMask mask(secrets);
  telemetry::EventContext context{.gateway = "edge", .key_id = "9f86d081", .trace = &trace};
  std::string line;
  const auto write = [&] {
    line.clear();
    telemetry::write_event(outcome, context, line);
  };
  if (argc > 1) {
    for (int i = std::atoi(argv[1]); i > 0; --i) write();
    return 0;
  }
  report("an event of one attempt", 200, write);
  std::printf("%zu bytes\n", line.size());
  context.mask = &mask;
  report("the same, ten secrets looked for", 200, write);
  telemetry::DeltaTimes times;
  TimePoint now{};
  report("a delta timed", 10'000, [&] { times.add(now += 7ms); });
  // Half a piece at a time, so that what is measured is the queue and not fresh memory.
  auto sink = telemetry::JsonlSink::open({.path = "/dev/null"}, telemetry::Writing::kHost);
  if (!sink) return 1;
  int queued = 0;
  report("a line queued, and a 25th of a write", 2500, [&] {
    (void)(*sink)->write(line);
    if (++queued % 25 == 0) (void)(*sink)->drain(1 << 20, {});
  });
  std::size_t sum = 0;
  report("a key named", 200, [&] { sum += telemetry::key_id("sk-proj-abcdefghijklmnopqrstuvwxyz", "salt").size(); });
  return sum == 0;
}
