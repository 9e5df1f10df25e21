// The text of OpenAI streams, read and changed in place.

#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "http/sse.hpp"
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

/// A chunk with one choice.
std::string chunk(std::string_view delta, std::string_view rest = R"(,"finish_reason":null)") {
  return R"({"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":)" + std::string(delta) +
         std::string(rest) + "}]}";
}

std::vector<Said> texts_of(std::string_view data) { return test::said_by(test::read(*test::stream_editor(), data)); }

/// The one text of an event, changed.
std::string changed(std::string_view data, std::string_view replacement) {
  return test::changed(*test::stream_editor(), data, replacement);
}

}  // namespace

TEST_CASE("every text of a delta is read, decoded, in the channel it belongs to") {
  struct Row {
    std::string delta;
    std::vector<Said> texts;
  };
  const auto row = GENERATE(values<Row>({
      {R"({"content":"Hi"})", {{0, kText, "Hi"}}},
      {R"({ "role" : "assistant" , "content" : "a\u0062\n" })", {{0, kText, "ab\n"}}},
      {R"({"content":"\u0000\u2028\ud83d\ude00"})", {{0, kText, std::string("\0\xe2\x80\xa8\xf0\x9f\x98\x80", 8)}}},
      {R"({"c\u006fntent":"spelt oddly"})", {{0, kText, "spelt oddly"}}},
      {R"({"refusal":"No"})", {{0, kRefusal, "No"}}},
      {R"({"reasoning_content":"Hm"})", {{0, kReasoning, "Hm"}}},
      {R"({"content":null,"reasoning":"Hm","channel":"analysis"})", {{0, kReasoning, "Hm"}}},
      {R"({"reasoning_details":[{"type":"reasoning.text","text":"a"},{"type":"reasoning.summary","summary":"b"},{"type":"reasoning.encrypted","data":"x"}]})",
       {{0, kReasoning, "a"}, {0, kReasoning, "b"}}},
      {R"({"content":[{"type":"thinking","thinking":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},{"type":"text","text":"c"},{"type":"reference","reference_ids":[1]}]})",
       {{0, kReasoning, "a"}, {0, kReasoning, "b"}, {0, kText, "c"}}},
      {R"({"content":[{"type":"text","text":"a"},{"type":"text","text":"a"},"a",{"type":"refusal","refusal":"r"},{"type":"thinking","thinking":"t"}]})",
       {{0, kText, "a"}, {0, kText, "a"}, {0, kText, "a"}, {0, kRefusal, "r"}, {0, kReasoning, "t"}}},
      {R"({"tool_calls":[{"index":0,"id":"1","type":"function","function":{"name":"f","arguments":""}}]})", {{0, kArguments, "", 0, "f"}}},
      {R"({"tool_calls":[{"index":0,"id":"1","type":"custom","custom":{"name":"f","input":"x"}}]})", {{0, kArguments, "x", 0, "f"}}},
      {R"({"tool_calls":[{"index":0,"id":"1","function":{"name":"f","arguments":{ "a" : 1 }}}]})", {{0, kArguments, R"({ "a" : 1 })", 0, "f"}}},
      {R"({"function_call":{"name":"f","arguments":"{"}})", {{0, kArguments, "{", 0, "f"}}},
      // Both said, and both read: a client takes one of them.
      {R"({"content":"a","content":"b"})", {{0, kText, "a"}, {0, kText, "b"}}},
      {R"({"tool_calls":[{"id":"1","function":{"name":"f","arguments":"a","arguments":"b"}}]})", {{0, kArguments, "a", 0, "f"}, {0, kArguments, "b"}}},
      // A name that is said twice is none.
      {R"({"tool_calls":[{"id":"1","function":{"name":"f","arguments":"a"},"function":{"name":"g","arguments":"b"}}]})", {{0, kArguments, "a"}, {0, kArguments, "b"}}},
  }));
  INFO(row.delta);
  CHECK(texts_of(chunk(row.delta)) == row.texts);
}

TEST_CASE("what has no text has none to read and goes on as it came") {
  for (const std::string& data :
       {std::string(), std::string("  "), std::string("{}"), chunk("{}"), chunk("null"), chunk("[]"), chunk(R"("x")"), chunk(R"({"role":"assistant","content":"","refusal":null})"),
        chunk(R"({"content":null,"reasoning_content":"","reasoning":null,"reasoning_details":[],"tool_calls":null,"function_call":null})"),
        chunk(R"({"content":7,"refusal":{},"reasoning":[],"reasoning_details":{"text":"x"},"tool_calls":{"function":{}},"function_call":"f"})"),
        chunk(R"({"content":[null,7,[],{"text":7}],"tool_calls":[null,7],"reasoning_details":[null,{"text":""}]})"),
        chunk(R"({"annotations":[{"type":"url_citation","url_citation":{"title":"t"}}],"audio":{"transcript":"a"},"x":{"content":"no"}})"),
        std::string(R"({"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0}]})"),
        std::string(R"({"choices":null})"), std::string(R"({"choices":[null,7,"x"]})"), std::string(R"({"choices":{"delta":{"content":"x"}}})"),
        std::string(R"({"error":{"message":"m"}})")}) {
    INFO(data);
    const auto editor = test::stream_editor();
    AnswerTexts texts = test::read(*editor, data);
    CHECK(texts.texts().empty());
    CHECK_FALSE(texts.ends());
    CHECK_FALSE(texts.changed());
    CHECK(test::written(*editor, texts) == data);
  }
}

TEST_CASE("completions are read by their text") {
  const std::string data = R"({"id":"c","object":"text_completion","choices":[{"text":"a\n","index":1,"logprobs":null,"finish_reason":null}]})";
  const auto editor = test::stream_editor(Operation::kCompletions);
  CHECK(test::said_by(test::read(*editor, data)) == std::vector<Said>{{1, kText, "a\n"}});
  CHECK(test::changed(*editor, data, "b") == R"({"id":"c","object":"text_completion","choices":[{"text":"b","index":1,"logprobs":null,"finish_reason":null}]})");
}

TEST_CASE("an answer's message in a stream is read where no delta is") {
  const std::string data = R"({"choices":[{"index":0,"message":{"content":"a"},"finish_reason":null}]})";
  CHECK(texts_of(data) == std::vector<Said>{{0, kText, "a"}});
  CHECK(changed(data, "b") == R"({"choices":[{"index":0,"message":{"content":"b"},"finish_reason":null}]})");
}

TEST_CASE("a change touches its own JSON string and no other byte") {
  const std::string data =
      R"({ "usage" :null,"choices":[ {"delta":{"x":1.50e+2,"content":"one","refusal":"\u0074wo","tool_calls":[{"id":"i","function":{"name":"f","arguments":"three"}},)"
      R"({"index":4,"function":{"name":"g","arguments":{"fo":"ur"}}}],"content":"five" , "reasoning":"six"},"index":0} ,{"index":3,"delta":{"content":[{"type":"text","text":"seven"},"eight"]}}],"n":-0 })";
  const std::vector<std::string> raw{"\"one\"", "\"\\u0074wo\"", "\"three\"", R"({"fo":"ur"})", "\"five\"", "\"six\"", "\"seven\"", "\"eight\""};
  const auto texts = test::read(*test::stream_editor(), data);
  REQUIRE(texts.texts().size() == raw.size());
  for (const std::string_view replacement : {"", "x", "a much longer text than was there before, with \"quotes\""}) {
    for (std::size_t i = 0; i != raw.size(); ++i) {
      const auto editor = test::stream_editor();
      AnswerTexts now = test::read(*editor, data);
      now.texts()[i].replacement = replacement;
      const std::size_t at = data.find(raw[i]);
      CHECK(test::written(*editor, now) == data.substr(0, at) + json::quoted(replacement) + data.substr(at + raw[i].size()));
    }
  }
  // All at once.
  const auto editor = test::stream_editor();
  std::string expected = data;
  for (const std::string& text : raw) expected.replace(expected.find(text), text.size(), "\"all\"");
  CHECK(test::changed(*editor, data, "all") == expected);
}

// GUARD-11
TEST_CASE("where a choice's text has changed, nothing tells the old one in other words") {
  const std::string logprobs = R"({"content":[{"token":"one","logprob":-0.1,"bytes":[111],"top_logprobs":[]}],"refusal":null})";
  const std::string data = R"({"choices":[{"logprobs":)" + logprobs + R"(,"index":0,"delta":{"content":"one","token_id":7}},{"index":1,"delta":{"content":"two"},"logprobs":)" + logprobs +
                           R"(,"token_ids":[1,2],"finish_reason":null},{"index":2,"delta":{},"logprobs":)" + logprobs + "}]}";
  const auto editor = test::stream_editor();
  AnswerTexts texts = test::read(*editor, data);
  texts.texts()[0].replacement = "1";
  CHECK(test::written(*editor, texts) == R"({"choices":[{"logprobs":null,"index":0,"delta":{"content":"1","token_id":null}},{"index":1,"delta":{"content":"two"},"logprobs":)" + logprobs +
                                             R"(,"token_ids":[1,2],"finish_reason":null},{"index":2,"delta":{},"logprobs":)" + logprobs + "}]}");
  texts.texts()[0].replacement.reset();
  texts.texts()[1].replacement = "";
  CHECK(test::written(*editor, texts) == R"({"choices":[{"logprobs":)" + logprobs + R"(,"index":0,"delta":{"content":"one","token_id":7}},{"index":1,"delta":{"content":""},"logprobs":null)"
                                             R"(,"token_ids":null,"finish_reason":null},{"index":2,"delta":{},"logprobs":)" + logprobs + "}]}");
}

TEST_CASE("what a server says twice is one text, and is changed in both places") {
  struct Row {
    std::string data;
    std::vector<Said> texts;
    std::string changed;
  };
  const auto row = GENERATE(values<Row>({
      {chunk(R"({"reasoning":"a\nb","reasoning_content":"a\u000ab"})"), {{0, kReasoning, "a\nb"}}, chunk(R"({"reasoning":"X","reasoning_content":"X"})")},
      {chunk(R"({"reasoning":"ab","content":"c","reasoning_details":[{"text":"a"},{"data":"x"},{"text":"b"}]})"), {{0, kReasoning, "ab"}, {0, kText, "c"}},
       chunk(R"({"reasoning":"X","content":"X","reasoning_details":[{"text":"X"},{"data":"x"},{"text":""}]})")},
      {chunk(R"({"reasoning_details":[{"text":"a"},{"text":"b"}],"content":"c","reasoning":"ab"})"), {{0, kReasoning, "a"}, {0, kReasoning, "b"}, {0, kText, "c"}},
       chunk(R"({"reasoning_details":[{"text":"X"},{"text":"X"}],"content":"X","reasoning":"XX"})")},
      {R"({"choices":[{"index":0,"text":"t","delta":{"content":"t"}}]})", {{0, kText, "t"}}, R"({"choices":[{"index":0,"text":"X","delta":{"content":"X"}}]})"},
      {R"({"choices":[{"index":0,"delta":{"content":"t"},"text":"t"}]})", {{0, kText, "t"}}, R"({"choices":[{"index":0,"delta":{"content":"X"},"text":"X"}]})"},
      // Not the same: a text each.
      {chunk(R"({"reasoning":"ab","reasoning_details":[{"text":"a"},{"text":"c"}]})"), {{0, kReasoning, "ab"}, {0, kReasoning, "a"}, {0, kReasoning, "c"}},
       chunk(R"({"reasoning":"X","reasoning_details":[{"text":"X"},{"text":"X"}]})")},
      {chunk(R"({"reasoning":"ab","reasoning_content":"abc"})"), {{0, kReasoning, "ab"}, {0, kReasoning, "abc"}}, chunk(R"({"reasoning":"X","reasoning_content":"X"})")},
      {chunk(R"({"reasoning":"abc","reasoning_content":"ab"})"), {{0, kReasoning, "abc"}, {0, kReasoning, "ab"}}, chunk(R"({"reasoning":"X","reasoning_content":"X"})")},
      {chunk(R"({"content":"same","reasoning":"same"})"), {{0, kText, "same"}, {0, kReasoning, "same"}}, chunk(R"({"content":"X","reasoning":"X"})")},
  }));
  INFO(row.data);
  CHECK(texts_of(row.data) == row.texts);
  CHECK(changed(row.data, "X") == row.changed);
  // One of several changed: the place that says all of them says that one anew.
  const auto editor = test::stream_editor();
  AnswerTexts two = test::read(*editor, chunk(R"({"reasoning_details":[{"text":"a"},{"text":"b"}],"reasoning":"ab"})"));
  two.texts()[1].replacement = "Y";
  CHECK(test::written(*editor, two) == chunk(R"({"reasoning_details":[{"text":"a"},{"text":"Y"}],"reasoning":"aY"})"));
}

TEST_CASE("an answer told so far beside each delta is told no more once a text of it was changed") {
  const auto so_far = [](std::string_view delta, std::string_view message) {
    return R"({"choices":[{"index":0,"message":)" + std::string(message) + R"(,"delta":{"content":")" + std::string(delta) + R"("}}]})";
  };
  const auto editor = test::stream_editor();
  AnswerTexts first = test::read(*editor, so_far("a", R"({"content":"a"})"));
  CHECK(test::said_by(first) == std::vector<Said>{{0, kText, "a"}});
  CHECK(test::written(*editor, first) == so_far("a", R"({"content":"a"})"));
  CHECK(test::changed(*editor, so_far("b", R"({"content":"ab"})"), "B") == so_far("B", "null"));
  AnswerTexts third = test::read(*editor, so_far("c", R"({"content":"abc"})"));
  CHECK(third.changed());
  CHECK(test::written(*editor, third) == so_far("c", "null"));
  // Changed in an event that was split, it is changed as well.
  const auto other = test::stream_editor();
  AnswerTexts last = test::read(*other, chunk(R"({"content":"a"})", R"(,"finish_reason":"stop")"));
  last.texts()[0].replacement = "A";
  std::string said, end;
  REQUIRE(other->split(last, said, end));
  CHECK(test::written(*other, test::read(*other, so_far("", R"({"content":"a"})"))) == so_far("", "null"));
}

// DIAL-05
TEST_CASE("tool calls are numbered as the decoder numbers them") {
  const auto calls = [](std::string_view list) { return chunk("{\"tool_calls\":" + std::string(list) + "}"); };
  const auto events = GENERATE_COPY(values<std::vector<std::string>>({
      {calls(R"([{"index":0,"id":"a","function":{"name":"f","arguments":"1"}},{"index":0,"id":"b","function":{"name":"g","arguments":"2"}}])")},
      {calls(R"([{"id":"a","function":{"name":"f","arguments":"1"}}])"), calls(R"([{"id":"b","function":{"name":"g","arguments":"2"}}])"), calls(R"([{"function":{"arguments":"3"}}])")},
      {calls(R"([{"index":0,"id":"a","function":{"name":"f","arguments":""}}])"), calls(R"([{"index":1,"id":"b","function":{"name":"g","arguments":""}}])"),
       calls(R"([{"index":0,"function":{"arguments":"1"}}])"), calls(R"([{"index":1,"function":{"arguments":"2"}},{"index":0,"function":{"arguments":"3"}}])")},
      {calls(R"([{"index":0,"id":"a","function":{"name":"f","arguments":"1"}}])"), calls(R"([{"index":0,"id":"","function":{"name":"","arguments":"2"}}])")},
      {calls(R"([{"index":1,"id":"a","function":{"name":"f","arguments":"1"}}])"), calls(R"([{"index":1,"function":{"arguments":"2"}}])")},
      {calls(R"([{"function":{"name":"f","arguments":"1"}}])"), calls(R"([{"function":{"name":"g","arguments":"2"}}])"), calls(R"([{"function":{"arguments":"3"}}])")},
      {calls(R"([{"function":{"name":"f","arguments":"1"}}])"), calls(R"([{"function":{"name":"f","arguments":"2"}}])"), calls(R"([{"function":{"arguments":"3"}}])")},
      {calls(R"([{"index":0,"id":"a","function":{"name":"f","arguments":{"x":1}}}])")},
      {calls(R"([{"index":0,"id":"a","function":{"name":"f"}},{"index":1,"id":"b","type":"custom","custom":{"name":"g","input":"2"}}])")},
      {chunk(R"({"function_call":{"name":"f","arguments":""}})"), chunk(R"({"function_call":{"arguments":"1"}})")},
      {R"({"choices":[{"delta":{"tool_calls":[{"id":"a","function":{"name":"f","arguments":"1"}}]},"index":1},{"index":0,"delta":{"tool_calls":[{"id":"a","function":{"name":"g","arguments":"2"}}]}}]})"},
  }));
  const auto editor = test::stream_editor();
  test::Told told;
  for (const std::string& event : events) test::tell(test::read(*editor, event), told);
  INFO(events[0]);
  CHECK(told == test::told_by_decoder(events));
}

TEST_CASE("a call that begins without arguments can be given some") {
  CHECK(changed(chunk(R"({"tool_calls":[{"index":0,"id":"a","function":{"name":"f"}}]})"), "{}") ==
        chunk(R"({"tool_calls":[{"index":0,"id":"a","function":{"arguments":"{}","name":"f"}}]})"));
  CHECK(changed(chunk(R"({"tool_calls":[{"index":0,"id":"a","function":{}}]})"), "{}") == chunk(R"({"tool_calls":[{"index":0,"id":"a","function":{"arguments":"{}"}}]})"));
  CHECK(changed(chunk(R"({"tool_calls":[{"index":0,"id":"a"}]})"), "{}") == chunk(R"({"tool_calls":[{"function":{"arguments":"{}"},"index":0,"id":"a"}]})"));
  CHECK(changed(chunk(R"({"tool_calls":[{"index":0,"id":"a","function":{"arguments":null,"name":"f"}}]})"), "{}") ==
        chunk(R"({"tool_calls":[{"index":0,"id":"a","function":{"arguments":"{}","name":"f"}}]})"));
  CHECK(changed(chunk(R"({"tool_calls":[{"index":0,"id":"a","custom":{"name":"f"}}]})"), "x") == chunk(R"({"tool_calls":[{"index":0,"id":"a","custom":{"input":"x","name":"f"}}]})"));
  CHECK(changed(chunk(R"({"function_call":{"name":"f"}})"), "{}") == chunk(R"({"function_call":{"arguments":"{}","name":"f"}})"));
}

TEST_CASE("arguments that came as an object stay one while they are JSON") {
  const std::string data = chunk(R"({"tool_calls":[{"id":"a","function":{"name":"f","arguments":{"to":"x@y"}}}]})");
  CHECK(changed(data, R"({"to":"***"})") == chunk(R"({"tool_calls":[{"id":"a","function":{"name":"f","arguments":{"to":"***"}}}]})"));
  CHECK(changed(data, R"({"to":)") == chunk(R"({"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{\"to\":"}}]})"));
  CHECK(changed(data, "") == chunk(R"({"tool_calls":[{"id":"a","function":{"name":"f","arguments":""}}]})"));
}

// GUARD-03
TEST_CASE("choices are told apart, in one event and over several") {
  const auto editor = test::stream_editor();
  test::Told told;
  for (const std::string_view event : {R"({"choices":[{"index":1,"delta":{"content":"b"}},{"index":0,"delta":{"content":"a"}}]})",
                                       R"({"choices":[{"index":0,"delta":{"content":"A"}}]})", R"({"choices":[{"delta":{"reasoning":"r"},"index":1}]})",
                                       R"({"choices":[{"delta":{"content":"0"}},{"delta":{"content":"1"}}]})"}) {
    test::tell(test::read(*editor, event), told);
  }
  CHECK(told == test::Told{{{0, kText, 0}, "aA0"}, {{1, kText, 0}, "b1"}, {{1, kReasoning, 0}, "r"}});
}

TEST_CASE("an end is a finish reason, usage alone, or [DONE]") {
  const auto [data, ends] = GENERATE(table<std::string, bool>({
      {chunk("{}", R"(,"finish_reason":"stop")"), true},
      {chunk(R"({"content":"x"})", R"(,"finish_reason" : "length")"), true},
      {chunk("{}", R"(,"finish_reason":"")"), false},
      {chunk("{}", R"(,"finish_reason":"stop","finish_reason":"")"), true},
      {chunk("{}", R"(,"finish_reason":null)"), false},
      {R"({"choices":[{"index":0,"delta":{"content":"x"}},{"index":1,"delta":{},"finish_reason":"stop"}]})", true},
      {R"({"choices":[],"usage":{"prompt_tokens":1}})", true},
      {R"({"usage":{"prompt_tokens":1}})", true},
      {R"({"choices":[],"usage":null})", false},
      {R"({"choices":[{"index":0,"delta":{"content":"x"}}],"usage":{"prompt_tokens":1}})", false},
      {"[DONE]", true},
      {" [DONE]\n", true},
  }));
  INFO(data);
  CHECK(test::read(*test::stream_editor(), data).ends() == ends);
}

TEST_CASE("a text says whether its choice finishes in the same event") {
  const auto texts = test::read(*test::stream_editor(), R"({"choices":[{"index":0,"delta":{"content":"x"}},{"index":1,"delta":{"content":"y"},"finish_reason":"stop"}]})");
  CHECK_FALSE(texts.texts()[0].finishes);
  CHECK(texts.texts()[1].finishes);
}

TEST_CASE("an event that says its last text and its end is split into the two") {
  struct Row {
    std::string data, said, end;
  };
  const auto row = GENERATE(values<Row>({
      {R"({"id":"c","model":"m","provider":"p","choices":[{"index":0,"delta":{"role":"assistant","content":"one"},"finish_reason":"stop","native_finish_reason":"STOP","logprobs":{"content":[]}}],"usage":{"prompt_tokens":1}, "created": 7})",
       R"({"id":"c","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"one"},"finish_reason":null,"logprobs":{"content":[]}}],"created":7})",
       R"({"id":"c","model":"m","provider":"p","choices":[{"index":0,"delta":{},"finish_reason":"stop","native_finish_reason":"STOP","logprobs":null}],"usage":{"prompt_tokens":1}, "created": 7})"},
      // Mistral: whole calls together with the end.
      {R"({"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"{}","name":"f"},"id":"a","index":0},{"function":{"arguments":"{}","name":"g"},"id":"b","index":1}]},"finish_reason":"tool_calls","index":0}],"p":"abc","usage":{"total_tokens":2}})",
       R"({"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"{}","name":"f"},"id":"a","index":0},{"function":{"arguments":"{}","name":"g"},"id":"b","index":1}]},"finish_reason":null,"index":0}]})",
       R"({"choices":[{"delta":{},"finish_reason":"tool_calls","index":0}],"p":"abc","usage":{"total_tokens":2}})"},
      {R"({"choices":[{"text":"one","index":0,"logprobs":null,"finish_reason":"length"},{"text":"two","index":1,"finish_reason":null}]})",
       R"({"choices":[{"text":"one","index":0,"logprobs":null,"finish_reason":null},{"text":"two","index":1,"finish_reason":null}]})",
       R"({"choices":[{"text":"","index":0,"logprobs":null,"finish_reason":"length"},{"text":"","index":1,"finish_reason":null}]})"},
  }));
  const auto editor = test::stream_editor();
  AnswerTexts texts = test::read(*editor, row.data);
  std::string said, end;
  REQUIRE(editor->split(texts, said, end));
  CHECK(said == row.said);
  CHECK(end == row.end);
  CHECK(texts_of(said) == test::said_by(texts));
  CHECK_FALSE(test::read(*test::stream_editor(), said).ends());
  CHECK(texts_of(end).empty());
  CHECK(test::read(*test::stream_editor(), end).ends());
  // Changed texts are split as they are to be, and what told the old ones is null.
  for (AnswerText& text : texts.texts()) text.replacement = "X";
  std::string changed_said, same_end;
  REQUIRE(editor->split(texts, changed_said, same_end));
  CHECK(same_end == end);
  auto expected = test::said_by(texts);
  for (Said& text : expected) text.text = "X";
  CHECK(texts_of(changed_said) == expected);
  CHECK(changed_said.find(R"({"content":[]})") == std::string::npos);
}

TEST_CASE("an added event looks like the last one that had a choice") {
  const auto editor = test::stream_editor();
  (void)test::read(*editor, R"({"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[]})");
  (void)test::read(*editor, R"({"model":"m\u002f1","id":"c","created":17,"object":"chat.completion.chunk","system_fingerprint":null,"choices":[{"index":0,"delta":{"content":"\ud83d"}}],"usage":null,"obfuscation":"x"})");
  (void)test::read(*editor, R"({"choices":[],"usage":{"prompt_tokens":1}})");
  (void)test::read(*editor, "[DONE]");
  std::string out;
  REQUIRE(editor->add_event({2, kText, 0}, "a \"b\"", out));
  CHECK(out == R"({"model":"m\u002f1","id":"c","created":17,"object":"chat.completion.chunk","system_fingerprint":null,"choices":[{"index":2,"delta":{"content":"a \"b\""},"finish_reason":null}]})");
  // Not read back: what is added is no event of the upstream's.
  CHECK(texts_of(out) == std::vector<Said>{{2, kText, "a \"b\""}});
}

TEST_CASE("an added event before any other has an envelope all the same") {
  std::string chat, completion;
  REQUIRE(test::stream_editor()->add_event({0, kRefusal, 0}, "x", chat));
  CHECK(chat == R"({"id":"","object":"chat.completion.chunk","created":0,"model":"","choices":[{"index":0,"delta":{"refusal":"x"},"finish_reason":null}]})");
  REQUIRE(test::stream_editor(Operation::kCompletions)->add_event({1, kText, 0}, "x", completion));
  CHECK(completion == R"({"id":"","object":"text_completion","created":0,"model":"","choices":[{"index":1,"text":"x","logprobs":null,"finish_reason":null}]})");
}

TEST_CASE("added reasoning is said in the member this stream says it in") {
  const auto [seen, added] = GENERATE(table<std::string, std::string>({
      {R"({"content":"x"})", R"({"reasoning_content":"t"})"},
      {R"({"reasoning_content":"x"})", R"({"reasoning_content":"t"})"},
      {R"({"reasoning":"x"})", R"({"reasoning":"t"})"},
      {R"({"reasoning":"x","reasoning_details":[{"text":"x"}]})", R"({"reasoning":"t"})"},
      {R"({"reasoning_details":[{"text":"x"}],"reasoning":"x"})", R"({"reasoning":"t"})"},
      {R"({"reasoning_details":[{"text":"x"}]})", R"({"reasoning_details":[{"type":"reasoning.text","text":"t"}]})"},
      {R"({"content":[{"type":"thinking","thinking":[{"type":"text","text":"x"}]}]})", R"({"content":[{"type":"thinking","thinking":[{"type":"text","text":"t"}]}]})"},
  }));
  const auto editor = test::stream_editor();
  (void)test::read(*editor, chunk(seen));
  std::string out;
  REQUIRE(editor->add_event({0, kReasoning, 0}, "t", out));
  CHECK(out == chunk(added));
}

// DIAL-05
TEST_CASE("added arguments join the call they are for, by the rules the stream's fragments follow") {
  struct Row {
    std::vector<std::string> deltas;
    std::vector<std::string> added;  ///< for each call
  };
  const auto row = GENERATE(values<Row>({
      {{R"({"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":""}},{"index":1,"id":"b","function":{"name":"g","arguments":""}}]})"},
       {R"({"tool_calls":[{"index":0,"function":{"arguments":"+"}}]})", R"({"tool_calls":[{"index":1,"function":{"arguments":"+"}}]})"}},
      {{R"({"tool_calls":[{"index":0,"id":"a","function":{"name":"f"}},{"index":0,"id":"b","function":{"name":"g"}}]})"},
       {R"({"tool_calls":[{"index":0,"id":"a","function":{"arguments":"+"}}]})", R"({"tool_calls":[{"index":0,"function":{"arguments":"+"}}]})"}},
      {{R"({"tool_calls":[{"id":"a","function":{"name":"f"}},{"id":"b","function":{"name":"g"}}]})"},
       {R"({"tool_calls":[{"id":"a","function":{"arguments":"+"}}]})", R"({"tool_calls":[{"id":"b","function":{"arguments":"+"}}]})"}},
      {{R"({"tool_calls":[{"index":7,"id":"a","custom":{"name":"f","input":"x"}}]})"}, {R"({"tool_calls":[{"index":7,"custom":{"input":"+"}}]})"}},
      {{R"({"tool_calls":[{"function":{"name":"f"}}]})"}, {R"({"tool_calls":[{"function":{"arguments":"+"}}]})"}},
      {{R"({"function_call":{"name":"f","arguments":""}})"}, {R"({"function_call":{"arguments":"+"}})"}},
  }));
  const auto editor = test::stream_editor();
  std::vector<std::string> events;
  test::Told told;
  for (const std::string& delta : row.deltas) {
    events.push_back(chunk(delta));
    test::tell(test::read(*editor, events.back()), told);
  }
  for (std::uint32_t i = 0; i != row.added.size(); ++i) {
    std::string out;
    REQUIRE(editor->add_event({0, kArguments, i}, "+", out));
    CHECK(out == chunk(row.added[i]));
    events.push_back(out);
    told[{0, kArguments, i}] += "+";
  }
  CHECK(test::told_by_decoder(events) == told);
}

TEST_CASE("a completion has no place for anything but text") {
  const auto editor = test::stream_editor(Operation::kCompletions);
  std::string out;
  for (const TextChannel channel : {kReasoning, kRefusal, kArguments}) CHECK(editor->add_event({0, channel, 0}, "x", out).error().code == Code::kPluginError);
  CHECK(out.empty());
}

TEST_CASE("arguments for a call the answer does not have are a plugin's error") {
  const auto editor = test::stream_editor();
  (void)test::read(*editor, chunk(R"({"tool_calls":[{"index":0,"id":"a","function":{"name":"f"}}]})"));
  std::string out;
  const Status status = editor->add_event({0, kArguments, 1}, "x", out);
  CHECK(status.error().code == Code::kPluginError);
  CHECK(status.error().message == "a plugin added arguments of tool call 1 to choice 0, which the answer has no place for");
  CHECK_FALSE(editor->add_event({1, kArguments, 0}, "x", out));
  CHECK(out.empty());
}

TEST_CASE("golden streams pass an editor byte for byte, cut wherever they are, and tell it what the decoder hears") {
  const std::filesystem::path folder = std::filesystem::path(SLUICE_SOURCE_DIR) / "tests/golden/openai";
  int seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string stream{std::istreambuf_iterator<char>(file), {}};
    ++seen;
    INFO(entry.path().filename().string());
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
      const auto editor = test::stream_editor();
      http::SseReader reader;
      http::SseEvent event;
      AnswerTexts texts;
      test::Told told, expected;
      std::vector<std::string> events, rewritten;
      std::string out;
      for (const std::string_view piece : {std::string_view(stream).substr(0, cut), std::string_view(stream).substr(cut)}) {
        reader.feed(piece);
        while (*reader.next(event)) {
          if (!event.has_data) {
            out += event.raw;
            continue;
          }
          REQUIRE(editor->read(event.data, texts));
          http::append_event(out, test::written(*editor, texts));
          events.emplace_back(event.data);
          test::tell(texts, told);
          for (std::size_t i = 0; i != texts.texts().size(); ++i) texts.texts()[i].replacement = "<" + std::to_string(i) + ">";
          test::tell(texts, expected);
          rewritten.push_back(test::written(*editor, texts));
        }
      }
      if (out != stream || told != test::told_by_decoder(events) || expected != test::told_by_decoder(rewritten)) {
        CHECK(out == stream);
        CHECK(told == test::told_by_decoder(events));
        CHECK(expected == test::told_by_decoder(rewritten));
        break;
      }
    }
  }
  CHECK(seen == 8);
}
