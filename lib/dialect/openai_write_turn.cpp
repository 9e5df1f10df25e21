// A turn into messages of the OpenAI dialect. What OpenAI has no place for goes on the loss report, by the caller's path.

#include <algorithm>

#include "dialect/data_url.hpp"
#include "dialect/lost_extras.hpp"
#include "dialect/openai.hpp"
#include "dialect/openai_turn.hpp"

namespace sluice::dialect::openai_parts {
namespace {

using chat::ContentForm;
using chat::LossSeverity;
using chat::Part;

void write_cache(json::Writer& writer, const std::optional<chat::CacheMark>& cache) {
  if (!cache) return;
  writer.key("cache_control").begin_object().field("type", cache->type);
  if (!cache->ttl.empty()) writer.field("ttl", cache->ttl);
  writer.end_object();
}

/// Goes into the content list of a message; the rest has members of its own.
bool is_content(const Part& part) {
  if (const auto* thinking = part.as<chat::Thinking>()) return thinking->field == "content";
  if (const auto* audio = part.as<chat::Audio>()) return audio->id.empty();
  return part.as<chat::Text>() || part.as<chat::Image>() || part.as<chat::Document>() || part.as<chat::OpaquePart>();
}

bool is_plain_text(const Part& part) {
  const auto* text = part.as<chat::Text>();
  return text != nullptr && !text->cache && text->extras.empty();
}

/// Content as a string where that says it all, else as a list. `parts` are content parts only.
void write_content(json::Writer& writer, const std::vector<const Part*>& parts, ContentForm form, const std::string& path,
                   chat::LossReport& loss, bool null_if_empty) {
  if (parts.empty() && form != ContentForm::kText && form != ContentForm::kParts) {
    if (form == ContentForm::kAbsent && !null_if_empty) return;
    writer.key("content");
    null_if_empty || form == ContentForm::kNull ? writer.null() : writer.string("");
    return;
  }
  writer.key("content");
  const bool plain = std::all_of(parts.begin(), parts.end(), [](const Part* p) { return is_plain_text(*p); });
  if (plain && form != ContentForm::kParts && (parts.size() <= 1 || null_if_empty)) {
    std::string joined;
    for (const Part* part : parts) joined += part->as<chat::Text>()->text;
    writer.string(joined);
    return;
  }
  writer.begin_array();
  for (std::size_t i = 0; i < parts.size(); ++i) write_part(writer, *parts[i], path + ".content[" + std::to_string(i) + "]", loss);
  writer.end_array();
}

void write_tool_result(json::Writer& writer, const chat::ToolResult& result, ContentForm form, const std::string& path,
                       chat::LossReport& loss, std::vector<const Part*>& moved) {
  writer.begin_object();
  writer.field("role", result.call_id.empty() ? "function" : "tool");
  if (!result.call_id.empty()) writer.field("tool_call_id", result.call_id);
  if (!result.name.empty()) writer.field("name", result.name);
  std::vector<const Part*> content;
  for (const Part& part : result.parts) {
    // OpenAI takes text alone here; a caller of this dialect who sends more to a server that takes it is let through.
    const bool stays = part.as<chat::Text>() != nullptr || form != ContentForm::kAuto;
    if (stays) {
      content.push_back(&part);
    } else {
      moved.push_back(&part);
      loss.add(path, "openai tool results hold text alone: the rest follows as a user message", LossSeverity::kNote);
    }
  }
  if (content.empty() && form == ContentForm::kAuto) form = ContentForm::kText;
  write_content(writer, content, form, path, loss, false);
  if (result.is_error) loss.add(path + ".is_error", "openai does not mark failed tools", LossSeverity::kCosmetic);
  write_extras(writer, result.extras, path, loss);
  writer.end_object();
}

void write_calls(json::Writer& writer, const chat::Turn& turn) {
  const auto is_call = [](const Part& p) { return p.as<chat::ToolCall>() != nullptr && !p.as<chat::ToolCall>()->legacy; };
  if (std::any_of(turn.parts.begin(), turn.parts.end(), is_call)) {
    writer.key("tool_calls").begin_array();
    for (const Part& part : turn.parts) {
      if (is_call(part)) write_tool_call(writer, *part.as<chat::ToolCall>());
    }
    writer.end_array();
  }
  for (const Part& part : turn.parts) {
    const auto* call = part.as<chat::ToolCall>();
    if (call == nullptr || !call->legacy) continue;
    writer.key("function_call").begin_object().field("name", call->name).field("arguments", call->arguments).end_object();
    break;
  }
}

/// reasoning_content and reasoning: one member for all the thinking that came under it.
void write_thinking(json::Writer& writer, const chat::Turn& turn, std::string_view fallback, const std::string& path,
                    chat::LossReport& loss) {
  std::string joined, field;
  for (const Part& part : turn.parts) {
    const auto* thinking = part.as<chat::Thinking>();
    if (thinking == nullptr || thinking->field == "content") continue;
    if (!thinking->signature.empty() || !thinking->redacted.empty()) {
      loss.add(path, "openai chat has no place for signed or encrypted thinking", LossSeverity::kCosmetic);
    }
    const bool own = thinking_field(thinking->field) == thinking->field;
    if (!own && fallback.empty()) {
      loss.add(path, "openai does not take earlier thinking back", LossSeverity::kCosmetic);
      continue;
    }
    joined += thinking->text;
    if (own && field.empty()) field = thinking->field;
  }
  if (!joined.empty()) writer.field(field.empty() ? fallback : std::string_view(field), joined);
}

std::string refusal_of(const chat::Turn& turn, bool& found) {
  std::string joined;
  for (const Part& part : turn.parts) {
    if (const auto* refusal = part.as<chat::Refusal>()) {
      joined += refusal->text;
      found = true;
    }
  }
  return joined;
}

void write_audio_answer(json::Writer& writer, const chat::Turn& turn) {
  for (const Part& part : turn.parts) {
    const auto* audio = part.as<chat::Audio>();
    if (audio == nullptr || audio->id.empty()) continue;
    writer.key("audio").begin_object().field("id", audio->id);
    if (!audio->source.data.empty()) writer.field("data", audio->source.data);
    if (!audio->transcript.empty()) writer.field("transcript", audio->transcript);
    if (audio->expires_at) writer.key("expires_at").integer(*audio->expires_at);
    writer.end_object();
    return;
  }
}

void write_annotations(json::Writer& writer, const chat::Turn& turn, chat::LossReport& loss) {
  bool open = false;
  for (const Part& part : turn.parts) {
    const auto* text = part.as<chat::Text>();
    if (text == nullptr) continue;
    for (const chat::Citation& citation : text->citations) {
      if (!is_annotation(citation)) {
        loss.add("message.annotations", "openai chat cites addresses alone", LossSeverity::kCosmetic);
        continue;
      }
      if (!open) writer.key("annotations").begin_array();
      open = true;
      write_annotation(writer, citation);
    }
  }
  if (open) writer.end_array();
}

std::vector<const Part*> content_of(const chat::Turn& turn, bool refusals) {
  std::vector<const Part*> content;
  for (const Part& part : turn.parts) {
    if (is_content(part) || (refusals && part.as<chat::Refusal>() != nullptr)) content.push_back(&part);
  }
  return content;
}

}  // namespace

std::string_view thinking_field(std::string_view came_under) noexcept {
  return came_under == "reasoning" ? came_under : std::string_view("reasoning_content");
}

void write_extras(json::Writer& writer, const chat::Extras& extras, const std::string& path, chat::LossReport& loss) {
  for (const chat::Extra& extra : extras) {
    if (extra.dialect == kName) {
      writer.key(extra.key).raw(extra.json);
    } else if (!extra.key.empty()) {
      loss.add(path.empty() ? extra.key : path + "." + extra.key, "known to the " + extra.dialect + " dialect alone",
               severity_of_lost(extra));
    }
  }
}

bool is_annotation(const chat::Citation& citation) {
  return citation.kind == chat::Citation::Kind::kUrl || chat::find_extra(citation.extras, kName, "") != nullptr;
}

void write_annotation(json::Writer& writer, const chat::Citation& citation) {
  if (const std::string* own = chat::find_extra(citation.extras, kName, "")) {
    writer.raw(*own);
    return;
  }
  writer.begin_object().field("type", "url_citation").key("url_citation").begin_object();
  writer.key("start_index").integer(citation.start.value_or(0));
  writer.key("end_index").integer(citation.end.value_or(0));
  writer.field("url", citation.url).field("title", citation.title);
  writer.end_object().end_object();
}

void write_tool_call(json::Writer& writer, const chat::ToolCall& call) {
  writer.begin_object().field("id", call.id);
  if (call.kind == chat::ToolKind::kCustom) {
    writer.field("type", "custom").key("custom").begin_object().field("name", call.name).field("input", call.arguments).end_object();
  } else {
    // Clients parse the arguments: a call without any has an empty object.
    const std::string_view arguments = call.arguments.empty() ? std::string_view("{}") : std::string_view(call.arguments);
    writer.field("type", "function").key("function").begin_object().field("name", call.name).field("arguments", arguments).end_object();
  }
  for (const chat::Extra& extra : call.extras) {
    if (extra.dialect == kName) writer.key(extra.key).raw(extra.json);
  }
  writer.end_object();
}

bool write_part(json::Writer& writer, const Part& part, const std::string& path, chat::LossReport& loss) {
  const auto lose = [&](std::string_view reason) {
    loss.add(path, std::string(reason), LossSeverity::kSemantic);
    return false;
  };
  if (const auto* text = part.as<chat::Text>()) {
    writer.begin_object().field("type", "text").field("text", text->text);
    write_cache(writer, text->cache);
    write_extras(writer, text->extras, path, loss);
  } else if (const auto* image = part.as<chat::Image>()) {
    if (image->source.url.empty() && image->source.data.empty()) return lose("openai chat takes images as addresses or data, not as files");
    writer.begin_object().field("type", "image_url");
    if (chat::find_extra(image->extras, kName, "image_url") == nullptr) {
      writer.key("image_url").begin_object();
      writer.field("url", image->source.url.empty() ? data_url(image->source, "image/png") : image->source.url);
      if (!image->detail.empty()) writer.field("detail", image->detail);
      writer.end_object();
    }
    write_cache(writer, image->cache);
    write_extras(writer, image->extras, path, loss);
  } else if (const auto* audio = part.as<chat::Audio>()) {
    if (audio->source.data.empty()) return lose("openai chat takes audio as data alone");
    writer.begin_object().field("type", "input_audio");
    if (chat::find_extra(audio->extras, kName, "input_audio") == nullptr) {
      writer.key("input_audio").begin_object().field("data", audio->source.data);
      if (!audio->format.empty()) writer.field("format", audio->format);
      writer.end_object();
    }
    write_extras(writer, audio->extras, path, loss);
  } else if (const auto* file = part.as<chat::Document>()) {
    writer.begin_object().field("type", "file").key("file").begin_object();
    if (!file->source.file_id.empty()) writer.field("file_id", file->source.file_id);
    if (!file->source.data.empty()) {
      // Bare base64 has no media type: it stays as it came.
      writer.field("file_data", file->source.media_type.empty() ? file->source.data : data_url(file->source, {}));
    } else if (!file->source.url.empty()) {
      writer.field("file_data", file->source.url);
    }
    if (!file->name.empty()) writer.field("filename", file->name);
    writer.end_object();
    write_cache(writer, file->cache);
    if (file->citations) loss.add(path + ".citations", "openai chat does not cite documents", LossSeverity::kCosmetic);
    write_extras(writer, file->extras, path, loss);
  } else if (const auto* refusal = part.as<chat::Refusal>()) {
    writer.begin_object().field("type", "refusal").field("refusal", refusal->text);
  } else if (const auto* thinking = part.as<chat::Thinking>()) {
    writer.begin_object().field("type", "thinking");
    if (chat::find_extra(thinking->extras, kName, "thinking") == nullptr) {
      writer.key("thinking").begin_array();
      writer.begin_object().field("type", "text").field("text", thinking->text).end_object().end_array();
    }
    if (!thinking->signature.empty()) writer.field("signature", thinking->signature);
    write_extras(writer, thinking->extras, path, loss);
  } else if (const auto* opaque = part.as<chat::OpaquePart>()) {
    if (opaque->dialect != kName) return lose("a part known to the " + opaque->dialect + " dialect alone");
    writer.raw(opaque->json);
    return true;
  } else {
    return lose("openai chat has no such content");
  }
  writer.end_object();
  return true;
}

void write_turn(json::Writer& writer, const chat::Turn& turn, const std::string& path, chat::LossReport& loss) {
  std::vector<const Part*> content;
  for (const Part& part : turn.parts) {
    if (const auto* result = part.as<chat::ToolResult>()) write_tool_result(writer, *result, turn.form, path, loss, content);
  }
  if (turn.role == chat::Role::kTool && content.empty()) return;
  const bool refusals_in_content = turn.form == ContentForm::kParts;
  for (const Part* part : content_of(turn, refusals_in_content)) content.push_back(part);
  const bool only_results = turn.role == chat::Role::kUser && content.empty() && !turn.parts.empty();
  if (only_results) return;

  writer.begin_object();
  switch (turn.role) {
    case chat::Role::kSystem: writer.field("role", turn.developer ? "developer" : "system"); break;
    case chat::Role::kAssistant: writer.field("role", "assistant"); break;
    case chat::Role::kUser:
    case chat::Role::kTool: writer.field("role", "user"); break;  // what a tool's result could not hold
  }
  if (!turn.name.empty()) writer.field("name", turn.name);
  const bool assistant = turn.role == chat::Role::kAssistant;
  if (assistant) write_thinking(writer, turn, {}, path, loss);
  write_content(writer, content, turn.form, path, loss, assistant && turn.form == ContentForm::kAuto);
  if (assistant) {
    bool found = false;
    const std::string refusal = refusals_in_content ? std::string() : refusal_of(turn, found);
    if (found) writer.field("refusal", refusal);
    write_audio_answer(writer, turn);
    write_annotations(writer, turn, loss);
    write_calls(writer, turn);
  }
  write_extras(writer, turn.extras, path, loss);
  writer.end_object();
}

void write_answer_message(json::Writer& writer, const chat::Turn& turn, chat::LossReport& loss) {
  writer.begin_object().field("role", "assistant");
  std::vector<const Part*> content = content_of(turn, false);
  // What another provider ran itself and what it found: the text stands without it.
  std::erase_if(content, [&loss](const Part* part) {
    const auto* opaque = part->as<chat::OpaquePart>();
    if (opaque == nullptr || opaque->dialect == kName) return false;
    loss.add("message." + opaque->type, "a part known to the " + opaque->dialect + " dialect alone", LossSeverity::kCosmetic);
    return true;
  });
  // A list only where the upstream itself gave one: OpenAI's clients expect a string or null.
  const bool listed = turn.form == ContentForm::kParts;
  write_content(writer, content, listed ? ContentForm::kParts : turn.form == ContentForm::kText ? ContentForm::kText : ContentForm::kAuto,
                "message", loss, true);
  bool refused = false;
  const std::string refusal = refusal_of(turn, refused);
  writer.key("refusal");
  refused ? writer.string(refusal) : writer.null();
  // Not OpenAI's own, but what clients of thinking models read.
  write_thinking(writer, turn, "reasoning_content", "message.reasoning_content", loss);
  write_audio_answer(writer, turn);
  write_annotations(writer, turn, loss);
  write_calls(writer, turn);
  write_extras(writer, turn.extras, "message", loss);
  writer.end_object();
}

}  // namespace sluice::dialect::openai_parts
