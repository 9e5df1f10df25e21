#pragma once
/// Finds the texts of one element of `choices`: in a chunk's `delta`, in an answer's `message`, in a completion. Knows the
/// members that hold text and how servers repeat themselves; must not know events or bodies. Private to the room.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "dialect/answer_editor.hpp"
#include "dialect/openai_stream.hpp"
#include "json/document.hpp"

namespace sluice::dialect::openai_parts {

/// Where a value stands.
[[nodiscard]] AnswerTexts::Place place_of(const json::Value& value, AnswerTexts::Form form = AnswerTexts::Form::kString);
/// Where something could stand as the first thing of an object or a list. Literals.
[[nodiscard]] AnswerTexts::Place place_in(const json::Value& container, std::string_view before, std::string_view behind = {});

/// One per stream, whose tool calls it numbers as they begin, or one per whole answer.
class TextReader {
 public:
  explicit TextReader(bool streaming) : streaming_(streaming) {}

  /// Puts the texts of `item`, an element of `choices`, into `out`. True where it has a finish reason.
  bool read(const json::Value& item, std::size_t position, AnswerTexts& out);
  /// True where the item that was read last would mean the same with any other text in its one text's place: no call
  /// began, nothing is said twice, nothing tells of the text beside it.
  [[nodiscard]] bool plain() const noexcept { return plain_; }
  /// To be told of every text that is written: what is said again in later events is then null there.
  void note_changes(const AnswerTexts& texts);

  /// The calls of a choice as far as they have come; null where it has none.
  [[nodiscard]] const ToolCalls* calls_of(std::uint32_t choice) const noexcept;
  /// How this stream says what the model thinks.
  enum class Thinking : std::uint8_t { kReasoningContent, kReasoning, kDetails, kContentPart };
  [[nodiscard]] Thinking thinking() const noexcept { return thinking_; }

 private:
  static constexpr std::size_t kNoText = static_cast<std::size_t>(-1);

  std::size_t& first_of(TextChannel channel) noexcept { return first_[static_cast<std::size_t>(channel)]; }
  [[nodiscard]] std::size_t first_of(TextChannel channel) const noexcept { return first_[static_cast<std::size_t>(channel)]; }

  void holder(const json::Value& object);
  void content(const json::Value& value);
  void part(const json::Value& item);
  void string(TextChannel channel, const json::Value& value);
  void thought(const json::Value& value, Thinking form);
  void details(const json::Value& list);
  void call(const json::Value& item);
  void legacy_call(const json::Value& item);
  void begin_call(const ToolCalls::Joined& joined, const json::Value& name);
  void arguments(const json::Value& function, std::string_view key);
  void end_call(const std::optional<AnswerTexts::Place>& otherwise);
  void put(TextChannel channel, const json::Value& value);
  [[nodiscard]] bool says(TextChannel channel, std::string_view all) const;
  void put_again(TextChannel channel, const json::Value& value, AnswerTexts::Form form);
  void null_later(const json::Value& value, bool always = false);

  const bool streaming_;
  std::map<std::uint32_t, ToolCalls> calls_;
  std::set<std::uint32_t> changed_;  // choices
  Thinking thinking_ = Thinking::kReasoningContent;
  // Of the choice being read.
  bool plain_ = true;
  AnswerTexts* out_ = nullptr;
  std::uint32_t choice_ = 0;
  std::array<std::size_t, 4> first_ = {};  // the first text of each channel
  // Of the call being read.
  AnswerText call_;
  bool call_untold_ = false;
  std::optional<AnswerTexts::Place> empty_;  // where its arguments could stand
  std::string scratch_;
};

}  // namespace sluice::dialect::openai_parts
