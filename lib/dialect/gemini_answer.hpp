#pragma once
/// What whole answers and the elements of a stream of the Gemini dialect have in common. Private to the room.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "chat/content.hpp"
#include "chat/logprobs.hpp"
#include "json/document.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::gemini_parts {

/// A candidate's number; its position where it does not say.
[[nodiscard]] std::uint32_t index_of(const json::Value& candidate, std::size_t position);
/// Members of a candidate that are no extras of it: what the model has a place for.
[[nodiscard]] bool is_candidate_member(std::string_view key) noexcept;
/// Why the prompt was not answered at all; empty where it was.
[[nodiscard]] std::string block_reason(const json::Value& root);

/// What `groundingMetadata` says of where statements come from: a citation for each source of each statement. `text` is what
/// the candidate says, which tells bytes from characters.
[[nodiscard]] std::vector<chat::Citation> read_grounding(const json::Value& grounding, std::string_view text);
/// `groundingMetadata` made of another dialect's citations.
void write_grounding(json::Writer& writer, const std::vector<chat::Citation>& citations);

/// `logprobsResult`.
[[nodiscard]] chat::Logprobs read_logprobs(const json::Value& result);
void write_logprobs(json::Writer& writer, const chat::Logprobs& logprobs);

}  // namespace sluice::dialect::gemini_parts
