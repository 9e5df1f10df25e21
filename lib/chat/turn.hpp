#pragma once
/// One turn of a conversation.

#include <string>
#include <vector>

#include "chat/content.hpp"
#include "chat/request_view.hpp"

namespace sluice::chat {

/// How a turn's content stood on the wire. Dialects that know both forms keep it; the others look at the parts alone.
enum class ContentForm : std::uint8_t { kAuto, kAbsent, kNull, kText, kParts };

/// One turn: who speaks, and what. A tool's turn holds ToolResults; an assistant's may hold thinking, text and calls in
/// the order they came.
struct Turn {
  Role role = Role::kUser;
  bool developer = false;        ///< a kSystem turn that the caller calls `developer`
  std::string name = {};         ///< of the participant, where one is given
  std::vector<Part> parts = {};
  ContentForm form = ContentForm::kAuto;
  Extras extras = {};
  friend bool operator==(const Turn&, const Turn&) = default;

  /// All its text, joined; no thinking, no refusal.
  [[nodiscard]] std::string text() const;
};

}  // namespace sluice::chat
