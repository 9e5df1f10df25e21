#pragma once
// A chain of one built-in plugin, on the host of the plugin room's tests.

#include "unit/plugin/rig.hpp"

namespace sluice::plugins {

using plugin::Count;
using plugin::Ruling;
using plugin::TestHost;
using namespace std::chrono_literals;

struct BuiltIn {
  explicit BuiltIn(Result<std::shared_ptr<const Plugin>> made, PluginMode mode = PluginMode::kEnforce, FailMode on_error = FailMode::kClosed) {
    if (!made) FAIL(made.error().param << ": " << made.error().message);
    add(*made, mode, on_error);
  }
  BuiltIn(const BuiltIn&) = delete;  // the run borrows the host
  BuiltIn& operator=(const BuiltIn&) = delete;
  void add(std::shared_ptr<const Plugin> plugin, PluginMode mode = PluginMode::kEnforce, FailMode on_error = FailMode::kClosed) {
    links.push_back({std::move(plugin), mode, on_error, 500ms});
  }
  Ruling request() {
    auto chain = plugin::Chain::compile({links, "/gateway/plugins"});
    if (!chain) FAIL(chain.error().message);
    return run->request(*chain);
  }
  Ruling attempt(std::uint32_t number = 1) {
    Headers sent;
    return run->attempt("openai", "gpt-4o", number, sent);
  }
  void delta(Delta delta) {
    const Ruling ruling = run->delta(delta);
    REQUIRE(ruling.kind == Ruling::Kind::kGoOn);
    given += delta.text;
  }
  /// All that was given, with what the end adds.
  std::string end_answer() {
    REQUIRE(run->answer_end().kind == Ruling::Kind::kGoOn);
    for (const TestHost::Given& one : host.given) given += one.text;
    host.given.clear();
    return std::exchange(given, {});
  }
  std::vector<PluginVerdict> end() {
    Outcome outcome;
    run->account(outcome);
    run->finish(outcome);
    return std::move(outcome.verdicts);
  }

  TestHost host;
  std::vector<plugin::Link> links;
  std::string given;
  std::unique_ptr<plugin::Run> run = std::make_unique<plugin::Run>(host);
};

/// The settings are refused, at `param`, for `why`.
inline void check_refused(const Result<std::shared_ptr<const Plugin>>& made, const std::string& param, const std::string& why) {
  INFO(param << ": " << why);
  REQUIRE_FALSE(made);
  CHECK(made.error().code == Code::kInvalidConfiguration);
  CHECK(made.error().param == param);
  CHECK_THAT(made.error().message, Catch::Contains(why));
}

}  // namespace sluice::plugins
