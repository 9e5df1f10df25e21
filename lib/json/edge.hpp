#pragma once
/// The checks that hardly any text needs: huge numbers, and where broken UTF-8 begins. Knows lexemes and bytes; must
/// not know documents.

namespace sluice::json::edge {

/// True where the lexeme, a number by the grammar, is larger than any double. An underflow to zero is none.
[[nodiscard]] bool overflows(const char* begin, const char* end) noexcept;

/// The first byte in [p, end) that is part of no well-formed character; the range is known to hold one.
[[nodiscard]] const char* first_invalid_utf8(const char* p, const char* end) noexcept;

}  // namespace sluice::json::edge
