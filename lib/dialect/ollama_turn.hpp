#pragma once
/// Messages of Ollama's dialect, both ways: the same shape in requests and in answers. Content is one string; images stand
/// beside it; arguments are objects; calls need no ids. Private to the room.

#include <string>
#include <string_view>
#include <vector>

#include "chat/loss.hpp"
#include "chat/message.hpp"
#include "chat/turn.hpp"
#include "dialect/call_ids.hpp"
#include "json/document.hpp"
#include "json/writer.hpp"
#include "sluice/error.hpp"

namespace sluice::dialect::ollama_parts {

/// One element of `tool_calls`. Its id is empty where it has none.
[[nodiscard]] chat::ToolCall read_tool_call(const json::Value& call);
/// `index` is its place, told where the call has an id of its own. `made_up`: the id is nobody's.
void write_tool_call(json::Writer& writer, const chat::ToolCall& call, const std::string& id, bool made_up, std::uint32_t index);
/// An image as it stands beside a text: base64, whose first bytes say what it is.
[[nodiscard]] chat::Part read_image(const json::Value& image);

/// A message. Errors: kInvalidParameter with `path` for what has no meaning.
[[nodiscard]] Result<chat::Turn> read_turn(const json::Value& message, const std::string& path, CallIds& ids);
/// A turn as one or more messages: tool results become messages of their own.
void write_turn(json::Writer& writer, const chat::Turn& turn, const std::string& path, CallIds& ids, chat::LossReport& loss);
/// The images of a turn, as they stand in a request; what cannot stand there goes on the report.
[[nodiscard]] std::vector<std::string> images_of(const chat::Turn& turn, const std::string& path, chat::LossReport& loss);

}  // namespace sluice::dialect::ollama_parts
