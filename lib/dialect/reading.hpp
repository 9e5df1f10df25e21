#pragma once
/// Small steps shared by the parts of the room that read JSON into the canonical model.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "chat/content.hpp"
#include "chat/loss.hpp"
#include "json/document.hpp"
#include "sluice/error.hpp"

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

/// kInvalidParameter: "`name` must be `expected`".
[[nodiscard]] inline tl::unexpected<Error> wrong(std::string_view name, std::string_view expected) {
  std::string message = std::string(name) + " must be ";
  return fail(Code::kInvalidParameter, message.append(expected), std::string(name));
}

/// A member of a request by its type. Errors: wrong().
[[nodiscard]] inline Status read(const json::Value& value, std::string_view name, std::optional<double>& out) {
  out = value.number();
  if (!out) return wrong(name, "a number");
  return {};
}
[[nodiscard]] inline Status read(const json::Value& value, std::string_view name, std::optional<bool>& out) {
  out = value.boolean();
  if (!out) return wrong(name, "true or false");
  return {};
}
[[nodiscard]] inline Status read(const json::Value& value, std::string_view name, std::optional<std::int64_t>& out) {
  out = integer(value);
  if (!out) return wrong(name, "an integer");
  return {};
}
template <typename Unsigned>
[[nodiscard]] Status read_unsigned(const json::Value& value, std::string_view name, std::optional<Unsigned>& out) {
  const auto n = integer(value);
  if (!n || *n < 0 || !std::in_range<Unsigned>(*n)) return wrong(name, "an integer, 0 or more");
  out = static_cast<Unsigned>(*n);
  return {};
}
[[nodiscard]] inline Status read(const json::Value& value, std::string_view name, std::optional<std::uint32_t>& out) {
  return read_unsigned(value, name, out);
}
[[nodiscard]] inline Status read(const json::Value& value, std::string_view name, std::optional<std::uint64_t>& out) {
  return read_unsigned(value, name, out);
}
[[nodiscard]] inline Status read(const json::Value& value, std::string_view name, std::string& out) {
  if (!value.is(json::Type::kString)) return wrong(name, "a string");
  out = text(value);
  return {};
}

/// Keeps a member that only its own dialect understands. `key` differs from the member's where its place must be told.
inline void keep(chat::Extras& extras, std::string_view dialect, std::string_view key, const json::Value& value,
                 chat::LossSeverity loss = chat::LossSeverity::kCosmetic) {
  extras.push_back({dialect, std::string(key), std::string(value.raw()), loss});
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
