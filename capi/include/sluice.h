#ifndef SLUICE_H
#define SLUICE_H
/// sluice from C: an AI gateway in your process. This header brings all others; each stands alone too. C99, and C++.
///
/// The conventions, said once. They hold for every function of every header:
///
///  1. Names are sluice_<noun>_<verb>. Handles are opaque and typed; what *_new, *_open, *_start or *_take gave is freed by
///     the *_free of its noun, once. *_free takes NULL and does nothing then; no other function may be given a freed handle.
///  2. What can go wrong returns a sluice_code_t, SLUICE_OK or not, and gives its values through out-parameters. These are
///     written on success; on failure handles are NULL and the rest is as it was.
///  3. The last parameter of such a function is `sluice_error_t **err`. It may be NULL. Otherwise *err is always written: NULL
///     on success, and an error that the caller frees on failure. There is no last error of a thread.
///  4. Text goes in as (pointer, size) in UTF-8, with SLUICE_NUL_TERMINATED as the size where it ends with a NUL. It is copied
///     before the function returns. NULL with size 0 is the empty text.
///  5. Text comes out borrowed, as sluice_bytes_t, whose end of life its function states; or owned, as sluice_buffer_t, which
///     the caller frees. Neither is NUL-terminated unless it is said; a sluice_buffer_t always is.
///  6. Structs that the caller fills, and those the library fills for it (*_info_t), begin with struct_size: set it to sizeof
///     of the struct, zero the rest. That is how members can be added later. All other structs stay as they are for ever.
///  7. Enumerators are int32_t. Unknown ones may come in a later version: pass them over.
///  8. Times have their unit in their name. A negative time-out is none: it waits for ever.
///  9. Thread: any, unless said otherwise. A function that takes `const` handles may run beside any other on the same handle.
/// 10. Callbacks are (function, user, finalize). `finalize`, where it is given, is called with `user` exactly once, when the
///     function will not be called again; also where the call that was given them has failed. A callback must not block, nor
///     throw, nor jump out. From inside one, what would wait is refused with SLUICE_CODE_WOULD_DEADLOCK.
/// 11. A gateway belongs to the process that opened it. In a child of fork() every call on it, and on its queues, is refused
///     with SLUICE_CODE_FORKED, at once; sluice_after_fork_child() and *_free let go of it there.
///
///   sluice_error_t *err = NULL;
///   sluice_gateway_t *gateway = NULL;
///   if (sluice_gateway_open_file("gateway.json", SLUICE_NUL_TERMINATED, &gateway, &err) != SLUICE_OK) {
///     fputs(sluice_error_message(err).data, stderr);
///   }

#include "sluice/abi.h"
#include "sluice/call.h"
#include "sluice/error.h"
#include "sluice/gateway.h"
#include "sluice/grant.h"
#include "sluice/options.h"
#include "sluice/outcome.h"
#include "sluice/plugin.h"
#include "sluice/queue.h"
#include "sluice/request.h"
#include "sluice/server.h"
#include "sluice/simulation.h"
#include "sluice/transport.h"

#endif
