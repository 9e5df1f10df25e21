#pragma once
/// How far a plugin's word goes. Plain values.

#include <cstdint>

namespace [[gnu::visibility("default")]] sluice {

/// Whether a plugin's verdicts are carried out, or only recorded.
enum class PluginMode : std::uint8_t { kEnforce, kObserve };
/// What happens where a plugin errs, throws or takes too long.
enum class FailMode : std::uint8_t {
  kClosed,  ///< the exchange fails
  kOpen,    ///< it goes on as if the plugin had said nothing; counted
};

}  // namespace sluice
