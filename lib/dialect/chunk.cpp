// The scanner behind chunk.hpp. Most events of a stream are looked at by nothing but memmem.

#include "dialect/chunk.hpp"

#include <cstring>

namespace sluice::dialect::chunk {
namespace {

bool is_blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// Behind the closing quote of the string whose opening quote is at `at`.
std::size_t skip_string(std::string_view json, std::size_t at) noexcept {
  std::size_t i = at + 1;
  while (i < json.size()) {
    const void* quote = std::memchr(json.data() + i, '"', json.size() - i);
    if (quote == nullptr) return json.size();
    const std::size_t end = static_cast<std::size_t>(static_cast<const char*>(quote) - json.data());
    std::size_t slashes = 0;
    while (end - slashes > i && json[end - slashes - 1] == '\\') ++slashes;
    i = end + 1;
    if (slashes % 2 == 0) return i;
  }
  return json.size();
}

}  // namespace

std::size_t skip_blanks(std::string_view json, std::size_t at) noexcept {
  while (at < json.size() && is_blank(json[at])) ++at;
  return at;
}

Member find_member(std::string_view json, std::string_view quoted_key, std::size_t from) noexcept {
  while (from < json.size()) {
    const void* hit = memmem(json.data() + from, json.size() - from, quoted_key.data(), quoted_key.size());
    if (hit == nullptr) return {};
    const std::size_t key = static_cast<std::size_t>(static_cast<const char*>(hit) - json.data());
    from = key + quoted_key.size();
    if (key > 0 && json[key - 1] == '\\') continue;  // the end of a longer key: \"usage"
    const std::size_t colon = skip_blanks(json, from);
    if (colon >= json.size() || json[colon] != ':') continue;
    const std::size_t value = skip_blanks(json, colon + 1);
    if (value < json.size()) return {key, value};
  }
  return {};
}

std::size_t skip_value(std::string_view json, std::size_t at) noexcept {
  if (at >= json.size()) return json.size();
  if (json[at] == '"') return skip_string(json, at);
  if (json[at] != '{' && json[at] != '[') {
    while (at < json.size() && json[at] != ',' && json[at] != '}' && json[at] != ']' && !is_blank(json[at])) ++at;
    return at;
  }
  std::size_t depth = 0;
  while (at < json.size()) {
    const char c = json[at];
    if (c == '"') {
      at = skip_string(json, at);
      continue;
    }
    ++at;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return at;
  }
  return at;
}

std::size_t depth_at(std::string_view json, std::size_t at) noexcept {
  std::size_t open = 0, unmatched = 0;
  while (at < json.size()) {
    const char c = json[at];
    if (c == '"') {
      at = skip_string(json, at);
      continue;
    }
    ++at;
    if (c == '{' || c == '[') ++open;
    if (c == '}' || c == ']') open > 0 ? --open : ++unmatched;
  }
  return unmatched;
}

std::string_view string_at(std::string_view json, std::size_t at) noexcept {
  if (at >= json.size() || json[at] != '"') return {};
  const std::size_t end = skip_string(json, at);
  return end - at < 2 ? std::string_view{} : json.substr(at + 1, end - at - 2);
}

Cut cut_of(std::string_view json, const Member& member, std::size_t value_end) noexcept {
  std::size_t before = member.key;
  while (before > 0 && is_blank(json[before - 1])) --before;
  if (before > 0 && json[before - 1] == ',') {
    --before;
    while (before > 0 && is_blank(json[before - 1])) --before;
    return {before, value_end};
  }
  // The first member: the comma behind it goes, and the blanks that set off the next one.
  const std::size_t after = skip_blanks(json, value_end);
  if (after < json.size() && json[after] == ',') return {member.key, skip_blanks(json, after + 1)};
  return {member.key, value_end};
}

}  // namespace sluice::dialect::chunk
