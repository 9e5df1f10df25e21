#ifndef SLUICE_GATEWAY_H
#define SLUICE_GATEWAY_H
/// The gateway: engine threads, upstreams, routes and consumers, and every call in flight. Many may live in one process; they
/// share nothing. It listens on nothing: server.h does.

#include "sluice/error.h"
#include "sluice/options.h"
#include "sluice/request.h"

SLUICE_BEGIN

/// Opens with `options`, which stay the caller's and may serve again. Touches no network, no signals; of the environment and of
/// files it reads what the configuration refers to. Errors: INVALID_CONFIGURATION with every mistake, one a line;
/// SECRET_MISSING, FILE_UNREADABLE, SYSTEM.
SLUICE_API sluice_code_t sluice_gateway_open(const sluice_options_t *options, sluice_gateway_t **gateway, sluice_error_t **err);
/// Opens with a configuration alone.
SLUICE_API sluice_code_t sluice_gateway_open_json(const char *json, size_t size, sluice_gateway_t **gateway, sluice_error_t **err);
SLUICE_API sluice_code_t sluice_gateway_open_file(const char *path, size_t size, sluice_gateway_t **gateway, sluice_error_t **err);

/// Judges a configuration without opening anything: no secret is read. Errors: INVALID_CONFIGURATION with every mistake.
SLUICE_API sluice_code_t sluice_config_check(const char *json, size_t size, sluice_error_t **err);
/// The JSON Schema of the configuration document. Lifetime: static.
SLUICE_API sluice_bytes_t sluice_config_schema(void);

/// Puts another configuration in force; returns when every engine has switched. Calls that run keep theirs.
/// Errors: INVALID_CONFIGURATION (the old one stays in force), SECRET_MISSING, FILE_UNREADABLE; CLOSED, FORKED; WOULD_DEADLOCK
/// inside a callback.
SLUICE_API sluice_code_t sluice_gateway_reload_json(sluice_gateway_t *gateway, const char *json, size_t size, sluice_error_t **err);
SLUICE_API sluice_code_t sluice_gateway_reload_file(sluice_gateway_t *gateway, const char *path, size_t size, sluice_error_t **err);

/// Says which route and upstream a request would take, and why; nothing is sent. `http_status`: 200, or that of the refusal.
/// `text` is for a person, `json` for a program; each of the three may be NULL.
/// Errors: INVALID_PARAMETER, INVALID_HEADER; CLOSED, FORKED.
SLUICE_API sluice_code_t sluice_gateway_explain(sluice_gateway_t *gateway, const sluice_request_t *request, int32_t *http_status,
                                                sluice_buffer_t *text, sluice_buffer_t *json, sluice_error_t **err);

/// The configuration in force as one JSON document, defaults included, secrets masked. Errors: CLOSED, FORKED.
SLUICE_API sluice_code_t sluice_gateway_dump(sluice_gateway_t *gateway, sluice_buffer_t *json, sluice_error_t **err);

/// Filled by sluice_gateway_statistics; set struct_size. Counts since the gateway opened, unless said otherwise.
typedef struct sluice_statistics_info_t {
  size_t struct_size;
  uint64_t exchanges_started;
  uint64_t exchanges_open;  ///< now
  uint64_t completed;
  uint64_t refused;
  uint64_t failed;
  uint64_t cancelled;
  uint64_t body_bytes_held;  ///< of requests, now
  uint64_t replayed_sends;
  uint64_t decoded_answers;
  uint64_t plugin_errors;
  uint64_t plugin_timeouts;
  uint64_t plugins_failed_open;
  uint64_t ignored_resumes;
  uint64_t unrecorded_verdicts;
  uint64_t max_loop_lag_ns;  ///< the longest a loop was busy since this was last asked
  uint64_t engines;          ///< loops: the threads, or 1 where the host drives
  uint64_t events_written;   ///< telemetry lines in their files
  uint64_t events_dropped;
} sluice_statistics_info_t;

/// Errors: INVALID_PARAMETER for a struct_size that is no version's; CLOSED, FORKED.
SLUICE_API sluice_code_t sluice_gateway_statistics(sluice_gateway_t *gateway, sluice_statistics_info_t *info, sluice_error_t **err);

/// Cancels what is open and ends the engines. When it has returned, the END of every call is in its queue and every finalizer of
/// this gateway has run, unless another thread is inside a call on it just then: that one runs them when it leaves.
/// Nobody has to poll meanwhile. Again, it does nothing. Errors: WOULD_DEADLOCK inside a callback; FORKED.
SLUICE_API sluice_code_t sluice_gateway_close(sluice_gateway_t *gateway, sluice_error_t **err);
/// Closes, then frees. Nobody may be inside a call on it. Inside a callback, where it cannot close, it does nothing.
SLUICE_API void sluice_gateway_free(sluice_gateway_t *gateway);

/// Lets go of a gateway that a parent process opened: takes no lock, waits for nobody, runs no finalizer and ends no connection
/// of the parent. The descriptors and memory it shares with the parent stay until the child ends. All that is left is
/// sluice_gateway_free. In the process that opened it, it does nothing.
SLUICE_API void sluice_after_fork_child(sluice_gateway_t *gateway);

// Host-driven gateways (threads: 0): the caller's own event loop does all the work. Thread: one at a time.

/// One descriptor, readable when drive() has something to do, timers included. -1 where the gateway has threads.
SLUICE_API sluice_code_t sluice_gateway_fd(sluice_gateway_t *gateway, int *fd, sluice_error_t **err);
/// How long until drive() is due, should the descriptor not turn readable before: 0 = now, -1 = nothing is awaited.
SLUICE_API sluice_code_t sluice_gateway_next_deadline_ns(sluice_gateway_t *gateway, int64_t *ns, sluice_error_t **err);
/// Does what is due and returns; waits at most `wait_ms` for something. `handled`, which may be NULL: how much was done.
/// Errors: UNSUPPORTED_OPERATION where the gateway has threads; WOULD_DEADLOCK inside a callback; CLOSED, FORKED.
SLUICE_API sluice_code_t sluice_gateway_drive(sluice_gateway_t *gateway, int32_t wait_ms, size_t *handled, sluice_error_t **err);

SLUICE_END

#endif
