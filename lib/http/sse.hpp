#pragma once
/// Server-sent events (WHATWG HTML, 9.2) in and out, right at every split.

#include <cstddef>
#include <string>
#include <string_view>

#include "http/event_reader.hpp"
#include "sluice/error.hpp"

namespace sluice::http {

using SseEvent = StreamEvent;

/// Splits a byte stream into events. Feed it, then take events until there is none.
/// Zero copies where an event lies whole in one piece and has one data line. The `raw` of all events, one after the
/// other, is the stream byte for byte. Blank lines that end no event come as events without data.
/// A blank line that ends in CR is at its end at once, but where the stream writes CRLF its LF is waited for; an LF that
/// comes later all the same is an event of its own, without data.
/// It does not keep `id` and `retry`, nor reconnect.
class SseReader final : public EventReader {
 public:
  /// `max_event_bytes` bounds one event; what is longer is kUpstreamEventTooLarge.
  explicit SseReader(std::size_t max_event_bytes = 1u << 20) : max_event_bytes_(max_event_bytes) {}
  void feed(std::string_view bytes) override;
  /// The next whole event. True: `event` is filled, and lives until the next call. False: more bytes are needed.
  /// Errors: kUpstreamEventTooLarge, from then on every time; the events before it were given.
  [[nodiscard]] Result<bool> next(SseEvent& event) override;
  /// At the end of the stream: what is left as a last event where the blank line was missing (the field's practice).
  [[nodiscard]] bool finish(SseEvent& event) override;
  [[nodiscard]] std::size_t held() const noexcept override { return given_ ? 0 : buffer_.size(); }
  void shrink() override;

 private:
  bool find_end();
  void parse(std::string_view raw, SseEvent& event);

  std::size_t max_event_bytes_;
  std::string buffer_;   // an event that began in an earlier piece
  std::string data_;     // joined data lines, where there are several
  std::string backlog_;  // pieces that were fed before the one before them was used up
  // The current piece: where its unfinished event begins, how far it was searched, and the first LF from there on
  // (npos: not looked for yet).
  std::string_view piece_;
  std::size_t event_at_ = 0;
  std::size_t scanned_ = 0;
  std::size_t next_lf_ = std::string_view::npos;
  // The line under the scan, over all pieces.
  bool line_empty_ = true;   // no byte of it came yet
  bool after_cr_ = false;    // an LF that comes now belongs to the CR before it
  bool last_crlf_ = false;   // the line before ended in CRLF
  bool awaits_lf_ = false;   // a blank line ended in CR; its LF, if any, is still to come
  bool at_boundary_ = true;  // no byte of an event came since the last one
  bool at_start_ = true;     // a BOM may come
  bool given_ = false;       // buffer_ is an event that was given
  bool too_large_ = false;
};

/// Appends `data: …` (one line for each line of `data`) and the blank line; `name` first where it is given. Whatever
/// `data` holds, it stays one event; a name ends at its first line break.
void append_event(std::string& out, std::string_view data, std::string_view name = {});

/// Appends the lines of `raw` (an event as it came), all but `id` and `retry`.
void append_without_position(std::string& out, std::string_view raw);

}  // namespace sluice::http
