#pragma once
/// Addresses, and networks as a configuration names them: one address, or all that share a prefix with it.
/// Knows IPv4 and IPv6 numbers; must not know sockets or names.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sluice/error.hpp"

struct sockaddr;

namespace sluice::base {

/// One IP address, however it was spelled. An IPv4 address inside IPv6 (`::ffff:192.0.2.7`) is that IPv4 address.
class Address {
 public:
  /// Nothing for what is no address alone: a name, a port or a zone beside it.
  [[nodiscard]] static std::optional<Address> parse(std::string_view text) noexcept;
  /// Nothing for anything but IPv4 and IPv6.
  [[nodiscard]] static std::optional<Address> of(const sockaddr* address) noexcept;
  /// The one spelling each address has here. Source: RFC 5952
  [[nodiscard]] std::string text() const;
  friend bool operator==(const Address&, const Address&) = default;

 private:
  friend class AddressRange;
  std::array<std::uint8_t, 16> bytes_{};  // IPv4 as IPv6 maps it
};

class AddressRange {
 public:
  /// `192.0.2.7`, `10.0.0.0/8`, `2001:db8::/32`. Errors: kInvalidParameter, naming the text: no address, a prefix that is
  /// too long, or bits set behind it (which range was meant?).
  [[nodiscard]] static Result<AddressRange> parse(std::string_view text);
  [[nodiscard]] bool contains(const Address& address) const noexcept;
  /// False for anything but IPv4 and IPv6.
  [[nodiscard]] bool contains(const sockaddr* address) const noexcept;

 private:
  std::array<std::uint8_t, 16> network_{};
  unsigned bits_ = 128;
};

}  // namespace sluice::base
