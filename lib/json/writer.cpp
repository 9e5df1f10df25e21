// Text out: strings with their escapes, numbers in their shortest form, commas where they belong.

#include "json/writer.hpp"

#include <cassert>
#include <charconv>
#include <cmath>
#include <exception>

#include <simdjson.h>

#include "json/scan.hpp"

namespace sluice::json {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

void append_escape(std::string& out, char c) {
  constexpr char kHex[] = "0123456789abcdef";
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  const auto unit = static_cast<unsigned char>(c);
  out += "\\u00";
  out.push_back(kHex[unit >> 4]);
  out.push_back(kHex[unit & 15]);
}

void append_valid(std::string& out, std::string_view text) {
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p != end) {
    const char* const stop = scan::find_string_stop(p, end);
    out.append(p, stop);
    p = stop;
    while (p != end && scan::is_string_stop(*p)) append_escape(out, *p++);
  }
}

// How many bytes at the front of `text` are one character, or, `valid` being false, the longest beginning of one
// (Unicode 15, 3.9, "substitution of maximal subparts").
std::size_t character(std::string_view text, bool& valid) noexcept {
  const auto byte = [text](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const unsigned lead = byte(0);
  valid = lead < 0x80;
  if (valid || lead < 0xC2 || lead > 0xF4) return 1;
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  // The second byte's range keeps out overlong forms, surrogates and what lies above U+10FFFF.
  const unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < low || byte(1) > high) return 1;
  std::size_t n = 2;
  while (n != length && (byte(n) & 0xC0) == 0x80) ++n;
  valid = n == length;
  return n;
}

}  // namespace

void append_string(std::string& out, std::string_view text) {
  out.reserve(out.size() + text.size() + 2);
  out.push_back('"');
  if (simdjson::validate_utf8(text.data(), text.size())) {
    append_valid(out, text);
  } else {
    while (!text.empty()) {
      bool valid = false;
      const std::size_t n = character(text, valid);
      if (valid) {
        append_valid(out, text.substr(0, n));
      } else {
        out += kReplacement;
      }
      text.remove_prefix(n);
    }
  }
  out.push_back('"');
}

std::string quoted(std::string_view text) {
  std::string out;
  append_string(out, text);
  return out;
}

// Where an exception passes, what was begun is dropped with it.
Writer::~Writer() { assert((depth_ == 0 && !after_key_) || std::uncaught_exceptions() != 0); }

Writer& Writer::open(char c) {
  separate();
  out_.push_back(c);
  ++depth_;
  first_ = true;
  return *this;
}

Writer& Writer::close(char c) {
  assert(depth_ != 0 && !after_key_);
  --depth_;
  out_.push_back(c);
  first_ = false;
  return *this;
}

void Writer::separate() {
  if (after_key_) {
    after_key_ = false;
  } else if (!first_) {
    assert(depth_ != 0);
    out_.push_back(',');
  }
  first_ = false;
}

Writer& Writer::key(std::string_view name) {
  assert(depth_ != 0 && !after_key_);
  separate();
  append_string(out_, name);
  out_.push_back(':');
  after_key_ = true;
  return *this;
}

Writer& Writer::string(std::string_view text) {
  separate();
  append_string(out_, text);
  return *this;
}

Writer& Writer::integer(std::int64_t n) {
  char digits[24];
  return raw({digits, static_cast<std::size_t>(std::to_chars(digits, digits + sizeof digits, n).ptr - digits)});
}

Writer& Writer::unsigned_integer(std::uint64_t n) {
  char digits[24];
  return raw({digits, static_cast<std::size_t>(std::to_chars(digits, digits + sizeof digits, n).ptr - digits)});
}

Writer& Writer::number(double n) {
  if (!std::isfinite(n)) return null();
  char digits[32];
  return raw({digits, static_cast<std::size_t>(std::to_chars(digits, digits + sizeof digits, n).ptr - digits)});
}

Writer& Writer::boolean(bool b) { return raw(b ? "true" : "false"); }

Writer& Writer::null() { return raw("null"); }

Writer& Writer::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

}  // namespace sluice::json
