// Names and addresses.

#include "engine/resolver.hpp"

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <netinet/in.h>

#include <chrono>
#include <memory>
#include <string>

#include "engine/address.hpp"
#include "engine/loop.hpp"

using namespace std::chrono_literals;
namespace engine = sluice::engine;
using sluice::Code;

namespace {

struct Rig {
  Rig() {
    auto made = engine::Loop::create(engine::Backend::kEpoll, sluice::system_clock());
    REQUIRE(made);
    loop = std::move(*made);
    auto resolver_made = engine::make_cares_resolver(*loop);
    REQUIRE(resolver_made);
    resolver = std::move(*resolver_made);
  }
  std::unique_ptr<engine::Loop> loop;
  std::unique_ptr<engine::Resolver> resolver;
};

}  // namespace

TEST_CASE("addresses need no look-up, in whatever spelling") {
  Rig rig;
  const auto [host, address] = GENERATE(table<std::string, std::string>({{"127.0.0.1", "127.0.0.1"},
                                                                        {"::1", "::1"},
                                                                        {"2001:db8::7", "2001:db8::7"},
                                                                        {"2130706433", "127.0.0.1"},
                                                                        {"0x7f.1", "127.0.0.1"},
                                                                        {"017700000001", "127.0.0.1"},
                                                                        {"10.1", "10.0.0.1"}}));
  CAPTURE(host);
  int calls = 0;
  const auto lookup = rig.resolver->resolve(host, [&, expected = address](sluice::Result<engine::Addresses> answer) {
    ++calls;
    REQUIRE(answer);
    CHECK(answer->list == std::vector<std::string>{expected});
  });
  CHECK(lookup == nullptr);
  CHECK(calls == 1);
}

TEST_CASE("localhost comes from this machine, and from the cache the second time") {
  Rig rig;
  int calls = 0;
  const auto done = [&](sluice::Result<engine::Addresses> answer) {
    ++calls;
    REQUIRE(answer);
    CHECK_FALSE(answer->list.empty());
    for (const std::string& address : answer->list) CHECK((address == "127.0.0.1" || address == "::1"));
    CHECK(answer->valid_until > rig.loop->now());
  };
  const auto first = rig.resolver->resolve("localhost", done);
  const auto deadline = rig.loop->refresh_now() + 5s;
  while (calls == 0 && rig.loop->refresh_now() < deadline) rig.loop->turn(rig.loop->now() + 20ms);
  CHECK(calls == 1);
  CHECK(rig.resolver->resolve("localhost", done) == nullptr);
  CHECK(calls == 2);
}

TEST_CASE("a name that cannot be looked up fails by its own code and names the host") {
  Rig rig;
  int calls = 0;
  // Longer than DNS allows: the answer is known without asking anybody.
  const std::string host = std::string(70, 'x') + ".invalid";
  const auto lookup = rig.resolver->resolve(host, [&](sluice::Result<engine::Addresses> answer) {
    ++calls;
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == Code::kUpstreamResolveFailed);
    CHECK(answer.error().message.find(host) != std::string::npos);
  });
  const auto deadline = rig.loop->refresh_now() + 30s;
  while (calls == 0 && rig.loop->refresh_now() < deadline) rig.loop->turn(rig.loop->now() + 20ms);
  CHECK(calls == 1);
}

TEST_CASE("a look-up that is dropped calls nobody, and the resolver may end while it asks") {
  Rig rig;
  int calls = 0;
  auto lookup = rig.resolver->resolve(std::string(70, 'y') + ".invalid", [&](const sluice::Result<engine::Addresses>&) { ++calls; });
  const int at_once = calls;
  lookup.reset();
  for (int i = 0; i < 5; ++i) rig.loop->turn(rig.loop->refresh_now() + 1ms);
  CHECK(calls == at_once);
  auto open = rig.resolver->resolve("still.asking.invalid", [&](const sluice::Result<engine::Addresses>&) { ++calls; });
  rig.resolver.reset();
  CHECK(calls == at_once);
}

TEST_CASE("private networks are told from public ones, whatever they are wrapped in") {  // SEC-17
  for (const char* address : {"127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "169.254.169.254",
                              "100.64.0.1", "100.127.255.255", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1",
                              "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
                              "::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::1", "2001::1", "2001:db8::1", "fc00::1",
                              "fd00::1", "fe80::1", "febf::1", "fec0::1", "ff02::1", "100::1", "::ffff:0:10.0.0.1", "3fff::1", "", "localhost",
                              "2130706433", "fe80::1%lo", "8.8.8.8 ", "8.8.8.8.8"}) {
    CAPTURE(address);
    CHECK(engine::is_private_address(address));
  }
  for (const char* address : {"8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.1", "172.15.255.255", "172.32.0.1", "192.169.0.1", "198.17.0.1",
                              "223.255.255.255", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1", "2606:4700::1111", "2a00:1450::1"}) {
    CAPTURE(address);
    CHECK_FALSE(engine::is_private_address(address));
  }
  CHECK(engine::is_private_address(std::string_view("8.8.8.8\0", 8)));
  sockaddr_in6 mapped{};
  mapped.sin6_family = AF_INET6;
  ::inet_pton(AF_INET6, "::ffff:192.168.1.1", &mapped.sin6_addr);
  CHECK(engine::is_private_address(reinterpret_cast<const sockaddr*>(&mapped)));
  sockaddr other{};
  other.sa_family = AF_UNIX;
  CHECK(engine::is_private_address(&other));
}
