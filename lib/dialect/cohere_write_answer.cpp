// The canonical model into whole answers of the Cohere dialect.

#include "dialect/cohere.hpp"
#include "dialect/cohere_turn.hpp"
#include "dialect/reading.hpp"
#include "dialect/writing.hpp"

namespace sluice::dialect::cohere_parts {
namespace {

using chat::LossSeverity;

void write_logprobs(json::Writer& writer, const chat::Logprobs& logprobs) {
  writer.key("logprobs").begin_array();
  for (const chat::TokenLogprob& token : logprobs.content) {
    writer.begin_object().field("text", token.token).key("token_ids").begin_array().end_array();
    writer.key("logprobs").begin_array().number(token.logprob).end_array().end_object();
  }
  writer.end_array();
}

void write_chat(json::Writer& writer, const chat::Message& answer, chat::LossReport& loss) {
  static const chat::Choice kNone;
  const chat::Choice& choice = answer.choices.empty() ? kNone : answer.choices.front();
  if (answer.choices.size() > 1) loss.add("n", "cohere gives one answer: the first", LossSeverity::kSemantic);
  writer.field("finish_reason", finish_word(choice.finish, choice.native_finish)).key("message");
  write_answer_message(writer, choice.turn, loss);
  if (choice.logprobs && chat::find_extra(choice.extras, kName, "logprobs") == nullptr) write_logprobs(writer, *choice.logprobs);
  writing::put_own_extras(writer, choice.extras, kName);
  if (!answer.raw_usage.empty() && is_own_usage(answer.raw_usage)) {
    writer.key("usage").raw(answer.raw_usage);
  } else if (answer.usage && !chat::empty(*answer.usage)) {
    writer.key("usage").raw(write_usage(*answer.usage));
  }
}

/// `{"api_version","billed_units"}`, where the upstream did not say it itself.
void write_meta(json::Writer& writer, const chat::Message& answer) {
  if (chat::find_extra(answer.extras, kName, "meta") != nullptr) return;
  writer.key("meta").begin_object().key("api_version").begin_object().field("version", "2").end_object();
  if (answer.usage && answer.usage->input_tokens) {
    writer.key("billed_units").begin_object().key("input_tokens").unsigned_integer(*answer.usage->input_tokens).end_object();
  }
  writer.end_object();
}

void write_embeddings(json::Writer& writer, const chat::Message& answer, const AnswerForm& form) {
  if (chat::find_extra(answer.extras, kName, "embeddings") == nullptr) {
    const bool base64 = !answer.embeddings.empty() && std::holds_alternative<std::string>(answer.embeddings.front().vector);
    writer.key("embeddings").begin_object().key(base64 ? "base64" : "float").begin_array();
    for (const chat::Embedding& embedding : answer.embeddings) {
      if (const auto* text = std::get_if<std::string>(&embedding.vector)) {
        writer.string(*text);
        continue;
      }
      writer.begin_array();
      for (const double n : std::get<std::vector<double>>(embedding.vector)) writer.number(n);
      writer.end_array();
    }
    writer.end_array().end_object();
  }
  if (chat::find_extra(answer.extras, kName, "texts") == nullptr && form.request != nullptr) {
    if (const json::Value texts = reading::member(form.request->root(), "texts")) writer.key("texts").raw(texts.raw());
  }
  if (chat::find_extra(answer.extras, kName, "response_type") == nullptr) writer.field("response_type", "embeddings_by_type");
  write_meta(writer, answer);
}

void write_ranking(json::Writer& writer, const chat::Message& answer) {
  writer.key("results").begin_array();
  for (const chat::RankedDocument& ranked : answer.ranked) {
    writer.begin_object().key("index").unsigned_integer(ranked.index).key("relevance_score").number(ranked.score);
    if (!ranked.document.empty()) {
      writer.key("document");
      // A text comes back as an object with a text in it.
      if (ranked.document.front() == '"') {
        writer.begin_object().key("text").raw(ranked.document).end_object();
      } else {
        writer.raw(ranked.document);
      }
    }
    writing::put_own_extras(writer, ranked.extras, kName);
    writer.end_object();
  }
  writer.end_array();
  write_meta(writer, answer);
}

}  // namespace

std::string encode_answer(const chat::Message& answer, const AnswerForm& form, chat::LossReport& loss) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  // Rankings alone may lack one.
  if (!answer.id.empty() || form.operation != Operation::kRerank) writer.field("id", answer.id);
  switch (form.operation) {
    case Operation::kEmbeddings: write_embeddings(writer, answer, form); break;
    case Operation::kRerank: write_ranking(writer, answer); break;
    default: write_chat(writer, answer, loss); break;
  }
  writing::put_own_extras(writer, answer.extras, kName);
  writer.end_object();
  return out;
}

}  // namespace sluice::dialect::cohere_parts
