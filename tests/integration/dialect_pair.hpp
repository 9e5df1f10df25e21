#pragma once
// A gateway in front of a simulated upstream that speaks one dialect.

#include <catch2/catch.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/testing.hpp"

namespace sluice::test {

/// Gateway and simulated upstream of one dialect, in virtual time.
struct Pair {
  testing::ManualClock clock;
  testing::Simulation simulation{clock, 7};
  std::optional<Gateway> gateway;

  /// `route_more` begins with a comma; `plugins` are those that it names.
  explicit Pair(std::string_view upstream, const std::string& route_more = {}, std::vector<std::shared_ptr<const Plugin>> plugins = {}) {
    OpenOptions options;
    options.plugins = std::move(plugins);
    options.clock = &clock;
    options.transport = simulation.transport();
    const std::string spoken = upstream == "openai" ? std::string() : R"(,"dialect":")" + std::string(upstream) + "\"";
    const std::string base = upstream == "gemini" ? "/v1beta" : upstream == "cohere" ? "/v2" : upstream == "ollama" || upstream == "bedrock" ? "" : "/v1";
    auto opened = Gateway::open_json(R"({"version":1,"gateway":{"threads":0},"upstreams":[{"name":"up","provider":"openai-compatible","url":"http://up.test)" + base +
                                         "\"" + spoken + R"(}],"routes":[{"name":"r","upstreams":[{"name":"up"}])" + route_more + "}]}",
                                     options);
    if (!opened) FAIL(opened.error().message);
    gateway = std::move(*opened);
  }
  testing::Run run(Request request) { return simulation.run(*gateway, std::move(request)); }
};

}  // namespace sluice::test
