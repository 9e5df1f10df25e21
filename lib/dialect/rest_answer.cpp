// Whole answers of custom surfaces.

#include <algorithm>

#include "dialect/call_ids.hpp"
#include "dialect/excerpt.hpp"
#include "dialect/openai.hpp"
#include "dialect/openai_turn.hpp"
#include "dialect/provider_words.hpp"
#include "dialect/reading.hpp"
#include "dialect/rest_parts.hpp"

namespace sluice::dialect::rest_parts {
namespace {

using json::Type;
using json::Value;
using reading::text;

tl::unexpected<Error> no_answer(const Surface& surface, std::string_view missing, std::string_view body) {
  return fail(Code::kUpstreamInvalidAnswer, "the upstream's answer has no " + std::string(missing) + " where the surface of '" + surface.name +
                                                "' says; it begins with \"" + excerpt(body, 80) + "\"");
}

Result<chat::Message> read_text(const Value& root, std::string_view body, const Surface& surface, const Spoken& spoken) {
  const Places& places = spoken.answer;
  chat::Message out;
  chat::Choice choice;
  const Value thought = places.reasoning.itself() ? Value{} : places.reasoning.find(root);
  if (std::string words = text(thought); !words.empty()) choice.turn.parts.push_back({chat::Thinking{std::move(words)}});
  const Value said = places.text.find(root);
  if (std::string words = text(said); !words.empty()) choice.turn.parts.push_back({chat::Text{std::move(words)}});
  const Value calls = places.tool_calls.itself() ? Value{} : places.tool_calls.find(root);
  std::size_t n = 0;
  for (Value call = calls.is(Type::kArray) ? calls.first() : Value{}; call; call = call.next(), ++n) {
    chat::ToolCall read = openai_parts::read_tool_call(call);
    if (read.id.empty()) read.id = CallIds::made_up(n);
    choice.turn.parts.push_back({std::move(read)});
  }
  if (!said.is(Type::kString) && n == 0) return no_answer(surface, "text", body);
  read_finish(places.finish.itself() ? Value{} : places.finish.find(root), spoken, n > 0, choice.finish, choice.native_finish);
  out.choices.push_back(std::move(choice));
  return out;
}

Result<chat::Message> read_vectors(const Value& list, std::string_view body, const Surface& surface, const Spoken& spoken, const Asked& asked) {
  chat::Message out;
  for (Value item = list.first(); item; item = item.next()) {
    const Value vector = spoken.answer.vector.find(item);
    chat::Embedding& one = out.embeddings.emplace_back();
    one.index = static_cast<std::uint32_t>(out.embeddings.size() - 1);
    if (vector.is(Type::kString)) {
      one.vector = text(vector);
      continue;
    }
    std::vector<double> numbers;
    if (!vector.is(Type::kArray)) return no_answer(surface, "vector", body);
    for (Value n = vector.first(); n; n = n.next()) {
      const auto number = n.number();
      if (!number) return no_answer(surface, "vector of numbers", body);
      numbers.push_back(*number);
    }
    one.vector = std::move(numbers);
  }
  const auto* input = asked.request == nullptr ? nullptr : std::get_if<chat::EmbeddingInput>(&asked.request->input);
  if (input != nullptr && input->inputs.size() != out.embeddings.size()) {
    return fail(Code::kUpstreamInvalidAnswer, "the upstream gave " + std::to_string(out.embeddings.size()) + " vectors for " +
                                                  std::to_string(input->inputs.size()) + " texts");
  }
  return out;
}

Result<chat::Message> read_ranking(const Value& list, std::string_view body, const Surface& surface, const Spoken& spoken, const Asked& asked) {
  const Places& places = spoken.answer;
  const auto* input = asked.request == nullptr ? nullptr : std::get_if<chat::RerankInput>(&asked.request->input);
  chat::Message out;
  std::uint32_t place = 0;
  for (Value item = list.first(); item; item = item.next(), ++place) {
    chat::RankedDocument& ranked = out.ranked.emplace_back();
    const auto score = places.score.find(item).number();
    if (!score) return no_answer(surface, "score", body);
    ranked.score = *score;
    ranked.index = place;
    if (!places.index.itself()) {
      const auto index = reading::count(places.index.find(item));
      if (!index || (input != nullptr && *index >= input->documents.size())) return no_answer(surface, "document's number", body);
      ranked.index = static_cast<std::uint32_t>(*index);
    }
    if (input != nullptr && input->return_documents == true && ranked.index < input->documents.size()) {
      ranked.document = input->documents[ranked.index];
    }
  }
  std::stable_sort(out.ranked.begin(), out.ranked.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
  if (input != nullptr && input->top_n && out.ranked.size() > *input->top_n) out.ranked.resize(*input->top_n);
  return out;
}

Result<chat::Message> read_judgement(const Value& list, std::string_view body, const Surface& surface, const Spoken& spoken) {
  const Places& places = spoken.answer;
  chat::Message out;
  chat::ModerationResult& result = out.moderations.emplace_back();
  for (Value item = list.first(); item; item = item.next()) {
    std::string category = text(places.category.find(item));
    const auto score = places.score.find(item).number();
    if (category.empty() || !score) return no_answer(surface, "category with its score", body);
    if (const auto word = spoken.words.find(category); word != spoken.words.end()) category = word->second;
    const double divided = *score / places.scale;
    const bool flagged = divided >= places.flagged_from;
    result.flagged = result.flagged || flagged;
    result.categories.emplace_back(category, flagged);
    result.scores.emplace_back(std::move(category), divided);
  }
  return out;
}

Result<chat::Message> read_body(const Value& root, std::string_view body, const Surface& surface, const Spoken& spoken, const Asked& asked) {
  if (asked.operation == Operation::kChat || asked.operation == Operation::kCompletions) return read_text(root, body, surface, spoken);
  const Value list = spoken.answer.list.find(root);
  if (!list.is(Type::kArray)) return no_answer(surface, "list", body);
  switch (asked.operation) {
    case Operation::kEmbeddings: return read_vectors(list, body, surface, spoken, asked);
    case Operation::kRerank: return read_ranking(list, body, surface, spoken, asked);
    default: return read_judgement(list, body, surface, spoken);
  }
}

}  // namespace

std::optional<Error> error_of(const Value& root, const Surface& surface) {
  if (surface.error_if.said()) {
    if (!surface.error_if.holds(root)) return std::nullopt;
  } else if (const Value error = reading::member(root, "error"); !error || error.boolean() == std::optional(false)) {
    return std::nullopt;
  }
  Error out = embedded_error(root);
  const Value said = surface.error_message.itself() ? Value{} : surface.error_message.find(root);
  if (std::string words = error_text(said); said && !words.empty()) out.message = std::move(words);
  return out;
}

void read_finish(const Value& value, const Spoken& spoken, bool calls, chat::FinishReason& reason, std::string& native) {
  native = text(value);
  reason = calls ? chat::FinishReason::kToolCalls : chat::FinishReason::kStop;
  if (native.empty()) return;
  const auto word = spoken.words.find(native);
  const chat::FinishReason read = openai_parts::finish_reason(word == spoken.words.end() ? std::string_view(native) : std::string_view(word->second));
  if (!calls || read != chat::FinishReason::kStop) reason = read;
  if (native == to_string(reason)) native.clear();
}

chat::Usage read_usage(const Value& root, const Places& places) {
  chat::Usage out;
  if (!places.input_tokens.itself()) out.input_tokens = reading::count(places.input_tokens.find(root));
  if (!places.output_tokens.itself()) out.output_tokens = reading::count(places.output_tokens.find(root));
  return out;
}

Result<chat::Message> decode_answer(std::string_view body, const Surface& surface, const Spoken& spoken, const Asked& asked) {
  const auto document = json::Document::parse(Body::copy(body));
  if (!document) {
    return fail(Code::kUpstreamInvalidAnswer, "the upstream's answer is no JSON; it begins with \"" + excerpt(body, 80) + "\"");
  }
  const Value root = document->root();
  if (auto error = error_of(root, surface)) return tl::unexpected(*std::move(error));
  auto out = read_body(root, body, surface, spoken, asked);
  if (!out) return out;
  const Places& places = spoken.answer;
  if (!places.id.itself()) out->id = text(places.id.find(root));
  if (!places.model.itself()) out->model = text(places.model.find(root));
  if (const chat::Usage usage = read_usage(root, places); !chat::empty(usage)) {
    out->usage = usage;
    if (asked.operation == Operation::kEmbeddings || asked.operation == Operation::kRerank) out->usage->total_tokens = usage.input_tokens;
  }
  return out;
}

}  // namespace sluice::dialect::rest_parts
