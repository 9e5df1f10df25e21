#pragma once
/// The simulator's own idea of text: what a token is, text made up from a seed, JSON string escapes, base64.
/// Exact by definition: a count is what this file says, and pieces put together give the text again.
/// Shares nothing with the token estimate or the JSON writer of the gateway, which it helps to test.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "sluice/random.hpp"

namespace sluice::sim {

/// Where the token that begins at `from` ends: the blanks before it, then one word (letters, digits, `_`, `'` inside,
/// anything beyond ASCII) or one punctuation mark. Blanks at the end of the text belong to the last token.
[[nodiscard]] std::size_t token_end(std::string_view text, std::size_t from) noexcept;

/// How many tokens a text has. Blanks alone have none.
[[nodiscard]] std::uint64_t count_tokens(std::string_view text) noexcept;

/// The first `tokens` tokens of the text; all of it where it has no more.
[[nodiscard]] std::string_view first_tokens(std::string_view text, std::uint64_t tokens) noexcept;

/// Readable text of exactly `tokens` tokens.
[[nodiscard]] std::string generate_text(Random& random, std::size_t tokens);

/// `size` characters out of [0-9A-Za-z].
[[nodiscard]] std::string random_name(Random& random, std::size_t size);

/// Appends what stands between the quotes of a JSON string.
void append_escaped(std::string& out, std::string_view text);
/// The same with quotes.
void append_quoted(std::string& out, std::string_view text);
[[nodiscard]] std::string quote(std::string_view text);
void append_number(std::string& out, std::uint64_t n);
void append_float(std::string& out, float x);
void append_float(std::string& out, double x);

/// Arguments of a tool call where a dialect wants an object: as they stand, on one line; `{}` where there are none, a
/// string where they are no JSON.
[[nodiscard]] std::string object_text(std::string_view arguments);

/// Compact JSON, two blanks a level; empty objects and arrays stay on their line.
[[nodiscard]] std::string indented(std::string_view json);

/// In the shape of a UUID, and the same for the same `name`.
[[nodiscard]] std::string uuid(std::string_view name);
/// 2026-01-01T00:00:00Z.
[[nodiscard]] std::string utc_time(std::int64_t seconds);

[[nodiscard]] std::string base64(std::string_view bytes);

/// A hash that is the same on every machine (FNV-1a, 64 bits).
[[nodiscard]] std::uint64_t stable_hash(std::string_view bytes) noexcept;

}  // namespace sluice::sim
