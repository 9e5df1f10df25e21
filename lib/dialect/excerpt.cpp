// Excerpts of foreign text. Error pages are HTML as often as not: what a person needs is between the tags.

#include "dialect/excerpt.hpp"

#include <algorithm>
#include <array>

#include "base/utf8.hpp"

namespace sluice::dialect {
namespace {

bool is_key_char(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool starts_with_letters(std::string_view text, std::string_view lower_prefix) noexcept {
  return text.size() >= lower_prefix.size() &&
         std::equal(lower_prefix.begin(), lower_prefix.end(), text.begin(), [](char p, char c) { return p == lower(c); });
}

/// Behind the element that opens at `text[0] == '<'`, contents included for those that hold no prose.
std::size_t skip_tag(std::string_view text) noexcept {
  for (const std::string_view hidden : {"<script", "<style", "<!--"}) {
    if (!starts_with_letters(text, hidden)) continue;
    const std::string_view closing = hidden == "<script" ? "</script" : hidden == "<style" ? "</style" : "-->";
    for (std::size_t i = hidden.size(); i < text.size(); ++i) {
      if (!starts_with_letters(text.substr(i), closing)) continue;
      const std::size_t end = text.find('>', i);
      return end == std::string_view::npos ? text.size() : end + 1;
    }
    return text.size();
  }
  const std::size_t end = text.find('>');
  return end == std::string_view::npos ? text.size() : end + 1;
}

/// `<p`, `</p`, `<!`: markup. `a < b`: prose.
bool opens_tag(std::string_view text) noexcept {
  if (text.size() < 2) return false;
  const char c = lower(text[1]);
  return c == '/' || c == '!' || (c >= 'a' && c <= 'z');
}

}  // namespace

std::string mask_keys(std::string_view text) {
  static constexpr std::array<std::string_view, 9> kPrefixes{"sk-", "sk_", "gsk_", "xai-", "pplx-", "hf_", "AIza", "ya29.", "Bearer "};
  constexpr std::size_t kShortestKey = 12;  // behind the prefix; what providers mask themselves is shorter
  std::string out;
  out.reserve(text.size());
  std::size_t i = 0;
  while (i < text.size()) {
    const bool at_word = i == 0 || !is_key_char(text[i - 1]);
    const auto prefix = at_word ? std::find_if(kPrefixes.begin(), kPrefixes.end(),
                                               [&](std::string_view p) { return text.substr(i).starts_with(p); })
                                : kPrefixes.end();
    if (prefix != kPrefixes.end()) {
      std::size_t end = i + prefix->size();
      while (end < text.size() && is_key_char(text[end])) ++end;
      if (end - i - prefix->size() >= kShortestKey) {
        out.append(*prefix).append("***");
        i = end;
        continue;
      }
    }
    out += text[i++];
  }
  return out;
}

std::string excerpt(std::string_view text, std::size_t limit) {
  // Tags cost no room, but a page is never read further than this.
  constexpr std::size_t kReadAtMost = 64 << 10;
  text = text.substr(0, kReadAtMost);
  std::string plain;
  bool blank = false;
  for (std::size_t i = 0; i < text.size() && plain.size() <= limit;) {
    const char c = text[i];
    if (c == '<' && opens_tag(text.substr(i))) {
      i += skip_tag(text.substr(i));
      blank = true;
    } else if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f) {
      ++i;
      blank = true;
    } else {
      if (blank && !plain.empty()) plain += ' ';
      blank = false;
      plain += c;
      ++i;
    }
  }
  plain = mask_keys(plain);
  if (!base::is_utf8(plain)) {
    // Bytes of another encoding say nothing to the reader.
    for (char& c : plain) c = static_cast<unsigned char>(c) < 0x80 ? c : '?';
  }
  plain.resize(base::truncate_utf8(plain, limit).size());
  return plain;
}

}  // namespace sluice::dialect
