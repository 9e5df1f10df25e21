// Whole answers of the Gemini dialect into the canonical model. Lenient: an answer has been paid for, so what has an odd type
// is kept as it stood rather than refused; only what is no answer at all is an error.

#include <algorithm>
#include <utility>

#include "dialect/excerpt.hpp"
#include "dialect/gemini.hpp"
#include "dialect/gemini_answer.hpp"
#include "dialect/gemini_calls.hpp"
#include "dialect/gemini_keys.hpp"
#include "dialect/gemini_turn.hpp"
#include "dialect/reading.hpp"

namespace sluice::dialect::gemini_parts {
namespace {

using json::Type;
using json::Value;

chat::Choice read_candidate(const Value& candidate, std::size_t position, std::string_view response_id) {
  chat::Choice choice;
  choice.index = index_of(candidate, position);
  const Value content = member(candidate, "content"), parts = member(content, "parts");
  // A content without parts, and none at all: filters leave either.
  if (!parts) choice.turn.form = content ? chat::ContentForm::kAbsent : chat::ContentForm::kNull;
  if (const Value role = member(content, "role"); role && reading::text(role) != "model") reading::keep(choice.turn.extras, kName, "role", role);
  if (content && !has(content, "role")) choice.turn.extras.push_back({std::string(kName), "role", {}});
  std::size_t calls = 0;
  for (Value part = parts.is(Type::kArray) ? parts.first() : Value{}; part; part = part.next()) {
    choice.turn.parts.push_back(read_part(part));
    auto* call = choice.turn.parts.back().as<chat::ToolCall>();
    if (call == nullptr) continue;
    if (call->id.empty()) call->id = made_id(response_id, choice.index, calls);
    ++calls;
  }
  choice.finish = finish_reason(finish_word_of(member(candidate, "finishReason")), calls != 0, choice.native_finish);
  std::string scratch;
  for (Value m = candidate.first(); m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    if (m.is(Type::kNull) || is_candidate_member(key)) continue;
    reading::keep(choice.extras, kName, key, m);
    if (is_key(key, "logprobsResult")) choice.logprobs = read_logprobs(m);
    if (!is_key(key, "groundingMetadata")) continue;
    auto citations = read_grounding(m, choice.turn.text());
    const auto said = std::find_if(choice.turn.parts.begin(), choice.turn.parts.end(),
                                   [](const chat::Part& p) { return p.as<chat::Text>() != nullptr; });
    if (said != choice.turn.parts.end()) said->as<chat::Text>()->citations = std::move(citations);
  }
  return choice;
}

void read_chat(const Value& root, chat::Message& out) {
  out.id = text(root, "responseId");
  out.model = text(root, "modelVersion");
  const Value candidates = member(root, "candidates");
  std::size_t position = 0;
  for (Value item = candidates.is(Type::kArray) ? candidates.first() : Value{}; item; item = item.next(), ++position) {
    if (item.is(Type::kObject)) out.choices.push_back(read_candidate(item, position, out.id));
  }
  if (out.choices.empty()) {
    if (const std::string reason = block_reason(root); !reason.empty()) {
      chat::Choice blocked;
      blocked.finish = chat::FinishReason::kContentFilter;
      blocked.native_finish = reason;
      out.choices.push_back(std::move(blocked));
    }
  }
  if (const Value usage = member(root, "usageMetadata"); usage.is(Type::kObject)) {
    if (const chat::Usage counts = read_usage(usage); !chat::empty(counts)) out.usage = counts;
  }
  // The usage stays as it stood, too: it says more (per modality) than the model holds.
  keep_others(out.extras, root, {"responseId", "modelVersion", "candidates"});
}

/// `values` of an embedding, and what else it says.
chat::Embedding read_vector(const Value& value, std::size_t position, std::initializer_list<std::string_view> known) {
  chat::Embedding out;
  out.index = static_cast<std::uint32_t>(position);
  auto& numbers = out.vector.emplace<std::vector<double>>();
  const Value values = member(value, "values");
  for (Value n = values.is(Type::kArray) ? values.first() : Value{}; n; n = n.next()) numbers.push_back(n.number().value_or(0));
  keep_others(out.extras, value, known);
  return out;
}

void read_embeddings(const Value& root, chat::Message& out) {
  std::size_t position = 0;
  if (const Value one = member(root, "embedding"); one.is(Type::kObject)) out.embeddings.push_back(read_vector(one, 0, {"values"}));
  const Value list = member(root, "embeddings");
  for (Value item = list.is(Type::kArray) ? list.first() : Value{}; item; item = item.next()) {
    out.embeddings.push_back(read_vector(item, position++, {"values"}));
  }
  // Vertex AI's `:predict`: an object each, with its tokens.
  std::uint64_t tokens = 0;
  bool counted = false;
  const Value predictions = member(root, "predictions");
  for (Value item = predictions.is(Type::kArray) ? predictions.first() : Value{}; item; item = item.next()) {
    const Value vector = member(item, "embeddings");
    out.embeddings.push_back(read_vector(vector, position++, {"values", "statistics"}));
    // Counts were seen as 5 and as 5.0.
    const Value count = member(member(vector, "statistics"), "tokenCount");
    if (const auto n = count.is(Type::kNumber) ? count.number() : std::nullopt; n && *n >= 0 && *n < 1e15) {
      tokens += static_cast<std::uint64_t>(*n);
      counted = true;
    }
  }
  if (const Value usage = member(root, "usageMetadata"); usage.is(Type::kObject)) {
    out.usage = read_usage(usage);
    out.usage->output_tokens.reset();  // vectors have none, not even 0
  }
  if (counted) {
    out.usage.emplace();
    out.usage->input_tokens = tokens;
  }
  keep_others(out.extras, root, {"embedding", "embeddings", "predictions", "metadata"});
}

chat::ModelCard read_model(const Value& value) {
  chat::ModelCard out;
  const std::string name = text(value, "name");
  // Vertex AI's are `publishers/google/models/x`.
  constexpr std::string_view kCollection = "models/";
  const std::size_t at = name.rfind(kCollection);
  out.id = at == std::string::npos ? name : name.substr(at + kCollection.size());
  keep_others(out.extras, value, {"name"});
  if (at != std::string::npos && at != 0) out.extras.push_back({std::string(kName), "name", json::quoted(name)});
  return out;
}

/// The list, or the value, an answer is about.
std::vector<std::string_view> bodies_of(Operation operation) {
  switch (operation) {
    case Operation::kChat: return {"candidates", "promptFeedback", "usageMetadata"};
    case Operation::kCountTokens: return {"totalTokens"};
    case Operation::kEmbeddings: return {"embedding", "embeddings", "predictions"};
    case Operation::kListModels: return {"models", "publisherModels"};
    default: return {"name"};
  }
}

}  // namespace

Result<chat::Message> decode_answer(std::string_view body, Operation operation) {
  const auto document = json::Document::parse(Body::copy(body));
  if (!document) {
    return fail(Code::kUpstreamInvalidAnswer, "the upstream's answer is no JSON (" + document.error().message + "); it begins with \"" +
                excerpt(body, 80) + "\"");
  }
  const Value root = document->root();
  const auto keys = bodies_of(operation);
  if (std::none_of(keys.begin(), keys.end(), [&](std::string_view key) { return has(root, key); })) {
    if (has(root, "error")) return tl::unexpected(embedded_error(root));
    // A page without models says nothing at all.
    if (operation != Operation::kListModels || !root.is(Type::kObject) || root.first()) {
      return fail(Code::kUpstreamInvalidAnswer, "the upstream's answer has no '" + std::string(keys.front()) + "'; it begins with \"" +
                  excerpt(body, 80) + "\"");
    }
  }
  chat::Message out;
  switch (operation) {
    case Operation::kChat: read_chat(root, out); break;
    case Operation::kEmbeddings: read_embeddings(root, out); break;
    case Operation::kCountTokens: {
      const auto total = reading::integer(member(root, "totalTokens"));
      if (total && *total >= 0) out.usage.emplace().input_tokens = static_cast<std::uint64_t>(*total);
      keep_others(out.extras, root, {"totalTokens"});
      break;
    }
    case Operation::kListModels: {
      for (const std::string_view key : keys) {
        const Value list = member(root, key);
        for (Value item = list.is(Type::kArray) ? list.first() : Value{}; item; item = item.next()) out.models.push_back(read_model(item));
      }
      keep_others(out.extras, root, {"models", "publisherModels"});
      break;
    }
    default: out.models.push_back(read_model(root)); break;
  }
  return out;
}

}  // namespace sluice::dialect::gemini_parts
