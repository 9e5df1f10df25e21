#pragma once
/// OpenAI's Responses dialect as the simulated upstream speaks it: an answer is a list of items, repeats much of what was
/// asked, and streams as numbered events that open and close each item. Nothing is kept: no answer can be fetched later.

#include <string_view>

#include "sim/voice.hpp"

namespace sluice::sim {

[[nodiscard]] bool is_openai_responses(std::string_view path) noexcept;
[[nodiscard]] const Voice& openai_responses_voice();

}  // namespace sluice::sim
