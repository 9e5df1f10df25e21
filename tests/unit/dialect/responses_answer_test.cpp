// Whole responses and errors of the Responses API.

#include <catch2/catch.hpp>

#include "unit/dialect/responses_wire.hpp"

using namespace sluice;
using chat::FinishReason;
using chat::Operation;
using dialect::openai_responses;
using test::canonical;
using test::json_at;
using test::parsed;

namespace {

chat::Message decoded(std::string_view body) {
  const auto message = openai_responses().decode_answer(body, {});
  if (!message) FAIL(message.error().message);
  return *message;
}

std::string encoded(const chat::Message& message, std::string_view request = {}) {
  chat::LossReport loss;
  if (request.empty()) return openai_responses().encode_answer(message, {.model = "asked"}, loss);
  const json::Document document = parsed(request);
  return openai_responses().encode_answer(message, {.model = "asked", .request = &document}, loss);
}

chat::Message saying(chat::Part part, FinishReason finish = FinishReason::kStop) {
  chat::Message message;
  message.id = "chatcmpl-1";
  message.created = 7;
  message.choices.emplace_back().turn.parts.push_back(std::move(part));
  message.choices[0].finish = finish;
  return message;
}

}  // namespace

// DIAL-10
TEST_CASE("how a response ended is a status, a reason and whether it called") {
  const auto finish = [](std::string_view tail, std::string_view output = "[]") {
    const chat::Message message = decoded(R"({"output":)" + std::string(output) + "," + std::string(tail) + "}");
    return std::pair(message.choices[0].finish, message.choices[0].native_finish);
  };
  using Ended = std::pair<FinishReason, std::string>;
  CHECK(finish(R"("status":"completed")") == Ended{FinishReason::kStop, ""});
  CHECK(finish(R"("status":"completed")", R"([{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}])") == Ended{FinishReason::kToolCalls, ""});
  CHECK(finish(R"("status":"completed")", R"([{"type":"custom_tool_call","call_id":"c","name":"f","input":""}])") == Ended{FinishReason::kToolCalls, ""});
  CHECK(finish(R"("status":"incomplete","incomplete_details":{"reason":"max_output_tokens"})") == Ended{FinishReason::kLength, "max_output_tokens"});
  CHECK(finish(R"("status":"incomplete","incomplete_details":{"reason":"content_filter"})") == Ended{FinishReason::kContentFilter, ""});
  CHECK(finish(R"("status":"incomplete","incomplete_details":{"reason":"novel"})") == Ended{FinishReason::kStop, "novel"});

  const auto status = [](FinishReason reason) {
    const std::string out = encoded(saying({chat::Text{"x"}}, reason));
    return json_at(out, "/status") + json_at(out, "/incomplete_details") + json_at(out, "/output/0/status");
  };
  CHECK(status(FinishReason::kStop) == R"("completed"null"completed")");
  CHECK(status(FinishReason::kToolCalls) == R"("completed"null"completed")");
  CHECK(status(FinishReason::kLength) == R"("incomplete"{"reason":"max_output_tokens"}"incomplete")");
  CHECK(status(FinishReason::kContentFilter) == R"("incomplete"{"reason":"content_filter"}"incomplete")");
}

TEST_CASE("a response that failed, was cancelled or is not finished is an error with its words") {
  const auto failed = openai_responses().decode_answer(R"({"status":"failed","output":[],"error":{"code":"rate_limit_exceeded","message":"slow down"}})", {});
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == Code::kUpstreamError);
  CHECK(failed.error().message == "slow down");
  const auto cancelled = openai_responses().decode_answer(R"({"status":"cancelled","output":[]})", {});
  REQUIRE_FALSE(cancelled);
  CHECK(cancelled.error().code == Code::kUpstreamError);
  const auto queued = openai_responses().decode_answer(R"({"status":"queued","output":[]})", {});
  REQUIRE_FALSE(queued);
  CHECK(queued.error().code == Code::kUpstreamInvalidAnswer);
  CHECK(openai_responses().decode_answer("<html>", {}).error().code == Code::kUpstreamInvalidAnswer);
  CHECK(openai_responses().decode_answer(R"({"error":{"message":"no"}})", {}).error().message == "no");
}

// DIAL-11, DIAL-14
TEST_CASE("usage goes by its own names, and where nothing is known it is null") {
  const chat::Message message = decoded(R"({"output":[],"status":"completed","usage":{"input_tokens":10,"input_tokens_details":{"cached_tokens":4,"cache_write_tokens":1},
    "output_tokens":5,"output_tokens_details":{"reasoning_tokens":2},"total_tokens":15}})");
  chat::Usage expected;
  expected.input_tokens = 10, expected.output_tokens = 5, expected.total_tokens = 15;
  expected.cached_input_tokens = 4, expected.cache_write_tokens = 1, expected.reasoning_tokens = 2;
  REQUIRE(message.usage);
  CHECK(*message.usage == expected);

  chat::Message other = saying({chat::Text{"x"}});
  CHECK(json_at(encoded(other), "/usage") == "null");
  other.usage.emplace().input_tokens = 3;
  other.usage->output_tokens = 4;
  other.raw_usage = R"({"prompt_tokens":99})";  // another dialect's words
  CHECK(canonical(json_at(encoded(other), "/usage")) ==
        canonical(R"({"input_tokens":3,"input_tokens_details":{"cached_tokens":0,"cache_write_tokens":0},"output_tokens":4,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":7})"));
}

TEST_CASE("an answer says again what was asked for, and by default what nobody asked for") {
  const std::string out = encoded(saying({chat::Text{"x"}}), R"({"model":"asked","input":"q","instructions":"i","temperature":0.5,"max_output_tokens":9,
    "tools":[{"type":"function","name":"f"}],"tool_choice":"required","reasoning":{"effort":"low"},"metadata":{"a":"b"},"store":true,
    "text":{"format":{"type":"json_schema","name":"n","schema":{}},"verbosity":"low"}})");
  CHECK(json_at(out, "/instructions") == R"("i")");
  CHECK(json_at(out, "/temperature") == "0.5");
  CHECK(json_at(out, "/max_output_tokens") == "9");
  CHECK(json_at(out, "/tools") == R"([{"type":"function","name":"f","description":null,"parameters":null,"strict":false}])");
  CHECK(json_at(out, "/tool_choice") == R"("required")");
  CHECK(json_at(out, "/reasoning") == R"({"effort":"low","summary":null})");
  CHECK(json_at(out, "/text") == R"({"format":{"type":"json_schema","name":"n","schema":{},"strict":false},"verbosity":"low"})");
  CHECK(json_at(out, "/store") == "true");
  CHECK(json_at(out, "/model") == R"("asked")");

  const std::string silent = encoded(saying({chat::Text{"x"}}));
  CHECK(json_at(silent, "/id") == R"("chatcmpl-1")");
  CHECK(json_at(silent, "/created_at") == "7");
  CHECK(json_at(silent, "/object") == R"("response")");
  CHECK(json_at(silent, "/text") == R"({"format":{"type":"text"}})");
  CHECK(json_at(silent, "/temperature") == "1");
  CHECK(json_at(silent, "/tools") == "[]");
  CHECK(json_at(silent, "/store") == "false");  // nobody here keeps it
}

TEST_CASE("the parts of an answer are items in their order, with ids made of the answer's") {
  chat::Message message = saying({chat::Thinking{"hm"}}, FinishReason::kToolCalls);
  message.id = "resp_9";
  auto& parts = message.choices[0].turn.parts;
  chat::Text text{"see"};
  text.citations.push_back({.kind = chat::Citation::Kind::kUrl, .url = "u", .title = "t", .start = 0, .end = 3});
  parts.push_back({text});
  parts.push_back({chat::Refusal{"no"}});
  parts.push_back({chat::ToolCall{chat::ToolKind::kFunction, "c1", "f", ""}});
  parts.push_back({chat::ToolCall{chat::ToolKind::kCustom, "c2", "g", "in"}});
  CHECK(canonical(json_at(encoded(message), "/output")) == canonical(R"([
    {"type":"reasoning","id":"rs_9_0","summary":[{"type":"summary_text","text":"hm"}]},
    {"type":"message","id":"msg_9_1","status":"completed","role":"assistant","content":[
      {"type":"output_text","text":"see","annotations":[{"type":"url_citation","start_index":0,"end_index":3,"url":"u","title":"t"}],"logprobs":[]},
      {"type":"refusal","refusal":"no"}]},
    {"type":"function_call","id":"fc_9_2","status":"completed","call_id":"c1","name":"f","arguments":"{}"},
    {"type":"custom_tool_call","id":"ctc_9_3","status":"completed","call_id":"c2","name":"g","input":"in"}])"));
}

TEST_CASE("items that a server's own tools made stay where they were in their dialect and beside the text in others") {
  constexpr std::string_view output = R"([{"type":"web_search_call","id":"ws_1","status":"completed"},
    {"type":"message","id":"msg_1","status":"completed","role":"assistant","content":[{"type":"output_text","text":"a","annotations":[],"logprobs":[]}]},
    {"type":"mcp_call","id":"mcp_1"},
    {"type":"message","id":"msg_2","status":"completed","role":"assistant","content":[{"type":"output_text","text":"b","annotations":[],"logprobs":[]}]}])";
  const chat::Message message = decoded(R"({"id":"r","status":"completed","output":)" + std::string(output) + "}");
  CHECK(canonical(json_at(encoded(message), "/output")) == canonical(output));
  chat::LossReport loss;
  CHECK(json_at(dialect::openai().encode_answer(message, {}, loss), "/choices/0/message/content") == R"("ab")");
  CHECK(loss.first_at_least(chat::LossSeverity::kSemantic) == nullptr);
}

// DIAL-26
TEST_CASE("counted tokens are an answer of their own") {
  const auto counted = openai_responses().decode_answer(R"({"object":"response.input_tokens","input_tokens":11})", {Operation::kCountTokens});
  REQUIRE(counted);
  CHECK(counted->usage->input_tokens == 11);
  chat::LossReport loss;
  CHECK(openai_responses().encode_answer(*counted, {.operation = Operation::kCountTokens}, loss) == R"({"object":"response.input_tokens","input_tokens":11})");
  CHECK(openai_responses().decode_answer("{}", {Operation::kCountTokens}).error().code == Code::kUpstreamInvalidAnswer);
}

// DIAL-17
TEST_CASE("errors are in OpenAI's envelope, and in a stream an event that readers of either document understand") {
  Error error = make_error(Code::kUpstreamStatus, "ours", "input");
  error.http_status = 429;
  const std::string body = openai_responses().encode_error(error, {"req_1", "theirs", 429});
  CHECK(json_at(body, "/error/message") == R"("theirs")");
  CHECK(json_at(body, "/error/type") == R"("rate_limit_error")");
  CHECK(openai_responses().is_error_body(body));
  CHECK_FALSE(openai_responses().is_error_body(R"({"object":"response","error":null})"));

  const auto events = test::events_of(openai_responses().encode_stream_error(error, {{}, "theirs", 429}, dialect::Framing::kSse));
  REQUIRE(events.size() == 1);
  CHECK(events[0].name == "error");
  CHECK(canonical(events[0].data) == canonical(R"({"type":"error","sequence_number":0,"code":"upstream_status","message":"theirs","param":"input",
    "error":{"type":"rate_limit_error","code":"upstream_status","message":"theirs","param":"input"}})"));
}

TEST_CASE("paths of responses are this dialect's, and what a server keeps is nobody's") {
  dialect::Recognised found;
  CHECK(dialect::recognise("POST", "/v1/responses", {}, {}, found) == &openai_responses());
  CHECK(found.operation == Operation::kChat);
  CHECK(found.suffix == "/responses");
  CHECK(dialect::recognise("POST", "/openai/v1/responses/input_tokens", {}, {}, found) == &openai_responses());
  CHECK(found.operation == Operation::kCountTokens);
  CHECK(dialect::recognise("GET", "/v1/responses", {}, {}, found) == &openai_responses());
  CHECK_FALSE(found.method_ok);
  CHECK(found.allow == "POST");
  for (const char* path : {"/v1/responses/resp_1", "/v1/responses/resp_1/cancel", "/v1/responses/compact", "/v1/responses/resp_1/input_items", "/v1/myresponses"}) {
    INFO(path);
    CHECK(dialect::recognise("POST", path, {}, {}, found) == nullptr);
    CHECK(dialect::recognise("GET", path, {}, {}, found) == nullptr);
  }
  CHECK(openai_responses().target_of({Operation::kChat}) == "/responses");
  CHECK(openai_responses().target_of({Operation::kCountTokens}) == "/responses/input_tokens");
  CHECK(openai_responses().serves(Operation::kCountTokens));
  CHECK_FALSE(openai_responses().serves(Operation::kEmbeddings));
}
