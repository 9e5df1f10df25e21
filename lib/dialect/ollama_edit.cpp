// Edits answers of Ollama's dialect: the texts of a line or of a whole answer, which look alike. A call stands whole in its line;
// its arguments are an object, and stay JSON while that is what they say.

#include <optional>

#include "dialect/chunk.hpp"
#include "dialect/excerpt.hpp"
#include "dialect/ollama.hpp"
#include "dialect/ollama_words.hpp"
#include "dialect/openai_stream.hpp"
#include "dialect/openai_texts.hpp"
#include "dialect/reading.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::ollama_parts {
namespace {

using json::Type;
using json::Value;
using openai_parts::place_in;
using openai_parts::place_of;
using reading::member;
using Form = AnswerTexts::Form;
using Place = AnswerTexts::Place;

class Editor final : public AnswerEditor {
 public:
  explicit Editor(bool streaming) : streaming_(streaming) {}

  Status read(std::string_view data, AnswerTexts& out) override {
    out.take(data);
    if (streaming_ && chunk::skip_blanks(data, 0) == data.size()) return {};
    const auto document = out.parse();
    if (!document || !document->root().is(Type::kObject)) {
      if (streaming_) return tl::unexpected(openai_parts::no_event(data));
      return fail(Code::kUpstreamInvalidAnswer, "the upstream's answer is no JSON object" +
                  (document ? std::string() : " (" + document.error().message + ")") + "; it begins with \"" + excerpt(data, 80) + "\"");
    }
    const Value root = document->root();
    const Value message = member(root, "message");
    generate_ = !message.is(Type::kObject);
    if (streaming_ && member(root, "done").boolean() == true) out.set_ends();
    model_ = member(root, "model") ? std::string(out.raw(member(root, "model"))) : model_;
    created_ = member(root, "created_at") ? std::string(out.raw(member(root, "created_at"))) : created_;
    read_holder(root, generate_ ? root : message, out);
    return {};
  }

  void write(const AnswerTexts& texts, std::string& out) override { texts.write(out, 0, texts.data().size()); }

  Status split(const AnswerTexts& texts, std::string& said, std::string& end) override {
    const auto document = texts.parse();
    if (!document) return tl::unexpected(openai_parts::no_event(texts.data()));
    const Value root = document->root();
    write_said(texts, root, said);
    write_end(texts, root, end);
    return {};
  }

  Status add_event(const TextAddress& to, std::string_view text, std::string& out) override {
    if (to.choice != 0 || (to.channel != TextChannel::kText && to.channel != TextChannel::kReasoning)) return tl::unexpected(no_place(to));
    const bool thinking = to.channel == TextChannel::kReasoning;
    json::Writer writer(out);
    writer.begin_object().key("model").raw(model_).key("created_at").raw(created_);
    if (!generate_) writer.key("message").begin_object().field("role", "assistant");
    writer.field(generate_ ? "response" : "content", thinking ? std::string_view() : text);
    if (thinking) writer.field("thinking", text);
    if (!generate_) writer.end_object();
    writer.key("done").boolean(false).end_object();
    return {};
  }

  Status add_text(const TextAddress& to, std::string_view text, AnswerTexts& answer) override {
    if (answer.append(to, text)) return {};
    const auto document = answer.parse();
    const auto spot = document && to.choice == 0 ? spot_in(document->root(), to.channel) : std::nullopt;
    if (!spot) return tl::unexpected(no_place(to));
    answer.put({.address = to, .replacement = std::string(text)}, *spot);
    for (Place& place : answer.places()) place.always = place.always || place.form == Form::kNull;
    return {};
  }

 private:
  void read_holder(const Value& root, const Value& holder, AnswerTexts& out) {
    const std::string_view said = generate_ ? "response" : "content";
    std::string scratch;
    for (Value m = holder.first(); m; m = m.next()) {
      const std::string_view key = m.key(scratch);
      const bool text = m.is(Type::kString) && !m.raw_string().empty();
      if (text && key == said) {
        put(TextChannel::kText, m, out);
      } else if (text && key == "thinking") {
        put(TextChannel::kReasoning, m, out);
      } else if (key == "tool_calls" && m.is(Type::kArray)) {
        for (Value call = m.first(); call; call = call.next()) put_call(call, out);
      }
    }
    // Token by token the same texts again.
    if (const Value logprobs = member(root, "logprobs"); logprobs && !out.texts().empty()) {
      Place place = place_of(logprobs, Form::kNull);
      place.count = out.texts().size();
      auto& places = out.places();
      auto behind = places.begin();
      while (behind != places.end() && behind->begin < place.begin) ++behind;
      places.insert(behind, place);
    }
  }

  static void put(TextChannel channel, const Value& value, AnswerTexts& out) {
    out.put({.address = {0, channel, 0}, .text = out.keep(value)}, place_of(value));
  }

  void put_call(const Value& call, AnswerTexts& out) {
    const Value function = member(call, "function"), name = member(function, "name"), arguments = member(function, "arguments");
    AnswerText text{.address = {0, TextChannel::kToolArguments, calls_++}};
    if (name.is(Type::kString)) text.tool_name = out.keep(name);
    if (arguments.is(Type::kString)) {
      text.text = out.keep(arguments);
      out.put(std::move(text), place_of(arguments));
    } else if (arguments) {
      text.text = out.raw(arguments);
      out.put(std::move(text), place_of(arguments, Form::kJson));
    } else if (function.is(Type::kObject) && !function.find("arguments").value_or(Value{})) {
      out.put(std::move(text), place_in(function, R"("arguments":)"));
    }
  }

  /// The texts of a line that is done, as one that is not.
  void write_said(const AnswerTexts& texts, const Value& root, std::string& out) const {
    json::Writer writer(out);
    writer.begin_object();
    std::string scratch;
    for (Value m = root.first(); m; m = m.next()) {
      const std::string_view key = m.key(scratch);
      const bool tells = key == "model" || key == "created_at" || key == "message" || key == "response" || key == "thinking" || key == "tool_calls" || key == "logprobs";
      if (!tells) continue;
      std::string value;
      texts.write(value, m.offset(), m.offset() + m.length());
      writer.key(key).raw(value);
    }
    writer.key("done").boolean(false).end_object();
  }

  /// The line without what write_said() gives; every other byte as it came.
  static void write_end(const AnswerTexts& texts, const Value& root, std::string& out) {
    std::size_t at = 0;
    std::string scratch;
    for (Value m = root.first(); m; m = m.next()) {
      const std::string_view key = m.key(scratch);
      std::string_view instead;
      if (key == "message") instead = R"({"role":"assistant","content":""})";
      if (key == "response" || key == "thinking") instead = "\"\"";
      if (key == "tool_calls" || key == "logprobs") instead = "[]";
      if (instead.empty() || m.is(Type::kNull)) continue;
      out.append(texts.data().substr(at, m.offset() - at)).append(instead);
      at = m.offset() + m.length();
    }
    out += texts.data().substr(at);
  }

  /// Where a text of that channel could stand in a whole answer.
  [[nodiscard]] std::optional<Place> spot_in(const Value& root, TextChannel channel) const {
    const Value holder = generate_ ? root : member(root, "message");
    if (!holder.is(Type::kObject) || (channel != TextChannel::kText && channel != TextChannel::kReasoning)) return std::nullopt;
    const bool thinking = channel == TextChannel::kReasoning;
    const Value stands = holder.find(thinking ? "thinking" : generate_ ? "response" : "content").value_or(Value{});
    if (stands.is(Type::kString) || stands.is(Type::kNull)) return place_of(stands);
    if (stands) return std::nullopt;
    return thinking ? place_in(holder, R"("thinking":)") : place_in(holder, generate_ ? R"("response":)" : R"("content":)");
  }

  const bool streaming_;
  bool generate_ = false;
  std::uint32_t calls_ = 0;
  std::string model_ = "\"\"", created_ = "\"1970-01-01T00:00:00Z\"";
};

}  // namespace

std::unique_ptr<AnswerEditor> make_editor(bool streaming) { return std::make_unique<Editor>(streaming); }

}  // namespace sluice::dialect::ollama_parts
