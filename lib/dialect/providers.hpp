#pragma once
/// Providers as data: a row each. Quirks are named flags with their source.

#include <cstdint>
#include <span>
#include <string_view>

#include "dialect/dialect.hpp"

namespace sluice::dialect {

enum class AuthStyle : std::uint8_t { kNone, kBearer, kApiKeyHeader, kXApiKeyHeader };

/// Where a provider departs from its dialect. Bits.
enum Quirk : std::uint32_t {
  kNoQuirk = 0,
  kRefusesStreamOptions = 1,   ///< 4xx on stream_options: usage is not asked for, and counted as unknown
};

struct Provider {
  std::string_view name;        ///< `groq`
  std::string_view label;       ///< for people: "Groq"
  std::string_view dialect;     ///< `openai`
  std::string_view url;         ///< base URL; empty where the configuration must give one
  AuthStyle auth;
  std::uint32_t quirks;
  std::string_view request_id_header;  ///< where answers carry the provider's request id
  /// A second dialect the same base URL serves: `openai-responses`. A caller who speaks it is answered in it, byte for byte,
  /// rather than translated. Empty: none is known.
  std::string_view alternate = {};
};

/// Null where unknown.
[[nodiscard]] const Provider* find_provider(std::string_view name) noexcept;
[[nodiscard]] std::span<const Provider> providers() noexcept;

}  // namespace sluice::dialect
