// Requests of the Responses API into the canonical model. Every root member is either understood or kept as it stood; null
// says the same as nothing. A member of the wrong type is refused by name.

#include <array>
#include <utility>

#include "dialect/reading.hpp"
#include "dialect/responses.hpp"
#include "dialect/responses_items.hpp"
#include "dialect/responses_tools.hpp"

namespace sluice::dialect::responses_parts {
namespace {

using chat::LossSeverity;
using json::Type;
using json::Value;
using reading::text;

/// What is lost with a member that this dialect alone understands. The rest of them are kCosmetic.
constexpr std::array kGrave{
    std::string_view("previous_response_id"), std::string_view("conversation"), std::string_view("background"),
    std::string_view("prompt"), std::string_view("max_tool_calls"), std::string_view("text.format"),
};

LossSeverity severity_of(std::string_view key, const Value& value) noexcept {
  // What is off is what everybody else does.
  if (value.boolean() == std::optional(false)) return LossSeverity::kNote;
  for (const std::string_view grave : kGrave) {
    if (grave == key) return LossSeverity::kSemantic;
  }
  return LossSeverity::kCosmetic;
}

tl::unexpected<Error> wrong(std::string_view name, std::string_view expected) {
  std::string message = std::string(name) + " must be ";
  return fail(Code::kInvalidParameter, message.append(expected), std::string(name));
}

Status read(const Value& value, std::string_view name, std::optional<double>& out) {
  out = value.number();
  if (!out) return wrong(name, "a number");
  return {};
}
Status read(const Value& value, std::string_view name, std::optional<bool>& out) {
  out = value.boolean();
  if (!out) return wrong(name, "true or false");
  return {};
}
Status read(const Value& value, std::string_view name, std::string& out) {
  if (!value.is(Type::kString)) return wrong(name, "a string");
  out = text(value);
  return {};
}
template <typename Unsigned>
Status read(const Value& value, std::string_view name, std::optional<Unsigned>& out) {
  const auto n = reading::integer(value);
  if (!n || *n < 0 || !std::in_range<Unsigned>(*n)) return wrong(name, "an integer, 0 or more");
  out = static_cast<Unsigned>(*n);
  return {};
}

class RequestReader {
 public:
  explicit RequestReader(Operation operation) {
    request_.operation = operation;
    request_.input = chat::ChatInput{};
  }

  Result<chat::Request> run(const Value& root) {
    if (!serves(request_.operation)) {
      return fail(Code::kInvalidRequest, "the openai-responses dialect has no " + std::string(chat::to_string(request_.operation)) + " request");
    }
    if (!root.is(Type::kObject)) return fail(Code::kInvalidRequest, "the body must be a JSON object");
    std::string scratch;
    for (Value m = root.first(); m; m = m.next()) {
      const std::string_view key = m.key(scratch);
      if (m.is(Type::kNull)) continue;
      auto known = read_member(key, m);
      if (!known) return tl::unexpected(known.error());
      if (!*known) reading::keep(request_.extras, kName, key, m, severity_of(key, m));
    }
    return std::move(request_);
  }

 private:
  /// True: understood. False: nobody's but this dialect's.
  Result<bool> read_member(std::string_view key, const Value& m) {
    chat::Sampling& s = request_.sampling;
    if (key == "model") return done(read(m, key, request_.model));
    if (key == "input") return done(input(m));
    if (key == "instructions") return done(instructions(m));
    if (key == "stream") {
      const Status status = read(m, key, request_.stream_said);
      request_.stream = request_.stream_said.value_or(false);
      return done(status);
    }
    if (key == "stream_options" && m.is(Type::kObject)) return members_below(key, m, [](std::string_view, const Value&) -> Result<bool> { return false; });
    if (key == "temperature") return done(read(m, key, s.temperature));
    if (key == "top_p") return done(read(m, key, s.top_p));
    if (key == "presence_penalty") return done(read(m, key, s.presence_penalty));
    if (key == "frequency_penalty") return done(read(m, key, s.frequency_penalty));
    if (key == "max_output_tokens") return done(read(m, key, s.max_output_tokens));
    if (key == "top_logprobs") return done(read(m, key, s.top_logprobs));
    if (key == "include") return include(m);
    if (key == "service_tier") return done(read(m, key, request_.service_tier));
    if (key == "user") return done(read(m, key, request_.user));
    if (key == "store") return done(read(m, key, request_.store));
    if (key == "metadata" && m.is(Type::kObject) && m.first()) return metadata(m);
    return chat_member(key, m);
  }

  Result<bool> chat_member(std::string_view key, const Value& m) {
    chat::ChatInput& chat = *request_.chat();
    if (key == "tools") {
      if (!m.is(Type::kArray)) return wrong(key, "a list of tools");
      for (Value tool = m.first(); tool; tool = tool.next()) chat.tools.push_back(read_tool(tool));
      return true;
    }
    if (key == "tool_choice") {
      auto choice = read_tool_choice(m);
      if (!choice) return tl::unexpected(choice.error());
      chat.tool_choice = *std::move(choice);
      return true;
    }
    if (key == "parallel_tool_calls") return done(read(m, key, chat.parallel_tool_calls));
    if (key == "text" && m.is(Type::kObject)) {
      return members_below(key, m, [&](std::string_view name, const Value& value) -> Result<bool> {
        if (name == "verbosity") return done(read(value, "text.verbosity", chat.verbosity));
        if (name != "format") return false;
        auto format = read_format(value);
        if (!format) return tl::unexpected(format.error());
        chat.response_format = *std::move(format);
        return true;
      });
    }
    if (key == "reasoning" && m.is(Type::kObject)) {
      chat::Reasoning& reasoning = chat.reasoning.emplace();
      return members_below(key, m, [&](std::string_view name, const Value& value) -> Result<bool> {
        if (name == "effort") return done(read(value, "reasoning.effort", reasoning.effort));
        if (name == "summary") return done(read(value, "reasoning.summary", reasoning.summary));
        return false;
      });
    }
    return false;
  }

  /// Reads the members of an object; what `visit` does not know is kept under `key.name`.
  template <typename F>
  Result<bool> members_below(std::string_view key, const Value& object, F&& visit) {
    const std::string prefix = std::string(key) + ".";
    std::string scratch;
    for (Value m = object.first(); m; m = m.next()) {
      if (m.is(Type::kNull)) continue;
      const std::string name = prefix + std::string(m.key(scratch));
      auto known = visit(std::string_view(name).substr(prefix.size()), m);
      if (!known) return tl::unexpected(known.error());
      if (!*known) reading::keep(request_.extras, kName, name, m, severity_of(name, m));
    }
    return true;
  }

  Status input(const Value& m) {
    std::vector<chat::Turn>& turns = request_.chat()->turns;
    if (m.is(Type::kString)) {
      chat::Turn& turn = turns.emplace_back();
      turn.form = chat::ContentForm::kText;
      turn.parts.push_back({chat::Text{text(m)}});
      return {};
    }
    if (!m.is(Type::kArray)) return wrong("input", "a string or a list of items");
    ItemReader reader(From::kRequest);
    std::size_t i = 0;
    for (Value item = m.first(); item; item = item.next(), ++i) {
      if (auto status = reader.add(item, "input[" + std::to_string(i) + "]"); !status) return status;
    }
    for (chat::Turn& turn : reader.take()) turns.push_back(std::move(turn));
    return {};
  }

  /// What the system says goes before everything else.
  Status instructions(const Value& m) {
    if (!m.is(Type::kString)) return wrong("instructions", "a string");
    chat::Turn turn;
    turn.role = chat::Role::kSystem;
    turn.form = chat::ContentForm::kText;
    turn.parts.push_back({chat::Text{text(m)}});
    turn.extras.push_back({kName, std::string(key::kInstructions), "true", LossSeverity::kNote});
    auto& turns = request_.chat()->turns;
    turns.insert(turns.begin(), std::move(turn));
    return {};
  }

  /// Log probabilities are asked for among what else an answer shall hold.
  Result<bool> include(const Value& m) {
    if (!m.is(Type::kArray)) return wrong("include", "a list of strings");
    for (Value item = m.first(); item; item = item.next()) {
      if (item.is(Type::kString) && item.equals("message.output_text.logprobs")) request_.sampling.logprobs = true;
    }
    return false;
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
};

}  // namespace

Result<chat::Request> decode_request(const json::Document& document, Operation operation) {
  return RequestReader(operation).run(document.root());
}

}  // namespace sluice::dialect::responses_parts
