// Streams of the Responses API into deltas, event by event. Nothing is gathered: what a stream says again when a part or an
// item is done is looked at only where it was not said before.

#include <map>
#include <utility>

#include "dialect/chunk.hpp"
#include "dialect/provider_words.hpp"
#include "dialect/reading.hpp"
#include "dialect/responses.hpp"
#include "dialect/responses_answer.hpp"
#include "dialect/responses_events.hpp"
#include "dialect/responses_items.hpp"

namespace sluice::dialect::responses_parts {
namespace {

using chat::Delta;
using json::Type;
using json::Value;
using reading::member;
using reading::text;

class Decoder final : public DeltaDecoder {
 public:
  Status on_event(std::string_view name, std::string_view data, std::vector<Delta>& out) override {
    if (over_) return {};
    if (chunk::skip_blanks(data, 0) == data.size()) return {};  // a ping
    if (is_done(data)) {
      over_ = true;
      return {};
    }
    const auto document = json::Document::parse(Body::copy(data));
    if (!document || !document->root().is(Type::kObject)) return tl::unexpected(no_event(data));
    const Value root = document->root();
    const std::string type = text(root, "type");
    read(event_of(type.empty() ? name : std::string_view(type)), root, out);
    return {};
  }

  bool over() const noexcept override { return over_; }
  Status on_end() override {
    if (over_ && ended_) return {};
    return fail(Code::kUpstreamTruncated, "the upstream's stream ended before it said it was over");
  }

 private:
  enum class Kind : std::uint8_t { kOther, kMessage, kReasoning, kCall };
  struct Item {
    Kind kind = Kind::kOther;
    std::uint32_t call = 0;
    bool said = false;           // text or arguments came in deltas
    std::uint32_t annotations = 0;
    std::uint32_t summaries = 0; // parts of its text that have begun
  };

  void read(Event event, const Value& root, std::vector<Delta>& out) {
    switch (event) {
      case Event::kResponse: return start(member(root, "response"), out);
      case Event::kItemAdded: return added(root, out);
      case Event::kItemDone: return done(root, out);
      case Event::kTextDelta: return text_delta(root, out);
      case Event::kTextDone: return rest_of_text(root, "text", out);
      case Event::kPartDone: return part_done(root, out);
      case Event::kAnnotation:
        ++item(root).annotations;
        return put(chat::CitationDelta{read_annotation(member(root, "annotation"))}, out);
      case Event::kRefusalDelta:
        item(root).said = true;
        if (std::string said = text(root, "delta"); !said.empty()) put(chat::RefusalDelta{std::move(said)}, out);
        return;
      case Event::kRefusalDone:
        if (std::string said = text(root, "refusal"); !said.empty() && !std::exchange(item(root).said, true)) {
          put(chat::RefusalDelta{std::move(said)}, out);
        }
        return;
      case Event::kSummaryPartAdded: return paragraph(item(root), out);
      case Event::kSummaryDelta: return thought(root, false, out);
      case Event::kReasoningDelta: return thought(root, true, out);
      case Event::kArgumentsDelta:
      case Event::kInputDelta: return arguments(root, "delta", out);
      case Event::kArgumentsDone:
        if (!item(root).said) arguments(root, "arguments", out);
        return;
      case Event::kInputDone:
        if (!item(root).said) arguments(root, "input", out);
        return;
      case Event::kEnd: return end(member(root, "response"), out);
      case Event::kFailed: return fail_with(failure_of(member(root, "response")), error_text(member(member(root, "response"), "error")), out);
      case Event::kError: return fail_with(embedded_error(root), error_text(root), out);
      default: return;
    }
  }

  template <typename T>
  static void put(T event, std::vector<Delta>& out) {
    out.push_back({0, std::move(event)});
  }

  void start(const Value& response, std::vector<Delta>& out) {
    if (std::exchange(started_, true)) return;
    chat::AnswerStart begin;
    begin.id = text(response, "id");
    begin.model = text(response, "model");
    begin.created = created_of(response);
    read_root(response, begin.extras);
    put(std::move(begin), out);
    put(chat::TurnStart{}, out);
  }

  /// The item an event is about. Servers that leave out `output_index` have one item open.
  Item& item(const Value& root) {
    const auto index = reading::integer(member(root, "output_index"));
    if (index) last_ = *index;
    return items_[last_];
  }

  void added(const Value& root, std::vector<Delta>& out) {
    start({}, out);
    Item& mine = item(root);
    mine = {};
    const Value value = member(root, "item");
    const std::string type = text(value, "type");
    if (type == "message") {
      mine.kind = Kind::kMessage;
      extra(key::kMessages, "[" + describe_message(value, true) + "]", chat::LossSeverity::kNote, out);
    } else if (type == "reasoning") {
      mine.kind = Kind::kReasoning;
      chat::ThinkingDelta begins;
      begins.begins = true;
      for (chat::Extra& one : read_reasoning(value).extras) {
        if (one.key == "type" || one.key == "id") begins.extras.push_back(std::move(one));
      }
      put(std::move(begins), out);
    } else if (type == "function_call" || type == "custom_tool_call") {
      mine.kind = Kind::kCall;
      mine.call = calls_++;
      chat::ToolCall call = read_call(value);
      std::erase_if(call.extras, [](const chat::Extra& one) { return one.key == "status"; });
      put(chat::ToolCallStart{mine.call, call.kind, std::move(call.id), std::move(call.name), false, {}, std::move(call.extras)}, out);
    }
  }

  void done(const Value& root, std::vector<Delta>& out) {
    const auto index = reading::integer(member(root, "output_index"));
    const Value value = member(root, "item");
    if (index && !items_.contains(*index)) added(root, out);  // never begun
    Item& mine = item(root);
    const std::string type = text(value, "type");
    if (mine.kind == Kind::kCall) {
      if (!std::exchange(mine.said, true)) put_arguments(mine, read_call(value).arguments, out);
    } else if (mine.kind == Kind::kReasoning) {
      chat::Thinking read = read_reasoning(value);
      chat::ThinkingDelta rest;
      if (!mine.said) rest.text = std::move(read.text);
      rest.signature = std::move(read.signature);
      rest.redacted = std::move(read.redacted);
      for (chat::Extra& one : read.extras) {
        const bool of_text = one.key == "summary" || one.key == "content" || one.key == key::kInContent;
        if (one.key != "type" && one.key != "id" && !(mine.said && of_text)) rest.extras.push_back(std::move(one));
      }
      if (!rest.text.empty() || !rest.signature.empty() || !rest.redacted.empty() || !rest.extras.empty()) put(std::move(rest), out);
    } else if (mine.kind == Kind::kMessage) {
      if (!mine.said) whole_message(mine, value, out);
    } else if (!type.empty()) {
      extra(key::kItems, R"([{"item":)" + std::string(value.raw()) + "}]", chat::LossSeverity::kCosmetic, out);
    }
  }

  void whole_message(Item& mine, const Value& value, std::vector<Delta>& out) {
    for (Value part = member(value, "content").first(); part; part = part.next()) {
      auto read = read_content(part, "content", true, From::kAnswer);
      if (!read) continue;
      mine.said = true;
      if (const auto* refusal = read->as<chat::Refusal>()) put(chat::RefusalDelta{refusal->text}, out);
      if (auto* said = read->as<chat::Text>()) {
        if (!said->text.empty()) put(chat::TextDelta{std::move(said->text)}, out);
        for (chat::Citation& citation : said->citations) put(chat::CitationDelta{std::move(citation)}, out);
      }
    }
  }

  void text_delta(const Value& root, std::vector<Delta>& out) {
    start({}, out);
    item(root).said = true;
    if (std::string said = text(root, "delta"); !said.empty()) put(chat::TextDelta{std::move(said)}, out);
    if (auto tokens = read_logprobs(member(root, "logprobs")); !tokens.empty()) {
      put(chat::LogprobsDelta{chat::Logprobs{std::move(tokens), {}}}, out);
    }
  }

  void rest_of_text(const Value& root, std::string_view key, std::vector<Delta>& out) {
    std::string said = text(root, key);
    if (said.empty() || std::exchange(item(root).said, true)) return;
    put(chat::TextDelta{std::move(said)}, out);
  }

  /// Servers that do not tell of annotations one by one have them here.
  void part_done(const Value& root, std::vector<Delta>& out) {
    Item& mine = item(root);
    if (mine.kind != Kind::kMessage) return;
    std::uint32_t told = mine.annotations;
    for (Value one = member(member(root, "part"), "annotations").first(); one; one = one.next()) {
      if (told != 0) {
        --told;
      } else {
        put(chat::CitationDelta{read_annotation(one)}, out);
      }
    }
    mine.annotations = 0;  // counted by part
  }

  /// A blank line between the parts of a summary.
  static void paragraph(Item& mine, std::vector<Delta>& out) {
    if (mine.summaries++ != 0 && mine.said) put(chat::ThinkingDelta{"\n\n"}, out);
  }

  void thought(const Value& root, bool in_content, std::vector<Delta>& out) {
    Item& mine = item(root);
    chat::ThinkingDelta delta;
    delta.text = text(root, "delta");
    if (delta.text.empty()) return;
    if (!std::exchange(mine.said, true) && in_content) {
      delta.extras.push_back({kName, std::string(key::kInContent), "true", chat::LossSeverity::kNote});
    }
    put(std::move(delta), out);
  }

  void arguments(const Value& root, std::string_view key, std::vector<Delta>& out) {
    Item& mine = item(root);
    if (mine.kind != Kind::kCall) return;
    mine.said = true;
    put_arguments(mine, text(root, key), out);
  }

  static void put_arguments(const Item& mine, std::string said, std::vector<Delta>& out) {
    if (!said.empty()) put(chat::ToolCallDelta{mine.call, std::move(said)}, out);
  }

  void end(const Value& response, std::vector<Delta>& out) {
    start(response, out);
    // A server that told of no item on the way has them all here.
    if (items_.empty()) whole(member(response, "output"), out);
    chat::Extras extras;
    read_root(response, extras);
    for (chat::Extra& one : extras) put(chat::ExtraDelta{chat::ExtraDelta::Where::kAnswer, std::move(one)}, out);
    const std::string status = text(response, "status");
    Ending ending = read_ending(status.empty() ? "completed" : status, text(member(response, "incomplete_details"), "reason"), calls_ != 0);
    put(chat::FinishDelta{ending.reason, std::move(ending.native)}, out);
    if (const Value usage = member(response, "usage"); usage.is(Type::kObject)) put(chat::UsageDelta{read_usage(usage), {}}, out);
    over_ = ended_ = true;
  }

  void whole(const Value& output, std::vector<Delta>& out) {
    ItemReader reader(From::kAnswer);
    for (Value one = output.is(Type::kArray) ? output.first() : Value{}; one; one = one.next()) {
      if (!reader.add(one, "output")) return;
    }
    chat::Message message;
    message.choices.emplace_back().turn = std::move(reader.take().front());
    for (Delta& delta : chat::to_deltas(message)) {
      if (const auto* call = delta.as<chat::ToolCallStart>()) calls_ = call->index + 1;
      if (!delta.as<chat::AnswerStart>() && !delta.as<chat::TurnStart>()) out.push_back(std::move(delta));
    }
  }

  void fail_with(Error error, std::string words, std::vector<Delta>& out) {
    put(chat::ErrorDelta{std::move(error), std::move(words)}, out);
    over_ = ended_ = true;
  }

  static void extra(std::string_view name, std::string json, chat::LossSeverity loss, std::vector<Delta>& out) {
    put(chat::ExtraDelta{chat::ExtraDelta::Where::kTurn, {kName, std::string(name), std::move(json), loss}}, out);
  }

  std::map<std::int64_t, Item> items_;
  std::int64_t last_ = 0;
  std::uint32_t calls_ = 0;
  bool started_ = false, over_ = false, ended_ = false;
};

}  // namespace

std::unique_ptr<DeltaDecoder> make_delta_decoder() { return std::make_unique<Decoder>(); }

std::string event_text(std::string_view data) {
  if (event_of(type_of({}, data)) != Event::kTextDelta) return {};
  const auto document = json::Document::parse(Body::copy(data));
  return document ? text(document->root(), "delta") : std::string();
}

}  // namespace sluice::dialect::responses_parts
