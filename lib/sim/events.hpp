#pragma once
/// The words of a streamed answer, one event at a time. Its templates are our own, as those of answer.hpp, and so is the
/// framing. Knows no time, no fault, no connection.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/answer.hpp"

namespace sluice::sim {

/// The events of a streamed answer, in order.
class Events {
 public:
  explicit Events(Composition what);

  /// When an event is due: with the head, or with the token `token` of its choice (what closes a stream comes with the last).
  struct Event {
    bool with_head = false;
    std::uint64_t token = 0;
  };
  /// What comes next; empty = the stream is over.
  [[nodiscard]] std::optional<Event> peek() const;
  /// Appends that event with its framing.
  void take(std::string& out);

 private:
  enum class Phase : std::uint8_t { kRole, kContent, kFinish, kUsage, kDone, kOver };
  struct Position {
    std::size_t at = 0;      // in the text, or in the arguments of the tool
    std::size_t tool = 0;
    bool opened = false;     // the tool's first delta is out
    bool over = false;
  };

  void settle();
  void take_content(std::string& out);
  [[nodiscard]] bool chat() const noexcept { return what_.asked.subject == Subject::kChat; }
  void open_choice(std::string& out, std::size_t choice) const;
  void close_choice(std::string& out, std::size_t choice, std::string_view finish) const;

  Composition what_;
  std::string before_, after_;       // of every choices array
  std::vector<Position> positions_;
  Phase phase_ = Phase::kRole;
  std::size_t choice_ = 0;
  std::uint64_t step_ = 0;           // each choice says one token a step
  bool said_ = false;                // something in this step
};

}  // namespace sluice::sim
