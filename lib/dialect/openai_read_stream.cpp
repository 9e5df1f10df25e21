// Streams of the OpenAI dialect into deltas, chunk by chunk. Nothing is gathered.

#include <map>
#include <tuple>
#include <utility>

#include "dialect/chunk.hpp"
#include "dialect/openai.hpp"
#include "dialect/openai_answer.hpp"
#include "dialect/openai_stream.hpp"
#include "dialect/openai_turn.hpp"
#include "dialect/reading.hpp"

namespace sluice::dialect::openai_parts {
namespace {

using chat::Delta;
using json::Type;
using json::Value;
using reading::member;
using reading::text;

class Decoder final : public DeltaDecoder {
 public:
  explicit Decoder(Operation operation) : operation_(operation) {}

  Status on_event(std::string_view, std::string_view data, std::vector<Delta>& out) override {
    if (done_) return {};
    if (chunk::skip_blanks(data, 0) == data.size()) return {};  // a ping
    if (is_done(data)) {
      done_ = true;
      return {};
    }
    const auto document = json::Document::parse(Body::copy(data));
    if (!document || !document->root().is(Type::kObject)) return tl::unexpected(no_event(data));
    const Value root = document->root();
    if (const Value error = member(root, "error"); error && error.boolean() != std::optional(false)) {
      out.push_back({0, chat::ErrorDelta{embedded_error(root), error_text(root)}});
      done_ = true;
      return {};
    }
    read_root(root, out);
    return {};
  }

  bool over() const noexcept override { return done_; }
  Status on_end() override {
    // Servers that never say [DONE] at least say why they stopped.
    if (done_ || finished_) return {};
    return fail(Code::kUpstreamTruncated, "the upstream's stream ended before it said it was over");
  }

 private:
  struct Choice {
    bool started = false;
    ToolCalls calls;
  };

  void read_root(const Value& root, std::vector<Delta>& out) {
    if (!started_) start(root, out);
    std::string scratch;
    for (Value m = root.first(); m; m = m.next()) {
      const std::string_view key = m.key(scratch);
      if (key == "choices") {
        if (!m.is(Type::kArray)) continue;
        std::size_t position = 0;
        for (Value item = m.first(); item; item = item.next(), ++position) read_choice(item, index_of(item, position), out);
      } else if (key == "usage") {
        if (m.is(Type::kObject)) out.push_back({0, chat::UsageDelta{read_usage(m), std::string(m.raw())}});
      } else if (key != "id" && key != "model" && key != "created" && key != "object" && !is_padding(key) && !m.is(Type::kNull)) {
        extra(chat::ExtraDelta::Where::kAnswer, 0, key, m, out);
      }
    }
  }

  void start(const Value& root, std::vector<Delta>& out) {
    chat::AnswerStart begin;
    begin.id = text(root, "id");
    begin.model = text(root, "model");
    begin.created = reading::integer(member(root, "created"));
    // Azure's first chunk has nothing to say: the answer begins with the next.
    if (begin.id.empty() && begin.model.empty() && !member(root, "choices").first()) return;
    started_ = true;
    out.push_back({0, std::move(begin)});
  }

  void read_choice(const Value& item, std::uint32_t index, std::vector<Delta>& out) {
    if (!item.is(Type::kObject)) return;
    Choice& choice = choices_[index];
    if (!choice.started) {
      choice.started = true;
      out.push_back({index, chat::TurnStart{}});
    }
    std::string scratch;
    Value finish;
    for (Value m = item.first(); m; m = m.next()) {
      const std::string_view key = m.key(scratch);
      if (key == "index" || m.is(Type::kNull)) continue;
      if (key == "finish_reason") {
        finish = m;
      } else if (key == "delta") {
        if (operation_ == Operation::kChat) read_delta(m, index, choice, out);
      } else if (key == "text" && m.is(Type::kString)) {
        // Beside a chat delta (Together) it says the same again.
        if (operation_ == Operation::kCompletions) put_text(text(m), index, out);
      } else if (key == "logprobs") {
        auto logprobs = operation_ == Operation::kChat ? read_logprobs(m) : std::nullopt;
        if (logprobs) {
          out.push_back({index, chat::LogprobsDelta{*std::move(logprobs)}});
        } else {
          extra(chat::ExtraDelta::Where::kChoice, index, key, m, out);
        }
      } else {
        extra(chat::ExtraDelta::Where::kChoice, index, key, m, out);
      }
    }
    if (finish) {
      chat::FinishDelta end;
      end.reason = chat::FinishReason::kNone;
      read_finish(finish, end.reason, end.native);
      if (end.reason == chat::FinishReason::kNone) return;
      finished_ = true;
      out.push_back({index, std::move(end)});
    }
  }

  static void put_text(std::string said, std::uint32_t index, std::vector<Delta>& out) {
    if (!said.empty()) out.push_back({index, chat::TextDelta{std::move(said)}});
  }

  void read_delta(const Value& delta, std::uint32_t index, Choice& choice, std::vector<Delta>& out) {
    std::string scratch;
    bool thought = false;
    for (Value m = delta.first(); m; m = m.next()) {
      const std::string_view key = m.key(scratch);
      if (key == "role" || m.is(Type::kNull)) continue;
      if (key == "content") {
        read_content(m, index, out);
      } else if ((key == "reasoning_content" || key == "reasoning") && m.is(Type::kString)) {
        // Servers that send both send the same twice.
        if (std::string said = text(m); !said.empty() && !std::exchange(thought, true)) {
          out.push_back({index, chat::ThinkingDelta{std::move(said), {}, {}, std::string(key)}});
        }
      } else if (key == "refusal" && m.is(Type::kString)) {
        if (std::string said = text(m); !said.empty()) out.push_back({index, chat::RefusalDelta{std::move(said)}});
      } else if (key == "tool_calls" && m.is(Type::kArray)) {
        for (Value call = m.first(); call; call = call.next()) read_call(call, index, choice, out);
      } else if (key == "function_call" && m.is(Type::kObject)) {
        const auto [at, begins] = choice.calls.join_legacy();
        if (begins) out.push_back({index, chat::ToolCallStart{at, chat::ToolKind::kFunction, {}, text(m, "name"), true}});
        if (std::string part = text(m, "arguments"); !part.empty()) out.push_back({index, chat::ToolCallDelta{at, std::move(part)}});
      } else if (key == "annotations" && m.is(Type::kArray)) {
        for (chat::Citation& citation : read_annotations(m)) out.push_back({index, chat::CitationDelta{std::move(citation)}});
      } else if (key == "audio" && m.is(Type::kObject)) {
        out.push_back({index, chat::AudioDelta{text(m, "id"), text(m, "data"), text(m, "transcript"),
                                               reading::integer(member(m, "expires_at"))}});
      } else {
        extra(chat::ExtraDelta::Where::kTurn, index, key, m, out);
      }
    }
  }

  /// A string, or Mistral's list of typed pieces.
  void read_content(const Value& content, std::uint32_t index, std::vector<Delta>& out) {
    if (content.is(Type::kString)) {
      put_text(text(content), index, out);
    } else if (content.is(Type::kArray)) {
      for (Value item = content.first(); item; item = item.next()) {
        auto part = read_part(item, "content");
        if (!part) continue;
        if (const auto* said = part->as<chat::Text>()) {
          put_text(said->text, index, out);
        } else if (const auto* thought = part->as<chat::Thinking>()) {
          out.push_back({index, chat::ThinkingDelta{thought->text, thought->signature, {}, "reasoning_content"}});
        } else {
          extra(chat::ExtraDelta::Where::kTurn, index, "content_parts", content, out);
          return;
        }
      }
    }
  }

  static void read_call(const Value& call, std::uint32_t index, Choice& choice, std::vector<Delta>& out) {
    chat::ToolCall read = read_tool_call(call);
    std::erase_if(read.extras, [](const chat::Extra& e) { return e.key == "index"; });
    const auto [at, begins] = choice.calls.join(read.id, reading::integer(member(call, "index")), !read.name.empty(),
                                                read.kind == chat::ToolKind::kCustom ? CallShape::kCustom : CallShape::kFunction);
    if (begins) {
      out.push_back({index, chat::ToolCallStart{at, read.kind, std::move(read.id), std::move(read.name), false, {}, std::move(read.extras)}});
    }
    if (!read.arguments.empty()) out.push_back({index, chat::ToolCallDelta{at, std::move(read.arguments)}});
  }

  /// Passes a member on where it is new: many servers repeat theirs in every chunk.
  void extra(chat::ExtraDelta::Where where, std::uint32_t index, std::string_view key, const Value& value, std::vector<Delta>& out) {
    std::string& last = last_extras_[{static_cast<int>(where), index, std::string(key)}];
    const bool list = value.is(Type::kArray);  // lists come in pieces
    if (!list && last == value.raw()) return;
    last = value.raw();
    out.push_back({index, chat::ExtraDelta{where, {kName, std::string(key), last}}});
  }

  Operation operation_;
  bool started_ = false, finished_ = false, done_ = false;
  std::map<std::uint32_t, Choice> choices_;
  std::map<std::tuple<int, std::uint32_t, std::string>, std::string> last_extras_;
};

}  // namespace

std::unique_ptr<DeltaDecoder> make_delta_decoder(Operation operation) { return std::make_unique<Decoder>(operation); }

std::string event_text(std::string_view data) {
  const auto document = json::Document::parse(Body::copy(data));
  if (!document) return {};
  const Value choices = member(document->root(), "choices");
  if (!choices.is(Type::kArray)) return {};
  for (Value choice = choices.first(); choice; choice = choice.next()) {
    if (reading::integer(member(choice, "index")).value_or(0) != 0) continue;
    const Value content = member(member(choice, "delta"), "content");
    if (content.is(Type::kString)) return text(content);
    std::string said;
    for (Value item = content.is(Type::kArray) ? content.first() : Value{}; item; item = item.next()) said += text(item, "text");
    if (!said.empty()) return said;
    return text(choice, "text");
  }
  return {};
}

}  // namespace sluice::dialect::openai_parts
