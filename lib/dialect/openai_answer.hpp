#pragma once
/// Pieces of answers that whole answers and chunks have in common. Private to the room.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "chat/logprobs.hpp"
#include "chat/message.hpp"
#include "json/document.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::openai_parts {

/// Which one an element of a list is: as its `index` says, or else by its position.
[[nodiscard]] std::uint32_t index_of(const json::Value& item, std::size_t position);

/// `{"content":[…],"refusal":[…]}`; nothing for another shape (the older one of completions, Together's).
[[nodiscard]] std::optional<chat::Logprobs> read_logprobs(const json::Value& logprobs);
void write_logprobs(json::Writer& writer, const chat::Logprobs& logprobs);

/// A finish reason with the provider's own word kept where it differs.
void read_finish(const json::Value& value, chat::FinishReason& reason, std::string& native);
/// The member `finish_reason`, and `native_finish_reason` where there is a word to be kept.
void write_finish(json::Writer& writer, chat::FinishReason reason, const std::string& native, bool native_is_extra);

}  // namespace sluice::dialect::openai_parts
