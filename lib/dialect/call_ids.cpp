// Calls and their results, brought together.

#include "dialect/call_ids.hpp"

#include <algorithm>

namespace sluice::dialect {

std::string CallIds::id_of(const chat::ToolCall& call) {
  const std::string own = made_up(calls_.size());
  const bool none = call.id.empty() || call.id == own;
  calls_.push_back({none ? own : call.id, call.name, none, false});
  return calls_.back().id;
}

CallIds::Answered CallIds::answered_by(const chat::ToolResult& result) {
  const auto first = [this](auto same) { return std::find_if(calls_.begin(), calls_.end(), same); };
  auto call = calls_.end();
  if (!result.call_id.empty()) {
    // The last of that id: some servers number the calls of each turn from 0.
    const auto last = std::find_if(calls_.rbegin(), calls_.rend(), [&](const Call& c) { return c.id == result.call_id; });
    if (last != calls_.rend()) call = last.base() - 1;
    if (call == calls_.end()) return {result.call_id, result.name, false};
  } else {
    if (!result.name.empty()) call = first([&](const Call& c) { return !c.answered && c.name == result.name; });
    if (call == calls_.end()) call = first([](const Call& c) { return !c.answered; });
    if (call == calls_.end()) return {{}, result.name, true};
  }
  call->answered = true;
  return {call->id, call->name.empty() ? result.name : call->name, call->made_up};
}

}  // namespace sluice::dialect
