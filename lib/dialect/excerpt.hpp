#pragma once
/// Makes text of a foreign server fit to be shown: short, printable, without markup and without what looks like a key.

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice::dialect {

/// The longest provider text that is kept, in bytes.
inline constexpr std::size_t kMaxProviderText = 2048;

/// Tags and their attributes go, scripts and styles with their contents; runs of blanks and controls become one blank;
/// what looks like a credential becomes `***`; at most `limit` bytes, whole characters, invalid UTF-8 replaced.
[[nodiscard]] std::string excerpt(std::string_view text, std::size_t limit = kMaxProviderText);

/// Masks what looks like a credential (`sk-…`, `Bearer …`), keeping the prefix that says which kind it was.
[[nodiscard]] std::string mask_keys(std::string_view text);

}  // namespace sluice::dialect
