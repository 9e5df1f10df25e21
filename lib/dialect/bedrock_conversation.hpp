#pragma once
/// Arranges a conversation as Bedrock's servers want it: system texts apart, user and assistant in turn, the user first, ids
/// of their alphabet, each result beside the call it answers. Knows turns and parts; must not know JSON. Private to the room.

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "chat/loss.hpp"
#include "chat/request.hpp"

namespace sluice::dialect::bedrock_parts {

/// One message to be. Lifetime: the request it was arranged from, and the Conversation.
struct ArrangedMessage {
  struct Block {
    const chat::Part* part = nullptr;
    std::string path = {};  ///< as the caller knows it: `messages[2]`
  };
  std::string_view role = {};
  std::vector<Block> blocks = {};
};

struct Conversation {
  std::vector<ArrangedMessage::Block> system = {};
  std::vector<ArrangedMessage> messages = {};
  std::vector<std::string_view> called = {};  ///< names of tools that were called, each once, in order
  bool uses_tools = false;                    ///< there are calls or results in it
  std::deque<chat::Part> made = {};           ///< parts that had to be changed or added; stable addresses
};

/// What had to be changed is put on the report.
void arrange(const chat::ChatInput& chat, Conversation& out, chat::LossReport& loss);

/// An id of the alphabet that Bedrock takes for calls: as it is, or rewritten, the same way each time.
[[nodiscard]] std::string fit_id(std::string_view id);

}  // namespace sluice::dialect::bedrock_parts
