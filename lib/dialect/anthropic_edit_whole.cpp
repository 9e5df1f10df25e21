// Edits whole answers of the Anthropic dialect.

#include "dialect/anthropic.hpp"
#include "dialect/anthropic_texts.hpp"
#include "dialect/excerpt.hpp"
#include "dialect/reading.hpp"

namespace sluice::dialect::anthropic_parts {
namespace {

using json::Type;
using json::Value;

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
    std::string scratch;
    std::int64_t index = 0;
    for (Value m = document->root().first(); m; m = m.next()) {
      if (m.key(scratch) != "content" || !m.is(Type::kArray)) continue;
      for (Value block = m.first(); block; block = block.next()) reader.block(block, index++, false, out);
    }
    if (reader.stop(document->root(), out)) {
      for (AnswerText& text : out.texts()) text.finishes = true;
    }
    return {};
  }

  void write(const AnswerTexts& texts, std::string& out) override { texts.write(out, 0, texts.data().size()); }

  Status add_text(const TextAddress& to, std::string_view text, AnswerTexts& answer) override {
    if (answer.append(to, text)) return {};
    // A block of its own, before the others: thinking comes first, and text may.
    const auto document = answer.parse();
    const Value content = document ? reading::member(document->root(), "content") : Value{};
    const bool sayable = to.channel == TextChannel::kText;
    if (!content.is(Type::kArray) || !sayable || to.choice != 0) return tl::unexpected(no_place(to));
    const std::size_t at = content.offset() + 1;
    answer.put({.address = to, .replacement = std::string(text)},
               {.begin = at, .end = at, .before = R"({"type":"text","text":)", .behind = "}", .alone = !content.first()});
    return {};
  }
};

}  // namespace

std::unique_ptr<AnswerEditor> make_whole_editor() { return std::make_unique<WholeEditor>(); }

}  // namespace sluice::dialect::anthropic_parts
