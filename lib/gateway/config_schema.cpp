// The JSON Schema, read off the table. Only keywords every validator knows: a test runs two of them on one corpus.
#include <cmath>

#include "gateway/config_table.hpp"

namespace sluice::gateway::config {

namespace {

void write_shape(json::Writer& out, const Shape& shape);

/// `"key": {"type": "string"}` for the annotations, which every object takes.
void write_annotations(json::Writer& out) {
  for (const std::string_view key : {"$comment", "$schema"})
    out.key(key).begin_object().field("type", "string").end_object();
}

void write_list(json::Writer& out, const Shape& shape) {
  out.field("type", "array").key("items").begin_object();
  write_shape(out, *shape.element);
  out.end_object();
  if (shape.min_items > 0) out.key("minItems").unsigned_integer(shape.min_items);
  if (shape.unique) out.key("uniqueItems").boolean(true);
}

void write_member(json::Writer& out, const Member& member) {
  out.key(member.key).begin_object().field("description", member.meaning);
  write_shape(out, *member.shape);
  if (!member.default_json.empty()) out.key("default").raw(member.default_json);
  if (!member.example.empty()) out.key("examples").begin_array().raw(member.example).end_array();
  out.end_object();
}

void write_object(json::Writer& out, const Shape& shape) {
  out.field("type", "object").key("properties").begin_object();
  for (const Member& member : shape.members) write_member(out, member);
  write_annotations(out);
  out.end_object().key("additionalProperties").boolean(false);
  bool any_required = false;
  for (const Member& member : shape.members) any_required = any_required || member.required;
  if (any_required) {
    out.key("required").begin_array();
    for (const Member& member : shape.members) {
      if (member.required) out.string(member.key);
    }
    out.end_array();
  }
  if (shape.exactly_one.empty()) return;
  out.key("oneOf").begin_array();
  for (const std::string_view key : shape.exactly_one)
    out.begin_object().key("required").begin_array().string(key).end_array().end_object();
  out.end_array();
}

void write_alternatives(json::Writer& out, const std::vector<ShapeRef>& shapes) {
  for (const ShapeRef& shape : shapes) {
    out.begin_object();
    write_shape(out, *shape);
    out.end_object();
  }
}

/// The keywords of `shape`, into an object that is open.
void write_shape(json::Writer& out, const Shape& shape) {
  using Kind = Shape::Kind;
  switch (shape.kind) {
    case Kind::kAny:
      break;
    case Kind::kScalar:
      out.key("type").begin_array().string("string").string("number").string("boolean").string("null").end_array();
      break;
    case Kind::kBoolean:
      out.field("type", "boolean");
      break;
    case Kind::kTrue:
      out.key("const").boolean(true);
      break;
    case Kind::kInteger:
      if (shape.min == shape.max) {
        out.key("const").integer(shape.min);
      } else {
        out.field("type", "integer").key("minimum").integer(shape.min).key("maximum").integer(shape.max);
      }
      break;
    case Kind::kNumber:
      out.field("type", "number");
      if (std::abs(shape.low) < 1e300) out.key("minimum").number(shape.low).key("maximum").number(shape.high);
      break;
    case Kind::kText:
      out.field("type", "string");
      if (!shape.form.pattern.empty())
        out.field("pattern", shape.form.pattern);
      else if (!shape.form.fits(""))
        out.key("minLength").integer(1);
      break;
    case Kind::kName:
      out.key("enum").begin_array();
      for (const std::string_view name : shape.names) out.string(name);
      out.end_array();
      break;
    case Kind::kList:
      if (!shape.one_alone) {
        write_list(out, shape);
        break;
      }
      out.key("anyOf").begin_array();
      write_alternatives(out, {shape.element});
      out.begin_object();
      write_list(out, shape);
      out.end_object().end_array();
      break;
    case Kind::kMap:
      out.field("type", "object").key("properties").begin_object();
      write_annotations(out);
      out.end_object().key("additionalProperties").begin_object();
      write_shape(out, *shape.element);
      out.end_object();
      break;
    case Kind::kObject:
      write_object(out, shape);
      break;
    case Kind::kEither:
      out.key("anyOf").begin_array();
      write_alternatives(out, shape.alternatives);
      out.end_array();
      break;
  }
}

}  // namespace
}  // namespace sluice::gateway::config

namespace sluice {

std::string_view config_schema() {
  static const std::string schema = [] {
    std::string text;
    json::Writer out(text);
    const auto& shape = gateway::config::document_shape();
    out.begin_object()
        .field("$schema", "https://json-schema.org/draft/2020-12/schema")
        .field("title", "sluice configuration")
        .field("description", shape.meaning);
    gateway::config::write_shape(out, shape);
    out.end_object();
    return gateway::config::laid_out(text, 120) + "\n";
  }();
  return schema;
}

}  // namespace sluice
