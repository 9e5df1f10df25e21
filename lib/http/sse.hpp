#pragma once
/// Server-sent events (WHATWG HTML, 9.2) in and out, right at every split.

#include <cstddef>
#include <string>
#include <string_view>

#include "sluice/error.hpp"

namespace sluice::http {

/// One event of a stream.
struct SseEvent {
  std::string_view raw;      ///< the bytes as they came, the blank line included
  std::string_view data;     ///< joined `data` lines, without framing; empty for a comment-only block
  std::string_view name;     ///< `event`; empty = message
  bool has_data = false;     ///< false: comments, id or retry alone (a ping)
};

/// Splits a byte stream into events. Feed it, then take events until there is none.
/// Zero copies where an event lies whole in one piece and has one data line.
class SseReader {
 public:
  /// `max_event_bytes` bounds one event; what is longer is kUpstreamEventTooLarge.
  explicit SseReader(std::size_t max_event_bytes = 1u << 20) : max_event_bytes_(max_event_bytes) {}
  /// `bytes` must stay readable until next() has given nothing.
  void feed(std::string_view bytes);
  /// The next whole event. True: `event` is filled, and lives until the next call. False: more bytes are needed.
  [[nodiscard]] Result<bool> next(SseEvent& event);
  /// At the end of the stream: what is left as a last event where the blank line was missing (the field's practice).
  [[nodiscard]] bool finish(SseEvent& event);
  /// Bytes of an unfinished event are held.
  [[nodiscard]] std::size_t held() const noexcept { return buffer_.size(); }
  /// Gives spare memory back; for streams that fall idle.
  void shrink();

 private:
  std::size_t max_event_bytes_;
  std::string buffer_;          // an event that began in an earlier piece
  std::string_view pending_;    // what is left of the current piece
  std::string data_;            // joined data lines, where there are several
  std::size_t scanned_ = 0;
  bool at_start_ = true;        // a BOM may come
  bool after_cr_ = false;
};

/// Appends `data: …` (one line for each line of `data`) and the blank line; `name` first where it is given.
void append_event(std::string& out, std::string_view data, std::string_view name = {});

}  // namespace sluice::http
