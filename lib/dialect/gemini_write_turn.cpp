// Turns into `contents` and `systemInstruction` of the Gemini dialect. What it has no place for goes on the loss report, by
// the path another dialect's caller knows it by.

#include <algorithm>
#include <utility>

#include "dialect/gemini.hpp"
#include "dialect/gemini_calls.hpp"
#include "dialect/gemini_keys.hpp"
#include "dialect/gemini_turn.hpp"
#include "json/document.hpp"

namespace sluice::dialect::gemini_parts {
namespace {

using chat::LossSeverity;
using chat::Part;
using chat::Turn;

/// Documented for histories that another model wrote: stands for a signature, and is not checked.
constexpr std::string_view kNoSignature = "skip_thought_signature_validator";

std::string_view or_else(const std::string& text, std::string_view other) { return text.empty() ? other : std::string_view(text); }

/// The media type of a spoken format: `mp3` is `audio/mpeg`.
std::string audio_type(const chat::Audio& audio) {
  if (!audio.source.media_type.empty()) return audio.source.media_type;
  if (audio.format == "mp3") return "audio/mpeg";
  if (audio.format == "pcm16") return "audio/pcm";
  return "audio/" + std::string(or_else(audio.format, "wav"));
}

/// What an address names, by its ending; a server that fetches it wants to be told.
std::string_view type_by_ending(std::string_view url, std::string_view otherwise) {
  url = url.substr(0, url.find_first_of("?#"));
  constexpr std::pair<std::string_view, std::string_view> kEndings[] = {
      {".png", "image/png"}, {".jpg", "image/jpeg"}, {".jpeg", "image/jpeg"}, {".webp", "image/webp"}, {".gif", "image/gif"},
      {".heic", "image/heic"}, {".pdf", "application/pdf"}, {".txt", "text/plain"}, {".md", "text/markdown"}, {".csv", "text/csv"},
      {".html", "text/html"}, {".mp3", "audio/mpeg"}, {".wav", "audio/wav"}, {".mp4", "video/mp4"}};
  for (const auto& [ending, type] : kEndings) {
    if (url.ends_with(ending)) return type;
  }
  return otherwise;
}

/// An id of these servers' own: a bucket's object, or a file that was uploaded.
bool is_own_file(std::string_view id) noexcept { return id.starts_with("gs://") || id.starts_with("files/"); }

class PartWriter {
 public:
  PartWriter(json::Writer& writer, chat::LossReport& loss) : writer_(writer), loss_(loss) {}

  /// False: nothing was written, and the report says why.
  bool write(const Part& part, const std::string& path) {
    if (const auto* text = part.as<chat::Text>()) return write_text(*text, path);
    if (const auto* thinking = part.as<chat::Thinking>()) return write_thinking(*thinking, path);
    if (const auto* refusal = part.as<chat::Refusal>()) {
      loss_.add(path, "gemini has no refusals: it is told as text", LossSeverity::kNote);
      writer_.begin_object().field("text", refusal->text).end_object();
      return true;
    }
    if (const auto* image = part.as<chat::Image>()) {
      cosmetic(image->cache.has_value(), path + ".cache_control", "gemini caches by itself");
      cosmetic(!image->detail.empty() && image->detail != "auto", path + ".detail", "gemini sets the resolution for all media at once");
      return medium(image->source, type_by_ending(image->source.url, "image/png"), image->extras, path);
    }
    if (const auto* audio = part.as<chat::Audio>()) return write_audio(*audio, path);
    if (const auto* file = part.as<chat::Document>()) return write_document(*file, path);
    if (const auto* opaque = part.as<chat::OpaquePart>()) {
      if (opaque->dialect != kName) return lost(path, "a part known to the " + opaque->dialect + " dialect alone");
      writer_.raw(opaque->json);
      return true;
    }
    if (const auto* call = part.as<chat::ToolCall>()) {
      write_call(writer_, *call);
      return true;
    }
    return lost(path, "gemini has no such content here");
  }

 private:
  bool lost(const std::string& path, std::string reason) {
    loss_.add(path, std::move(reason), LossSeverity::kSemantic);
    return false;
  }
  void cosmetic(bool said, std::string path, std::string reason) {
    if (said) loss_.add(std::move(path), std::move(reason), LossSeverity::kCosmetic);
  }

  bool write_text(const chat::Text& text, const std::string& path) {
    cosmetic(text.cache.has_value(), path + ".cache_control", "gemini caches by itself");
    writer_.begin_object().field("text", text.text);
    if (!text.signature.empty()) writer_.field("thoughtSignature", text.signature);
    write_extras(writer_, text.extras, path, loss_);
    writer_.end_object();
    return true;
  }

  bool write_thinking(const chat::Thinking& thinking, const std::string& path) {
    const std::string* own = chat::find_extra(thinking.extras, kName, "thought");
    if (own == nullptr) {
      loss_.add(path, "gemini takes its own thoughts back alone", LossSeverity::kCosmetic);
      return false;
    }
    writer_.begin_object().field("text", thinking.text);
    if (!thinking.signature.empty()) writer_.field("thoughtSignature", thinking.signature);
    write_extras(writer_, thinking.extras, path, loss_);
    writer_.end_object();
    return true;
  }

  bool write_audio(const chat::Audio& audio, const std::string& path) {
    if (audio.source.data.empty() && audio.source.url.empty() && audio.source.file_id.empty()) {
      if (audio.transcript.empty()) return lost(path, "gemini keeps no spoken answers to be referred to");
      loss_.add(path, "gemini keeps no spoken answers: the transcript stands for it", LossSeverity::kNote);
      writer_.begin_object().field("text", audio.transcript).end_object();
      return true;
    }
    return medium(audio.source, audio_type(audio), audio.extras, path);
  }

  bool write_document(const chat::Document& file, const std::string& path) {
    cosmetic(file.cache.has_value(), path + ".cache_control", "gemini caches by itself");
    cosmetic(file.citations, path + ".citations", "gemini does not cite documents");
    cosmetic(!file.name.empty(), path + ".filename", "gemini takes files without a name");
    cosmetic(!file.title.empty() || !file.context.empty(), path + ".title", "gemini takes files without a title");
    return medium(file.source, type_by_ending(file.source.url.empty() ? std::string_view(file.name) : file.source.url, "application/pdf"),
                  file.extras, path);
  }

  bool medium(const chat::Source& source, std::string_view otherwise, const chat::Extras& extras, const std::string& path) {
    const bool inline_data = !source.data.empty() || (source.url.empty() && source.file_id.empty());
    if (!source.file_id.empty() && !is_own_file(source.file_id)) {
      return lost(path, "a file uploaded to another provider");
    }
    const bool foreign_url = !source.url.empty() && source.media_type.empty();
    if (foreign_url) loss_.add(path, "given as an address, which not every gemini server fetches", LossSeverity::kNote);
    const std::string_view member_name = inline_data ? "inlineData" : "fileData";
    const std::string prefix = std::string(member_name) + ".";
    writer_.begin_object().key(member_name).begin_object();
    // What this dialect itself left unsaid stays so.
    const bool typed = !source.media_type.empty() || inline_data || foreign_url;
    if (typed) writer_.field("mimeType", or_else(source.media_type, otherwise));
    inline_data ? writer_.field("data", source.data) : writer_.field("fileUri", source.url.empty() ? source.file_id : source.url);
    chat::Extras beside;
    for (const chat::Extra& extra : extras) {
      if (extra.dialect == kName && extra.key.starts_with(prefix)) {
        writer_.key(std::string_view(extra.key).substr(prefix.size())).raw(extra.json);
      } else {
        beside.push_back(extra);
      }
    }
    writer_.end_object();
    write_extras(writer_, beside, path, loss_);
    writer_.end_object();
    return true;
  }

  json::Writer& writer_;
  chat::LossReport& loss_;
};

/// Google's OpenAI-compatible surface has signatures under a member of its own, which its clients send back.
std::string signature_in(const chat::Extra& extra) {
  if (extra.key != "extra_content") return {};
  const auto document = json::Document::parse(Body::copy(extra.json));
  return document ? text(member(document->root(), "google"), "thoughtSignature") : std::string();
}

/// A text that can stand as JSON inside of other JSON, and is of that type. What nests deeper stays text.
bool is_json(std::string_view text, json::Type type) {
  constexpr json::Limits kInside{.depth = 512};
  const auto document = json::Document::parse(Body::copy(text), kInside);
  return document && document->root().is(type);
}
bool is_object(std::string_view text) { return is_json(text, json::Type::kObject); }
bool is_list(std::string_view text) { return is_json(text, json::Type::kArray); }

class TurnsWriter {
 public:
  TurnsWriter(json::Writer& writer, const std::vector<Turn>& turns, std::string_view model, chat::LossReport& loss)
      : writer_(writer), turns_(turns), model_(model), loss_(loss) {}

  void run() {
    const bool all_system = std::all_of(turns_.begin(), turns_.end(), [](const Turn& t) { return t.role == chat::Role::kSystem; });
    if (!all_system || turns_.empty()) {
      write_system();
    } else {
      loss_.add("messages", "gemini answers no empty conversation: what the system says stands for the user's turn", LossSeverity::kNote);
    }
    writer_.key("contents").begin_array();
    for (std::size_t i = 0; i < turns_.size();) {
      if (turns_[i].role == chat::Role::kSystem && !all_system) {
        ++i;
      } else if (turns_[i].role == chat::Role::kTool) {
        i = write_results(i);
      } else {
        write_turn(i++);
      }
    }
    writer_.end_array();
  }

 private:
  static std::string path_of(std::size_t turn) { return "messages[" + std::to_string(turn) + "]"; }
  static std::string path_of(std::size_t turn, std::size_t part) { return path_of(turn) + ".content[" + std::to_string(part) + "]"; }

  /// All that the system says, in one place before everything else.
  void write_system() {
    bool open = false, others = false, parts = false;
    for (std::size_t i = 0; i < turns_.size(); ++i) {
      const Turn& turn = turns_[i];
      if (turn.role != chat::Role::kSystem) {
        others = true;
        continue;
      }
      if (others) loss_.add(path_of(i), "gemini's system instruction stands before all turns", LossSeverity::kNote);
      if (!turn.name.empty()) loss_.add(path_of(i) + ".name", "gemini's turns have no names", LossSeverity::kCosmetic);
      if (!open) {
        writer_.key("systemInstruction").begin_object();
        write_extras(writer_, turn.extras, path_of(i), loss_);
      }
      open = true;
      if (turn.form == chat::ContentForm::kAbsent && turn.parts.empty()) continue;
      if (!parts) writer_.key("parts").begin_array();
      parts = true;
      for (std::size_t p = 0; p < turn.parts.size(); ++p) parts_.write(turn.parts[p], path_of(i, p));
    }
    if (parts) writer_.end_array();
    if (open) writer_.end_object();
  }

  void write_turn(std::size_t i) {
    const Turn& turn = turns_[i];
    if (!turn.name.empty()) loss_.add(path_of(i) + ".name", "gemini's turns have no names", LossSeverity::kCosmetic);
    const bool model = turn.role == chat::Role::kAssistant;
    writer_.begin_object().field("role", model ? "model" : "user");
    if (turn.form != chat::ContentForm::kAbsent || !turn.parts.empty()) {
      writer_.key("parts").begin_array();
      bool called = false;
      std::vector<std::pair<const Part*, std::string>> moved;
      for (std::size_t p = 0; p < turn.parts.size(); ++p) {
        const Part& part = turn.parts[p];
        if (const auto* call = part.as<chat::ToolCall>()) {
          write_signed(*call, !std::exchange(called, true), path_of(i, p));
        } else if (const auto* result = part.as<chat::ToolResult>()) {
          write_result(*result, path_of(i, p), moved);
        } else {
          parts_.write(part, path_of(i, p));
        }
      }
      for (const auto& [part, path] : moved) parts_.write(*part, path);
      writer_.end_array();
    }
    // A system turn is one of the user's here: it says no role of its own.
    if (turn.role != chat::Role::kSystem) write_extras(writer_, turn.extras, path_of(i), loss_);
    writer_.end_object();
    calls_.follow(turn);
  }

  /// A call of a history. The first one of a turn carries the signature.
  void write_signed(chat::ToolCall call, bool first, const std::string& path) {
    for (const chat::Extra& extra : call.extras) {
      if (extra.dialect == kName) continue;
      if (call.signature.empty()) call.signature = signature_in(extra);
      if (call.signature.empty()) loss_.add(path + "." + extra.key, "known to the " + extra.dialect + " dialect alone", LossSeverity::kCosmetic);
    }
    if (first && call.signature.empty() && wants_signatures(model_)) {
      call.signature = kNoSignature;
      loss_.add(path + ".thought_signature", "gemini 3 wants signatures of its own: the one that stands for none is sent", LossSeverity::kNote);
    }
    if (!call.arguments.empty() && !is_object(call.arguments)) {
      loss_.add(path + ".arguments", "gemini's arguments are an object: the text is put into one", LossSeverity::kNote);
    }
    write_call(writer_, call);
  }

  /// The results of one turn of calls, however many turns they come in: one content, in the order of the calls.
  std::size_t write_results(std::size_t first) {
    struct Ordered {
      std::size_t place;
      const chat::ToolResult* result;
      std::string path;
    };
    std::vector<Ordered> results;
    std::vector<std::pair<const Part*, std::string>> moved;
    std::size_t i = first;
    for (; i < turns_.size() && turns_[i].role == chat::Role::kTool; ++i) {
      for (std::size_t p = 0; p < turns_[i].parts.size(); ++p) {
        const Part& part = turns_[i].parts[p];
        if (const auto* result = part.as<chat::ToolResult>()) {
          results.push_back({calls_.place_of(*result), result, path_of(i)});
        } else {
          moved.emplace_back(&part, path_of(i, p));
        }
      }
    }
    std::stable_sort(results.begin(), results.end(), [](const Ordered& a, const Ordered& b) { return a.place < b.place; });
    writer_.begin_object().field("role", "user").key("parts").begin_array();
    for (const Ordered& ordered : results) write_result(*ordered.result, ordered.path, moved);
    for (const auto& [part, path] : moved) parts_.write(*part, path);
    writer_.end_array();
    write_extras(writer_, turns_[first].extras, path_of(first), loss_);
    writer_.end_object();
    return i;
  }

  void write_result(const chat::ToolResult& result, const std::string& path, std::vector<std::pair<const Part*, std::string>>& moved) {
    std::string said;
    std::vector<const Part*> media;
    for (const Part& part : result.parts) {
      if (const auto* text = part.as<chat::Text>()) {
        said += text->text;
      } else if (is_before_3(model_)) {
        moved.emplace_back(&part, path);
        loss_.add(path, "results hold no media before gemini 3: they follow in the same turn", LossSeverity::kNote);
      } else {
        media.push_back(&part);
      }
    }
    if (result.cache) loss_.add(path + ".cache_control", "gemini caches by itself", LossSeverity::kCosmetic);
    const std::string_view name = calls_.name_of(result);
    writer_.begin_object().key("functionResponse").begin_object();
    if (!result.call_id.empty() && !is_made_id(result.call_id)) writer_.field("id", result.call_id);
    // Without a name nothing is answered; the id is the next best thing.
    if (name.empty()) loss_.add(path + ".name", "gemini knows results by the tool's name, which the conversation does not say", LossSeverity::kNote);
    writer_.field("name", name.empty() ? or_else(result.call_id, "tool") : name);
    writer_.key("response");
    const bool object = is_object(said);
    if (object && (!result.is_error || is_error_object(said))) {
      writer_.raw(said);
    } else {
      // It has to be an object: the members it is known by are the API's own.
      writer_.begin_object().key(result.is_error ? "error" : "result");
      object || is_list(said) ? writer_.raw(said) : writer_.string(said);
      writer_.end_object();
    }
    if (!media.empty()) {
      writer_.key("parts").begin_array();
      for (const Part* part : media) parts_.write(*part, path);
      writer_.end_array();
    }
    chat::Extras inside, beside;
    constexpr std::string_view kBeside = "part.";
    for (const chat::Extra& extra : result.extras) {
      if (extra.dialect == kName && extra.key.starts_with(kBeside)) {
        beside.push_back({extra.dialect, extra.key.substr(kBeside.size()), extra.json});
      } else {
        inside.push_back(extra);
      }
    }
    write_extras(writer_, inside, path, loss_);
    writer_.end_object();
    write_extras(writer_, beside, path, loss_);
    writer_.end_object();
  }

  static bool is_error_object(std::string_view json) {
    const auto document = json::Document::parse(Body::copy(json));
    const auto error = document->root().find("error");
    return document->root().size() == 1 && error && *error;
  }

  json::Writer& writer_;
  const std::vector<Turn>& turns_;
  std::string_view model_;
  chat::LossReport& loss_;
  PartWriter parts_{writer_, loss_};
  Calls calls_;
};

}  // namespace

bool is_before_3(std::string_view model) noexcept {
  const std::size_t at = model.find("gemini-");
  if (at == std::string_view::npos || at + 7 >= model.size()) return false;
  return model[at + 7] == '1' || model[at + 7] == '2';
}

bool wants_signatures(std::string_view model) noexcept {
  const std::size_t at = model.find("gemini-");
  return at != std::string_view::npos && at + 7 < model.size() && model[at + 7] >= '3' && model[at + 7] <= '9';
}

void write_call(json::Writer& writer, const chat::ToolCall& call) {
  writer.begin_object().key("functionCall").begin_object();
  if (!call.id.empty() && !is_made_id(call.id)) writer.field("id", call.id);
  writer.field("name", call.name).key("args");
  if (is_object(call.arguments)) {
    writer.raw(call.arguments);
  } else {
    // Free text, or JSON that its model broke: it has to be an object here.
    writer.begin_object();
    if (!call.arguments.empty() && call.arguments != "null") writer.field("input", call.arguments);  // null: some servers' word for none
    writer.end_object();
  }
  writer.end_object();
  if (!call.signature.empty()) writer.field("thoughtSignature", call.signature);
  for (const chat::Extra& extra : call.extras) {
    if (extra.dialect == kName) writer.key(extra.key).raw(extra.json);
  }
  writer.end_object();
}

void write_extras(json::Writer& writer, const chat::Extras& extras, const std::string& path, chat::LossReport& loss) {
  for (const chat::Extra& extra : extras) {
    if (extra.dialect == kName) {
      writer.key(extra.key).raw(extra.json);
    } else {
      loss.add(path.empty() ? extra.key : path + "." + extra.key, "known to the " + extra.dialect + " dialect alone", LossSeverity::kCosmetic);
    }
  }
}

void write_answer_part(json::Writer& writer, const Part& part, const std::string& path, chat::LossReport& loss) {
  if (const auto* thinking = part.as<chat::Thinking>()) {
    if (!thinking->redacted.empty()) {
      loss.add(path, "gemini has no place for encrypted thinking", LossSeverity::kCosmetic);
      return;
    }
    writer.begin_object().field("text", thinking->text).key("thought").boolean(true);
    if (!thinking->signature.empty()) writer.field("thoughtSignature", thinking->signature);
    for (const chat::Extra& extra : thinking->extras) {
      if (extra.dialect == kName && extra.key != "thought") writer.key(extra.key).raw(extra.json);
    }
    writer.end_object();
    return;
  }
  PartWriter(writer, loss).write(part, path);
}

void write_turns(json::Writer& writer, const std::vector<Turn>& turns, std::string_view model, chat::LossReport& loss) {
  TurnsWriter(writer, turns, model, loss).run();
}

}  // namespace sluice::dialect::gemini_parts
