// A message of the OpenAI dialect into a turn. Beside OpenAI's own members it knows those that servers of this dialect
// have in common: reasoning and reasoning_content, Mistral's thinking chunks, cache_control.

#include <algorithm>
#include <utility>

#include "dialect/data_url.hpp"
#include "dialect/openai.hpp"
#include "dialect/openai_turn.hpp"
#include "dialect/reading.hpp"

namespace sluice::dialect::openai_parts {
namespace {

using json::Type;
using json::Value;
using reading::member;
using reading::text;

tl::unexpected<Error> wrong(std::string path, std::string_view expected) {
  std::string message = path + " must be ";
  return fail(Code::kInvalidParameter, message.append(expected), std::move(path));
}

std::optional<chat::CacheMark> cache_mark(const Value& value) {
  if (!value.is(Type::kObject)) return std::nullopt;
  return chat::CacheMark{text(value, "type"), text(value, "ttl")};
}

/// Keeps every member of `object` but the named ones.
template <std::size_t N>
void keep_others(chat::Extras& extras, const Value& object, const std::string_view (&known)[N]) {
  std::string scratch;
  for (Value m = object.first(); m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    bool is_known = false;
    for (const std::string_view name : known) is_known = is_known || name == key;
    if (!is_known) reading::keep(extras, kName, key, m);
  }
}

Result<chat::Part> read_image(const Value& part, const std::string& path) {
  chat::Image image;
  const Value url = member(part, "image_url");
  // Mistral takes the bare string as well.
  const std::string address = url.is(Type::kString) ? text(url) : text(url, "url");
  if (address.empty()) return wrong(path + ".image_url.url", "the address of an image");
  if (!read_data_url(address, image.source)) {
    if (address.starts_with("data:")) return chat::Part{chat::OpaquePart{std::string(kName), "image_url", std::string(part.raw())}};
    image.source.url = address;
  }
  image.detail = text(url, "detail");
  image.cache = cache_mark(member(part, "cache_control"));
  keep_others(image.extras, part, {"type", "image_url", "cache_control"});
  if (url.is(Type::kString)) reading::keep(image.extras, kName, "image_url", url);
  return chat::Part{std::move(image)};
}

Result<chat::Part> read_file(const Value& part, const std::string& path) {
  chat::Document file;
  const Value value = member(part, "file");
  if (!value.is(Type::kObject)) return wrong(path + ".file", "an object");
  file.source.file_id = text(value, "file_id");
  file.name = text(value, "filename");
  if (std::string data = text(value, "file_data"); !data.empty() && !read_data_url(data, file.source)) {
    // OpenAI wants a data URL; OpenRouter takes an address here, others bare base64.
    (data.starts_with("http://") || data.starts_with("https://") ? file.source.url : file.source.data) = std::move(data);
  }
  file.cache = cache_mark(member(part, "cache_control"));
  keep_others(file.extras, part, {"type", "file", "cache_control"});
  return chat::Part{std::move(file)};
}

/// Mistral: {"type":"thinking","thinking":[{"type":"text","text":…}]}.
chat::Part read_thinking(const Value& part) {
  chat::Thinking thinking;
  thinking.field = "content";
  const Value inner = member(part, "thinking");
  if (inner.is(Type::kString)) {
    thinking.text = text(inner);
  } else if (inner.is(Type::kArray)) {
    for (Value item = inner.first(); item; item = item.next()) thinking.text += text(item, "text");
    // More than one run of text: they are one thought, and are written back as they came.
    if (inner.size() != 1 || inner.first().size() != 2) reading::keep(thinking.extras, kName, "thinking", inner);
  }
  thinking.signature = text(part, "signature");
  keep_others(thinking.extras, part, {"type", "thinking", "signature"});
  return {std::move(thinking)};
}

/// A message's content, as parts. Errors: wrong types, at `path`.
Status read_content(const Value& content, const std::string& path, std::vector<chat::Part>& parts, chat::ContentForm& form) {
  if (!content) {
    form = chat::ContentForm::kAbsent;
  } else if (content.is(Type::kNull)) {
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

Result<chat::Role> read_role(const Value& role, const std::string& path, bool& developer) {
  const std::string name = text(role);
  developer = name == "developer";
  if (name == "user") return chat::Role::kUser;
  if (name == "assistant") return chat::Role::kAssistant;
  if (name == "system" || developer) return chat::Role::kSystem;
  if (name == "tool" || name == "function") return chat::Role::kTool;
  return wrong(path + ".role", "one of system, developer, user, assistant, tool, function");
}

}  // namespace

Result<chat::Part> read_part(const Value& part, const std::string& path) {
  if (part.is(Type::kString)) return chat::Part{chat::Text{text(part)}};
  if (!part.is(Type::kObject)) return wrong(path, "an object with a type");
  const std::string type = text(part, "type");
  if (type == "text") {
    const Value said = member(part, "text");
    if (!said.is(Type::kString)) return wrong(path + ".text", "a string");
    chat::Text out;
    out.text = text(said);
    out.cache = cache_mark(member(part, "cache_control"));
    keep_others(out.extras, part, {"type", "text", "cache_control"});
    return chat::Part{std::move(out)};
  }
  if (type == "image_url") return read_image(part, path);
  if (type == "input_audio") {
    chat::Audio audio;
    const Value inner = member(part, "input_audio");
    // Mistral takes the bare data.
    audio.source.data = inner.is(Type::kString) ? text(inner) : text(inner, "data");
    audio.format = text(inner, "format");
    keep_others(audio.extras, part, {"type", "input_audio"});
    if (inner.is(Type::kString)) reading::keep(audio.extras, kName, "input_audio", inner);
    return chat::Part{std::move(audio)};
  }
  if (type == "file") return read_file(part, path);
  if (type == "refusal") return chat::Part{chat::Refusal{text(part, "refusal")}};
  if (type == "thinking") return read_thinking(part);
  return chat::Part{chat::OpaquePart{std::string(kName), type, std::string(part.raw())}};
}

chat::ToolCall read_tool_call(const Value& call) {
  chat::ToolCall out;
  out.id = text(call, "id");
  if (const Value custom = member(call, "custom"); custom.is(Type::kObject)) {
    out.kind = chat::ToolKind::kCustom;
    out.name = text(custom, "name");
    out.arguments = text(custom, "input");
    keep_others(out.extras, call, {"id", "type", "custom"});
    return out;
  }
  const Value function = member(call, "function");
  out.name = text(function, "name");
  const Value arguments = member(function, "arguments");
  // A string that holds JSON; some servers send the object itself.
  out.arguments = arguments.is(Type::kString) ? text(arguments) : std::string(arguments ? arguments.raw() : std::string_view{});
  keep_others(out.extras, call, {"id", "type", "function"});
  return out;
}

std::vector<chat::Citation> read_annotations(const Value& annotations) {
  std::vector<chat::Citation> out;
  for (Value item = annotations.first(); item; item = item.next()) {
    chat::Citation citation;
    const std::string type = text(item, "type");
    const Value body = member(item, type);
    if (type == "url_citation") {
      citation.kind = chat::Citation::Kind::kUrl;
      citation.url = text(body, "url");
      citation.title = text(body, "title");
      citation.cited_text = text(body, "content");
      citation.start = reading::integer(member(body, "start_index"));
      citation.end = reading::integer(member(body, "end_index"));
    } else if (type == "file_citation" || type == "file") {
      citation.kind = chat::Citation::Kind::kFile;
      citation.file_id = text(body, "file_id");
    }
    reading::keep(citation.extras, kName, "", item);
    out.push_back(std::move(citation));
  }
  return out;
}

Result<chat::Turn> read_turn(const Value& message, const std::string& path, Speaker speaker) {
  if (!message.is(Type::kObject)) return wrong(path, "an object");
  chat::Turn turn;
  if (speaker == Speaker::kAssistant) {
    turn.role = chat::Role::kAssistant;
  } else if (auto role = read_role(member(message, "role"), path, turn.developer)) {
    turn.role = *role;
  } else {
    return tl::unexpected(role.error());
  }

  // What was thought goes before what was said, and that before what is to be done.
  std::vector<chat::Part> content, calls;
  std::optional<chat::Refusal> refusal;
  std::vector<chat::Citation> citations;
  std::optional<chat::Audio> audio;
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
    } else if (key == "name" && m.is(Type::kString)) {
      turn.name = text(m);
    } else if (turn.role == chat::Role::kTool && key == "tool_call_id" && m.is(Type::kString)) {
      result.call_id = text(m);
    } else if (turn.role == chat::Role::kAssistant && (key == "reasoning_content" || key == "reasoning") && m.is(Type::kString)) {
      // Servers that send both send the same twice.
      if (std::string thought = text(m); thought.empty() || (!turn.parts.empty() && turn.parts.front().as<chat::Thinking>())) {
        reading::keep(turn.extras, kName, key, m);
      } else {
        turn.parts.push_back({chat::Thinking{std::move(thought), {}, {}, std::string(key)}});
      }
    } else if (turn.role == chat::Role::kAssistant && key == "refusal" && m.is(Type::kString)) {
      refusal = chat::Refusal{text(m)};
    } else if (turn.role == chat::Role::kAssistant && key == "tool_calls" && m.is(Type::kArray) && m.first()) {
      for (Value call = m.first(); call; call = call.next()) calls.push_back({read_tool_call(call)});
    } else if (turn.role == chat::Role::kAssistant && key == "function_call" && m.is(Type::kObject)) {
      chat::ToolCall call;
      call.legacy = true;
      call.name = text(m, "name");
      call.arguments = text(m, "arguments");
      calls.push_back({std::move(call)});
    } else if (turn.role == chat::Role::kAssistant && key == "annotations" && m.is(Type::kArray) && m.first()) {
      citations = read_annotations(m);
    } else if (turn.role == chat::Role::kAssistant && key == "audio" && m.is(Type::kObject)) {
      audio.emplace();
      audio->id = text(m, "id");
      audio->source.data = text(m, "data");
      audio->transcript = text(m, "transcript");
      audio->expires_at = reading::integer(member(m, "expires_at"));
    } else {
      reading::keep(turn.extras, kName, key, m);
    }
  }

  if (turn.role == chat::Role::kTool) {
    result.name = std::move(turn.name);
    turn.name.clear();
    result.parts = std::move(content);
    result.extras = std::move(turn.extras);
    turn.extras.clear();
    turn.parts.push_back({std::move(result)});
    return turn;
  }
  if (!citations.empty()) {
    auto said = std::find_if(content.begin(), content.end(), [](const chat::Part& p) { return p.as<chat::Text>() != nullptr; });
    if (said == content.end()) said = content.insert(content.begin(), chat::Part{chat::Text{}});
    said->as<chat::Text>()->citations = std::move(citations);
  }
  const auto take = [&turn](std::vector<chat::Part>& parts) {
    for (chat::Part& part : parts) turn.parts.push_back(std::move(part));
  };
  take(content);
  if (refusal) turn.parts.push_back({*std::move(refusal)});
  if (audio) turn.parts.push_back({*std::move(audio)});
  take(calls);
  return turn;
}

}  // namespace sluice::dialect::openai_parts
