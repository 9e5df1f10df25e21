// Requests by template: what the caller said in its places, and what has none on the report.

#include <algorithm>
#include <utility>

#include "dialect/lost_extras.hpp"
#include "dialect/openai.hpp"
#include "dialect/reading.hpp"
#include "dialect/rest_parts.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::rest_parts {
namespace {

using chat::LossSeverity;
using json::Type;
using json::Value;

class RequestWriter {
 public:
  RequestWriter(const chat::Request& request, const Surface& surface, const Spoken& spoken, const Sending& sending, chat::LossReport& loss)
      : request_(request), surface_(surface), spoken_(spoken), form_(spoken.request), sending_(sending), loss_(loss),
        chat_(request.chat()),
        prompts_(std::get_if<chat::CompletionInput>(&request.input)),
        vectors_(std::get_if<chat::EmbeddingInput>(&request.input)),
        judged_(std::get_if<chat::ModerationInput>(&request.input)),
        ranked_(std::get_if<chat::RerankInput>(&request.input)) {}

  std::string run() {
    if (chat_ != nullptr) prepare_chat(*chat_);
    std::string out;
    {
      json::Writer writer(out);
      write(writer, form_.root());
    }
    lose();
    return out;
  }

 private:
  bool uses(Said said) const noexcept { return form_.uses(said); }
  std::string who() const { return "the surface of '" + surface_.name + "'"; }
  void no(bool said, std::string_view field, LossSeverity severity) {
    if (said) loss_.add(std::string(field), who() + " has no place for it", severity);
  }

  // What a chat said, in the forms a template can ask for.

  void prepare_chat(const chat::ChatInput& chat) {
    if (form_.uses_openai()) prepare_openai();
    const bool apart = uses(Said::kSystem);
    if (uses(Said::kPrompt)) {
      prompt_ = prompt_of(chat, surface_.prompt ? &*surface_.prompt : nullptr, apart, loss_);
    } else if (!uses(Said::kMessages)) {
      lose_turns(chat, apart);
    }
    if (apart) system_ = system_of(chat);
    if (uses(Said::kLastUser)) last_user_ = last_user_of(chat);
  }

  /// The template's author chose to send the last words of the user alone: what else there is, is lost.
  void lose_turns(const chat::ChatInput& chat, bool system_apart) {
    bool last = true;
    for (std::size_t i = chat.turns.size(); i-- > 0;) {
      const chat::Turn& turn = chat.turns[i];
      const std::string here = "messages[" + std::to_string(i) + "]";
      if (turn.role == chat::Role::kUser && std::exchange(last, false)) {
        lose_parts(turn, here, loss_);
      } else if (turn.role != chat::Role::kSystem || !system_apart) {
        loss_.add(here, who() + " is told the last message of the user alone", LossSeverity::kSemantic);
      } else {
        lose_parts(turn, here, loss_);
      }
    }
  }

  void prepare_openai() {
    chat::Request copy = request_;
    copy.extras.clear();
    copy.chat()->legacy_functions = false;
    for (chat::Turn& turn : copy.chat()->turns) turn.developer = false;  // a role few servers but OpenAI's know
    chat::LossReport losses;
    auto read = json::Document::parse(Body::from(openai_parts::encode_request(copy, {.operation = request_.operation}, losses)));
    if (!read) return;
    openai_ = *std::move(read);
    for (const chat::Loss& one : losses.entries()) {
      const std::string_view member = std::string_view(one.field).substr(0, one.field.find_first_of(".["));
      for (std::size_t i = 0; i < static_cast<std::size_t>(Said::kCount); ++i) {
        const Said said = static_cast<Said>(i);
        if (uses(said) && !row_of(said).openai.empty() && row_of(said).openai == member) loss_.add(one.field, one.reason, one.severity);
      }
    }
  }

  Value openai(Said said) const { return openai_ ? reading::member(openai_->root(), row_of(said).openai) : Value{}; }

  // Whether something was said, and what.

  std::optional<double> number(Said said) const {
    const chat::Sampling& s = request_.sampling;
    const auto of = [](const auto& n) { return n ? std::optional(static_cast<double>(*n)) : std::nullopt; };
    switch (said) {
      case Said::kMaxTokens: return of(s.max_output_tokens);
      case Said::kTemperature: return s.temperature;
      case Said::kTopP: return s.top_p;
      case Said::kTopK: return of(s.top_k);
      case Said::kMinP: return s.min_p;
      case Said::kFrequencyPenalty: return s.frequency_penalty;
      case Said::kPresencePenalty: return s.presence_penalty;
      case Said::kRepetitionPenalty: return s.repetition_penalty;
      case Said::kSeed: return of(s.seed);
      case Said::kInputCount: return vectors_ == nullptr ? std::nullopt : std::optional(static_cast<double>(vectors_->inputs.size()));
      case Said::kDimensions: return vectors_ == nullptr ? std::nullopt : of(vectors_->dimensions);
      case Said::kTopN: return ranked_ == nullptr ? std::nullopt : of(ranked_->top_n);
      default: return std::nullopt;
    }
  }

  bool was_said(Said said) const {
    switch (said) {
      case Said::kPrompt: return chat_ != nullptr || (prompts_ != nullptr && !prompts_->prompts.empty());
      case Said::kSystem: return !system_.empty();
      case Said::kLastUser: return !last_user_.empty();
      case Said::kModel: return !sending_.model.empty();
      case Said::kStop: return request_.sampling.stop && !request_.sampling.stop->empty();
      case Said::kStream: return true;
      case Said::kUser: return !request_.user.empty();
      case Said::kJsonSchema: return schema() != nullptr;
      case Said::kSuffix: return prompts_ != nullptr && !prompts_->suffix.empty();
      case Said::kInput: return judged_ != nullptr || vectors_ != nullptr;
      case Said::kInputs: return vectors_ != nullptr;
      case Said::kInputType: return vectors_ != nullptr && !vectors_->input_type.empty();
      case Said::kQuery:
      case Said::kDocuments: return ranked_ != nullptr;
      case Said::kReturnDocuments: return ranked_ != nullptr && ranked_->return_documents;
      case Said::kTruncate: return ranked_ != nullptr && ranked_->truncate;
      default: return row_of(said).openai.empty() ? number(said).has_value() : static_cast<bool>(openai(said));
    }
  }

  const std::string* schema() const noexcept {
    const auto* format = chat_ != nullptr && chat_->response_format ? &*chat_->response_format : nullptr;
    const bool has = format != nullptr && format->kind == chat::ResponseFormat::Kind::kJsonSchema && !format->schema.empty();
    return has ? &format->schema : nullptr;
  }

  /// For a choice: a switch that was said to be off holds as little as one that was not said.
  bool holds(Said said, const Bounds& bounds) const {
    if (said == Said::kStream) return streams();
    if (said == Said::kReturnDocuments) return was_said(said) && *ranked_->return_documents;
    if (said == Said::kTruncate) return was_said(said) && *ranked_->truncate;
    if (said == Said::kParallelToolCalls) return openai(said).boolean() == true;
    return was_said(said) && (!bounds.said() || bounds.fits(number(said).value_or(0)));
  }

  bool streams() const noexcept { return sending_.streaming && spoken_.stream.has_value(); }

  // The template, filled in.

  /// True where the piece leaves nothing behind.
  bool is_empty(const Node& node) const {
    switch (node.kind) {
      case Node::Kind::kFrom: return !sent(node) && node.text.empty();
      case Node::Kind::kIf:
        if (holds(node.said, node.bounds)) return is_empty(node.children[0]);
        return node.children.size() < 2 || is_empty(node.children[1]);
      default: return false;
    }
  }
  bool sent(const Node& node) const {
    return was_said(node.said) && (!node.bounds.said() || node.bounds.fits(number(node.said).value_or(0)));
  }

  void write(json::Writer& writer, const Node& node) {
    switch (node.kind) {
      case Node::Kind::kLiteral: writer.raw(node.text); return;
      case Node::Kind::kObject:
        writer.begin_object();
        for (std::size_t i = 0; i < node.children.size(); ++i) {
          note(node.children[i]);
          if (is_empty(node.children[i])) continue;
          writer.key(node.keys[i]);
          write(writer, node.children[i]);
        }
        writer.end_object();
        return;
      case Node::Kind::kList:
        writer.begin_array();
        for (const Node& child : node.children) {
          note(child);
          if (!is_empty(child)) write(writer, child);
        }
        writer.end_array();
        return;
      case Node::Kind::kFrom:
        if (sent(node)) return write_said(writer, node.said);
        writer.raw(node.text);
        return;
      case Node::Kind::kIf: return write(writer, node.children[holds(node.said, node.bounds) ? 0 : 1]);
    }
  }

  /// A number the server would refuse is left out, where the template says that this means the same.
  void note(const Node& node) {
    if (node.kind != Node::Kind::kFrom || !was_said(node.said) || sent(node)) return;
    loss_.add(std::string(row_of(node.said).pointer.substr(1)), who() + " says it by leaving it out", LossSeverity::kNote);
  }

  void write_said(json::Writer& writer, Said said) {
    const chat::Sampling& s = request_.sampling;
    switch (said) {
      case Said::kPrompt:
        if (chat_ != nullptr) writer.string(prompt_);
        else write_prompt(writer, prompts_->prompts.front(), "prompt");
        return;
      case Said::kSystem: writer.string(system_); return;
      case Said::kLastUser: writer.string(last_user_); return;
      case Said::kModel: writer.string(sending_.model); return;
      case Said::kMaxTokens: writer.unsigned_integer(*s.max_output_tokens); return;
      case Said::kTopK: writer.integer(*s.top_k); return;
      case Said::kSeed: writer.integer(*s.seed); return;
      case Said::kStop:
        writer.begin_array();
        for (const std::string& stop : *s.stop) writer.string(stop);
        writer.end_array();
        return;
      case Said::kStream: writer.boolean(streams()); return;
      case Said::kUser: writer.string(request_.user); return;
      case Said::kJsonSchema: writer.raw(*schema()); return;
      case Said::kSuffix: writer.string(prompts_->suffix); return;
      case Said::kInput:
      case Said::kInputs: write_inputs(writer, said); return;
      case Said::kInputCount: writer.unsigned_integer(vectors_->inputs.size()); return;
      case Said::kDimensions: writer.integer(*vectors_->dimensions); return;
      case Said::kInputType: writer.string(vectors_->input_type); return;
      case Said::kQuery: writer.string(ranked_->query); return;
      case Said::kDocuments: write_documents(writer); return;
      case Said::kTopN: writer.unsigned_integer(*ranked_->top_n); return;
      case Said::kReturnDocuments: writer.boolean(*ranked_->return_documents); return;
      case Said::kTruncate: writer.boolean(*ranked_->truncate); return;
      default:
        if (row_of(said).openai.empty()) writer.number(number(said).value_or(0));
        else writer.raw(openai(said).raw());
    }
  }

  void write_prompt(json::Writer& writer, const chat::Prompt& prompt, const char* field) {
    const auto* text = std::get_if<std::string>(&prompt);
    if (text == nullptr) loss_.add(field, who() + " takes texts, not token ids", LossSeverity::kSemantic);
    writer.string(text == nullptr ? std::string_view() : std::string_view(*text));
  }

  void write_inputs(json::Writer& writer, Said said) {
    if (judged_ != nullptr) {
      const auto* text = judged_->inputs.empty() ? nullptr : judged_->inputs.front().as<chat::Text>();
      if (text == nullptr || judged_->inputs.size() != 1) loss_.add("input", who() + " judges one text at a time", LossSeverity::kSemantic);
      writer.string(text == nullptr ? std::string_view() : std::string_view(text->text));
      return;
    }
    const bool list = said == Said::kInputs || !vectors_->single;
    if (list) writer.begin_array();
    for (const chat::Prompt& input : vectors_->inputs) write_prompt(writer, input, "input");
    if (list) writer.end_array();
  }

  /// Texts; of an object the text in it.
  void write_documents(json::Writer& writer) {
    writer.begin_array();
    for (const std::string& document : ranked_->documents) {
      const auto parsed = json::Document::parse(Body::copy(document));
      const Value value = parsed ? parsed->root() : Value{};
      if (value.is(Type::kString)) {
        writer.raw(document);
        continue;
      }
      const std::string text = reading::text(value, "text");
      writer.string(text.empty() ? std::string_view(document) : std::string_view(text));
      loss_.add("documents", who() + " ranks texts: the text of each object was sent", LossSeverity::kNote);
    }
    writer.end_array();
  }

  // What the template has no place for.

  void lose() {
    if (spoken_.path.names_model() && sending_.model.empty()) {
      loss_.add("model", who() + " has the model in its paths, and the request names none", LossSeverity::kSemantic);
    }
    no(!request_.user.empty() && !uses(Said::kUser), "user", LossSeverity::kCosmetic);
    no(!request_.service_tier.empty(), "service_tier", LossSeverity::kCosmetic);
    no(request_.store.has_value(), "store", LossSeverity::kCosmetic);
    no(!request_.metadata.empty(), "metadata", LossSeverity::kCosmetic);
    for (const chat::Extra& extra : request_.extras) {
      if (!extra.key.empty()) loss_.add(extra.key, "known to the " + extra.dialect + " dialect alone", severity_of_lost(extra));
    }
    if (chat_ != nullptr || prompts_ != nullptr) lose_sampling(request_.sampling);
    if (chat_ != nullptr) lose_chat(*chat_);
    if (prompts_ != nullptr) lose_completion(*prompts_);
    if (vectors_ != nullptr) {
      no(vectors_->dimensions && !uses(Said::kDimensions), "dimensions", LossSeverity::kSemantic);
      no(!vectors_->input_type.empty() && !uses(Said::kInputType), "input_type", LossSeverity::kCosmetic);
    }
    if (ranked_ != nullptr) {
      // What comes back is cut to top_n, and documents are put beside their scores, here.
      no(ranked_->max_tokens_per_document.has_value(), "max_tokens_per_doc", LossSeverity::kCosmetic);
      no(ranked_->truncate && !uses(Said::kTruncate), "truncate", LossSeverity::kCosmetic);
    }
  }

  void lose_sampling(const chat::Sampling& s) {
    const auto unless = [this](Said said, LossSeverity severity) {
      no(was_said(said) && !uses(said), row_of(said).pointer.substr(1), severity);
    };
    unless(Said::kMaxTokens, LossSeverity::kSemantic);
    unless(Said::kStop, LossSeverity::kSemantic);
    for (const Said said : {Said::kTemperature, Said::kTopP, Said::kTopK, Said::kMinP, Said::kFrequencyPenalty, Said::kPresencePenalty,
                            Said::kRepetitionPenalty, Said::kSeed}) {
      unless(said, LossSeverity::kCosmetic);
    }
    no(!s.logit_bias.empty(), "logit_bias", LossSeverity::kCosmetic);
    no(s.choices.value_or(1) > 1, "n", LossSeverity::kSemantic);
    no(s.logprobs == true || (prompts_ != nullptr && s.top_logprobs), "logprobs", LossSeverity::kSemantic);
  }

  void lose_chat(const chat::ChatInput& chat) {
    using Kind = chat::ToolChoice::Kind;
    const chat::ToolChoice* choice = chat.tool_choice ? &*chat.tool_choice : nullptr;
    const bool none = choice != nullptr && choice->kind == Kind::kNone;
    if (!uses(Said::kTools)) {
      for (const chat::Tool& tool : chat.tools) {
        loss_.add("tools." + tool.name, none ? "no tool may be called: they were left out" : who() + " has no tools",
                  none ? LossSeverity::kNote : LossSeverity::kSemantic);
      }
    } else if (!uses(Said::kToolChoice) && choice != nullptr && choice->kind != Kind::kAuto) {
      no(true, "tool_choice", LossSeverity::kSemantic);
    }
    const auto& format = chat.response_format;
    const bool told = uses(Said::kResponseFormat) || (uses(Said::kJsonSchema) && schema() != nullptr);
    no(format && format->kind != chat::ResponseFormat::Kind::kText && !told, "response_format", LossSeverity::kSemantic);
    no(chat.reasoning && !uses(Said::kReasoningEffort), "reasoning_effort", LossSeverity::kCosmetic);
    no(chat.parallel_tool_calls == false && !chat.tools.empty() && !uses(Said::kParallelToolCalls), "parallel_tool_calls", LossSeverity::kCosmetic);
    no(!chat.verbosity.empty(), "verbosity", LossSeverity::kCosmetic);
    no(chat.prediction.has_value(), "prediction", LossSeverity::kCosmetic);
    const bool speaks = std::any_of(chat.modalities.begin(), chat.modalities.end(), [](const std::string& one) { return one != "text"; });
    no(speaks, "modalities", LossSeverity::kSemantic);
    no(chat.audio && chat.modalities.empty(), "audio", LossSeverity::kSemantic);
  }

  void lose_completion(const chat::CompletionInput& prompts) {
    if (prompts.prompts.size() > 1) loss_.add("prompt", who() + " takes one prompt at a time", LossSeverity::kSemantic);
    no(!prompts.suffix.empty() && !uses(Said::kSuffix), "suffix", LossSeverity::kSemantic);
    no(prompts.echo == true, "echo", LossSeverity::kSemantic);
    no(prompts.best_of.value_or(1) > 1, "best_of", LossSeverity::kCosmetic);
  }

  const chat::Request& request_;
  const Surface& surface_;
  const Spoken& spoken_;
  const Template& form_;
  const Sending& sending_;
  chat::LossReport& loss_;
  const chat::ChatInput* chat_;
  const chat::CompletionInput* prompts_;
  const chat::EmbeddingInput* vectors_;
  const chat::ModerationInput* judged_;
  const chat::RerankInput* ranked_;
  std::string prompt_, system_, last_user_;
  std::optional<json::Document> openai_;  // the request as OpenAI's servers would get it
};

}  // namespace

std::string encode_request(const chat::Request& request, const Surface& surface, const Spoken& spoken, const Sending& sending,
                           chat::LossReport& loss) {
  return RequestWriter(request, surface, spoken, sending, loss).run();
}

}  // namespace sluice::dialect::rest_parts
