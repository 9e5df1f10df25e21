// Deltas into streams of the Anthropic dialect: one block after the other, each begun and stopped, counted from 0.
//
// Blocks do not overlap, but calls of other dialects may: OpenAI's fragments name their call. So while the arguments of the
// open call are no whole JSON value, everything else waits, and goes out in order once they are, or once the answer ends.

#include <list>
#include <utility>

#include "dialect/anthropic.hpp"
#include "dialect/anthropic_blocks.hpp"
#include "dialect/anthropic_conversation.hpp"
#include "dialect/anthropic_stream.hpp"
#include "dialect/reading.hpp"

namespace sluice::dialect::anthropic_parts {
namespace {

using chat::Delta;
using json::Value;

/// Whether a JSON text that comes in pieces is whole. Knows brackets and strings; validates nothing.
class Whole {
 public:
  void feed(std::string_view text) noexcept {
    for (const char c : text) {
      if (in_string_) {
        in_string_ = escaped_ || c != '"';
        escaped_ = !escaped_ && c == '\\';
      } else if (c == '"') {
        in_string_ = true;
      } else if (c == '{' || c == '[') {
        ++depth_;
      } else if ((c == '}' || c == ']') && depth_ > 0) {
        closed_ = --depth_ == 0;
      }
    }
  }
  [[nodiscard]] bool closed() const noexcept { return closed_; }

 private:
  std::size_t depth_ = 0;
  bool in_string_ = false, escaped_ = false, closed_ = false;
};

class Encoder final : public DeltaEncoder {
 public:
  explicit Encoder(const AnswerForm& form) : framing_(form.framing), model_(form.model) {}

  void encode(const Delta& delta, std::string& out) override {
    if (failed_ || delta.choice != 0) return;
    if (const auto* error = delta.as<chat::ErrorDelta>()) {
      event("error", encode_error(error->error, {{}, error->provider_text, 0}), out);
      failed_ = true;
    } else if (const auto* start = delta.as<chat::AnswerStart>()) {
      begin(*start);
    } else if (const auto* counted = delta.as<chat::UsageDelta>()) {
      chat::merge(counts_, counted->usage);
    } else if (const auto* finish = delta.as<chat::FinishDelta>()) {
      finish_ = *finish;
    } else if (const auto* extra = delta.as<chat::ExtraDelta>(); extra != nullptr && extra->where != chat::ExtraDelta::Where::kTurn) {
      keep(*extra);
    } else if (may_go(delta)) {
      write(delta, out);
      if (!waiting_.empty() && !in_call()) drain(out);
    } else {
      waiting_.push_back(delta);
    }
  }

  void end(std::string& out) override {
    if (failed_) return;
    start(out);
    while (!waiting_.empty()) {
      stop(out);
      drain(out);
    }
    stop(out);
    text_.clear();
    {
      json::Writer writer(text_);
      writer.begin_object().field("type", "message_delta").key("delta").begin_object();
      const chat::FinishReason reason = refused_ ? chat::FinishReason::kContentFilter : finish_.reason;
      writer.field("stop_reason", stop_reason(reason, finish_.native, calls_ != 0)).key("stop_sequence");
      const std::string* sequence = chat::find_extra(stops_, kName, "stop_sequence");
      sequence != nullptr ? writer.raw(*sequence) : writer.null();
      for (const chat::Extra& extra : stops_) {
        if (extra.key != "stop_sequence") writer.key(extra.key).raw(extra.json);
      }
      writer.end_object().key("usage").raw(!last_usage_.empty() ? last_usage_ : !first_usage_.empty() ? first_usage_ : write_usage(counts_));
      for (const chat::Extra& extra : roots_) writer.key(extra.key).raw(extra.json);
      writer.end_object();
    }
    event("message_delta", text_, out);
    event("message_stop", R"({"type":"message_stop"})", out);
  }

 private:
  enum class Open : std::uint8_t { kNothing, kText, kThinking, kCall, kOther };

  void event(std::string_view name, std::string_view data, std::string& out) { http::append_event(out, framing_, data, name); }

  void begin(const chat::AnswerStart& start) {
    if (id_.empty()) id_ = start.id;
    if (!start.model.empty()) model_ = start.model;
    for (const chat::Extra& extra : start.extras) {
      if (extra.dialect != kName) continue;
      if (extra.key == "usage") {
        first_usage_ = extra.json;
      } else {
        first_.push_back(extra);
      }
    }
  }

  /// What this dialect says of the answer and its end.
  void keep(const chat::ExtraDelta& delta) {
    if (delta.extra.dialect != kName) return;
    if (delta.extra.key == "usage") {
      last_usage_ = delta.extra.json;
      return;
    }
    const bool of_the_stop = delta.where == chat::ExtraDelta::Where::kChoice || delta.extra.key == "container";
    (of_the_stop ? stops_ : roots_).push_back(delta.extra);
  }

  void start(std::string& out) {
    if (std::exchange(started_, true)) return;
    text_.clear();
    {
      json::Writer writer(text_);
      writer.begin_object().field("type", "message_start").key("message").begin_object();
      writer.field("id", id_.empty() ? std::string_view("msg_0") : std::string_view(id_)).field("type", "message").field("role", "assistant");
      writer.field("model", model_).key("content").begin_array().end_array();
      writer.key("stop_reason").null().key("stop_sequence").null();
      writer.key("usage").raw(first_usage_.empty() ? write_usage(counts_) : first_usage_);
      for (const chat::Extra& extra : first_) writer.key(extra.key).raw(extra.json);
      writer.end_object().end_object();
    }
    event("message_start", text_, out);
  }

  // Blocks.

  /// True while the arguments of the open call are not whole.
  [[nodiscard]] bool in_call() const noexcept { return open_ == Open::kCall && !whole_.closed(); }

  /// True where the delta need not wait for the open call.
  [[nodiscard]] bool may_go(const Delta& delta) const {
    if (!in_call()) return true;
    const auto* own = delta.as<chat::ToolCallDelta>();
    return own != nullptr && own->index == call_;
  }

  /// Writes what waited and may go now, in order; what belongs to a call that is not open yet waits on.
  void drain(std::string& out) {
    for (auto next = waiting_.begin(); next != waiting_.end();) {
      if (!may_go(*next)) {
        ++next;
        continue;
      }
      const Delta delta = std::move(*next);
      next = waiting_.erase(next);
      write(delta, out);
      if (!in_call()) next = waiting_.begin();  // what was passed over may go
    }
  }

  void write(const Delta& delta, std::string& out) {
    start(out);
    if (const auto* text = delta.as<chat::TextDelta>()) {
      say(text->text, out);
    } else if (const auto* refusal = delta.as<chat::RefusalDelta>()) {
      // A refusal of Anthropic's own stands in stop_details.
      if (chat::find_extra(stops_, kName, "stop_details") != nullptr) return;
      refused_ = true;
      say(refusal->text, out);
    } else if (const auto* thinking = delta.as<chat::ThinkingDelta>()) {
      think(*thinking, out);
    } else if (const auto* call = delta.as<chat::ToolCallStart>()) {
      start_call(*call, out);
    } else if (const auto* arguments = delta.as<chat::ToolCallDelta>()) {
      if (open_ != Open::kCall || arguments->index != call_ || arguments->arguments.empty()) return;
      whole_.feed(arguments->arguments);
      add("input_json_delta", "partial_json", arguments->arguments, out);
    } else if (const auto* citation = delta.as<chat::CitationDelta>()) {
      if (open_ != Open::kText) open(Open::kText, R"({"type":"text","text":""})", out);
      delta_event(out, [&](json::Writer& writer) {
        writer.begin_object().field("type", "citations_delta").key("citation");
        write_citation(writer, citation->citation);
        writer.end_object();
      });
    } else if (const auto* extra = delta.as<chat::ExtraDelta>(); extra != nullptr && extra->extra.dialect == kName && extra->extra.key == kBlocks) {
      native(extra->extra.json, out);
    }
  }

  void say(std::string_view text, std::string& out) {
    if (text.empty()) return;
    if (open_ != Open::kText) open(Open::kText, R"({"type":"text","text":""})", out);
    add("text_delta", "text", text, out);
  }

  void think(const chat::ThinkingDelta& delta, std::string& out) {
    if (!delta.redacted.empty()) {
      std::string block;
      json::Writer(block).begin_object().field("type", "redacted_thinking").field("data", delta.redacted).end_object();
      open(Open::kOther, block, out);
      return;
    }
    // A signature ends its block.
    if (open_ != Open::kThinking || signed_) open(Open::kThinking, R"({"type":"thinking","thinking":"","signature":""})", out);
    if (!delta.text.empty()) add("thinking_delta", "thinking", delta.text, out);
    if (delta.signature.empty()) return;
    add("signature_delta", "signature", delta.signature, out);
    signed_ = true;
  }

  void start_call(const chat::ToolCallStart& call, std::string& out) {
    std::string block;
    {
      json::Writer writer(block);
      writer.begin_object().field("type", "tool_use").field("id", call.id.empty() ? id_at(0, call.index) : call.id).field("name", call.name);
      writer.key("input").begin_object().end_object();
      for (const chat::Extra& extra : call.extras) {
        if (extra.dialect == kName) writer.key(extra.key).raw(extra.json);
      }
      writer.end_object();
    }
    open(Open::kCall, block, out);
    call_ = call.index;
    whole_ = {};
    ++calls_;
  }

  /// Blocks of this dialect's own, as they came.
  void native(const std::string& json, std::string& out) {
    const auto document = json::Document::parse(Body::copy(json));
    if (!document) return;
    const Value list = document->root();
    for (Value item = list.is(json::Type::kArray) ? list.first() : Value{}; item; item = item.next()) {
      if (const Value block = reading::member(item, kBlock)) open(Open::kOther, block.raw(), out);
      if (const Value delta = reading::member(item, kDelta); delta && open_ == Open::kOther) {
        delta_event(out, [&](json::Writer& writer) { writer.raw(delta.raw()); });
      }
    }
  }

  void open(Open kind, std::string_view block, std::string& out) {
    stop(out);
    text_.clear();
    json::Writer(text_).begin_object().field("type", "content_block_start").key("index").unsigned_integer(index_).key("content_block").raw(block).end_object();
    event("content_block_start", text_, out);
    open_ = kind;
    signed_ = false;
  }

  void stop(std::string& out) {
    if (std::exchange(open_, Open::kNothing) == Open::kNothing) return;
    text_.clear();
    json::Writer(text_).begin_object().field("type", "content_block_stop").key("index").unsigned_integer(index_++).end_object();
    event("content_block_stop", text_, out);
  }

  template <typename F>
  void delta_event(std::string& out, F&& write_delta) {
    text_.clear();
    {
      json::Writer writer(text_);
      writer.begin_object().field("type", "content_block_delta").key("index").unsigned_integer(index_).key("delta");
      write_delta(writer);
      writer.end_object();
    }
    event("content_block_delta", text_, out);
  }
  void add(std::string_view type, std::string_view key, std::string_view said, std::string& out) {
    delta_event(out, [&](json::Writer& writer) { writer.begin_object().field("type", type).field(key, said).end_object(); });
  }

  const Framing framing_;
  std::string id_, model_, text_;
  // This dialect's own words, where the answer is of this dialect.
  std::string first_usage_, last_usage_;
  chat::Extras first_, stops_, roots_;
  chat::Usage counts_;
  chat::FinishDelta finish_{chat::FinishReason::kNone, {}};
  bool started_ = false, failed_ = false, refused_ = false;
  // The open block.
  Open open_ = Open::kNothing;
  std::uint64_t index_ = 0;    // of the open block, or of the next one
  bool signed_ = false;
  std::uint32_t call_ = 0;     // the open call
  std::size_t calls_ = 0;      // begun so far
  Whole whole_;                // its arguments
  std::list<Delta> waiting_;
};

}  // namespace

std::unique_ptr<DeltaEncoder> make_delta_encoder(const AnswerForm& form) { return std::make_unique<Encoder>(form); }

}  // namespace sluice::dialect::anthropic_parts
