#pragma once
/// Base64 of the standard alphabet, padded (RFC 4648 4). Knows bytes; must not know what they are.

#include <optional>
#include <string>
#include <string_view>

namespace sluice::base {

[[nodiscard]] std::string base64_encode(std::string_view bytes);
/// Nothing for what is no base64; padding may be left out.
[[nodiscard]] std::optional<std::string> base64_decode(std::string_view text);

}  // namespace sluice::base
