// Whole answers of the Anthropic dialect, errors, counts and models.

#include <catch2/catch.hpp>

#include "unit/dialect/wire.hpp"

using namespace sluice;
using chat::Operation;
using dialect::anthropic;
using dialect::openai;
using test::canonical;

namespace {

std::string translated(const dialect::Dialect& from, const dialect::Dialect& to, std::string_view body, Operation operation = Operation::kChat) {
  const auto message = from.decode_answer(body, {operation});
  INFO(body);
  if (!message) FAIL(message.error().message);
  chat::LossReport loss;
  return to.encode_answer(*message, {.operation = operation, .model = "asked"}, loss);
}

}  // namespace

// DIAL-01, DIAL-11
TEST_CASE("an answer of Anthropic's models becomes one of OpenAI's") {
  CHECK(canonical(translated(anthropic(), openai(), R"({"id":"msg_1","type":"message","role":"assistant","model":"m","content":[
    {"type":"thinking","thinking":"hm","signature":"S"},{"type":"text","text":"a"},{"type":"server_tool_use","id":"s","name":"w","input":{}},{"type":"text","text":"b"},
    {"type":"tool_use","id":"toolu_1","name":"f","input":{}}],"stop_reason":"tool_use","stop_sequence":null,
    "usage":{"input_tokens":2,"cache_read_input_tokens":3,"cache_creation_input_tokens":5,"output_tokens":7,"output_tokens_details":{"thinking_tokens":1},"service_tier":"standard"}})")) ==
        canonical(R"({"id":"msg_1","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"ab","reasoning_content":"hm",
    "tool_calls":[{"id":"toolu_1","type":"function","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls","native_finish_reason":"tool_use"}],
    "usage":{"prompt_tokens":10,"completion_tokens":7,"total_tokens":17,"prompt_tokens_details":{"cached_tokens":3,"cache_write_tokens":5},"completion_tokens_details":{"reasoning_tokens":1}}})"));
}

// DIAL-01, DIAL-09
TEST_CASE("an answer of OpenAI's models becomes one of Anthropic's") {
  CHECK(canonical(translated(openai(), anthropic(), R"({"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt","choices":[{"index":0,"message":{"role":"assistant","content":"a","reasoning_content":"hm",
    "annotations":[{"type":"url_citation","url_citation":{"url":"u","title":"t","start_index":0,"end_index":1}}],
    "tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},{"id":"","type":"function","function":{"name":"g","arguments":""}}]},"finish_reason":"stop"}],
    "usage":{"prompt_tokens":10,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":3}},"service_tier":"x"})"), true) ==
        canonical(R"({"id":"chatcmpl-1","type":"message","role":"assistant","model":"gpt","content":[{"type":"thinking","thinking":"hm","signature":""},
    {"type":"text","text":"a","citations":[{"type":"web_search_result_location","url":"u","title":"t","encrypted_index":"","cited_text":""}]},
    {"type":"tool_use","id":"c","name":"f","input":{"x":1}},{"type":"tool_use","id":"toolu_0_1","name":"g","input":{}}],
    "stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":7,"cache_read_input_tokens":3,"output_tokens":7}})", true));
}

TEST_CASE("an answer without words, name or counts has what clients of this dialect read unseen") {
  CHECK(canonical(translated(openai(), anthropic(), R"({"choices":[{"index":0,"message":{"content":""},"finish_reason":"length"}]})"), true) ==
        canonical(R"({"id":"msg_0","type":"message","role":"assistant","model":"asked","content":[],"stop_reason":"max_tokens","stop_sequence":null,"usage":{"input_tokens":0,"output_tokens":0}})", true));
}

TEST_CASE("a refusal of OpenAI's models is said, and the answer ends by it") {
  const std::string out = translated(openai(), anthropic(), R"({"id":"c","model":"m","choices":[{"index":0,"message":{"content":null,"refusal":"No."},"finish_reason":"stop"}]})");
  CHECK(out.find(R"({"type":"text","text":"No."})") != std::string::npos);
  CHECK(out.find(R"("stop_reason":"refusal")") != std::string::npos);
}

TEST_CASE("what is no answer is an error with words") {
  struct Row {
    std::string body;
    Code code;
    int status;
  };
  const auto row = GENERATE(values<Row>({
      {"<html>", Code::kUpstreamInvalidAnswer, 0}, {"{}", Code::kUpstreamInvalidAnswer, 0}, {R"({"content":"x"})", Code::kUpstreamInvalidAnswer, 0},
      {R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})", Code::kUpstreamError, 529},
  }));
  const auto message = anthropic().decode_answer(row.body, {});
  REQUIRE_FALSE(message);
  CHECK(message.error().code == row.code);
  if (row.status != 0) CHECK(message.error().http_status == row.status);
}

// DIAL-26
TEST_CASE("counts and models are told in the asker's dialect") {
  CHECK(translated(anthropic(), anthropic(), R"({"input_tokens":12})", Operation::kCountTokens) == R"({"input_tokens":12})");
  const std::string list = R"({"data":[{"type":"model","id":"a","display_name":"A","created_at":"2025-02-19T00:00:00Z","max_tokens":5}],"has_more":true,"first_id":"a","last_id":"a"})";
  CHECK(canonical(translated(anthropic(), anthropic(), list, Operation::kListModels)) == canonical(list));
  CHECK(canonical(translated(anthropic(), openai(), list, Operation::kListModels)) == canonical(R"({"object":"list","data":[{"id":"a","object":"model","created":1739923200,"owned_by":"anthropic"}]})"));
  CHECK(canonical(translated(openai(), anthropic(), R"({"object":"list","data":[{"id":"b","object":"model","created":1739923201,"owned_by":"o"},{"id":"c","object":"model"}]})", Operation::kListModels)) ==
        canonical(R"({"data":[{"type":"model","id":"b","display_name":"b","created_at":"2025-02-19T00:00:01Z"},{"type":"model","id":"c","display_name":"c","created_at":"1970-01-01T00:00:00Z"}],"has_more":false,"first_id":"b","last_id":"c"})"));
  CHECK(canonical(translated(anthropic(), anthropic(), R"({"type":"model","id":"a","display_name":"A","created_at":"x"})", Operation::kGetModel)) ==
        canonical(R"({"type":"model","id":"a","display_name":"A","created_at":"x"})"));
}

// DIAL-17
TEST_CASE("errors have the type of their status and say who to ask") {
  struct Row {
    int status;
    std::string type;
  };
  const auto row = GENERATE(values<Row>({{400, "invalid_request_error"}, {401, "authentication_error"}, {402, "billing_error"}, {403, "permission_error"}, {404, "not_found_error"},
                                         {408, "timeout_error"}, {409, "conflict_error"}, {413, "request_too_large"}, {422, "invalid_request_error"}, {429, "rate_limit_error"},
                                         {500, "api_error"}, {502, "api_error"}, {503, "overloaded_error"}, {504, "timeout_error"}, {529, "overloaded_error"}}));
  Error error = make_error(Code::kUpstreamStatus, "ours");
  error.http_status = row.status;
  const std::string out = anthropic().encode_error(error, {"req_1", "theirs", row.status});
  const auto document = test::parsed(out);
  CHECK(document.root().find("type")->equals("error"));
  CHECK(document.root().at("/error/type")->equals(row.type));
  CHECK(document.root().at("/error/message")->equals("theirs"));
  CHECK(document.root().at("/error/details/error_code")->equals("upstream_status"));
  CHECK(document.root().find("request_id")->equals("req_1"));
  CHECK(anthropic().is_error_body(out));
}

TEST_CASE("the gateway's own errors speak for themselves") {
  const std::string out = anthropic().encode_error(Error(fail(Code::kInvalidParameter, "n is 0", "n").value()), {{}, "not said", 0});
  CHECK(canonical(out, true) == canonical(R"({"type":"error","error":{"type":"invalid_request_error","message":"n is 0","details":{"error_code":"invalid_parameter","param":"n"}},"request_id":null})", true));
  CHECK(anthropic().encode_stream_error(make_error(Code::kTotalTimeout, "late"), {}, http::Framing::kSse).starts_with("event: error\ndata: {\"type\":\"error\""));
}

TEST_CASE("another dialect's errors are not this one's") {
  const auto body = GENERATE(as<std::string>{}, R"({"error":{"message":"m","type":"t"}})", R"({"type":"error"})", R"({"type":"error","error":{"message":"m"}})", "<html>", "");
  CHECK_FALSE(anthropic().is_error_body(body));
}

// DIAL-18
TEST_CASE("a whole answer is heard at every split, and one that is cut is truncated") {
  const std::string body = R"( {"model":"m\u00e9","content":[{"type":"text","text":"\"usage\":{\"input_tokens\":9}"}],"stop_reason":"end_turn","usage":{"input_tokens":3,"cache_read_input_tokens":4,"output_tokens":5}} )";
  for (std::size_t cut = 0; cut <= body.size(); ++cut) {
    const auto tap = anthropic().tap({});
    REQUIRE(tap->on_bytes(std::string_view(body).substr(0, cut)));
    REQUIRE(tap->on_bytes(std::string_view(body).substr(cut)));
    REQUIRE(tap->on_end());
    CHECK(tap->usage().input_tokens == 7u);
    CHECK(tap->usage().output_tokens == 5u);
    CHECK(tap->model() == "m\xc3\xa9");
    CHECK(tap->finish_reason() == "end_turn");
    if (cut + 2 > body.size()) continue;
    const auto cut_off = anthropic().tap({});
    REQUIRE(cut_off->on_bytes(std::string_view(body).substr(0, cut)));
    const Status end = cut_off->on_end();
    REQUIRE_FALSE(end);
    CHECK(end.error().code == Code::kUpstreamTruncated);
  }
}

TEST_CASE("a page is no answer, an error in a 200 is one, and a count is usage") {
  CHECK_FALSE(anthropic().tap({})->on_bytes("<html>"));
  const auto error = anthropic().tap({});
  REQUIRE(error->on_bytes(R"({"type":"error","error":{"type":"rate_limit_error","message":"slow"}})"));
  REQUIRE(error->on_end());
  REQUIRE(error->error());
  CHECK(error->error()->http_status == 429);
  const auto count = anthropic().tap({.operation = Operation::kCountTokens});
  REQUIRE(count->on_bytes(R"({"input_tokens":12})"));
  REQUIRE(count->on_end());
  CHECK(count->usage().input_tokens == 12u);
  CHECK_FALSE(count->usage().output_tokens);
}
