#pragma once
/// Which header fields pass, in either direction. Credentials, cookies and hop-by-hop fields do not, unless a route
/// lists them; server fields never come back. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "sluice/headers.hpp"
#include "sluice/route.hpp"

namespace sluice::gateway {

/// Appends what of the client's fields goes upstream. `opaque`: everything that is not private to the client's hop;
/// otherwise a short list of fields that matter (each byte costs about 14 ns below). `forward` adds globs.
/// Source: RFC 9110, 7.6.1 for hop-by-hop.
void pass_up(const Headers& from, bool opaque, const std::vector<std::string>& forward, Headers& to);

/// Appends what of the upstream's fields goes to the client. `bytes_unchanged`: Content-Length may go too.
void pass_down(const Headers& from, bool opaque, bool bytes_unchanged, Headers& to);

/// Proves who the client is, to us or to somebody else.
[[nodiscard]] bool is_credential(std::string_view name) noexcept;
/// Fields no plugin sets or removes: framing, what belongs to one hop, and towards an upstream what proves who calls.
[[nodiscard]] bool is_gateways_own(std::string_view name, bool towards_upstream) noexcept;

/// Applies a route's edits: remove, then set, then add.
Status apply(const HeaderEdits& edits, Headers& headers);

/// A query without the fields that carry a key (`key`), everything else byte for byte.
[[nodiscard]] std::string query_without_key(std::string_view query);

}  // namespace sluice::gateway
