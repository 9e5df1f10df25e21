#pragma once
/// Which call a result answers. Most servers of this dialect give their calls no id and expect results by name, in the order
/// of the calls; every other dialect goes by ids. So calls without one get one on their way in, and lose it on their way
/// out. Private to the room.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "chat/turn.hpp"

namespace sluice::dialect::gemini_parts {

/// An id for a call that has none: the same each time the same answer is read, another one in every other answer.
/// At most 40 characters of [A-Za-z0-9_-], which is what all dialects take.
[[nodiscard]] std::string made_id(std::string_view response_id, std::uint32_t choice, std::size_t call);
/// True for what made_id() gives: its server knows no such id.
[[nodiscard]] bool is_made_id(std::string_view id) noexcept;

/// Gives ids to the calls of a conversation, and to the results the id of the call they answer: the first of that name that
/// has no answer yet.
void give_ids(std::vector<chat::Turn>& turns);

/// The calls of a conversation as far as it has been followed, for who writes results.
class Calls {
 public:
  /// Remembers the calls of a turn. A turn of results leaves them as they are.
  void follow(const chat::Turn& turn);
  /// The name of the tool that result is of; empty where nobody knows.
  [[nodiscard]] std::string_view name_of(const chat::ToolResult& result) const noexcept;
  /// Where the answered call stands among the calls of the last turn that has some; behind them all where it is none of these.
  [[nodiscard]] std::size_t place_of(const chat::ToolResult& result) const noexcept;

 private:
  struct Call {
    std::string id, name;
  };
  std::vector<Call> all_;
  std::size_t last_turn_ = 0;  // where in all_ the calls of the last turn begin
};

}  // namespace sluice::dialect::gemini_parts
