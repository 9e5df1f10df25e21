#pragma once
/// Which call a tool's result answers, where calls have no ids: results come in the order of the calls, or name the tool.
/// Knows calls and results of one conversation, in its order; must not know how either is written.

#include <cstddef>
#include <string>
#include <vector>

#include "chat/content.hpp"

namespace sluice::dialect {

class CallIds {
 public:
  /// The id that stands for the nth call (from 0) of a conversation whose calls have none: the same every time.
  [[nodiscard]] static std::string made_up(std::size_t n) { return "call_" + std::to_string(n); }

  /// To be told of each call, in order: its id, made up where it has none.
  [[nodiscard]] std::string id_of(const chat::ToolCall& call);
  /// True where the call that was told last has no id of its own, or the one that is made up for its place.
  [[nodiscard]] bool last_was_made_up() const noexcept { return !calls_.empty() && calls_.back().made_up; }

  struct Answered {
    std::string id = {}, name = {};
    bool made_up = false;  ///< the call has no id of its own
  };
  /// To be told of each result, in order: the call it answers. By id where it has one; else the first call of its tool that
  /// has no answer yet, or the first call at all that has none. Empty where there is no such call.
  [[nodiscard]] Answered answered_by(const chat::ToolResult& result);

 private:
  struct Call {
    std::string id, name;
    bool made_up = false, answered = false;
  };
  std::vector<Call> calls_;
};

}  // namespace sluice::dialect
