#pragma once
/// What is noted of one exchange for its event while it runs: its trace, the caller's key, how its stream flows, what was
/// said, and how many tokens that is. There are notes only where somebody asks for events or content.
/// Knows texts in no dialect; must not know the phases of an exchange, nor who gets the event.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chat/bpe.hpp"
#include "chat/token_classes.hpp"
#include "dialect/dialect.hpp"
#include "json/document.hpp"
#include "sluice/headers.hpp"
#include "sluice/outcome.hpp"
#include "sluice/random.hpp"
#include "sluice/telemetry.hpp"
#include "telemetry/delta_times.hpp"
#include "telemetry/secret_mask.hpp"
#include "telemetry/trace.hpp"

namespace sluice::gateway {

/// What a prompt is made of: counted up to a bound, and how large it is.
struct CountedPrompt {
  chat::TokenClassCounts classes;
  std::uint64_t bytes = 0, messages = 0;
  bool text_alone = true;          ///< no tools, no media: nothing that is billed but does not count here
  std::vector<std::string> texts;  ///< up to a bound, where a vocabulary will count them
};

/// Lives as long as its exchange. Thread: its engine's.
class EventNotes {
 public:
  /// Both outlive it.
  EventNotes(const TelemetryOptions& options, std::span<const Redactor> redactors)
      : options_(options), redactors_(redactors) {}

  // The head.
  void join_trace(const Headers& headers, Random& random) {
    trace_ = telemetry::join_trace(headers, options_.trust_traceparent, random);
  }
  /// Null before join_trace.
  [[nodiscard]] const telemetry::Trace* trace() const noexcept { return trace_ ? &*trace_ : nullptr; }
  /// Notes the key a request presents, whoever's it is.
  void note_key(const Headers& headers, std::string_view query);
  [[nodiscard]] std::string_view key() const noexcept { return key_; }

  // The request.
  /// Keeps the prompt, where it is asked for: redacted, masked, cut. Once; later calls do nothing.
  void keep_prompt(const dialect::Dialect& dialect, const json::Document& document, dialect::Operation operation,
                   const telemetry::SecretMask& mask);
  /// Counts what the prompt is made of, or keeps its texts for a vocabulary to count, which outlives this. Likewise.
  void count_prompt(const dialect::Dialect& dialect, const json::Document& document, dialect::Operation operation,
                    const chat::tokens::Bpe* vocabulary);

  // The answer of the attempt under way.
  void answer_begins(const dialect::Dialect& dialect, dialect::Operation operation, bool streaming,
                     const chat::tokens::Bpe* vocabulary);
  /// One event with content, when it came.
  void answer_event(std::string_view name, std::string_view data, TimePoint now);
  /// Bytes of a whole answer.
  void answer_bytes(std::string_view bytes);
  /// Another attempt takes this one's place.
  void forget_answer();

  // The end.
  [[nodiscard]] bool wants_answer() const noexcept { return options_.answer || options_.tool_calls; }
  [[nodiscard]] const telemetry::DeltaTimes& delta_times() const noexcept { return delta_times_; }
  /// Reads what was gathered of a whole answer. Before the two below.
  void answer_ends();
  /// The tokens of what was noted, as far as anything was: by the vocabulary where there is one, by weights otherwise.
  [[nodiscard]] Usage estimate(std::string_view model) const;
  [[nodiscard]] bool has_prompt() const noexcept { return prompt_.has_value(); }
  /// Nothing is billed of the prompt, of the answer, but the text that was noted.
  [[nodiscard]] bool prompt_is_text() const noexcept { return prompt_ && prompt_->text_alone; }
  [[nodiscard]] bool answer_is_text() const noexcept { return said_text_alone_; }
  /// Everything that is kept; nothing where nothing is asked for.
  [[nodiscard]] std::optional<Content> take_content(const telemetry::SecretMask& mask);

 private:
  bool keep(std::optional<Content>& content, const TelemetryOptions& part, const telemetry::SecretMask& mask) const;
  void gather(std::string* into, std::string_view text);
  Usage estimate_by_vocabulary() const;
  void take(const chat::Delta& delta);

  const TelemetryOptions& options_;
  const std::span<const Redactor> redactors_;
  std::optional<telemetry::Trace> trace_;
  std::string key_;

  std::optional<CountedPrompt> prompt_;
  std::optional<Content> content_;
  bool kept_prompt_ = false, withheld_ = false;

  const dialect::Dialect* dialect_ = nullptr;
  dialect::Operation operation_ = dialect::Operation::kOpaque;
  std::unique_ptr<dialect::DeltaDecoder> decoder_;
  std::vector<chat::Delta> deltas_;              // of one event; its memory is used again
  telemetry::DeltaTimes delta_times_;
  chat::TokenClassCounter said_;
  const chat::tokens::Bpe* vocabulary_ = nullptr;
  std::string said_text_;                        // up to a bound, where a vocabulary will count it
  bool said_text_alone_ = true;                  // of one choice, and no tool calls or thinking
  std::string body_;                             // of a whole answer
  std::string answer_;
  std::vector<Content::ToolCall> tool_calls_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> call_places_;  // of these: choice, and index in it
  std::size_t gathered_ = 0;                     // bytes of texts in both
  bool too_long_ = false;                        // more came than is gathered: what there is goes untold
};

}  // namespace sluice::gateway
