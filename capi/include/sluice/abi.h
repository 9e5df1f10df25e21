#ifndef SLUICE_ABI_H
#define SLUICE_ABI_H
/// What all headers stand on: linkage, bytes, buffers, and which library this is.

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define SLUICE_API __attribute__((visibility("default")))
#else
#define SLUICE_API
#endif

#ifdef __cplusplus
#define SLUICE_BEGIN extern "C" {
#define SLUICE_END }
#else
#define SLUICE_BEGIN
#define SLUICE_END
#endif

/// The version of these headers; sluice_version() is that of the library. Until 1.0 a minor version may change the ABI, and
/// with it the library's SONAME; a patch never does.
#define SLUICE_VERSION_MAJOR 0
#define SLUICE_VERSION_MINOR 1
#define SLUICE_VERSION_PATCH 0

/// As a size: the text ends with a NUL, count it.
#define SLUICE_NUL_TERMINATED ((size_t)-1)

SLUICE_BEGIN

/// Bytes somebody else owns. Empty: data may be NULL.
typedef struct sluice_bytes {
  const char *data;
  size_t size;
} sluice_bytes_t;

/// Bytes the caller owns, with a NUL behind them that size does not count. Begin with {NULL, 0}.
typedef struct sluice_buffer {
  char *data;
  size_t size;
} sluice_buffer_t;

/// Frees what a buffer holds and makes it {NULL, 0}. NULL does nothing.
SLUICE_API void sluice_buffer_free(sluice_buffer_t *buffer);

/// The handles. What each is, the header of its noun says.
typedef struct sluice_error sluice_error_t;
typedef struct sluice_options sluice_options_t;
typedef struct sluice_gateway sluice_gateway_t;
typedef struct sluice_queue sluice_queue_t;
typedef struct sluice_outcome sluice_outcome_t;
typedef struct sluice_server sluice_server_t;
typedef struct sluice_grant sluice_grant_t;
typedef struct sluice_hook sluice_hook_t;
typedef struct sluice_resumer sluice_resumer_t;
typedef struct sluice_simulation sluice_simulation_t;
typedef struct sluice_script sluice_script_t;
typedef struct sluice_transport sluice_transport_t;
typedef struct sluice_wire sluice_wire_t;

/// Called when a callback's `user` is not needed any more.
typedef void (*sluice_finalize_fn)(void *user);

/// The version of the library, as SemVer, NUL-terminated: "0.1.0". Lifetime: static.
SLUICE_API sluice_bytes_t sluice_version(void);

SLUICE_END

#endif
