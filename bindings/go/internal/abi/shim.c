/* The functions of shim.h. Tables with pointers in them are put together here, in C memory, and are gone on return. */

#include "shim.h"

#include <string.h>

#include "_cgo_export.h"

static void fields_of(sluice_header_t *table, const char *text, const uint32_t *sizes, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    table[i].name = text;
    table[i].name_size = sizes[2 * i];
    text += sizes[2 * i];
    table[i].value = text;
    table[i].value_size = sizes[2 * i + 1];
    text += sizes[2 * i + 1];
  }
}

/* What is not there is NULL: an empty method is no method. */
static const char *text_or_null(const char *text, size_t size) { return size == 0 ? NULL : text; }

static void request_of(sluice_request_t *request, sluice_header_t *table, const char *text, const uint32_t *sizes,
                       size_t header_count, const char *body, size_t body_size) {
  memset(request, 0, sizeof *request);
  request->struct_size = sizeof *request;
  request->method = text_or_null(text, sizes[0]);
  request->method_size = sizes[0];
  text += sizes[0];
  request->target = text;
  request->target_size = sizes[1];
  text += sizes[1];
  request->consumer = text_or_null(text, sizes[2]);
  request->consumer_size = sizes[2];
  text += sizes[2];
  fields_of(table, text, sizes + 3, header_count);
  request->headers = table;
  request->header_count = header_count;
  request->body = body;
  request->body_size = body_size;
}

sluice_go_submitted_t sluice_go_submit(sluice_gateway_t *gateway, sluice_queue_t *queue, uint64_t tag, const char *text,
                                       const uint32_t *sizes, size_t header_count, sluice_header_t *table, const char *body,
                                       size_t body_size, int64_t deadline_ms, uint64_t credit, int32_t answer, uint32_t flags) {
  sluice_header_t few[SLUICE_GO_HEADERS];
  sluice_request_t request;
  sluice_go_submitted_t result = {NULL, 0};
  request_of(&request, table ? table : few, text, sizes, header_count, body, body_size);
  request.deadline_ms = deadline_ms;
  request.credit = credit;
  request.answer = answer;
  request.flags = flags;
  sluice_submit(gateway, queue, &request, tag, &result.call, &result.err);
  return result;
}

sluice_error_t *sluice_go_explain(sluice_gateway_t *gateway, const char *text, const uint32_t *sizes, size_t header_count,
                                  sluice_header_t *table, const char *body, size_t body_size, int32_t *status,
                                  sluice_buffer_t *said, sluice_buffer_t *json) {
  sluice_header_t few[SLUICE_GO_HEADERS];
  sluice_request_t request;
  sluice_error_t *err = NULL;
  request_of(&request, table ? table : few, text, sizes, header_count, body, body_size);
  sluice_gateway_explain(gateway, &request, status, said, json, &err);
  return err;
}

sluice_go_polled_t sluice_go_poll(sluice_queue_t *queue, sluice_event_t *events, size_t capacity, int32_t timeout_ms) {
  sluice_go_polled_t result = {NULL, 0, NULL};
  sluice_queue_poll(queue, events, sizeof *events, capacity, timeout_ms, &result.count, &result.err);
  if (result.count != 0) result.arena = sluice_queue_arena(queue).data;
  return result;
}

sluice_go_taken_t sluice_go_take_outcome(sluice_queue_t *queue, sluice_call_t call, sluice_outcome_info_t *info) {
  sluice_go_taken_t result = {NULL, NULL};
  memset(info, 0, sizeof *info);
  info->struct_size = sizeof *info;
  if (sluice_call_take_outcome(queue, call, &result.outcome, &result.err) == SLUICE_OK) {
    sluice_outcome_info(result.outcome, info, &result.err);
  }
  return result;
}

#define SLUICE_GO_INFO(name, type, function)                                             \
  sluice_error_t *name(const sluice_outcome_t *outcome, size_t index, type *info) {      \
    sluice_error_t *err = NULL;                                                          \
    memset(info, 0, sizeof *info);                                                       \
    info->struct_size = sizeof *info;                                                    \
    function(outcome, index, info, &err);                                                \
    return err;                                                                          \
  }
SLUICE_GO_INFO(sluice_go_attempt, sluice_attempt_info_t, sluice_outcome_attempt)
SLUICE_GO_INFO(sluice_go_verdict, sluice_verdict_info_t, sluice_outcome_verdict)
SLUICE_GO_INFO(sluice_go_loss, sluice_loss_info_t, sluice_outcome_loss)

sluice_error_t *sluice_go_call_body(sluice_gateway_t *gateway, sluice_call_t call, const char *data, size_t size, int32_t last) {
  sluice_error_t *err = NULL;
  sluice_call_body(gateway, call, data, size, last, &err);
  return err;
}

sluice_error_t *sluice_go_call_credit(sluice_gateway_t *gateway, sluice_call_t call, uint64_t bytes) {
  sluice_error_t *err = NULL;
  sluice_call_credit(gateway, call, bytes, &err);
  return err;
}

sluice_error_t *sluice_go_call_cancel(sluice_gateway_t *gateway, sluice_call_t call) {
  sluice_error_t *err = NULL;
  sluice_call_cancel(gateway, call, &err);
  return err;
}

sluice_error_t *sluice_go_answer(sluice_gateway_t *gateway, uint64_t hook, int32_t verdict, int32_t status, sluice_code_t code,
                                 uint32_t edits, const char *text, size_t text_size, const char *body, size_t body_size,
                                 const char *fields, const uint32_t *sizes, size_t header_count, sluice_header_t *table) {
  sluice_header_t few[SLUICE_GO_HEADERS];
  sluice_ruling_t ruling;
  sluice_error_t *err = NULL;
  memset(&ruling, 0, sizeof ruling);
  ruling.struct_size = sizeof ruling;
  ruling.verdict = verdict;
  ruling.status = status;
  ruling.code = code;
  ruling.edits = edits;
  ruling.text = text;
  ruling.text_size = text_size;
  ruling.body = body;
  ruling.body_size = body_size;
  ruling.headers = table ? table : few;
  ruling.header_count = header_count;
  fields_of(table ? table : few, fields, sizes, header_count);
  sluice_hook_answer(gateway, hook, &ruling, &err);
  return err;
}

sluice_error_t *sluice_go_add_plugin(sluice_options_t *options, sluice_queue_t *queue, const char *name, size_t name_size,
                                     int32_t phase, uint32_t wants, uint64_t tag) {
  sluice_queued_plugin_t plugin;
  sluice_error_t *err = NULL;
  memset(&plugin, 0, sizeof plugin);
  plugin.struct_size = sizeof plugin;
  plugin.name = name;
  plugin.name_size = name_size;
  plugin.phase = phase;
  plugin.wants = wants;
  plugin.tag = tag;
  sluice_options_add_queued_plugin(options, &plugin, queue, &err);
  return err;
}

static void log_line(void *user, int32_t level, const char *line, size_t size) {
  sluiceGoLog((uintptr_t)user, level, (char *)line, size);
}

static void log_gone(void *user) { sluiceGoLogGone((uintptr_t)user); }

sluice_error_t *sluice_go_set_log(sluice_options_t *options, uintptr_t id) {
  sluice_error_t *err = NULL;
  sluice_options_set_log(options, log_line, (void *)id, log_gone, &err);
  return err;
}

sluice_error_t *sluice_go_pace(sluice_script_t *script, int64_t head_us, int64_t first_token_us, int64_t jitter_us, int64_t ping_us,
                               double tokens_per_second) {
  sluice_pace_t pace;
  sluice_error_t *err = NULL;
  memset(&pace, 0, sizeof pace);
  pace.struct_size = sizeof pace;
  pace.head_us = head_us;
  pace.first_token_us = first_token_us;
  pace.jitter_us = jitter_us;
  pace.ping_us = ping_us;
  pace.tokens_per_second = tokens_per_second;
  sluice_script_pace(script, &pace, &err);
  return err;
}

sluice_error_t *sluice_go_fault(sluice_script_t *script, int32_t kind, int32_t status, uint64_t at_byte, uint64_t after_events,
                                int64_t step_ms, int64_t retry_after_ms, int64_t from_ns, int64_t until_ns, uint64_t times) {
  sluice_fault_t fault;
  sluice_error_t *err = NULL;
  memset(&fault, 0, sizeof fault);
  fault.struct_size = sizeof fault;
  fault.kind = kind;
  fault.status = status;
  fault.at_byte = at_byte;
  fault.after_events = after_events;
  fault.step_ms = step_ms;
  fault.retry_after_ms = retry_after_ms;
  fault.from_ns = from_ns;
  fault.until_ns = until_ns;
  fault.times = times;
  sluice_script_fault(script, &fault, &err);
  return err;
}

sluice_error_t *sluice_go_seen(const sluice_simulation_t *simulation, size_t index, sluice_seen_info_t *info) {
  sluice_error_t *err = NULL;
  memset(info, 0, sizeof *info);
  info->struct_size = sizeof *info;
  sluice_simulation_seen(simulation, index, info, &err);
  return err;
}
