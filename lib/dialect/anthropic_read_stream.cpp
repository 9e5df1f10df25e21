// Streams of the Anthropic dialect into deltas, event by event. Nothing is gathered.
//
// Blocks that only this dialect understands (a server's tools and what they found) go through as they came: each event's block
// or delta is an extra of the turn under kBlocks, a list of one, so that whoever gathers them has them in order.

#include <map>
#include <utility>

#include "dialect/anthropic.hpp"
#include "dialect/anthropic_blocks.hpp"
#include "dialect/anthropic_stream.hpp"
#include "dialect/chunk.hpp"
#include "dialect/reading.hpp"

namespace sluice::dialect::anthropic_parts {
namespace {

using chat::Delta;
using json::Type;
using json::Value;
using reading::member;
using reading::text;

class Decoder final : public DeltaDecoder {
 public:
  Status on_event(std::string_view, std::string_view data, std::vector<Delta>& out) override {
    if (done_) return {};
    if (chunk::skip_blanks(data, 0) == data.size()) return {};
    const auto document = json::Document::parse(Body::copy(data));
    if (!document || !document->root().is(Type::kObject)) return tl::unexpected(no_event(data));
    const Value root = document->root();
    const std::string type = text(root, "type");
    if (type == "error" || (type.empty() && member(root, "error"))) {
      out.push_back({0, chat::ErrorDelta{error_of(root), error_text(root)}});
      done_ = true;
    } else if (type == "message_start") {
      return start(member(root, "message"), out);
    } else if (type == "content_block_start") {
      start_block(index_of(root), member(root, "content_block"), out);
    } else if (type == "content_block_delta") {
      add_to_block(index_of(root), member(root, "delta"), out);
    } else if (type == "content_block_stop") {
      stop_block(index_of(root), out);
    } else if (type == "message_delta") {
      finish(root, out);
    } else if (type == "message_stop") {
      done_ = true;
    }
    return {};  // a ping, and what comes to be
  }

  bool over() const noexcept override { return done_; }
  Status on_end() override {
    if (done_ || finished_) return {};
    return fail(Code::kUpstreamTruncated, "the upstream's stream ended before it said it was over");
  }

 private:
  enum class Kind : std::uint8_t { kText, kThinking, kCall, kOther };
  struct Block {
    Kind kind = Kind::kOther;
    std::uint32_t call = 0;    // kCall: counted over the answer
    std::string input = {};    // kCall: as the block began with it
    bool said = false;         // kCall: arguments have come
  };

  static std::int64_t index_of(const Value& root) { return reading::integer(member(root, "index")).value_or(0); }

  Status start(const Value& message, std::vector<Delta>& out) {
    const std::string id = text(message, "id");
    if (started_) {
      // Servers in between were seen to begin twice. The same answer, before it has said anything, is only told again.
      if (id == id_ && blocks_.empty()) return {};
      return fail(Code::kUpstreamInvalidAnswer, "the upstream's stream began a second answer inside the first one");
    }
    started_ = true;
    id_ = id;
    chat::AnswerStart begin;
    begin.id = id;
    begin.model = text(message, "model");
    keep_others(begin.extras, message, {"id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "stop_details"});
    out.push_back({0, std::move(begin)});
    usage(member(message, "usage"), out);
    out.push_back({0, chat::TurnStart{}});
    // An answer that goes on with calls it had in store comes whole with its start.
    const Value content = member(message, "content");
    std::int64_t index = 0;
    for (Value block = content.is(Type::kArray) ? content.first() : Value{}; block; block = block.next(), ++index) {
      start_block(index, block, out);
      stop_block(index, out);
    }
    stop(message, out);
    return {};
  }

  void usage(const Value& value, std::vector<Delta>& out) {
    if (!value.is(Type::kObject)) return;
    counts_.take(value);
    if (chat::Usage read = counts_.normalised(); !chat::empty(read)) out.push_back({0, chat::UsageDelta{std::move(read), {}}});
  }

  void start_block(std::int64_t index, const Value& value, std::vector<Delta>& out) {
    const std::string type = text(value, "type");
    Block& block = blocks_[index] = Block{};
    if (type == "text") {
      block.kind = Kind::kText;
      say(text(value, "text"), out);
      const Value citations = member(value, "citations");
      for (Value item = citations.is(Type::kArray) ? citations.first() : Value{}; item; item = item.next()) {
        out.push_back({0, chat::CitationDelta{read_citation(item)}});
      }
    } else if (type == "thinking") {
      block.kind = Kind::kThinking;
      think({text(value, "thinking"), text(value, "signature"), {}, {}}, out);
    } else if (type == "redacted_thinking" && !text(value, "data").empty()) {
      block.kind = Kind::kThinking;
      think({{}, {}, text(value, "data"), {}}, out);
    } else if (type == "tool_use") {
      chat::ToolCall call = read_tool_use(value);
      block.kind = Kind::kCall;
      block.call = calls_++;
      block.input = std::move(call.arguments);
      out.push_back({0, chat::ToolCallStart{block.call, call.kind, std::move(call.id), std::move(call.name), false, {}, std::move(call.extras)}});
    } else {
      keep_event(kBlock, value, out);
    }
  }

  void add_to_block(std::int64_t index, const Value& delta, std::vector<Delta>& out) {
    const auto found = blocks_.find(index);
    const bool other = found != blocks_.end() && found->second.kind == Kind::kOther;
    const std::string type = text(delta, "type");
    if (other) {
      keep_event(kDelta, delta, out);
    } else if (type == "text_delta") {
      say(text(delta, "text"), out);
    } else if (type == "thinking_delta") {
      think({text(delta, "thinking"), {}, {}, {}}, out);
    } else if (type == "signature_delta") {
      think({{}, text(delta, "signature"), {}, {}}, out);
    } else if (type == "citations_delta") {
      out.push_back({0, chat::CitationDelta{read_citation(member(delta, "citation"))}});
    } else if (type == "input_json_delta" && found != blocks_.end() && found->second.kind == Kind::kCall) {
      std::string part = text(delta, "partial_json");
      if (part.empty()) return;
      found->second.said = true;
      out.push_back({0, chat::ToolCallDelta{found->second.call, std::move(part)}});
    }
  }

  /// A call without fragments has its arguments where it began; one without any has none.
  void stop_block(std::int64_t index, std::vector<Delta>& out) {
    const auto found = blocks_.find(index);
    if (found == blocks_.end() || found->second.kind != Kind::kCall || std::exchange(found->second.said, true)) return;
    out.push_back({0, chat::ToolCallDelta{found->second.call, found->second.input}});
  }

  void finish(const Value& root, std::vector<Delta>& out) {
    const Value delta = member(root, "delta");
    std::string scratch;
    for (Value m = root.first(); m; m = m.next()) {
      const std::string_view key = m.key(scratch);
      if (key != "type" && key != "delta" && !m.is(Type::kNull)) extra(chat::ExtraDelta::Where::kAnswer, key, m, out);
    }
    for (Value m = delta.is(Type::kObject) ? delta.first() : Value{}; m; m = m.next()) {
      const std::string_view key = m.key(scratch);
      if (!key.starts_with("stop_") && !m.is(Type::kNull)) extra(chat::ExtraDelta::Where::kAnswer, key, m, out);
    }
    stop(delta, out);
    usage(member(root, "usage"), out);
  }

  /// The stop reason and what tells more of it; nothing while there is none.
  void stop(const Value& holder, std::vector<Delta>& out) {
    for (const std::string_view key : {"stop_sequence", "stop_details"}) {
      if (const Value value = member(holder, key)) extra(chat::ExtraDelta::Where::kChoice, key, value, out);
    }
    if (std::string words = explanation_of(member(holder, "stop_details")); !words.empty()) out.push_back({0, chat::RefusalDelta{std::move(words)}});
    chat::FinishDelta end;
    end.native = text(holder, "stop_reason");
    end.reason = finish_reason(end.native);
    if (end.reason == chat::FinishReason::kNone) return;
    finished_ = true;
    out.push_back({0, std::move(end)});
  }

  static void say(std::string said, std::vector<Delta>& out) {
    if (!said.empty()) out.push_back({0, chat::TextDelta{std::move(said)}});
  }
  static void think(chat::ThinkingDelta thought, std::vector<Delta>& out) {
    if (!thought.text.empty() || !thought.signature.empty() || !thought.redacted.empty()) out.push_back({0, std::move(thought)});
  }
  static void extra(chat::ExtraDelta::Where where, std::string_view key, const Value& value, std::vector<Delta>& out) {
    out.push_back({0, chat::ExtraDelta{where, {kName, std::string(key), std::string(value.raw())}}});
  }
  static void keep_event(std::string_view kind, const Value& value, std::vector<Delta>& out) {
    if (!value) return;
    std::string json = "[{\"";
    json.append(kind).append("\":").append(value.raw()).append("}]");
    out.push_back({0, chat::ExtraDelta{chat::ExtraDelta::Where::kTurn, {kName, std::string(kBlocks), std::move(json)}}});
  }

  bool started_ = false, finished_ = false, done_ = false;
  std::string id_;
  std::uint32_t calls_ = 0;
  UsageCounts counts_;
  std::map<std::int64_t, Block> blocks_;
};

}  // namespace

std::unique_ptr<DeltaDecoder> make_delta_decoder() { return std::make_unique<Decoder>(); }

std::string event_name(std::string_view data) {
  const auto document = json::Document::parse(Body::copy(data));
  return document ? text(document->root(), "type") : std::string();
}

std::string event_text(std::string_view data) {
  const auto document = json::Document::parse(Body::copy(data));
  if (!document) return {};
  const Value root = document->root();
  const Value holder = member(root, text(root, "type") == "content_block_start" ? "content_block" : "delta");
  const std::string type = text(holder, "type");
  return type == "text" || type == "text_delta" ? text(holder, "text") : std::string();
}

}  // namespace sluice::dialect::anthropic_parts
