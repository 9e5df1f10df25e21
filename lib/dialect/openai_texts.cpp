// Where the texts of a choice stand, and what tells of them beside.
//
// Servers say things twice: `reasoning` beside `reasoning_content`, both beside `reasoning_details` (OpenRouter), `text`
// beside a chat delta (Together), the `message` so far beside the delta (Perplexity). A text read twice would be no text
// any more ("4111" as "41114111"), and one changed in one place would still stand in the other.

#include "dialect/openai_texts.hpp"

#include <utility>

#include "dialect/openai_answer.hpp"
#include "dialect/reading.hpp"

namespace sluice::dialect::openai_parts {
namespace {

using json::Type;
using json::Value;
using reading::member;
using Form = AnswerTexts::Form;
using Place = AnswerTexts::Place;

bool is_empty(const Value& string) noexcept { return string.length() == 2; }

/// The members of an object one by one, not by name: what stands there twice, some client reads.
template <typename F>
void each_member(const Value& object, F&& visit) {
  std::string scratch;
  for (Value m = object.is(Type::kObject) ? object.first() : Value{}; m; m = m.next()) visit(m.key(scratch), m);
}

/// The strings `reasoning_details` say: text, or a summary of it.
template <typename F>
void each_detail(const Value& list, F&& visit) {
  for (Value detail = list.is(Type::kArray) ? list.first() : Value{}; detail; detail = detail.next()) {
    each_member(detail, [&](std::string_view key, const Value& said) {
      if ((key == "text" || key == "summary") && said.is(Type::kString) && !is_empty(said)) visit(said);
    });
  }
}

}  // namespace

Place place_of(const Value& value, Form form) { return {.begin = value.offset(), .end = value.offset() + value.length(), .form = form}; }

Place place_in(const Value& container, std::string_view before, std::string_view behind) {
  const std::size_t at = container.offset() + 1;
  return {.begin = at, .end = at, .before = before, .behind = behind, .alone = !container.first()};
}

bool TextReader::read(const Value& item, std::size_t position, AnswerTexts& out) {
  if (!item.is(Type::kObject)) return false;
  out_ = &out;
  choice_ = index_of(item, position);
  first_.fill(kNoText);
  plain_ = true;
  const std::size_t first_text = out.texts().size(), first_place = out.places().size();
  // Where the text stands; where only the other of the two is there, in that one.
  const std::string_view own = streaming_ ? "delta" : "message", other = streaming_ ? "message" : "delta";
  const bool has_own = member(item, own).is(Type::kObject);
  bool finishes = false;
  each_member(item, [&](std::string_view key, const Value& m) {
    if (m.is(Type::kNull)) return;
    if (key == own || (key == other && !has_own)) {
      if (m.is(Type::kObject)) holder(m);
    } else if (key == other) {
      null_later(m, changed_.contains(choice_));
    } else if (key == "text") {
      string(TextChannel::kText, m);
    } else if (key == "finish_reason") {
      finishes = finishes || (m.is(Type::kString) && !is_empty(m));
    } else if (key == "logprobs" || key == "token_ids") {
      null_later(m);
    }
  });
  const std::size_t count = out.texts().size() - first_text;
  for (std::size_t i = first_place; i != out.places().size(); ++i) {
    Place& place = out.places()[i];
    if (place.form == Form::kNull) place.first = first_text, place.count = count;
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

const ToolCalls* TextReader::calls_of(std::uint32_t choice) const noexcept {
  const auto found = calls_.find(choice);
  return found == calls_.end() ? nullptr : &found->second;
}

/// A delta or a message.
void TextReader::holder(const Value& object) {
  each_member(object, [this](std::string_view key, const Value& m) {
    if (m.is(Type::kNull)) return;
    if (key == "content") {
      content(m);
    } else if (key == "reasoning_content") {
      thought(m, Thinking::kReasoningContent);
    } else if (key == "reasoning") {
      thought(m, Thinking::kReasoning);
    } else if (key == "reasoning_details") {
      details(m);
    } else if (key == "refusal") {
      string(TextChannel::kRefusal, m);
    } else if (key == "tool_calls") {
      for (Value item = m.is(Type::kArray) ? m.first() : Value{}; item; item = item.next()) call(item);
    } else if (key == "function_call") {
      if (m.is(Type::kObject)) legacy_call(m);
    } else if (key == "token_id") {
      null_later(m);
    }
  });
}

/// A string, or a list of typed parts.
void TextReader::content(const Value& value) {
  if (value.is(Type::kString)) return string(TextChannel::kText, value);
  for (Value item = value.is(Type::kArray) ? value.first() : Value{}; item; item = item.next()) part(item);
}

void TextReader::part(const Value& item) {
  if (item.is(Type::kString)) return put(TextChannel::kText, item);
  each_member(item, [this](std::string_view key, const Value& m) {
    if (key == "text") {
      put(TextChannel::kText, m);
    } else if (key == "refusal") {
      put(TextChannel::kRefusal, m);
    } else if (key == "thinking") {
      // Mistral: a string, or a list of parts again.
      thinking_ = Thinking::kContentPart;
      put(TextChannel::kReasoning, m);
      for (Value run = m.is(Type::kArray) ? m.first() : Value{}; run; run = run.next()) {
        each_member(run, [this](std::string_view name, const Value& said) {
          if (name == "text") put(TextChannel::kReasoning, said);
        });
      }
    }
  });
}

void TextReader::thought(const Value& value, Thinking form) {
  if (!value.is(Type::kString) || is_empty(value)) return;
  // The first that says it, but a string rather than a list.
  if (first_of(TextChannel::kReasoning) == kNoText || thinking_ == Thinking::kDetails) thinking_ = form;
  string(TextChannel::kReasoning, value);
}

/// A list that comes beside the string it adds up to says it again; else each entry is a text.
void TextReader::details(const Value& list) {
  std::string all;
  each_detail(list, [&](const Value& said) { all += said.text(scratch_); });
  const bool again = says(TextChannel::kReasoning, all);
  Form form = Form::kString;
  each_detail(list, [&](const Value& said) {
    if (again) return put_again(TextChannel::kReasoning, said, std::exchange(form, Form::kEmpty));
    if (first_of(TextChannel::kReasoning) == kNoText) thinking_ = Thinking::kDetails;
    put(TextChannel::kReasoning, said);
  });
}

void TextReader::call(const Value& item) {
  const bool custom = member(item, "custom").is(Type::kObject);
  const Value id = member(item, "id"), name = member(member(item, custom ? "custom" : "function"), "name");
  const std::string_view id_text = id.is(Type::kString) ? id.text(scratch_) : std::string_view{};
  const auto wire_index = reading::integer(member(item, "index"));
  const CallShape shape = custom ? CallShape::kCustom : CallShape::kFunction;
  ToolCalls& calls = calls_[choice_];
  const ToolCalls::Joined joined = streaming_ ? calls.join(id_text, wire_index, name.is(Type::kString) && !is_empty(name), shape)
                                              : ToolCalls::Joined{calls.begin(id_text, wire_index, shape), true};
  begin_call(joined, name);
  each_member(item, [this](std::string_view key, const Value& function) {
    if (key == "function") arguments(function, "arguments");
    if (key == "custom") arguments(function, "input");
  });
  end_call(item.is(Type::kObject) ? std::optional(place_in(item, R"("function":{"arguments":)", "}")) : std::nullopt);
}

void TextReader::legacy_call(const Value& item) {
  begin_call(calls_[choice_].join_legacy(), member(item, "name"));
  arguments(item, "arguments");
  end_call(std::nullopt);
}

void TextReader::begin_call(const ToolCalls::Joined& joined, const Value& name) {
  call_ = {.address = {choice_, TextChannel::kToolArguments, joined.index}};
  if (joined.begins && name.is(Type::kString)) call_.tool_name = out_->keep(name);
  call_untold_ = joined.begins;
  if (joined.begins) plain_ = false;
  empty_.reset();
}

/// What `key` of the function says, or where it could say something.
void TextReader::arguments(const Value& function, std::string_view key) {
  if (!function.is(Type::kObject)) return;
  if (!empty_) empty_ = place_in(function, key == "input" ? R"("input":)" : R"("arguments":)");
  each_member(function, [&](std::string_view name, const Value& value) {
    if (name != key) return;
    if (value.is(Type::kNull) || (value.is(Type::kString) && is_empty(value))) {
      empty_ = place_of(value);
      return;
    }
    // Some servers send the object itself.
    const bool string = value.is(Type::kString);
    call_.text = string ? out_->keep(value) : out_->raw(value);
    out_->put(std::exchange(call_, {.address = call_.address}), place_of(value, string ? Form::kString : Form::kJson));
    call_untold_ = false;
  });
}

/// A call that begins without arguments is told all the same.
void TextReader::end_call(const std::optional<Place>& otherwise) {
  const std::optional<Place>& place = empty_ ? empty_ : otherwise;
  if (call_untold_ && place) out_->put(std::exchange(call_, {}), *place);
}

/// A member that is one string.
void TextReader::string(TextChannel channel, const Value& value) {
  if (!value.is(Type::kString) || is_empty(value)) return;
  if (first_of(channel) != kNoText && says(channel, value.text(scratch_))) {
    put_again(channel, value, Form::kString);
  } else {
    put(channel, value);
  }
}

void TextReader::put(TextChannel channel, const Value& value) {
  if (!value.is(Type::kString) || is_empty(value)) return;
  if (first_of(channel) == kNoText) first_of(channel) = out_->texts().size();
  out_->put({.address = {choice_, channel, 0}, .text = out_->keep(value)}, place_of(value));
}

/// True where the choice's texts of that channel, as far as they were read, are `all`.
bool TextReader::says(TextChannel channel, std::string_view all) const {
  const auto& texts = out_->texts();
  if (first_of(channel) == kNoText) return false;
  for (std::size_t i = first_of(channel); i != texts.size(); ++i) {
    if (texts[i].address.channel != channel) continue;
    if (!all.starts_with(texts[i].text)) return false;
    all.remove_prefix(texts[i].text.size());
  }
  return all.empty();
}

/// One more place of what the choice's texts of that channel say.
void TextReader::put_again(TextChannel channel, const Value& value, Form form) {
  Place place = place_of(value, form);
  place.first = first_of(channel);
  place.count = out_->texts().size() - place.first;
  plain_ = false;
  out_->places().push_back(place);
}

/// What tells a choice's texts in other words: null, once one of them is changed.
void TextReader::null_later(const Value& value, bool always) {
  Place place = place_of(value, Form::kNull);
  place.always = always;
  plain_ = false;
  out_->places().push_back(place);
}

}  // namespace sluice::dialect::openai_parts
