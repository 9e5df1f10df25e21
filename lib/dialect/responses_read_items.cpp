// Items of the Responses API into turns. An assistant's items in a row (reasoning, a message, calls) are one turn.

#include <algorithm>
#include <utility>

#include "dialect/data_url.hpp"
#include "dialect/foreign_thinking.hpp"
#include "dialect/reading.hpp"
#include "dialect/responses.hpp"
#include "dialect/responses_items.hpp"

namespace sluice::dialect::responses_parts {
namespace {

using chat::LossSeverity;
using json::Type;
using json::Value;
using reading::member;
using reading::text;

tl::unexpected<Error> wrong(std::string path, std::string_view expected) {
  std::string message = path + " must be ";
  return fail(Code::kInvalidParameter, message.append(expected), std::move(path));
}

/// Keeps every member of `object` but the named ones and those that say nothing.
template <std::size_t N>
void keep_others(chat::Extras& extras, const Value& object, const std::string_view (&known)[N], LossSeverity loss) {
  std::string scratch;
  for (Value m = object.first(); m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    bool is_known = m.is(Type::kNull);
    for (const std::string_view name : known) is_known = is_known || name == key;
    if (!is_known) reading::keep(extras, kName, key, m, loss);
  }
}

/// The texts of a list of typed parts, with a blank line between them as between paragraphs.
std::string joined_texts(const Value& list) {
  std::string out;
  for (Value item = list.is(Type::kArray) ? list.first() : Value{}; item; item = item.next()) {
    std::string said = text(item, "text");
    if (!out.empty() && !said.empty()) out += "\n\n";
    out += said;
  }
  return out;
}

/// A list that write_reasoning() makes of its text again: one part or none, and nothing else about it.
bool is_plain(const Value& list, std::string_view type) {
  if (!list.is(Type::kArray)) return false;
  const Value part = list.first();
  return !part || (!part.next() && part.size() == 2 && text(part, "type") == type && !text(part, "text").empty());
}

chat::Text read_text(const Value& part, std::string_view type, bool assistant, From from) {
  chat::Text out;
  out.text = text(part, "text");
  if (const Value list = member(part, "annotations"); list.is(Type::kArray)) {
    for (Value item = list.first(); item; item = item.next()) out.citations.push_back(read_annotation(item));
  }
  if (from == From::kAnswer) return out;
  if (type != (assistant ? "output_text" : "input_text")) reading::keep(out.extras, kName, "type", member(part, "type"), LossSeverity::kNote);
  if (const Value list = member(part, "logprobs"); list.is(Type::kArray) && list.first()) {
    reading::keep(out.extras, kName, "logprobs", list, LossSeverity::kNote);
  }
  keep_others(out.extras, part, {"type", "text", "annotations", "logprobs"}, LossSeverity::kCosmetic);
  return out;
}

Result<chat::Part> read_image(const Value& part, const std::string& path, From from) {
  chat::Image image;
  const Value url = member(part, "image_url");
  // Clients that come from chat wrap the address in an object.
  std::string address = url.is(Type::kString) ? text(url) : text(url, "url");
  image.source.file_id = text(part, "file_id");
  image.detail = text(part, "detail");
  if (address.empty() && image.source.file_id.empty() && from == From::kRequest) {
    return wrong(path + ".image_url", "the address of an image, where no file_id is given");
  }
  if (!read_data_url(address, image.source)) image.source.url = std::move(address);
  keep_others(image.extras, part, {"type", "image_url", "file_id", "detail"}, LossSeverity::kCosmetic);
  return chat::Part{std::move(image)};
}

chat::Part read_file(const Value& part) {
  chat::Document file;
  file.source.file_id = text(part, "file_id");
  file.source.url = text(part, "file_url");
  file.name = text(part, "filename");
  if (std::string data = text(part, "file_data"); !read_data_url(data, file.source)) file.source.data = std::move(data);
  keep_others(file.extras, part, {"type", "file_id", "file_url", "filename", "file_data"}, LossSeverity::kCosmetic);
  return {std::move(file)};
}

}  // namespace

Result<chat::Part> read_content(const Value& part, const std::string& path, bool assistant, From from) {
  if (!part.is(Type::kObject)) return wrong(path, "an object with a type");
  const std::string type = text(part, "type");
  if (type == "input_text" || type == "output_text" || type == "text") {
    if (!member(part, "text").is(Type::kString) && from == From::kRequest) return wrong(path + ".text", "a string");
    return chat::Part{read_text(part, type, assistant, from)};
  }
  if (type == "refusal") return chat::Part{chat::Refusal{text(part, "refusal")}};
  if (type == "input_image") return read_image(part, path, from);
  if (type == "input_file") return read_file(part);
  if (type == "input_audio") {
    chat::Audio audio;
    const Value inner = member(part, "input_audio");
    audio.source.data = text(inner, "data");
    audio.format = text(inner, "format");
    // Some servers take it, OpenAI's do not: only who asked for it here sends it here.
    reading::keep(audio.extras, kName, "type", member(part, "type"), LossSeverity::kNote);
    keep_others(audio.extras, part, {"type", "input_audio"}, LossSeverity::kCosmetic);
    return chat::Part{std::move(audio)};
  }
  return chat::Part{chat::OpaquePart{std::string(kName), type, std::string(part.raw())}};
}

chat::Citation read_annotation(const Value& annotation) {
  chat::Citation citation;
  const std::string type = text(annotation, "type");
  if (type == "url_citation") {
    citation.kind = chat::Citation::Kind::kUrl;
    citation.url = text(annotation, "url");
    citation.title = text(annotation, "title");
    citation.start = reading::integer(member(annotation, "start_index"));
    citation.end = reading::integer(member(annotation, "end_index"));
  } else if (type == "file_citation" || type == "container_file_citation" || type == "file_path") {
    citation.kind = chat::Citation::Kind::kFile;
    citation.file_id = text(annotation, "file_id");
    citation.title = text(annotation, "filename");
  }
  reading::keep(citation.extras, kName, "", annotation);
  return citation;
}

chat::Thinking read_reasoning(const Value& item) {
  chat::Thinking out;
  const Value summary = member(item, "summary"), content = member(item, "content");
  reading::keep(out.extras, kName, "type", member(item, "type"), LossSeverity::kNote);
  out.text = joined_texts(summary);
  const bool in_content = out.text.empty() && !joined_texts(content).empty();
  if (in_content) {
    out.text = joined_texts(content);
    out.extras.push_back({kName, std::string(key::kInContent), "true", LossSeverity::kNote});
  }
  // What the text alone does not make again.
  if (summary && !is_plain(summary, "summary_text")) reading::keep(out.extras, kName, "summary", summary, LossSeverity::kNote);
  if (content && !(in_content && is_plain(content, "reasoning_text"))) {
    reading::keep(out.extras, kName, "content", content, LossSeverity::kNote);
  }
  if (const Value sealed = member(item, "encrypted_content"); sealed.is(Type::kString) && !unseal(text(sealed), out)) {
    reading::keep(out.extras, kName, "encrypted_content", sealed, LossSeverity::kCosmetic);
  }
  keep_others(out.extras, item, {"type", "summary", "content", "encrypted_content"}, LossSeverity::kNote);
  return out;
}

chat::ToolCall read_call(const Value& item) {
  chat::ToolCall call;
  const bool custom = text(item, "type") == "custom_tool_call";
  call.kind = custom ? chat::ToolKind::kCustom : chat::ToolKind::kFunction;
  call.id = text(item, "call_id");
  call.name = text(item, "name");
  const Value arguments = member(item, custom ? "input" : "arguments");
  call.arguments = arguments.is(Type::kString) ? text(arguments) : std::string(arguments ? arguments.raw() : std::string_view{});
  custom ? keep_others(call.extras, item, {"type", "call_id", "name", "input"}, LossSeverity::kNote)
         : keep_others(call.extras, item, {"type", "call_id", "name", "arguments"}, LossSeverity::kNote);
  return call;
}

std::vector<chat::TokenLogprob> read_logprobs(const Value& list) {
  std::vector<chat::TokenLogprob> out;
  for (Value item = list.is(Type::kArray) ? list.first() : Value{}; item; item = item.next()) {
    chat::TokenLogprob& token = out.emplace_back();
    token.token = text(item, "token");
    if (const Value n = member(item, "logprob"); n.is(Type::kNumber)) token.logprob = n.number().value_or(0);
    if (const Value bytes = member(item, "bytes"); bytes.is(Type::kArray)) {
      token.bytes.emplace();
      for (Value byte = bytes.first(); byte; byte = byte.next()) {
        token.bytes->push_back(static_cast<std::uint8_t>(reading::integer(byte).value_or(0)));
      }
    }
    token.top = read_logprobs(member(item, "top_logprobs"));
  }
  return out;
}

std::string describe_message(const Value& item, bool begun) {
  std::string out, scratch;
  json::Writer writer(out);
  writer.begin_object();
  for (Value m = item.first(); m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    if (m.is(Type::kNull) || key == "type" || key == "role" || key == "content" || (begun && key == "status")) continue;
    writer.key(key).raw(m.raw());
  }
  writer.end_object();
  return out;
}

Status ItemReader::add(const Value& item, const std::string& path) {
  if (!item.is(Type::kObject)) return from_ == From::kAnswer ? Status{} : wrong(path, "an object");
  const std::string type = text(item, "type");
  if (type == "message" || (type.empty() && member(item, "role"))) return message(item, path);
  if (type == "function_call" || type == "custom_tool_call") {
    called_ = true;
    assistant().parts.push_back({read_call(item)});
  } else if (type == "reasoning") {
    assistant().parts.push_back({read_reasoning(item)});
  } else if (from_ == From::kRequest && (type == "function_call_output" || type == "custom_tool_call_output")) {
    return result(item, type, path);
  } else if (!type.empty()) {
    opaque(item, type);
  } else if (from_ == From::kRequest) {
    return wrong(path + ".type", "the type of an item");
  }
  return {};
}

Status ItemReader::message(const Value& item, const std::string& path) {
  const std::string role = from_ == From::kAnswer ? "assistant" : text(item, "role");
  chat::Role who = chat::Role::kUser;
  if (role == "assistant") {
    who = chat::Role::kAssistant;
  } else if (role == "system" || role == "developer") {
    who = chat::Role::kSystem;
  } else if (role != "user") {
    return wrong(path + ".role", "one of system, developer, user, assistant");
  }
  const bool by_assistant = who == chat::Role::kAssistant;
  // A second message in a row is a turn of its own, but for calls that wait for their results: what stands beside these
  // has to stay in their turn.
  if (!by_assistant || (from_ == From::kRequest && !messages_.empty() && !called_)) close();
  chat::Turn* turn = by_assistant ? &assistant() : &turns_.emplace_back();
  turn->role = who;
  turn->developer = role == "developer";
  const std::size_t before = turn->parts.size();
  const Value content = member(item, "content");
  if (content.is(Type::kString)) {
    if (messages_.empty()) turn->form = chat::ContentForm::kText;
    if (std::string said = text(content); !said.empty()) turn->parts.push_back({chat::Text{std::move(said)}});
  } else if (content.is(Type::kArray)) {
    std::size_t i = 0;
    for (Value part = content.first(); part; part = part.next(), ++i) {
      auto read = read_content(part, path + ".content[" + std::to_string(i) + "]", by_assistant, from_);
      if (read) {
        turn->parts.push_back(*std::move(read));
      } else if (from_ == From::kRequest) {
        return tl::unexpected(read.error());
      }
      if (from_ != From::kAnswer) continue;
      for (chat::TokenLogprob& token : read_logprobs(member(part, "logprobs"))) logprobs_.push_back(std::move(token));
    }
  } else if (content && from_ == From::kRequest) {
    return wrong(path + ".content", "a string or a list of parts");
  }
  Message said{turn->parts.size() - before, describe_message(item, false)};
  if (by_assistant) {
    messages_.push_back(std::move(said));
  } else if (said.said != "{}") {
    turn->extras.push_back({kName, std::string(key::kMessages), "[" + said.said + "]", LossSeverity::kNote});
  }
  return {};
}

Status ItemReader::result(const Value& item, const std::string& type, const std::string& path) {
  close();
  chat::ToolResult result;
  chat::Turn& turn = turns_.emplace_back();
  turn.role = chat::Role::kTool;
  result.call_id = text(item, "call_id");
  const Value output = member(item, "output");
  if (output.is(Type::kString)) {
    turn.form = chat::ContentForm::kText;
    if (std::string said = text(output); !said.empty()) result.parts.push_back({chat::Text{std::move(said)}});
  } else if (output.is(Type::kArray)) {
    std::size_t i = 0;
    for (Value part = output.first(); part; part = part.next(), ++i) {
      auto read = read_content(part, path + ".output[" + std::to_string(i) + "]", false, from_);
      if (!read) return tl::unexpected(read.error());
      result.parts.push_back(*std::move(read));
    }
    // Texts alone stay a list for who can take one; with media among them each dialect finds its own way.
    const auto is_text = [](const chat::Part& one) { return one.as<chat::Text>() != nullptr; };
    if (std::all_of(result.parts.begin(), result.parts.end(), is_text)) turn.form = chat::ContentForm::kParts;
  } else {
    return wrong(path + ".output", "a string or a list of parts");
  }
  if (type != "function_call_output") reading::keep(result.extras, kName, "type", member(item, "type"), LossSeverity::kNote);
  keep_others(result.extras, item, {"type", "call_id", "output"}, LossSeverity::kNote);
  turn.parts.push_back({std::move(result)});
  return {};
}

/// An item of a tool the server runs itself, or a reference to one it keeps.
void ItemReader::opaque(const Value& item, const std::string& type) {
  chat::Turn& turn = assistant();
  if (from_ == From::kRequest) {
    turn.parts.push_back({chat::OpaquePart{std::string(kName), type, std::string(item.raw())}});
    return;
  }
  // In an answer it stands beside the content, which other dialects' clients expect to be text alone.
  items_ += items_.empty() ? "[" : ",";
  items_.append(R"({"at":)").append(std::to_string(turn.parts.size())).append(R"(,"item":)").append(item.raw()) += '}';
}

chat::Turn& ItemReader::assistant() {
  if (!open_) {
    turns_.emplace_back().role = chat::Role::kAssistant;
    open_ = true;
  }
  return turns_.back();
}

/// The assistant's turn is over: what its messages said of themselves goes with it.
void ItemReader::close() {
  if (open_) {
    bool said = messages_.size() > 1, empty = false;
    for (const Message& message : messages_) {
      // One without content, beside other items, would not be seen.
      empty = empty || (message.parts == 0 && !turns_.back().parts.empty());
      said = said || empty || message.said != "{}";
    }
    std::string list;
    for (const Message& message : messages_) {
      list += list.empty() ? "[" : ",";
      if (messages_.size() == 1 && !empty) {
        list += message.said;
        break;
      }
      list.append(R"({"parts":)").append(std::to_string(message.parts));
      list.append(message.said == "{}" ? "" : ",").append(message.said, 1);
    }
    chat::Extras& extras = turns_.back().extras;
    if (said) extras.push_back({kName, std::string(key::kMessages), list + "]", LossSeverity::kNote});
    if (!items_.empty()) {
      extras.push_back({kName, std::string(key::kItems), std::exchange(items_, {}) + "]", LossSeverity::kCosmetic});
    }
  }
  open_ = false;
  if (from_ == From::kRequest) called_ = false;
  messages_.clear();
}

std::vector<chat::Turn> ItemReader::take() {
  if (from_ == From::kAnswer) assistant();
  close();
  return std::exchange(turns_, {});
}

}  // namespace sluice::dialect::responses_parts
