#pragma once
/// What all that read streams of the Responses API agree on: which events there are, what each is about, and which are the
/// end. Private to the room.

#include <cstdint>
#include <string>
#include <string_view>

#include "sluice/error.hpp"

namespace sluice::dialect::responses_parts {

/// What an event is about, as far as anybody looks at it.
enum class Event : std::uint8_t {
  kOther,         ///< progress of a server's own tool, and what nobody knows
  kResponse,      ///< response.created, .queued, .in_progress
  kItemAdded, kItemDone,
  kPartAdded, kPartDone,
  kTextDelta, kTextDone, kAnnotation,
  kRefusalDelta, kRefusalDone,
  kSummaryPartAdded, kSummaryPartDone, kSummaryDelta, kSummaryDone,
  kReasoningDelta, kReasoningDone,   ///< of what open models think, in `content`
  kArgumentsDelta, kArgumentsDone,   ///< of functions
  kInputDelta, kInputDone,           ///< of custom tools
  kEnd,           ///< response.completed, .incomplete
  kFailed,        ///< response.failed, .cancelled
  kError,
  kDone,          ///< `[DONE]`, which OpenRouter sends behind the end
};

/// By the event's `type`.
[[nodiscard]] Event event_of(std::string_view type) noexcept;
/// The type of an event that has not been parsed: the member of the root, else the name of the event in its framing.
/// Lifetime: the arguments.
[[nodiscard]] std::string_view type_of(std::string_view name, std::string_view data) noexcept;
/// True for `[DONE]`.
[[nodiscard]] bool is_done(std::string_view data) noexcept;
/// The data of an event is no JSON object: says so with a piece of what came.
[[nodiscard]] Error no_event(std::string_view data);

}  // namespace sluice::dialect::responses_parts
