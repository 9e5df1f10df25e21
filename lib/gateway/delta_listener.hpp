#pragma once
/// For callers that want an answer's text instead of its bytes: stands between an exchange and its listener and reads the
/// answer as the caller's dialect has it. Knows heads, events and texts; must not know exchanges.

#include <memory>

#include "sluice/gateway.hpp"

namespace sluice::gateway {

/// A listener that tells `listener` the deltas of what `request` is answered with; `listener` itself where the answer has
/// none (embeddings, unknown paths).
[[nodiscard]] std::shared_ptr<ExchangeListener> read_deltas(const Request& request, std::shared_ptr<ExchangeListener> listener);

}  // namespace sluice::gateway
