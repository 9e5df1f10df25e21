// The texts of items.

#include "dialect/responses_texts.hpp"

#include "dialect/reading.hpp"

namespace sluice::dialect::responses_parts {

using json::Type;
using json::Value;
using reading::member;

bool is_call(const Value& item) {
  const Value type = member(item, "type");
  return type.is(Type::kString) && (type.equals("function_call") || type.equals("custom_tool_call"));
}

void each_text_of_part(const Value& part, const TextKey& place, const std::function<void(const TextSpot&)>& visit) {
  TextSpot spot{place, member(part, "text"), member(part, "logprobs"), {}};
  if (const Value refusal = member(part, "refusal"); refusal.is(Type::kString)) {
    spot.text = refusal;
    spot.key.channel = TextChannel::kRefusal;
  }
  if (const Value type = member(part, "type"); type.is(Type::kString) && type.equals("reasoning_text")) {
    spot.key.channel = TextChannel::kReasoning;
    spot.key.in_content = true;
  }
  if (spot.text.is(Type::kString)) visit(spot);
}

void each_text(const Value& item, std::int64_t output, const std::function<void(const TextSpot&)>& visit) {
  if (is_call(item)) {
    const Value arguments = member(item, "arguments");
    visit({{output, TextChannel::kToolArguments, 0}, arguments ? arguments : member(item, "input"), {}, member(item, "name")});
    return;
  }
  const Value type = member(item, "type");
  if (!type.is(Type::kString)) return;
  const bool reasoning = type.equals("reasoning");
  if (!reasoning && !type.equals("message")) return;
  std::int64_t i = 0;
  for (Value part = reasoning ? member(item, "summary").first() : Value{}; part; part = part.next()) {
    each_text_of_part(part, {output, TextChannel::kReasoning, i++}, visit);
  }
  i = 0;
  for (Value part = member(item, "content").first(); part; part = part.next()) {
    each_text_of_part(part, {output, reasoning ? TextChannel::kReasoning : TextChannel::kText, i++, reasoning}, visit);
  }
}

}  // namespace sluice::dialect::responses_parts
