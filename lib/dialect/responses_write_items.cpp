// Turns into items of the Responses API. What it has no place for goes on the loss report, by the caller's path.

#include <algorithm>

#include "dialect/data_url.hpp"
#include "dialect/foreign_thinking.hpp"
#include "dialect/lost_extras.hpp"
#include "dialect/reading.hpp"
#include "dialect/responses.hpp"
#include "dialect/responses_items.hpp"

namespace sluice::dialect::responses_parts {
namespace {

using chat::LossSeverity;
using chat::Part;
using json::Value;

/// Extras of this dialect, as they came, but for those named; others' go on the report.
void write_extras(json::Writer& writer, const chat::Extras& extras, const std::string& path, chat::LossReport& loss,
                  std::initializer_list<std::string_view> done = {}) {
  for (const chat::Extra& extra : extras) {
    if (extra.dialect != kName) {
      loss.add(path + "." + extra.key, why_lost(extra), LossSeverity::kCosmetic);
    } else if (std::find(done.begin(), done.end(), extra.key) == done.end()) {
      writer.key(extra.key).raw(extra.json);
    }
  }
}

bool is_content(const Part& part, bool assistant) {
  if (const auto* opaque = part.as<chat::OpaquePart>()) {
    // An assistant's opaque parts are whole items, unless they are named like content.
    return !assistant || opaque->dialect != kName || opaque->type.starts_with("input_") || opaque->type.starts_with("output_");
  }
  return part.as<chat::Text>() || part.as<chat::Image>() || part.as<chat::Audio>() || part.as<chat::Document>() ||
         part.as<chat::Refusal>();
}

class ContentWriter {
 public:
  ContentWriter(json::Writer& writer, bool assistant, chat::LossReport& loss) : writer_(writer), assistant_(assistant), loss_(loss) {}

  void part(const Part& part, const std::string& path) {
    if (const auto* text = part.as<chat::Text>()) {
      write_text(*text, path);
    } else if (const auto* refusal = part.as<chat::Refusal>()) {
      writer_.begin_object().field("type", "refusal").field("refusal", refusal->text).end_object();
    } else if (assistant_ && !part.as<chat::OpaquePart>()) {
      const auto* audio = part.as<chat::Audio>();
      if (audio == nullptr || audio->transcript.empty()) return lose(path, "openai-responses knows no such content of an assistant");
      loss_.add(path, "an earlier spoken answer goes as its transcript", LossSeverity::kNote);
      write_text(chat::Text{audio->transcript}, path);
    } else if (const auto* image = part.as<chat::Image>()) {
      write_image(*image, path);
    } else if (const auto* audio = part.as<chat::Audio>()) {
      if (chat::find_extra(audio->extras, kName, "type") == nullptr) return lose(path, "openai-responses takes no audio");
      writer_.begin_object().field("type", "input_audio").key("input_audio").begin_object().field("data", audio->source.data);
      if (!audio->format.empty()) writer_.field("format", audio->format);
      writer_.end_object();
      close(audio->extras, path);
    } else if (const auto* file = part.as<chat::Document>()) {
      write_file(*file, path);
    } else if (const auto* opaque = part.as<chat::OpaquePart>()) {
      if (opaque->dialect != kName) return lose(path, "a part known to the " + opaque->dialect + " dialect alone");
      writer_.raw(opaque->json);
    } else {
      lose(path, "openai-responses has no such content");
    }
  }

 private:
  void lose(const std::string& path, std::string reason) { loss_.add(path, std::move(reason), LossSeverity::kSemantic); }
  void close(const chat::Extras& extras, const std::string& path) {
    write_extras(writer_, extras, path, loss_, {"type"});
    writer_.end_object();
  }
  void lose_cache(const std::optional<chat::CacheMark>& cache, const std::string& path) {
    if (cache) loss_.add(path + ".cache_control", "openai-responses caches without being asked", LossSeverity::kCosmetic);
  }

  void write_text(const chat::Text& text, const std::string& path) {
    writer_.begin_object().key("type");
    const std::string* type = chat::find_extra(text.extras, kName, "type");
    type != nullptr ? writer_.raw(*type) : writer_.string(assistant_ ? "output_text" : "input_text");
    writer_.field("text", text.text);
    if (assistant_) {
      writer_.key("annotations").begin_array();
      for (const chat::Citation& citation : text.citations) {
        if (can_write(citation)) {
          write_annotation(writer_, citation);
        } else {
          loss_.add(path + ".annotations", "openai-responses has no such citation", LossSeverity::kCosmetic);
        }
      }
      writer_.end_array();
    }
    lose_cache(text.cache, path);
    close(text.extras, path);
  }

  void write_image(const chat::Image& image, const std::string& path) {
    const chat::Source& source = image.source;
    writer_.begin_object().field("type", "input_image");
    if (!source.file_id.empty()) writer_.field("file_id", source.file_id);
    if (!source.data.empty()) {
      writer_.field("image_url", data_url(source, "image/png"));
    } else if (!source.url.empty()) {
      writer_.field("image_url", source.url);
    }
    // Required by OpenAI's document, with this as its default.
    writer_.field("detail", image.detail.empty() ? std::string_view("auto") : std::string_view(image.detail));
    lose_cache(image.cache, path);
    close(image.extras, path);
  }

  void write_file(const chat::Document& file, const std::string& path) {
    const chat::Source& source = file.source;
    writer_.begin_object().field("type", "input_file");
    if (!source.file_id.empty()) writer_.field("file_id", source.file_id);
    if (!source.url.empty()) writer_.field("file_url", source.url);
    if (!source.data.empty()) writer_.field("file_data", source.media_type.empty() ? source.data : data_url(source, {}));
    // A name is required beside data.
    if (!file.name.empty() || !source.data.empty()) writer_.field("filename", name_of(file));
    if (file.citations) loss_.add(path + ".citations", "openai-responses does not cite documents", LossSeverity::kCosmetic);
    if (!file.context.empty()) loss_.add(path + ".context", "openai-responses has no context beside a file", LossSeverity::kCosmetic);
    lose_cache(file.cache, path);
    close(file.extras, path);
  }

  static std::string_view name_of(const chat::Document& file) {
    return !file.name.empty() ? std::string_view(file.name) : !file.title.empty() ? std::string_view(file.title) : "file";
  }

  json::Writer& writer_;
  const bool assistant_;
  chat::LossReport& loss_;
};

class TurnWriter {
 public:
  TurnWriter(json::Writer& writer, const chat::Turn& turn, const std::string& path, std::set<std::string>& custom, chat::LossReport& loss)
      : writer_(writer), turn_(turn), path_(path), custom_(custom), loss_(loss), messages_(turn) {}

  void run() {
    const auto& parts = turn_.parts;
    std::size_t at = 0;
    bool any = false;
    while (at < parts.size()) {
      while (messages_.next_is_empty()) message(at, at);
      if (!content_at(at)) {
        item(parts[at], at);
        ++at;
        continue;
      }
      std::size_t end = at;
      while (end < parts.size() && content_at(end)) ++end;
      while (at < end) {
        const std::size_t count = messages_.parts(end - at);
        message(at, at + count);
        at += count;
        any = true;
      }
    }
    // A message without content is one all the same; a turn of a tool has results alone.
    if (!any && parts.empty() && turn_.role != chat::Role::kTool) message(0, 0);
    report();
  }

 private:
  [[nodiscard]] bool assistant() const noexcept { return turn_.role == chat::Role::kAssistant; }
  [[nodiscard]] bool content_at(std::size_t at) const { return is_content(turn_.parts[at], assistant()); }
  [[nodiscard]] std::string place(std::size_t at) const { return path_ + ".content[" + std::to_string(at) + "]"; }

  void message(std::size_t begin, std::size_t end) {
    writer_.begin_object().field("type", "message");
    switch (turn_.role) {
      case chat::Role::kSystem: writer_.field("role", turn_.developer ? "developer" : "system"); break;
      case chat::Role::kAssistant: writer_.field("role", "assistant"); break;
      case chat::Role::kUser:
      case chat::Role::kTool: writer_.field("role", "user"); break;  // what a result could not hold
    }
    messages_.write(writer_, {});
    writer_.key("content");
    // A list of an assistant's texts is for messages that have an id; others are one string.
    const bool joined = assistant() && chat::find_extra(turn_.extras, kName, key::kMessages) == nullptr && begin != end;
    std::string text;
    if ((joined || (turn_.form == chat::ContentForm::kText && end - begin <= 1)) && plain_text(begin, end, text)) {
      writer_.string(text);
    } else {
      writer_.begin_array();
      ContentWriter content(writer_, assistant(), loss_);
      for (std::size_t i = begin; i < end; ++i) content.part(turn_.parts[i], place(i));
      writer_.end_array();
    }
    writer_.end_object();
  }

  /// The texts of these parts, where they are all there is.
  [[nodiscard]] bool plain_text(std::size_t begin, std::size_t end, std::string& out) const {
    for (std::size_t i = begin; i < end; ++i) {
      const auto* text = turn_.parts[i].as<chat::Text>();
      if (text == nullptr || !text->extras.empty() || !text->citations.empty() || text->cache) return false;
      out += text->text;
    }
    return true;
  }

  void item(const Part& part, std::size_t at) {
    if (const auto* thinking = part.as<chat::Thinking>()) {
      // Servers take back what they themselves thought, by its id or its encrypted form, and nothing else.
      if (chat::find_extra(thinking->extras, kName, "type") == nullptr) {
        loss_.add(place(at), "openai-responses does not take another dialect's earlier thinking", LossSeverity::kCosmetic);
      } else {
        write_reasoning(writer_, *thinking, {});
      }
    } else if (const auto* call = part.as<chat::ToolCall>()) {
      if (call->kind == chat::ToolKind::kCustom) custom_.insert(call->id);
      if (call->id.empty()) loss_.add(place(at), "a call without an id goes by one of ours", LossSeverity::kNote);
      write_call(writer_, *call, {});
    } else if (const auto* result = part.as<chat::ToolResult>()) {
      write_result(*result, place(at));
    } else if (const auto* opaque = part.as<chat::OpaquePart>()) {
      writer_.raw(opaque->json);
    }
  }

  void write_result(const chat::ToolResult& result, const std::string& path) {
    writer_.begin_object().key("type");
    if (const std::string* type = chat::find_extra(result.extras, kName, "type")) {
      writer_.raw(*type);
    } else {
      writer_.string(custom_.contains(result.call_id) ? "custom_tool_call_output" : "function_call_output");
    }
    // OpenAI's older functions have no ids: a result goes by its function's name, as its call did.
    writer_.field("call_id", result.call_id.empty() ? result.name : result.call_id).key("output");
    const auto* only = result.parts.size() == 1 ? result.parts[0].as<chat::Text>() : nullptr;
    if (turn_.form != chat::ContentForm::kParts && (result.parts.empty() || (only != nullptr && only->extras.empty()))) {
      writer_.string(only != nullptr ? std::string_view(only->text) : std::string_view());
    } else {
      writer_.begin_array();
      ContentWriter content(writer_, false, loss_);
      for (std::size_t i = 0; i < result.parts.size(); ++i) content.part(result.parts[i], path + ".content[" + std::to_string(i) + "]");
      writer_.end_array();
    }
    if (result.is_error) loss_.add(path + ".is_error", "openai-responses does not mark failed tools", LossSeverity::kCosmetic);
    if (result.cache) loss_.add(path + ".cache_control", "openai-responses caches without being asked", LossSeverity::kCosmetic);
    write_extras(writer_, result.extras, path, loss_, {"type"});
    writer_.end_object();
  }

  void report() {
    if (!turn_.name.empty()) loss_.add(path_ + ".name", "openai-responses does not name participants", LossSeverity::kCosmetic);
    for (const chat::Extra& extra : turn_.extras) {
      if (extra.dialect == kName) continue;
      loss_.add(path_ + "." + extra.key, why_lost(extra), LossSeverity::kCosmetic);
    }
  }

  json::Writer& writer_;
  const chat::Turn& turn_;
  const std::string& path_;
  std::set<std::string>& custom_;
  chat::LossReport& loss_;
  Messages messages_;
};

/// An item's id and status: its own where it has them.
void write_marks(json::Writer& writer, const chat::Extras& extras, const ItemMarks& marks) {
  for (const auto& [name, value] : {std::pair{"id", marks.id}, std::pair{"status", marks.status}}) {
    if (const std::string* own = chat::find_extra(extras, kName, name)) {
      writer.key(name).raw(*own);
    } else if (!value.empty()) {
      writer.field(name, value);
    }
  }
}

}  // namespace

Messages::Messages(const chat::Turn& turn) {
  const std::string* list = chat::find_extra(turn.extras, kName, key::kMessages);
  if (list == nullptr) return;
  auto document = json::Document::parse(Body::copy(*list));
  if (!document) return;
  document_ = std::make_unique<json::Document>(*std::move(document));
  next_ = document_->root().first();
}

std::size_t Messages::parts(std::size_t available) const {
  const auto n = next_ ? reading::integer(reading::member(next_, "parts")) : std::nullopt;
  return n && *n >= 0 ? std::min(static_cast<std::size_t>(*n), available) : available;
}

bool Messages::next_is_empty() const { return next_ && reading::integer(reading::member(next_, "parts")) == std::int64_t{0}; }

void Messages::write(json::Writer& writer, const ItemMarks& marks) {
  bool id = false, status = false;
  std::string scratch;
  for (Value m = next_.is(json::Type::kObject) ? next_.first() : Value{}; m; m = m.next()) {
    const std::string_view name = m.key(scratch);
    id = id || name == "id";
    status = status || name == "status";
    if (name != "parts") writer.key(name).raw(m.raw());
  }
  if (!id && !marks.id.empty()) writer.field("id", marks.id);
  if (!status && !marks.status.empty()) writer.field("status", marks.status);
  if (next_) next_ = next_.next();
}

void write_turn(json::Writer& writer, const chat::Turn& turn, const std::string& path, std::set<std::string>& custom,
                chat::LossReport& loss) {
  TurnWriter(writer, turn, path, custom, loss).run();
}

std::string item_id(std::string_view prefix, std::string_view response_id, std::size_t sequence) {
  constexpr std::string_view kResponse = "resp_";
  if (response_id.starts_with(kResponse)) response_id.remove_prefix(kResponse.size());
  std::string out(prefix);
  return out.append("_").append(response_id).append("_").append(std::to_string(sequence));
}

std::string encrypted_content(const chat::Thinking& thinking) {
  if (const std::string* own = chat::find_extra(thinking.extras, kName, "encrypted_content")) return *own;
  const std::string sealed = seal(thinking);
  return sealed.empty() ? std::string() : json::quoted(sealed);
}

void write_reasoning(json::Writer& writer, const chat::Thinking& thinking, const ItemMarks& marks) {
  const auto parts = [&](std::string_view key, std::string_view type, bool said) {
    writer.key(key).begin_array();
    if (said) writer.begin_object().field("type", type).field("text", thinking.text).end_object();
    writer.end_array();
  };
  const bool in_content = chat::find_extra(thinking.extras, kName, key::kInContent) != nullptr;
  const bool said = !thinking.text.empty();
  writer.begin_object().field("type", "reasoning");
  write_marks(writer, thinking.extras, marks);
  if (const std::string* own = chat::find_extra(thinking.extras, kName, "summary")) {
    writer.key("summary").raw(*own);
  } else {
    parts("summary", "summary_text", said && !in_content);
  }
  if (const std::string* own = chat::find_extra(thinking.extras, kName, "content")) {
    writer.key("content").raw(*own);
  } else if (in_content && said) {
    parts("content", "reasoning_text", true);
  }
  if (const std::string sealed = encrypted_content(thinking); !sealed.empty()) writer.key("encrypted_content").raw(sealed);
  for (const chat::Extra& extra : thinking.extras) {
    constexpr std::string_view kDone[] = {"type", "id", "status", "summary", "content", "encrypted_content", key::kInContent};
    if (extra.dialect == kName && std::find(std::begin(kDone), std::end(kDone), extra.key) == std::end(kDone)) {
      writer.key(extra.key).raw(extra.json);
    }
  }
  writer.end_object();
}

void write_call(json::Writer& writer, const chat::ToolCall& call, const ItemMarks& marks) {
  const bool custom = call.kind == chat::ToolKind::kCustom;
  writer.begin_object().field("type", custom ? "custom_tool_call" : "function_call");
  write_marks(writer, call.extras, marks);
  // OpenAI's older functions have no ids: a call goes by its function's name, as its result does.
  writer.field("call_id", call.id.empty() ? call.name : call.id).field("name", call.name);
  // Readers parse the arguments: a call without any has an empty object.
  const std::string_view none = custom ? "" : "{}";
  writer.field(custom ? "input" : "arguments", call.arguments.empty() ? none : std::string_view(call.arguments));
  for (const chat::Extra& extra : call.extras) {
    if (extra.dialect == kName && extra.key != "id" && extra.key != "status") writer.key(extra.key).raw(extra.json);
  }
  writer.end_object();
}

bool can_write(const chat::Citation& citation) noexcept {
  return citation.kind == chat::Citation::Kind::kUrl || citation.kind == chat::Citation::Kind::kFile ||
         chat::find_extra(citation.extras, kName, "") != nullptr;
}

void write_annotation(json::Writer& writer, const chat::Citation& citation) {
  if (const std::string* own = chat::find_extra(citation.extras, kName, "")) {
    writer.raw(*own);
    return;
  }
  writer.begin_object();
  if (citation.kind == chat::Citation::Kind::kUrl) {
    writer.field("type", "url_citation").key("start_index").integer(citation.start.value_or(0));
    writer.key("end_index").integer(citation.end.value_or(0)).field("url", citation.url).field("title", citation.title);
  } else {
    writer.field("type", "file_citation").field("file_id", citation.file_id).key("index").integer(citation.start.value_or(0));
    writer.field("filename", citation.title);
  }
  writer.end_object();
}

void write_logprobs(json::Writer& writer, const std::vector<chat::TokenLogprob>& tokens) {
  const auto write_one = [&writer](const chat::TokenLogprob& token) {
    writer.field("token", token.token).key("logprob").number(token.logprob).key("bytes").begin_array();
    if (token.bytes) {
      for (const std::uint8_t byte : *token.bytes) writer.integer(byte);
    } else {
      for (const char byte : token.token) writer.integer(static_cast<unsigned char>(byte));
    }
    writer.end_array();
  };
  writer.begin_array();
  for (const chat::TokenLogprob& token : tokens) {
    writer.begin_object();
    write_one(token);
    writer.key("top_logprobs").begin_array();
    for (const chat::TokenLogprob& other : token.top) {
      writer.begin_object();
      write_one(other);
      writer.end_object();
    }
    writer.end_array().end_object();
  }
  writer.end_array();
}

}  // namespace sluice::dialect::responses_parts
