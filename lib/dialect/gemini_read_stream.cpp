// Streams of the Gemini dialect into deltas, element by element: each is a whole answer with what is new of it. Nothing is
// gathered. There is no last event: a stream is over where its connection is, and complete if it has said why it ended.

#include <map>
#include <utility>

#include "dialect/excerpt.hpp"
#include "dialect/gemini.hpp"
#include "dialect/gemini_answer.hpp"
#include "dialect/gemini_calls.hpp"
#include "dialect/gemini_keys.hpp"
#include "dialect/gemini_partial_args.hpp"
#include "dialect/gemini_turn.hpp"
#include "dialect/reading.hpp"

namespace sluice::dialect::gemini_parts {
namespace {

using chat::Delta;
using json::Type;
using json::Value;

class Decoder final : public DeltaDecoder {
 public:
  Status on_event(std::string_view, std::string_view data, std::vector<Delta>& out) override {
    if (failed_ || data.find_first_not_of(" \t\r\n") == std::string_view::npos) return {};
    const auto document = json::Document::parse(Body::copy(data));
    if (!document || !document->root().is(Type::kObject)) {
      return fail(Code::kUpstreamInvalidAnswer, "an event of the upstream's stream is no JSON object; it begins with \"" + excerpt(data, 80) + "\"");
    }
    const Value root = document->root();
    if (has(root, "error")) {
      failed_ = true;
      out.push_back({0, chat::ErrorDelta{embedded_error(root), error_text(root)}});
      return {};
    }
    read_root(root, out);
    return {};
  }

  bool over() const noexcept override { return failed_; }

  Status on_end() override {
    if (failed_ || finished_) return {};
    return fail(Code::kUpstreamTruncated, "the upstream's stream ended before it said why");
  }

 private:
  struct Choice {
    bool started = false;
    std::uint32_t calls = 0;
    bool call_open = false;        // its arguments come in pieces
    PartialArguments arguments;
    std::string said;              // as far as sources may stand in it
    std::size_t citations = 0;
  };

  void read_root(const Value& root, std::vector<Delta>& out) {
    if (!std::exchange(started_, true)) {
      id_ = text(root, "responseId");
      out.push_back({0, chat::AnswerStart{.id = id_, .model = text(root, "modelVersion")}});
    }
    const Value candidates = member(root, "candidates");
    std::size_t position = 0;
    for (Value item = candidates.is(Type::kArray) ? candidates.first() : Value{}; item; item = item.next(), ++position) {
      if (item.is(Type::kObject)) read_candidate(item, index_of(item, position), out);
    }
    std::string scratch;
    for (Value m = root.first(); m; m = m.next()) {
      const std::string_view key = m.key(scratch);
      if (m.is(Type::kNull) || is_key(key, "responseId") || is_key(key, "modelVersion") || key == "candidates") continue;
      if (is_key(key, "usageMetadata") && m.is(Type::kObject)) {
        if (const chat::Usage usage = read_usage(m); !chat::empty(usage)) out.push_back({0, chat::UsageDelta{.usage = usage}});
      }
      extra(chat::ExtraDelta::Where::kAnswer, 0, key, m, out);
    }
    if (const std::string reason = block_reason(root); !reason.empty() && !finished_ && choices_.empty()) {
      // The prompt was refused: there is no candidate to say so.
      finished_ = true;
      out.push_back({0, chat::TurnStart{}});
      out.push_back({0, chat::FinishDelta{chat::FinishReason::kContentFilter, reason}});
    }
  }

  void read_candidate(const Value& candidate, std::uint32_t index, std::vector<Delta>& out) {
    Choice& choice = choices_[index];
    if (!std::exchange(choice.started, true)) out.push_back({index, chat::TurnStart{}});
    const Value parts = member(member(candidate, "content"), "parts");
    for (Value part = parts.is(Type::kArray) ? parts.first() : Value{}; part; part = part.next()) read_one(part, index, choice, out);
    std::string scratch;
    for (Value m = candidate.first(); m; m = m.next()) {
      const std::string_view key = m.key(scratch);
      if (m.is(Type::kNull) || is_candidate_member(key)) continue;
      if (is_key(key, "logprobsResult")) {
        out.push_back({index, chat::LogprobsDelta{read_logprobs(m)}});
        extra(chat::ExtraDelta::Where::kChoice, index, key, m, out);
        continue;
      }
      if (is_key(key, "groundingMetadata")) cite(m, index, choice, out);
      extra(chat::ExtraDelta::Where::kChoice, index, key, m, out);
    }
    chat::FinishDelta end;
    end.reason = finish_reason(finish_word_of(member(candidate, "finishReason")), choice.calls != 0, end.native);
    if (end.reason == chat::FinishReason::kNone) return;
    close_call(index, choice, out);
    finished_ = true;
    out.push_back({index, std::move(end)});
  }

  void read_one(const Value& part, std::uint32_t index, Choice& choice, std::vector<Delta>& out) {
    if (const Value call = member(part, "functionCall"); call.is(Type::kObject)) return read_call(part, call, index, choice, out);
    chat::Part read = read_part(part);
    if (auto* said = read.as<chat::Text>()) {
      if (said->text.empty() && said->signature.empty()) return;
      constexpr std::size_t kMostCited = 1u << 20;
      if (choice.said.size() < kMostCited) choice.said += said->text;
      out.push_back({index, chat::TextDelta{std::move(said->text), std::move(said->signature)}});
    } else if (auto* thought = read.as<chat::Thinking>()) {
      if (thought->text.empty() && thought->signature.empty()) return;
      out.push_back({index, chat::ThinkingDelta{.text = std::move(thought->text), .signature = std::move(thought->signature)}});
    } else if (const auto* audio = read.as<chat::Audio>(); audio != nullptr && !audio->source.data.empty()) {
      out.push_back({index, chat::AudioDelta{.data = audio->source.data}});
      if (std::exchange(audio_types_[index], audio->source.media_type) != audio->source.media_type) {
        out.push_back({index, chat::ExtraDelta{chat::ExtraDelta::Where::kTurn, {kName, "audioMimeType", json::quoted(audio->source.media_type)}}});
      }
    } else {
      // Images, code that was run: no delta has a place for them. Lists are joined by who gathers.
      out.push_back({index, chat::ExtraDelta{chat::ExtraDelta::Where::kTurn, {kName, "parts", "[" + std::string(part.raw()) + "]"}}});
    }
  }

  void read_call(const Value& part, const Value& call, std::uint32_t index, Choice& choice, std::vector<Delta>& out) {
    const Value pieces = member(call, "partialArgs");
    const bool goes_on = flag(call, "willContinue"), named = has(call, "name");
    const bool pieced = pieces || goes_on || choice.call_open;
    if (named || (!choice.call_open && has(call, "args"))) {
      close_call(index, choice, out);
      chat::ToolCallStart start{.index = choice.calls, .id = text(call, "id"), .name = text(call, "name"), .signature = text(part, "thoughtSignature")};
      if (start.id.empty()) start.id = made_id(id_, index, choice.calls);
      out.push_back({index, std::move(start)});
      ++choice.calls;
      if (!pieces && !goes_on) {
        out.push_back({index, chat::ToolCallDelta{choice.calls - 1, arguments_of(call)}});
        return;
      }
      choice.call_open = true;
    }
    if (!pieced || !choice.call_open) return;
    std::string more;
    for (Value piece = pieces.is(Type::kArray) ? pieces.first() : Value{}; piece; piece = piece.next()) choice.arguments.add(piece, more);
    if (!more.empty()) out.push_back({index, chat::ToolCallDelta{choice.calls - 1, std::move(more)}});
    if (!goes_on) close_call(index, choice, out);
  }

  static void close_call(std::uint32_t index, Choice& choice, std::vector<Delta>& out) {
    if (!std::exchange(choice.call_open, false)) return;
    std::string rest;
    choice.arguments.close(rest);
    choice.arguments = {};
    out.push_back({index, chat::ToolCallDelta{choice.calls - 1, std::move(rest)}});
  }

  /// Sources come all of them, again with each element: the ones not told yet are told.
  static void cite(const Value& grounding, std::uint32_t index, Choice& choice, std::vector<Delta>& out) {
    std::vector<chat::Citation> citations = read_grounding(grounding, choice.said);
    for (std::size_t i = choice.citations; i < citations.size(); ++i) out.push_back({index, chat::CitationDelta{std::move(citations[i])}});
    choice.citations = std::max(choice.citations, citations.size());
  }

  /// Passes a member on where it is new: most are repeated in every element.
  void extra(chat::ExtraDelta::Where where, std::uint32_t index, std::string_view key, const Value& value, std::vector<Delta>& out) {
    std::string& last = last_extras_[{static_cast<int>(where), index, std::string(key)}];
    if (last == value.raw()) return;
    last = value.raw();
    out.push_back({index, chat::ExtraDelta{where, {kName, std::string(key), last}}});
  }

  bool started_ = false, finished_ = false, failed_ = false;
  std::string id_;
  std::map<std::uint32_t, Choice> choices_;
  std::map<std::uint32_t, std::string> audio_types_;
  std::map<std::tuple<int, std::uint32_t, std::string>, std::string> last_extras_;
};

}  // namespace

std::unique_ptr<DeltaDecoder> make_delta_decoder() { return std::make_unique<Decoder>(); }

std::string event_text(std::string_view data) {
  const auto document = json::Document::parse(Body::copy(data));
  if (!document) return {};
  const Value candidates = member(document->root(), "candidates");
  std::size_t position = 0;
  for (Value item = candidates.is(Type::kArray) ? candidates.first() : Value{}; item; item = item.next(), ++position) {
    if (!item.is(Type::kObject) || index_of(item, position) != 0) continue;
    std::string said;
    const Value parts = member(member(item, "content"), "parts");
    for (Value part = parts.is(Type::kArray) ? parts.first() : Value{}; part; part = part.next()) {
      if (!flag(part, "thought")) said += text(part, "text");
    }
    return said;
  }
  return {};
}

}  // namespace sluice::dialect::gemini_parts
