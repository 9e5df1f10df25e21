#pragma once
/// The Gemini dialect as the simulated upstream speaks it: content generated, whole, as events and as one growing array;
/// tokens counted; embeddings, one or a batch. The operation stands in the path. A tool call comes whole, and what is
/// refused is cut for safety.

#include <string_view>

#include "sim/voice.hpp"

namespace sluice::sim {

[[nodiscard]] bool is_gemini(std::string_view path) noexcept;
[[nodiscard]] const Voice& gemini_voice();

}  // namespace sluice::sim
