// Requests of the OpenAI dialect into the canonical model. Every root member is either understood or kept as it stood;
// null says the same as nothing. A member of the wrong type is refused by name.

#include <utility>

#include "dialect/openai.hpp"
#include "dialect/openai_tools.hpp"
#include "dialect/openai_turn.hpp"
#include "dialect/reading.hpp"

namespace sluice::dialect::openai_parts {
namespace {

using json::Type;
using json::Value;
using reading::member;
using reading::read;
using reading::text;
using reading::wrong;

/// A prompt or an input: text, token ids, or a list of either.
Status read_prompts(const Value& value, std::string_view name, std::vector<chat::Prompt>& out, bool& single) {
  constexpr std::string_view kExpected = "a string, a list of strings, token ids, or a list of lists of token ids";
  const auto tokens = [&](const Value& list) -> Result<std::vector<std::int64_t>> {
    std::vector<std::int64_t> ids;
    for (Value item = list.first(); item; item = item.next()) {
      const auto id = reading::integer(item);
      if (!id) return wrong(name, kExpected);
      ids.push_back(*id);
    }
    return ids;
  };
  if (value.is(Type::kString)) {
    single = true;
    out.emplace_back(text(value));
    return {};
  }
  if (!value.is(Type::kArray)) return wrong(name, kExpected);
  if (value.first().is(Type::kNumber)) {
    auto ids = tokens(value);
    if (!ids) return tl::unexpected(ids.error());
    single = true;
    out.emplace_back(*std::move(ids));
    return {};
  }
  for (Value item = value.first(); item; item = item.next()) {
    if (item.is(Type::kString)) {
      out.emplace_back(text(item));
    } else if (item.is(Type::kArray)) {
      auto ids = tokens(item);
      if (!ids) return tl::unexpected(ids.error());
      out.emplace_back(*std::move(ids));
    } else {
      return wrong(name, kExpected);
    }
  }
  return {};
}

class RequestReader {
 public:
  explicit RequestReader(Operation operation) { request_.operation = operation; }

  Result<chat::Request> run(const Value& root) {
    switch (request_.operation) {
      case Operation::kChat: request_.input = chat::ChatInput{}; break;
      case Operation::kCompletions: request_.input = chat::CompletionInput{}; break;
      case Operation::kEmbeddings: request_.input = chat::EmbeddingInput{}; break;
      case Operation::kModerations: request_.input = chat::ModerationInput{}; break;
      case Operation::kListModels:
      case Operation::kGetModel: request_.input = chat::ModelsInput{}; return std::move(request_);
      case Operation::kRerank:
      case Operation::kCountTokens: return fail(Code::kInvalidRequest, "the openai dialect has no such request");
      case Operation::kOpaque: return fail(Code::kInvalidRequest, "an opaque request has no meaning to translate");
    }
    if (!root.is(Type::kObject)) return fail(Code::kInvalidRequest, "the body must be a JSON object");
    std::string scratch;
    for (Value m = root.first(); m; m = m.next()) {
      const std::string_view key = m.key(scratch);
      if (m.is(Type::kNull)) continue;
      auto known = read_member(key, m);
      if (!known) return tl::unexpected(known.error());
      if (!*known) reading::keep(request_.extras, kName, key, m);
    }
    return std::move(request_);
  }

 private:
  /// True: understood. False: nobody's but this dialect's.
  Result<bool> read_member(std::string_view key, const Value& m) {
    if (key == "model") return done(read(m, key, request_.model));
    if (key == "user") return done(read(m, key, request_.user));
    switch (request_.operation) {
      case Operation::kChat: {
        auto known = chat_member(key, m, std::get<chat::ChatInput>(request_.input));
        return known && !*known ? generation_member(key, m) : known;
      }
      case Operation::kCompletions: {
        auto known = completion_member(key, m, std::get<chat::CompletionInput>(request_.input));
        return known && !*known ? generation_member(key, m) : known;
      }
      case Operation::kEmbeddings: return embedding_member(key, m, std::get<chat::EmbeddingInput>(request_.input));
      case Operation::kModerations: return moderation_member(key, m, std::get<chat::ModerationInput>(request_.input));
      default: return false;
    }
  }

  Result<bool> generation_member(std::string_view key, const Value& m) {
    chat::Sampling& s = request_.sampling;
    if (key == "stream") {
      auto status = read(m, key, request_.stream_said);
      request_.stream = request_.stream_said.value_or(false);
      return done(status);
    }
    if (key == "stream_options") return done(stream_options(m));
    if (key == "temperature") return done(read(m, key, s.temperature));
    if (key == "top_p") return done(read(m, key, s.top_p));
    if (key == "min_p") return done(read(m, key, s.min_p));
    if (key == "top_k") return done(read(m, key, s.top_k));
    if (key == "frequency_penalty") return done(read(m, key, s.frequency_penalty));
    if (key == "presence_penalty") return done(read(m, key, s.presence_penalty));
    if (key == "repetition_penalty") return done(read(m, key, s.repetition_penalty));
    if (key == "seed") return done(read(m, key, s.seed));
    if (key == "n") return done(read(m, key, s.choices));
    if (key == "max_tokens") {
      // Beside max_completion_tokens it is the older word for the same: the newer one counts.
      if (s.max_output_tokens) return false;
      s.max_tokens_is_legacy = true;
      return done(read(m, key, s.max_output_tokens));
    }
    if (key == "max_completion_tokens") {
      if (s.max_tokens_is_legacy && s.max_output_tokens) {
        request_.extras.push_back({kName, "max_tokens", std::to_string(*s.max_output_tokens)});
        s.max_tokens_is_legacy = false;
      }
      return done(read(m, key, s.max_output_tokens));
    }
    if (key == "stop") return done(stop(m));
    if (key == "logit_bias" && m.is(Type::kObject)) {
      std::string scratch;
      for (Value bias = m.first(); bias; bias = bias.next()) {
        const auto weight = bias.number();
        if (!weight) return wrong("logit_bias", "an object of numbers by token id");
        s.logit_bias.emplace_back(std::string(bias.key(scratch)), *weight);
      }
      // {} says as much as nothing, but says it.
      return !s.logit_bias.empty();
    }
    if (key == "service_tier") return done(read(m, key, request_.service_tier));
    if (key == "store") return done(read(m, key, request_.store));
    if (key == "metadata" && m.is(Type::kObject) && m.first()) return metadata(m);
    return false;
  }

  Status stream_options(const Value& m) {
    if (!m.is(Type::kObject)) return wrong("stream_options", "an object");
    std::string scratch;
    for (Value option = m.first(); option; option = option.next()) {
      const std::string_view key = option.key(scratch);
      if (key == "include_usage" && option.boolean()) {
        request_.usage_in_stream = option.boolean();
      } else {
        reading::keep(request_.extras, kName, "stream_options." + std::string(key), option);
      }
    }
    return {};
  }

  Status stop(const Value& m) {
    auto& stop = request_.sampling.stop.emplace();
    if (m.is(Type::kString)) {
      request_.sampling.stop_is_text = true;
      stop.push_back(text(m));
      return {};
    }
    if (!m.is(Type::kArray)) return wrong("stop", "a string or a list of strings");
    for (Value item = m.first(); item; item = item.next()) {
      if (!item.is(Type::kString)) return wrong("stop", "a string or a list of strings");
      stop.push_back(text(item));
    }
    return {};
  }

  Result<bool> metadata(const Value& m) {
    std::vector<std::pair<std::string, std::string>> pairs;
    std::string scratch;
    for (Value item = m.first(); item; item = item.next()) {
      if (!item.is(Type::kString)) return false;
      pairs.emplace_back(std::string(item.key(scratch)), text(item));
    }
    request_.metadata = std::move(pairs);
    return true;
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
      for (Value tool = m.first(); tool; tool = tool.next()) chat.tools.push_back(read_tool(tool));
      return static_cast<bool>(m.first());
    }
    if (key == "functions" && m.is(Type::kArray) && m.first()) {
      chat.legacy_functions = true;
      for (Value tool = m.first(); tool; tool = tool.next()) chat.tools.push_back(read_function(tool));
      return true;
    }
    if (key == "function_call") {
      chat.legacy_functions = true;
      if (m.is(Type::kObject)) {
        chat.tool_choice = chat::ToolChoice{chat::ToolChoice::Kind::kNamed, {{chat::ToolKind::kFunction, text(m, "name")}}};
        return true;
      }
      key = "tool_choice";
    }
    if (key == "tool_choice") {
      auto choice = read_tool_choice(m);
      if (!choice) return tl::unexpected(choice.error());
      chat.tool_choice = *std::move(choice);
      return true;
    }
    if (key == "parallel_tool_calls") return done(read(m, key, chat.parallel_tool_calls));
    if (key == "response_format") {
      auto format = read_response_format(m);
      if (!format) return tl::unexpected(format.error());
      chat.response_format = *std::move(format);
      return true;
    }
    if (key == "reasoning_effort") {
      chat.reasoning.emplace();
      return done(read(m, key, chat.reasoning->effort));
    }
    if (key == "verbosity") return done(read(m, key, chat.verbosity));
    if (key == "modalities" && m.is(Type::kArray) && m.first()) {
      for (Value item = m.first(); item; item = item.next()) chat.modalities.push_back(text(item));
      return true;
    }
    if (key == "audio" && m.is(Type::kObject)) {
      chat.audio = chat::AudioOutput{text(m, "voice"), text(m, "format")};
      reading::keep(chat.audio->extras, kName, "", m);
      return true;
    }
    if (key == "prediction" && m.is(Type::kObject) && text(m, "type") == "content" && m.size() == 2) return prediction(m, chat);
    if (key == "logprobs") return done(read(m, key, request_.sampling.logprobs));
    if (key == "top_logprobs") return done(read(m, key, request_.sampling.top_logprobs));
    return false;
  }

  static Result<bool> prediction(const Value& m, chat::ChatInput& chat) {
    const Value content = member(m, "content");
    auto& parts = chat.prediction.emplace();
    if (content.is(Type::kString)) {
      parts.push_back({chat::Text{text(content)}});
      return true;
    }
    for (Value item = content.first(); item; item = item.next()) {
      auto part = read_part(item, "prediction.content");
      if (!part) return tl::unexpected(part.error());
      parts.push_back(*std::move(part));
    }
    return true;
  }

  Result<bool> completion_member(std::string_view key, const Value& m, chat::CompletionInput& completion) {
    if (key == "prompt") return done(read_prompts(m, key, completion.prompts, completion.single));
    if (key == "suffix") return done(read(m, key, completion.suffix));
    if (key == "echo") return done(read(m, key, completion.echo));
    if (key == "best_of") return done(read(m, key, completion.best_of));
    if (key == "logprobs") {
      request_.sampling.logprobs = true;
      return done(read(m, key, request_.sampling.top_logprobs));
    }
    return false;
  }

  static Result<bool> embedding_member(std::string_view key, const Value& m, chat::EmbeddingInput& embedding) {
    if (key == "input") {
      // Typed parts (images) are understood by the servers that take them alone.
      if (m.is(Type::kArray) && m.first().is(Type::kObject)) return false;
      return done(read_prompts(m, key, embedding.inputs, embedding.single));
    }
    if (key == "encoding_format") return done(read(m, key, embedding.encoding));
    if (key == "dimensions") return done(read(m, key, embedding.dimensions));
    if (key == "input_type") return done(read(m, key, embedding.input_type));
    return false;
  }

  static Result<bool> moderation_member(std::string_view key, const Value& m, chat::ModerationInput& moderation) {
    if (key != "input") return false;
    if (m.is(Type::kString)) {
      moderation.form = chat::ContentForm::kText;
      moderation.inputs.push_back({chat::Text{text(m)}});
      return true;
    }
    if (!m.is(Type::kArray)) return wrong(key, "a string, a list of strings, or a list of parts");
    if (m.first().is(Type::kObject)) moderation.form = chat::ContentForm::kParts;
    for (Value item = m.first(); item; item = item.next()) {
      auto part = read_part(item, "input");
      if (!part) return tl::unexpected(part.error());
      moderation.inputs.push_back(*std::move(part));
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

Result<chat::Request> decode_request(const json::Document& document, Operation operation) {
  return RequestReader(operation).run(document.root());
}

}  // namespace sluice::dialect::openai_parts
