#pragma once
/// The head of an answer, line by line as libcurl hands it over, judged more strictly than libcurl does: it takes the last
/// of two lengths, and decodes transfer codings nobody asked for. Knows HTTP/1.1 framing (RFC 9112); opens nothing.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sluice/error.hpp"
#include "sluice/message.hpp"

namespace sluice::engine {

class AnswerHead {
 public:
  enum class Line : std::uint8_t {
    kMore,      ///< the head goes on
    kInterim,   ///< a 1xx head is over; the final one is still to come
    kWhole,     ///< the final head is whole
    kTrailer,   ///< a field behind the body: dropped
  };

  void start(std::uint64_t max_bytes);
  /// Takes one line, its end included. Errors: kUpstreamHeadTooLarge, kUpstreamProtocolError.
  [[nodiscard]] Result<Line> take(std::string_view line);

  [[nodiscard]] bool begun() const noexcept { return bytes_ > 0; }
  [[nodiscard]] bool whole() const noexcept { return whole_; }
  [[nodiscard]] int status() const noexcept { return head_.status; }
  [[nodiscard]] std::optional<std::uint64_t> content_length() const noexcept { return length_; }
  [[nodiscard]] std::string_view content_encoding() const noexcept { return encoding_; }
  /// Both framings were stated: chunked counts, and the connection is not trusted any further (RFC 9112, 6.3).
  [[nodiscard]] bool ambiguous() const noexcept { return chunked_ && length_stated_; }
  /// The end-to-end fields. Content-Length stays where it is the length of what the sink gets; `decoded` takes it and
  /// Content-Encoding away.
  [[nodiscard]] ResponseHead release(bool decoded);

 private:
  [[nodiscard]] Status take_status(std::string_view line);
  [[nodiscard]] Status take_field(std::string_view line);
  [[nodiscard]] Status take_length(std::string_view value);

  std::uint64_t max_bytes_ = 0, bytes_ = 0;
  bool in_head_ = false, whole_ = false, chunked_ = false, length_stated_ = false;
  std::optional<std::uint64_t> length_;
  std::string encoding_, connection_;
  ResponseHead head_;
};

}  // namespace sluice::engine
