// Gateways behind their handles: opening, reloading, asking, driving, closing.

#include "gateway.hpp"

#include <algorithm>
#include <atomic>

#include "call.hpp"
#include "options.hpp"

namespace sluice::capi {

std::uint64_t new_number() noexcept {
  // The one thing that gateways of a process share: numbers that never meet. In 600 years they run out at a billion a second.
  static constinit std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

Status ServerBox::drain(Milliseconds deadline) {
  const std::lock_guard lock(mutex_);
  return server_ ? server_->drain(deadline) : Status{};
}

void ServerBox::stop() noexcept {
  const std::lock_guard lock(mutex_);
  server_.reset();
}

void complete(Config& config, const std::optional<std::uint32_t>& threads, const std::vector<std::string>& plugins) {
  if (threads) config.gateway.threads = *threads;
  for (const std::string& name : plugins) {
    const auto in = [&name](const std::vector<PluginUse>& list) {
      return std::any_of(list.begin(), list.end(), [&name](const PluginUse& use) { return use.name == name; });
    };
    const bool listed = in(config.gateway.plugins) ||
                        std::any_of(config.routes.begin(), config.routes.end(), [&in](const Route& route) { return in(route.plugins); });
    if (!listed) config.gateway.plugins.push_back({.name = name});
  }
}

void Open::complete(Config& config) const { capi::complete(config, threads_, plugins_); }

void Open::keep(const std::shared_ptr<QueuedCall>& call) {
  const std::lock_guard lock(mutex_);
  calls_.emplace(call->id(), call);
}

std::shared_ptr<QueuedCall> Open::find(sluice_call_t call) {
  const std::lock_guard lock(mutex_);
  const auto found = calls_.find(call);
  return found == calls_.end() ? nullptr : found->second;
}

void Open::forget(sluice_call_t call) noexcept {
  std::shared_ptr<QueuedCall> last;
  const std::lock_guard lock(mutex_);
  if (const auto found = calls_.find(call); found != calls_.end()) {
    last = std::move(found->second);
    calls_.erase(found);
  }
}

bool Open::keep(const std::shared_ptr<ServerBox>& server) {
  const std::lock_guard lock(mutex_);
  if (closing_) return false;
  std::erase_if(servers_, [](const auto& other) { return other.expired(); });
  servers_.push_back(server);
  return true;
}

Status Open::close() {
  std::vector<std::weak_ptr<ServerBox>> servers;
  {
    const std::lock_guard lock(mutex_);
    servers.swap(servers_);
    closing_ = true;
  }
  for (const auto& server : servers) {
    if (const auto box = server.lock()) box->stop();
  }
  return gateway_.close();
}

Result<std::shared_ptr<Open>> enter(sluice_gateway_t* gateway) {
  if (gateway == nullptr) return null_argument("gateway");
  if (gateway->mark.in_child()) return forked();
  const std::lock_guard lock(gateway->mutex);
  if (!gateway->open) return fail(Code::kClosed, "the gateway is closed");
  return gateway->open;
}

namespace {

Status open_with(const Options& options, sluice_gateway_t** gateway) {
  if (gateway == nullptr) return null_argument("gateway");
  *gateway = nullptr;
  auto handle = std::make_unique<sluice_gateway>();
  auto config = options.file ? Config::load(*options.file) : Config::parse(options.json.value_or(""));
  if (!config) return tl::unexpected(config.error());
  std::optional<std::uint32_t> threads = options.threads;
  OpenOptions given;
  given.seed = options.seed;
  if (options.clock) {
    threads = 0;
    given.clock = &options.clock->clock;
  }
  if (options.simulation) given.transport = options.simulation->simulation.transport();
  if (options.transport) given.transport = options.transport->network().transport();
  std::vector<std::string> names;
  for (const auto& plugin : options.plugins) names.emplace_back(plugin->name());
  given.plugins = options.plugins;
  given.credentials = options.credentials;
  if (const auto& log = options.log) {
    given.log = [log](LogLevel level, std::string_view line) { log->write(level, line); };
  }
  complete(*config, threads, names);
  const bool host_driven = config->gateway.threads == 0;
  auto opened = Gateway::open(std::move(*config), std::move(given));
  if (!opened) return tl::unexpected(opened.error());
  handle->open = std::make_shared<Open>(options.clock, options.transport, std::move(names), options.hooks, threads, host_driven, std::move(*opened));
  *gateway = handle.release();
  return {};
}

Status reload_with(sluice_gateway_t* gateway, Result<Config> config) {
  auto open = enter(gateway);
  if (!open) return tl::unexpected(open.error());
  if (Status may = may_wait("reload"); !may) return may;
  if (!config) return tl::unexpected(config.error());
  (*open)->complete(*config);
  return (*open)->gateway().reload(std::move(*config));
}

Status close_handle(sluice_gateway_t& gateway) {
  if (Status may = may_wait("close"); !may) return may;
  const std::lock_guard one_at_a_time(gateway.closing);
  std::shared_ptr<Open> open;
  {
    const std::lock_guard lock(gateway.mutex);
    open.swap(gateway.open);
  }
  return open ? open->close() : Status{};
}

}  // namespace
}  // namespace sluice::capi

using namespace sluice;
using namespace sluice::capi;

extern "C" {

sluice_code_t sluice_gateway_open(const sluice_options_t* options, sluice_gateway_t** gateway, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (gateway != nullptr) *gateway = nullptr;
    if (options == nullptr) return null_argument("options");
    return open_with(options->options, gateway);
  });
}

sluice_code_t sluice_gateway_open_json(const char* json, size_t size, sluice_gateway_t** gateway, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (gateway != nullptr) *gateway = nullptr;
    const auto text = bytes_in(json, size, "json");
    if (!text) return tl::unexpected(text.error());
    Options options;
    options.json = *text;
    return open_with(options, gateway);
  });
}

sluice_code_t sluice_gateway_open_file(const char* path, size_t size, sluice_gateway_t** gateway, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (gateway != nullptr) *gateway = nullptr;
    const auto text = bytes_in(path, size, "path");
    if (!text) return tl::unexpected(text.error());
    Options options;
    options.file = *text;
    return open_with(options, gateway);
  });
}

sluice_code_t sluice_config_check(const char* json, size_t size, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    const auto text = bytes_in(json, size, "json");
    if (!text) return tl::unexpected(text.error());
    const auto config = Config::parse(*text);
    return config ? Status{} : Status(tl::unexpected(config.error()));
  });
}

sluice_bytes_t sluice_config_schema(void) { return borrow(config_schema()); }

sluice_code_t sluice_gateway_reload_json(sluice_gateway_t* gateway, const char* json, size_t size, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    const auto text = bytes_in(json, size, "json");
    if (!text) return tl::unexpected(text.error());
    return reload_with(gateway, Config::parse(*text));
  });
}

sluice_code_t sluice_gateway_reload_file(sluice_gateway_t* gateway, const char* path, size_t size, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    const auto text = bytes_in(path, size, "path");
    if (!text) return tl::unexpected(text.error());
    return reload_with(gateway, Config::load(std::string(*text)));
  });
}

sluice_code_t sluice_gateway_explain(sluice_gateway_t* gateway, const sluice_request_t* request, int32_t* http_status,
                                     sluice_buffer_t* text, sluice_buffer_t* json, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    const auto open = enter(gateway);
    if (!open) return tl::unexpected(open.error());
    auto stated = request_in(request);
    if (!stated) return tl::unexpected(stated.error());
    const Explanation explained = (*open)->gateway().explain(stated->request, stated->options);
    sluice_buffer_t words{};
    if (text != nullptr) own(words, explained.text);
    try {
      if (json != nullptr) own(*json, explained.json);
    } catch (...) {
      sluice_buffer_free(&words);
      throw;
    }
    if (text != nullptr) *text = words;
    if (http_status != nullptr) *http_status = explained.status;
    return {};
  });
}

sluice_code_t sluice_gateway_dump(sluice_gateway_t* gateway, sluice_buffer_t* json, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    const auto open = enter(gateway);
    if (!open) return tl::unexpected(open.error());
    if (json == nullptr) return null_argument("json");
    own(*json, (*open)->gateway().dump());
    return {};
  });
}

sluice_code_t sluice_gateway_statistics(sluice_gateway_t* gateway, sluice_statistics_info_t* info, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    const auto open = enter(gateway);
    if (!open) return tl::unexpected(open.error());
    const Statistics now = (*open)->gateway().statistics();
    sluice_statistics_info_t out{};
    out.exchanges_started = now.exchanges_started;
    out.exchanges_open = now.exchanges_open;
    out.completed = now.completed;
    out.refused = now.refused;
    out.failed = now.failed;
    out.cancelled = now.cancelled;
    out.body_bytes_held = now.body_bytes_held;
    out.replayed_sends = now.replayed_sends;
    out.decoded_answers = now.decoded_answers;
    out.plugin_errors = now.plugin_errors;
    out.plugin_timeouts = now.plugin_timeouts;
    out.plugins_failed_open = now.plugins_failed_open;
    out.ignored_resumes = now.ignored_resumes;
    out.unrecorded_verdicts = now.unrecorded_verdicts;
    out.max_loop_lag_ns = static_cast<std::uint64_t>(now.max_loop_lag.count());
    out.engines = now.open_per_engine.size();
    for (const EventFileStatistics& file : now.events.files) {
      out.events_written += file.written;
      out.events_dropped += file.dropped_full + file.dropped_error;
    }
    return info_out(info, out, "info");
  });
}

sluice_code_t sluice_gateway_close(sluice_gateway_t* gateway, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (gateway == nullptr) return null_argument("gateway");
    if (gateway->mark.in_child()) return forked();
    return close_handle(*gateway);
  });
}

void sluice_gateway_free(sluice_gateway_t* gateway) {
  // A child of fork has none of the threads, and a lock may be held by one of them: all lies where it is.
  if (gateway == nullptr || gateway->mark.in_child()) return;
  if (guard(nullptr, [&] { return close_handle(*gateway); }) == SLUICE_CODE_WOULD_DEADLOCK) return;
  delete gateway;
}

void sluice_after_fork_child(sluice_gateway_t* gateway) {
  // Nothing is touched: the memory is the child's own copy, the descriptors lead to what is the parent's.
  (void)gateway;
}

sluice_code_t sluice_gateway_fd(sluice_gateway_t* gateway, int* fd, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    const auto open = enter(gateway);
    if (!open) return tl::unexpected(open.error());
    if (fd == nullptr) return null_argument("fd");
    *fd = (*open)->gateway().fd();
    return {};
  });
}

sluice_code_t sluice_gateway_next_deadline_ns(sluice_gateway_t* gateway, int64_t* ns, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    const auto open = enter(gateway);
    if (!open) return tl::unexpected(open.error());
    if (ns == nullptr) return null_argument("ns");
    const auto due = (*open)->gateway().next_deadline();
    const TimePoint now = (*open)->simulation() ? (*open)->simulation()->clock.now() : system_clock().now();
    *ns = due ? std::max<std::int64_t>((*due - now).count(), 0) : -1;
    return {};
  });
}

sluice_code_t sluice_gateway_drive(sluice_gateway_t* gateway, int32_t wait_ms, size_t* handled, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    const auto open = enter(gateway);
    if (!open) return tl::unexpected(open.error());
    if (!(*open)->host_driven()) return fail(Code::kUnsupportedOperation, "this gateway has threads of its own; set threads to 0 to drive it");
    if (Status may = may_wait("drive"); !may) return may;
    const std::size_t done = (*open)->gateway().drive(Milliseconds(wait_ms < 0 ? 3'600'000 : wait_ms));
    if (handled != nullptr) *handled = done;
    return {};
  });
}

}  // extern "C"
