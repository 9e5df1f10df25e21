#pragma once
/// A small JSON Schema validator: the keywords the configuration's schema uses, and an assertion for every other one.
/// Shares nothing with the parser it is held against but the JSON reader.

#include <re2/re2.h>

#include <cmath>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

#include "json/document.hpp"

namespace sluice::tests {

using json::Type;
using json::Value;

inline Value member(Value object, std::string_view key) {
  const auto found = object.find(key);
  return found ? *found : Value{};
}

inline std::string text_of(Value value) {
  std::string scratch;
  return std::string(value.text(scratch));
}

/// JSON equality: numbers by value, and true is not 1.
inline bool same(Value a, Value b) {
  if (a.type() != b.type()) return false;
  if (a.is(Type::kNumber)) return a.number() == b.number();
  if (a.is(Type::kString)) return text_of(a) == text_of(b);
  return a.raw() == b.raw();
}

inline bool has_type(Value value, std::string_view name) {
  switch (value.type()) {
    case Type::kNull:
      return name == "null";
    case Type::kBool:
      return name == "boolean";
    case Type::kString:
      return name == "string";
    case Type::kArray:
      return name == "array";
    case Type::kObject:
      return name == "object";
    case Type::kNumber: {
      const double n = *value.number();
      return name == "number" || (name == "integer" && std::trunc(n) == n);
    }
  }
  return false;
}

/// True where `value` is valid. Throws for a keyword it does not know: a schema that is only half checked proves nothing.
inline bool valid(Value schema, Value value);

inline std::size_t how_many_fit(Value schemas, Value value) {
  std::size_t n = 0;
  for (Value one = schemas.first(); one; one = one.next()) n += valid(one, value);
  return n;
}

inline bool valid_object(Value schema, Value value) {
  for (Value key = member(schema, "required") ? member(schema, "required").first() : Value{}; key; key = key.next()) {
    if (!member(value, text_of(key))) return false;
  }
  const Value properties = member(schema, "properties"), rest = member(schema, "additionalProperties");
  std::string scratch;
  for (Value item = value.first(); item; item = item.next()) {
    const Value known = properties ? member(properties, item.key(scratch)) : Value{};
    if (known ? !valid(known, item) : rest && (rest.is(Type::kBool) ? !*rest.boolean() : !valid(rest, item)))
      return false;
  }
  return true;
}

inline bool valid_array(Value schema, Value value) {
  const Value items = member(schema, "items"), least = member(schema, "minItems");
  if (least && value.size() < static_cast<std::size_t>(*least.integer())) return false;
  for (Value item = value.first(); item; item = item.next()) {
    if (items && !valid(items, item)) return false;
    if (!member(schema, "uniqueItems")) continue;
    for (Value other = item.next(); other; other = other.next()) {
      if (same(item, other)) return false;
    }
  }
  return true;
}

inline bool valid(Value schema, Value value) {
  static const std::set<std::string_view> kKnown{"$schema",    "title",    "description",
                                                 "default",    "examples", "type",
                                                 "properties", "required", "additionalProperties",
                                                 "items",      "minItems", "uniqueItems",
                                                 "minimum",    "maximum",  "minLength",
                                                 "pattern",    "const",    "enum",
                                                 "oneOf",      "anyOf"};
  std::string scratch;
  for (Value keyword = schema.first(); keyword; keyword = keyword.next()) {
    if (!kKnown.contains(keyword.key(scratch)))
      throw std::runtime_error("schema keyword " + std::string(keyword.key(scratch)));
  }
  if (const Value type = member(schema, "type")) {
    bool fits = type.is(Type::kString) && has_type(value, text_of(type));
    for (Value one = type.is(Type::kArray) ? type.first() : Value{}; one; one = one.next())
      fits = fits || has_type(value, text_of(one));
    if (!fits) return false;
  }
  if (const Value only = member(schema, "const"); only && !same(only, value)) return false;
  if (const Value names = member(schema, "enum")) {
    bool found = false;
    for (Value one = names.first(); one; one = one.next()) found = found || same(one, value);
    if (!found) return false;
  }
  if (value.is(Type::kNumber)) {
    if (const Value low = member(schema, "minimum"); low && *value.number() < *low.number()) return false;
    if (const Value high = member(schema, "maximum"); high && *value.number() > *high.number()) return false;
  }
  if (value.is(Type::kString)) {
    const std::string text = text_of(value);
    if (const Value least = member(schema, "minLength");
        least && text.size() < static_cast<std::size_t>(*least.integer()))
      return false;
    if (const Value pattern = member(schema, "pattern"); pattern && !RE2::PartialMatch(text, text_of(pattern)))
      return false;
  }
  if (value.is(Type::kObject) && !valid_object(schema, value)) return false;
  if (value.is(Type::kArray) && !valid_array(schema, value)) return false;
  if (const Value any = member(schema, "anyOf"); any && how_many_fit(any, value) == 0) return false;
  if (const Value one = member(schema, "oneOf"); one && how_many_fit(one, value) != 1) return false;
  return true;
}

}  // namespace sluice::tests
