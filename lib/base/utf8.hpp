#pragma once
/// Code points in and out of UTF-8.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::base {

/// Appends `code_point` as UTF-8; what is no scalar value becomes U+FFFD.
void append_utf8(std::string& out, std::uint32_t code_point);
/// True for well-formed UTF-8: no overlong form, no surrogate, nothing above U+10FFFF.
[[nodiscard]] bool is_utf8(std::string_view bytes) noexcept;
/// The longest prefix of `bytes` that does not end inside a character, at most `limit` bytes.
[[nodiscard]] std::string_view truncate_utf8(std::string_view bytes, std::size_t limit) noexcept;

}  // namespace sluice::base
