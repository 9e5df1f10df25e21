// The texts of Anthropic's answers, read and changed in place; what is added, and how a stream ends that is broken off.

#include <catch2/catch.hpp>

#include "unit/dialect/editing.hpp"

using namespace sluice;
using dialect::anthropic;
using test::AnswerText;
using test::AnswerTexts;
using test::Said;
using test::TextChannel;

namespace {

constexpr TextChannel kText = TextChannel::kText, kReasoning = TextChannel::kReasoning, kArguments = TextChannel::kToolArguments, kRefusal = TextChannel::kRefusal;

std::unique_ptr<dialect::AnswerEditor> streamed() { return anthropic().answer_editor(chat::Operation::kChat, true); }
std::unique_ptr<dialect::AnswerEditor> whole() { return anthropic().answer_editor(chat::Operation::kChat, false); }

const std::string kTool = R"({"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}})";

}  // namespace

TEST_CASE("every text of an event is read, in the channel it belongs to") {
  struct Row {
    std::string event;
    std::vector<Said> texts;
    bool ends;
  };
  const auto row = GENERATE(values<Row>({
      {R"({"type":"message_start","message":{"id":"i","content":[],"stop_reason":null}})", {}, false},
      {R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})", {}, false},
      {R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":"a"}})", {{0, kText, "a"}}, false},
      {kTool, {{0, kArguments, "", 0, "f"}}, false},
      {R"({"type":"content_block_start","index":1,"content_block":{"type":"tool_use","name":"f","input":{"a":1}}})", {{0, kArguments, R"({"a":1})", 0, "f"}}, false},
      {R"({"type":"content_block_start","index":1,"content_block":{"type":"server_tool_use","name":"f","input":{}}})", {}, false},
      {R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a\n"}})", {{0, kText, "a\n"}}, false},
      {R"({"delta":{"thinking":"a","type":"thinking_delta"},"index":0,"type":"content_block_delta"})", {{0, kReasoning, "a"}}, false},
      {R"({"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"S"}})", {}, false},
      // No call began at this block.
      {R"({"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{"}})", {}, false},
      {R"({"type":"content_block_stop","index":0})", {}, false},
      {R"({"type":"ping"})", {}, false},
      {R"({"type":"message_delta","delta":{"stop_reason":"refusal","stop_details":{"type":"refusal","explanation":"No."}},"usage":{}})", {{0, kRefusal, "No."}}, true},
      {R"({"type":"message_stop"})", {}, true},
      {R"({"type":"message_start","message":{"content":[{"type":"tool_use","name":"f","input":{"a":1}}],"stop_reason":"tool_use"}})", {{0, kArguments, R"({"a":1})", 0, "f"}}, true},
  }));
  const AnswerTexts texts = test::read(*streamed(), row.event);
  INFO(row.event);
  CHECK(test::said_by(texts) == row.texts);
  CHECK(texts.ends() == row.ends);
}

TEST_CASE("a change touches its own JSON string and no other byte, by parser and by pattern") {
  const auto editor = streamed();
  for (const std::string said : {"one", "two", "thr\\u00e9e"}) {
    const std::string before = R"({"type":"content_block_delta",  "index":0,"delta":{"type":"text_delta","text":")", behind = R"("} }  )";
    AnswerTexts texts = test::read(*editor, before + said + behind);
    REQUIRE(texts.texts().size() == 1);
    CHECK(test::written(*editor, texts) == before + said + behind);
    texts.texts()[0].replacement = "\"x\"";
    CHECK(test::written(*editor, texts) == before + R"(\"x\")" + behind);
  }
}

TEST_CASE("arguments of calls are told by the call's number, also where it is known by pattern") {
  const auto editor = streamed();
  (void)test::read(*editor, R"({"type":"content_block_start","index":0,"content_block":{"type":"tool_use","name":"e","input":{}}})");
  (void)test::read(*editor, kTool);
  for (const std::string_view part : {"{", "}"}) {
    const AnswerTexts texts = test::read(*editor, R"({"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":")" + std::string(part) + R"("}})");
    CHECK(test::said_by(texts) == std::vector<Said>{{0, kArguments, std::string(part), 1}});
  }
}

TEST_CASE("what is added is a block of its own behind those of the answer, and the open one is stopped before it") {
  const auto editor = streamed();
  test::give(*editor, R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})");
  std::string data, out;
  REQUIRE(editor->add_event({0, kText, 0}, "+", data));
  CHECK(data == R"({"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"+"}})");
  editor->frame_added(data, http::Framing::kSse, out);
  CHECK(out == "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n"
               "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n"
               "event: content_block_delta\ndata: " + data + "\n\n"
               "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":1}\n\n");
  std::string more, after;
  REQUIRE(editor->add_event({0, kReasoning, 0}, "?", more));
  editor->frame_added(more, http::Framing::kSse, after);
  CHECK(after.find(R"("index":2,"content_block":{"type":"thinking")") != std::string::npos);
  CHECK(after.find(R"("index":0)") == std::string::npos);
}

TEST_CASE("added arguments join the block of their call") {
  const auto editor = streamed();
  (void)test::read(*editor, kTool);
  (void)test::read(*editor, R"({"type":"content_block_stop","index":1})");
  std::string data, out;
  REQUIRE(editor->add_event({0, kArguments, 0}, "}", data));
  editor->frame_added(data, http::Framing::kSse, out);
  CHECK(out == "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"}\"}}\n\n");
  for (const dialect::TextAddress& to : {dialect::TextAddress{0, kArguments, 1}, dialect::TextAddress{1, kText, 0}, dialect::TextAddress{0, kRefusal, 0}}) {
    std::string none;
    const Status status = editor->add_event(to, "x", none);
    REQUIRE_FALSE(status);
    CHECK(status.error().code == Code::kPluginError);
    CHECK(none.empty());
  }
}

TEST_CASE("a stream that a filter breaks off is stopped, told why, and over") {
  const auto editor = streamed();
  test::give(*editor, R"({"type":"content_block_start","index":3,"content_block":{"type":"text","text":""}})");
  chat::Usage usage;
  usage.input_tokens = 2;
  usage.output_tokens = 1;
  CHECK(test::early_end(*editor, true, usage) ==
        "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":3}\n\n"
        "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"refusal\",\"stop_sequence\":null},\"usage\":{\"input_tokens\":2,\"output_tokens\":1}}\n\n"
        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
}

TEST_CASE("a block is stopped at an early end exactly where the caller has seen it begin and not stop") {
  const auto editor = streamed();
  constexpr std::string_view kStopped = R"("type":"content_block_stop")";
  const std::string begins = R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})", stops = R"({"type":"content_block_stop","index":0})";
  SECTION("it was read to begin, and not given") {
    (void)test::read(*editor, begins);
    CHECK(test::early_end(*editor).find(kStopped) == std::string::npos);
  }
  SECTION("its stop was read, and not given") {
    test::give(*editor, begins);
    (void)test::read(*editor, stops);
    (void)test::read(*editor, kTool);
    CHECK(test::early_end(*editor).find(R"("type":"content_block_stop","index":0)") != std::string::npos);
  }
  SECTION("its stop was given") {
    test::give(*editor, begins);
    test::give(*editor, stops);
    CHECK(test::early_end(*editor).find(kStopped) == std::string::npos);
  }
  SECTION("a failure stops nothing") { CHECK(test::early_end(*editor, false).empty()); }
}

TEST_CASE("an answer that comes whole with its start is split into what it says and its end") {
  const auto editor = streamed();
  AnswerTexts texts = test::read(*editor, R"({"type":"message_start","message":{"content":[{"type":"text","text":"a"}],"stop_reason":"end_turn","usage":{"input_tokens":1}}})");
  CHECK(texts.texts()[0].finishes);
  texts.texts()[0].replacement = "b";
  std::string said, end;
  REQUIRE(editor->split(texts, said, end));
  CHECK(said == R"({"type":"message_start","message":{"content":[{"type":"text","text":"b"}],"stop_reason":null,"usage":{"input_tokens":1}}})");
  CHECK(end == R"({"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"input_tokens":1}})");
}

TEST_CASE("every text of a whole answer is read and can be changed where it stands") {
  const std::string body = R"({"id":"i","content":[{"type":"thinking","thinking":"t","signature":"S"},{"type":"text","text":"a"},{"type":"web_search_tool_result","content":[]},{"type":"tool_use","id":"x","name":"f","input":{"a":1}},{"type":"text","text":"b"}],"stop_reason":"tool_use"})";
  const auto editor = whole();
  AnswerTexts texts = test::read(*editor, body);
  CHECK(test::said_by(texts) == std::vector<Said>{{0, kReasoning, "t"}, {0, kText, "a"}, {0, kArguments, R"({"a":1})", 0, "f"}, {0, kText, "b"}});
  texts.texts()[1].replacement = "A";
  texts.texts()[2].replacement = R"({"a":2})";
  REQUIRE(editor->add_text({0, kText, 0}, "+", texts));
  CHECK(test::written(*editor, texts) == R"({"id":"i","content":[{"type":"thinking","thinking":"t","signature":"S"},{"type":"text","text":"A"},{"type":"web_search_tool_result","content":[]},{"type":"tool_use","id":"x","name":"f","input":{"a":2}},{"type":"text","text":"b+"}],"stop_reason":"tool_use"})");
}

TEST_CASE("text is put into an answer that has none, and what has no place there is a plugin's error") {
  const auto editor = whole();
  AnswerTexts empty = test::read(*editor, R"({"content":[],"stop_reason":"end_turn"})");
  REQUIRE(editor->add_text({0, kText, 0}, "+", empty));
  CHECK(test::written(*editor, empty) == R"({"content":[{"type":"text","text":"+"}],"stop_reason":"end_turn"})");
  AnswerTexts call = test::read(*editor, R"({"content":[{"type":"tool_use","name":"f","input":{}}]})");
  REQUIRE(editor->add_text({0, kText, 0}, "+", call));
  CHECK(test::written(*editor, call) == R"({"content":[{"type":"text","text":"+"},{"type":"tool_use","name":"f","input":{}}]})");
  CHECK(editor->add_text({0, kReasoning, 0}, "x", call).error().code == Code::kPluginError);
  CHECK(editor->add_text({1, kText, 0}, "x", call).error().code == Code::kPluginError);
}

TEST_CASE("what cannot be read is never passed on unread") {
  AnswerTexts texts;
  for (const auto& editor : {streamed(), whole()}) {
    const Status status = editor->read("[]", texts);
    REQUIRE_FALSE(status);
    CHECK(status.error().code == Code::kUpstreamInvalidAnswer);
  }
  CHECK(anthropic().answer_editor(chat::Operation::kCountTokens, false) == nullptr);
}
