// The text of whole OpenAI answers, read and changed in place.

#include <catch2/catch.hpp>

#include "unit/dialect/editing.hpp"

using namespace sluice;
using chat::Operation;
using test::AnswerText;
using test::AnswerTexts;
using test::Said;
using test::TextChannel;

namespace {

constexpr TextChannel kText = TextChannel::kText, kReasoning = TextChannel::kReasoning, kArguments = TextChannel::kToolArguments,
                      kRefusal = TextChannel::kRefusal;

std::string answer(std::string_view message, std::string_view rest = R"(,"logprobs":null,"finish_reason":"stop")") {
  return R"({"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":)" + std::string(message) +
         std::string(rest) + R"(}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}})";
}

std::vector<Said> texts_of(std::string_view data) { return test::said_by(test::read(*test::whole_editor(), data)); }

std::string added(std::string_view data, const dialect::TextAddress& to, Operation operation = Operation::kChat) {
  const auto editor = test::whole_editor(operation);
  AnswerTexts texts = test::read(*editor, data);
  REQUIRE(editor->add_text(to, "+", texts));
  const std::string out = test::written(*editor, texts);
  (void)test::parsed(out);
  return out;
}

}  // namespace

TEST_CASE("every text of a message is read") {
  struct Row {
    std::string message;
    std::vector<Said> texts;
  };
  const auto row = GENERATE(values<Row>({
      {R"({"role":"assistant","content":"Hi\n","refusal":null})", {{0, kText, "Hi\n"}}},
      {R"({"content":null,"refusal":"No"})", {{0, kRefusal, "No"}}},
      {R"({"content":"x","reasoning_content":"a"})", {{0, kText, "x"}, {0, kReasoning, "a"}}},
      {R"({"reasoning":"a","reasoning_details":[{"type":"reasoning.text","text":"a"}],"content":"x"})", {{0, kReasoning, "a"}, {0, kText, "x"}}},
      {R"({"content":[{"type":"thinking","thinking":[{"type":"text","text":"a"}]},{"type":"text","text":"b"},{"type":"text","text":"c"}]})",
       {{0, kReasoning, "a"}, {0, kText, "b"}, {0, kText, "c"}}},
      {R"({"content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"2","type":"custom","custom":{"name":"g","input":"i"}}]})",
       {{0, kArguments, "{}", 0, "f"}, {0, kArguments, "i", 1, "g"}}},
      // A call is a call here, whatever ids a server gives.
      {R"({"tool_calls":[{"id":"0","function":{"name":"f","arguments":"1"}},{"id":"0","function":{"name":"f","arguments":{"a":2}}},{"function":{"arguments":""}}]})",
       {{0, kArguments, "1", 0, "f"}, {0, kArguments, R"({"a":2})", 1, "f"}, {0, kArguments, "", 2}}},
      {R"({"content":null,"function_call":{"name":"f","arguments":"{}"}})", {{0, kArguments, "{}", 0, "f"}}},
      {R"({"content":"","annotations":[{"type":"url_citation","url_citation":{"title":"t"}}],"audio":{"transcript":"a"}})", {}},
  }));
  INFO(row.message);
  CHECK(texts_of(answer(row.message)) == row.texts);
}

TEST_CASE("a whole answer nobody changes is written as it came") {
  for (const std::string& data : {answer(R"({"content":"a\u0062 \/ \ud83d"})"), "\n \n" + answer("null") + " \n", std::string(R"({"error":{"message":"m"}})"),
                                  std::string("{}"), std::string(R"({"choices":[null]})")}) {
    const auto editor = test::whole_editor();
    AnswerTexts texts = test::read(*editor, data);
    CHECK_FALSE(texts.ends());
    CHECK_FALSE(texts.changed());
    CHECK(test::written(*editor, texts) == data);
  }
}

TEST_CASE("a change to a whole answer touches its own JSON string and no other byte") {
  const std::string message = R"({"reasoning_content":"one", "content" : "two","tool_calls":[{"id":"1","function":{"name":"f","arguments":"three"}}],"refusal":"four"})";
  const std::string data = answer(message);
  for (std::size_t i = 0; i != 4; ++i) {
    const auto editor = test::whole_editor();
    AnswerTexts texts = test::read(*editor, data);
    REQUIRE(texts.texts().size() == 4);
    const std::string old = json::quoted(texts.texts()[i].text);
    texts.texts()[i].replacement = "a \"b\"\n";
    std::string expected = data;
    expected.replace(expected.find(old), old.size(), R"("a \"b\"\n")");
    CHECK(test::written(*editor, texts) == expected);
  }
}

// GUARD-11
TEST_CASE("a whole answer's logprobs go where its choice's text has changed") {
  const std::string logprobs = R"(,"logprobs":{"content":[{"token":"a","logprob":-1,"bytes":[97],"top_logprobs":[{"token":"b","logprob":-2,"bytes":[98]}]}]},"finish_reason":"stop")";
  CHECK(test::changed(*test::whole_editor(), answer(R"({"content":"a"})", logprobs), "x") == answer(R"({"content":"x"})"));
  CHECK(test::changed(*test::whole_editor(), answer(R"({"content":""})", logprobs), "x") == answer(R"({"content":""})", logprobs));
  const std::string completion = R"({"choices":[{"index":0,"text":"a","logprobs":{"tokens":["a"],"text_offset":[0]}},{"index":1,"text":"b","logprobs":{"tokens":["b"]}}]})";
  const auto editor = test::whole_editor(Operation::kCompletions);
  AnswerTexts texts = test::read(*editor, completion);
  texts.texts()[1].replacement = "x";
  CHECK(test::written(*editor, texts) == R"({"choices":[{"index":0,"text":"a","logprobs":{"tokens":["a"],"text_offset":[0]}},{"index":1,"text":"x","logprobs":null}]})");
}

// PLUG-23
TEST_CASE("text emitted at the end of a whole answer finds its place") {
  struct Row {
    std::string message;
    TextChannel channel;
    std::string changed;
  };
  const auto row = GENERATE(values<Row>({
      {R"({"content":"a"})", kText, R"({"content":"a+"})"},
      {R"({"content":""})", kText, R"({"content":"+"})"},
      {R"({"role":"assistant","content":null})", kText, R"({"role":"assistant","content":"+"})"},
      {R"({"role":"assistant"})", kText, R"({"content":"+","role":"assistant"})"},
      {"{}", kText, R"({"content":"+"})"},
      {R"({"content":[]})", kText, R"({"content":[{"type":"text","text":"+"}]})"},
      {R"({"content":[{"type":"thinking","thinking":"t"}]})", kText, R"({"content":[{"type":"text","text":"+"},{"type":"thinking","thinking":"t"}]})"},
      {R"({"content":"a","refusal":null})", kRefusal, R"({"content":"a","refusal":"+"})"},
      {R"({"content":"a"})", kReasoning, R"({"reasoning_content":"+","content":"a"})"},
      {R"({"content":"a","reasoning":null})", kReasoning, R"({"content":"a","reasoning":"+"})"},
      {R"({"content":"a","reasoning_content":""})", kReasoning, R"({"content":"a","reasoning_content":"+"})"},
      {R"({"tool_calls":[{"id":"1","function":{"name":"f","arguments":"{"}}]})", kArguments, R"({"tool_calls":[{"id":"1","function":{"name":"f","arguments":"{+"}}]})"},
  }));
  INFO(row.message);
  CHECK(added(answer(row.message), {0, row.channel, 0}) == answer(row.changed));
}

TEST_CASE("several texts emitted into an empty message stand beside each other") {
  const auto editor = test::whole_editor();
  AnswerTexts texts = test::read(*editor, answer("{}"));
  for (const TextChannel channel : {kText, kRefusal, kReasoning, kText}) REQUIRE(editor->add_text({0, channel, 0}, "+", texts));
  CHECK(test::written(*editor, texts) == answer(R"({"content":"++","refusal":"+","reasoning_content":"+"})"));
  AnswerTexts more = test::read(*editor, answer(R"({"x":1})"));
  for (const TextChannel channel : {kText, kRefusal}) REQUIRE(editor->add_text({0, channel, 0}, "+", more));
  CHECK(test::written(*editor, more) == answer(R"({"content":"+","refusal":"+","x":1})"));
}

TEST_CASE("logprobs go where text was emitted beside them") {
  const std::string logprobs = R"(,"logprobs":{"refusal":[]},"finish_reason":"stop")";
  CHECK(added(answer(R"({"content":null})", logprobs), {0, kText, 0}) == answer(R"({"content":"+"})"));
}

TEST_CASE("text emitted into a completion is its text") {
  CHECK(added(R"({"choices":[{"index":1,"text":""},{"index":0,"text":""}]})", {0, kText, 0}, Operation::kCompletions) == R"({"choices":[{"index":1,"text":""},{"index":0,"text":"+"}]})");
  CHECK(added(R"({"choices":[{}]})", {0, kText, 0}, Operation::kCompletions) == R"({"choices":[{"text":"+"}]})");
}

TEST_CASE("text for what a whole answer does not have is a plugin's error") {
  const auto editor = test::whole_editor();
  AnswerTexts texts = test::read(*editor, answer(R"({"content":"a"})"));
  CHECK(editor->add_text({1, kText, 0}, "x", texts).error().message == "a plugin added text to choice 1, which the answer has no place for");
  CHECK(editor->add_text({0, kArguments, 0}, "x", texts).error().code == Code::kPluginError);
  CHECK_FALSE(texts.changed());
  AnswerTexts odd = test::read(*editor, R"({"choices":[{"index":0,"message":7},{"index":1,"message":{"content":7,"refusal":[]}}]})");
  CHECK_FALSE(editor->add_text({0, kText, 0}, "x", odd));
  CHECK_FALSE(editor->add_text({1, kText, 0}, "x", odd));
  CHECK_FALSE(editor->add_text({1, kRefusal, 0}, "x", odd));
  const auto completions = test::whole_editor(Operation::kCompletions);
  AnswerTexts completion = test::read(*completions, R"({"choices":[{"index":0,"text":"a"}]})");
  CHECK_FALSE(completions->add_text({0, kReasoning, 0}, "x", completion));
}
