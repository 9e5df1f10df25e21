// Edits streams of the Anthropic dialect: texts out of events and back, ends split off, events of our own behind the last block.
// Every event stands by itself here: what an answer is called is said once, at its start.

#include <optional>
#include <utility>

#include "dialect/anthropic.hpp"
#include "dialect/anthropic_texts.hpp"
#include "dialect/chunk.hpp"
#include "dialect/event_pattern.hpp"
#include "dialect/reading.hpp"
#include "http/sse.hpp"

namespace sluice::dialect::anthropic_parts {
namespace {

using json::Type;
using json::Value;
using reading::member;

class StreamEditor final : public AnswerEditor {
 public:
  Status read(std::string_view data, AnswerTexts& out) override {
    out.take(data);
    if (chunk::skip_blanks(data, 0) == data.size()) return {};
    if (const auto text = pattern_.match(data)) {
      const auto& [begin, end] = text->range;
      out.put({.address = address_, .text = out.keep(begin, end, text->escaped)}, {.begin = begin - 1, .end = end + 1});
      return {};
    }
    const auto document = out.parse();
    if (!document || !document->root().is(Type::kObject)) return tl::unexpected(no_event(data));
    const Value root = document->root(), type = member(root, "type");
    const std::int64_t index = reading::integer(member(root, "index")).value_or(0);
    const auto is = [&type](std::string_view name) { return type.is(Type::kString) && type.equals(name); };
    if (is("content_block_delta")) {
      reader_.delta(member(root, "delta"), index, out);
      if (out.texts().size() == 1) {
        address_ = out.texts()[0].address;
        const AnswerTexts::Place& place = out.places()[0];
        pattern_.learn(data, {place.begin + 1, place.end - 1}, std::nullopt);
      }
    } else if (is("content_block_start")) {
      reader_.block(member(root, "content_block"), index, true, out);
      out.step() = {.what = kOpens, .index = index};
    } else if (is("content_block_stop")) {
      out.step().what = kStops;
    } else if (is("message_start")) {
      read_start(member(root, "message"), out);
    } else if (is("message_delta")) {
      if (reader_.stop(member(root, "delta"), out)) finish(out);
      out.set_ends();
    } else if (is("message_stop")) {
      out.set_ends();
    }
    return {};
  }

  void write(const AnswerTexts& texts, std::string& out) override { texts.write(out, 0, texts.data().size()); }

  Status split(const AnswerTexts& texts, std::string& said, std::string& end) override {
    const auto document = texts.parse();
    if (!document) return tl::unexpected(no_event(texts.data()));
    const Value message = member(document->root(), "message"), reason = member(message, "stop_reason");
    if (!reason) {
      // The words of a refusal are part of its end: nothing is said before it.
      said += R"({"type":"ping"})";
      write(texts, end);
      return {};
    }
    texts.write(said, 0, reason.offset());
    said += "null";
    texts.write(said, reason.offset() + reason.length(), texts.data().size());
    json::Writer writer(end);
    writer.begin_object().field("type", "message_delta").key("delta").begin_object();
    writer.key("stop_reason").raw(texts.raw(reason)).key("stop_sequence");
    const Value sequence = member(message, "stop_sequence"), usage = member(message, "usage");
    sequence ? writer.raw(texts.raw(sequence)) : writer.null();
    writer.end_object().key("usage").raw(usage ? texts.raw(usage) : std::string_view(R"({"output_tokens":0})")).end_object();
    return {};
  }

  /// A delta of a block that is new where it says something, or of the call it is for.
  Status add_event(const TextAddress& to, std::string_view text, std::string& out) override {
    const auto call = reader_.block_of(to.tool_index);
    const bool arguments = to.channel == TextChannel::kToolArguments;
    if (to.choice != 0 || to.channel == TextChannel::kRefusal || (arguments && !call)) return tl::unexpected(no_place(to));
    added_ = arguments ? *call : reader_.blocks() + fresh_++;
    json::Writer writer(out);
    writer.begin_object().field("type", "content_block_delta").key("index").integer(added_).key("delta").begin_object();
    switch (to.channel) {
      case TextChannel::kReasoning: writer.field("type", "thinking_delta").field("thinking", text); break;
      case TextChannel::kToolArguments: writer.field("type", "input_json_delta").field("partial_json", text); break;
      default: writer.field("type", "text_delta").field("text", text); break;
    }
    writer.end_object().end_object();
    kind_ = to.channel;
    return {};
  }

  void frame_added(std::string_view data, http::Framing, std::string& out) override {
    if (kind_ == TextChannel::kToolArguments) return http::append_event(out, data, "content_block_delta");
    stop_open(out);
    const std::string index = std::to_string(added_);
    const std::string_view block = kind_ == TextChannel::kReasoning ? R"({"type":"thinking","thinking":"","signature":""})" : R"({"type":"text","text":""})";
    http::append_event(out, R"({"type":"content_block_start","index":)" + index + R"(,"content_block":)" + std::string(block) + "}", "content_block_start");
    http::append_event(out, data, "content_block_delta");
    http::append_event(out, R"({"type":"content_block_stop","index":)" + index + "}", "content_block_stop");
  }

  void gave(const AnswerTexts& texts) override {
    if (texts.step().what == kOpens) open_ = texts.step().index;
    if (texts.step().what == kStops) open_.reset();
  }

  bool end_early(const EarlyEnd& end, std::string& out) override {
    if (!end.filtered) return false;  // an error ends it as it stands
    stop_open(out);
    http::append_event(out, R"({"type":"message_delta","delta":{"stop_reason":"refusal","stop_sequence":null},"usage":)" + write_usage(end.usage) + "}", "message_delta");
    http::append_event(out, R"({"type":"message_stop"})", "message_stop");
    return true;
  }

 private:
  enum : std::uint8_t { kOpens = 1, kStops };  // what a step does to a block

  void read_start(const Value& message, AnswerTexts& out) {
    const Value content = member(message, "content");
    std::int64_t index = 0;
    for (Value block = content.is(Type::kArray) ? content.first() : Value{}; block; block = block.next()) reader_.block(block, index++, false, out);
    if (reader_.stop(message, out)) finish(out);
  }

  static void finish(AnswerTexts& out) {
    for (AnswerText& text : out.texts()) text.finishes = true;
    out.set_ends();
  }

  void stop_open(std::string& out) {
    const auto open = std::exchange(open_, std::nullopt);
    if (open) http::append_event(out, R"({"type":"content_block_stop","index":)" + std::to_string(*open) + "}", "content_block_stop");
  }

  TextReader reader_;
  // The last delta that was parsed; those since then differ in their text alone, which is `address_`'s.
  EventPattern pattern_;
  TextAddress address_;
  std::optional<std::int64_t> open_;  // the block that the caller has seen begin and not stop
  std::int64_t fresh_ = 0;            // blocks added behind those of the answer
  // The event that was added last.
  std::int64_t added_ = 0;
  TextChannel kind_ = TextChannel::kText;
};

}  // namespace

std::unique_ptr<AnswerEditor> make_stream_editor() { return std::make_unique<StreamEditor>(); }

}  // namespace sluice::dialect::anthropic_parts
