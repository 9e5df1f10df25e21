// See text.hpp.
#include "sim/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include <fmt/format.h>

#include "json/document.hpp"
#include "sluice/body.hpp"

namespace sluice::sim {
namespace {

constexpr std::array<std::string_view, 48> kWords = {
    "water", "gate",   "stream", "over",  "stone", "light", "river", "slow",  "wheel", "mill",  "north", "after",
    "small", "under",  "every",  "green", "along", "quiet", "bridge", "turn", "carry", "field", "until", "open",
    "close", "before", "morning", "road", "again", "house", "between", "wind", "letter", "count", "seven", "answer",
    "known", "paper",  "simple", "garden", "where", "moving", "clear", "hill", "often", "place", "early", "winter"};

bool is_blank(char c) noexcept { return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == '\v'; }

bool is_word(char c) noexcept {
  const auto u = static_cast<unsigned char>(c);
  return (u >= '0' && u <= '9') || (u >= 'a' && u <= 'z') || (u >= 'A' && u <= 'Z') || u == '_' || u >= 0x80;
}

}  // namespace

std::size_t token_end(std::string_view text, std::size_t from) noexcept {
  std::size_t i = from;
  while (i < text.size() && is_blank(text[i])) ++i;
  if (i < text.size()) {
    if (!is_word(text[i])) {
      ++i;
    } else {
      while (i < text.size() && (is_word(text[i]) || (text[i] == '\'' && i + 1 < text.size() && is_word(text[i + 1])))) ++i;
    }
  }
  // Blanks that nothing follows are not left over for a token of their own.
  std::size_t end = i;
  while (end < text.size() && is_blank(text[end])) ++end;
  return end == text.size() ? end : i;
}

std::uint64_t count_tokens(std::string_view text) noexcept {
  std::size_t i = 0;
  while (i < text.size() && is_blank(text[i])) ++i;
  std::uint64_t count = 0;
  for (; i < text.size(); i = token_end(text, i)) ++count;
  return count;
}

std::string_view first_tokens(std::string_view text, std::uint64_t tokens) noexcept {
  std::size_t end = 0;
  for (std::uint64_t i = 0; i < tokens && end < text.size(); ++i) end = token_end(text, end);
  return text.substr(0, end);
}

std::string generate_text(Random& random, std::size_t tokens) {
  std::string text;
  text.reserve(tokens * 6);
  std::size_t in_sentence = 0;
  std::size_t length = 5 + random.below(9);
  for (std::size_t i = 0; i < tokens; ++i) {
    if (in_sentence == length) {
      text += '.';
      in_sentence = 0;
      length = 5 + random.below(9);
      continue;
    }
    if (!text.empty()) text += ' ';
    const std::size_t at = text.size();
    text += kWords[random.below(kWords.size())];
    if (in_sentence == 0) text[at] = static_cast<char>(text[at] - 'a' + 'A');
    ++in_sentence;
  }
  return text;
}

std::string random_name(Random& random, std::size_t size) {
  static constexpr std::string_view kAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string name(size, '0');
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < size; ++i) {
    if (i % 8 == 0) bits = random.next();  // eight characters a draw: 62 does not divide 2^8, and nobody minds here
    name[i] = kAlphabet[(bits & 0xff) % kAlphabet.size()];
    bits >>= 8;
  }
  return name;
}

void append_escaped(std::string& out, std::string_view text) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, plain, i - plain);
    plain = i + 1;
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        out += "\\u00";
        out += kHex[c >> 4];
        out += kHex[c & 15];
    }
  }
  out.append(text, plain, text.size() - plain);
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  append_escaped(out, text);
  out += '"';
}

std::string quote(std::string_view text) {
  std::string out;
  append_quoted(out, text);
  return out;
}

void append_number(std::string& out, std::uint64_t n) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, n).ptr;
  out.append(digits, end);
}

void append_float(std::string& out, float x) {
  char digits[40];
  const auto end = std::to_chars(digits, digits + sizeof digits, x).ptr;
  out.append(digits, end);
}

void append_float(std::string& out, double x) {
  char digits[40];
  const auto end = std::to_chars(digits, digits + sizeof digits, x).ptr;
  out.append(digits, end);
}

std::string object_text(std::string_view arguments) {
  if (arguments.empty()) return "{}";
  if (!json::Document::parse(Body::copy(arguments))) return quote(arguments);
  std::string out(arguments);
  std::replace_if(out.begin(), out.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');  // white space, in valid JSON
  return out;
}

std::string indented(std::string_view json) {
  std::string out;
  out.reserve(json.size() * 2);
  std::size_t depth = 0;
  bool quoted = false;
  const auto line = [&] { out.append("\n").append(depth * 2, ' '); };
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (quoted) {
      out += c;
      if (c == '\\' && i + 1 < json.size()) out += json[++i];
      quoted = c != '"';
    } else if (c == '{' || c == '[') {
      out += c;
      const bool empty = i + 1 < json.size() && (json[i + 1] == '}' || json[i + 1] == ']');
      if (empty) {
        out += json[++i];
      } else {
        ++depth;
        line();
      }
    } else if (c == '}' || c == ']') {
      --depth;
      line();
      out += c;
    } else if (c == ',') {
      out += c;
      line();
    } else if (c == ':') {
      out += ": ";
    } else if (!is_blank(c)) {
      out += c;
      quoted = c == '"';
    }
  }
  return out;
}

std::string uuid(std::string_view name) {
  std::uint64_t high = stable_hash(name);
  std::uint64_t low = stable_hash(std::string(name) + "'");
  high = (high & ~0xf000ULL) | 0x4000ULL;                                  // version 4
  low = (low & ~(0xc0ULL << 56)) | (0x80ULL << 56);                        // its variant
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (int i = 0; i < 32; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) out += '-';
    const std::uint64_t half = i < 16 ? high : low;
    out += kHex[half >> (60 - i % 16 * 4) & 15];
  }
  return out;
}

std::string utc_time(std::int64_t seconds) {
  const std::chrono::sys_seconds moment{std::chrono::seconds(seconds)};
  const auto midnight = std::chrono::floor<std::chrono::days>(moment);
  const std::chrono::year_month_day date(midnight);
  const std::chrono::hh_mm_ss time(moment - midnight);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()), time.hours().count(), time.minutes().count(), time.seconds().count());
}

std::string base64(std::string_view bytes) {
  static constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t have = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < have ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    out += kAlphabet[group >> 18];
    out += kAlphabet[group >> 12 & 63];
    out += have > 1 ? kAlphabet[group >> 6 & 63] : '=';
    out += have > 2 ? kAlphabet[group & 63] : '=';
  }
  return out;
}

std::uint64_t stable_hash(std::string_view bytes) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}

}  // namespace sluice::sim
