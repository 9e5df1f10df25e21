// The text of Gemini answers, read and changed in place.

#include <catch2/catch.hpp>

#include "unit/dialect/editing.hpp"

using namespace sluice;
using chat::Operation;
using dialect::gemini;
using test::AnswerText;
using test::AnswerTexts;
using test::Said;
using test::TextAddress;
using test::TextChannel;

namespace {

constexpr TextChannel kText = TextChannel::kText, kReasoning = TextChannel::kReasoning, kArguments = TextChannel::kToolArguments,
                      kRefusal = TextChannel::kRefusal;

std::unique_ptr<dialect::AnswerEditor> streamed() { return gemini().answer_editor(Operation::kChat, true); }
std::unique_ptr<dialect::AnswerEditor> whole() { return gemini().answer_editor(Operation::kChat, false); }

std::string element(std::string_view parts, std::string_view rest = {}) {
  return R"({"candidates":[{"content":{"role":"model","parts":[)" + std::string(parts) + R"(]})" + std::string(rest) + R"(}],"responseId":"r"})";
}

}  // namespace

TEST_CASE("every text of an element is read, decoded, in the channel it belongs to") {
  struct Row {
    std::string parts;
    std::vector<Said> texts;
  };
  const auto row = GENERATE(values<Row>({
      {R"({"text":"a\u0062\n"})", {{0, kText, "ab\n"}}},
      {R"({"thought":true,"text":"hm"},{"text":"a"},{"text":"b","thought":false})", {{0, kReasoning, "hm"}, {0, kText, "a"}, {0, kText, "b"}}},
      {R"({"text":""},{"text":null},{"executableCode":{"code":"c"}},3,null)", {}},
      {R"({"functionCall":{"name":"f","args":{"a": "b"}}},{"functionCall":{"name":"g"}},{"functionCall":{"name":"h","args":{}}})",
       {{0, kArguments, R"({"a": "b"})", 0, "f"}, {0, kArguments, "", 1, "g"}, {0, kArguments, "{}", 2, "h"}}},
      {R"({"functionCall":{"name":"f","willContinue":true}},{"functionCall":{"partialArgs":[{"jsonPath":"$.a","stringValue":"x"},{"jsonPath":"$.b","numberValue":1}]}})",
       {{0, kArguments, "", 0, "f"}, {0, kArguments, "x", 0}}},
  }));
  const std::string data = element(row.parts);
  INFO(data);
  for (const auto& editor : {streamed(), whole()}) {
    const AnswerTexts texts = test::read(*editor, data);
    CHECK(test::said_by(texts) == row.texts);
    CHECK(test::written(*editor, texts) == data);
  }
}

TEST_CASE("calls are numbered over all elements of a stream") {
  const auto editor = streamed();
  (void)test::read(*editor, element(R"({"functionCall":{"name":"f","args":{}}})"));
  CHECK(test::said_by(test::read(*editor, element(R"({"functionCall":{"name":"g","args":{}}})"))) == std::vector<Said>{{0, kArguments, "{}", 1, "g"}});
}

TEST_CASE("a text is changed where it stands, and what quotes it is null from then on") {
  const auto editor = streamed();
  const std::string grounding = R"(,"groundingMetadata":{"groundingSupports":[{"segment":{"text":"secret"}}]},"logprobsResult":{"a":1})";
  CHECK(test::changed(*editor, element(R"({"text":"secret"},{"functionCall":{"name":"f","args":{}}})", grounding), "{\"x\":1}") ==
        element(R"({"text":"{\"x\":1}"},{"functionCall":{"name":"f","args":{"x":1}}})", R"(,"groundingMetadata":null,"logprobsResult":null)"));
  const AnswerTexts later = test::read(*editor, element(R"({"text":"rest"})", grounding));
  CHECK(later.changed());
  CHECK(test::written(*editor, later) == element(R"({"text":"rest"})", R"(,"groundingMetadata":null,"logprobsResult":{"a":1})"));
}

TEST_CASE("arguments stay JSON while they are, and become a string when they are not") {
  const std::string call = element(R"({"functionCall":{"name":"f"}})");
  CHECK(test::changed(*whole(), call, "{\"a\":1}") == element(R"({"functionCall":{"args":{"a":1},"name":"f"}})"));
  CHECK(test::changed(*whole(), element(R"({"functionCall":{"name":"f","args":{"a":1}}})"), "no") == element(R"({"functionCall":{"name":"f","args":"no"}})"));
}

TEST_CASE("an element that ends is written as two: what was said, and why it ended") {
  const auto editor = streamed();
  const std::string data = R"({"candidates":[{"content":{"parts":[{"text":"a"}],"role":"model"},"finishReason":"STOP","index":0,"avgLogprobs":-1}],"usageMetadata":{"totalTokenCount":3},"modelVersion":"m"})";
  AnswerTexts texts = test::read(*editor, data);
  REQUIRE(texts.ends());
  REQUIRE(texts.texts()[0].finishes);
  texts.texts()[0].replacement = "b";
  std::string said, end;
  REQUIRE(editor->split(texts, said, end));
  CHECK(said == R"({"candidates":[{"content":{"parts":[{"text":"b"}],"role":"model"},"index":0}],"modelVersion":"m"})");
  CHECK(end == R"({"candidates":[{"content":{"role":"model","parts":[{"text":""}]},"finishReason":"STOP","index":0,"avgLogprobs":-1}],"usageMetadata":{"totalTokenCount":3},"modelVersion":"m"})");
  CHECK(test::read(*editor, R"({"usageMetadata":{"totalTokenCount":3}})").ends());
  CHECK(test::read(*editor, R"({"promptFeedback":{"blockReason":"SAFETY"}})").ends());
  CHECK_FALSE(test::read(*editor, element(R"({"text":"a"})")).ends());
  CHECK_FALSE(test::read(*editor, " ").ends());
}

TEST_CASE("an added element looks like the last one, and adds text or thoughts alone") {
  const auto editor = streamed();
  (void)test::read(*editor, R"({"candidates":[{"content":{"parts":[{"text":"a"}]}}],"modelVersion":"m","responseId":"r","usageMetadata":{}})");
  std::string out;
  REQUIRE(editor->add_event({.choice = 1, .channel = kText}, "x", out));
  CHECK(out == R"({"candidates":[{"content":{"role":"model","parts":[{"text":"x"}]},"index":1}],"modelVersion":"m","responseId":"r"})");
  out.clear();
  REQUIRE(editor->add_event({.channel = kReasoning}, "x", out));
  CHECK(test::said_by(test::read(*editor, out)) == std::vector<Said>{{0, kReasoning, "x"}});
  for (const TextChannel channel : {kArguments, kRefusal}) {
    const Status refused = editor->add_event({.channel = channel}, "x", out);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Code::kPluginError);
  }
}

TEST_CASE("text that was emitted at the end goes into a whole answer where one could stand") {
  const auto [candidate, added] = GENERATE(table<std::string, std::string>({
      {R"({"content":{"parts":[{"text":"a"}]}})", R"({"content":{"parts":[{"text":"a+"}]}})"},
      {R"({"content":{"parts":[]}})", R"({"content":{"parts":[{"text":"+"}]}})"},
      {R"({"content":{"parts":[{"thought":true,"text":"t"}]}})", R"({"content":{"parts":[{"text":"+"},{"thought":true,"text":"t"}]}})"},
      {R"({"content":{"role":"model"}})", R"({"content":{"parts":[{"text":"+"}],"role":"model"}})"},
      {R"({"content":{}})", R"({"content":{"parts":[{"text":"+"}]}})"},
      {R"({"finishReason":"SAFETY"})", R"({"content":{"role":"model","parts":[{"text":"+"}]},"finishReason":"SAFETY"})"},
  }));
  const auto editor = whole();
  AnswerTexts texts = test::read(*editor, R"({"candidates":[)" + candidate + "]}");
  REQUIRE(editor->add_text({.channel = kText}, "+", texts));
  CHECK(test::written(*editor, texts) == R"({"candidates":[)" + added + "]}");
  CHECK_FALSE(editor->add_text({.choice = 3}, "+", texts));
  CHECK_FALSE(editor->add_text({.channel = kRefusal}, "+", texts));
}

// DIAL-24
TEST_CASE("what cannot be read is never passed on unread") {
  AnswerTexts texts;
  for (const std::string_view data : {"[]", "x", "{\"a\":", "\xff"}) {
    CHECK_FALSE(streamed()->read(data, texts));
    CHECK_FALSE(whole()->read(data, texts));
  }
  CHECK(gemini().answer_editor(Operation::kEmbeddings, false) == nullptr);
}
