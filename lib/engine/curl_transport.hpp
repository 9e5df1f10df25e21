#pragma once
/// Full libcurl multi transfers behind the Transport interface.

#include <memory>

#include "engine/loop.hpp"
#include "engine/resolver.hpp"
#include "engine/transport.hpp"

namespace sluice::engine {

/// Open sockets per endpoint name, over all engines: what makes a connection cap exact. Thread: any.
class ConnectionBudgets;
[[nodiscard]] std::shared_ptr<ConnectionBudgets> make_connection_budgets();
/// Open sockets towards the endpoint called `name`. Thread: any.
[[nodiscard]] std::uint32_t open_connections(const ConnectionBudgets& budgets, const std::string& name);

/// The network. `resolver` empty = c-ares. Errors: kSystem.
[[nodiscard]] Result<std::unique_ptr<Transport>> make_curl_transport(Loop& loop, std::shared_ptr<ConnectionBudgets> budgets,
                                                                     std::unique_ptr<Resolver> resolver = nullptr);

}  // namespace sluice::engine
