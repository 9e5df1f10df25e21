#pragma once
/// Messages of the Cohere dialect, both ways: the same shape in requests and in answers. Private to the room.

#include <string>
#include <string_view>

#include "chat/loss.hpp"
#include "chat/turn.hpp"
#include "dialect/call_ids.hpp"
#include "json/document.hpp"
#include "json/writer.hpp"
#include "sluice/error.hpp"

namespace sluice::dialect::cohere_parts {

/// Whose message it is: an answer's is the assistant's, whatever its role says or leaves out.
enum class Speaker : std::uint8_t { kAsItSays, kAssistant };
/// A message. Errors: kInvalidParameter with `path` (`messages[3].role`) for what has no meaning.
[[nodiscard]] Result<chat::Turn> read_turn(const json::Value& message, const std::string& path, Speaker speaker = Speaker::kAsItSays);
/// One element of `tool_calls`; in streams the object that stands there.
[[nodiscard]] chat::ToolCall read_tool_call(const json::Value& call);
/// Arguments as the model wrote them; Cohere says `null`, or nothing, for a call without any.
[[nodiscard]] bool is_no_arguments(std::string_view arguments) noexcept;
[[nodiscard]] chat::Citation read_citation(const json::Value& citation);

/// A turn as one or more messages: tool results become messages of their own. `path` names the turn in losses.
void write_turn(json::Writer& writer, const chat::Turn& turn, const std::string& path, CallIds& ids, chat::LossReport& loss);
/// The message of an answer: no member without something in it.
void write_answer_message(json::Writer& writer, const chat::Turn& turn, chat::LossReport& loss);
void write_citation(json::Writer& writer, const chat::Citation& citation);

}  // namespace sluice::dialect::cohere_parts
