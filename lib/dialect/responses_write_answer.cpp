// The canonical model into whole responses.

#include <map>

#include "dialect/lost_extras.hpp"
#include "dialect/reading.hpp"
#include "dialect/responses.hpp"
#include "dialect/responses_envelope.hpp"
#include "dialect/responses_items.hpp"

namespace sluice::dialect::responses_parts {
namespace {

using chat::LossSeverity;
using chat::Part;
using json::Value;

class OutputWriter {
 public:
  OutputWriter(json::Writer& writer, const chat::Choice& choice, std::string_view response_id, chat::LossReport& loss)
      : writer_(writer), choice_(choice), response_id_(response_id), loss_(loss), messages_(choice.turn) {
    const ResponseStatus status = status_of(choice.finish);
    last_status_ = status.status;
  }

  void run() {
    read_items();
    const auto& parts = choice_.turn.parts;
    writer_.begin_array();
    for (std::size_t at = 0; at < parts.size();) {
      own_items(at);
      while (messages_.next_is_empty()) message(at, at);
      if (!is_content(parts[at])) {
        item(parts[at]);
        ++at;
        continue;
      }
      std::size_t end = at;
      while (end < parts.size() && is_content(parts[end]) && (end == at || !items_.contains(end))) ++end;
      end = at + messages_.parts(end - at);
      message(at, end);
      at = end;
    }
    for (const auto& [at, item] : items_) writer_.raw(item);
    writer_.end_array();
  }

 private:
  static bool is_content(const Part& part) { return part.as<chat::Text>() != nullptr || part.as<chat::Refusal>() != nullptr; }

  void read_items() {
    const std::string* list = chat::find_extra(choice_.turn.extras, kName, key::kItems);
    if (list == nullptr) return;
    const auto document = json::Document::parse(Body::copy(*list));
    for (Value one = document ? document->root().first() : Value{}; one; one = one.next()) {
      const auto at = reading::integer(reading::member(one, "at"));
      if (const Value item = reading::member(one, "item")) items_.emplace(at && *at > 0 ? static_cast<std::size_t>(*at) : 0, item.raw());
    }
  }

  /// Items of this dialect's own that stand before the part.
  void own_items(std::size_t at) {
    while (!items_.empty() && items_.begin()->first <= at) {
      writer_.raw(items_.begin()->second);
      items_.erase(items_.begin());
      ++written_;
    }
  }

  std::string next_id(std::string_view prefix) { return item_id(prefix, response_id_, written_++); }

  void message(std::size_t begin, std::size_t end) {
    const auto& parts = choice_.turn.parts;
    const std::string id = next_id("msg");
    writer_.begin_object().field("type", "message");
    messages_.write(writer_, {id, end == parts.size() ? last_status_ : std::string_view("completed")});
    writer_.field("role", "assistant").key("content").begin_array();
    for (std::size_t i = begin; i < end; ++i) content(parts[i]);
    writer_.end_array().end_object();
  }

  void content(const Part& part) {
    if (const auto* refusal = part.as<chat::Refusal>()) {
      writer_.begin_object().field("type", "refusal").field("refusal", refusal->text).end_object();
      return;
    }
    const chat::Text& text = *part.as<chat::Text>();
    writer_.begin_object().field("type", "output_text").field("text", text.text).key("annotations").begin_array();
    for (const chat::Citation& citation : text.citations) {
      if (can_write(citation)) {
        write_annotation(writer_, citation);
      } else {
        loss_.add("message.annotations", "openai-responses has no such citation", LossSeverity::kCosmetic);
      }
    }
    writer_.end_array().key("logprobs");
    // All of them stand at the first text: the canonical model does not part them.
    write_logprobs(writer_, !logprobs_put_ && choice_.logprobs ? choice_.logprobs->content : std::vector<chat::TokenLogprob>{});
    logprobs_put_ = true;
    writer_.end_object();
  }

  void item(const Part& part) {
    if (const auto* thinking = part.as<chat::Thinking>()) {
      const std::string id = next_id("rs");
      write_reasoning(writer_, *thinking, {id, {}});
    } else if (const auto* call = part.as<chat::ToolCall>()) {
      const std::string id = next_id(call->kind == chat::ToolKind::kCustom ? "ctc" : "fc");
      write_call(writer_, *call, {id, "completed"});
    } else {
      loss_.add("message", "openai-responses has no spoken answers and no media in them", LossSeverity::kSemantic);
    }
  }

  json::Writer& writer_;
  const chat::Choice& choice_;
  const std::string_view response_id_;
  chat::LossReport& loss_;
  Messages messages_;
  std::string_view last_status_;
  std::multimap<std::size_t, std::string> items_;
  std::size_t written_ = 0;
  bool logprobs_put_ = false;
};

}  // namespace

std::string encode_answer(const chat::Message& answer, const AnswerForm& form, chat::LossReport& loss) {
  std::string out;
  json::Writer writer(out);
  if (form.operation == Operation::kCountTokens) {
    writer.begin_object().field("object", "response.input_tokens").key("input_tokens");
    writer.unsigned_integer(answer.usage ? answer.usage->input_tokens.value_or(0) : 0).end_object();
    return out;
  }
  Envelope envelope(form);
  envelope.begin(answer.id, answer.model, answer.created);
  for (const chat::Extra& extra : answer.extras) {
    envelope.set(extra);
    if (extra.dialect != kName) loss.add(extra.key, why_lost(extra), LossSeverity::kCosmetic);
  }
  if (answer.choices.size() > 1) loss.add("n", "a response is one answer: the others are left out", LossSeverity::kSemantic);
  const chat::Choice nothing;
  const chat::Choice& choice = answer.choices.empty() ? nothing : answer.choices.front();
  for (const chat::Extra& extra : choice.turn.extras) {
    if (extra.dialect != kName) loss.add("message." + extra.key, why_lost(extra), LossSeverity::kCosmetic);
  }
  std::string output;
  {
    json::Writer items(output);
    OutputWriter(items, choice, envelope.id(), loss).run();
  }
  const ResponseStatus status = status_of(choice.finish);
  const std::string usage = answer.usage ? write_usage(*answer.usage) : std::string();
  envelope.write(writer, {.status = status.status,
                          .incomplete_reason = status.incomplete_reason,
                          .output = output,
                          .usage = usage});
  return out;
}

}  // namespace sluice::dialect::responses_parts
