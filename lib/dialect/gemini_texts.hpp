#pragma once
/// Finds the texts of one candidate, whether in a whole answer or in an element of a stream. Knows the members that hold text
/// and those that tell it again; must not know events or bodies. Private to the room.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "dialect/answer_editor.hpp"
#include "json/document.hpp"

namespace sluice::dialect::gemini_parts {

/// One per stream, whose tool calls it numbers as they begin, or one per whole answer.
class TextReader {
 public:
  /// Puts the texts of a candidate into `out`. True where it has a finish reason.
  bool read(const json::Value& candidate, std::size_t position, AnswerTexts& out);
  /// To be told of every text that is written: sources of later elements that quote it are then null.
  void note_changes(const AnswerTexts& texts);

 private:
  void part(const json::Value& value);
  void call(const json::Value& value);
  void put(TextChannel channel, const json::Value& string);

  std::map<std::uint32_t, std::uint32_t> calls_;  // of each choice, so far
  std::set<std::uint32_t> changed_;               // choices
  // Of the candidate being read.
  AnswerTexts* out_ = nullptr;
  std::uint32_t choice_ = 0;
};

}  // namespace sluice::dialect::gemini_parts
