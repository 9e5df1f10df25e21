#pragma once
/// How large a JSON string is once it is decoded, counted where it stands: characters, and the bytes that base64 or percent
/// encoding stands for. Knows escapes; must not know what a string is for. Takes raw strings that the parser has passed
/// (json::Value::raw_string); one that is malformed is counted without harm.

#include <cstdint>
#include <string_view>

namespace sluice::dialect {

/// Code points of the decoded text; an escaped surrogate pair is one.
[[nodiscard]] std::uint64_t code_points(std::string_view raw) noexcept;

/// Bytes that the base64 text stands for, of either alphabet: padding at the end and line breaks stand for nothing, every
/// other character for six bits, also one that is none of the alphabet: never less than a decoder gives.
/// Cost: a search for the first backslash; the text is read only where there is one.
[[nodiscard]] std::uint64_t base64_bytes(std::string_view raw) noexcept;

/// Bytes of the text after percent decoding.
[[nodiscard]] std::uint64_t percent_bytes(std::string_view raw) noexcept;

/// Takes the first character off `raw`, which is not empty: as it is where it is ASCII, else 0x80. An escaped pair counts
/// as two, and each byte of a longer character as one: this is for reading what is ASCII.
[[nodiscard]] unsigned char take_ascii(std::string_view& raw) noexcept;

}  // namespace sluice::dialect
