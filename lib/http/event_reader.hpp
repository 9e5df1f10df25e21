#pragma once
/// Streams as events, whatever tells them apart on the wire. Knows framings; must not know what events say.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "sluice/error.hpp"

namespace sluice::http {

/// How the events of a stream are told apart.
enum class Framing : std::uint8_t {
  kSse,        ///< server-sent events: text/event-stream
  kNdjson,     ///< one JSON text a line: application/x-ndjson
  kJsonArray,  ///< one JSON array whose elements come one after the other: application/json
  kAwsEvents,  ///< AWS' binary frames: application/vnd.amazon.eventstream
  kRaw,        ///< text and nothing else: every piece is an event, where it was cut means nothing
};

/// The media type of a stream in that framing, as it is sent.
[[nodiscard]] std::string_view content_type_of(Framing framing) noexcept;
/// The framing a content type names; nothing where it names none. JSON is never taken for a stream: who expects an array says so.
[[nodiscard]] bool is_stream_type(std::string_view content_type, Framing& framing) noexcept;

/// One event of a stream.
struct StreamEvent {
  std::string_view raw = {};   ///< the bytes as they came, framing included
  std::string_view data = {};  ///< without framing; SSE: the joined `data` lines; empty for a comment-only block
  std::string_view name = {};  ///< SSE: `event`; AWS: the event type, of exceptions and errors their type behind a `!`; empty = none
  bool has_data = false;       ///< false: comments, id or retry alone (a ping), brackets, blank lines
  bool has_position = false;   ///< SSE: it has `id` or `retry` lines
};

/// An event on its own, for whoever frames it anew. Lifetime of `data`: that of the data it was made of.
struct NamedEvent {
  std::string name = {};
  std::string_view data = {};
};

/// Splits a byte stream into events. Feed it, then take events until there is none. Zero copies where an event lies whole in
/// one piece. The `raw` of all events, one after the other, is the stream byte for byte.
class EventReader {
 public:
  virtual ~EventReader() = default;
  /// `bytes` must stay readable until next() has given nothing.
  virtual void feed(std::string_view bytes) = 0;
  /// The next whole event. True: `event` is filled, and lives until the next call. False: more bytes are needed.
  /// Errors: kUpstreamEventTooLarge, kUpstreamInvalidAnswer for what is no such framing; from then on every time.
  [[nodiscard]] virtual Result<bool> next(StreamEvent& event) = 0;
  /// At the end of the stream: what is left, as a last event, where its framing lets it be whole.
  [[nodiscard]] virtual bool finish(StreamEvent& event) = 0;
  /// Bytes of an unfinished event.
  [[nodiscard]] virtual std::size_t held() const noexcept = 0;
  /// Gives spare memory back; for streams that fall idle. Events given before are dead then.
  virtual void shrink() = 0;
};

/// `max_event_bytes` bounds one event.
[[nodiscard]] std::unique_ptr<EventReader> make_event_reader(Framing framing, std::size_t max_event_bytes);

/// Appends one event. kNdjson: line breaks of the JSON become blanks. kJsonArray: an element that is not the first; who begins an array writes its bracket.
void append_event(std::string& out, Framing framing, std::string_view data, std::string_view name = {});

}  // namespace sluice::http
