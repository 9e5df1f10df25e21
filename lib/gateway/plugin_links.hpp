#pragma once
/// Plugin lists of a configuration become chains: built-in plugins are made of their settings, those of the host program
/// are found by name. Knows lists, kinds and names; must not know any exchange, nor what a plugin does.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/chain.hpp"
#include "sluice/config.hpp"
#include "sluice/plugin.hpp"

namespace sluice::gateway {

/// What the host program brings.
struct HostPlugins {
  std::vector<std::shared_ptr<const Plugin>> plugins = {};
  std::vector<std::shared_ptr<const Observer>> observers = {};
  std::function<void(std::string_view line)> log = {};   ///< where `request_log` writes; may be empty
};

/// The names a list may use without settings, or that make their settings: none of a host's plugins is called so.
[[nodiscard]] const std::vector<std::string_view>& builtin_plugins() noexcept;
/// Whether the entry's settings, or its name alone, make it a built-in plugin.
[[nodiscard]] bool is_builtin(const PluginUse& use) noexcept;
/// How many kinds of settings stand in the entry.
[[nodiscard]] int kinds_of(const PluginUse& use) noexcept;

/// One list, made.
struct LinkSet {
  std::string pointer;                ///< of the list: `/routes/3/plugins`
  std::vector<plugin::Link> links;
  std::vector<std::size_t> places;    ///< parallel: where each stands in the list
};

/// Makes the entries of a list. `host` null: nobody can say what the host program will bring; entries that need it are left
/// out in silence. What cannot be made is added to `problems`.
[[nodiscard]] LinkSet make_links(const std::vector<PluginUse>& uses, std::string pointer, const HostPlugins* host,
                                 std::vector<Problem>& problems);
/// As Chain::compile; null where nobody is in it. What is wrong is added to `problems`, at its place in the document.
[[nodiscard]] std::shared_ptr<const plugin::Chain> compile_chain(const LinkSet& gateway, const LinkSet& route, bool opaque,
                                                                 std::vector<Problem>& problems);
/// What is wrong with the plugin lists of a configuration that is valid otherwise, now that it is known who brings what.
[[nodiscard]] std::vector<Problem> judge_links(const Config& config, const HostPlugins& host);
/// What is wrong with `host` itself: names twice, names of built-in plugins.
[[nodiscard]] Status judge_host(const HostPlugins& host);

}  // namespace sluice::gateway
