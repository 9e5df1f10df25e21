// Edits streams of the Gemini dialect: texts out of elements and back, ends split off, elements of our own that look like the
// ones before them.

#include <algorithm>
#include <utility>

#include "dialect/excerpt.hpp"
#include "dialect/gemini.hpp"
#include "dialect/gemini_keys.hpp"
#include "dialect/gemini_texts.hpp"

namespace sluice::dialect::gemini_parts {
namespace {

using json::Type;
using json::Value;

tl::unexpected<Error> no_element(std::string_view data) {
  return fail(Code::kUpstreamInvalidAnswer, "an event of the upstream's stream is no JSON object; it begins with \"" + excerpt(data, 80) + "\"");
}

/// What every element says of the answer as a whole.
bool is_envelope(std::string_view key) noexcept {
  return is_key(key, "modelVersion") || is_key(key, "responseId") || is_key(key, "createTime");
}

class StreamEditor final : public AnswerEditor {
 public:
  Status read(std::string_view data, AnswerTexts& out) override {
    out.take(data);
    if (data.find_first_not_of(" \t\r\n") == std::string_view::npos) return {};  // a ping
    const auto document = out.parse();
    if (!document || !document->root().is(Type::kObject)) return no_element(data);
    std::size_t candidates = 0;
    bool closes = false;
    envelope_.clear();
    std::string scratch;
    for (Value m = document->root().first(); m; m = m.next()) {
      const std::string_view key = m.key(scratch);
      if (key == "candidates" && m.is(Type::kArray)) {
        std::size_t position = 0;
        for (Value item = m.first(); item; item = item.next(), ++position, ++candidates) {
          if (reader_.read(item, position, out)) out.set_ends();
        }
      } else if (is_envelope(key)) {
        envelope_.emplace_back(key, out.raw(m));
      } else {
        closes = closes || is_key(key, "usageMetadata") || is_key(key, "promptFeedback");
      }
    }
    if (candidates == 0 && closes) out.set_ends();
    for (const AnswerText& text : out.texts()) out.step().index = std::max<std::int64_t>(out.step().index, text.address.choice);
    return {};
  }

  void write(const AnswerTexts& texts, std::string& out) override {
    reader_.note_changes(texts);
    texts.write(out, 0, texts.data().size());
  }

  Status split(const AnswerTexts& texts, std::string& said, std::string& end) override {
    const auto document = texts.parse();
    if (!document) return no_element(texts.data());
    reader_.note_changes(texts);
    write_said(texts, document->root(), said);
    write_end(texts, document->root(), end);
    return {};
  }

  Status add_event(const TextAddress& to, std::string_view text, std::string& out) override {
    // Calls come whole, and there are no refusals: nothing could be added to either.
    if (to.channel != TextChannel::kText && to.channel != TextChannel::kReasoning) return tl::unexpected(no_place(to));
    json::Writer writer(out);
    writer.begin_object().key("candidates").begin_array().begin_object();
    writer.key("content").begin_object().field("role", "model").key("parts").begin_array().begin_object().field("text", text);
    if (to.channel == TextChannel::kReasoning) writer.key("thought").boolean(true);
    writer.end_object().end_array().end_object().key("index").unsigned_integer(to.choice).end_object().end_array();
    for (const auto& [key, json] : envelope_) writer.key(key).raw(json);
    writer.end_object();
    return {};
  }

  void gave(const AnswerTexts& texts) override { last_choice_ = std::max(last_choice_, texts.step().index); }

  /// Every candidate that has said something ends.
  bool end_early(const EarlyEnd& end, std::string& out) override {
    if (!end.filtered) return false;
    std::string data;
    json::Writer writer(data);
    writer.begin_object().key("candidates").begin_array();
    for (std::int64_t choice = 0; choice <= last_choice_; ++choice) {
      writer.begin_object().key("content").begin_object().field("role", "model").key("parts").begin_array();
      writer.begin_object().field("text", "").end_object().end_array().end_object();
      writer.field("finishReason", finish_word(chat::FinishReason::kContentFilter, {})).key("index").integer(choice).end_object();
    }
    writer.end_array();
    if (!chat::empty(end.usage)) writer.key("usageMetadata").raw(write_usage(end.usage));
    for (const auto& [key, json] : envelope_) writer.key(key).raw(json);
    writer.end_object();
    http::append_event(out, end.framing, data);
    if (end.framing == http::Framing::kJsonArray) out += "\n]\n";
    return true;
  }

 private:
  /// The contents of an element, with nothing of an end about them.
  static void write_said(const AnswerTexts& texts, const Value& root, std::string& out) {
    json::Writer writer(out);
    writer.begin_object();
    std::string scratch;
    for (Value m = root.first(); m; m = m.next()) {
      const std::string_view key = m.key(scratch);
      if (is_envelope(key)) writer.key(key).raw(texts.raw(m));
      if (key != "candidates" || !m.is(Type::kArray)) continue;
      writer.key(key).begin_array();
      for (Value item = m.first(); item; item = item.next()) {
        if (!item.is(Type::kObject)) {
          writer.raw(texts.raw(item));
          continue;
        }
        writer.begin_object();
        for (Value part = item.first(); part; part = part.next()) {
          const std::string_view name = part.key(scratch);
          if (name != "index" && name != "content" && !is_key(name, "logprobsResult")) continue;
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

  /// The element without what write_said() gives; every other byte as it came.
  static void write_end(const AnswerTexts& texts, const Value& root, std::string& out) {
    std::size_t at = 0;
    const auto put = [&](const Value& value, std::string_view instead) {
      out.append(texts.data().substr(at, value.offset() - at)).append(instead);
      at = value.offset() + value.length();
    };
    std::string scratch;
    for (Value m = root.first(); m; m = m.next()) {
      if (m.key(scratch) != "candidates" || !m.is(Type::kArray)) continue;
      for (Value item = m.first(); item; item = item.next()) {
        for (Value part = item.is(Type::kObject) ? item.first() : Value{}; part; part = part.next()) {
          const std::string_view name = part.key(scratch);
          if (part.is(Type::kNull)) continue;
          if (name == "content") {
            // What servers themselves say where an end comes alone.
            put(part, R"({"role":"model","parts":[{"text":""}]})");
          } else if (is_key(name, "logprobsResult")) {
            put(part, "null");
          } else if (is_key(name, "groundingMetadata")) {
            std::string value;
            texts.write(value, part.offset(), part.offset() + part.length());
            put(part, value);
          }
        }
      }
    }
    out += texts.data().substr(at);
  }

  TextReader reader_;
  std::vector<std::pair<std::string, std::string>> envelope_;  // of the last element
  std::int64_t last_choice_ = 0;                               // of those that the caller has heard
};

}  // namespace

std::unique_ptr<AnswerEditor> make_stream_editor() { return std::make_unique<StreamEditor>(); }

}  // namespace sluice::dialect::gemini_parts
