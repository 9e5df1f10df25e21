#pragma once
/// The plugin `request_log`: one line for each exchange, when it has ended. Knows the account of an exchange; must not know
/// where lines go.

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "sluice/error.hpp"
#include "sluice/plugin.hpp"
#include "sluice/plugin_use.hpp"

namespace sluice::plugins {

/// An observer that gives `log` one line, without a line break, for each exchange that came as far as its route:
///
///   exchange id=x-1 consumer=app route=chat operation=chat model=gpt-4o upstream=openai attempts=1 status=200 ending=completed ...
///
/// | field | what |
/// |---|---|
/// | `id` | of the exchange |
/// | `consumer`, `tenant`, `route`, `dialect`, `operation` | who, by which route, in which words, for what |
/// | `model`, `served_model` | as asked for; as the last upstream was asked, where that differs |
/// | `upstream` | the one asked last |
/// | `attempts` | requests sent to upstreams; those that were passed over do not count |
/// | `status`, `ending` | what the caller got; `completed`, `refused`, `failed` or `cancelled` |
/// | `error`, `origin`, `message` | where it has one: its code, who caused it, its sentence |
/// | `streamed` | `true` or `false` |
/// | `bytes_in`, `bytes_out` | of the request and of the answer |
/// | `queue_ms`, `first_delta_ms`, `total_ms` | waiting for places; to the first content, where there was some; in all |
/// | `input_tokens`, `output_tokens` | where they are known |
/// | `finish_reason` | as the upstream wrote it |
/// | `body`, `body_bytes` | with request_body: its beginning, and the size of all of it |
/// | `text`, `text_bytes` | with response_text: the beginning of the first choice's text, and the size of all of it |
///
/// A field that is empty or unknown is left out; LogLine says how values are quoted and cut. Header fields, and so
/// credentials, are in no line.
/// Thread: `log` is called once for each exchange, on its engine thread, by several at once; it must not block. What it
/// throws is dropped with the line.
/// Errors: kInvalidConfiguration where there is no `log`, or max_bytes is out of range; `param` is a JSON Pointer relative
/// to the settings.
[[nodiscard]] Result<std::shared_ptr<const Observer>> make_request_log(std::string name, const RequestLogPlugin& settings,
                                                                       std::function<void(std::string_view line)> log);

}  // namespace sluice::plugins
