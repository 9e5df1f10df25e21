#pragma once
/// Network addresses as text and as the system has them, and which of them belong to no public network.
/// Knows ranges; opens nothing.

#include <cstdint>
#include <string>
#include <string_view>

struct sockaddr;

namespace sluice::engine {

/// As is_private_address() of the resolver, for an address about to be connected to. Anything but IPv4 and IPv6: true.
[[nodiscard]] bool is_private_address(const sockaddr* address) noexcept;

/// True for the text form of an IPv4 (dotted quad) or IPv6 address, without brackets.
[[nodiscard]] bool is_address(std::string_view text) noexcept;

/// The dotted quad of the older spellings of IPv4 that inet_aton takes ("2130706433", "0x7f.1", "127.1"); the text itself
/// where it is anything else. Such spellings must not pass for names.
[[nodiscard]] std::string plain_address(std::string_view text);

/// `127.0.0.1:80`, `[::1]:80`; empty for other families.
[[nodiscard]] std::string to_text(const sockaddr* address);

}  // namespace sluice::engine
