#pragma once
/// Compressed request bodies, decoded within bounds.

#include <cstdint>
#include <string>
#include <string_view>

#include "sluice/error.hpp"

namespace sluice::gateway {

/// Decodes `bytes` by a Content-Encoding of gzip or deflate (zlib-wrapped or raw).
/// Errors: kUnsupportedEncoding for another coding, several codings, or damaged data; kBodyTooLarge once the result
/// is over `limit`, or over 200 times what came after the first MiB.
[[nodiscard]] Result<std::string> inflate(std::string_view bytes, std::string_view coding, std::uint64_t limit);

}  // namespace sluice::gateway
