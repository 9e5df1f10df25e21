// The framings by name.

#include "http/event_reader.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "http/aws_events.hpp"
#include "http/gathering_reader.hpp"
#include "http/sse.hpp"
#include "sluice/headers.hpp"

namespace sluice::http {

std::string_view content_type_of(Framing framing) noexcept {
  switch (framing) {
    case Framing::kSse: return "text/event-stream";
    case Framing::kNdjson: return "application/x-ndjson";
    case Framing::kJsonArray: return "application/json";
    case Framing::kAwsEvents: return "application/vnd.amazon.eventstream";
    case Framing::kRaw: return "text/plain";
  }
  return {};
}

bool is_stream_type(std::string_view content_type, Framing& framing) noexcept {
  const std::string_view type = content_type.substr(0, content_type.find_first_of("; "));
  constexpr std::array kTypes{std::pair{std::string_view("text/event-stream"), Framing::kSse},
                              std::pair{std::string_view("application/x-ndjson"), Framing::kNdjson},
                              std::pair{std::string_view("application/ndjson"), Framing::kNdjson},
                              std::pair{std::string_view("application/jsonl"), Framing::kNdjson},
                              std::pair{std::string_view("application/vnd.amazon.eventstream"), Framing::kAwsEvents}};
  for (const auto& [name, is] : kTypes) {
    if (!same_name(type, name)) continue;
    framing = is;
    return true;
  }
  return false;
}

std::unique_ptr<EventReader> make_event_reader(Framing framing, std::size_t max_event_bytes) {
  switch (framing) {
    case Framing::kSse: break;
    case Framing::kNdjson: return std::make_unique<NdjsonReader>(max_event_bytes);
    case Framing::kJsonArray: return std::make_unique<JsonArrayReader>(max_event_bytes);
    case Framing::kAwsEvents: return std::make_unique<AwsEventReader>(max_event_bytes);
    case Framing::kRaw: return std::make_unique<RawReader>(max_event_bytes);
  }
  return std::make_unique<SseReader>(max_event_bytes);
}

namespace {

/// A JSON text that was printed over several lines becomes one: inside its strings no line break stands as it is.
void append_line(std::string& out, std::string_view data) {
  const std::size_t begin = out.size();
  out.append(data);
  std::replace_if(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  out += '\n';
}

}  // namespace

void append_event(std::string& out, Framing framing, std::string_view data, std::string_view name) {
  switch (framing) {
    case Framing::kSse: append_event(out, data, name); return;
    case Framing::kNdjson: append_line(out, data); return;
    case Framing::kJsonArray: out.append(",\n").append(data); return;
    case Framing::kAwsEvents: append_aws_event(out, name, data); return;
    case Framing::kRaw: out.append(data); return;
  }
}

}  // namespace sluice::http
