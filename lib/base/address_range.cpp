// Addresses and networks as numbers: IPv4 is held as IPv6 maps it, so that one comparison judges both.

#include "base/address_range.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>

namespace sluice::base {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};  // RFC 4291, 2.5.5.2
constexpr unsigned kMappedBits = 96;

/// True where the first `bits` bits are the same.
bool same_prefix(const std::array<std::uint8_t, 16>& a, const std::array<std::uint8_t, 16>& b, unsigned bits) noexcept {
  const unsigned whole = bits / 8;
  if (std::memcmp(a.data(), b.data(), whole) != 0) return false;
  const unsigned rest = bits % 8;
  return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

bool is_ipv4(const std::array<std::uint8_t, 16>& bytes) noexcept { return std::equal(kMapped.begin(), kMapped.end(), bytes.begin()); }

}  // namespace

std::optional<Address> Address::parse(std::string_view text) noexcept {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.size() >= terminated.size() || text.find('\0') != std::string_view::npos) return std::nullopt;
  std::copy(text.begin(), text.end(), terminated.begin());
  Address out;
  if (::inet_pton(AF_INET, terminated.data(), out.bytes_.data() + kMapped.size()) == 1) {
    std::copy(kMapped.begin(), kMapped.end(), out.bytes_.begin());
    return out;
  }
  if (::inet_pton(AF_INET6, terminated.data(), out.bytes_.data()) == 1) return out;
  return std::nullopt;
}

std::optional<Address> Address::of(const sockaddr* address) noexcept {
  Address out;
  if (address->sa_family == AF_INET) {
    std::copy(kMapped.begin(), kMapped.end(), out.bytes_.begin());
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    std::memcpy(out.bytes_.data() + kMapped.size(), &v4.sin_addr, 4);
    return out;
  }
  if (address->sa_family != AF_INET6) return std::nullopt;
  sockaddr_in6 v6{};
  std::memcpy(&v6, address, sizeof v6);
  std::memcpy(out.bytes_.data(), &v6.sin6_addr, 16);
  return out;
}

std::string Address::text() const {
  std::array<char, INET6_ADDRSTRLEN> out{};
  const bool v4 = is_ipv4(bytes_);
  ::inet_ntop(v4 ? AF_INET : AF_INET6, bytes_.data() + (v4 ? kMapped.size() : 0), out.data(), out.size());
  return out.data();
}

Result<AddressRange> AddressRange::parse(std::string_view text) {
  const auto bad = [text](const std::string& why) {
    return fail(Code::kInvalidParameter, why + " (is \"" + std::string(text) + "\")");
  };
  const std::size_t slash = text.find('/');
  const std::string address(text.substr(0, slash));
  AddressRange range;
  unsigned most = 128;
  if (::inet_pton(AF_INET, address.c_str(), range.network_.data() + kMapped.size()) == 1) {
    std::copy(kMapped.begin(), kMapped.end(), range.network_.begin());
    most = 32;
  } else if (::inet_pton(AF_INET6, address.c_str(), range.network_.data()) != 1) {
    return bad("must be an IP address, or a network such as \"10.0.0.0/8\"");
  }
  unsigned bits = most;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (error != std::errc() || end != digits.data() + digits.size() || bits > most)
      return bad("the prefix must be a number from 0 to " + std::to_string(most));
  }
  range.bits_ = bits + (most == 32 ? kMappedBits : 0);
  auto masked = range.network_;
  for (unsigned bit = range.bits_; bit < 128; ++bit) masked[bit / 8] &= static_cast<std::uint8_t>(~(0x80u >> (bit % 8)));
  if (masked != range.network_) return bad("bits are set behind the prefix: name the network's first address");
  return range;
}

bool AddressRange::contains(const Address& address) const noexcept { return same_prefix(address.bytes_, network_, bits_); }

bool AddressRange::contains(const sockaddr* address) const noexcept {
  const auto known = Address::of(address);
  return known && contains(*known);
}

}  // namespace sluice::base
