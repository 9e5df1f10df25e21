#pragma once
/// Tools, the choice among them, and the forms of answers of the Gemini dialect, both ways. Private to the room.

#include <string_view>
#include <vector>

#include "chat/loss.hpp"
#include "chat/request.hpp"
#include "chat/tool.hpp"
#include "json/document.hpp"
#include "json/writer.hpp"
#include "sluice/error.hpp"

namespace sluice::dialect::gemini_parts {

/// An element of `tools`: a list of functions, and each tool of the provider's own by its member. Errors: kInvalidParameter.
[[nodiscard]] Status read_tools(const json::Value& tool, std::vector<chat::Tool>& out);
/// `functionCallingConfig`.
[[nodiscard]] chat::ToolChoice read_tool_choice(const json::Value& config);
/// What `generationConfig` says of the answer's form; nothing where it says nothing.
[[nodiscard]] std::optional<chat::ResponseFormat> read_response_format(const json::Value& generation);
/// `thinkingConfig`. False: it says more than the model can hold.
[[nodiscard]] bool read_thinking(const json::Value& config, chat::Reasoning& out);

void write_tools(json::Writer& writer, const chat::ChatInput& chat, chat::LossReport& loss);
/// `toolConfig`, and what `extras` (of the request) hold of it.
void write_tool_config(json::Writer& writer, const chat::ChatInput& chat, const chat::Extras& extras, chat::LossReport& loss);
/// Members of an open `generationConfig`.
void write_response_format(json::Writer& writer, const chat::ResponseFormat& format, chat::LossReport& loss);
void write_thinking(json::Writer& writer, const chat::Reasoning& reasoning, std::string_view model, chat::LossReport& loss);

}  // namespace sluice::dialect::gemini_parts
