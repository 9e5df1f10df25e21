#pragma once
/// The Anthropic dialect as the simulated upstream speaks it: messages, whole and streamed, and their token count. A
/// refusal says nothing but why; of the input, what came from a cache is counted apart.

#include <string_view>

#include "sim/voice.hpp"

namespace sluice::sim {

[[nodiscard]] bool is_anthropic(std::string_view path) noexcept;
[[nodiscard]] const Voice& anthropic_voice();

}  // namespace sluice::sim
