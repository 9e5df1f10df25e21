// Edits whole responses.

#include <algorithm>
#include <optional>
#include <utility>

#include "dialect/excerpt.hpp"
#include "dialect/openai_texts.hpp"
#include "dialect/reading.hpp"
#include "dialect/responses.hpp"
#include "dialect/responses_texts.hpp"

namespace sluice::dialect::responses_parts {
namespace {

using json::Type;
using json::Value;
using openai_parts::place_in;
using openai_parts::place_of;
using reading::member;
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
    std::uint32_t calls = 0;
    std::int64_t i = 0;
    for (Value item = member(document->root(), "output").first(); item; item = item.next(), ++i) {
      const std::uint32_t tool = is_call(item) ? calls++ : 0;
      each_text(item, i, [&](const TextSpot& spot) { tell(spot, tool, out); });
    }
    convenience(member(document->root(), "output_text"), out);
    std::sort(out.places().begin(), out.places().end(), [](const Place& a, const Place& b) { return a.begin < b.begin; });
    return {};
  }

  void write(const AnswerTexts& texts, std::string& out) override { texts.write(out, 0, texts.data().size()); }

  Status add_text(const TextAddress& to, std::string_view text, AnswerTexts& answer) override {
    if (answer.append(to, text)) return {};
    const auto document = answer.parse();
    const auto place = document && to.choice == 0 ? spot_in(document->root(), to.channel) : std::nullopt;
    if (!place) return tl::unexpected(no_place(to));
    answer.put({.address = to, .replacement = std::string(text)}, *place);
    return {};
  }

 private:
  static void tell(const TextSpot& spot, std::uint32_t tool, AnswerTexts& out) {
    const bool call = spot.key.channel == TextChannel::kToolArguments;
    if (!spot.text || (spot.text.is(Type::kString) && spot.text.raw_string().empty() && !call)) return;
    AnswerText text{.address = {0, spot.key.channel, tool}, .finishes = true};
    if (spot.name.is(Type::kString)) text.tool_name = out.keep(spot.name);
    const bool string = spot.text.is(Type::kString);
    text.text = string ? out.keep(spot.text) : out.raw(spot.text);
    if (spot.logprobs.first()) {
      Place place = place_of(spot.logprobs, Form::kNull);
      place.first = out.texts().size();
      place.count = 1;
      out.places().push_back(place);
    }
    out.put(std::move(text), place_of(spot.text, string ? Form::kString : Form::kJson));
  }

  /// Some servers say all text again at the root, as OpenAI's client libraries do.
  static void convenience(const Value& value, AnswerTexts& out) {
    if (!value.is(Type::kString) || value.raw_string().empty()) return;
    const auto& texts = out.texts();
    std::string all;
    std::size_t first = texts.size();
    for (std::size_t i = texts.size(); i-- > 0;) {
      if (texts[i].address.channel != TextChannel::kText) continue;
      all.insert(0, texts[i].text);
      first = i;
    }
    std::string scratch;
    if (first == texts.size() || all != value.text(scratch)) {
      out.put({.address = {}, .text = out.keep(value), .finishes = true}, place_of(value));
      return;
    }
    Place again = place_of(value);
    again.first = first;
    again.count = texts.size() - first;
    out.places().push_back(again);
  }

  /// Where a text of that channel could stand: in the first item that may have one, else in an item of its own.
  static std::optional<Place> spot_in(const Value& root, TextChannel channel) {
    const Value output = member(root, "output");
    if (!output.is(Type::kArray) || channel == TextChannel::kToolArguments) return std::nullopt;
    const bool reasoning = channel == TextChannel::kReasoning;
    for (Value item = output.first(); item; item = item.next()) {
      const Value type = member(item, "type"), list = member(item, reasoning ? "summary" : "content");
      if (!type.is(Type::kString) || !type.equals(reasoning ? "reasoning" : "message") || !list.is(Type::kArray)) continue;
      if (reasoning) return place_in(list, R"({"type":"summary_text","text":)", "}");
      if (channel == TextChannel::kRefusal) return place_in(list, R"({"type":"refusal","refusal":)", "}");
      return place_in(list, R"({"type":"output_text","annotations":[],"logprobs":[],"text":)", "}");
    }
    if (reasoning) return place_in(output, R"({"type":"reasoning","id":"rs_added","summary":[{"type":"summary_text","text":)", "}]}");
    if (channel == TextChannel::kRefusal) {
      return place_in(output, R"({"type":"message","id":"msg_added","status":"completed","role":"assistant","content":[{"type":"refusal","refusal":)", "}]}");
    }
    return place_in(output, R"({"type":"message","id":"msg_added","status":"completed","role":"assistant","content":[{"type":"output_text","annotations":[],"logprobs":[],"text":)", "}]}");
  }
};

}  // namespace

std::unique_ptr<AnswerEditor> make_whole_editor() { return std::make_unique<WholeEditor>(); }

}  // namespace sluice::dialect::responses_parts
