#pragma once
/// Tools, tool choices and answer formats of the OpenAI dialect, read. Private to the room.

#include "chat/request.hpp"
#include "json/document.hpp"
#include "sluice/error.hpp"

namespace sluice::dialect::openai_parts {

/// One of `tools`. What is neither function nor custom is a tool of the provider's own, kept as it stood.
[[nodiscard]] chat::Tool read_tool(const json::Value& value);
/// One of the older `functions`: a tool's inside without its shell.
[[nodiscard]] chat::Tool read_function(const json::Value& value);
/// Errors: kInvalidParameter, naming tool_choice.
[[nodiscard]] Result<chat::ToolChoice> read_tool_choice(const json::Value& value);
/// Errors: kInvalidParameter, naming response_format.
[[nodiscard]] Result<chat::ResponseFormat> read_response_format(const json::Value& value);

}  // namespace sluice::dialect::openai_parts
