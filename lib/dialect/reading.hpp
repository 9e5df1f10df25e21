#pragma once
/// Small steps shared by the parts of the room that read JSON into the canonical model.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "chat/content.hpp"
#include "chat/loss.hpp"
#include "json/document.hpp"

namespace sluice::dialect::reading {

/// The member, absent where there is none, where it is null, and where it stands twice. For answers: what an upstream
/// says twice it has not said. Requests have been through inspect(), which refuses what matters.
[[nodiscard]] inline json::Value member(const json::Value& object, std::string_view key) {
  if (!object.is(json::Type::kObject)) return {};
  const auto found = object.find(key);
  return found && *found && !found->is(json::Type::kNull) ? *found : json::Value{};
}

/// A string's text; empty for anything else.
[[nodiscard]] inline std::string text(const json::Value& value) {
  if (!value.is(json::Type::kString)) return {};
  std::string scratch;
  return std::string(value.text(scratch));
}

[[nodiscard]] inline std::string text(const json::Value& object, std::string_view key) { return text(member(object, key)); }

[[nodiscard]] inline std::optional<std::int64_t> integer(const json::Value& value) {
  return value.is(json::Type::kNumber) ? value.integer() : std::nullopt;
}

/// Keeps a member that only its own dialect understands. `key` differs from the member's where its place must be told.
inline void keep(chat::Extras& extras, std::string_view dialect, std::string_view key, const json::Value& value,
                 chat::LossSeverity loss = chat::LossSeverity::kCosmetic) {
  extras.push_back({std::string(dialect), std::string(key), std::string(value.raw()), loss});
}

/// A count of tokens: an integer, or one that some servers keep in doubles (12.0).
[[nodiscard]] inline std::optional<std::uint64_t> count(const json::Value& value) {
  if (!value.is(json::Type::kNumber)) return std::nullopt;
  if (const auto n = value.integer()) return *n < 0 ? std::optional<std::uint64_t>{} : static_cast<std::uint64_t>(*n);
  const auto d = value.number();
  constexpr double kExact = 9007199254740992.0;  // 2^53
  if (!d || *d < 0 || *d > kExact || *d != static_cast<double>(static_cast<std::uint64_t>(*d))) return std::nullopt;
  return static_cast<std::uint64_t>(*d);
}

}  // namespace sluice::dialect::reading
