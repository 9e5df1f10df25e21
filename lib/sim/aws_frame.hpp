#pragma once
/// AWS' binary frames, written: lengths, named headers, a payload, and checksums over both parts. Of its own making, CRC and
/// all, so that what the gateway's reader gets wrong is not written here by the same mistake.
/// Source: Smithy's description of `application/vnd.amazon.eventstream`.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace sluice::sim {

/// The CRC-32 of IEEE 802.3, as zip and PNG have it.
[[nodiscard]] std::uint32_t crc32(std::string_view bytes) noexcept;

/// One frame. Header values are strings; names are shorter than 256 bytes, values than 64 KiB.
[[nodiscard]] std::string aws_frame(std::initializer_list<std::pair<std::string_view, std::string_view>> headers, std::string_view payload);

}  // namespace sluice::sim
