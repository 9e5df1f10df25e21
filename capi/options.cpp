// Options, setter by setter.

#include "options.hpp"

#include "finalizer.hpp"
#include "grant.hpp"
#include "plugin.hpp"
#include "queue.hpp"
#include "queued_plugin.hpp"

using namespace sluice;
using namespace sluice::capi;

namespace {

Status check_name(const Options& options, std::string_view name) {
  if (name.empty()) return fail(Code::kInvalidParameter, "a plugin needs a name", "name");
  for (const auto& plugin : options.plugins) {
    if (plugin->name() == name) return fail(Code::kInvalidParameter, "a plugin called '" + std::string(name) + "' was added before", "name");
  }
  return {};
}

/// Where the network comes from is said once.
Status check_network(bool taken, const char* what, const char* other) {
  if (!taken) return {};
  return fail(Code::kInvalidParameter, std::string(what) + " brings a network, and so does what " + other + " has set; a gateway has one", what);
}

Status check_phase(std::int32_t phase) {
  if (phase >= SLUICE_PHASE_AUTHENTICATE && phase <= SLUICE_PHASE_ROUTE) return {};
  return fail(Code::kInvalidParameter, "phase " + std::to_string(phase) + " is none of SLUICE_PHASE_*", "phase");
}

}  // namespace

extern "C" {

sluice_code_t sluice_options_new(sluice_options_t** options, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (options == nullptr) return null_argument("options");
    *options = nullptr;
    *options = new sluice_options{};
    return {};
  });
}

void sluice_options_free(sluice_options_t* options) { delete options; }

sluice_code_t sluice_options_set_json(sluice_options_t* options, const char* json, size_t size, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (options == nullptr) return null_argument("options");
    const auto text = bytes_in(json, size, "json");
    if (!text) return tl::unexpected(text.error());
    options->options.json = std::string(*text);
    options->options.file.reset();
    return {};
  });
}

sluice_code_t sluice_options_set_file(sluice_options_t* options, const char* path, size_t size, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (options == nullptr) return null_argument("options");
    const auto text = bytes_in(path, size, "path");
    if (!text) return tl::unexpected(text.error());
    options->options.file = std::string(*text);
    options->options.json.reset();
    return {};
  });
}

sluice_code_t sluice_options_set_threads(sluice_options_t* options, uint32_t threads, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (options == nullptr) return null_argument("options");
    options->options.threads = threads;
    return {};
  });
}

sluice_code_t sluice_options_set_seed(sluice_options_t* options, uint64_t seed, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (options == nullptr) return null_argument("options");
    options->options.seed = seed;
    return {};
  });
}

sluice_code_t sluice_options_set_log(sluice_options_t* options, sluice_log_fn log, void* user, sluice_finalize_fn finalize,
                                     sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    Finalizer finalizer(finalize, user);
    if (options == nullptr) return null_argument("options");
    if (log == nullptr) return null_argument("log");
    auto made = std::make_shared<const Log>(log, user, finalize);
    finalizer.taken();
    options->options.log = std::move(made);
    return {};
  });
}

sluice_code_t sluice_options_add_credential(sluice_options_t* options, const char* upstream, size_t size, sluice_grant_fn ask,
                                            void* user, sluice_finalize_fn finalize, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    Finalizer finalizer(finalize, user);
    if (options == nullptr) return null_argument("options");
    if (ask == nullptr) return null_argument("ask");
    const auto name = text_in(upstream, size, "upstream");
    if (!name) return tl::unexpected(name.error());
    if (name->empty()) return fail(Code::kInvalidParameter, "a credential needs the name of its upstream", "upstream");
    for (const HostCredential& other : options->options.credentials) {
      if (other.upstream == *name) return fail(Code::kInvalidParameter, "upstream '" + std::string(*name) + "' has been brought a credential before", "upstream");
    }
    auto granter = std::make_shared<const Granter>(ask, user, finalize);
    finalizer.taken();
    options->options.credentials.push_back(
        {std::string(*name), [granter, whose = std::string(*name)](CredentialAnswer answer) { granter->ask(whose, std::move(answer)); }});
    return {};
  });
}

sluice_code_t sluice_options_add_plugin(sluice_options_t* options, const sluice_plugin_t* plugin, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    // Of a table that is no version's, nothing is known: not even where its finalizer stands.
    auto table = table_in(plugin, "plugin");
    if (!table) return tl::unexpected(table.error());
    Finalizer finalizer(table->finalize, table->user);
    if (options == nullptr) return null_argument("options");
    const auto name = text_in(table->name, table->name_size, "name");
    if (!name) return tl::unexpected(name.error());
    if (Status good = check_name(options->options, *name); !good) return good;
    if (Status good = check_phase(table->phase); !good) return good;
    auto made = std::make_shared<TablePlugin>(*table, std::string(*name));
    finalizer.taken();
    options->options.plugins.push_back(std::move(made));
    return {};
  });
}

sluice_code_t sluice_options_add_queued_plugin(sluice_options_t* options, const sluice_queued_plugin_t* plugin, sluice_queue_t* queue,
                                               sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (options == nullptr) return null_argument("options");
    if (queue == nullptr) return null_argument("queue");
    auto table = table_in(plugin, "plugin");
    if (!table) return tl::unexpected(table.error());
    const auto name = text_in(table->name, table->name_size, "name");
    if (!name) return tl::unexpected(name.error());
    if (Status good = check_name(options->options, *name); !good) return good;
    if (Status good = check_phase(table->phase); !good) return good;
    auto made = std::make_shared<QueuedPlugin>(*table, std::string(*name), queue->queue);
    options->options.hooks.push_back(made->hooks());
    options->options.plugins.push_back(std::move(made));
    return {};
  });
}

sluice_code_t sluice_options_set_simulation(sluice_options_t* options, sluice_simulation_t* simulation, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (options == nullptr) return null_argument("options");
    if (simulation == nullptr) return null_argument("simulation");
    if (Status free = check_network(options->options.transport != nullptr, "simulation", "sluice_options_set_transport"); !free) return free;
    options->options.simulation = options->options.clock = simulation->state;
    return {};
  });
}

sluice_code_t sluice_options_set_transport(sluice_options_t* options, sluice_transport_t* transport, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (options == nullptr) return null_argument("options");
    if (transport == nullptr) return null_argument("transport");
    if (transport->mark.in_child()) return forked();
    if (Status free = check_network(options->options.simulation != nullptr, "transport", "sluice_options_set_simulation"); !free) return free;
    options->options.transport = transport->state;
    return {};
  });
}

sluice_code_t sluice_options_set_clock(sluice_options_t* options, sluice_simulation_t* simulation, sluice_error_t** err) {
  return guard(err, [&]() -> Status {
    if (options == nullptr) return null_argument("options");
    if (simulation == nullptr) return null_argument("simulation");
    if (options->options.simulation != nullptr && options->options.simulation != simulation->state) {
      return fail(Code::kInvalidParameter, "the simulation that sluice_options_set_simulation has set brings its own time", "simulation");
    }
    options->options.clock = simulation->state;
    return {};
  });
}

}  // extern "C"
