// Ids for calls that have none, and the way back from a result to its call.

#include "dialect/gemini_calls.hpp"

#include <algorithm>

namespace sluice::dialect::gemini_parts {
namespace {

constexpr std::string_view kPrefix = "call_gm_";
constexpr std::size_t kMaxResponseId = 22;  // theirs have so many characters

bool is_plain(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

}  // namespace

std::string made_id(std::string_view response_id, std::uint32_t choice, std::size_t call) {
  std::string out(kPrefix);
  for (const char c : response_id.substr(0, kMaxResponseId)) out += is_plain(c) ? c : '_';
  return out.append("_").append(std::to_string(choice % 1000)).append("_").append(std::to_string(call % 10000));
}

bool is_made_id(std::string_view id) noexcept { return id.starts_with(kPrefix); }

void give_ids(std::vector<chat::Turn>& turns) {
  struct Open {
    std::string id, name;
  };
  std::vector<Open> open;
  std::size_t made = 0;
  for (chat::Turn& turn : turns) {
    for (chat::Part& part : turn.parts) {
      if (auto* call = part.as<chat::ToolCall>()) {
        if (call->id.empty()) call->id = made_id({}, 0, made++);
        open.push_back({call->id, call->name});
      } else if (auto* result = part.as<chat::ToolResult>()) {
        const auto answered = std::find_if(open.begin(), open.end(), [&](const Open& other) {
          return result->call_id.empty() ? other.name == result->name : other.id == result->call_id;
        });
        if (answered != open.end()) {
          result->call_id = answered->id;
          open.erase(answered);
        } else if (result->call_id.empty()) {
          result->call_id = made_id({}, 0, made++);
        }
      }
    }
  }
}

void Calls::follow(const chat::Turn& turn) {
  const std::size_t before = all_.size();
  for (const chat::Part& part : turn.parts) {
    if (const auto* call = part.as<chat::ToolCall>()) all_.push_back({call->id, call->name});
  }
  if (all_.size() != before) last_turn_ = before;
}

std::string_view Calls::name_of(const chat::ToolResult& result) const noexcept {
  if (!result.name.empty()) return result.name;
  const auto call = std::find_if(all_.rbegin(), all_.rend(), [&](const Call& c) { return c.id == result.call_id; });
  return call == all_.rend() ? std::string_view{} : std::string_view(call->name);
}

std::size_t Calls::place_of(const chat::ToolResult& result) const noexcept {
  for (std::size_t i = last_turn_; i < all_.size(); ++i) {
    if (result.call_id.empty() ? all_[i].name == result.name : all_[i].id == result.call_id) return i - last_turn_;
  }
  return all_.size() - last_turn_;
}

}  // namespace sluice::dialect::gemini_parts
