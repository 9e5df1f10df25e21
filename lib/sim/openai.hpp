#pragma once
/// The OpenAI dialect as the simulated upstream speaks it: chat, completions, embeddings, moderations, models. Whole bodies
/// as they are printed there (indented). Its reader is openai_asked.cpp, its whole answers openai_answer.cpp, its streams
/// openai_events.cpp.

#include <memory>
#include <string>
#include <string_view>

#include "sim/voice.hpp"

namespace sluice::sim {

[[nodiscard]] const Voice& openai_voice();

// The voice, by file.
[[nodiscard]] Asked read_openai(std::string_view method, std::string_view target, const Body& body);
[[nodiscard]] std::string openai_answer(const Composition& what);
[[nodiscard]] std::unique_ptr<Events> openai_events(Composition what);
/// Why a choice ends, in its words.
[[nodiscard]] std::string_view openai_reason(Ending ending) noexcept;

}  // namespace sluice::sim
