#pragma once
/// A network as a configuration names it: one address, or all that share a prefix with it.
/// Knows IPv4 and IPv6 numbers; must not know sockets or names.

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "sluice/error.hpp"

struct sockaddr;

namespace sluice::base {

class AddressRange {
 public:
  /// `192.0.2.7`, `10.0.0.0/8`, `2001:db8::/32`. Errors: kInvalidParameter, naming the text: no address, a prefix that is
  /// too long, or bits set behind it (which range was meant?).
  [[nodiscard]] static Result<AddressRange> parse(std::string_view text);
  /// False for anything but IPv4 and IPv6. An IPv4 address inside IPv6 (`::ffff:192.0.2.7`) is judged as IPv4.
  [[nodiscard]] bool contains(const sockaddr* address) const noexcept;

 private:
  using Bytes = std::array<std::uint8_t, 16>;  // IPv4 as IPv6 maps it
  static std::optional<Bytes> bytes_of(const sockaddr* address) noexcept;
  Bytes network_{};
  unsigned bits_ = 128;
};

}  // namespace sluice::base
