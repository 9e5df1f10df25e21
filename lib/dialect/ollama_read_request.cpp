// Requests of Ollama's dialect into the canonical model. Every member of the root and of `options` is either understood or kept
// as it stood; null says the same as nothing. A member of the wrong type is refused by name.

#include <utility>

#include "dialect/function_tool.hpp"
#include "dialect/ollama.hpp"
#include "dialect/ollama_turn.hpp"
#include "dialect/reading.hpp"

namespace sluice::dialect::ollama_parts {
namespace {

using chat::LossSeverity;
using json::Type;
using json::Value;
using reading::member;
using reading::read;
using reading::text;
using reading::wrong;

/// What it costs to leave a member out: a prompt that is sent raw, behind a template, in front of a suffix or upon an earlier
/// context is another prompt.
LossSeverity weight_of(std::string_view key, const Value& value) {
  const bool shapes = key == "raw" || key == "template" || key == "suffix" || key == "context";
  const bool says = value.boolean() == true || (value.is(Type::kString) && !value.raw_string().empty()) || (value.is(Type::kArray) && value.first());
  return shapes && says ? LossSeverity::kSemantic : LossSeverity::kCosmetic;
}

class RequestReader {
 public:
  explicit RequestReader(Operation operation) { request_.operation = operation; }

  Result<chat::Request> run(const json::Document& document) {
    const Value root = document.root();
    switch (request_.operation) {
      case Operation::kListModels: request_.input = chat::ModelsInput{}; return std::move(request_);
      case Operation::kChat:
        request_.input = chat::ChatInput{};
        request_.stream = true;  // where nobody says otherwise
        break;
      case Operation::kEmbeddings: request_.input = chat::EmbeddingInput{}; break;
      default: return fail(Code::kInvalidRequest, "the ollama dialect has no such request");
    }
    if (!root.is(Type::kObject)) return fail(Code::kInvalidRequest, "the body must be a JSON object");
    const bool generate = request_.operation == Operation::kChat && shape_of(&document) == Shape::kGenerate;
    // The other of its two requests for a chat, written back as it came.
    if (generate) request_.extras.push_back({kName, "", "\"generate\"", LossSeverity::kNote});
    std::string scratch;
    for (Value m = root.first(); m; m = m.next()) {
      const std::string_view key = m.key(scratch);
      if (m.is(Type::kNull)) continue;
      auto known = read_member(key, m, generate);
      if (!known) return tl::unexpected(known.error());
      if (!*known) reading::keep(request_.extras, kName, key, m, weight_of(key, m));
    }
    if (generate) prompt(root);
    return std::move(request_);
  }

 private:
  /// True: understood. False: nobody's but this dialect's.
  Result<bool> read_member(std::string_view key, const Value& m, bool generate) {
    if (key == "model") return done(read(m, key, request_.model));
    if (key == "options") return options(m);
    if (auto* embedding = std::get_if<chat::EmbeddingInput>(&request_.input)) return embedding_member(key, m, *embedding);
    chat::ChatInput& chat = std::get<chat::ChatInput>(request_.input);
    if (key == "stream") {
      auto status = read(m, key, request_.stream_said);
      request_.stream = request_.stream_said.value_or(true);
      return done(status);
    }
    if (key == "format") return format(m, chat);
    if (key == "think") return think(m, chat);
    if (key == "logprobs") return done(read(m, key, request_.sampling.logprobs));
    if (key == "top_logprobs") return done(read(m, key, request_.sampling.top_logprobs));
    if (generate) {
      if ((key == "prompt" || key == "system") && !m.is(Type::kString)) return wrong(key, "a string");
      return key == "prompt" || key == "system" || (key == "images" && m.is(Type::kArray) && m.first());
    }
    if (key == "messages") {
      if (!m.is(Type::kArray)) return wrong(key, "a list of messages");
      CallIds ids;
      std::size_t i = 0;
      for (Value message = m.first(); message; message = message.next(), ++i) {
        auto turn = read_turn(message, "messages[" + std::to_string(i) + "]", ids);
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
    return false;
  }

  /// A prompt as a conversation of one word of the user's, perhaps behind a system's.
  void prompt(const Value& root) {
    chat::ChatInput& chat = std::get<chat::ChatInput>(request_.input);
    if (const Value system = member(root, "system")) chat.turns.push_back({.role = chat::Role::kSystem, .parts = {{chat::Text{text(system)}}}});
    const Value said = member(root, "prompt"), images = member(root, "images");
    chat::Turn turn;
    if (said) turn.parts.push_back({chat::Text{text(said)}});
    for (Value image = images.is(Type::kArray) ? images.first() : Value{}; image; image = image.next()) turn.parts.push_back(read_image(image));
    if (!turn.parts.empty()) chat.turns.push_back(std::move(turn));
  }

  Result<bool> options(const Value& m) {
    if (!m.is(Type::kObject)) return wrong("options", "an object");
    std::string scratch;
    for (Value option = m.first(); option; option = option.next()) {
      const std::string_view key = option.key(scratch);
      if (option.is(Type::kNull)) continue;
      const std::string name = "options." + std::string(key);
      auto known = read_option(key, name, option);
      if (!known) return tl::unexpected(known.error());
      if (!*known) reading::keep(request_.extras, kName, name, option, LossSeverity::kCosmetic);
    }
    return static_cast<bool>(m.first());
  }

  Result<bool> read_option(std::string_view key, const std::string& name, const Value& m) {
    chat::Sampling& s = request_.sampling;
    if (key == "num_predict") {
      // -1 and -2 are no bounds, but two ways to have none.
      if (m.integer().value_or(0) < 0) return false;
      return done(read(m, name, s.max_output_tokens));
    }
    if (key == "temperature") return done(read(m, name, s.temperature));
    if (key == "top_p") return done(read(m, name, s.top_p));
    if (key == "top_k") return done(read(m, name, s.top_k));
    if (key == "min_p") return done(read(m, name, s.min_p));
    if (key == "seed") return done(read(m, name, s.seed));
    if (key == "repeat_penalty") return done(read(m, name, s.repetition_penalty));
    if (key == "presence_penalty") return done(read(m, name, s.presence_penalty));
    if (key == "frequency_penalty") return done(read(m, name, s.frequency_penalty));
    if (key != "stop") return false;
    auto& stop = s.stop.emplace();
    if (m.is(Type::kString)) {
      s.stop_is_text = true;
      stop.push_back(text(m));
      return true;
    }
    if (!m.is(Type::kArray)) return wrong(name, "a string or a list of strings");
    for (Value item = m.first(); item; item = item.next()) {
      if (!item.is(Type::kString)) return wrong(name, "a string or a list of strings");
      stop.push_back(text(item));
    }
    return true;
  }

  static Result<bool> format(const Value& m, chat::ChatInput& chat) {
    if (m.is(Type::kString) && m.equals("json")) {
      chat.response_format = chat::ResponseFormat{chat::ResponseFormat::Kind::kJsonObject};
      return true;
    }
    if (m.is(Type::kString) && m.raw_string().empty()) return false;  // none
    if (!m.is(Type::kObject)) return wrong("format", "json or a JSON schema");
    chat::ResponseFormat format{chat::ResponseFormat::Kind::kJsonSchema};
    format.schema = m.raw();
    chat.response_format = std::move(format);
    return true;
  }

  static Result<bool> think(const Value& m, chat::ChatInput& chat) {
    chat.reasoning.emplace();
    chat.reasoning->enabled = m.boolean();
    if (m.is(Type::kString)) {
      chat.reasoning->effort = text(m);
    } else if (!m.boolean()) {
      return wrong("think", "true, false, or how much");
    }
    return true;
  }

  Result<bool> embedding_member(std::string_view key, const Value& m, chat::EmbeddingInput& embedding) {
    if (key == "dimensions") return done(read(m, key, embedding.dimensions));
    if (key != "input") return false;
    if (m.is(Type::kString)) {
      embedding.single = true;
      embedding.inputs.emplace_back(text(m));
      return true;
    }
    if (!m.is(Type::kArray)) return wrong(key, "a string or a list of strings");
    for (Value item = m.first(); item; item = item.next()) {
      if (!item.is(Type::kString)) return wrong(key, "a string or a list of strings");
      embedding.inputs.emplace_back(text(item));
    }
    return true;
  }

  static Result<bool> done(const Status& status) {
    if (!status) return tl::unexpected(status.error());
    return true;
  }

  chat::Request request_;
};

}  // namespace

Result<chat::Request> decode_request(const json::Document& document, Operation operation) { return RequestReader(operation).run(document); }

}  // namespace sluice::dialect::ollama_parts
