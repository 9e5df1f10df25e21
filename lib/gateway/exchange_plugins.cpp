// The host of an exchange's plugins.

#include "gateway/exchange_plugins.hpp"

#include "gateway/core.hpp"
#include "gateway/header_policy.hpp"
#include "gateway/request_draft.hpp"

namespace sluice::gateway {

ExchangePlugins::ExchangePlugins(Exchange& exchange)
    : run(*this), reader(exchange), calls(exchange.engine_, exchange.outcome_.calls), exchange_(exchange) {}

TimePoint ExchangePlugins::now() const noexcept { return exchange_.engine_.loop().now(); }

std::shared_ptr<plugin::Post> ExchangePlugins::post() { return exchange_.engine_.post(); }

std::unique_ptr<plugin::RequestDraft> ExchangePlugins::draft(std::string_view) { return std::make_unique<RequestDraft>(exchange_); }

bool ExchangePlugins::owns_header(plugin::Stage stage, std::string_view name) const noexcept {
  const bool up = stage == plugin::Stage::kAttempt;
  return is_gateways_own(name, up) || (up && same_name(name, exchange_.upstream().auth_name));
}

void ExchangePlugins::call(std::string_view plugin, std::string_view upstream, Request request, CallBounds bounds,
                           std::function<void(Result<CallAnswer>)> done) {
  if (exchange_.ended()) return;
  calls.start(exchange_.snapshot_, plugin, upstream, std::move(request), bounds, exchange_.total_deadline_, std::move(done));
}

void ExchangePlugins::pause_upstream() {
  deltas_wait = true;
  exchange_.settle_pause();
}

void ExchangePlugins::resume_upstream() {
  deltas_wait = false;
  if (!exchange_.ended()) exchange_.settle_pause();
}

void ExchangePlugins::count(plugin::Count what, std::string_view) noexcept {
  EngineCounters& counters = exchange_.engine_.counters();
  const auto add = [](std::atomic<std::uint64_t>& counter) { counter.fetch_add(1, std::memory_order_relaxed); };
  switch (what) {
    case plugin::Count::kError: return add(counters.plugin_errors);
    case plugin::Count::kTimeout: return add(counters.plugin_timeouts);
    case plugin::Count::kFailedOpen: return add(counters.plugins_failed_open);
    case plugin::Count::kIgnoredResume: return add(counters.ignored_resumes);
    case plugin::Count::kUnrecorded: return add(counters.unrecorded_verdicts);
  }
}

void ExchangePlugins::deadline_changed() { exchange_.rearm(); }

void ExchangePlugins::on_ruling(plugin::Stage stage, const plugin::Ruling& ruling) { exchange_.on_ruling(stage, ruling); }

void ExchangePlugins::on_delta(Delta& delta, plugin::Change change) { exchange_.on_plugin_delta(delta, change); }

void ExchangePlugins::pass_headers(const Headers& from, Headers& to) const {
  for (const std::string& name : set_headers) {
    to.remove(name);
    for (const HeaderField field : from) {
      if (same_name(field.name, name)) to.add_trusted(field.name, field.value);
    }
  }
}

Error ExchangePlugins::unquoted(Error error) const {
  if (editor == nullptr || error.code != Code::kUpstreamInvalidAnswer) return error;
  error.message = "the answer is not what its dialect says, so no plugin could read it";
  return error;
}

void ExchangePlugins::hold(DecodedEvent event) {
  queued_bytes += event.raw.size() + sizeof(DecodedEvent);
  queue.push_back(std::move(event));
}

/// Another attempt takes the place of this one.
void ExchangePlugins::forget_answer() noexcept {
  head_waits = deltas_wait = parted = end_waits = end_given = end_completes = whole_read = false;
  kept.clear();
  transfer_end.reset();
  error_body.clear();
  editor.reset();
  direct = {};
  queue.clear();
  queued_bytes = 0;
  ends.clear();
}

}  // namespace sluice::gateway
