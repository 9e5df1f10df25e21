// W3C Trace Context, read strictly and written in version 00.

#include "telemetry/trace.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace sluice::telemetry {
namespace {

constexpr std::size_t kTraceAt = 3, kSpanAt = 36, kFlagsAt = 53, kSize = 55;  // of version 00
constexpr std::size_t kMaxMembers = 32, kMaxState = 512, kLongMember = 128;

/// Of a lower-case hex digit; nothing for any other character, upper-case digits included.
std::optional<unsigned> digit(char c) noexcept {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  return std::nullopt;
}

bool are_digits(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return digit(c).has_value(); });
}

bool are_zeros(std::string_view text) noexcept { return text.find_first_not_of('0') == std::string_view::npos; }

/// Takes an id's digits; false where they are none, or all zero.
bool take_id(std::string_view text, std::span<char> id) noexcept {
  if (!are_digits(text) || are_zeros(text)) return false;
  std::copy(text.begin(), text.end(), id.begin());
  return true;
}

void write_hex(std::uint64_t bits, char* to) noexcept {
  for (int shift = 60; shift >= 0; shift -= 4) *to++ = "0123456789abcdef"[(bits >> shift) & 15];
}

/// Random bits, never all zero.
std::uint64_t id_bits(Random& random) noexcept {
  std::uint64_t bits = 0;
  while (bits == 0) bits = random.next();
  return bits;
}

bool is_key(std::string_view text) noexcept {
  constexpr std::string_view kMarks = "_-*/@";
  const auto letter_or_digit = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (text.empty() || text.size() > 256 || !letter_or_digit(text.front())) return false;
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return letter_or_digit(c) || kMarks.find(c) != std::string_view::npos; });
}

/// Blanks behind it are off already.
bool is_value(std::string_view text) noexcept {
  const auto fits = [](char c) { return c >= 0x20 && c <= 0x7e && c != ',' && c != '='; };
  return !text.empty() && text.size() <= 256 && std::all_of(text.begin(), text.end(), fits);
}

std::string_view without_blanks(std::string_view text) noexcept {
  const std::size_t from = text.find_first_not_of(" \t");
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(" \t") + 1 - from);
}

/// Adds the members of one field value; false where one is malformed, known already or too many.
bool add_members(std::string_view value, std::vector<std::string_view>& members) {
  while (true) {
    const std::size_t comma = value.find(',');
    const std::string_view member = without_blanks(value.substr(0, comma));
    if (!member.empty()) {
      const std::size_t equals = member.find('=');
      if (equals == std::string_view::npos) return false;
      if (!is_key(member.substr(0, equals)) || !is_value(member.substr(equals + 1))) return false;
      const std::string_view with_equals = member.substr(0, equals + 1);
      if (members.size() == kMaxMembers) return false;
      for (const std::string_view other : members) {
        if (other.starts_with(with_equals)) return false;
      }
      members.push_back(member);
    }
    if (comma == std::string_view::npos) return true;
    value.remove_prefix(comma + 1);
  }
}

}  // namespace

std::optional<TraceParent> parse_traceparent(std::string_view value) noexcept {
  if (value.size() < kSize) return std::nullopt;
  if (value[kTraceAt - 1] != '-' || value[kSpanAt - 1] != '-' || value[kFlagsAt - 1] != '-') return std::nullopt;
  const std::string_view version = value.substr(0, 2), flags = value.substr(kFlagsAt, 2);
  if (!are_digits(version) || version == "ff" || !are_digits(flags)) return std::nullopt;
  // A later version may add fields, behind a dash.
  if (value.size() > kSize && (version == "00" || value[kSize] != '-')) return std::nullopt;
  TraceParent parent;
  if (!take_id(value.substr(kTraceAt, 32), parent.trace_id.digits) ||
      !take_id(value.substr(kSpanAt, 16), parent.span_id.digits)) {
    return std::nullopt;
  }
  parent.sampled = (*digit(flags[1]) & 1) != 0;
  return parent;
}

std::string joined_tracestate(const Headers& headers) {
  std::vector<std::string_view> members;
  for (const HeaderField field : headers) {
    if (same_name(field.name, "tracestate") && !add_members(field.value, members)) return {};
  }
  std::size_t size = members.empty() ? 0 : members.size() - 1;  // the commas
  for (const std::string_view member : members) size += member.size();
  if (size > kMaxState) {
    std::erase_if(members, [&size](std::string_view member) {
      if (member.size() <= kLongMember) return false;
      size -= member.size() + 1;
      return true;
    });
  }
  std::string out;
  for (const std::string_view member : members) {
    if (out.size() + (out.empty() ? 0 : 1) + member.size() > kMaxState) break;
    if (!out.empty()) out += ',';
    out += member;
  }
  return out;
}

Trace join_trace(const Headers& headers, bool trusted, Random& random) {
  Trace trace;
  write_hex(id_bits(random), trace.span_id.digits.data());
  std::optional<TraceParent> parent;
  if (trusted && headers.count("traceparent") == 1) parent = parse_traceparent(*headers.get("traceparent"));
  if (parent) {
    trace.trace_id = parent->trace_id;
    trace.parent_span_id = parent->span_id;
    trace.sampled = parent->sampled;
    trace.state = joined_tracestate(headers);
    return trace;
  }
  write_hex(random.next(), trace.trace_id.digits.data());
  write_hex(id_bits(random), trace.trace_id.digits.data() + 16);
  return trace;
}

std::string traceparent(const Trace& trace) {
  std::string out = "00-";
  out.reserve(kSize);
  out.append(trace.trace_id.text()).append("-").append(trace.span_id.text());
  return out.append(trace.sampled ? "-01" : "-00");
}

}  // namespace sluice::telemetry
