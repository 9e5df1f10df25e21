#pragma once
/// Looks into the JSON text of one streamed chunk without parsing it: finds keys, steps over values, tells how deep a
/// place is. For valid JSON the answers are exact; for anything else they are wrong but bounded by the text.
///
/// Why it is exact: inside a JSON string every quote is escaped, so `"usage"` followed by a colon is a key and never a
/// piece of a model's text; and a place is as deep as there are brackets behind it that nothing behind it opened.

#include <cstddef>
#include <string_view>

namespace sluice::dialect::chunk {

inline constexpr std::size_t kNowhere = std::string_view::npos;

/// A member: where its key's quote opens, where its value begins.
struct Member {
  std::size_t key = kNowhere;
  std::size_t value = kNowhere;
  [[nodiscard]] explicit operator bool() const noexcept { return key != kNowhere; }
};

/// The first member from `from` on, at any depth, whose key is `quoted_key` (quotes included, no escapes).
[[nodiscard]] Member find_member(std::string_view json, std::string_view quoted_key, std::size_t from = 0) noexcept;
/// Behind the value that begins at `at`.
[[nodiscard]] std::size_t skip_value(std::string_view json, std::size_t at) noexcept;
/// Behind the blanks at `at`.
[[nodiscard]] std::size_t skip_blanks(std::string_view json, std::size_t at) noexcept;
/// How many arrays and objects are open at `at`, a place outside strings.
[[nodiscard]] std::size_t depth_at(std::string_view json, std::size_t at) noexcept;
/// The characters between the quotes of the string at `at`, not decoded; empty where there is no string.
[[nodiscard]] std::string_view string_at(std::string_view json, std::size_t at) noexcept;

/// What to cut so that a member is gone and the text is what it would be had it never been written.
struct Cut {
  std::size_t begin = 0, end = 0;
};
/// What stands before `from` has been cut or copied already: of two members side by side each takes a comma of its own.
[[nodiscard]] Cut cut_of(std::string_view json, const Member& member, std::size_t value_end, std::size_t from = 0) noexcept;

}  // namespace sluice::dialect::chunk
