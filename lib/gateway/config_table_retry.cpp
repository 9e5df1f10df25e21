// The table's rows for how a route chooses and what follows: strategies, latency, retries, failover.

#include <array>
#include <string_view>
#include <utility>

#include "gateway/config_table.hpp"

namespace sluice::gateway::config {

namespace {

Codec<std::vector<FailureKind>> failures() {
  return list_of(choice<FailureKind>({{"connection", FailureKind::kConnection},
                                      {"timeout", FailureKind::kTimeout},
                                      {"http_429", FailureKind::kHttp429},
                                      {"http_5xx", FailureKind::kHttp5xx},
                                      {"broken_answer", FailureKind::kBrokenAnswer}}),
                 {.min_items = 0, .unique = true});
}

constexpr std::array<std::pair<std::string_view, Strategy>, 7> kStrategies{{{"ordered", Strategy::kOrdered},
                                                                            {"round_robin", Strategy::kRoundRobin},
                                                                            {"weighted", Strategy::kWeighted},
                                                                            {"random", Strategy::kRandom},
                                                                            {"least_in_flight", Strategy::kLeastInFlight},
                                                                            {"power_of_two", Strategy::kPowerOfTwo},
                                                                            {"least_latency", Strategy::kLeastLatency}}};

}  // namespace

Codec<Strategy> strategy() { return choice<Strategy>({kStrategies.begin(), kStrategies.end()}); }

std::string_view name_of(Strategy strategy) noexcept {
  for (const auto& [name, one] : kStrategies) {
    if (one == strategy) return name;
  }
  return {};
}

Codec<LatencyPolicy> latency() {
  return object<LatencyPolicy>(
      "Latency", "How the strategy `least_latency` learns what an upstream's entry takes.",
      {field("of", &LatencyPolicy::of,
             choice<LatencyOf>({{"first_content", LatencyOf::kFirstContent}, {"total", LatencyOf::kTotal}}),
             "What is measured from the start of an attempt: `first_content`: until the first content of a streamed answer "
             "(of others the whole); `total`: until the end."),
       field("half_life_ms", &LatencyPolicy::half_life, milliseconds(1),
             "In each of these an estimate that is not renewed falls by half, so that who was slow is asked again.")});
}

Codec<RetryPolicy> retry() {
  return object<RetryPolicy>(
      "Retry", "Attempts after the first, until the first content has reached the caller; never behind it.",
      {field("attempts", &RetryPolicy::attempts, integer<std::uint32_t>(1, 20),
             "Requests sent to upstreams for one exchange, the first included, whichever upstreams they go to. 1: never "
             "again."),
       field("per_upstream", &RetryPolicy::per_upstream, integer<std::uint32_t>(1, 20),
             "Of these, at one upstream and model before another takes over. Once every one has had its turn, the one "
             "that is free soonest is tried again."),
       field("on", &RetryPolicy::on, failures(),
             "What is tried again at the same upstream: `connection` (no address, refused, TLS, reset), `timeout` (a "
             "deadline of the attempt, or 408), `http_429`, `http_5xx` (500 and above), `broken_answer` (an error inside "
             "a 2xx, or one that breaks off)."),
       field("backoff_ms", &RetryPolicy::backoff, milliseconds(0),
             "The n-th pause before the same upstream is asked again is random, up to this times 2^(n-1); what the "
             "upstream asks for in `Retry-After` and the like is the least."),
       field("max_backoff_ms", &RetryPolicy::max_backoff, milliseconds(0), "The longest pause chance may choose."),
       field("budget_percent", &RetryPolicy::budget_percent, integer<std::uint32_t>(0, 1000, "percent"),
             "Attempts beyond the first that the route may add, in percent of its exchanges of the last 10 s. 10 are "
             "always allowed.")});
}

Codec<FailoverPolicy> failover() {
  return object<FailoverPolicy>(
      "Failover", "Another upstream of the route takes over; at once, without a pause.",
      {field("on", &FailoverPolicy::on, failures(), "The failures it is done for, as in `retry`. An empty list: never."),
       field("max_latency_ms", &FailoverPolicy::max_latency, milliseconds(0),
             "No attempt begins later than this after the request was whole. 0 = no bound but the deadline.")});
}

}  // namespace sluice::gateway::config
