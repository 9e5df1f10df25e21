// Requests through the canonical model and back: the same meaning, nothing lost that is not reported.

#include <catch2/catch.hpp>

#include "unit/dialect/wire.hpp"

using namespace sluice;
using chat::Operation;
using dialect::openai;

namespace {

chat::Request decoded(std::string_view body, Operation operation = Operation::kChat) {
  const json::Document document = test::parsed(body);
  auto request = openai().decode_request(document, operation);
  INFO(body);
  if (!request) FAIL(request.error().message);
  return *std::move(request);
}

/// Encodes without losses.
std::string encoded(const chat::Request& request) {
  chat::LossReport loss;
  std::string out = openai().encode_request(request, {.operation = request.operation}, loss);
  for (const chat::Loss& l : loss.entries()) UNSCOPED_INFO(l.field << ": " << l.reason);
  CHECK(loss.empty());
  return out;
}

}  // namespace

// DIAL-02, DIAL-23
TEST_CASE("a request means the same after the canonical model") {
  const auto [operation, body] = GENERATE(table<Operation, std::string>({
      {Operation::kChat, R"({"model":"m","messages":[{"role":"developer","content":"d"},{"role":"user","name":"bo","content":"hi"}]})"},
      {Operation::kChat,
       R"({"messages":[{"role":"user","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"1h"}},)"
       R"({"type":"image_url","image_url":{"url":"https://x/y.png","detail":"low"}},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},)"
       R"({"type":"image_url","image_url":"https://x/z.png"},{"type":"image_url","image_url":{"url":"data:image/svg+xml,%3Csvg%3E"}},)"
       R"({"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}},{"type":"file","file":{"file_id":"f1"}},)"
       R"({"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,AAAA"}},{"type":"hologram","x":[1.50]}]}]})"},
      {Operation::kChat,
       R"({"messages":[{"role":"assistant","content":null,"refusal":"no"},{"role":"assistant","content":"","reasoning_content":"hm","tool_calls":)"
       R"([{"id":"1","type":"function","function":{"name":"f","arguments":"{\"a\": 1}"}},{"id":"2","type":"custom","custom":{"name":"g","input":"x"}}]},)"
       R"({"role":"tool","tool_call_id":"1","content":"ok"},{"role":"tool","tool_call_id":"2","name":"g","content":[{"type":"text","text":"ok"}]},)"
       R"({"role":"assistant","audio":{"id":"au"}},{"role":"assistant","content":"x","prefix":true}]})"},
      {Operation::kChat,
       R"({"messages":[{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},{"role":"function","name":"f","content":"1"}],)"
       R"("functions":[{"name":"f","description":"d","parameters":{"type":"object"}}],"function_call":{"name":"f"}})"},
      {Operation::kChat,
       R"({"messages":[],"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","properties":{}},"strict":true}},)"
       R"({"type":"custom","custom":{"name":"g","format":{"type":"grammar","grammar":{"syntax":"lark","definition":"x"}}}},{"type":"web_search","max":3},)"
       R"({"type":"function","function":{"name":"h","x":1},"cache_control":{"type":"ephemeral"}}],"tool_choice":{"type":"function","function":{"name":"f"}},"parallel_tool_calls":false})"},
      {Operation::kChat,
       R"({"messages":[],"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"f"}}]}}})"},
      {Operation::kChat, R"({"messages":[],"tool_choice":"none"})"},
      {Operation::kChat, R"({"messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"type":"object"}}}})"},
      {Operation::kChat, R"({"messages":[],"response_format":{"type":"json_object"}})"},
      {Operation::kChat, R"({"messages":[],"response_format":{"type":"json_object","schema":{"type":"object"}}})"},
      {Operation::kChat,
       R"({"messages":[],"temperature":0.7,"top_p":1,"top_k":40,"min_p":0.05,"frequency_penalty":-0.5,"presence_penalty":2,"repetition_penalty":1.1,)"
       R"("seed":-7,"n":3,"stop":["a","b"],"logit_bias":{"50256":-100,"7":0.5},"logprobs":true,"top_logprobs":5,"max_completion_tokens":99,)"
       R"("reasoning_effort":"high","verbosity":"low","service_tier":"flex","user":"u","store":true,"metadata":{"a":"b"},)"
       R"("modalities":["text","audio"],"audio":{"voice":{"id":"v"},"format":"mp3"},"prediction":{"type":"content","content":"x"},"stream":true,)"
       R"("stream_options":{"include_usage":true,"include_obfuscation":false},"web_search_options":{},"prompt_cache_key":"k"})"},
      {Operation::kChat, R"({"messages":[],"stop":"a","max_tokens":5,"stream":false,"stream_options":{"include_obfuscation":true},"metadata":{"a":1}})"},
      {Operation::kChat, R"({"messages":[],"max_tokens":5,"max_completion_tokens":7})"},
      {Operation::kChat, R"({"messages":[],"max_completion_tokens":7,"max_tokens":5})"},
      {Operation::kCompletions, R"({"model":"m","prompt":"a","suffix":"z","echo":true,"best_of":2,"logprobs":3,"max_tokens":1})"},
      {Operation::kCompletions, R"({"prompt":["a","b"]})"},
      {Operation::kCompletions, R"({"prompt":[1,2]})"},
      {Operation::kCompletions, R"({"prompt":[[1,2],[3]]})"},
      {Operation::kEmbeddings, R"({"model":"m","input":["a"],"encoding_format":"base64","dimensions":256,"user":"u","input_type":"query","truncate":"END"})"},
      {Operation::kEmbeddings, R"({"input":[{"type":"image_url","image_url":{"url":"x"}}]})"},
      {Operation::kModerations, R"({"input":"a"})"},
      {Operation::kModerations, R"({"input":["a","b"],"model":"omni-moderation-latest"})"},
      {Operation::kModerations, R"({"input":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"https://x"}}]})"},
  }));
  const chat::Request request = decoded(body, operation);
  const std::string again = encoded(request);
  CHECK(test::canonical(again) == test::canonical(body));
  CHECK(decoded(again, operation) == request);
}

TEST_CASE("the parts of a request are understood, not only kept") {
  const chat::Request request = decoded(
      R"({"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/jpeg;base64,QUJD","detail":"high"}}]},)"
      R"({"role":"tool","tool_call_id":"1","content":"ok"}],"tool_choice":"any","stop":"x"})");
  const auto& turns = request.chat()->turns;
  REQUIRE(turns.size() == 2);
  const auto* image = turns[0].parts[0].as<chat::Image>();
  REQUIRE(image);
  CHECK(image->source.media_type == "image/jpeg");
  CHECK(image->source.data == "QUJD");
  CHECK(image->detail == "high");
  const auto* result = turns[1].parts[0].as<chat::ToolResult>();
  REQUIRE(result);
  CHECK(result->call_id == "1");
  CHECK(result->parts[0].as<chat::Text>()->text == "ok");
  CHECK(request.chat()->tool_choice->kind == chat::ToolChoice::Kind::kRequired);
  CHECK(request.sampling.stop == std::vector<std::string>{"x"});
}

TEST_CASE("wrong types are refused by name") {
  const auto [body, param] = GENERATE(table<std::string, std::string>({
      {R"({"messages":7})", "messages"},
      {R"({"messages":[7]})", "messages[0]"},
      {R"({"messages":[{"role":"king","content":"x"}]})", "messages[0].role"},
      {R"({"messages":[{"role":"user","content":7}]})", "messages[0].content"},
      {R"({"messages":[{"role":"user","content":[{"type":"text"}]}]})", "messages[0].content[0].text"},
      {R"({"messages":[{"role":"user","content":[7]}]})", "messages[0].content[0]"},
      {R"({"messages":[{"role":"user","content":[{"type":"image_url"}]}]})", "messages[0].content[0].image_url.url"},
      {R"({"messages":[],"temperature":"hot"})", "temperature"},
      {R"({"messages":[],"seed":1.5})", "seed"},
      {R"({"messages":[],"n":-1})", "n"},
      {R"({"messages":[],"n":4294967296})", "n"},
      {R"({"messages":[],"stop":[1]})", "stop"},
      {R"({"messages":[],"tools":{}})", "tools"},
      {R"({"messages":[],"tool_choice":"must"})", "tool_choice"},
      {R"({"messages":[],"response_format":"json"})", "response_format"},
      {R"({"messages":[],"logit_bias":{"a":"b"}})", "logit_bias"},
      {R"({"messages":[],"stream_options":true})", "stream_options"},
  }));
  const json::Document document = test::parsed(body);
  const auto request = openai().decode_request(document, Operation::kChat);
  INFO(body);
  REQUIRE_FALSE(request);
  CHECK(request.error().code == Code::kInvalidParameter);
  CHECK(request.error().param == param);
}

// DIAL-03
TEST_CASE("what OpenAI has no place for is on the loss report") {
  chat::Request request;
  auto& chat = request.input.emplace<chat::ChatInput>();
  chat.turns.push_back({chat::Role::kAssistant, false, {}, {{chat::Thinking{"t", "SIG"}}, {chat::Text{"x"}}}});
  chat::ToolResult result;
  result.call_id = "1";
  result.is_error = true;
  result.parts = {{chat::Text{"see"}}, {chat::Image{{"https://x", "", "", ""}}}};
  chat.turns.push_back({chat::Role::kUser, false, {}, {{result}, {chat::Text{"and?"}}}});
  chat.turns.push_back({chat::Role::kUser, false, {}, {{chat::Image{{"", "", "file-1", ""}}}, {chat::OpaquePart{"gemini", "x", "{}"}}}});
  chat.tools = {{chat::ToolKind::kProvider, "google_search", "", "", {}, "", {}, "gemini", "{}"}};
  chat.reasoning = chat::Reasoning{"", 20'000};
  request.extras = {{"anthropic", "container", "{}"}};
  chat::LossReport loss;
  const std::string body = openai().encode_request(request, {.operation = request.operation}, loss);
  std::vector<std::string> fields;
  for (const chat::Loss& l : loss.entries()) fields.push_back(l.field);
  CHECK(fields == std::vector<std::string>{"messages[0]", "messages[0]", "messages[1]", "messages[1].is_error", "messages[2].content[0]",
                                           "messages[2].content[1]", "tools.google_search", "reasoning.budget_tokens", "container"});
  CHECK(loss.worst() == chat::LossSeverity::kSemantic);
  CHECK(test::canonical(body) ==
        test::canonical(R"({"messages":[{"role":"assistant","content":"x"},{"role":"tool","tool_call_id":"1","content":"see"},)"
                        R"({"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x"}},{"type":"text","text":"and?"}]},)"
                        R"({"role":"user","content":[]}],"reasoning_effort":"high"})"));
}

// DIAL-09
TEST_CASE("a call without arguments has an empty object") {
  chat::Request request;
  auto& chat = request.input.emplace<chat::ChatInput>();
  chat.turns.push_back({chat::Role::kAssistant, false, {}, {{chat::ToolCall{chat::ToolKind::kFunction, "1", "f", ""}}}});
  CHECK(test::canonical(encoded(request), true) ==
        test::canonical(R"({"messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]}]})", true));
}

TEST_CASE("an opaque request cannot be translated") {
  const json::Document document = test::parsed("{}");
  CHECK_FALSE(openai().decode_request(document, Operation::kOpaque));
  CHECK(openai().decode_request(document, Operation::kListModels));
}
