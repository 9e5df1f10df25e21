// What a reload may not change: named setting by setting.

#include "gateway/fixed_settings.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace sluice;
using gateway::changed_fixed_settings;

namespace {

Config running() {
  Config config;
  config.gateway.threads = 2;
  config.gateway.listen = {{.address = "127.0.0.1:8080"}, {.address = "127.0.0.1:8081"}};
  config.gateway.statistics_address = "127.0.0.1:9090";
  return config;
}

std::vector<std::string> pointers(const Config& wanted) {
  std::vector<std::string> out;
  for (const Problem& problem : changed_fixed_settings(running(), wanted)) out.push_back(problem.pointer);
  return out;
}

using Pointers = std::vector<std::string>;

}  // namespace

// OPS-11
TEST_CASE("the same addresses and threads may be in a reload, whatever else has changed") {
  Config wanted = running();
  wanted.gateway.listen[0].idle_timeout = Milliseconds{1};
  wanted.gateway.name = "another";
  wanted.gateway.limits.body_bytes = 1;
  wanted.gateway.max_exchanges = 7;
  wanted.upstreams.push_back({.name = "new"});
  CHECK(pointers(wanted) == Pointers{});
}

// OPS-11
TEST_CASE("an address, threads and the place of statistics are named with both values") {
  Config wanted = running();
  wanted.gateway.threads = 4;
  wanted.gateway.statistics_address = "";
  wanted.gateway.listen[1].address = "127.0.0.1:8082";
  const auto problems = changed_fixed_settings(running(), wanted);
  REQUIRE(problems.size() == 3);
  CHECK(to_string(problems) ==
        "/gateway/threads: is 2 and would be 4; it is fixed while a gateway runs\n"
        "/gateway/statistics_address: is 127.0.0.1:9090 and would be unset; it is fixed while a gateway runs\n"
        "/gateway/listen/1/address: is 127.0.0.1:8081 and would be 127.0.0.1:8082; it is fixed while a gateway runs");
}

// OPS-11
TEST_CASE("one listener more, or one less, is named by the address that comes or goes") {
  Config wanted = running();
  wanted.gateway.listen.push_back({.address = "127.0.0.1:8082"});
  CHECK(to_string(changed_fixed_settings(running(), wanted)) ==
        "/gateway/listen/2/address: is unset and would be 127.0.0.1:8082; it is fixed while a gateway runs");
  wanted.gateway.listen.resize(1);
  CHECK(pointers(wanted) == Pointers{"/gateway/listen/1/address"});
}
