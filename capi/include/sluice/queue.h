#ifndef SLUICE_QUEUE_H
#define SLUICE_QUEUE_H
/// The completion queue: what becomes of calls, as events, in batches. One queue may serve many gateways; it outlives them,
/// and drains afterwards.
///
/// Events of one call come in order: HEAD at most once, then CHUNK or DELTA any number of times, then END exactly once. END
/// always comes, whatever happens: its room is set aside when the call is submitted.
///
/// Thread: one at a time polls, takes outcomes and releases. Waking, and all that brings events: any.

#include "sluice/error.h"

SLUICE_BEGIN

/// Names one call for as long as the process lives; never 0, never used again. A call that has ended is no error: what is
/// asked of it does nothing.
typedef uint64_t sluice_call_t;

/// SLUICE_EVENT_*: what an event is. Pass over what you do not know.
enum {
  SLUICE_EVENT_HEAD = 1,   ///< the answer's head. status; data: its fields, each as `name: value` and CR LF
  SLUICE_EVENT_CHUNK = 2,  ///< data: bytes of the answer's body
  SLUICE_EVENT_DELTA = 3,  ///< choice, channel, tool_index; data: text
  SLUICE_EVENT_END = 4,    ///< the last of its call. status, code, detail: SLUICE_ENDING_*; data: the error's message, if any
  SLUICE_EVENT_HOOK = 5    ///< a queued plugin is asked (plugin.h). detail: SLUICE_HOOK_*
};

/// What a DELTA adds to.
enum {
  SLUICE_CHANNEL_TEXT = 0,
  SLUICE_CHANNEL_REASONING = 1,
  SLUICE_CHANNEL_TOOL_ARGUMENTS = 2,  ///< of call number tool_index of this choice, counted from 0
  SLUICE_CHANNEL_REFUSAL = 3,
  SLUICE_CHANNEL_TOOL_NAME = 4        ///< call number tool_index begins; data: the name of the tool
};

/// How a call ended.
enum {
  SLUICE_ENDING_COMPLETED = 0,  ///< the caller got a whole answer of the upstream, whatever its status
  SLUICE_ENDING_REFUSED = 1,    ///< the gateway answered itself before any attempt
  SLUICE_ENDING_FAILED = 2,     ///< an attempt was made and no whole answer reached the caller
  SLUICE_ENDING_CANCELLED = 3
};

/// One event: 64 bytes, the same on every platform, no pointers. Data is `size` bytes from `offset` in the batch's arena.
/// What its kind does not name is 0.
typedef struct sluice_event {
  uint64_t tag;      ///< as it was given to sluice_submit; HOOK: as the plugin was added with
  uint64_t call;     ///< HOOK: the hook, to be answered by sluice_hook_answer
  uint64_t session;  ///< HOOK: the same for all hooks of one exchange at one plugin; otherwise 0
  uint32_t offset;
  uint32_t size;
  int32_t kind;      ///< SLUICE_EVENT_*
  int32_t status;    ///< HTTP status
  int32_t code;      ///< sluice_code_t
  int32_t detail;
  uint32_t choice;
  int32_t channel;   ///< SLUICE_CHANNEL_*
  uint32_t tool_index;
  uint32_t reserved; ///< 0
} sluice_event_t;

SLUICE_API sluice_code_t sluice_queue_new(sluice_queue_t **queue, sluice_error_t **err);

/// Fills `events` with up to `capacity` events, waiting up to `timeout_ms` for the first; 0 events are no error: the time is
/// over, or somebody called wake(). `event_size`: sizeof(sluice_event_t) of the caller. Releases the batch before.
/// Errors: INVALID_PARAMETER, FORKED; WOULD_DEADLOCK where it would wait inside a callback. Lifetime of the batch and of its
/// arena: until release, the next poll or free.
SLUICE_API sluice_code_t sluice_queue_poll(sluice_queue_t *queue, sluice_event_t *events, size_t event_size, size_t capacity,
                                           int32_t timeout_ms, size_t *count, sluice_error_t **err);

/// The bytes of the last batch, which the offsets of its events count from. Lifetime: the batch.
SLUICE_API sluice_bytes_t sluice_queue_arena(const sluice_queue_t *queue);

/// Gives the last batch back: its data and the outcomes nobody has taken. NULL does nothing.
SLUICE_API void sluice_queue_release(sluice_queue_t *queue);

/// A descriptor that is readable while events wait, for the caller's own event loop: it turns readable when the queue turns
/// from empty to not empty, or is woken, and stops being so when poll has handed out the last. Only to be waited for: never
/// read it, never close it. Errors: SYSTEM; FORKED. Lifetime: the queue.
SLUICE_API sluice_code_t sluice_queue_fd(sluice_queue_t *queue, int *fd, sluice_error_t **err);

/// Makes the poll that waits, or else the next one, return at once. Thread: any.
SLUICE_API sluice_code_t sluice_queue_wake(sluice_queue_t *queue, sluice_error_t **err);

/// Drops what was not polled. Calls that are still open are cancelled when they next have something to say. Nobody may be
/// polling. In a child of fork() it lets go of the parent's queue.
SLUICE_API void sluice_queue_free(sluice_queue_t *queue);

SLUICE_END

#endif
