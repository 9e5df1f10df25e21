#pragma once
/// One increment of a streamed answer, in no dialect. Answers to one choice come in order; choices may interleave.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "chat/content.hpp"
#include "chat/logprobs.hpp"
#include "chat/request_view.hpp"
#include "chat/usage.hpp"
#include "sluice/error.hpp"

namespace sluice::chat {

/// Why a choice ended.
enum class FinishReason : std::uint8_t { kNone, kStop, kLength, kToolCalls, kContentFilter };
/// `stop`, `length`, `tool_calls`, `content_filter`; empty for kNone.
[[nodiscard]] std::string_view to_string(FinishReason reason) noexcept;

/// The answer begins. Comes once, before any other delta; later ones only fill what was empty.
struct AnswerStart {
  std::string id = {}, model = {};
  std::optional<std::int64_t> created = {};  ///< Unix seconds
  Extras extras = {};
  friend bool operator==(const AnswerStart&, const AnswerStart&) = default;
};
/// A choice begins: the model speaks.
struct TurnStart {
  Role role = Role::kAssistant;
  friend bool operator==(const TurnStart&, const TurnStart&) = default;
};
struct TextDelta {
  std::string text = {};
  std::string signature = {};  ///< a thought signature that hangs on this text (Gemini); ends its part
  friend bool operator==(const TextDelta&, const TextDelta&) = default;
};
struct ThinkingDelta {
  std::string text = {};
  std::string signature = {};  ///< comes whole, after the text it signs
  std::string redacted = {};
  std::string field = {};      ///< as Thinking::field
  Extras extras = {};          ///< of the block
  bool begins = false;         ///< a block of its own, whatever came before
  friend bool operator==(const ThinkingDelta&, const ThinkingDelta&) = default;
};
struct RefusalDelta {
  std::string text = {};
  friend bool operator==(const RefusalDelta&, const RefusalDelta&) = default;
};
/// A tool call begins. `index` counts the calls of a choice from 0, in the order they began.
struct ToolCallStart {
  std::uint32_t index = 0;
  ToolKind kind = ToolKind::kFunction;
  std::string id = {}, name = {};
  bool legacy = false;
  std::string signature = {};
  Extras extras = {};
  friend bool operator==(const ToolCallStart&, const ToolCallStart&) = default;
};
struct ToolCallDelta {
  std::uint32_t index = 0;
  std::string arguments = {};
  friend bool operator==(const ToolCallDelta&, const ToolCallDelta&) = default;
};
struct AudioDelta {
  std::string id = {}, data = {}, transcript = {};
  std::optional<std::int64_t> expires_at = std::nullopt;
  friend bool operator==(const AudioDelta&, const AudioDelta&) = default;
};
struct CitationDelta {
  Citation citation = {};
  friend bool operator==(const CitationDelta&, const CitationDelta&) = default;
};
struct LogprobsDelta {
  Logprobs logprobs = {};
  friend bool operator==(const LogprobsDelta&, const LogprobsDelta&) = default;
};
/// A choice ends. `native` is the provider's own word, where it differs.
struct FinishDelta {
  FinishReason reason = FinishReason::kStop;
  std::string native = {};
  friend bool operator==(const FinishDelta&, const FinishDelta&) = default;
};
/// Cumulative; a later one replaces what it names.
struct UsageDelta {
  Usage usage = {};
  std::string raw = {};  ///< the provider's own JSON, for its own dialect
  friend bool operator==(const UsageDelta&, const UsageDelta&) = default;
};
/// Members only their own dialect understands: of the choice, or of the whole answer.
struct ExtraDelta {
  enum class Where : std::uint8_t { kTurn, kChoice, kAnswer };
  Where where = Where::kTurn;
  Extra extra = {};
  friend bool operator==(const ExtraDelta&, const ExtraDelta&) = default;
};
/// The stream failed; nothing follows.
struct ErrorDelta {
  Error error = {};
  std::string provider_text = {};
};

struct Delta {
  std::uint32_t choice = 0;
  std::variant<AnswerStart, TurnStart, TextDelta, ThinkingDelta, RefusalDelta, ToolCallStart, ToolCallDelta, AudioDelta,
               CitationDelta, LogprobsDelta, FinishDelta, UsageDelta, ExtraDelta, ErrorDelta>
      event;

  template <typename T>
  [[nodiscard]] const T* as() const noexcept { return std::get_if<T>(&event); }
};

}  // namespace sluice::chat
