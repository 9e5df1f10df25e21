#ifndef SLUICE_GO_SHIM_H
#define SLUICE_GO_SHIM_H
/* What Go hands to the C ABI, in shapes cgo passes for nothing: no Go memory with pointers in it, and results by value, so that
   no out-parameter makes Go allocate. It knows sluice.h and must not know Go. Each function is one function of the C ABI, or two
   that always follow each other. An `err` that is not NULL is the caller's. */

#include <sluice.h>

/* Texts lie one behind the other in `text`; `sizes` says how long each is: method, target, consumer, then name and value of each
   header field. `table` has room for header_count fields where there are more than SLUICE_GO_HEADERS, and is NULL otherwise. */
#define SLUICE_GO_HEADERS 32

typedef struct { sluice_error_t *err; sluice_call_t call; } sluice_go_submitted_t;
sluice_go_submitted_t sluice_go_submit(sluice_gateway_t *gateway, sluice_queue_t *queue, uint64_t tag, const char *text,
                                       const uint32_t *sizes, size_t header_count, sluice_header_t *table, const char *body,
                                       size_t body_size, int64_t deadline_ms, uint64_t credit, int32_t answer, uint32_t flags);
sluice_error_t *sluice_go_explain(sluice_gateway_t *gateway, const char *text, const uint32_t *sizes, size_t header_count,
                                  sluice_header_t *table, const char *body, size_t body_size, int32_t *status,
                                  sluice_buffer_t *said, sluice_buffer_t *json);

typedef struct { sluice_error_t *err; size_t count; const char *arena; } sluice_go_polled_t;
sluice_go_polled_t sluice_go_poll(sluice_queue_t *queue, sluice_event_t *events, size_t capacity, int32_t timeout_ms);

typedef struct { sluice_error_t *err; sluice_outcome_t *outcome; } sluice_go_taken_t;
sluice_go_taken_t sluice_go_take_outcome(sluice_queue_t *queue, sluice_call_t call, sluice_outcome_info_t *info);
sluice_error_t *sluice_go_attempt(const sluice_outcome_t *outcome, size_t index, sluice_attempt_info_t *info);
sluice_error_t *sluice_go_verdict(const sluice_outcome_t *outcome, size_t index, sluice_verdict_info_t *info);
sluice_error_t *sluice_go_loss(const sluice_outcome_t *outcome, size_t index, sluice_loss_info_t *info);

sluice_error_t *sluice_go_call_body(sluice_gateway_t *gateway, sluice_call_t call, const char *data, size_t size, int32_t last);
sluice_error_t *sluice_go_call_credit(sluice_gateway_t *gateway, sluice_call_t call, uint64_t bytes);
sluice_error_t *sluice_go_call_cancel(sluice_gateway_t *gateway, sluice_call_t call);

/* `sizes`: name and value of each field, whose texts lie in `fields`. */
sluice_error_t *sluice_go_answer(sluice_gateway_t *gateway, uint64_t hook, int32_t verdict, int32_t status, sluice_code_t code,
                                 uint32_t edits, const char *text, size_t text_size, const char *body, size_t body_size,
                                 const char *fields, const uint32_t *sizes, size_t header_count, sluice_header_t *table);

sluice_error_t *sluice_go_add_plugin(sluice_options_t *options, sluice_queue_t *queue, const char *name, size_t name_size,
                                     int32_t phase, uint32_t wants, uint64_t tag);
/* Lines go to the exported sluiceGoLog, with `id`. */
sluice_error_t *sluice_go_set_log(sluice_options_t *options, uintptr_t id);

sluice_error_t *sluice_go_pace(sluice_script_t *script, int64_t head_us, int64_t first_token_us, int64_t jitter_us, int64_t ping_us,
                               double tokens_per_second);
sluice_error_t *sluice_go_fault(sluice_script_t *script, int32_t kind, int32_t status, uint64_t at_byte, uint64_t after_events,
                                int64_t step_ms, int64_t retry_after_ms, int64_t from_ns, int64_t until_ns, uint64_t times);
sluice_error_t *sluice_go_seen(const sluice_simulation_t *simulation, size_t index, sluice_seen_info_t *info);

#endif
