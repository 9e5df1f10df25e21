#pragma once
/// An item of a response that is being streamed: what was written of it so far, once, for the events that say it again.
/// Private to the room.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "chat/content.hpp"
#include "chat/logprobs.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::responses_parts {

/// A part of a message as far as it has come.
struct SaidPart {
  bool refusal = false;
  std::string text = {};
  std::vector<std::string> annotations = {};  // JSON
  std::vector<chat::TokenLogprob> logprobs = {};
};

/// An item.
struct StreamedItem {
  enum class Kind : std::uint8_t { kMessage, kReasoning, kCall, kOwn };
  Kind kind = Kind::kMessage;
  std::string id = {};
  std::size_t index = 0;          // output_index
  bool open = true, text_open = false;
  std::vector<SaidPart> parts = {};   // kMessage
  std::string described = {};     // kMessage: what it says of itself, JSON
  chat::Thinking thinking = {};
  chat::ToolCall call = {};
  std::string json = {};          // kOwn: as it came
};

/// The item as far as it has come.
void write_item(json::Writer& writer, const StreamedItem& item, std::string_view status);
/// A part, with its text or as it begins.
void write_part(json::Writer& writer, const SaidPart& said, bool whole);

}  // namespace sluice::dialect::responses_parts
