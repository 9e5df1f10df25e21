// What Bedrock's paths mean, and what routing needs of its requests.

#include "unit/dialect/bedrock_support.hpp"

using namespace sluice;
using chat::Operation;
using chat::Role;

namespace {

struct Seen {
  explicit Seen(std::string_view body, Operation operation = Operation::kChat, std::uint32_t wants = chat::kWantPrompt | chat::kWantTools | chat::kWantShape)
      : document(test::parsed(body)), status(test::bedrock().inspect(document, operation, wants, view)) {}
  json::Document document;
  chat::RequestView view;
  Status status;
};

std::vector<std::string> texts(const chat::RequestView& view) {
  std::vector<std::string> out;
  for (const chat::PromptText& text : view.prompt) {
    constexpr std::string_view kRoles = "suat";
    out.push_back(std::string(1, kRoles[static_cast<std::size_t>(text.role)]) + (text.last_user ? "! " : " ") + std::string(text.text));
  }
  return out;
}

constexpr std::string_view kBody = R"({"system":[{"text":"be\u0021"},{"guardContent":{"text":{"text":"guard"}}},{"cachePoint":{"type":"default"}}],
  "messages":[{"role":"user","content":[{"text":"first"}]},
   {"role":"assistant","content":[{"text":"old"},{"toolUse":{"toolUseId":"0","name":"older","input":{}}}]},
   {"role":"user","content":[{"text":"look"},{"image":{"format":"png","source":{"bytes":"iVBORw0K"}}},{"document":{"format":"pdf","name":"n","source":{"s3Location":{"uri":"s3://x"}},"context":"ctx"}},
     {"document":{"format":"txt","name":"n","source":{"text":"plain"}}},{"searchResult":{"source":"s","title":"t","content":[{"text":"found"}]}},{"video":{"format":"mp4","source":{"bytes":"AAAA"}}},{"later":{"x":1}}]},
   {"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"hm"}}},{"citationsContent":{"content":[{"text":"cited"}],"citations":[]}},{"toolUse":{"toolUseId":"1","name":"f","input":{"a":"b"}}},{"toolUse":{"toolUseId":"2","name":"g","input":{}}}]},
   {"role":"user","content":[{"toolResult":{"toolUseId":"1","content":[{"text":"result"},{"json":{"k":["in json"]}},{"image":{"format":"gif","source":{"bytes":"R0lG"}}}]}}]}],
  "inferenceConfig":{"maxTokens":77},
  "toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{}}}},{"cachePoint":{"type":"default"}},{"systemTool":{"name":"nova_grounding"}}],"toolChoice":{"tool":{"name":"f"}}}})";

}  // namespace

TEST_CASE("bedrock: paths say the operation, the model and whether to stream") {
  const auto known = [](std::string_view path, std::string_view method = "POST") { return test::bedrock().recognise(method, path, {}, {}); };
  const auto whole = known("/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse");
  REQUIRE(whole);
  CHECK(whole->operation == Operation::kChat);
  CHECK(whole->model == "anthropic.claude-3-haiku-20240307-v1:0");
  CHECK(whole->stream == false);
  CHECK(whole->framing == http::Framing::kSse);
  CHECK(whole->method_ok);
  const auto stream = known("/bedrock/model/us.amazon.nova-micro-v1:0/converse-stream");
  REQUIRE(stream);
  CHECK(stream->suffix == "/model/us.amazon.nova-micro-v1:0/converse-stream");
  CHECK(stream->model == "us.amazon.nova-micro-v1:0");
  CHECK(stream->stream == true);
  CHECK(stream->framing == http::Framing::kAwsEvents);
  CHECK(known("/model/m/count-tokens")->operation == Operation::kCountTokens);
  CHECK_FALSE(known("/model/m/converse", "GET")->method_ok);
  CHECK(known("/model/m/converse", "GET")->allow == "POST");
  for (const std::string_view other : {"/model/m/invoke", "/model//converse", "/model/converse", "/models/m/converse", "/model/m/converse/x", "/model/%zz/converse", "/converse", "/chat/completions"}) {
    INFO(other);
    CHECK_FALSE(known(other));
  }
}

TEST_CASE("bedrock: ARNs are taken with slashes or escaped, and sent escaped once") {  // DIAL-25
  const std::string arn = "arn:aws:bedrock:us-west-2:123456789012:inference-profile/us.anthropic.claude-sonnet-4-20250514-v1:0";
  const std::string escaped = "arn%3Aaws%3Abedrock%3Aus-west-2%3A123456789012%3Ainference-profile%2Fus.anthropic.claude-sonnet-4-20250514-v1%3A0";
  for (const std::string& spelled : {arn, escaped}) CHECK(test::bedrock().recognise("POST", "/model/" + spelled + "/converse", {}, {})->model == arn);
  CHECK(test::bedrock().target_of({.operation = Operation::kChat, .model = arn}) == "/model/" + escaped + "/converse");
  CHECK(test::bedrock().target_of({.operation = Operation::kChat, .model = arn, .streaming = true}) == "/model/" + escaped + "/converse-stream");
  CHECK(test::bedrock().target_of({.operation = Operation::kCountTokens, .model = "m", .streaming = true}) == "/model/m/count-tokens");
  CHECK(test::bedrock().target_of({.operation = Operation::kEmbeddings, .model = "m"}).empty());
  CHECK(test::bedrock().serves(Operation::kCountTokens));
  CHECK_FALSE(test::bedrock().serves(Operation::kEmbeddings));
}

TEST_CASE("bedrock: the register knows the dialect by its name and its paths") {
  dialect::Recognised found;
  CHECK(dialect::find_dialect("bedrock") == &test::bedrock());
  CHECK(dialect::recognise("POST", "/model/m/converse", {}, {}, found) == &test::bedrock());
  CHECK(dialect::recognise("POST", "/v1/chat/completions", {}, {}, found) == &test::openai());
}

TEST_CASE("bedrock: every text of a prompt is seen, with its role, escapes decoded") {
  const Seen seen(kBody);
  REQUIRE(seen.status);
  CHECK(texts(seen.view) == std::vector<std::string>{"s be!", "s guard", "u first", "a old", "u! look", "u! ctx", "u! plain", "u! found", "a hm", "a cited", "t result", "t in json"});
}

TEST_CASE("bedrock: tools offered, forced and called last are seen, and the bound on the answer") {
  const Seen seen(kBody);
  CHECK(seen.view.tools_offered == std::vector<std::string_view>{"f", "nova_grounding"});
  CHECK(seen.view.tool_forced == "f");
  CHECK(seen.view.tools_called == std::vector<std::string_view>{"f", "g"});
  CHECK(seen.view.max_output_tokens == 77u);
  const Seen unasked(kBody, Operation::kChat, chat::kWantNothing);
  CHECK(unasked.view.prompt.empty());
  CHECK(unasked.view.tools_offered.empty());
  CHECK(unasked.view.max_output_tokens == 77u);
}

TEST_CASE("bedrock: a request is measured in messages, parts, tools, characters and media") {
  const Seen seen(kBody);
  const RequestShape& shape = seen.view.shape;
  CHECK(shape.messages == 5);
  CHECK(shape.tools == 2);
  CHECK(shape.parts == 16);
  CHECK(shape.characters == 3 + 5 + 5 + 3 + 4 + 3 + 5 + 5 + 2 + 5 + 6 + std::string_view(R"({"k":["in json"]})").size());
  REQUIRE(shape.attachments.size() == 6);
  CHECK(shape.attachments[0].media_type == "image/png");
  CHECK(shape.attachments[0].bytes == 6);
  CHECK(shape.attachments[0].is_inline);
  CHECK(shape.attachments[1].media_type == "application/pdf");
  CHECK_FALSE(shape.attachments[1].is_inline);
  CHECK(shape.attachments[2].media_type == "text/plain");
  CHECK(shape.attachments[3].media_type == "video/mp4");
  CHECK(shape.attachments[4].media_type == "");  // a block nobody knows may be one
  CHECK(shape.attachments[4].bytes == std::string_view(R"({"x":1})").size());
  CHECK(shape.attachments[5].media_type == "image/gif");
  CHECK(shape.json_depth > 3);
}

TEST_CASE("bedrock: a request that counts tokens is seen through, and one in a model's own words is a medium") {
  const Seen seen(R"({"input":{"converse":{"messages":[{"role":"user","content":[{"text":"hi"}]}]}}})", Operation::kCountTokens);
  REQUIRE(seen.status);
  CHECK(texts(seen.view) == std::vector<std::string>{"u! hi"});
  const Seen own(R"({"input":{"invokeModel":{"body":"e30="}}})", Operation::kCountTokens);
  REQUIRE(own.status);
  CHECK(own.view.shape.attachments.size() == 1);
  CHECK_FALSE(Seen(R"({"input":{}})", Operation::kCountTokens).status);
}

TEST_CASE("bedrock: what policy reads must stand there once") {
  for (const std::string_view body : {R"({"messages":[],"messages":[]})", R"({"system":[],"system":[]})", R"({"inferenceConfig":{"maxTokens":1,"maxTokens":2}})",
                                      R"({"inferenceConfig":{},"inferenceConfig":{}})", R"({"messages":[{"role":"user","role":"user","content":[]}]})",
                                      R"({"messages":[{"role":"user","content":[],"content":[]}]})", R"({"messages":[{"role":"user","content":[{"text":"a","text":"b"}]}]})",
                                      R"({"messages":[{"role":"user","content":[{"te\u0078t":"a","text":"b"}]}]})", R"({"toolConfig":{"tools":[{"toolSpec":{"name":"a","name":"b"}}]}})",
                                      R"({"toolConfig":{"toolChoice":{"tool":{"name":"a"},"tool":{"name":"b"}}}})", R"({"toolConfig":{},"toolConfig":{}})",
                                      R"({"messages":[{"role":"user","content":[{"toolResult":{"content":[],"content":[]}}]}]})"}) {
    INFO(body);
    const Seen seen(body);
    REQUIRE_FALSE(seen.status);
    CHECK(seen.status.error().code == Code::kDuplicateKey);
  }
  CHECK(Seen(R"({"later":1,"later":2})").status);
}

TEST_CASE("bedrock: what policy reads must be of its type") {
  const auto param = [](std::string_view body) {
    const Seen seen(body);
    return seen.status ? std::string("accepted") : seen.status.error().param;
  };
  CHECK(param("[]") == "");
  CHECK(param(R"({"messages":{}})") == "messages");
  CHECK(param(R"({"inferenceConfig":{"maxTokens":-1}})") == "inferenceConfig.maxTokens");
  CHECK(param(R"({"inferenceConfig":{"maxTokens":1.5}})") == "inferenceConfig.maxTokens");
  CHECK(param(R"({"toolConfig":{"tools":{}}})") == "toolConfig.tools");
  CHECK(param(R"({"inferenceConfig":{"maxTokens":null}})") == "accepted");
  CHECK(param("{}") == "accepted");  // a prompt's ARN in the path brings its own messages
}

TEST_CASE("bedrock: two members in one block are both seen") {
  const Seen seen(R"({"messages":[{"role":"user","content":[{"cachePoint":{},"text":"hidden?"},{"image":{},"text":"and this"}]}]})");
  CHECK(texts(seen.view) == std::vector<std::string>{"u! hidden?", "u! and this"});
}

TEST_CASE("bedrock: the model is the path's, usage comes unasked: bodies stay as they are") {
  const auto document = test::parsed(kBody);
  chat::RequestView view;
  base::EditedBody body(document.body());
  CHECK(test::bedrock().set_model(body, document, view, "other"));
  CHECK(test::bedrock().ask_for_usage(body, document, view) == false);
  CHECK(body.to_string() == kBody);
  CHECK(test::bedrock().stream_ping(http::Framing::kAwsEvents).empty());
}
