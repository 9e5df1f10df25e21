#ifndef SLUICE_TRANSPORT_H
#define SLUICE_TRANSPORT_H
/// A network of your own in the place of the gateway's: requests come to you as they would go on the wire, and you answer them,
/// from any thread, whenever you like. For tests of your routing, retries and failover, and for programs whose way out is no
/// socket. Nothing above it knows: policies, time-outs and accounts see your failures as they see those of a network.
///
///   static void start(void *user, sluice_transfer_t transfer, const sluice_wire_t *wire) {
///     sluice_transport_t *transport = *(sluice_transport_t **)user;
///     sluice_transfer_head(transport, transfer, 200, NULL, 0, NULL);
///     sluice_transfer_bytes(transport, transfer, "{}", 2, NULL, NULL);
///     sluice_transfer_end(transport, transfer, NULL);
///   }

#include "sluice/error.h"
#include "sluice/request.h"

SLUICE_BEGIN

/// Names one request and its answer, for as long as its transport lives; never 0, never used again. What is said of one that is
/// over, cancelled, or never was one, does nothing and is no error.
typedef uint64_t sluice_transfer_t;

/// What you do. A table the caller fills. Thread: an engine's, or the one that drives; for several transfers at once. None may
/// block. Answers may be given inside; they are heard when the function has returned.
typedef struct sluice_transport_functions {
  size_t struct_size;
  void *user;
  /// Once for each transfer, first. Lifetime of the wire: the call.
  void (*start)(void *user, sluice_transfer_t transfer, const sluice_wire_t *wire);
  /// Nobody waits for it any more. At most once, and last; not for one that you have ended. May be NULL.
  void (*cancel)(void *user, sluice_transfer_t transfer);
  /// More bytes may be given, where sluice_transfer_bytes has said that they may not. May be NULL.
  void (*resume)(void *user, sluice_transfer_t transfer);
  /// Once, when none of these will be called again.
  sluice_finalize_fn finalize;
} sluice_transport_functions_t;

/// Give it to sluice_options_set_transport; it may serve several gateways. The table is copied; `finalize` is called also on
/// failure, but not where struct_size is wrong, since nothing else can be read then. Errors: INVALID_PARAMETER.
SLUICE_API sluice_code_t sluice_transport_new(const sluice_transport_functions_t *functions, sluice_transport_t **transport,
                                              sluice_error_t **err);
/// None of the functions is called any more, but for `finalize`: now, or when the one that runs just then has returned. Of
/// gateways that still use it, the transfers that are open end with UPSTREAM_RESET, later ones with UPSTREAM_CONNECT_FAILED.
SLUICE_API void sluice_transport_free(sluice_transport_t *transport);

/// A request as it would go on the wire. Host, Content-Length, Connection and Accept-Encoding are yours to write, and so are
/// content codings: what is answered is plain. Lifetime of all that it gives: the start it came with.
typedef struct sluice_wire_info_t {
  size_t struct_size;
  sluice_bytes_t upstream;  ///< its name; of what grants its tokens: the same and " (tokens)"
  sluice_bytes_t origin;    ///< "https://api.example.com", with a port where it is not the scheme's own
  sluice_bytes_t method;
  sluice_bytes_t target;    ///< path and query, percent-encoded
  sluice_bytes_t body;      ///< all of it
  const sluice_header_t *headers;
  size_t header_count;
  int32_t has_body;         ///< 0: there is none, which is not an empty one
  int32_t stream;           ///< 1: an answer that comes bit by bit is expected
} sluice_wire_info_t;
SLUICE_API sluice_code_t sluice_wire_info(const sluice_wire_t *wire, sluice_wire_info_t *info, sluice_error_t **err);

// What becomes of a transfer. Errors of all: INVALID_PARAMETER, also for what comes in the wrong order: bytes or the end before
// the head, a second head; OUT_OF_MEMORY; FORKED.

/// The connection stands and the request goes out: the upstream's connect_ms has been kept, and headers_ms begins. Where you
/// cannot know, say so at once, in `start`. The head says it, too.
SLUICE_API sluice_code_t sluice_transfer_connected(sluice_transport_t *transport, sluice_transfer_t transfer,
                                                   sluice_error_t **err);
/// The head of the answer, with a status from 200 to 599. Fields that belong to one hop are left out. What no server may say
/// (two lengths, too long a head) ends the transfer as it would on the wire. Errors: also INVALID_HEADER.
SLUICE_API sluice_code_t sluice_transfer_head(sluice_transport_t *transport, sluice_transfer_t transfer, int32_t status,
                                              const sluice_header_t *headers, size_t header_count, sluice_error_t **err);
/// The next bytes of its body. They are taken, all of them; 1 in `*wait`, which may be NULL, says that no more are wanted until
/// `resume`: the caller reads slowly, or 64 KiB have not been taken by the engine yet.
/// Errors: also OVERLOADED for who does not wait, where 1 MiB has not been taken: these bytes are not, `resume` says when.
SLUICE_API sluice_code_t sluice_transfer_bytes(sluice_transport_t *transport, sluice_transfer_t transfer, const char *data,
                                               size_t size, int32_t *wait, sluice_error_t **err);
/// The answer is whole. One that is shorter than its head has announced is a truncated one.
SLUICE_API sluice_code_t sluice_transfer_end(sluice_transport_t *transport, sluice_transfer_t transfer, sluice_error_t **err);
/// No answer comes, or no more of it. `code` decides, as ever, whether another attempt follows: UPSTREAM_RESOLVE_FAILED,
/// UPSTREAM_CONNECT_FAILED, UPSTREAM_TLS_FAILED, ADDRESS_REFUSED, CONNECT_TIMEOUT (the request was not sent); UPSTREAM_RESET,
/// UPSTREAM_PROTOCOL_ERROR, UPSTREAM_TRUNCATED, HEADERS_TIMEOUT, IDLE_TIMEOUT (it was). `why` is told to callers: one clause,
/// without a secret. Errors: INVALID_PARAMETER for any other code.
SLUICE_API sluice_code_t sluice_transfer_fail(sluice_transport_t *transport, sluice_transfer_t transfer, sluice_code_t code,
                                              const char *why, size_t size, sluice_error_t **err);

SLUICE_END

#endif
