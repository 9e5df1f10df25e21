// Requests of the Anthropic dialect into the canonical model. Every root member is either understood or kept as it stood; null
// says the same as nothing. A member of the wrong type is refused by name.

#include <utility>

#include "dialect/anthropic.hpp"
#include "dialect/anthropic_blocks.hpp"
#include "dialect/anthropic_tools.hpp"
#include "dialect/reading.hpp"

namespace sluice::dialect::anthropic_parts {
namespace {

using json::Type;
using json::Value;
using reading::member;
using reading::text;

tl::unexpected<Error> wrong(std::string name, std::string_view expected) {
  std::string message = name + " must be ";
  return fail(Code::kInvalidParameter, message.append(expected), std::move(name));
}

class RequestReader {
 public:
  explicit RequestReader(Operation operation) { request_.operation = operation; }

  Result<chat::Request> run(const Value& root) {
    if (request_.operation == Operation::kListModels || request_.operation == Operation::kGetModel) {
      request_.input = chat::ModelsInput{};
      return std::move(request_);
    }
    if (request_.operation != Operation::kChat && request_.operation != Operation::kCountTokens) {
      return fail(Code::kInvalidRequest, "the anthropic dialect has no such request");
    }
    request_.input = chat::ChatInput{};
    if (!root.is(Type::kObject)) return fail(Code::kInvalidRequest, "the body must be a JSON object");
    if (auto status = system(member(root, "system")); !status) return tl::unexpected(status.error());
    std::string scratch;
    for (Value m = root.first(); m; m = m.next()) {
      const std::string_view key = m.key(scratch);
      if (m.is(Type::kNull) || key == "system") continue;
      auto known = read_member(key, m);
      if (!known) return tl::unexpected(known.error());
      if (!*known) reading::keep(request_.extras, kName, key, m);
    }
    if (request_.stream) request_.usage_in_stream = true;  // this dialect's streams always state it
    return std::move(request_);
  }

 private:
  chat::ChatInput& chat() { return std::get<chat::ChatInput>(request_.input); }

  /// True: understood. False: nobody's but this dialect's.
  Result<bool> read_member(std::string_view key, const Value& m) {
    chat::Sampling& s = request_.sampling;
    if (key == "model") return string(key, m, request_.model);
    if (key == "messages") return messages(m);
    if (key == "max_tokens") {
      const auto n = reading::integer(m);
      if (!n || *n < 0) return wrong("max_tokens", "an integer, 0 or more");
      s.max_output_tokens = static_cast<std::uint64_t>(*n);
      return true;
    }
    if (key == "stream") {
      request_.stream_said = m.boolean();
      if (!request_.stream_said) return wrong("stream", "true or false");
      request_.stream = *request_.stream_said;
      return true;
    }
    if (key == "temperature") return number(key, m, s.temperature);
    if (key == "top_p") return number(key, m, s.top_p);
    if (key == "top_k") {
      s.top_k = reading::integer(m);
      if (!s.top_k) return wrong("top_k", "an integer");
      return true;
    }
    if (key == "stop_sequences") return stop(m);
    if (key == "tools") {
      if (!m.is(Type::kArray)) return wrong("tools", "a list of tools");
      for (Value tool = m.first(); tool; tool = tool.next()) chat().tools.push_back(read_tool(tool));
      return static_cast<bool>(m.first());
    }
    if (key == "tool_choice") {
      if (auto status = read_tool_choice(m, chat()); !status) return tl::unexpected(status.error());
      return true;
    }
    if (key == "thinking") return thinking(m);
    if (key == "output_config" && m.is(Type::kObject) && m.first()) return output_config(m);
    if (key == "output_format") {
      // The older place of output_config.format.
      chat().response_format = read_format(m);
      if (chat().response_format->kind == chat::ResponseFormat::Kind::kOther) return chat().response_format.reset(), false;
      reading::keep(chat().response_format->extras, kName, "output_format", m);
      return true;
    }
    if (key == "metadata" && m.size() == 1 && member(m, "user_id").is(Type::kString)) {
      request_.user = text(m, "user_id");
      return !request_.user.empty();
    }
    if (key == "service_tier") {
      // OpenAI's word for the same: no capacity but the standard one.
      const std::string tier = text(m);
      request_.service_tier = tier == "standard_only" ? "default" : tier == "auto" ? "auto" : "";
      return !request_.service_tier.empty();
    }
    return false;
  }

  Result<bool> string(std::string_view key, const Value& m, std::string& out) {
    if (!m.is(Type::kString)) return wrong(std::string(key), "a string");
    out = text(m);
    return true;
  }
  Result<bool> number(std::string_view key, const Value& m, std::optional<double>& out) {
    out = m.number();
    if (!out) return wrong(std::string(key), "a number");
    return true;
  }

  /// The system prompt is the first turn.
  Status system(const Value& m) {
    if (!m) return {};
    chat::Turn turn;
    turn.role = chat::Role::kSystem;
    if (auto status = read_content(m, "system", turn.parts, turn.form); !status) return status;
    chat().turns.push_back(std::move(turn));
    return {};
  }

  Result<bool> messages(const Value& m) {
    if (!m.is(Type::kArray)) return wrong("messages", "a list of messages");
    std::size_t i = 0;
    for (Value message = m.first(); message; message = message.next(), ++i) {
      auto turn = read_turn(message, "messages[" + std::to_string(i) + "]");
      if (!turn) return tl::unexpected(turn.error());
      chat().turns.push_back(*std::move(turn));
    }
    return true;
  }

  static Result<chat::Turn> read_turn(const Value& message, const std::string& path) {
    if (!message.is(Type::kObject)) return wrong(path, "an object");
    chat::Turn turn;
    const std::string role = text(message, "role");
    if (role == "assistant") {
      turn.role = chat::Role::kAssistant;
    } else if (role == "system") {
      turn.role = chat::Role::kSystem;
      reading::keep(turn.extras, kName, "role", member(message, "role"));
    } else if (role != "user") {
      return wrong(path + ".role", "one of user, assistant");
    }
    if (auto status = read_content(member(message, "content"), path + ".content", turn.parts, turn.form); !status) {
      return tl::unexpected(status.error());
    }
    // What tools gave back stands among what the user says: the form of that is nobody else's.
    for (const chat::Part& part : turn.parts) {
      if (part.as<chat::ToolResult>() != nullptr) turn.form = chat::ContentForm::kAuto;
    }
    keep_others(turn.extras, message, {"role", "content"});
    return turn;
  }

  Result<bool> stop(const Value& m) {
    if (!m.is(Type::kArray)) return wrong("stop_sequences", "a list of strings");
    auto& stop = request_.sampling.stop.emplace();
    for (Value item = m.first(); item; item = item.next()) {
      if (!item.is(Type::kString)) return wrong("stop_sequences", "a list of strings");
      stop.push_back(text(item));
    }
    return true;
  }

  /// Kept as it stands, too: what it says beside the budget is told to this dialect's servers alone.
  Result<bool> thinking(const Value& m) {
    const std::string type = text(m, "type");
    if (type.empty()) return wrong("thinking", "an object with a type");
    if (!chat().reasoning) chat().reasoning.emplace();
    chat().reasoning->enabled = type != "disabled";
    chat().reasoning->budget_tokens = reading::integer(member(m, "budget_tokens"));
    const bool plain = type == "disabled" ? m.size() == 1 : type == "enabled" && m.size() == 2 && chat().reasoning->budget_tokens;
    return plain;
  }

  Result<bool> output_config(const Value& m) {
    std::string scratch;
    for (Value option = m.first(); option; option = option.next()) {
      const std::string_view key = option.key(scratch);
      if (option.is(Type::kNull)) continue;
      if (key == "effort" && option.is(Type::kString)) {
        if (!chat().reasoning) chat().reasoning.emplace();
        chat().reasoning->effort = text(option);
        // An effort is no wish to think here, as it is elsewhere.
        reading::keep(request_.extras, kName, "output_config.effort", option);
      } else if (key == "format" && option.is(Type::kObject)) {
        chat().response_format = read_format(option);
      } else {
        reading::keep(request_.extras, kName, "output_config." + std::string(key), option);
      }
    }
    return true;
  }

  chat::Request request_;
};

}  // namespace

Result<chat::Request> decode_request(const json::Document& document, Operation operation) {
  return RequestReader(operation).run(document.root());
}

}  // namespace sluice::dialect::anthropic_parts
