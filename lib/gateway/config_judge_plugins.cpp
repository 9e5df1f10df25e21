// The judge of plugin lists: names, kinds, what the built-in plugins refuse, and what their chains cannot honour. What the
// host program brings is unknown here; Gateway::open judges it (plugin_links.hpp).

#include <fmt/format.h>

#include <map>

#include "gateway/config_judge.hpp"
#include "gateway/config_reader.hpp"
#include "gateway/plugin_links.hpp"

namespace sluice::gateway::config {

namespace {

class ListJudge {
 public:
  ListJudge(Findings& findings, const std::vector<PluginUse>& uses, const std::string& here)
      : findings_(findings), uses_(uses), here_(here) {}

  void run() {
    std::map<std::string_view, std::size_t> first;
    for (std::size_t i = 0; i < uses_.size(); ++i) {
      if (uses_[i].name.empty()) continue;  // the table has asked for it
      const auto [taken, fresh] = first.emplace(uses_[i].name, i);
      if (!fresh) {
        findings_.add(place(i) + "/name", fmt::format("the name {} is taken by {} already; names are unique in a list",
                                                      shown(uses_[i].name), place(taken->second)));
      }
      judge_kind(i);
      judge_settings(i);
    }
  }

 private:
  [[nodiscard]] std::string place(std::size_t i) const { return here_ + '/' + std::to_string(i); }

  void judge_kind(std::size_t i) {
    const PluginUse& use = uses_[i];
    const int kinds = kinds_of(use);
    if (kinds > 1) findings_.add(place(i), "holds settings of several kinds; an entry is one plugin");
    if (kinds == 0 && is_builtin(use) && use.name != "request_log") {
      findings_.add(place(i), fmt::format("{} is a built-in plugin that does nothing without its settings; add {}: {{...}}",
                                          shown(use.name), shown(use.name)));
    }
    const bool observer = use.request_log || (kinds == 0 && use.name == "request_log");
    if (!observer) return;
    if (use.mode != PluginMode::kEnforce) findings_.add(place(i) + "/mode", "has no effect: the plugin only looks on");
    if (use.on_error != FailMode::kClosed) findings_.add(place(i) + "/on_error", "has no effect: the plugin never ends an exchange");
    if (use.timeout != PluginUse{}.timeout) findings_.add(place(i) + "/timeout_ms", "has no effect: the plugin never waits");
  }

  void judge_settings(std::size_t i) {
    const PluginUse& use = uses_[i];
    if (use.http_guard) findings_.need_name(place(i) + "/http_guard/upstream", "upstream", use.http_guard->upstream, findings_.upstreams);
  }

  Findings& findings_;
  const std::vector<PluginUse>& uses_;
  const std::string& here_;
};

/// `/routes/3/plugins/1/limits/messages` -> `/routes/3/plugins/1`: of an entry with one mistake its plugin's opinion is an echo.
std::string_view entry_of(std::string_view pointer) noexcept {
  constexpr std::string_view kList = "/plugins/";
  const std::size_t list = pointer.find(kList);
  return list == std::string_view::npos ? pointer : pointer.substr(0, pointer.find('/', list + kList.size()));
}

}  // namespace

void judge_plugins(Findings& findings) {
  const Config& config = findings.config();
  const std::string of_gateway = "/gateway/plugins";
  ListJudge(findings, config.gateway.plugins, of_gateway).run();
  for (std::size_t i = 0; i < config.routes.size(); ++i) ListJudge(findings, config.routes[i].plugins, at("routes", i, "plugins")).run();

  std::vector<Problem> found;
  const LinkSet gateway = make_links(config.gateway.plugins, of_gateway, nullptr, found);
  (void)compile_chain(gateway, {}, false, found);
  if (found.empty()) {
    for (std::size_t i = 0; i < config.routes.size(); ++i) {
      const Route& route = config.routes[i];
      const LinkSet own = make_links(route.plugins, at("routes", i, "plugins"), nullptr, found);
      (void)compile_chain(gateway, own, route.operation == RouteOperation::kOpaque, found);
    }
  }
  for (Problem& one : found) {
    if (!findings.said_within(entry_of(one.pointer))) findings.add(std::move(one.pointer), std::move(one.message));
  }
}

}  // namespace sluice::gateway::config
