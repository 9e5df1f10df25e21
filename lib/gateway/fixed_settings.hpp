#pragma once
/// What a new configuration changes that a running gateway cannot: its threads and the addresses that are bound. Knows both
/// configurations; changes nothing.

#include <vector>

#include "sluice/config.hpp"

namespace sluice::gateway {

/// Each of these settings that differs, by its pointer, with both values.
[[nodiscard]] std::vector<Problem> changed_fixed_settings(const Config& running, const Config& wanted);

}  // namespace sluice::gateway
