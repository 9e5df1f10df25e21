// Turns into messages of Bedrock. A turn that fits stays as it is: only what its servers would refuse is changed.

#include "dialect/bedrock_conversation.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "dialect/bedrock.hpp"
#include "dialect/lost_extras.hpp"

namespace sluice::dialect::bedrock_parts {
namespace {

using chat::LossSeverity;
using chat::Part;
using chat::Role;

/// Source: ToolUseId of the service model.
bool fits_id(std::string_view id) noexcept {
  constexpr std::size_t kLongest = 64;
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-";
  return !id.empty() && id.size() <= kLongest && id.find_first_not_of(kAllowed) == std::string_view::npos;
}

bool says_nothing(const Part& part) noexcept {
  const auto* text = part.as<chat::Text>();
  return text != nullptr && text->text.empty() && text->citations.empty() && !text->cache;
}

class Arranger {
 public:
  Arranger(Conversation& out, chat::LossReport& loss) : out_(out), loss_(loss) {}

  void run(const chat::ChatInput& chat) {
    for (std::size_t i = 0; i < chat.turns.size(); ++i) turn(chat.turns[i], "messages[" + std::to_string(i) + "]");
    if (!out_.messages.empty() && out_.messages.front().role == "assistant") {
      loss_.add("messages[0]", "bedrock's conversations begin with the user: a word of theirs was put first", LossSeverity::kNote);
      ArrangedMessage first{.role = "user"};
      first.blocks.push_back({made({chat::Text{"(continued)"}}), "messages[0]"});
      out_.messages.insert(out_.messages.begin(), std::move(first));
    }
    for (ArrangedMessage& message : out_.messages) accompany_documents(message);
  }

 private:
  void turn(const chat::Turn& turn, const std::string& path) {
    if (turn.role == Role::kSystem && chat::find_extra(turn.extras, kName, "inMessages") == nullptr) {
      if (!out_.messages.empty()) loss_.add(path, "bedrock has one place for system texts, before the conversation", LossSeverity::kNote);
      for (const Part& part : turn.parts) out_.system.push_back({&part, path});
      return;
    }
    const std::string_view role = turn.role == Role::kAssistant ? "assistant" : turn.role == Role::kSystem ? "system" : "user";
    if (!turn.name.empty()) loss_.add(path + ".name", "bedrock's participants have no names", LossSeverity::kCosmetic);
    for (const Part& part : turn.parts) {
      if (says_nothing(part)) continue;
      // A turn that says nothing at all parts nobody's messages.
      if (out_.messages.empty() || out_.messages.back().role != role) out_.messages.push_back({.role = role});
      out_.messages.back().blocks.push_back({placed(part, path), path});
    }
    for (const chat::Extra& extra : turn.extras) {
      if (extra.dialect != kName) loss_.add(path + "." + extra.key, why_lost(extra), LossSeverity::kCosmetic);
    }
  }

  /// The part, its ids fit for Bedrock.
  const Part* placed(const Part& part, const std::string& path) {
    if (const auto* call = part.as<chat::ToolCall>()) {
      out_.uses_tools = true;
      if (std::find(out_.called.begin(), out_.called.end(), call->name) == out_.called.end()) out_.called.push_back(call->name);
      const std::string id = call->id.empty() ? "call_" + std::to_string(calls_.size()) : fit_id(call->id);
      calls_.push_back({id, call->name});
      if (id == call->id) return &part;
      if (!call->id.empty()) loss_.add(path, "bedrock's call ids have fewer characters: rewritten", LossSeverity::kNote);
      chat::ToolCall changed = *call;
      changed.id = id;
      return made({std::move(changed)});
    }
    if (const auto* result = part.as<chat::ToolResult>()) {
      out_.uses_tools = true;
      const std::string id = result->call_id.empty() ? answered(result->name) : fit_id(result->call_id);
      if (id == result->call_id) return &part;
      chat::ToolResult changed = *result;
      changed.call_id = id;
      return made({std::move(changed)});
    }
    return &part;
  }

  /// Results without an id come in the order of the calls, or name their tool.
  std::string answered(std::string_view name) {
    for (Call& call : calls_) {
      if (call.answered || (!name.empty() && call.name != name)) continue;
      call.answered = true;
      return call.id;
    }
    return "call_0";
  }

  /// A document needs a text beside it.
  void accompany_documents(ArrangedMessage& message) {
    const auto any = [&](auto is) { return std::any_of(message.blocks.begin(), message.blocks.end(), is); };
    if (!any([](const auto& block) { return block.part->template as<chat::Document>() != nullptr; })) return;
    if (any([](const auto& block) { return block.part->template as<chat::Text>() != nullptr; })) return;
    const std::string path = message.blocks.front().path;
    loss_.add(path, "bedrock takes documents beside a text alone: one was added", LossSeverity::kNote);
    message.blocks.push_back({made({chat::Text{"(see the document)"}}), path});
  }

  const Part* made(Part part) { return &out_.made.emplace_back(std::move(part)); }

  struct Call {
    std::string id;
    std::string_view name;
    bool answered = false;
  };
  Conversation& out_;
  chat::LossReport& loss_;
  std::vector<Call> calls_;
};

}  // namespace

void arrange(const chat::ChatInput& chat, Conversation& out, chat::LossReport& loss) { Arranger(out, loss).run(chat); }

std::string fit_id(std::string_view id) {
  if (fits_id(id)) return std::string(id);
  // FNV-1a of the whole id: two ids that differ stay two.
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : id) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  std::string out = "call_";
  for (int shift = 60; shift >= 0; shift -= 4) out += "0123456789abcdef"[hash >> shift & 15];
  return out;
}

}  // namespace sluice::dialect::bedrock_parts
