// The canonical model's tools, tool choices, answer formats and thinking into the Gemini dialect.

#include <algorithm>
#include <utility>

#include "dialect/gemini.hpp"
#include "dialect/gemini_tools.hpp"
#include "dialect/gemini_turn.hpp"
#include "dialect/lost_extras.hpp"

namespace sluice::dialect::gemini_parts {
namespace {

using chat::LossSeverity;

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c & ~0x20) : c; });
  return text;
}

void write_function(json::Writer& writer, const chat::Tool& tool, chat::LossReport& loss) {
  const std::string path = "tools." + tool.name;
  writer.begin_object().field("name", tool.name);
  if (!tool.description.empty()) writer.field("description", tool.description);
  // JSON Schema as it stands: whoever rewrote it into OpenAPI's words would have to leave out what these cannot say.
  if (!tool.parameters.empty() && chat::find_extra(tool.extras, kName, "parameters") == nullptr) {
    writer.key("parametersJsonSchema").raw(tool.parameters);
  }
  write_extras(writer, tool.extras, path, loss);
  writer.end_object();
  if (tool.strict.value_or(false)) loss.add(path + ".strict", "gemini does not hold arguments to their schema on request", LossSeverity::kCosmetic);
  if (tool.cache) loss.add(path + ".cache_control", "gemini caches by itself", LossSeverity::kCosmetic);
}

bool can_write(const chat::Tool& tool, chat::LossReport& loss) {
  switch (tool.kind) {
    case chat::ToolKind::kFunction: return true;
    case chat::ToolKind::kCustom:
      loss.add("tools." + tool.name, "gemini's tools take an object, no free text", LossSeverity::kSemantic);
      return false;
    case chat::ToolKind::kProvider: break;
  }
  if (tool.native_dialect == kName) return true;
  loss.add("tools." + tool.name, "a tool run by " + tool.native_dialect + " alone", LossSeverity::kSemantic);
  return false;
}

void write_names(json::Writer& writer, const chat::ToolChoice& choice, chat::LossReport& loss) {
  writer.key("allowedFunctionNames").begin_array();
  for (const chat::ToolReference& tool : choice.tools) {
    if (tool.kind == chat::ToolKind::kFunction) {
      writer.string(tool.name);
    } else {
      loss.add("tool_choice", "gemini can choose among functions alone", LossSeverity::kSemantic);
    }
  }
  writer.end_array();
}

void write_choice(json::Writer& writer, const chat::ToolChoice& choice, chat::LossReport& loss) {
  using Kind = chat::ToolChoice::Kind;
  writer.key("functionCallingConfig");
  if (const std::string* own = chat::find_extra(choice.extras, kName, "")) {
    writer.raw(*own);
    return;
  }
  writer.begin_object();
  switch (choice.kind) {
    case Kind::kAuto: writer.field("mode", "AUTO"); break;
    case Kind::kNone: writer.field("mode", "NONE"); break;
    case Kind::kRequired: writer.field("mode", "ANY"); break;
    case Kind::kNamed:
      writer.field("mode", "ANY");
      write_names(writer, choice, loss);
      break;
    case Kind::kAllowed:
      // AUTO takes no names; VALIDATED is AUTO among some, with arguments held to their schemas.
      writer.field("mode", choice.required ? "ANY" : "VALIDATED");
      write_names(writer, choice, loss);
      if (!choice.required) loss.add("tool_choice", "gemini's mode VALIDATED stands for a free choice among some", LossSeverity::kNote);
      break;
  }
  writer.end_object();
}

/// What an effort is worth to models that know budgets. Source: Google's notes on its OpenAI-compatible surface.
std::int64_t budget_of(std::string_view effort) noexcept {
  if (effort == "none") return 0;
  if (effort == "minimal" || effort == "low") return 1024;
  return effort == "medium" ? 8192 : 24576;
}

}  // namespace

void write_tools(json::Writer& writer, const chat::ChatInput& chat, chat::LossReport& loss) {
  bool list = false, functions = false;
  const auto close_functions = [&] {
    if (std::exchange(functions, false)) writer.end_array().end_object();
  };
  for (const chat::Tool& tool : chat.tools) {
    if (!can_write(tool, loss)) continue;
    if (!std::exchange(list, true)) writer.key("tools").begin_array();
    if (tool.kind == chat::ToolKind::kProvider) {
      close_functions();
      writer.raw(tool.native);
      continue;
    }
    if (!std::exchange(functions, true)) writer.begin_object().key("functionDeclarations").begin_array();
    write_function(writer, tool, loss);
  }
  close_functions();
  if (list) writer.end_array();
}

void write_tool_config(json::Writer& writer, const chat::ChatInput& chat, const chat::Extras& extras, chat::LossReport& loss) {
  constexpr std::string_view kPrefix = "toolConfig.";
  const bool more = std::any_of(extras.begin(), extras.end(),
                                [&](const chat::Extra& e) { return e.dialect == kName && e.key.starts_with(kPrefix); });
  if (chat.parallel_tool_calls == std::optional(false)) {
    loss.add("parallel_tool_calls", "gemini cannot be held to one call at a time", LossSeverity::kCosmetic);
  }
  if (!chat.tool_choice && !more) return;
  writer.key("toolConfig").begin_object();
  if (chat.tool_choice) write_choice(writer, *chat.tool_choice, loss);
  for (const chat::Extra& extra : extras) {
    if (extra.dialect == kName && extra.key.starts_with(kPrefix)) writer.key(std::string_view(extra.key).substr(kPrefix.size())).raw(extra.json);
  }
  writer.end_object();
}

void write_response_format(json::Writer& writer, const chat::ResponseFormat& format, chat::LossReport& loss) {
  using Kind = chat::ResponseFormat::Kind;
  const bool own = std::any_of(format.extras.begin(), format.extras.end(), [](const chat::Extra& e) { return e.dialect == kName; });
  if (format.kind == Kind::kOther && !own) {
    loss.add("response_format", "gemini knows text, JSON and JSON of a schema", LossSeverity::kSemantic);
    return;
  }
  if (chat::find_extra(format.extras, kName, "responseMimeType") == nullptr) {
    writer.field("responseMimeType", format.kind == Kind::kText ? "text/plain" : "application/json");
  }
  if (format.kind == Kind::kJsonSchema && !format.schema.empty() && chat::find_extra(format.extras, kName, "responseSchema") == nullptr &&
      chat::find_extra(format.extras, kName, "responseJsonSchema") == nullptr) {
    writer.key("responseJsonSchema").raw(format.schema);
  }
  if (!format.description.empty()) {
    loss.add("response_format.json_schema.description", "gemini's schemas are described in themselves", LossSeverity::kCosmetic);
  }
  for (const chat::Extra& extra : format.extras) {
    if (extra.dialect == kName) {
      writer.key(extra.key).raw(extra.json);
    } else {
      loss.add("response_format." + extra.key, why_lost(extra), LossSeverity::kCosmetic);
    }
  }
}

void write_thinking(json::Writer& writer, const chat::Reasoning& reasoning, std::string_view model, chat::LossReport& loss) {
  const bool budgets = is_before_3(model);
  const std::string& effort = reasoning.effort;
  writer.key("thinkingConfig").begin_object();
  // Who switched thinking on and bounded it (Anthropic's callers) is shown what was thought.
  const bool bounded = reasoning.enabled.value_or(false) && reasoning.budget_tokens;
  if (bounded || (!reasoning.summary.empty() && reasoning.summary != "none")) writer.key("includeThoughts").boolean(true);
  if (reasoning.budget_tokens) {
    writer.key("thinkingBudget").integer(*reasoning.budget_tokens);
  } else if (reasoning.enabled && effort.empty()) {
    writer.key("thinkingBudget").integer(*reasoning.enabled ? -1 : 0);
  } else if (!effort.empty() && budgets) {
    writer.key("thinkingBudget").integer(budget_of(effort));
    loss.add("reasoning_effort", "models before gemini 3 have budgets in place of efforts", LossSeverity::kNote);
  } else if (!effort.empty()) {
    const bool known = effort == "minimal" || effort == "low" || effort == "medium" || effort == "high";
    writer.field("thinkingLevel", known ? upper(effort) : effort == "none" ? "MINIMAL" : "HIGH");
    if (!known) loss.add("reasoning_effort", "gemini has no effort '" + effort + "': the nearest one is sent", LossSeverity::kNote);
  }
  writer.end_object();
}

}  // namespace sluice::dialect::gemini_parts
