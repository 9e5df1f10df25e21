// Parts into content blocks of the Bedrock dialect. What it has no block for goes on the loss report, by the caller's path.

#include <utility>

#include "dialect/bedrock.hpp"
#include "dialect/bedrock_blocks.hpp"

namespace sluice::dialect::bedrock_parts {
namespace {

using chat::LossSeverity;

bool is_blank(std::string_view text) noexcept { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

void report_extras(const chat::Extras& extras, const std::string& path, chat::LossReport& loss) {
  for (const chat::Extra& extra : extras) {
    if (extra.dialect != kName && !extra.key.empty()) {
      loss.add(path + "." + extra.key, "known to the " + extra.dialect + " dialect alone", LossSeverity::kCosmetic);
    }
  }
}

/// `{"name":{"format","source":{"bytes"}`, two objects left open behind it.
void open_medium(json::Writer& writer, std::string_view name, std::string_view format, const chat::Source& source) {
  writer.begin_object().key(name).begin_object();
  if (!format.empty()) writer.field("format", format);
  writer.key("source").begin_object().field("bytes", source.data).end_object();
}

void write_text(json::Writer& writer, const chat::Text& text, Place place) {
  if (!text.citations.empty() && place != Place::kToolResult && place != Place::kSystem) {
    writer.begin_object().key("citationsContent").begin_object();
    writer.key("content").begin_array().begin_object().field("text", text.text).end_object().end_array();
    writer.key("citations").begin_array();
    for (const chat::Citation& citation : text.citations) write_citation(writer, citation);
    writer.end_array().end_object().end_object();
    return;
  }
  if (const std::string* json = chat::find_extra(text.extras, kName, "json"); json != nullptr && place == Place::kToolResult) {
    writer.begin_object().key("json").raw(*json).end_object();
    return;
  }
  writer.begin_object().field("text", text.text).end_object();
}

class PartWriter {
 public:
  PartWriter(json::Writer& writer, Place place, const std::string& path, chat::LossReport& loss)
      : writer_(writer), place_(place), path_(path), loss_(loss) {}

  bool operator()(const chat::Text& text) {
    if (text.text.empty() && text.citations.empty()) return text.cache && marked(text.cache);
    write_text(writer_, text, place_);
    report_extras(text.extras, path_, loss_);
    return marked(text.cache);
  }

  bool operator()(const chat::Image& image) {
    if (place_ == Place::kSystem) return lose("bedrock's system texts are texts alone");
    if (image.source.data.empty()) return lose("bedrock takes images as data alone");
    const std::string_view format = image_format(image.source);
    if (format.empty()) return lose("bedrock takes png, jpeg, gif and webp, not " + image.source.media_type);
    open_medium(writer_, "image", format, image.source);
    writer_.end_object().end_object();
    if (!image.detail.empty() && image.detail != "auto") loss_.add(path_ + ".detail", "bedrock has no detail of images", LossSeverity::kCosmetic);
    report_extras(image.extras, path_, loss_);
    return marked(image.cache);
  }

  bool operator()(const chat::Audio& audio) {
    if (place_ != Place::kMessage) return lose("bedrock takes audio in messages alone");
    const std::string_view format = audio_format(audio);
    if (audio.source.data.empty() || format.empty()) return lose("bedrock takes audio as data alone, in a format it names");
    open_medium(writer_, "audio", format, audio.source);
    writer_.end_object().end_object();
    report_extras(audio.extras, path_, loss_);
    return true;
  }

  bool operator()(const chat::Document& document) {
    if (place_ == Place::kSystem) return lose("bedrock's system texts are texts alone");
    if (document.source.data.empty()) return lose("bedrock takes documents as data alone");
    const std::string_view format = document_format(document);
    if (format.empty() && !document.source.media_type.empty()) return lose("bedrock takes no documents of type " + document.source.media_type);
    open_medium(writer_, "document", format, document.source);
    const std::string name = document_name(document.name.empty() ? document.title : document.name);
    if (name != document.name && !document.name.empty()) loss_.add(path_ + ".name", "bedrock's document names have fewer characters", LossSeverity::kNote);
    writer_.field("name", name);
    if (!document.context.empty()) writer_.field("context", document.context);
    if (document.citations) writer_.key("citations").begin_object().key("enabled").boolean(true).end_object();
    writer_.end_object().end_object();
    report_extras(document.extras, path_, loss_);
    return marked(document.cache);
  }

  bool operator()(const chat::Thinking& thinking) {
    if (!thinking.redacted.empty()) {
      writer_.begin_object().key("reasoningContent").begin_object().field("redactedContent", thinking.redacted).end_object().end_object();
      return true;
    }
    // A model takes back what it thought itself, not what a client of another dialect calls its reasoning.
    if (place_ != Place::kAnswer && !thinking.field.empty() && thinking.signature.empty()) {
      loss_.add(path_, "bedrock takes back its own models' thinking alone", LossSeverity::kCosmetic);
      return false;
    }
    if (thinking.text.empty() && thinking.signature.empty()) return false;
    writer_.begin_object().key("reasoningContent").begin_object().key("reasoningText").begin_object().field("text", thinking.text);
    if (!thinking.signature.empty()) writer_.field("signature", thinking.signature);
    writer_.end_object().end_object().end_object();
    return true;
  }

  bool operator()(const chat::Refusal& refusal) {
    if (refusal.text.empty()) return false;
    writer_.begin_object().field("text", refusal.text).end_object();
    return true;
  }

  bool operator()(const chat::ToolCall& call) {
    if (call.kind == chat::ToolKind::kProvider) return lose("a call of a tool that another provider runs");
    writer_.begin_object().key("toolUse").begin_object().field("toolUseId", call.id).field("name", call.name).key("input");
    write_input(writer_, call, path_, loss_);
    writer_.end_object().end_object();
    report_extras(call.extras, path_, loss_);
    return true;
  }

  bool operator()(const chat::ToolResult& result) {
    writer_.begin_object().key("toolResult").begin_object().field("toolUseId", result.call_id).key("content").begin_array();
    for (const chat::Part& part : result.parts) write_part(writer_, part, Place::kToolResult, path_, loss_);
    writer_.end_array();
    if (result.is_error) writer_.field("status", "error");
    writer_.end_object().end_object();
    report_extras(result.extras, path_, loss_);
    return marked(result.cache);
  }

  bool operator()(const chat::OpaquePart& opaque) {
    if (opaque.dialect != kName) return lose("a part known to the " + opaque.dialect + " dialect alone");
    writer_.raw(opaque.json);
    return true;
  }

 private:
  bool lose(std::string reason) {
    loss_.add(path_, std::move(reason), LossSeverity::kSemantic);
    return false;
  }

  bool marked(const std::optional<chat::CacheMark>& cache) {
    if (!cache) return true;
    if (place_ == Place::kToolResult) {
      loss_.add(path_ + ".cache_control", "bedrock caches up to whole tool results alone", LossSeverity::kCosmetic);
    } else {
      write_cache_point(writer_, *cache);
    }
    return true;
  }

  json::Writer& writer_;
  Place place_;
  const std::string& path_;
  chat::LossReport& loss_;
};

}  // namespace

bool write_part(json::Writer& writer, const chat::Part& part, Place place, const std::string& path, chat::LossReport& loss) {
  return std::visit(PartWriter(writer, place, path, loss), part.value);
}

void write_cache_point(json::Writer& writer, const chat::CacheMark& mark) {
  writer.begin_object().key("cachePoint").begin_object().field("type", "default");
  if (!mark.ttl.empty()) writer.field("ttl", mark.ttl);
  writer.end_object().end_object();
}

void write_citation(json::Writer& writer, const chat::Citation& citation) {
  if (const std::string* own = chat::find_extra(citation.extras, kName, "")) {
    writer.raw(*own);
    return;
  }
  writer.begin_object();
  if (!citation.title.empty()) writer.field("title", citation.title);
  if (!citation.cited_text.empty()) {
    writer.key("sourceContent").begin_array().begin_object().field("text", citation.cited_text).end_object().end_array();
  }
  writer.key("location").begin_object();
  if (citation.kind == chat::Citation::Kind::kUrl) {
    writer.key("web").begin_object().field("url", citation.url).end_object();
  } else {
    writer.key("documentChar").begin_object().key("documentIndex").integer(citation.document_index.value_or(0));
    if (citation.start) writer.key("start").integer(*citation.start);
    if (citation.end) writer.key("end").integer(*citation.end);
    writer.end_object();
  }
  writer.end_object().end_object();
}

void write_input(json::Writer& writer, const chat::ToolCall& call, const std::string& path, chat::LossReport& loss) {
  if (is_blank(call.arguments) || call.arguments == "null") {  // some servers' word for none
    writer.begin_object().end_object();
    return;
  }
  if (call.kind == chat::ToolKind::kFunction) {
    const auto document = json::Document::parse(Body::copy(call.arguments));
    if (document && document->root().is(json::Type::kObject)) {
      writer.raw(document->root().raw());
      return;
    }
  }
  loss.add(path + ".arguments", "bedrock's calls have objects for arguments: what is none stands in one, as 'input'", LossSeverity::kNote);
  writer.begin_object().field("input", call.arguments).end_object();
}

void write_extras(json::Writer& writer, const chat::Extras& extras, const std::string& path, chat::LossReport& loss) {
  for (const chat::Extra& extra : extras) {
    if (extra.dialect != kName) {
      loss.add(path.empty() ? extra.key : path + "." + extra.key, "known to the " + extra.dialect + " dialect alone", LossSeverity::kCosmetic);
    } else if (!extra.key.empty() && extra.key.find('.') == std::string::npos) {
      writer.key(extra.key).raw(extra.json);
    }
  }
}

}  // namespace sluice::dialect::bedrock_parts
