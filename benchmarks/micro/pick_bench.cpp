// What a pick costs with 5 and with 100 members, under each strategy: the fastest of many batches, the load's rise and fall
// included. One line a figure on stderr, JSON on stdout.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <vector>

#include "policy/balance.hpp"

using namespace sluice;

namespace {

struct Named {
  const char* name;
  Strategy strategy;
};

const Named kStrategies[] = {{"ordered", Strategy::kOrdered},   {"round_robin", Strategy::kRoundRobin},
                             {"weighted", Strategy::kWeighted}, {"random", Strategy::kRandom},
                             {"least_in_flight", Strategy::kLeastInFlight}, {"power_of_two", Strategy::kPowerOfTwo},
                             {"least_latency", Strategy::kLeastLatency}};

constexpr TimePoint kStart = TimePoint(std::chrono::hours(1));

double nanoseconds(Strategy strategy, std::uint32_t size, bool even) {
  std::vector<policy::Member> members;
  std::vector<policy::Candidate> candidates;
  std::vector<policy::Load> busy;  // so that the counts differ
  for (std::uint32_t i = 0; i < size; ++i) {
    members.push_back({.in_flight = std::make_shared<policy::InFlight>(), .weight = even ? 1 : 1 + i % 3, .latency = std::make_shared<policy::Latency>(LatencyPolicy{})});
    members.back().latency->first_content(std::chrono::milliseconds(50 + i), kStart);
    candidates.push_back({.member = i});
    for (std::uint32_t k = 0; k < i * 7 % 5; ++k) busy.emplace_back(members.back().in_flight);
  }
  policy::Balancer balancer(strategy, members);
  Random random(1);
  constexpr int kBatch = 2'000;
  double best = 1e9;
  std::size_t sum = 0;
  for (int batch = 0; batch < 300; ++batch) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < kBatch; ++i) sum += balancer.pick(candidates, random, kStart + std::chrono::milliseconds(i))->candidate;
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    best = std::min(best, took.count() / kBatch);
  }
  return sum == 1 ? -1 : best;  // so that no pick is optimised away
}

}  // namespace

int main() {
  std::printf("{\"figures\": {");
  const char* comma = "";
  for (const Named& one : kStrategies) {
    for (const std::uint32_t size : {5u, 100u}) {
      const double even = nanoseconds(one.strategy, size, true), mixed = nanoseconds(one.strategy, size, false);
      std::fprintf(stderr, "%-16s %3u members  %7.1f ns of weight 1, %7.1f ns of weights 1 to 3\n", one.name, size, even, mixed);
      std::printf("%s\"%s_%u_ns\": %.1f, \"%s_%u_weights_ns\": %.1f", comma, one.name, size, even, one.name, size, mixed);
      comma = ", ";
    }
  }
  std::printf("}}\n");
}
