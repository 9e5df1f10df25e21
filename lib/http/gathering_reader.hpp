#pragma once
/// What readers of framings without SSE's line rules have in common: pieces, the event that began in an earlier one, the
/// bound. A framing adds where an event ends and what in it is data.

#include <optional>
#include <string>

#include "http/event_reader.hpp"

namespace sluice::http {

class GatheringReader : public EventReader {
 public:
  explicit GatheringReader(std::size_t max_event_bytes) : max_event_bytes_(max_event_bytes) {}
  void feed(std::string_view bytes) final;
  [[nodiscard]] Result<bool> next(StreamEvent& event) final;
  [[nodiscard]] bool finish(StreamEvent& event) override;
  [[nodiscard]] std::size_t held() const noexcept final { return text_.size() - at_; }
  void shrink() final;

 protected:
  [[nodiscard]] std::size_t max_event_bytes() const noexcept { return max_event_bytes_; }
  /// Where the event that begins `text` ends, or nothing while it is not there whole. Bytes before `scanned` were searched by
  /// an earlier call and need not be again. Errors: kUpstreamInvalidAnswer.
  [[nodiscard]] virtual Result<std::optional<std::size_t>> find_end(std::string_view text, std::size_t scanned) = 0;
  /// Fills `event` from a whole one. Errors: kUpstreamInvalidAnswer.
  [[nodiscard]] virtual Status parse(std::string_view raw, StreamEvent& event) = 0;
  /// What is left as an event, for a finish() that lets it be whole. False where there is nothing, or nothing that parses.
  [[nodiscard]] bool take_rest(StreamEvent& event);

 private:
  std::size_t max_event_bytes_;
  std::string buffer_;     // an event that began in an earlier piece, and what came behind it
  std::string_view text_;  // the piece, or buffer_
  std::size_t at_ = 0;     // of text_: where the next event begins
  std::size_t scanned_ = 0;  // behind at_: what find_end() has seen
  std::optional<Error> failed_;
};

/// Newline-delimited JSON. Lines may end in CRLF; blank ones are events without data.
class NdjsonReader final : public GatheringReader {
 public:
  using GatheringReader::GatheringReader;
  [[nodiscard]] bool finish(StreamEvent& event) override;

 private:
  Result<std::optional<std::size_t>> find_end(std::string_view text, std::size_t scanned) override;
  Status parse(std::string_view raw, StreamEvent& event) override;
};

/// The elements of one JSON array. The brackets, and what stands between elements, are part of `raw` alone.
class JsonArrayReader final : public GatheringReader {
 public:
  using GatheringReader::GatheringReader;

 private:
  Result<std::optional<std::size_t>> find_end(std::string_view text, std::size_t scanned) override;
  Status parse(std::string_view raw, StreamEvent& event) override;

  enum class Where : std::uint8_t { kBefore, kBetween, kInside, kBehind };
  Where where_ = Where::kBefore;
  std::uint32_t depth_ = 0;
  bool in_string_ = false, escaped_ = false;
  std::size_t element_at_ = 0;  // of the event's text
};

/// Text without events: what has come is one. A piece above the bound is several.
class RawReader final : public GatheringReader {
 public:
  using GatheringReader::GatheringReader;

 private:
  Result<std::optional<std::size_t>> find_end(std::string_view text, std::size_t scanned) override;
  Status parse(std::string_view raw, StreamEvent& event) override;
};

}  // namespace sluice::http
