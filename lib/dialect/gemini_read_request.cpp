// Requests of the Gemini dialect into the canonical model. Every member is either understood or kept as it stood; null says
// the same as nothing. A member of the wrong type is refused by name.

#include <algorithm>
#include <utility>

#include "dialect/gemini.hpp"
#include "dialect/gemini_calls.hpp"
#include "dialect/gemini_keys.hpp"
#include "dialect/gemini_tools.hpp"
#include "dialect/gemini_turn.hpp"
#include "dialect/reading.hpp"

namespace sluice::dialect::gemini_parts {
namespace {

using json::Type;
using json::Value;

tl::unexpected<Error> wrong(std::string_view name, std::string_view expected) {
  std::string message = std::string(name) + " must be ";
  return fail(Code::kInvalidParameter, message.append(expected), std::string(name));
}

Status read(const Value& value, std::string_view name, std::optional<double>& out) {
  out = value.number();
  if (!out) return wrong(name, "a number");
  return {};
}
Status read(const Value& value, std::string_view name, std::optional<std::int64_t>& out) {
  out = reading::integer(value);
  if (!out) return wrong(name, "an integer");
  return {};
}
template <typename Unsigned>
Status read_unsigned(const Value& value, std::string_view name, std::optional<Unsigned>& out) {
  const auto n = reading::integer(value);
  if (!n || *n < 0 || !std::in_range<Unsigned>(*n)) return wrong(name, "an integer, 0 or more");
  out = static_cast<Unsigned>(*n);
  return {};
}

/// A task of an embedding in the words all dialects have; empty where they have none.
std::string input_type_of(std::string_view task) {
  if (task == "RETRIEVAL_QUERY") return "query";
  if (task == "RETRIEVAL_DOCUMENT") return "document";
  return {};
}

class RequestReader {
 public:
  explicit RequestReader(Operation operation) { request_.operation = operation; }

  Result<chat::Request> run(const Value& root) {
    switch (request_.operation) {
      case Operation::kListModels:
      case Operation::kGetModel: request_.input = chat::ModelsInput{}; return std::move(request_);
      case Operation::kChat:
      case Operation::kCountTokens: request_.input = chat::ChatInput{}; break;
      case Operation::kEmbeddings: request_.input = chat::EmbeddingInput{}; break;
      default: return fail(Code::kInvalidRequest, "the gemini dialect has no such request");
    }
    if (!root.is(Type::kObject)) return fail(Code::kInvalidRequest, "the body must be a JSON object");
    const Status status = request_.operation == Operation::kEmbeddings ? embeddings(root) : chat(root);
    if (!status) return tl::unexpected(status.error());
    return std::move(request_);
  }

 private:
  Status chat(const Value& root) {
    chat::ChatInput& chat = *request_.chat();
    std::string scratch;
    for (Value m = root.first(); m; m = m.next()) {
      const std::string_view key = m.key(scratch);
      if (m.is(Type::kNull)) continue;
      if (is_key(key, "contents")) {
        if (auto status = contents(m, chat); !status) return status;
      } else if (is_key(key, "systemInstruction")) {
        auto turn = read_content(m, "systemInstruction", true);
        if (!turn) return tl::unexpected(turn.error());
        chat.turns.insert(chat.turns.begin(), *std::move(turn));
      } else if (key == "tools" && m.is(Type::kArray) && m.first()) {
        for (Value tool = m.first(); tool; tool = tool.next()) {
          if (auto status = read_tools(tool, chat.tools); !status) return status;
        }
      } else if (is_key(key, "toolConfig") && m.is(Type::kObject)) {
        tool_config(m, chat);
      } else if (is_key(key, "generationConfig")) {
        if (auto status = generation(m, chat); !status) return status;
      } else if (key == "model" && m.is(Type::kString)) {
        request_.model = bare_model(reading::text(m));
      } else if (is_key(key, "generateContentRequest") && request_.operation == Operation::kCountTokens && m.is(Type::kObject)) {
        // The whole request whose tokens are counted.
        reading::keep(request_.extras, kName, "generateContentRequest", m);
        request_.extras.back().json = "true";
        if (auto status = this->chat(m); !status) return status;
      } else {
        reading::keep(request_.extras, kName, key, m);
      }
    }
    give_ids(chat.turns);
    return {};
  }

  static Status contents(const Value& list, chat::ChatInput& chat) {
    if (!list.is(Type::kArray)) return wrong("contents", "a list of contents");
    std::size_t i = 0;
    for (Value content = list.first(); content; content = content.next(), ++i) {
      auto turn = read_content(content, "contents[" + std::to_string(i) + "]", false);
      if (!turn) return tl::unexpected(turn.error());
      chat.turns.push_back(*std::move(turn));
    }
    return {};
  }

  void tool_config(const Value& config, chat::ChatInput& chat) {
    std::string scratch;
    for (Value m = config.first(); m; m = m.next()) {
      const std::string_view key = m.key(scratch);
      if (m.is(Type::kNull)) continue;
      if (is_key(key, "functionCallingConfig") && m.is(Type::kObject)) {
        chat.tool_choice = read_tool_choice(m);
      } else {
        reading::keep(request_.extras, kName, "toolConfig." + std::string(key), m);
      }
    }
  }

  Status generation(const Value& config, chat::ChatInput& chat) {
    if (!config.is(Type::kObject)) return wrong("generationConfig", "an object");
    chat.response_format = read_response_format(config);
    std::string scratch;
    for (Value m = config.first(); m; m = m.next()) {
      const std::string_view key = m.key(scratch);
      if (m.is(Type::kNull)) continue;
      auto known = generation_member(key, m, chat);
      if (!known) return tl::unexpected(known.error());
      if (!*known) reading::keep(request_.extras, kName, "generationConfig." + std::string(key), m);
    }
    return {};
  }

  /// True: understood. False: nobody's but this dialect's.
  Result<bool> generation_member(std::string_view key, const Value& m, chat::ChatInput& chat) {
    chat::Sampling& s = request_.sampling;
    const auto is = [key](std::string_view name) { return is_key(key, name); };
    if (is("temperature")) return done(read(m, key, s.temperature));
    if (is("topP")) return done(read(m, key, s.top_p));
    if (is("topK")) {
      // A float in some versions; the others count.
      if (!reading::integer(m)) return false;
      return done(read(m, key, s.top_k));
    }
    if (is("candidateCount")) return done(read_unsigned(m, key, s.choices));
    if (is("maxOutputTokens")) return done(read_unsigned(m, key, s.max_output_tokens));
    if (is("stopSequences") && m.is(Type::kArray)) {
      auto& stop = s.stop.emplace();
      for (Value word = m.first(); word; word = word.next()) {
        if (!word.is(Type::kString)) return wrong(key, "a list of strings");
        stop.push_back(reading::text(word));
      }
      return true;
    }
    if (is("seed")) return done(read(m, key, s.seed));
    if (is("presencePenalty")) return done(read(m, key, s.presence_penalty));
    if (is("frequencyPenalty")) return done(read(m, key, s.frequency_penalty));
    if (is("responseLogprobs") && m.is(Type::kBool)) {
      s.logprobs = m.boolean();
      return true;
    }
    if (is("logprobs")) return done(read_unsigned(m, key, s.top_logprobs));
    if (is("responseMimeType") || is("responseSchema") || is("responseJsonSchema")) return chat.response_format.has_value();
    if (is("thinkingConfig")) {
      chat::Reasoning reasoning;
      if (!read_thinking(m, reasoning)) return false;
      if (reasoning == chat::Reasoning{}) return true;  // it says what holds anyway
      chat.reasoning = std::move(reasoning);
      return true;
    }
    if (is("responseModalities") && m.is(Type::kArray) && m.first()) return modalities(m, chat);
    return false;
  }

  static bool modalities(const Value& list, chat::ChatInput& chat) {
    std::vector<std::string> out;
    for (Value item = list.first(); item; item = item.next()) {
      std::string word = reading::text(item);
      if (word != "TEXT" && word != "IMAGE" && word != "AUDIO") return false;
      for (char& c : word) c = static_cast<char>(c | 0x20);
      out.push_back(std::move(word));
    }
    chat.modalities = std::move(out);
    return true;
  }

  /// embedContent has one content, batchEmbedContents a list of such requests. What differs among these, or has more to it
  /// than text, is kept whole: nobody else has batches of different requests.
  Status embeddings(const Value& root) {
    auto& input = std::get<chat::EmbeddingInput>(request_.input);
    const Value list = member(root, "requests");
    if (!list) {
      input.single = true;
      if (auto status = embedding(root, input, true); !status) return status;
      return {};
    }
    if (!list.is(Type::kArray)) return wrong("requests", "a list of requests");
    bool first = true;
    for (Value item = list.first(); item; item = item.next(), first = false) {
      if (!item.is(Type::kObject)) return wrong("requests", "a list of requests");
      if (auto status = embedding(item, input, first); !status) return status;
    }
    if (uneven_) reading::keep(request_.extras, kName, "requests", list);
    keep_others(request_.extras, root, {"requests"});
    return {};
  }

  Status embedding(const Value& item, chat::EmbeddingInput& input, bool first) {
    const Value content = member(item, "content");
    const Value parts = member(content, "parts");
    if (!parts.is(Type::kArray) || !parts.first()) return wrong("content.parts", "a list of parts");
    std::string said;
    for (Value part = parts.first(); part; part = part.next()) {
      uneven_ = uneven_ || !member(part, "text").is(Type::kString);
      said += text(part, "text");
    }
    input.inputs.emplace_back(std::move(said));
    const auto dimensions = reading::integer(member(item, "outputDimensionality"));
    const std::string task = text(item, "taskType"), type = input_type_of(task);
    const std::string model(bare_model(text(item, "model")));
    if (first) {
      input.dimensions = dimensions;
      input.input_type = type;
      request_.model = model;
      task_ = task;
    }
    const bool odd_task = task_ != task || (!task.empty() && type.empty());
    uneven_ = uneven_ || input.dimensions != dimensions || request_.model != model || (odd_task && !input.single);
    chat::Extras more;
    keep_others(more, item, {"content", "model", "taskType", "outputDimensionality"});
    if (input.single) {
      if (uneven_) reading::keep(request_.extras, kName, "content", content);
      if (!task.empty() && type.empty()) more.push_back({kName, "taskType", json::quoted(task)});
      for (chat::Extra& extra : more) request_.extras.push_back(std::move(extra));
    }
    uneven_ = uneven_ || !more.empty();
    return {};
  }

  static Result<bool> done(const Status& status) {
    if (!status) return tl::unexpected(status.error());
    return true;
  }

  chat::Request request_;
  bool uneven_ = false;
  std::string task_;
};

}  // namespace

Result<chat::Request> decode_request(const json::Document& document, Operation operation) {
  return RequestReader(operation).run(document.root());
}

}  // namespace sluice::dialect::gemini_parts
