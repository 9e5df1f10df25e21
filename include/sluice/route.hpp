#pragma once
/// A route: which requests it takes, where they go, and what is changed on the way. Plain values.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "sluice/edits.hpp"
#include "sluice/match.hpp"
#include "sluice/plugin_use.hpp"

namespace [[gnu::visibility("default")]] sluice {

/// What a route does with the model a request asks for.
struct ModelPolicy {
  std::vector<std::string> allow = {};  ///< globs; empty = any
  std::string default_model = {};       ///< used where the request names none
  bool substitute = false;              ///< a model that is not allowed is replaced by the default and reported, not refused
  bool intents = true;                  ///< `@provider/model`, `pool:alias` and `auto` are understood
};

/// One upstream of a route.
struct Target {
  std::string upstream = {};
  std::string model = {};               ///< the name sent; empty = as asked for
  std::vector<std::string> pools = {};  ///< aliases a caller may ask for: `pool:fast`
  std::uint32_t weight = 1;             ///< share under strategies that weigh; 0 = never chosen
  std::uint32_t tier = 0;               ///< a tier serves only while no lower one has a usable member
};

/// How a route chooses among the members of a tier that may serve a request.
enum class Strategy : std::uint8_t {
  kOrdered,        ///< the first, as they are listed
  kRoundRobin,     ///< each in turn
  kWeighted,       ///< in turn by weight, smoothly: 3 to 1 is a a b a
  kRandom,         ///< by chance and weight
  kLeastInFlight,  ///< the one with the fewest exchanges under way, over all engines; where equal, in turn
  kPowerOfTwo,     ///< of two drawn by chance and weight the one with fewer exchanges under way; where equal, the first drawn
  kLeastLatency,   ///< of two drawn by chance and weight the one whose latency, times its exchanges under way and one, is less
};

/// What counts as an upstream's latency, from the start of an attempt.
enum class LatencyOf : std::uint8_t {
  kFirstContent,  ///< until the first content of a streamed answer; the whole where there is none
  kTotal,         ///< until the end of the answer
};

/// How latency is learned, for the strategy that chooses by it.
struct LatencyPolicy {
  LatencyOf of = LatencyOf::kFirstContent;
  /// In each of these an estimate that is not renewed falls by half, and what was measured before it counts half as much.
  std::chrono::milliseconds half_life{10'000};
  friend bool operator==(const LatencyPolicy&, const LatencyPolicy&) = default;
};

/// Why an attempt failed before anything of its answer reached the caller. What is none of these is the caller's own
/// mistake or a policy's answer and is never tried again.
enum class FailureKind : std::uint8_t {
  kConnection,    ///< no address, refused, TLS, reset, no HTTP
  kTimeout,       ///< a deadline of the attempt, or status 408
  kHttp429,       ///< status 429
  kHttp5xx,       ///< a status of 500 and above
  kBrokenAnswer,  ///< a 2xx that holds an error, breaks off or is no answer
};

/// Whether and when a failed attempt is followed by another. All of it holds only until the first content has reached
/// the caller.
struct RetryPolicy {
  std::uint32_t attempts = 3;      ///< requests sent to upstreams for one exchange, the first included
  std::uint32_t per_upstream = 1;  ///< of these, at one upstream and model before another takes over
  std::vector<FailureKind> on = {FailureKind::kConnection, FailureKind::kTimeout, FailureKind::kHttp429, FailureKind::kHttp5xx,
                                 FailureKind::kBrokenAnswer};  ///< what is tried again at the same upstream
  std::chrono::milliseconds backoff{250};       ///< full jitter: the n-th pause is 0 to backoff * 2^(n-1)
  std::chrono::milliseconds max_backoff{8'000};
  /// Attempts beyond the first that the route may add, in percent of its exchanges of the last 10 s; 10 are always allowed.
  std::uint32_t budget_percent = 20;
  friend bool operator==(const RetryPolicy&, const RetryPolicy&) = default;
};

/// Which failures another upstream of the route is tried for.
struct FailoverPolicy {
  std::vector<FailureKind> on = {FailureKind::kConnection, FailureKind::kTimeout, FailureKind::kHttp429, FailureKind::kHttp5xx,
                                 FailureKind::kBrokenAnswer};
  std::chrono::milliseconds max_latency{0};     ///< no attempt begins later than this after the request was whole; 0 = no bound
  friend bool operator==(const FailoverPolicy&, const FailoverPolicy&) = default;
};

/// How the path is rewritten. At most one form.
struct PathRewrite {
  std::string strip_prefix = {};
  std::string path = {};   ///< template: `/v2/{tail}`; names are those the match captures
  std::string regex = {};  ///< with `replacement`, `\1` style
  std::string replacement = {};
};

enum class RouteOperation : std::uint8_t {
  kAuto,    ///< by path, method and headers
  kOpaque,  ///< byte for byte, whatever it is
};

/// What is done where the upstream speaks another dialect than the caller and cannot carry a field.
enum class Fidelity : std::uint8_t {
  kLenient,  ///< what changes no meaning is dropped and reported (a seed, a penalty, a user tag); else the upstream is refused
  kStrict,   ///< nothing is dropped: an upstream that cannot carry every field is refused
};

struct Route {
  std::string name = {};
  Match match = {};
  std::vector<Target> upstreams = {};
  /// Consumers or groups this route admits; empty = everyone the gateway knows.
  std::vector<std::string> admit = {};
  ModelPolicy models = {};
  Strategy strategy = Strategy::kOrdered;
  LatencyPolicy latency = {};
  RetryPolicy retry = {};
  FailoverPolicy failover = {};
  RouteOperation operation = RouteOperation::kAuto;
  PathRewrite rewrite = {};
  HeaderEdits request_headers = {};
  HeaderEdits response_headers = {};
  /// Client header fields that go upstream beside the usual ones; globs. Credentials and cookies only by exact name.
  std::vector<std::string> forward_headers = {};
  BodyEdits body = {};
  /// Run behind the gateway's own within each phase; one with a name of the gateway's list takes its place here.
  std::vector<PluginUse> plugins = {};
  /// Names provider and model in the answer's headers: `x-sluice-provider`, `x-sluice-model`.
  bool expose_target = false;
  Fidelity fidelity = Fidelity::kLenient;
  /// Names in the answer's header `x-sluice-losses` what of the request could not be carried to the upstream as it was.
  bool expose_losses = false;
  /// In every silence this long of a streamed answer that is not over, the caller is sent a ping in a form its dialect
  /// allows, so that nothing between gives the connection up. From the upstream's head on; 0 = off.
  std::chrono::milliseconds stream_keep_alive{0};
};

/// Sorts consumers: what its members may use is the union over their groups.
struct Group {
  std::string name = {};
  std::vector<std::string> models = {};  ///< allow-list, globs; empty = any
};

}  // namespace sluice
