#pragma once
// What the tongues read JSON by: see tongues.hpp.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "unit/sim/rig.hpp"

namespace sluice::sim {

using json::Type;
using json::Value;

inline std::string text(const Value& value) {
  std::string scratch;
  return value.is(Type::kString) ? std::string(value.text(scratch)) : std::string();
}

inline std::string text(const Value& object, std::string_view pointer) {
  const auto found = object.at(pointer);
  return found ? text(*found) : std::string();
}

inline std::optional<std::int64_t> number(const Value& object, std::string_view pointer) {
  const auto found = object.at(pointer);
  return found && *found ? found->integer() : std::nullopt;
}

inline Value child(const Value& object, std::string_view pointer) {
  const auto found = object.at(pointer);
  return found ? *found : Value{};
}

/// An object without white space between its tokens: some services print theirs over several lines.
inline std::string compact(const Value& object) {
  std::string out;
  bool quoted = false;
  const std::string_view raw = object.raw();
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (!quoted && (raw[i] == ' ' || raw[i] == '\n')) continue;
    if (raw[i] == '"' && (i == 0 || raw[i - 1] != '\\')) quoted = !quoted;
    out += raw[i];
  }
  return out;
}

/// Sets what is there and keeps what was.
inline void update(std::optional<std::int64_t>& known, std::optional<std::int64_t> now) {
  if (now) known = now;
}

inline std::string with_limit(std::string body, std::string_view key, std::uint64_t max_tokens) {
  if (max_tokens > 0) body.append(",\"").append(key).append("\":").append(std::to_string(max_tokens));
  return body;
}

/// Arguments as a text, without white space; `{}` where there are none.
inline std::string arguments_of(const std::string& text) { return compact(Parsed(text.empty() ? "{}" : text).document->root()); }

}  // namespace sluice::sim
