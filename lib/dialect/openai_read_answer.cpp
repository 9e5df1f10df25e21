// Whole answers of the OpenAI dialect into the canonical model. Lenient: an answer has been paid for, so what has an odd
// type is kept as it stood rather than refused; only what is no answer at all is an error.

#include <utility>

#include "dialect/excerpt.hpp"
#include "dialect/openai.hpp"
#include "dialect/openai_answer.hpp"
#include "dialect/openai_turn.hpp"
#include "dialect/reading.hpp"

namespace sluice::dialect::openai_parts {
namespace {

using json::Type;
using json::Value;
using reading::member;
using reading::text;

std::vector<chat::TokenLogprob> read_tokens(const Value& list) {
  std::vector<chat::TokenLogprob> out;
  if (!list.is(Type::kArray)) return out;
  for (Value item = list.first(); item; item = item.next()) {
    chat::TokenLogprob token;
    token.token = text(item, "token");
    if (const Value n = member(item, "logprob"); n.is(Type::kNumber)) token.logprob = n.number().value_or(0);
    if (const Value bytes = member(item, "bytes"); bytes.is(Type::kArray)) {
      token.bytes.emplace();
      for (Value byte = bytes.first(); byte; byte = byte.next()) {
        token.bytes->push_back(static_cast<std::uint8_t>(reading::integer(byte).value_or(0)));
      }
    }
    token.top = read_tokens(member(item, "top_logprobs"));
    out.push_back(std::move(token));
  }
  return out;
}

Result<chat::Choice> read_choice(const Value& value, std::size_t position, Operation operation) {
  chat::Choice choice;
  choice.index = index_of(value, position);
  std::string scratch;
  for (Value m = value.first(); m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    if (key == "index" || m.is(Type::kNull)) continue;
    if (key == "finish_reason") {
      read_finish(m, choice.finish, choice.native_finish);
    } else if (operation == Operation::kChat && key == "message" && m.is(Type::kObject)) {
      auto turn = read_turn(m, "choices[" + std::to_string(position) + "].message", Speaker::kAssistant);
      if (!turn) return tl::unexpected(make_error(Code::kUpstreamInvalidAnswer, "the upstream's answer is odd: " + turn.error().message));
      choice.turn = *std::move(turn);
    } else if (operation == Operation::kCompletions && key == "text" && m.is(Type::kString)) {
      choice.turn.form = chat::ContentForm::kText;
      choice.turn.parts.push_back({chat::Text{text(m)}});
    } else if (key == "logprobs") {
      if (operation == Operation::kChat) choice.logprobs = read_logprobs(m);
      choice.raw_logprobs = m.raw();
    } else {
      reading::keep(choice.extras, kName, key, m);
    }
  }
  return choice;
}

chat::Embedding read_embedding(const Value& value, std::size_t position) {
  chat::Embedding out;
  out.index = index_of(value, position);
  std::string scratch;
  for (Value m = value.first(); m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    if (key == "index" || key == "object" || m.is(Type::kNull)) continue;
    if (key == "embedding" && m.is(Type::kString)) {
      out.vector = text(m);
    } else if (key == "embedding" && m.is(Type::kArray) && !m.first().is(Type::kArray)) {
      auto& numbers = out.vector.emplace<std::vector<double>>();
      for (Value n = m.first(); n; n = n.next()) numbers.push_back(n.number().value_or(0));
    } else {
      reading::keep(out.extras, kName, key, m);
    }
  }
  return out;
}

chat::ModerationResult read_moderation(const Value& value) {
  chat::ModerationResult out;
  std::string scratch;
  for (Value m = value.first(); m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    if (key == "flagged") {
      out.flagged = m.boolean().value_or(false);
    } else if (key == "categories" && m.is(Type::kObject)) {
      std::string name;
      for (Value c = m.first(); c; c = c.next()) {
        if (const auto flag = c.boolean()) out.categories.emplace_back(std::string(c.key(name)), *flag);
      }
    } else if (key == "category_scores" && m.is(Type::kObject)) {
      std::string name;
      for (Value c = m.first(); c; c = c.next()) {
        if (const auto score = c.number()) out.scores.emplace_back(std::string(c.key(name)), *score);
      }
    } else {
      reading::keep(out.extras, kName, key, m);
    }
  }
  return out;
}

chat::ModelCard read_model(const Value& value) {
  chat::ModelCard out;
  std::string scratch;
  for (Value m = value.first(); m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    if (key == "object" || m.is(Type::kNull)) continue;
    if (key == "id" && m.is(Type::kString)) {
      out.id = text(m);
    } else if (key == "created" && m.is(Type::kNumber) && m.integer()) {
      out.created = m.integer();
    } else if (key == "owned_by" && m.is(Type::kString)) {
      out.owned_by = text(m);
    } else {
      reading::keep(out.extras, kName, key, m);
    }
  }
  return out;
}

/// The list an operation's answer is about.
std::string_view list_key(Operation operation) noexcept {
  switch (operation) {
    case Operation::kChat:
    case Operation::kCompletions: return "choices";
    case Operation::kModerations: return "results";
    default: return "data";
  }
}

Status read_list(const Value& list, Operation operation, chat::Message& out) {
  std::size_t i = 0;
  for (Value item = list.first(); item; item = item.next(), ++i) {
    if (!item.is(Type::kObject)) continue;
    switch (operation) {
      case Operation::kChat:
      case Operation::kCompletions: {
        auto choice = read_choice(item, i, operation);
        if (!choice) return tl::unexpected(choice.error());
        out.choices.push_back(*std::move(choice));
        break;
      }
      case Operation::kEmbeddings: out.embeddings.push_back(read_embedding(item, i)); break;
      case Operation::kModerations: out.moderations.push_back(read_moderation(item)); break;
      default: out.models.push_back(read_model(item)); break;
    }
  }
  return {};
}

}  // namespace

std::uint32_t index_of(const Value& item, std::size_t position) {
  const auto index = reading::integer(member(item, "index"));
  return static_cast<std::uint32_t>(index && *index >= 0 && *index <= 0xffff ? *index : static_cast<std::int64_t>(position));
}

std::optional<chat::Logprobs> read_logprobs(const Value& logprobs) {
  if (!member(logprobs, "content").is(Type::kArray) && !member(logprobs, "refusal").is(Type::kArray)) return std::nullopt;
  return chat::Logprobs{read_tokens(member(logprobs, "content")), read_tokens(member(logprobs, "refusal"))};
}

void read_finish(const Value& value, chat::FinishReason& reason, std::string& native) {
  const std::string word = text(value);
  if (word.empty()) return;
  reason = finish_reason(word);
  native = word == to_string(reason) ? std::string() : word;
}

Result<chat::Message> decode_answer(std::string_view body, Operation operation) {
  const auto document = json::Document::parse(Body::copy(body));
  if (!document) {
    return fail(Code::kUpstreamInvalidAnswer, "the upstream's answer is no JSON (" + document.error().message + "); it begins with \"" +
                excerpt(body, 80) + "\"");
  }
  const Value root = document->root();
  chat::Message out;
  if (operation == Operation::kGetModel && root.is(Type::kObject) && !member(root, "error")) {
    out.models.push_back(read_model(root));
    return out;
  }
  // Together lists its models without a shell.
  if (root.is(Type::kArray) && operation == Operation::kListModels) {
    if (auto status = read_list(root, operation, out); !status) return tl::unexpected(status.error());
    return out;
  }
  const Value list = member(root, list_key(operation));
  if (!list.is(Type::kArray)) {
    // OpenRouter reports a provider's error in a 200.
    if (member(root, "error")) return tl::unexpected(embedded_error(root));
    return fail(Code::kUpstreamInvalidAnswer, "the upstream's answer has no list '" + std::string(list_key(operation)) +
                "'; it begins with \"" + excerpt(body, 80) + "\"");
  }
  if (auto status = read_list(list, operation, out); !status) return tl::unexpected(status.error());
  std::string scratch;
  for (Value m = root.first(); m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    if (key == list_key(operation) || key == "object" || m.is(Type::kNull)) continue;
    if (key == "id" && m.is(Type::kString)) {
      out.id = text(m);
    } else if (key == "model" && m.is(Type::kString)) {
      out.model = text(m);
    } else if (key == "created" && m.is(Type::kNumber) && m.integer()) {
      out.created = m.integer();
    } else if (key == "usage" && m.is(Type::kObject)) {
      out.usage = read_usage(m);
      out.raw_usage = m.raw();
    } else {
      reading::keep(out.extras, kName, key, m);
    }
  }
  return out;
}

}  // namespace sluice::dialect::openai_parts
