// Edits streams of the Responses API.
//
// A stream says every text up to five times: in deltas, and then whole when the text, its part, its item and the response are
// done. Deltas are the texts that are told; what says them again is made of them when it is written. What was never told in
// deltas is told where it stands first.
//
// Every event that ends something goes to the end of the stream with the others, in their order: text may be emitted to any
// part once the whole answer has been judged, and has to stand before that part is done. Between them readers see what they
// would of items that are written at the same time. Numbers of events stay as they came; an added one has the last seen.

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "dialect/chunk.hpp"
#include "dialect/openai_texts.hpp"
#include "dialect/reading.hpp"
#include "dialect/responses.hpp"
#include "dialect/responses_events.hpp"
#include "dialect/responses_given.hpp"
#include "dialect/responses_texts.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::responses_parts {
namespace {

using json::Type;
using json::Value;
using openai_parts::place_of;
using reading::member;
using Form = AnswerTexts::Form;

/// True for events that say again what deltas said, or end what was open.
bool ends(Event event) noexcept {
  switch (event) {
    case Event::kTextDone:
    case Event::kRefusalDone:
    case Event::kSummaryDone:
    case Event::kReasoningDone:
    case Event::kArgumentsDone:
    case Event::kInputDone:
    case Event::kPartDone:
    case Event::kSummaryPartDone:
    case Event::kItemDone:
    case Event::kEnd:
    case Event::kFailed: return true;
    default: return false;
  }
}

class StreamEditor final : public AnswerEditor {
 public:
  Status read(std::string_view data, AnswerTexts& out) override {
    out.take(data);
    if (chunk::skip_blanks(data, 0) == data.size()) return {};  // a ping
    if (is_done(data)) {
      out.set_ends();
      return {};
    }
    const auto document = out.parse();
    if (!document || !document->root().is(Type::kObject)) return tl::unexpected(no_event(data));
    const Value root = document->root();
    const Event event = event_of(reading::text(root, "type"));
    const std::int64_t number = number_of(root);
    last_number_ = std::max(last_number_, number);
    if (ends(event)) out.set_ends();
    if (event == Event::kItemAdded) begin_item(root);
    if (event == Event::kItemDone) done_.insert(reading::integer(member(root, "output_index")).value_or(0));
    out.step() = {.what = static_cast<std::uint8_t>(event), .number = number};
    each_spot(event, root, [&](const TextSpot& spot) {
      note_item(root, spot.key.output);
      AnswerTexts::Step& step = out.step();
      step.flag = spot.key.in_content;
      step.index = spot.key.output;
      step.part = spot.key.part;
      if (!ends(event)) return tell(spot, number, event == Event::kItemAdded, out);
      if (originally(spot.key).empty() && !said_by(spot.text).empty()) return tell(spot, number, false, out);
      // Made of the deltas when it is written: whether they were changed is not known before.
      if (spot.text) out.places().push_back({.begin = spot.text.offset(), .end = spot.text.offset(), .always = true});
    });
    if (kept_bytes_ + given_.bytes() <= kMostBytes) return {};
    return fail(Code::kUpstreamAnswerTooLarge, "the upstream's answer is longer than the " + std::to_string(kMostBytes) + " bytes that plugins can follow");
  }

  void write(const AnswerTexts& texts, std::string& out) override {
    const auto document = texts.parse();
    if (!document) {
      out += texts.data();
      return;
    }
    const Value root = document->root();
    const Event event = event_of(reading::text(root, "type"));
    note_changes(texts, event, root);
    if (!ends(event)) {
      texts.write(out, 0, texts.data().size());
      return;
    }
    struct Change {
      std::size_t begin, end;
      std::string text;
    };
    std::vector<Change> changes;
    each_spot(event, root, [&](const TextSpot& spot) {
      const auto part = parts_.find(spot.key);
      if (part == parts_.end() || !spot.text) return;
      std::string said;
      for (const Segment& segment : part->second) said += segment.final ? *segment.final : segment.text;
      // Also where nobody changed it and it says another thing than the deltas did: that was never told.
      if (said == said_by(spot.text)) return;
      changes.push_back({spot.text.offset(), spot.text.offset() + spot.text.length(), json::quoted(said)});
      if (spot.logprobs.first()) changes.push_back({spot.logprobs.offset(), spot.logprobs.offset() + spot.logprobs.length(), "null"});
    });
    std::sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) { return a.begin < b.begin; });
    std::size_t at = 0;
    for (const Change& change : changes) {
      out.append(texts.data().substr(at, change.begin - at)).append(change.text);
      at = change.end;
    }
    out += texts.data().substr(at);
  }

  Status split(const AnswerTexts& texts, std::string& said, std::string& end) override {
    // The event has the text whole, and what is added is made part of it when it is written: nothing has to go first but an
    // event that changes nothing.
    write(texts, end);
    const auto document = texts.parse();
    if (!document || texts.texts().empty()) return tl::unexpected(no_event(texts.data()));
    return add_event(texts.texts().front().address, {}, said);
  }

  Status add_event(const TextAddress& to, std::string_view text, std::string& out) override {
    const auto key = key_of(to);
    if (!key || to.choice != 0) return tl::unexpected(no_place(to));
    const Item& item = items_[key->output];
    if (!text.empty()) parts_[*key].push_back({kAdded, {}, std::string(text)});
    given_.say(*key, text);
    json::Writer writer(out);
    writer.begin_object();
    writer.field("type", type_of_delta(*key, item.custom)).key("sequence_number").integer(std::max<std::int64_t>(last_number_, 0));
    writer.field("item_id", item.id).key("output_index").integer(key->output);
    if (key->channel == TextChannel::kReasoning && !key->in_content) {
      writer.key("summary_index").integer(key->part);
    } else if (key->channel != TextChannel::kToolArguments) {
      writer.key("content_index").integer(key->part);
    }
    writer.field("delta", text);
    if (key->channel == TextChannel::kText) writer.key("logprobs").begin_array().end_array();
    writer.end_object();
    return {};
  }

  void frame_added(std::string_view data, http::Framing framing, std::string& out) override {
    http::append_event(out, framing, data, added_type(data));
  }

  void gave(const AnswerTexts& texts) override {
    const AnswerTexts::Step& step = texts.step();
    const auto event = static_cast<Event>(step.what);
    given_.number(step.number);
    if (!texts.texts().empty()) given_texts_[step.index] += texts.texts().size();
    if (const auto channel = channel_of_delta(event)) {
      for (const AnswerText& text : texts.texts()) given_.say({step.index, *channel, step.part, step.flag}, text.final_text());
      return;
    }
    if (event != Event::kResponse && event != Event::kItemAdded && event != Event::kPartAdded && event != Event::kSummaryPartAdded && event != Event::kAnnotation) return;
    std::string data;
    if (texts.changed()) write(texts, data);
    const auto document = json::Document::parse(Body::copy(texts.changed() ? std::string_view(data) : texts.data()));
    if (!document) return;
    given_.take(event, document->root());
    each_spot(event, document->root(), [&](const TextSpot& spot) { given_.say(spot.key, said_by(spot.text)); });
  }

  bool end_early(const EarlyEnd& end, std::string& out) override {
    return given_.write_end(end, [this](std::int64_t output) { return done_.contains(output) && told_texts_[output] == given_texts_[output]; }, out);
  }

 private:
  /// What one event said of a text.
  struct Segment {
    std::int64_t number;               // of the event; kUnnumbered, kAdded
    std::string text;
    std::optional<std::string> final;  // once it has been written changed
  };
  struct Item {
    std::string id;
    bool custom = false;
  };
  static constexpr std::int64_t kUnnumbered = -1, kAdded = -2;
  static constexpr std::size_t kMostBytes = 32u << 20;  // of what is kept of one answer, with what keeping it costs

  static std::int64_t number_of(const Value& root) {
    return std::max(reading::integer(member(root, "sequence_number")).value_or(kUnnumbered), kUnnumbered);
  }

  /// A text as it came, so far.
  [[nodiscard]] std::string originally(const TextKey& key) const {
    std::string said;
    const auto part = parts_.find(key);
    if (part == parts_.end()) return said;
    for (const Segment& segment : part->second) said += segment.text;
    return said;
  }

  /// Servers that leave items out of the last event's list count differently there: an item is known by its id.
  [[nodiscard]] std::int64_t output_of(const Value& item, std::int64_t position) const {
    const std::string id = reading::text(item, "id");
    for (const auto& [output, known] : items_) {
      if (!id.empty() && known.id == id) return output;
    }
    return position;
  }

  static std::string said_by(const Value& value) {
    return value.is(Type::kString) ? reading::text(value) : std::string(value ? value.raw() : std::string_view{});
  }

  /// The texts an event has, by what it is.
  void each_spot(Event event, const Value& root, const std::function<void(const TextSpot&)>& visit) const {
    const std::int64_t output = reading::integer(member(root, "output_index")).value_or(0);
    const auto at = [&](std::string_view index, TextChannel channel, bool in_content = false) {
      return TextKey{output, channel, reading::integer(member(root, index)).value_or(0), in_content};
    };
    const auto one = [&](const TextKey& key, std::string_view name) {
      if (const Value text = member(root, name)) visit({key, text, member(root, "logprobs"), {}});
    };
    switch (event) {
      case Event::kTextDelta: return one(at("content_index", TextChannel::kText), "delta");
      case Event::kTextDone: return one(at("content_index", TextChannel::kText), "text");
      case Event::kRefusalDelta: return one(at("content_index", TextChannel::kRefusal), "delta");
      case Event::kRefusalDone: return one(at("content_index", TextChannel::kRefusal), "refusal");
      case Event::kSummaryDelta: return one(at("summary_index", TextChannel::kReasoning), "delta");
      case Event::kSummaryDone: return one(at("summary_index", TextChannel::kReasoning), "text");
      case Event::kReasoningDelta: return one(at("content_index", TextChannel::kReasoning, true), "delta");
      case Event::kReasoningDone: return one(at("content_index", TextChannel::kReasoning, true), "text");
      case Event::kArgumentsDelta:
      case Event::kInputDelta: return one({output, TextChannel::kToolArguments}, "delta");
      case Event::kArgumentsDone: return one({output, TextChannel::kToolArguments}, "arguments");
      case Event::kInputDone: return one({output, TextChannel::kToolArguments}, "input");
      case Event::kPartAdded:
      case Event::kPartDone: return each_text_of_part(member(root, "part"), at("content_index", TextChannel::kText), visit);
      case Event::kSummaryPartAdded:
      case Event::kSummaryPartDone: return each_text_of_part(member(root, "part"), at("summary_index", TextChannel::kReasoning), visit);
      case Event::kItemAdded:
      case Event::kItemDone: return each_text(member(root, "item"), output, visit);
      case Event::kEnd:
      case Event::kFailed: {
        std::int64_t i = 0;
        for (Value item = member(member(root, "response"), "output").first(); item; item = item.next(), ++i) each_text(item, output_of(item, i), visit);
        return;
      }
      default: return;
    }
  }

  void begin_item(const Value& root) {
    const Value item = member(root, "item");
    const std::int64_t output = reading::integer(member(root, "output_index")).value_or(0);
    items_[output] = {reading::text(item, "id"), reading::text(item, "type") == "custom_tool_call"};
  }

  /// Calls are numbered as they begin.
  std::uint32_t call_index(std::int64_t output) {
    const auto found = std::find(calls_.begin(), calls_.end(), output);
    if (found != calls_.end()) return static_cast<std::uint32_t>(found - calls_.begin());
    calls_.push_back(output);
    return static_cast<std::uint32_t>(calls_.size() - 1);
  }

  void note_item(const Value& root, std::int64_t output) {
    Item& item = items_[output];
    if (item.id.empty()) item.id = reading::text(root, "item_id");
  }

  /// A text that is said for the first time. A call that begins is told also without arguments.
  void tell(const TextSpot& spot, std::int64_t number, bool begins, AnswerTexts& out) {
    const bool call = spot.key.channel == TextChannel::kToolArguments;
    std::string said = said_by(spot.text);
    if (!spot.text || (said.empty() && !(begins && call))) return;
    AnswerText text{.address = {0, spot.key.channel, call ? call_index(spot.key.output) : 0}};
    if (spot.name.is(Type::kString)) text.tool_name = out.keep(spot.name);
    const bool string = spot.text.is(Type::kString);
    text.text = string ? out.keep(spot.text) : out.raw(spot.text);
    if (spot.logprobs.first()) {
      AnswerTexts::Place place = place_of(spot.logprobs, Form::kNull);
      place.first = out.texts().size();
      place.count = 1;
      out.places().push_back(place);
    }
    out.put(std::move(text), place_of(spot.text, string ? Form::kString : Form::kJson));
    std::sort(out.places().begin(), out.places().end(), [](const auto& a, const auto& b) { return a.begin < b.begin; });
    kept_bytes_ += said.size() + sizeof(Segment);
    ++told_texts_[spot.key.output];
    parts_[spot.key].push_back({number, std::move(said), std::nullopt});
    last_[spot.key.channel] = spot.key;
  }

  /// The texts of an event as they are written: it may be asked for more than once.
  void note_changes(const AnswerTexts& texts, Event event, const Value& root) {
    const std::int64_t number = number_of(root);
    auto text = texts.texts().begin();
    each_spot(event, root, [&](const TextSpot& spot) {
      const auto part = parts_.find(spot.key);
      if (part == parts_.end() || text == texts.texts().end() || text->address.channel != spot.key.channel || text->text != said_by(spot.text)) return;
      const std::string_view final = text->final_text();
      for (Segment& segment : part->second) {
        // Without numbers, the first that reads alike and is not yet known to be written otherwise.
        const bool mine = segment.number == number && segment.text == text->text && (number != kUnnumbered || !segment.final || *segment.final == final);
        if (!mine) continue;
        segment.final = std::string(final);
        ++text;
        return;
      }
    });
  }

  std::optional<TextKey> key_of(const TextAddress& to) const {
    if (to.channel == TextChannel::kToolArguments) {
      if (to.tool_index >= calls_.size()) return std::nullopt;
      return TextKey{calls_[to.tool_index], to.channel};
    }
    const auto found = last_.find(to.channel);
    return found == last_.end() ? std::nullopt : std::optional(found->second);
  }

  static std::optional<TextChannel> channel_of_delta(Event event) noexcept {
    switch (event) {
      case Event::kTextDelta: return TextChannel::kText;
      case Event::kRefusalDelta: return TextChannel::kRefusal;
      case Event::kSummaryDelta:
      case Event::kReasoningDelta: return TextChannel::kReasoning;
      case Event::kArgumentsDelta:
      case Event::kInputDelta: return TextChannel::kToolArguments;
      default: return std::nullopt;
    }
  }

  static std::string_view type_of_delta(const TextKey& key, bool custom) {
    switch (key.channel) {
      case TextChannel::kText: return "response.output_text.delta";
      case TextChannel::kRefusal: return "response.refusal.delta";
      case TextChannel::kReasoning: return key.in_content ? "response.reasoning_text.delta" : "response.reasoning_summary_text.delta";
      case TextChannel::kToolArguments: break;
    }
    return custom ? "response.custom_tool_call_input.delta" : "response.function_call_arguments.delta";
  }

  std::map<TextKey, std::vector<Segment>> parts_;
  std::map<TextChannel, TextKey> last_;   // the text of each channel that was said last
  std::map<std::int64_t, Item> items_;    // by output_index
  std::vector<std::int64_t> calls_;       // their output_index
  std::int64_t last_number_ = kUnnumbered;
  std::size_t kept_bytes_ = 0;            // of parts_
  // For an end before the server's.
  GivenResponse given_;
  std::set<std::int64_t> done_;                              // items that the server has said are done, by output_index
  std::map<std::int64_t, std::size_t> told_texts_, given_texts_;  // of an item: how many
};

}  // namespace

std::unique_ptr<AnswerEditor> make_stream_editor() { return std::make_unique<StreamEditor>(); }

}  // namespace sluice::dialect::responses_parts
