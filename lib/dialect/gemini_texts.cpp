// Where the texts of a candidate stand, and what tells of them beside: probabilities of its tokens, and the sources found for
// it, which quote what they are sources of.

#include "dialect/gemini_texts.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "dialect/gemini.hpp"
#include "dialect/gemini_answer.hpp"
#include "dialect/gemini_keys.hpp"

namespace sluice::dialect::gemini_parts {
namespace {

using json::Type;
using json::Value;
using Form = AnswerTexts::Form;
using Place = AnswerTexts::Place;

bool is_empty(const Value& string) noexcept { return string.length() == 2; }

Place place_of(const Value& value, Form form) { return {.begin = value.offset(), .end = value.offset() + value.length(), .form = form}; }

/// The members of an object one by one, not by name: what stands there twice, some client reads.
template <typename F>
void each_member(const Value& object, F&& visit) {
  std::string scratch;
  for (Value m = object.is(Type::kObject) ? object.first() : Value{}; m; m = m.next()) visit(m.key(scratch), m);
}

}  // namespace

bool TextReader::read(const Value& candidate, std::size_t position, AnswerTexts& out) {
  if (!candidate.is(Type::kObject)) return false;
  out_ = &out;
  choice_ = index_of(candidate, position);
  const std::size_t first_text = out.texts().size();
  std::vector<Place> nulls;
  bool finishes = false;
  each_member(candidate, [&](std::string_view key, const Value& m) {
    if (m.is(Type::kNull)) return;
    if (key == "content") {
      each_member(m, [this](std::string_view name, const Value& parts) {
        for (Value item = name == "parts" && parts.is(Type::kArray) ? parts.first() : Value{}; item; item = item.next()) part(item);
      });
    } else if (is_key(key, "finishReason")) {
      finishes = finishes || !finish_word_of(m).empty();
    } else if (is_key(key, "logprobsResult") || is_key(key, "groundingMetadata")) {
      nulls.push_back(place_of(m, Form::kNull));
      nulls.back().always = is_key(key, "groundingMetadata") && changed_.contains(choice_);
    }
  });
  for (Place& place : nulls) {
    place.first = first_text;
    place.count = out.texts().size() - first_text;
    // Places stand in the order of the bytes.
    const auto behind = std::find_if(out.places().begin(), out.places().end(), [&](const Place& other) { return other.begin > place.begin; });
    out.places().insert(behind, place);
  }
  if (finishes) {
    for (std::size_t i = first_text; i != out.texts().size(); ++i) out.texts()[i].finishes = true;
  }
  return finishes;
}

void TextReader::note_changes(const AnswerTexts& texts) {
  for (const AnswerText& text : texts.texts()) {
    if (text.changed()) changed_.insert(text.address.choice);
  }
}

void TextReader::part(const Value& value) {
  const TextChannel channel = flag(value, "thought") ? TextChannel::kReasoning : TextChannel::kText;
  each_member(value, [&](std::string_view key, const Value& m) {
    if (key == "text") {
      put(channel, m);
    } else if (is_key(key, "functionCall") && m.is(Type::kObject)) {
      call(m);
    }
  });
}

/// A call comes whole; with the option that cuts its arguments, named once and then as values with their paths.
void TextReader::call(const Value& value) {
  std::uint32_t& count = calls_[choice_];
  const Value name = member(value, "name");
  const bool begins = name.is(Type::kString) || has(value, "args");
  if (begins) ++count;
  if (count == 0) return;
  AnswerText text{.address = {choice_, TextChannel::kToolArguments, count - 1}};
  if (name.is(Type::kString)) text.tool_name = out_->keep(name);
  bool told = false;
  each_member(value, [&](std::string_view key, const Value& m) {
    if (key == "args" && !m.is(Type::kNull)) {
      text.text = m.is(Type::kString) ? out_->keep(m) : out_->raw(m);
      out_->put(std::exchange(text, {.address = text.address}), place_of(m, Form::kJson));
      told = true;
    } else if (is_key(key, "partialArgs") && m.is(Type::kArray)) {
      for (Value piece = m.first(); piece; piece = piece.next()) {
        each_member(piece, [&](std::string_view inner, const Value& said) {
          if (!is_key(inner, "stringValue") || !said.is(Type::kString) || is_empty(said)) return;
          text.text = out_->keep(said);
          out_->put(std::exchange(text, {.address = text.address}), place_of(said, Form::kString));
          told = true;
        });
      }
    }
  });
  if (told || !begins) return;
  // A call that begins without arguments is told all the same.
  const std::size_t at = value.offset() + 1;
  out_->put(std::move(text), {.begin = at, .end = at, .form = Form::kJson, .before = R"("args":)", .alone = !value.first()});
}

void TextReader::put(TextChannel channel, const Value& string) {
  if (!string.is(Type::kString) || is_empty(string)) return;
  out_->put({.address = {choice_, channel}, .text = out_->keep(string)}, place_of(string, Form::kString));
}

}  // namespace sluice::dialect::gemini_parts
