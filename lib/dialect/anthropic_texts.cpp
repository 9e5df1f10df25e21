// Where the texts of an answer stand. A text that is told twice is none of this dialect's: each has one place.

#include "dialect/anthropic_texts.hpp"

#include <algorithm>

#include "dialect/anthropic.hpp"
#include "dialect/reading.hpp"

namespace sluice::dialect::anthropic_parts {
namespace {

using json::Type;
using json::Value;
using reading::member;
using Form = AnswerTexts::Form;

/// The members of an object one by one, not by name: what stands there twice, some client reads.
template <typename F>
void each_member(const Value& object, F&& visit) {
  std::string scratch;
  for (Value m = object.is(Type::kObject) ? object.first() : Value{}; m; m = m.next()) visit(m.key(scratch), m);
}

AnswerTexts::Place place_of(const Value& value, Form form = Form::kString) {
  return {.begin = value.offset(), .end = value.offset() + value.length(), .form = form};
}

void put(const Value& value, const TextAddress& to, AnswerTexts& out) {
  if (!value.is(Type::kString) || value.raw_string().empty()) return;
  out.put({.address = to, .text = out.keep(value)}, place_of(value));
}

bool is(const Value& object, std::string_view type) {
  const Value said = member(object, "type");
  return said.is(Type::kString) && said.equals(type);
}

}  // namespace

void TextReader::block(const Value& block, std::int64_t index, bool streaming, AnswerTexts& out) {
  blocks_ = std::max(blocks_, index + 1);
  if (is(block, "tool_use")) {
    const TextAddress to{0, TextChannel::kToolArguments, call_of_[index] = calls_++};
    AnswerText call{.address = to};
    if (const Value name = member(block, "name"); name.is(Type::kString)) call.tool_name = out.keep(name);
    bool told = false;
    each_member(block, [&](std::string_view key, const Value& input) {
      if (key != "input" || told) return;
      told = true;
      // A call that only begins has its arguments still to come: an empty object stands for none.
      if (!streaming || input.first()) call.text = out.raw(input);
      out.put(std::move(call), place_of(input, Form::kJson));
    });
    return;
  }
  each_member(block, [&](std::string_view key, const Value& said) {
    if (key == "text") put(said, {0, TextChannel::kText, 0}, out);
    if (key == "thinking") put(said, {0, TextChannel::kReasoning, 0}, out);
  });
}

void TextReader::delta(const Value& delta, std::int64_t index, AnswerTexts& out) {
  each_member(delta, [&](std::string_view key, const Value& said) {
    if (key == "text") put(said, {0, TextChannel::kText, 0}, out);
    if (key == "thinking") put(said, {0, TextChannel::kReasoning, 0}, out);
    // Arguments of a server's own tools are no call's.
    const auto call = call_of_.find(index);
    if (key == "partial_json" && call != call_of_.end()) put(said, {0, TextChannel::kToolArguments, call->second}, out);
  });
}

std::optional<std::int64_t> TextReader::block_of(std::uint32_t call) const noexcept {
  for (const auto& [block, number] : call_of_) {
    if (number == call) return block;
  }
  return std::nullopt;
}

bool TextReader::stop(const Value& holder, AnswerTexts& out) {
  each_member(holder, [&](std::string_view key, const Value& details) {
    if (key != "stop_details") return;
    each_member(details, [&](std::string_view name, const Value& said) {
      if (name == "explanation") put(said, {0, TextChannel::kRefusal, 0}, out);
    });
  });
  return member(holder, "stop_reason").is(Type::kString);
}

}  // namespace sluice::dialect::anthropic_parts
