#pragma once
/// Codecs: how one C++ type stands in the configuration document. A codec is the shape of the value, a way to read it
/// and a way to write it; the table (config_table.cpp) puts them together, so that parser, schema, pages and dump are
/// equal by construction.

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "gateway/config_reader.hpp"
#include "gateway/config_shape.hpp"
#include "json/document.hpp"
#include "json/writer.hpp"
#include "sluice/route.hpp"
#include "sluice/secret.hpp"
#include "sluice/upstream.hpp"

namespace sluice::gateway::config {

/// The ways between a document and a value whose type only who made them knows. There are hundreds of types here: what need
/// not be compiled for each of them is compiled once, on this. Lifetime: shared. Thread: any.
class Ways {
 public:
  virtual ~Ways() = default;
  virtual void read(Reader& in, json::Value value, void* out) const = 0;
  virtual void write(json::Writer& out, const void* value) const = 0;
  /// True for a value that means "not set": it is left out of a dump and has no default to show.
  [[nodiscard]] virtual bool unset(const void* value) const = 0;
};
using WaysRef = std::shared_ptr<const Ways>;

/// A codec whose type is not said.
struct AnyCodec {
  ShapeRef shape;
  WaysRef ways;
};

template <typename T> class Codec : public AnyCodec {
  struct Never {
    bool operator()(const T&) const noexcept { return false; }
  };
  template <typename R, typename W, typename U> struct Made final : Ways {
    Made(R reads, W writes, U unsets) : reads_(std::move(reads)), writes_(std::move(writes)), unset_(std::move(unsets)) {}
    void read(Reader& in, json::Value value, void* out) const override { reads_(in, value, *static_cast<T*>(out)); }
    void write(json::Writer& out, const void* value) const override { writes_(out, *static_cast<const T*>(value)); }
    bool unset(const void* value) const override { return unset_(*static_cast<const T*>(value)); }
    R reads_;
    W writes_;
    U unset_;
  };

 public:
  explicit Codec(AnyCodec any) : AnyCodec(std::move(any)) {}
  /// `reads(Reader&, json::Value, T&)`, `writes(json::Writer&, const T&)` and, where a T can be unset, `unsets(const T&)`.
  template <typename R, typename W, typename U = Never>
  Codec(ShapeRef of, R reads, W writes, U unsets = {})
      : AnyCodec{std::move(of), WaysRef(static_cast<const Ways*>(new Made<R, W, U>(std::move(reads), std::move(writes), std::move(unsets))))} {}

  void read(Reader& in, json::Value value, T& out) const { ways->read(in, value, &out); }
  void write(json::Writer& out, const T& value) const { ways->write(out, &value); }
  [[nodiscard]] bool unset(const T& value) const { return ways->unset(&value); }
};

// Scalars.

[[nodiscard]] Codec<bool> boolean();
[[nodiscard]] Codec<std::optional<bool>> maybe_boolean();
/// Nothing but `true`; the C++ side is a flag that says it stands there.
[[nodiscard]] Codec<bool> only_true();
[[nodiscard]] Codec<double> number(double low, double high, std::string_view unit = {});
[[nodiscard]] Codec<Milliseconds> milliseconds(std::int64_t min, std::int64_t max = 86'400'000);
/// A text that is not empty.
[[nodiscard]] Codec<std::string> text();
/// A text of the form; empty = not set.
[[nodiscard]] Codec<std::string> text(const TextForm& form);
/// Any text, the empty one too.
[[nodiscard]] Codec<std::string> any_text();
[[nodiscard]] Codec<Scalar> scalar();
/// Any JSON value, kept as its text.
[[nodiscard]] Codec<std::string> json_text();
/// `{"env": NAME}` or `{"file": PATH}`; a literal is written as `***` and never read.
[[nodiscard]] Codec<Secret> secret();

/// How a literal secret stands in a dump. Nothing but a dump of objects may hold it.
inline constexpr std::string_view kMasked = "***";
[[nodiscard]] bool is_masked(json::Value value);

/// The forms texts have.
extern const TextForm kNameForm, kSha256Form, kFingerprintForm, kPointerForm;

/// Reads a whole number between the bounds: 3, 3.0 and 3e0 are the same one, as in the schema.
[[nodiscard]] std::optional<std::int64_t> whole_number(json::Value value) noexcept;

template <typename T> [[nodiscard]] Codec<T> integer(std::int64_t min, std::int64_t max, std::string_view unit = {}) {
  auto shape =
      std::make_shared<const Shape>(Shape{.kind = Shape::Kind::kInteger, .unit = unit, .min = min, .max = max});
  return {shape,
          [shape](Reader& in, json::Value value, T& out) {
            const auto n = whole_number(value);
            if (!n || *n < shape->min || *n > shape->max) return in.refuse(value, *shape);
            out = static_cast<T>(*n);
          },
          [](json::Writer& out, const T& value) { out.unsigned_integer(static_cast<std::uint64_t>(value)); }};
}

/// An enumeration by name.
template <typename E> [[nodiscard]] Codec<E> choice(std::vector<std::pair<std::string_view, E>> names) {
  Shape shape{.kind = Shape::Kind::kName};
  for (const auto& [name, value] : names) shape.names.push_back(name);
  auto shared = std::make_shared<const Shape>(std::move(shape));
  return {shared,
          [shared, names](Reader& in, json::Value value, E& out) {
            if (value.is(json::Type::kString)) {
              for (const auto& [name, one] : names) {
                if (value.equals(name)) return void(out = one);
              }
            }
            in.refuse(value, *shared);
          },
          [names](json::Writer& out, const E& value) {
            for (const auto& [name, one] : names) {
              if (one == value) return void(out.string(name));
            }
            out.null();  // a number that is no enumerator: the reader refuses it by the field's name
          }};
}

// Lists and maps.

struct ListRules {
  std::size_t min_items = 1;  ///< an empty list says nothing, or the opposite of what it seems to
  bool unique = false;
  bool one_alone = false;
};

template <typename T> [[nodiscard]] Codec<std::vector<T>> list_of(Codec<T> element, ListRules rules = {}) {
  auto shape = std::make_shared<const Shape>(Shape{.kind = Shape::Kind::kList,
                                                   .element = element.shape,
                                                   .min_items = rules.min_items,
                                                   .unique = rules.unique,
                                                   .one_alone = rules.one_alone});
  return {shape,
          [shape, element](Reader& in, json::Value value, std::vector<T>& out) {
            out.clear();
            if (shape->one_alone && !value.is(json::Type::kArray)) return element.read(in, value, out.emplace_back());
            if (!in.expect(value, json::Type::kArray, *shape)) return;
            std::set<std::string> seen;
            std::string scratch;
            for (json::Value item = value.first(); item; item = item.next()) {
              const Reader::Step step(in, out.size());
              const std::string_view plain = item.is(json::Type::kString) ? item.text(scratch) : item.raw();
              if (shape->unique && !seen.emplace(plain).second) in.report("stands there twice (" + shown(item) + ")");
              element.read(in, item, out.emplace_back());
            }
            if (out.size() < shape->min_items) in.report("must not be an empty list; leave the key out instead");
          },
          [element](json::Writer& out, const std::vector<T>& values) {
            out.begin_array();
            for (const T& value : values) element.write(out, value);
            out.end_array();
          },
          [](const std::vector<T>& values) { return values.empty(); }};
}

template <typename T> [[nodiscard]] Codec<std::map<std::string, T>> map_of(Codec<T> element) {
  auto shape = std::make_shared<const Shape>(Shape{.kind = Shape::Kind::kMap, .element = element.shape});
  return {shape,
          [shape, element](Reader& in, json::Value value, std::map<std::string, T>& out) {
            out.clear();
            if (!in.expect(value, json::Type::kObject, *shape)) return;
            std::string scratch;
            for (json::Value item = value.first(); item; item = item.next()) {
              const std::string key(item.key(scratch));
              const Reader::Step step(in, key);
              if (is_annotation(key)) {
                if (!item.is(json::Type::kString)) in.report("must be a text (is " + shown(item) + ")");
              } else {
                element.read(in, item, out[key]);
              }
            }
          },
          [element](json::Writer& out, const std::map<std::string, T>& values) {
            out.begin_object();
            for (const auto& [key, value] : values) {
              out.key(key);
              element.write(out, value);
            }
            out.end_object();
          },
          [](const std::map<std::string, T>& values) { return values.empty(); }};
}

// Objects.

/// One key of an object. Its value begins `offset` bytes into it.
struct AnyField {
  Member member;
  WaysRef ways;
  std::ptrdiff_t offset = 0;
  bool always = false;  ///< written even where it is unset

  [[nodiscard]] bool left_out(const void* object) const { return !always && ways->unset(static_cast<const char*>(object) + offset); }
};

/// A key of a T, which the compiler shall tell from one of another type.
template <typename T> struct Field : AnyField {};

/// `fresh` is the value in a fresh object, which is the key's default; null: it has none.
[[nodiscard]] AnyField field_of(std::string_view key, const AnyCodec& codec, std::ptrdiff_t offset, const void* fresh, std::string_view meaning,
                                std::string_view example);
[[nodiscard]] AnyCodec object_of(std::string_view title, std::string_view meaning, std::vector<AnyField> fields,
                                 std::vector<std::string_view> exactly_one);

/// A key that stands for a data member. Its default is what the member holds in a fresh T.
template <typename T, typename M>
[[nodiscard]] Field<T> field(std::string_view key, M T::*at, const Codec<M>& codec, std::string_view meaning, std::string_view example = {}) {
  const T fresh{};
  const auto offset = reinterpret_cast<const char*>(&(fresh.*at)) - reinterpret_cast<const char*>(&fresh);
  return {field_of(key, codec, offset, &(fresh.*at), meaning, example)};
}

/// A key that stands for one state of a T: `get` gives nothing where T is in another state.
template <typename T, typename V, typename Get, typename Set>
[[nodiscard]] Field<T> form(std::string_view key, const Codec<V>& codec, Get get, Set set, std::string_view meaning, std::string_view example = {}) {
  const Codec<T> whole(
      codec.shape,
      [codec, set](Reader& in, json::Value value, T& out) {
        V read{};
        codec.read(in, value, read);
        set(out, std::move(read));
      },
      [codec, get](json::Writer& out, const T& value) { codec.write(out, *std::optional<V>(get(value))); },
      [get](const T& value) { return !std::optional<V>(get(value)); });
  return {field_of(key, whole, 0, nullptr, meaning, example)};
}

template <typename T> [[nodiscard]] Field<T> required(Field<T> field) {
  field.member.required = true;
  field.member.default_json.clear();
  return field;
}

/// Leaves the key out of dumps while it holds its default: for settings that are refused where they have no effect.
template <typename T, typename M> [[nodiscard]] Field<T> quiet(Field<T> field, M T::*at) {
  const Codec<T> whole(
      field.member.shape,
      [ways = field.ways, offset = field.offset](Reader& in, json::Value value, T& out) { ways->read(in, value, reinterpret_cast<char*>(&out) + offset); },
      [ways = field.ways, offset = field.offset](json::Writer& out, const T& value) { ways->write(out, reinterpret_cast<const char*>(&value) + offset); },
      [at](const T& value) { return value.*at == T{}.*at; });
  field.ways = whole.ways;
  field.offset = 0;
  field.always = false;
  return field;
}

template <typename T>
[[nodiscard]] Codec<T> object(std::string_view title, std::string_view meaning, const std::vector<Field<T>>& fields,
                              std::vector<std::string_view> exactly_one = {}) {
  return Codec<T>(object_of(title, meaning, {fields.begin(), fields.end()}, std::move(exactly_one)));
}

}  // namespace sluice::gateway::config
