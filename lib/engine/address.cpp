#include "engine/address.hpp"

// The ranges are those of the IANA special-purpose registries (RFC 6890 and its updates) that are not globally
// reachable, and the IPv6 ranges that carry an IPv4 address, which are judged by that one.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cctype>
#include <cstring>

#include "engine/resolver.hpp"

namespace sluice::engine {
namespace {

struct V4Range {
  std::uint32_t network;
  int bits;
};

constexpr std::uint32_t quad(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}

constexpr std::array<V4Range, 16> kNotPublicV4{{
    {quad(0, 0, 0, 0), 8},        // this network, unspecified
    {quad(10, 0, 0, 0), 8},       // private
    {quad(100, 64, 0, 0), 10},    // shared (RFC 6598)
    {quad(127, 0, 0, 0), 8},      // loopback
    {quad(169, 254, 0, 0), 16},   // link-local, cloud metadata
    {quad(172, 16, 0, 0), 12},    // private
    {quad(192, 0, 0, 0), 24},     // protocol assignments
    {quad(192, 0, 2, 0), 24},     // documentation
    {quad(192, 88, 99, 0), 24},   // old 6to4 relays
    {quad(192, 168, 0, 0), 16},   // private
    {quad(198, 18, 0, 0), 15},    // benchmarking
    {quad(198, 51, 100, 0), 24},  // documentation
    {quad(203, 0, 113, 0), 24},   // documentation
    {quad(224, 0, 0, 0), 4},      // multicast
    {quad(240, 0, 0, 0), 4},      // reserved, broadcast
    {quad(168, 63, 129, 16), 32}, // a cloud's host agent, public by number only
}};

bool is_private_v4(std::uint32_t address) noexcept {
  for (const V4Range& range : kNotPublicV4) {
    const std::uint32_t mask = range.bits == 0 ? 0 : ~std::uint32_t{0} << (32 - range.bits);
    if ((address & mask) == range.network) return true;
  }
  return false;
}

bool starts_with(const unsigned char* address, std::initializer_list<unsigned char> prefix) noexcept {
  return std::memcmp(address, prefix.begin(), prefix.size()) == 0;
}

std::uint32_t embedded(const unsigned char* at) noexcept { return quad(at[0], at[1], at[2], at[3]); }

bool is_private_v6(const unsigned char* a) noexcept {
  static constexpr unsigned char kZeros[16] = {};
  if (std::memcmp(a, kZeros, 10) == 0 && a[10] == 0xff && a[11] == 0xff) return is_private_v4(embedded(a + 12));  // mapped
  if (std::memcmp(a, kZeros, 12) == 0) {
    // ::, ::1 and the IPv4-compatible ones; the first two are 0.0.0.x there, so not public either.
    return is_private_v4(embedded(a + 12));
  }
  if (starts_with(a, {0x00, 0x64, 0xff, 0x9b}) && std::memcmp(a + 4, kZeros, 8) == 0) return is_private_v4(embedded(a + 12));  // NAT64
  if (starts_with(a, {0x00, 0x64, 0xff, 0x9b, 0x00, 0x01})) return true;                    // local NAT64
  if (starts_with(a, {0x20, 0x02})) return is_private_v4(embedded(a + 2));                  // 6to4
  if (starts_with(a, {0x20, 0x01, 0x00, 0x00})) return true;                                // Teredo
  if (starts_with(a, {0x20, 0x01, 0x0d, 0xb8})) return true;                                // documentation
  if (starts_with(a, {0x3f, 0xff}) && (a[2] & 0xf0) == 0) return true;                      // documentation
  if (starts_with(a, {0x01, 0x00}) && std::memcmp(a + 2, kZeros, 6) == 0) return true;      // discard-only
  if (std::memcmp(a, kZeros, 8) == 0 && a[8] == 0xff && a[9] == 0xff && a[10] == 0 && a[11] == 0) {
    return is_private_v4(embedded(a + 12));                                                 // translated (SIIT)
  }
  if ((a[0] & 0xfe) == 0xfc) return true;                                                   // unique-local
  if (a[0] == 0xfe && (a[1] & 0x80) != 0) return true;                                      // link-local, site-local
  return a[0] == 0xff;                                                                      // multicast
}

/// `text` as a C string in `out`; false where it is too long for any address or holds a NUL.
bool terminated(std::string_view text, std::array<char, INET6_ADDRSTRLEN + 1>& out) noexcept {
  if (text.empty() || text.size() >= out.size() || text.find('\0') != std::string_view::npos) return false;
  std::memcpy(out.data(), text.data(), text.size());
  out[text.size()] = '\0';
  return true;
}

}  // namespace

bool is_private_address(std::string_view address) noexcept {
  std::array<char, INET6_ADDRSTRLEN + 1> text{};
  if (!terminated(address, text)) return true;
  in_addr v4{};
  if (::inet_pton(AF_INET, text.data(), &v4) == 1) return is_private_v4(ntohl(v4.s_addr));
  in6_addr v6{};
  if (::inet_pton(AF_INET6, text.data(), &v6) == 1) return is_private_v6(v6.s6_addr);
  return true;
}

bool is_private_address(const sockaddr* address) noexcept {
  if (address->sa_family == AF_INET) {
    return is_private_v4(ntohl(reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr));
  }
  if (address->sa_family == AF_INET6) return is_private_v6(reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr.s6_addr);
  return true;
}

bool is_address(std::string_view address) noexcept {
  std::array<char, INET6_ADDRSTRLEN + 1> text{};
  if (!terminated(address, text)) return false;
  in6_addr room{};
  return ::inet_pton(AF_INET, text.data(), &room) == 1 || ::inet_pton(AF_INET6, text.data(), &room) == 1;
}

std::string plain_address(std::string_view text) {
  std::string host(text);
  // inet_aton would take trailing text after a blank; names hold none, so it is kept away.
  if (host.empty() || host.find_first_of(" \t\r\n") != std::string::npos || host.find('\0') != std::string::npos ||
      std::isdigit(static_cast<unsigned char>(host.front())) == 0) {
    return host;
  }
  in_addr v4{};
  if (::inet_aton(host.c_str(), &v4) == 0) return host;
  std::array<char, INET_ADDRSTRLEN> out{};
  return ::inet_ntop(AF_INET, &v4, out.data(), out.size()) != nullptr ? std::string(out.data()) : host;
}

std::string to_text(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> out{};
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    ::inet_ntop(AF_INET, &v4->sin_addr, out.data(), out.size());
    return std::string(out.data()) + ':' + std::to_string(ntohs(v4->sin_port));
  }
  if (address->sa_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
    ::inet_ntop(AF_INET6, &v6->sin6_addr, out.data(), out.size());
    return '[' + std::string(out.data()) + "]:" + std::to_string(ntohs(v6->sin6_port));
  }
  return {};
}

}  // namespace sluice::engine
