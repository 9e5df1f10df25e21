// A request of the Cohere dialect into the canonical model. Every root member is either understood or kept as it stood; null
// says the same as nothing. A member of the wrong type is refused by name.

#include <utility>

#include "dialect/cohere.hpp"
#include "dialect/cohere_turn.hpp"
#include "dialect/function_tool.hpp"
#include "dialect/reading.hpp"

namespace sluice::dialect::cohere_parts {
namespace {

using json::Type;
using json::Value;
using reading::member;
using reading::text;
using reading::wrong;

/// What it costs to leave a member out. What is to be read, and in which form the answer is wanted, cannot be; the rest are
/// settings of Cohere's own.
chat::LossSeverity weight_of(std::string_view key, const Value& value) {
  const bool read = key == "documents" || key == "images" || key == "inputs" || key == "embedding_types";
  return read && value.first() ? chat::LossSeverity::kSemantic : chat::LossSeverity::kCosmetic;
}

class RequestReader {
 public:
  explicit RequestReader(Operation operation) { request_.operation = operation; }

  Result<chat::Request> run(const Value& root) {
    switch (request_.operation) {
      case Operation::kChat: request_.input = chat::ChatInput{}; break;
      case Operation::kEmbeddings: request_.input = chat::EmbeddingInput{}; break;
      case Operation::kRerank: request_.input = chat::RerankInput{}; break;
      default: return fail(Code::kInvalidRequest, "the cohere dialect has no such request");
    }
    if (!root.is(Type::kObject)) return fail(Code::kInvalidRequest, "the body must be a JSON object");
    std::string scratch;
    for (Value m = root.first(); m; m = m.next()) {
      const std::string_view key = m.key(scratch);
      if (m.is(Type::kNull)) continue;
      auto known = read_member(key, m);
      if (!known) return tl::unexpected(known.error());
      if (!*known) reading::keep(request_.extras, kName, key, m, weight_of(key, m));
    }
    return std::move(request_);
  }

 private:
  /// True: understood. False: nobody's but this dialect's.
  Result<bool> read_member(std::string_view key, const Value& m) {
    if (key == "model") return done(reading::read(m, key, request_.model));
    switch (request_.operation) {
      case Operation::kChat: {
        auto known = chat_member(key, m, std::get<chat::ChatInput>(request_.input));
        return known && !*known ? sampling_member(key, m) : known;
      }
      case Operation::kEmbeddings: return embedding_member(key, m, std::get<chat::EmbeddingInput>(request_.input));
      default: return rerank_member(key, m, std::get<chat::RerankInput>(request_.input));
    }
  }

  Result<bool> sampling_member(std::string_view key, const Value& m) {
    chat::Sampling& s = request_.sampling;
    if (key == "stream") {
      auto status = reading::read(m, key, request_.stream_said);
      request_.stream = request_.stream_said.value_or(false);
      return done(status);
    }
    if (key == "max_tokens") return done(reading::read(m, key, s.max_output_tokens));
    if (key == "temperature") return done(reading::read(m, key, s.temperature));
    if (key == "p") return done(reading::read(m, key, s.top_p));
    if (key == "k") return done(reading::read(m, key, s.top_k));
    if (key == "frequency_penalty") return done(reading::read(m, key, s.frequency_penalty));
    if (key == "presence_penalty") return done(reading::read(m, key, s.presence_penalty));
    if (key == "seed") return done(reading::read(m, key, s.seed));
    if (key == "logprobs") return done(reading::read(m, key, s.logprobs));
    if (key == "stop_sequences") {
      auto& stop = s.stop.emplace();
      if (!m.is(Type::kArray)) return wrong(key, "a list of strings");
      for (Value item = m.first(); item; item = item.next()) {
        if (!item.is(Type::kString)) return wrong(key, "a list of strings");
        stop.push_back(text(item));
      }
      return true;
    }
    return false;
  }

  Result<bool> chat_member(std::string_view key, const Value& m, chat::ChatInput& chat) {
    if (key == "messages") {
      if (!m.is(Type::kArray)) return wrong(key, "a list of messages");
      std::size_t i = 0;
      for (Value message = m.first(); message; message = message.next(), ++i) {
        auto turn = read_turn(message, "messages[" + std::to_string(i) + "]");
        if (!turn) return tl::unexpected(turn.error());
        chat.turns.push_back(*std::move(turn));
      }
      return true;
    }
    if (key == "tools") {
      if (!m.is(Type::kArray)) return wrong(key, "a list of tools");
      for (Value tool = m.first(); tool; tool = tool.next()) chat.tools.push_back(read_function_tool(tool, kName));
      return static_cast<bool>(m.first());
    }
    if (key == "tool_choice") {
      if (!m.is(Type::kString) || (!m.equals("REQUIRED") && !m.equals("NONE"))) return wrong(key, "REQUIRED or NONE");
      chat.tool_choice.emplace().kind = m.equals("REQUIRED") ? chat::ToolChoice::Kind::kRequired : chat::ToolChoice::Kind::kNone;
      return true;
    }
    if (key == "response_format") return response_format(m, chat);
    if (key == "thinking") return thinking(m, chat);
    return false;
  }

  static Result<bool> response_format(const Value& m, chat::ChatInput& chat) {
    using Kind = chat::ResponseFormat::Kind;
    if (!m.is(Type::kObject)) return wrong("response_format", "an object with a type");
    chat::ResponseFormat format;
    const std::string type = text(m, "type");
    const Value schema = member(m, "json_schema"), older = member(m, "schema");
    if (type == "text" && m.size() == 1) {
      format.kind = Kind::kText;
    } else if (type == "json_object" && !schema && !older && m.size() == 1) {
      format.kind = Kind::kJsonObject;
    } else if (type == "json_object" && m.size() == 2 && (schema ? schema : older).is(Type::kObject)) {
      format.kind = Kind::kJsonSchema;
      format.schema = (schema ? schema : older).raw();
      if (older) reading::keep(format.extras, kName, "", m);
    } else {
      format.kind = Kind::kOther;
      reading::keep(format.extras, kName, "", m);
    }
    chat.response_format = std::move(format);
    return true;
  }

  /// `{"type":"enabled","token_budget":2048}`; with more in it, it is kept as it stands beside what is understood.
  static Result<bool> thinking(const Value& m, chat::ChatInput& chat) {
    const Value type = member(m, "type"), budget = member(m, "token_budget");
    if (!m.is(Type::kObject) || !type.is(Type::kString)) return wrong("thinking", "an object with a type");
    chat.reasoning.emplace();
    chat.reasoning->enabled = !type.equals("disabled");
    chat.reasoning->budget_tokens = reading::integer(budget);
    return m.size() == (chat.reasoning->budget_tokens ? 2u : 1u);
  }

  Result<bool> embedding_member(std::string_view key, const Value& m, chat::EmbeddingInput& embedding) {
    if (key == "texts" && m.is(Type::kArray)) {
      for (Value item = m.first(); item; item = item.next()) {
        if (!item.is(Type::kString)) return wrong(key, "a list of strings");
        embedding.inputs.emplace_back(text(item));
      }
      return true;
    }
    if (key == "embedding_types" && m.is(Type::kArray) && m.size() == 1) {
      const std::string only = text(m.first());
      if (only != "float" && only != "base64") return false;
      embedding.encoding = only;
      return true;
    }
    if (key == "output_dimension") return done(reading::read(m, key, embedding.dimensions));
    if (key == "input_type" && m.is(Type::kString)) {
      const std::string type = text(m);
      embedding.input_type = type == "search_document" ? "document" : type == "search_query" ? "query" : type;
      return true;
    }
    return false;
  }

  static Result<bool> rerank_member(std::string_view key, const Value& m, chat::RerankInput& rerank) {
    if (key == "query") return done(reading::read(m, key, rerank.query));
    if (key == "documents") {
      if (!m.is(Type::kArray)) return wrong(key, "a list of texts");
      for (Value item = m.first(); item; item = item.next()) rerank.documents.emplace_back(item.raw());
      return true;
    }
    if (key == "top_n") return done(reading::read(m, key, rerank.top_n));
    if (key == "return_documents") return done(reading::read(m, key, rerank.return_documents));
    if (key == "max_tokens_per_doc") return done(reading::read(m, key, rerank.max_tokens_per_document));
    return false;
  }

  static Result<bool> done(const Status& status) {
    if (!status) return tl::unexpected(status.error());
    return true;
  }

  chat::Request request_;
};

}  // namespace

Result<chat::Request> decode_request(const json::Document& document, Operation operation) {
  return RequestReader(operation).run(document.root());
}

}  // namespace sluice::dialect::cohere_parts
