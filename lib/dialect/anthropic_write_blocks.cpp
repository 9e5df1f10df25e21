// Parts into content blocks of the Anthropic dialect. What it has no place for goes on the loss report, by the caller's path.

#include <utility>

#include "dialect/anthropic.hpp"
#include "dialect/anthropic_blocks.hpp"
#include "dialect/base64.hpp"
#include "dialect/lost_extras.hpp"

namespace sluice::dialect::anthropic_parts {
namespace {

using chat::LossSeverity;
using chat::Part;

constexpr std::string_view kBlanks = " \t\r\n\f\v";
constexpr std::string_view kPdf = "application/pdf";
constexpr std::string_view kPlain = "text/plain";

/// Servers refuse a text of blanks alone as they refuse an empty one.
bool is_blank(std::string_view text) noexcept { return text.find_first_not_of(kBlanks) == std::string_view::npos; }

/// OpenAI's names of uploaded files, which say nothing to Anthropic's servers.
bool is_foreign_file(std::string_view id) noexcept { return id.starts_with("file-"); }

/// What a document is, where nobody said: by its first bytes, `%PDF-`, or the end of its name.
std::string_view type_of(const chat::Document& document) noexcept {
  const std::string_view said = document.source.media_type;
  if (said.starts_with("text/")) return kPlain;
  if (!said.empty() && said != "application/octet-stream") return said;
  if (document.source.data.starts_with("JVBERi0") || document.name.ends_with(".pdf")) return kPdf;
  return document.name.ends_with(".txt") || document.name.ends_with(".md") ? kPlain : said;
}

void write_source(json::Writer& writer, const chat::Source& source, std::string_view media_type) {
  writer.key("source").begin_object();
  if (!source.file_id.empty()) {
    writer.field("type", "file").field("file_id", source.file_id);
  } else if (!source.url.empty()) {
    writer.field("type", "url").field("url", source.url);
  } else if (media_type == kPlain) {
    writer.field("type", "text").field("media_type", kPlain).field("data", base64_decode(source.data).value_or(source.data));
  } else {
    writer.field("type", "base64").field("media_type", media_type).field("data", source.data);
  }
  writer.end_object();
}

void write_document(json::Writer& writer, const chat::Document& document, const std::string& path, chat::LossReport& loss) {
  writer.begin_object().field("type", "document");
  write_source(writer, document.source, type_of(document));
  const std::string& title = document.title.empty() ? document.name : document.title;
  if (!title.empty()) writer.field("title", title);
  if (!document.context.empty()) writer.field("context", document.context);
  if (document.citations) writer.key("citations").begin_object().key("enabled").boolean(true).end_object();
  write_cache(writer, document.cache);
  write_extras(writer, document.extras, path, loss);
  writer.end_object();
}

void write_tool_result(json::Writer& writer, const chat::ToolResult& result, const std::string& path, chat::LossReport& loss) {
  writer.begin_object().field("type", "tool_result").field("tool_use_id", result.call_id);
  const chat::Text* only = result.parts.size() == 1 ? result.parts[0].as<chat::Text>() : nullptr;
  if (only != nullptr && !only->cache && only->citations.empty() && only->extras.empty()) {
    writer.field("content", only->text);
  } else if (!result.parts.empty()) {
    writer.key("content").begin_array();
    for (const Part& part : result.parts) {
      if (is_block(part, Place::kToolResult, path, loss)) write_block(writer, part, Place::kToolResult, path, loss);
    }
    writer.end_array();
  }
  if (result.is_error) writer.key("is_error").boolean(true);
  write_cache(writer, result.cache);
  write_extras(writer, result.extras, path, loss);
  writer.end_object();
}

void write_text(json::Writer& writer, const chat::Text& text, Place place, const std::string& path, chat::LossReport& loss) {
  writer.begin_object().field("type", "text").field("text", text.text);
  // Version 2026-10-21 refuses citations in what a user says.
  if (!text.citations.empty() && (place == Place::kAssistant || place == Place::kAnswer)) {
    writer.key("citations").begin_array();
    for (const chat::Citation& citation : text.citations) write_citation(writer, citation);
    writer.end_array();
  }
  write_cache(writer, text.cache);
  write_extras(writer, text.extras, path, loss);
  writer.end_object();
}

void write_thinking(json::Writer& writer, const chat::Thinking& thinking, const std::string& path, chat::LossReport& loss) {
  writer.begin_object();
  if (!thinking.redacted.empty()) {
    writer.field("type", "redacted_thinking").field("data", thinking.redacted);
  } else {
    writer.field("type", "thinking").field("thinking", thinking.text).field("signature", thinking.signature);
  }
  write_extras(writer, thinking.extras, path, loss);
  writer.end_object();
}

}  // namespace

void write_cache(json::Writer& writer, const std::optional<chat::CacheMark>& cache) {
  if (!cache) return;
  writer.key("cache_control").begin_object().field("type", cache->type.empty() ? std::string_view("ephemeral") : std::string_view(cache->type));
  if (!cache->ttl.empty()) writer.field("ttl", cache->ttl);
  writer.end_object();
}

void write_extras(json::Writer& writer, const chat::Extras& extras, const std::string& path, chat::LossReport& loss) {
  for (const chat::Extra& extra : extras) {
    if (extra.dialect == kName) {
      writer.key(extra.key).raw(extra.json);
    } else if (!extra.key.empty()) {
      loss.add(path.empty() ? extra.key : path + "." + extra.key, "known to the " + extra.dialect + " dialect alone", severity_of_lost(extra));
    }
  }
}

void write_citation(json::Writer& writer, const chat::Citation& citation) {
  if (const std::string* own = chat::find_extra(citation.extras, kName, "")) {
    writer.raw(*own);
    return;
  }
  writer.begin_object();
  if (citation.kind == chat::Citation::Kind::kUrl) {
    // The index is Anthropic's own, for its servers to find the page again; clients want the member.
    writer.field("type", "web_search_result_location").field("url", citation.url).field("title", citation.title);
    writer.field("encrypted_index", "").field("cited_text", citation.cited_text);
  } else {
    writer.field("type", "char_location").field("cited_text", citation.cited_text);
    writer.key("document_index").integer(citation.document_index.value_or(0)).field("document_title", citation.title);
    writer.key("start_char_index").integer(citation.start.value_or(0)).key("end_char_index").integer(citation.end.value_or(0));
    if (!citation.file_id.empty()) writer.field("file_id", citation.file_id);
  }
  writer.end_object();
}

void write_input(json::Writer& writer, const chat::ToolCall& call) {
  writer.key("input");
  if (is_blank(call.arguments) || call.arguments == "null") {  // some servers' word for none
    writer.begin_object().end_object();
    return;
  }
  const auto document = call.kind == chat::ToolKind::kFunction ? json::Document::parse(Body::copy(call.arguments)) : Result<json::Document>(tl::unexpected(Error{}));
  if (document && document->root().is(json::Type::kObject)) {
    writer.raw(call.arguments);
  } else {
    writer.begin_object().field("input", call.arguments).end_object();
  }
}

bool is_block(const Part& part, Place place, const std::string& path, chat::LossReport& loss) {
  const auto lose = [&](std::string_view reason, LossSeverity severity = LossSeverity::kSemantic) {
    loss.add(path, std::string(reason), severity);
    return false;
  };
  if (const auto* text = part.as<chat::Text>()) return place == Place::kAnswer || !is_blank(text->text);
  if (const auto* refusal = part.as<chat::Refusal>()) return !is_blank(refusal->text);
  if (const auto* thinking = part.as<chat::Thinking>()) {
    if (place == Place::kAnswer || !thinking->redacted.empty() || !thinking->signature.empty()) return true;
    return lose("anthropic takes back its own signed thinking alone", LossSeverity::kCosmetic);
  }
  const bool media = part.as<chat::Image>() != nullptr || part.as<chat::Document>() != nullptr;
  if (media && place == Place::kAssistant) return lose("anthropic's assistant turns hold no images and no documents");
  if (const auto* image = part.as<chat::Image>()) {
    if (!image->detail.empty() && image->detail != "auto") loss.add(path + ".detail", "anthropic has no levels of detail", LossSeverity::kCosmetic);
    return !is_foreign_file(image->source.file_id) || lose("a file uploaded to another provider");
  }
  if (const auto* document = part.as<chat::Document>()) {
    if (is_foreign_file(document->source.file_id)) return lose("a file uploaded to another provider");
    const std::string_view type = type_of(*document);
    if (!document->source.data.empty() && type != kPdf && type != kPlain) return lose("anthropic takes PDF and plain text as documents");
    return true;
  }
  if (part.as<chat::Audio>() != nullptr) return lose("anthropic takes no audio");
  if (const auto* opaque = part.as<chat::OpaquePart>(); opaque != nullptr && opaque->dialect != kName) {
    return lose("a part known to the " + opaque->dialect + " dialect alone");
  }
  return true;
}

void write_block(json::Writer& writer, const Part& part, Place place, const std::string& path, chat::LossReport& loss) {
  if (const auto* text = part.as<chat::Text>()) {
    write_text(writer, *text, place, path, loss);
  } else if (const auto* refusal = part.as<chat::Refusal>()) {
    writer.begin_object().field("type", "text").field("text", refusal->text).end_object();
  } else if (const auto* image = part.as<chat::Image>()) {
    writer.begin_object().field("type", "image");
    write_source(writer, image->source, image->source.media_type.empty() ? std::string_view("image/png") : std::string_view(image->source.media_type));
    write_cache(writer, image->cache);
    write_extras(writer, image->extras, path, loss);
    writer.end_object();
  } else if (const auto* document = part.as<chat::Document>()) {
    write_document(writer, *document, path, loss);
  } else if (const auto* thinking = part.as<chat::Thinking>()) {
    write_thinking(writer, *thinking, path, loss);
  } else if (const auto* call = part.as<chat::ToolCall>()) {
    writer.begin_object().field("type", "tool_use").field("id", call->id).field("name", call->name);
    write_input(writer, *call);
    write_extras(writer, call->extras, path, loss);
    writer.end_object();
  } else if (const auto* result = part.as<chat::ToolResult>()) {
    write_tool_result(writer, *result, path, loss);
  } else if (const auto* opaque = part.as<chat::OpaquePart>()) {
    writer.raw(opaque->json);
  }
}

}  // namespace sluice::dialect::anthropic_parts
