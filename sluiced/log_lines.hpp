#pragma once
/// Lines of the daemon's log, as text for people or as JSON, one object a line. Knows fields and their names
/// (docs/operating.md); must not know where lines go, nor the clock: callers pass the time.

#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/core.hpp"
#include "options.hpp"
#include "sluice/gateway.hpp"

namespace sluiced {

/// One line a line of `text`, each with its break; a control character in it is written as `\xNN`.
[[nodiscard]] std::string log_lines(LogFormat format, sluice::WallTime time, sluice::LogLevel level, std::string_view text);

/// The line of an exchange that is over. It holds neither content nor a query nor a secret of the configuration, and no
/// value can forge a field or a second line.
[[nodiscard]] std::string access_line(LogFormat format, const sluice::Outcome& outcome, const sluice::gateway::AskedFor& asked);

/// What stands where lines were dropped.
[[nodiscard]] std::string dropped_line(LogFormat format, sluice::WallTime time, std::uint64_t lines);

}  // namespace sluiced
