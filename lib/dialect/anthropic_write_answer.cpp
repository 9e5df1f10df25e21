// The canonical model into whole answers of the Anthropic dialect. It has one choice: the first.

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "dialect/anthropic.hpp"
#include "dialect/anthropic_blocks.hpp"
#include "dialect/anthropic_conversation.hpp"
#include "dialect/lost_extras.hpp"

namespace sluice::dialect::anthropic_parts {
namespace {

using chat::LossSeverity;
using chat::Part;

std::string rfc3339(std::int64_t seconds) {
  const std::int64_t days = seconds / 86400 - (seconds % 86400 < 0 ? 1 : 0);
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
  const auto rest = static_cast<int>(seconds - days * 86400);
  char text[48];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), rest / 3600, rest / 60 % 60, rest % 60);
  return text;
}

void write_model(json::Writer& writer, const chat::ModelCard& model, chat::LossReport& loss) {
  writer.begin_object().field("type", "model").field("id", model.id);
  if (chat::find_extra(model.extras, kName, "display_name") == nullptr) writer.field("display_name", model.id);
  if (chat::find_extra(model.extras, kName, "created_at") == nullptr) {
    // A year that four digits cannot say is no time of a model.
    constexpr std::int64_t kEnd = 253402300800;
    const std::int64_t created = model.created.value_or(0);
    writer.field("created_at", rfc3339(created >= 0 && created < kEnd ? created : 0));
  }
  write_extras(writer, model.extras, "model", loss);
  writer.end_object();
}

void write_models(json::Writer& writer, const chat::Message& answer, chat::LossReport& loss) {
  writer.begin_object().key("data").begin_array();
  for (const chat::ModelCard& model : answer.models) write_model(writer, model, loss);
  writer.end_array();
  const auto put = [&](std::string_view key, auto&& write) {
    if (chat::find_extra(answer.extras, kName, key) != nullptr) return;
    writer.key(key);
    write();
  };
  const auto id = [&](const chat::ModelCard& model) { writer.string(model.id); };
  put("has_more", [&] { writer.boolean(false); });
  put("first_id", [&] { answer.models.empty() ? static_cast<void>(writer.null()) : id(answer.models.front()); });
  put("last_id", [&] { answer.models.empty() ? static_cast<void>(writer.null()) : id(answer.models.back()); });
  write_extras(writer, answer.extras, "", loss);
  writer.end_object();
}

void write_content(json::Writer& writer, const chat::Choice& choice, chat::LossReport& loss) {
  const bool own_details = chat::find_extra(choice.extras, kName, "stop_details") != nullptr;
  std::size_t calls = 0;
  writer.key("content").begin_array();
  for (const Part& part : choice.turn.parts) {
    // A refusal of Anthropic's own stands in stop_details.
    if (part.as<chat::Refusal>() != nullptr && own_details) continue;
    const auto* call = part.as<chat::ToolCall>();
    if (call != nullptr && call->id.empty()) {
      chat::ToolCall named = *call;
      named.id = id_at(0, calls);
      write_block(writer, {std::move(named)}, Place::kAnswer, "content", loss);
    } else if (is_block(part, Place::kAnswer, "content", loss)) {
      write_block(writer, part, Place::kAnswer, "content", loss);
    }
    calls += call != nullptr ? 1 : 0;
  }
  writer.end_array();
}

/// `stop_sequence` and `stop_details`, null where there is none.
void write_stop(json::Writer& writer, const chat::Choice& choice) {
  const auto has = [&](auto* kind) {
    using T = std::remove_pointer_t<decltype(kind)>;
    return std::any_of(choice.turn.parts.begin(), choice.turn.parts.end(), [](const Part& p) { return p.template as<T>() != nullptr; });
  };
  const bool refused = has(static_cast<chat::Refusal*>(nullptr));
  writer.key("stop_reason");
  if (choice.finish == chat::FinishReason::kNone) {
    writer.null();
  } else {
    writer.string(stop_reason(refused ? chat::FinishReason::kContentFilter : choice.finish, choice.native_finish,
                              has(static_cast<chat::ToolCall*>(nullptr))));
  }
  writer.key("stop_sequence");
  const std::string* sequence = chat::find_extra(choice.extras, kName, "stop_sequence");
  sequence != nullptr ? writer.raw(*sequence) : writer.null();
  if (const std::string* details = chat::find_extra(choice.extras, kName, "stop_details")) writer.key("stop_details").raw(*details);
}

}  // namespace

std::string encode_answer(const chat::Message& answer, const AnswerForm& form, chat::LossReport& loss) {
  std::string out;
  json::Writer writer(out);
  switch (form.operation) {
    case Operation::kGetModel: write_model(writer, answer.models.empty() ? chat::ModelCard{} : answer.models.front(), loss); return out;
    case Operation::kListModels: write_models(writer, answer, loss); return out;
    case Operation::kCountTokens:
      writer.begin_object().key("input_tokens").unsigned_integer(answer.usage ? answer.usage->input_tokens.value_or(0) : 0);
      write_extras(writer, answer.extras, "", loss);
      writer.end_object();
      return out;
    default: break;
  }
  static const chat::Choice kNone;
  const chat::Choice& choice = answer.choices.empty() ? kNone : answer.choices.front();
  if (answer.choices.size() > 1) loss.add("choices[1]", "anthropic gives one answer", LossSeverity::kSemantic);
  if (choice.logprobs) loss.add("choices[0].logprobs", "anthropic states no probabilities", LossSeverity::kCosmetic);
  writer.begin_object().field("id", answer.id.empty() ? std::string_view("msg_0") : std::string_view(answer.id));
  writer.field("type", "message").field("role", "assistant");
  writer.field("model", answer.model.empty() ? form.model : std::string_view(answer.model));
  write_content(writer, choice, loss);
  write_stop(writer, choice);
  for (const chat::Extras* extras : {&choice.extras, &choice.turn.extras}) {
    for (const chat::Extra& extra : *extras) {
      if (extra.dialect != kName) loss.add("choices[0]." + extra.key, why_lost(extra), severity_of_lost(extra));
    }
  }
  if (chat::find_extra(answer.extras, kName, "usage") == nullptr) writer.key("usage").raw(write_usage(answer.usage.value_or(chat::Usage{})));
  write_extras(writer, answer.extras, "", loss);
  writer.end_object();
  return out;
}

}  // namespace sluice::dialect::anthropic_parts
