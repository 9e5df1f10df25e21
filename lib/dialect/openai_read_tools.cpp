// Tools, tool choices and answer formats of the OpenAI dialect into the canonical model.

#include "dialect/openai_tools.hpp"

#include <utility>

#include "dialect/openai.hpp"
#include "dialect/reading.hpp"

namespace sluice::dialect::openai_parts {
namespace {

using json::Type;
using json::Value;
using reading::member;
using reading::text;

tl::unexpected<Error> wrong(std::string_view name, std::string_view expected) {
  std::string message = std::string(name) + " must be ";
  return fail(Code::kInvalidParameter, message.append(expected), std::string(name));
}

Result<chat::ToolReference> read_reference(const Value& value) {
  const std::string type = text(value, "type");
  const bool custom = type == "custom";
  std::string name = text(member(value, custom ? "custom" : "function"), "name");
  if (name.empty()) return wrong("tool_choice", "auto, none, required, or an object that names a tool");
  return chat::ToolReference{custom ? chat::ToolKind::kCustom : chat::ToolKind::kFunction, std::move(name)};
}

}  // namespace

chat::Tool read_tool(const Value& value) {
  chat::Tool tool;
  const std::string type = text(value, "type");
  const Value function = member(value, "function"), custom = member(value, "custom");
  const Value body = type == "custom" ? custom : function;
  if ((type != "function" && type != "custom" && !type.empty()) || !body.is(Type::kObject)) {
    tool.kind = chat::ToolKind::kProvider;
    tool.name = type;
    tool.native_dialect = kName;
    tool.native = value.raw();
    return tool;
  }
  tool.kind = type == "custom" ? chat::ToolKind::kCustom : chat::ToolKind::kFunction;
  std::string scratch;
  for (Value m = body.first(); m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    if (m.is(Type::kNull)) continue;
    if (key == "name" && m.is(Type::kString)) {
      tool.name = text(m);
    } else if (key == "description" && m.is(Type::kString) && !m.raw_string().empty()) {
      tool.description = text(m);
    } else if (key == "parameters" && tool.kind == chat::ToolKind::kFunction && m.is(Type::kObject)) {
      tool.parameters = m.raw();
    } else if (key == "format" && tool.kind == chat::ToolKind::kCustom) {
      tool.format = m.raw();
    } else if (key == "strict" && m.boolean()) {
      tool.strict = m.boolean();
    } else {
      reading::keep(tool.extras, kName, "function." + std::string(key), m);
    }
  }
  for (Value m = value.first(); m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    if (key == "type" || key == "function" || key == "custom" || m.is(Type::kNull)) continue;
    if (key == "cache_control" && m.is(Type::kObject)) {
      tool.cache = chat::CacheMark{text(m, "type"), text(m, "ttl")};
    } else {
      reading::keep(tool.extras, kName, key, m);
    }
  }
  return tool;
}

chat::Tool read_function(const Value& value) {
  chat::Tool tool;
  std::string scratch;
  for (Value m = value.first(); m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    if (key == "name") {
      tool.name = text(m);
    } else if (key == "description") {
      tool.description = text(m);
    } else if (key == "parameters" && m.is(Type::kObject)) {
      tool.parameters = m.raw();
    } else {
      reading::keep(tool.extras, kName, "function." + std::string(key), m);
    }
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
    if (word == "any") {  // Mistral's word for it
      choice.kind = Kind::kRequired;
      reading::keep(choice.extras, kName, "", value);
      return choice;
    }
    return wrong("tool_choice", "auto, none, required, or an object that names a tool");
  }
  if (!value.is(Type::kObject)) return wrong("tool_choice", "a string or an object");
  const std::string type = text(value, "type");
  if (type == "allowed_tools") {
    const Value allowed = member(value, "allowed_tools");
    choice.kind = Kind::kAllowed;
    choice.required = text(allowed, "mode") == "required";
    for (Value item = member(allowed, "tools").first(); item; item = item.next()) {
      auto reference = read_reference(item);
      if (!reference) return tl::unexpected(reference.error());
      choice.tools.push_back(*std::move(reference));
    }
    return choice;
  }
  if (type == "function" || type == "custom" || type.empty()) {
    auto reference = read_reference(value);
    if (!reference) return tl::unexpected(reference.error());
    choice.kind = Kind::kNamed;
    choice.tools.push_back(*std::move(reference));
    return choice;
  }
  // A tool of the provider's own: {"type":"web_search"}.
  choice.kind = Kind::kNamed;
  choice.tools.push_back({chat::ToolKind::kProvider, type});
  reading::keep(choice.extras, kName, "", value);
  return choice;
}

Result<chat::ResponseFormat> read_response_format(const Value& value) {
  using Kind = chat::ResponseFormat::Kind;
  chat::ResponseFormat format;
  if (!value.is(Type::kObject)) return wrong("response_format", "an object");
  const std::string type = text(value, "type");
  const Value schema = member(value, "json_schema");
  // Servers that put more into it (a bare schema, a grammar) are understood by themselves alone.
  const bool plain = value.size() == 1;
  if (type == "text" && plain) return format;
  if (type == "json_object" && plain) return chat::ResponseFormat{Kind::kJsonObject};
  if (type == "json_schema" && value.size() == 2 && schema.is(Type::kObject)) {
    format.kind = Kind::kJsonSchema;
    std::string scratch;
    for (Value m = schema.first(); m; m = m.next()) {
      const std::string_view key = m.key(scratch);
      if (m.is(Type::kNull)) continue;
      if (key == "name") {
        format.name = text(m);
      } else if (key == "description") {
        format.description = text(m);
      } else if (key == "schema") {
        format.schema = m.raw();
      } else if (key == "strict" && m.boolean()) {
        format.strict = m.boolean();
      } else {
        reading::keep(format.extras, kName, key, m);
      }
    }
    return format;
  }
  format.kind = Kind::kOther;
  reading::keep(format.extras, kName, "", value);
  return format;
}

}  // namespace sluice::dialect::openai_parts
