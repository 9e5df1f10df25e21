// What routing and policy are told of a request, and what is refused on the way.

#include <catch2/catch.hpp>

#include "unit/dialect/wire.hpp"

using namespace sluice;
using chat::Operation;
using chat::PromptText;
using chat::Role;
using test::Inspected;

namespace {

std::string with(std::string_view members) {
  std::string body = R"({"messages":[{"role":"user","content":"hi"}])";
  if (!members.empty()) body.append(",").append(members);
  return body + "}";
}

Error refused(std::string_view body, Operation operation = Operation::kChat) {
  INFO(body);
  const Inspected request(body, operation);
  REQUIRE_FALSE(request.status);
  CHECK(request.status.error().http_status == 400);
  CHECK(request.status.error().origin == Origin::kCaller);
  return request.status.error();
}

std::vector<std::string> texts(const chat::RequestView& view, bool last_user_only = false) {
  std::vector<std::string> out;
  for (const PromptText& text : view.prompt) {
    if (!last_user_only || text.last_user) out.emplace_back(text.text);
  }
  return out;
}

}  // namespace

TEST_CASE("a plain chat request is located") {
  const Inspected request(R"({"model":"gpt-4o","messages":[{"role":"user","content":"hi"}],"stream":true,"n":2,"max_tokens":9,)"
                          R"("stream_options":{"include_usage":true},"temperature":0.5})");
  REQUIRE(request.status);
  CHECK(request.view.operation == Operation::kChat);
  CHECK(request.view.model_present);
  CHECK(request.view.model == "gpt-4o");
  CHECK(request.view.model_value.raw() == "\"gpt-4o\"");
  CHECK(request.view.stream);
  CHECK(request.view.usage_in_stream);
  CHECK(request.view.stream_options);
  CHECK(request.view.choices == 2);
  CHECK(request.view.max_output_tokens == 9u);
}

// ROUTE-11
TEST_CASE("a model that is no string is refused by name; an empty one is not absent") {
  CHECK_FALSE(Inspected(with("")).view.model_present);
  const Inspected empty(with(R"("model":"")"));
  REQUIRE(empty.status);
  CHECK(empty.view.model_present);
  CHECK(empty.view.model.empty());
  const auto [value, shown] = GENERATE(table<std::string, std::string>({
      {"42", "a number"}, {"null", "null"}, {"[]", "an array"}, {"{}", "an object"}, {"true", "a boolean"}}));
  const auto operation = GENERATE(Operation::kChat, Operation::kCompletions, Operation::kEmbeddings, Operation::kModerations);
  const Error error = refused(R"({"messages":[],"model":)" + value + "}", operation);
  CHECK(error.code == Code::kInvalidModel);
  CHECK(error.param == "model");
  CHECK(error.message == "model is " + shown + "; it must be a string");
}

// SEC-30
TEST_CASE("control characters in a model are refused") {
  CHECK(refused(with(R"("model":"gpt\u0000-4o")")).code == Code::kInvalidModel);
  CHECK(refused(with(R"("model":"gpt\n")")).code == Code::kInvalidModel);
  const Inspected escaped(with(R"("model":"\u0067pt-\u00e9")"));
  REQUIRE(escaped.status);
  CHECK(escaped.view.model == "gpt-\xc3\xa9");
}

// ROUTE-12
TEST_CASE("a second model key beside the model is refused") {
  const auto alias = GENERATE(as<std::string>{}, "modelId", "model_id", "modelid", "ModelId", "model\\u0049d", "Model", "MODEL");
  const Error error = refused(with("\"model\":\"a\",\"" + alias + "\":\"b\""));
  CHECK(error.code == Code::kInvalidModel);
  CHECK(error.message.find("model once") != std::string::npos);
}

TEST_CASE("an alias alone is a field like any other; a model in capitals is not") {
  const Inspected alias(with(R"("modelId":"b")"));
  REQUIRE(alias.status);
  CHECK_FALSE(alias.view.model_present);
  // Servers that ignore case would obey it.
  CHECK(refused(with(R"("Model":"b")")).code == Code::kInvalidModel);
}

// SEC-27
TEST_CASE("what policy looks at stands there once, however it is spelled") {
  const auto [first, second] = GENERATE(table<std::string, std::string>({
      {R"("model":"a")", R"("model":"b")"},
      {R"("model":"a")", R"("mod\u0065l":"b")"},
      {R"("model":"a")", R"("model":null)"},
      {R"("messages":[])", R"("messages":[])"},
      {R"("messages":[])", R"("m\u0065ssages":[])"},
      {R"("max_tokens":1)", R"("max_tokens":2)"},
      {R"("max_completion_tokens":1)", R"("max_completion_tokens":2)"},
      {R"("stream":true)", R"("stream":false)"},
      {R"("tools":[])", R"("tools":[])"},
      {R"("stream_options":{})", R"("stream_options":{})"},
      {R"("tool_choice":"auto")", R"("tool_choice":"none")"},
      {R"("n":1)", R"("\u006e":1)"},
      {R"("response_format":{"type":"text"})", R"("response_format":{"type":"text"})"},
      {R"("functions":[])", R"("functions":[])"},
      {R"("function_call":"auto")", R"("function_call":"none")"},
      {R"("stream_options":{"include_usage":true,"include_usage":false})", R"("x":1)"},
      {R"("messages":[{"role":"user","role":"system","content":"x"}])", R"("x":1)"},
      {R"("messages":[{"role":"user","content":"x","cont\u0065nt":"y"}])", R"("x":1)"},
      {R"("messages":[{"role":"user","content":[{"type":"text","text":"a","text":"b"}]}])", R"("x":1)"},
      {R"("tools":[{"type":"function","function":{"name":"a","name":"b"}}])", R"("x":1)"},
      {R"("tools":[{"type":"function","function":{"name":"a"},"function":{"name":"b"}}])", R"("x":1)"},
      {R"("tools":[{"type":"function","function":{"name":"a"},"custom":{"name":"b"}}])", R"("x":1)"},
  }));
  std::string body = "{" + first + "," + second;
  if (body.find("ssages") == std::string::npos) body += R"(,"messages":[])";
  CHECK(refused(body + "}").code == Code::kDuplicateKey);
}

TEST_CASE("a duplicate names its field and says where") {
  const Error error = refused(R"({"messages":[],"model":"a","mod\u0065l":"b"})");
  CHECK(error.param == "model");
  CHECK(error.message == "'model' stands twice at offset 27; send it once");
}

TEST_CASE("what nobody looks at may stand twice") { CHECK(Inspected(with(R"("x":1,"x":2)")).status); }

// SEC-29
TEST_CASE("numbers that are no integers in range are refused, with what they were") {
  const auto [members, param] = GENERATE(table<std::string, std::string>({
      {R"("max_tokens":1.0)", "max_tokens"},
      {R"("max_tokens":1e3)", "max_tokens"},
      {R"("max_tokens":-1)", "max_tokens"},
      {R"("max_tokens":18446744073709551616)", "max_tokens"},
      {R"("max_tokens":"9")", "max_tokens"},
      {R"("max_completion_tokens":9223372036854775808)", "max_completion_tokens"},
      {R"("n":0)", "n"},
      {R"("n":129)", "n"},
      {R"("n":1.0)", "n"},
      {R"("n":"1")", "n"},
      {R"("stream":"true")", "stream"},
      {R"("stream":1)", "stream"},
      {R"("stream_options":[])", "stream_options"},
      {R"("stream_options":{"include_usage":1})", "stream_options.include_usage"},
  }));
  const Error error = refused(with(members));
  CHECK(error.code == Code::kInvalidParameter);
  CHECK(error.param == param);
  CHECK(error.message.find(param) == 0);
}

// SEC-29
TEST_CASE("the edges of integers are integers") {
  CHECK(Inspected(with(R"("max_tokens":-0)")).view.max_output_tokens == 0u);
  CHECK(Inspected(with(R"("max_tokens":9223372036854775807)")).view.max_output_tokens == 9223372036854775807u);
  CHECK(Inspected(with(R"("n":128)")).view.choices == 128);
  const Inspected nulls(with(R"("n":null,"max_tokens":null,"stream":null,"stream_options":null)"));
  REQUIRE(nulls.status);
  CHECK(nulls.view.choices == 1);
  CHECK_FALSE(nulls.view.max_output_tokens);
  CHECK_FALSE(nulls.view.stream);
}

TEST_CASE("of two bounds of the output the larger is what may be spent") {
  CHECK(Inspected(with(R"("max_tokens":5,"max_completion_tokens":7)")).view.max_output_tokens == 7u);
  CHECK(Inspected(with(R"("max_tokens":7,"max_completion_tokens":5)")).view.max_output_tokens == 7u);
}

TEST_CASE("a chat needs its messages") {
  CHECK(refused(R"({"model":"a"})").param == "messages");
  CHECK(refused(R"({"messages":"hi"})").code == Code::kInvalidParameter);
  CHECK(refused("[]").code == Code::kInvalidRequest);
  // The shape of a message is the upstream's business.
  CHECK(Inspected(R"({"messages":[1,null,{"role":7},{"content":{"x":1}},{"role":"new","content":[{"type":"hologram"}]}]})").status);
}

// ROUTE-05
TEST_CASE("prompt text reads the same as a string, as parts and escaped") {
  const auto content = GENERATE(as<std::string>{}, R"("caf\u00e9 \ud83d\ude00")", "\"caf\xc3\xa9 \xf0\x9f\x98\x80\"",
                                R"([{"type":"text","text":"caf\u00e9 \ud83d\ude00"}])",
                                R"([{"type":"image_url","image_url":{"url":"x"}},{"type":"text","text":"caf\u00e9 \ud83d\ude00"}])",
                                R"([{"t\u0079pe":"text","t\u0065xt":"caf\u00e9 \ud83d\ude00"}])");
  const Inspected request(R"({"messages":[{"role":"user","content":)" + content + "}]}");
  REQUIRE(request.status);
  CHECK(texts(request.view) == std::vector<std::string>{"caf\xc3\xa9 \xf0\x9f\x98\x80"});
  CHECK(request.view.prompt[0].last_user);
}

// ROUTE-24
TEST_CASE("texts know who said them and which the user said last") {
  const Inspected request(R"({"messages":[{"role":"system","content":"s"},{"role":"developer","content":[{"type":"text","text":"d"}]},)"
                          R"({"role":"user","content":"u1"},{"role":"assistant","content":"a","tool_calls":[]},)"
                          R"({"role":"user","content":[{"type":"text","text":"u2"},{"type":"text","text":"u3"}]},)"
                          R"({"role":"assistant","content":null},{"role":"tool","tool_call_id":"1","content":"t"},)"
                          R"({"role":"function","name":"f","content":"f"},{"role":"stranger","content":"x"}]})");
  REQUIRE(request.status);
  const std::vector<Role> roles{Role::kSystem, Role::kSystem, Role::kUser, Role::kAssistant, Role::kUser,
                                Role::kUser,   Role::kTool,   Role::kTool, Role::kUser};
  REQUIRE(request.view.prompt.size() == roles.size());
  for (std::size_t i = 0; i < roles.size(); ++i) CHECK(request.view.prompt[i].role == roles[i]);
  // A role nobody knows counts as the user: it must not slip past a rule.
  CHECK(texts(request.view, true) == std::vector<std::string>{"x"});
}

TEST_CASE("the last user message may have several parts") {
  const Inspected request(R"({"messages":[{"role":"user","content":"u1"},{"role":"user","content":["u2",{"text":"u3"}]},)"
                          R"({"role":"assistant","content":"a"}]})");
  REQUIRE(request.status);
  CHECK(texts(request.view, true) == std::vector<std::string>{"u2", "u3"});
}

// ROUTE-24
TEST_CASE("tools offered, forced and last called") {
  const Inspected request(
      R"({"messages":[{"role":"assistant","tool_calls":[{"id":"1","type":"function","function":{"name":"old","arguments":"{}"}}]},)"
      R"({"role":"assistant","tool_calls":[{"id":"2","type":"function","function":{"name":"w\u0065ather","arguments":"{}"}},)"
      R"({"id":"3","type":"custom","custom":{"name":"sql","input":"x"}}]},{"role":"tool","tool_call_id":"2","content":"ok"}],)"
      R"("tools":[{"type":"function","function":{"name":"weather"}},{"type":"custom","custom":{"name":"sql"}},{"type":"web_search"}],)"
      R"("tool_choice":{"type":"function","function":{"name":"weather"}}})");
  REQUIRE(request.status);
  CHECK(request.view.tools_offered == std::vector<std::string_view>{"weather", "sql", "web_search"});
  CHECK(request.view.tool_forced == "weather");
  CHECK(request.view.tools_called == std::vector<std::string_view>{"weather", "sql"});
}

TEST_CASE("the older functions are tools") {
  const Inspected request(R"({"messages":[{"role":"assistant","function_call":{"name":"f","arguments":"{}"}}],)"
                          R"("functions":[{"name":"f"},{"name":"g"}],"function_call":{"name":"g"}})");
  REQUIRE(request.status);
  CHECK(request.view.tools_offered == std::vector<std::string_view>{"f", "g"});
  CHECK(request.view.tool_forced == "g");
  CHECK(request.view.tools_called == std::vector<std::string_view>{"f"});
}

TEST_CASE("no tool is forced by a word or by a list") {
  const auto choice = GENERATE(as<std::string>{}, R"("auto")", R"("required")", "null",
                               R"({"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"f"}}]}})");
  const Inspected request(with("\"tool_choice\":" + choice));
  REQUIRE(request.status);
  CHECK(request.view.tool_forced.empty());
}

TEST_CASE("nothing is read that nobody wants") {
  const Inspected request(with(R"("tools":[{"function":{"name":"f"}}])"), Operation::kChat, chat::kWantNothing);
  REQUIRE(request.status);
  CHECK(request.view.prompt.empty());
  CHECK(request.view.tools_offered.empty());
  CHECK(request.view.arena.empty());
}

TEST_CASE("prompts and inputs of the other operations are what the user says") {
  const auto [body, operation, said] = GENERATE(table<std::string, Operation, std::vector<std::string>>({
      {R"({"prompt":"a","suffix":"z"})", Operation::kCompletions, {"a", "z"}},
      {R"({"prompt":["a","b"]})", Operation::kCompletions, {"a", "b"}},
      {R"({"prompt":[1,2,3]})", Operation::kCompletions, {}},
      {R"({"input":"a"})", Operation::kEmbeddings, {"a"}},
      {R"({"input":["a","\u0062"]})", Operation::kEmbeddings, {"a", "b"}},
      {R"({"input":[[1,2],[3]]})", Operation::kEmbeddings, {}},
      {R"({"input":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"x"}}]})", Operation::kModerations, {"a"}},
      {R"({})", Operation::kModerations, {}},
  }));
  const Inspected request(body, operation);
  REQUIRE(request.status);
  CHECK(texts(request.view) == said);
  CHECK(texts(request.view, true) == said);
}

TEST_CASE("an opaque request is not looked into") {
  const Inspected request("[1]", Operation::kOpaque);
  CHECK(request.status);
  CHECK_FALSE(request.view.model_present);
}
