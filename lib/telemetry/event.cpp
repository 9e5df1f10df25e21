// The fields of an event, in their order. Names are chosen here; docs/schema/event.schema.json says what each means.

#include "telemetry/event.hpp"

#include <algorithm>

#include "telemetry/line.hpp"

namespace sluice::telemetry {
namespace {

void write_who(Line& line, const Outcome& outcome, const EventContext& context) {
  line.text("id"_key, outcome.id);
  if (const Trace* trace = context.trace) {
    line.word("trace_id"_key, trace->trace_id.text()).word("span_id"_key, trace->span_id.text());
    if (trace->parent_span_id) line.word("parent_span_id"_key, trace->parent_span_id->text());
  }
  line.text("gateway"_key, context.gateway)
      .text_if_any("consumer"_key, outcome.consumer)
      .text_if_any("tenant"_key, outcome.tenant)
      .text_if_any("key_id"_key, context.key_id)
      .text_if_any("client_address"_key, context.client_address);
}

void write_what(Line& line, const Outcome& outcome) {
  line.text_if_any("route"_key, outcome.route)
      .text_if_any("dialect"_key, outcome.dialect)
      .text_if_any("operation"_key, outcome.operation)
      .text_if_any("requested_model"_key, outcome.requested_model)
      .text_if_any("served_model"_key, outcome.served_model)
      .text_if_any("model_note"_key, outcome.model_note)
      .text_if_any("mode"_key, outcome.mode)
      .boolean("streamed"_key, outcome.streamed)
      .number_if_any("status"_key, outcome.status)
      .word("ending"_key, to_string(outcome.ending));
}

void write_code(Line& line, Code code) {
  if (code != Code::kOk) line.word("code"_key, to_string(code));
}

void write_error(Line& line, const Error& error) {
  line.begin("error"_key, '{')
      .word("code"_key, to_string(error.code))
      .word("origin"_key, to_string(error.origin))
      .number_if_any("status"_key, error.http_status);
  if (error.retry_after) line.number("retry_after_ms"_key, std::max<std::int64_t>(error.retry_after->count(), 0));
  line.text_if_any("message"_key, error.message).text_if_any("param"_key, error.param).end('}');
}

void write_usage(Line& line, const Usage& usage) {
  if (usage == Usage{}) return;
  const auto count = [&line](auto name, const std::optional<std::uint64_t>& tokens) {
    if (tokens) line.number(name, *tokens);
  };
  line.begin("usage"_key, '{').word("source"_key, usage.estimated ? "estimated" : "reported");
  if (usage.estimated) line.word("estimated_by"_key, to_string(usage.estimated_by));
  count("input_tokens"_key, usage.input_tokens);
  count("output_tokens"_key, usage.output_tokens);
  count("cached_input_tokens"_key, usage.cached_input_tokens);
  count("cache_write_tokens"_key, usage.cache_write_tokens);
  count("reasoning_tokens"_key, usage.reasoning_tokens);
  count("total_tokens"_key, usage.total_tokens);
  line.end('}');
}

void write_attempt(Line& line, const Attempt& attempt) {
  line.begin('{')
      .text("upstream"_key, attempt.upstream)
      .text_if_any("model"_key, attempt.model)
      .text_if_any("chosen_because"_key, attempt.chosen_because)
      .flag_if_set("skipped"_key, attempt.skipped);
  write_code(line, attempt.code);
  line.number_if_any("status"_key, attempt.status).text_if_any("reason"_key, attempt.reason);
  if (attempt.skipped) {
    line.milliseconds("started_ms"_key, attempt.started).end('}');
    return;
  }
  line.number("sends"_key, attempt.sends)
      .number_if_any("replayed"_key, attempt.sends > 1 ? attempt.sends - 1 : 0)
      .flag_if_set("reused_connection"_key, attempt.reused_connection)
      .milliseconds("started_ms"_key, attempt.started)
      .milliseconds_if_any("wait_ms"_key, attempt.wait)
      .milliseconds_if_any("queued_ms"_key, attempt.queued)
      .milliseconds_if_any("resolve_ms"_key, attempt.resolve)
      .milliseconds_if_any("connect_ms"_key, attempt.connect)
      .milliseconds_if_any("first_byte_ms"_key, attempt.first_byte)
      .milliseconds("total_ms"_key, attempt.total)
      .number("sent_bytes"_key, attempt.bytes_sent)
      .number("received_bytes"_key, attempt.bytes_received);
  write_usage(line, attempt.usage);
  line.end('}');
}

void write_verdict(Line& line, const PluginVerdict& verdict) {
  line.begin('{')
      .text("plugin"_key, verdict.plugin)
      .text("hook"_key, verdict.hook)
      .text("verdict"_key, verdict.verdict)
      .flag_if_set("observed"_key, verdict.observed)
      .flag_if_set("failed_open"_key, verdict.failed_open);
  write_code(line, verdict.code);
  line.text_if_any("message"_key, verdict.message).milliseconds("took_ms"_key, verdict.took);
  if (!verdict.detections.empty()) {
    line.begin("detections"_key, '[');
    for (const Detection& detection : verdict.detections) {
      line.begin('{').text("kind"_key, detection.kind).text_if_any("where"_key, detection.where);
      if (detection.score >= 0 && detection.score <= 1) line.fraction("score"_key, detection.score);
      line.end('}');
    }
    line.end(']');
  }
  line.end('}');
}

void write_call(Line& line, const PluginCall& call) {
  line.begin('{').text("plugin"_key, call.plugin).text("upstream"_key, call.upstream);
  write_code(line, call.code);
  line.number_if_any("status"_key, call.status).milliseconds("total_ms"_key, call.total).end('}');
}

void write_loss(Line& line, const LostField& loss) {
  line.begin('{')
      .text("field"_key, loss.field)
      .text("reason"_key, loss.reason)
      .text("severity"_key, loss.severity)
      .end('}');
}

/// A list, or no member where it is empty.
template <typename Item, Name kName>
void write_list(Line& line, Key<kName> name, const std::vector<Item>& items, void (*write)(Line&, const Item&)) {
  if (items.empty()) return;
  line.begin(name, '[');
  for (const Item& item : items) write(line, item);
  line.end(']');
}

/// The parts of the total, in whole microseconds. What nobody else took is the gateway's.
void write_shares(Line& line, const Outcome& outcome) {
  const auto whole = [](Duration time) { return std::max<std::int64_t>(time.count() / 1000, 0); };
  const std::int64_t total = whole(outcome.total);
  std::int64_t left = total;
  const auto share = [&](auto name, Duration time) {
    const std::int64_t part = std::min(whole(time), left);
    left -= part;
    line.number(name, part);
  };
  line.begin("times"_key, '{');
  share("receive_us"_key, outcome.receive_time);
  share("plugin_us"_key, outcome.plugin_time);
  share("queue_us"_key, outcome.queue_time);
  share("wait_us"_key, outcome.wait_time);
  share("upstream_us"_key, outcome.upstream_time);
  line.number("gateway_us"_key, left).number("total_us"_key, total).end('}');
}

void write_flow(Line& line, const Outcome& outcome) {
  if (outcome.deltas != 0 || outcome.first_delta.count() != 0) {
    line.milliseconds("first_delta_ms"_key, outcome.first_delta);
  }
  line.number_if_any("deltas"_key, outcome.deltas);
  if (outcome.deltas > 1) {
    line.milliseconds("inter_delta_p50_ms"_key, outcome.inter_delta_p50)
        .milliseconds("inter_delta_p99_ms"_key, outcome.inter_delta_p99);
  }
}

/// Texts of the content are cut already, where the configuration says so.
void write_message(Line& line, const Content::Message& message) {
  line.begin('{').text_if_any("role"_key, message.role).whole_text("text"_key, message.text).end('}');
}

void write_tool_call(Line& line, const Content::ToolCall& call) {
  line.begin('{').text_if_any("id"_key, call.id).text_if_any("name"_key, call.name);
  if (!call.arguments.empty()) line.whole_text("arguments"_key, call.arguments);
  line.end('}');
}

void write_content(Line& line, const Content& content) {
  line.begin("content"_key, '{');
  write_list(line, "prompt"_key, content.prompt, write_message);
  if (!content.answer.empty()) line.whole_text("answer"_key, content.answer);
  write_list(line, "tool_calls"_key, content.tool_calls, write_tool_call);
  line.flag_if_set("truncated"_key, content.truncated).end('}');
}

}  // namespace

void write_event(const Outcome& outcome, const EventContext& context, std::string& out) {
  Line line(out, context.mask);
  line.begin('{').word("schema"_key, kEventSchema).time("time"_key, outcome.started_at);
  write_who(line, outcome, context);
  write_what(line, outcome);
  if (outcome.error) write_error(line, *outcome.error);
  line.text_if_any("finish_reason"_key, outcome.finish_reason);
  write_list(line, "attempts"_key, outcome.attempts, write_attempt);
  write_list(line, "verdicts"_key, outcome.verdicts, write_verdict);
  write_list(line, "calls"_key, outcome.calls, write_call);
  write_list(line, "losses"_key, outcome.losses, write_loss);
  line.number_if_any("losses_beyond"_key, outcome.losses_beyond);
  write_usage(line, outcome.usage);
  write_flow(line, outcome);
  write_shares(line, outcome);
  line.number("request_bytes"_key, outcome.bytes_in).number("answer_bytes"_key, outcome.bytes_out);
  if (outcome.content) write_content(line, *outcome.content);
  line.end('}').finish();
}

}  // namespace sluice::telemetry
