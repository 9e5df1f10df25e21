// What a parsed text answers: types, lexemes, decoded strings, members and elements. Knows the nodes the parser wrote
// and reads lexemes from the text when asked; must not check grammar again.

#include "json/document.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include <fmt/format.h>

#include "base/utf8.hpp"
#include "json/scan.hpp"

namespace sluice::json {
namespace {

constexpr std::uint32_t kReplacement = 0xFFFD;

// Decodes the escape at `p`, a backslash, and gives the place behind it; `code_point` is U+FFFD where it is none.
const char* decode_escape(const char* p, const char* end, std::uint32_t& code_point) noexcept {
  code_point = kReplacement;
  if (++p == end) return p;
  switch (*p++) {
    case '"': code_point = '"'; return p;
    case '\\': code_point = '\\'; return p;
    case '/': code_point = '/'; return p;
    case 'b': code_point = '\b'; return p;
    case 'f': code_point = '\f'; return p;
    case 'n': code_point = '\n'; return p;
    case 'r': code_point = '\r'; return p;
    case 't': code_point = '\t'; return p;
    case 'u': break;
    default: return p;
  }
  const int unit = end - p < 4 ? -1 : scan::hex_unit(p);
  if (unit < 0) return p;
  p += 4;
  if (scan::is_low_surrogate(unit)) return p;
  if (!scan::is_high_surrogate(unit)) {
    code_point = static_cast<std::uint32_t>(unit);
    return p;
  }
  const int low = end - p >= 6 && p[0] == '\\' && p[1] == 'u' ? scan::hex_unit(p + 2) : -1;
  if (low < 0 || !scan::is_low_surrogate(low)) return p;
  const auto high_bits = static_cast<std::uint32_t>(unit) & 0x3FFU, low_bits = static_cast<std::uint32_t>(low) & 0x3FFU;
  code_point = 0x10000U + (high_bits << 10) + low_bits;
  return p + 6;
}

void decode_into(std::string& out, std::string_view raw) {
  out.clear();
  out.reserve(raw.size());
  const char* p = raw.data();
  const char* const end = p + raw.size();
  while (p != end) {
    const char* const stop = scan::find_string_stop(p, end);
    out.append(p, stop);
    p = stop;
    // A quote or control character is no business of decoding: copied as it is.
    if (p != end && *p != '\\') out.push_back(*p++);
    while (p != end && *p == '\\') {
      std::uint32_t code_point = 0;
      p = decode_escape(p, end, code_point);
      if (code_point < 0x80) {
        out.push_back(static_cast<char>(code_point));
      } else {
        base::append_utf8(out, code_point);
      }
    }
  }
}

// Compares without storing the decoded text: what is looked for is short.
bool decodes_to(std::string_view raw, std::string_view decoded) {
  if (raw.size() < decoded.size()) return false;  // an escape is never shorter than what it means
  const char* p = raw.data();
  const char* const end = p + raw.size();
  std::string character;
  while (p != end) {
    if (*p != '\\') {
      if (decoded.empty() || decoded.front() != *p) return false;
      decoded.remove_prefix(1);
      ++p;
      continue;
    }
    std::uint32_t code_point = 0;
    p = decode_escape(p, end, code_point);
    character.clear();
    base::append_utf8(character, code_point);
    if (!decoded.starts_with(character)) return false;
    decoded.remove_prefix(character.size());
  }
  return decoded.empty();
}

// The number an RFC 6901 token names as an index, if it is one.
std::optional<std::size_t> array_index(std::string_view token) noexcept {
  std::size_t index = 0;
  const auto [stop, error] = std::from_chars(token.data(), token.data() + token.size(), index);
  if (error != std::errc{} || stop != token.data() + token.size()) return std::nullopt;
  if (token.size() > 1 && token.front() == '0') return std::nullopt;
  return index;
}

}  // namespace

std::string decode_string(std::string_view raw) {
  std::string out;
  decode_into(out, raw);
  return out;
}

void Document::Free::operator()(void* memory) const noexcept { std::free(memory); }

// Packed arrays: their numbers are read from the text.

const char* Document::packed_end(std::uint32_t element) const noexcept {
  const char* p = body_.view().data() + element;
  while (*p != ',' && *p != ']' && !scan::is_space(*p)) ++p;
  return p;
}

Value Document::packed_element(std::uint32_t array, const char* p) const noexcept {
  return {this, array, static_cast<std::uint32_t>(scan::skip_space(p) - body_.view().data())};
}

std::string_view Document::raw_key(const Node& node) const noexcept {
  const char* const text = body_.view().data();
  const char* const begin = text + node.key + 1;
  if (node.key_length != kLongKey) return {begin, node.key_length};
  // Backwards from the value: space, the colon, space, the closing quote.
  const char* p = text + node.begin;
  while (*--p != ':') {}
  while (*--p != '"') {}
  return {begin, static_cast<std::size_t>(p - begin)};
}

// Values.

Type Value::type() const noexcept {
  if (document_ == nullptr) return Type::kNull;
  return element_ != 0 ? Type::kNumber : document_->nodes_[node_].type;
}

std::size_t Value::offset() const noexcept {
  if (document_ == nullptr) return 0;
  return element_ != 0 ? element_ : document_->nodes_[node_].begin;
}

std::string_view Value::raw() const noexcept {
  if (document_ == nullptr) return {};
  const char* const text = document_->body_.view().data();
  if (element_ != 0) {
    const char* const begin = text + element_;
    return {begin, static_cast<std::size_t>(document_->packed_end(element_) - begin)};
  }
  const Document::Node& node = document_->nodes_[node_];
  return {text + node.begin, node.end - node.begin};
}

std::string_view Value::raw_string() const noexcept {
  if (!is(Type::kString)) return {};
  const std::string_view quoted = raw();
  return quoted.substr(1, quoted.size() - 2);
}

bool Value::has_escapes() const noexcept {
  return is(Type::kString) && (document_->nodes_[node_].flags & Document::kEscaped) != 0;
}

std::string_view Value::text(std::string& scratch) const {
  if (!has_escapes()) return raw_string();
  decode_into(scratch, raw_string());
  return scratch;
}

bool Value::equals(std::string_view decoded) const {
  if (!is(Type::kString)) return false;
  return has_escapes() ? decodes_to(raw_string(), decoded) : raw_string() == decoded;
}

std::optional<bool> Value::boolean() const noexcept {
  if (!is(Type::kBool)) return std::nullopt;
  return raw().front() == 't';
}

std::optional<std::int64_t> Value::integer() const noexcept {
  if (!is(Type::kNumber)) return std::nullopt;
  const std::string_view lexeme = raw();
  std::int64_t n = 0;
  const auto [stop, error] = std::from_chars(lexeme.data(), lexeme.data() + lexeme.size(), n);
  if (error != std::errc{} || stop != lexeme.data() + lexeme.size()) return std::nullopt;
  return n;
}

std::optional<double> Value::number() const noexcept {
  if (!is(Type::kNumber)) return std::nullopt;
  const std::string_view lexeme = raw();
  double n = 0;
  const auto [stop, error] = std::from_chars(lexeme.data(), lexeme.data() + lexeme.size(), n);
  // The parser refused what is too large: out of range is too small, which is zero with its sign.
  if (error == std::errc::result_out_of_range) n = lexeme.front() == '-' ? -0.0 : 0.0;
  return n;
}

Result<Value> Value::find(std::string_view key) const {
  if (!is(Type::kObject)) return Value{};
  const Document::Node* const nodes = document_->nodes_.get();
  if (nodes[node_].next == node_ + 1) return Value{};
  Value found;
  for (std::uint32_t i = node_ + 1;; i = nodes[i].next) {
    const Document::Node& node = nodes[i];
    bool same = false;
    if ((node.flags & Document::kKeyEscaped) != 0) {
      same = decodes_to(document_->raw_key(node), key);
    } else if (node.key_length == key.size() || node.key_length == Document::kLongKey) {
      same = document_->raw_key(node) == key;
    }
    if (same) {
      if (found) {
        return fail(Code::kDuplicateKey,
                    fmt::format("the key `{}` stands more than once in one object; send it once", key),
                    std::string(key));
      }
      found = {document_, i};
    }
    if ((node.flags & Document::kLast) != 0) return found;
  }
}

Result<Value> Value::at(std::string_view pointer) const {
  Value value = *this;
  std::string decoded;
  while (value && !pointer.empty()) {
    auto token = next_pointer_token(pointer, decoded);
    if (!token) return tl::unexpected<Error>(std::move(token).error());
    if (value.type() == Type::kArray) {
      const auto index = array_index(*token);
      value = index ? value.element(*index) : Value{};
      continue;
    }
    auto member = value.find(*token);
    if (!member) return member;
    value = *member;
  }
  return value;
}

Value Value::element(std::size_t index) const noexcept {
  if (!is(Type::kArray)) return {};
  Value child = first();
  for (; child && index != 0; --index) child = child.next();
  return child;
}

Value Value::first() const noexcept {
  if (document_ == nullptr || element_ != 0) return {};
  const Document::Node& node = document_->nodes_[node_];
  if ((node.flags & Document::kPacked) != 0) {
    return document_->packed_element(node_, document_->body_.view().data() + node.begin + 1);
  }
  const bool has_children = (node.type == Type::kArray || node.type == Type::kObject) && node.next != node_ + 1;
  return has_children ? Value(document_, node_ + 1) : Value();
}

Value Value::next() const noexcept {
  if (document_ == nullptr) return {};
  if (element_ != 0) {
    const char* const p = scan::skip_space(document_->packed_end(element_));
    return *p == ',' ? document_->packed_element(node_, p + 1) : Value();
  }
  const Document::Node& node = document_->nodes_[node_];
  return (node.flags & Document::kLast) != 0 ? Value() : Value(document_, node.next);
}

std::string_view Value::raw_key() const noexcept {
  if (document_ == nullptr || element_ != 0) return {};
  const Document::Node& node = document_->nodes_[node_];
  return node.key == 0 ? std::string_view() : document_->raw_key(node);
}

std::string_view Value::key(std::string& scratch) const {
  const std::string_view raw = raw_key();
  if (raw.empty() || (document_->nodes_[node_].flags & Document::kKeyEscaped) == 0) return raw;
  decode_into(scratch, raw);
  return scratch;
}

std::size_t Value::key_offset() const noexcept {
  return document_ == nullptr || element_ != 0 ? 0 : document_->nodes_[node_].key;
}

std::size_t Value::size() const noexcept {
  std::size_t n = 0;
  for (Value child = first(); child; child = child.next()) ++n;
  return n;
}

// Pointers.

Result<std::string_view> next_pointer_token(std::string_view& pointer, std::string& scratch) {
  if (pointer.empty() || pointer.front() != '/') {
    return fail(Code::kInvalidRequest,
                fmt::format("the JSON Pointer part `{}` does not begin with a slash (RFC 6901)", pointer));
  }
  const std::size_t slash = pointer.find('/', 1);
  const std::string_view token = pointer.substr(1, slash == std::string_view::npos ? slash : slash - 1);
  pointer.remove_prefix(token.size() + 1);
  if (token.find('~') == std::string_view::npos) return token;
  scratch.clear();
  for (std::size_t i = 0; i != token.size(); ++i) {
    if (token[i] != '~') {
      scratch.push_back(token[i]);
      continue;
    }
    const char code = i + 1 == token.size() ? '\0' : token[++i];
    if (code != '0' && code != '1') {
      return fail(Code::kInvalidRequest,
                  fmt::format("the JSON Pointer part `/{}` holds a `~` that is neither ~0 nor ~1", token));
    }
    scratch.push_back(code == '0' ? '~' : '/');
  }
  return std::string_view(scratch);
}

}  // namespace sluice::json
