#pragma once
/// `additionalModelRequestFields`: what single families of models take beside Converse's own. Knows the families by their
/// names; a name that hides one (an application's inference profile) is taken for none. Private to the room.

#include <cstdint>
#include <optional>
#include <string_view>

#include "chat/loss.hpp"
#include "chat/request.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::bedrock_parts {

enum class Family : std::uint8_t { kOther, kAnthropic, kNova, kOpenAi };
[[nodiscard]] Family family_of(std::string_view model) noexcept;

/// Tokens an Anthropic model is to think for; nothing where it is not to. Below the answer's bound, as its servers want it.
[[nodiscard]] std::optional<std::int64_t> thinking_budget(const chat::Request& request, Family family);

/// Writes the member where there is something to say; the caller's own, if it came in this dialect, as it stood.
void write_model_fields(json::Writer& writer, const chat::Request& request, Family family, chat::LossReport& loss);

/// Nova's member for it, where it is to think.
void write_nova_reasoning(json::Writer& writer, const chat::Reasoning& reasoning, chat::LossReport& loss);

}  // namespace sluice::dialect::bedrock_parts
