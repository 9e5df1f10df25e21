#pragma once
/// What an endpoint says in its errors, made fit to stand in one of ours. Knows bounds and control characters; must not know
/// which endpoint it is.

#include <string>
#include <string_view>

namespace sluice::auth {

/// `text` on one line: at most 200 bytes of it, a run of blanks and controls as one blank, bytes beyond ASCII as `?`.
[[nodiscard]] std::string endpoint_words(std::string_view text);

}  // namespace sluice::auth
