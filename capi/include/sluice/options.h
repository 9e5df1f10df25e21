#ifndef SLUICE_OPTIONS_H
#define SLUICE_OPTIONS_H
/// What a host program hands to a gateway before it opens: its configuration, its callbacks, its plugins, and in tests its time,
/// chance and network. The setters copy; what is set twice, the last one counts. Thread: one at a time.

#include "sluice/error.h"
#include "sluice/grant.h"
#include "sluice/plugin.h"

SLUICE_BEGIN

/// How much a line of the log matters.
enum { SLUICE_LOG_DEBUG = 0, SLUICE_LOG_INFO = 1, SLUICE_LOG_WARNING = 2, SLUICE_LOG_ERROR = 3 };

/// Gets one line at a time, from any engine thread, perhaps from several at once. Lifetime of the line: the call.
typedef void (*sluice_log_fn)(void *user, int32_t level, const char *line, size_t size);

SLUICE_API sluice_code_t sluice_options_new(sluice_options_t **options, sluice_error_t **err);
SLUICE_API void sluice_options_free(sluice_options_t *options);

/// The configuration: a JSON document (docs/configuration.md), or the file that holds it, read when the gateway opens.
/// Either takes the place of the other. Errors: INVALID_PARAMETER. What the document says is judged by sluice_gateway_open.
SLUICE_API sluice_code_t sluice_options_set_json(sluice_options_t *options, const char *json, size_t size, sluice_error_t **err);
SLUICE_API sluice_code_t sluice_options_set_file(sluice_options_t *options, const char *path, size_t size, sluice_error_t **err);

/// Engine threads, whatever the configuration says. 0: host-driven, no thread is made (sluice_gateway_drive).
SLUICE_API sluice_code_t sluice_options_set_threads(sluice_options_t *options, uint32_t threads, sluice_error_t **err);

/// What ids and every chance come from; 0: from the system. The same seed, simulation and requests give the same run.
SLUICE_API sluice_code_t sluice_options_set_seed(sluice_options_t *options, uint64_t seed, sluice_error_t **err);

/// The log of the gateway. Nothing is ever printed.
SLUICE_API sluice_code_t sluice_options_set_log(sluice_options_t *options, sluice_log_fn log, void *user, sluice_finalize_fn finalize,
                                                sluice_error_t **err);

/// Brings the credential of one upstream, which the configuration gives none. It holds over reloads. An upstream that the
/// configuration does not have, that has a credential, takes none, or is reached over plain http: sluice_gateway_open refuses.
/// Errors: INVALID_PARAMETER, also for an upstream that has been brought one.
SLUICE_API sluice_code_t sluice_options_add_credential(sluice_options_t *options, const char *upstream, size_t size,
                                                       sluice_grant_fn ask, void *user, sluice_finalize_fn finalize,
                                                       sluice_error_t **err);

/// Brings a plugin whose hooks are functions (plugin.h). It runs where a plugin list of the configuration names it; where none
/// does, on every route, behind the gateway's own list. It holds over reloads. The table is copied, `plugin->finalize` is
/// called once, also on failure; not where struct_size is wrong, since nothing else can be read then. Errors: INVALID_PARAMETER.
SLUICE_API sluice_code_t sluice_options_add_plugin(sluice_options_t *options, const sluice_plugin_t *plugin, sluice_error_t **err);

/// The same for a plugin whose hooks come as HOOK events on `queue`, for languages that want no callbacks on foreign threads.
/// The queue may be freed while the gateway runs: then the plugin errs, and its fail mode decides.
SLUICE_API sluice_code_t sluice_options_add_queued_plugin(sluice_options_t *options, const sluice_queued_plugin_t *plugin,
                                                          sluice_queue_t *queue, sluice_error_t **err);

/// Time, and the network, are those of `simulation`; threads are 0 then, whatever else says otherwise. One simulation serves
/// one gateway at a time. It may be freed before the gateway. Errors: INVALID_PARAMETER, also where a transport has been set.
SLUICE_API sluice_code_t sluice_options_set_simulation(sluice_options_t *options, sluice_simulation_t *simulation,
                                                       sluice_error_t **err);

/// The network is that of the host (transport.h): all upstreams, and what grants their tokens, are reached through `transport`.
/// Threads and time are as ever. Errors: INVALID_PARAMETER, also where a simulation has been set; FORKED.
SLUICE_API sluice_code_t sluice_options_set_transport(sluice_options_t *options, sluice_transport_t *transport,
                                                      sluice_error_t **err);

/// Time alone is that of `simulation`, which moves it (sluice_simulation_advance), so that a host with a transport of its own
/// tests without waiting. Threads are 0 then. Without a transport the gateway does not open.
/// Errors: INVALID_PARAMETER, also where another simulation has been set.
SLUICE_API sluice_code_t sluice_options_set_clock(sluice_options_t *options, sluice_simulation_t *simulation,
                                                  sluice_error_t **err);

SLUICE_END

#endif
