// Tools and tool choices of the Bedrock dialect, both ways.

#include "dialect/bedrock_tools.hpp"

#include <algorithm>

#include "dialect/bedrock.hpp"
#include "dialect/bedrock_blocks.hpp"
#include "dialect/reading.hpp"

namespace sluice::dialect::bedrock_parts {
namespace {

using chat::LossSeverity;
using json::Type;
using json::Value;
using reading::member;
using reading::text;
using Kind = chat::ToolChoice::Kind;

chat::Tool read_spec(const Value& spec) {
  chat::Tool tool;
  std::string scratch;
  for (Value m = spec.first(); m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    if (m.is(Type::kNull)) continue;
    if (key == "name" && m.is(Type::kString)) {
      tool.name = text(m);
    } else if (key == "description" && m.is(Type::kString)) {
      tool.description = text(m);
    } else if (key == "strict" && m.is(Type::kBool)) {
      tool.strict = m.boolean();
    } else if (key == "inputSchema" && member(m, "json").is(Type::kObject)) {
      tool.parameters = member(m, "json").raw();
    } else {
      reading::keep(tool.extras, kName, key, m);
    }
  }
  return tool;
}

/// One tool, or a mark for the one before it.
void read_tool(const Value& value, std::vector<chat::Tool>& tools) {
  const bool one = value.is(Type::kObject) && value.size() == 1;
  chat::CacheMark mark;
  if (const Value spec = member(value, "toolSpec"); one && spec.is(Type::kObject)) {
    tools.push_back(read_spec(spec));
  } else if (const Value point = member(value, "cachePoint");
             one && point && !tools.empty() && !tools.back().cache && read_cache_point(point, mark)) {
    tools.back().cache = std::move(mark);
  } else {
    tools.push_back({.kind = chat::ToolKind::kProvider, .name = text(member(value, "systemTool"), "name"), .native_dialect = std::string(kName),
                     .native = std::string(value.raw())});
  }
}

void write_tool(json::Writer& writer, const chat::Tool& tool, chat::LossReport& loss) {
  if (tool.kind == chat::ToolKind::kProvider) {
    writer.raw(tool.native);
  } else {
    writer.begin_object().key("toolSpec").begin_object().field("name", tool.name);
    if (!tool.description.empty()) writer.field("description", tool.description);
    writer.key("inputSchema").begin_object().key("json");
    tool.parameters.empty() ? writer.raw(R"({"type":"object","properties":{}})") : writer.raw(tool.parameters);
    writer.end_object();
    if (tool.strict) writer.key("strict").boolean(*tool.strict);
    write_extras(writer, tool.extras, "tools." + tool.name, loss);
    writer.end_object().end_object();
  }
  if (tool.cache) write_cache_point(writer, *tool.cache);
}

bool can_write(const chat::Tool& tool, chat::LossReport& loss) {
  if (tool.kind == chat::ToolKind::kProvider && tool.native_dialect != kName) {
    loss.add("tools." + tool.name, "a tool run by " + tool.native_dialect + " alone", LossSeverity::kSemantic);
    return false;
  }
  if (tool.kind == chat::ToolKind::kCustom) {
    loss.add("tools." + tool.name, "bedrock's tools take objects, not free text", LossSeverity::kSemantic);
    return false;
  }
  return true;
}

bool is_allowed(const chat::Tool& tool, const std::optional<chat::ToolChoice>& choice) {
  if (!choice || choice->kind != Kind::kAllowed) return true;
  return std::any_of(choice->tools.begin(), choice->tools.end(), [&](const chat::ToolReference& one) { return one.name == tool.name; });
}

void write_choice(json::Writer& writer, const chat::ToolChoice& choice, chat::LossReport& loss) {
  if (const std::string* own = chat::find_extra(choice.extras, kName, "")) {
    writer.key("toolChoice").raw(*own);
    return;
  }
  const auto put = [&](std::string_view kind) { writer.key("toolChoice").begin_object().key(kind).begin_object().end_object().end_object(); };
  switch (choice.kind) {
    case Kind::kAuto: put("auto"); return;
    case Kind::kNone:
      // The tools have to stay for the calls that were made already, and nothing keeps the model from more.
      loss.add("tool_choice", "bedrock cannot forbid tools to a conversation that has used some", LossSeverity::kSemantic);
      return;
    case Kind::kRequired: put("any"); return;
    case Kind::kNamed:
      if (choice.tools.empty()) {
        put("any");
      } else {
        writer.key("toolChoice").begin_object().key("tool").begin_object().field("name", choice.tools[0].name).end_object().end_object();
      }
      return;
    case Kind::kAllowed:
      loss.add("tool_choice", "bedrock has no list of allowed tools: the others were left out", LossSeverity::kNote);
      put(choice.required ? "any" : "auto");
      return;
  }
}

}  // namespace

Status read_tool_config(const Value& config, chat::ChatInput& chat) {
  const auto wrong = [](std::string name, const char* expected) { return fail(Code::kInvalidParameter, name + " must be " + expected, name); };
  if (!config.is(Type::kObject)) return wrong("toolConfig", "an object");
  if (const Value tools = member(config, "tools")) {
    if (!tools.is(Type::kArray)) return wrong("toolConfig.tools", "a list of tools");
    for (Value tool = tools.first(); tool; tool = tool.next()) read_tool(tool, chat.tools);
  }
  const Value choice = member(config, "toolChoice");
  if (!choice) return {};
  if (!choice.is(Type::kObject)) return wrong("toolConfig.toolChoice", "an object");
  auto& out = chat.tool_choice.emplace();
  if (member(choice, "auto")) {
    out.kind = Kind::kAuto;
  } else if (member(choice, "any")) {
    out.kind = Kind::kRequired;
  } else if (const Value tool = member(choice, "tool")) {
    out.kind = Kind::kNamed;
    out.tools.push_back({.name = text(tool, "name")});
  } else {
    reading::keep(out.extras, kName, "", choice);
  }
  return {};
}

void write_tool_config(json::Writer& writer, const chat::ChatInput& chat, const Conversation& conversation, chat::LossReport& loss) {
  const bool none = chat.tool_choice && chat.tool_choice->kind == Kind::kNone;
  if (none && !conversation.uses_tools) {
    if (!chat.tools.empty()) loss.add("tool_choice", "bedrock cannot forbid tools: they were left out", LossSeverity::kNote);
    return;
  }
  std::vector<const chat::Tool*> tools;
  for (const chat::Tool& tool : chat.tools) {
    if (is_allowed(tool, chat.tool_choice) && can_write(tool, loss)) tools.push_back(&tool);
  }
  if (tools.empty() && !conversation.uses_tools) return;
  writer.key("toolConfig").begin_object().key("tools").begin_array();
  for (const chat::Tool* tool : tools) write_tool(writer, *tool, loss);
  if (tools.empty()) {
    loss.add("tools", "bedrock wants the tools that earlier calls were of: they are there by name", LossSeverity::kNote);
    for (const std::string_view name : conversation.called) write_tool(writer, {.name = std::string(name)}, loss);
    if (conversation.called.empty()) write_tool(writer, {.name = "tool"}, loss);
  }
  writer.end_array();
  if (chat.tool_choice && (none || !tools.empty())) write_choice(writer, *chat.tool_choice, loss);
  writer.end_object();
  if (chat.parallel_tool_calls == std::optional(false)) {
    loss.add("parallel_tool_calls", "bedrock cannot keep a model from calling several tools", LossSeverity::kCosmetic);
  }
}

}  // namespace sluice::dialect::bedrock_parts
