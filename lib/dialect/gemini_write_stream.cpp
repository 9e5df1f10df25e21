// Deltas into streams of the Gemini dialect: an element each, which is an answer with what is new of it. Its calls come whole,
// so that arguments wait for their end, and no longer: the next call, or what comes after calls.

#include <map>
#include <utility>

#include "dialect/gemini.hpp"
#include "dialect/gemini_answer.hpp"
#include "dialect/gemini_turn.hpp"

namespace sluice::dialect::gemini_parts {
namespace {

using chat::Delta;

template <typename... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};
template <typename... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

class Encoder final : public DeltaEncoder {
 public:
  explicit Encoder(const AnswerForm& form) : framing_(form.framing), model_(form.model) {}

  void encode(const Delta& delta, std::string& out) override {
    if (failed_) return;
    const std::uint32_t index = delta.choice;
    std::visit(Overloaded{
                   [&](const chat::AnswerStart& d) { begin(d); },
                   [&](const chat::TurnStart&) { (void)choices_[index]; },
                   [&](const chat::TextDelta& d) {
                     say(index, out, [&](json::Writer& w) {
                       w.begin_object().field("text", d.text);
                       if (!d.signature.empty()) w.field("thoughtSignature", d.signature);
                       w.end_object();
                     });
                   },
                   [&](const chat::ThinkingDelta& d) {
                     if (d.text.empty() && d.signature.empty()) return;  // encrypted thinking has no place in this dialect
                     say(index, out, [&](json::Writer& w) {
                       w.begin_object().field("text", d.text).key("thought").boolean(true);
                       if (!d.signature.empty()) w.field("thoughtSignature", d.signature);
                       w.end_object();
                     });
                   },
                   [&](const chat::RefusalDelta& d) {
                     say(index, out, [&](json::Writer& w) { w.begin_object().field("text", d.text).end_object(); });
                   },
                   [&](const chat::ToolCallStart& d) { start_call(index, d, out); },
                   [&](const chat::ToolCallDelta& d) {
                     for (Call& call : choices_[index].calls) {
                       if (call.index == d.index) call.call.arguments += d.arguments;
                     }
                   },
                   [&](const chat::AudioDelta& d) {
                     if (d.data.empty()) return;
                     say(index, out, [&](json::Writer& w) {
                       w.begin_object().key("inlineData").begin_object();
                       w.field("mimeType", audio_type_.empty() ? std::string_view("audio/pcm") : std::string_view(audio_type_));
                       w.field("data", d.data).end_object().end_object();
                     });
                   },
                   [&](const chat::CitationDelta& d) {
                     // Its own come as they stood, with the candidate's other members.
                     if (chat::find_extra(d.citation.extras, kName, "") == nullptr) choices_[index].citations.push_back(d.citation);
                   },
                   [&](const chat::LogprobsDelta& d) {
                     flush_calls(index, out, true);
                     candidate(index, out, [&](json::Writer& w) {
                       w.key("logprobsResult");
                       write_logprobs(w, d.logprobs);
                     });
                   },
                   [&](const chat::FinishDelta& d) {
                     flush_calls(index, out, true);
                     choices_[index].finish = d;
                   },
                   [&](const chat::UsageDelta& d) { chat::merge(usage_, d.usage); },
                   [&](const chat::ExtraDelta& d) { extra(index, d, out); },
                   [&](const chat::ErrorDelta& d) {
                     failed_ = true;
                     put(encode_error(d.error, {{}, d.provider_text, 0}), out);
                     close(out);
                   },
               },
               delta.event);
  }

  void end(std::string& out) override {
    if (failed_) return;
    for (auto& [index, choice] : choices_) flush_calls(index, out, true);
    write_last(out);
    close(out);
  }

 private:
  struct Call {
    std::uint32_t index = 0;
    chat::ToolCall call;
  };
  struct Choice {
    std::vector<Call> calls;               // whose arguments are not complete yet
    std::optional<chat::FinishDelta> finish;
    std::vector<chat::Citation> citations;
    std::vector<chat::Extra> extras;       // of the candidate, as last said
  };

  void begin(const chat::AnswerStart& start) {
    if (id_.empty()) id_ = start.id;
    if (!start.model.empty() && !named_) {
      model_ = start.model;
      named_ = true;
    }
    for (const chat::Extra& e : start.extras) keep(root_extras_, e);
  }

  static void keep(std::vector<chat::Extra>& extras, const chat::Extra& extra) {
    if (extra.dialect != kName) return;
    for (chat::Extra& known : extras) {
      if (known.key != extra.key) continue;
      known.json = extra.json;
      return;
    }
    extras.push_back(extra);
  }

  /// Members that each element repeats.
  void write_envelope(json::Writer& writer) const {
    if (!model_.empty()) writer.field("modelVersion", model_);
    if (!id_.empty()) writer.field("responseId", id_);
  }

  template <typename F>
  void candidate(std::uint32_t index, std::string& out, F&& write_members) {
    std::string text;
    {
      json::Writer writer(text);
      writer.begin_object().key("candidates").begin_array().begin_object();
      write_members(writer);
      writer.key("index").unsigned_integer(index).end_object().end_array();
      write_envelope(writer);
      writer.end_object();
    }
    put(text, out);
  }

  /// One part that is new. What was called before it is complete.
  template <typename F>
  void say(std::uint32_t index, std::string& out, F&& write_part) {
    flush_calls(index, out, true);
    candidate(index, out, [&](json::Writer& w) {
      w.key("content").begin_object().field("role", "model").key("parts").begin_array();
      write_part(w);
      w.end_array().end_object();
    });
  }

  void start_call(std::uint32_t index, const chat::ToolCallStart& d, std::string& out) {
    flush_calls(index, out, false);
    choices_[index].calls.push_back({d.index, {d.kind, d.id, d.name, {}, d.signature, d.legacy, d.extras}});
  }

  /// Writes the calls that are complete, in their order: all of them where nothing more can come, else those whose arguments
  /// are a whole JSON text.
  void flush_calls(std::uint32_t index, std::string& out, bool all) {
    const auto found = choices_.find(index);
    if (found == choices_.end()) return;
    std::vector<Call>& calls = found->second.calls;
    std::size_t done = 0;
    while (done < calls.size() && (all || json::Document::parse(Body::copy(calls[done].call.arguments)))) ++done;
    if (done == 0) return;
    const std::vector<Call> ready(calls.begin(), calls.begin() + static_cast<std::ptrdiff_t>(done));
    calls.erase(calls.begin(), calls.begin() + static_cast<std::ptrdiff_t>(done));
    for (const Call& call : ready) {
      candidate(index, out, [&](json::Writer& w) {
        w.key("content").begin_object().field("role", "model").key("parts").begin_array();
        write_call(w, call.call);
        w.end_array().end_object();
      });
    }
  }

  void extra(std::uint32_t index, const chat::ExtraDelta& d, std::string& out) {
    if (d.extra.dialect != kName) return;
    using Where = chat::ExtraDelta::Where;
    switch (d.where) {
      case Where::kAnswer: keep(root_extras_, d.extra); return;
      case Where::kChoice: keep(choices_[index].extras, d.extra); return;
      case Where::kTurn: break;
    }
    const std::string& json = d.extra.json;
    if (d.extra.key == "parts" && json.size() > 2) {
      say(index, out, [&](json::Writer& w) { w.raw(std::string_view(json).substr(1, json.size() - 2)); });
    } else if (d.extra.key == "audioMimeType" && json.size() > 2) {
      audio_type_ = json::decode_string(std::string_view(json).substr(1, json.size() - 2));
    }
  }

  /// The last element: why each choice ended, what it cost, and what is said once.
  void write_last(std::string& out) {
    if (choices_.empty() && root_extras_.empty() && chat::empty(usage_)) return;
    const bool blocked = said_nothing_ && chat::find_extra(root_extras_, kName, "promptFeedback") != nullptr;
    std::string text;
    {
      json::Writer writer(text);
      writer.begin_object();
      if (!blocked && !choices_.empty()) {
        writer.key("candidates").begin_array();
        for (const auto& [index, choice] : choices_) write_end(writer, index, choice);
        writer.end_array();
      }
      if (!chat::empty(usage_) && chat::find_extra(root_extras_, kName, "usageMetadata") == nullptr) {
        writer.key("usageMetadata").raw(write_usage(usage_));
      }
      write_envelope(writer);
      for (const chat::Extra& e : root_extras_) writer.key(e.key).raw(e.json);
      writer.end_object();
    }
    put(text, out);
  }

  static void write_end(json::Writer& writer, std::uint32_t index, const Choice& choice) {
    writer.begin_object().key("content").begin_object().field("role", "model").key("parts").begin_array();
    writer.begin_object().field("text", "").end_object().end_array().end_object();
    if (choice.finish) writer.field("finishReason", finish_word(choice.finish->reason, choice.finish->native));
    writer.key("index").unsigned_integer(index);
    if (!choice.citations.empty()) {
      writer.key("groundingMetadata");
      write_grounding(writer, choice.citations);
    }
    for (const chat::Extra& e : choice.extras) {
      // Probabilities were told with the tokens.
      if (e.key != "logprobsResult" && (e.key != "groundingMetadata" || choice.citations.empty())) writer.key(e.key).raw(e.json);
    }
    writer.end_object();
  }

  void put(std::string_view data, std::string& out) {
    said_nothing_ = false;
    if (framing_ == Framing::kJsonArray && !std::exchange(array_, true)) {
      out.append("[").append(data);
    } else {
      http::append_event(out, framing_, data);
    }
  }

  void close(std::string& out) {
    if (framing_ != Framing::kJsonArray) return;
    out += array_ ? "\n]\n" : "[]\n";
  }

  const Framing framing_;
  std::string id_, model_, audio_type_;
  bool named_ = false, failed_ = false, array_ = false, said_nothing_ = true;
  chat::Usage usage_;
  std::vector<chat::Extra> root_extras_;
  std::map<std::uint32_t, Choice> choices_;
};

}  // namespace

std::unique_ptr<DeltaEncoder> make_delta_encoder(const AnswerForm& form) { return std::make_unique<Encoder>(form); }

}  // namespace sluice::dialect::gemini_parts
