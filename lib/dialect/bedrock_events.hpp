#pragma once
/// Events of ConverseStream as all readers of them see them: by the name of their frame, or, where there is none, by their one
/// member, as SDKs show them. Private to the room.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "json/document.hpp"
#include "sluice/error.hpp"

namespace sluice::dialect::bedrock_parts {

enum class EventKind : std::uint8_t {
  kMessageStart, kBlockStart, kBlockDelta, kBlockStop, kMessageStop, kMetadata,
  kException,  ///< `type` says which
  kUnknown,    ///< passed over: a later version's
};

struct Event {
  EventKind kind = EventKind::kUnknown;
  std::string type = {};      ///< as the frame names it, without `!`
  json::Value value = {};     ///< what it says. Lifetime: the document.
};

[[nodiscard]] EventKind kind_of(std::string_view type) noexcept;
/// The event `root` is. A name wins over what the data look like.
[[nodiscard]] Event event_of(std::string_view name, const json::Value& root);
/// The index of a content block, or nothing for one that no block has.
[[nodiscard]] std::optional<std::uint32_t> block_index(const json::Value& event) noexcept;
/// kUpstreamInvalidAnswer for data that is no JSON object, with its beginning.
[[nodiscard]] Error no_event(std::string_view data);

}  // namespace sluice::dialect::bedrock_parts
