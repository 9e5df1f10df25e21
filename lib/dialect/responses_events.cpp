// The events of a stream by name.

#include "dialect/responses_events.hpp"

#include <array>

#include "dialect/chunk.hpp"
#include "dialect/openai_stream.hpp"

namespace sluice::dialect::responses_parts {
namespace {

struct Named {
  std::string_view type;
  Event event;
};

// Without `response.`, which all but the error begin with.
constexpr std::array kNamed{
    Named{"output_text.delta", Event::kTextDelta},
    Named{"function_call_arguments.delta", Event::kArgumentsDelta},
    Named{"reasoning_summary_text.delta", Event::kSummaryDelta},
    Named{"reasoning_text.delta", Event::kReasoningDelta},
    Named{"reasoning.delta", Event::kReasoningDelta},  // Open Responses
    Named{"created", Event::kResponse},
    Named{"queued", Event::kResponse},
    Named{"in_progress", Event::kResponse},
    Named{"output_item.added", Event::kItemAdded},
    Named{"output_item.done", Event::kItemDone},
    Named{"content_part.added", Event::kPartAdded},
    Named{"content_part.done", Event::kPartDone},
    Named{"output_text.done", Event::kTextDone},
    Named{"output_text.annotation.added", Event::kAnnotation},
    Named{"refusal.delta", Event::kRefusalDelta},
    Named{"refusal.done", Event::kRefusalDone},
    Named{"reasoning_summary_part.added", Event::kSummaryPartAdded},
    Named{"reasoning_summary_part.done", Event::kSummaryPartDone},
    Named{"reasoning_summary_text.done", Event::kSummaryDone},
    Named{"reasoning_text.done", Event::kReasoningDone},
    Named{"reasoning.done", Event::kReasoningDone},
    Named{"function_call_arguments.done", Event::kArgumentsDone},
    Named{"custom_tool_call_input.delta", Event::kInputDelta},
    Named{"custom_tool_call_input.done", Event::kInputDone},
    Named{"completed", Event::kEnd},
    Named{"incomplete", Event::kEnd},
    Named{"failed", Event::kFailed},
    Named{"cancelled", Event::kFailed},
};

}  // namespace

Event event_of(std::string_view type) noexcept {
  constexpr std::string_view kPrefix = "response.";
  if (type == "error") return Event::kError;
  if (!type.starts_with(kPrefix)) return Event::kOther;
  type.remove_prefix(kPrefix.size());
  for (const Named& named : kNamed) {
    if (named.type == type) return named.event;
  }
  return Event::kOther;
}

std::string_view type_of(std::string_view name, std::string_view data) noexcept {
  std::size_t at = chunk::skip_blanks(data, 0);
  if (at == data.size() || data[at] != '{') return {};
  // Over the root's members alone: events repeat whole items, each of which has a type.
  at = chunk::skip_blanks(data, at + 1);
  while (at < data.size() && data[at] == '"') {
    const std::string_view key = chunk::string_at(data, at);
    at = chunk::skip_blanks(data, at + key.size() + 2);
    if (at >= data.size() || data[at] != ':') break;
    at = chunk::skip_blanks(data, at + 1);
    if (key == "type") return chunk::string_at(data, at);
    at = chunk::skip_blanks(data, chunk::skip_value(data, at));
    if (at >= data.size() || data[at] != ',') break;
    at = chunk::skip_blanks(data, at + 1);
  }
  return name;
}

bool is_done(std::string_view data) noexcept { return openai_parts::is_done(data); }

Error no_event(std::string_view data) { return openai_parts::no_event(data); }

}  // namespace sluice::dialect::responses_parts
