#pragma once
/// What a new configuration changes that a running daemon cannot: its threads and the addresses it has bound. Knows both
/// documents; changes nothing.

#include <vector>

#include "sluice/config.hpp"

namespace sluiced {

/// Each of these settings that differs, by its pointer, with both values.
[[nodiscard]] std::vector<sluice::Problem> needs_restart(const sluice::Config& running, const sluice::Config& wanted);

}  // namespace sluiced
