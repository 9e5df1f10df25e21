// Deltas into streams of the Responses API.
//
// The last event repeats the whole answer, so what was written is kept, once, as the items it belongs to; the events that
// end a part or an item are written from there too.

#include <deque>
#include <map>
#include <utility>

#include "dialect/responses.hpp"
#include "dialect/responses_envelope.hpp"
#include "dialect/responses_items.hpp"
#include "dialect/responses_streamed_item.hpp"
#include "http/sse.hpp"

namespace sluice::dialect::responses_parts {
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
  explicit Encoder(const AnswerForm& form) : envelope_(form) {}

  void encode(const Delta& delta, std::string& out) override {
    if (ended_ || delta.choice != 0) return;  // a response is one answer
    std::visit(Overloaded{
                   [&](const chat::AnswerStart& d) {
                     envelope_.begin(d.id, d.model, d.created);
                     for (const chat::Extra& extra : d.extras) envelope_.set(extra);
                     start(out);
                   },
                   [&](const chat::TurnStart&) { start(out); },
                   [&](const chat::TextDelta& d) { say(false, d.text, out); },
                   [&](const chat::RefusalDelta& d) { say(true, d.text, out); },
                   [&](const chat::ThinkingDelta& d) { think(d, out); },
                   [&](const chat::ToolCallStart& d) { begin_call(d, out); },
                   [&](const chat::ToolCallDelta& d) { arguments(d, out); },
                   [](const chat::AudioDelta&) {},  // no place for it
                   [&](const chat::CitationDelta& d) { cite(d.citation, out); },
                   [&](const chat::LogprobsDelta& d) { logprobs(d.logprobs.content, out); },
                   [&](const chat::FinishDelta& d) {
                     finish_ = d.reason;
                     close_all(out);
                   },
                   [&](const chat::UsageDelta& d) { chat::merge(usage_, d.usage); },
                   [&](const chat::ExtraDelta& d) { extra(d, out); },
                   [&](const chat::ErrorDelta& d) { fail_with(d, out); },
               },
               delta.event);
  }

  void end(std::string& out) override {
    if (ended_) return;
    start(out);
    close_all(out);
    const ResponseStatus status = status_of(finish_);
    terminal(status.status == "incomplete" ? "response.incomplete" : "response.completed", status, {}, out);
  }

 private:
  using Item = StreamedItem;
  using Kind = Item::Kind;

  /// One event: `write` puts what stands behind its type and number.
  template <typename F>
  void event(std::string_view type, std::string& out, F&& write) {
    text_.clear();
    {
      json::Writer writer(text_);
      writer.begin_object().field("type", type).key("sequence_number").unsigned_integer(sequence_++);
      write(writer);
      writer.end_object();
    }
    http::append_event(out, text_, type);
  }

  void start(std::string& out) {
    if (std::exchange(started_, true)) return;
    for (const std::string_view type : {"response.created", "response.in_progress"}) {
      event(type, out, [&](json::Writer& w) {
        w.key("response");
        envelope_.write(w, {.status = "in_progress", .incomplete_reason = {}});
      });
    }
  }

  // Items. They are numbered as they begin; one of a kind that says text is open at a time, calls stay open until the end:
  // some servers go from one to the other and back.

  Item& begin_item(Kind kind, std::string id, std::string& out) {
    start(out);
    if (current_ != nullptr) close_text(*current_, out);
    Item& item = items_.emplace_back();
    item.kind = kind;
    item.id = std::move(id);
    item.index = items_.size() - 1;
    return item;
  }
  std::string next_id(std::string_view prefix) const { return item_id(prefix, envelope_.id(), items_.size()); }

  void added(const Item& item, std::string& out) {
    event("response.output_item.added", out, [&](json::Writer& w) {
      w.key("output_index").unsigned_integer(item.index).key("item");
      write_item(w, item, "in_progress");
    });
  }

  /// Where in which item a part stands.
  static void place(json::Writer& w, const Item& item, std::string_view index_key = {}, std::size_t index = 0) {
    w.field("item_id", item.id).key("output_index").unsigned_integer(item.index);
    if (!index_key.empty()) w.key(index_key).unsigned_integer(index);
  }

  // Messages.

  SaidPart& part_of(bool refusal, std::string& out) {
    if (current_ == nullptr || current_->kind != Kind::kMessage) {
      current_ = &begin_item(Kind::kMessage, message_id_.empty() ? next_id("msg") : std::exchange(message_id_, {}), out);
      current_->described = std::exchange(described_, {});
      added(*current_, out);
    }
    Item& item = *current_;
    if (!item.text_open || item.parts.back().refusal != refusal) {
      if (item.text_open) close_part(item, out);
      item.parts.push_back({refusal});
      item.text_open = true;
      event("response.content_part.added", out, [&](json::Writer& w) {
        place(w, item, "content_index", item.parts.size() - 1);
        w.key("part");
        write_part(w, item.parts.back(), false);
      });
    }
    return item.parts.back();
  }

  void say(bool refusal, const std::string& text, std::string& out) {
    if (text.empty()) return;
    part_of(refusal, out).text += text;
    event(refusal ? "response.refusal.delta" : "response.output_text.delta", out, [&](json::Writer& w) {
      place(w, *current_, "content_index", current_->parts.size() - 1);
      w.field("delta", text);
      if (!refusal) w.key("logprobs").begin_array().end_array();
    });
  }

  void logprobs(const std::vector<chat::TokenLogprob>& tokens, std::string& out) {
    if (tokens.empty()) return;
    auto& all = part_of(false, out).logprobs;
    all.insert(all.end(), tokens.begin(), tokens.end());
    // Beside an empty text: the one they belong to has been sent or comes next.
    event("response.output_text.delta", out, [&](json::Writer& w) {
      place(w, *current_, "content_index", current_->parts.size() - 1);
      w.field("delta", "").key("logprobs");
      write_logprobs(w, tokens);
    });
  }

  void cite(const chat::Citation& citation, std::string& out) {
    if (!can_write(citation)) return;
    std::string json;
    {
      json::Writer w(json);
      write_annotation(w, citation);
    }
    auto& annotations = part_of(false, out).annotations;
    annotations.push_back(json);
    event("response.output_text.annotation.added", out, [&](json::Writer& w) {
      place(w, *current_, "content_index", current_->parts.size() - 1);
      w.key("annotation_index").unsigned_integer(annotations.size() - 1).key("annotation").raw(json);
    });
  }

  void close_part(Item& item, std::string& out) {
    item.text_open = false;
    const SaidPart& said = item.parts.back();
    const std::size_t index = item.parts.size() - 1;
    event(said.refusal ? "response.refusal.done" : "response.output_text.done", out, [&](json::Writer& w) {
      place(w, item, "content_index", index);
      w.field(said.refusal ? "refusal" : "text", said.text);
      if (said.refusal) return;
      w.key("logprobs");
      write_logprobs(w, said.logprobs);
    });
    event("response.content_part.done", out, [&](json::Writer& w) {
      place(w, item, "content_index", index);
      w.key("part");
      write_part(w, said, true);
    });
  }

  // Reasoning.

  [[nodiscard]] static bool in_content(const Item& item) {
    return chat::find_extra(item.thinking.extras, kName, key::kInContent) != nullptr;
  }

  void think(const chat::ThinkingDelta& d, std::string& out) {
    const bool open = current_ != nullptr && current_->kind == Kind::kReasoning;
    // A signature ends its block; redacted thinking is a block of its own.
    const bool over = open && ((!current_->thinking.signature.empty() && !d.text.empty()) || !current_->thinking.redacted.empty());
    const bool fresh = !open || d.begins || over || !d.redacted.empty();
    if (fresh) {
      current_ = &begin_item(Kind::kReasoning, next_id("rs"), out);
      current_->thinking.extras = d.extras;
      if (const std::string* own = chat::find_extra(d.extras, kName, "id")) {
        const auto document = json::Document::parse(Body::copy(*own));
        std::string scratch;
        if (document && document->root().is(json::Type::kString)) current_->id = document->root().text(scratch);
      }
      added(*current_, out);
    }
    Item& item = *current_;
    if (!fresh) {
      for (const chat::Extra& one : d.extras) item.thinking.extras.push_back(one);
    }
    item.thinking.signature += d.signature;
    item.thinking.redacted += d.redacted;
    if (d.text.empty()) return;
    const bool content = in_content(item);
    if (!std::exchange(item.text_open, true)) {
      event(content ? "response.content_part.added" : "response.reasoning_summary_part.added", out, [&](json::Writer& w) {
        place(w, item, content ? "content_index" : "summary_index", 0);
        write_thought(w, content, {});
      });
    }
    item.thinking.text += d.text;
    event(content ? "response.reasoning_text.delta" : "response.reasoning_summary_text.delta", out, [&](json::Writer& w) {
      place(w, item, content ? "content_index" : "summary_index", 0);
      w.field("delta", d.text);
    });
  }

  static void write_thought(json::Writer& w, bool content, std::string_view text) {
    w.key("part").begin_object().field("type", content ? "reasoning_text" : "summary_text").field("text", text).end_object();
  }

  void close_thought(Item& item, std::string& out) {
    if (!std::exchange(item.text_open, false)) return;
    const bool content = in_content(item);
    const std::string_view index_key = content ? "content_index" : "summary_index";
    event(content ? "response.reasoning_text.done" : "response.reasoning_summary_text.done", out, [&](json::Writer& w) {
      place(w, item, index_key, 0);
      w.field("text", item.thinking.text);
    });
    event(content ? "response.content_part.done" : "response.reasoning_summary_part.done", out, [&](json::Writer& w) {
      place(w, item, index_key, 0);
      write_thought(w, content, item.thinking.text);
    });
  }

  // Calls.

  void begin_call(const chat::ToolCallStart& d, std::string& out) {
    const bool custom = d.kind == chat::ToolKind::kCustom;
    Item& item = begin_item(Kind::kCall, next_id(custom ? "ctc" : "fc"), out);
    current_ = nullptr;
    // OpenAI's older functions have no ids: a call goes by its function's name.
    item.call = {d.kind, d.id.empty() ? d.name : d.id, d.name, {}, {}, false, d.extras};
    if (const std::string* own = chat::find_extra(d.extras, kName, "id")) {
      const auto document = json::Document::parse(Body::copy(*own));
      std::string scratch;
      if (document && document->root().is(json::Type::kString)) item.id = document->root().text(scratch);
    }
    calls_[d.index] = &item;
    added(item, out);
  }

  void arguments(const chat::ToolCallDelta& d, std::string& out) {
    const auto found = calls_.find(d.index);
    if (found == calls_.end() || d.arguments.empty() || !found->second->open) return;
    Item& item = *found->second;
    item.call.arguments += d.arguments;
    const bool custom = item.call.kind == chat::ToolKind::kCustom;
    event(custom ? "response.custom_tool_call_input.delta" : "response.function_call_arguments.delta", out, [&](json::Writer& w) {
      place(w, item);
      w.field("delta", d.arguments);
    });
  }

  void close_call(Item& item, std::string& out) {
    const bool custom = item.call.kind == chat::ToolKind::kCustom;
    event(custom ? "response.custom_tool_call_input.done" : "response.function_call_arguments.done", out, [&](json::Writer& w) {
      place(w, item);
      // Readers parse the arguments: a call without any has an empty object.
      const bool none = item.call.arguments.empty() && !custom;
      w.field(custom ? "input" : "arguments", none ? std::string_view("{}") : std::string_view(item.call.arguments));
      if (!custom) w.field("name", item.call.name);
    });
    done(item, "completed", out);
  }

  // Ends.

  void done(Item& item, std::string_view status, std::string& out) {
    item.open = false;
    event("response.output_item.done", out, [&](json::Writer& w) {
      w.key("output_index").unsigned_integer(item.index).key("item");
      write_item(w, item, status);
    });
  }

  /// A message or a thought is over: something else begins, or nothing.
  void close_text(Item& item, std::string& out, std::string_view status = "completed") {
    if (item.kind == Kind::kMessage && item.text_open) close_part(item, out);
    if (item.kind == Kind::kReasoning) close_thought(item, out);
    done(item, status, out);
    current_ = nullptr;
  }

  void close_all(std::string& out) {
    if (current_ != nullptr) close_text(*current_, out, status_of(finish_).status);
    for (Item& item : items_) {
      if (item.kind == Kind::kCall && item.open) close_call(item, out);
    }
  }

  void extra(const chat::ExtraDelta& d, std::string& out) {
    if (d.extra.dialect != kName) return;
    if (d.where == chat::ExtraDelta::Where::kAnswer) {
      envelope_.set(d.extra);
    } else if (d.extra.key == key::kMessages) {
      // A message of its own begins with the next text.
      if (current_ != nullptr && current_->kind == Kind::kMessage) close_text(*current_, out);
      described_ = d.extra.json;
      const auto document = json::Document::parse(Body::copy(described_));
      const auto id = document ? document->root().at("/0/id") : Result<json::Value>();
      std::string scratch;
      if (id && id->is(json::Type::kString)) message_id_ = id->text(scratch);
    } else if (d.extra.key == key::kItems) {
      const auto document = json::Document::parse(Body::copy(d.extra.json));
      for (json::Value one = document ? document->root().first() : json::Value{}; one; one = one.next()) {
        const auto item = one.find("item");
        if (!item || !*item) continue;
        Item& own = begin_item(Kind::kOwn, {}, out);
        current_ = nullptr;
        own.json = item->raw();
        added(own, out);
        done(own, {}, out);
      }
    }
  }

  void fail_with(const chat::ErrorDelta& d, std::string& out) {
    start(out);
    // What was open stays unfinished: the failure says so.
    http::append_event(out, error_event(d.error, d.provider_text, sequence_++), "error");
    std::string failure;
    write_failure(failure, d.error, d.provider_text);
    terminal("response.failed", {"failed", {}}, failure, out);
  }

  void terminal(std::string_view type, const ResponseStatus& status, std::string_view failure, std::string& out) {
    ended_ = true;
    std::string output;
    {
      json::Writer w(output);
      w.begin_array();
      for (const Item& item : items_) {
        const bool last = &item == &items_.back();
        write_item(w, item, item.open ? "incomplete" : last && item.kind == Kind::kMessage ? item_status(status) : "completed");
      }
      w.end_array();
    }
    const std::string usage = write_usage(usage_);
    event(type, out, [&](json::Writer& w) {
      w.key("response");
      envelope_.write(w, {status.status, status.incomplete_reason, output, usage, failure});
    });
  }
  static std::string_view item_status(const ResponseStatus& status) noexcept {
    return status.status == "failed" ? std::string_view("completed") : status.status;
  }

  Envelope envelope_;
  std::uint64_t sequence_ = 0;
  bool started_ = false, ended_ = false;
  std::deque<Item> items_;                  // their addresses stay
  Item* current_ = nullptr;                 // the message or thought that is open
  std::map<std::uint32_t, Item*> calls_;    // by the call's index
  std::string message_id_, described_;      // of the message that begins next
  chat::FinishReason finish_ = chat::FinishReason::kNone;
  chat::Usage usage_;
  std::string text_;
};

}  // namespace

std::unique_ptr<DeltaEncoder> make_delta_encoder(const AnswerForm& form) { return std::make_unique<Encoder>(form); }

}  // namespace sluice::dialect::responses_parts
