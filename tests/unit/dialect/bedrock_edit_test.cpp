// Texts of Bedrock's answers, read and changed where they stand.

#include "unit/dialect/bedrock_support.hpp"
#include "unit/dialect/editing.hpp"

using namespace sluice;
using test::AnswerText;
using test::AnswerTexts;
using test::Said;
using test::TextChannel;

namespace {

constexpr std::uint32_t kNoChoice = 1;

std::unique_ptr<dialect::AnswerEditor> streaming() { return test::bedrock().answer_editor(chat::Operation::kChat, true); }
std::unique_ptr<dialect::AnswerEditor> whole() { return test::bedrock().answer_editor(chat::Operation::kChat, false); }

const std::string kAnswer = R"({"output":{"message":{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"hm","signature":"s"}}},{"text":"a\n"},)"
                            R"({"citationsContent":{"content":[{"text":"b"},{"text":"c"}],"citations":[{"sourceContent":[{"text":"not said"}]}]}},)"
                            R"({"toolUse":{"toolUseId":"t","name":"f","input":{"x": 1}}},{"toolUse":{"toolUseId":"s","name":"code","input":{},"type":"server_tool_use"}},)"
                            R"({"toolUse":{"toolUseId":"u","name":"g"}},{"text":""}]}},"stopReason":"tool_use","metrics":{"latencyMs":1}})";

}  // namespace

TEST_CASE("bedrock: texts of a stream are read event by event, each at its address") {
  const auto editor = streaming();
  const auto said = [&](std::string_view data) { return test::said_by(test::read(*editor, data)); };
  CHECK(said(R"({"role":"assistant","p":"abc"})").empty());
  CHECK(said(R"({"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"hm"}}})") == std::vector<Said>{{0, TextChannel::kReasoning, "hm"}});
  CHECK(said(R"({"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"c2ln"}}})").empty());
  CHECK(said(R"({"contentBlockIndex":0})").empty());
  CHECK(said(R"({"contentBlockIndex":1,"delta":{"text":"a\u00e9"},"p":"abcdef"})") == std::vector<Said>{{0, TextChannel::kText, "aé"}});
  CHECK(said(R"({"contentBlockIndex":1,"delta":{"text":"b"},"p":"ab"})") == std::vector<Said>{{0, TextChannel::kText, "b"}});
  CHECK(said(R"({"contentBlockIndex":1,"delta":{"text":""},"p":"ab"})").empty());
  CHECK(said(R"({"contentBlockIndex":1,"delta":{"citation":{"sourceContent":[{"text":"x"}]}}})").empty());
  CHECK(said(R"({"contentBlockIndex":1})").empty());
  CHECK(said(R"({"contentBlockIndex":2,"start":{"toolUse":{"toolUseId":"s","name":"code","type":"server_tool_use"}}})").empty());
  CHECK(said(R"({"contentBlockIndex":2,"delta":{"toolUse":{"input":"{}"}}})").empty());
  CHECK(said(R"({"contentBlockIndex":3,"start":{"toolUse":{"toolUseId":"t","name":"f"}}})") == std::vector<Said>{{0, TextChannel::kToolArguments, "", 0, "f"}});
  CHECK(said(R"({"contentBlockIndex":3,"delta":{"toolUse":{"input":"{\"a\":"}}})") == std::vector<Said>{{0, TextChannel::kToolArguments, "{\"a\":"}});
  CHECK(said(R"({"contentBlockIndex":3,"delta":{"toolUse":{"input":"1}"}}})") == std::vector<Said>{{0, TextChannel::kToolArguments, "1}"}});
  CHECK(said(R"({"contentBlockIndex":4,"start":{"toolUse":{"toolUseId":"u","name":"g"}}})") == std::vector<Said>{{0, TextChannel::kToolArguments, "", 1, "g"}});
  CHECK(said(R"({"contentBlockIndex":4,"delta":{"toolUse":{"input":"{}"}}})") == std::vector<Said>{{0, TextChannel::kToolArguments, "{}", 1}});
  CHECK_FALSE(test::read(*editor, R"({"contentBlockIndex":4})").ends());
  CHECK(test::read(*editor, R"({"stopReason":"tool_use"})").ends());
  CHECK(test::read(*editor, R"({"usage":{"inputTokens":1}})").ends());
}

TEST_CASE("bedrock: texts of a stream are changed where they stand, and nothing else is") {
  const auto editor = streaming();
  for (const std::string_view tail : {R"(,"p":"abcdef"})", R"(,"p":"x"})", "}"}) {
    for (const std::string_view text : {"secret", "sec\\u0072et", "again"}) {
      const std::string head = R"({"contentBlockIndex":0, "delta":{"text":")";
      CHECK(test::changed(*editor, head + std::string(text) + "\"}" + std::string(tail), "\"*\"") == head + R"(\"*\""})" + std::string(tail));
    }
  }
  (void)test::read(*editor, R"({"contentBlockIndex":1,"start":{"toolUse":{"toolUseId":"t","name":"f"}}})");
  CHECK(test::changed(*editor, R"({"contentBlockIndex":1,"delta":{"toolUse":{"input":"{\"a\":1}"}}})", "{}") == R"({"contentBlockIndex":1,"delta":{"toolUse":{"input":"{}"}}})");
  CHECK(test::changed(*editor, R"({"contentBlockIndex":2,"delta":{"reasoningContent":{"text":"t"}}})", "r") == R"({"contentBlockIndex":2,"delta":{"reasoningContent":{"text":"r"}}})");
}

TEST_CASE("bedrock: the same text in every shape of event is what the decoder reads") {
  // A pattern learnt from one block must not answer for another.
  const std::vector<std::string> events{R"({"contentBlockIndex":0,"delta":{"text":"a"},"p":"1"})",
                                        R"({"contentBlockIndex":0,"delta":{"text":"b"},"p":"2"})",
                                        R"({"contentBlockIndex":1,"delta":{"reasoningContent":{"text":"c"}},"p":"2"})",
                                        R"({"contentBlockIndex":2,"start":{"toolUse":{"toolUseId":"t","name":"f"}}})",
                                        R"({"contentBlockIndex":2,"delta":{"toolUse":{"input":"d"}}})",
                                        R"({"contentBlockIndex":3,"start":{"toolUse":{"toolUseId":"u","name":"g"}}})",
                                        R"({"contentBlockIndex":3,"delta":{"toolUse":{"input":"e"}}})",
                                        R"({"contentBlockIndex":2,"delta":{"toolUse":{"input":"f"}}})",
                                        R"({"contentBlockIndex":4,"delta":{"text":"g"}})"};
  const auto editor = streaming();
  test::Told told;
  for (const std::string& event : events) test::tell(test::read(*editor, event), told);
  CHECK(told == test::Told{{{0, TextChannel::kText, 0}, "abg"}, {{0, TextChannel::kReasoning, 0}, "c"}, {{0, TextChannel::kToolArguments, 0}, "f(df"}, {{0, TextChannel::kToolArguments, 1}, "g(e"}});
}

TEST_CASE("bedrock: an event that adds text goes to the block that says such, or to one of its own") {
  const auto editor = streaming();
  const auto added = [&](test::TextAddress to, std::string_view text) {
    std::string out;
    const Status status = editor->add_event(to, text, out);
    return status ? out : "refused: " + std::string(to_string(status.error().code));
  };
  CHECK(added({}, "first") == R"({"contentBlockIndex":0,"delta":{"text":"first"}})");
  (void)test::read(*editor, R"({"contentBlockIndex":0,"delta":{"text":"a"}})");
  CHECK(added({}, "b") == R"({"contentBlockIndex":0,"delta":{"text":"b"}})");
  (void)test::read(*editor, R"({"contentBlockIndex":0})");
  (void)test::read(*editor, R"({"contentBlockIndex":1,"start":{"toolUse":{"toolUseId":"t","name":"f"}}})");
  CHECK(added({0, TextChannel::kToolArguments, 0}, "{}") == R"({"contentBlockIndex":1,"delta":{"toolUse":{"input":"{}"}}})");
  CHECK(added({}, "c") == R"({"contentBlockIndex":2,"delta":{"text":"c"}})");
  CHECK(added({}, "d") == R"({"contentBlockIndex":3,"delta":{"text":"d"}})");
  CHECK(added({0, TextChannel::kReasoning}, "r") == R"({"contentBlockIndex":4,"delta":{"reasoningContent":{"text":"r"}}})");
  CHECK(added({0, TextChannel::kToolArguments, 1}, "x") == "refused: plugin_error");
  CHECK(added({0, TextChannel::kRefusal}, "x") == "refused: plugin_error");
  CHECK(added({kNoChoice}, "x") == "refused: plugin_error");
}

/// The frames of a stream, as `name data`.
std::vector<std::string> frames(const std::string& bytes) {
  std::vector<std::string> told;
  const auto reader = http::make_event_reader(http::Framing::kAwsEvents, 1 << 16);
  reader->feed(bytes);
  http::StreamEvent event;
  while (reader->next(event).value_or(false)) told.push_back(std::string(event.name).append(" ").append(event.data));
  return told;
}

TEST_CASE("bedrock: an added block is stopped, and a stream that a filter breaks off is stopped and told why") {
  const auto editor = streaming();
  (void)test::read(*editor, R"({"contentBlockIndex":0,"delta":{"text":"a"}})");
  (void)test::read(*editor, R"({"contentBlockIndex":0})");
  std::string data, out;
  REQUIRE(editor->add_event({}, "b", data));
  editor->frame_added(data, http::Framing::kAwsEvents, out);
  CHECK(frames(out) == std::vector<std::string>{R"(contentBlockDelta {"contentBlockIndex":1,"delta":{"text":"b"}})", R"(contentBlockStop {"contentBlockIndex":1})"});
  test::give(*editor, R"({"contentBlockIndex":2,"start":{"toolUse":{"toolUseId":"t","name":"f"}}})");
  chat::Usage usage;
  usage.input_tokens = 2;
  usage.output_tokens = 1;
  CHECK(frames(test::early_end(*editor, true, usage, http::Framing::kAwsEvents)) ==
        std::vector<std::string>{R"(contentBlockStop {"contentBlockIndex":2})", R"(messageStop {"stopReason":"content_filtered"})",
                                 R"(metadata {"usage":{"inputTokens":2,"outputTokens":1,"totalTokens":3}})"});
}

TEST_CASE("bedrock: at an early end a block is stopped exactly where the caller has seen it begin and not stop") {
  const auto editor = streaming();
  const auto end = [&] { return frames(test::early_end(*editor, true, {}, http::Framing::kAwsEvents)); };
  const std::string stopped = R"(contentBlockStop {"contentBlockIndex":1})", over = R"(messageStop {"stopReason":"content_filtered"})";
  constexpr std::string_view kBegins = R"({"contentBlockIndex":1,"start":{"toolUse":{"toolUseId":"t","name":"f"}}})";
  SECTION("it was read to begin, and not given") {
    (void)test::read(*editor, kBegins);
    CHECK(end() == std::vector{over});
  }
  SECTION("its stop was read, and not given") {
    test::give(*editor, kBegins);
    (void)test::read(*editor, R"({"contentBlockIndex":1})");
    CHECK(end() == std::vector{stopped, over});
  }
  SECTION("its stop was given") {
    test::give(*editor, kBegins);
    test::give(*editor, R"({"contentBlockIndex":1})");
    CHECK(end() == std::vector{over});
  }
  SECTION("a failure stops nothing") { CHECK(test::early_end(*editor, false).empty()); }
}

TEST_CASE("bedrock: texts of a whole answer are read in their order") {
  const auto editor = whole();
  CHECK(test::said_by(test::read(*editor, kAnswer)) ==
        std::vector<Said>{{0, TextChannel::kReasoning, "hm"}, {0, TextChannel::kText, "a\n"}, {0, TextChannel::kText, "b"}, {0, TextChannel::kText, "c"},
                          {0, TextChannel::kToolArguments, R"({"x": 1})", 0, "f"}, {0, TextChannel::kToolArguments, "", 1, "g"}});
}

TEST_CASE("bedrock: texts of a whole answer are changed where they stand; arguments stay JSON while they are") {
  const auto editor = whole();
  AnswerTexts texts = test::read(*editor, kAnswer);
  CHECK_FALSE(texts.changed());
  CHECK(test::written(*editor, texts) == kAnswer);
  texts.texts()[1].replacement = "*";
  texts.texts()[4].replacement = R"({"y":2})";
  texts.texts()[5].replacement = "{}";
  std::string expected = kAnswer;
  expected.replace(expected.find(R"("a\n")"), 5, R"("*")");
  expected.replace(expected.find(R"({"x": 1})"), 8, R"({"y":2})");
  expected.replace(expected.find(R"("toolUseId":"u")"), 15, R"("input":"{}","toolUseId":"u")");
  const std::string got = test::written(*editor, texts);
  CHECK(test::parsed(got).root().is(json::Type::kObject));
  CHECK(got == expected);
  texts.texts()[4].replacement = "no JSON";
  CHECK(test::written(*editor, texts).find(R"("input":"no JSON")") != std::string::npos);
}

TEST_CASE("bedrock: text is added behind the last of its address, or where one could stand") {
  const auto editor = whole();
  AnswerTexts texts = test::read(*editor, kAnswer);
  REQUIRE(editor->add_text({}, "!", texts));
  CHECK(test::written(*editor, texts).find(R"({"text":"c!"})") != std::string::npos);
  const std::string empty = R"({"output":{"message":{"role":"assistant","content":[]}},"stopReason":"end_turn"})";
  AnswerTexts none = test::read(*editor, empty);
  REQUIRE(editor->add_text({}, "x", none));
  CHECK(test::written(*editor, none) == R"({"output":{"message":{"role":"assistant","content":[{"text":"x"}]}},"stopReason":"end_turn"})");
  AnswerTexts thought = test::read(*editor, empty);
  REQUIRE(editor->add_text({0, TextChannel::kReasoning}, "x", thought));
  CHECK(test::written(*editor, thought).find(R"([{"reasoningContent":{"reasoningText":{"text":"x"}}}])") != std::string::npos);
  for (const test::TextAddress to : {test::TextAddress{kNoChoice}, test::TextAddress{0, TextChannel::kRefusal}, test::TextAddress{0, TextChannel::kToolArguments, 3}}) {
    CHECK(editor->add_text(to, "x", none).error().code == Code::kPluginError);
  }
}

TEST_CASE("bedrock: what cannot be read is never passed on unread") {
  for (const std::string_view bad : {"[]", "{\"a\":", "x", "{\"a\":\"\xff\"}"}) {
    AnswerTexts texts;
    CHECK(streaming()->read(bad, texts).error().code == Code::kUpstreamInvalidAnswer);
    CHECK(whole()->read(bad, texts).error().code == Code::kUpstreamInvalidAnswer);
  }
  CHECK(test::bedrock().answer_editor(chat::Operation::kCountTokens, false) == nullptr);
}
