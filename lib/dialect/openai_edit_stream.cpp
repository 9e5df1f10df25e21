// Edits streams of the OpenAI dialect: texts out of events and back, ends split off, events of our own that look like the
// ones before them.

#include <optional>
#include <utility>

#include "dialect/chunk.hpp"
#include "dialect/event_pattern.hpp"
#include "dialect/openai.hpp"
#include "dialect/openai_answer.hpp"
#include "dialect/openai_texts.hpp"
#include "dialect/reading.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::openai_parts {
namespace {

using json::Type;
using json::Value;
using Thinking = TextReader::Thinking;

/// What every event of a stream says of the answer as a whole. The rest of a root is said once, or counts.
bool is_envelope(std::string_view key) noexcept {
  return key == "id" || key == "object" || key == "created" || key == "model" || key == "system_fingerprint";
}

/// Members of a choice that belong to its text, not to its end.
bool is_said(std::string_view key) noexcept {
  return key == "index" || key == "delta" || key == "message" || key == "text" || key == "logprobs" || key == "token_ids";
}

class StreamEditor final : public AnswerEditor {
 public:
  explicit StreamEditor(Operation operation) : operation_(operation) {
    const std::string object = operation == Operation::kCompletions ? "text_completion" : "chat.completion.chunk";
    pattern_.learn(R"({"id":"","object":")" + object + R"(","created":0,"model":"","choices":[]})");
  }

  Status read(std::string_view data, AnswerTexts& out) override {
    out.take(data);
    if (chunk::skip_blanks(data, 0) == data.size()) return {};  // a ping
    if (is_done(data)) {
      out.set_ends();
      return {};
    }
    if (const auto text = pattern_.match(data)) {
      const auto& [begin, end] = text->range;
      out.put({.address = address_, .text = out.keep(begin, end, text->escaped)}, {.begin = begin - 1, .end = end + 1});
      return {};
    }
    const auto document = out.parse();
    if (!document || !document->root().is(Type::kObject)) return tl::unexpected(no_event(data));
    std::size_t choices = 0;
    bool usage = false;
    std::optional<EventPattern::Range> padding;
    std::string scratch;
    for (Value m = document->root().first(); m; m = m.next()) {
      const std::string_view key = m.key(scratch);
      if (key == "choices" && m.is(Type::kArray)) {
        std::size_t position = 0;
        for (Value item = m.first(); item; item = item.next(), ++position, ++choices) {
          if (reader_.read(item, position, out)) out.set_ends();
        }
      } else if (key == "usage") {
        usage = m.is(Type::kObject);
      } else if (is_padding(key) && m.is(Type::kString)) {
        padding = inside(m.offset(), m.offset() + m.length());
      }
    }
    if (choices == 0) {
      if (usage) out.set_ends();
    } else if (choices == 1 && out.texts().size() == 1 && !out.ends() && reader_.plain()) {
      address_ = out.texts()[0].address;
      pattern_.learn(data, inside(out.places()[0].begin, out.places()[0].end), padding);
    } else {
      pattern_.learn(data);
    }
    return {};
  }

  void write(const AnswerTexts& texts, std::string& out) override {
    reader_.note_changes(texts);
    texts.write(out, 0, texts.data().size());
  }

  Status split(const AnswerTexts& texts, std::string& said, std::string& end) override {
    const auto document = texts.parse();
    if (!document) return tl::unexpected(no_event(texts.data()));
    reader_.note_changes(texts);
    write_said(texts, document->root(), said);
    write_end(texts, document->root(), end);
    return {};
  }

  Status add_event(const TextAddress& to, std::string_view text, std::string& out) override {
    const ToolCalls* const calls = reader_.calls_of(to.choice);
    const bool no_call = to.channel == TextChannel::kToolArguments && (calls == nullptr || to.tool_index >= calls->size());
    const bool no_channel = operation_ == Operation::kCompletions && to.channel != TextChannel::kText;
    if (no_call || no_channel) return tl::unexpected(no_place(to));
    AnswerTexts last;
    last.take(pattern_.example());
    const auto document = last.parse();
    json::Writer writer(out);
    writer.begin_object();
    std::string scratch;
    bool put = false;
    for (Value m = document->root().first(); m; m = m.next()) {
      const std::string_view key = m.key(scratch);
      if (is_envelope(key)) writer.key(key).raw(last.raw(m));
      if (key == "choices" && !std::exchange(put, true)) write_choice(to, text, calls, writer);
    }
    writer.end_object();
    return {};
  }

 private:
  static EventPattern::Range inside(std::size_t begin, std::size_t end) noexcept { return {begin + 1, end - 1}; }

  /// The texts of an event, with nothing of an end about them.
  static void write_said(const AnswerTexts& texts, const Value& root, std::string& out) {
    json::Writer writer(out);
    writer.begin_object();
    std::string scratch;
    for (Value m = root.first(); m; m = m.next()) {
      const std::string_view key = m.key(scratch);
      if (is_envelope(key)) writer.key(key).raw(texts.raw(m));
      if (key != "choices" || !m.is(Type::kArray)) continue;
      writer.key(key).begin_array();
      for (Value item = m.first(); item; item = item.next()) {
        if (!item.is(Type::kObject)) {
          writer.raw(texts.raw(item));
          continue;
        }
        writer.begin_object();
        for (Value part = item.first(); part; part = part.next()) {
          const std::string_view name = part.key(scratch);
          if (name == "finish_reason") writer.key(name).null();
          if (!is_said(name)) continue;
          std::string value;
          texts.write(value, part.offset(), part.offset() + part.length());
          writer.key(name).raw(value);
        }
        writer.end_object();
      }
      writer.end_array();
    }
    writer.end_object();
  }

  /// The event without what write_said() gives; every other byte as it came.
  static void write_end(const AnswerTexts& texts, const Value& root, std::string& out) {
    std::size_t at = 0;
    const auto put = [&](const Value& value, std::string_view instead) {
      out.append(texts.data().substr(at, value.offset() - at)).append(instead);
      at = value.offset() + value.length();
    };
    std::string scratch;
    for (Value m = root.first(); m; m = m.next()) {
      if (m.key(scratch) != "choices" || !m.is(Type::kArray)) continue;
      for (Value item = m.first(); item; item = item.next()) {
        for (Value part = item.is(Type::kObject) ? item.first() : Value{}; part; part = part.next()) {
          const std::string_view name = part.key(scratch);
          if (part.is(Type::kNull) || name == "index" || !is_said(name)) continue;
          put(part, part.is(Type::kString) ? "\"\"" : name == "delta" || name == "message" ? "{}" : "null");
        }
      }
    }
    out += texts.data().substr(at);
  }

  void write_choice(const TextAddress& to, std::string_view text, const ToolCalls* calls, json::Writer& writer) const {
    writer.key("choices").begin_array().begin_object().key("index").unsigned_integer(to.choice);
    if (operation_ == Operation::kCompletions) {
      writer.field("text", text).key("logprobs").null();
    } else {
      writer.key("delta").begin_object();
      write_delta(to, text, calls, writer);
      writer.end_object();
    }
    writer.key("finish_reason").null().end_object().end_array();
  }

  void write_delta(const TextAddress& to, std::string_view text, const ToolCalls* calls, json::Writer& writer) const {
    switch (to.channel) {
      case TextChannel::kText: writer.field("content", text); return;
      case TextChannel::kRefusal: writer.field("refusal", text); return;
      case TextChannel::kReasoning: write_thinking(text, writer); return;
      case TextChannel::kToolArguments: break;
    }
    const ToolCalls::Call& call = (*calls)[to.tool_index];
    if (call.shape == CallShape::kLegacy) {
      writer.key("function_call").begin_object().field("arguments", text).end_object();
      return;
    }
    // Addressed so that whoever reads by the field's rules joins it to that call and no other.
    writer.key("tool_calls").begin_array().begin_object();
    if (call.wire_index) writer.key("index").integer(*call.wire_index);
    if (!calls->found_by_index(to.tool_index) && !call.id.empty()) writer.field("id", call.id);
    const bool custom = call.shape == CallShape::kCustom;
    writer.key(custom ? "custom" : "function").begin_object().field(custom ? "input" : "arguments", text).end_object();
    writer.end_object().end_array();
  }

  void write_thinking(std::string_view text, json::Writer& writer) const {
    switch (reader_.thinking()) {
      case Thinking::kReasoningContent: writer.field("reasoning_content", text); return;
      case Thinking::kReasoning: writer.field("reasoning", text); return;
      case Thinking::kDetails:
        writer.key("reasoning_details").begin_array().begin_object();
        writer.field("type", "reasoning.text").field("text", text).end_object().end_array();
        return;
      case Thinking::kContentPart:
        writer.key("content").begin_array().begin_object().field("type", "thinking").key("thinking").begin_array();
        writer.begin_object().field("type", "text").field("text", text).end_object();
        writer.end_array().end_object().end_array();
        return;
    }
  }

  Operation operation_;
  TextReader reader_{true};
  // The last event that had a choice and was parsed; those since then differ in their text alone, which is `address_`'s.
  EventPattern pattern_;
  TextAddress address_;
};

}  // namespace

std::unique_ptr<AnswerEditor> make_stream_editor(Operation operation) { return std::make_unique<StreamEditor>(operation); }

}  // namespace sluice::dialect::openai_parts
