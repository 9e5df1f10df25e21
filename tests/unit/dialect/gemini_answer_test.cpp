// Whole answers and errors of the Gemini dialect, both ways.

#include <catch2/catch.hpp>

#include "dialect/gemini.hpp"
#include "unit/dialect/wire.hpp"

using namespace sluice;
using chat::FinishReason;
using chat::Operation;
using dialect::gemini;
using dialect::openai;

namespace {

chat::Message read(std::string_view body, Operation operation = Operation::kChat, const dialect::Dialect& spoken = gemini()) {
  auto message = spoken.decode_answer(body, {operation});
  INFO(body);
  if (!message) FAIL(message.error().message);
  return *std::move(message);
}

std::string write(const chat::Message& message, const dialect::AnswerForm& form = {}, const dialect::Dialect& spoken = gemini()) {
  chat::LossReport loss;
  return spoken.encode_answer(message, form, loss);
}

std::string finished(std::string_view word, bool call = false) {
  return R"({"candidates":[{"content":{"role":"model","parts":[)" + std::string(call ? R"({"functionCall":{"name":"f"}})" : R"({"text":"a"})") + R"(]},"finishReason":")" +
         std::string(word) + "\",\"index\":0}]}";
}

std::string at(std::string_view json, std::string_view pointer) {
  const auto document = test::parsed(json);
  const auto value = document.root().at(pointer);
  return value && *value ? test::canonical(*value) : std::string();
}

}  // namespace

// DIAL-10
TEST_CASE("every finish reason of gemini has its meaning and keeps its word") {
  const auto [word, reason, native] = GENERATE(table<std::string, FinishReason, std::string>({
      {"STOP", FinishReason::kStop, ""},
      {"MAX_TOKENS", FinishReason::kLength, ""},
      {"SAFETY", FinishReason::kContentFilter, "SAFETY"},
      {"RECITATION", FinishReason::kContentFilter, "RECITATION"},
      {"LANGUAGE", FinishReason::kContentFilter, "LANGUAGE"},
      {"BLOCKLIST", FinishReason::kContentFilter, "BLOCKLIST"},
      {"PROHIBITED_CONTENT", FinishReason::kContentFilter, "PROHIBITED_CONTENT"},
      {"SPII", FinishReason::kContentFilter, "SPII"},
      {"IMAGE_SAFETY", FinishReason::kContentFilter, "IMAGE_SAFETY"},
      {"IMAGE_PROHIBITED_CONTENT", FinishReason::kContentFilter, "IMAGE_PROHIBITED_CONTENT"},
      {"IMAGE_RECITATION", FinishReason::kContentFilter, "IMAGE_RECITATION"},
      {"MODEL_ARMOR", FinishReason::kContentFilter, "MODEL_ARMOR"},
      {"MALFORMED_FUNCTION_CALL", FinishReason::kStop, "MALFORMED_FUNCTION_CALL"},
      {"UNEXPECTED_TOOL_CALL", FinishReason::kStop, "UNEXPECTED_TOOL_CALL"},
      {"TOO_MANY_TOOL_CALLS", FinishReason::kStop, "TOO_MANY_TOOL_CALLS"},
      {"OTHER", FinishReason::kStop, "OTHER"},
      {"NO_IMAGE", FinishReason::kStop, "NO_IMAGE"},
      {"IMAGE_OTHER", FinishReason::kStop, "IMAGE_OTHER"},
      {"NOBODY_KNOWS", FinishReason::kStop, "NOBODY_KNOWS"},
  }));
  const auto message = read(finished(word));
  CHECK(message.choices[0].finish == reason);
  CHECK(message.choices[0].native_finish == native);
  CHECK(at(write(message), "/candidates/0/finishReason") == '"' + word + '"');
}

// DIAL-09
TEST_CASE("a STOP beside calls is tool_calls, and a call without arguments has an empty object") {
  const auto message = read(finished("STOP", true));
  CHECK(message.choices[0].finish == FinishReason::kToolCalls);
  CHECK(message.choices[0].native_finish.empty());
  CHECK(message.choices[0].turn.parts[0].as<chat::ToolCall>()->arguments == "{}");
  CHECK(at(write(message), "/candidates/0/finishReason") == "\"STOP\"");
  CHECK(at(write(message, {}, openai()), "/choices/0/finish_reason") == "\"tool_calls\"");
}

TEST_CASE("words of other dialects do not become gemini's") {
  chat::Message message;
  message.choices.push_back({});
  message.choices[0].finish = FinishReason::kStop;
  message.choices[0].native_finish = "end_turn";
  CHECK(at(write(message), "/candidates/0/finishReason") == "\"STOP\"");
  message.choices[0].finish = FinishReason::kContentFilter;
  message.choices[0].native_finish = "refusal";
  CHECK(at(write(message), "/candidates/0/finishReason") == "\"SAFETY\"");
}

// DIAL-11
TEST_CASE("thoughts count as output, tool use as input, and the total is the provider's") {
  const auto message = read(R"({"candidates":[],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":5,"thoughtsTokenCount":7,"toolUsePromptTokenCount":3,"cachedContentTokenCount":4,"totalTokenCount":25}})");
  REQUIRE(message.usage);
  CHECK(message.usage->input_tokens == 13u);
  CHECK(message.usage->output_tokens == 12u);
  CHECK(message.usage->reasoning_tokens == 7u);
  CHECK(message.usage->cached_input_tokens == 4u);
  CHECK(chat::total(*message.usage) == 25u);
  CHECK(at(write(message, {}, openai()), "/usage/completion_tokens") == "12");
}

// DIAL-14
TEST_CASE("counts nobody stated are absent") {
  CHECK_FALSE(read(R"({"candidates":[],"usageMetadata":{"trafficType":"ON_DEMAND"}})").usage);
  chat::Message message;
  message.usage.emplace().input_tokens = 3;
  CHECK(at(write(message), "/usageMetadata") == test::canonical(R"({"promptTokenCount":3,"totalTokenCount":3})"));
  message.usage = chat::Usage{};
  CHECK(at(write(message), "/usageMetadata").empty());
}

TEST_CASE("usage of another dialect is told with thoughts beside the candidates") {
  chat::Message message;
  message.usage.emplace();
  message.usage->input_tokens = 10;
  message.usage->output_tokens = 12;
  message.usage->reasoning_tokens = 7;
  message.raw_usage = R"({"prompt_tokens":10})";  // of another dialect: nobody here understands it
  CHECK(at(write(message), "/usageMetadata") == test::canonical(R"({"promptTokenCount":10,"candidatesTokenCount":5,"totalTokenCount":22,"thoughtsTokenCount":7})"));
}

// DIAL-06
TEST_CASE("calls without ids get ids of their own, the same each time and others in other answers") {
  const auto body = [](std::string_view id) {
    return R"({"responseId":")" + std::string(id) + R"(","candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{}}},{"functionCall":{"name":"f","args":{},"id":"own"}},{"functionCall":{"name":"f","args":{}}}]},"finishReason":"STOP"}]})";
  };
  const auto ids = [&](std::string_view response) {
    std::vector<std::string> out;
    const auto message = read(body(response));
    for (const auto& part : message.choices[0].turn.parts) out.push_back(part.as<chat::ToolCall>()->id);
    return out;
  };
  const auto first = ids("abc"), again = ids("abc"), other = ids("abd");
  CHECK(first == again);
  CHECK(first[0] != first[2]);
  CHECK(first[0] != other[0]);
  CHECK(first[1] == "own");
  CHECK(ids(std::string(200, '/'))[0].size() <= 40);
  // gemini's own clients never see them.
  const std::string given = write(read(body("abc")));
  CHECK(at(given, "/candidates/0/content/parts/0/functionCall") == test::canonical(R"({"name":"f","args":{}})"));
  CHECK(at(given, "/candidates/0/content/parts/1/functionCall/id") == "\"own\"");
}

TEST_CASE("a prompt that was refused ends in a content filter, and has no candidate for gemini's clients") {
  const std::string body = R"({"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":4,"totalTokenCount":4},"modelVersion":"m"})";
  const auto message = read(body);
  REQUIRE(message.choices.size() == 1);
  CHECK(message.choices[0].finish == FinishReason::kContentFilter);
  CHECK(message.choices[0].native_finish == "PROHIBITED_CONTENT");
  CHECK(test::canonical(write(message)) == test::canonical(body));
  CHECK(at(write(message, {}, openai()), "/choices/0/finish_reason") == "\"content_filter\"");
}

TEST_CASE("sources found for a text are its citations, counted in characters, and stay what they were for gemini's clients") {
  const std::string body = R"({"candidates":[{"content":{"role":"model","parts":[{"text":"Übung macht"}]},"finishReason":"STOP","index":0,"groundingMetadata":{"groundingChunks":[{"web":{"uri":"https://a.test","title":"A"}},{"web":{"uri":"https://b.test","title":"B"}}],
    "groundingSupports":[{"segment":{"endIndex":6,"text":"Übung"},"groundingChunkIndices":[1]},{"segment":{"startIndex":7,"endIndex":12},"groundingChunkIndices":[0,9]}]}}]})";
  const auto message = read(body);
  const auto& citations = message.choices[0].turn.parts[0].as<chat::Text>()->citations;
  REQUIRE(citations.size() == 2);
  CHECK(citations[0].url == "https://b.test");
  CHECK(citations[0].start == 0);
  CHECK(citations[0].end == 5);
  CHECK(citations[1].start == 6);
  CHECK(citations[1].end == 11);
  CHECK(test::canonical(write(message)) == test::canonical(body));
  // Another dialect's citations become sources.
  const auto cited = read(R"({"choices":[{"index":0,"message":{"role":"assistant","content":"x","annotations":[{"type":"url_citation","url_citation":{"start_index":0,"end_index":1,"url":"https://c.test","title":"C"}}]},"finish_reason":"stop"}]})", Operation::kChat, openai());
  CHECK(at(write(cited), "/candidates/0/groundingMetadata/groundingChunks") == test::canonical(R"([{"web":{"uri":"https://c.test","title":"C"}}])"));
}

TEST_CASE("probabilities of tokens are carried both ways") {
  const auto message = read(R"({"candidates":[{"content":{"parts":[{"text":"a"}]},"logprobsResult":{"chosenCandidates":[{"token":"a","logProbability":-0.5,"tokenId":7}],"topCandidates":[{"candidates":[{"token":"a","logProbability":-0.5},{"token":"b","logProbability":-2}]}]}}]})");
  CHECK(at(write(message, {}, openai()), "/choices/0/logprobs/content/0/top_logprobs/1/token") == "\"b\"");
  const auto back = read(write(message, {}, openai()), Operation::kChat, openai());
  CHECK(at(write(back), "/candidates/0/logprobsResult") == test::canonical(R"({"chosenCandidates":[{"token":"a","logProbability":-0.5}],"topCandidates":[{"candidates":[{"token":"a","logProbability":-0.5},{"token":"b","logProbability":-2}]}]})"));
}

TEST_CASE("an answer of another dialect is one to gemini's clients") {
  const auto message = read(R"({"id":"c","model":"gpt","choices":[{"index":0,"message":{"role":"assistant","content":"hi","reasoning_content":"hm","refusal":"no","tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},{"id":"call_2","type":"function","function":{"name":"g","arguments":""}}]},"finish_reason":"tool_calls"},{"index":1,"message":{"role":"assistant","content":"b"},"finish_reason":"length"}]})", Operation::kChat, openai());
  CHECK(test::canonical(write(message, {.model = "asked-for"})) == test::canonical(R"({"candidates":[{"content":{"role":"model","parts":[{"text":"hm","thought":true},{"text":"hi"},{"text":"no"},{"functionCall":{"id":"call_1","name":"f","args":{"a":1}}},{"functionCall":{"id":"call_2","name":"g","args":{}}}]},"finishReason":"STOP","index":0},
    {"content":{"role":"model","parts":[{"text":"b"}]},"finishReason":"MAX_TOKENS","index":1}],"modelVersion":"gpt","responseId":"c"})"));
}

// DIAL-09
TEST_CASE("arguments that a model broke are kept inside the object gemini's clients expect") {
  const auto message = read(R"({"choices":[{"index":0,"message":{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"a\":"}},{"id":"b","type":"function","function":{"name":"g","arguments":"[1]"}}]},"finish_reason":"tool_calls"}]})", Operation::kChat, openai());
  const std::string given = write(message);
  CHECK(at(given, "/candidates/0/content/parts/0/functionCall/args") == test::canonical(R"({"input":"{\"a\":"})"));
  CHECK(at(given, "/candidates/0/content/parts/1/functionCall/args") == test::canonical(R"({"input":"[1]"})"));
}

// DIAL-26
TEST_CASE("embeddings are one or a list, as they were asked for, and floats whatever they came as") {
  const auto one = read(R"({"embedding":{"values":[0.5,-1]}})", Operation::kEmbeddings);
  const auto asked = test::parsed(R"({"content":{"parts":[{"text":"a"}]}})"), batch = test::parsed(R"({"requests":[]})");
  CHECK(test::canonical(write(one, {.operation = Operation::kEmbeddings, .request = &asked})) == test::canonical(R"({"embedding":{"values":[0.5,-1]}})"));
  CHECK(test::canonical(write(one, {.operation = Operation::kEmbeddings, .request = &batch})) == test::canonical(R"({"embeddings":[{"values":[0.5,-1]}]})"));
  // 0.5 and -1 as float32, little-endian.
  const auto encoded = read(R"({"data":[{"index":0,"embedding":"AAAAPwAAgL8="}],"usage":{"prompt_tokens":3,"total_tokens":3}})", Operation::kEmbeddings, openai());
  CHECK(test::canonical(write(encoded, {.operation = Operation::kEmbeddings})) == test::canonical(R"({"embeddings":[{"values":[0.5,-1]}],"usageMetadata":{"promptTokenCount":3,"totalTokenCount":3}})"));
  const auto predicted = read(R"({"predictions":[{"embeddings":{"values":[1],"statistics":{"token_count":5,"truncated":false}}},{"embeddings":{"values":[2],"statistics":{"token_count":6.0}}}]})", Operation::kEmbeddings);
  REQUIRE(predicted.embeddings.size() == 2);
  CHECK(predicted.embeddings[1].index == 1);
  CHECK(predicted.usage->input_tokens == 11u);
}

// DIAL-26
TEST_CASE("models and counted tokens are told to either's clients") {
  const auto models = read(R"({"models":[{"name":"models/gemini-2.5-pro","displayName":"P"},{"name":"publishers/google/models/x"}]})", Operation::kListModels);
  REQUIRE(models.models.size() == 2);
  CHECK(models.models[0].id == "gemini-2.5-pro");
  CHECK(models.models[1].id == "x");
  CHECK(at(write(models, {.operation = Operation::kListModels}), "/models/1/name") == "\"publishers/google/models/x\"");
  CHECK(at(write(models, {.operation = Operation::kListModels}, openai()), "/data/0/id") == "\"gemini-2.5-pro\"");
  const auto foreign = read(R"({"object":"list","data":[{"id":"gpt-4o","object":"model"}]})", Operation::kListModels, openai());
  CHECK(at(write(foreign, {.operation = Operation::kListModels}), "/models/0/name") == "\"models/gpt-4o\"");
  const auto counted = read(R"({"totalTokens":12,"promptTokensDetails":[{"modality":"TEXT","tokenCount":12}]})", Operation::kCountTokens);
  CHECK(counted.usage->input_tokens == 12u);
  CHECK(at(write(counted, {.operation = Operation::kCountTokens}), "/totalTokens") == "12");
}

// DIAL-24
TEST_CASE("what is no answer is an error of the upstream") {
  for (const std::string_view body : {"", "<html>", "[]", "3", "{}", R"({"choices":[]})"}) {
    INFO(body);
    const auto message = gemini().decode_answer(body, {Operation::kChat});
    REQUIRE_FALSE(message);
    CHECK(message.error().code == Code::kUpstreamInvalidAnswer);
  }
  const auto error = gemini().decode_answer(R"({"error":{"code":429,"message":"slow","status":"RESOURCE_EXHAUSTED"}})", {Operation::kChat});
  REQUIRE_FALSE(error);
  CHECK(error.error().code == Code::kUpstreamError);
  CHECK(error.error().http_status == 429);
  CHECK(error.error().message == "slow");
}

// DIAL-17
TEST_CASE("errors are told in google's envelope, with google's word for the status") {
  const auto [status, word] = GENERATE(table<int, std::string>({{400, "INVALID_ARGUMENT"}, {401, "UNAUTHENTICATED"}, {403, "PERMISSION_DENIED"}, {404, "NOT_FOUND"},
      {413, "INVALID_ARGUMENT"}, {429, "RESOURCE_EXHAUSTED"}, {500, "INTERNAL"}, {502, "UNAVAILABLE"}, {503, "UNAVAILABLE"}, {504, "DEADLINE_EXCEEDED"}}));
  Error error = make_error(Code::kUpstreamStatus, "ours");
  error.http_status = status;
  error.retry_after = std::chrono::milliseconds(1500);
  const std::string body = gemini().encode_error(error, {"req-1", "theirs", status});
  CHECK(at(body, "/error/code") == std::to_string(status));
  CHECK(at(body, "/error/status") == '"' + word + '"');
  CHECK(at(body, "/error/message") == "\"theirs\"");
  CHECK(at(body, "/error/details/0/metadata/request_id") == "\"req-1\"");
  CHECK(at(body, "/error/details/1/retryDelay") == "\"2s\"");
  CHECK(gemini().is_error_body(body));
  CHECK(gemini().is_error_body("[" + body + "]"));
  CHECK_FALSE(gemini().is_error_body(R"({"error":{"message":"m","type":"t"}})"));
  CHECK_FALSE(gemini().is_error_body("[]"));
}

TEST_CASE("the gateway's own errors keep the gateway's words") {
  const std::string body = gemini().encode_error(make_error(Code::kUnauthorized, "no key"), {{}, "theirs", 0});
  CHECK(at(body, "/error/message") == "\"no key\"");
  CHECK(at(body, "/error/code") == "401");
  CHECK(at(body, "/error/details/0/reason") == '"' + std::string(to_string(Code::kUnauthorized)) + '"');
}
