// The judge of how a route chooses and tries again: settings that would have no effect, or that a route which never tries
// twice cannot honour.

#include <fmt/format.h>

#include <algorithm>

#include "gateway/config_judge.hpp"
#include "gateway/config_table.hpp"

namespace sluice::gateway::config {

namespace {

class BalanceJudge {
 public:
  BalanceJudge(Findings& findings, const std::string& here, const Route& route)
      : findings_(findings), here_(here), route_(route) {}

  void run() {
    judge_weights();
    judge_latency();
    judge_pauses();
    judge_single();
    judge_untried();
  }

 private:
  void add(std::string_view key, std::string message) {
    findings_.add(here_ + "/" + std::string(key), std::move(message));
  }

  void judge_weights() {
    const bool weighs = route_.strategy == Strategy::kWeighted || route_.strategy == Strategy::kRandom ||
                        route_.strategy == Strategy::kPowerOfTwo || route_.strategy == Strategy::kLeastLatency;
    for (std::size_t i = 0; i < route_.upstreams.size(); ++i) {
      if (weighs || route_.upstreams[i].weight <= 1) continue;
      add(fmt::format("upstreams/{}/weight", i),
          fmt::format("has no effect: strategy \"{}\" does not weigh; use \"weighted\", \"random\", \"power_of_two\" or \"least_latency\"",
                      name_of(route_.strategy)));
    }
    const auto& all = route_.upstreams;
    if (!all.empty() && std::all_of(all.begin(), all.end(), [](const Target& one) { return one.weight == 0; }))
      add("upstreams", "every weight is 0: no upstream could ever be chosen");
  }

  void judge_latency() {
    if (route_.strategy == Strategy::kLeastLatency || route_.latency == LatencyPolicy{}) return;
    add("latency", fmt::format("has no effect: strategy \"{}\" learns no latency; use \"least_latency\"", name_of(route_.strategy)));
  }

  void judge_pauses() {
    const RetryPolicy& retry = route_.retry;
    if (retry.per_upstream > retry.attempts)
      add("retry/per_upstream", fmt::format("has no effect: {} is more than attempts ({})", retry.per_upstream, retry.attempts));
    if (retry.backoff > retry.max_backoff) {
      add("retry/backoff_ms", fmt::format("{} is more than max_backoff_ms ({})", retry.backoff.count(), retry.max_backoff.count()));
    }
  }

  /// With one upstream there is nothing to choose and nowhere to go.
  void judge_single() {
    if (route_.upstreams.size() != 1) return;
    const std::string_view why = "has no effect: the route has one upstream";
    if (route_.strategy != Strategy::kOrdered) add("strategy", std::string(why));
    if (route_.upstreams.front().tier != 0) add("upstreams/0/tier", std::string(why));
    if (route_.failover.on != FailoverPolicy{}.on) add("failover/on", std::string(why));
    if (route_.retry.per_upstream != RetryPolicy{}.per_upstream) add("retry/per_upstream", std::string(why));
  }

  /// Bytes that pass as they are go out once.
  void judge_untried() {
    const bool security = std::any_of(route_.upstreams.begin(), route_.upstreams.end(),
                                      [this](const Target& one) { return findings_.is_security(one); });
    if (!security && route_.operation != RouteOperation::kOpaque) return;
    const std::string why = security ? "cannot be honoured: an upstream in mode \"security\" is asked once"
                                     : "cannot be honoured: operation \"opaque\" sends a request once";
    if (!(route_.retry == RetryPolicy{})) add("retry", why);
    if (!(route_.failover == FailoverPolicy{})) add("failover", why);
  }

  Findings& findings_;
  const std::string& here_;
  const Route& route_;
};

}  // namespace

void judge_balance(Findings& findings, const std::string& pointer, const Route& route) {
  BalanceJudge(findings, pointer, route).run();
}

}  // namespace sluice::gateway::config
