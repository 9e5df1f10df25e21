// The canonical model into whole answers of the Gemini dialect.

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "dialect/gemini.hpp"
#include "dialect/gemini_answer.hpp"
#include "dialect/gemini_keys.hpp"
#include "dialect/gemini_turn.hpp"
#include "dialect/lost_extras.hpp"

namespace sluice::dialect::gemini_parts {
namespace {

using chat::LossSeverity;

const std::string* own(const chat::Extras& extras, std::string_view key) { return chat::find_extra(extras, kName, key); }

std::vector<chat::Citation> foreign_citations(const chat::Turn& turn) {
  std::vector<chat::Citation> out;
  for (const chat::Part& part : turn.parts) {
    const auto* text = part.as<chat::Text>();
    if (text == nullptr) continue;
    for (const chat::Citation& citation : text->citations) {
      if (own(citation.extras, "") == nullptr) out.push_back(citation);
    }
  }
  return out;
}

void write_content(json::Writer& writer, const chat::Choice& choice, chat::LossReport& loss) {
  const std::string path = "candidates[" + std::to_string(choice.index) + "]";
  if (choice.turn.form == chat::ContentForm::kNull && choice.turn.parts.empty()) return;
  writer.key("content").begin_object();
  const std::string* role = own(choice.turn.extras, "role");
  if (role == nullptr) {
    writer.field("role", "model");
  } else if (!role->empty()) {
    writer.key("role").raw(*role);
  }
  if (choice.turn.form != chat::ContentForm::kAbsent || !choice.turn.parts.empty()) {
    writer.key("parts").begin_array();
    for (const chat::Part& part : choice.turn.parts) write_answer_part(writer, part, path, loss);
    if (const std::string* more = own(choice.turn.extras, "parts"); more != nullptr && more->size() > 2) {
      writer.raw(std::string_view(*more).substr(1, more->size() - 2));
    }
    writer.end_array();
  }
  writer.end_object();
  for (const chat::Extra& extra : choice.turn.extras) {
    if (extra.dialect != kName) loss.add(path + "." + extra.key, why_lost(extra), LossSeverity::kCosmetic);
  }
}

void write_candidate(json::Writer& writer, const chat::Choice& choice, chat::LossReport& loss) {
  writer.begin_object();
  write_content(writer, choice, loss);
  if (const std::string_view word = finish_word(choice.finish, choice.native_finish); !word.empty()) writer.field("finishReason", word);
  writer.key("index").unsigned_integer(choice.index);
  if (choice.logprobs && own(choice.extras, "logprobsResult") == nullptr) {
    writer.key("logprobsResult");
    write_logprobs(writer, *choice.logprobs);
  }
  if (const auto citations = foreign_citations(choice.turn); !citations.empty() && own(choice.extras, "groundingMetadata") == nullptr) {
    writer.key("groundingMetadata");
    write_grounding(writer, citations);
  }
  write_extras(writer, choice.extras, "candidates[" + std::to_string(choice.index) + "]", loss);
  writer.end_object();
}

void write_chat(json::Writer& writer, const chat::Message& answer, const AnswerForm& form, chat::LossReport& loss) {
  // A prompt that was refused has no candidate: why stands in promptFeedback.
  const bool blocked = own(answer.extras, "promptFeedback") != nullptr && answer.choices.size() == 1 && answer.choices[0].turn.parts.empty() &&
                       answer.choices[0].finish == chat::FinishReason::kContentFilter && answer.choices[0].extras.empty();
  if (!blocked && !answer.choices.empty()) {
    writer.key("candidates").begin_array();
    for (const chat::Choice& choice : answer.choices) write_candidate(writer, choice, loss);
    writer.end_array();
  }
  if (answer.usage && own(answer.extras, "usageMetadata") == nullptr && !chat::empty(*answer.usage)) {
    writer.key("usageMetadata").raw(write_usage(*answer.usage));
  }
  const std::string_view model = answer.model.empty() ? form.model : std::string_view(answer.model);
  if (!model.empty()) writer.field("modelVersion", model);
  if (!answer.id.empty()) writer.field("responseId", answer.id);
  write_extras(writer, answer.extras, "", loss);
}

int sextet(char c) noexcept {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

/// Base64 of float32, little-endian, as numbers.
std::vector<double> floats_of(std::string_view base64) {
  std::vector<double> out;
  out.reserve(base64.size() / 16 * 3);
  std::uint32_t bits = 0, value = 0;
  int held = 0, bytes = 0;
  for (const char c : base64) {
    const int six = sextet(c);
    if (six < 0) continue;
    bits = (bits << 6) | static_cast<std::uint32_t>(six);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    value |= ((bits >> held) & 0xffu) << (8 * bytes);
    if (++bytes < 4) continue;
    out.push_back(static_cast<double>(std::bit_cast<float>(value)));
    value = 0;
    bytes = 0;
  }
  return out;
}

void write_vector(json::Writer& writer, const chat::Embedding& embedding, chat::LossReport& loss) {
  const auto* numbers = std::get_if<std::vector<double>>(&embedding.vector);
  const std::vector<double> decoded = numbers == nullptr ? floats_of(std::get<std::string>(embedding.vector)) : std::vector<double>{};
  writer.begin_object().key("values").begin_array();
  for (const double n : numbers == nullptr ? decoded : *numbers) writer.number(n);
  writer.end_array();
  write_extras(writer, embedding.extras, "embeddings[" + std::to_string(embedding.index) + "]", loss);
  writer.end_object();
}

void write_embeddings(json::Writer& writer, const chat::Message& answer, const AnswerForm& form, chat::LossReport& loss) {
  // embedContent is answered by one embedding, batchEmbedContents by a list.
  const bool one = form.request != nullptr && answer.embeddings.size() == 1 && !has(form.request->root(), "requests");
  if (one) {
    writer.key("embedding");
    write_vector(writer, answer.embeddings.front(), loss);
  } else {
    writer.key("embeddings").begin_array();
    for (const chat::Embedding& embedding : answer.embeddings) write_vector(writer, embedding, loss);
    writer.end_array();
  }
  if (answer.usage && answer.usage->input_tokens && own(answer.extras, "usageMetadata") == nullptr) {
    writer.key("usageMetadata").begin_object().key("promptTokenCount").unsigned_integer(*answer.usage->input_tokens);
    writer.key("totalTokenCount").unsigned_integer(*answer.usage->input_tokens).end_object();
  }
  write_extras(writer, answer.extras, "", loss);
}

void write_model(json::Writer& writer, const chat::ModelCard& model, chat::LossReport& loss) {
  writer.begin_object();
  if (own(model.extras, "name") == nullptr) writer.field("name", "models/" + model.id);
  const bool foreign = std::none_of(model.extras.begin(), model.extras.end(), [](const chat::Extra& e) { return e.dialect == kName; });
  if (foreign) {
    writer.field("displayName", model.id).key("supportedGenerationMethods").begin_array();
    writer.string("generateContent").string("countTokens").end_array();
  }
  write_extras(writer, model.extras, "models", loss);
  writer.end_object();
}

}  // namespace

std::string encode_answer(const chat::Message& answer, const AnswerForm& form, chat::LossReport& loss) {
  std::string out;
  json::Writer writer(out);
  if (form.operation == Operation::kGetModel) {
    write_model(writer, answer.models.empty() ? chat::ModelCard{} : answer.models.front(), loss);
    return out;
  }
  writer.begin_object();
  switch (form.operation) {
    case Operation::kEmbeddings: write_embeddings(writer, answer, form, loss); break;
    case Operation::kCountTokens:
      writer.key("totalTokens").unsigned_integer(answer.usage ? answer.usage->input_tokens.value_or(0) : 0);
      write_extras(writer, answer.extras, "", loss);
      break;
    case Operation::kListModels:
      writer.key("models").begin_array();
      for (const chat::ModelCard& model : answer.models) write_model(writer, model, loss);
      writer.end_array();
      write_extras(writer, answer.extras, "", loss);
      break;
    default: write_chat(writer, answer, form, loss); break;
  }
  writer.end_object();
  return out;
}

}  // namespace sluice::dialect::gemini_parts
