// Deltas into a message, and a message into deltas.

#include "chat/message.hpp"

#include <algorithm>
#include <utility>

namespace sluice::chat {
namespace {

template <typename... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};
template <typename... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

/// The last part where it is a T, else a new one behind it.
template <typename T>
T& last_or_new(Turn& turn) {
  if (!turn.parts.empty()) {
    if (T* part = turn.parts.back().as<T>()) return *part;
  }
  turn.parts.push_back({T{}});
  return *turn.parts.back().as<T>();
}

ToolCall* nth_call(Turn& turn, std::uint32_t index) noexcept {
  for (Part& part : turn.parts) {
    ToolCall* call = part.as<ToolCall>();
    if (call != nullptr && index-- == 0) return call;
  }
  return nullptr;
}

bool is_list(std::string_view json) noexcept { return json.size() >= 2 && json.front() == '[' && json.back() == ']'; }
bool is_empty_list(std::string_view json) noexcept {
  return is_list(json) && json.find_first_not_of(" \t\r\n", 1) == json.size() - 1;
}

/// Lists that come in pieces are joined (OpenRouter's reasoning_details); anything else is replaced by what came last.
void keep(Extras& extras, const Extra& extra) {
  const auto found = std::find_if(extras.begin(), extras.end(),
                                  [&](const Extra& e) { return e.key == extra.key && e.dialect == extra.dialect; });
  if (found == extras.end()) {
    extras.push_back(extra);
  } else if (is_list(found->json) && is_list(extra.json)) {
    if (is_empty_list(extra.json)) return;
    if (is_empty_list(found->json)) {
      found->json = extra.json;
      return;
    }
    found->json.back() = ',';
    found->json.append(extra.json, 1);
  } else {
    found->json = extra.json;
  }
}

void append(std::vector<TokenLogprob>& to, const std::vector<TokenLogprob>& from) { to.insert(to.end(), from.begin(), from.end()); }

}  // namespace

Choice& Gatherer::choice(std::uint32_t index) {
  const auto at = std::lower_bound(message_.choices.begin(), message_.choices.end(), index,
                                   [](const Choice& c, std::uint32_t i) { return c.index < i; });
  if (at != message_.choices.end() && at->index == index) return *at;
  Choice fresh;
  fresh.index = index;
  return *message_.choices.insert(at, std::move(fresh));
}

void Gatherer::add(const Delta& delta) {
  std::visit(
      Overloaded{
          [&](const AnswerStart& d) {
            if (message_.id.empty()) message_.id = d.id;
            if (message_.model.empty()) message_.model = d.model;
            if (!message_.created) message_.created = d.created;
            for (const Extra& extra : d.extras) keep(message_.extras, extra);
          },
          [&](const TurnStart& d) { choice(delta.choice).turn.role = d.role; },
          [&](const TextDelta& d) {
            if (d.text.empty() && d.signature.empty()) return;
            Turn& turn = choice(delta.choice).turn;
            // A signature belongs to what stood before it in its own part.
            const Text* last = turn.parts.empty() ? nullptr : turn.parts.back().as<Text>();
            if (last != nullptr && (!last->signature.empty() || !d.signature.empty())) turn.parts.push_back({Text{}});
            Text& text = last_or_new<Text>(turn);
            text.text += d.text;
            text.signature += d.signature;
          },
          [&](const ThinkingDelta& d) {
            Turn& turn = choice(delta.choice).turn;
            // A signature ends its block; redacted thinking is a block of its own, be it one that has said nothing yet.
            const Thinking* last = turn.parts.empty() ? nullptr : turn.parts.back().as<Thinking>();
            const bool blank = last != nullptr && last->text.empty() && last->signature.empty() && last->redacted.empty();
            if (last == nullptr || d.begins || (!d.redacted.empty() && !blank) || !last->redacted.empty() ||
                (!last->signature.empty() && !(d.text.empty() && d.signature.empty()))) {
              turn.parts.push_back({Thinking{}});
            }
            Thinking& thinking = last_or_new<Thinking>(turn);
            thinking.text += d.text;
            thinking.signature += d.signature;
            thinking.redacted += d.redacted;
            if (thinking.field.empty()) thinking.field = d.field;
            for (const Extra& extra : d.extras) keep(thinking.extras, extra);
          },
          [&](const RefusalDelta& d) { last_or_new<Refusal>(choice(delta.choice).turn).text += d.text; },
          [&](const ToolCallStart& d) {
            choice(delta.choice).turn.parts.push_back({ToolCall{d.kind, d.id, d.name, {}, d.signature, d.legacy, d.extras}});
          },
          [&](const ToolCallDelta& d) {
            if (ToolCall* call = nth_call(choice(delta.choice).turn, d.index)) call->arguments += d.arguments;
          },
          [&](const AudioDelta& d) {
            Audio& audio = last_or_new<Audio>(choice(delta.choice).turn);
            if (audio.id.empty()) audio.id = d.id;
            audio.source.data += d.data;
            audio.transcript += d.transcript;
            if (d.expires_at) audio.expires_at = d.expires_at;
          },
          [&](const CitationDelta& d) {
            // Citations hang on the text, also where thinking or calls came between.
            Turn& turn = choice(delta.choice).turn;
            const auto text = std::find_if(turn.parts.rbegin(), turn.parts.rend(), [](const Part& p) { return p.as<Text>() != nullptr; });
            (text != turn.parts.rend() ? *text->as<Text>() : last_or_new<Text>(turn)).citations.push_back(d.citation);
          },
          [&](const LogprobsDelta& d) {
            auto& logprobs = choice(delta.choice).logprobs;
            if (!logprobs) logprobs.emplace();
            append(logprobs->content, d.logprobs.content);
            append(logprobs->refusal, d.logprobs.refusal);
          },
          [&](const FinishDelta& d) {
            choice(delta.choice).finish = d.reason;
            choice(delta.choice).native_finish = d.native;
          },
          [&](const UsageDelta& d) {
            if (!message_.usage) message_.usage.emplace();
            merge(*message_.usage, d.usage);
            message_.raw_usage = d.raw;
          },
          [&](const ExtraDelta& d) {
            switch (d.where) {
              case ExtraDelta::Where::kTurn: keep(choice(delta.choice).turn.extras, d.extra); break;
              case ExtraDelta::Where::kChoice: keep(choice(delta.choice).extras, d.extra); break;
              case ExtraDelta::Where::kAnswer: keep(message_.extras, d.extra); break;
            }
          },
          [](const ErrorDelta&) {},
      },
      delta.event);
}

Message Gatherer::take() { return std::exchange(message_, {}); }

std::vector<Delta> to_deltas(const Message& message) {
  std::vector<Delta> out;
  out.push_back({0, AnswerStart{message.id, message.model, message.created, message.extras}});
  for (const Choice& choice : message.choices) {
    const auto put = [&](auto event) { out.push_back({choice.index, std::move(event)}); };
    put(TurnStart{choice.turn.role});
    std::uint32_t calls = 0;
    bool thought = false;  // by the part before
    for (const Part& part : choice.turn.parts) {
      const bool thought_before = std::exchange(thought, part.as<Thinking>() != nullptr);
      if (const Text* text = part.as<Text>()) {
        put(TextDelta{text->text, text->signature});
        for (const Citation& citation : text->citations) put(CitationDelta{citation});
      } else if (const Thinking* thinking = part.as<Thinking>()) {
        put(ThinkingDelta{thinking->text, thinking->signature, thinking->redacted, thinking->field, thinking->extras, thought_before});
      } else if (const Refusal* refusal = part.as<Refusal>()) {
        put(RefusalDelta{refusal->text});
      } else if (const ToolCall* call = part.as<ToolCall>()) {
        put(ToolCallStart{calls, call->kind, call->id, call->name, call->legacy, call->signature, call->extras});
        put(ToolCallDelta{calls, call->arguments});
        ++calls;
      } else if (const Audio* audio = part.as<Audio>()) {
        put(AudioDelta{audio->id, audio->source.data, audio->transcript, audio->expires_at});
      }
    }
    for (const Extra& extra : choice.turn.extras) put(ExtraDelta{ExtraDelta::Where::kTurn, extra});
    for (const Extra& extra : choice.extras) put(ExtraDelta{ExtraDelta::Where::kChoice, extra});
    if (choice.logprobs) put(LogprobsDelta{*choice.logprobs});
    if (choice.finish != FinishReason::kNone) put(FinishDelta{choice.finish, choice.native_finish});
  }
  if (message.usage) out.push_back({0, UsageDelta{*message.usage, message.raw_usage}});
  return out;
}

}  // namespace sluice::chat
