#pragma once
/// Content blocks of the Bedrock dialect, both ways: the same shape in requests and in answers. Private to the room.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "chat/loss.hpp"
#include "chat/turn.hpp"
#include "json/document.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::bedrock_parts {

/// Appends what one block says. A cache point marks the part before it; where that can hold no mark, and for whatever
/// this dialect's servers alone understand, the block is kept whole.
void read_block(const json::Value& block, std::vector<chat::Part>& parts);
void read_blocks(const json::Value& list, std::vector<chat::Part>& parts);
[[nodiscard]] chat::Citation read_citation(const json::Value& citation);
/// A call that the caller is to run, not the provider: `toolUse` without the type of a server's own.
[[nodiscard]] bool is_servers_own(const json::Value& tool_use);
/// The mark a `cachePoint` stands for; false where it says more than a mark can hold.
[[nodiscard]] bool read_cache_point(const json::Value& point, chat::CacheMark& mark);

/// Where a block goes, which says what it may be.
enum class Place : std::uint8_t { kSystem, kMessage, kToolResult, kAnswer };
/// One part as blocks (with its cache point, two); false where nothing was written. Put on the loss report under `path`:
/// what this dialect has no block for. Empty texts are left out without a word: Bedrock's servers refuse them.
bool write_part(json::Writer& writer, const chat::Part& part, Place place, const std::string& path, chat::LossReport& loss);
void write_citation(json::Writer& writer, const chat::Citation& citation);
void write_cache_point(json::Writer& writer, const chat::CacheMark& mark);
/// The arguments of a call as the object this dialect wants; what is none is put into one.
void write_input(json::Writer& writer, const chat::ToolCall& call, const std::string& path, chat::LossReport& loss);
/// Extras of this dialect, as they came, but for those with a dot or nothing in their key: these stand elsewhere. Those of
/// others go on the loss report under `path`.
void write_extras(json::Writer& writer, const chat::Extras& extras, const std::string& path, chat::LossReport& loss);

// bedrock_media.cpp
/// Names of formats (`jpeg`) and media types (`image/jpeg`) of one kind of medium, both ways; empty where there is none.
[[nodiscard]] std::string_view media_type_of(std::string_view format) noexcept;
[[nodiscard]] std::string_view image_format(const chat::Source& source) noexcept;
[[nodiscard]] std::string_view document_format(const chat::Document& document) noexcept;
[[nodiscard]] std::string_view audio_format(const chat::Audio& audio) noexcept;
/// A file's name in the characters that Bedrock takes: letters, digits, single blanks, hyphens, brackets.
[[nodiscard]] std::string document_name(std::string_view name);

}  // namespace sluice::dialect::bedrock_parts
