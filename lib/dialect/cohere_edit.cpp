// Edits answers of the Cohere dialect: texts out of events and back, events of our own, texts of whole answers. A citation
// quotes the text it stands by: once a text has been changed, what citations quote is empty.

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "dialect/chunk.hpp"
#include "dialect/cohere.hpp"
#include "dialect/cohere_turn.hpp"
#include "dialect/excerpt.hpp"
#include "dialect/openai_stream.hpp"
#include "dialect/openai_texts.hpp"
#include "dialect/reading.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::cohere_parts {
namespace {

using json::Type;
using json::Value;
using openai_parts::place_in;
using openai_parts::place_of;
using reading::member;
using Form = AnswerTexts::Form;
using Place = AnswerTexts::Place;

bool is_text(const Value& value) { return value.is(Type::kString) && !value.raw_string().empty(); }

/// A string that is a text of the answer. True: there was one.
bool put(AnswerTexts& out, const TextAddress& address, const Value& value) {
  if (!is_text(value)) return false;
  out.put({.address = address, .text = out.keep(value)}, place_of(value));
  return true;
}

/// The arguments of a call, told also where they are empty and the call begins.
void put_call(AnswerTexts& out, std::uint32_t index, const Value& call, bool begins) {
  const Value function = member(call, "function"), name = member(function, "name"), arguments = member(function, "arguments");
  if (!begins && !is_text(arguments)) return;
  AnswerText text{.address = {0, TextChannel::kToolArguments, index}};
  if (begins && name.is(Type::kString)) text.tool_name = out.keep(name);
  if (arguments.is(Type::kString)) {
    text.text = out.keep(arguments);
    out.put(std::move(text), place_of(arguments));
  } else if (function.is(Type::kObject)) {
    // Missing or null: nobody's arguments, and a place where some could stand.
    const Value stands = function.find("arguments").value_or(Value{});
    out.put(std::move(text), stands ? place_of(stands) : place_in(function, R"("arguments":)"));
  }
}

void put_place(AnswerTexts& out, const Place& place) {
  auto& places = out.places();
  places.insert(std::upper_bound(places.begin(), places.end(), place.begin, [](std::size_t at, const Place& p) { return at < p.begin; }), place);
}

class StreamEditor final : public AnswerEditor {
 public:
  Status read(std::string_view data, AnswerTexts& out) override {
    out.take(data);
    if (chunk::skip_blanks(data, 0) == data.size()) return {};  // a ping
    if (openai_parts::is_done(data)) {
      out.set_ends();
      return {};
    }
    const auto document = out.parse();
    if (!document || !document->root().is(Type::kObject)) return tl::unexpected(openai_parts::no_event(data));
    const Value root = document->root();
    const std::string type = reading::text(root, "type");
    const Value message = member(member(root, "delta"), "message");
    const std::int64_t index = reading::integer(member(root, "index")).value_or(0);
    if (type == "content-start" || type == "content-delta") {
      open_ = index;
      next_ = std::max(next_, index + 1);
      out.step() = {.what = kContentOpens, .index = index};
      read_content(root, member(message, "content"), out);
    } else if (type == "content-end") {
      open_.reset();
      out.step().what = kContentEnds;
    } else if (type == "tool-plan-delta") {
      if (put(out, {0, TextChannel::kReasoning, 0}, member(message, kToolPlan))) planned_ = true;
    } else if (type == "tool-call-start") {
      out.step() = {.what = kCallOpens, .index = index};
      put_call(out, begin_call(root), member(message, "tool_calls"), true);
    } else if (type == "tool-call-delta") {
      if (calls_.size() > 0) put_call(out, call_of(root), member(message, "tool_calls"), false);
    } else if (type == "tool-call-end") {
      out.step().what = kCallEnds;
    } else if (type == "citation-start") {
      out.step() = {.what = kCitationOpens, .index = index};
      quote(member(message, "citations"), out);
    } else if (type == "citation-end") {
      out.step().what = kCitationEnds;
    } else if (type == "message-end") {
      out.set_ends();
    }
    return {};
  }

  void write(const AnswerTexts& texts, std::string& out) override {
    for (const AnswerText& text : texts.texts()) changed_ = changed_ || (text.changed() && text.address.channel == TextChannel::kText);
    texts.write(out, 0, texts.data().size());
  }

  Status add_event(const TextAddress& to, std::string_view text, std::string& out) override {
    const bool no_call = to.channel == TextChannel::kToolArguments && to.tool_index >= calls_.size();
    if (to.choice != 0 || no_call || to.channel == TextChannel::kRefusal) return tl::unexpected(no_place(to));
    if (to.channel == TextChannel::kText) changed_ = true;  // what is cited stands elsewhere now
    const bool plan = to.channel == TextChannel::kReasoning && planned_, thinking = to.channel == TextChannel::kReasoning;
    own_block_ = {};
    std::int64_t index = thinking ? thinking_index_ : text_index_;
    if (to.channel != TextChannel::kToolArguments && !plan && open_ != index) {
      index = next_++;
      own_block_ = OwnBlock{index, thinking ? "thinking" : "text"};
    }
    json::Writer writer(out);
    writer.begin_object();
    switch (to.channel) {
      case TextChannel::kToolArguments: {
        writer.field("type", "tool-call-delta");
        writer.key("index").integer(calls_[to.tool_index].wire_index.value_or(to.tool_index));
        writer.key("delta").begin_object().key("message").begin_object().key("tool_calls").begin_object();
        writer.key("function").begin_object().field("arguments", text).end_object().end_object();
        break;
      }
      case TextChannel::kReasoning:
        writer.field("type", plan ? "tool-plan-delta" : "content-delta");
        if (!plan) writer.key("index").integer(index);
        writer.key("delta").begin_object().key("message").begin_object();
        plan ? writer.field(kToolPlan, text) : writer.key("content").begin_object().field("thinking", text).end_object();
        break;
      default:
        writer.field("type", "content-delta").key("index").integer(index);
        writer.key("delta").begin_object().key("message").begin_object().key("content").begin_object().field("text", text).end_object();
    }
    writer.end_object().end_object().end_object();
    return {};
  }

  void frame_added(std::string_view data, http::Framing framing, std::string& out) override {
    constexpr std::string_view kStart = "content-start", kEnd = "content-end";
    const auto own = std::exchange(own_block_, std::nullopt);
    if (own) {
      http::append_event(out, framing,
                         fmt::format(R"({{"type":"{}","index":{},"delta":{{"message":{{"content":{{"type":"{}","{}":""}}}}}}}})", kStart, own->index,
                                     own->name, own->name),
                         kStart);
    }
    http::append_event(out, framing, data, added_type(data));
    if (own) end_of(kEnd, own->index, framing, out);
  }

  void gave(const AnswerTexts& texts) override {
    const AnswerTexts::Step& step = texts.step();
    switch (step.what) {
      case kContentOpens: given_.content = step.index; break;
      case kContentEnds: given_.content.reset(); break;
      case kCallOpens: given_.call = step.index; break;
      case kCallEnds: given_.call.reset(); break;
      case kCitationOpens: given_.citation = step.index; break;
      case kCitationEnds: given_.citation.reset(); break;
      default: break;
    }
  }

  /// The dialect has no reason for what is filtered: it is an error, in words.
  bool end_early(const EarlyEnd& end, std::string& out) override {
    if (given_.citation) end_of("citation-end", *given_.citation, end.framing, out);
    if (given_.content) end_of("content-end", *given_.content, end.framing, out);
    if (given_.call) end_of("tool-call-end", *given_.call, end.framing, out);
    given_ = {};
    http::append_event(out, end.framing, failed_end(end.error, {{}, end.provider_text, 0}, end.usage), "message-end");
    http::append_event(out, end.framing, "[DONE]");
    return true;
  }

 private:
  enum : std::uint8_t { kContentOpens = 1, kContentEnds, kCallOpens, kCallEnds, kCitationOpens, kCitationEnds };  // what a step does
  /// What the caller has seen begin and not end.
  struct Given {
    std::optional<std::int64_t> content = {}, call = {}, citation = {};
  };

  static void end_of(std::string_view type, std::int64_t index, http::Framing framing, std::string& out) {
    http::append_event(out, framing, fmt::format(R"({{"type":"{}","index":{}}})", type, index), type);
  }

  /// A block that an added event stands in alone: it comes behind the end of those of its kind.
  struct OwnBlock {
    std::int64_t index;
    std::string_view name;
  };

  void read_content(const Value& root, const Value& content, AnswerTexts& out) {
    const std::int64_t index = reading::integer(member(root, "index")).value_or(0);
    if (member(content, "thinking").is(Type::kString)) thinking_index_ = index;
    if (member(content, "text").is(Type::kString)) text_index_ = index;
    put(out, {0, TextChannel::kReasoning, 0}, member(content, "thinking"));
    if (!put(out, {0, TextChannel::kText, 0}, member(content, "text"))) return;
    // Token by token the same text again.
    if (const Value logprobs = member(root, "logprobs")) {
      Place place = place_of(logprobs, Form::kNull);
      place.count = out.texts().size();
      put_place(out, place);
    }
  }

  std::uint32_t begin_call(const Value& root) {
    return calls_.begin({}, reading::integer(member(root, "index")), openai_parts::CallShape::kFunction);
  }
  std::uint32_t call_of(const Value& root) const {
    const auto wire_index = reading::integer(member(root, "index"));
    for (std::size_t i = calls_.size(); wire_index && i-- > 0;) {
      if (calls_[i].wire_index == wire_index) return static_cast<std::uint32_t>(i);
    }
    return static_cast<std::uint32_t>(calls_.size()) - 1;
  }

  void quote(const Value& citation, AnswerTexts& out) const {
    const Value text = member(citation, "text");
    if (!changed_ || !is_text(text)) return;
    Place place = place_of(text, Form::kEmpty);
    place.always = true;
    put_place(out, place);
  }

  openai_parts::ToolCalls calls_;
  std::int64_t text_index_ = 0, thinking_index_ = 0, next_ = 0;
  std::optional<std::int64_t> open_;   // the block that is begun and not ended
  std::optional<OwnBlock> own_block_;  // of the event added last
  Given given_;
  bool planned_ = false, changed_ = false;
};

class WholeEditor final : public AnswerEditor {
 public:
  Status read(std::string_view data, AnswerTexts& out) override {
    out.take(data);
    const auto document = out.parse();
    if (!document || !document->root().is(Type::kObject)) {
      return fail(Code::kUpstreamInvalidAnswer, "the upstream's answer is no JSON object" +
                  (document ? std::string() : " (" + document.error().message + ")") + "; it begins with \"" + excerpt(data, 80) + "\"");
    }
    const Value root = document->root(), message = member(root, "message");
    if (!message.is(Type::kObject)) return {};
    std::uint32_t calls = 0;
    std::string scratch;
    for (Value m = message.first(); m; m = m.next()) {
      const std::string_view key = m.key(scratch);
      if (key == "content") {
        read_content(m, out);
      } else if (key == kToolPlan) {
        put(out, {0, TextChannel::kReasoning, 0}, m);
      } else if (key == "tool_calls" && m.is(Type::kArray)) {
        for (Value call = m.first(); call; call = call.next()) put_call(out, calls++, call, true);
      }
    }
    // What says the texts again.
    const Value citations = member(message, "citations");
    for (Value item = citations.is(Type::kArray) ? citations.first() : Value{}; item; item = item.next()) {
      if (const Value text = member(item, "text"); is_text(text)) null_later(out, text);
    }
    if (const Value logprobs = member(root, "logprobs")) null_later(out, logprobs);
    return {};
  }

  void write(const AnswerTexts& texts, std::string& out) override { texts.write(out, 0, texts.data().size()); }

  Status add_text(const TextAddress& to, std::string_view text, AnswerTexts& answer) override {
    if (answer.append(to, text)) return {};
    const auto document = answer.parse();
    const Value message = document ? member(document->root(), "message") : Value{};
    const auto spot = to.choice == 0 && message.is(Type::kObject) ? spot_in(message, to.channel) : std::nullopt;
    if (!spot) return tl::unexpected(no_place(to));
    answer.put({.address = to, .replacement = std::string(text)}, *spot);
    for (Place& place : answer.places()) place.always = place.always || place.form == Form::kNull;
    return {};
  }

 private:
  static void read_content(const Value& content, AnswerTexts& out) {
    if (put(out, {0, TextChannel::kText, 0}, content)) return;
    for (Value part = content.is(Type::kArray) ? content.first() : Value{}; part; part = part.next()) {
      put(out, {0, TextChannel::kReasoning, 0}, member(part, "thinking"));
      put(out, {0, TextChannel::kText, 0}, member(part, "text"));
    }
  }

  static void null_later(AnswerTexts& out, const Value& value) {
    Place place = place_of(value, Form::kNull);
    place.count = out.texts().size();
    put_place(out, place);
  }

  /// Where a text of that channel could stand.
  static std::optional<Place> spot_in(const Value& message, TextChannel channel) {
    const Value content = member(message, "content");
    const bool thinking = channel == TextChannel::kReasoning;
    if (channel != TextChannel::kText && !thinking) return std::nullopt;
    if (content.is(Type::kArray)) {
      return thinking ? place_in(content, R"({"type":"thinking","thinking":)", "}") : place_in(content, R"({"type":"text","text":)", "}");
    }
    if (message.find("content").value_or(Value{})) return std::nullopt;
    return thinking ? place_in(message, R"("tool_plan":)") : place_in(message, R"("content":[{"type":"text","text":)", "}]");
  }
};

}  // namespace

std::unique_ptr<AnswerEditor> make_stream_editor() { return std::make_unique<StreamEditor>(); }
std::unique_ptr<AnswerEditor> make_whole_editor() { return std::make_unique<WholeEditor>(); }

}  // namespace sluice::dialect::cohere_parts
