// Entries of plugin lists into links, and links into chains. Every mistake is told at its place in the document.

#include "gateway/plugin_links.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "gateway/config_reader.hpp"
#include "plugins/http_guard.hpp"
#include "plugins/limits.hpp"
#include "plugins/regex_replace.hpp"
#include "plugins/request_log.hpp"
#include "plugins/transform.hpp"

namespace sluice::gateway {
namespace {

plugin::Link as_used(const PluginUse& use) {
  return {.what = {}, .mode = use.mode, .on_error = use.on_error, .timeout = use.timeout};
}

/// Makes a built-in plugin. An error's `param` is a JSON Pointer below the entry.
Result<plugin::Link> made(const PluginUse& use, const HostPlugins* host) {
  plugin::Link link = as_used(use);
  const auto take = [&link](auto plugin, std::string_view key) -> Status {
    if (!plugin) return fail(plugin.error().code, plugin.error().message, '/' + std::string(key) + plugin.error().param);
    link.what = std::move(*plugin);
    return {};
  };
  Status taken;
  if (use.transform) {
    taken = take(plugins::make_transform(use.name, *use.transform), "transform");
  } else if (use.limits) {
    taken = take(plugins::make_limits(use.name, *use.limits), "limits");
  } else if (use.regex_replace) {
    taken = take(plugins::make_regex_replace(use.name, *use.regex_replace), "regex_replace");
  } else if (use.http_guard) {
    taken = take(plugins::make_http_guard(use.name, *use.http_guard, use.timeout), "http_guard");
  } else {
    // Where nobody takes log lines, none is missed.
    const auto log = host != nullptr && host->log ? host->log : [](std::string_view) {};
    taken = take(plugins::make_request_log(use.name, use.request_log.value_or(RequestLogPlugin{}), log), "request_log");
  }
  if (!taken) return tl::unexpected(taken.error());
  return link;
}

/// The host's plugin or observer of that name; nothing where there is none.
std::optional<plugin::Link> brought(const PluginUse& use, const HostPlugins& host) {
  plugin::Link link = as_used(use);
  for (const auto& one : host.plugins) {
    if (one->name() != use.name) continue;
    link.what = one;
    return link;
  }
  for (const auto& one : host.observers) {
    if (one->name() != use.name) continue;
    link.what = one;
    return link;
  }
  return std::nullopt;
}

void add_unknown(const PluginUse& use, const std::string& here, const HostPlugins& host, std::vector<Problem>& problems) {
  std::vector<std::string_view> known = builtin_plugins();
  for (const auto& one : host.plugins) known.push_back(one->name());
  for (const auto& one : host.observers) known.push_back(one->name());
  problems.push_back({here + "/name", "there is no plugin " + config::shown(use.name) + config::did_you_mean(use.name, known) +
                                          "; give the entry its settings, or hand the plugin to Gateway::open"});
}

/// `/routes/3/plugins/1` -> the same place in the document, where some entries of its list were left out.
std::string placed(const std::string& pointer, const LinkSet& gateway, const LinkSet& route) {
  for (const LinkSet* list : {&route, &gateway}) {
    if (list->pointer.empty() || pointer.size() <= list->pointer.size() || !pointer.starts_with(list->pointer + '/')) continue;
    const std::size_t at = std::stoul(pointer.substr(list->pointer.size() + 1));
    return list->pointer + '/' + std::to_string(list->places.at(at));
  }
  return pointer;
}

}  // namespace

const std::vector<std::string_view>& builtin_plugins() noexcept {
  static const std::vector<std::string_view> names{"transform", "limits", "request_log", "regex_replace", "http_guard"};
  return names;
}

int kinds_of(const PluginUse& use) noexcept {
  return int{use.transform.has_value()} + int{use.limits.has_value()} + int{use.request_log.has_value()} +
         int{use.regex_replace.has_value()} + int{use.http_guard.has_value()};
}

bool is_builtin(const PluginUse& use) noexcept {
  return kinds_of(use) != 0 || std::find(builtin_plugins().begin(), builtin_plugins().end(), use.name) != builtin_plugins().end();
}

LinkSet make_links(const std::vector<PluginUse>& uses, std::string pointer, const HostPlugins* host, std::vector<Problem>& problems) {
  LinkSet set;
  set.pointer = std::move(pointer);
  for (std::size_t i = 0; i < uses.size(); ++i) {
    const PluginUse& use = uses[i];
    const std::string here = set.pointer + '/' + std::to_string(i);
    if (is_builtin(use)) {
      if (kinds_of(use) != 1 && use.name != "request_log") continue;  // the judge has said so
      auto link = made(use, host);
      if (link) {
        set.links.push_back(std::move(*link));
        set.places.push_back(i);
      } else {
        problems.push_back({here + link.error().param, link.error().message});
      }
      continue;
    }
    if (host == nullptr) continue;
    if (auto link = brought(use, *host)) {
      set.links.push_back(std::move(*link));
      set.places.push_back(i);
    } else {
      add_unknown(use, here, *host, problems);
    }
  }
  return set;
}

std::shared_ptr<const plugin::Chain> compile_chain(const LinkSet& gateway, const LinkSet& route, bool opaque, std::vector<Problem>& problems) {
  if (gateway.links.empty() && route.links.empty()) return nullptr;
  auto chain = plugin::Chain::compile({gateway.links, gateway.pointer}, {route.links, route.pointer}, opaque);
  if (!chain) {
    problems.push_back({placed(chain.error().param, gateway, route), chain.error().message});
    return nullptr;
  }
  return (*chain)->empty() ? nullptr : std::move(*chain);
}

std::vector<Problem> judge_links(const Config& config, const HostPlugins& host) {
  std::vector<Problem> problems;
  (void)make_links(config.gateway.plugins, "/gateway/plugins", &host, problems);
  for (std::size_t i = 0; i < config.routes.size(); ++i) {
    (void)make_links(config.routes[i].plugins, "/routes/" + std::to_string(i) + "/plugins", &host, problems);
  }
  return problems;
}

Status judge_host(const HostPlugins& host) {
  std::vector<std::string_view> seen;
  const auto judge = [&seen](std::string_view name) -> Status {
    if (std::find(builtin_plugins().begin(), builtin_plugins().end(), name) != builtin_plugins().end()) {
      return fail(Code::kInvalidConfiguration, "the host program's plugin '" + std::string(name) + "' has the name of a built-in one; rename it");
    }
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
      return fail(Code::kInvalidConfiguration, "the host program brings two plugins called '" + std::string(name) + "'; rename one of them");
    }
    seen.push_back(name);
    return {};
  };
  const auto missing = [] { return fail(Code::kInvalidConfiguration, "the host program brings a plugin that is null; leave it out"); };
  for (const auto& one : host.plugins) {
    if (one == nullptr) return missing();
    if (Status judged = judge(one->name()); !judged) return judged;
  }
  for (const auto& one : host.observers) {
    if (one == nullptr) return missing();
    if (Status judged = judge(one->name()); !judged) return judged;
  }
  return {};
}

}  // namespace sluice::gateway
