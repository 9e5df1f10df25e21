#pragma once
/// Pieces of the response object that whole answers and the events of streams have in common. Private to the room.

#include <cstdint>
#include <optional>

#include "chat/content.hpp"
#include "json/document.hpp"
#include "sluice/error.hpp"

namespace sluice::dialect::responses_parts {

/// Root members but for those the canonical model has places for, kept as they stood; `usage` too, whose own words count
/// more than what is made of it.
void read_root(const json::Value& response, chat::Extras& extras);
/// Unix seconds.
[[nodiscard]] std::optional<std::int64_t> created_of(const json::Value& response);
/// The Error a failed or cancelled response stands for.
[[nodiscard]] Error failure_of(const json::Value& response);

}  // namespace sluice::dialect::responses_parts
