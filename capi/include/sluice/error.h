#ifndef SLUICE_ERROR_H
#define SLUICE_ERROR_H
/// What goes wrong, who caused it, and what next.

#include "sluice/abi.h"

SLUICE_BEGIN

/// What happened; docs/errors.md has each with its remedy. Numbers are append-only and those of the C++ library.
typedef int32_t sluice_code_t;
enum {
  SLUICE_OK = 0,

  // The request is not one sluice can serve: the caller changes it.
  SLUICE_CODE_INVALID_REQUEST = 1,
  SLUICE_CODE_INVALID_HEADER = 2,
  SLUICE_CODE_INVALID_JSON = 3,
  SLUICE_CODE_DUPLICATE_KEY = 4,
  SLUICE_CODE_INVALID_MODEL = 5,
  SLUICE_CODE_JSON_TOO_DEEP = 6,
  SLUICE_CODE_UNAUTHORIZED = 7,
  SLUICE_CODE_CONSUMER_NOT_ALLOWED = 8,
  SLUICE_CODE_MODEL_NOT_ALLOWED = 9,
  SLUICE_CODE_ROUTE_NOT_FOUND = 10,
  SLUICE_CODE_METHOD_NOT_ALLOWED = 11,
  SLUICE_CODE_REQUEST_TIMEOUT = 12,
  SLUICE_CODE_LENGTH_REQUIRED = 13,
  SLUICE_CODE_BODY_TOO_LARGE = 14,
  SLUICE_CODE_UNSUPPORTED_MEDIA_TYPE = 15,
  SLUICE_CODE_UNSUPPORTED_ENCODING = 16,
  SLUICE_CODE_HEADER_TOO_LARGE = 17,
  SLUICE_CODE_AMBIGUOUS_CREDENTIALS = 18,
  SLUICE_CODE_EXPECTATION_FAILED = 19,
  SLUICE_CODE_UNSUPPORTED_PROTOCOL = 20,
  SLUICE_CODE_JSON_TOO_LARGE = 21,
  SLUICE_CODE_UNSUPPORTED_PARAMETER = 22,
  SLUICE_CODE_INVALID_PARAMETER = 23,
  SLUICE_CODE_INVALID_URL = 24,
  SLUICE_CODE_ADDRESS_NOT_ALLOWED = 25,
  SLUICE_CODE_UNSUPPORTED_OPERATION = 26,
  SLUICE_CODE_ORIGIN_NOT_ALLOWED = 27,

  // The gateway will not or cannot take it now.
  SLUICE_CODE_NO_BACKEND_AVAILABLE = 40,
  SLUICE_CODE_OVERLOADED = 41,
  SLUICE_CODE_SHUTTING_DOWN = 42,
  SLUICE_CODE_QUEUE_FULL = 43,
  SLUICE_CODE_QUEUE_TIMEOUT = 44,
  SLUICE_CODE_TOO_MANY_CONNECTIONS = 45,

  // The upstream, or the way to it.
  SLUICE_CODE_UPSTREAM_RESOLVE_FAILED = 60,
  SLUICE_CODE_UPSTREAM_CONNECT_FAILED = 61,
  SLUICE_CODE_UPSTREAM_TLS_FAILED = 62,
  SLUICE_CODE_UPSTREAM_RESET = 63,
  SLUICE_CODE_UPSTREAM_PROTOCOL_ERROR = 64,
  SLUICE_CODE_UPSTREAM_REDIRECT = 65,
  SLUICE_CODE_UPSTREAM_STATUS = 66,
  SLUICE_CODE_UPSTREAM_TRUNCATED = 67,
  SLUICE_CODE_UPSTREAM_HEAD_TOO_LARGE = 68,
  SLUICE_CODE_UPSTREAM_ANSWER_TOO_LARGE = 69,
  SLUICE_CODE_UPSTREAM_DECODED_TOO_LARGE = 70,
  SLUICE_CODE_UPSTREAM_INVALID_ANSWER = 71,
  SLUICE_CODE_UPSTREAM_EVENT_TOO_LARGE = 72,
  SLUICE_CODE_UPSTREAM_ERROR = 73,
  SLUICE_CODE_UPSTREAM_CREDENTIAL = 74,
  SLUICE_CODE_ADDRESS_REFUSED = 75,
  SLUICE_CODE_CONNECT_TIMEOUT = 76,
  SLUICE_CODE_HEADERS_TIMEOUT = 77,
  SLUICE_CODE_FIRST_DELTA_TIMEOUT = 78,
  SLUICE_CODE_IDLE_TIMEOUT = 79,
  SLUICE_CODE_TOTAL_TIMEOUT = 80,

  // The life of the gateway and of one exchange.
  SLUICE_CODE_CANCELLED = 100,
  SLUICE_CODE_CLOSED = 101,
  SLUICE_CODE_WOULD_DEADLOCK = 102,
  SLUICE_CODE_FORKED = 103,
  SLUICE_CODE_OUT_OF_MEMORY = 104,
  SLUICE_CODE_INTERNAL = 105,

  // Loading a configuration and opening things.
  SLUICE_CODE_INVALID_CONFIGURATION = 120,
  SLUICE_CODE_SECRET_MISSING = 121,
  SLUICE_CODE_FILE_UNREADABLE = 122,
  SLUICE_CODE_ADDRESS_IN_USE = 123,
  SLUICE_CODE_SYSTEM = 124,

  // Plugins.
  SLUICE_CODE_PLUGIN_ERROR = 140,
  SLUICE_CODE_PLUGIN_TIMEOUT = 141,

  // What the built-in plugin `limits` finds too large.
  SLUICE_CODE_PROMPT_TOO_LARGE = 150,
  SLUICE_CODE_TOO_MANY_MESSAGES = 151,
  SLUICE_CODE_TOO_MANY_PARTS = 152,
  SLUICE_CODE_TOO_MANY_TOOLS = 153,
  SLUICE_CODE_TOO_MANY_ATTACHMENTS = 154,
  SLUICE_CODE_ATTACHMENT_TOO_LARGE = 155,
  SLUICE_CODE_ATTACHMENT_TYPE_NOT_ALLOWED = 156,
  SLUICE_CODE_TOO_MANY_INPUTS = 157,
  SLUICE_CODE_INPUT_TOO_LARGE = 158,
  SLUICE_CODE_TOO_MANY_DIMENSIONS = 159,
  SLUICE_CODE_ANSWER_TOO_LARGE = 160
};

/// Who caused it, which decides who must act.
enum { SLUICE_ORIGIN_CALLER = 0, SLUICE_ORIGIN_GATEWAY = 1, SLUICE_ORIGIN_PLUGIN = 2, SLUICE_ORIGIN_UPSTREAM = 3 };

// A sluice_error_t is one failure, immutable. The accessors take NULL, for which they give SLUICE_OK, 0 and empty text.

SLUICE_API sluice_code_t sluice_error_code(const sluice_error_t *error);
/// SLUICE_ORIGIN_*.
SLUICE_API int32_t sluice_error_origin(const sluice_error_t *error);
/// The status a wire caller would get; 0 where no HTTP answer makes sense (a configuration).
SLUICE_API int32_t sluice_error_http_status(const sluice_error_t *error);
/// The soonest moment a retry makes sense, counted from the failure; -1 where nothing is known of it.
SLUICE_API int64_t sluice_error_retry_after_ms(const sluice_error_t *error);
/// One sentence for a person, NUL-terminated: what, who, what next. Holds no secret and no content. Lifetime: the error.
SLUICE_API sluice_bytes_t sluice_error_message(const sluice_error_t *error);
/// The field or JSON Pointer that is wrong, NUL-terminated; empty where there is none. Lifetime: the error.
SLUICE_API sluice_bytes_t sluice_error_param(const sluice_error_t *error);
SLUICE_API void sluice_error_free(sluice_error_t *error);

/// The name of a code as it stands in answers, NUL-terminated: "route_not_found"; empty for a number that is none.
/// Lifetime: static.
SLUICE_API sluice_bytes_t sluice_code_name(sluice_code_t code);

SLUICE_END

#endif
