// The canonical model into whole answers of the OpenAI dialect.

#include "dialect/openai.hpp"
#include "dialect/openai_answer.hpp"
#include "dialect/openai_turn.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::openai_parts {
namespace {

using chat::LossSeverity;

void write_tokens(json::Writer& writer, const std::vector<chat::TokenLogprob>& tokens, bool inner) {
  writer.begin_array();
  for (const chat::TokenLogprob& token : tokens) {
    writer.begin_object().field("token", token.token).key("logprob").number(token.logprob).key("bytes");
    if (token.bytes) {
      writer.begin_array();
      for (const std::uint8_t byte : *token.bytes) writer.integer(byte);
      writer.end_array();
    } else {
      writer.null();
    }
    if (!inner) {
      writer.key("top_logprobs");
      write_tokens(writer, token.top, true);
    }
    writer.end_object();
  }
  writer.end_array();
}

void write_choice(json::Writer& writer, const chat::Choice& choice, Operation operation, chat::LossReport& loss) {
  writer.begin_object().key("index").unsigned_integer(choice.index);
  if (operation == Operation::kCompletions) {
    writer.field("text", choice.turn.text());
  } else {
    writer.key("message");
    write_answer_message(writer, choice.turn, loss);
  }
  writer.key("logprobs");
  if (!choice.raw_logprobs.empty()) {
    writer.raw(choice.raw_logprobs);
  } else if (choice.logprobs && operation == Operation::kChat) {
    write_logprobs(writer, *choice.logprobs);
  } else {
    writer.null();
  }
  write_finish(writer, choice.finish, choice.native_finish, chat::find_extra(choice.extras, kName, "native_finish_reason") != nullptr);
  write_extras(writer, choice.extras, "choices[" + std::to_string(choice.index) + "]", loss);
  writer.end_object();
}

void write_embedding(json::Writer& writer, const chat::Embedding& embedding, chat::LossReport& loss) {
  writer.begin_object().field("object", "embedding").key("index").unsigned_integer(embedding.index);
  if (const auto* base64 = std::get_if<std::string>(&embedding.vector)) {
    writer.field("embedding", *base64);
  } else if (chat::find_extra(embedding.extras, kName, "embedding") == nullptr) {
    writer.key("embedding").begin_array();
    for (const double n : std::get<std::vector<double>>(embedding.vector)) writer.number(n);
    writer.end_array();
  }
  write_extras(writer, embedding.extras, "data[" + std::to_string(embedding.index) + "]", loss);
  writer.end_object();
}

void write_moderation(json::Writer& writer, const chat::ModerationResult& result, chat::LossReport& loss) {
  writer.begin_object();
  if (chat::find_extra(result.extras, kName, "flagged") == nullptr) writer.key("flagged").boolean(result.flagged);
  writer.key("categories").begin_object();
  for (const auto& [name, flag] : result.categories) writer.key(name).boolean(flag);
  writer.end_object().key("category_scores").begin_object();
  for (const auto& [name, score] : result.scores) writer.key(name).number(score);
  writer.end_object();
  write_extras(writer, result.extras, "results", loss);
  writer.end_object();
}

void write_model(json::Writer& writer, const chat::ModelCard& model, chat::LossReport& loss) {
  writer.begin_object().field("id", model.id).field("object", "model");
  writer.key("created").integer(model.created.value_or(0)).field("owned_by", model.owned_by);  // its clients want both
  write_extras(writer, model.extras, "model", loss);
  writer.end_object();
}

void write_usage_member(json::Writer& writer, const chat::Message& answer, Operation operation, UsageForm form) {
  // Unknown usage is absent: null breaks clients, 0 would be a lie.
  const bool enough = form == UsageForm::kTotalAlone || answer.raw_usage.find("\"prompt_tokens\"") != std::string::npos;
  if (!answer.raw_usage.empty() && enough && is_own_usage(answer.raw_usage)) {
    writer.key("usage").raw(answer.raw_usage);
  } else if (answer.usage && !chat::empty(*answer.usage)) {
    writer.key("usage").raw(write_usage(*answer.usage, operation));
  }
}

std::string_view object_of(Operation operation) noexcept {
  switch (operation) {
    case Operation::kChat: return "chat.completion";
    case Operation::kCompletions: return "text_completion";
    case Operation::kModerations: return "";
    default: return "list";
  }
}

}  // namespace

void write_logprobs(json::Writer& writer, const chat::Logprobs& logprobs) {
  writer.begin_object().key("content");
  logprobs.content.empty() ? static_cast<void>(writer.null()) : write_tokens(writer, logprobs.content, false);
  writer.key("refusal");
  logprobs.refusal.empty() ? static_cast<void>(writer.null()) : write_tokens(writer, logprobs.refusal, false);
  writer.end_object();
}

void write_finish(json::Writer& writer, chat::FinishReason reason, const std::string& native, bool native_is_extra) {
  writer.key("finish_reason");
  if (reason == chat::FinishReason::kNone) {
    writer.null();
    return;
  }
  // OpenAI's own older word; every other native word gives way to the table's.
  if (native == "function_call") {
    writer.string(native);
    return;
  }
  writer.string(to_string(reason));
  if (!native.empty() && !native_is_extra) writer.field("native_finish_reason", native);
}

std::string encode_answer(const chat::Message& answer, Operation operation, chat::LossReport& loss, std::string_view asked_model, UsageForm usage) {
  std::string out;
  json::Writer writer(out);
  if (operation == Operation::kGetModel) {
    write_model(writer, answer.models.empty() ? chat::ModelCard{} : answer.models.front(), loss);
    return out;
  }
  writer.begin_object();
  if (!answer.id.empty()) writer.field("id", answer.id);
  if (const std::string_view object = object_of(operation); !object.empty()) writer.field("object", object);
  if (answer.created) writer.key("created").integer(*answer.created);
  const bool names = operation != Operation::kListModels && operation != Operation::kGetModel;
  if (const std::string_view name = answer.model.empty() && names ? asked_model : std::string_view(answer.model); !name.empty()) writer.field("model", name);
  switch (operation) {
    case Operation::kChat:
    case Operation::kCompletions:
      writer.key("choices").begin_array();
      for (const chat::Choice& choice : answer.choices) write_choice(writer, choice, operation, loss);
      writer.end_array();
      break;
    case Operation::kEmbeddings:
      writer.key("data").begin_array();
      for (const chat::Embedding& embedding : answer.embeddings) write_embedding(writer, embedding, loss);
      writer.end_array();
      break;
    case Operation::kModerations:
      writer.key("results").begin_array();
      for (const chat::ModerationResult& result : answer.moderations) write_moderation(writer, result, loss);
      writer.end_array();
      break;
    default:
      writer.key("data").begin_array();
      for (const chat::ModelCard& model : answer.models) write_model(writer, model, loss);
      writer.end_array();
      break;
  }
  write_usage_member(writer, answer, operation, usage);
  write_extras(writer, answer.extras, "", loss);
  writer.end_object();
  return out;
}

}  // namespace sluice::dialect::openai_parts
