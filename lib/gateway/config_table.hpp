#pragma once
/// The table of the configuration: every key with its C++ member, shape, meaning and example, once.
/// config_table_*.cpp fill it in, one file for each noun; parser, schema, pages and dump are read off it.

#include "gateway/config_codec.hpp"
#include "sluice/config.hpp"

namespace sluice::gateway::config {

[[nodiscard]] Codec<GatewayOptions> gateway_options();
[[nodiscard]] Codec<ListenTls> listen_tls();
[[nodiscard]] Codec<Group> group();
[[nodiscard]] Codec<Consumer> consumer();
[[nodiscard]] Codec<Upstream> upstream();
[[nodiscard]] Codec<RestOptions> rest_options();
[[nodiscard]] Codec<Match> match();
[[nodiscard]] Codec<BodyMatch> body_rule();
[[nodiscard]] Codec<HeaderEdits> header_edits();
[[nodiscard]] Codec<BodyEdits> body_edits();
[[nodiscard]] Codec<std::vector<PluginUse>> plugin_list();
[[nodiscard]] Codec<Route> route();
[[nodiscard]] Codec<Strategy> strategy();
/// How a strategy stands in a document. Lifetime: static.
[[nodiscard]] std::string_view name_of(Strategy strategy) noexcept;
[[nodiscard]] Codec<LatencyPolicy> latency();
[[nodiscard]] Codec<RetryPolicy> retry();
[[nodiscard]] Codec<FailoverPolicy> failover();
[[nodiscard]] Codec<TelemetryOptions> telemetry();

/// The whole document. Lifetime: static. Thread: any.
[[nodiscard]] const Codec<Config>& table();

/// A key that may be unset, and is left out where it is.
template <typename T, typename M>
[[nodiscard]] Field<T> maybe(std::string_view key, std::optional<M> T::*at, Codec<M> codec, std::string_view meaning, std::string_view example = {}) {
  return form<T, M>(
      key, std::move(codec), [at](const T& value) { return value.*at; }, [at](T& value, M read) { value.*at = std::move(read); },
      meaning, example);
}

/// A list whose single element may stand alone: `"model": "gpt-4o"`.
[[nodiscard]] inline Codec<std::vector<std::string>> texts_or_one() {
  return list_of(text(), {.unique = true, .one_alone = true});
}
[[nodiscard]] inline Codec<std::vector<std::string>> texts() { return list_of(text(), {.unique = true}); }

/// The document of `config` as compact JSON text, secrets masked.
[[nodiscard]] std::string written(const Config& config);
/// Reads what fits the table; everything that does not is added to `problems`. Meaning is not judged: see validate().
[[nodiscard]] Config read(json::Value root, Source source, std::vector<Problem>& problems);

/// What of a document's text does not fit the table; meaning is not judged. What the JSON Schema refuses, and no more
/// than that but for keys that stand twice, which no schema sees.
[[nodiscard]] std::vector<Problem> structure_of(std::string_view text);

}  // namespace sluice::gateway::config
