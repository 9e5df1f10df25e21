// A path of a route's match: segments compiled once, compared one by one.

#include "policy/path_pattern.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/glob.hpp"

namespace sluice::policy {
namespace {

bool is_unreserved(unsigned char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_' || c == '~';
}

std::optional<unsigned> hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

/// Paths are normalised before they are matched, so a rule for a path that is not would never fire: it is refused.
Status check_literal(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '?' || c == '#') return fail(Code::kInvalidConfiguration, fmt::format("'{}' ends a path; queries are not matched", text[i]));
    if (c <= 0x20 || c >= 0x7f) {
      return fail(Code::kInvalidConfiguration, fmt::format("byte 0x{:02x} stands in no request path; percent-encode it", c));
    }
    if (c != '%') continue;
    const auto high = i + 1 < text.size() ? hex_value(text[i + 1]) : std::nullopt;
    const auto low = i + 2 < text.size() ? hex_value(text[i + 2]) : std::nullopt;
    if (!high || !low) return fail(Code::kInvalidConfiguration, "'%' begins no escape; write %25 for the character itself");
    const auto decoded = static_cast<unsigned char>(*high * 16 + *low);
    if (is_unreserved(decoded)) {
      return fail(Code::kInvalidConfiguration, fmt::format("{} is matched decoded; write '{}'", text.substr(i, 3), static_cast<char>(decoded)));
    }
    const bool lower_case = text[i + 1] >= 'a' || text[i + 2] >= 'a';
    if (lower_case) return fail(Code::kInvalidConfiguration, fmt::format("{} is matched in upper case; write %{:02X}", text.substr(i, 3), decoded));
    if (decoded == 0) return fail(Code::kInvalidConfiguration, "%00 stands in no request path");
  }
  return {};
}

/// The segments behind the leading slash, one after another: `/a/b` gives `a`, `b`; `/` gives one that is empty.
class Parts {
 public:
  explicit Parts(std::string_view path) : rest_(path), more_(!path.empty() && path.front() == '/') {
    if (more_) rest_.remove_prefix(1);
  }
  [[nodiscard]] bool more() const noexcept { return more_; }
  std::string_view next() noexcept {
    const std::size_t slash = rest_.find('/');
    const std::string_view part = rest_.substr(0, slash);
    more_ = slash != std::string_view::npos;
    rest_ = more_ ? rest_.substr(slash + 1) : std::string_view{};
    return part;
  }

 private:
  std::string_view rest_;
  bool more_;
};

Status check_shape(std::string_view text) {
  if (text.empty() || text.front() != '/') return fail(Code::kInvalidConfiguration, "a path begins with '/'");
  for (Parts parts(text); parts.more();) {
    const std::string_view part = parts.next();
    if (part == "." || part == "..") return fail(Code::kInvalidConfiguration, fmt::format("a normalised path has no '{}' segment", part));
    if (part.empty() && parts.more()) return fail(Code::kInvalidConfiguration, "a normalised path has no '//'");
  }
  return {};
}

bool is_name(std::string_view text) noexcept {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !text.empty() && letter(text.front()) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

}  // namespace

bool below(std::string_view prefix, std::string_view path) noexcept {
  return path.starts_with(prefix) && (path.size() == prefix.size() || prefix.empty() || path[prefix.size()] == '/');
}

Result<std::string> compile_prefix(std::string_view text) {
  if (auto shape = check_shape(text); !shape) return tl::unexpected(std::move(shape.error()));
  if (text.find_first_of("*{}") != std::string_view::npos) {
    return fail(Code::kInvalidConfiguration, "a path prefix is literal; '*' and '{name}' belong in 'path'");
  }
  if (auto literal = check_literal(text); !literal) return tl::unexpected(std::move(literal.error()));
  if (text.back() == '/') text.remove_suffix(1);
  return std::string(text);
}

Result<PathPattern::Segment> PathPattern::compile_segment(std::string_view text, bool last) {
  if (auto literal = check_literal(text); !literal) return tl::unexpected(std::move(literal.error()));
  if (text.find("**") != std::string_view::npos) {
    if (text != "**" || !last) return fail(Code::kInvalidConfiguration, "'**' is a segment of its own, and the last one");
    return Segment{.kind = Kind::kRest};
  }
  const std::size_t open = text.find('{');
  if (open == std::string_view::npos && text.find('}') == std::string_view::npos) {
    return Segment{.kind = text.find('*') == std::string_view::npos ? Kind::kLiteral : Kind::kGlob, .text = std::string(text)};
  }
  const std::size_t close = text.find('}');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
    return fail(Code::kInvalidConfiguration, fmt::format("'{}' has a brace without its pair", text));
  }
  const std::string_view name = text.substr(open + 1, close - open - 1);
  if (!is_name(name)) return fail(Code::kInvalidConfiguration, fmt::format("'{{{}}}' is no name: letters, digits and '_', no digit first", name));
  const std::string_view suffix = text.substr(close + 1);
  if (suffix.find_first_of("{}") != std::string_view::npos || text.find('*') != std::string_view::npos) {
    return fail(Code::kInvalidConfiguration, fmt::format("'{}' is ambiguous: one name, and no '*', in a segment", text));
  }
  return Segment{.kind = Kind::kName, .text = std::string(text.substr(0, open)), .suffix = std::string(suffix), .name = std::string(name)};
}

Result<PathPattern> PathPattern::compile(std::string_view text) {
  if (auto shape = check_shape(text); !shape) return tl::unexpected(std::move(shape.error()));
  PathPattern pattern;
  pattern.text_ = text;
  std::vector<std::string_view> names;
  for (Parts parts(text); parts.more();) {
    const std::string_view part = parts.next();
    auto segment = compile_segment(part, !parts.more());
    if (!segment) return tl::unexpected(std::move(segment.error()));
    pattern.segments_.push_back(std::move(*segment));
  }
  for (const Segment& segment : pattern.segments_) {
    if (segment.kind != Kind::kName) continue;
    if (std::find(names.begin(), names.end(), segment.name) != names.end()) {
      return fail(Code::kInvalidConfiguration, fmt::format("'{{{}}}' stands twice", segment.name));
    }
    names.emplace_back(segment.name);
  }
  const auto literal = [](const Segment& segment) { return segment.kind == Kind::kLiteral; };
  if (std::all_of(pattern.segments_.begin(), pattern.segments_.end(), literal)) pattern.segments_.clear();
  return pattern;
}

bool PathPattern::fits(const Segment& segment, std::string_view part) noexcept {
  switch (segment.kind) {
    case Kind::kLiteral: return part == segment.text;
    case Kind::kGlob: return !part.empty() && base::glob_match(segment.text, part);
    case Kind::kName:
      return part.size() > segment.text.size() + segment.suffix.size() && part.starts_with(segment.text) && part.ends_with(segment.suffix);
    case Kind::kRest: return true;
  }
  return false;
}

bool PathPattern::matches(std::string_view path, std::vector<Capture>* captures) const {
  if (exact()) return path == text_;
  const std::size_t before = captures ? captures->size() : 0;
  Parts parts(path);
  for (const Segment& segment : segments_) {
    if (segment.kind == Kind::kRest) return true;
    const bool more = parts.more();
    const std::string_view part = more ? parts.next() : std::string_view{};
    if (!more || !fits(segment, part)) {
      if (captures) captures->resize(before);
      return false;
    }
    if (captures && segment.kind == Kind::kName) {
      captures->emplace_back(segment.name, part.substr(segment.text.size(), part.size() - segment.text.size() - segment.suffix.size()));
    }
  }
  if (!parts.more()) return true;
  if (captures) captures->resize(before);
  return false;
}

std::string_view PathPattern::literal_prefix() const noexcept {
  if (exact()) return text_;
  std::size_t size = 0;
  for (const Segment& segment : segments_) {
    if (segment.kind != Kind::kLiteral) break;
    size += 1 + segment.text.size();
  }
  return std::string_view(text_).substr(0, size);
}

std::vector<std::string> PathPattern::names() const {
  std::vector<std::string> names;
  for (const Segment& segment : segments_) {
    if (segment.kind == Kind::kName) names.push_back(segment.name);
  }
  return names;
}

std::string PathPattern::example() const {
  if (exact()) return text_;
  std::string path;
  for (const Segment& segment : segments_) {
    if (segment.kind == Kind::kRest) break;
    path += '/';
    for (const char c : segment.text) path += segment.kind == Kind::kGlob && c == '*' ? 'x' : c;
    if (segment.kind == Kind::kName) path += 'x' + segment.suffix;
  }
  return path.empty() ? "/" : path;
}

}  // namespace sluice::policy
