#pragma once
/// Telemetry: every exchange leaves one event, one line of JSON, in files and with a function of the host program.
/// docs/telemetry.md tells every field, docs/schema/event.schema.json is the lines' JSON Schema. Plain values: they
/// know neither the account behind an event nor who writes the files.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace [[gnu::visibility("default")]] sluice {

/// What the first member of every line says. The number grows when a field changes its meaning or goes; fields that are
/// added leave it.
inline constexpr std::string_view kEventSchema = "sluice.event/1";

/// Gets the event's line, without its line break. Called once for each exchange, last, on its engine thread; must not
/// block. What it throws is counted and forgotten. Lifetime of the line: the call.
using EventCallback = std::function<void(std::string_view line)>;

/// Takes out of a text what must not be kept. Called for every text of an event's content, on the exchange's engine
/// thread, before the text is cut, written or given to anybody. Where it throws, the event goes without content.
using Redactor = std::function<void(std::string& text)>;

/// A file that gets every event: a line is appended whole or not at all. The directory must exist; the file is made
/// with mode 0640 and belongs to one gateway.
struct EventFile {
  std::string path = {};
  /// The size beyond which no line is added: the file becomes `path.1`, that one `path.2`, and so on. 0 = never. A line
  /// that is longer than this has a file of its own.
  std::uint64_t rotate_bytes = 64ull << 20;
  std::uint32_t keep = 8;                   ///< rotated files that stay: `path.1`, the newest, to `path.<keep>`
  /// Lines that wait for the disk, in bytes; what comes when they are too many is dropped and counted.
  std::uint64_t queue_bytes = 4ull << 20;
};

/// What is told, and to which files. Content is kept only where it is asked for here.
struct TelemetryOptions {
  std::vector<EventFile> files = {};
  bool prompt = false;                      ///< keep the messages of the request
  bool answer = false;                      ///< keep the text of the answer's first choice
  bool tool_calls = false;                  ///< keep the tool calls of the answer, with their arguments
  /// The most that is kept of the prompt, of the answer and of the tool calls, in bytes of text, each.
  std::size_t content_bytes = 16 * 1024;
  /// A caller's `traceparent` is continued. Off: every exchange begins a trace of its own.
  bool trust_traceparent = true;
};

/// What became of the lines for one file.
struct EventFileStatistics {
  std::string path = {};
  std::uint64_t written = 0;
  std::uint64_t dropped_full = 0;           ///< the disk worked, but more slowly than lines came
  std::uint64_t dropped_error = 0;          ///< the disk took none, and the queue was full of those that wait for it
  std::uint64_t rotations = 0;
  std::uint64_t queued_bytes = 0;           ///< waiting now
  std::string error = {};                   ///< why nothing can be written now; empty while it works
};

struct EventStatistics {
  std::vector<EventFileStatistics> files = {};
  std::uint64_t callback_errors = 0;        ///< the host program's function threw
};

}  // namespace sluice
