#pragma once
/// The words of an answer in the OpenAI dialect: templates of our own, after what the real service was recorded to say.
/// Whole bodies as they are printed there (indented), and events one at a time. Knows no time, no fault, no connection.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/asked.hpp"
#include "sim/script.hpp"

namespace sluice::sim {

/// One choice of a chat or completion answer, complete.
struct Choice {
  std::string text;                              ///< content, or the refusal
  bool refusal = false;
  std::vector<testing::ScriptedToolCall> tools;  ///< with ids; not empty = the content is null
  std::uint64_t tokens = 0;
  std::string_view finish = "stop";
};

struct Counts {
  std::uint64_t input = 0, cached = 0, output = 0;
};

/// Everything an answer says, decided before its first byte.
struct Composition {
  Asked asked;
  std::shared_ptr<const Settings> settings;
  std::string id, fingerprint;
  std::int64_t created = 0;       ///< seconds of the civil time
  std::vector<Choice> choices;    ///< chat and completions
  Counts counts;
};

/// Decides what to say. A request for a model the script does not serve gets a problem.
[[nodiscard]] Composition compose(Asked asked, std::shared_ptr<const Settings> settings, Random& random, std::int64_t created);

/// The body of an answer that is not streamed.
[[nodiscard]] std::string whole_answer(const Composition& what);

/// An error as the service words it; empty param and code are null.
[[nodiscard]] std::string error_answer(std::string_view message, std::string_view type, std::string_view param, std::string_view code);
/// The error this status usually comes with.
[[nodiscard]] std::string status_answer(int status);

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
