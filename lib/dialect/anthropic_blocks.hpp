#pragma once
/// Content blocks of the Anthropic dialect, both ways: the same shape in requests and in answers. Private to the room.

#include <string>
#include <string_view>
#include <vector>

#include "chat/loss.hpp"
#include "chat/turn.hpp"
#include "json/document.hpp"
#include "json/writer.hpp"
#include "sluice/error.hpp"

namespace sluice::dialect::anthropic_parts {

/// Keeps every member of `object` but the named ones.
void keep_others(chat::Extras& extras, const json::Value& object, std::initializer_list<std::string_view> known);
/// Takes the cache mark of `object`; one that says more than a mark can hold is kept as it stood.
void read_cache(const json::Value& object, std::optional<chat::CacheMark>& cache, chat::Extras& extras);
void write_cache(json::Writer& writer, const std::optional<chat::CacheMark>& cache);

/// One block; what this dialect's servers alone understand is kept whole. Errors: kInvalidParameter with `path`
/// (`messages[3].content[1].text`) for what has no meaning.
[[nodiscard]] Result<chat::Part> read_block(const json::Value& block, const std::string& path);
/// A string or a list of blocks. Errors: as read_block.
[[nodiscard]] Status read_content(const json::Value& content, const std::string& path, std::vector<chat::Part>& parts,
                                  chat::ContentForm& form);
[[nodiscard]] chat::ToolCall read_tool_use(const json::Value& block);
[[nodiscard]] chat::Citation read_citation(const json::Value& citation);
/// The words of a refusal; empty where there are none.
[[nodiscard]] std::string explanation_of(const json::Value& stop_details);

/// Where a block goes, which says what it may be.
enum class Place : std::uint8_t { kUser, kAssistant, kToolResult, kAnswer };
/// One block; nothing where this dialect has none such (put on the loss report). Calls and results have their ids already.
void write_block(json::Writer& writer, const chat::Part& part, Place place, const std::string& path, chat::LossReport& loss);
/// False for what would be no block: empty text, thinking that is not this dialect's own. Such blocks are refused by its
/// servers.
[[nodiscard]] bool is_block(const chat::Part& part, Place place, const std::string& path, chat::LossReport& loss);
void write_citation(json::Writer& writer, const chat::Citation& citation);
/// Extras of this dialect, as they came; those of others go on the loss report under `path`.
void write_extras(json::Writer& writer, const chat::Extras& extras, const std::string& path, chat::LossReport& loss);
/// The arguments of a call as the object this dialect wants: what is none is put into one.
void write_input(json::Writer& writer, const chat::ToolCall& call);

}  // namespace sluice::dialect::anthropic_parts
