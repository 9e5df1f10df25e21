// Accounts as C has them.

#include "outcome.hpp"

#include "guard.hpp"

using namespace sluice;
using namespace sluice::capi;

namespace {

sluice_usage_t usage_of(const Usage& usage) noexcept {
  const auto count = [](const std::optional<std::uint64_t>& tokens) { return tokens ? static_cast<std::int64_t>(*tokens) : SLUICE_UNKNOWN; };
  return {count(usage.input_tokens),       count(usage.output_tokens),    count(usage.cached_input_tokens),
          count(usage.cache_write_tokens), count(usage.reasoning_tokens), count(usage.total_tokens),
          usage.estimated ? 1 : 0};
}

/// The one at `index`. Errors: kInvalidParameter.
template <typename T>
Result<const T*> at(const std::vector<T>& list, std::size_t index) {
  if (index < list.size()) return &list[index];
  return fail(Code::kInvalidParameter, "index " + std::to_string(index) + " is beyond the last of " + std::to_string(list.size()), "index");
}

}  // namespace

extern "C" {

sluice_code_t sluice_outcome_info(const sluice_outcome_t* outcome, sluice_outcome_info_t* info, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (outcome == nullptr) return null_argument("outcome");
    const Outcome& from = *outcome->outcome;
    sluice_outcome_info_t out{};
    out.ending = static_cast<std::int32_t>(from.ending);
    out.status = from.status;
    out.code = from.error ? static_cast<sluice_code_t>(from.error->code) : SLUICE_OK;
    out.streamed = from.streamed ? 1 : 0;
    out.id = borrow(from.id);
    if (from.error) out.error_message = borrow(from.error->message);
    out.consumer = borrow(from.consumer);
    out.tenant = borrow(from.tenant);
    out.route = borrow(from.route);
    out.requested_model = borrow(from.requested_model);
    out.served_model = borrow(from.served_model);
    out.dialect = borrow(from.dialect);
    out.operation = borrow(from.operation);
    out.finish_reason = borrow(from.finish_reason);
    out.model_note = borrow(from.model_note);
    out.mode = borrow(from.mode);
    out.usage = usage_of(from.usage);
    out.started_at_ms = from.started_at.time_since_epoch().count();
    out.first_delta_ns = from.first_delta.count();
    out.total_ns = from.total.count();
    out.receive_ns = from.receive_time.count();
    out.plugins_ns = from.plugin_time.count();
    out.queued_ns = from.queue_time.count();
    out.waited_ns = from.wait_time.count();
    out.upstream_ns = from.upstream_time.count();
    out.deltas = from.deltas;
    out.bytes_in = from.bytes_in;
    out.bytes_out = from.bytes_out;
    out.attempt_count = from.attempts.size();
    out.verdict_count = from.verdicts.size();
    out.loss_count = from.losses.size();
    out.error_retry_after_ms = from.error && from.error->retry_after ? from.error->retry_after->count() : -1;
    if (from.error) out.error_origin = static_cast<std::int32_t>(from.error->origin);
    return info_out(info, out, "info");
  });
}

sluice_code_t sluice_outcome_attempt(const sluice_outcome_t* outcome, size_t index, sluice_attempt_info_t* info, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (outcome == nullptr) return null_argument("outcome");
    const auto found = at(outcome->outcome->attempts, index);
    if (!found) return tl::unexpected(found.error());
    const Attempt& from = **found;
    sluice_attempt_info_t out{};
    out.upstream = borrow(from.upstream);
    out.model = borrow(from.model);
    out.reason = borrow(from.reason);
    out.chosen_because = borrow(from.chosen_because);
    out.skipped = from.skipped ? 1 : 0;
    out.code = static_cast<sluice_code_t>(from.code);
    out.status = from.status;
    out.reused_connection = from.reused_connection ? 1 : 0;
    out.started_ns = from.started.count();
    out.waited_ns = from.wait.count();
    out.queued_ns = from.queued.count();
    out.resolve_ns = from.resolve.count();
    out.connect_ns = from.connect.count();
    out.first_byte_ns = from.first_byte.count();
    out.total_ns = from.total.count();
    out.sends = from.sends;
    out.bytes_sent = from.bytes_sent;
    out.bytes_received = from.bytes_received;
    out.usage = usage_of(from.usage);
    return info_out(info, out, "info");
  });
}

sluice_code_t sluice_outcome_verdict(const sluice_outcome_t* outcome, size_t index, sluice_verdict_info_t* info, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (outcome == nullptr) return null_argument("outcome");
    const auto found = at(outcome->outcome->verdicts, index);
    if (!found) return tl::unexpected(found.error());
    const PluginVerdict& from = **found;
    sluice_verdict_info_t out{};
    out.plugin = borrow(from.plugin);
    out.hook = borrow(from.hook);
    out.verdict = borrow(from.verdict);
    out.message = borrow(from.message);
    out.code = static_cast<sluice_code_t>(from.code);
    out.observed = from.observed ? 1 : 0;
    out.failed_open = from.failed_open ? 1 : 0;
    out.took_ns = from.took.count();
    return info_out(info, out, "info");
  });
}

sluice_code_t sluice_outcome_loss(const sluice_outcome_t* outcome, size_t index, sluice_loss_info_t* info, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (outcome == nullptr) return null_argument("outcome");
    const auto found = at(outcome->outcome->losses, index);
    if (!found) return tl::unexpected(found.error());
    sluice_loss_info_t out{};
    out.field = borrow((*found)->field);
    out.reason = borrow((*found)->reason);
    out.severity = borrow((*found)->severity);
    return info_out(info, out, "info");
  });
}

void sluice_outcome_free(sluice_outcome_t* outcome) {
  if (outcome != nullptr && outcome->owned != nullptr) delete outcome;  // one that is lent is not the caller's to free
}

}  // extern "C"
