// An answer editor takes whatever an upstream sends: what nobody changes leaves as it came, what is changed is JSON that
// says exactly what it was changed to, and what is no JSON is refused. (STREAM-16, GUARD-07)
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "dialect/dialect.hpp"
#include "fuzz/check.hpp"

namespace {

using namespace sluice;
using dialect::AnswerEditor;
using dialect::AnswerText;
using dialect::AnswerTexts;
using dialect::TextChannel;

using Told = std::map<std::tuple<std::uint32_t, TextChannel, std::uint32_t>, std::string>;

Told told_by(const AnswerTexts& texts) {
  Told told;
  for (const AnswerText& text : texts.texts()) {
    told[{text.address.choice, text.address.channel, text.address.tool_index}] += text.final_text();
  }
  return told;
}

AnswerTexts read_anew(const dialect::Dialect& spoken, dialect::Operation operation, bool streaming, std::string_view data) {
  AnswerTexts texts;
  FUZZ_CHECK(spoken.answer_editor(operation, streaming)->read(data, texts));
  return texts;
}

// Texts that no text of the input equals, one a call.
std::string another() {
  static std::size_t n = 0;
  return "<\xe2\x80\xa8" + std::to_string(++n) + "\"\\\n\x01>";
}

void as_it_came(AnswerEditor& editor, const AnswerTexts& texts, std::string_view data) {
  if (texts.changed()) return;  // an earlier event's change reaches into this one
  std::string same;
  editor.write(texts, same);
  FUZZ_CHECK(same == data);
}

// What an editor makes of an event does not depend on the events before it, but for the calls these began.
void same_as_anew(const dialect::Dialect& spoken, dialect::Operation operation, std::string_view line, const Status& status, const AnswerTexts& texts) {
  AnswerTexts anew;
  FUZZ_CHECK(spoken.answer_editor(operation, true)->read(line, anew).has_value() == status.has_value());
  if (!status) return;
  FUZZ_CHECK(anew.ends() == texts.ends());
  std::vector<std::string> said, said_anew;
  for (const AnswerText& text : texts.texts()) {
    if (!text.text.empty()) said.emplace_back(text.text);
  }
  for (const AnswerText& text : anew.texts()) {
    if (!text.text.empty()) said_anew.emplace_back(text.text);
  }
  FUZZ_CHECK(said == said_anew);
}

// Each text changed alone, then all of them.
void change(const dialect::Dialect& spoken, dialect::Operation operation, bool streaming, std::string_view data) {
  const auto editor = spoken.answer_editor(operation, streaming);
  AnswerTexts texts;
  if (!editor->read(data, texts)) return;
  as_it_came(*editor, texts, data);
  const std::size_t count = texts.texts().size();
  for (std::size_t i = 0; i <= count && i <= 64; ++i) {
    for (std::size_t j = 0; j != count; ++j) texts.texts()[j].replacement.reset();
    for (std::size_t j = i == count ? 0 : i; j < (i == count ? count : i + 1); ++j) texts.texts()[j].replacement = another();
    std::string changed;
    spoken.answer_editor(operation, streaming)->write(texts, changed);
    if (!texts.changed()) continue;
    const AnswerTexts again = read_anew(spoken, operation, streaming, changed);
    FUZZ_CHECK(again.ends() == texts.ends());
    if (i == count) FUZZ_CHECK(told_by(again) == told_by(texts));
  }
  if (!streaming || !texts.ends() || texts.texts().empty()) return;
  std::string said, end;
  FUZZ_CHECK(editor->split(texts, said, end));
  const AnswerTexts first = read_anew(spoken, operation, true, said), second = read_anew(spoken, operation, true, end);
  FUZZ_CHECK(!first.ends() && second.ends() && second.texts().empty());
  FUZZ_CHECK(told_by(first) == told_by(texts));
}

void add_to_stream(const dialect::Dialect& spoken, dialect::Operation operation, AnswerEditor& editor, const AnswerTexts& texts) {
  for (const AnswerText& text : texts.texts()) {
    std::string added;
    const std::string more = another();
    if (!editor.add_event(text.address, more, added)) continue;
    const AnswerTexts again = read_anew(spoken, operation, true, added);
    FUZZ_CHECK(!again.ends() && again.texts().size() == 1);
    FUZZ_CHECK(again.texts()[0].text == more && again.texts()[0].address.channel == text.address.channel);
  }
}

void add_to_whole(const dialect::Dialect& spoken, dialect::Operation operation, std::string_view data) {
  const auto editor = spoken.answer_editor(operation, false);
  AnswerTexts texts;
  if (!editor->read(data, texts)) return;
  for (std::uint32_t choice = 0; choice != 3; ++choice) {
    for (const TextChannel channel : {TextChannel::kText, TextChannel::kReasoning, TextChannel::kToolArguments, TextChannel::kRefusal}) {
      (void)editor->add_text({choice, channel, 0}, another(), texts);
    }
  }
  std::string changed;
  editor->write(texts, changed);
  FUZZ_CHECK(told_by(read_anew(spoken, operation, false, changed)) == told_by(texts));
}

/// Dialects whose events mean nothing without those before them: what is no text leaves as it came, what is changed is JSON.
void with_memory(std::uint8_t choice, std::string_view input) {
  static const auto names = dialect::dialect_names();
  const dialect::Dialect& spoken = *dialect::find_dialect(names[choice / 2 % names.size()]);
  const bool streaming = choice % 2 == 0;
  const auto editor = spoken.answer_editor(dialect::Operation::kChat, streaming);
  if (!editor) return;
  AnswerTexts texts;
  while (!input.empty()) {
    const std::string_view line = streaming ? input.substr(0, input.find('\n')) : input;
    input.remove_prefix(std::min(line.size() + 1, input.size()));
    if (!editor->read(line, texts)) return;
    as_it_came(*editor, texts, line);
    for (AnswerText& text : texts.texts()) text.replacement = another();
    std::string changed, said, end, added;
    editor->write(texts, changed);
    if (json::Document::parse(Body::copy(line))) FUZZ_CHECK(json::Document::parse(Body::copy(changed)));
    if (!streaming) {
      (void)editor->add_text({0, TextChannel::kText, 0}, another(), texts);
      return;
    }
    if (texts.ends() && !texts.texts().empty()) (void)editor->split(texts, said, end);
    if (editor->add_event({0, TextChannel::kText, 0}, another(), added)) FUZZ_CHECK(json::Document::parse(Body::copy(added)));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto input = fuzz::text(data, size);
  const auto choice = fuzz::take(input);
  if (choice >= 128) {
    with_memory(choice, input);
    return 0;
  }
  const dialect::Dialect& spoken = dialect::openai();
  const auto operation = choice % 2 == 0 ? dialect::Operation::kChat : dialect::Operation::kCompletions;
  if (choice / 2 % 2 == 1) {
    change(spoken, operation, false, input);
    add_to_whole(spoken, operation, input);
    return 0;
  }
  // Each line is the data of one event.
  const auto editor = spoken.answer_editor(operation, true);
  AnswerTexts texts;
  while (!input.empty()) {
    const std::string_view line = input.substr(0, input.find('\n'));
    input.remove_prefix(std::min(line.size() + 1, input.size()));
    const Status status = editor->read(line, texts);
    same_as_anew(spoken, operation, line, status, texts);
    const auto document = json::Document::parse(Body::copy(line));
    if (document && document->root().is(json::Type::kObject)) FUZZ_CHECK(status);
    if (!status) {
      FUZZ_CHECK(status.error().code == Code::kUpstreamInvalidAnswer);
      break;
    }
    as_it_came(*editor, texts, line);
    add_to_stream(spoken, operation, *editor, texts);
    change(spoken, operation, true, line);
  }
  return 0;
}
