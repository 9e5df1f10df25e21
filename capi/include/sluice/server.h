#ifndef SLUICE_SERVER_H
#define SLUICE_SERVER_H
/// The listener: serves a gateway over HTTP/1.1 on the addresses its configuration lists, on the gateway's own threads.

#include "sluice/error.h"

SLUICE_BEGIN

/// Binds and starts to accept. It stops at once when the gateway closes.
/// Errors: ADDRESS_IN_USE, SYSTEM name the address; INVALID_CONFIGURATION where nothing is listed; CLOSED, FORKED.
SLUICE_API sluice_code_t sluice_server_start(sluice_gateway_t *gateway, sluice_server_t **server, sluice_error_t **err);

SLUICE_API size_t sluice_server_address_count(const sluice_server_t *server);
/// The address really bound, as `host:port`, NUL-terminated, in the order of the configuration; {NULL, 0} beyond the last.
/// Lifetime: the server.
SLUICE_API sluice_bytes_t sluice_server_address(const sluice_server_t *server, size_t index);

/// Stops to accept, lets what runs finish for up to `deadline_ms`, then ends it with an error in the caller's dialect. Returns
/// when all connections are closed. Errors: WOULD_DEADLOCK inside a callback; FORKED.
SLUICE_API sluice_code_t sluice_server_drain(sluice_server_t *server, int64_t deadline_ms, sluice_error_t **err);
/// Stops at once: what is open is cancelled. Inside a callback, where it cannot stop, it does nothing.
SLUICE_API void sluice_server_free(sluice_server_t *server);

SLUICE_END

#endif
