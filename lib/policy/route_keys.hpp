#pragma once
/// What the index files a route under, read from its match. Knows both forms; must not know requests.

#include "policy/route_index.hpp"
#include "sluice/route.hpp"

namespace sluice::policy {

/// The literal parts of the route's match. What does not compile says nothing: the matcher refuses such a route anyway.
[[nodiscard]] RouteKeys keys_of(const Route& route);

}  // namespace sluice::policy
