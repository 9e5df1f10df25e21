// Content blocks of the Bedrock dialect into parts. A block is an object with one member, which names it. Lenient: what has
// another shape than its name promises is kept whole, for servers of this dialect to judge.

#include <initializer_list>
#include <utility>

#include "dialect/bedrock.hpp"
#include "dialect/bedrock_blocks.hpp"
#include "dialect/reading.hpp"

namespace sluice::dialect::bedrock_parts {
namespace {

using json::Type;
using json::Value;
using reading::member;
using reading::text;

/// True where the object has no members but these.
bool only(const Value& object, std::initializer_list<std::string_view> known) {
  if (!object.is(Type::kObject)) return false;
  std::string scratch;
  for (Value m = object.first(); m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    bool found = false;
    for (const std::string_view name : known) found = found || name == key;
    if (!found) return false;
  }
  return true;
}

std::optional<chat::CacheMark>* cache_of(chat::Part& part) {
  if (auto* said = part.as<chat::Text>()) return &said->cache;
  if (auto* image = part.as<chat::Image>()) return &image->cache;
  if (auto* document = part.as<chat::Document>()) return &document->cache;
  if (auto* result = part.as<chat::ToolResult>()) return &result->cache;
  return nullptr;
}

/// Bytes in base64 alone; what lies in S3, or is text, only Bedrock can fetch or take.
bool read_bytes(const Value& medium, chat::Source& source) {
  const Value from = member(medium, "source");
  const Value bytes = member(from, "bytes");
  if (!bytes.is(Type::kString) || !only(from, {"bytes"})) return false;
  source.data = text(bytes);
  return true;
}

bool read_image(const Value& image, std::vector<chat::Part>& parts) {
  chat::Image out;
  const std::string_view type = media_type_of(text(image, "format"));
  if (!only(image, {"format", "source"}) || type.empty() || !read_bytes(image, out.source)) return false;
  out.source.media_type = type;
  parts.push_back({std::move(out)});
  return true;
}

bool read_document(const Value& document, std::vector<chat::Part>& parts) {
  chat::Document out;
  if (!only(document, {"format", "name", "source", "context", "citations"}) || !read_bytes(document, out.source)) return false;
  if (const Value format = member(document, "format")) {
    const std::string_view type = media_type_of(text(format));
    if (type.empty()) return false;
    out.source.media_type = type;
  }
  out.name = text(document, "name");
  out.context = text(document, "context");
  const Value citations = member(document, "citations");
  if (citations && !only(citations, {"enabled"})) return false;
  out.citations = member(citations, "enabled").boolean().value_or(false);
  parts.push_back({std::move(out)});
  return true;
}

bool read_audio(const Value& audio, std::vector<chat::Part>& parts) {
  chat::Audio out;
  if (!only(audio, {"format", "source"}) || !read_bytes(audio, out.source)) return false;
  out.format = text(audio, "format");
  if (audio_format(out) != out.format) return false;
  parts.push_back({std::move(out)});
  return true;
}

bool read_tool_use(const Value& use, std::vector<chat::Part>& parts) {
  if (is_servers_own(use) || !member(use, "name").is(Type::kString)) return false;
  const Value input = member(use, "input");
  parts.push_back({chat::ToolCall{.id = text(use, "toolUseId"), .name = text(use, "name"), .arguments = input ? std::string(input.raw()) : "{}"}});
  return true;
}

bool read_tool_result(const Value& result, std::vector<chat::Part>& parts) {
  // With a type it is the result of a tool that the provider ran.
  if (!only(result, {"toolUseId", "content", "status"}) || !member(result, "content").is(Type::kArray)) return false;
  chat::ToolResult out;
  out.call_id = text(result, "toolUseId");
  out.is_error = text(result, "status") == "error";
  read_blocks(member(result, "content"), out.parts);
  parts.push_back({std::move(out)});
  return true;
}

bool read_reasoning(const Value& reasoning, std::vector<chat::Part>& parts) {
  if (const Value said = member(reasoning, "reasoningText"); only(reasoning, {"reasoningText"}) && only(said, {"text", "signature"})) {
    parts.push_back({chat::Thinking{.text = text(said, "text"), .signature = text(said, "signature")}});
    return true;
  }
  if (const Value redacted = member(reasoning, "redactedContent"); only(reasoning, {"redactedContent"}) && redacted.is(Type::kString)) {
    parts.push_back({chat::Thinking{.redacted = text(redacted)}});
    return true;
  }
  return false;
}

/// A text that says where it comes from. Several pieces of text are one to every client.
bool read_cited(const Value& cited, std::vector<chat::Part>& parts) {
  const Value content = member(cited, "content"), citations = member(cited, "citations");
  if (!only(cited, {"content", "citations"}) || !content.is(Type::kArray) || !citations.is(Type::kArray) || !citations.first()) return false;
  chat::Text out;
  for (Value piece = content.first(); piece; piece = piece.next()) {
    if (!only(piece, {"text"})) return false;
    out.text += text(piece, "text");
  }
  for (Value citation = citations.first(); citation; citation = citation.next()) out.citations.push_back(read_citation(citation));
  parts.push_back({std::move(out)});
  return true;
}

bool read_cache(const Value& point, std::vector<chat::Part>& parts) {
  chat::CacheMark mark;
  if (!read_cache_point(point, mark)) return false;
  auto* const cache = parts.empty() ? nullptr : cache_of(parts.back());
  if (cache == nullptr || *cache) return false;
  *cache = std::move(mark);
  return true;
}

bool read_known(std::string_view type, const Value& value, std::vector<chat::Part>& parts) {
  if (type == "text" && value.is(Type::kString)) {
    parts.push_back({chat::Text{text(value)}});
    return true;
  }
  // A tool's result as JSON is text to everybody else; how it stood is kept.
  if (type == "json") {
    chat::Text said{.text = std::string(value.raw())};
    reading::keep(said.extras, kName, "json", value);
    parts.push_back({std::move(said)});
    return true;
  }
  if (type == "image") return read_image(value, parts);
  if (type == "document") return read_document(value, parts);
  if (type == "audio") return read_audio(value, parts);
  if (type == "toolUse") return read_tool_use(value, parts);
  if (type == "toolResult") return read_tool_result(value, parts);
  if (type == "reasoningContent") return read_reasoning(value, parts);
  if (type == "citationsContent") return read_cited(value, parts);
  if (type == "cachePoint") return read_cache(value, parts);
  return false;
}

}  // namespace

bool is_servers_own(const Value& tool_use) {
  const std::string type = text(tool_use, "type");
  return !type.empty() && type != "tool_use";
}

bool read_cache_point(const Value& point, chat::CacheMark& mark) {
  if (!only(point, {"type", "ttl"}) || text(point, "type") != "default") return false;
  mark = {"ephemeral", text(point, "ttl")};
  return true;
}

void read_block(const Value& block, std::vector<chat::Part>& parts) {
  std::string scratch, type;
  const Value first = block.is(Type::kObject) ? block.first() : Value{};
  if (first) type = first.key(scratch);
  if (first && !first.next() && read_known(type, first, parts)) return;
  parts.push_back({chat::OpaquePart{std::string(kName), std::move(type), std::string(block.raw())}});
}

void read_blocks(const Value& list, std::vector<chat::Part>& parts) {
  for (Value block = list.is(Type::kArray) ? list.first() : Value{}; block; block = block.next()) read_block(block, parts);
}

chat::Citation read_citation(const Value& citation) {
  using Kind = chat::Citation::Kind;
  chat::Citation out;
  out.title = text(citation, "title");
  const Value pieces = member(citation, "sourceContent"), location = member(citation, "location");
  for (Value piece = pieces.is(Type::kArray) ? pieces.first() : Value{}; piece; piece = piece.next()) out.cited_text += text(piece, "text");
  if (const Value web = member(location, "web")) {
    out.kind = Kind::kUrl;
    out.url = text(web, "url");
  } else {
    for (const std::string_view key : {"documentChar", "documentPage", "documentChunk"}) {
      const Value place = member(location, key);
      if (!place) continue;
      out.kind = Kind::kDocument;
      out.document_index = reading::integer(member(place, "documentIndex"));
      out.start = reading::integer(member(place, "start"));
      out.end = reading::integer(member(place, "end"));
    }
  }
  reading::keep(out.extras, kName, "", citation);
  return out;
}

}  // namespace sluice::dialect::bedrock_parts
