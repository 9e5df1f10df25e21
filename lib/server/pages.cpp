// Probes and statistics. The names of the fields are chosen here; docs/operating.md says what each means.

#include "server/pages.hpp"

#include <chrono>

#include "json/writer.hpp"
#include "sluice/version.hpp"

namespace sluice::server {
namespace {

double milliseconds(Duration time) { return std::chrono::duration<double, std::milli>(time).count(); }

void write_exchanges(json::Writer& out, const Statistics& told) {
  out.key("exchanges").begin_object();
  out.key("open").unsigned_integer(told.exchanges_open);
  out.key("open_per_engine").begin_array();
  for (const std::uint64_t open : told.open_per_engine) out.unsigned_integer(open);
  out.end_array();
  out.key("started").unsigned_integer(told.exchanges_started);
  out.key("completed").unsigned_integer(told.completed);
  out.key("refused").unsigned_integer(told.refused);
  out.key("failed").unsigned_integer(told.failed);
  out.key("cancelled").unsigned_integer(told.cancelled);
  out.key("resent").unsigned_integer(told.replayed_sends);
  out.key("decoded_answers").unsigned_integer(told.decoded_answers);
  out.end_object();
}

void write_connections(json::Writer& out, const ConnectionStatistics& told) {
  out.key("connections").begin_object();
  out.key("open").unsigned_integer(told.open);
  out.key("accepted").unsigned_integer(told.accepted);
  out.key("refused").unsigned_integer(told.refused);
  out.key("tls_handshakes").unsigned_integer(told.tls_handshakes);
  out.key("tls_failures").unsigned_integer(told.tls_failures);
  out.key("bytes_received").unsigned_integer(told.bytes_received);
  out.key("bytes_sent").unsigned_integer(told.bytes_sent);
  out.end_object();
}

void write_upstreams(json::Writer& out, const std::vector<UpstreamStatistics>& told) {
  out.key("upstreams").begin_array();
  for (const UpstreamStatistics& upstream : told) {
    out.begin_object().field("name", upstream.name);
    out.key("in_flight").unsigned_integer(upstream.in_flight);
    out.key("attempts").unsigned_integer(upstream.attempts);
    out.key("failures").unsigned_integer(upstream.failures);
    out.end_object();
  }
  out.end_array();
}

void write_plugins(json::Writer& out, const Statistics& told) {
  out.key("plugins").begin_object();
  out.key("errors").unsigned_integer(told.plugin_errors);
  out.key("timeouts").unsigned_integer(told.plugin_timeouts);
  out.key("failed_open").unsigned_integer(told.plugins_failed_open);
  out.key("ignored_resumes").unsigned_integer(told.ignored_resumes);
  out.key("unrecorded_verdicts").unsigned_integer(told.unrecorded_verdicts);
  out.end_object();
}

void write_events(json::Writer& out, const EventStatistics& told) {
  out.key("events").begin_object();
  out.key("callback_errors").unsigned_integer(told.callback_errors);
  out.key("files").begin_array();
  for (const EventFileStatistics& file : told.files) {
    out.begin_object().field("path", file.path);
    out.key("written").unsigned_integer(file.written);
    out.key("dropped_full").unsigned_integer(file.dropped_full);
    out.key("dropped_error").unsigned_integer(file.dropped_error);
    out.key("rotations").unsigned_integer(file.rotations);
    out.key("queued_bytes").unsigned_integer(file.queued_bytes);
    out.field("error", file.error).end_object();
  }
  out.end_array().end_object();
}

}  // namespace

const Listen& statistics_listen() {
  static const Listen listen{.max_connections = 64};
  return listen;
}

std::string statistics_json(const gateway::Core& core) {
  const Statistics told = core.statistics();
  std::string text;
  {
    json::Writer out(text);
    out.begin_object().field("version", version()).field("gateway", core.snapshot()->config.gateway.name);
    out.key("uptime_ms").number(milliseconds(core.clock().now() - core.opened_at()));
    out.key("draining").boolean(core.draining());
    out.key("max_loop_lag_ms").number(milliseconds(told.max_loop_lag));
    out.key("body_bytes_held").unsigned_integer(told.body_bytes_held);
    write_exchanges(out, told);
    write_connections(out, told.connections);
    write_upstreams(out, told.upstreams);
    write_plugins(out, told);
    write_events(out, told.events);
    out.end_object();
  }
  text += '\n';
  return text;
}

std::optional<Page> page_for(const http::RequestHead& head, Serves serves, const gateway::Core& core) {
  if (head.method == "GET" || head.method == "HEAD") {
    if (head.target == "/healthz") return Page{200, "text/plain", "ok\n"};
    if (head.target == "/readyz") return core.draining() ? Page{503, "text/plain", "draining\n"} : Page{200, "text/plain", "ok\n"};
    if (serves == Serves::kStatistics && head.target == "/statistics") return Page{200, "application/json", statistics_json(core)};
  }
  if (serves == Serves::kExchanges) return std::nullopt;
  return Page{404, "text/plain", "here are /statistics, /healthz and /readyz\n"};
}

}  // namespace sluice::server
