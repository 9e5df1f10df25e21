// Requests of the Bedrock dialect into the canonical model. Every root member is either understood or kept as it stood; null
// says the same as nothing. A member of the wrong type is refused by name. The path says the model, and whether to stream.

#include <utility>

#include "dialect/bedrock.hpp"
#include "dialect/bedrock_blocks.hpp"
#include "dialect/bedrock_tools.hpp"
#include "dialect/reading.hpp"

namespace sluice::dialect::bedrock_parts {
namespace {

using json::Type;
using json::Value;
using reading::member;
using reading::text;

tl::unexpected<Error> must_be(std::string_view name, std::string_view expected) {
  std::string message = std::string(name) + " must be ";
  return fail(Code::kInvalidParameter, message.append(expected), std::string(name));
}

class RequestReader {
 public:
  explicit RequestReader(Operation operation) { request_.operation = operation; }

  Result<chat::Request> run(Value root) {
    if (!root.is(Type::kObject)) return fail(Code::kInvalidRequest, "the body must be a JSON object");
    request_.input = chat::ChatInput{};
    if (request_.operation == Operation::kCountTokens) {
      const Value input = member(root, "input");
      if (const Value body = member(member(input, "invokeModel"), "body")) {
        // A request to a model in its own words, in base64: nobody else's to read.
        reading::keep(request_.extras, kName, "input.invokeModel", member(input, "invokeModel"));
        return std::move(request_);
      }
      root = member(input, "converse");
      if (!root.is(Type::kObject)) return must_be("input", "an object with 'converse' or 'invokeModel'");
    } else if (request_.operation != Operation::kChat) {
      return fail(Code::kInvalidRequest, "the bedrock dialect has no such request");
    }
    std::string scratch;
    for (Value m = root.first(); m; m = m.next()) {
      const std::string_view key = m.key(scratch);
      if (m.is(Type::kNull)) continue;
      auto known = read_member(key, m);
      if (!known) return tl::unexpected(known.error());
      if (!*known) reading::keep(request_.extras, kName, key, m);
    }
    // System texts stand in the first turns, wherever the member stood.
    auto& turns = request_.chat()->turns;
    if (!system_.parts.empty()) turns.insert(turns.begin(), std::move(system_));
    return std::move(request_);
  }

 private:
  /// True: understood. False: nobody's but this dialect's.
  Result<bool> read_member(std::string_view key, const Value& m) {
    if (key == "messages") return done(messages(m));
    if (key == "system") {
      if (!m.is(Type::kArray)) return must_be(key, "a list of blocks");
      read_blocks(m, system_.parts);
      return true;
    }
    if (key == "inferenceConfig") return done(inference(m));
    if (key == "toolConfig") return done(read_tool_config(m, *request_.chat()));
    if (key == "outputConfig") return done(output(m));
    if (key == "additionalModelRequestFields") {
      understand(m);
      return false;
    }
    if (key == "serviceTier" && m.is(Type::kObject) && m.size() == 1 && member(m, "type").is(Type::kString)) {
      request_.service_tier = text(m, "type");
      return true;
    }
    if (key == "requestMetadata" && m.is(Type::kObject) && m.first()) return metadata(m);
    return false;
  }

  Status messages(const Value& list) {
    if (!list.is(Type::kArray)) return must_be("messages", "a list of messages");
    std::size_t i = 0;
    for (Value message = list.first(); message; message = message.next(), ++i) {
      const std::string path = "messages[" + std::to_string(i) + "]";
      const std::string role = text(message, "role");
      chat::Turn turn;
      if (role == "assistant") turn.role = chat::Role::kAssistant;
      else if (role == "system") turn.role = chat::Role::kSystem;
      else if (role != "user") return must_be(path + ".role", "'user', 'assistant' or 'system'");
      const Value content = member(message, "content");
      if (!content.is(Type::kArray)) return must_be(path + ".content", "a list of blocks");
      if (turn.role == chat::Role::kSystem) turn.extras.push_back({kName, "inMessages", "true"});
      read_blocks(content, turn.parts);
      request_.chat()->turns.push_back(std::move(turn));
    }
    return {};
  }

  Status inference(const Value& config) {
    if (!config.is(Type::kObject)) return must_be("inferenceConfig", "an object");
    chat::Sampling& s = request_.sampling;
    std::string scratch;
    for (Value m = config.first(); m; m = m.next()) {
      const std::string_view key = m.key(scratch);
      if (m.is(Type::kNull)) continue;
      if (key == "maxTokens") {
        const auto n = reading::integer(m);
        if (!n || *n < 0) return must_be("inferenceConfig.maxTokens", "an integer, 0 or more");
        s.max_output_tokens = static_cast<std::uint64_t>(*n);
      } else if (key == "temperature" || key == "topP") {
        auto& n = key == "topP" ? s.top_p : s.temperature;
        n = m.is(Type::kNumber) ? m.number() : std::nullopt;
        if (!n) return must_be("inferenceConfig." + std::string(key), "a number");
      } else if (key == "stopSequences") {
        if (!m.is(Type::kArray)) return must_be("inferenceConfig.stopSequences", "a list of strings");
        auto& stop = s.stop.emplace();
        for (Value word = m.first(); word; word = word.next()) {
          if (!word.is(Type::kString)) return must_be("inferenceConfig.stopSequences", "a list of strings");
          stop.push_back(text(word));
        }
      } else {
        reading::keep(request_.extras, kName, "inferenceConfig." + std::string(key), m);
      }
    }
    return {};
  }

  Status output(const Value& config) {
    if (!config.is(Type::kObject)) return must_be("outputConfig", "an object");
    std::string scratch;
    for (Value m = config.first(); m; m = m.next()) {
      const std::string_view key = m.key(scratch);
      if (m.is(Type::kNull)) continue;
      const Value schema = member(member(m, "structure"), "jsonSchema");
      if (key == "textFormat" && text(m, "type") == "json_schema" && is_json(text(schema, "schema"))) {
        auto& format = request_.chat()->response_format.emplace();
        format.kind = chat::ResponseFormat::Kind::kJsonSchema;
        format.name = text(schema, "name");
        format.description = text(schema, "description");
        format.schema = text(schema, "schema");
      } else {
        reading::keep(request_.extras, kName, "outputConfig." + std::string(key), m);
      }
    }
    return {};
  }

  static bool is_json(const std::string& schema) { return static_cast<bool>(json::Document::parse(Body::copy(schema))); }

  /// What models take beside Converse's own, where other dialects have words for it. It is kept as it stood all the same.
  void understand(const Value& fields) {
    if (const auto n = reading::integer(member(fields, "top_k"))) request_.sampling.top_k = n;
    chat::Reasoning reasoning;
    reasoning.effort = text(fields, "reasoning_effort");
    if (const Value thinking = member(fields, "thinking")) {
      const std::string type = text(thinking, "type");
      if (type == "enabled" || type == "adaptive") reasoning.enabled = true;
      if (type == "disabled") reasoning.enabled = false;
      reasoning.budget_tokens = reading::integer(member(thinking, "budget_tokens"));
    }
    if (reasoning != chat::Reasoning{}) request_.chat()->reasoning = std::move(reasoning);
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

  static Result<bool> done(const Status& status) {
    if (!status) return tl::unexpected(status.error());
    return true;
  }

  chat::Request request_;
  chat::Turn system_{.role = chat::Role::kSystem};
};

}  // namespace

Result<chat::Request> decode_request(const json::Document& document, Operation operation) {
  return RequestReader(operation).run(document.root());
}

}  // namespace sluice::dialect::bedrock_parts
