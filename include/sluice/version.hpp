#pragma once
/// Which sluice this is.

#include <string_view>

#define SLUICE_VERSION_MAJOR 0
#define SLUICE_VERSION_MINOR 1
#define SLUICE_VERSION_PATCH 0

namespace [[gnu::visibility("default")]] sluice {

/// The version of the library that is linked, as SemVer: "0.1.0". Lifetime: static.
[[nodiscard]] std::string_view version() noexcept;

}  // namespace sluice
