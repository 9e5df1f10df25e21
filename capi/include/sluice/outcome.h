#ifndef SLUICE_OUTCOME_H
#define SLUICE_OUTCOME_H
/// What became of a call: its account, with a ledger of its attempts, of what plugins said, and of what could not be translated.
/// Immutable; what is borrowed from it lives as long as it does. sluice_call_take_outcome gives one.

#include "sluice/error.h"

SLUICE_BEGIN

/// A count that nobody has stated. It is not 0.
#define SLUICE_UNKNOWN (-1)

/// Tokens as billed; SLUICE_UNKNOWN where nobody said.
typedef struct sluice_usage {
  int64_t input_tokens;         ///< everything that was read, cached parts included
  int64_t output_tokens;        ///< everything that was written, reasoning included
  int64_t cached_input_tokens;  ///< the part of the input read from a cache
  int64_t cache_write_tokens;   ///< the part of the input written to a cache
  int64_t reasoning_tokens;     ///< the part of the output spent on reasoning
  int64_t total_tokens;         ///< as the provider states it
  int64_t estimated;            ///< 1: counted by the gateway, not reported by the provider
} sluice_usage_t;

/// Filled by sluice_outcome_info; set struct_size.
typedef struct sluice_outcome_info_t {
  size_t struct_size;
  int32_t ending;  ///< SLUICE_ENDING_*
  int32_t status;  ///< what the caller got
  sluice_code_t code;
  int32_t streamed;
  sluice_bytes_t id;  ///< also the x-request-id of the answer, where the provider sent none
  sluice_bytes_t error_message;
  sluice_bytes_t consumer;
  sluice_bytes_t tenant;
  sluice_bytes_t route;
  sluice_bytes_t requested_model;
  sluice_bytes_t served_model;
  sluice_bytes_t dialect;    ///< the caller's: "openai"
  sluice_bytes_t operation;  ///< "chat"
  sluice_bytes_t finish_reason;
  sluice_bytes_t model_note;  ///< what the model policy did, in words
  sluice_bytes_t mode;        ///< "embedded" or "security"
  sluice_usage_t usage;
  int64_t started_at_ms;   ///< civil time, since 1970
  int64_t first_delta_ns;  ///< from the first byte of the request; 0: none came
  int64_t total_ns;
  int64_t receive_ns;   ///< the request came in; with the four below and the gateway's own time it is the total
  int64_t plugins_ns;   ///< plugins kept it waiting
  int64_t queued_ns;    ///< for places at upstreams
  int64_t waited_ns;    ///< pauses between attempts
  int64_t upstream_ns;  ///< attempts under way
  uint64_t deltas;      ///< events with content that were given to the caller
  uint64_t bytes_in;
  uint64_t bytes_out;
  uint64_t attempt_count;
  uint64_t verdict_count;
  uint64_t loss_count;
  int64_t error_retry_after_ms;  ///< the soonest moment a retry makes sense; -1: nothing is known of it
  int32_t error_origin;          ///< SLUICE_ORIGIN_*; of no error: SLUICE_ORIGIN_CALLER
  int32_t reserved;              ///< 0
} sluice_outcome_info_t;

/// One try at one upstream, or the reason why there was none.
typedef struct sluice_attempt_info_t {
  size_t struct_size;
  sluice_bytes_t upstream;
  sluice_bytes_t model;           ///< the name sent
  sluice_bytes_t reason;          ///< why it ended: "status 503", "completed"
  sluice_bytes_t chosen_because;  ///< why this upstream
  int32_t skipped;                ///< 1: nothing was sent; `reason` says why it was passed over
  sluice_code_t code;
  int32_t status;                 ///< of the upstream's answer; 0 where none came
  int32_t reused_connection;
  int64_t started_ns;             ///< from the first byte of the request to its start
  int64_t waited_ns;              ///< the pause before it, because an earlier one had failed
  int64_t queued_ns;              ///< for a place at the upstream
  int64_t resolve_ns;             ///< from its start, as the three below
  int64_t connect_ns;
  int64_t first_byte_ns;
  int64_t total_ns;
  uint64_t sends;
  uint64_t bytes_sent;
  uint64_t bytes_received;
  sluice_usage_t usage;           ///< what this attempt alone was billed for
} sluice_attempt_info_t;

/// What one plugin said in one hook.
typedef struct sluice_verdict_info_t {
  size_t struct_size;
  sluice_bytes_t plugin;
  sluice_bytes_t hook;     ///< "request", "attempt", "head", "delta", "answer_end"
  sluice_bytes_t verdict;  ///< "continue", "edit", "reply", "fail", "error"
  sluice_bytes_t message;
  sluice_code_t code;
  int32_t observed;        ///< 1: recorded, not carried out
  int64_t failed_open;     ///< 1: it erred, and its fail mode let the exchange go on
  int64_t took_ns;
} sluice_verdict_info_t;

/// One field that could not be carried to the upstream as it was.
typedef struct sluice_loss_info_t {
  size_t struct_size;
  sluice_bytes_t field;
  sluice_bytes_t reason;
  sluice_bytes_t severity;  ///< "note", "cosmetic", "semantic"
} sluice_loss_info_t;

/// Errors of the four: INVALID_PARAMETER for NULL, an index out of range, or a struct_size that is no version's.
SLUICE_API sluice_code_t sluice_outcome_info(const sluice_outcome_t *outcome, sluice_outcome_info_t *info, sluice_error_t **err);
SLUICE_API sluice_code_t sluice_outcome_attempt(const sluice_outcome_t *outcome, size_t index, sluice_attempt_info_t *info,
                                                sluice_error_t **err);
SLUICE_API sluice_code_t sluice_outcome_verdict(const sluice_outcome_t *outcome, size_t index, sluice_verdict_info_t *info,
                                                sluice_error_t **err);
SLUICE_API sluice_code_t sluice_outcome_loss(const sluice_outcome_t *outcome, size_t index, sluice_loss_info_t *info,
                                             sluice_error_t **err);
SLUICE_API void sluice_outcome_free(sluice_outcome_t *outcome);

SLUICE_END

#endif
