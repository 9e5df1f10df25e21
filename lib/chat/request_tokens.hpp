#pragma once
/// How many tokens a whole request has: its texts, its tools, and what a chat puts around a message. For answers to who asks for
/// a count where nobody can count; told as an estimate. Media count nothing: no provider's rule is everybody's.

#include <cstddef>
#include <cstdint>

#include "chat/bpe.hpp"
#include "chat/request.hpp"
#include "chat/tokens.hpp"

namespace sluice::chat {

/// 0 for a request without text.
[[nodiscard]] std::uint64_t estimate_tokens(const Request& request, const tokens::Tokenizer& tokenizer) noexcept;

/// By the model's own vocabulary, the first `bound` bytes of text one by one. Around messages by the rule OpenAI has published
/// for its chats: 3 tokens for each and its role, 1 for a participant's name and the name, 3 for the beginning of the answer.
/// Exact where every text was counted and there is nothing else: how tools, calls, media and a form of the answer are written
/// out for the model nobody says, so that they are estimated (media: left out). 0 for a request without text.
[[nodiscard]] tokens::Count count_tokens(const Request& request, const tokens::Bpe& bpe, std::size_t bound);

}  // namespace sluice::chat
