// Streams of Ollama's dialect, both ways: a line for each piece, and one that is done. A call stands whole in one line, so that
// the pieces of a call are gathered on their way to Ollama's callers; nothing else is.

#include <map>
#include <utility>

#include "dialect/chunk.hpp"
#include "dialect/ollama.hpp"
#include "dialect/ollama_turn.hpp"
#include "dialect/ollama_words.hpp"
#include "dialect/openai_answer.hpp"
#include "dialect/openai_stream.hpp"
#include "dialect/provider_words.hpp"
#include "dialect/reading.hpp"
#include "dialect/writing.hpp"

namespace sluice::dialect::ollama_parts {
namespace {

using chat::Delta;
using chat::LossSeverity;
using json::Type;
using json::Value;
using reading::member;
using reading::text;

class Decoder final : public DeltaDecoder {
 public:
  Status on_event(std::string_view, std::string_view data, std::vector<Delta>& out) override {
    if (done_) return {};
    if (chunk::skip_blanks(data, 0) == data.size()) return {};
    const auto document = json::Document::parse(Body::copy(data));
    if (!document || !document->root().is(Type::kObject)) return tl::unexpected(openai_parts::no_event(data));
    const Value root = document->root();
    if (member(root, "error")) {
      out.push_back({0, chat::ErrorDelta{embedded_error(root), error_text(root)}});
      done_ = true;
      return {};
    }
    const Value message = member(root, "message");
    const Value said = message ? message : root;
    if (!started_) start(root, out);
    if (std::string thought = text(said, "thinking"); !thought.empty()) out.push_back({0, chat::ThinkingDelta{std::move(thought)}});
    if (std::string words = text(said, message ? "content" : "response"); !words.empty()) out.push_back({0, chat::TextDelta{std::move(words)}});
    const Value calls = member(said, "tool_calls");
    for (Value call = calls.is(Type::kArray) ? calls.first() : Value{}; call; call = call.next()) read_call(call, out);
    if (const Value logprobs = member(root, "logprobs")) {
      const auto content = json::Document::parse(Body::from("{\"content\":" + std::string(logprobs.raw()) + "}"));
      auto read = content ? openai_parts::read_logprobs(content->root()) : std::nullopt;
      if (read) out.push_back({0, chat::LogprobsDelta{*std::move(read)}});
    }
    if (member(root, "done").boolean() == true) finish(root, out);
    return {};
  }

  bool over() const noexcept override { return done_; }
  Status on_end() override {
    if (done_) return {};
    return fail(Code::kUpstreamTruncated, "the upstream's stream ended before it said it was done");
  }

 private:
  void start(const Value& root, std::vector<Delta>& out) {
    started_ = true;
    chat::AnswerStart begin;
    begin.model = text(root, "model");
    const Value created = member(root, "created_at");
    begin.created = read_time(text(created));
    begin.id = id_ = made_up_id("ollama-", text(created), begin.model);
    if (created) reading::keep(begin.extras, kName, "created_at", created, LossSeverity::kNote);
    out.push_back({0, std::move(begin)});
    out.push_back({0, chat::TurnStart{}});
  }

  void read_call(const Value& call, std::vector<Delta>& out) {
    chat::ToolCall read = read_tool_call(call);
    if (read.id.empty()) {
      read.id = made_up_call(id_, calls_);
      read.extras.push_back(made_up_marker());
    }
    out.push_back({0, chat::ToolCallStart{calls_, chat::ToolKind::kFunction, std::move(read.id), std::move(read.name), false, {}, std::move(read.extras)}});
    out.push_back({0, chat::ToolCallDelta{calls_++, std::move(read.arguments)}});
  }

  void finish(const Value& root, std::vector<Delta>& out) {
    done_ = true;
    std::string scratch;
    for (Value m = root.first(); m; m = m.next()) {
      const std::string_view key = m.key(scratch);
      if (!is_beside(key) || m.is(Type::kNull)) continue;
      out.push_back({0, chat::ExtraDelta{chat::ExtraDelta::Where::kAnswer, {kName, std::string(key), std::string(m.raw()), LossSeverity::kNote}}});
    }
    chat::FinishDelta end;
    const std::string reason = text(root, "done_reason");
    end.reason = finish_of(reason, calls_ > 0);
    if (reason != to_string(end.reason)) end.native = reason;
    out.push_back({0, std::move(end)});
    if (const chat::Usage usage = read_usage(root); !chat::empty(usage)) out.push_back({0, chat::UsageDelta{usage, {}}});
  }

  bool started_ = false, done_ = false;
  std::uint32_t calls_ = 0;
  std::string id_;
};

class Encoder final : public DeltaEncoder {
 public:
  explicit Encoder(const AnswerForm& form) : generate_(shape_of(form.request) == Shape::kGenerate), model_(form.model) {}

  void encode(const Delta& delta, std::string& out) override {
    if (failed_ || delta.choice != 0) return;  // Ollama gives one answer
    if (const auto* start = delta.as<chat::AnswerStart>()) {
      begin(*start);
    } else if (const auto* said = delta.as<chat::TextDelta>()) {
      say(said->text, {}, out);
    } else if (const auto* refused = delta.as<chat::RefusalDelta>()) {
      say(refused->text, {}, out);
    } else if (const auto* thought = delta.as<chat::ThinkingDelta>()) {
      say({}, thought->text, out);
    } else if (const auto* call = delta.as<chat::ToolCallStart>()) {
      calls_[call->index] = {call->kind, call->id, call->name, {}, {}, false, call->extras};
    } else if (const auto* piece = delta.as<chat::ToolCallDelta>()) {
      calls_[piece->index].arguments += piece->arguments;
    } else if (const auto* end = delta.as<chat::FinishDelta>()) {
      reason_ = end->reason;
      native_ = end->native;
      tell_calls(out);
    } else if (const auto* counted = delta.as<chat::UsageDelta>()) {
      chat::merge(counts_, counted->usage);
    } else if (const auto* extra = delta.as<chat::ExtraDelta>()) {
      if (extra->where == chat::ExtraDelta::Where::kAnswer) beside_.push_back(extra->extra);
    } else if (const auto* failed = delta.as<chat::ErrorDelta>()) {
      out.append(encode_error(failed->error, {{}, failed->provider_text, 0})).append("\n");
      failed_ = true;
    }
  }

  void end(std::string& out) override {
    if (failed_) return;
    tell_calls(out);
    line(out, true, [&](json::Writer& w) { w.field(generate_ ? "response" : "content", ""); });
  }

 private:
  void begin(const chat::AnswerStart& start) {
    if (!start.model.empty()) model_ = start.model;
    const std::string* own = chat::find_extra(start.extras, kName, "created_at");
    created_ = own != nullptr ? *own : json::quoted(write_time(start.created.value_or(0)));
  }

  template <typename F>
  void line(std::string& out, bool done, F&& write) {
    text_.clear();
    {
      json::Writer writer(text_);
      writer.begin_object().field("model", model_).key("created_at").raw(created_);
      if (!generate_) writer.key("message").begin_object().field("role", "assistant");
      write(writer);
      if (!generate_) writer.end_object();
      writer.key("done").boolean(done);
      if (done) {
        writer.field("done_reason", finish_word(reason_, native_));
        writing::put_own_extras(writer, beside_, kName);
        write_usage(writer, counts_);
      }
      writer.end_object();
    }
    http::append_event(out, Framing::kNdjson, text_);  // arguments may have been printed over several lines
  }

  void say(const std::string& words, const std::string& thought, std::string& out) {
    if (words.empty() && thought.empty()) return;  // signatures have no place in this dialect
    line(out, false, [&](json::Writer& w) {
      w.field(generate_ ? "response" : "content", words);
      writing::put(w, "thinking", thought);
    });
  }

  void tell_calls(std::string& out) {
    for (const auto& [index, call] : std::exchange(calls_, {})) {
      line(out, false, [&, n = index, &told = call](json::Writer& w) {
        w.field(generate_ ? "response" : "content", "").key("tool_calls").begin_array();
        write_tool_call(w, told, told.id, told.id.empty() || is_made_up(told.extras), n);
        w.end_array();
      });
    }
  }

  const bool generate_;
  bool failed_ = false;
  std::string model_, created_ = "\"1970-01-01T00:00:00Z\"", native_, text_;
  chat::FinishReason reason_ = chat::FinishReason::kStop;
  std::map<std::uint32_t, chat::ToolCall> calls_;
  chat::Extras beside_;
  chat::Usage counts_;
};

}  // namespace

std::unique_ptr<DeltaDecoder> make_delta_decoder() { return std::make_unique<Decoder>(); }
std::unique_ptr<DeltaEncoder> make_delta_encoder(const AnswerForm& form) { return std::make_unique<Encoder>(form); }

std::string event_text(std::string_view data) {
  const auto document = json::Document::parse(Body::copy(data));
  if (!document) return {};
  const Value message = member(document->root(), "message");
  return message ? text(message, "content") : text(document->root(), "response");
}

}  // namespace sluice::dialect::ollama_parts
