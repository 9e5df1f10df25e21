#ifndef SLUICE_CALL_H
#define SLUICE_CALL_H
/// Calls: a request goes in, events come out of a queue.

#include "sluice/error.h"
#include "sluice/queue.h"
#include "sluice/request.h"

SLUICE_BEGIN

/// Sends a request; its events come on `queue` and bear `tag`. What is wrong with the request is an answer too, as on the
/// wire: HEAD with the status, an error body in the caller's dialect, END with the code.
/// Errors: INVALID_PARAMETER, INVALID_HEADER, CLOSED, FORKED, OUT_OF_MEMORY; no event comes then.
SLUICE_API sluice_code_t sluice_submit(sluice_gateway_t *gateway, sluice_queue_t *queue, const sluice_request_t *request,
                                       uint64_t tag, sluice_call_t *call, sluice_error_t **err);

/// The next piece of a request's body (SLUICE_REQUEST_BODY_FOLLOWS); `last` is not 0 with the last one. Pieces are gathered up
/// to the gateway's body_bytes; an END that comes before the last piece says that no more is needed.
/// Errors: FORKED, CLOSED, OUT_OF_MEMORY. Thread: one at a time for each call.
SLUICE_API sluice_code_t sluice_call_body(sluice_gateway_t *gateway, sluice_call_t call, const char *data, size_t size,
                                          int32_t last, sluice_error_t **err);

/// Lets `bytes` more of the answer's content come. CHUNK and DELTA data count, HEAD and END are free. When the credit is spent
/// the upstream of this call is paused, and nobody else's; what was on its way by then still comes (64 KiB at most), and is
/// taken off the next credit. Nothing is lost. Errors: FORKED; INVALID_PARAMETER for a call that was submitted without credit.
SLUICE_API sluice_code_t sluice_call_credit(sluice_gateway_t *gateway, sluice_call_t call, uint64_t bytes, sluice_error_t **err);

/// Ends a call early. It still gets its END, with the ending it has reached by then. May be asked at any time, twice, and after
/// the end. Errors: FORKED.
SLUICE_API sluice_code_t sluice_call_cancel(sluice_gateway_t *gateway, sluice_call_t call, sluice_error_t **err);

/// Takes the account of a call whose END is in the last batch of `queue`. Whoever does not want it leaves it there.
/// Errors: INVALID_PARAMETER where the batch has no such END, or it was taken before; OUT_OF_MEMORY where there was none for it.
/// Thread: that of poll.
SLUICE_API sluice_code_t sluice_call_take_outcome(sluice_queue_t *queue, sluice_call_t call, sluice_outcome_t **outcome,
                                                  sluice_error_t **err);

SLUICE_END

#endif
