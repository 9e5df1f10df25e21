// Whole answers of the Bedrock dialect into the canonical model. Lenient: an answer has been paid for, so what has an odd
// type is kept as it stood rather than refused; only what is no answer at all is an error.

#include "dialect/bedrock.hpp"
#include "dialect/bedrock_blocks.hpp"
#include "dialect/excerpt.hpp"
#include "dialect/provider_words.hpp"
#include "dialect/reading.hpp"

namespace sluice::dialect::bedrock_parts {
namespace {

using json::Type;
using json::Value;
using reading::member;
using reading::text;

tl::unexpected<Error> no_answer(std::string_view body, std::string_view why) {
  return fail(Code::kUpstreamInvalidAnswer,
              "the upstream's answer " + std::string(why) + "; it begins with \"" + excerpt(body, 80) + "\"");
}

void read_stop(const Value& reason, chat::Choice& choice) {
  const std::string word = text(reason);
  choice.finish = finish_reason(word);
  if (word != chat::to_string(choice.finish)) choice.native_finish = word;
}

chat::Choice read_choice(const Value& message) {
  chat::Choice choice;
  std::string scratch;
  for (Value m = message.first(); m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    if (key == "content") {
      read_blocks(m, choice.turn.parts);
    } else if (key != "role" && !m.is(Type::kNull)) {
      reading::keep(choice.turn.extras, kName, key, m);
    }
  }
  return choice;
}

Result<chat::Message> read_count(const Value& root, std::string_view body) {
  const auto count = reading::integer(member(root, "inputTokens"));
  if (!count || *count < 0) return no_answer(body, "has no count 'inputTokens'");
  chat::Message out;
  out.usage.emplace().input_tokens = static_cast<std::uint64_t>(*count);
  return out;
}

}  // namespace

Result<chat::Message> decode_answer(std::string_view body, const Asked& asked) {
  const auto document = json::Document::parse(Body::copy(body));
  if (!document) return no_answer(body, "is no JSON (" + document.error().message + ")");
  const Value root = document->root();
  const Value message = member(member(root, "output"), "message");
  if (!message.is(Type::kObject) && is_error_body(body)) return tl::unexpected(embedded_error(root));
  if (asked.operation == Operation::kCountTokens) return read_count(root, body);
  if (!message.is(Type::kObject)) return no_answer(body, "has no 'output.message'");
  chat::Message out;
  if (asked.request != nullptr) out.model = asked.request->model;
  out.choices.push_back(read_choice(message));
  std::string scratch;
  for (Value m = root.first(); m; m = m.next()) {
    const std::string_view key = m.key(scratch);
    if (key == "output" || m.is(Type::kNull)) continue;
    if (key == "stopReason") {
      read_stop(m, out.choices.front());
    } else if (key == "usage" && m.is(Type::kObject)) {
      out.usage = read_usage(m);
      keep_usage_extras(m, out.extras);
    } else {
      reading::keep(out.extras, kName, key, m);
    }
  }
  return out;
}

}  // namespace sluice::dialect::bedrock_parts
