// The conditions that read a request. Numbers are compared exactly: an integer never goes through a double.

#include "policy/content_rules.hpp"

#include <algorithm>
#include <cmath>
#include <compare>

#include <fmt/format.h>

#include "base/glob.hpp"
#include "base/utf8.hpp"
#include "policy/words.hpp"

namespace sluice::policy {
namespace {

constexpr std::size_t kShownBytes = 80;  // of a JSON value in a message
constexpr std::size_t kShownValues = 5;  // of a rule in a message

std::partial_ordering compare(std::int64_t a, double b) noexcept {
  if (std::isnan(b)) return std::partial_ordering::unordered;
  if (b >= 0x1p63) return std::partial_ordering::less;
  if (b < -0x1p63) return std::partial_ordering::greater;
  const auto whole = static_cast<std::int64_t>(b);
  if (a != whole) return a <=> whole;
  return 0.0 <=> b - static_cast<double>(whole);  // exact: a double with a fraction is below 2^53
}

std::partial_ordering reversed(std::partial_ordering order) noexcept { return 0 <=> order; }

/// How the value of a request stands to the number of a rule; unordered unless both are numbers.
std::partial_ordering compare(const json::Value& value, const Scalar& scalar) noexcept {
  const auto* whole = std::get_if<std::int64_t>(&scalar);
  const auto* real = std::get_if<double>(&scalar);
  if ((!whole && !real) || !value.is(json::Type::kNumber)) return std::partial_ordering::unordered;
  if (const auto n = value.integer()) return whole ? *n <=> *whole : compare(*n, *real);
  const auto n = value.number();
  if (!n) return std::partial_ordering::unordered;
  return whole ? reversed(compare(*whole, *n)) : *n <=> *real;
}

bool is_number(const Scalar& scalar) noexcept {
  const auto* real = std::get_if<double>(&scalar);
  return std::holds_alternative<std::int64_t>(scalar) || (real && std::isfinite(*real));
}

/// RFC 6901: empty, or tokens behind slashes in which `~` is followed by 0 or 1.
bool is_pointer(std::string_view text) noexcept {
  if (!text.empty() && text.front() != '/') return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '~' && (i + 1 == text.size() || (text[i + 1] != '0' && text[i + 1] != '1'))) return false;
  }
  return true;
}

/// Fields whose values prove who somebody is: no message repeats them.
bool is_credential(std::string_view name) noexcept {
  for (const std::string_view secret : {"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-goog-api-key"}) {
    if (same_name(name, secret)) return true;
  }
  return false;
}

}  // namespace

std::string in_json(const Scalar& scalar) {
  if (std::holds_alternative<std::nullptr_t>(scalar)) return "null";
  if (const auto* b = std::get_if<bool>(&scalar)) return *b ? "true" : "false";
  if (const auto* n = std::get_if<std::int64_t>(&scalar)) return std::to_string(*n);
  if (const auto* d = std::get_if<double>(&scalar)) return fmt::format("{}", *d);
  return shown(std::get<std::string>(scalar));
}

bool equals(const Scalar& scalar, const json::Value& value) {
  if (std::holds_alternative<std::nullptr_t>(scalar)) return value.is(json::Type::kNull);
  if (const auto* b = std::get_if<bool>(&scalar)) return value.boolean() == *b;
  if (const auto* s = std::get_if<std::string>(&scalar)) return value.is(json::Type::kString) && value.equals(*s);
  return compare(value, scalar) == std::partial_ordering::equivalent;
}

// Header fields.

std::string_view key_of(HeaderMatch::Op op) noexcept {
  switch (op) {
    case HeaderMatch::Op::kExact: return "exact";
    case HeaderMatch::Op::kPrefix: return "prefix";
    case HeaderMatch::Op::kGlob: return "glob";
    case HeaderMatch::Op::kRegex: return "regex";
    case HeaderMatch::Op::kPresent: return "present";
  }
  return "present";
}

Result<HeaderRule> HeaderRule::compile(const HeaderMatch& match) {
  if (!is_header_name(match.name)) return fail(Code::kInvalidConfiguration, fmt::format("{} is no header name", shown(match.name)));
  HeaderRule rule(match);
  if (match.op == HeaderMatch::Op::kRegex) {
    auto regex = Regex::compile(match.value);
    if (!regex) return fail(Code::kInvalidConfiguration, std::move(regex.error().message), std::string(key_of(match.op)));
    rule.regex_ = std::move(*regex);
  }
  return rule;
}

bool HeaderRule::fits(std::string_view value) const {
  switch (match_.op) {
    case HeaderMatch::Op::kExact: return value == match_.value;
    case HeaderMatch::Op::kPrefix: return value.starts_with(match_.value);
    case HeaderMatch::Op::kGlob: return base::glob_match(match_.value, value);
    case HeaderMatch::Op::kRegex: return regex_->found_in(value);
    case HeaderMatch::Op::kPresent: return true;
  }
  return false;
}

bool HeaderRule::holds(const Headers& headers) const {
  for (const HeaderField field : headers) {
    if (field.name.size() == match_.name.size() && same_name(field.name, match_.name) && fits(field.value)) return true;
  }
  return false;
}

std::string HeaderRule::why_not(const Headers& headers) const {
  const auto value = headers.get(match_.name);
  if (!value) return fmt::format("header {} is missing", match_.name);
  const std::string said = is_credential(match_.name) ? "***" : shown(*value);
  const std::string wanted = is_credential(match_.name) ? "***" : shown(match_.value);
  return fmt::format("header {} is {}, which does not fit {} {}", match_.name, said, key_of(match_.op), wanted);
}

// Body fields.

std::string_view key_of(BodyMatch::Op op) noexcept {
  switch (op) {
    case BodyMatch::Op::kEquals: return "equals";
    case BodyMatch::Op::kIn: return "in";
    case BodyMatch::Op::kExists: return "exists";
    case BodyMatch::Op::kLess: return "lt";
    case BodyMatch::Op::kLessEqual: return "lte";
    case BodyMatch::Op::kGreater: return "gt";
    case BodyMatch::Op::kGreaterEqual: return "gte";
    case BodyMatch::Op::kGlob: return "glob";
    case BodyMatch::Op::kRegex: return "regex";
  }
  return "exists";
}

Result<BodyRule> BodyRule::compile(const BodyMatch& match) {
  using Op = BodyMatch::Op;
  const std::string key(key_of(match.op));
  if (!is_pointer(match.pointer)) {
    return fail(Code::kInvalidConfiguration, fmt::format("{} is no JSON Pointer; write /field or /list/0", shown(match.pointer)), "pointer");
  }
  if (match.op != Op::kIn && match.values.size() != 1) {
    return fail(Code::kInvalidConfiguration, fmt::format("'{}' takes one value, not {}", key, match.values.size()), key);
  }
  if (match.values.empty()) return fail(Code::kInvalidConfiguration, "'in' needs at least one value", key);
  for (const Scalar& value : match.values) {
    if (const auto* real = std::get_if<double>(&value); real && !std::isfinite(*real)) {
      return fail(Code::kInvalidConfiguration, "no JSON number is infinite or not a number", key);
    }
  }
  const Scalar& first = match.values.front();
  BodyRule rule(match);
  switch (match.op) {
    case Op::kEquals:
    case Op::kIn: break;
    case Op::kExists:
      if (!std::holds_alternative<bool>(first)) return fail(Code::kInvalidConfiguration, "'exists' takes true or false", key);
      break;
    case Op::kLess:
    case Op::kLessEqual:
    case Op::kGreater:
    case Op::kGreaterEqual:
      if (!is_number(first)) return fail(Code::kInvalidConfiguration, fmt::format("'{}' compares with a number, not {}", key, in_json(first)), key);
      break;
    case Op::kGlob:
      if (!std::holds_alternative<std::string>(first)) return fail(Code::kInvalidConfiguration, "'glob' takes a text", key);
      break;
    case Op::kRegex: {
      const auto* pattern = std::get_if<std::string>(&first);
      if (!pattern) return fail(Code::kInvalidConfiguration, "'regex' takes a text", key);
      auto regex = Regex::compile(*pattern);
      if (!regex) return fail(Code::kInvalidConfiguration, std::move(regex.error().message), key);
      rule.regex_ = std::move(*regex);
      break;
    }
  }
  return rule;
}

bool BodyRule::fits(const json::Value& value) const {
  using Op = BodyMatch::Op;
  const Scalar& first = match_.values.front();
  std::string scratch;
  switch (match_.op) {
    case Op::kEquals: return equals(first, value);
    case Op::kIn: return std::any_of(match_.values.begin(), match_.values.end(), [&](const Scalar& one) { return equals(one, value); });
    case Op::kExists: return true;  // by holds()
    case Op::kLess: return compare(value, first) < 0;
    case Op::kLessEqual: return compare(value, first) <= 0;
    case Op::kGreater: return compare(value, first) > 0;
    case Op::kGreaterEqual: return compare(value, first) >= 0;
    case Op::kGlob: return value.is(json::Type::kString) && base::glob_match(std::get<std::string>(first), value.text(scratch));
    case Op::kRegex: return value.is(json::Type::kString) && regex_->found_in(value.text(scratch));
  }
  return false;
}

Result<bool> BodyRule::holds(const json::Document& document) const {
  auto value = document.root().at(match_.pointer);
  if (!value) return tl::unexpected(std::move(value.error()));
  if (match_.op == BodyMatch::Op::kExists) return static_cast<bool>(*value) == std::get<bool>(match_.values.front());
  return *value && fits(*value);
}

std::string BodyRule::why_not(const json::Document& document) const {
  const auto value = document.root().at(match_.pointer);
  if (!value) return value.error().message;
  if (match_.op == BodyMatch::Op::kExists) return fmt::format("body field {} {}", match_.pointer, *value ? "is there" : "is missing");
  if (!*value) return fmt::format("body field {} is missing", match_.pointer);
  const std::string_view head = base::truncate_utf8(value->raw(), kShownBytes);
  std::string wanted;
  for (std::size_t i = 0; i < std::min(match_.values.size(), kShownValues); ++i) wanted += (i > 0 ? ", " : "") + in_json(match_.values[i]);
  return fmt::format("body field {} is {}{}, which does not fit {} {}", match_.pointer, head, head.size() < value->length() ? "..." : "",
                     key_of(match_.op), wanted);
}

// Prompt.

std::string_view key_of(PromptMatch::Op op) noexcept { return op == PromptMatch::Op::kContains ? "contains" : "regex"; }

Result<PromptRule> PromptRule::compile(const PromptMatch& match) {
  const std::string key(key_of(match.op));
  if (match.value.empty()) return fail(Code::kInvalidConfiguration, "an empty text is in every prompt; name what it must hold", key);
  auto regex = match.op == PromptMatch::Op::kContains ? Regex::literal(match.value, match.ignore_case)
                                                      : Regex::compile(match.value, match.ignore_case);
  if (!regex) return fail(Code::kInvalidConfiguration, std::move(regex.error().message), key);
  return PromptRule(match, std::move(*regex));
}

bool PromptRule::holds(const chat::RequestView& view) const {
  for (const chat::PromptText& run : view.prompt) {
    if (match_.where == PromptMatch::Where::kSystem && run.role != chat::Role::kSystem) continue;
    if (match_.where == PromptMatch::Where::kLastUser && !run.last_user) continue;
    if (regex_.found_in(run.text)) return true;
  }
  return false;
}

std::string PromptRule::why_not() const {
  const std::string_view where = match_.where == PromptMatch::Where::kSystem     ? "the system prompt"
                                 : match_.where == PromptMatch::Where::kLastUser ? "the last user message"
                                                                                 : "the prompt";
  if (match_.op == PromptMatch::Op::kContains) return fmt::format("{} does not contain {}", where, shown(match_.value));
  return fmt::format("{} does not fit regex {}", where, shown(match_.value));
}

}  // namespace sluice::policy
