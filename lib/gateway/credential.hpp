#pragma once
/// How a request is signed for AWS, whoever sends it. Knows wire requests; must not know where the keys come from.

#include <string_view>

#include "auth/sigv4.hpp"
#include "engine/transport.hpp"

namespace sluice::gateway {

/// Signs `wire` as it is: a field that is changed afterwards makes the signature wrong. Errors: as Signer::sign.
[[nodiscard]] Status sign(engine::WireRequest& wire, const auth::sigv4::Signer& signer, std::string_view authority, WallTime now);

}  // namespace sluice::gateway
