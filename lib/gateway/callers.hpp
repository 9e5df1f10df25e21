#pragma once
/// How callers prove who they are, compiled: keys, certificates, signatures, and what listeners show them in return.
/// Knows where a configuration says so; must not know any request.

#include "gateway/secrets.hpp"
#include "gateway/snapshot.hpp"

namespace sluice::gateway {

/// Fills `snapshot`'s keys, certificates, aws_callers and listener_tls from its configuration; `before` lends the TLS of listeners
/// whose files are the same. Errors: kInvalidConfiguration with every problem of one kind, those of the secrets.
[[nodiscard]] Status compile_callers(Snapshot& snapshot, const Snapshot* before, Secrets& secrets);

}  // namespace sluice::gateway
