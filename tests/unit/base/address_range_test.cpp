#include <arpa/inet.h>
#include <netinet/in.h>

#include <catch2/catch.hpp>

#include "base/address_range.hpp"

using namespace sluice;
using base::AddressRange;

namespace {

/// True where `range` is one and contains `address`.
bool contains(const std::string& range, const std::string& address) {
  const auto parsed = AddressRange::parse(range);
  INFO(range << " and " << address);
  REQUIRE(parsed);
  sockaddr_in v4{};
  if (::inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    return parsed->contains(reinterpret_cast<const sockaddr*>(&v4));
  }
  sockaddr_in6 v6{};
  REQUIRE(::inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) == 1);
  v6.sin6_family = AF_INET6;
  return parsed->contains(reinterpret_cast<const sockaddr*>(&v6));
}

}  // namespace

TEST_CASE("a range holds the addresses that share its prefix, and no other") {
  CHECK(contains("192.0.2.7", "192.0.2.7"));
  CHECK_FALSE(contains("192.0.2.7", "192.0.2.6"));
  CHECK(contains("10.0.0.0/8", "10.255.0.1"));
  CHECK_FALSE(contains("10.0.0.0/8", "11.0.0.0"));
  CHECK(contains("10.128.0.0/9", "10.128.0.0"));
  CHECK(contains("10.128.0.0/9", "10.255.255.255"));
  CHECK_FALSE(contains("10.128.0.0/9", "10.127.255.255"));
  CHECK(contains("192.0.2.4/31", "192.0.2.5"));
  CHECK_FALSE(contains("192.0.2.4/31", "192.0.2.6"));
  CHECK(contains("2001:db8::/32", "2001:db8:ffff::1"));
  CHECK_FALSE(contains("2001:db8::/32", "2001:db9::1"));
  CHECK(contains("fe80::/10", "febf::1"));
  CHECK_FALSE(contains("fe80::/10", "fec0::1"));
  CHECK(contains("::1", "::1"));
}

TEST_CASE("every address is in the range of all addresses of its kind") {
  CHECK(contains("0.0.0.0/0", "203.0.113.9"));
  CHECK_FALSE(contains("0.0.0.0/0", "2001:db8::1"));
  CHECK(contains("::/0", "2001:db8::1"));
}

TEST_CASE("an IPv4 address inside IPv6 is judged as IPv4, however it came in") {
  CHECK(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
  CHECK_FALSE(contains("10.0.0.0/8", "::ffff:11.1.2.3"));
  CHECK(contains("::ffff:10.0.0.0/104", "10.1.2.3"));
}

TEST_CASE("neither IPv4 nor IPv6 is in any range") {
  sockaddr unix_socket{};
  unix_socket.sa_family = AF_UNIX;
  CHECK_FALSE(AddressRange::parse("::/0")->contains(&unix_socket));
}

TEST_CASE("what is no range is refused, and the refusal names it") {
  for (const char* text : {"", "localhost", "10.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0.0/ 8", "::/129",
                           "[::1]", "10.0.0.1/8", "2001:db8::1/32", "2130706433", "0x7f.1", "127.0.0.1:80", "fe80::1%eth0"}) {
    const auto range = AddressRange::parse(text);
    INFO(text);
    REQUIRE_FALSE(range);
    CHECK(range.error().code == Code::kInvalidParameter);
    CHECK(range.error().message.find("(is \"" + std::string(text) + "\")") != std::string::npos);
  }
}

TEST_CASE("an address has one spelling, and IPv4 inside IPv6 is IPv4") {
  const auto text = [](const char* given) {
    const auto address = base::Address::parse(given);
    return address ? address->text() : std::string("none");
  };
  CHECK(text("192.0.2.7") == "192.0.2.7");
  CHECK(text("::ffff:192.0.2.7") == "192.0.2.7");
  CHECK(text("::FFFF:c000:0207") == "192.0.2.7");
  CHECK(text("2001:DB8:0:0:0:0:0:1") == "2001:db8::1");
  CHECK(text("::1") == "::1");
  for (const char* none : {"", "localhost", "192.0.2", "192.0.2.07.1", "192.0.2.7:80", "[::1]", "fe80::1%lo", " 192.0.2.7", "2001:db8::1::2",
                           "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"}) {
    INFO(none);
    CHECK(text(none) == "none");
  }
  CHECK_FALSE(base::Address::parse(std::string_view("192.0.2.7\0", 10)));
  CHECK(AddressRange::parse("192.0.2.0/24")->contains(*base::Address::parse("::ffff:192.0.2.7")));
  CHECK_FALSE(AddressRange::parse("192.0.2.0/24")->contains(*base::Address::parse("192.0.3.7")));
}
