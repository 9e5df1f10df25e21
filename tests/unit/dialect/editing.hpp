#pragma once
/// What tests of answer editors share: texts as they are compared, and changes made by rule.

#include <map>
#include <ostream>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "json/writer.hpp"
#include "unit/dialect/wire.hpp"

namespace sluice::test {

using dialect::AnswerText;
using dialect::AnswerTexts;
using dialect::TextAddress;
using dialect::TextChannel;

/// One text, short enough for a row of a table.
struct Said {
  std::uint32_t choice = 0;
  TextChannel channel = TextChannel::kText;
  std::string text = {};
  std::uint32_t tool = 0;
  std::string name = {};
  friend bool operator==(const Said&, const Said&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Said& said) {
    return out << said.choice << "/" << static_cast<int>(said.channel) << "/" << said.tool << " " << said.name << " '" << said.text << "'";
  }
};

inline std::vector<Said> said_by(const AnswerTexts& texts) {
  std::vector<Said> out;
  for (const AnswerText& text : texts.texts()) {
    out.push_back({text.address.choice, text.address.channel, std::string(text.text), text.address.tool_index, std::string(text.tool_name)});
  }
  return out;
}

inline AnswerTexts read(dialect::AnswerEditor& editor, std::string_view data) {
  AnswerTexts texts;
  const Status status = editor.read(data, texts);
  INFO(data);
  if (!status) FAIL(status.error().message);
  return texts;
}

/// Reads the data of an event and gives it to the caller as it came.
inline void give(dialect::AnswerEditor& editor, std::string_view data) { editor.gave(read(editor, data)); }

/// The end of a stream that a filter breaks off, or a failure; empty where the dialect's encoder has to write it.
inline std::string early_end(dialect::AnswerEditor& editor, bool filtered = true, const chat::Usage& usage = {}, http::Framing framing = http::Framing::kSse) {
  const Error error = make_error(filtered ? Code::kConsumerNotAllowed : Code::kPluginError, "not to be said");
  std::string out;
  const bool told = editor.end_early({.error = error, .filtered = filtered, .usage = usage, .framing = framing}, out);
  CHECK(told != out.empty());
  return out;
}

inline std::string written(dialect::AnswerEditor& editor, const AnswerTexts& texts) {
  std::string out;
  editor.write(texts, out);
  return out;
}

inline std::unique_ptr<dialect::AnswerEditor> stream_editor(chat::Operation operation = chat::Operation::kChat) {
  return dialect::openai().answer_editor(operation, true);
}
inline std::unique_ptr<dialect::AnswerEditor> whole_editor(chat::Operation operation = chat::Operation::kChat) {
  return dialect::openai().answer_editor(operation, false);
}

/// `data` with every text replaced.
inline std::string changed(dialect::AnswerEditor& editor, std::string_view data, std::string_view replacement) {
  AnswerTexts texts = read(editor, data);
  for (AnswerText& text : texts.texts()) text.replacement = replacement;
  return written(editor, texts);
}

/// Every text an answer adds up to, by what it belongs to.
using Told = std::map<std::tuple<std::uint32_t, TextChannel, std::uint32_t>, std::string>;

/// What the decoder makes of a stream's events.
inline Told told_by_decoder(const std::vector<std::string>& events, chat::Operation operation = chat::Operation::kChat) {
  const auto decoder = dialect::openai().delta_decoder({operation});
  Told told;
  for (const std::string& event : events) {
    std::vector<chat::Delta> deltas;
    INFO(event);
    if (const Status status = decoder->on_event({}, event, deltas); !status) FAIL(status.error().message);
    for (const chat::Delta& delta : deltas) {
      if (const auto* text = delta.as<chat::TextDelta>()) told[{delta.choice, TextChannel::kText, 0}] += text->text;
      if (const auto* thought = delta.as<chat::ThinkingDelta>()) told[{delta.choice, TextChannel::kReasoning, 0}] += thought->text;
      if (const auto* refusal = delta.as<chat::RefusalDelta>()) told[{delta.choice, TextChannel::kRefusal, 0}] += refusal->text;
      if (const auto* call = delta.as<chat::ToolCallStart>()) told[{delta.choice, TextChannel::kToolArguments, call->index}] += call->name + "(";
      if (const auto* call = delta.as<chat::ToolCallDelta>()) told[{delta.choice, TextChannel::kToolArguments, call->index}] += call->arguments;
    }
  }
  return told;
}

/// The same of an editor's texts, as they are to be.
inline void tell(const AnswerTexts& texts, Told& told) {
  for (const AnswerText& text : texts.texts()) {
    std::string& all = told[{text.address.choice, text.address.channel, text.address.tool_index}];
    if (text.address.channel == TextChannel::kToolArguments && all.empty()) all = std::string(text.tool_name) + "(";
    all += text.final_text();
  }
}

}  // namespace sluice::test
