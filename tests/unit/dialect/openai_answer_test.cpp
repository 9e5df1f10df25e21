// Whole answers through the canonical model and back.

#include <catch2/catch.hpp>

#include "dialect/openai.hpp"
#include "unit/dialect/wire.hpp"

using namespace sluice;
using chat::FinishReason;
using chat::Operation;
using dialect::openai;

namespace {

chat::Message decoded(std::string_view body, Operation operation = Operation::kChat) {
  auto message = openai().decode_answer(body, {operation});
  INFO(body);
  if (!message) FAIL(message.error().message);
  return *std::move(message);
}

std::string encoded(const chat::Message& message, Operation operation = Operation::kChat) {
  chat::LossReport loss;
  std::string out = openai().encode_answer(message, {operation}, loss);
  CHECK(loss.empty());
  return out;
}

}  // namespace

TEST_CASE("an answer means the same after the canonical model") {
  const auto [operation, body] = GENERATE(table<Operation, std::string>({
      {Operation::kChat,
       R"({"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hi",)"
       R"("refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"x":1},)"
       R"("service_tier":"default","system_fingerprint":null})"},
      {Operation::kChat,
       R"({"id":"c","object":"chat.completion","created":1,"choices":[{"index":1,"message":{"role":"assistant","content":null,"reasoning":"hm","tool_calls":[{"id":"1","type":"function",)"
       R"("function":{"name":"f","arguments":"{\"a\":1}"}}]},"finish_reason":"tool_calls","stop_reason":7,"content_filter_results":{"hate":{"filtered":false}}}]})"},
      {Operation::kChat,
       R"({"id":"c","object":"chat.completion","created":1,"choices":[{"index":0,"message":{"role":"assistant","content":"see [1]","annotations":[{"type":"url_citation","url_citation":)"
       R"({"start_index":0,"end_index":3,"url":"https://x","title":"t"}}]},"logprobs":{"content":[{"token":"s","logprob":-0.25,"bytes":[115],"top_logprobs":)"
       R"([{"token":"s","logprob":-0.25,"bytes":[115]}]}],"refusal":null},"finish_reason":"length"}]})"},
      {Operation::kChat,
       R"({"id":"c","object":"chat.completion","created":1,"choices":[{"index":0,"message":{"role":"assistant","content":null,"refusal":"I will not","audio":{"id":"a","data":"AAAA","transcript":"x","expires_at":9}},)"
       R"("finish_reason":"content_filter"}]})"},
      {Operation::kChat,
       R"({"id":"c","object":"chat.completion","created":1,"choices":[{"index":0,"message":{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},"finish_reason":"function_call"}]})"},
      {Operation::kChat,
       R"({"id":"c","object":"chat.completion","created":1,"choices":[{"index":0,"message":{"role":"assistant","content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"ok"}]},"finish_reason":"stop"}]})"},
      {Operation::kCompletions,
       R"({"id":"cmpl-1","object":"text_completion","created":1,"model":"m","choices":[{"text":"a","index":0,"logprobs":{"tokens":["a"],"token_logprobs":[null]},"finish_reason":"length"}]})"},
      {Operation::kEmbeddings, R"({"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.1,-2,3e-5]}],"model":"m","usage":{"prompt_tokens":1,"total_tokens":1}})"},
      {Operation::kEmbeddings, R"({"object":"list","data":[{"object":"embedding","index":0,"embedding":"AACAPw=="}],"model":"m"})"},
      {Operation::kModerations,
       R"({"id":"modr-1","model":"m","results":[{"flagged":true,"categories":{"hate":false,"self-harm":true},"category_scores":{"hate":4.6e-6,"self-harm":0.9},"category_applied_input_types":{"hate":["text"]}}]})"},
      {Operation::kListModels, R"({"object":"list","data":[{"id":"a","object":"model","created":1,"owned_by":"o","context_window":9}],"x":1})"},
      {Operation::kGetModel, R"({"id":"a","object":"model","created":1,"owned_by":"o"})"},
  }));
  const chat::Message message = decoded(body, operation);
  const std::string again = encoded(message, operation);
  CHECK(test::canonical(again) == test::canonical(body));
  CHECK(decoded(again, operation) == message);
}

// DIAL-10
TEST_CASE("every native finish reason has its word, and keeps its own") {
  const auto [native, reason] = GENERATE(table<std::string, FinishReason>({
      {"stop", FinishReason::kStop}, {"length", FinishReason::kLength}, {"tool_calls", FinishReason::kToolCalls},
      {"function_call", FinishReason::kToolCalls}, {"content_filter", FinishReason::kContentFilter}, {"model_length", FinishReason::kLength},
      {"eos", FinishReason::kStop}, {"eos_token", FinishReason::kStop}, {"stop_sequence", FinishReason::kStop},
      {"tool_call", FinishReason::kToolCalls}, {"insufficient_system_resource", FinishReason::kStop}, {"abort", FinishReason::kStop}}));
  const chat::Message message = decoded(R"({"choices":[{"index":0,"message":{"content":"x"},"finish_reason":")" + native + R"("}]})");
  REQUIRE(message.choices.size() == 1);
  CHECK(message.choices[0].finish == reason);
  CHECK(message.choices[0].native_finish == (native == to_string(reason) ? "" : native));
  const json::Document out = test::parsed(encoded(message));
  const auto word = out.root().at("/choices/0/finish_reason");
  REQUIRE(word);
  CHECK(word->equals(native == "function_call" ? native : std::string(to_string(reason))));
  const auto kept = out.root().at("/choices/0/native_finish_reason");
  CHECK((kept && *kept) == (native != to_string(reason) && native != "function_call"));
}

// DIAL-24
TEST_CASE("what is no answer is a typed error; what is an odd one is an answer") {
  const auto [body, code] = GENERATE(table<std::string, Code>({
      {"<html><h1>502</h1></html>", Code::kUpstreamInvalidAnswer},
      {"", Code::kUpstreamInvalidAnswer},
      {"[]", Code::kUpstreamInvalidAnswer},
      {"null", Code::kUpstreamInvalidAnswer},
      {"{}", Code::kUpstreamInvalidAnswer},
      {R"({"choices":null})", Code::kUpstreamInvalidAnswer},
      {R"({"choices":{}})", Code::kUpstreamInvalidAnswer},
      {R"({"choices":[{"message":{"role":"assistant","content":7}}]})", Code::kUpstreamInvalidAnswer},
      {R"({"error":{"message":"Provider returned error","code":429}})", Code::kUpstreamError},
      {std::string("{\"choices\":[]}\0", 15), Code::kUpstreamInvalidAnswer},
  }));
  const auto message = openai().decode_answer(body, {Operation::kChat});
  INFO(body);
  REQUIRE_FALSE(message);
  CHECK(message.error().code == code);
  CHECK(message.error().origin == Origin::kUpstream);
  for (const std::string_view odd : {R"({"choices":[]})", R"({"choices":[{}]})", R"({"choices":[null,7]})", R"({"choices":[{"message":{"role":"king"}}]})", R"({"choices":[{"message":null,"finish_reason":7,"index":-3}],"usage":7,"id":[]})",
                                     R"({"choices":[{"message":{"role":"assistant","content":null,"tool_calls":{}},"logprobs":7}]})"}) {
    CHECK(openai().decode_answer(odd, {Operation::kChat}));
  }
}

// DIAL-14
TEST_CASE("unknown usage is absent") {
  chat::Message message;
  CHECK(encoded(message).find("usage") == std::string::npos);
  message.usage.emplace();
  CHECK(encoded(message).find("usage") == std::string::npos);
  message.usage->output_tokens = 2;
  CHECK(encoded(message).find(R"("usage":{"completion_tokens":2})") != std::string::npos);
}

TEST_CASE("a bare list of models is a list of models") {
  const chat::Message message = decoded(R"([{"id":"a"},{"id":"b"}])", Operation::kListModels);
  REQUIRE(message.models.size() == 2);
  CHECK(message.models[1].id == "b");
}

TEST_CASE("thinking of another dialect is read by clients as reasoning_content") {
  chat::Message message;
  chat::Choice choice;
  choice.turn.parts = {{chat::Thinking{"hm"}}, {chat::Text{"a"}}, {chat::Text{"b"}}};
  choice.finish = FinishReason::kStop;
  message.choices = {choice};
  const json::Document out = test::parsed(encoded(message));
  CHECK(out.root().at("/choices/0/message/reasoning_content")->equals("hm"));
  CHECK(out.root().at("/choices/0/message/content")->equals("ab"));
}
