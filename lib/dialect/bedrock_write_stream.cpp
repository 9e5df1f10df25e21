// Deltas into streams of the Bedrock dialect. Blocks come one after the other, each with an index of its own: calls are
// begun by an event, texts and thinking by their first words, and each is stopped before the next begins.

#include <map>
#include <optional>
#include <utility>

#include "dialect/bedrock.hpp"
#include "dialect/bedrock_blocks.hpp"
#include "http/event_reader.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::bedrock_parts {
namespace {

template <typename... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};
template <typename... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

class Encoder final : public DeltaEncoder {
 public:
  explicit Encoder(Framing framing) : framing_(framing) {}

  void encode(const chat::Delta& delta, std::string& out) override {
    // Bedrock's answers have one message, and nothing of it comes behind its end.
    if (failed_ || delta.choice != 0) return;
    std::visit(Overloaded{
                   [&](const chat::AnswerStart& d) {
                     for (const chat::Extra& e : d.extras) keep(e);
                   },
                   [&](const chat::TurnStart&) { begin(out); },
                   [&](const chat::TextDelta& d) { words(d.text, out); },
                   [&](const chat::RefusalDelta& d) { words(d.text, out); },
                   [&](const chat::ThinkingDelta& d) { thinking(d, out); },
                   [&](const chat::ToolCallStart& d) { call_start(d, out); },
                   [&](const chat::ToolCallDelta& d) { call_arguments(d, out); },
                   [&](const chat::CitationDelta& d) {
                     open(Kind::kText, out);
                     block_delta(index_, out, [&](json::Writer& w) {
                       w.key("citation");
                       write_citation(w, d.citation);
                     });
                   },
                   [&](const chat::FinishDelta& d) { finish(d.reason, d.native, out); },
                   [&](const chat::UsageDelta& d) { chat::merge(counts_, d.usage); },
                   [&](const chat::ExtraDelta& d) { extra(d, out); },
                   [&](const chat::ErrorDelta& d) {
                     out += encode_stream_error(d.error, {{}, d.provider_text, 0}, framing_);
                     failed_ = true;
                   },
                   [](const chat::AudioDelta&) {},     // Bedrock does not speak
                   [](const chat::LogprobsDelta&) {},  // nor count odds
               },
               delta.event);
  }

  void end(std::string& out) override {
    if (failed_) return;
    if (!stopped_) finish(chat::FinishReason::kStop, {}, out);
    if (chat::empty(counts_) && extras_.empty()) return;
    event("metadata", out, [&](json::Writer& w) {
      if (!chat::empty(counts_)) w.key("usage").raw(write_usage(counts_, extras_));
      for (const chat::Extra& e : extras_) {
        if (e.key.find('.') == std::string::npos) w.key(e.key).raw(e.json);
      }
      if (chat::find_extra(extras_, kName, "metrics") == nullptr) w.key("metrics").raw(kNoMetrics);
    });
  }

 private:
  enum class Kind : std::uint8_t { kNone, kText, kThinking, kRedacted, kCall };

  template <typename F>
  void event(std::string_view type, std::string& out, F&& write) {
    data_.clear();
    {
      json::Writer writer(data_);
      writer.begin_object();
      write(writer);
      writer.end_object();
    }
    http::append_event(out, framing_, data_, type);
  }

  template <typename F>
  void block_delta(std::uint32_t index, std::string& out, F&& write) {
    event("contentBlockDelta", out, [&](json::Writer& w) {
      w.key("contentBlockIndex").unsigned_integer(index).key("delta").begin_object();
      write(w);
      w.end_object();
    });
  }

  void begin(std::string& out) {
    if (std::exchange(started_, true)) return;
    event("messageStart", out, [](json::Writer& w) { w.field("role", "assistant"); });
  }

  void stop_block(std::string& out) {
    if (std::exchange(kind_, Kind::kNone) == Kind::kNone) return;
    event("contentBlockStop", out, [&](json::Writer& w) { w.key("contentBlockIndex").unsigned_integer(index_); });
  }

  void next_block(Kind kind, std::string& out) {
    begin(out);
    stop_block(out);
    kind_ = kind;
    index_ = next_index_++;
  }
  void open(Kind kind, std::string& out) {
    if (kind_ != kind) next_block(kind, out);
  }

  void words(const std::string& said, std::string& out) {
    if (said.empty() || stopped_) return;
    open(Kind::kText, out);
    block_delta(index_, out, [&](json::Writer& w) { w.field("text", said); });
  }

  void thinking(const chat::ThinkingDelta& d, std::string& out) {
    if (stopped_) return;
    const auto put = [&](std::string_view key, const std::string& value) {
      if (value.empty()) return;
      block_delta(index_, out, [&](json::Writer& w) { w.key("reasoningContent").begin_object().field(key, value).end_object(); });
    };
    if (!d.redacted.empty()) {
      next_block(Kind::kRedacted, out);
      put("redactedContent", d.redacted);
      return;
    }
    if (d.text.empty() && d.signature.empty()) return;
    // A signature ends its block.
    if (kind_ != Kind::kThinking || (signed_ && !d.text.empty())) {
      next_block(Kind::kThinking, out);
      signed_ = false;
    }
    put("text", d.text);
    put("signature", d.signature);
    signed_ = signed_ || !d.signature.empty();
  }

  void call_start(const chat::ToolCallStart& d, std::string& out) {
    if (stopped_) return;
    next_block(Kind::kCall, out);
    blocks_[d.index] = index_;
    const std::string id = d.id.empty() ? "call_" + std::to_string(d.index) : d.id;
    event("contentBlockStart", out, [&](json::Writer& w) {
      w.key("contentBlockIndex").unsigned_integer(index_).key("start").begin_object();
      w.key("toolUse").begin_object().field("toolUseId", id).field("name", d.name).end_object().end_object();
    });
  }

  void call_arguments(const chat::ToolCallDelta& d, std::string& out) {
    const auto block = blocks_.find(d.index);
    if (block == blocks_.end() || d.arguments.empty() || stopped_) return;
    // A call that others came between is still addressed by its index.
    block_delta(block->second, out, [&](json::Writer& w) { w.key("toolUse").begin_object().field("input", d.arguments).end_object(); });
  }

  void finish(chat::FinishReason reason, const std::string& native, std::string& out) {
    if (std::exchange(stopped_, true)) return;
    begin(out);
    stop_block(out);
    event("messageStop", out, [&](json::Writer& w) {
      w.field("stopReason", stop_reason(reason, native));
      if (const std::string* fields = chat::find_extra(extras_, kName, kFields)) w.key(kFields).raw(*fields);
    });
    std::erase_if(extras_, [](const chat::Extra& e) { return e.key == kFields; });
  }

  void keep(const chat::Extra& e) {
    if (e.dialect == kName) extras_.push_back(e);
  }

  void extra(const chat::ExtraDelta& d, std::string& out) {
    if (d.extra.dialect != kName) return;
    if (d.where == chat::ExtraDelta::Where::kAnswer) {
      keep(d.extra);
    } else if (d.extra.key == "events" && !stopped_) {
      replay(d.extra.json, out);
    }
  }

  /// Events of a block that only this dialect understands, as the decoder kept them, under the next index.
  void replay(const std::string& list, std::string& out) {
    const auto document = json::Document::parse(Body::copy(list));
    if (!document) return;
    for (json::Value item = document->root().first(); item; item = item.next()) {
      const json::Value kept = item.first();
      std::string scratch;
      const std::string type(kept.key(scratch));
      if (type == "contentBlockStart" || !replaying_) {
        begin(out);
        stop_block(out);
        index_ = next_index_++;
        replaying_ = true;
      }
      event(type, out, [&](json::Writer& w) {
        w.key("contentBlockIndex").unsigned_integer(index_);
        for (json::Value m = kept.first(); m; m = m.next()) w.key(m.key(scratch)).raw(m.raw());
      });
      if (type == "contentBlockStop") replaying_ = false;
    }
  }

  static constexpr std::string_view kFields = "additionalModelResponseFields";

  const Framing framing_;
  bool started_ = false, stopped_ = false, failed_ = false, signed_ = false, replaying_ = false;
  Kind kind_ = Kind::kNone;
  std::uint32_t index_ = 0, next_index_ = 0;       // of the block that is open, of the next one
  std::map<std::uint32_t, std::uint32_t> blocks_;  // of calls
  chat::Usage counts_;
  chat::Extras extras_;  // of the answer, for its last events
  std::string data_;
};

}  // namespace

std::unique_ptr<DeltaEncoder> make_delta_encoder(const AnswerForm& form) { return std::make_unique<Encoder>(form.framing); }

}  // namespace sluice::dialect::bedrock_parts
