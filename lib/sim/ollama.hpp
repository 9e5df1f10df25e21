#pragma once
/// The Ollama dialect as the simulated upstream speaks it: chat, completions and embeddings; a stream is one object a line,
/// and is what comes unless the request says otherwise. Knows no refusals and no cached tokens; a tool call comes whole.

#include <string_view>

#include "sim/voice.hpp"

namespace sluice::sim {

[[nodiscard]] bool is_ollama(std::string_view path) noexcept;
[[nodiscard]] const Voice& ollama_voice();

}  // namespace sluice::sim
