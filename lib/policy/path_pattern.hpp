#pragma once
/// A path of a route's match: literal, or with `*`, `**` and `{name}`. Compiled once, matched segment by segment.
/// Knows segments; must not know routes, hosts or percent-decoding (it captures what stands in the path).

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/error.hpp"

namespace sluice::policy {

/// True where `path` is `prefix` or lies below it: `/v1` takes `/v1` and `/v1/x`, never `/v1x`. "" takes everything.
[[nodiscard]] bool below(std::string_view prefix, std::string_view path) noexcept;

/// A path prefix as below() wants it: a trailing slash cut off, `/` made "".
/// Errors: kInvalidConfiguration for wildcards and for what no normalised path can hold.
[[nodiscard]] Result<std::string> compile_prefix(std::string_view text);

/// Segments: literal text; `*` any run inside a non-empty segment (`gpt-*`); `{name}` one non-empty segment or a
/// part of it (`{model}:generate`), captured; `**`, last, any rest, nothing included (`/v1/**` takes `/v1`).
class PathPattern {
 public:
  /// One captured name and what stood there. Lifetime: the pattern and the path.
  using Capture = std::pair<std::string_view, std::string_view>;

  /// Errors: kInvalidConfiguration says what is wrong with `text`, a path that no request could have included.
  [[nodiscard]] static Result<PathPattern> compile(std::string_view text);

  /// True where all of `path` fits; appends to `captures` (on a fit only) where it is not null. Cost: linear, no heap
  /// unless something is captured.
  [[nodiscard]] bool matches(std::string_view path, std::vector<Capture>* captures = nullptr) const;

  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  /// True without wildcards and names: text() is the one path that fits.
  [[nodiscard]] bool exact() const noexcept { return segments_.empty(); }
  /// The leading segments that are literal, as below() wants them: every path that fits lies below.
  [[nodiscard]] std::string_view literal_prefix() const noexcept;
  /// The names it captures, in order.
  [[nodiscard]] std::vector<std::string> names() const;
  /// Some path that fits.
  [[nodiscard]] std::string example() const;

 private:
  enum class Kind : std::uint8_t { kLiteral, kGlob, kName, kRest };
  struct Segment {
    Kind kind = Kind::kLiteral;
    std::string text = {};    // literal or glob; for kName what stands before the brace
    std::string suffix = {};  // for kName, what stands behind it
    std::string name = {};
  };

  [[nodiscard]] static Result<Segment> compile_segment(std::string_view text, bool last);
  [[nodiscard]] static bool fits(const Segment& segment, std::string_view part) noexcept;

  std::string text_;
  std::vector<Segment> segments_;  // empty for an exact path
};

}  // namespace sluice::policy
