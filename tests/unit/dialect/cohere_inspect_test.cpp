// What routing and policy see of a request of Cohere's, which paths are Cohere's, and what the gateway changes in its bodies.

#include <catch2/catch.hpp>

#include "unit/dialect/wire.hpp"

using namespace sluice;
using chat::Operation;
using chat::Role;
using dialect::cohere;

namespace {

struct Seen {
  explicit Seen(std::string_view body, Operation operation = Operation::kChat,
                std::uint32_t wants = chat::kWantPrompt | chat::kWantTools | chat::kWantShape)
      : document(test::parsed(body)), status(cohere().inspect(document, operation, wants, view)) {}
  Seen(const Seen&) = delete;
  Seen& operator=(const Seen&) = delete;
  json::Document document;
  chat::RequestView view;
  Status status;
};

/// `user* text`, one a line; a star marks the last word of the user.
std::string prompt_of(const chat::RequestView& view) {
  std::string out;
  for (const chat::PromptText& text : view.prompt) {
    constexpr std::string_view kRoles[] = {"system", "user", "assistant", "tool"};
    out.append(kRoles[static_cast<std::size_t>(text.role)]).append(text.last_user ? "* " : " ").append(text.text).append("\n");
  }
  return out;
}

}  // namespace

TEST_CASE("Cohere's paths name its version, whatever stands in front") {
  const auto [path, operation] = GENERATE(table<std::string, Operation>({
      {"/v2/chat", Operation::kChat}, {"/cohere/v2/chat", Operation::kChat}, {"/v2/embed", Operation::kEmbeddings}, {"/v2/rerank", Operation::kRerank}}));
  dialect::Recognised found;
  REQUIRE(dialect::recognise("POST", path, {}, {}, found) == &cohere());
  CHECK(found.operation == operation);
  CHECK(found.method_ok);
  CHECK(found.suffix == cohere().target_of({.operation = operation}));
  CHECK_FALSE(cohere().recognise("GET", path, {}, {})->method_ok);
  CHECK(cohere().serves(operation));
}

TEST_CASE("paths of others are not Cohere's") {
  for (const std::string_view path : {"/v1/chat", "/chat", "/xv2/chat", "/v2/chat/completions", "/v2/rerankx", "/v1/rerank", "/api/chat"}) {
    INFO(path);
    CHECK_FALSE(cohere().recognise("POST", path, {}, {}));
  }
  CHECK_FALSE(cohere().serves(Operation::kModerations));
}

TEST_CASE("a chat of Cohere's is seen with its texts, tools and size") {
  const Seen seen(R"({"model":"c\u006f","stream":true,"max_tokens":9,"documents":[{"id":"1","data":{"text":"doc"}}],"messages":[{"role":"system","content":"s"},
      {"role":"user","content":"first"},{"role":"assistant","tool_plan":"plan","content":[{"type":"thinking","thinking":"hm"}],"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},
      {"role":"tool","tool_call_id":"a","content":[{"type":"document","document":{"data":{"x":"res"}}}]},
      {"role":"user","content":[{"type":"text","text":"h\u00e9"},{"type":"image_url","image_url":{"url":"data:image/png;base64,QUJD"}},{"type":"video","v":1}]}],
      "tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g"}}]})");
  REQUIRE(seen.status);
  CHECK(seen.view.model == "co");
  CHECK(seen.view.stream);
  CHECK(seen.view.max_output_tokens == 9u);
  CHECK(prompt_of(seen.view) == "tool 1\ntool doc\nsystem s\nuser first\nassistant hm\nassistant plan\ntool res\nuser* h\xc3\xa9\n");
  CHECK(seen.view.tools_offered == std::vector<std::string_view>{"f", "g"});
  CHECK(seen.view.tools_called == std::vector<std::string_view>{"f"});
  const RequestShape& shape = seen.view.shape;
  CHECK(shape.messages == 5);
  CHECK(shape.parts == 7);
  CHECK(shape.tools == 2);
  CHECK(shape.characters == 1 + 3 + 1 + 5 + 2 + 4 + 3 + 2);
  REQUIRE(shape.attachments.size() == 2);
  CHECK(shape.attachments[0].media_type == "image/png");
  CHECK(shape.attachments[0].bytes == 3);
  CHECK(shape.attachments[1].media_type.empty());
}

TEST_CASE("embeddings and rankings of Cohere's are seen with what they read") {
  const Seen embed(R"({"model":"e","texts":["ab","c"],"images":["data:image/png;base64,QUJD"],"inputs":[{"content":[{"type":"text","text":"d"}]}],"output_dimension":256})", Operation::kEmbeddings);
  REQUIRE(embed.status);
  CHECK(prompt_of(embed.view) == "user* ab\nuser* c\nuser* d\n");
  CHECK(embed.view.shape.inputs == 4);
  CHECK(embed.view.shape.largest_input_characters == 2);
  CHECK(embed.view.shape.dimensions == 256);
  CHECK(embed.view.shape.attachments.size() == 1);
  const Seen rank(R"({"model":"r","query":"q","documents":["a",{"text":"b"}]})", Operation::kRerank);
  REQUIRE(rank.status);
  CHECK(prompt_of(rank.view) == "user* q\nuser* a\nuser* b\n");
  CHECK(rank.view.shape.inputs == 3);
}

TEST_CASE("nothing is gathered that nobody asked for") {
  const Seen seen(R"({"messages":[{"role":"user","content":"x"}],"tools":[{"function":{"name":"f"}}]})", Operation::kChat, chat::kWantNothing);
  REQUIRE(seen.status);
  CHECK(seen.view.prompt.empty());
  CHECK(seen.view.tools_offered.empty());
  CHECK(seen.view.shape.characters == 0);
  CHECK_FALSE(seen.view.model_present);
}

TEST_CASE("what policy looks at stands once, is of its type, and is spelled as it is") {
  const auto [body, code, param] = GENERATE(table<std::string, Code, std::string>({
      {"[]", Code::kInvalidRequest, ""},
      {R"({"model":"a","model":"b","messages":[]})", Code::kDuplicateKey, "model"},
      {R"({"model":"a","mod\u0065l":"b","messages":[]})", Code::kDuplicateKey, "model"},
      {R"({"model":"a","Model":"b","messages":[]})", Code::kInvalidModel, "model"},
      {R"({"model":"a","model_id":"b","messages":[]})", Code::kInvalidModel, "model_id"},
      {R"({"model":7,"messages":[]})", Code::kInvalidModel, "model"},
      {R"({"model":"a\u0000","messages":[]})", Code::kInvalidModel, "model"},
      {R"({"messages":[],"messages":[]})", Code::kDuplicateKey, "messages"},
      {R"({"messages":[],"Messages":[]})", Code::kInvalidParameter, "Messages"},
      {R"({"messages":{}})", Code::kInvalidParameter, "messages"},
      {"{}", Code::kInvalidParameter, "messages"},
      {R"({"messages":[],"stream":1})", Code::kInvalidParameter, "stream"},
      {R"({"messages":[],"max_tokens":-1})", Code::kInvalidParameter, "max_tokens"},
      {R"({"messages":[],"tools":{}})", Code::kInvalidParameter, "tools"},
      {R"({"messages":[{"role":"user","content":"a","content":"b"}]})", Code::kDuplicateKey, "content"},
      {R"({"messages":[{"role":"user","Content":"b"}]})", Code::kInvalidParameter, "Content"},
      {R"({"messages":[{"role":"user","content":[{"type":"text","text":"a","text":"b"}]}]})", Code::kDuplicateKey, "text"},
      {R"({"messages":[],"tools":[{"function":{"name":"a","name":"b"}}]})", Code::kDuplicateKey, "name"},
  }));
  INFO(body);
  const Seen seen(body);
  REQUIRE_FALSE(seen.status);
  CHECK(seen.status.error().code == code);
  CHECK(seen.status.error().param == param);
}

TEST_CASE("the model of a request of Cohere's is set where it stands, and usage needs no asking") {
  const Seen seen(R"({ "model" : "a", "messages":[],"stream":true})");
  base::EditedBody body(seen.document.body());
  REQUIRE(cohere().set_model(body, seen.document, seen.view, "b"));
  const auto asked = cohere().ask_for_usage(body, seen.document, seen.view);
  CHECK_FALSE(*asked);
  CHECK(body.to_string() == R"({ "model" : "b", "messages":[],"stream":true})");
}
