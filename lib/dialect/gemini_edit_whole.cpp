// Edits whole answers of the Gemini dialect.

#include <optional>

#include "dialect/excerpt.hpp"
#include "dialect/gemini.hpp"
#include "dialect/gemini_answer.hpp"
#include "dialect/gemini_keys.hpp"
#include "dialect/gemini_texts.hpp"

namespace sluice::dialect::gemini_parts {
namespace {

using json::Type;
using json::Value;
using Form = AnswerTexts::Form;
using Place = AnswerTexts::Place;

class WholeEditor final : public AnswerEditor {
 public:
  Status read(std::string_view data, AnswerTexts& out) override {
    out.take(data);
    const auto document = out.parse();
    if (!document || !document->root().is(Type::kObject)) {
      return fail(Code::kUpstreamInvalidAnswer, "the upstream's answer is no JSON object" +
                  (document ? std::string() : " (" + document.error().message + ")") + "; it begins with \"" + excerpt(data, 80) + "\"");
    }
    TextReader reader;
    each_candidate(document->root(), [&](const Value& item, std::size_t position) { (void)reader.read(item, position, out); });
    return {};
  }

  void write(const AnswerTexts& texts, std::string& out) override { texts.write(out, 0, texts.data().size()); }

  Status add_text(const TextAddress& to, std::string_view text, AnswerTexts& answer) override {
    if (answer.append(to, text)) return {};
    if (to.channel != TextChannel::kText && to.channel != TextChannel::kReasoning) return tl::unexpected(no_place(to));
    const auto document = answer.parse();
    bool put = false;
    if (document) {
      each_candidate(document->root(), [&](const Value& item, std::size_t position) {
        if (put || !item.is(Type::kObject) || index_of(item, position) != to.choice) return;
        answer.put({.address = to, .replacement = std::string(text)}, spot_in(item, to.channel));
        put = true;
        // What told the candidate's texts in other words tells too little now.
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
  static void each_candidate(const Value& root, F&& visit) {
    std::string scratch;
    for (Value m = root.is(Type::kObject) ? root.first() : Value{}; m; m = m.next()) {
      if (m.key(scratch) != "candidates" || !m.is(Type::kArray)) continue;
      std::size_t position = 0;
      for (Value item = m.first(); item; item = item.next(), ++position) visit(item, position);
    }
  }

  /// A part of its own, first in the list: where one stands, or with the list, or with the content.
  static Place spot_in(const Value& candidate, TextChannel channel) {
    const bool thought = channel == TextChannel::kReasoning;
    const Value content = member(candidate, "content"), parts = member(content, "parts");
    if (parts.is(Type::kArray)) {
      return thought ? inside(parts, R"({"thought":true,"text":)", "}") : inside(parts, R"({"text":)", "}");
    }
    if (content.is(Type::kObject)) {
      return thought ? inside(content, R"("parts":[{"thought":true,"text":)", "}]") : inside(content, R"("parts":[{"text":)", "}]");
    }
    return thought ? inside(candidate, R"("content":{"role":"model","parts":[{"thought":true,"text":)", "}]}")
                   : inside(candidate, R"("content":{"role":"model","parts":[{"text":)", "}]}");
  }

  static Place inside(const Value& container, std::string_view before, std::string_view behind) {
    const std::size_t at = container.offset() + 1;
    return {.begin = at, .end = at, .before = before, .behind = behind, .alone = !container.first()};
  }
};

}  // namespace

std::unique_ptr<AnswerEditor> make_whole_editor() { return std::make_unique<WholeEditor>(); }

}  // namespace sluice::dialect::gemini_parts
