// Whole answers of the Cohere dialect into the canonical model.

#include <utility>

#include "dialect/cohere.hpp"
#include "dialect/cohere_turn.hpp"
#include "dialect/excerpt.hpp"
#include "dialect/provider_words.hpp"
#include "dialect/reading.hpp"

namespace sluice::dialect::cohere_parts {
namespace {

using json::Type;
using json::Value;
using reading::member;
using reading::text;

/// What an answer that is none of its operation's is: an error that calls itself a success, or nothing anybody knows.
tl::unexpected<Error> no_answer(const Value& root, std::string_view missing, std::string_view body) {
  if (member(root, "message").is(Type::kString) || member(root, "error")) return tl::unexpected(embedded_error(root));
  return fail(Code::kUpstreamInvalidAnswer, "the upstream's answer has no '" + std::string(missing) + "'; it begins with \"" +
              excerpt(body, 80) + "\"");
}

/// `[{"text","token_ids","logprobs"}]`: token by token where each run is one token, else nothing that others could be told.
std::optional<chat::Logprobs> read_logprobs(const Value& list) {
  chat::Logprobs out;
  for (Value run = list.is(Type::kArray) ? list.first() : Value{}; run; run = run.next()) {
    const Value probabilities = member(run, "logprobs");
    const auto n = probabilities.is(Type::kArray) && probabilities.size() == 1 ? probabilities.first().number() : std::nullopt;
    if (!n) return std::nullopt;
    out.content.push_back({text(run, "text"), *n});
  }
  if (out.content.empty()) return std::nullopt;
  return out;
}

Result<chat::Message> read_chat(const Value& root, std::string_view body) {
  const Value message = member(root, "message");
  const std::string reason = text(root, "finish_reason");
  if (is_failure(reason)) return tl::unexpected(failure_of(root, reason));
  if (!message.is(Type::kObject)) return no_answer(root, "message", body);
  auto turn = read_turn(message, "message", Speaker::kAssistant);
  if (!turn) return fail(Code::kUpstreamInvalidAnswer, "the upstream's answer cannot be read: " + turn.error().message);
  for (chat::Part& part : turn->parts) {
    auto* call = part.as<chat::ToolCall>();
    if (call != nullptr && is_no_arguments(call->arguments)) call->arguments = "{}";
  }
  chat::Message out;
  chat::Choice choice;
  choice.turn = *std::move(turn);
  choice.finish = finish_reason(reason);
  choice.native_finish = reason;
  std::string scratch;
  for (Value m = root.first(); m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    if (key == "message" || key == "finish_reason" || m.is(Type::kNull)) continue;
    if (key == "id" && m.is(Type::kString)) {
      out.id = text(m);
    } else if (key == "usage" && m.is(Type::kObject)) {
      out.usage = read_usage(m);
      out.raw_usage = m.raw();
    } else if (key == "logprobs") {
      choice.logprobs = read_logprobs(m);
      reading::keep(choice.extras, kName, key, m);
    } else {
      reading::keep(out.extras, kName, key, m);
    }
  }
  out.choices.push_back(std::move(choice));
  return out;
}

/// The vectors of one type, in order: numbers, or base64.
bool read_vectors(const Value& list, std::vector<chat::Embedding>& out) {
  for (Value item = list.first(); item; item = item.next()) {
    chat::Embedding embedding;
    embedding.index = static_cast<std::uint32_t>(out.size());
    if (item.is(Type::kString)) {
      embedding.vector = text(item);
    } else if (item.is(Type::kArray)) {
      std::vector<double> numbers;
      for (Value n = item.first(); n; n = n.next()) {
        const auto number = n.number();
        if (!number) return false;
        numbers.push_back(*number);
      }
      embedding.vector = std::move(numbers);
    } else {
      return false;
    }
    out.push_back(std::move(embedding));
  }
  return true;
}

void read_meta(const Value& meta, chat::Message& out) {
  const chat::Usage usage = read_usage(meta);
  if (!chat::empty(usage)) {
    out.usage = usage;
    // An embedding writes nothing: what it read is all there is.
    if (!out.usage->output_tokens) out.usage->total_tokens = out.usage->input_tokens;
  }
}

Result<chat::Message> read_embeddings(const Value& root, std::string_view body) {
  const Value embeddings = member(root, "embeddings");
  chat::Message out;
  bool read = embeddings.is(Type::kArray) && read_vectors(embeddings, out.embeddings);
  // Those that others have, too, before the ones that are Cohere's own.
  for (const std::string_view type : {"float", "base64", "int8", "uint8", "binary", "ubinary"}) {
    if (read) break;
    out.embeddings.clear();
    const Value list = member(embeddings, type);
    read = list.is(Type::kArray) && list.first() && read_vectors(list, out.embeddings);
  }
  if (!read) return no_answer(root, "embeddings", body);
  std::string scratch;
  for (Value m = root.first(); m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    if (m.is(Type::kNull)) continue;
    if (key == "id" && m.is(Type::kString)) {
      out.id = text(m);
    } else if (key == "embeddings") {
      const bool plain = m.is(Type::kObject) && m.size() == 1 && (member(m, "float") || member(m, "base64"));
      if (!plain) reading::keep(out.extras, kName, key, m);
    } else {
      if (key == "meta") read_meta(m, out);
      reading::keep(out.extras, kName, key, m);
    }
  }
  return out;
}

Result<chat::Message> read_ranking(const Value& root, std::string_view body, const Asked& asked) {
  const Value results = member(root, "results");
  if (!results.is(Type::kArray)) return no_answer(root, "results", body);
  const auto* input = asked.request == nullptr ? nullptr : std::get_if<chat::RerankInput>(&asked.request->input);
  chat::Message out;
  std::string scratch;
  for (Value item = results.first(); item; item = item.next()) {
    if (!item.is(Type::kObject)) continue;
    chat::RankedDocument ranked;
    for (Value m = item.first(); m; m = m.next()) {
      const std::string_view key = m.key(scratch);
      if (key == "index" && reading::integer(m).value_or(-1) >= 0) {
        ranked.index = static_cast<std::uint32_t>(*reading::integer(m));
      } else if (key == "relevance_score" && m.number()) {
        ranked.score = *m.number();
      } else if (key == "document") {
        ranked.document = m.raw();
      } else {
        reading::keep(ranked.extras, kName, key, m);
      }
    }
    // Cohere names places; who asked for the documents themselves gets them out of the request.
    if (ranked.document.empty() && input != nullptr && input->return_documents == true && ranked.index < input->documents.size()) {
      ranked.document = input->documents[ranked.index];
    }
    out.ranked.push_back(std::move(ranked));
  }
  for (Value m = root.first(); m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    if (key == "results" || m.is(Type::kNull)) continue;
    if (key == "id" && m.is(Type::kString)) {
      out.id = text(m);
    } else {
      if (key == "meta") read_meta(m, out);
      reading::keep(out.extras, kName, key, m);
    }
  }
  return out;
}

}  // namespace

Result<chat::Message> decode_answer(std::string_view body, const Asked& asked) {
  const auto document = json::Document::parse(Body::copy(body));
  if (!document) {
    return fail(Code::kUpstreamInvalidAnswer, "the upstream's answer is no JSON (" + document.error().message + "); it begins with \"" +
                excerpt(body, 80) + "\"");
  }
  const Value root = document->root();
  switch (asked.operation) {
    case Operation::kEmbeddings: return read_embeddings(root, body);
    case Operation::kRerank: return read_ranking(root, body, asked);
    default: return read_chat(root, body);
  }
}

}  // namespace sluice::dialect::cohere_parts
