// What vendors' schemas and clients ask of every document, told to callers and servers whose counterpart does not have it.

#include <catch2/catch.hpp>

#include "dialect/providers.hpp"
#include "unit/dialect/wire.hpp"

using namespace sluice;
using chat::Operation;
using dialect::Dialect;

namespace {

chat::Message answer_of(std::vector<chat::Part> parts) {
  chat::Message out;
  out.model = "m";
  out.choices.resize(1);
  out.choices[0].turn.parts = std::move(parts);
  out.choices[0].finish = chat::FinishReason::kStop;
  return out;
}

std::string told(const Dialect& caller, const chat::Message& answer, Operation operation = Operation::kChat) {
  chat::LossReport loss;
  return caller.encode_answer(answer, {.operation = operation}, loss);
}

/// `body` as `from` reads it, written for a server of `to`.
std::string sent(const Dialect& from, const Dialect& to, std::string_view body, chat::LossReport& loss, Operation operation = Operation::kChat,
                 std::uint32_t quirks = 0) {
  const auto document = test::parsed(body);
  const auto request = from.decode_request(document, operation);
  REQUIRE(request);
  return to.encode_request(*request, {.operation = operation, .quirks = quirks}, loss);
}

bool has(std::string_view text, std::string_view what) { return text.find(what) != std::string_view::npos; }

const chat::Message kHello = answer_of({{chat::Text{"hi"}}});

}  // namespace

TEST_CASE("an answer of Converse has metrics, whoever answered, and those of its own server stay") {
  CHECK(has(told(dialect::bedrock(), kHello), R"("metrics":{"latencyMs":0})"));
  const auto own = dialect::bedrock().decode_answer(
      R"({"output":{"message":{"role":"assistant","content":[{"text":"hi"}]}},"stopReason":"end_turn","metrics":{"latencyMs":7}})", {});
  REQUIRE(own);
  const std::string again = told(dialect::bedrock(), *own);
  CHECK(has(again, R"("metrics":{"latencyMs":7})"));
  CHECK_FALSE(has(again, R"("latencyMs":0)"));
  const auto encoder = dialect::bedrock().delta_encoder({.framing = http::Framing::kAwsEvents});
  std::string stream;
  chat::Usage usage;
  usage.input_tokens = usage.output_tokens = 1;
  encoder->encode({0, chat::UsageDelta{usage, {}}}, stream);
  encoder->end(stream);
  CHECK(has(stream, R"("metrics":{"latencyMs":0})"));
}

TEST_CASE("a model of OpenAI's list has a time and an owner, also where nobody gave any") {
  chat::Message models;
  models.models.push_back({.id = "gemma"});
  CHECK(has(told(dialect::openai(), models, Operation::kListModels), R"({"id":"gemma","object":"model","created":0,"owned_by":""})"));
  CHECK_FALSE(has(told(dialect::openai(), {}, Operation::kEmbeddings), "created"));
}

TEST_CASE("answers of Cohere's have an id, rankings where there is one") {
  CHECK(told(dialect::cohere(), kHello).starts_with(R"({"id":"",)"));
  CHECK(told(dialect::cohere(), {}, Operation::kEmbeddings).starts_with(R"({"id":"",)"));
  CHECK_FALSE(has(told(dialect::cohere(), {}, Operation::kRerank), "\"id\""));
}

TEST_CASE("a format without a description is echoed without one") {
  const auto request = test::parsed(R"({"model":"m","input":"x","text":{"format":{"type":"json_schema","name":"n","schema":{"type":"object"}}}})");
  chat::LossReport loss;
  const std::string plain = dialect::openai_responses().encode_answer(kHello, {.request = &request}, loss);
  CHECK(has(plain, R"("format":{"type":"json_schema","name":"n","schema":{"type":"object"},"strict":false})"));
  const auto described = test::parsed(R"({"model":"m","input":"x","text":{"format":{"type":"json_schema","name":"n","description":"d","schema":{}}}})");
  CHECK(has(dialect::openai_responses().encode_answer(kHello, {.request = &described}, loss), R"("description":"d")"));
}

TEST_CASE("a server of responses is asked for room for 16 tokens at least, and the raise is reported") {
  chat::LossReport loss;
  CHECK(has(sent(dialect::anthropic(), dialect::openai_responses(), R"({"model":"m","max_tokens":15,"messages":[{"role":"user","content":"x"}]})", loss), R"("max_output_tokens":16)"));
  REQUIRE(loss.entries().size() == 1);
  CHECK(loss.entries()[0].field == "max_tokens");
  CHECK(loss.worst() == chat::LossSeverity::kCosmetic);
  loss.clear();
  CHECK(has(sent(dialect::anthropic(), dialect::openai_responses(), R"({"model":"m","max_tokens":16,"messages":[{"role":"user","content":"x"}]})", loss), R"("max_output_tokens":16)"));
  CHECK(loss.empty());
}

TEST_CASE("a turn that only calls has content where Ollama's document has it, and none where OpenAI's refuses an empty list") {
  chat::LossReport loss;
  const std::string calls = R"("tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}])";
  CHECK(has(sent(dialect::openai(), dialect::ollama(), R"({"model":"m","messages":[{"role":"user","content":"x"},{"role":"assistant",)" + calls + "}]}", loss),
            R"({"role":"assistant","content":"","tool_calls")"));
  CHECK(has(sent(dialect::cohere(), dialect::openai(), R"({"model":"m","messages":[{"role":"user","content":"x"},{"role":"assistant","content":[],)" + calls + "}]}", loss, Operation::kChat,
                 dialect::kOwnMembersOnly),
            R"({"role":"assistant","content":null,"tool_calls")"));
}

TEST_CASE("an empty list of stop sequences is not sent to servers of OpenAI's dialect, which refuse it") {
  chat::LossReport loss;
  CHECK_FALSE(has(sent(dialect::ollama(), dialect::openai(), R"({"model":"m","messages":[{"role":"user","content":"x"}],"options":{"stop":[]}})", loss, Operation::kChat, dialect::kOwnMembersOnly), "stop\":"));
  CHECK(has(sent(dialect::ollama(), dialect::openai(), R"({"model":"m","messages":[{"role":"user","content":"x"}],"options":{"stop":["."]}})", loss, Operation::kChat, dialect::kOwnMembersOnly), R"("stop":["."])"));
}

TEST_CASE("a count that Gemini leaves out is 0 where the total is the other alone") {
  const auto usage = [](std::string_view counts) {
    return *dialect::gemini().decode_answer(R"({"candidates":[],"usageMetadata":)" + std::string(counts) + "}", {})->usage;
  };
  CHECK(usage(R"({"promptTokenCount":14,"totalTokenCount":14})").output_tokens == 0u);
  CHECK(usage(R"({"candidatesTokenCount":7,"totalTokenCount":7})").input_tokens == 0u);
  CHECK_FALSE(usage(R"({"promptTokenCount":14,"totalTokenCount":20})").output_tokens);
  CHECK_FALSE(usage(R"({"promptTokenCount":14})").output_tokens);
}

TEST_CASE("a total that is all a server counts is the prompt's to clients of OpenAI's, and stays as it is to its own") {
  const auto message = dialect::voyage().decode_answer(R"({"object":"list","data":[{"object":"embedding","embedding":[0.5],"index":0}],"model":"v","usage":{"total_tokens":3}})",
                                                       {.operation = Operation::kEmbeddings});
  REQUIRE(message);
  CHECK(has(told(dialect::openai(), *message, Operation::kEmbeddings), R"("usage":{"prompt_tokens":3,"total_tokens":3})"));
  CHECK(has(told(dialect::voyage(), *message, Operation::kEmbeddings), R"("usage":{"total_tokens":3})"));
}

TEST_CASE("chat cites addresses and no files, and says so") {
  const chat::Citation url{.kind = chat::Citation::Kind::kUrl, .url = "https://a.test", .title = "t"}, file{.kind = chat::Citation::Kind::kFile, .file_id = "file_1"};
  const chat::Message answer = answer_of({{chat::Text{.text = "hi", .citations = {file, url}}}});
  chat::LossReport loss;
  const std::string whole = dialect::openai().encode_answer(answer, {}, loss);
  CHECK(has(whole, R"("annotations":[{"type":"url_citation","url_citation":{"start_index":0,"end_index":0,"url":"https://a.test","title":"t"}}])"));
  REQUIRE(loss.entries().size() == 1);
  CHECK(loss.entries()[0].severity == chat::LossSeverity::kCosmetic);
  const auto encoder = dialect::openai().delta_encoder({});
  std::string stream;
  encoder->encode({0, chat::CitationDelta{file}}, stream);
  CHECK_FALSE(has(stream, "annotations"));
  encoder->encode({0, chat::CitationDelta{url}}, stream);
  CHECK(has(stream, "url_citation"));
}

TEST_CASE("what an embedding is for goes to servers of OpenAI's dialect that may have such a word, and not to those that refuse it") {
  const auto asked = dialect::voyage().decode_request(test::parsed(R"({"model":"m","input":["a"],"input_type":"query"})"), Operation::kEmbeddings);
  REQUIRE(asked);
  chat::LossReport loss;
  CHECK(has(dialect::openai().encode_request(*asked, {.operation = Operation::kEmbeddings}, loss), R"("input_type":"query")"));
  CHECK(loss.empty());
  CHECK_FALSE(has(dialect::openai().encode_request(*asked, {.operation = Operation::kEmbeddings, .quirks = dialect::kOwnMembersOnly}, loss), "input_type"));
  CHECK(loss.worst() == chat::LossSeverity::kCosmetic);
}

// DIAL-09
TEST_CASE("a call whose arguments are null has none") {
  const chat::Message answer = answer_of({{chat::ToolCall{.id = "c", .name = "f", .arguments = "null"}}});
  CHECK(has(told(dialect::anthropic(), answer), R"("input":{})"));
  CHECK(has(told(dialect::bedrock(), answer), R"("input":{})"));
  CHECK(has(told(dialect::gemini(), answer), R"("args":{})"));
  CHECK(has(told(dialect::ollama(), answer), R"("arguments":{})"));
}

TEST_CASE("calls that were cut at Ollama's are an end by length") {
  const auto cut = dialect::ollama().decode_answer(
      R"({"model":"m","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{}}}]},"done":true,"done_reason":"length"})", {});
  REQUIRE(cut);
  CHECK(cut->choices.at(0).finish == chat::FinishReason::kLength);
}

TEST_CASE("types of Gemini's schemas may be numbers") {
  chat::LossReport loss;
  const std::string asked = R"({"contents":[{"role":"user","parts":[{"text":"x"}]}],"tools":[{"functionDeclarations":[{"name":"f","description":"d",
    "parameters":{"type":6,"properties":{"a":{"type":1},"b":{"type":5,"items":{"type":3}},"c":{"type":9}}}}]}]})";
  CHECK(has(sent(dialect::gemini(), dialect::openai(), asked, loss),
            R"({"type":"object","properties":{"a":{"type":"string"},"b":{"type":"array","items":{"type":"integer"}},"c":{"type":9}}})"));
}
