#pragma once
/// Messages of the OpenAI dialect, both ways: the same shape in requests and in answers. Private to the room.

#include <cstdint>
#include <string>
#include <string_view>

#include "chat/loss.hpp"
#include "chat/turn.hpp"
#include "json/document.hpp"
#include "json/writer.hpp"
#include "sluice/error.hpp"

namespace sluice::dialect::openai_parts {

/// Whose message it is: an answer's is the assistant's, whatever its role says or leaves out.
enum class Speaker : std::uint8_t { kAsItSays, kAssistant };
/// A message. Errors: kInvalidParameter with `path` (`messages[3].role`) for what has no meaning.
[[nodiscard]] Result<chat::Turn> read_turn(const json::Value& message, const std::string& path, Speaker speaker = Speaker::kAsItSays);
/// One element of `tool_calls`.
[[nodiscard]] chat::ToolCall read_tool_call(const json::Value& call);
/// One typed part of a content list; also the input of moderations.
[[nodiscard]] Result<chat::Part> read_part(const json::Value& part, const std::string& path);
/// The citations of `annotations`.
[[nodiscard]] std::vector<chat::Citation> read_annotations(const json::Value& annotations);

/// A turn as one or more messages: tool results become messages of their own. `path` names the turn in losses.
void write_turn(json::Writer& writer, const chat::Turn& turn, const std::string& path, chat::LossReport& loss);
/// The message of an answer: content and refusal are always there, null where there is nothing.
void write_answer_message(json::Writer& writer, const chat::Turn& turn, chat::LossReport& loss);
/// The member that thinking goes under: the one it came under where that is one of this dialect's, else what most clients read.
[[nodiscard]] std::string_view thinking_field(std::string_view came_under) noexcept;
/// One typed part; false where this dialect has none such (put on the loss report).
bool write_part(json::Writer& writer, const chat::Part& part, const std::string& path, chat::LossReport& loss);
void write_tool_call(json::Writer& writer, const chat::ToolCall& call);
/// True for what chat can cite: an address, or what came as one of its annotations.
[[nodiscard]] bool is_annotation(const chat::Citation& citation);
void write_annotation(json::Writer& writer, const chat::Citation& citation);
/// Extras of this dialect, as they came; those of others go on the loss report under `path`, but for the key "", under which
/// a dialect keeps its own form of what the model says anyway.
void write_extras(json::Writer& writer, const chat::Extras& extras, const std::string& path, chat::LossReport& loss);

}  // namespace sluice::dialect::openai_parts
