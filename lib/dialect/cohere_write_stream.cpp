// Deltas into a stream of the Cohere dialect. Blocks of content open and close in pairs and count from 0, and so do calls and
// citations, each kind for itself. What ends a stream (the reason, the usage) stands in one event, written at its end.

#include <optional>
#include <utility>

#include "dialect/cohere.hpp"
#include "dialect/cohere_turn.hpp"
#include "dialect/writing.hpp"
#include "http/sse.hpp"

namespace sluice::dialect::cohere_parts {
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
  void encode(const Delta& delta, std::string& out) override {
    if (failed_ || delta.choice != 0) return;  // Cohere gives one answer
    std::visit(Overloaded{
                   [&](const chat::AnswerStart& d) { id_ = id_.empty() ? d.id : id_; },
                   [&](const chat::TurnStart&) { start(out); },
                   [&](const chat::TextDelta& d) { say(Block::kText, d.text, out); },
                   [&](const chat::RefusalDelta& d) { say(Block::kText, d.text, out); },
                   [&](const chat::ThinkingDelta& d) { d.field == kToolPlan ? plan(d.text, out) : say(Block::kThinking, d.text, out); },
                   [&](const chat::ToolCallStart& d) { begin_call(d, out); },
                   [&](const chat::ToolCallDelta& d) { add_arguments(d, out); },
                   [&](const chat::CitationDelta& d) { cite(d.citation, out); },
                   [&](const chat::LogprobsDelta& d) { tell_logprobs(d.logprobs, out); },
                   [&](const chat::FinishDelta& d) {
                     reason_ = d.reason;
                     native_ = d.native;
                   },
                   [&](const chat::UsageDelta& d) {
                     chat::merge(counts_, d.usage);
                     raw_usage_ = d.raw;
                   },
                   [&](const chat::ErrorDelta& d) {
                     send("message-end", failed_end(d.error, {{}, d.provider_text, 0}), out);
                     http::append_event(out, "[DONE]");
                     failed_ = true;
                   },
                   [](const auto&) {},  // sound, and members of other dialects
               },
               delta.event);
  }

  void end(std::string& out) override {
    if (failed_) return;
    start(out);
    close_block(out);
    close_call(out);
    event("message-end", out, [&](json::Writer& w) {
      w.key("delta").begin_object().field("finish_reason", finish_word(reason_, native_));
      if (!raw_usage_.empty() && is_own_usage(raw_usage_)) {
        w.key("usage").raw(raw_usage_);
      } else if (!chat::empty(counts_)) {
        w.key("usage").raw(write_usage(counts_));
      }
      w.end_object();
    });
    http::append_event(out, "[DONE]");
  }

 private:
  enum class Block : std::uint8_t { kNone, kText, kThinking };

  static void send(std::string_view name, std::string_view data, std::string& out) { http::append_event(out, data, name); }

  template <typename F>
  void event(std::string_view type, std::string& out, F&& write) {
    text_.clear();
    {
      json::Writer writer(text_);
      writer.begin_object().field("type", type);
      write(writer);
      writer.end_object();
    }
    send(type, text_, out);
  }
  /// An event whose delta is a piece of the message.
  template <typename F>
  void piece(std::string_view type, std::optional<std::uint32_t> index, std::string& out, F&& write) {
    event(type, out, [&](json::Writer& w) {
      writing::put(w, "index", index);
      w.key("delta").begin_object().key("message").begin_object();
      write(w);
      w.end_object().end_object();
    });
  }
  void end_of(std::string_view type, std::uint32_t index, std::string& out) {
    event(type, out, [&](json::Writer& w) { w.key("index").unsigned_integer(index); });
  }

  void start(std::string& out) {
    if (std::exchange(started_, true)) return;
    event("message-start", out, [&](json::Writer& w) {
      if (!id_.empty()) w.field("id", id_);
      w.key("delta").begin_object().key("message").begin_object().field("role", "assistant");
      w.key("content").begin_array().end_array().field("tool_plan", "");
      w.key("tool_calls").begin_array().end_array().key("citations").begin_array().end_array().end_object().end_object();
    });
  }

  static std::string_view name_of(Block block) noexcept { return block == Block::kThinking ? "thinking" : "text"; }

  void open_block(Block block, std::string& out) {
    start(out);
    close_call(out);
    if (open_ == block) return;
    close_block(out);
    open_ = block;
    piece("content-start", blocks_, out, [&](json::Writer& w) {
      w.key("content").begin_object().field("type", name_of(block)).field(name_of(block), "").end_object();
    });
  }
  void close_block(std::string& out) {
    if (open_ == Block::kNone) return;
    end_of("content-end", blocks_++, out);
    open_ = Block::kNone;
  }

  void say(Block block, std::string_view text, std::string& out) {
    if (text.empty()) return;  // signatures have no place in this dialect
    open_block(block, out);
    piece("content-delta", blocks_, out, [&](json::Writer& w) { w.key("content").begin_object().field(name_of(block), text).end_object(); });
  }

  void plan(std::string_view text, std::string& out) {
    if (text.empty()) return;
    start(out);
    close_block(out);
    piece("tool-plan-delta", std::nullopt, out, [&](json::Writer& w) { w.field(kToolPlan, text); });
  }

  void begin_call(const chat::ToolCallStart& d, std::string& out) {
    start(out);
    close_block(out);
    close_call(out);
    call_ = d.index;
    piece("tool-call-start", d.index, out, [&](json::Writer& w) {
      w.key("tool_calls").begin_object().field("id", d.id.empty() ? CallIds::made_up(d.index) : d.id).field("type", "function");
      w.key("function").begin_object().field("name", d.name).field("arguments", "").end_object();
      writing::put_own_extras(w, d.extras, kName);
      w.end_object();
    });
  }
  /// A late piece of a call that was closed for another is told by its index all the same: nothing is lost.
  void add_arguments(const chat::ToolCallDelta& d, std::string& out) {
    if (d.arguments.empty()) return;
    piece("tool-call-delta", d.index, out, [&](json::Writer& w) {
      w.key("tool_calls").begin_object().key("function").begin_object().field("arguments", d.arguments).end_object().end_object();
    });
  }
  void close_call(std::string& out) {
    if (!call_) return;
    end_of("tool-call-end", *call_, out);
    call_.reset();
  }

  void cite(const chat::Citation& citation, std::string& out) {
    start(out);
    piece("citation-start", citations_, out, [&](json::Writer& w) {
      w.key("citations");
      write_citation(w, citation);
    });
    end_of("citation-end", citations_++, out);
  }

  /// Beside an empty text: the one it belongs to has been sent or comes next.
  void tell_logprobs(const chat::Logprobs& logprobs, std::string& out) {
    for (const chat::TokenLogprob& token : logprobs.content) {
      open_block(Block::kText, out);
      event("content-delta", out, [&](json::Writer& w) {
        w.key("index").unsigned_integer(blocks_).key("delta").begin_object().key("message").begin_object();
        w.key("content").begin_object().field("text", "").end_object().end_object().end_object();
        w.key("logprobs").begin_object().field("text", token.token).key("token_ids").begin_array().end_array();
        w.key("logprobs").begin_array().number(token.logprob).end_array().end_object();
      });
    }
  }

  std::string id_, text_, native_, raw_usage_;
  bool started_ = false, failed_ = false;
  Block open_ = Block::kNone;
  std::uint32_t blocks_ = 0, citations_ = 0;
  std::optional<std::uint32_t> call_;
  chat::FinishReason reason_ = chat::FinishReason::kStop;
  chat::Usage counts_;
};

}  // namespace

std::unique_ptr<DeltaEncoder> make_delta_encoder() { return std::make_unique<Encoder>(); }

}  // namespace sluice::dialect::cohere_parts
