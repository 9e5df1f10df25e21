#pragma once
/// What a configuration value may be, as data: the one source of the parser's checks, the JSON Schema and the pages.
/// Knows JSON types, ranges and names; must not know which C++ member a value lands in (config_codec.hpp).

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::gateway::config {

struct Shape;
using ShapeRef = std::shared_ptr<const Shape>;

/// A form some texts must have: a predicate, and the same as an ECMA regular expression for the schema.
struct TextForm {
  std::string_view what;     ///< for messages and pages: "a name of letters, digits, ..."
  std::string_view pattern;  ///< for the schema; empty = none
  bool (*fits)(std::string_view) noexcept;
};

/// One key of an object.
struct Member {
  std::string_view key;
  std::string_view meaning;  ///< one or two sentences, Markdown
  std::string_view example;  ///< JSON text; empty = none
  std::string default_json;  ///< JSON text; empty = unset
  bool required = false;
  ShapeRef shape;
};

struct Shape {
  enum class Kind : std::uint8_t {
    kAny,     ///< any JSON value, kept as text
    kScalar,  ///< null, a boolean, a number or a string
    kBoolean,
    kTrue,     ///< nothing but true
    kInteger,  ///< min..max
    kNumber,   ///< low..high
    kText,     ///< with a form
    kName,     ///< one of `names`
    kList,     ///< of `element`
    kMap,      ///< key -> `element`
    kObject,   ///< of `members`
    kEither,   ///< a text (alternatives[0]) or an object (alternatives[1])
  } kind = Kind::kAny;

  std::string_view unit = {};  ///< "ms", "bytes"; empty = none
  std::int64_t min = 0, max = 0;
  double low = 0, high = 0;
  TextForm form = {};
  std::vector<std::string_view> names = {};
  ShapeRef element = nullptr;
  std::size_t min_items = 0;
  bool unique = false;            ///< kList: the same value twice is a mistake
  bool one_alone = false;         ///< kList: a single element may stand without brackets
  std::string_view title = {};    ///< kObject: a heading of the page
  std::string_view meaning = {};  ///< kObject: the sentence below it
  std::vector<Member> members = {};
  std::vector<std::string_view> exactly_one = {};  ///< kObject: keys of which exactly one stands there
  std::vector<ShapeRef> alternatives = {};
};

/// What the value must be, for messages and pages: `an integer from 0 to 65535`.
[[nodiscard]] std::string describe(const Shape& shape);

/// The names no object refuses: they say something to people and editors, nothing to sluice.
[[nodiscard]] bool is_annotation(std::string_view key) noexcept;

/// The shape of the whole document. Lifetime: static.
[[nodiscard]] const Shape& document_shape();

/// Lays JSON text out for reading: two blanks a level, what fits a line of `width` on one line.
/// A text that is no JSON comes back as it is.
[[nodiscard]] std::string laid_out(std::string_view json, std::size_t width = 110);

}  // namespace sluice::gateway::config
