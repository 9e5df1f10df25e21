// Tools, tool choices and answer formats of the Responses API.

#include "dialect/lost_extras.hpp"
#include "dialect/responses_tools.hpp"

#include <algorithm>
#include <utility>

#include "dialect/reading.hpp"
#include "dialect/responses.hpp"
#include "dialect/responses_items.hpp"

namespace sluice::dialect::responses_parts {
namespace {

using chat::LossSeverity;
using json::Type;
using json::Value;
using reading::member;
using reading::text;

constexpr std::string_view kChoices = "auto, none, required, or an object that names a tool";

tl::unexpected<Error> wrong(std::string_view name, std::string_view expected) {
  std::string message = std::string(name) + " must be ";
  return fail(Code::kInvalidParameter, message.append(expected), std::string(name));
}

/// True where a schema is one that strict tools may have: every object closed, and all its members required.
bool fits_strict(const Value& schema) {
  if (schema.is(Type::kArray)) {
    for (Value item = schema.first(); item; item = item.next()) {
      if (!fits_strict(item)) return false;
    }
  }
  if (!schema.is(Type::kObject)) return true;
  const Value properties = member(schema, "properties");
  if (properties.is(Type::kObject) || (member(schema, "type").is(Type::kString) && text(schema, "type") == "object")) {
    if (member(schema, "additionalProperties").boolean() != std::optional(false)) return false;
    if (member(schema, "required").size() != properties.size()) return false;
  }
  std::string scratch;
  for (Value m = schema.first(); m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    // What stands there are values, not schemas.
    if (key == "enum" || key == "const" || key == "default" || key == "examples" || key == "required") continue;
    if (key != "properties" && key != "$defs" && key != "definitions") {
      if (!fits_strict(m)) return false;
      continue;
    }
    for (Value property = m.first(); property; property = property.next()) {
      if (!fits_strict(property)) return false;
    }
  }
  return true;
}

/// A grammar is flat here and nested in chat, whose form the canonical model has.
std::string chat_format(const Value& format) {
  if (text(format, "type") != "grammar" || member(format, "grammar")) return std::string(format.raw());
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("type", "grammar").key("grammar").begin_object();
  std::string scratch;
  for (Value m = format.first(); m; m = m.next()) {
    if (m.key(scratch) != "type") writer.key(m.key(scratch)).raw(m.raw());
  }
  writer.end_object().end_object();
  return out;
}

void write_custom_format(json::Writer& writer, const std::string& format) {
  const auto document = json::Document::parse(Body::copy(format));
  const Value grammar = document ? member(document->root(), "grammar") : Value{};
  if (!grammar.is(Type::kObject)) {
    writer.raw(format);
    return;
  }
  writer.begin_object().field("type", "grammar");
  std::string scratch;
  for (Value m = grammar.first(); m; m = m.next()) writer.key(m.key(scratch)).raw(m.raw());
  writer.end_object();
}

Result<chat::ToolReference> read_reference(const Value& value) {
  std::string name = text(value, "name");
  const std::string type = text(value, "type");
  // A server's own tool has no name but its type.
  if (name.empty() && type != "function" && type != "custom" && !type.empty()) return chat::ToolReference{chat::ToolKind::kProvider, type};
  if (name.empty()) return wrong("tool_choice", kChoices);
  return chat::ToolReference{type == "custom" ? chat::ToolKind::kCustom : chat::ToolKind::kFunction, std::move(name)};
}

void write_reference(json::Writer& writer, const chat::ToolReference& reference) {
  writer.begin_object();
  switch (reference.kind) {
    case chat::ToolKind::kFunction: writer.field("type", "function").field("name", reference.name); break;
    case chat::ToolKind::kCustom: writer.field("type", "custom").field("name", reference.name); break;
    case chat::ToolKind::kProvider: writer.field("type", reference.name); break;
  }
  writer.end_object();
}

}  // namespace

chat::Tool read_tool(const Value& value) {
  chat::Tool tool;
  const std::string type = text(value, "type");
  if (type != "function" && type != "custom") {
    tool.kind = chat::ToolKind::kProvider;
    tool.name = type;
    tool.native_dialect = kName;
    tool.native = value.raw();
    return tool;
  }
  tool.kind = type == "custom" ? chat::ToolKind::kCustom : chat::ToolKind::kFunction;
  std::string scratch;
  for (Value m = value.first(); m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    if (m.is(Type::kNull) || key == "type") continue;
    if (key == "name" && m.is(Type::kString)) {
      tool.name = text(m);
    } else if (key == "description" && m.is(Type::kString) && !m.raw_string().empty()) {
      tool.description = text(m);
    } else if (key == "parameters" && tool.kind == chat::ToolKind::kFunction && m.is(Type::kObject)) {
      tool.parameters = m.raw();
    } else if (key == "format" && tool.kind == chat::ToolKind::kCustom && m.is(Type::kObject)) {
      tool.format = chat_format(m);
    } else if (key == "strict" && m.boolean()) {
      tool.strict = m.boolean();
    } else {
      reading::keep(tool.extras, kName, key, m, LossSeverity::kCosmetic);
    }
  }
  if (tool.kind == chat::ToolKind::kFunction && !tool.strict) {
    tool.strict = !tool.parameters.empty() && fits_strict(member(value, "parameters"));
    tool.extras.push_back({kName, std::string(key::kStrictUnsaid), "true", LossSeverity::kNote});
  }
  return tool;
}

Result<chat::ToolChoice> read_tool_choice(const Value& value) {
  using Kind = chat::ToolChoice::Kind;
  chat::ToolChoice choice;
  if (value.is(Type::kString)) {
    const std::string word = text(value);
    if (word == "auto") return choice;
    if (word == "none") return chat::ToolChoice{Kind::kNone};
    if (word == "required") return chat::ToolChoice{Kind::kRequired};
    return wrong("tool_choice", kChoices);
  }
  if (!value.is(Type::kObject)) return wrong("tool_choice", kChoices);
  const std::string type = text(value, "type");
  if (type == "allowed_tools") {
    choice.kind = Kind::kAllowed;
    choice.required = text(value, "mode") == "required";
    for (Value item = member(value, "tools").first(); item; item = item.next()) {
      auto reference = read_reference(item);
      if (!reference) return tl::unexpected(reference.error());
      choice.tools.push_back(*std::move(reference));
    }
    return choice;
  }
  auto reference = read_reference(value);
  if (!reference) return tl::unexpected(reference.error());
  choice.kind = Kind::kNamed;
  if (reference->kind == chat::ToolKind::kProvider || value.size() != 2) reading::keep(choice.extras, kName, "", value);
  choice.tools.push_back(*std::move(reference));
  return choice;
}

Result<chat::ResponseFormat> read_format(const Value& value) {
  using Kind = chat::ResponseFormat::Kind;
  chat::ResponseFormat format;
  if (!value.is(Type::kObject)) return wrong("text.format", "an object");
  const std::string type = text(value, "type");
  if (type == "text" && value.size() == 1) return format;
  if (type == "json_object" && value.size() == 1) return chat::ResponseFormat{Kind::kJsonObject};
  if (type != "json_schema") {
    format.kind = Kind::kOther;
    reading::keep(format.extras, kName, "", value);
    return format;
  }
  format.kind = Kind::kJsonSchema;
  std::string scratch;
  for (Value m = value.first(); m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    if (m.is(Type::kNull) || key == "type") continue;
    if (key == "name") {
      format.name = text(m);
    } else if (key == "description") {
      format.description = text(m);
    } else if (key == "schema") {
      format.schema = m.raw();
    } else if (key == "strict" && m.boolean()) {
      format.strict = m.boolean();
    } else {
      reading::keep(format.extras, kName, key, m, LossSeverity::kCosmetic);
    }
  }
  return format;
}

bool can_write(const chat::Tool& tool) noexcept { return tool.kind != chat::ToolKind::kProvider || tool.native_dialect == kName; }

void write_tool(json::Writer& writer, const chat::Tool& tool, chat::LossReport& loss) {
  if (tool.kind == chat::ToolKind::kProvider) {
    writer.raw(tool.native);
    return;
  }
  const bool custom = tool.kind == chat::ToolKind::kCustom;
  writer.begin_object().field("type", custom ? "custom" : "function").field("name", tool.name);
  if (!tool.description.empty()) writer.field("description", tool.description);
  if (custom) {
    if (!tool.format.empty()) {
      writer.key("format");
      write_custom_format(writer, tool.format);
    }
  } else {
    // The schema requires both; and what is not strict has to say so, for the API takes silence for strict.
    writer.key("parameters");
    tool.parameters.empty() ? writer.null() : writer.raw(tool.parameters);
    if (chat::find_extra(tool.extras, kName, key::kStrictUnsaid) == nullptr) writer.key("strict").boolean(tool.strict.value_or(false));
  }
  if (tool.cache) loss.add("tools." + tool.name + ".cache_control", "openai-responses caches without being asked", LossSeverity::kCosmetic);
  for (const chat::Extra& extra : tool.extras) {
    if (extra.dialect != kName) {
      loss.add("tools." + tool.name + "." + extra.key, why_lost(extra), LossSeverity::kCosmetic);
    } else if (extra.key != key::kStrictUnsaid) {
      writer.key(extra.key).raw(extra.json);
    }
  }
  writer.end_object();
}

void write_tool_choice(json::Writer& writer, const chat::ToolChoice& choice) {
  using Kind = chat::ToolChoice::Kind;
  if (const std::string* own = chat::find_extra(choice.extras, kName, "")) {
    writer.raw(*own);
    return;
  }
  switch (choice.kind) {
    case Kind::kAuto: writer.string("auto"); return;
    case Kind::kNone: writer.string("none"); return;
    case Kind::kRequired: writer.string("required"); return;
    case Kind::kNamed: choice.tools.empty() ? static_cast<void>(writer.string("required")) : write_reference(writer, choice.tools[0]); return;
    case Kind::kAllowed:
      writer.begin_object().field("type", "allowed_tools").field("mode", choice.required ? "required" : "auto").key("tools").begin_array();
      for (const chat::ToolReference& reference : choice.tools) write_reference(writer, reference);
      writer.end_array().end_object();
      return;
  }
}

bool write_format(json::Writer& writer, const chat::ResponseFormat& format, chat::LossReport& loss) {
  using Kind = chat::ResponseFormat::Kind;
  const std::string* own = chat::find_extra(format.extras, kName, "");
  switch (format.kind) {
    case Kind::kText: writer.begin_object().field("type", "text").end_object(); return true;
    case Kind::kJsonObject: writer.begin_object().field("type", "json_object").end_object(); return true;
    case Kind::kOther:
      if (own == nullptr) {
        loss.add("response_format", "openai-responses knows text, json_object and json_schema", LossSeverity::kSemantic);
        return false;
      }
      writer.raw(*own);
      return true;
    case Kind::kJsonSchema: break;
  }
  writer.begin_object().field("type", "json_schema");
  // The schema requires a name; other dialects have none.
  writer.field("name", format.name.empty() ? std::string_view("answer") : std::string_view(format.name));
  if (!format.description.empty()) writer.field("description", format.description);
  writer.key("schema").raw(format.schema.empty() ? std::string_view("{}") : std::string_view(format.schema));
  if (format.strict) writer.key("strict").boolean(*format.strict);
  for (const chat::Extra& extra : format.extras) {
    if (extra.dialect == kName) {
      writer.key(extra.key).raw(extra.json);
    } else {
      loss.add("response_format." + extra.key, why_lost(extra), LossSeverity::kCosmetic);
    }
  }
  writer.end_object();
  return true;
}

}  // namespace sluice::dialect::responses_parts
