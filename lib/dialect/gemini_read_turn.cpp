// A content of the Gemini dialect into a turn, part by part. A part is known by the one member of its union that it has
// (`text`, `functionCall`, …); what stands beside it (`thoughtSignature`, `videoMetadata`) belongs to it.

#include <algorithm>
#include <utility>

#include "dialect/gemini.hpp"
#include "dialect/gemini_keys.hpp"
#include "dialect/gemini_turn.hpp"
#include "dialect/reading.hpp"

namespace sluice::dialect::gemini_parts {
namespace {

using json::Type;
using json::Value;

tl::unexpected<Error> wrong(std::string path, std::string_view expected) {
  std::string message = path + " must be ";
  return fail(Code::kInvalidParameter, message.append(expected), std::move(path));
}

/// `inlineData` or `fileData`, by what its media type says it is.
chat::Part read_medium(const Value& part, const Value& medium, bool inline_data) {
  chat::Source source;
  source.media_type = text(medium, "mimeType");
  if (inline_data) {
    source.data = text(medium, "data");
  } else {
    std::string uri = text(medium, "fileUri");
    const bool web = uri.starts_with("http://") || uri.starts_with("https://");
    (web ? source.url : source.file_id) = std::move(uri);
  }
  const std::string type = source.media_type;
  // A display name and the like stay with the medium they are of.
  chat::Extras extras;
  const std::string_view member_name = inline_data ? "inlineData" : "fileData";
  keep_others(extras, part, {member_name});
  std::string scratch;
  for (Value m = medium.first(); m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    if (m.is(Type::kNull) || is_key(key, "mimeType") || is_key(key, "data") || is_key(key, "fileUri")) continue;
    reading::keep(extras, kName, std::string(member_name) + "." + std::string(key), m);
  }
  if (type.starts_with("image/")) return {chat::Image{.source = std::move(source), .extras = std::move(extras)}};
  if (type.starts_with("audio/")) {
    return {chat::Audio{.source = std::move(source), .format = type == "audio/mpeg" ? "mp3" : type.substr(6), .extras = std::move(extras)}};
  }
  return {chat::Document{.source = std::move(source), .extras = std::move(extras)}};
}

chat::Part read_result(const Value& part, const Value& response) {
  chat::ToolResult result;
  result.call_id = text(response, "id");
  result.name = text(response, "name");
  // Told as it stands: an object is what every other dialect's text can hold too.
  const Value body = member(response, "response");
  if (body) result.parts.push_back({chat::Text{std::string(body.raw())}});
  result.is_error = body.is(Type::kObject) && body.size() == 1 && has(body, "error");
  for (Value item = member(response, "parts").first(); item; item = item.next()) result.parts.push_back(read_part(item));
  keep_others(result.extras, response, {"id", "name", "response", "parts"});
  chat::Extras beside;
  keep_others(beside, part, {"functionResponse"});
  for (chat::Extra& extra : beside) {
    extra.key = "part." + extra.key;
    result.extras.push_back(std::move(extra));
  }
  return {std::move(result)};
}

}  // namespace

void keep_others(chat::Extras& extras, const Value& object, std::initializer_list<std::string_view> known) {
  std::string scratch;
  for (Value m = object.is(Type::kObject) ? object.first() : Value{}; m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    const bool is_known = std::any_of(known.begin(), known.end(), [&](std::string_view name) { return is_key(key, name); });
    if (!is_known && !m.is(Type::kNull)) reading::keep(extras, kName, key, m);
  }
}

std::string arguments_of(const Value& call) {
  const Value args = member(call, "args");
  // Arguments that were changed into something that is no JSON stand there as a string.
  if (args.is(Type::kString)) return reading::text(args);
  return args ? std::string(args.raw()) : std::string("{}");
}

chat::Part read_part(const Value& part) {
  if (const Value said = member(part, "text"); said.is(Type::kString)) {
    std::string signature = text(part, "thoughtSignature");
    if (flag(part, "thought")) {
      chat::Thinking thinking{.text = text(part, "text"), .signature = std::move(signature)};
      // Tells it from what other models thought, which Gemini does not take.
      reading::keep(thinking.extras, kName, "thought", member(part, "thought"));
      keep_others(thinking.extras, part, {"text", "thought", "thoughtSignature"});
      return {std::move(thinking)};
    }
    chat::Text out{.text = text(part, "text"), .signature = std::move(signature)};
    keep_others(out.extras, part, {"text", "thought", "thoughtSignature"});
    return {std::move(out)};
  }
  if (const Value call = member(part, "functionCall"); call.is(Type::kObject)) {
    chat::ToolCall out{.id = text(call, "id"), .name = text(call, "name"), .arguments = arguments_of(call),
                       .signature = text(part, "thoughtSignature")};
    keep_others(out.extras, part, {"functionCall", "thoughtSignature"});
    return {std::move(out)};
  }
  if (const Value response = member(part, "functionResponse"); response.is(Type::kObject)) return read_result(part, response);
  if (const Value data = member(part, "inlineData"); data.is(Type::kObject)) return read_medium(part, data, true);
  if (const Value file = member(part, "fileData"); file.is(Type::kObject)) return read_medium(part, file, false);
  std::string scratch;
  const Value first = part.is(Type::kObject) ? part.first() : Value{};
  return {chat::OpaquePart{std::string(kName), first ? std::string(first.key(scratch)) : std::string(), std::string(part.raw())}};
}

Result<chat::Turn> read_content(const Value& content, const std::string& path, bool system) {
  if (!content.is(Type::kObject)) return wrong(path, "an object with parts");
  chat::Turn turn;
  const std::string role = text(content, "role");
  if (system) {
    turn.role = chat::Role::kSystem;  // whatever role it says (SDKs say user)
  } else if (role == "model") {
    turn.role = chat::Role::kAssistant;
  } else if (!role.empty() && role != "user" && role != "function") {
    return wrong(path + ".role", "user or model");
  }
  keep_others(turn.extras, content, {"role", "parts"});
  const Value parts = member(content, "parts");
  if (!parts) {
    turn.form = chat::ContentForm::kAbsent;
    return turn;
  }
  if (!parts.is(Type::kArray)) return wrong(path + ".parts", "a list of parts");
  std::size_t results = 0, i = 0;
  for (Value part = parts.first(); part; part = part.next(), ++i) {
    if (!part.is(Type::kObject)) return wrong(path + ".parts[" + std::to_string(i) + "]", "an object");
    turn.parts.push_back(read_part(part));
    if (turn.parts.back().as<chat::ToolResult>() != nullptr) ++results;
  }
  if (turn.role == chat::Role::kUser && results != 0 && results == turn.parts.size()) turn.role = chat::Role::kTool;
  return turn;
}

}  // namespace sluice::dialect::gemini_parts
