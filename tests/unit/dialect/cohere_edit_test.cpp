// Texts of Cohere's answers, read and changed where they stand.

#include <catch2/catch.hpp>

#include "unit/dialect/editing.hpp"

using namespace sluice;
using dialect::AnswerTexts;
using dialect::cohere;
using dialect::TextChannel;
using test::Said;
using test::said_by;

namespace {

std::string piece(std::string_view type, std::string_view message, std::string_view index = "0") {
  return R"({"type":")" + std::string(type) + R"(","index":)" + std::string(index) + R"(,"delta":{"message":)" + std::string(message) + "}}";
}

std::string edited(dialect::AnswerEditor& editor, std::string_view data, std::string_view instead) {
  AnswerTexts texts = test::read(editor, data);
  for (dialect::AnswerText& text : texts.texts()) text.replacement = std::string(instead);
  return test::written(editor, texts);
}

}  // namespace

TEST_CASE("an editor sees every text of a stream of Cohere's, and where it ends") {
  const auto editor = cohere().answer_editor(chat::Operation::kChat, true);
  struct Row {
    std::string data;
    std::vector<Said> said;
    bool ends = false;
  };
  const std::vector<Row> rows{
      {R"({"type":"message-start","id":"i","delta":{"message":{"role":"assistant","content":[],"tool_plan":""}}})", {}},
      {piece("content-start", R"({"content":{"type":"text","text":""}})"), {}},
      {piece("content-delta", R"({"content":{"text":"a\u0062"}})"), {{0, TextChannel::kText, "ab"}}},
      {piece("content-delta", R"({"content":{"thinking":"t"}})"), {{0, TextChannel::kReasoning, "t"}}},
      {piece("tool-plan-delta", R"({"tool_plan":"p"})"), {{0, TextChannel::kReasoning, "p"}}},
      {piece("tool-plan-delta", R"({"tool_plan":"q"})"), {{0, TextChannel::kReasoning, "q"}}},
      {piece("tool-call-start", R"({"tool_calls":{"id":"x","function":{"name":"f","arguments":""}}})", "4"), {{0, TextChannel::kToolArguments, "", 0, "f"}}},
      {piece("tool-call-start", R"({"tool_calls":{"id":"y","function":{"name":"g"}}})", "5"), {{0, TextChannel::kToolArguments, "", 1, "g"}}},
      {piece("tool-call-delta", R"({"tool_calls":{"function":{"arguments":"{1"}}})", "4"), {{0, TextChannel::kToolArguments, "{1", 0}}},
      {piece("tool-call-delta", R"({"tool_calls":{"function":{"arguments":"{2"}}})", "5"), {{0, TextChannel::kToolArguments, "{2", 1}}},
      {R"({"type":"content-end","index":0})", {}},
      {R"({"type":"something-new","text":"x"})", {}},
      {R"({"type":"message-end","delta":{"finish_reason":"COMPLETE"}})", {}, true},
      {"[DONE]", {}, true},
      {"", {}},
  };
  for (const Row& row : rows) {
    INFO(row.data);
    const AnswerTexts texts = test::read(*editor, row.data);
    CHECK(said_by(texts) == row.said);
    CHECK(texts.ends() == row.ends);
    CHECK(test::written(*editor, texts) == row.data);
  }
}

TEST_CASE("a changed text of Cohere's stands where the old one stood, and nothing else changes") {
  const auto editor = cohere().answer_editor(chat::Operation::kChat, true);
  CHECK(edited(*editor, R"({ "type":"content-delta", "delta":{"message":{"content":{"text":"old"}}} ,"index":0})", "n\"w") ==
        R"({ "type":"content-delta", "delta":{"message":{"content":{"text":"n\"w"}}} ,"index":0})");
  CHECK(edited(*editor, piece("tool-call-start", R"({"tool_calls":{"id":"y","function":{"name":"g"}}})"), "{}") ==
        piece("tool-call-start", R"({"tool_calls":{"id":"y","function":{"arguments":"{}","name":"g"}}})"));
  CHECK(edited(*editor, R"({"type":"content-delta","delta":{"message":{"content":{"text":"old"}}},"logprobs":{"text":"old"}})", "new") ==
        R"({"type":"content-delta","delta":{"message":{"content":{"text":"new"}}},"logprobs":null})");
}

TEST_CASE("a citation does not quote what was changed") {
  const std::string citation = piece("citation-start", R"({"citations":{"start":0,"end":6,"text":"secret","sources":[]}})");
  const auto editor = cohere().answer_editor(chat::Operation::kChat, true);
  CHECK(edited(*editor, citation, "x") == citation);
  (void)edited(*editor, piece("content-delta", R"({"content":{"text":"secret"}})"), "******");
  AnswerTexts texts = test::read(*editor, citation);
  CHECK(texts.changed());
  CHECK(test::written(*editor, texts).find("secret") == std::string::npos);
}

TEST_CASE("an event of our own looks like the stream it goes into") {
  const auto editor = cohere().answer_editor(chat::Operation::kChat, true);
  (void)test::read(*editor, piece("content-delta", R"({"content":{"thinking":"t"}})", "0"));
  (void)test::read(*editor, piece("content-delta", R"({"content":{"text":"a"}})", "1"));
  (void)test::read(*editor, piece("tool-call-start", R"({"tool_calls":{"id":"x","function":{"name":"f","arguments":""}}})", "7"));
  const auto added = [&](dialect::TextAddress to) {
    std::string out;
    REQUIRE(editor->add_event(to, "new", out));
    const auto decoded = test::parsed(out);
    AnswerTexts texts = test::read(*editor, out);
    REQUIRE(texts.texts().size() == 1);
    CHECK(texts.texts()[0].address == to);
    CHECK(texts.texts()[0].text == "new");
    return std::string(decoded.root().find("index")->raw());
  };
  CHECK(added({0, TextChannel::kText, 0}) == "1");
  // The block of thoughts has been ended when that of text began: more of them stand in a block of their own.
  CHECK(added({0, TextChannel::kReasoning, 0}) == "2");
  CHECK(added({0, TextChannel::kToolArguments, 0}) == "7");
  std::string out;
  CHECK(editor->add_event({0, TextChannel::kToolArguments, 1}, "x", out).error().code == Code::kPluginError);
  CHECK(editor->add_event({1, TextChannel::kText, 0}, "x", out).error().code == Code::kPluginError);
  (void)test::read(*editor, piece("tool-plan-delta", R"({"tool_plan":"p"})"));
  REQUIRE(editor->add_event({0, TextChannel::kReasoning, 0}, "x", out));
  CHECK(out == R"({"type":"tool-plan-delta","delta":{"message":{"tool_plan":"x"}}})");
}

TEST_CASE("text that is added behind the end of Cohere's blocks brings its own start and end") {
  const auto editor = cohere().answer_editor(chat::Operation::kChat, true);
  (void)test::read(*editor, piece("content-delta", R"({"content":{"text":"a"}})", "0"));
  std::string data, out;
  REQUIRE(editor->add_event({0, TextChannel::kText, 0}, "b", data));
  editor->frame_added(data, http::Framing::kSse, out);
  CHECK(out == "event: content-delta\ndata: {\"type\":\"content-delta\",\"index\":0,\"delta\":{\"message\":{\"content\":{\"text\":\"b\"}}}}\n\n");
  (void)test::read(*editor, R"({"type":"content-end","index":0})");
  data.clear();
  out.clear();
  REQUIRE(editor->add_event({0, TextChannel::kText, 0}, "c", data));
  editor->frame_added(data, http::Framing::kSse, out);
  CHECK(out == "event: content-start\ndata: {\"type\":\"content-start\",\"index\":1,\"delta\":{\"message\":{\"content\":{\"type\":\"text\",\"text\":\"\"}}}}\n\n"
               "event: content-delta\ndata: {\"type\":\"content-delta\",\"index\":1,\"delta\":{\"message\":{\"content\":{\"text\":\"c\"}}}}\n\n"
               "event: content-end\ndata: {\"type\":\"content-end\",\"index\":1}\n\n");
}

TEST_CASE("texts of a whole answer of Cohere's are read and changed where they stand") {
  const std::string body = R"({"id":"i","message":{"role":"assistant","tool_plan":"p","content":[{"type":"thinking","thinking":"t"},{"type":"text","text":"a"}],
    "citations":[{"start":0,"end":1,"text":"a"}],"tool_calls":[{"id":"c","function":{"name":"f","arguments":"{}"}},{"id":"d","function":{"name":"g"}}]},"logprobs":[1]})";
  const auto editor = cohere().answer_editor(chat::Operation::kChat, false);
  AnswerTexts texts = test::read(*editor, body);
  CHECK(said_by(texts) == std::vector<Said>{{0, TextChannel::kReasoning, "p"}, {0, TextChannel::kReasoning, "t"}, {0, TextChannel::kText, "a"},
                                            {0, TextChannel::kToolArguments, "{}", 0, "f"}, {0, TextChannel::kToolArguments, "", 1, "g"}});
  CHECK(test::written(*editor, texts) == body);
  for (dialect::AnswerText& text : texts.texts()) text.replacement = "N";
  CHECK(test::written(*editor, texts) == R"({"id":"i","message":{"role":"assistant","tool_plan":"N","content":[{"type":"thinking","thinking":"N"},{"type":"text","text":"N"}],
    "citations":[{"start":0,"end":1,"text":null}],"tool_calls":[{"id":"c","function":{"name":"f","arguments":"N"}},{"id":"d","function":{"arguments":"N","name":"g"}}]},"logprobs":null})");
}

TEST_CASE("a text is added to a whole answer of Cohere's where one could stand") {
  const auto [body, channel, written] = GENERATE(table<std::string, TextChannel, std::string>({
      {R"({"message":{"content":[{"type":"text","text":"a"}]}})", TextChannel::kText, R"({"message":{"content":[{"type":"text","text":"aX"}]}})"},
      {R"({"message":{"content":[]}})", TextChannel::kText, R"({"message":{"content":[{"type":"text","text":"X"}]}})"},
      {R"({"message":{"tool_calls":[]}})", TextChannel::kText, R"({"message":{"content":[{"type":"text","text":"X"}],"tool_calls":[]}})"},
      {R"({"message":{"content":[{"type":"text","text":"a"}]},"logprobs":[1]})", TextChannel::kReasoning,
       R"({"message":{"content":[{"type":"thinking","thinking":"X"},{"type":"text","text":"a"}]},"logprobs":null})"},
      {R"({"message":{}})", TextChannel::kReasoning, R"({"message":{"tool_plan":"X"}})"},
  }));
  const auto editor = cohere().answer_editor(chat::Operation::kChat, false);
  AnswerTexts texts = test::read(*editor, body);
  REQUIRE(editor->add_text({0, channel, 0}, "X", texts));
  CHECK(test::written(*editor, texts) == written);
  CHECK(editor->add_text({0, TextChannel::kToolArguments, 0}, "X", texts).error().code == Code::kPluginError);
  CHECK(editor->add_text({1, TextChannel::kText, 0}, "X", texts).error().code == Code::kPluginError);
}

TEST_CASE("what an editor of Cohere's cannot read is never passed on") {
  AnswerTexts texts;
  for (const bool streaming : {false, true}) {
    for (const std::string_view bad : {"<html>", "[]", "{", "7"}) {
      CHECK(cohere().answer_editor(chat::Operation::kChat, streaming)->read(bad, texts).error().code == Code::kUpstreamInvalidAnswer);
    }
  }
  CHECK(cohere().answer_editor(chat::Operation::kEmbeddings, false) == nullptr);
}
