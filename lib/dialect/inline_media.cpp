// Media in strings of requests: what kind, and how many bytes; nothing is decoded but the head of a URL.

#include "dialect/inline_media.hpp"

#include <algorithm>

#include "dialect/string_size.hpp"

namespace sluice::dialect {
namespace {

constexpr std::size_t kLongestScheme = 32, kLongestHead = 1024, kLongestName = 127;
constexpr std::string_view kTypeSigns = "!#$&-^_.+";

bool is_space(unsigned char c) noexcept { return c <= ' '; }
char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }
bool is_letter(char c) noexcept { return lower(c) >= 'a' && lower(c) <= 'z'; }
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && is_space(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && is_space(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  return text;
}

/// Takes what stands in front of `end`, and `end`, off `raw`: decoded, in lower case, without tabs and line breaks. False
/// leaves `raw` alone: `end` is not among the next `longest` characters.
bool take_until(std::string_view& raw, char end, std::size_t longest, std::string& head) {
  std::string_view rest = raw;
  head.clear();
  for (std::size_t taken = 0; taken <= longest && !rest.empty(); ++taken) {
    const char c = static_cast<char>(take_ascii(rest));
    if (c == end) {
      raw = rest;
      return true;
    }
    if (c != '\t' && c != '\n' && c != '\r') head.push_back(lower(c));
  }
  return false;
}

bool is_scheme(std::string_view text) noexcept {
  return !text.empty() && is_letter(text.front()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.'; });
}

bool is_type_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= kLongestName &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_letter(c) || is_digit(c) || kTypeSigns.find(c) != std::string_view::npos; });
}

/// Behind `data:`.
Attachment data_url(std::string_view raw, std::string_view form, std::deque<std::string>& arena) {
  const std::string_view whole = raw;
  std::string head;
  // A head that does not end says nothing that anybody would read the same way.
  if (!take_until(raw, ',', kLongestHead, head)) return {.bytes = whole.size(), .is_inline = true};
  const std::string_view type = trimmed(std::string_view(head).substr(0, head.find(';')));
  Attachment medium{.media_type = form, .bytes = 0, .is_inline = true};
  // As nearly everybody writes it, it is a piece of the body.
  if (!type.empty()) medium.media_type = media_type(whole.starts_with(type) ? whole.substr(0, type.size()) : arena.emplace_back(type), arena);
  const std::size_t last = head.rfind(';');
  const bool base64 = last != std::string::npos && trimmed(std::string_view(head).substr(last + 1)) == "base64";
  medium.bytes = base64 ? base64_bytes(raw) : percent_bytes(raw);
  return medium;
}

}  // namespace

std::string_view media_type(std::string_view text, std::deque<std::string>& arena) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos || !is_type_name(text.substr(0, slash)) || !is_type_name(text.substr(slash + 1))) return {};
  if (std::all_of(text.begin(), text.end(), [](char c) { return lower(c) == c; })) return text;
  std::string& kept = arena.emplace_back(text);
  std::transform(kept.begin(), kept.end(), kept.begin(), lower);
  return kept;
}

Attachment read_medium(const json::Value& string, std::string_view form, std::deque<std::string>& arena) {
  std::string_view raw = string.raw_string();
  for (std::string_view rest = raw; !rest.empty() && is_space(take_ascii(rest));) raw = rest;
  std::string scheme;
  std::string_view behind = raw;
  if (take_until(behind, ':', kLongestScheme, scheme) && is_scheme(scheme)) {
    if (scheme == "data") return data_url(behind, form, arena);
    if (behind.starts_with("//") || behind.starts_with("\\/\\/")) return {.media_type = form};
  }
  return {.media_type = form, .bytes = base64_bytes(raw), .is_inline = true};
}

}  // namespace sluice::dialect
