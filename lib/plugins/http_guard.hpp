#pragma once
/// `http_guard`: asks one of the gateway's upstreams whether a request may pass, and refuses it where a condition on the
/// answer holds. Knows what is asked and what an answer means; must not know how a call is made.
///
/// It POSTs one JSON text to the path, and goes on when an answer of status 2xx is in whose JSON body does not meet the
/// condition:
///
///   {"exchange":"x-1","route":"chat","consumer":"app","model":"gpt-4o","text":[{"role":"user","text":"..."}]}
///
/// `consumer` and `route` are empty where there is none. `text` holds the decoded texts of the prompt in order, or those of
/// the user's last message; roles are system, user, assistant and tool.
///
///   what comes back                              what becomes of the request
///   2xx, the condition does not hold             it goes on
///   2xx, the condition holds                     refused: `status`, `message`; nothing forgives that
///   401, 403                                     refused: 502 provider_credential_error; nothing forgives that, for a
///                                                guard that keeps the gateway out has judged nothing
///   no answer, none in time, 429, 5xx            the guard is away: 502 plugin_error; the fail mode may forgive it
///   any other status; an answer that is too      500 plugin_error; the fail mode may forgive it
///   long, no JSON, or has a key twice on the
///   way to the condition's field

#include <chrono>
#include <memory>
#include <string>

#include "sluice/error.hpp"
#include "sluice/plugin.hpp"
#include "sluice/plugin_use.hpp"

namespace sluice::plugins {

/// Longest answer of a guard, in bytes.
inline constexpr std::size_t kGuardAnswerBytes = 256 * 1024;

/// `timeout` is that of the plugin's use: the call is given up a millisecond before the wait is, so that a guard that does
/// not answer counts as away whichever timer is looked at first; 0 = as long as the exchange may take.
/// Errors: kInvalidConfiguration, with the JSON Pointer below the settings in `param`: no upstream; a target that is no
/// path; a condition that is none; a status that refuses nothing.
[[nodiscard]] Result<std::shared_ptr<const Plugin>> make_http_guard(std::string name, const HttpGuardPlugin& settings,
                                                                    std::chrono::milliseconds timeout = PluginUse{}.timeout);

}  // namespace sluice::plugins
