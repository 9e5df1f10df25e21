#pragma once
/// Who has sent a request that came through proxies. Knows addresses and X-Forwarded-For; must not know connections, nor
/// what the address is used for.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/address_range.hpp"
#include "sluice/headers.hpp"

namespace sluice::http {

/// Entries of X-Forwarded-For that are looked at: more proxies in a row than anybody has.
inline constexpr std::size_t kForwardedEntries = 32;

/// The client's address in its one spelling: that of the connection's peer, unless the peer is one of `trusted`. Of a trusted
/// one it is the right-most address of X-Forwarded-For that is not trusted itself, for each proxy appends whom it was called
/// by, and what stands further left anybody may have written. Where all are trusted, it is the left-most one. An entry that is
/// no address ends the walk there, and so does the bound: what was found up to then counts. No other field names a client
/// (X-Real-IP, True-Client-IP, CF-Connecting-IP, Forwarded): proxies that do not know them pass them on as they came.
/// `peer` that is no address is given back as it is.
[[nodiscard]] std::string client_address(std::string_view peer, const Headers& headers, std::span<const base::AddressRange> trusted);

}  // namespace sluice::http
