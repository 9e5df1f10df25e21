// Messages of Ollama's dialect, both ways.

#include "dialect/ollama_turn.hpp"

#include <array>
#include <utility>

#include "dialect/ollama.hpp"
#include "dialect/reading.hpp"
#include "dialect/writing.hpp"

namespace sluice::dialect::ollama_parts {
namespace {

using chat::LossSeverity;
using json::Type;
using json::Value;
using reading::member;
using reading::text;

constexpr std::string_view kIndex = "function.index";

/// How base64 of an image begins.
constexpr std::array kBeginnings{std::pair{std::string_view("iVBORw0KGgo"), std::string_view("image/png")},
                                 std::pair{std::string_view("/9j/"), std::string_view("image/jpeg")},
                                 std::pair{std::string_view("R0lGOD"), std::string_view("image/gif")},
                                 std::pair{std::string_view("UklGR"), std::string_view("image/webp")}};

std::string_view role_name(chat::Role role) noexcept {
  switch (role) {
    case chat::Role::kSystem: return "system";
    case chat::Role::kAssistant: return "assistant";
    case chat::Role::kTool: return "tool";
    case chat::Role::kUser: break;
  }
  return "user";
}

/// What several texts say as one.
std::string joined(const std::vector<chat::Part>& parts, const std::string& path, chat::LossReport& loss) {
  std::string out;
  std::size_t texts = 0;
  for (const chat::Part& part : parts) {
    const auto* said = part.as<chat::Text>();
    const auto* refused = part.as<chat::Refusal>();
    if (said == nullptr && refused == nullptr) continue;
    if (texts++ > 0) out += '\n';
    out += said ? said->text : refused->text;
    if (said != nullptr && said->cache) loss.add(path, "ollama caches by itself", LossSeverity::kCosmetic);
  }
  if (texts > 1) loss.add(path + ".content", "ollama takes one text a message: they were joined", LossSeverity::kNote);
  return out;
}

void write_result(json::Writer& writer, const chat::ToolResult& result, const std::string& path, CallIds& ids, chat::LossReport& loss) {
  const CallIds::Answered answered = ids.answered_by(result);
  writer.begin_object().field("role", "tool").field("content", joined(result.parts, path, loss));
  writing::put(writer, "tool_name", answered.name);
  if (!answered.made_up) writing::put(writer, "tool_call_id", answered.id);
  for (const chat::Part& part : result.parts) {
    if (!part.as<chat::Text>()) loss.add(path, "ollama tool results hold text alone", LossSeverity::kSemantic);
  }
  if (result.is_error) loss.add(path + ".is_error", "ollama does not mark failed tools", LossSeverity::kCosmetic);
  writing::put_extras(writer, result.extras, kName, path, loss);
  writer.end_object();
}

}  // namespace

chat::ToolCall read_tool_call(const Value& call) {
  chat::ToolCall out;
  out.id = text(call, "id");
  const Value function = member(call, "function");
  out.name = text(function, "name");
  const Value arguments = member(function, "arguments");
  out.arguments = arguments.is(Type::kString) ? text(arguments) : arguments ? std::string(arguments.raw()) : std::string("{}");
  if (const Value index = member(function, "index")) reading::keep(out.extras, kName, kIndex, index, LossSeverity::kNote);
  return out;
}

void write_tool_call(json::Writer& writer, const chat::ToolCall& call, const std::string& id, bool made_up, std::uint32_t index) {
  writer.begin_object();
  if (!made_up) writer.field("id", id);
  writer.key("function").begin_object();
  if (const std::string* own = chat::find_extra(call.extras, kName, kIndex)) {
    writer.key("index").raw(*own);
  } else if (!made_up) {
    writer.key("index").unsigned_integer(index);
  }
  writer.field("name", call.name).key("arguments");
  const auto arguments = json::Document::parse(Body::copy(call.arguments));
  if (arguments && arguments->root().is(Type::kObject)) {
    writer.raw(call.arguments);
  } else if (arguments && arguments->root().is(Type::kNull)) {
    writer.begin_object().end_object();
  } else {
    // No object, or none that was finished: what there is is told all the same.
    writer.begin_object();
    if (!call.arguments.empty()) writer.field("arguments", call.arguments);
    writer.end_object();
  }
  writer.end_object().end_object();
}

chat::Part read_image(const Value& image) {
  chat::Image out;
  out.source.data = text(image);
  for (const auto& [beginning, type] : kBeginnings) {
    if (out.source.data.starts_with(beginning)) out.source.media_type = type;
  }
  return {std::move(out)};
}

Result<chat::Turn> read_turn(const Value& message, const std::string& path, CallIds& ids) {
  if (!message.is(Type::kObject)) return reading::wrong(path, "an object");
  chat::Turn turn;
  const std::string role = text(message, "role");
  if (role == "system" || role == "developer") {
    turn.role = chat::Role::kSystem;
  } else if (role == "assistant") {
    turn.role = chat::Role::kAssistant;
  } else if (role == "tool") {
    turn.role = chat::Role::kTool;
  } else if (role != "user") {
    return reading::wrong(path + ".role", "one of system, user, assistant, tool");
  }
  // What was thought goes before what was said, and that before what is to be done.
  std::vector<chat::Part> thoughts, content, images, calls;
  chat::ToolResult result;
  std::string scratch;
  turn.form = chat::ContentForm::kAbsent;
  for (Value m = message.first(); m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    if (key == "role" || m.is(Type::kNull)) continue;
    if (key == "content") {
      if (!m.is(Type::kString)) return reading::wrong(path + ".content", "a string");
      turn.form = chat::ContentForm::kText;
      if (std::string said = text(m); !said.empty()) content.push_back({chat::Text{std::move(said)}});
    } else if (key == "thinking" && m.is(Type::kString)) {
      if (std::string thought = text(m); !thought.empty()) thoughts.push_back({chat::Thinking{std::move(thought)}});
    } else if (key == "images" && m.is(Type::kArray) && m.first()) {
      for (Value image = m.first(); image; image = image.next()) images.push_back(read_image(image));
    } else if (key == "tool_calls" && m.is(Type::kArray) && m.first()) {
      for (Value call = m.first(); call; call = call.next()) {
        chat::ToolCall read = read_tool_call(call);
        read.id = ids.id_of(read);
        calls.push_back({std::move(read)});
      }
    } else if (turn.role == chat::Role::kTool && key == "tool_name" && m.is(Type::kString)) {
      result.name = text(m);
    } else if (turn.role == chat::Role::kTool && key == "tool_call_id" && m.is(Type::kString)) {
      result.call_id = text(m);
    } else {
      reading::keep(turn.extras, kName, key, m, LossSeverity::kCosmetic);
    }
  }
  if (turn.role == chat::Role::kTool) {
    result.call_id = ids.answered_by(result).id;
    result.parts = std::move(content);
    for (chat::Part& image : images) result.parts.push_back(std::move(image));
    result.extras = std::exchange(turn.extras, {});
    turn.parts.push_back({std::move(result)});
    return turn;
  }
  for (std::vector<chat::Part>* parts : {&thoughts, &content, &images, &calls}) {
    for (chat::Part& part : *parts) turn.parts.push_back(std::move(part));
  }
  return turn;
}

std::vector<std::string> images_of(const chat::Turn& turn, const std::string& path, chat::LossReport& loss) {
  std::vector<std::string> out;
  std::size_t i = 0;
  for (const chat::Part& part : turn.parts) {
    const std::string place = path + ".content[" + std::to_string(i++) + "]";
    if (const auto* image = part.as<chat::Image>()) {
      if (image->source.data.empty()) {
        loss.add(place, "ollama takes images as data, not by their address", LossSeverity::kSemantic);
      } else {
        out.push_back(image->source.data);
      }
      if (!image->detail.empty()) loss.add(place + ".image_url.detail", "ollama has no detail of images", LossSeverity::kCosmetic);
    } else if (part.as<chat::Audio>()) {
      loss.add(place, "ollama takes no audio", LossSeverity::kSemantic);
    } else if (part.as<chat::Document>()) {
      loss.add(place, "ollama takes no files", LossSeverity::kSemantic);
    } else if (const auto* opaque = part.as<chat::OpaquePart>()) {
      loss.add(place, "a part known to the " + opaque->dialect + " dialect alone", LossSeverity::kSemantic);
    }
  }
  return out;
}

void write_turn(json::Writer& writer, const chat::Turn& turn, const std::string& path, CallIds& ids, chat::LossReport& loss) {
  bool only_results = turn.role == chat::Role::kTool || (turn.role == chat::Role::kUser && !turn.parts.empty());
  for (const chat::Part& part : turn.parts) {
    const auto* result = part.as<chat::ToolResult>();
    if (result == nullptr) {
      only_results = false;
    } else {
      write_result(writer, *result, path, ids, loss);
    }
  }
  if (only_results) return;
  writer.begin_object().field("role", turn.role == chat::Role::kTool ? "user" : role_name(turn.role));
  if (turn.developer) loss.add(path + ".role", "ollama has one role for instructions: system", LossSeverity::kNote);
  if (!turn.name.empty()) loss.add(path + ".name", "ollama does not name participants", LossSeverity::kCosmetic);
  writer.field("content", joined(turn.parts, path, loss));  // always there, by its document
  std::string thought;
  for (const chat::Part& part : turn.parts) {
    const auto* thinking = part.as<chat::Thinking>();
    if (thinking == nullptr) continue;
    thought += thinking->text;
    if (!thinking->signature.empty() || !thinking->redacted.empty()) {
      loss.add(path, "ollama has no place for signed or encrypted thinking", LossSeverity::kCosmetic);
    }
  }
  writing::put(writer, "thinking", thought);
  if (const std::vector<std::string> images = images_of(turn, path, loss); !images.empty()) {
    writer.key("images").begin_array();
    for (const std::string& image : images) writer.string(image);
    writer.end_array();
  }
  bool open = false;
  std::uint32_t index = 0;
  for (const chat::Part& part : turn.parts) {
    const auto* call = part.as<chat::ToolCall>();
    if (call == nullptr) continue;
    if (!open) writer.key("tool_calls").begin_array();
    open = true;
    if (call->kind != chat::ToolKind::kFunction) loss.add(path + ".tool_calls", "ollama calls functions alone", LossSeverity::kSemantic);
    const std::string id = ids.id_of(*call);
    write_tool_call(writer, *call, id, ids.last_was_made_up(), index++);
  }
  if (open) writer.end_array();
  writing::put_extras(writer, turn.extras, kName, path, loss);
  writer.end_object();
}

}  // namespace sluice::dialect::ollama_parts
