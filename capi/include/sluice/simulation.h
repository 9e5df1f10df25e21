#ifndef SLUICE_SIMULATION_H
#define SLUICE_SIMULATION_H
/// Testing your own configuration: upstreams that are scripted, time that passes when it is told, chance with a seed. No network,
/// no waiting; the same every time. Give it to sluice_options_set_simulation, submit as ever, move the time, and poll.
/// Thread: one, that which drives the gateway.

#include "sluice/error.h"

SLUICE_BEGIN

SLUICE_API sluice_code_t sluice_simulation_new(uint64_t seed, sluice_simulation_t **simulation, sluice_error_t **err);
/// A gateway that still uses it keeps what it needs.
SLUICE_API void sluice_simulation_free(sluice_simulation_t *simulation);

/// Nanoseconds since the simulation's first moment.
SLUICE_API int64_t sluice_simulation_now_ns(const sluice_simulation_t *simulation);
/// Lets exactly so much time pass, with all that falls due in it. 0: does what is due now.
/// Errors of the three: INVALID_PARAMETER for a gateway that is not of this simulation; CLOSED, FORKED; WOULD_DEADLOCK inside
/// a callback.
SLUICE_API sluice_code_t sluice_simulation_advance(sluice_simulation_t *simulation, sluice_gateway_t *gateway, int64_t ns,
                                                   sluice_error_t **err);
/// Moves on until nothing is left to happen, but no further than `limit_ns`.
SLUICE_API sluice_code_t sluice_simulation_settle(sluice_simulation_t *simulation, sluice_gateway_t *gateway, int64_t limit_ns,
                                                  sluice_error_t **err);
/// Moves to the next moment at which anything happens. `happened`: 0 where nothing is left.
SLUICE_API sluice_code_t sluice_simulation_step(sluice_simulation_t *simulation, sluice_gateway_t *gateway, int32_t *happened,
                                                sluice_error_t **err);

// What one upstream answers. The last word counts; a change holds for the requests that come after it.

/// The script of the upstream of that name, made when first asked for. Lifetime: the simulation; it is not to be freed.
SLUICE_API sluice_code_t sluice_simulation_script(sluice_simulation_t *simulation, const char *upstream, size_t size,
                                                  sluice_script_t **script, sluice_error_t **err);
/// This text, a word or a punctuation mark to a token.
SLUICE_API sluice_code_t sluice_script_answer(sluice_script_t *script, const char *text, size_t size, sluice_error_t **err);
/// Made-up text of exactly so many tokens.
SLUICE_API sluice_code_t sluice_script_generate(sluice_script_t *script, uint64_t tokens, sluice_error_t **err);
SLUICE_API sluice_code_t sluice_script_refuse(sluice_script_t *script, const char *text, size_t size, sluice_error_t **err);
/// A call of one tool. `arguments` is a JSON text.
SLUICE_API sluice_code_t sluice_script_call_tool(sluice_script_t *script, const char *name, size_t name_size, const char *arguments,
                                                 size_t arguments_size, sluice_error_t **err);
/// These very bytes, whatever was asked. / The same for requests that stream.
SLUICE_API sluice_code_t sluice_script_body(sluice_script_t *script, const char *content_type, size_t content_type_size,
                                            const char *bytes, size_t size, sluice_error_t **err);
SLUICE_API sluice_code_t sluice_script_stream(sluice_script_t *script, const char *bytes, size_t size, sluice_error_t **err);
/// The usage that is stated, instead of the exact count.
SLUICE_API sluice_code_t sluice_script_usage(sluice_script_t *script, uint64_t input_tokens, uint64_t output_tokens,
                                             sluice_error_t **err);
/// A header field on every answer.
SLUICE_API sluice_code_t sluice_script_header(sluice_script_t *script, const char *name, size_t name_size, const char *value,
                                              size_t value_size, sluice_error_t **err);
/// The body leaves in pieces of so many bytes; 0: as it comes.
SLUICE_API sluice_code_t sluice_script_pieces(sluice_script_t *script, size_t bytes, sluice_error_t **err);

/// How fast, counted from the arrival of a request. All 0: at once.
typedef struct sluice_pace {
  size_t struct_size;
  int64_t head_us;         ///< until the head of a stream
  int64_t first_token_us;  ///< until the first content
  int64_t jitter_us;       ///< up to so much on top, from the seed
  int64_t ping_us;         ///< a comment in every silence this long; 0: none
  double tokens_per_second;  ///< 0: no pause between tokens
} sluice_pace_t;
SLUICE_API sluice_code_t sluice_script_pace(sluice_script_t *script, const sluice_pace_t *pace, sluice_error_t **err);

/// What goes wrong.
enum {
  SLUICE_FAULT_NONE = 0,             ///< forgets all faults
  SLUICE_FAULT_STATUS = 1,           ///< `status`, with an error body in the dialect's shape
  SLUICE_FAULT_ERROR_IN_STREAM = 2,  ///< 200, `after_events` events, then an error event
  SLUICE_FAULT_CUT = 3,              ///< the connection ends at body byte `at_byte`
  SLUICE_FAULT_RESET = 4,            ///< the same with a reset
  SLUICE_FAULT_STALL = 5,            ///< nothing more comes after body byte `at_byte`
  SLUICE_FAULT_SLOW_HEAD = 6,        ///< the head comes one byte every `step_ms`
  SLUICE_FAULT_GARBAGE = 7,          ///< bytes that are no HTTP answer
  SLUICE_FAULT_HTML = 8,             ///< 200 with an HTML page where JSON belongs
  SLUICE_FAULT_REFUSE = 9,           ///< the connection is refused
  SLUICE_FAULT_HANG_UP = 10          ///< the connection ends before the first byte of the head
};

/// A fault, and which requests meet it: those that arrive in [from_ns, until_ns) of the simulation's time, the first `times` of
/// them. Several may stand: the first that still applies is taken. One without limits is forgotten when the next is set.
typedef struct sluice_fault {
  size_t struct_size;
  int32_t kind;     ///< SLUICE_FAULT_*
  int32_t status;   ///< STATUS; 0: 500
  uint64_t at_byte;
  uint64_t after_events;
  int64_t step_ms;
  int64_t retry_after_ms;  ///< STATUS: told in Retry-After, in whole seconds; 0: not told
  int64_t from_ns;
  int64_t until_ns;  ///< 0: no end
  uint64_t times;    ///< 0: all
} sluice_fault_t;
SLUICE_API sluice_code_t sluice_script_fault(sluice_script_t *script, const sluice_fault_t *fault, sluice_error_t **err);

/// A request as an upstream saw it. Lifetime: until the next request arrives or they are forgotten.
typedef struct sluice_seen_info_t {
  size_t struct_size;
  sluice_bytes_t upstream;
  sluice_bytes_t method;
  sluice_bytes_t target;
  sluice_bytes_t body;
  int64_t at_ns;  ///< since the simulation's first moment
} sluice_seen_info_t;

SLUICE_API size_t sluice_simulation_seen_count(const sluice_simulation_t *simulation);
/// Errors: INVALID_PARAMETER for an index out of range or a struct_size that is no version's.
SLUICE_API sluice_code_t sluice_simulation_seen(const sluice_simulation_t *simulation, size_t index, sluice_seen_info_t *info,
                                                sluice_error_t **err);
SLUICE_API void sluice_simulation_forget_seen(sluice_simulation_t *simulation);

SLUICE_END

#endif
