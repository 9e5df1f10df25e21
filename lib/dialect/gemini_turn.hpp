#pragma once
/// Contents and their parts of the Gemini dialect, both ways. Private to the room.

#include <string>
#include <string_view>
#include <vector>

#include "chat/loss.hpp"
#include "chat/turn.hpp"
#include "json/document.hpp"
#include "json/writer.hpp"
#include "sluice/error.hpp"

namespace sluice::dialect::gemini_parts {

/// One element of `contents`, or `systemInstruction` where `system`. Errors: kInvalidParameter, naming `path`.
[[nodiscard]] Result<chat::Turn> read_content(const json::Value& content, const std::string& path, bool system);
/// One element of `parts`. What nobody else knows is an OpaquePart.
[[nodiscard]] chat::Part read_part(const json::Value& part);
/// A call's `args` as JSON text; `{}` where it has none.
[[nodiscard]] std::string arguments_of(const json::Value& call);
/// Every member of `object` but the named ones (camelCase), as extras.
void keep_others(chat::Extras& extras, const json::Value& object, std::initializer_list<std::string_view> known);

/// The turns of a request: `systemInstruction` and `contents`. `model` decides what a server of that name takes.
void write_turns(json::Writer& writer, const std::vector<chat::Turn>& turns, std::string_view model, chat::LossReport& loss);
/// The parts of an answer, one after the other, into an open list. `taken` tells what had no place.
void write_answer_part(json::Writer& writer, const chat::Part& part, const std::string& path, chat::LossReport& loss);
/// A `functionCall` part.
void write_call(json::Writer& writer, const chat::ToolCall& call);
/// Extras of this dialect as members; the others go on the report.
void write_extras(json::Writer& writer, const chat::Extras& extras, const std::string& path, chat::LossReport& loss);

/// Models before Gemini 3: what they think is bounded by a budget, and results of their tools hold no media.
[[nodiscard]] bool is_before_3(std::string_view model) noexcept;
/// Gemini 3 and later, by name: a call that is replayed without its thought signature is refused.
[[nodiscard]] bool wants_signatures(std::string_view model) noexcept;

}  // namespace sluice::dialect::gemini_parts
