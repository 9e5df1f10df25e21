// The two spellings of a protocol buffer's members in JSON.

#include "dialect/gemini_keys.hpp"

namespace sluice::dialect::gemini_parts {

using json::Type;
using json::Value;

bool is_key(std::string_view key, std::string_view name) noexcept {
  if (key == name) return true;
  std::size_t at = 0;
  for (const char c : name) {
    const bool capital = c >= 'A' && c <= 'Z';
    if (capital && (at == key.size() || key[at++] != '_')) return false;
    if (at == key.size() || key[at++] != (capital ? static_cast<char>(c | 0x20) : c)) return false;
  }
  return at == key.size();
}

Value member(const Value& object, std::string_view name) {
  Value found;
  if (!object.is(Type::kObject)) return found;
  std::string scratch;
  for (Value m = object.first(); m; m = m.next()) {
    const std::string_view raw = m.raw_key();
    if (!is_key(raw.find('\\') == std::string_view::npos ? raw : m.key(scratch), name) || m.is(Type::kNull)) continue;
    if (found) return {};
    found = m;
  }
  return found;
}

std::string text(const Value& object, std::string_view name) {
  const Value value = member(object, name);
  if (!value.is(Type::kString)) return {};
  std::string scratch;
  return std::string(value.text(scratch));
}

bool flag(const Value& object, std::string_view name) {
  const Value value = member(object, name);
  return value.is(Type::kBool) && value.boolean().value_or(false);
}

}  // namespace sluice::dialect::gemini_parts
