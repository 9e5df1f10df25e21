// The table's rows for events: what they hold, and which files get them.

#include "gateway/config_table.hpp"

namespace sluice::gateway::config {

namespace {

constexpr std::int64_t kTebibyte = 1ll << 40;

Codec<EventFile> event_file() {
  return object<EventFile>(
      "A file of events",
      "Gets every event as a line of JSON, whole or not at all. Its directory must exist; it is made with mode 0640 and "
      "belongs to this gateway.",
      {required(field("path", &EventFile::path, text(), "Where it is. A FIFO or a device may be named, too.",
                      "\"/var/log/sluice/events.jsonl\"")),
       field("rotate_bytes", &EventFile::rotate_bytes, integer<std::uint64_t>(0, kTebibyte, "bytes"),
             "The size beyond which no line is added: the file becomes `path.1`, that one `path.2`, and so on. 0 = "
             "never."),
       quiet(field("keep", &EventFile::keep, integer<std::uint32_t>(0, 10'000),
                   "Rotated files that stay. 0: a full file is removed."),
             &EventFile::keep),
       field("queue_bytes", &EventFile::queue_bytes, integer<std::uint64_t>(64 * 1024, kTebibyte, "bytes"),
             "Lines that wait for the disk; what comes when they are too many is dropped and counted.")});
}

}  // namespace

Codec<TelemetryOptions> telemetry() {
  return object<TelemetryOptions>(
      "Telemetry",
      "Every exchange leaves one event ([telemetry.md](telemetry.md)). A host program may take them with a function, "
      "too; what is kept of a conversation is also in its account of the exchange.",
      {field("files", &TelemetryOptions::files, list_of(event_file()), "The files that get every event."),
       field("prompt", &TelemetryOptions::prompt, boolean(), "Keeps the messages of the request."),
       field("answer", &TelemetryOptions::answer, boolean(), "Keeps the text of the answer's first choice."),
       field("tool_calls", &TelemetryOptions::tool_calls, boolean(),
             "Keeps the tool calls of the answer, with their arguments."),
       quiet(field("content_bytes", &TelemetryOptions::content_bytes, integer<std::size_t>(1, 1 << 20, "bytes"),
                   "The most that is kept of the prompt, of the answer and of the tool calls, each: text that is longer "
                   "is cut, and marked."),
             &TelemetryOptions::content_bytes),
       field("trust_traceparent", &TelemetryOptions::trust_traceparent, boolean(),
             "Continues the W3C trace that a caller names in `traceparent`. Off: what the caller says of traces goes "
             "nowhere.")});
}

}  // namespace sluice::gateway::config
