// Turns of any dialect into messages that alternate.

#include "dialect/anthropic_conversation.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <utility>

#include "dialect/anthropic.hpp"
#include "dialect/anthropic_blocks.hpp"

namespace sluice::dialect::anthropic_parts {
namespace {

using chat::LossSeverity;
using chat::Part;
using chat::Role;
using Block = ArrangedMessage::Block;

constexpr std::string_view kUser = "user", kAssistant = "assistant", kSystem = "system";
/// What a user says who has to speak first and has said nothing: servers refuse an empty text.
constexpr std::string_view kNothing = ".";

bool is_id_char(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

std::uint32_t fnv1a(std::string_view text) noexcept {
  std::uint32_t hash = 2166136261u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash;
}

class Arranger {
 public:
  Arranger(const chat::ChatInput& chat, Conversation& out, chat::LossReport& loss) : chat_(chat), out_(out), loss_(loss) {}

  void run() {
    for (std::size_t i = 0; i < chat_.turns.size(); ++i) take(chat_.turns[i], i);
    std::erase_if(out_.messages, [](const ArrangedMessage& message) { return message.blocks.empty(); });
    merge_equals();
    if (out_.messages.empty() || out_.messages.front().role == kAssistant) {
      ArrangedMessage first{.role = kUser};
      first.blocks.push_back({&make({chat::Text{std::string(kNothing)}}), "messages[0]"});
      out_.messages.insert(out_.messages.begin(), std::move(first));
      loss_.add("messages[0]", "anthropic conversations begin with the user: one is put before it", LossSeverity::kNote);
    }
    trim_prefill();
  }

 private:
  struct Call {
    std::string id, name;
    bool answered = false;
  };

  Part& make(Part part) {
    out_.made.push_back(std::move(part));
    return out_.made.back();
  }

  void take(const chat::Turn& turn, std::size_t index) {
    const std::string path = "messages[" + std::to_string(index) + "]";
    if (!turn.name.empty()) loss_.add(path + ".name", "anthropic does not name participants", LossSeverity::kCosmetic);
    const bool own_role = chat::find_extra(turn.extras, kName, "role") != nullptr;
    if (turn.role == Role::kSystem && !own_role && out_.messages.empty()) return take_system(turn, path);
    std::string_view role = turn.role == Role::kAssistant ? kAssistant : kUser;
    if (turn.role == Role::kSystem) {
      role = own_role ? kSystem : kUser;
      if (!own_role) loss_.add(path, "anthropic has no system turns inside a conversation: it is said as the user's", LossSeverity::kNote);
    }
    ArrangedMessage message{.role = role, .first = &turn};
    if (turn.role == Role::kAssistant) calls_.clear();
    for (std::size_t i = 0; i < turn.parts.size(); ++i) {
      const std::string place = turn.parts.size() == 1 ? path : path + ".content[" + std::to_string(i) + "]";
      const Part& part = turn.parts[i];
      if (!is_block(part, role == kAssistant ? Place::kAssistant : Place::kUser, place, loss_)) continue;
      const Part* fitted = &part;
      if (const auto* call = part.as<chat::ToolCall>()) fitted = &fit_call(part, *call, index, place);
      if (const auto* result = part.as<chat::ToolResult>()) fitted = &fit_result(part, *result);
      message.blocks.push_back({fitted, place});
    }
    out_.messages.push_back(std::move(message));
  }

  void take_system(const chat::Turn& turn, const std::string& path) {
    out_.system_is_text = out_.system.empty() && turn.form == chat::ContentForm::kText;
    for (const Part& part : turn.parts) {
      if (part.as<chat::Text>() == nullptr) {
        loss_.add(path, "anthropic's system prompt is text alone", LossSeverity::kSemantic);
      } else if (is_block(part, Place::kUser, path, loss_)) {
        out_.system.push_back({&part, path});
      }
    }
  }

  const Part& fit_call(const Part& part, const chat::ToolCall& call, std::size_t turn, const std::string& path) {
    std::string id = call.id.empty() ? id_at(turn, calls_.size()) : fit_id(call.id);
    calls_.push_back({id, call.name});
    if (call.kind != chat::ToolKind::kFunction) loss_.add(path, "anthropic has no calls with free text: it is put into an object", LossSeverity::kNote);
    if (id == call.id) return part;
    chat::ToolCall copy = call;
    copy.id = std::move(id);
    return make({std::move(copy)});
  }

  /// The id of the call it answers; where the dialect has none, the first call of that name that has no answer yet.
  const Part& fit_result(const Part& part, const chat::ToolResult& result) {
    std::string id = fit_id(result.call_id);
    const auto open = std::find_if(calls_.begin(), calls_.end(), [&](const Call& call) {
      if (!id.empty()) return call.id == id;
      return !call.answered && (result.name.empty() || call.name == result.name);
    });
    if (open != calls_.end()) {
      open->answered = true;
      id = open->id;
    }
    if (id == result.call_id) return part;
    chat::ToolResult copy = result;
    copy.call_id = std::move(id);
    return make({std::move(copy)});
  }

  void merge_equals() {
    std::vector<ArrangedMessage> merged;
    for (ArrangedMessage& message : out_.messages) {
      if (merged.empty() || merged.back().role != message.role || message.role == kSystem) {
        merged.push_back(std::move(message));
        continue;
      }
      // What tools gave back and what the user says to it is one message here and several elsewhere: nothing is changed by it.
      if (merged.back().first != nullptr && merged.back().first->role != Role::kTool) {
        loss_.add(message.blocks.front().path, "anthropic's turns alternate: it is joined to the one before it", LossSeverity::kNote);
      }
      merged.back().merged = true;
      std::move(message.blocks.begin(), message.blocks.end(), std::back_inserter(merged.back().blocks));
    }
    for (ArrangedMessage& message : merged) {
      if (message.role != kUser) continue;
      std::stable_partition(message.blocks.begin(), message.blocks.end(),
                            [](const Block& block) { return block.part->as<chat::ToolResult>() != nullptr; });
    }
    out_.messages = std::move(merged);
  }

  /// An answer that is begun for the model must not end in blanks.
  void trim_prefill() {
    ArrangedMessage& last = out_.messages.back();
    const auto* text = last.role == kAssistant ? last.blocks.back().part->as<chat::Text>() : nullptr;
    if (text == nullptr) return;
    const std::size_t end = text->text.find_last_not_of(" \t\r\n") + 1;
    if (end == text->text.size()) return;
    chat::Text copy = *text;
    copy.text.resize(end);
    loss_.add(last.blocks.back().path, "anthropic refuses blanks at the end of a begun answer: they are cut off", LossSeverity::kNote);
    last.blocks.back().part = &make({std::move(copy)});
  }

  const chat::ChatInput& chat_;
  Conversation& out_;
  chat::LossReport& loss_;
  std::vector<Call> calls_;  // of the last assistant turn
};

}  // namespace

std::string fit_id(std::string_view id) {
  if (std::all_of(id.begin(), id.end(), is_id_char)) return std::string(id);
  std::string out;
  for (const char c : id) out += is_id_char(c) ? c : '_';
  char hash[16];
  std::snprintf(hash, sizeof hash, "_%08x", static_cast<unsigned>(fnv1a(id)));
  return out + hash;
}

std::string id_at(std::size_t turn, std::size_t call) { return "toolu_" + std::to_string(turn) + "_" + std::to_string(call); }

void arrange(const chat::ChatInput& chat, Conversation& out, chat::LossReport& loss) { Arranger(chat, out, loss).run(); }

}  // namespace sluice::dialect::anthropic_parts
