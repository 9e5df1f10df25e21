// Whole answers and errors of the Cohere dialect, both ways.

#include <catch2/catch.hpp>

#include "unit/dialect/translating.hpp"

using namespace sluice;
using chat::FinishReason;
using chat::Operation;
using dialect::cohere;
using dialect::openai;
using test::canonical;

namespace {

chat::Message read(std::string_view body, Operation operation = Operation::kChat, const chat::Request* request = nullptr) {
  auto message = cohere().decode_answer(body, {.operation = operation, .request = request});
  INFO(body);
  if (!message) FAIL(message.error().message);
  return *std::move(message);
}

std::string written(const dialect::Dialect& dialect, const chat::Message& message, Operation operation = Operation::kChat) {
  chat::LossReport loss;
  return dialect.encode_answer(message, {.operation = operation}, loss);
}

std::string answer(std::string_view message, std::string_view reason = "COMPLETE") {
  return R"({"id":"i","message":)" + std::string(message) + R"(,"finish_reason":")" + std::string(reason) +
         R"(","usage":{"billed_units":{"input_tokens":1,"output_tokens":2},"tokens":{"input_tokens":10,"output_tokens":20,"reasoning_tokens":5},"cached_tokens":4}})";
}

}  // namespace

// DIAL-02, DIAL-11
TEST_CASE("an answer of Cohere's means the same after the canonical model, and its counts are what was read and written") {
  const std::string body = answer(R"({"role":"assistant","tool_plan":"plan","content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"said"}],
      "tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}],
      "citations":[{"start":0,"end":4,"text":"said","sources":[{"type":"document","id":"d","document":{"id":"d","title":"T"}}],"type":"TEXT_CONTENT"}]})", "TOOL_CALL");
  const chat::Message message = read(body);
  CHECK(message.choices[0].turn.text() == "said");
  CHECK(message.choices[0].turn.parts[0].as<chat::Thinking>()->field == "tool_plan");
  CHECK(message.choices[0].finish == FinishReason::kToolCalls);
  CHECK(message.usage == chat::Usage{.input_tokens = 10, .output_tokens = 20, .cached_input_tokens = 4, .cache_write_tokens = {}, .reasoning_tokens = 5, .total_tokens = {}});
  CHECK(canonical(written(cohere(), message)) == canonical(body));
}

TEST_CASE("what was billed counts only where nothing else does") {
  const chat::Message message = read(R"({"message":{"content":[]},"finish_reason":"COMPLETE","usage":{"billed_units":{"input_tokens":1,"output_tokens":2.0}}})");
  CHECK(message.usage->input_tokens == 1u);
  CHECK(message.usage->output_tokens == 2u);
}

// DIAL-10
TEST_CASE("Cohere's ends are everybody's, and its own word comes back to its own callers") {
  const auto [word, reason, back] = GENERATE(table<std::string, FinishReason, std::string>({
      {"COMPLETE", FinishReason::kStop, "COMPLETE"},
      {"STOP_SEQUENCE", FinishReason::kStop, "STOP_SEQUENCE"},
      {"MAX_TOKENS", FinishReason::kLength, "MAX_TOKENS"},
      {"TOOL_CALL", FinishReason::kToolCalls, "TOOL_CALL"},
      {"SOMETHING_NEW", FinishReason::kStop, "COMPLETE"},
  }));
  const chat::Message message = read(answer(R"({"content":[{"type":"text","text":"x"}]})", word));
  CHECK(message.choices[0].finish == reason);
  CHECK(message.choices[0].native_finish == word);
  const json::Document again = test::parsed(written(cohere(), message));
  CHECK(again.root().find("finish_reason")->equals(back));
}

TEST_CASE("an answer that ended in an error is one, with a status that says whose") {
  const auto failed = cohere().decode_answer(answer(R"({"content":[]})", "ERROR"), {});
  CHECK(failed.error().code == Code::kUpstreamError);
  CHECK(failed.error().http_status == 502);
  CHECK(cohere().decode_answer(answer(R"({"content":[]})", "TIMEOUT"), {}).error().http_status == 504);
}

// DIAL-09
TEST_CASE("a call without arguments has an empty object") {
  const auto arguments = GENERATE(values<std::string>({R"(,"arguments":"null")", R"(,"arguments":null)", R"(,"arguments":"")", ""}));
  const chat::Message message = read(answer(R"({"tool_calls":[{"id":"c","type":"function","function":{"name":"f")" + arguments + "}}]}", "TOOL_CALL"));
  CHECK(test::calls_of(message).at(0).arguments == "{}");
}

// DIAL-01
TEST_CASE("an answer of Cohere's reads as OpenAI's to a caller of OpenAI's") {
  const chat::Message message = read(answer(R"({"tool_plan":"plan","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"null"}},
      {"id":"b","type":"function","function":{"name":"g","arguments":"{\"x\":1}"}}]})", "TOOL_CALL"));
  const std::string told = written(openai(), message);
  const auto again = openai().decode_answer(told, {});
  REQUIRE(again);
  CHECK(test::thinking_of(*again) == "plan");
  CHECK(told.find(R"("reasoning_content":"plan")") != std::string::npos);
  CHECK(test::calls_of(*again).size() == 2);
  CHECK(again->choices[0].finish == FinishReason::kToolCalls);
  CHECK(again->usage->input_tokens == 10u);
  CHECK(again->usage->output_tokens == 20u);
  CHECK(again->usage->cached_input_tokens == 4u);
  CHECK(again->usage->reasoning_tokens == 5u);
}

TEST_CASE("an answer that names no model has the one a caller of OpenAI's asked for") {
  const chat::Message message = read(answer(R"({"content":[{"type":"text","text":"x"}]})"));
  chat::LossReport loss;
  CHECK(test::parsed(openai().encode_answer(message, {.model = "asked"}, loss)).root().find("model")->equals("asked"));
  const std::string stream = test::encoded(openai(), chat::to_deltas(message), {.model = "asked"});
  CHECK(stream.find(R"("model":"asked")") != std::string::npos);
  CHECK(stream.find(R"("model":"")") == std::string::npos);
}

TEST_CASE("an answer of OpenAI's reads as Cohere's to a caller of Cohere's") {
  const auto message = openai().decode_answer(R"({"id":"o","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hi","refusal":null,
      "tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":""}}]},"finish_reason":"tool_calls"}],
      "usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7,"prompt_tokens_details":{"cached_tokens":1}}})", {});
  REQUIRE(message);
  CHECK(canonical(written(cohere(), *message)) == canonical(R"({"id":"o","finish_reason":"TOOL_CALL","message":{"role":"assistant","content":[{"type":"text","text":"hi"}],
      "tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},
      "usage":{"billed_units":{"input_tokens":3,"output_tokens":4},"tokens":{"input_tokens":3,"output_tokens":4},"cached_tokens":1}})"));
}

// DIAL-14
TEST_CASE("unknown usage is absent from a Cohere answer") {
  const auto message = openai().decode_answer(R"({"choices":[{"index":0,"message":{"content":"x"},"finish_reason":"stop"}]})", {});
  CHECK(written(cohere(), *message).find("usage") == std::string::npos);
}

TEST_CASE("probabilities are told token by token where Cohere tells them so") {
  const chat::Message message = read(R"({"message":{"content":[{"type":"text","text":"ab"}]},"finish_reason":"COMPLETE",
      "logprobs":[{"text":"a","token_ids":[1],"logprobs":[-0.5]},{"text":"b","token_ids":[2],"logprobs":[-1]}]})");
  REQUIRE(message.choices[0].logprobs);
  CHECK(message.choices[0].logprobs->content[1].token == "b");
  CHECK(message.choices[0].logprobs->content[1].logprob == -1);
  CHECK(written(cohere(), message).find(R"("token_ids":[1])") != std::string::npos);
}

// DIAL-26
TEST_CASE("vectors come back in the form they were asked for") {
  const std::string floats = R"({"id":"i","embeddings":{"float":[[0.5,1],[2,-3.25]]},"texts":["a","b"],"meta":{"api_version":{"version":"2"},"billed_units":{"input_tokens":4}},"response_type":"embeddings_by_type"})";
  const chat::Message message = read(floats, Operation::kEmbeddings);
  CHECK(message.usage->input_tokens == 4u);
  CHECK(canonical(written(cohere(), message, Operation::kEmbeddings)) == canonical(floats));
  const auto told = openai().decode_answer(written(openai(), message, Operation::kEmbeddings), {.operation = Operation::kEmbeddings});
  REQUIRE(told);
  CHECK(std::get<std::vector<double>>(told->embeddings.at(1).vector) == std::vector<double>{2, -3.25});
  CHECK(told->embeddings[1].index == 1u);
  CHECK(told->usage->input_tokens == 4u);

  const std::string base64 = R"({"embeddings":{"base64":["AAAAPw=="]},"meta":{}})";
  CHECK(std::get<std::string>(read(base64, Operation::kEmbeddings).embeddings.at(0).vector) == "AAAAPw==");
  const std::string bytes = R"({"id":"i","embeddings":{"int8":[[1,-2]],"ubinary":[[7]]},"meta":{},"response_type":"x"})";
  CHECK(canonical(written(cohere(), read(bytes, Operation::kEmbeddings), Operation::kEmbeddings)) == canonical(bytes));
  CHECK(std::get<std::vector<double>>(read(bytes, Operation::kEmbeddings).embeddings.at(0).vector) == std::vector<double>{1, -2});
}

TEST_CASE("a caller who embeds texts gets them back beside their vectors") {
  const auto answered = openai().decode_answer(R"({"data":[{"index":0,"embedding":[1]}],"usage":{"prompt_tokens":3,"total_tokens":3}})", {.operation = Operation::kEmbeddings});
  const json::Document request = test::parsed(R"({"texts":["a"]})");
  chat::LossReport loss;
  CHECK(canonical(cohere().encode_answer(*answered, {.operation = Operation::kEmbeddings, .request = &request}, loss)) ==
        canonical(R"({"id":"","embeddings":{"float":[[1]]},"texts":["a"],"response_type":"embeddings_by_type","meta":{"api_version":{"version":"2"},"billed_units":{"input_tokens":3}}})"));
}

TEST_CASE("a ranking means the same after the canonical model, and has its documents where they were asked for") {
  const std::string body = R"({"id":"i","results":[{"index":1,"relevance_score":0.9},{"index":0,"relevance_score":0.1}],"meta":{"billed_units":{"search_units":1}}})";
  const chat::Message message = read(body, Operation::kRerank);
  CHECK(canonical(written(cohere(), message, Operation::kRerank)) == canonical(body));
  CHECK_FALSE(message.usage);
  const chat::Request request = test::request_of(cohere(), R"({"query":"q","documents":["a","b"],"return_documents":true})", Operation::kRerank);
  const chat::Message full = read(body, Operation::kRerank, &request);
  CHECK(full.ranked.at(0).document == "\"b\"");
  CHECK(written(cohere(), full, Operation::kRerank).find(R"("document":{"text":"b"})") != std::string::npos);
}

// DIAL-17
TEST_CASE("errors stand in Cohere's envelope") {
  Error error = make_error(Code::kUpstreamStatus, "ours");
  CHECK(canonical(cohere().encode_error(error, {"r1", "theirs", 404})) == canonical(R"({"id":"r1","message":"theirs","error_type":"upstream_status"})"));
  error = make_error(Code::kUnauthorized, "ours");
  CHECK(canonical(cohere().encode_error(error, {"", "theirs", 0})) == canonical(R"({"message":"ours","error_type":"unauthorized"})"));
  CHECK(cohere().is_error_body(R"({"id":"x","message":"model not found"})"));
  CHECK_FALSE(cohere().is_error_body(answer("{}")));
  CHECK_FALSE(cohere().is_error_body("<html>"));
  CHECK_FALSE(cohere().is_error_body(R"({"error":{"message":"x"}})"));
}

// DIAL-24
TEST_CASE("what is no answer of Cohere's is a typed error") {
  for (const std::string_view bad : {"<html>", "", "{", "[]", "{}", R"({"message":[]})", R"({"embeddings":7})", R"({"results":{}})"}) {
    INFO(bad);
    for (const Operation operation : {Operation::kChat, Operation::kEmbeddings, Operation::kRerank}) {
      CHECK(cohere().decode_answer(bad, {.operation = operation}).error().code == Code::kUpstreamInvalidAnswer);
    }
  }
  const auto told = cohere().decode_answer(R"({"message":"model not found"})", {});
  CHECK(told.error().code == Code::kUpstreamError);
  CHECK(told.error().message == "model not found");
}
