#pragma once
/// Holds JSON against a schema of an OpenAPI 3.1 document: what references, unions and objects ask for. Bounds of numbers,
/// lengths and patterns are passed over. A union is met where one of its members is. Shares nothing with the code it is held
/// against but the JSON reader.

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>

#include "json/document.hpp"

namespace sluice::tests {

class OpenApiChecker {
 public:
  explicit OpenApiChecker(const json::Document& document) : root_(document.root()) {}

  [[nodiscard]] json::Value schema(std::string_view name) const {
    const auto found = root_.at("/components/schemas/" + std::string(name));
    return found ? *found : json::Value{};
  }

  /// Empty where `value` is valid; else where it is not, and why.
  [[nodiscard]] std::string fault(const json::Value& schema, const json::Value& value, const std::string& path = "") const {
    if (!schema.is(json::Type::kObject)) return {};  // true, or nothing asked for
    std::string scratch;
    if (const json::Value reference = get(schema, "$ref"); reference.is(json::Type::kString)) {
      const std::string_view name = reference.text(scratch);
      const json::Value target = this->schema(name.substr(name.rfind('/') + 1));
      return target ? fault(target, value, path) : path + ": no schema " + std::string(name);
    }
    if (get(schema, "nullable").boolean() == true && value.is(json::Type::kNull)) return {};
    for (json::Value all = get(schema, "allOf").first(); all; all = all.next()) {
      if (std::string wrong = fault(all, value, path); !wrong.empty()) return wrong;
    }
    for (const std::string_view any : {"anyOf", "oneOf"}) {
      const json::Value members = get(schema, any);
      if (!members) continue;
      std::string nearest;
      bool met = false;
      for (json::Value one = members.first(); one && !met; one = one.next()) {
        const std::string wrong = fault(one, value, path);
        met = wrong.empty();
        // The fault that lies deepest is of the member that was meant.
        if (std::count(wrong.begin(), wrong.end(), '/') >= std::count(nearest.begin(), nearest.end(), '/')) nearest = wrong;
      }
      if (!met) return nearest;
    }
    if (const json::Value type = get(schema, "type"); type && !has_type(type, value)) {
      return path + ": is not " + std::string(type.raw()) + " but " + std::string(value.raw().substr(0, 60));
    }
    if (const json::Value words = get(schema, "enum")) {
      bool found = false;
      for (json::Value word = words.first(); word; word = word.next()) {
        found = found || (word.is(json::Type::kString) && value.is(json::Type::kString) ? value.equals(word.text(scratch)) : word.raw() == value.raw());
      }
      if (!found) return path + ": is not one of " + std::string(words.raw().substr(0, 80)) + " but " + std::string(value.raw().substr(0, 60));
    }
    if (value.is(json::Type::kObject)) return object(schema, value, path);
    std::size_t i = 0;
    for (json::Value item = value.is(json::Type::kArray) ? value.first() : json::Value{}; item; item = item.next(), ++i) {
      if (std::string wrong = fault(get(schema, "items"), item, path + "/" + std::to_string(i)); !wrong.empty()) return wrong;
    }
    return {};
  }

 private:
  static json::Value get(const json::Value& object, std::string_view key) {
    const auto found = object.find(key);
    return found ? *found : json::Value{};
  }

  static bool has_type(const json::Value& type, const json::Value& value) {
    if (type.is(json::Type::kArray)) {
      for (json::Value one = type.first(); one; one = one.next()) {
        if (has_type(one, value)) return true;
      }
      return false;
    }
    switch (value.type()) {
      case json::Type::kNull: return type.equals("null");
      case json::Type::kBool: return type.equals("boolean");
      case json::Type::kString: return type.equals("string");
      case json::Type::kArray: return type.equals("array");
      case json::Type::kObject: return type.equals("object");
      case json::Type::kNumber: return type.equals("number") || (type.equals("integer") && std::trunc(*value.number()) == *value.number());
    }
    return false;
  }

  [[nodiscard]] std::string object(const json::Value& schema, const json::Value& value, const std::string& path) const {
    std::string scratch;
    for (json::Value key = get(schema, "required").first(); key; key = key.next()) {
      if (!get(value, key.text(scratch))) return path + "/" + std::string(key.text(scratch)) + ": is required";
    }
    const json::Value properties = get(schema, "properties"), others = get(schema, "additionalProperties");
    for (json::Value member = value.first(); member; member = member.next()) {
      const std::string name(member.key(scratch));
      const json::Value known = properties.is(json::Type::kObject) ? get(properties, name) : json::Value{};
      if (!known && others.boolean() == std::optional(false)) return path + "/" + name + ": is not allowed";
      if (std::string wrong = fault(known ? known : others, member, path + "/" + name); !wrong.empty()) return wrong;
    }
    return {};
  }

  const json::Value root_;
};

}  // namespace sluice::tests
