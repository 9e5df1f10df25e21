#pragma once
/// Arranges a conversation as Anthropic's servers want it: system texts apart, user and assistant in turn, the user first,
/// results of tools before everything else a user says, ids of their alphabet. Knows turns and parts; must not know JSON.
/// Private to the room.

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "chat/loss.hpp"
#include "chat/request.hpp"

namespace sluice::dialect::anthropic_parts {

/// One message to be. Lifetime: the request it was arranged from, and the Conversation.
struct ArrangedMessage {
  struct Block {
    const chat::Part* part = nullptr;
    std::string path = {};  ///< as the caller knows it: `messages[2]`
  };
  std::string_view role = {};
  std::vector<Block> blocks = {};
  const chat::Turn* first = nullptr;  ///< the first turn in it; null for one that was made up
  bool merged = false;                ///< of more than one turn
};

struct Conversation {
  std::vector<ArrangedMessage::Block> system = {};
  bool system_is_text = false;  ///< it was said as one string
  std::vector<ArrangedMessage> messages = {};
  std::deque<chat::Part> made = {};  ///< parts that had to be changed; stable addresses
};

/// What had to be changed or left out is put on the report.
void arrange(const chat::ChatInput& chat, Conversation& out, chat::LossReport& loss);

/// An id of the alphabet that Anthropic's servers take for calls: as it is, or rewritten, the same way each time.
[[nodiscard]] std::string fit_id(std::string_view id);
/// The id of a call whose dialect has none: by the place it stands at.
[[nodiscard]] std::string id_at(std::size_t turn, std::size_t call);

}  // namespace sluice::dialect::anthropic_parts
