// Tools, tool choices, answer formats and thinking of the Gemini dialect into the canonical model.

#include <algorithm>
#include <utility>

#include "dialect/gemini.hpp"
#include "dialect/gemini_keys.hpp"
#include "dialect/gemini_schema.hpp"
#include "dialect/gemini_tools.hpp"
#include "dialect/gemini_turn.hpp"
#include "dialect/reading.hpp"

namespace sluice::dialect::gemini_parts {
namespace {

using json::Type;
using json::Value;

chat::Tool read_function(const Value& declaration) {
  chat::Tool tool;
  tool.name = text(declaration, "name");
  tool.description = text(declaration, "description");
  keep_others(tool.extras, declaration, {"name", "description", "parameters", "parametersJsonSchema"});
  if (tool.description.empty()) {
    if (const Value said = member(declaration, "description")) reading::keep(tool.extras, kName, "description", said);
  }
  if (const Value schema = member(declaration, "parametersJsonSchema")) {
    tool.parameters = schema.raw();
    if (const Value other = member(declaration, "parameters")) reading::keep(tool.extras, kName, "parameters", other);
  } else if (const Value own = member(declaration, "parameters")) {
    // OpenAPI's words: kept for this dialect's servers, which do not all take JSON Schema.
    tool.parameters = json_schema(own);
    reading::keep(tool.extras, kName, "parameters", own);
  }
  return tool;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  return text;
}

}  // namespace

Status read_tools(const Value& tool, std::vector<chat::Tool>& out) {
  if (!tool.is(Type::kObject)) return fail(Code::kInvalidParameter, "tools must be a list of objects", "tools");
  std::string scratch;
  for (Value m = tool.first(); m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    if (m.is(Type::kNull)) continue;
    if (is_key(key, "functionDeclarations")) {
      if (!m.is(Type::kArray)) return fail(Code::kInvalidParameter, "functionDeclarations must be a list of functions", "tools");
      for (Value declaration = m.first(); declaration; declaration = declaration.next()) {
        if (!declaration.is(Type::kObject)) return fail(Code::kInvalidParameter, "functionDeclarations must be a list of functions", "tools");
        out.push_back(read_function(declaration));
      }
      continue;
    }
    chat::Tool own;
    own.kind = chat::ToolKind::kProvider;
    own.name = key;
    own.native_dialect = kName;
    json::Writer(own.native).begin_object().key(key).raw(m.raw()).end_object();
    out.push_back(std::move(own));
  }
  return {};
}

chat::ToolChoice read_tool_choice(const Value& config) {
  using Kind = chat::ToolChoice::Kind;
  chat::ToolChoice choice;
  const std::string mode = text(config, "mode");
  for (Value name = member(config, "allowedFunctionNames").first(); name; name = name.next()) {
    choice.tools.push_back({chat::ToolKind::kFunction, reading::text(name)});
  }
  const bool any = mode == "ANY", named = !choice.tools.empty();
  if (mode == "NONE") {
    choice.kind = Kind::kNone;
  } else if (named && any && choice.tools.size() == 1) {
    choice.kind = Kind::kNamed;
  } else if (named) {
    choice.kind = Kind::kAllowed;
    choice.required = any;
  } else if (any) {
    choice.kind = Kind::kRequired;
  }
  // Kept as it stood where it would not be written so.
  const std::size_t known = (mode.empty() ? 0u : 1u) + (named ? 1u : 0u);
  const bool plain = (mode == "ANY" || mode == "AUTO" || mode == "NONE") && known == config.size() && (!named || any);
  if (!plain) reading::keep(choice.extras, kName, "", config);
  return choice;
}

std::optional<chat::ResponseFormat> read_response_format(const Value& generation) {
  using Kind = chat::ResponseFormat::Kind;
  const std::string mime = text(generation, "responseMimeType");
  const Value json_form = member(generation, "responseJsonSchema"), own = member(generation, "responseSchema");
  if (mime.empty() && !json_form && !own) return std::nullopt;
  chat::ResponseFormat format;
  if (json_form || own) {
    format.kind = Kind::kJsonSchema;
    format.schema = json_form ? std::string(json_form.raw()) : json_schema(own);
    if (own) reading::keep(format.extras, kName, "responseSchema", own);
  } else if (mime == "application/json") {
    format.kind = Kind::kJsonObject;
  }
  if (mime != "application/json" && (mime != "text/plain" || format.kind == Kind::kJsonSchema)) {
    // `text/x.enum`: one of the schema's words, without quotes.
    if (!mime.empty()) format.kind = Kind::kOther;
    if (const Value said = member(generation, "responseMimeType")) reading::keep(format.extras, kName, "responseMimeType", said);
    if (json_form) reading::keep(format.extras, kName, "responseJsonSchema", json_form);
  }
  return format;
}

bool read_thinking(const Value& config, chat::Reasoning& out) {
  if (!config.is(Type::kObject)) return false;
  std::string scratch;
  for (Value m = config.first(); m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    if (m.is(Type::kNull)) continue;
    if (is_key(key, "includeThoughts") && m.is(Type::kBool)) {
      if (m.boolean() == std::optional(true)) out.summary = "auto";  // false says as much as nothing
    } else if (is_key(key, "thinkingBudget") && m.is(Type::kNumber) && m.integer()) {
      const std::int64_t budget = *m.integer();
      if (budget == -1) {
        out.enabled = true;  // as much as the model sees fit
      } else if (budget == 0) {
        out.enabled = false;
      } else {
        out.budget_tokens = budget;
      }
    } else if (is_key(key, "thinkingLevel") && m.is(Type::kString)) {
      out.effort = lower(reading::text(m));
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace sluice::dialect::gemini_parts
