// Deltas into streams of the OpenAI dialect: a chunk each.

#include <map>
#include <utility>

#include "dialect/openai.hpp"
#include "dialect/openai_answer.hpp"
#include "dialect/openai_stream.hpp"
#include "dialect/openai_turn.hpp"
#include "http/sse.hpp"

namespace sluice::dialect::openai_parts {
namespace {

using chat::Delta;

template <typename... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};
template <typename... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

class Encoder final : public DeltaEncoder {
 public:
  Encoder(Operation operation, bool usage, std::string_view model) : operation_(operation), usage_(usage), asked_model_(model) {}

  void encode(const Delta& delta, std::string& out) override {
    std::visit(Overloaded{
                   [&](const chat::AnswerStart& d) { begin(d); },
                   [&](const chat::TurnStart&) {
                     if (operation_ != Operation::kChat) return;
                     chunk(delta.choice, out, [](json::Writer& w) { w.field("role", "assistant").field("content", ""); });
                   },
                   [&](const chat::TextDelta& d) {
                     if (operation_ == Operation::kCompletions) {
                       completion(delta.choice, d.text, chat::FinishReason::kNone, {}, out);
                     } else {
                       chunk(delta.choice, out, [&](json::Writer& w) { w.field("content", d.text); });
                     }
                   },
                   [&](const chat::ThinkingDelta& d) {
                     if (d.text.empty()) return;  // signatures have no place in this dialect
                     chunk(delta.choice, out,
                           [&](json::Writer& w) { w.field(thinking_field(d.field), d.text); });
                   },
                   [&](const chat::RefusalDelta& d) { chunk(delta.choice, out, [&](json::Writer& w) { w.field("refusal", d.text); }); },
                   [&](const chat::ToolCallStart& d) { tool_start(delta.choice, d, out); },
                   [&](const chat::ToolCallDelta& d) { tool_arguments(delta.choice, d, out); },
                   [&](const chat::AudioDelta& d) {
                     chunk(delta.choice, out, [&](json::Writer& w) {
                       w.key("audio").begin_object();
                       if (!d.id.empty()) w.field("id", d.id);
                       if (!d.data.empty()) w.field("data", d.data);
                       if (!d.transcript.empty()) w.field("transcript", d.transcript);
                       if (d.expires_at) w.key("expires_at").integer(*d.expires_at);
                       w.end_object();
                     });
                   },
                   [&](const chat::CitationDelta& d) {
                     if (!is_annotation(d.citation)) return;
                     chunk(delta.choice, out, [&](json::Writer& w) {
                       w.key("annotations").begin_array();
                       write_annotation(w, d.citation);
                       w.end_array();
                     });
                   },
                   [&](const chat::LogprobsDelta& d) {
                     // Beside an empty delta: the text it belongs to has been sent or comes next.
                     open(out);
                     choice_open(delta.choice);
                     writer_->key("delta").begin_object().end_object().key("logprobs");
                     write_logprobs(*writer_, d.logprobs);
                     writer_->key("finish_reason").null();
                     choice_close();
                     close(out);
                   },
                   [&](const chat::FinishDelta& d) { finish(delta.choice, d, out); },
                   [&](const chat::UsageDelta& d) {
                     chat::merge(counts_, d.usage);
                     raw_usage_ = is_own_usage(d.raw) ? d.raw : std::string();
                   },
                   [&](const chat::ExtraDelta& d) { extra(delta.choice, d, out); },
                   [&](const chat::ErrorDelta& d) {
                     http::append_event(out, encode_error(d.error, {{}, d.provider_text, 0}));
                     failed_ = true;
                   },
               },
               delta.event);
  }

  void end(std::string& out) override {
    if (failed_) return;
    if (usage_ && (!raw_usage_.empty() || !chat::empty(counts_))) {
      open(out);
      writer_->end_array().key("usage").raw(raw_usage_.empty() ? write_usage(counts_, operation_) : raw_usage_);
      writer_->end_object();
      send(out);
    }
    http::append_event(out, "[DONE]");
  }

 private:
  void begin(const chat::AnswerStart& start) {
    if (id_.empty()) id_ = start.id;
    if (model_.empty()) model_ = start.model;
    if (!created_) created_ = start.created;
    for (const chat::Extra& e : start.extras) {
      if (e.dialect == kName) root_extras_.push_back(e);
    }
  }

  /// Begins a chunk, up to inside `choices`.
  void open(std::string&) {
    text_.clear();
    writer_.emplace(text_);
    writer_->begin_object().field("id", id_);
    writer_->field("object", operation_ == Operation::kCompletions ? "text_completion" : "chat.completion.chunk");
    writer_->key("created").integer(created_.value_or(0)).field("model", model_.empty() ? asked_model_ : model_);
    for (const chat::Extra& e : root_extras_) writer_->key(e.key).raw(e.json);
    root_extras_.clear();  // said once
    writer_->key("choices").begin_array();
  }
  void close(std::string& out) {
    writer_->end_array().end_object();
    send(out);
  }
  void send(std::string& out) {
    writer_.reset();
    http::append_event(out, text_);
  }
  void choice_open(std::uint32_t index) { writer_->begin_object().key("index").unsigned_integer(index); }
  void choice_close() { writer_->end_object(); }

  template <typename F>
  void chunk(std::uint32_t index, std::string& out, F&& write_delta) {
    open(out);
    choice_open(index);
    writer_->key("delta").begin_object();
    write_delta(*writer_);
    writer_->end_object().key("finish_reason").null();
    choice_close();
    close(out);
  }

  void completion(std::uint32_t index, std::string_view said, chat::FinishReason reason, const std::string& native, std::string& out) {
    open(out);
    choice_open(index);
    writer_->field("text", said).key("logprobs").null();
    write_finish(*writer_, reason, native, false);
    choice_close();
    close(out);
  }

  void tool_start(std::uint32_t index, const chat::ToolCallStart& d, std::string& out) {
    chunk(index, out, [&](json::Writer& w) {
      if (d.legacy) {
        w.key("function_call").begin_object().field("name", d.name).field("arguments", "").end_object();
        return;
      }
      const bool custom = d.kind == chat::ToolKind::kCustom;
      const std::string_view type = custom ? "custom" : "function";
      w.key("tool_calls").begin_array().begin_object().key("index").unsigned_integer(d.index).field("id", d.id).field("type", type);
      w.key(type).begin_object().field("name", d.name).field(custom ? "input" : "arguments", "").end_object();
      for (const chat::Extra& e : d.extras) {
        if (e.dialect == kName) w.key(e.key).raw(e.json);
      }
      w.end_object().end_array();
    });
    kinds_[{index, d.index}] = d.legacy ? CallShape::kLegacy : d.kind == chat::ToolKind::kCustom ? CallShape::kCustom : CallShape::kFunction;
  }

  void tool_arguments(std::uint32_t index, const chat::ToolCallDelta& d, std::string& out) {
    const auto found = kinds_.find({index, d.index});
    const CallShape shape = found == kinds_.end() ? CallShape::kFunction : found->second;
    chunk(index, out, [&](json::Writer& w) {
      if (shape == CallShape::kLegacy) {
        w.key("function_call").begin_object().field("arguments", d.arguments).end_object();
        return;
      }
      const bool custom = shape == CallShape::kCustom;
      w.key("tool_calls").begin_array().begin_object().key("index").unsigned_integer(d.index);
      w.key(custom ? "custom" : "function").begin_object().field(custom ? "input" : "arguments", d.arguments).end_object();
      w.end_object().end_array();
    });
  }

  void finish(std::uint32_t index, const chat::FinishDelta& d, std::string& out) {
    if (operation_ == Operation::kCompletions) {
      completion(index, "", d.reason, d.native, out);
      return;
    }
    open(out);
    choice_open(index);
    writer_->key("delta").begin_object().end_object();
    write_finish(*writer_, d.reason, d.native, false);
    choice_close();
    close(out);
  }

  void extra(std::uint32_t index, const chat::ExtraDelta& d, std::string& out) {
    if (d.extra.dialect != kName) return;
    if (d.where == chat::ExtraDelta::Where::kAnswer) {
      root_extras_.push_back(d.extra);
      return;
    }
    if (d.where == chat::ExtraDelta::Where::kTurn) {
      chunk(index, out, [&](json::Writer& w) { w.key(d.extra.key).raw(d.extra.json); });
      return;
    }
    open(out);
    choice_open(index);
    if (operation_ == Operation::kChat) {
      writer_->key("delta").begin_object().end_object();
    } else {
      writer_->field("text", "");
    }
    writer_->key(d.extra.key).raw(d.extra.json).key("finish_reason").null();
    choice_close();
    close(out);
  }

  Operation operation_;
  bool usage_, failed_ = false;
  std::string id_, model_, asked_model_, text_, raw_usage_;
  std::optional<std::int64_t> created_;
  chat::Extras root_extras_;
  chat::Usage counts_;
  std::optional<json::Writer> writer_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, CallShape> kinds_;
};

}  // namespace

std::unique_ptr<DeltaEncoder> make_delta_encoder(Operation operation, bool usage, std::string_view model) {
  return std::make_unique<Encoder>(operation, usage, model);
}

}  // namespace sluice::dialect::openai_parts
