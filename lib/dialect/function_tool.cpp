// Function tools, both ways.

#include "dialect/function_tool.hpp"

#include <algorithm>

#include "dialect/reading.hpp"
#include "dialect/writing.hpp"

namespace sluice::dialect {
namespace {

constexpr std::string_view kInside = "function.";

}  // namespace

chat::Tool read_function_tool(const json::Value& value, std::string_view dialect) {
  chat::Tool tool;
  const json::Value function = reading::member(value, "function");
  tool.name = reading::text(function, "name");
  tool.description = reading::text(function, "description");
  if (const json::Value parameters = reading::member(function, "parameters")) tool.parameters = parameters.raw();
  std::string scratch;
  for (json::Value m = function.is(json::Type::kObject) ? function.first() : json::Value{}; m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    const bool said = key == "name" || key == "parameters" || (key == "description" && !tool.description.empty());
    if (!said && !m.is(json::Type::kNull)) {
      reading::keep(tool.extras, dialect, std::string(kInside) + std::string(key), m, chat::LossSeverity::kCosmetic);
    }
  }
  return tool;
}

void write_function_tool(json::Writer& writer, const chat::Tool& tool, std::string_view dialect) {
  constexpr std::string_view kNone = R"({"type":"object","properties":{}})";
  writer.begin_object().field("type", "function").key("function").begin_object().field("name", tool.name);
  writing::put(writer, "description", tool.description);
  writer.key("parameters").raw(tool.parameters.empty() ? kNone : std::string_view(tool.parameters));
  for (const chat::Extra& extra : tool.extras) {
    if (extra.dialect == dialect && extra.key.starts_with(kInside)) writer.key(extra.key.substr(kInside.size())).raw(extra.json);
  }
  writer.end_object().end_object();
}

bool is_left(const chat::Tool& tool, const chat::ToolChoice* choice) noexcept {
  using Kind = chat::ToolChoice::Kind;
  if (choice == nullptr || (choice->kind != Kind::kNamed && choice->kind != Kind::kAllowed)) return true;
  return std::any_of(choice->tools.begin(), choice->tools.end(), [&](const chat::ToolReference& named) { return named.name == tool.name; });
}

}  // namespace sluice::dialect
