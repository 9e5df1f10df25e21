#pragma once
/// Finds the texts of content blocks: where they stand in an event or a whole answer, and which call an argument belongs to.
/// Knows the members that hold text; must not know events or bodies. Private to the room.

#include <cstdint>
#include <map>
#include <optional>

#include "dialect/answer_editor.hpp"
#include "json/document.hpp"

namespace sluice::dialect::anthropic_parts {

/// One per stream, whose calls it numbers as they begin, or one per whole answer.
class TextReader {
 public:
  /// Puts the texts of a block into `out`, which stands at `index` of the answer's content. `streaming`: it only begins.
  void block(const json::Value& block, std::int64_t index, bool streaming, AnswerTexts& out);
  /// Puts the text of a delta into `out`.
  void delta(const json::Value& delta, std::int64_t index, AnswerTexts& out);
  /// The words of a refusal, and whether the answer has a stop reason.
  bool stop(const json::Value& holder, AnswerTexts& out);

  /// The block of a call, counted from 0 in the order they began; nothing where the answer has no such call.
  [[nodiscard]] std::optional<std::int64_t> block_of(std::uint32_t call) const noexcept;
  /// One more than the highest index of a block.
  [[nodiscard]] std::int64_t blocks() const noexcept { return blocks_; }

 private:
  std::map<std::int64_t, std::uint32_t> call_of_;  // by the index of its block
  std::uint32_t calls_ = 0;
  std::int64_t blocks_ = 0;
};

}  // namespace sluice::dialect::anthropic_parts
