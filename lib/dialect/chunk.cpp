// The scanner behind chunk.hpp. Most events of a stream are looked at by nothing but find_text.

#include "dialect/chunk.hpp"

#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

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

/// Where `text` first stands in `json` from `from` on. Keys are short and every event is searched for several of them,
/// which is where memmem is at its worst: it prepares a table for every search.
std::size_t find_text(std::string_view json, std::string_view text, std::size_t from) noexcept {
#if defined(__SSE2__)
  // Sixteen places at a time, by the first and the last letter inside the quotes; quotes themselves are everywhere.
  const __m128i first = _mm_set1_epi8(text[1]), last = _mm_set1_epi8(text[text.size() - 2]);
  const char* const data = json.data();
  while (from + text.size() + 15 <= json.size()) {
    const __m128i a = _mm_loadu_si128(reinterpret_cast<const __m128i*>(data + from + 1));
    const __m128i b = _mm_loadu_si128(reinterpret_cast<const __m128i*>(data + from + text.size() - 2));
    unsigned hits = static_cast<unsigned>(_mm_movemask_epi8(_mm_and_si128(_mm_cmpeq_epi8(a, first), _mm_cmpeq_epi8(b, last))));
    for (; hits != 0; hits &= hits - 1) {
      const std::size_t at = from + static_cast<std::size_t>(__builtin_ctz(hits));
      if (std::memcmp(data + at, text.data(), text.size()) == 0) return at;
    }
    from += 16;
  }
#endif
  if (from >= json.size()) return kNowhere;
  const void* hit = memmem(json.data() + from, json.size() - from, text.data(), text.size());
  return hit == nullptr ? kNowhere : static_cast<std::size_t>(static_cast<const char*>(hit) - json.data());
}

}  // namespace

std::size_t skip_blanks(std::string_view json, std::size_t at) noexcept {
  while (at < json.size() && is_blank(json[at])) ++at;
  return at;
}

Member find_member(std::string_view json, std::string_view quoted_key, std::size_t from) noexcept {
  while (from < json.size()) {
    const std::size_t key = find_text(json, quoted_key, from);
    if (key == kNowhere) return {};
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

Cut cut_of(std::string_view json, const Member& member, std::size_t value_end, std::size_t from) noexcept {
  std::size_t before = member.key;
  while (before > from && is_blank(json[before - 1])) --before;
  if (before > from && json[before - 1] == ',') {
    --before;
    while (before > from && is_blank(json[before - 1])) --before;
    return {before, value_end};
  }
  // The first member: the comma behind it goes, and the blanks that set off the next one.
  const std::size_t after = skip_blanks(json, value_end);
  if (after < json.size() && json[after] == ',') return {member.key, skip_blanks(json, after + 1)};
  return {member.key, value_end};
}

}  // namespace sluice::dialect::chunk
