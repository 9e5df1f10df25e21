#pragma once
/// What the inspection of a request of the Gemini dialect and its measuring have in common. Private to the room.

#include "chat/request_view.hpp"
#include "json/document.hpp"
#include "sluice/error.hpp"

namespace sluice::dialect::gemini_parts {

/// The members somebody acts on, of the root or of a countTokens request's inner one. Absent ones stay absent; none stands
/// twice, in either spelling.
struct Fields {
  json::Value contents = {}, system = {}, tools = {}, tool_config = {}, generation = {}, model = {}, inner = {}, requests = {},
              content = {}, dimensions = {};
};

/// Fills view.shape, all but its depth. Texts and media are counted where they stand.
/// Errors: kInvalidParameter where something has no type that can be counted.
[[nodiscard]] Status measure(const Fields& fields, chat::RequestView& view);

}  // namespace sluice::dialect::gemini_parts
