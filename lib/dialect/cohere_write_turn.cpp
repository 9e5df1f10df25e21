// A turn into messages of the Cohere dialect. What Cohere has no place for goes on the loss report, by the caller's path.

#include <algorithm>
#include <vector>

#include "dialect/cohere.hpp"
#include "dialect/cohere_turn.hpp"
#include "dialect/data_url.hpp"
#include "dialect/writing.hpp"

namespace sluice::dialect::cohere_parts {
namespace {

using chat::ContentForm;
using chat::LossSeverity;
using chat::Part;

/// Goes into the content of a message; the rest has members of its own.
bool is_content(const Part& part) {
  if (const auto* thinking = part.as<chat::Thinking>()) return thinking->field != kToolPlan;
  return !part.as<chat::ToolCall>() && !part.as<chat::ToolResult>();
}

bool is_plain_text(const Part& part) {
  const auto* text = part.as<chat::Text>();
  return part.as<chat::Refusal>() || (text != nullptr && text->extras.empty());
}

void write_text(json::Writer& writer, std::string_view text) { writer.begin_object().field("type", "text").field("text", text); }

void write_part(json::Writer& writer, const Part& part, const std::string& path, chat::LossReport& loss) {
  const auto lose = [&](std::string_view reason, LossSeverity severity = LossSeverity::kSemantic) {
    loss.add(path, std::string(reason), severity);
  };
  if (const auto* text = part.as<chat::Text>()) {
    if (const std::string* own = chat::find_extra(text->extras, kName, "")) {
      writer.raw(*own);
      return;
    }
    if (text->cache) lose("cohere caches by itself", LossSeverity::kCosmetic);
    write_text(writer, text->text);
    writing::put_extras(writer, text->extras, kName, path, loss);
    writer.end_object();
  } else if (const auto* refusal = part.as<chat::Refusal>()) {
    write_text(writer, refusal->text);
    writer.end_object();
    lose("cohere has no refusals: it stands as text", LossSeverity::kNote);
  } else if (const auto* thinking = part.as<chat::Thinking>()) {
    if (!thinking->signature.empty() || !thinking->redacted.empty()) {
      lose("cohere has no place for signed or encrypted thinking", LossSeverity::kCosmetic);
    }
    if (thinking->text.empty() && thinking->extras.empty() && !thinking->redacted.empty()) return;
    writer.begin_object().field("type", "thinking").field("thinking", thinking->text);
    writing::put_extras(writer, thinking->extras, kName, path, loss);
    writer.end_object();
  } else if (const auto* image = part.as<chat::Image>()) {
    if (image->source.url.empty() && image->source.data.empty()) return lose("cohere takes images as addresses or data, not as files");
    writer.begin_object().field("type", "image_url").key("image_url").begin_object();
    writer.field("url", image->source.url.empty() ? data_url(image->source, "image/png") : image->source.url);
    writing::put(writer, "detail", image->detail);
    writer.end_object();
    writing::put_extras(writer, image->extras, kName, path, loss);
    writer.end_object();
  } else if (const auto* opaque = part.as<chat::OpaquePart>()) {
    if (opaque->dialect != kName) return lose("a part known to the " + opaque->dialect + " dialect alone");
    writer.raw(opaque->json);
  } else if (part.as<chat::Audio>()) {
    lose("cohere takes no audio");
  } else {
    lose("cohere takes no files");
  }
}

/// Content as a string where that says it all, else as a list.
void write_content(json::Writer& writer, const std::vector<const Part*>& parts, ContentForm form, const std::string& path,
                   chat::LossReport& loss) {
  if (parts.empty() && form != ContentForm::kText && form != ContentForm::kParts) return;
  writer.key("content");
  const bool plain = std::all_of(parts.begin(), parts.end(), [](const Part* p) { return is_plain_text(*p); });
  if (plain && form != ContentForm::kParts && parts.size() <= 1) {
    const auto* text = parts.empty() ? nullptr : parts[0]->as<chat::Text>();
    const auto* refusal = parts.empty() ? nullptr : parts[0]->as<chat::Refusal>();
    writer.string(text ? std::string_view(text->text) : refusal ? std::string_view(refusal->text) : std::string_view());
    return;
  }
  writer.begin_array();
  for (std::size_t i = 0; i < parts.size(); ++i) write_part(writer, *parts[i], path + ".content[" + std::to_string(i) + "]", loss);
  writer.end_array();
}

void write_tool_result(json::Writer& writer, const chat::ToolResult& result, ContentForm form, const std::string& path, CallIds& ids,
                       chat::LossReport& loss) {
  const CallIds::Answered answered = ids.answered_by(result);
  if (result.call_id.empty()) loss.add(path + ".tool_call_id", "cohere wants an id for every call: one was made up", LossSeverity::kNote);
  writer.begin_object().field("role", "tool").field("tool_call_id", answered.id);
  std::vector<const Part*> content;
  for (const Part& part : result.parts) {
    if (part.as<chat::Text>() || part.as<chat::OpaquePart>()) {
      content.push_back(&part);
    } else {
      loss.add(path, "cohere tool results hold text and documents alone", LossSeverity::kSemantic);
    }
  }
  if (content.empty() && form == ContentForm::kAuto) form = ContentForm::kText;
  write_content(writer, content, form, path, loss);
  if (result.is_error) loss.add(path + ".is_error", "cohere does not mark failed tools", LossSeverity::kCosmetic);
  writing::put_extras(writer, result.extras, kName, path, loss);
  writer.end_object();
}

void write_calls(json::Writer& writer, const chat::Turn& turn, CallIds& ids, const std::string& path, chat::LossReport& loss) {
  bool open = false;
  for (const Part& part : turn.parts) {
    const auto* call = part.as<chat::ToolCall>();
    if (call == nullptr) continue;
    if (!open) writer.key("tool_calls").begin_array();
    open = true;
    if (call->kind != chat::ToolKind::kFunction) loss.add(path + ".tool_calls", "cohere calls functions alone", LossSeverity::kSemantic);
    const std::string_view arguments = call->arguments.empty() ? std::string_view("{}") : std::string_view(call->arguments);
    writer.begin_object().field("id", ids.id_of(*call)).field("type", "function").key("function").begin_object();
    writer.field("name", call->name).field("arguments", arguments).end_object();
    writing::put_extras(writer, call->extras, kName, path + ".tool_calls", loss);
    writer.end_object();
  }
  if (open) writer.end_array();
}

void write_plan(json::Writer& writer, const chat::Turn& turn) {
  std::string plan;
  for (const Part& part : turn.parts) {
    if (const auto* thinking = part.as<chat::Thinking>(); thinking != nullptr && thinking->field == kToolPlan) plan += thinking->text;
  }
  writing::put(writer, kToolPlan, plan);
}

void write_citations(json::Writer& writer, const chat::Turn& turn) {
  bool open = false;
  for (const Part& part : turn.parts) {
    const auto* text = part.as<chat::Text>();
    if (text == nullptr) continue;
    for (const chat::Citation& citation : text->citations) {
      if (!open) writer.key("citations").begin_array();
      open = true;
      write_citation(writer, citation);
    }
  }
  if (open) writer.end_array();
}

/// Content that has something in it: citations may hang on a text that was never there.
std::vector<const Part*> content_of(const chat::Turn& turn) {
  std::vector<const Part*> content;
  for (const Part& part : turn.parts) {
    if (!is_content(part)) continue;
    const auto* text = part.as<chat::Text>();
    if (text != nullptr && text->text.empty() && text->extras.empty() && turn.form != ContentForm::kParts) continue;
    content.push_back(&part);
  }
  return content;
}

std::string_view role_name(chat::Role role) noexcept {
  switch (role) {
    case chat::Role::kSystem: return "system";
    case chat::Role::kAssistant: return "assistant";
    case chat::Role::kTool: return "tool";
    case chat::Role::kUser: break;
  }
  return "user";
}

}  // namespace

void write_citation(json::Writer& writer, const chat::Citation& citation) {
  if (const std::string* own = chat::find_extra(citation.extras, kName, "")) {
    writer.raw(*own);
    return;
  }
  writer.begin_object();
  writing::put(writer, "start", citation.start);
  writing::put(writer, "end", citation.end);
  writer.field("text", citation.cited_text).key("sources").begin_array().begin_object();
  const std::string& place = citation.url.empty() ? citation.file_id : citation.url;
  writer.field("type", "document").field("id", place).key("document").begin_object().field("id", place);
  writing::put(writer, "title", citation.title);
  writing::put(writer, "url", citation.url);
  writer.end_object().end_object().end_array().field("type", "TEXT_CONTENT").end_object();
}

void write_turn(json::Writer& writer, const chat::Turn& turn, const std::string& path, CallIds& ids, chat::LossReport& loss) {
  for (const Part& part : turn.parts) {
    if (const auto* result = part.as<chat::ToolResult>()) write_tool_result(writer, *result, turn.form, path, ids, loss);
  }
  const std::vector<const Part*> content = content_of(turn);
  const bool only_results = content.empty() && (turn.role == chat::Role::kTool || (turn.role == chat::Role::kUser && !turn.parts.empty()));
  if (only_results) return;
  writer.begin_object().field("role", turn.role == chat::Role::kTool ? "user" : role_name(turn.role));
  if (turn.developer) loss.add(path + ".role", "cohere has one role for instructions: system", LossSeverity::kNote);
  if (!turn.name.empty()) loss.add(path + ".name", "cohere does not name participants", LossSeverity::kCosmetic);
  write_content(writer, content, turn.form, path, loss);
  if (turn.role == chat::Role::kAssistant) {
    write_plan(writer, turn);
    write_calls(writer, turn, ids, path, loss);
    write_citations(writer, turn);
  }
  writing::put_extras(writer, turn.extras, kName, path, loss);
  writer.end_object();
}

void write_answer_message(json::Writer& writer, const chat::Turn& turn, chat::LossReport& loss) {
  writer.begin_object().field("role", "assistant");
  const std::vector<const Part*> content = content_of(turn);
  if (!content.empty()) write_content(writer, content, ContentForm::kParts, "message", loss);
  write_plan(writer, turn);
  CallIds ids;
  write_calls(writer, turn, ids, "message", loss);
  write_citations(writer, turn);
  writing::put_own_extras(writer, turn.extras, kName);
  writer.end_object();
}

}  // namespace sluice::dialect::cohere_parts
