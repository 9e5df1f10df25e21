// Streams of the Cohere dialect into deltas, event by event. Nothing is gathered but a `null` that stands for no arguments.

#include <utility>

#include "dialect/chunk.hpp"
#include "dialect/cohere.hpp"
#include "dialect/cohere_turn.hpp"
#include "dialect/openai_stream.hpp"
#include "dialect/provider_words.hpp"
#include "dialect/reading.hpp"

namespace sluice::dialect::cohere_parts {
namespace {

using chat::Delta;
using json::Type;
using json::Value;
using openai_parts::CallShape;
using reading::member;
using reading::text;

class Decoder final : public DeltaDecoder {
 public:
  Status on_event(std::string_view, std::string_view data, std::vector<Delta>& out) override {
    if (done_) return {};
    if (chunk::skip_blanks(data, 0) == data.size()) return {};  // a ping
    if (openai_parts::is_done(data)) {
      done_ = true;
      return {};
    }
    const auto document = json::Document::parse(Body::copy(data));
    if (!document || !document->root().is(Type::kObject)) return tl::unexpected(openai_parts::no_event(data));
    const Value root = document->root();
    const std::string type = text(root, "type");
    if (type.empty()) {
      if (member(root, "message").is(Type::kString) || member(root, "error")) failed(embedded_error(root), error_text(root), out);
      return {};
    }
    const Value message = member(member(root, "delta"), "message");
    if (type == "message-start") {
      start(text(root, "id"), out);
    } else if (type == "content-start" || type == "content-delta") {
      read_content(root, member(message, "content"), out);
    } else if (type == "tool-plan-delta") {
      if (std::string plan = text(message, kToolPlan); !plan.empty()) {
        put(out, chat::ThinkingDelta{std::move(plan), {}, {}, std::string(kToolPlan)});
      }
    } else if (type == "tool-call-start") {
      begin_call(root, member(message, "tool_calls"), out);
    } else if (type == "tool-call-delta") {
      read_arguments(root, member(message, "tool_calls"), out);
    } else if (type == "tool-call-end") {
      end_call(out);
    } else if (type == "citation-start") {
      if (const Value citation = member(message, "citations")) put(out, chat::CitationDelta{read_citation(citation)});
    } else if (type == "message-end") {
      finish(member(root, "delta"), out);
    }
    return {};
  }

  bool over() const noexcept override { return done_; }
  Status on_end() override {
    if (done_ || finished_) return {};
    return fail(Code::kUpstreamTruncated, "the upstream's stream ended before it said it was over");
  }

 private:
  template <typename Event>
  void put(std::vector<Delta>& out, Event event) {
    if (!started_) start({}, out);
    out.push_back({0, std::move(event)});
  }

  void start(std::string id, std::vector<Delta>& out) {
    if (std::exchange(started_, true)) return;
    out.push_back({0, chat::AnswerStart{std::move(id)}});
    out.push_back({0, chat::TurnStart{}});
  }

  void read_content(const Value& root, const Value& content, std::vector<Delta>& out) {
    if (std::string said = text(content, "text"); !said.empty()) put(out, chat::TextDelta{std::move(said)});
    if (std::string thought = text(content, "thinking"); !thought.empty()) put(out, chat::ThinkingDelta{std::move(thought)});
    const Value logprobs = member(root, "logprobs"), tokens = member(logprobs, "logprobs");
    if (!tokens.is(Type::kArray) || tokens.size() != 1) return;
    const auto n = tokens.first().number();
    if (n) put(out, chat::LogprobsDelta{{{{text(logprobs, "text"), *n}}, {}}});
  }

  void begin_call(const Value& root, const Value& call, std::vector<Delta>& out) {
    end_call(out);
    chat::ToolCall read = read_tool_call(call);
    const std::uint32_t at = calls_.begin(read.id, reading::integer(member(root, "index")), CallShape::kFunction);
    open_ = at;
    put(out, chat::ToolCallStart{at, chat::ToolKind::kFunction, std::move(read.id), std::move(read.name), false, {}, std::move(read.extras)});
    add_arguments(at, std::move(read.arguments), out);
  }

  void read_arguments(const Value& root, const Value& call, std::vector<Delta>& out) {
    if (calls_.size() == 0) return;
    const auto wire_index = reading::integer(member(root, "index"));
    // A fragment of a call that never began joins the last one.
    std::uint32_t at = static_cast<std::uint32_t>(calls_.size()) - 1;
    for (std::size_t i = calls_.size(); wire_index && i-- > 0;) {
      if (calls_[i].wire_index != wire_index) continue;
      at = static_cast<std::uint32_t>(i);
      break;
    }
    add_arguments(at, read_tool_call(call).arguments, out);
  }

  void add_arguments(std::uint32_t at, std::string arguments, std::vector<Delta>& out) {
    if (arguments.empty()) return;
    if (open_ == at && !said_arguments_) {
      held_ += arguments;
      // All of it may yet be the word that means none.
      if (std::string_view("null").starts_with(held_)) return;
      said_arguments_ = true;
      arguments = std::exchange(held_, {});
    }
    put(out, chat::ToolCallDelta{at, std::move(arguments)});
  }

  void end_call(std::vector<Delta>& out) {
    if (!open_) return;
    if (!said_arguments_) put(out, chat::ToolCallDelta{*open_, is_no_arguments(held_) ? "{}" : std::move(held_)});
    held_.clear();
    said_arguments_ = false;
    open_.reset();
  }

  void finish(const Value& delta, std::vector<Delta>& out) {
    end_call(out);
    finished_ = true;
    const std::string reason = text(delta, "finish_reason");
    if (const Value usage = member(delta, "usage"); usage.is(Type::kObject) && usage.first()) {
      put(out, chat::UsageDelta{read_usage(usage), std::string(usage.raw())});
    }
    if (is_failure(reason) || member(delta, "error")) return failed(failure_of(delta, reason), error_text(delta), out);
    put(out, chat::FinishDelta{reason.empty() ? chat::FinishReason::kStop : finish_reason(reason), reason});
  }

  void failed(Error error, std::string words, std::vector<Delta>& out) {
    out.push_back({0, chat::ErrorDelta{std::move(error), std::move(words)}});
    done_ = true;
  }

  bool started_ = false, finished_ = false, done_ = false;
  openai_parts::ToolCalls calls_;
  // The call that is open.
  std::optional<std::uint32_t> open_;
  bool said_arguments_ = false;
  std::string held_;
};

}  // namespace

std::unique_ptr<DeltaDecoder> make_delta_decoder() { return std::make_unique<Decoder>(); }

std::string event_text(std::string_view data) {
  const auto document = json::Document::parse(Body::copy(data));
  if (!document) return {};
  return text(member(member(member(document->root(), "delta"), "message"), "content"), "text");
}

}  // namespace sluice::dialect::cohere_parts
