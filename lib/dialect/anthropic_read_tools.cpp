// Tools, tool choices and formats of the Anthropic dialect into the canonical model.

#include <utility>

#include "dialect/anthropic.hpp"
#include "dialect/anthropic_blocks.hpp"
#include "dialect/anthropic_tools.hpp"
#include "dialect/reading.hpp"

namespace sluice::dialect::anthropic_parts {
namespace {

using json::Type;
using json::Value;
using reading::member;
using reading::text;

tl::unexpected<Error> wrong_choice() {
  return fail(Code::kInvalidParameter, "tool_choice must be an object of type auto, any, none or tool, the last with a name", "tool_choice");
}

}  // namespace

chat::Tool read_tool(const Value& value) {
  chat::Tool tool;
  const std::string type = text(value, "type");
  if (!type.empty() && type != "custom") {
    tool.kind = chat::ToolKind::kProvider;
    tool.name = member(value, "name") ? text(value, "name") : type;
    tool.native_dialect = kName;
    tool.native = value.raw();
    return tool;
  }
  std::string scratch;
  for (Value m = value.is(Type::kObject) ? value.first() : Value{}; m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    if (m.is(Type::kNull) || key == "cache_control") continue;
    if (key == "name" && m.is(Type::kString)) {
      tool.name = text(m);
    } else if (key == "description" && m.is(Type::kString) && !m.raw_string().empty()) {
      tool.description = text(m);
    } else if (key == "input_schema" && m.is(Type::kObject)) {
      tool.parameters = m.raw();
    } else if (key == "strict" && m.boolean()) {
      tool.strict = m.boolean();
    } else {
      reading::keep(tool.extras, kName, key, m);
    }
  }
  read_cache(value, tool.cache, tool.extras);
  return tool;
}

Status read_tool_choice(const Value& value, chat::ChatInput& chat) {
  using Kind = chat::ToolChoice::Kind;
  if (!value.is(Type::kObject)) return wrong_choice();
  const std::string type = text(value, "type"), name = text(value, "name");
  chat::ToolChoice choice;
  if (type == "none") {
    choice.kind = Kind::kNone;
  } else if (type == "any") {
    choice.kind = Kind::kRequired;
  } else if (type == "tool" && !name.empty()) {
    choice.kind = Kind::kNamed;
    choice.tools.push_back({chat::ToolKind::kFunction, name});
  } else if (type != "auto") {
    return wrong_choice();
  }
  if (const auto disabled = member(value, "disable_parallel_tool_use").boolean()) chat.parallel_tool_calls = !*disabled;
  keep_others(choice.extras, value, {"type", "name", "disable_parallel_tool_use"});
  chat.tool_choice = std::move(choice);
  return {};
}

chat::ResponseFormat read_format(const Value& value) {
  chat::ResponseFormat format;
  const Value schema = member(value, "schema");
  if (text(value, "type") == "json_schema" && schema.is(Type::kObject) && value.size() == 2) {
    format.kind = chat::ResponseFormat::Kind::kJsonSchema;
    format.schema = schema.raw();
    format.strict = true;  // Anthropic's formats always are
    return format;
  }
  format.kind = chat::ResponseFormat::Kind::kOther;
  reading::keep(format.extras, kName, "", value);
  return format;
}

}  // namespace sluice::dialect::anthropic_parts
