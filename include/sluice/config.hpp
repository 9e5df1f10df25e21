#pragma once
/// A whole configuration as one value, equal to one JSON document (docs/configuration.md).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/consumer.hpp"
#include "sluice/listen.hpp"
#include "sluice/route.hpp"
#include "sluice/telemetry.hpp"
#include "sluice/tokens.hpp"
#include "sluice/upstream.hpp"

namespace [[gnu::visibility("default")]] sluice {

/// Bounds of what one request may cost, before any upstream is involved.
struct RequestLimits {
  std::uint32_t header_bytes = 64 * 1024;
  std::uint32_t headers = 128;
  std::uint64_t body_bytes = 32ull << 20;          ///< as sent and after decoding
  bool require_length = false;                     ///< a body without Content-Length is refused
  std::uint64_t body_budget_bytes = 512ull << 20;  ///< all request bodies of the gateway together
  std::uint32_t json_depth = 1024;
  std::uint32_t json_values = 1'000'000;
  std::uint32_t event_bytes = 1u << 20;            ///< one event of a streamed answer
};

struct GatewayOptions {
  std::string name = "sluice";
  /// Engine threads; 0 = host-driven: no thread is made, the host calls drive().
  std::uint32_t threads = 1;
  std::vector<Listen> listen = {};
  /// `host:port` on loopback where statistics are served as JSON; empty = nowhere.
  std::string statistics_address = {};
  std::vector<PluginUse> plugins = {};    ///< on every route
  RequestLimits limits = {};
  TokenOptions tokens = {};
  std::uint32_t max_exchanges = 0;        ///< open at once; 0 = no bound
  Milliseconds drain_timeout{30'000};
};

struct Config {
  GatewayOptions gateway = {};
  std::vector<Group> groups = {};
  std::vector<Consumer> consumers = {};
  std::vector<Upstream> upstreams = {};
  std::vector<Route> routes = {};
  TelemetryOptions telemetry = {};

  /// Reads a JSON document. Errors: kInvalidConfiguration with every mistake, one a line, each with its JSON Pointer,
  /// the value and the nearest valid name; syntax errors with line, column and the line itself.
  [[nodiscard]] static Result<Config> parse(std::string_view json);
  [[nodiscard]] static Result<Config> load(const std::string& path);

  /// The effective document, defaults included, secrets as `***`.
  [[nodiscard]] std::string dump() const;
};

/// One mistake of a configuration.
struct Problem {
  std::string pointer = {};  ///< JSON Pointer into the document
  std::string message = {};  ///< with the value and, where there is one, the nearest valid name
};

/// Everything that is wrong with `config` as a whole: dangling and duplicate names, shadowed routes, combinations
/// that cannot be honoured. Reads no secret and no network.
[[nodiscard]] std::vector<Problem> validate(const Config& config);

/// Everything that is wrong with a document: what Config::parse refuses it for, mistake by mistake, in document order.
/// A syntax error is one problem, at the pointer "". Empty: it is good.
[[nodiscard]] std::vector<Problem> validate_json(std::string_view json);

/// One line a problem, `pointer: message`; at most a hundred.
[[nodiscard]] std::string to_string(const std::vector<Problem>& problems);

/// The JSON Schema (draft 2020-12) of the configuration document. Lifetime: static.
[[nodiscard]] std::string_view config_schema();

}  // namespace sluice
