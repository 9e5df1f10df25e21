#pragma once
/// How many tokens a whole request has, estimated: its texts, its tools, and what a chat puts around a message. For answers to
/// who asks for a count where nobody can count; told as an estimate. Media count nothing: no provider's rule is everybody's.

#include <cstdint>

#include "chat/request.hpp"
#include "chat/tokens.hpp"

namespace sluice::chat {

/// 0 for a request without text.
[[nodiscard]] std::uint64_t estimate_tokens(const Request& request, const tokens::Tokenizer& tokenizer) noexcept;

}  // namespace sluice::chat
