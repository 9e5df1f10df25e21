#pragma once
/// The Cohere dialect (v2) as the simulated upstream speaks it: chat, whole and streamed; embeddings in all their number
/// formats; documents ranked. A refusal is a text like others there.

#include <string_view>

#include "sim/voice.hpp"

namespace sluice::sim {

[[nodiscard]] bool is_cohere(std::string_view path) noexcept;
[[nodiscard]] const Voice& cohere_voice();

}  // namespace sluice::sim
