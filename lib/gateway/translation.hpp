#pragma once
/// One upstream's answer on its way into the caller's dialect: events as they come, whole answers once they are whole.
/// One per attempt. Knows two dialects and the canonical model between them; must not know exchanges, nor what else is done
/// with the bytes it gives.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chat/loss.hpp"
#include "chat/message.hpp"
#include "dialect/dialect.hpp"
#include "http/event_reader.hpp"

namespace sluice::gateway {

class Translation {
 public:
  struct Ways {
    const dialect::Dialect& from;
    const dialect::Dialect& to;
    std::optional<http::Framing> stream_in = std::nullopt;  ///< empty: the upstream answers whole
    bool stream_out = false;                                ///< what the caller asked for, however the upstream answers
    std::size_t max_event_bytes = 0, max_bytes = 0;         ///< of one event; of what has to be whole first
    std::string_view exchange = {};                         ///< the id of answers whose upstream gives them none,
    std::int64_t asked_at = 0;                              ///< and their date, in Unix seconds: clients want both
  };
  /// `asked` and `form` are read here.
  Translation(const Ways& ways, const dialect::Asked& asked, const dialect::AnswerForm& form);

  /// Appends to `out` what the caller reads of these bytes. Errors: those of the upstream's stream, kUpstreamError for one
  /// that it tells (its words: provider_text()), kUpstreamAnswerTooLarge. After an error nothing else is to be called but fail().
  [[nodiscard]] Status feed(std::string_view bytes, std::string& out);
  /// The upstream's answer has ended; `asked` and `form` are as they were, or without a request where that is gone.
  /// Errors: as feed(), kUpstreamTruncated.
  [[nodiscard]] Status end(const dialect::Asked& asked, const dialect::AnswerForm& form, std::string& out, chat::LossReport& loss);
  /// The caller's stream ends with an error.
  void fail(const Error& error, std::string_view provider_text, std::string& out);

  /// The caller's stream ends here with that reason, in all choices. False: it has had its end, or is none.
  [[nodiscard]] bool cut(chat::FinishReason reason, std::uint32_t choices, std::string& out);

  /// The caller's stream has had its end.
  [[nodiscard]] bool over() const noexcept { return over_; }
  /// A finish reason has been seen.
  [[nodiscard]] bool finished() const noexcept { return finished_; }
  [[nodiscard]] const chat::Usage& usage() const noexcept { return usage_; }
  [[nodiscard]] const std::string& model() const noexcept { return model_; }
  /// The first choice's, as the upstream wrote it.
  [[nodiscard]] const std::string& finish_reason() const noexcept { return finish_reason_; }
  [[nodiscard]] const std::string& provider_text() const noexcept { return provider_text_; }

 private:
  Status take_event(const http::StreamEvent& event, std::string& out);
  Status take(std::vector<chat::Delta>&& deltas, std::string& out);
  template <typename Answer>
  void fill_in(Answer& answer) const;
  void note(const chat::Delta& delta);
  void note(const chat::Message& message);
  Status count(std::size_t bytes);
  Status gather(std::string_view bytes);
  void end_stream(std::string& out);

  const dialect::Dialect& from_;
  const dialect::Dialect& to_;
  const std::size_t max_bytes_;
  const std::string exchange_;
  const std::int64_t asked_at_;
  std::unique_ptr<http::EventReader> reader_;        // null: the upstream answers whole
  std::unique_ptr<dialect::DeltaDecoder> decoder_;   // with reader_
  std::unique_ptr<dialect::DeltaEncoder> encoder_;   // null: the caller wants it whole
  std::vector<chat::Delta> deltas_;
  std::string whole_;                                // of an upstream that answers whole
  chat::Gatherer gathered_;                          // of one that streams to a caller who does not
  std::size_t gathered_bytes_ = 0;
  chat::Usage usage_;
  std::string model_, finish_reason_, provider_text_;
  bool finished_ = false, over_ = false;
};

}  // namespace sluice::gateway
