// Comparing parts (they nest), finding extras, joining text.

#include "chat/content.hpp"

#include <algorithm>

#include "chat/delta.hpp"
#include "chat/turn.hpp"

namespace sluice::chat {

const std::string* find_extra(const Extras& extras, std::string_view dialect, std::string_view key) noexcept {
  const auto found = std::find_if(extras.begin(), extras.end(),
                                  [&](const Extra& extra) { return extra.key == key && extra.dialect == dialect; });
  return found == extras.end() ? nullptr : &found->json;
}

bool operator==(const ToolResult& a, const ToolResult& b) {
  return a.call_id == b.call_id && a.name == b.name && a.parts == b.parts && a.is_error == b.is_error && a.cache == b.cache &&
         a.extras == b.extras;
}

bool operator==(const Part& a, const Part& b) { return a.value == b.value; }

std::string Turn::text() const {
  std::string joined;
  for (const Part& part : parts) {
    if (const Text* text = part.as<Text>()) joined += text->text;
  }
  return joined;
}

std::string_view to_string(FinishReason reason) noexcept {
  switch (reason) {
    case FinishReason::kNone: return "";
    case FinishReason::kStop: return "stop";
    case FinishReason::kLength: return "length";
    case FinishReason::kToolCalls: return "tool_calls";
    case FinishReason::kContentFilter: return "content_filter";
  }
  return "";
}

}  // namespace sluice::chat
