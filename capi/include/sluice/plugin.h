#ifndef SLUICE_PLUGIN_H
#define SLUICE_PLUGIN_H
/// Plugins: code that looks at exchanges on their way, and may stop, change or answer them (docs/plugins.md). Two ways to write
/// one: a table of functions, called on the engine's thread; or queued, where each hook comes as a HOOK event and the exchange
/// waits for its answer, from any thread.
///
///   static int32_t on_request(void *session, sluice_hook_t *hook) {
///     sluice_hook_info_t info = {sizeof info};
///     sluice_hook_info(hook, &info, NULL);
///     if (info.tenant.size != 0) return SLUICE_CONTINUE;
///     return sluice_hook_fail(hook, SLUICE_CODE_UNAUTHORIZED, 403, "name your tenant", SLUICE_NUL_TERMINATED);
///   }

#include "sluice/error.h"
#include "sluice/queue.h"
#include "sluice/request.h"

SLUICE_BEGIN

/// When a plugin runs: phases in this order, plugins of one phase in the order they are listed.
enum {
  SLUICE_PHASE_AUTHENTICATE = 0,  ///< between head and body: on_request sees the head alone. For the gateway's list
  SLUICE_PHASE_GUARD = 1,         ///< judges
  SLUICE_PHASE_TRANSFORM = 2,     ///< changes
  SLUICE_PHASE_ROUTE = 3          ///< narrows, orders or names the upstreams of this exchange
};

/// What a plugin asks for; bits. What nobody on a route wants is neither called nor decoded there.
#define SLUICE_WANTS_REQUEST 1u              /* on_request */
#define SLUICE_WANTS_PROMPT (2u | 1u)        /* on_request, with the decoded texts of the prompt */
#define SLUICE_WANTS_REQUEST_EDITS (8u | 1u) /* on_request, and may change the request */
#define SLUICE_WANTS_ATTEMPTS 16u            /* on_attempt */
#define SLUICE_WANTS_HEAD 32u                /* on_head */
#define SLUICE_WANTS_DELTAS 64u              /* on_delta and on_answer_end, with decoded text */
#define SLUICE_WANTS_DELTA_EDITS (128u | 64u) /* on_delta and on_answer_end, and may change, hold and add text */
#define SLUICE_WANTS_FINISH 256u             /* on_finish alone is reason enough to open a session */

/// What a hook decides: its return value.
enum {
  SLUICE_CONTINUE = 0,
  SLUICE_SUSPEND = 1,  ///< what sluice_hook_suspend gives: wait for the resumer
  SLUICE_REPLY = 2,    ///< what sluice_hook_reply gives; in on_request only
  SLUICE_FAIL = 3      ///< what sluice_hook_fail gives
};

/// Which hook it is.
enum {
  SLUICE_HOOK_REQUEST = 1,     ///< before any attempt
  SLUICE_HOOK_ATTEMPT = 2,     ///< one try at one upstream is about to be sent
  SLUICE_HOOK_HEAD = 3,        ///< the answer's head, before the caller gets it
  SLUICE_HOOK_DELTA = 4,       ///< one increment of the answer; an answer that is not streamed is one for each of its texts
  SLUICE_HOOK_ANSWER_END = 5,  ///< after the last delta, before the end is told
  SLUICE_HOOK_FINISH = 6       ///< the exchange is over; nothing is to be decided
};

/// A table of functions. Each may be NULL: the hook goes on then. The hooks of one exchange never overlap; those of several may
/// run at once. Thread: the engine's. A hook must not block: what has to wait suspends.
typedef struct sluice_plugin {
  size_t struct_size;
  const char *name;  ///< unique in a gateway: what a configuration, an error and the telemetry event call it
  size_t name_size;
  int32_t phase;     ///< SLUICE_PHASE_*
  uint32_t wants;    ///< SLUICE_WANTS_*
  void *user;
  /// A session for one exchange. 0 in `*joins`: this one is none of the plugin's business, and no other hook of it is called.
  /// NULL: every exchange is joined, with `user` as the session.
  void (*open)(void *user, sluice_hook_t *hook, void **session, int32_t *joins);
  int32_t (*on_request)(void *session, sluice_hook_t *hook);
  int32_t (*on_attempt)(void *session, sluice_hook_t *hook);
  int32_t (*on_head)(void *session, sluice_hook_t *hook);
  int32_t (*on_delta)(void *session, sluice_hook_t *hook);
  int32_t (*on_answer_end)(void *session, sluice_hook_t *hook);
  /// Once, last but for close, also when the caller has left. Lifetime of the outcome: the call; it is not to be freed.
  void (*on_finish)(void *session, const sluice_outcome_t *outcome);
  /// Once for each session that `open` gave.
  void (*close)(void *session);
  /// Once, when the plugin will not be called again.
  sluice_finalize_fn finalize;
} sluice_plugin_t;

/// A plugin whose hooks come as HOOK events with this tag. Each but FINISH waits for sluice_hook_answer, as long as the plugin's
/// time-out lets it; credit and other calls are not touched by that. The data of an event:
///   DELTA: the text, with choice, channel and tool_index in the event. FINISH: the exchange's id. The others: a JSON object
///   {"id", "operation", "dialect", "consumer", "tenant", "route", "method", "path", "model", "stream"},
///   for REQUEST with "headers" (a list of [name, value]) and "body", for ATTEMPT with "upstream" and "number",
///   for HEAD with "status" and "headers".
typedef struct sluice_queued_plugin {
  size_t struct_size;
  const char *name;
  size_t name_size;
  int32_t phase;
  uint32_t wants;
  uint64_t tag;
} sluice_queued_plugin_t;

/// Which members of a ruling are edits; bits. They need the WANTS bits that edit.
enum {
  SLUICE_EDIT_TEXT = 1,    ///< `text` is what a delta says now (empty: held back); at ANSWER_END: text to be added to choice 0
  SLUICE_EDIT_BODY = 2,    ///< `body` takes the place of the request's
  SLUICE_EDIT_HEADERS = 4  ///< `headers` are set: on the request, on the attempt, on the answer's head
};

/// How a hook that waited goes on. A table the caller fills; what it points to is copied.
typedef struct sluice_ruling {
  size_t struct_size;
  int32_t verdict;    ///< SLUICE_CONTINUE, SLUICE_REPLY or SLUICE_FAIL
  int32_t status;     ///< REPLY, FAIL; 0: 200, or that of the code
  sluice_code_t code; ///< FAIL; PLUGIN_ERROR is the plugin's own failure, which its fail mode may forgive; others are judgements
  uint32_t edits;     ///< SLUICE_EDIT_*, with SLUICE_CONTINUE
  const char *text;   ///< REPLY: what the model would have said; FAIL: the message; or an edit
  size_t text_size;
  const char *body;
  size_t body_size;
  const sluice_header_t *headers;
  size_t header_count;
} sluice_ruling_t;

/// Answers the hook of a HOOK event: `hook` is its `call`. One that was answered, timed out or belongs to an exchange that is
/// over is no error: nothing happens. Errors: INVALID_PARAMETER; CLOSED, FORKED, OUT_OF_MEMORY.
SLUICE_API sluice_code_t sluice_hook_answer(sluice_gateway_t *gateway, uint64_t hook, const sluice_ruling_t *ruling,
                                            sluice_error_t **err);

// What a hook function may do. Lifetime of a sluice_hook_t: until its function returns, and no longer: what was suspended goes
// on by its resumer. Thread: the hook's.

/// Filled by sluice_hook_info; set struct_size. What the hook has not is empty or 0.
typedef struct sluice_hook_info_t {
  size_t struct_size;
  int32_t hook;    ///< SLUICE_HOOK_*; 0 in open
  int32_t stream;  ///< 1: the caller asked for a stream
  sluice_bytes_t id;
  sluice_bytes_t operation;  ///< "chat", "embeddings", "opaque" ...
  sluice_bytes_t dialect;    ///< the caller's
  sluice_bytes_t consumer;
  sluice_bytes_t tenant;
  sluice_bytes_t route;      ///< empty in phase AUTHENTICATE
  sluice_bytes_t method;
  sluice_bytes_t path;
  sluice_bytes_t model;      ///< as asked for
  sluice_bytes_t body;       ///< of the request, its present version
  sluice_bytes_t upstream;        ///< ATTEMPT
  sluice_bytes_t upstream_model;  ///< ATTEMPT
  sluice_bytes_t text;       ///< DELTA
  sluice_bytes_t tool_name;  ///< DELTA: on the first of a call
  uint32_t choice;           ///< DELTA
  int32_t channel;           ///< DELTA: SLUICE_CHANNEL_*, never TOOL_NAME
  uint32_t tool_index;       ///< DELTA
  uint32_t attempt;          ///< ATTEMPT: 1, 2, ...
  int32_t status;            ///< HEAD
  uint32_t prompt_count;     ///< REQUEST, with SLUICE_WANTS_PROMPT
} sluice_hook_info_t;

/// One text of a prompt.
enum { SLUICE_ROLE_SYSTEM = 0, SLUICE_ROLE_USER = 1, SLUICE_ROLE_ASSISTANT = 2, SLUICE_ROLE_TOOL = 3 };

/// Lifetime of all that these three give: the hook, until it changes the same thing.
SLUICE_API sluice_code_t sluice_hook_info(const sluice_hook_t *hook, sluice_hook_info_t *info, sluice_error_t **err);
/// The first value of a field: of the answer's head in HEAD, of the request otherwise. Not there: {NULL, 0}.
SLUICE_API sluice_bytes_t sluice_hook_header(const sluice_hook_t *hook, const char *name, size_t size);
/// Errors: INVALID_PARAMETER for an index out of range.
SLUICE_API sluice_code_t sluice_hook_prompt(const sluice_hook_t *hook, size_t index, int32_t *role, sluice_bytes_t *text,
                                            sluice_error_t **err);
/// Tokens of the prompt, estimated.
SLUICE_API uint64_t sluice_hook_estimated_input_tokens(const sluice_hook_t *hook);

/// Changes, with the WANTS bits that edit; elsewhere the hook has failed, whatever it returns.
/// Errors: INVALID_HEADER, INVALID_PARAMETER, INVALID_JSON; UNSUPPORTED_OPERATION in a hook that has no such thing.
SLUICE_API sluice_code_t sluice_hook_set_header(sluice_hook_t *hook, const char *name, size_t name_size, const char *value,
                                                size_t value_size, sluice_error_t **err);  ///< REQUEST, ATTEMPT, HEAD
SLUICE_API sluice_code_t sluice_hook_remove_header(sluice_hook_t *hook, const char *name, size_t size,
                                                   sluice_error_t **err);  ///< REQUEST, HEAD
SLUICE_API sluice_code_t sluice_hook_set_body(sluice_hook_t *hook, const char *body, size_t size, sluice_error_t **err);  ///< REQUEST
/// REQUEST: splices one value of the body, every other byte kept; `pointer` is a JSON Pointer.
SLUICE_API sluice_code_t sluice_hook_set_json(sluice_hook_t *hook, const char *pointer, size_t pointer_size, const char *json,
                                              size_t json_size, sluice_error_t **err);
/// REQUEST: the text of one part of the prompt.
SLUICE_API sluice_code_t sluice_hook_set_prompt(sluice_hook_t *hook, size_t index, const char *text, size_t size,
                                                sluice_error_t **err);
/// REQUEST in phase ROUTE: adds one to the upstreams that may serve this exchange, in order of preference. `model` may be NULL.
SLUICE_API sluice_code_t sluice_hook_choose(sluice_hook_t *hook, const char *upstream, size_t upstream_size, const char *model,
                                            size_t model_size, sluice_error_t **err);
/// DELTA: what it says now; empty holds it back. ANSWER_END: adds text to a choice's channel TEXT.
SLUICE_API sluice_code_t sluice_hook_set_text(sluice_hook_t *hook, const char *text, size_t size, sluice_error_t **err);
SLUICE_API sluice_code_t sluice_hook_emit(sluice_hook_t *hook, uint32_t choice, const char *text, size_t size,
                                          sluice_error_t **err);
/// Puts a finding into the exchange's account: what kind ("pii.email"), where ("messages[2]"), how sure (0 to 1).
SLUICE_API sluice_code_t sluice_hook_report(sluice_hook_t *hook, const char *kind, size_t kind_size, const char *where,
                                            size_t where_size, double score, sluice_error_t **err);

/// These give what the hook is to return; where there is no memory for it, that is SLUICE_FAIL with OUT_OF_MEMORY.
/// The caller gets an answer that says `text`, in its dialect; no attempt is made. `status` from 400 on tells it as an error.
SLUICE_API int32_t sluice_hook_reply(sluice_hook_t *hook, int32_t status, const char *text, size_t size);
/// The caller gets an error. `status` 0: that of the code.
SLUICE_API int32_t sluice_hook_fail(sluice_hook_t *hook, sluice_code_t code, int32_t status, const char *message, size_t size);
/// The exchange waits. `*resumer` is the caller's; NULL on failure.
SLUICE_API int32_t sluice_hook_suspend(sluice_hook_t *hook, sluice_resumer_t **resumer);

/// Ends a suspension, once, even before the hook has returned; again, it does nothing. Harmless after the exchange or the gateway
/// have ended. Errors: INVALID_PARAMETER, OUT_OF_MEMORY. Thread: any.
SLUICE_API sluice_code_t sluice_resumer_resume(sluice_resumer_t *resumer, const sluice_ruling_t *ruling, sluice_error_t **err);
/// Frees it; one that was not used fails the hook with PLUGIN_ERROR.
SLUICE_API void sluice_resumer_free(sluice_resumer_t *resumer);

SLUICE_END

#endif
