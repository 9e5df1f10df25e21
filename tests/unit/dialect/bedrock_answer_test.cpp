// Whole answers of Converse, both ways, what a tap hears of them, and errors.

#include "unit/dialect/bedrock_support.hpp"

using namespace sluice;
using chat::Operation;

namespace {

constexpr std::string_view kAnswer = R"({"output":{"message":{"role":"assistant","content":[
  {"reasoningContent":{"reasoningText":{"text":"hm","signature":"c2ln"}}},{"reasoningContent":{"redactedContent":"cmVk"}},{"text":"I look."},
  {"citationsContent":{"content":[{"text":"cited"}],"citations":[{"title":"T","sourceContent":[{"text":"said"}],"location":{"web":{"url":"https://e.org"}}}]}},
  {"toolUse":{"toolUseId":"t1","name":"weather","input":{"city":"Paris"}}},
  {"toolUse":{"toolUseId":"s1","name":"code","input":{},"type":"server_tool_use"}},{"toolResult":{"toolUseId":"s1","content":[{"json":{"a":1}}],"type":"code_result"}},
  {"toolUse":{"toolUseId":"t2","name":"now","input":{}}}]}},
  "stopReason":"tool_use","usage":{"inputTokens":10,"outputTokens":5,"totalTokens":42,"cacheReadInputTokens":20,"cacheWriteInputTokens":7,"cacheReadInputTokenCount":20},
  "metrics":{"latencyMs":7},"trace":{"guardrail":{}},"additionalModelResponseFields":{"a":1},"serviceTier":{"type":"default"}})";

struct Heard {
  Status status;
  chat::Usage usage;
  std::string finish;
  std::optional<Error> error;
};
Heard tapped(std::string_view body, std::size_t split, Operation operation = Operation::kChat) {
  const auto tap = test::bedrock().tap({.operation = operation});
  Status status = tap->on_bytes(body.substr(0, split));
  if (status) status = tap->on_bytes(body.substr(split));
  if (status) status = tap->on_end();
  return {status, tap->usage(), std::string(tap->finish_reason()), tap->error()};
}

dialect::TapVerdict heard(dialect::AnswerTap& tap, std::string_view name, std::string_view data) { return tap.on_event(name, data); }

}  // namespace

TEST_CASE("bedrock: a whole answer comes back as it stood") {
  const auto message = test::bedrock().decode_answer(kAnswer, {});
  REQUIRE(message);
  chat::LossReport loss;
  CHECK(test::canonical(test::bedrock().encode_answer(*message, {}, loss)) == test::canonical(kAnswer));
  CHECK(loss.empty());
}

TEST_CASE("bedrock: input is everything read, with what came from a cache or went into one") {
  const auto message = test::bedrock().decode_answer(kAnswer, {});
  REQUIRE(message);
  REQUIRE(message->usage);
  CHECK(message->usage->input_tokens == 37u);
  CHECK(message->usage->output_tokens == 5u);
  CHECK(message->usage->cached_input_tokens == 20u);
  CHECK(message->usage->cache_write_tokens == 7u);
  CHECK(message->usage->total_tokens == 42u);
  // And the other way, from a server that counts caches in: Bedrock's callers add them up themselves.
  chat::Message other;
  chat::Usage& counts = other.usage.emplace();
  counts.input_tokens = 30;
  counts.output_tokens = 5;
  counts.cached_input_tokens = 20;
  chat::LossReport loss;
  CHECK(test::canonical(*test::parsed(test::bedrock().encode_answer(other, {}, loss)).root().find("usage")) ==
        "{cacheReadInputTokens:20,inputTokens:10,outputTokens:5,totalTokens:35,}");
  // A cache larger than the input is the server's own mistake, and no count of 2^64.
  counts.input_tokens = 3;
  counts.output_tokens.reset();
  CHECK(test::canonical(*test::parsed(test::bedrock().encode_answer(other, {}, loss)).root().find("usage")) == "{cacheReadInputTokens:20,inputTokens:0,totalTokens:3,}");
}

TEST_CASE("bedrock: an answer reaches callers of the OpenAI dialect with text, calls, finish and usage") {  // DIAL-04
  const auto message = test::bedrock().decode_answer(kAnswer, {});
  REQUIRE(message);
  chat::LossReport loss;
  const auto body = test::parsed(test::openai().encode_answer(*message, {}, loss));
  const auto at = [&](const char* pointer) { return test::canonical(*body.root().at(pointer), true); };
  CHECK(at("/choices/0/message/content") == "\"I look.cited\"");
  CHECK(at("/choices/0/message/tool_calls/0/id") == "\"t1\"");
  CHECK(at("/choices/0/message/tool_calls/0/function/arguments") == R"("{"city":"Paris"}")");
  CHECK(at("/choices/0/message/tool_calls/1/function") == R"({arguments:"{}",name:"now",})");
  CHECK(at("/choices/0/message/tool_calls").find("code") == std::string::npos);
  CHECK(at("/choices/0/finish_reason") == "\"tool_calls\"");
  CHECK(at("/usage/prompt_tokens") == "37");
  CHECK(at("/usage/total_tokens") == "42");
}

TEST_CASE("bedrock: an answer of the OpenAI dialect becomes one of Converse") {
  const auto message = test::openai().decode_answer(
      R"({"id":"c","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hi","reasoning_content":"hm","refusal":"no","tool_calls":[{"id":"","type":"function","function":{"name":"f","arguments":""}}]},"finish_reason":"length"}],
          "usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}})", {});
  REQUIRE(message);
  chat::LossReport loss;
  CHECK(test::canonical(test::bedrock().encode_answer(*message, {}, loss)) ==
        test::canonical(R"({"output":{"message":{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"hm"}}},{"text":"hi"},{"text":"no"},
          {"toolUse":{"toolUseId":"call_0","name":"f","input":{}}}]}},"stopReason":"max_tokens","usage":{"inputTokens":3,"outputTokens":4,"totalTokens":7},
          "metrics":{"latencyMs":0}})"));
}

TEST_CASE("bedrock: only the first of several answers is carried, and the loss is told") {
  chat::Message message;
  message.choices.resize(2);
  message.choices[0].turn.parts.push_back({chat::Text{"a"}});
  message.choices[1].turn.parts.push_back({chat::Text{"b"}});
  chat::LossReport loss;
  const std::string body = test::bedrock().encode_answer(message, {}, loss);
  CHECK(body.find("\"b\"") == std::string::npos);
  CHECK(loss.worst() == chat::LossSeverity::kSemantic);
  CHECK(test::canonical(*test::parsed(test::bedrock().encode_answer({}, {}, loss)).root().at("/output/message/content")) == "[]");
}

TEST_CASE("bedrock: what is no answer is an error, with the provider's words where it has some") {
  const auto refused = [](std::string_view body, Operation operation = Operation::kChat) { return test::bedrock().decode_answer(body, {operation}).error(); };
  CHECK(refused("").code == Code::kUpstreamInvalidAnswer);
  CHECK(refused("[]").code == Code::kUpstreamInvalidAnswer);
  CHECK(refused("{}").code == Code::kUpstreamInvalidAnswer);
  CHECK(refused(R"({"output":{}})").code == Code::kUpstreamInvalidAnswer);
  CHECK(refused(R"({"message":"Too many requests"})").code == Code::kUpstreamError);
  CHECK(refused(R"({"message":"Too many requests"})").message == "Too many requests");
  CHECK(refused(R"({"Message":"no"})").message == "no");
  CHECK(refused(R"({"inputTokens":-1})", Operation::kCountTokens).code == Code::kUpstreamInvalidAnswer);
}

TEST_CASE("bedrock: a tap hears usage and stop reason of a whole answer at every split") {
  for (std::size_t split = 0; split <= kAnswer.size(); ++split) {
    const Heard all = tapped(kAnswer, split);
    CHECK(all.status);
    CHECK(all.usage.input_tokens == 37u);
    CHECK(all.finish == "tool_use");
    CHECK_FALSE(all.error);
  }
  for (std::size_t size = 0; size < kAnswer.size(); ++size) CHECK(tapped(kAnswer.substr(0, size), size / 2).status.error().code == Code::kUpstreamTruncated);
  CHECK(tapped("<html>", 2).status.error().code == Code::kUpstreamInvalidAnswer);
  CHECK(tapped(R"({"inputTokens":9})", 3, Operation::kCountTokens).usage.input_tokens == 9u);
  const Heard failed = tapped(R"({"message":"slow \"down\""})", 4);
  REQUIRE(failed.error);
  CHECK(failed.error->message == "slow \"down\"");
}

TEST_CASE("bedrock: a tap hears content, ends and exceptions of a stream, and takes nothing out") {
  const auto tap = test::bedrock().tap({.streaming = true, .withhold_usage = true});
  CHECK_FALSE(heard(*tap, "messageStart", R"({"role":"assistant","p":"text"})").content);
  CHECK(heard(*tap, "contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"text":"a"}})").content);
  CHECK_FALSE(heard(*tap, "contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"text":""}})").content);
  CHECK_FALSE(heard(*tap, "contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"citation":{"sourceContent":[{"text":"a"}]}}})").content);
  CHECK_FALSE(heard(*tap, "contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"c2ln"}}})").content);
  CHECK(heard(*tap, "contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"a"}}})").content);
  CHECK(heard(*tap, "contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"reasoningContent":{"redactedContent":"YQ=="}}})").content);
  CHECK(heard(*tap, "contentBlockStart", R"({"contentBlockIndex":1,"start":{"toolUse":{"toolUseId":"t","name":"f"}}})").content);
  CHECK(heard(*tap, "contentBlockDelta", R"({"contentBlockIndex":1,"delta":{"toolUse":{"input":"{"}}})").content);
  CHECK_FALSE(heard(*tap, "contentBlockStop", R"({"contentBlockIndex":1})").finished);
  const auto stop = heard(*tap, "messageStop", R"({"stopReason":"tool_use"})");
  CHECK(stop.finished);
  CHECK_FALSE(stop.terminal);
  const auto count = heard(*tap, "metadata", R"({"usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3}})");
  CHECK(count.terminal);
  CHECK(count.action == dialect::TapAction::kForward);
  CHECK(tap->usage().total_tokens == 3u);
  CHECK(tap->finish_reason() == "tool_use");
  CHECK(tap->model().empty());
  const auto failed = heard(*tap, "!throttlingException", R"({"message":"m"})");
  REQUIRE(failed.error);
  CHECK(failed.error->http_status == 429);
  CHECK(heard(*tap, "contentBlockDelta", "x").error->code == Code::kUpstreamInvalidAnswer);
  CHECK(heard(*tap, "metadata", "{\"a\"").error->code == Code::kUpstreamInvalidAnswer);
  CHECK_FALSE(heard(*tap, "somethingNew", "{}").error);
}

TEST_CASE("bedrock: errors have the type their status stands for, whole and in streams") {
  struct Row {
    int status;
    std::string_view whole, stream;
  };
  for (const Row& row : {Row{400, "ValidationException", "validationException"}, Row{401, "AccessDeniedException", "validationException"},
                         Row{403, "AccessDeniedException", "validationException"}, Row{404, "ResourceNotFoundException", "validationException"},
                         Row{413, "ValidationException", "validationException"}, Row{429, "ThrottlingException", "throttlingException"},
                         Row{500, "InternalServerException", "internalServerException"}, Row{502, "ServiceUnavailableException", "serviceUnavailableException"},
                         Row{503, "ServiceUnavailableException", "serviceUnavailableException"}, Row{504, "ModelTimeoutException", "modelStreamErrorException"},
                         Row{424, "ModelErrorException", "modelStreamErrorException"}}) {
    INFO(row.status);
    Error error = make_error(Code::kUpstreamStatus, "ours");
    error.http_status = row.status;
    const std::string body = test::bedrock().encode_error(error, {.request_id = "r", .provider_text = "theirs", .provider_status = row.status});
    CHECK(test::canonical(body) == "{__type:\"" + std::string(row.whole) + "\",message:\"theirs\",}");
    CHECK(test::bedrock().is_error_body(body));
    const auto events = test::unframed(test::bedrock().encode_stream_error(error, {}, http::Framing::kAwsEvents));
    REQUIRE(events.size() == 1);
    CHECK(events[0].name == "!" + std::string(row.stream));
    CHECK(test::canonical(events[0].data) == "{message:\"ours\",}");
  }
  // What the gateway itself says is not the provider's to say.
  CHECK(test::canonical(test::bedrock().encode_error(make_error(Code::kQueueFull, "ours"), {{}, "theirs", 500})).find("ours") != std::string::npos);
}

TEST_CASE("bedrock: error bodies are told from answers and from errors of other dialects") {
  CHECK(test::bedrock().is_error_body(R"({"message":"m"})"));
  CHECK(test::bedrock().is_error_body(R"({"Message":"m"})"));
  CHECK_FALSE(test::bedrock().is_error_body(R"({"message":null})"));
  CHECK_FALSE(test::bedrock().is_error_body(R"({"message":{"role":"assistant"}})"));
  CHECK_FALSE(test::bedrock().is_error_body(R"({"error":{"message":"m"}})"));
  CHECK_FALSE(test::bedrock().is_error_body(R"({"error":{},"message":"m"})"));
  CHECK_FALSE(test::bedrock().is_error_body(kAnswer));
  CHECK_FALSE(test::bedrock().is_error_body("x"));
}
