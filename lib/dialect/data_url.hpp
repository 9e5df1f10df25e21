#pragma once
/// Data URLs with base64 in them, taken apart and put together. Source: RFC 2397.

#include <string>
#include <string_view>

#include "chat/content.hpp"

namespace sluice::dialect {

/// `data:image/png;base64,…` into its media type and data; false where `url` is something else.
[[nodiscard]] bool read_data_url(const std::string& url, chat::Source& source);
/// The other way. `fallback_type` stands where the source does not say what it is.
[[nodiscard]] std::string data_url(const chat::Source& source, std::string_view fallback_type);

}  // namespace sluice::dialect
