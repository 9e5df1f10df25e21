#pragma once
/// What a wish to think becomes for a model of Anthropic's. Knows models, budgets and efforts; must not know JSON.
/// Private to the room.

#include <cstdint>
#include <optional>
#include <string_view>

#include "chat/loss.hpp"
#include "chat/request.hpp"

namespace sluice::dialect::anthropic_parts {

struct ThinkingPlan {
  enum class Kind : std::uint8_t { kUnsaid, kDisabled, kEnabled, kAdaptive };
  Kind kind = Kind::kUnsaid;
  std::int64_t budget = 0;          ///< kEnabled: what is sent; kAdaptive: what the effort may come to
  std::string_view effort = {};     ///< kAdaptive. Lifetime: static, or the request
  bool ours = false;                ///< made of an effort, not said outright: what forbids thinking goes before it
};

/// The plan for `request`, sent to `model`. `forced`: a tool has to be called, which servers refuse beside thinking.
[[nodiscard]] ThinkingPlan plan_thinking(const chat::Request& request, std::string_view model, bool forced, chat::LossReport& loss);

}  // namespace sluice::dialect::anthropic_parts
