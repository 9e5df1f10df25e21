// Streams of the Bedrock dialect into deltas, event by event. Nothing is gathered.
//
// Blocks that only this dialect's servers understand (tools they run themselves, images) are kept as their events, in lists
// that join: `[{"contentBlockStart":{…}}]`.

#include <map>
#include <set>
#include <utility>

#include "dialect/bedrock.hpp"
#include "dialect/bedrock_blocks.hpp"
#include "dialect/bedrock_events.hpp"
#include "dialect/provider_words.hpp"
#include "dialect/reading.hpp"

namespace sluice::dialect::bedrock_parts {
namespace {

using chat::Delta;
using json::Type;
using json::Value;
using reading::member;
using reading::text;

/// What pads frames to hide how long texts are.
bool is_padding(std::string_view key) noexcept { return key == "p"; }

class Decoder final : public DeltaDecoder {
 public:
  explicit Decoder(const Asked& asked) : model_(asked.request != nullptr ? asked.request->model : std::string()) {}

  Status on_event(std::string_view name, std::string_view data, std::vector<Delta>& out) override {
    if (failed_) return {};
    if (name.starts_with('!')) {
      fail_with(name.substr(1), data, out);
      return {};
    }
    const auto document = json::Document::parse(Body::copy(data));
    if (!document || !document->root().is(Type::kObject)) return tl::unexpected(no_event(data));
    const Event event = event_of(name, document->root());
    switch (event.kind) {
      case EventKind::kMessageStart: start(out); break;
      case EventKind::kBlockStart: block_start(event.value, out); break;
      case EventKind::kBlockDelta: block_delta(event.value, out); break;
      case EventKind::kBlockStop: block_stop(event.value, out); break;
      case EventKind::kMessageStop: message_stop(event.value, out); break;
      case EventKind::kMetadata: metadata(event.value, out); break;
      case EventKind::kException: fail_with(event.type, event.value.raw(), out); break;
      case EventKind::kUnknown: break;
    }
    return {};
  }

  bool over() const noexcept override { return failed_ || (stopped_ && counted_); }
  Status on_end() override {
    if (failed_ || stopped_) return {};
    return fail(Code::kUpstreamTruncated, "the upstream's stream ended before it said it was over");
  }

 private:
  struct Call {
    std::uint32_t index = 0;
    bool has_arguments = false;
  };

  void fail_with(std::string_view type, std::string_view data, std::vector<Delta>& out) {
    out.push_back({0, chat::ErrorDelta{exception_error(type, data), error_text(data)}});
    failed_ = true;
  }

  void start(std::vector<Delta>& out) {
    if (std::exchange(started_, true)) return;
    out.push_back({0, chat::AnswerStart{.model = model_}});
    out.push_back({0, chat::TurnStart{}});
  }

  void block_start(const Value& event, std::vector<Delta>& out) {
    start(out);
    const auto index = block_index(event);
    const Value begins = member(event, "start");
    if (!index || !begins.is(Type::kObject) || !begins.first()) return;  // a text that begins says so by its first words
    const Value use = member(begins, "toolUse");
    if (!use.is(Type::kObject) || is_servers_own(use)) {
      kept_.insert(*index);
      keep_event("contentBlockStart", event, out);
      return;
    }
    const auto [call, begun] = calls_.try_emplace(*index, Call{static_cast<std::uint32_t>(calls_.size()), false});
    if (begun) out.push_back({0, chat::ToolCallStart{.index = call->second.index, .id = text(use, "toolUseId"), .name = text(use, "name")}});
  }

  void block_delta(const Value& event, std::vector<Delta>& out) {
    start(out);
    const auto index = block_index(event);
    const Value delta = member(event, "delta");
    if (!delta.is(Type::kObject)) return;
    const Value said = member(delta, "text"), use = member(delta, "toolUse"), thought = member(delta, "reasoningContent");
    if (index && kept_.contains(*index)) {
      keep_event("contentBlockDelta", event, out);
    } else if (said.is(Type::kString)) {
      if (std::string words = text(said); !words.empty()) out.push_back({0, chat::TextDelta{std::move(words)}});
    } else if (use.is(Type::kObject)) {
      arguments(index, text(use, "input"), out);
    } else if (thought.is(Type::kObject)) {
      chat::ThinkingDelta thinking{.text = text(thought, "text"), .signature = text(thought, "signature"), .redacted = text(thought, "redactedContent")};
      if (thinking != chat::ThinkingDelta{}) out.push_back({0, std::move(thinking)});
    } else if (const Value citation = member(delta, "citation")) {
      out.push_back({0, chat::CitationDelta{read_citation(citation)}});
    } else {
      if (index) kept_.insert(*index);
      keep_event("contentBlockDelta", event, out);
    }
  }

  void arguments(std::optional<std::uint32_t> block, std::string input, std::vector<Delta>& out) {
    const auto call = block ? calls_.find(*block) : calls_.end();
    if (call == calls_.end() || input.empty()) return;
    call->second.has_arguments = true;
    out.push_back({0, chat::ToolCallDelta{call->second.index, std::move(input)}});
  }

  void block_stop(const Value& event, std::vector<Delta>& out) {
    const auto index = block_index(event);
    if (!index) return;
    if (kept_.erase(*index) != 0) {
      keep_event("contentBlockStop", event, out);
      return;
    }
    // A call without arguments has an empty object.
    const auto call = calls_.find(*index);
    if (call == calls_.end() || std::exchange(call->second.has_arguments, true)) return;
    out.push_back({0, chat::ToolCallDelta{call->second.index, "{}"}});
  }

  void message_stop(const Value& event, std::vector<Delta>& out) {
    start(out);
    std::string scratch;
    for (Value m = event.first(); m; m = m.next()) {
      const std::string_view key = m.key(scratch);
      if (key != "stopReason" && !is_padding(key) && !m.is(Type::kNull)) keep(key, m, out);
    }
    if (std::exchange(stopped_, true)) return;
    const std::string word = text(event, "stopReason");
    chat::FinishDelta finish{.reason = word.empty() ? chat::FinishReason::kStop : finish_reason(word)};
    if (word != chat::to_string(finish.reason)) finish.native = word;
    out.push_back({0, std::move(finish)});
  }

  void metadata(const Value& event, std::vector<Delta>& out) {
    counted_ = true;
    std::string scratch;
    for (Value m = event.first(); m; m = m.next()) {
      const std::string_view key = m.key(scratch);
      if (key == "usage" && m.is(Type::kObject)) {
        chat::Extras extras;
        keep_usage_extras(m, extras);
        for (chat::Extra& extra : extras) out.push_back({0, chat::ExtraDelta{chat::ExtraDelta::Where::kAnswer, std::move(extra)}});
        out.push_back({0, chat::UsageDelta{read_usage(m)}});
      } else if (!is_padding(key) && !m.is(Type::kNull)) {
        keep(key, m, out);
      }
    }
  }

  static void keep(std::string_view key, const Value& value, std::vector<Delta>& out) {
    out.push_back({0, chat::ExtraDelta{chat::ExtraDelta::Where::kAnswer, {kName, std::string(key), std::string(value.raw())}}});
  }

  static void keep_event(std::string_view type, const Value& event, std::vector<Delta>& out) {
    std::string list;
    {
      json::Writer writer(list);
      writer.begin_array().begin_object().key(type).begin_object();
      std::string scratch;
      for (Value m = event.first(); m; m = m.next()) {
        const std::string_view key = m.key(scratch);
        if (!is_padding(key) && key != "contentBlockIndex") writer.key(key).raw(m.raw());
      }
      writer.end_object().end_object().end_array();
    }
    out.push_back({0, chat::ExtraDelta{chat::ExtraDelta::Where::kTurn, {kName, "events", std::move(list)}}});
  }

  std::string model_;
  bool started_ = false, stopped_ = false, counted_ = false, failed_ = false;
  std::map<std::uint32_t, Call> calls_;  // by block
  std::set<std::uint32_t> kept_;         // blocks kept as their events
};

}  // namespace

std::unique_ptr<DeltaDecoder> make_delta_decoder(const Asked& asked) { return std::make_unique<Decoder>(asked); }

http::NamedEvent framed(std::string_view data) {
  const auto document = json::Document::parse(Body::copy(data));
  if (!document) return {{}, data};
  const Event event = event_of({}, document->root());
  if (event.kind == EventKind::kUnknown) return {{}, data};
  // The same place in the bytes that were asked about: the document holds a copy of them.
  const std::string_view said = event.value.raw();
  return {event.type, data.substr(static_cast<std::size_t>(said.data() - document->root().raw().data()) + data.find('{'), said.size())};
}

std::string event_text(std::string_view data) {
  const auto document = json::Document::parse(Body::copy(data));
  if (!document) return {};
  Value event = document->root();
  if (const Value wrapped = member(event, "contentBlockDelta")) event = wrapped;
  return text(member(event, "delta"), "text");
}

}  // namespace sluice::dialect::bedrock_parts
