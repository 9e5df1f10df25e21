// From OpenAPI's schemas to JSON Schema. Source: the API's reference (Schema), OpenAPI 3.0.3.

#include "dialect/gemini_schema.hpp"

#include <algorithm>
#include <iterator>

#include "dialect/gemini_keys.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::gemini_parts {
namespace {

using json::Type;
using json::Value;

constexpr int kMaxDepth = 100;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  return text;
}

void write_schema(json::Writer& writer, const Value& schema, int depth);

void write_type(json::Writer& writer, const Value& type, bool nullable) {
  std::string scratch;
  // An enumeration: servers take its numbers as well.
  constexpr std::string_view kWords[] = {"type_unspecified", "string", "number", "integer", "boolean", "array", "object", "null"};
  const auto number = type.integer();
  const bool numbered = number && *number >= 0 && static_cast<std::size_t>(*number) < std::size(kWords);
  if (!type.is(Type::kString) && !numbered) {
    writer.key("type").raw(type.raw());
    return;
  }
  const std::string word = numbered ? std::string(kWords[static_cast<std::size_t>(*number)]) : lower(std::string(type.text(scratch)));
  if (word == "type_unspecified") return;
  writer.key("type");
  nullable ? writer.begin_array().string(word).string("null").end_array() : writer.string(word);
}

void write_list(json::Writer& writer, const Value& list, int depth) {
  writer.begin_array();
  for (Value item = list.first(); item; item = item.next()) write_schema(writer, item, depth);
  writer.end_array();
}

void write_schema(json::Writer& writer, const Value& schema, int depth) {
  if (!schema.is(Type::kObject) || depth > kMaxDepth) {
    writer.raw(schema.raw());
    return;
  }
  const bool nullable = flag(schema, "nullable");
  std::string scratch;
  writer.begin_object();
  for (Value m = schema.first(); m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    if (key == "nullable") continue;
    if (key == "type") {
      write_type(writer, m, nullable);
    } else if (key == "properties" && m.is(Type::kObject)) {
      writer.key(key).begin_object();
      std::string name;
      for (Value property = m.first(); property; property = property.next()) {
        writer.key(property.key(name));
        write_schema(writer, property, depth + 1);
      }
      writer.end_object();
    } else if (key == "items" || is_key(key, "additionalProperties")) {
      writer.key(key == "items" ? "items" : "additionalProperties");
      write_schema(writer, m, depth + 1);
    } else if ((is_key(key, "anyOf") || is_key(key, "prefixItems")) && m.is(Type::kArray)) {
      writer.key(is_key(key, "anyOf") ? "anyOf" : "prefixItems");
      write_list(writer, m, depth + 1);
    } else {
      // Bounds are 64-bit integers there, which JSON has as strings.
      constexpr std::string_view kBounds[] = {"minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"};
      const auto bound = std::find_if(std::begin(kBounds), std::end(kBounds), [&](std::string_view name) { return is_key(key, name); });
      if (bound == std::end(kBounds)) {
        writer.key(key).raw(m.raw());
      } else {
        const bool digits = m.is(Type::kString) && !m.raw_string().empty() &&
                            m.raw_string().find_first_not_of("0123456789") == std::string_view::npos && m.raw_string().size() < 16 &&
                            (m.raw_string().size() == 1 || m.raw_string().front() != '0');
        writer.key(*bound).raw(digits ? m.raw_string() : m.raw());
      }
    }
  }
  writer.end_object();
}

}  // namespace

std::string json_schema(const Value& schema) {
  std::string out;
  json::Writer writer(out);
  write_schema(writer, schema, 0);
  return out;
}

}  // namespace sluice::dialect::gemini_parts
