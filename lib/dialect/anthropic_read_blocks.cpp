// Content blocks of the Anthropic dialect into parts.

#include <algorithm>
#include <utility>

#include "dialect/anthropic.hpp"
#include "dialect/anthropic_blocks.hpp"
#include "base/base64.hpp"
#include "dialect/reading.hpp"

namespace sluice::dialect::anthropic_parts {
namespace {

using json::Type;
using json::Value;
using reading::member;
using reading::text;

tl::unexpected<Error> wrong(std::string path, std::string_view expected) {
  std::string message = path + " must be ";
  return fail(Code::kInvalidParameter, message.append(expected), std::move(path));
}

chat::Part opaque(const Value& block) {
  return {chat::OpaquePart{std::string(kName), text(block, "type"), std::string(block.raw())}};
}

/// The source of an image or a document; false for one that only this dialect's servers understand.
bool read_source(const Value& source, chat::Source& out) {
  const std::string type = text(source, "type");
  if (type == "base64" && source.size() == 3) {
    out.media_type = text(source, "media_type");
    out.data = text(source, "data");
    return true;
  }
  if (type == "text" && source.size() == 3) {  // a document that is its own text
    out.media_type = text(source, "media_type");
    out.data = base::base64_encode(text(source, "data"));
    return out.media_type == "text/plain";
  }
  if (source.size() != 2) return false;
  if (type == "url") out.url = text(source, "url");
  if (type == "file") out.file_id = text(source, "file_id");
  return !out.url.empty() || !out.file_id.empty();
}

chat::Part read_image(const Value& block) {
  chat::Image image;
  if (!read_source(member(block, "source"), image.source)) return opaque(block);
  read_cache(block, image.cache, image.extras);
  keep_others(image.extras, block, {"type", "source", "cache_control"});
  return {std::move(image)};
}

chat::Part read_document(const Value& block) {
  chat::Document document;
  if (!read_source(member(block, "source"), document.source)) return opaque(block);
  document.title = text(block, "title");
  document.context = text(block, "context");
  const Value citations = member(block, "citations");
  document.citations = member(citations, "enabled").boolean().value_or(false);
  if (citations && !(document.citations && citations.size() == 1)) {
    reading::keep(document.extras, kName, "citations", citations);
    document.citations = false;
  }
  read_cache(block, document.cache, document.extras);
  keep_others(document.extras, block, {"type", "source", "title", "context", "citations", "cache_control"});
  return {std::move(document)};
}

Result<chat::Part> read_tool_result(const Value& block, const std::string& path) {
  chat::ToolResult result;
  result.call_id = text(block, "tool_use_id");
  if (result.call_id.empty()) return wrong(path + ".tool_use_id", "the id of a tool_use block");
  result.is_error = member(block, "is_error").boolean().value_or(false);
  chat::ContentForm form = chat::ContentForm::kAuto;
  if (auto status = read_content(member(block, "content"), path + ".content", result.parts, form); !status) {
    return tl::unexpected(status.error());
  }
  read_cache(block, result.cache, result.extras);
  keep_others(result.extras, block, {"type", "tool_use_id", "content", "is_error", "cache_control"});
  return chat::Part{std::move(result)};
}

}  // namespace

void keep_others(chat::Extras& extras, const Value& object, std::initializer_list<std::string_view> known) {
  std::string scratch;
  for (Value m = object.first(); m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    if (!m.is(Type::kNull) && std::find(known.begin(), known.end(), key) == known.end()) reading::keep(extras, kName, key, m);
  }
}

void read_cache(const Value& object, std::optional<chat::CacheMark>& cache, chat::Extras& extras) {
  const Value mark = member(object, "cache_control");
  if (!mark) return;
  chat::CacheMark read{text(mark, "type"), text(mark, "ttl")};
  const std::size_t understood = (read.type.empty() ? 0 : 1) + (read.ttl.empty() ? 0 : 1);
  if (mark.is(Type::kObject) && !read.type.empty() && mark.size() == understood) {
    cache = std::move(read);
  } else {
    reading::keep(extras, kName, "cache_control", mark);
  }
}

chat::ToolCall read_tool_use(const Value& block) {
  chat::ToolCall call;
  call.id = text(block, "id");
  call.name = text(block, "name");
  const Value input = member(block, "input");
  // A text is no input for Anthropic's tools; a filter may have left one.
  call.arguments = input.is(Type::kString) ? text(input) : input ? std::string(input.raw()) : "{}";
  keep_others(call.extras, block, {"type", "id", "name", "input"});
  return call;
}

chat::Citation read_citation(const Value& value) {
  chat::Citation citation;
  const std::string type = text(value, "type");
  citation.cited_text = text(value, "cited_text");
  citation.title = text(value, "title");
  if (type == "web_search_result_location") {
    citation.kind = chat::Citation::Kind::kUrl;
    citation.url = text(value, "url");
  } else if (type == "char_location" || type == "page_location" || type == "content_block_location") {
    citation.kind = chat::Citation::Kind::kDocument;
    citation.title = text(value, "document_title");
    citation.file_id = text(value, "file_id");
    citation.document_index = reading::integer(member(value, "document_index"));
    const std::string_view unit = type == "char_location" ? "char_index" : type == "page_location" ? "page_number" : "block_index";
    citation.start = reading::integer(member(value, "start_" + std::string(unit)));
    citation.end = reading::integer(member(value, "end_" + std::string(unit)));
  }
  reading::keep(citation.extras, kName, "", value);
  return citation;
}

std::string explanation_of(const Value& stop_details) {
  return text(stop_details, "type") == "refusal" ? text(stop_details, "explanation") : std::string();
}

Result<chat::Part> read_block(const Value& block, const std::string& path) {
  if (!block.is(Type::kObject) || !member(block, "type").is(Type::kString)) return wrong(path, "an object with a type");
  const std::string type = text(block, "type");
  if (type == "text") {
    const Value said = member(block, "text");
    if (!said.is(Type::kString)) return wrong(path + ".text", "a string");
    chat::Text out;
    out.text = text(said);
    const Value citations = member(block, "citations");
    for (Value item = citations.is(Type::kArray) ? citations.first() : Value{}; item; item = item.next()) {
      out.citations.push_back(read_citation(item));
    }
    // An empty list says that there could have been some.
    if (citations && out.citations.empty()) reading::keep(out.extras, kName, "citations", citations);
    read_cache(block, out.cache, out.extras);
    keep_others(out.extras, block, {"type", "text", "citations", "cache_control"});
    return chat::Part{std::move(out)};
  }
  if (type == "image") return read_image(block);
  if (type == "document") return read_document(block);
  if (type == "thinking") {
    chat::Thinking thinking;
    thinking.text = text(block, "thinking");
    thinking.signature = text(block, "signature");
    keep_others(thinking.extras, block, {"type", "thinking", "signature"});
    return chat::Part{std::move(thinking)};
  }
  if (type == "redacted_thinking") {
    chat::Thinking thinking;
    thinking.redacted = text(block, "data");
    keep_others(thinking.extras, block, {"type", "data"});
    if (thinking.redacted.empty()) return opaque(block);
    return chat::Part{std::move(thinking)};
  }
  if (type == "tool_use") {
    if (!member(block, "name").is(Type::kString)) return wrong(path + ".name", "the name of a tool");
    return chat::Part{read_tool_use(block)};
  }
  if (type == "tool_result") return read_tool_result(block, path);
  return opaque(block);
}

Status read_content(const Value& content, const std::string& path, std::vector<chat::Part>& parts, chat::ContentForm& form) {
  if (!content) {
    form = chat::ContentForm::kAbsent;
  } else if (content.is(Type::kString)) {
    form = chat::ContentForm::kText;
    if (std::string said = text(content); !said.empty()) parts.push_back({chat::Text{std::move(said)}});
  } else if (content.is(Type::kArray)) {
    form = chat::ContentForm::kParts;
    std::size_t i = 0;
    for (Value item = content.first(); item; item = item.next(), ++i) {
      auto part = read_block(item, path + "[" + std::to_string(i) + "]");
      if (!part) return tl::unexpected(part.error());
      parts.push_back(*std::move(part));
    }
  } else {
    return wrong(path, "a string or a list of blocks");
  }
  return {};
}

}  // namespace sluice::dialect::anthropic_parts
