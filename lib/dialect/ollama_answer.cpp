// Whole answers of Ollama's dialect, both ways.

#include "dialect/excerpt.hpp"
#include "dialect/ollama.hpp"
#include "dialect/ollama_turn.hpp"
#include "dialect/ollama_words.hpp"
#include "dialect/openai_answer.hpp"
#include "dialect/provider_words.hpp"
#include "dialect/reading.hpp"
#include "dialect/writing.hpp"

namespace sluice::dialect::ollama_parts {
namespace {

using chat::LossSeverity;
using json::Type;
using json::Value;
using reading::member;
using reading::text;

tl::unexpected<Error> no_answer(const Value& root, std::string_view missing, std::string_view body) {
  if (member(root, "error")) return tl::unexpected(embedded_error(root));
  return fail(Code::kUpstreamInvalidAnswer, "the upstream's answer has no '" + std::string(missing) + "'; it begins with \"" +
              excerpt(body, 80) + "\"");
}

/// What every root says of the answer as a whole; the rest is kept beside it.
void read_envelope(const Value& root, chat::Message& out) {
  out.model = text(root, "model");
  const std::string created = text(root, "created_at");
  out.created = read_time(created);
  std::string scratch;
  for (Value m = root.first(); m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    if (m.is(Type::kNull)) continue;
    if (key == "created_at" || is_beside(key)) reading::keep(out.extras, kName, key, m, LossSeverity::kNote);
  }
}

Result<chat::Message> read_chat(const Value& root, std::string_view body) {
  const Value message = member(root, "message"), response = member(root, "response");
  if (!message.is(Type::kObject) && !response.is(Type::kString)) return no_answer(root, "message", body);
  chat::Message out;
  read_envelope(root, out);
  out.id = made_up_id("ollama-", text(root, "created_at"), out.model);
  chat::Choice choice;
  // /api/generate says at the root what /api/chat says of its message.
  const Value said = message ? message : root;
  if (std::string thought = text(said, "thinking"); !thought.empty()) choice.turn.parts.push_back({chat::Thinking{std::move(thought)}});
  if (std::string words = text(said, message ? "content" : "response"); !words.empty()) choice.turn.parts.push_back({chat::Text{std::move(words)}});
  const Value calls = member(said, "tool_calls");
  std::uint32_t n = 0;
  for (Value call = calls.is(Type::kArray) ? calls.first() : Value{}; call; call = call.next(), ++n) {
    chat::ToolCall read = read_tool_call(call);
    if (read.id.empty()) {
      read.id = made_up_call(out.id, n);
      read.extras.push_back(made_up_marker());
    }
    choice.turn.parts.push_back({std::move(read)});
  }
  const std::string reason = text(root, "done_reason");
  choice.finish = finish_of(reason, n > 0);
  if (reason != to_string(choice.finish)) choice.native_finish = reason;
  if (const Value logprobs = member(root, "logprobs")) {
    const auto content = json::Document::parse(Body::from("{\"content\":" + std::string(logprobs.raw()) + "}"));
    if (content) choice.logprobs = openai_parts::read_logprobs(content->root());
    reading::keep(choice.extras, kName, "logprobs", logprobs, LossSeverity::kNote);
  }
  out.choices.push_back(std::move(choice));
  if (const chat::Usage usage = read_usage(root); !chat::empty(usage)) out.usage = usage;
  return out;
}

Result<chat::Message> read_embeddings(const Value& root, std::string_view body) {
  const Value list = member(root, "embeddings");
  if (!list.is(Type::kArray)) return no_answer(root, "embeddings", body);
  chat::Message out;
  out.model = text(root, "model");
  for (Value item = list.first(); item; item = item.next()) {
    std::vector<double> numbers;
    for (Value n = item.is(Type::kArray) ? item.first() : Value{}; n; n = n.next()) {
      const auto number = n.number();
      if (!number) return no_answer(root, "embeddings' numbers", body);
      numbers.push_back(*number);
    }
    out.embeddings.push_back({static_cast<std::uint32_t>(out.embeddings.size()), std::move(numbers)});
  }
  std::string scratch;
  for (Value m = root.first(); m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    if (key != "embeddings" && is_beside(key) && !m.is(Type::kNull)) reading::keep(out.extras, kName, key, m, LossSeverity::kNote);
  }
  if (const chat::Usage usage = read_usage(root); !chat::empty(usage)) {
    out.usage = usage;
    out.usage->total_tokens = usage.input_tokens;  // an embedding writes nothing
  }
  return out;
}

Result<chat::Message> read_models(const Value& root, std::string_view body) {
  const Value list = member(root, "models");
  if (!list.is(Type::kArray)) return no_answer(root, "models", body);
  chat::Message out;
  std::string scratch;
  for (Value item = list.first(); item; item = item.next()) {
    if (!item.is(Type::kObject)) continue;
    chat::ModelCard card;
    card.id = text(item, "model");
    if (card.id.empty()) card.id = text(item, "name");
    card.created = read_time(text(item, "modified_at"));
    for (Value m = item.first(); m; m = m.next()) {
      if (const std::string_view key = m.key(scratch); !m.is(Type::kNull)) reading::keep(card.extras, kName, key, m, LossSeverity::kNote);
    }
    out.models.push_back(std::move(card));
  }
  return out;
}

void write_envelope(json::Writer& writer, const chat::Message& answer, const AnswerForm& form) {
  writer.field("model", answer.model.empty() ? form.model : std::string_view(answer.model));
  if (chat::find_extra(answer.extras, kName, "created_at") == nullptr) writer.field("created_at", write_time(answer.created.value_or(0)));
}

void write_chat(json::Writer& writer, const chat::Message& answer, const AnswerForm& form, chat::LossReport& loss) {
  static const chat::Choice kNone;
  const chat::Choice& choice = answer.choices.empty() ? kNone : answer.choices.front();
  if (answer.choices.size() > 1) loss.add("n", "ollama gives one answer: the first", LossSeverity::kSemantic);
  write_envelope(writer, answer, form);
  const bool generate = shape_of(form.request) == Shape::kGenerate;
  std::string said, thought;
  for (const chat::Part& part : choice.turn.parts) {
    if (const auto* words = part.as<chat::Text>()) said += words->text;
    if (const auto* refusal = part.as<chat::Refusal>()) said += refusal->text;
    if (const auto* thinking = part.as<chat::Thinking>()) thought += thinking->text;
    if (part.as<chat::Audio>()) loss.add("message", "ollama answers in text alone", LossSeverity::kSemantic);
  }
  if (!generate) writer.key("message").begin_object().field("role", "assistant");
  writer.field(generate ? "response" : "content", said);
  writing::put(writer, "thinking", thought);
  bool open = false;
  std::uint32_t n = 0;
  for (const chat::Part& part : choice.turn.parts) {
    const auto* call = part.as<chat::ToolCall>();
    if (call == nullptr) continue;
    if (!open) writer.key("tool_calls").begin_array();
    open = true;
    write_tool_call(writer, *call, call->id, call->id.empty() || is_made_up(call->extras), n++);
  }
  if (open) writer.end_array();
  if (!generate) writer.end_object();
  writer.key("done").boolean(true);
  writer.field("done_reason", finish_word(choice.finish, choice.native_finish));
  writing::put_own_extras(writer, choice.extras, kName);
  if (answer.usage) write_usage(writer, *answer.usage);
}

void write_models(json::Writer& writer, const chat::Message& answer) {
  writer.key("models").begin_array();
  for (const chat::ModelCard& card : answer.models) {
    writer.begin_object();
    const bool own = chat::find_extra(card.extras, kName, "name") != nullptr || chat::find_extra(card.extras, kName, "model") != nullptr;
    if (!own) {
      writer.field("name", card.id).field("model", card.id);
      if (card.created) writer.field("modified_at", write_time(*card.created));
    }
    writing::put_own_extras(writer, card.extras, kName);
    writer.end_object();
  }
  writer.end_array();
}

}  // namespace

Result<chat::Message> decode_answer(std::string_view body, Operation operation) {
  const auto document = json::Document::parse(Body::copy(body));
  if (!document) {
    return fail(Code::kUpstreamInvalidAnswer, "the upstream's answer is no JSON (" + document.error().message + "); it begins with \"" +
                excerpt(body, 80) + "\"");
  }
  const Value root = document->root();
  switch (operation) {
    case Operation::kEmbeddings: return read_embeddings(root, body);
    case Operation::kListModels: return read_models(root, body);
    default: return read_chat(root, body);
  }
}

std::string encode_answer(const chat::Message& answer, const AnswerForm& form, chat::LossReport& loss) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  switch (form.operation) {
    case Operation::kListModels: write_models(writer, answer); break;
    case Operation::kEmbeddings:
      writer.field("model", answer.model.empty() ? form.model : std::string_view(answer.model)).key("embeddings").begin_array();
      for (const chat::Embedding& embedding : answer.embeddings) {
        writer.begin_array();
        const auto* numbers = std::get_if<std::vector<double>>(&embedding.vector);
        if (numbers == nullptr) loss.add("embeddings", "ollama tells vectors in numbers", LossSeverity::kSemantic);
        for (const double n : numbers == nullptr ? std::vector<double>() : *numbers) writer.number(n);
        writer.end_array();
      }
      writer.end_array();
      if (answer.usage) writing::put(writer, "prompt_eval_count", answer.usage->input_tokens);
      break;
    default: write_chat(writer, answer, form, loss); break;
  }
  writing::put_own_extras(writer, answer.extras, kName);
  writer.end_object();
  return out;
}

}  // namespace sluice::dialect::ollama_parts
