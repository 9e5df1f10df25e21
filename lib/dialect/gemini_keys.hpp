#pragma once
/// Members by their `camelCase` name, whichever way they are spelled: `maxOutputTokens` and `max_output_tokens` are one.
/// Private to the room.

#include <optional>
#include <string>
#include <string_view>

#include "json/document.hpp"

namespace sluice::dialect::gemini_parts {

/// True where `key` is `name` (camelCase), in either spelling.
[[nodiscard]] bool is_key(std::string_view key, std::string_view name) noexcept;
/// The member `name`, absent where there is none, where it is null, and where it stands twice in any spelling.
[[nodiscard]] json::Value member(const json::Value& object, std::string_view name);
/// Its text; empty where it is no string.
[[nodiscard]] std::string text(const json::Value& object, std::string_view name);
/// True where something stands there but a null.
[[nodiscard]] inline bool has(const json::Value& object, std::string_view name) { return static_cast<bool>(member(object, name)); }
/// A truth value said as one; false for anything else.
[[nodiscard]] bool flag(const json::Value& object, std::string_view name);

}  // namespace sluice::dialect::gemini_parts
