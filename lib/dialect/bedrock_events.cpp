// What an event of a stream is.

#include "dialect/bedrock_events.hpp"

#include <array>
#include <utility>

#include "dialect/excerpt.hpp"
#include "dialect/reading.hpp"

namespace sluice::dialect::bedrock_parts {
namespace {

constexpr std::array kKinds{
    std::pair{std::string_view("messageStart"), EventKind::kMessageStart},    std::pair{std::string_view("contentBlockStart"), EventKind::kBlockStart},
    std::pair{std::string_view("contentBlockDelta"), EventKind::kBlockDelta}, std::pair{std::string_view("contentBlockStop"), EventKind::kBlockStop},
    std::pair{std::string_view("messageStop"), EventKind::kMessageStop},      std::pair{std::string_view("metadata"), EventKind::kMetadata},
};

}  // namespace

EventKind kind_of(std::string_view type) noexcept {
  for (const auto& [name, kind] : kKinds) {
    if (name == type) return kind;
  }
  return type.ends_with("Exception") ? EventKind::kException : EventKind::kUnknown;
}

Event event_of(std::string_view name, const json::Value& root) {
  if (name.starts_with('!')) return {EventKind::kException, std::string(name.substr(1)), root};
  if (!name.empty()) return {kind_of(name), std::string(name), root};
  std::string scratch;
  json::Value only;
  for (json::Value member = root.is(json::Type::kObject) ? root.first() : json::Value{}; member; member = member.next()) {
    // What InvokeModel measured stands beside the last event.
    if (member.key(scratch).starts_with("amazon-bedrock-")) continue;
    if (only) return {EventKind::kUnknown, {}, root};
    only = member;
  }
  if (!only || !only.is(json::Type::kObject)) return {EventKind::kUnknown, {}, root};
  const std::string_view type = only.key(scratch);
  return {kind_of(type), std::string(type), only};
}

std::optional<std::uint32_t> block_index(const json::Value& event) noexcept {
  constexpr std::int64_t kMost = 0xffff;
  const auto n = reading::integer(reading::member(event, "contentBlockIndex"));
  return n && *n >= 0 && *n <= kMost ? std::optional(static_cast<std::uint32_t>(*n)) : std::nullopt;
}

Error no_event(std::string_view data) {
  return make_error(Code::kUpstreamInvalidAnswer,
                    "an event of the upstream's stream is no JSON object; it begins with \"" + excerpt(data, 80) + "\"");
}

}  // namespace sluice::dialect::bedrock_parts
