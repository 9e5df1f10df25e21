#include "unit/telemetry/event_samples.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

namespace sluice::tests {
namespace {

using namespace std::chrono_literals;

template <typename Id>
Id id(std::string_view digits) {
  Id out;
  std::copy(digits.begin(), digits.end(), out.digits.begin());
  return out;
}

telemetry::Trace trace(bool continued) {
  telemetry::Trace out{.trace_id = id<telemetry::TraceId>("4bf92f3577b34da6a3ce929d0e0e4736"),
                       .span_id = id<telemetry::SpanId>("b7ad6b7169203331"), .parent_span_id = {}};
  if (continued) out.parent_span_id = id<telemetry::SpanId>("00f067aa0ba902b7");
  return out;
}

Usage usage(std::uint64_t input, std::uint64_t output) {
  Usage out;
  out.input_tokens = input;
  out.output_tokens = output;
  return out;
}

/// A chat that went through, without its attempts.
Outcome chat() {
  Outcome out;
  out.id = "req_7h2k9q4m1x8w3v5t6r0s2d4f";
  out.ending = Ending::kCompleted;
  out.status = 200;
  out.consumer = "app";
  out.tenant = "acme";
  out.route = "chat";
  out.requested_model = "smart";
  out.served_model = "gpt-4o-mini-2024-07-18";
  out.dialect = "openai";
  out.operation = "chat";
  out.mode = "embedded";
  out.finish_reason = "stop";
  out.started_at = WallTime(1'795'680'073'123ms);
  out.total = 3'457'200us;
  out.receive_time = 150us;
  out.upstream_time = 3'456'500us;
  out.bytes_in = 2301;
  out.bytes_out = 90'233;
  return out;
}

Attempt completed() {
  Attempt out;
  out.upstream = "openai";
  out.model = "gpt-4o-mini";
  out.reason = "completed";
  out.chosen_because = "first of route 'chat' that serves 'smart'";
  out.status = 200;
  out.sends = 1;
  out.reused_connection = true;
  out.started = 212us;
  out.first_byte = 412'345us;
  out.total = 3'456'500us;
  out.bytes_sent = 2301;
  out.bytes_received = 90'233;
  return out;
}

Outcome streamed() {
  Outcome out = chat();
  out.streamed = true;
  out.usage = usage(1210, 388);
  out.usage.cached_input_tokens = 1024;
  out.usage.total_tokens = 1598;
  out.attempts.push_back(completed());
  out.first_delta = 413'001us;
  out.deltas = 388;
  out.inter_delta_p50 = 7'424us;
  out.inter_delta_p99 = 31'744us;
  return out;
}

Outcome failover() {
  Outcome out = streamed();
  out.attempts.clear();
  Attempt skipped;
  skipped.upstream = "backup";
  skipped.chosen_because = "first of route 'chat'";
  skipped.skipped = true;
  skipped.code = Code::kNoBackendAvailable;
  skipped.reason = "it is unhealthy";
  skipped.started = 5us;
  Attempt failed = completed();
  failed.upstream = "local";
  failed.model = "qwen3";
  failed.chosen_because = "first of route 'chat' that serves 'smart'";
  failed.code = Code::kUpstreamStatus;
  failed.status = 503;
  failed.reason = "status 503";
  failed.sends = 2;
  failed.reused_connection = false;
  failed.resolve = 1'250us;
  failed.connect = 3'000us;
  failed.first_byte = 20ms;
  failed.total = 21ms;
  failed.started = 1'012us;
  failed.bytes_received = 61;
  Attempt last = completed();
  last.started = 122ms;
  last.chosen_because = "next of route 'chat' after a failure that may be retried";
  last.wait = 100ms;
  last.queued = 700us;
  last.total = 3'334ms;
  last.usage = out.usage;
  out.attempts = {skipped, failed, last};
  out.usage.estimated = true;
  out.usage.total_tokens.reset();
  out.first_delta = 535'001us;
  out.queue_time = 700us;
  out.wait_time = 100ms;
  out.upstream_time = 3'355ms;
  return out;
}

Outcome everything() {
  Outcome out = failover();
  out.error = make_error(Code::kUpstreamTruncated, "upstream 'openai': the stream ended before it was whole; try again",
                         "messages");
  out.error->retry_after = 1500ms;
  out.ending = Ending::kFailed;
  out.model_note = "gpt-9 is not allowed, default gpt-4o-mini used";
  out.plugin_time = 320us;
  out.usage.cache_write_tokens = 0;
  out.usage.reasoning_tokens = 64;
  out.usage.total_tokens = 1598;
  out.verdicts.push_back({.plugin = "pii", .hook = "request", .verdict = "edit", .observed = true, .took = 300us,
                          .detections = {{"pii.email", "messages[2]", 0.875}, {"pii.phone"}}});
  out.verdicts.push_back({.plugin = "judge", .hook = "answer_end", .verdict = "error", .failed_open = true,
                          .code = Code::kPluginTimeout, .message = "plugin 'judge' took longer than 100 ms", .took = 100ms});
  out.calls.push_back({"judge", "moderation", Code::kUpstreamStatus, 500, 99ms});
  out.losses.push_back({"logit_bias", "the upstream's dialect has no logit bias", "semantic"});
  out.losses_beyond = 3;
  out.content = Content{.prompt = {{"system", "Be brief."}, {"user", "What is \"24\" times 7?\n"}},
                        .answer = "168 \xE2\x80\x94 eine Woche in Stunden.",
                        .tool_calls = {{"call_1", "multiply", R"({"a": 24, "b": 7})"}},
                        .truncated = true};
  return out;
}

Outcome refused() {
  Outcome out;
  out.id = "req_0000000000000000000000zz";
  out.ending = Ending::kRefused;
  out.status = 503;
  out.error = make_error(Code::kQueueFull, "route 'chat' has 64 exchanges waiting; retry in 2 s", "");
  out.error->retry_after = 2000ms;
  out.consumer = "app";
  out.dialect = "openai";
  out.operation = "chat";
  out.requested_model = "smart";
  out.started_at = WallTime(951'827'696'007ms);  // 29 February 2000
  out.total = 180us;
  out.receive_time = 120us;
  out.bytes_in = 77;
  return out;
}

Outcome cancelled() {
  Outcome out = streamed();
  out.ending = Ending::kCancelled;
  out.error = make_error(Code::kCancelled, "the caller left");
  out.status = 0;
  out.finish_reason.clear();
  out.usage = {};
  out.deltas = 1;
  out.attempts[0].code = Code::kCancelled;
  out.attempts[0].reason = "the caller left";
  return out;
}

std::string any_text(Random& random) {
  static const std::vector<std::string> kPieces = {
      "a", "model", " ", "\"", "\\", "\n", "\r", "\x01", std::string(1, '\0'), "\x7f", "\xE2\x80\xA8", "\xF0\x9F\x98\x80",
      "\xff", "\xC3", "\xED\xA0\x80", "{\"schema\":null}", "0123456789abcdefghijklmnopqrstuvwxyz", std::string(300, 'x')};
  std::string out;
  for (std::uint64_t n = random.below(6); n > 0; --n) out += kPieces[random.below(kPieces.size())];
  return out;
}

std::uint64_t any_number(Random& random) { return random.next() >> random.below(64); }
Duration any_time(Random& random) {
  const Duration time(static_cast<std::int64_t>(any_number(random) >> 1));
  return random.below(8) == 0 ? -time : time;
}
bool coin(Random& random) { return random.below(2) == 0; }

std::string one_of(Random& random, std::initializer_list<const char*> names) {
  return *(names.begin() + random.below(names.size()));
}
/// So many times as one of [0, bound).
template <typename Do>
void some(Random& random, std::uint64_t bound, const Do& what) {
  for (std::uint64_t n = random.below(bound); n > 0; --n) what();
}
Code any_code(Random& random) { return all_codes()[random.below(all_codes().size())].code; }
int any_status(Random& random) { return coin(random) ? 0 : static_cast<int>(random.below(500)) + 100; }

Usage any_usage(Random& random) {
  Usage out;
  for (auto* count : {&out.input_tokens, &out.output_tokens, &out.cached_input_tokens, &out.cache_write_tokens,
                      &out.reasoning_tokens, &out.total_tokens}) {
    if (coin(random)) *count = any_number(random);
  }
  out.estimated = coin(random);
  out.estimated_by = static_cast<EstimatedBy>(random.below(4));
  return out;
}

Attempt any_attempt(Random& random) {
  Attempt out;
  for (auto* text : {&out.upstream, &out.model, &out.reason, &out.chosen_because}) *text = any_text(random);
  out.skipped = coin(random);
  out.reused_connection = coin(random);
  out.code = any_code(random);
  out.status = any_status(random);
  out.sends = static_cast<std::uint32_t>(any_number(random));
  for (auto* time : {&out.started, &out.wait, &out.queued, &out.resolve, &out.connect, &out.first_byte, &out.total}) {
    *time = any_time(random);
  }
  out.bytes_sent = any_number(random);
  out.bytes_received = any_number(random);
  if (coin(random)) out.usage = any_usage(random);
  return out;
}

PluginVerdict any_verdict(Random& random) {
  PluginVerdict out{.plugin = any_text(random),
                    .hook = one_of(random, {"request", "attempt", "head", "delta", "answer_end"}),
                    .verdict = one_of(random, {"continue", "edit", "reply", "fail", "error"})};
  out.observed = coin(random);
  out.failed_open = coin(random);
  out.code = any_code(random);
  out.message = any_text(random);
  out.took = any_time(random);
  some(random, 3, [&] { out.detections.push_back({any_text(random), any_text(random), random.unit() * 4 - 2}); });
  return out;
}

Content any_content(Random& random) {
  Content out{.answer = any_text(random), .truncated = coin(random)};
  some(random, 3, [&] { out.prompt.push_back({any_text(random), any_text(random)}); });
  some(random, 3, [&] { out.tool_calls.push_back({any_text(random), any_text(random), any_text(random)}); });
  return out;
}

}  // namespace

std::string EventSample::line(const telemetry::SecretMask* mask) const {
  std::string out;
  telemetry::EventContext context{.gateway = "edge", .key_id = key_id, .client_address = client_address, .mask = mask};
  if (trace) context.trace = &*trace;
  telemetry::write_event(outcome, context, out);
  return out;
}

std::vector<EventSample> event_samples() {
  Outcome bare;
  bare.id = "req_1";
  return {{.name = "bare", .outcome = bare},
          {.name = "streamed", .outcome = streamed(), .key_id = "5b2f0c9e", .client_address = "203.0.113.7", .trace = trace(true)},
          {.name = "failover", .outcome = failover(), .key_id = "5b2f0c9e", .client_address = "203.0.113.7", .trace = trace(false)},
          {.name = "refused", .outcome = refused()},
          {.name = "cancelled", .outcome = cancelled(), .trace = trace(false)},
          {.name = "everything", .outcome = everything(), .key_id = "5b2f0c9e", .client_address = "2001:db8::7", .trace = trace(true)}};
}

EventSample event_sample(const std::string& name) {
  for (EventSample& sample : event_samples()) {
    if (sample.name == name) return std::move(sample);
  }
  throw std::runtime_error("no sample is called " + name);
}

EventSample random_sample(Random& random) {
  EventSample out{.name = "random", .outcome = {}};
  Outcome& o = out.outcome;
  o.id = any_text(random);
  o.ending = static_cast<Ending>(random.below(4));
  o.status = any_status(random);
  if (coin(random)) {
    o.error = Error{.code = any_code(random), .origin = static_cast<Origin>(random.below(4)),
                    .http_status = any_status(random), .message = any_text(random), .param = any_text(random)};
    if (coin(random)) o.error->retry_after = std::chrono::milliseconds(static_cast<std::int64_t>(any_number(random)));
  }
  for (auto* text : {&o.consumer, &o.tenant, &o.route, &o.requested_model, &o.served_model, &o.dialect, &o.operation,
                     &o.model_note, &o.finish_reason}) {
    *text = any_text(random);
  }
  o.mode = one_of(random, {"", "embedded", "security"});
  o.streamed = coin(random);
  if (coin(random)) o.usage = any_usage(random);
  some(random, 4, [&] { o.attempts.push_back(any_attempt(random)); });
  some(random, 3, [&] { o.verdicts.push_back(any_verdict(random)); });
  some(random, 3, [&] {
    o.calls.push_back({any_text(random), any_text(random), any_code(random), any_status(random), any_time(random)});
  });
  some(random, 3, [&] {
    o.losses.push_back({any_text(random), any_text(random), one_of(random, {"note", "cosmetic", "semantic"})});
  });
  o.losses_beyond = random.below(2);
  o.started_at = WallTime(std::chrono::milliseconds(static_cast<std::int64_t>(random.next() >> random.below(64))));
  for (auto* time : {&o.first_delta, &o.total, &o.receive_time, &o.plugin_time, &o.queue_time, &o.wait_time,
                     &o.upstream_time, &o.inter_delta_p50, &o.inter_delta_p99}) {
    *time = any_time(random);
  }
  o.deltas = random.below(4);
  o.bytes_in = any_number(random);
  o.bytes_out = any_number(random);
  if (coin(random)) o.content = any_content(random);
  if (coin(random)) out.key_id = "0123abcd";
  if (coin(random)) out.client_address = "192.0.2.1";
  if (coin(random)) out.trace = telemetry::join_trace({}, true, random);
  return out;
}

}  // namespace sluice::tests
