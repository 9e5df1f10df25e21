// Compares an event with the one before it, outside their texts.

#include "dialect/event_pattern.hpp"

#include <utility>

#include "base/utf8.hpp"
#include "json/scan.hpp"

namespace sluice::dialect {
namespace {

namespace scan = json::scan;

/// Where the string ends whose text begins at `at`; nothing where it is none, or holds surrogates.
std::optional<std::size_t> end_of_text(std::string_view json, std::size_t at, bool& escaped) noexcept {
  const char* const end = json.data() + json.size();
  const char* p = json.data() + at;
  for (;;) {
    p = scan::find_string_stop(p, end);
    if (p == end) return std::nullopt;
    if (*p == '"') break;
    if (*p != '\\' || end - p < 2) return std::nullopt;
    escaped = true;
    if (scan::is_two_byte_escape(p[1])) {
      p += 2;
      continue;
    }
    const int unit = p[1] == 'u' && end - p >= 6 ? scan::hex_unit(p + 2) : -1;
    if (unit < 0 || scan::is_high_surrogate(unit) || scan::is_low_surrogate(unit)) return std::nullopt;
    p += 6;
  }
  const auto behind = static_cast<std::size_t>(p - json.data());
  return base::is_utf8(json.substr(at, behind - at)) ? std::optional(behind) : std::nullopt;
}

}  // namespace

void EventPattern::learn(std::string_view event, const Range& text, const std::optional<Range>& padding) {
  example_.assign(event);
  slots_[0] = text;
  count_ = 1;
  text_ = 0;
  if (!padding) return;
  slots_[1] = *padding;
  count_ = 2;
  if (padding->begin < text.begin) {
    std::swap(slots_[0], slots_[1]);
    text_ = 1;
  }
}

void EventPattern::learn(std::string_view event) {
  example_.assign(event);
  count_ = 0;
}

std::optional<EventPattern::Text> EventPattern::match(std::string_view data) const noexcept {
  if (count_ == 0) return std::nullopt;
  const std::string_view example = example_;
  Text text;
  std::size_t at = 0, from = 0;
  for (std::size_t i = 0; i != count_; ++i) {
    const std::string_view same = example.substr(from, slots_[i].begin - from);
    if (!data.substr(at).starts_with(same)) return std::nullopt;
    at += same.size();
    bool escaped = false;
    const auto end = end_of_text(data, at, escaped);
    if (!end) return std::nullopt;
    if (i == text_) text = {{at, *end}, escaped};
    at = *end;
    from = slots_[i].end;
  }
  if (data.substr(at) != example.substr(from) || text.range.begin == text.range.end) return std::nullopt;
  return text;
}

}  // namespace sluice::dialect
