#pragma once
/// `toolConfig` of the Bedrock dialect, both ways. Private to the room.

#include "chat/loss.hpp"
#include "chat/request.hpp"
#include "dialect/bedrock_conversation.hpp"
#include "json/document.hpp"
#include "json/writer.hpp"
#include "sluice/error.hpp"

namespace sluice::dialect::bedrock_parts {

/// Errors: kInvalidParameter, naming the member.
[[nodiscard]] Status read_tool_config(const json::Value& config, chat::ChatInput& chat);
/// Writes the member where there is something to say: tools, or calls in the conversation, which Bedrock does not take
/// without the tools they are of.
void write_tool_config(json::Writer& writer, const chat::ChatInput& chat, const Conversation& conversation, chat::LossReport& loss);

}  // namespace sluice::dialect::bedrock_parts
