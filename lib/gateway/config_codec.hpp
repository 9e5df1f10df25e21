#pragma once
/// Codecs: how one C++ type stands in the configuration document. A codec is the shape of the value, a way to read it
/// and a way to write it; the table (config_table.cpp) puts them together, so that parser, schema, pages and dump are
/// equal by construction.

#include <functional>
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

template <typename T> struct Codec {
  ShapeRef shape;
  std::function<void(Reader&, json::Value, T&)> read;
  std::function<void(json::Writer&, const T&)> write;
  /// True for a value that means "not set": it is left out of a dump and has no default to show.
  std::function<bool(const T&)> unset = [](const T&) { return false; };
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

/// One key of an object, and the way between it and a T.
template <typename T> struct Field {
  Member member;
  std::function<void(Reader&, json::Value, T&)> read;
  std::function<void(json::Writer&, const T&)> write;
  std::function<bool(const T&)> unset;
};

/// A key that stands for a data member. Its default is what the member holds in a fresh T.
template <typename T, typename M>
[[nodiscard]] Field<T> field(std::string_view key, M T::*at, Codec<M> codec, std::string_view meaning,
                             std::string_view example = {}) {
  Field<T> made{{.key = key, .meaning = meaning, .example = example, .default_json = {}, .shape = codec.shape},
                [at, codec](Reader& in, json::Value value, T& out) { codec.read(in, value, out.*at); },
                [at, codec](json::Writer& out, const T& value) { codec.write(out, value.*at); },
                {}};
  const T fresh{};
  const bool has_default = codec.shape->kind != Shape::Kind::kObject && !codec.unset(fresh.*at);
  // An empty text where the default is none is a value, and is written.
  made.unset = [at, codec, has_default](const T& value) { return !has_default && codec.unset(value.*at); };
  if (has_default) {
    json::Writer writer(made.member.default_json);
    codec.write(writer, fresh.*at);
  }
  return made;
}

/// A key that stands for one state of a T: `get` gives nothing where T is in another state.
template <typename T, typename V>
[[nodiscard]] Field<T> form(std::string_view key, Codec<V> codec, std::function<std::optional<V>(const T&)> get,
                            std::function<void(T&, V)> set, std::string_view meaning, std::string_view example = {}) {
  return {{.key = key, .meaning = meaning, .example = example, .default_json = {}, .shape = codec.shape},
          [codec, set](Reader& in, json::Value value, T& out) {
            V read{};
            codec.read(in, value, read);
            set(out, std::move(read));
          },
          [codec, get](json::Writer& out, const T& value) { codec.write(out, *get(value)); },
          [get](const T& value) { return !get(value); }};
}

template <typename T> [[nodiscard]] Field<T> required(Field<T> field) {
  field.member.required = true;
  field.member.default_json.clear();
  return field;
}

/// Leaves the key out of dumps while it holds its default: for settings that are refused where they have no effect.
template <typename T, typename M> [[nodiscard]] Field<T> quiet(Field<T> field, M T::*at) {
  field.unset = [at](const T& value) { return value.*at == T{}.*at; };
  return field;
}

template <typename T>
[[nodiscard]] Codec<T> object(std::string_view title, std::string_view meaning, std::vector<Field<T>> fields,
                              std::vector<std::string_view> exactly_one = {}) {
  Shape made{.kind = Shape::Kind::kObject, .title = title, .meaning = meaning, .exactly_one = std::move(exactly_one)};
  for (const auto& one : fields) made.members.push_back(one.member);
  auto shape = std::make_shared<const Shape>(std::move(made));
  auto shared = std::make_shared<const std::vector<Field<T>>>(std::move(fields));
  return {shape,
          [shape, shared](Reader& in, json::Value value, T& out) {
            if (!in.expect(value, json::Type::kObject, *shape)) return;
            std::vector<bool> seen(shared->size());
            std::string scratch;
            for (json::Value item = value.first(); item; item = item.next()) {
              const std::string_view key = item.key(scratch);
              std::size_t i = 0;
              while (i < shared->size() && (*shared)[i].member.key != key) ++i;
              if (i == shared->size() && !is_annotation(key)) {
                in.unknown_key(key, *shape);
                continue;
              }
              const Reader::Step step(in, key);
              if (i < shared->size()) {
                seen[i] = true;
                (*shared)[i].read(in, item, out);
              } else if (!item.is(json::Type::kString)) {
                in.report("must be a text (is " + shown(item) + ")");
              }
            }
            std::size_t forms = 0;
            for (std::size_t i = 0; i < shared->size(); ++i) {
              const Member& member = (*shared)[i].member;
              if (member.required && !seen[i])
                in.report("needs \"" + std::string(member.key) + "\", " + describe(*member.shape));
              for (const auto& key : shape->exactly_one) forms += seen[i] && key == member.key;
            }
            if (!shape->exactly_one.empty() && forms != 1)
              in.report("must be " + describe(*shape) + (forms == 0 ? "; none stands there" : "; several stand there"));
          },
          [shared](json::Writer& out, const T& value) {
            out.begin_object();
            for (const auto& one : *shared) {
              if (one.unset(value)) continue;
              out.key(one.member.key);
              one.write(out, value);
            }
            out.end_object();
          },
          [shared](const T& value) {
            for (const auto& one : *shared) {
              if (!one.unset(value)) return false;
            }
            return true;
          }};
}

}  // namespace sluice::gateway::config
