// The texts of an answer beside its bytes: kept, moved, changed and written, in whatever dialect they were read.

#include <catch2/catch.hpp>

#include <deque>

#include "unit/dialect/editing.hpp"

using namespace sluice;
using test::AnswerTexts;
using test::Said;
using test::TextChannel;

namespace {

std::string event(std::string_view text) {
  return R"({"id":"c","choices":[{"index":0,"delta":{"content":")" + std::string(text) + R"("},"finish_reason":null}]})";
}

}  // namespace

TEST_CASE("operations whose answers have no text have no editor") {
  for (const auto operation : {chat::Operation::kEmbeddings, chat::Operation::kModerations, chat::Operation::kListModels,
                               chat::Operation::kGetModel, chat::Operation::kOpaque}) {
    CHECK(dialect::openai().answer_editor(operation, true) == nullptr);
    CHECK(dialect::openai().answer_editor(operation, false) == nullptr);
  }
}

TEST_CASE("texts can be kept, moved and written long after others were read") {
  const auto editor = test::stream_editor();
  std::deque<AnswerTexts> held;
  AnswerTexts texts;
  const std::vector<std::string> said{"short", "a text that is longer than any small string", "with \\u0041n escape", "", "\\ud83d\\ude00"};
  for (const std::string& text : said) {
    REQUIRE(editor->read(event(text), texts));
    held.push_back(std::move(texts));
    texts = {};
  }
  CHECK(test::said_by(held[2]) == std::vector<Said>{{0, TextChannel::kText, "with An escape"}});
  CHECK(test::said_by(held[4]) == std::vector<Said>{{0, TextChannel::kText, "\xf0\x9f\x98\x80"}});
  for (std::size_t i = held.size(); i-- > 0;) {
    CHECK(held[i].data() == event(said[i]));
    CHECK(test::written(*editor, held[i]) == event(said[i]));
  }
  held[1].texts()[0].replacement = "x";
  CHECK(test::written(*editor, held[1]) == event("x"));
}

TEST_CASE("what is read forgets what was read before") {
  const auto editor = test::stream_editor();
  AnswerTexts texts;
  REQUIRE(editor->read(event("a \\n long one with escapes \\t and all") + "   ", texts));
  texts.texts()[0].replacement = "b";
  REQUIRE(editor->read("[DONE]", texts));
  CHECK(texts.ends());
  REQUIRE(editor->read(event("\\\"c"), texts));
  CHECK_FALSE(texts.ends());
  CHECK_FALSE(texts.changed());
  CHECK(test::said_by(texts) == std::vector<Said>{{0, TextChannel::kText, "\"c"}});
  CHECK(test::written(*editor, texts) == event("\\\"c"));
}

TEST_CASE("a replacement that equals the text changes nothing, however the text is spelt") {
  const auto editor = test::stream_editor();
  AnswerTexts texts = test::read(*editor, event("caf\\u00e9 \\/ \\u0022"));
  texts.texts()[0].replacement = "caf\xc3\xa9 / \"";
  CHECK_FALSE(texts.changed());
  CHECK(test::written(*editor, texts) == event("caf\\u00e9 \\/ \\u0022"));
  texts.texts()[0].replacement = "caf\xc3\xa9 / ''";
  CHECK(texts.changed());
  CHECK(test::written(*editor, texts) == event("caf\xc3\xa9 / ''"));
}

TEST_CASE("text is put behind the last of its address, and nowhere else") {
  const auto editor = test::stream_editor();
  AnswerTexts texts = test::read(*editor, R"({"choices":[{"index":0,"delta":{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}],"refusal":"r"}},{"index":1,"delta":{"content":"c"}}]})");
  CHECK(texts.append({0, TextChannel::kText, 0}, "+"));
  CHECK(texts.append({0, TextChannel::kText, 0}, "+"));
  CHECK_FALSE(texts.append({2, TextChannel::kText, 0}, "+"));
  CHECK_FALSE(texts.append({1, TextChannel::kRefusal, 0}, "+"));
  CHECK(test::written(*editor, texts) ==
        R"({"choices":[{"index":0,"delta":{"content":[{"type":"text","text":"a"},{"type":"text","text":"b++"}],"refusal":"r"}},{"index":1,"delta":{"content":"c"}}]})");
}

// GUARD-13
TEST_CASE("whatever a text becomes, the event stays one line of JSON that says exactly it") {
  using namespace std::string_literals;
  for (const std::string& text : {"\"\\/\b\f\n\r\t"s, "\0"s, "\x1f\x7f"s, "a\r\n\ndata: [DONE]\n\n"s, "\xe2\x80\xa8\xe2\x80\xa9"s, "\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9"s,
                                  "\"},\"finish_reason\":\"stop\"}]}"s, "\\u0041"s, std::string(70'000, '"'), ""s}) {
    const auto editor = test::stream_editor();
    const std::string out = test::changed(*editor, event("before"), text);
    CHECK(out.find_first_of("\r\n") == std::string::npos);
    if (text.empty()) {
      CHECK(out == event(""));
    } else {
      CHECK(test::said_by(test::read(*editor, out)) == std::vector<Said>{{0, TextChannel::kText, text}});
    }
  }
  // What is no UTF-8 cannot stand in JSON.
  CHECK(test::changed(*test::stream_editor(), event("before"), "a\xff") == event("a\xef\xbf\xbd"));
}

TEST_CASE("lone surrogates are read as U+FFFD and stay as they came where nobody changes them") {
  for (const std::string text : {"\\ud83d", "\\ude00", "a\\uD83Db", "\\ud83d\\ud83d\\ude00", "\\ude00\\ud83d", "\\\\ud83d\\ud83d\\n", "\\ud83d\\u0041"}) {
    INFO(text);
    const auto editor = test::stream_editor();
    AnswerTexts texts = test::read(*editor, event(text));
    REQUIRE(texts.texts().size() == 1);
    CHECK(texts.texts()[0].text == json::decode_string(text));
    CHECK(texts.texts()[0].text.find("\xef\xbf\xbd") != std::string::npos);
    CHECK(test::written(*editor, texts) == event(text));
    texts.texts()[0].replacement = "x";
    CHECK(test::written(*editor, texts) == event("x"));
  }
  // Another text of the event changes, the broken one does not.
  const auto editor = test::stream_editor();
  AnswerTexts texts = test::read(*editor, R"({"choices":[{"index":0,"delta":{"content":"\ud83d","refusal":"plain"}}],"x":"\udc00"})");
  CHECK(test::said_by(texts) == std::vector<Said>{{0, TextChannel::kText, "\xef\xbf\xbd"}, {0, TextChannel::kRefusal, "plain"}});
  texts.texts()[1].replacement = "no";
  CHECK(test::written(*editor, texts) == R"({"choices":[{"index":0,"delta":{"content":"\ud83d","refusal":"no"}}],"x":"\udc00"})");
}

// STREAM-16
TEST_CASE("what cannot be read is an error that names the upstream, and is never passed on") {
  std::string deep = R"({"choices":)";
  deep.append(2000, '[').append(2000, ']').append("}");
  for (const std::string& bad : {std::string("<html>"), std::string("{"), std::string("[]"), std::string("7"), std::string("{\"a\":1}x"), deep,
                                 event("a\xff"), event("cut \xf0\x9f"), event("\n"), event("\\ud83"), std::string("[DONE]x"), std::string("[DONE"), std::string("{\"a\":1e999}")}) {
    INFO(bad.substr(0, 40));
    AnswerTexts texts;
    for (const auto& editor : {test::stream_editor(), test::whole_editor()}) {
      const Status status = editor->read(bad, texts);
      REQUIRE_FALSE(status);
      CHECK(status.error().code == Code::kUpstreamInvalidAnswer);
      CHECK(status.error().origin == Origin::kUpstream);
    }
  }
  AnswerTexts texts;
  CHECK_FALSE(test::whole_editor()->read("", texts));
  CHECK_FALSE(test::whole_editor()->read("[DONE]", texts));
}

TEST_CASE("what only streams or only whole answers have is refused by the other") {
  AnswerTexts texts;
  std::string said, end;
  const auto whole = test::whole_editor(), stream = test::stream_editor();
  CHECK(whole->split(texts, said, end).error().code == Code::kInternal);
  CHECK(whole->add_event({}, "x", said).error().code == Code::kInternal);
  CHECK(stream->add_text({}, "x", texts).error().code == Code::kInternal);
}
