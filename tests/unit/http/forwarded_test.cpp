// Who the client is, behind proxies and in front of none.

#include <catch2/catch.hpp>

#include "http/forwarded.hpp"

using namespace sluice;
using http::client_address;

namespace {

std::vector<base::AddressRange> ranges(std::initializer_list<const char*> texts) {
  std::vector<base::AddressRange> out;
  for (const char* text : texts) {
    const auto range = base::AddressRange::parse(text);
    REQUIRE(range);
    out.push_back(*range);
  }
  return out;
}

/// Behind 10.0.0.0/8 and fd00::/8, called by a proxy there.
std::string behind(const Headers& headers, const char* peer = "10.0.0.1") {
  return client_address(peer, headers, ranges({"10.0.0.0/8", "fd00::/8"}));
}

}  // namespace

TEST_CASE("the client is the peer, whatever a field says, unless the peer is a trusted proxy") {  // LIMIT-23
  const Headers spoofed = {{"X-Forwarded-For", "203.0.113.9"}};
  CHECK(behind(spoofed, "192.0.2.1") == "192.0.2.1");
  CHECK(behind(spoofed, "2001:db8::1") == "2001:db8::1");
  CHECK(client_address("10.0.0.1", spoofed, {}) == "10.0.0.1");
  CHECK(behind({}, "10.0.0.1") == "10.0.0.1");
  CHECK(behind({{"X-Forwarded-For", ""}}) == "10.0.0.1");
}

TEST_CASE("behind a trusted proxy the client is the right-most address that is not trusted") {  // LIMIT-23
  CHECK(behind({{"X-Forwarded-For", "203.0.113.9"}}) == "203.0.113.9");
  CHECK(behind({{"x-forwarded-for", "203.0.113.9"}}, "fd00::2") == "203.0.113.9");
  CHECK(behind({{"X-Forwarded-For", "1.2.3.4, 203.0.113.9"}}) == "203.0.113.9");
  CHECK(behind({{"X-Forwarded-For", "1.2.3.4,203.0.113.9 ,\t10.1.1.1 , fd00::3"}}) == "203.0.113.9");
  // Several fields are one list.
  CHECK(behind({{"X-Forwarded-For", "1.2.3.4"}, {"x-other", "5.6.7.8"}, {"X-Forwarded-For", "203.0.113.9, 10.0.0.2"}}) == "203.0.113.9");
  CHECK(behind({{"X-Forwarded-For", "1.2.3.4, 203.0.113.9"}, {"X-Forwarded-For", "10.0.0.2"}}) == "203.0.113.9");
}

TEST_CASE("where every address is trusted the client is the left-most one") {
  CHECK(behind({{"X-Forwarded-For", "10.9.9.9, 10.0.0.2"}}) == "10.9.9.9");
}

TEST_CASE("an entry that is no address ends the walk, and what was found up to there counts") {  // LIMIT-23
  for (const char* bad : {"unknown", "_hidden", "203.0.113", "203.0.113.9:http", "203.0.113.9:", "203.0.113.9:123456", "[2001:db8::1", "[2001:db8::1]x", "fe80::1%eth0",
                          "\"203.0.113.9\"", "for=203.0.113.9", "203.0.113.9 evil", "", "010.0.0.256"}) {
    INFO(bad);
    CHECK(behind({{"X-Forwarded-For", std::string("203.0.113.9, ") + bad + ", 10.0.0.7"}}) == "10.0.0.7");
    CHECK(behind({{"X-Forwarded-For", "203.0.113.9, " + std::string(bad)}}) == "10.0.0.1");
  }
}

TEST_CASE("an address is read with a port and in brackets, and told in one spelling") {  // LIMIT-23
  // Two spellings of one client must not be two clients.
  CHECK(behind({{"X-Forwarded-For", "203.0.113.9:4711"}}) == "203.0.113.9");
  CHECK(behind({{"X-Forwarded-For", "[2001:DB8:0:0::1]:443"}}) == "2001:db8::1");
  CHECK(behind({{"X-Forwarded-For", "[2001:db8::1]"}}) == "2001:db8::1");
  CHECK(behind({{"X-Forwarded-For", "2001:0db8::0001"}}) == "2001:db8::1");
  CHECK(behind({{"X-Forwarded-For", "::ffff:203.0.113.9"}}) == "203.0.113.9");
  CHECK(behind({}, "::ffff:192.0.2.1") == "192.0.2.1");
  // A proxy that is trusted as IPv4 is so where the socket is IPv6.
  CHECK(behind({{"X-Forwarded-For", "203.0.113.9, ::ffff:10.0.0.2"}}, "::ffff:10.0.0.1") == "203.0.113.9");
}

TEST_CASE("no other field names a client") {  // LIMIT-23
  for (const char* field : {"X-Real-IP", "True-Client-IP", "CF-Connecting-IP", "X-Client-IP", "Forwarded", "X-Forwarded", "Via"}) {
    INFO(field);
    CHECK(behind({{field, "203.0.113.9"}}) == "10.0.0.1");
    CHECK(behind({{field, "203.0.113.9"}}, "192.0.2.1") == "192.0.2.1");
  }
}

TEST_CASE("the walk is bounded: a list of proxies without end names the last that was looked at") {
  std::string list = "203.0.113.9";
  for (std::size_t i = 1; i < http::kForwardedEntries; ++i) list += ", 10.0.1." + std::to_string(i);
  CHECK(behind({{"X-Forwarded-For", list}}) == "203.0.113.9");
  CHECK(behind({{"X-Forwarded-For", list + ", 10.0.2.2"}}) == "10.0.1.1");
}

TEST_CASE("a peer that is no address is given back as it is") {
  CHECK(behind({{"X-Forwarded-For", "203.0.113.9"}}, "unix") == "unix");
}
