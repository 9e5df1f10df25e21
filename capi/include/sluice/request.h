#ifndef SLUICE_REQUEST_H
#define SLUICE_REQUEST_H
/// A request as its caller states it.

#include "sluice/abi.h"

SLUICE_BEGIN

/// One header field. Names and values are judged where they enter: no CR, LF, NUL.
typedef struct sluice_header {
  const char *name;
  size_t name_size;
  const char *value;
  size_t value_size;
} sluice_header_t;

/// How the answer's content comes.
enum {
  SLUICE_ANSWER_RAW = 0,    ///< as CHUNK events: the bytes a wire client would get, in order, cut anywhere
  SLUICE_ANSWER_DELTAS = 1  ///< as DELTA events: decoded text. What has none (errors, embeddings, opaque) comes as CHUNK events
};

/// Flags of a request.
enum {
  SLUICE_REQUEST_BODY_FOLLOWS = 1  ///< `body` is only its beginning: the rest comes by sluice_call_body
};

/// No bound: nothing is ever held back (sluice_call_credit).
#define SLUICE_CREDIT_UNLIMITED 0

/// A table the caller fills; it and all it points to are the caller's again when the call that takes it has returned.
typedef struct sluice_request {
  size_t struct_size;
  const char *method;  ///< NULL: "POST" where there is a body, otherwise "GET"
  size_t method_size;
  const char *target;  ///< origin-form, percent-encoded: "/v1/chat/completions"
  size_t target_size;
  const sluice_header_t *headers;
  size_t header_count;
  const char *body;
  size_t body_size;
  const char *consumer;  ///< who calls, by name; no key in the headers is looked at then. NULL: the headers say it
  size_t consumer_size;
  int64_t deadline_ms;  ///< shortens the route's own; 0: it holds alone
  uint64_t credit;      ///< bytes of content that may come before sluice_call_credit; SLUICE_CREDIT_UNLIMITED: no bound
  int32_t answer;       ///< SLUICE_ANSWER_*
  uint32_t flags;       ///< SLUICE_REQUEST_*
} sluice_request_t;

SLUICE_END

#endif
