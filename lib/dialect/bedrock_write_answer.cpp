// The canonical model into whole answers of the Bedrock dialect.

#include "dialect/bedrock.hpp"
#include "dialect/bedrock_blocks.hpp"
#include "json/writer.hpp"

namespace sluice::dialect::bedrock_parts {
namespace {

using chat::LossSeverity;

void write_message(json::Writer& writer, const chat::Turn& turn, chat::LossReport& loss) {
  writer.key("output").begin_object().key("message").begin_object().field("role", "assistant").key("content").begin_array();
  std::size_t i = 0, calls = 0;
  for (const chat::Part& part : turn.parts) {
    const std::string path = "content[" + std::to_string(i++) + "]";
    const auto* call = part.as<chat::ToolCall>();
    if (call == nullptr) {
      write_part(writer, part, Place::kAnswer, path, loss);
      continue;
    }
    // Results are to name the call they answer.
    chat::ToolCall named = *call;
    if (named.id.empty()) named.id = "call_" + std::to_string(calls);
    ++calls;
    write_part(writer, {std::move(named)}, Place::kAnswer, path, loss);
  }
  writer.end_array();
  for (const chat::Extra& extra : turn.extras) {
    // `events` are a stream's, which a whole answer has no place for.
    if (extra.dialect == kName && extra.key != "events") writer.key(extra.key).raw(extra.json);
  }
  writer.end_object().end_object();
}

}  // namespace

std::string encode_answer(const chat::Message& answer, const AnswerForm& form, chat::LossReport& loss) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  if (form.operation == Operation::kCountTokens) {
    writer.key("inputTokens").unsigned_integer(answer.usage && answer.usage->input_tokens ? *answer.usage->input_tokens : 0);
    writer.end_object();
    return out;
  }
  const chat::Choice none;
  const chat::Choice& choice = answer.choices.empty() ? none : answer.choices.front();
  if (answer.choices.size() > 1) loss.add("choices", "bedrock's answers have one message", LossSeverity::kSemantic);
  write_message(writer, choice.turn, loss);
  writer.field("stopReason", stop_reason(choice.finish, choice.native_finish));
  // Unknown usage is absent: 0 would be a lie.
  if (answer.usage && !chat::empty(*answer.usage)) writer.key("usage").raw(write_usage(*answer.usage, answer.extras));
  write_extras(writer, answer.extras, "", loss);
  // Its clients' model has no answer without them.
  if (chat::find_extra(answer.extras, kName, "metrics") == nullptr) writer.key("metrics").raw(kNoMetrics);
  writer.end_object();
  return out;
}

}  // namespace sluice::dialect::bedrock_parts
