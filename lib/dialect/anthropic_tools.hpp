#pragma once
/// Tools, tool choices and the settings of thinking and format, both ways. Private to the room.

#include "chat/loss.hpp"
#include "chat/request.hpp"
#include "dialect/anthropic_models.hpp"
#include "json/document.hpp"
#include "json/writer.hpp"
#include "sluice/error.hpp"

namespace sluice::dialect::anthropic_parts {

/// One of `tools`. What has a type but `custom` is run by Anthropic's servers, or made for their models: kept as it stood.
[[nodiscard]] chat::Tool read_tool(const json::Value& value);
/// Errors: kInvalidParameter, naming tool_choice.
[[nodiscard]] Status read_tool_choice(const json::Value& value, chat::ChatInput& chat);
/// `{"type":"json_schema","schema":{…}}`, of `output_config.format` and the older `output_format`.
[[nodiscard]] chat::ResponseFormat read_format(const json::Value& value);

/// `tools` and `tool_choice`. True where the model has to call a tool.
bool write_tools(json::Writer& writer, const chat::ChatInput& chat, chat::LossReport& loss);

}  // namespace sluice::dialect::anthropic_parts
