#pragma once
/// Function tools as OpenAI wrote them first and other dialects write them too:
/// `{"type":"function","function":{"name","description","parameters"}}`. Members beyond these are kept for the dialect that
/// sent them. Private to the room.

#include <string_view>

#include "chat/tool.hpp"
#include "json/document.hpp"
#include "json/writer.hpp"

namespace sluice::dialect {

[[nodiscard]] chat::Tool read_function_tool(const json::Value& value, std::string_view dialect);
/// A tool that takes nothing has a schema that says so.
void write_function_tool(json::Writer& writer, const chat::Tool& tool, std::string_view dialect);

/// True where a choice leaves the tool to the model: choices that name tools leave those alone.
[[nodiscard]] bool is_left(const chat::Tool& tool, const chat::ToolChoice* choice) noexcept;

}  // namespace sluice::dialect
