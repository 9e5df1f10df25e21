#pragma once
/// Finds the texts of a response's items: where each stands, and which text of the stream it is or says again. Knows items;
/// must not know who wants a text changed. Private to the room.

#include <cstdint>
#include <functional>
#include <string_view>
#include <tuple>

#include "dialect/answer_editor.hpp"
#include "json/document.hpp"

namespace sluice::dialect::responses_parts {

/// One text of an answer: the deltas and all the events that say it again have the same key.
struct TextKey {
  std::int64_t output = 0;                  ///< output_index
  TextChannel channel = TextChannel::kText;
  std::int64_t part = 0;                    ///< content_index or summary_index
  bool in_content = false;                  ///< kReasoning: in `content`, not in `summary`
  friend auto operator<=>(const TextKey&, const TextKey&) = default;
};

/// A text where it stands in an item.
struct TextSpot {
  TextKey key = {};
  json::Value text = {};      ///< a string; arguments may be another value. Absent: nothing is said
  json::Value logprobs = {};  ///< what tells the text in other words; absent where nothing does
  json::Value name = {};      ///< of the tool
};

/// True for an item that is a call of the caller's tool.
[[nodiscard]] bool is_call(const json::Value& item);
/// The texts of an item, in the order of its parts.
void each_text(const json::Value& item, std::int64_t output, const std::function<void(const TextSpot&)>& visit);
/// The texts of a content part (`content_part.done`, `reasoning_summary_part.done`).
void each_text_of_part(const json::Value& part, const TextKey& place, const std::function<void(const TextSpot&)>& visit);

}  // namespace sluice::dialect::responses_parts
