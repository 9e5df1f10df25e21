// Edits whole answers of the OpenAI dialect.

#include <optional>

#include "dialect/excerpt.hpp"
#include "dialect/openai.hpp"
#include "dialect/openai_answer.hpp"
#include "dialect/openai_texts.hpp"
#include "dialect/reading.hpp"

namespace sluice::dialect::openai_parts {
namespace {

using json::Type;
using json::Value;
using Form = AnswerTexts::Form;
using Place = AnswerTexts::Place;

class WholeEditor final : public AnswerEditor {
 public:
  explicit WholeEditor(Operation operation) : operation_(operation) {}

  Status read(std::string_view data, AnswerTexts& out) override {
    out.take(data);
    const auto document = out.parse();
    if (!document || !document->root().is(Type::kObject)) {
      return fail(Code::kUpstreamInvalidAnswer, "the upstream's answer is no JSON object" +
                  (document ? std::string() : " (" + document.error().message + ")") + "; it begins with \"" + excerpt(data, 80) + "\"");
    }
    TextReader reader(false);
    each_choice(document->root(), [&](const Value& item, std::size_t position) { (void)reader.read(item, position, out); });
    return {};
  }

  void write(const AnswerTexts& texts, std::string& out) override { texts.write(out, 0, texts.data().size()); }

  Status add_text(const TextAddress& to, std::string_view text, AnswerTexts& answer) override {
    if (answer.append(to, text)) return {};
    const auto document = answer.parse();
    bool put = false;
    if (document) {
      each_choice(document->root(), [&](const Value& item, std::size_t position) {
        if (put || !item.is(Type::kObject) || index_of(item, position) != to.choice) return;
        const auto spot = spot_in(item, to.channel);
        if (!spot) return;
        answer.put({.address = to, .replacement = std::string(text)}, *spot);
        put = true;
        // What told the choice's texts in other words tells too little now.
        for (Place& place : answer.places()) {
          const bool inside = place.begin >= item.offset() && place.end <= item.offset() + item.length();
          if (inside && place.form == Form::kNull) place.always = true;
        }
      });
    }
    if (!put) return tl::unexpected(no_place(to));
    return {};
  }

 private:
  template <typename F>
  static void each_choice(const Value& root, F&& visit) {
    std::string scratch;
    for (Value m = root.is(Type::kObject) ? root.first() : Value{}; m; m = m.next()) {
      if (m.key(scratch) != "choices" || !m.is(Type::kArray)) continue;
      std::size_t position = 0;
      for (Value item = m.first(); item; item = item.next(), ++position) visit(item, position);
    }
  }

  static Value last_member(const Value& object, std::string_view key) {
    Value found;
    std::string scratch;
    for (Value m = object.is(Type::kObject) ? object.first() : Value{}; m; m = m.next()) {
      if (m.key(scratch) == key) found = m;
    }
    return found;
  }

  /// Where a text of that channel could stand in a choice.
  [[nodiscard]] std::optional<Place> spot_in(const Value& item, TextChannel channel) const {
    const bool completion = operation_ == Operation::kCompletions;
    if (completion && channel != TextChannel::kText) return std::nullopt;
    const Value object = completion ? item : reading::member(item, "message");
    if (!object.is(Type::kObject)) return std::nullopt;
    switch (channel) {
      case TextChannel::kText:
        if (completion) return spot_at(object, last_member(object, "text"), R"("text":)");
        if (const Value list = last_member(object, "content"); list.is(Type::kArray)) {
          return place_in(list, R"({"type":"text","text":)", "}");
        }
        return spot_at(object, last_member(object, "content"), R"("content":)");
      case TextChannel::kRefusal: return spot_at(object, last_member(object, "refusal"), R"("refusal":)");
      case TextChannel::kReasoning: {
        const Value reasoning = last_member(object, "reasoning");
        return spot_at(object, reasoning ? reasoning : last_member(object, "reasoning_content"), R"("reasoning_content":)");
      }
      case TextChannel::kToolArguments: break;
    }
    return std::nullopt;
  }

  static std::optional<Place> spot_at(const Value& object, const Value& value, std::string_view key) {
    if (!value) return place_in(object, key);
    if (value.is(Type::kNull) || value.is(Type::kString)) return place_of(value);
    return std::nullopt;
  }

  const Operation operation_;
};

}  // namespace

std::unique_ptr<AnswerEditor> make_whole_editor(Operation operation) { return std::make_unique<WholeEditor>(operation); }

}  // namespace sluice::dialect::openai_parts
