// Tools and tool choices of the canonical model in Anthropic's words.

#include <algorithm>

#include "dialect/anthropic.hpp"
#include "dialect/anthropic_blocks.hpp"
#include "dialect/anthropic_tools.hpp"
#include "dialect/reading.hpp"
#include "json/splice.hpp"

namespace sluice::dialect::anthropic_parts {
namespace {

using chat::LossSeverity;
using Kind = chat::ToolChoice::Kind;

/// A schema servers take: an object's, and it says so.
std::string object_schema(const std::string& parameters) {
  constexpr std::string_view kEmpty = R"({"type":"object","properties":{}})";
  if (parameters.empty()) return std::string(kEmpty);
  const auto document = json::Document::parse(Body::copy(parameters));
  if (!document || !document->root().is(json::Type::kObject)) return std::string(kEmpty);
  if (reading::member(document->root(), "type")) return parameters;
  base::EditedBody body(document->body());
  return json::set(body, document->root(), "type", R"("object")") ? body.to_string() : parameters;
}

bool is_allowed(const chat::Tool& tool, const std::optional<chat::ToolChoice>& choice) {
  if (!choice || choice->kind != Kind::kAllowed) return true;
  return std::any_of(choice->tools.begin(), choice->tools.end(), [&](const chat::ToolReference& allowed) { return allowed.name == tool.name; });
}

bool can_write(const chat::Tool& tool, chat::LossReport& loss) {
  if (tool.kind == chat::ToolKind::kCustom) {
    loss.add("tools." + tool.name, "anthropic's tools take objects, no free text", LossSeverity::kSemantic);
    return false;
  }
  if (tool.kind == chat::ToolKind::kProvider && tool.native_dialect != kName) {
    loss.add("tools." + tool.name, "a tool run by " + tool.native_dialect + " alone", LossSeverity::kSemantic);
    return false;
  }
  return true;
}

void write_tool(json::Writer& writer, const chat::Tool& tool, chat::LossReport& loss) {
  if (tool.kind == chat::ToolKind::kProvider) {
    writer.raw(tool.native);
    return;
  }
  writer.begin_object().field("name", tool.name);
  if (!tool.description.empty()) writer.field("description", tool.description);
  writer.key("input_schema").raw(object_schema(tool.parameters));
  if (tool.strict) writer.key("strict").boolean(*tool.strict);
  write_cache(writer, tool.cache);
  write_extras(writer, tool.extras, "tools." + tool.name, loss);
  writer.end_object();
}

void write_choice(json::Writer& writer, const chat::ToolChoice& choice, std::optional<bool> parallel, bool said, chat::LossReport& loss) {
  writer.key("tool_choice").begin_object();
  switch (choice.kind) {
    case Kind::kAuto: writer.field("type", "auto"); break;
    case Kind::kNone: writer.field("type", "none"); break;
    case Kind::kRequired: writer.field("type", "any"); break;
    case Kind::kAllowed: writer.field("type", choice.required ? "any" : "auto"); break;
    case Kind::kNamed:
      if (choice.tools.empty()) {
        writer.field("type", "any");
      } else {
        writer.field("type", "tool").field("name", choice.tools[0].name);
      }
      break;
  }
  // Where no tool may be called there is no such member.
  if (choice.kind != Kind::kNone && parallel && (said || !*parallel)) writer.key("disable_parallel_tool_use").boolean(!*parallel);
  write_extras(writer, choice.extras, "tool_choice", loss);
  writer.end_object();
}

}  // namespace

bool write_tools(json::Writer& writer, const chat::ChatInput& chat, chat::LossReport& loss) {
  bool any = false;
  for (const chat::Tool& tool : chat.tools) {
    if (!is_allowed(tool, chat.tool_choice) || !can_write(tool, loss)) continue;
    if (!any) writer.key("tools").begin_array();
    any = true;
    write_tool(writer, tool, loss);
  }
  if (any) writer.end_array();
  const auto& choice = chat.tool_choice;
  if (choice && choice->kind == Kind::kAllowed) {
    loss.add("tool_choice", "anthropic does not restrict tools by name: only those allowed are offered", LossSeverity::kNote);
  }
  const bool forced = choice && (choice->kind == Kind::kRequired || choice->kind == Kind::kNamed || (choice->kind == Kind::kAllowed && choice->required));
  if (forced && choice->kind == Kind::kNamed && !choice->tools.empty() && choice->tools[0].kind != chat::ToolKind::kFunction) {
    loss.add("tool_choice", "anthropic has no tool of that kind to be forced", LossSeverity::kSemantic);
    return false;
  }
  if (!any && !forced) return false;  // servers take no choice where there are no tools
  if (choice) {
    write_choice(writer, *choice, chat.parallel_tool_calls, true, loss);
  } else if (any && chat.parallel_tool_calls == std::optional(false)) {
    write_choice(writer, {}, chat.parallel_tool_calls, false, loss);
  }
  return forced;
}

}  // namespace sluice::dialect::anthropic_parts
