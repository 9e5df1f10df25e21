// Servers that depart from the OpenAI dialect: what is written for them.

#include <catch2/catch.hpp>

#include "dialect/providers.hpp"
#include "unit/dialect/wire.hpp"

using namespace sluice;
using dialect::find_provider;
using dialect::openai;

namespace {

std::string written(std::string_view body, std::uint32_t quirks, chat::LossReport& loss) {
  const auto document = json::Document::parse(Body::copy(body));
  REQUIRE(document);
  const auto request = openai().decode_request(*document, chat::Operation::kChat);
  REQUIRE(request);
  return openai().encode_request(*request, {.operation = chat::Operation::kChat, .quirks = quirks}, loss);
}

}  // namespace

// DIAL-07
TEST_CASE("tool ids become nine letters and digits, the same each time, and short ones stay") {
  constexpr std::string_view kBody =
      R"({"model":"m","messages":[{"role":"user","content":"x"},{"role":"assistant","content":null,"tool_calls":[)"
      R"({"id":"call_abcdefghijkl","type":"function","function":{"name":"f","arguments":"{}"}},)"
      R"({"id":"abcDEF123","type":"function","function":{"name":"g","arguments":"{}"}}]},)"
      R"({"role":"tool","tool_call_id":"call_abcdefghijkl","content":"1"},{"role":"tool","tool_call_id":"abcDEF123","content":"2"}]})";
  chat::LossReport loss;
  const std::string out = written(kBody, dialect::kShortToolIds, loss);
  const auto document = json::Document::parse(Body::copy(out));
  REQUIRE(document);
  const auto text = [&document](std::string_view pointer) {
    std::string scratch;
    return std::string(document->root().at(pointer)->text(scratch));
  };
  const std::string id = text("/messages/1/tool_calls/0/id");
  CHECK(id.size() == 9);
  CHECK(id.find('_') == std::string::npos);
  CHECK(text("/messages/2/tool_call_id") == id);
  CHECK(text("/messages/2/name") == "f");
  CHECK(text("/messages/1/tool_calls/1/id") == "abcDEF123");
  CHECK(text("/messages/3/tool_call_id") == "abcDEF123");
  chat::LossReport again;
  CHECK(written(kBody, dialect::kShortToolIds, again) == out);
  REQUIRE(loss.entries().size() == 1);
  CHECK(loss.worst() == chat::LossSeverity::kNote);
}

// DIAL-03
TEST_CASE("what Mistral would refuse is renamed, dropped with a word about it, or not sent at all") {
  const std::uint32_t quirks = find_provider("mistral")->quirks;
  chat::LossReport loss;
  const std::string out = written(
      R"({"model":"m","messages":[{"role":"developer","content":"d"},{"role":"user","content":"x"}],"max_completion_tokens":5,"seed":7,"user":"u",)"
      R"("store":true,"logit_bias":{"1":2},"stream":true,"stream_options":{"include_usage":true},"safe_prompt":true})",
      quirks, loss);
  CHECK(out == R"({"model":"m","messages":[{"role":"system","content":"d"},{"role":"user","content":"x"}],"max_tokens":5,"stream":true,)"
               R"("safe_prompt":true,"random_seed":7})");
  std::vector<std::string> lost;
  for (const chat::Loss& one : loss.entries()) lost.push_back(one.field);
  CHECK(lost == std::vector<std::string>{"user", "store", "logit_bias"});
  CHECK(loss.worst() == chat::LossSeverity::kCosmetic);

  chat::LossReport grave;
  (void)written(R"({"model":"m","messages":[{"role":"user","content":"x"}],"logprobs":true})", quirks, grave);
  REQUIRE(grave.first_at_least(chat::LossSeverity::kSemantic) != nullptr);
  CHECK(grave.first_at_least(chat::LossSeverity::kSemantic)->field == "logprobs");
}

TEST_CASE("where the model stands in the path, it is the path that names it") {
  const dialect::Sending sending{.operation = chat::Operation::kChat, .model = "my gpt", .quirks = find_provider("azure")->quirks};
  CHECK(openai().target_of(sending) == "/openai/deployments/my%20gpt/chat/completions?api-version=2024-10-21");
  CHECK(openai().target_of({.operation = chat::Operation::kListModels, .quirks = dialect::kDeployments}) ==
        "/openai/models?api-version=2024-10-21");
}
