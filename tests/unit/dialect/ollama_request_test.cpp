// Requests of Ollama's dialect: seen by policy, through the canonical model, and written for OpenAI's callers.

#include <catch2/catch.hpp>

#include "unit/dialect/translating.hpp"

using namespace sluice;
using chat::LossSeverity;
using chat::Operation;
using dialect::ollama;
using dialect::openai;
using test::canonical;

namespace {

struct Seen {
  explicit Seen(std::string_view body, Operation operation = Operation::kChat)
      : document(test::parsed(body)), status(ollama().inspect(document, operation, chat::kWantPrompt | chat::kWantTools | chat::kWantShape, view)) {}
  Seen(const Seen&) = delete;
  Seen& operator=(const Seen&) = delete;
  json::Document document;
  chat::RequestView view;
  Status status;
};

std::string prompt_of(const chat::RequestView& view) {
  std::string out;
  for (const chat::PromptText& text : view.prompt) {
    constexpr std::string_view kRoles[] = {"system", "user", "assistant", "tool"};
    out.append(kRoles[static_cast<std::size_t>(text.role)]).append(text.last_user ? "* " : " ").append(text.text).append("\n");
  }
  return out;
}

std::string user(std::string_view more) { return R"({"model":"m","messages":[{"role":"user","content":"hi"}],)" + std::string(more) + "}"; }

}  // namespace

TEST_CASE("Ollama's paths are known, and lines of JSON answer its chats") {
  const auto [method, path, operation, framing] = GENERATE(table<std::string, std::string, Operation, http::Framing>({
      {"POST", "/api/chat", Operation::kChat, http::Framing::kNdjson},
      {"POST", "/x/api/generate", Operation::kChat, http::Framing::kNdjson},
      {"POST", "/api/embed", Operation::kEmbeddings, http::Framing::kSse},
      {"GET", "/api/tags", Operation::kListModels, http::Framing::kSse},
  }));
  dialect::Recognised found;
  REQUIRE(dialect::recognise(method, path, {}, {}, found) == &ollama());
  CHECK(found.operation == operation);
  CHECK(found.framing == framing);
  CHECK(found.method_ok);
  CHECK_FALSE(ollama().recognise("DELETE", path, {}, {})->method_ok);
  CHECK(ollama().serves(operation));
  CHECK_FALSE(ollama().recognise("POST", "/v1/chat/completions", {}, {}));
  CHECK(ollama().target_of({.operation = Operation::kChat}) == "/api/chat");
}

TEST_CASE("a chat of Ollama's is a stream unless it says otherwise") {
  const auto [more, stream] = GENERATE(table<std::string, bool>({{"", true}, {R"("stream":true,)", true}, {R"("stream":false,)", false}, {R"("stream":null,)", true}}));
  for (const std::string_view prompt : {R"("messages":[])", R"("prompt":"x")"}) {
    const std::string body = "{" + more + std::string(prompt) + "}";
    CHECK(Seen(body).view.stream == stream);
    CHECK(test::request_of(ollama(), body).stream == stream);
  }
  CHECK_FALSE(Seen(R"({"input":"x"})", Operation::kEmbeddings).view.stream);
}

TEST_CASE("a request of Ollama's is seen with its texts, tools and size") {
  const Seen chat(R"({"model":"m","options":{"num_predict":7},"messages":[{"role":"system","content":"s"},{"role":"assistant","thinking":"t","content":"","tool_calls":[{"function":{"name":"f","arguments":{}}}]},
      {"role":"tool","tool_name":"f","content":"r"},{"role":"user","content":"h\u00e9","images":["iVBORw0KGgo="]}],"tools":[{"type":"function","function":{"name":"f"}}]})");
  REQUIRE(chat.status);
  CHECK(chat.view.max_output_tokens == 7u);
  CHECK(prompt_of(chat.view) == "system s\nassistant \nassistant t\ntool r\nuser* h\xc3\xa9\n");
  CHECK(chat.view.tools_offered == std::vector<std::string_view>{"f"});
  CHECK(chat.view.tools_called == std::vector<std::string_view>{"f"});
  CHECK(chat.view.shape.messages == 4);
  CHECK(chat.view.shape.attachments.size() == 1);
  const Seen prompt(R"({"model":"m","prompt":"p","system":"s","suffix":"x","images":["AAAA"],"options":{"num_predict":-1}})");
  REQUIRE(prompt.status);
  CHECK(prompt_of(prompt.view) == "system s\nuser* p\nuser* x\n");
  CHECK_FALSE(prompt.view.max_output_tokens);
  CHECK(prompt.view.shape.attachments.size() == 1);
  const Seen embed(R"({"input":["a","b"],"dimensions":4})", Operation::kEmbeddings);
  CHECK(prompt_of(embed.view) == "user* a\nuser* b\n");
  CHECK(embed.view.shape.dimensions == 4);
}

TEST_CASE("a member that Ollama would read under another spelling is refused") {
  for (const std::string_view body : {R"({"Model":"a","messages":[]})", R"({"messages":[],"Messages":[]})", R"({"prompt":"a","PROMPT":"b"})",
                                      R"({"messages":[{"role":"user","Content":"x"}]})", R"({"messages":[],"options":{"Num_Predict":1}})"}) {
    INFO(body);
    CHECK_FALSE(Seen(body).status);
  }
}

// DIAL-02, DIAL-23
TEST_CASE("a request of Ollama's means the same after the canonical model") {
  const auto [operation, body] = GENERATE(table<Operation, std::string>({
      {Operation::kChat, R"({"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":"u","images":["iVBORw0KGgo="]},
        {"role":"assistant","content":"","thinking":"t","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}},{"id":"x","function":{"index":1,"name":"g","arguments":{}}}]},
        {"role":"tool","content":"1","tool_name":"f"},{"role":"tool","content":"2","tool_name":"g","tool_call_id":"x"}],
        "tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}],"format":{"type":"object"},"stream":true,"think":"high",
        "options":{"num_predict":3,"temperature":0.5,"top_p":0.25,"top_k":4,"min_p":0.125,"seed":7,"stop":["a"],"repeat_penalty":1.5,"presence_penalty":1,"frequency_penalty":2,"num_ctx":8192},
        "keep_alive":"5m","logprobs":true,"top_logprobs":2,"nobody":{"knows":1}})"},
      {Operation::kChat, user(R"("tools":[],"options":{},"format":"json","think":false,"stream":false,"temperature":0)")},
      {Operation::kChat, user(R"("options":{"num_predict":-1,"stop":[]},"keep_alive":0)")},
      {Operation::kChat, R"({"model":"m","prompt":"p","system":"s","suffix":"x","template":"t","raw":true,"context":[1,2],"images":["/9j/"],"stream":false,"format":"json","think":true})"},
      {Operation::kChat, R"({"model":"m","prompt":"p","images":[],"options":{"temperature":0}})"},
      {Operation::kChat, R"({"model":"m"})"},
      {Operation::kEmbeddings, R"({"model":"m","input":"a","truncate":false,"dimensions":3,"options":{"num_ctx":1}})"},
      {Operation::kEmbeddings, R"({"model":"m","input":["a","b"],"keep_alive":"1m"})"},
  }));
  chat::LossReport loss;
  const std::string again = ollama().encode_request(test::request_of(ollama(), body, operation), {.operation = operation}, loss);
  CHECK(canonical(again) == canonical(body));
  CHECK(loss.worst() == LossSeverity::kNote);
}

TEST_CASE("what has no meaning in a request of Ollama's is refused by name") {
  const auto [body, param] = GENERATE(table<std::string, std::string>({
      {R"({"messages":7})", "messages"}, {R"({"messages":[{"role":"robot"}]})", "messages[0].role"}, {R"({"messages":[{"role":"user","content":[]}]})", "messages[0].content"},
      {R"({"prompt":7})", "prompt"}, {user(R"("options":7)"), "options"}, {user(R"("options":{"top_k":"x"})"), "options.top_k"}, {user(R"("think":7)"), "think"},
      {user(R"("format":7)"), "format"}, {user(R"("tools":7)"), "tools"}, {user(R"("stream":"yes")"), "stream"},
  }));
  INFO(body);
  const auto read = ollama().decode_request(test::parsed(body), Operation::kChat);
  REQUIRE_FALSE(read);
  CHECK(read.error().code == Code::kInvalidParameter);
  CHECK(read.error().param == param);
}

// DIAL-01
TEST_CASE("a conversation with tools goes to Ollama in its words") {
  chat::LossReport loss;
  const std::string sent = test::translated(openai(), ollama(), R"({"model":"m","messages":[{"role":"developer","content":"d"},{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"},
      {"type":"image_url","image_url":{"url":"data:image/png;base64,QUI="}}]},{"role":"assistant","content":null,"tool_calls":[{"id":"x","type":"function","function":{"name":"f","arguments":""}},
      {"id":"y","type":"function","function":{"name":"f","arguments":"{\"k\":[1]}"}}]},{"role":"tool","tool_call_id":"y","content":"2"},{"role":"tool","tool_call_id":"x","content":"1"}],
      "tools":[{"type":"function","function":{"name":"f"}}],"max_tokens":9,"stop":"s","seed":3,"response_format":{"type":"json_object"},"reasoning_effort":"low"})", loss);
  CHECK(canonical(sent) == canonical(R"({"model":"m","messages":[{"role":"system","content":"d"},{"role":"user","content":"a\nb","images":["QUI="]},
      {"role":"assistant","content":"","tool_calls":[{"id":"x","function":{"index":0,"name":"f","arguments":{}}},{"id":"y","function":{"index":1,"name":"f","arguments":{"k":[1]}}}]},
      {"role":"tool","content":"2","tool_name":"f","tool_call_id":"y"},{"role":"tool","content":"1","tool_name":"f","tool_call_id":"x"}],
      "tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}],"format":"json","think":"low","stream":false,
      "options":{"num_predict":9,"seed":3,"stop":["s"]}})"));
  CHECK(test::losses_of(loss) == "messages[0].role (note)\nmessages[1].content (note)\n");
}

// DIAL-03
TEST_CASE("what Ollama cannot be asked for is reported, never silent") {
  const std::string tools = R"("tools":[{"type":"function","function":{"name":"f"}}],)";
  const auto [more, losses] = GENERATE_COPY(table<std::string, std::string>({
      {R"("n":2)", "n (semantic)\n"},
      {R"("logit_bias":{"1":2})", "logit_bias (cosmetic)\n"},
      {tools + R"("tool_choice":"required")", "tool_choice (semantic)\n"},
      {tools + R"("tool_choice":{"type":"function","function":{"name":"f"}})", "tool_choice (semantic)\n"},
      {tools + R"("tool_choice":"none")", "tool_choice (note)\n"},
      {tools + R"("tool_choice":"auto")", ""},
      {R"("parallel_tool_calls":false)", "parallel_tool_calls (cosmetic)\n"},
      {R"("reasoning_effort":"xhigh")", "reasoning_effort (note)\n"},
      {R"("response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}})", "response_format.json_schema.name (note)\n"},
      {R"("response_format":{"type":"grammar","x":1})", "response_format (semantic)\n"},
      {R"("user":"u","metadata":{"a":"b"})", "user (cosmetic)\nmetadata (cosmetic)\n"},
      {R"("tools":[{"type":"custom","custom":{"name":"c"}}])", "tools.c (semantic)\n"},
  }));
  INFO(more);
  chat::LossReport loss;
  (void)test::parsed(test::translated(openai(), ollama(), user(more), loss));
  CHECK(test::losses_of(loss) == losses);
  chat::LossReport picture;
  (void)test::translated(openai(), ollama(), R"({"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x/y.png"}}]}]})", picture);
  CHECK(test::losses_of(picture) == "messages[0].content[0] (semantic)\n");
}

// DIAL-06
TEST_CASE("calls without ids get some on their way from Ollama's callers, and results find them") {
  chat::LossReport loss;
  const std::string sent = test::translated(ollama(), openai(), R"({"model":"m","stream":false,"messages":[
      {"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}},{"function":{"name":"g","arguments":{}}},{"function":{"name":"f","arguments":{"a":2}}}]},
      {"role":"tool","tool_name":"g","content":"G"},{"role":"tool","tool_name":"f","content":"F1"},{"role":"tool","content":"F2"}]})", loss);
  CHECK(canonical(test::parsed(sent).root().find("messages").value()) == canonical(R"([
      {"role":"assistant","tool_calls":[{"id":"call_0","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},{"id":"call_1","type":"function","function":{"name":"g","arguments":"{}"}},
      {"id":"call_2","type":"function","function":{"name":"f","arguments":"{\"a\":2}"}}]},{"role":"tool","tool_call_id":"call_1","name":"g","content":"G"},
      {"role":"tool","tool_call_id":"call_0","name":"f","content":"F1"},{"role":"tool","tool_call_id":"call_2","content":"F2"}])"));
}

TEST_CASE("a prompt of Ollama's is a conversation for everybody else") {
  chat::LossReport loss;
  CHECK(canonical(test::translated(ollama(), openai(), R"({"model":"m","prompt":"p","system":"s","images":["/9j/AA"],"stream":false,"options":{"num_predict":3}})", loss)) ==
        canonical(R"({"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"p"},{"type":"image_url","image_url":{"url":"data:image/jpeg;base64,/9j/AA"}}]}],
        "max_completion_tokens":3,"stream":false})"));
  CHECK(loss.empty());
  (void)test::translated(ollama(), openai(), R"({"prompt":"p","raw":true,"keep_alive":"5m","suffix":""})", loss);
  CHECK(test::losses_of(loss) == "raw (semantic)\nkeep_alive (cosmetic)\nsuffix (cosmetic)\n");
}
