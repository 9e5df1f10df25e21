// The public handle: thin over Core.

#include "sluice/gateway.hpp"

#include <algorithm>

#include "engine/sigpipe.hpp"
#include "gateway/core.hpp"
#include "sluice/plugin.hpp"

namespace sluice {

Gateway::Gateway(std::unique_ptr<gateway::Core> core) : core_(std::move(core)) {}
Gateway::Gateway(Gateway&&) noexcept = default;
Gateway& Gateway::operator=(Gateway&&) noexcept = default;
Gateway::~Gateway() = default;

Result<Gateway> Gateway::open(Config config, OpenOptions options) {
  auto core = gateway::Core::open(std::move(config), std::move(options));
  if (!core) return tl::unexpected(core.error());
  return Gateway(std::move(*core));
}

Result<Gateway> Gateway::open_json(std::string_view json, OpenOptions options) {
  auto config = Config::parse(json);
  if (!config) return tl::unexpected(config.error());
  return open(std::move(*config), std::move(options));
}

Result<Gateway> Gateway::open_file(const std::string& path, OpenOptions options) {
  auto config = Config::load(path);
  if (!config) return tl::unexpected(config.error());
  return open(std::move(*config), std::move(options));
}

Result<Gateway> Gateway::Builder::open(OpenOptions options) const {
  Config config = config_;
  const auto listed = [&config](std::string_view name) {
    const auto names_it = [name](const PluginUse& use) { return use.name == name; };
    const auto in = [&names_it](const std::vector<PluginUse>& list) { return std::any_of(list.begin(), list.end(), names_it); };
    return in(config.gateway.plugins) ||
           std::any_of(config.routes.begin(), config.routes.end(), [&in](const Route& route) { return in(route.plugins); });
  };
  const auto bring = [&](const auto& brought, auto& into) {
    for (const auto& one : brought) {
      if (one != nullptr && !listed(one->name())) config.gateway.plugins.push_back({.name = std::string(one->name())});
      into.push_back(one);
    }
  };
  bring(plugins_, options.plugins);
  bring(observers_, options.observers);
  return Gateway::open(std::move(config), std::move(options));
}

Result<std::uint64_t> Gateway::submit(Request request, std::shared_ptr<ExchangeListener> listener, CallOptions options) {
  return core_->submit(std::move(request), std::move(listener), std::move(options));
}

void Gateway::cancel(std::uint64_t exchange) { core_->cancel(exchange); }

void Gateway::pause(std::uint64_t exchange) { core_->pause(exchange, true); }

void Gateway::resume(std::uint64_t exchange) { core_->pause(exchange, false); }

void Gateway::send_body(std::uint64_t exchange, std::string bytes, bool last) { core_->send_body(exchange, std::move(bytes), last); }

Status Gateway::reload(Config config) { return core_->reload(std::move(config)); }

Explanation Gateway::explain(const Request& request, const CallOptions& options) const { return core_->explain(request, options); }

Statistics Gateway::statistics() const { return core_->statistics(); }

std::string Gateway::dump() const { return core_->snapshot()->config.dump(); }

Status Gateway::close() { return core_->close(); }

int Gateway::fd() const { return core_->host_driven() ? core_->host_engine().loop().fd() : -1; }

std::optional<TimePoint> Gateway::next_deadline() const {
  return core_->host_driven() ? core_->host_engine().loop().next_deadline() : std::nullopt;
}

std::size_t Gateway::drive(Milliseconds wait) {
  if (!core_->host_driven()) return 0;
  const engine::SigpipeGuard guard;  // TLS writes raise it, and it is no business of the host
  const std::size_t handled = core_->host_engine().loop().turn(core_->clock().now() + wait);
  core_->carry_events();
  return handled;
}

}  // namespace sluice
