// Streams of the Responses API, read and written.

#include <catch2/catch.hpp>

#include "unit/dialect/responses_wire.hpp"

using namespace sluice;
using chat::Delta;
using chat::FinishReason;
using dialect::openai;
using dialect::openai_responses;
using test::canonical;
using test::deltas_of;
using test::events_of;
using test::gathered;
using test::json_at;
using test::WireEvent;

namespace {

std::string written(const std::vector<Delta>& deltas, bool end = true) {
  const auto encoder = openai_responses().delta_encoder({.model = "asked"});
  std::string out;
  for (const Delta& delta : deltas) encoder->encode(delta, out);
  if (end) encoder->end(out);
  return out;
}

/// The kinds of the events, without `response.`, runs of one kind as one.
std::string kinds(const std::vector<WireEvent>& events) {
  std::string out, last;
  for (const WireEvent& event : events) {
    const std::string kind = event.name.substr(event.name.starts_with("response.") ? 9 : 0);
    if (kind != last) out += (out.empty() ? "" : " ") + kind;
    last = kind;
  }
  return out;
}

chat::UsageDelta used() {
  chat::UsageDelta usage;
  usage.usage.input_tokens = 3, usage.usage.output_tokens = 4, usage.usage.total_tokens = 7;
  return usage;
}

const std::vector<Delta> kSpoken{{0, chat::AnswerStart{"resp_1", "m", 5}},     {0, chat::TurnStart{}},
                                 {0, chat::ThinkingDelta{"h"}},                {0, chat::ThinkingDelta{"m"}},
                                 {0, chat::TextDelta{"he"}},                   {0, chat::TextDelta{"y\n\ndata: [DONE]\n\n"}},
                                 {0, chat::CitationDelta{{.kind = chat::Citation::Kind::kUrl, .url = "u", .title = "t", .start = 0, .end = 2}}},
                                 {0, chat::FinishDelta{FinishReason::kStop}},  {0, used()}};

}  // namespace

// DIAL-22
TEST_CASE("a stream has its events in pairs, numbered from 0, and one end with the whole response in it") {
  const auto events = events_of(written(kSpoken));
  CHECK(kinds(events) ==
        "created in_progress output_item.added reasoning_summary_part.added reasoning_summary_text.delta reasoning_summary_text.done "
        "reasoning_summary_part.done output_item.done output_item.added content_part.added output_text.delta output_text.annotation.added "
        "output_text.done content_part.done output_item.done completed");
  for (std::size_t i = 0; i < events.size(); ++i) {
    CHECK(json_at(events[i].data, "/sequence_number") == std::to_string(i));
    CHECK(json_at(events[i].data, "/type") == "\"" + events[i].name + "\"");
  }
  const std::string& last = events.back().data;
  CHECK(json_at(last, "/response/status") == R"("completed")");
  CHECK(json_at(last, "/response/model") == R"("m")");
  CHECK(json_at(last, "/response/usage/total_tokens") == "7");
  CHECK(canonical(json_at(last, "/response/output")) == canonical(R"([
    {"type":"reasoning","id":"rs_1_0","summary":[{"type":"summary_text","text":"hm"}]},
    {"type":"message","id":"msg_1_1","status":"completed","role":"assistant","content":[{"type":"output_text","text":"hey\n\ndata: [DONE]\n\n",
      "annotations":[{"type":"url_citation","start_index":0,"end_index":2,"url":"u","title":"t"}],"logprobs":[]}]}])"));
  CHECK(written(kSpoken).find("data: [DONE]\n\n") == std::string::npos);
  // Before it the response has no usage and no output.
  CHECK(json_at(events[0].data, "/response/usage") == "null");
  CHECK(json_at(events[0].data, "/response/output") == "[]");
}

// DIAL-12
TEST_CASE("a stream states the usage that the whole answer would") {
  chat::LossReport loss;
  const auto events = events_of(written(kSpoken));
  const std::string whole = openai_responses().encode_answer(gathered(kSpoken), {}, loss);
  CHECK(json_at(events.back().data, "/response/usage") == json_at(whole, "/usage"));
  CHECK(json_at(events.back().data, "/response/output") == json_at(whole, "/output"));
}

// DIAL-04, DIAL-08, DIAL-09
TEST_CASE("calls that grow by turns have indexes of their own and end once each, and one without arguments has an empty object") {
  const auto events = events_of(written({{0, chat::AnswerStart{"resp_1", "m"}},
                                         {0, chat::ToolCallStart{0, chat::ToolKind::kFunction, "a", "f"}},
                                         {0, chat::ToolCallDelta{0, "{\"x\":"}},
                                         {0, chat::ToolCallStart{1, chat::ToolKind::kCustom, "b", "g"}},
                                         {0, chat::ToolCallDelta{1, "in"}},
                                         {0, chat::ToolCallDelta{0, "1}"}},
                                         {0, chat::ToolCallStart{2, chat::ToolKind::kFunction, "c", "h"}},
                                         {0, chat::FinishDelta{FinishReason::kToolCalls}}}));
  CHECK(kinds(events) ==
        "created in_progress output_item.added function_call_arguments.delta output_item.added custom_tool_call_input.delta "
        "function_call_arguments.delta output_item.added function_call_arguments.done output_item.done custom_tool_call_input.done "
        "output_item.done function_call_arguments.done output_item.done completed");
  CHECK(json_at(events[6].data, "/output_index") == "0");
  CHECK(json_at(events[6].data, "/delta") == R"("1}")");
  const std::string output = json_at(events.back().data, "/response/output");
  CHECK(json_at(output, "/0/arguments") == R"("{\"x\":1}")");
  CHECK(json_at(output, "/1/input") == R"("in")");
  CHECK(json_at(output, "/2/arguments") == R"("{}")");
  const chat::Message again = gathered(deltas_of(events, openai_responses()));
  CHECK(again.choices[0].turn.parts.size() == 3);
  CHECK(again.choices[0].finish == FinishReason::kToolCalls);
}

TEST_CASE("a refusal is a part of its own, and an answer cut short is incomplete") {
  const auto events = events_of(written({{0, chat::AnswerStart{"resp_1", "m"}},
                                         {0, chat::TextDelta{"a"}},
                                         {0, chat::RefusalDelta{"n"}},
                                         {0, chat::RefusalDelta{"o"}},
                                         {0, chat::FinishDelta{FinishReason::kLength}}}));
  CHECK(kinds(events) ==
        "created in_progress output_item.added content_part.added output_text.delta output_text.done content_part.done content_part.added "
        "refusal.delta refusal.done content_part.done output_item.done incomplete");
  CHECK(json_at(events.back().data, "/response/incomplete_details/reason") == R"("max_output_tokens")");
  CHECK(json_at(events.back().data, "/response/output/0/content/1/refusal") == R"("no")");
  CHECK(json_at(events.back().data, "/response/output/0/status") == R"("incomplete")");
}

TEST_CASE("a stream that fails says so in an event and in its one end, and nothing follows") {
  Error error = make_error(Code::kUpstreamError, "broke");
  error.http_status = 503;
  const auto encoder = openai_responses().delta_encoder({});
  std::string out;
  encoder->encode({0, chat::AnswerStart{"resp_1", "m"}}, out);
  encoder->encode({0, chat::TextDelta{"a"}}, out);
  encoder->encode({0, chat::ErrorDelta{error, {}}}, out);
  encoder->encode({0, chat::TextDelta{"b"}}, out);
  encoder->end(out);
  const auto events = events_of(out);
  CHECK(kinds(events) == "created in_progress output_item.added content_part.added output_text.delta error failed");
  CHECK(json_at(events.back().data, "/response/status") == R"("failed")");
  CHECK(json_at(events.back().data, "/response/error") == R"({"code":"server_error","message":"broke"})");
  CHECK(json_at(events.back().data, "/response/output/0/status") == R"("incomplete")");
  const auto deltas = deltas_of(events, openai_responses());
  CHECK(std::count_if(deltas.begin(), deltas.end(), [](const Delta& d) { return d.as<chat::ErrorDelta>() != nullptr; }) == 1);
}

TEST_CASE("signed and redacted thinking are items of their own, sealed, and read back as they were") {
  const std::vector<Delta> deltas{{0, chat::AnswerStart{"resp_1", "m"}},          {0, chat::TurnStart{}},
                                  {0, chat::ThinkingDelta{"a"}},                  {0, chat::ThinkingDelta{{}, "SIG"}},
                                  {0, chat::ThinkingDelta{"b", {}, {}, {}, {}, true}}, {0, chat::ThinkingDelta{{}, {}, "RED"}},
                                  {0, chat::TextDelta{"t"}},                      {0, chat::FinishDelta{FinishReason::kStop}}};
  const chat::Message again = gathered(deltas_of(events_of(written(deltas)), openai_responses()));
  const auto& parts = again.choices[0].turn.parts;
  REQUIRE(parts.size() == 4);
  CHECK(parts[0].as<chat::Thinking>()->text == "a");
  CHECK(parts[0].as<chat::Thinking>()->signature == "SIG");
  CHECK(parts[1].as<chat::Thinking>()->text == "b");
  CHECK(parts[2].as<chat::Thinking>()->redacted == "RED");
}

// DIAL-15, DIAL-18
TEST_CASE("a reasoning item of the dialect itself goes through a stream to the byte, at every split") {
  const std::string stream =
      "event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0,\"response\":{\"id\":\"resp_1\",\"model\":\"m\",\"created_at\":1}}\n\n"
      "event: response.output_item.added\ndata: {\"type\":\"response.output_item.added\",\"output_index\":0,\"item\":{\"id\":\"rs_1\",\"type\":\"reasoning\",\"summary\":[]}}\n\n"
      "data: {\"type\":\"response.reasoning_summary_part.added\",\"output_index\":0,\"summary_index\":0}\n\n"
      "data: {\"type\":\"response.reasoning_summary_text.delta\",\"output_index\":0,\"summary_index\":0,\"delta\":\"one \xf0\x9f\x98\x80\"}\n\n"
      "data: {\"type\":\"response.reasoning_summary_part.added\",\"output_index\":0,\"summary_index\":1}\n\n"
      "data: {\"type\":\"response.reasoning_summary_text.delta\",\"output_index\":0,\"summary_index\":1,\"delta\":\"two \\ud83d\\ude00\"}\n\n"
      "data: {\"type\":\"response.output_item.done\",\"output_index\":0,\"item\":{\"id\":\"rs_1\",\"type\":\"reasoning\",\"encrypted_content\":\"gAAA+/=\\u0041\",\"summary\":[{\"type\":\"summary_text\",\"text\":\"x\"}]}}\n\n"
      "data: {\"type\":\"response.completed\",\"response\":{\"status\":\"completed\",\"usage\":{\"input_tokens\":1,\"output_tokens\":2,\"total_tokens\":3}}}\n\n";
  const chat::Message whole = gathered(deltas_of(events_of(stream), openai_responses()));
  REQUIRE(whole.choices[0].turn.parts.size() == 1);
  const auto* thinking = whole.choices[0].turn.parts[0].as<chat::Thinking>();
  CHECK(thinking->text == "one \xf0\x9f\x98\x80\n\ntwo \xf0\x9f\x98\x80");
  CHECK(*chat::find_extra(thinking->extras, "openai-responses", "encrypted_content") == R"("gAAA+/=\u0041")");
  CHECK(*chat::find_extra(thinking->extras, "openai-responses", "id") == R"("rs_1")");
  for (std::size_t size = 1; size < stream.size(); ++size) {
    if (gathered(deltas_of(events_of(stream, size), openai_responses())) != whole) FAIL("in pieces of " << size);
  }
  const auto events = events_of(written(deltas_of(events_of(stream), openai_responses())));
  CHECK(json_at(events.back().data, "/response/output/0/encrypted_content") == R"("gAAA+/=\u0041")");
  CHECK(json_at(events.back().data, "/response/output/0/id") == R"("rs_1")");
}

TEST_CASE("what was not said in deltas is taken from where it is done") {
  const auto told = [](const std::vector<WireEvent>& events) { return gathered(deltas_of(events, openai_responses())); };
  const chat::Message text = told({{"", R"({"type":"response.output_item.added","output_index":0,"item":{"type":"message","id":"m"}})"},
                                   {"", R"({"type":"response.output_text.done","output_index":0,"content_index":0,"text":"all"})"},
                                   {"", R"({"type":"response.content_part.done","output_index":0,"content_index":0,"part":{"type":"output_text","text":"all","annotations":[{"type":"url_citation","url":"u"}]}})"},
                                   {"", R"({"type":"response.output_item.done","output_index":0,"item":{"type":"message","content":[{"type":"output_text","text":"all"}]}})"}});
  CHECK(text.choices[0].turn.text() == "all");
  CHECK(text.choices[0].turn.parts[0].as<chat::Text>()->citations.size() == 1);
  const chat::Message call = told({{"", R"({"type":"response.output_item.added","output_index":0,"item":{"type":"function_call","call_id":"c","name":"f","arguments":""}})"},
                                   {"", R"({"type":"response.function_call_arguments.done","output_index":0,"arguments":"{\"a\":1}"})"},
                                   {"", R"({"type":"response.output_item.done","output_index":0,"item":{"type":"function_call","call_id":"c","name":"f","arguments":"{\"a\":1}"}})"}});
  CHECK(call.choices[0].turn.parts[0].as<chat::ToolCall>()->arguments == R"({"a":1})");
  const chat::Message only_end = told({{"", R"({"type":"response.completed","response":{"id":"r","status":"completed","output":[
    {"type":"message","content":[{"type":"output_text","text":"x"}]},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}]}})"}});
  CHECK(only_end.id == "r");
  CHECK(only_end.choices[0].turn.text() == "x");
  CHECK(only_end.choices[0].finish == FinishReason::kToolCalls);
}

TEST_CASE("a stream is over with its end or its error, and truncated without") {
  const auto decoder = openai_responses().delta_decoder({});
  std::vector<Delta> deltas;
  REQUIRE(decoder->on_event("", R"({"type":"response.created","response":{"id":"r"}})", deltas));
  CHECK_FALSE(decoder->over());
  REQUIRE_FALSE(decoder->on_end());
  CHECK(decoder->on_end().error().code == Code::kUpstreamTruncated);
  REQUIRE(decoder->on_event("", R"({"type":"response.novel","x":1})", deltas));  // DIAL-23
  REQUIRE(decoder->on_event("response.incomplete", R"({"response":{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"}}})", deltas));
  CHECK(decoder->over());
  CHECK(decoder->on_end());
  CHECK(gathered(deltas).choices[0].finish == FinishReason::kLength);
  CHECK(openai_responses().delta_decoder({})->on_event("", "<b>", deltas).error().code == Code::kUpstreamInvalidAnswer);

  for (const char* event : {R"({"type":"error","code":"c","message":"flat","param":null,"sequence_number":2})",
                            R"({"type":"error","sequence_number":2,"error":{"type":"t","code":"c","message":"flat","param":null}})",
                            R"({"type":"response.failed","response":{"status":"failed","error":{"code":"c","message":"flat"}}})"}) {
    INFO(event);
    const auto failing = openai_responses().delta_decoder({});
    std::vector<Delta> out;
    REQUIRE(failing->on_event("", event, out));
    REQUIRE(out.size() == 1);
    REQUIRE(out[0].as<chat::ErrorDelta>());
    CHECK(out[0].as<chat::ErrorDelta>()->error.message == "flat");
    CHECK(failing->over());
  }
}

TEST_CASE("the text of an event is its delta") {
  CHECK(openai_responses().event_text(R"({"type":"response.output_text.delta","delta":"a\u0062"})") == "ab");
  CHECK(openai_responses().event_text(R"({"type":"response.output_text.done","text":"a"})").empty());
  CHECK(openai_responses().event_text("[DONE]").empty());
}
