// Edits answers of the Bedrock dialect, streamed and whole: texts out of blocks and back.

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "dialect/bedrock.hpp"
#include "dialect/bedrock_blocks.hpp"
#include "dialect/bedrock_events.hpp"
#include "dialect/chunk.hpp"
#include "dialect/event_pattern.hpp"
#include "dialect/excerpt.hpp"
#include "dialect/openai_texts.hpp"
#include "dialect/reading.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::bedrock_parts {
namespace {

using json::Type;
using json::Value;
using openai_parts::place_in;
using openai_parts::place_of;
using Form = AnswerTexts::Form;

/// Members one by one, not by name: what stands there twice, some client reads.
template <typename F>
void each_member(const Value& object, F&& visit) {
  std::string scratch;
  for (Value m = object.is(Type::kObject) ? object.first() : Value{}; m; m = m.next()) visit(m.key(scratch), m);
}

bool is_empty(const Value& string) noexcept { return string.length() == 2; }

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
    const Value root = document->root();
    const auto index = block_index(root);
    bool begins = false, stops = index.has_value();
    std::optional<EventPattern::Range> padding;
    each_member(root, [&](std::string_view key, const Value& value) {
      if (key == "delta" || key == "start") stops = false;
      if (key == "delta") {
        delta(value, index, out);
      } else if (key == "start") {
        begins = true;
        start(value, index, out);
      } else if (key == "stopReason" || key == "usage") {
        out.set_ends();
      } else if (key == "p" && value.is(Type::kString)) {
        padding = inside(value);
      }
    });
    if (stops && open_ == index) open_.reset();
    if (index) out.step() = {.what = stops ? kStops : kOpens, .index = *index};
    if (!begins && out.texts().size() == 1 && !out.ends() && out.texts()[0].tool_name.empty()) {
      address_ = out.texts()[0].address;
      const auto& place = out.places()[0];
      pattern_.learn(data, {place.begin + 1, place.end - 1}, padding);
    } else {
      pattern_.learn(data);
    }
    return {};
  }

  void write(const AnswerTexts& texts, std::string& out) override { texts.write(out, 0, texts.data().size()); }

  /// A contentBlockDelta: of the block that is open where it says such things, of its call, or of a block of its own, which is
  /// stopped behind it (frame_added).
  Status add_event(const TextAddress& to, std::string_view text, std::string& out) override {
    const bool call = to.channel == TextChannel::kToolArguments;
    if (to.choice != 0 || to.channel == TextChannel::kRefusal || (call && to.tool_index >= blocks_.size())) return tl::unexpected(no_place(to));
    std::uint32_t index = next_;
    own_block_.reset();
    if (call) {
      index = blocks_[to.tool_index];
    } else if (open_ && open_channel_ == to.channel) {
      index = *open_;
    } else {
      own_block_ = next_++;
    }
    json::Writer writer(out);
    writer.begin_object().key("contentBlockIndex").unsigned_integer(index).key("delta").begin_object();
    if (call) {
      writer.key("toolUse").begin_object().field("input", text).end_object();
    } else if (to.channel == TextChannel::kReasoning) {
      writer.key("reasoningContent").begin_object().field("text", text).end_object();
    } else {
      writer.field("text", text);
    }
    writer.end_object().end_object();
    return {};
  }

  void frame_added(std::string_view data, http::Framing framing, std::string& out) override {
    http::append_event(out, framing, data, "contentBlockDelta");
    if (own_block_) stop(*std::exchange(own_block_, std::nullopt), framing, out);
  }

  void gave(const AnswerTexts& texts) override {
    const auto block = static_cast<std::uint32_t>(texts.step().index);
    if (texts.step().what == kOpens) begun_ = block;
    if (texts.step().what == kStops && begun_ == block) begun_.reset();
  }

  bool end_early(const EarlyEnd& end, std::string& out) override {
    if (!end.filtered) return false;  // an exception ends it as it stands
    if (begun_) stop(*std::exchange(begun_, std::nullopt), end.framing, out);
    http::append_event(out, end.framing, R"({"stopReason":"content_filtered"})", "messageStop");
    if (!chat::empty(end.usage)) http::append_event(out, end.framing, R"({"usage":)" + write_usage(end.usage, {}) + "}", "metadata");
    return true;
  }

 private:
  enum : std::uint8_t { kOpens = 1, kStops };  // what a step does to a block

  static void stop(std::uint32_t block, http::Framing framing, std::string& out) {
    http::append_event(out, framing, R"({"contentBlockIndex":)" + std::to_string(block) + "}", "contentBlockStop");
  }

  static EventPattern::Range inside(const Value& string) noexcept { return {string.offset() + 1, string.offset() + string.length() - 1}; }

  void start(const Value& value, std::optional<std::uint32_t> index, AnswerTexts& out) {
    note(index);
    each_member(value, [&](std::string_view key, const Value& use) {
      if (key != "toolUse" || !use.is(Type::kObject) || is_servers_own(use) || !index) return;
      const auto [call, begun] = calls_.try_emplace(*index, static_cast<std::uint32_t>(blocks_.size()));
      if (begun) blocks_.push_back(*index);
      const std::uint32_t number = call->second;
      // A call begins without arguments: told by its name, so that one that never has any is told too.
      each_member(use, [&](std::string_view name, const Value& said) {
        if (name != "name" || !said.is(Type::kString)) return;
        out.put({.address = {0, TextChannel::kToolArguments, number}, .tool_name = out.keep(said)}, place_in(use, R"("input":)"));
      });
    });
  }

  void delta(const Value& value, std::optional<std::uint32_t> index, AnswerTexts& out) {
    note(index);
    each_member(value, [&](std::string_view key, const Value& said) {
      if (key == "text") {
        put(TextChannel::kText, said, index, out);
      } else if (key == "reasoningContent") {
        each_member(said, [&](std::string_view name, const Value& thought) {
          if (name == "text") put(TextChannel::kReasoning, thought, index, out);
        });
      } else if (key == "toolUse") {
        const auto call = index ? calls_.find(*index) : calls_.end();
        if (call == calls_.end()) return;  // a tool that the server runs itself
        each_member(said, [&](std::string_view name, const Value& input) {
          if (name != "input" || !input.is(Type::kString) || is_empty(input)) return;
          out.put({.address = {0, TextChannel::kToolArguments, call->second}, .text = out.keep(input)}, place_of(input));
        });
      }
    });
  }

  void put(TextChannel channel, const Value& said, std::optional<std::uint32_t> index, AnswerTexts& out) {
    open_ = index;
    open_channel_ = channel;
    if (said.is(Type::kString) && !is_empty(said)) out.put({.address = {0, channel}, .text = out.keep(said)}, place_of(said));
  }

  void note(std::optional<std::uint32_t> index) noexcept {
    if (index && *index >= next_) next_ = *index + 1;
  }

  // The last event that was parsed and had one text; those since then differ in that text alone, which is `address_`'s.
  EventPattern pattern_;
  TextAddress address_;
  std::map<std::uint32_t, std::uint32_t> calls_;  // by block
  std::vector<std::uint32_t> blocks_;             // by call
  std::optional<std::uint32_t> open_;             // the block of text or thinking that has not been stopped
  std::optional<std::uint32_t> begun_;            // that the caller has seen begin and not stop, of any kind
  std::optional<std::uint32_t> own_block_;        // that the event added last is alone in
  TextChannel open_channel_ = TextChannel::kText;
  std::uint32_t next_ = 0;                        // the first index no block has had
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
    std::uint32_t calls = 0;
    each_content(document->root(), [&](const Value& list) {
      for (Value block = list.first(); block; block = block.next()) {
        each_member(block, [&](std::string_view key, const Value& value) { member_of_block(key, value, calls, out); });
      }
    });
    return {};
  }

  void write(const AnswerTexts& texts, std::string& out) override { texts.write(out, 0, texts.data().size()); }

  Status add_text(const TextAddress& to, std::string_view text, AnswerTexts& answer) override {
    if (answer.append(to, text)) return {};
    const bool thinking = to.channel == TextChannel::kReasoning;
    const auto document = answer.parse();
    bool put = false;
    if (document && to.choice == 0 && (thinking || to.channel == TextChannel::kText)) {
      each_content(document->root(), [&](const Value& list) {
        if (std::exchange(put, true)) return;
        answer.put({.address = to, .replacement = std::string(text)},
                   thinking ? place_in(list, R"({"reasoningContent":{"reasoningText":{"text":)", "}}}") : place_in(list, R"({"text":)", "}"));
      });
    }
    if (!put) return tl::unexpected(no_place(to));
    return {};
  }

 private:
  template <typename F>
  static void each_content(const Value& root, F&& visit) {
    each_member(root, [&](std::string_view key, const Value& output) {
      if (key != "output") return;
      each_member(output, [&](std::string_view inner, const Value& message) {
        if (inner != "message") return;
        each_member(message, [&](std::string_view name, const Value& list) {
          if (name == "content" && list.is(Type::kArray)) visit(list);
        });
      });
    });
  }

  static void string(TextChannel channel, const Value& said, AnswerTexts& out) {
    if (said.is(Type::kString) && !is_empty(said)) out.put({.address = {0, channel}, .text = out.keep(said)}, place_of(said));
  }

  static void member_of_block(std::string_view key, const Value& value, std::uint32_t& calls, AnswerTexts& out) {
    if (key == "text") {
      string(TextChannel::kText, value, out);
    } else if (key == "reasoningContent") {
      each_member(value, [&](std::string_view inner, const Value& thought) {
        if (inner != "reasoningText") return;
        each_member(thought, [&](std::string_view name, const Value& said) {
          if (name == "text") string(TextChannel::kReasoning, said, out);
        });
      });
    } else if (key == "citationsContent") {
      each_member(value, [&](std::string_view inner, const Value& list) {
        if (inner != "content" || !list.is(Type::kArray)) return;
        for (Value piece = list.first(); piece; piece = piece.next()) {
          each_member(piece, [&](std::string_view name, const Value& said) {
            if (name == "text") string(TextChannel::kText, said, out);
          });
        }
      });
    } else if (key == "toolUse" && value.is(Type::kObject) && !is_servers_own(value)) {
      call(value, calls++, out);
    }
  }

  static void call(const Value& use, std::uint32_t index, AnswerTexts& out) {
    AnswerText told{.address = {0, TextChannel::kToolArguments, index}};
    Value input;
    each_member(use, [&](std::string_view key, const Value& value) {
      if (key == "name" && value.is(Type::kString)) told.tool_name = out.keep(value);
      if (key == "input") input = value;
    });
    if (!input) {
      out.put(std::move(told), place_in(use, R"("input":)"));
      return;
    }
    // Arguments stand there as JSON, not as a string that holds some.
    told.text = out.raw(input);
    out.put(std::move(told), place_of(input, Form::kJson));
  }
};

}  // namespace

std::unique_ptr<AnswerEditor> make_stream_editor() { return std::make_unique<StreamEditor>(); }
std::unique_ptr<AnswerEditor> make_whole_editor() { return std::make_unique<WholeEditor>(); }

}  // namespace sluice::dialect::bedrock_parts
