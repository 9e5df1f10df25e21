// Requests to rank and to embed: seen by policy, read, and written.

#include <array>

#include "dialect/ranker.hpp"
#include "dialect/reading.hpp"
#include "dialect/request_walk.hpp"
#include "dialect/writing.hpp"

namespace sluice::dialect::ranker_parts {
namespace {

using chat::LossSeverity;
using json::Type;
using json::Value;
using reading::read;
using reading::text;
using reading::wrong;
using writing::put;

constexpr std::string_view kFloat = "float", kBase64 = "base64";

class RequestReader {
 public:
  RequestReader(Operation operation, const Words& words) : words_(words) { request_.operation = operation; }

  Result<chat::Request> run(const Value& root) {
    switch (request_.operation) {
      case Operation::kEmbeddings: request_.input = chat::EmbeddingInput{}; break;
      case Operation::kRerank: request_.input = chat::RerankInput{}; break;
      default: return fail(Code::kInvalidRequest, "the " + std::string(words_.name) + " dialect has no such request");
    }
    if (!root.is(Type::kObject)) return fail(Code::kInvalidRequest, "the body must be a JSON object");
    std::string scratch;
    for (Value m = root.first(); m; m = m.next()) {
      const std::string_view key = m.key(scratch);
      if (m.is(Type::kNull)) continue;
      auto known = read_member(key, m);
      if (!known) return tl::unexpected(known.error());
      // What is read, and the form of the vectors, cannot be left out; the rest are settings of the server's own.
      const bool must = key == "input" || key == words_.encoding || (key == "output_dtype" && !m.equals(kFloat));
      if (!*known) reading::keep(request_.extras, words_.name, key, m, must ? LossSeverity::kSemantic : LossSeverity::kCosmetic);
    }
    return std::move(request_);
  }

 private:
  /// True: understood. False: nobody's but this dialect's.
  Result<bool> read_member(std::string_view key, const Value& m) {
    if (key == "model") return done(read(m, key, request_.model));
    if (auto* embedding = std::get_if<chat::EmbeddingInput>(&request_.input)) return embedding_member(key, m, *embedding);
    chat::RerankInput& rerank = std::get<chat::RerankInput>(request_.input);
    if (key == "query" && m.is(Type::kString)) return done(read(m, key, rerank.query));
    if (key == "documents") {
      if (!m.is(Type::kArray)) return wrong(key, "a list of texts");
      for (Value item = m.first(); item; item = item.next()) rerank.documents.emplace_back(item.raw());
      return true;
    }
    if (key == words_.top_n) return done(read(m, key, rerank.top_n));
    if (key == "return_documents") return done(read(m, key, rerank.return_documents));
    if (key == words_.truncation) return done(read(m, key, rerank.truncate));
    return false;
  }

  Result<bool> embedding_member(std::string_view key, const Value& m, chat::EmbeddingInput& embedding) {
    if (key == "input") {
      if (m.is(Type::kArray) && m.first().is(Type::kObject)) return false;  // images, which these servers alone embed
      embedding.single = m.is(Type::kString);
      if (embedding.single) embedding.inputs.emplace_back(text(m));
      if (!embedding.single && !m.is(Type::kArray)) return wrong(key, "a string or a list of strings");
      for (Value item = embedding.single ? Value{} : m.first(); item; item = item.next()) {
        if (!item.is(Type::kString)) return wrong(key, "a string or a list of strings");
        embedding.inputs.emplace_back(text(item));
      }
      return true;
    }
    if (key == words_.dimensions) return done(read(m, key, embedding.dimensions));
    if (key == words_.encoding && m.is(Type::kString) && (m.equals(kFloat) || m.equals(kBase64))) {
      embedding.encoding = text(m);
      return true;
    }
    if (key == words_.purpose && m.is(Type::kString)) {
      embedding.input_type = m.equals(words_.query) ? "query" : m.equals(words_.document) ? "document" : text(m);
      return true;
    }
    return false;
  }

  static Result<bool> done(const Status& status) {
    if (!status) return tl::unexpected(status.error());
    return true;
  }

  const Words& words_;
  chat::Request request_;
};

void write_embedding(json::Writer& writer, const chat::EmbeddingInput& embedding, const Words& words, chat::LossReport& loss) {
  if (!embedding.inputs.empty()) {
    writer.key("input");
    if (!embedding.single) writer.begin_array();
    for (const chat::Prompt& prompt : embedding.inputs) {
      const auto* said = std::get_if<std::string>(&prompt);
      if (said == nullptr) loss.add("input", std::string(words.name) + " takes texts, not token ids", LossSeverity::kSemantic);
      writer.string(said == nullptr ? std::string_view() : std::string_view(*said));
    }
    if (!embedding.single) writer.end_array();
  }
  const std::string& type = embedding.input_type;
  if (!type.empty()) writer.field(words.purpose, type == "query" ? words.query : type == "document" ? words.document : std::string_view(type));
  put(writer, words.dimensions, embedding.dimensions);
  // Numbers are what comes where nobody says otherwise; Voyage has no word for them.
  if (embedding.encoding == kBase64 || (!embedding.encoding.empty() && !words.text_documents)) writer.field(words.encoding, embedding.encoding);
}

void write_document(json::Writer& writer, const std::string& document, const Words& words, chat::LossReport& loss) {
  const auto parsed = json::Document::parse(Body::copy(document));
  const Value object = parsed ? parsed->root() : Value{};
  if (!words.text_documents || !object.is(Type::kObject)) {
    writer.raw(document);
    return;
  }
  const std::string said = text(object, "text");
  writer.string(said.empty() ? std::string_view(document) : std::string_view(said));
  loss.add("documents", std::string(words.name) + " ranks texts: the text of each object was sent", LossSeverity::kNote);
}

void write_rerank(json::Writer& writer, const chat::RerankInput& rerank, const Words& words, chat::LossReport& loss) {
  put(writer, "query", rerank.query);
  writer.key("documents").begin_array();
  for (const std::string& document : rerank.documents) write_document(writer, document, words, loss);
  writer.end_array();
  put(writer, words.top_n, rerank.top_n);
  put(writer, "return_documents", rerank.return_documents);
  put(writer, words.truncation, rerank.truncate);
  if (rerank.max_tokens_per_document) {
    loss.add("max_tokens_per_doc", std::string(words.name) + " has no such bound", LossSeverity::kCosmetic);
  }
}

}  // namespace

Status inspect(const json::Document& document, Operation operation, std::uint32_t wants, chat::RequestView& view, const Words& words) {
  RequestWalk walk(operation, wants, view);
  if (operation == Operation::kOpaque) return {};
  const std::array<std::string_view, 4> names{"input", "query", "documents", words.dimensions};
  std::array<Value, 4> found;
  if (auto status = walk.root(document, names, found); !status) return status;
  std::optional<std::uint64_t> dimensions;
  if (auto status = RequestWalk::count(found[3], words.dimensions, dimensions); !status) return status;
  view.shape.dimensions = dimensions.value_or(0);
  if (!walk.wants_texts()) return {};
  const std::size_t first = operation == Operation::kRerank ? 1 : 0, behind = operation == Operation::kRerank ? 3 : 1;
  for (std::size_t i = first; i < behind; ++i) {
    const Value& list = found[i];
    for (Value item = list.is(Type::kArray) ? list.first() : list; item; item = list.is(Type::kArray) ? item.next() : Value{}) {
      if (item.is(Type::kString)) {
        walk.input(item);
      } else {
        ++view.shape.inputs;
        walk.texts_within(chat::Role::kUser, item);
      }
    }
  }
  for (chat::PromptText& said : view.prompt) said.last_user = true;
  return {};
}

Result<chat::Request> decode_request(const json::Document& document, Operation operation, const Words& words) {
  return RequestReader(operation, words).run(document.root());
}

std::string encode_request(const chat::Request& request, const Words& words, chat::LossReport& loss) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  put(writer, "model", request.model);
  if (const auto* embedding = std::get_if<chat::EmbeddingInput>(&request.input)) {
    write_embedding(writer, *embedding, words, loss);
  } else if (const auto* rerank = std::get_if<chat::RerankInput>(&request.input)) {
    write_rerank(writer, *rerank, words, loss);
  } else {
    loss.add("", std::string(words.name) + " has no " + std::string(chat::to_string(request.operation)), LossSeverity::kSemantic);
  }
  if (!request.user.empty()) loss.add("user", std::string(words.name) + " is not told of users", LossSeverity::kCosmetic);
  writing::put_extras(writer, request.extras, words.name, "", loss);
  writer.end_object();
  return out;
}

}  // namespace sluice::dialect::ranker_parts
