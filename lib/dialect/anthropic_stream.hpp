#pragma once
/// What the reader and the writer of Anthropic's streams agree on. Private to the room.

#include <string_view>

namespace sluice::dialect::anthropic_parts {

/// The turn's extra that holds events of blocks only this dialect understands: a list of `{"content_block":{…}}` and
/// `{"delta":{…}}`, in order. Indexes are left out: whoever writes counts anew.
inline constexpr std::string_view kBlocks = "content_blocks";
inline constexpr std::string_view kBlock = "content_block";
inline constexpr std::string_view kDelta = "delta";

}  // namespace sluice::dialect::anthropic_parts
