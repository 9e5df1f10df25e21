// Conversations as prompts, by the chat template of a model.

#include "dialect/rest_parts.hpp"

namespace sluice::dialect::rest_parts {
namespace {

using chat::LossSeverity;
using chat::Role;

std::string place_of(std::size_t turn) { return "messages[" + std::to_string(turn) + "]"; }

/// Its text as the model reads it: a refusal was one, too.
std::string words_of(const chat::Turn& turn) {
  std::string out;
  for (const chat::Part& part : turn.parts) {
    if (const auto* text = part.as<chat::Text>()) out += text->text;
    if (const auto* refusal = part.as<chat::Refusal>()) out += refusal->text;
  }
  return out;
}

}  // namespace

void lose_parts(const chat::Turn& turn, const std::string& path, chat::LossReport& loss) {
  for (std::size_t i = 0; i < turn.parts.size(); ++i) {
    const chat::Part& part = turn.parts[i];
    const std::string here = path + ".content[" + std::to_string(i) + "]";
    if (const auto* text = part.as<chat::Text>()) {
      if (text->cache) loss.add(here + ".cache_control", "a prompt has no marks in it", LossSeverity::kCosmetic);
    } else if (part.as<chat::Thinking>()) {
      loss.add(here, "what the model thought earlier stands in no prompt", LossSeverity::kNote);
    } else if (part.as<chat::ToolCall>()) {
      loss.add(path + ".tool_calls", "a prompt has no place for calls of tools", LossSeverity::kSemantic);
    } else if (part.as<chat::ToolResult>()) {
      loss.add(path, "a prompt has no place for results of tools", LossSeverity::kSemantic);
    } else if (!part.as<chat::Refusal>()) {
      loss.add(here, "a prompt is text alone", LossSeverity::kSemantic);
    }
  }
}

std::string prompt_of(const chat::ChatInput& chat, const RestPrompt* form, bool system_apart, chat::LossReport& loss) {
  std::string out = form == nullptr ? std::string() : form->begin;
  std::size_t told = 0;
  for (std::size_t i = 0; i < chat.turns.size(); ++i) {
    const chat::Turn& turn = chat.turns[i];
    lose_parts(turn, place_of(i), loss);
    if (system_apart && turn.role == Role::kSystem) continue;
    if (!turn.name.empty()) loss.add(place_of(i) + ".name", "a prompt does not name who speaks", LossSeverity::kCosmetic);
    const bool last = i + 1 == chat.turns.size();
    if (form == nullptr) {
      if (told++ > 0 || turn.role != Role::kUser) {
        loss.add(place_of(i), "the upstream takes one prompt, and its configuration has no chat template (rest.prompt): a single user "
                              "message can be told, and nothing else", LossSeverity::kSemantic);
      }
      out += words_of(turn);
      continue;
    }
    if (turn.role == Role::kTool) continue;  // lost above
    const RestPrompt::Role& role = turn.role == Role::kSystem ? form->system : turn.role == Role::kUser ? form->user : form->assistant;
    out.append(role.prefix).append(words_of(turn));
    // Who ends with words of the model has it go on with them.
    if (last && turn.role == Role::kAssistant) return out;
    out += role.suffix;
  }
  if (form != nullptr) out += form->answer;
  return out;
}

std::string system_of(const chat::ChatInput& chat) {
  std::string out;
  for (const chat::Turn& turn : chat.turns) {
    if (turn.role != Role::kSystem) continue;
    if (!out.empty()) out += "\n\n";
    out += words_of(turn);
  }
  return out;
}

std::string last_user_of(const chat::ChatInput& chat) {
  for (auto turn = chat.turns.rbegin(); turn != chat.turns.rend(); ++turn) {
    if (turn->role == Role::kUser) return words_of(*turn);
  }
  return {};
}

}  // namespace sluice::dialect::rest_parts
