#ifndef SLUICE_GRANT_H
#define SLUICE_GRANT_H
/// Credentials that the host program brings while the gateway runs: out of a vault, a keyring, a login of its own. When one is
/// asked for, and how long it is kept, says docs/credentials.md.
///
///   static void ask(void *user, sluice_grant_t *grant) {
///     char *key = vault_lookup(user);  // what has to wait keeps the grant, and answers from another thread
///     sluice_grant_give(grant, key, SLUICE_NUL_TERMINATED, 0, NULL);
///     sluice_grant_free(grant);
///     free(key);
///   }

#include "sluice/error.h"

SLUICE_BEGIN

/// Asks for the credential of one upstream. The grant is the host's own: it answers once, within 10 s, and frees it.
/// Thread: an engine's, or the one that drives; one question for each upstream at a time. Must not block.
typedef void (*sluice_grant_fn)(void *user, sluice_grant_t *grant);

/// Whose credential it is. Lifetime: the grant.
SLUICE_API sluice_bytes_t sluice_grant_upstream(const sluice_grant_t *grant);
/// The key or the token alone: `Bearer` and the field it goes into are the provider's affair. It is wiped when it is over.
/// `lifetime_ms`, counted from the question: another is asked for ahead of its end; 0: nobody knows, and it is an hour.
/// A grant that is answered already: nothing happens. Harmless after the gateway has ended.
/// Errors: INVALID_PARAMETER for what no header field can hold, and for a negative lifetime: the question is still open then;
/// FORKED.
SLUICE_API sluice_code_t sluice_grant_give(sluice_grant_t *grant, const char *credential, size_t size, int64_t lifetime_ms,
                                           sluice_error_t **err);
/// There is none now. The requests that wait for it go where they go when a connection fails; `why` is told, so it holds no
/// secret. `retry_after_ms`: nobody is asked again before; 0: the gateway's own pause, from 1 s to 60 s.
/// Errors: as sluice_grant_give.
SLUICE_API sluice_code_t sluice_grant_refuse(sluice_grant_t *grant, const char *why, size_t size, int64_t retry_after_ms,
                                             sluice_error_t **err);
/// Frees it; one that was not answered refuses.
SLUICE_API void sluice_grant_free(sluice_grant_t *grant);

SLUICE_END

#endif
