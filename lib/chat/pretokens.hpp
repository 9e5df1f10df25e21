#pragma once
/// Cuts text the way byte-pair encodings cut it before they merge: by patterns over general categories, written by hand, for
/// they look ahead. Each piece in one look at it and at most at the run behind it: linear over a whole text.
/// Knows the patterns of o200k_base and cl100k_base; must not know ranks.

#include <cstddef>
#include <string_view>

#include "chat/tokens.hpp"

namespace sluice::chat::tokens {

/// How many bytes the first piece of `text` has. 0 for no text, and only then: pieces leave nothing out.
/// A byte that belongs to no character is taken for a sign. `whole` becomes false where one was met, and is left otherwise.
[[nodiscard]] std::size_t first_piece(std::string_view text, Vocabulary vocabulary, bool& whole) noexcept;

}  // namespace sluice::chat::tokens
