#pragma once
/// A streamed answer, one event at a time. Where a dialect has a single choice, or choices that stream side by side, it
/// only words the moments (Phrases), and Recital brings them in order. Knows no time, no fault, no connection.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/composition.hpp"

namespace sluice::sim {

/// The events of a streamed answer, in order, with their framing.
class Events {
 public:
  virtual ~Events() = default;

  /// When an event is due: with the head, or with the token `token` of its choice (what closes a stream comes with the last).
  struct Event {
    bool with_head = false;
    std::uint64_t token = 0;
  };
  /// What comes next; empty = the stream is over.
  [[nodiscard]] virtual std::optional<Event> peek() const = 0;
  /// Appends that event.
  virtual void take(std::string& out) = 0;
  /// Appends, instead of what comes next, that the server has failed: after `said` events, or behind the last of them.
  /// Nothing where the stream is over and its framing has no place for more.
  virtual void break_off(std::string& out, std::uint64_t said, bool over) = 0;
};

/// Where a stream is: a choice, and in it the text or one of its tool calls.
struct Place {
  std::size_t choice = 0;
  std::size_t part = 0;   ///< the how manieth tool call; 0 for a text
  bool tool = false;
};

/// How a dialect words the moments of a streamed answer. Each appends whole events with their framing: none, one, or more.
class Phrases {
 public:
  using Lines = std::vector<std::string>;
  virtual ~Phrases() = default;

  /// With the head.
  virtual void open(Lines&) {}
  /// A text or a tool call begins.
  virtual void begin(const Place&, Lines&) {}
  /// One token of a text, or of a tool call's arguments.
  virtual void token(const Place&, std::string_view, Lines&) {}
  /// Its last token was said.
  virtual void end(const Place&, Lines&) {}
  /// A choice is over.
  virtual void finish(std::size_t, Lines&) {}
  virtual void close(Lines&) {}
  /// See Events::break_off.
  [[nodiscard]] virtual std::string failure(std::uint64_t said, bool over) const = 0;
};

/// The moments of a composition in order: every choice says one token a step. A tool call takes a step to begin.
class Recital final : public Events {
 public:
  Recital(std::shared_ptr<const Composition> what, std::unique_ptr<Phrases> phrases);

  [[nodiscard]] std::optional<Event> peek() const override;
  void take(std::string& out) override;
  void break_off(std::string& out, std::uint64_t said, bool over) override { out += phrases_->failure(said, over); }

 private:
  struct Position {
    std::size_t at = 0;      // in the text, or in the arguments of the tool
    std::size_t tool = 0;
    bool opened = false, over = false;
  };

  void settle();
  void step(std::size_t choice);
  void queue(const Event& when);

  std::shared_ptr<const Composition> what_;
  std::unique_ptr<Phrases> phrases_;
  std::vector<Position> positions_;
  std::deque<std::pair<Event, std::string>> ready_;
  Phrases::Lines lines_;
  std::uint64_t step_ = 0;
  bool closed_ = false;
};

}  // namespace sluice::sim
