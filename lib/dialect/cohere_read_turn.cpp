// A message of the Cohere dialect into a turn.

#include <algorithm>
#include <utility>

#include "dialect/cohere.hpp"
#include "dialect/cohere_turn.hpp"
#include "dialect/data_url.hpp"
#include "dialect/reading.hpp"

namespace sluice::dialect::cohere_parts {
namespace {

using json::Type;
using json::Value;
using reading::member;
using reading::text;

tl::unexpected<Error> wrong(std::string path, std::string_view expected) {
  std::string message = path + " must be ";
  return fail(Code::kInvalidParameter, message.append(expected), std::move(path));
}

/// Keeps every member of `object` but the two named.
void keep_others(chat::Extras& extras, const Value& object, std::string_view known, std::string_view also_known) {
  std::string scratch;
  for (Value m = object.first(); m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    if (key != known && key != also_known && !m.is(Type::kNull)) reading::keep(extras, kName, key, m, chat::LossSeverity::kCosmetic);
  }
}

/// What a tool gave back as a document: its data is what others call the result's text.
chat::Part read_document(const Value& part) {
  chat::Text out;
  const Value document = member(part, "document"), data = member(document, "data");
  const Value said = data ? data : document;
  out.text = said.is(Type::kString) ? text(said) : std::string(said.raw());
  reading::keep(out.extras, kName, "", part, chat::LossSeverity::kNote);
  return {std::move(out)};
}

Result<chat::Part> read_part(const Value& part, const std::string& path) {
  if (part.is(Type::kString)) return chat::Part{chat::Text{text(part)}};
  if (!part.is(Type::kObject)) return wrong(path, "an object with a type");
  const std::string type = text(part, "type");
  if (type == "text" || (type.empty() && member(part, "text"))) {
    chat::Text out;
    out.text = text(part, "text");
    keep_others(out.extras, part, "type", "text");
    return chat::Part{std::move(out)};
  }
  if (type == "thinking") {
    chat::Thinking out;
    out.text = text(part, "thinking");
    keep_others(out.extras, part, "type", "thinking");
    return chat::Part{std::move(out)};
  }
  if (type == "image_url") {
    chat::Image image;
    const Value url = member(part, "image_url");
    const std::string address = url.is(Type::kString) ? text(url) : text(url, "url");
    if (address.empty()) return wrong(path + ".image_url.url", "the address of an image");
    if (!read_data_url(address, image.source)) image.source.url = address;
    image.detail = text(url, "detail");
    keep_others(image.extras, part, "type", "image_url");
    return chat::Part{std::move(image)};
  }
  if (type == "document") return read_document(part);
  return chat::Part{chat::OpaquePart{std::string(kName), type, std::string(part.raw())}};
}

/// A message's content, as parts. Errors: wrong types, at `path`.
Status read_content(const Value& content, const std::string& path, std::vector<chat::Part>& parts, chat::ContentForm& form) {
  if (content.is(Type::kNull)) {
    form = chat::ContentForm::kNull;
  } else if (content.is(Type::kString)) {
    form = chat::ContentForm::kText;
    if (std::string said = text(content); !said.empty()) parts.push_back({chat::Text{std::move(said)}});
  } else if (content.is(Type::kArray)) {
    form = chat::ContentForm::kParts;
    std::size_t i = 0;
    for (Value item = content.first(); item; item = item.next(), ++i) {
      auto part = read_part(item, path + "[" + std::to_string(i) + "]");
      if (!part) return tl::unexpected(part.error());
      parts.push_back(*std::move(part));
    }
  } else {
    return wrong(path, "a string or a list of parts");
  }
  return {};
}

Result<chat::Role> read_role(const Value& role, const std::string& path) {
  const std::string name = text(role);
  if (name == "user") return chat::Role::kUser;
  if (name == "assistant") return chat::Role::kAssistant;
  if (name == "system") return chat::Role::kSystem;
  if (name == "tool") return chat::Role::kTool;
  return wrong(path + ".role", "one of system, user, assistant, tool");
}

}  // namespace

bool is_no_arguments(std::string_view arguments) noexcept { return arguments.empty() || arguments == "null"; }

chat::ToolCall read_tool_call(const Value& call) {
  chat::ToolCall out;
  out.id = text(call, "id");
  const Value function = member(call, "function");
  out.name = text(function, "name");
  const Value arguments = member(function, "arguments");
  out.arguments = arguments.is(Type::kString) ? text(arguments) : std::string(arguments ? arguments.raw() : std::string_view{});
  std::string scratch;
  for (Value m = call.is(Type::kObject) ? call.first() : Value{}; m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    if (key != "id" && key != "type" && key != "function" && !m.is(Type::kNull)) reading::keep(out.extras, kName, key, m, chat::LossSeverity::kCosmetic);
  }
  return out;
}

chat::Citation read_citation(const Value& citation) {
  chat::Citation out;
  out.cited_text = text(citation, "text");
  out.start = reading::integer(member(citation, "start"));
  out.end = reading::integer(member(citation, "end"));
  const Value source = member(citation, "sources").first();
  if (const Value document = member(source, "document"); document.is(Type::kObject)) {
    out.kind = chat::Citation::Kind::kDocument;
    out.title = text(document, "title");
    out.url = text(document, "url");
  }
  reading::keep(out.extras, kName, "", citation, chat::LossSeverity::kNote);
  return out;
}

Result<chat::Turn> read_turn(const Value& message, const std::string& path, Speaker speaker) {
  if (!message.is(Type::kObject)) return wrong(path, "an object");
  chat::Turn turn;
  if (speaker == Speaker::kAssistant) {
    turn.role = chat::Role::kAssistant;
  } else if (auto role = read_role(member(message, "role"), path)) {
    turn.role = *role;
  } else {
    return tl::unexpected(role.error());
  }
  const bool assistant = turn.role == chat::Role::kAssistant;
  // A plan goes before what was said, and that before what is to be done.
  std::vector<chat::Part> content, calls;
  std::vector<chat::Citation> citations;
  chat::ToolResult result;
  std::string scratch;
  turn.form = chat::ContentForm::kAbsent;
  for (Value m = message.first(); m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    if (key == "role") continue;
    if (key == "content") {
      if (auto status = read_content(m, path + ".content", content, turn.form); !status) return tl::unexpected(status.error());
    } else if (m.is(Type::kNull)) {
      continue;  // says nothing
    } else if (turn.role == chat::Role::kTool && key == "tool_call_id" && m.is(Type::kString)) {
      result.call_id = text(m);
    } else if (assistant && key == kToolPlan && m.is(Type::kString) && !m.raw_string().empty()) {
      turn.parts.push_back({chat::Thinking{text(m), {}, {}, std::string(kToolPlan)}});
    } else if (assistant && key == "tool_calls" && m.is(Type::kArray) && m.first()) {
      for (Value call = m.first(); call; call = call.next()) calls.push_back({read_tool_call(call)});
    } else if (assistant && key == "citations" && m.is(Type::kArray) && m.first()) {
      for (Value citation = m.first(); citation; citation = citation.next()) citations.push_back(read_citation(citation));
    } else {
      reading::keep(turn.extras, kName, key, m, chat::LossSeverity::kCosmetic);
    }
  }
  if (turn.role == chat::Role::kTool) {
    result.parts = std::move(content);
    result.extras = std::exchange(turn.extras, {});
    turn.parts.push_back({std::move(result)});
    return turn;
  }
  if (!citations.empty()) {
    auto said = std::find_if(content.begin(), content.end(), [](const chat::Part& p) { return p.as<chat::Text>() != nullptr; });
    if (said == content.end()) said = content.insert(content.end(), chat::Part{chat::Text{}});
    said->as<chat::Text>()->citations = std::move(citations);
  }
  for (std::vector<chat::Part>* parts : {&content, &calls}) {
    for (chat::Part& part : *parts) turn.parts.push_back(std::move(part));
  }
  return turn;
}

}  // namespace sluice::dialect::cohere_parts
