#pragma once
/// Tools, tool choices and answer formats of the Responses API, both ways. Flat where chat's are nested. Private to the room.

#include "chat/loss.hpp"
#include "chat/request.hpp"
#include "json/document.hpp"
#include "json/writer.hpp"
#include "sluice/error.hpp"

namespace sluice::dialect::responses_parts {

/// One of `tools`. What is neither function nor custom is run by the server itself, and kept as it stood.
/// A function that does not say whether it is strict is so where its schema allows it, as the API's servers take it.
[[nodiscard]] chat::Tool read_tool(const json::Value& value);
/// Errors: kInvalidParameter, naming tool_choice.
[[nodiscard]] Result<chat::ToolChoice> read_tool_choice(const json::Value& value);
/// `text.format`. Errors: kInvalidParameter, naming it.
[[nodiscard]] Result<chat::ResponseFormat> read_format(const json::Value& value);

[[nodiscard]] bool can_write(const chat::Tool& tool) noexcept;
void write_tool(json::Writer& writer, const chat::Tool& tool, chat::LossReport& loss);
void write_tool_choice(json::Writer& writer, const chat::ToolChoice& choice);
/// False where this dialect has no such format (put on the report).
bool write_format(json::Writer& writer, const chat::ResponseFormat& format, chat::LossReport& loss);

}  // namespace sluice::dialect::responses_parts
