// Requests of the Anthropic dialect as routing sees them: recognised, inspected, measured, spliced.

#include <catch2/catch.hpp>

#include "dialect/anthropic.hpp"
#include "dialect/anthropic_models.hpp"
#include "dialect/providers.hpp"
#include "unit/dialect/wire.hpp"

using namespace sluice;
using chat::Operation;
using chat::Role;
using dialect::anthropic;
using test::parsed;

namespace {

std::optional<dialect::Recognised> recognised(std::string_view method, std::string_view path, bool header = true) {
  Headers headers;
  if (header) REQUIRE(headers.add("Anthropic-Version", "2023-06-01"));
  return anthropic().recognise(method, path, {}, headers);
}

/// A request as inspect() sees it. Not movable: the view points into the document.
struct Seen {
  explicit Seen(std::string_view body) : document(parsed(body)), status(anthropic().inspect(document, Operation::kChat, chat::kWantPrompt | chat::kWantTools | chat::kWantShape, view)) {}
  Seen(const Seen&) = delete;
  Seen& operator=(const Seen&) = delete;

  json::Document document;
  chat::RequestView view;
  Status status;
};

constexpr std::string_view kFull = R"({"model":"m","max_tokens":7,"stream":true,"system":[{"type":"text","text":"sys"}],"messages":[
  {"role":"user","content":"fir\u0073t"},
  {"role":"assistant","content":[{"type":"text","text":"said"},{"type":"tool_use","id":"t","name":"f","input":{}},{"type":"server_tool_use","id":"s","name":"w","input":{}}]},
  {"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"found"}]},{"type":"text","text":"last"},
    {"type":"document","title":"title","source":{"type":"text","media_type":"text/plain","data":"doc"}}]},
  {"role":"assistant","content":[{"type":"tool_use","id":"u","name":"g","input":{}}]},
  {"role":"user","content":[{"type":"tool_result","tool_use_id":"u","content":"end"}]}],
  "tools":[{"name":"f","input_schema":{}},{"type":"web_search_20250305","name":"w"},{"type":"unnamed"}],"tool_choice":{"type":"tool","name":"f"}})";

}  // namespace

TEST_CASE("paths of the dialect are known by their end, and models by a header") {
  CHECK(recognised("POST", "/v1/messages", false)->operation == Operation::kChat);
  CHECK(recognised("POST", "/anthropic/v1/messages", false)->suffix == "/messages");
  CHECK(recognised("POST", "/v1/messages/count_tokens", false)->operation == Operation::kCountTokens);
  CHECK(recognised("GET", "/v1/models")->operation == Operation::kListModels);
  CHECK(recognised("GET", "/v1/models/a%2Fb")->model == "a/b");
  CHECK_FALSE(recognised("GET", "/v1/messages", false)->method_ok);
  CHECK(recognised("GET", "/v1/messages", false)->allow == "POST");
  CHECK_FALSE(recognised("DELETE", "/v1/models/x")->method_ok);
  CHECK_FALSE(recognised("GET", "/v1/models", false));
  CHECK_FALSE(recognised("GET", "/v1/models/x", false));
  for (const std::string_view path : {"/v1/messages/batches", "/v1/messagesx", "/v1/xmessages", "/v1/chat/completions", "/v1/models/"}) CHECK_FALSE(recognised("POST", path));
}

TEST_CASE("operations have their targets, and a version goes along where none is named") {
  CHECK(anthropic().target_of({.operation = Operation::kChat}) == "/messages");
  CHECK(anthropic().target_of({.operation = Operation::kCountTokens}) == "/messages/count_tokens");
  CHECK(anthropic().target_of({.operation = Operation::kGetModel, .model = "a/b"}) == "/models/a%2Fb");
  CHECK(anthropic().serves(Operation::kGetModel));
  CHECK_FALSE(anthropic().serves(Operation::kEmbeddings));
  Headers headers;
  anthropic().add_headers({}, headers);
  CHECK(headers.get("anthropic-version") == "2023-06-01");
  Headers own;
  REQUIRE(own.add("Anthropic-Version", "2026-10-21"));
  anthropic().add_headers({}, own);
  CHECK(own.count("anthropic-version") == 1);
  CHECK(own.get("anthropic-version") == "2026-10-21");
}

TEST_CASE("a request is seen with its texts, whose they are, and its tools") {
  const Seen seen(kFull);
  REQUIRE(seen.status);
  const chat::RequestView& view = seen.view;
  CHECK(view.model == "m");
  CHECK(view.stream);
  CHECK(view.usage_in_stream);
  CHECK(view.max_output_tokens == 7u);
  std::vector<std::pair<Role, std::string>> texts;
  std::vector<std::string> last;
  for (const chat::PromptText& text : view.prompt) {
    texts.emplace_back(text.role, text.text);
    if (text.last_user) last.emplace_back(text.text);
  }
  CHECK(texts == std::vector<std::pair<Role, std::string>>{{Role::kSystem, "sys"}, {Role::kUser, "first"}, {Role::kAssistant, "said"}, {Role::kTool, "found"},
                                                           {Role::kUser, "last"}, {Role::kUser, "title"}, {Role::kUser, "doc"}, {Role::kTool, "end"}});
  CHECK(last == std::vector<std::string>{"last", "title", "doc"});
  CHECK(view.tools_offered == std::vector<std::string_view>{"f", "w", "unnamed"});
  CHECK(view.tool_forced == "f");
  CHECK(view.tools_called == std::vector<std::string_view>{"g"});
}

TEST_CASE("a request is measured in messages, parts, characters and attachments") {
  const Seen seen(kFull);
  REQUIRE(seen.status);
  CHECK(seen.view.shape.messages == 5);
  CHECK(seen.view.shape.parts == 9);
  CHECK(seen.view.shape.tools == 3);
  CHECK(seen.view.shape.characters == 3 + 5 + 4 + 5 + 4 + 3 + 3);
  CHECK(seen.view.shape.attachments.empty());

  const Seen media(R"({"messages":[{"role":"user","content":[
    {"type":"image","source":{"type":"base64","media_type":"IMAGE/png","data":"AAAA"}},{"type":"image","source":{"type":"url","url":"https://x"}},
    {"type":"document","source":{"type":"file","file_id":"f"}},{"type":"container_upload","file_id":"f"},
    {"type":"tool_result","tool_use_id":"t","content":[{"type":"image","source":{"type":"base64","media_type":"image/gif","data":"AAAAAAAA"}}]}]}]})");
  REQUIRE(media.status);
  const auto& attachments = media.view.shape.attachments;
  REQUIRE(attachments.size() == 5);
  CHECK(attachments[0].media_type == "image/png");
  CHECK(attachments[0].bytes == 3);
  CHECK(attachments[0].is_inline);
  CHECK(attachments[1].media_type == "image/*");
  CHECK_FALSE(attachments[1].is_inline);
  CHECK_FALSE(attachments[2].is_inline);
  // Nobody knows what it holds: all of it.
  CHECK(attachments[3].is_inline);
  CHECK(attachments[3].bytes > 20);
  CHECK(attachments[4].media_type == "image/gif");
  CHECK(attachments[4].bytes == 6);
}

TEST_CASE("what policy reads may stand there once, of its type and in its range") {
  struct Row {
    std::string members;
    Code code;
    std::string param;
  };
  const auto row = GENERATE(values<Row>({
      {R"("model":"a","mod\u0065l":"b","messages":[])", Code::kDuplicateKey, "model"},
      {R"("model":"a","Model":"b","messages":[])", Code::kInvalidModel, "model"},
      {R"("model":"a\n","messages":[])", Code::kInvalidModel, "model"},
      {R"("model":1,"messages":[])", Code::kInvalidModel, "model"},
      {R"("messages":[],"messages":[])", Code::kDuplicateKey, "messages"},
      {R"("messages":[],"system":"a","system":"b")", Code::kDuplicateKey, "system"},
      {R"("messages":[],"stream":true,"stream":false)", Code::kDuplicateKey, "stream"},
      {R"("messages":[{"role":"user","content":"a","content":"b"}])", Code::kDuplicateKey, "content"},
      {R"("messages":[{"role":"user","content":[{"type":"text","text":"a","text":"b"}]}])", Code::kDuplicateKey, "text"},
      {R"("messages":[],"tools":[{"name":"a","name":"b"}])", Code::kDuplicateKey, "name"},
      {R"("messages":{})", Code::kInvalidParameter, "messages"},
      {R"("model":"m")", Code::kInvalidParameter, "messages"},
      {R"("messages":[],"stream":1)", Code::kInvalidParameter, "stream"},
      {R"("messages":[],"max_tokens":-1)", Code::kInvalidParameter, "max_tokens"},
      {R"("messages":[],"system":1)", Code::kInvalidParameter, "system"},
      {R"("messages":[],"tools":{})", Code::kInvalidParameter, "tools"},
  }));
  const Seen seen("{" + row.members + "}");
  INFO(row.members);
  REQUIRE_FALSE(seen.status);
  CHECK(seen.status.error().code == row.code);
  CHECK(seen.status.error().param == row.param);
}

// DIAL-02
TEST_CASE("the model is spliced and every other byte stays; usage need not be asked for") {
  const Seen seen(R"({ "model" : "m", "stream":true, "messages":[] })");
  REQUIRE(seen.status);
  base::EditedBody body(seen.document.body());
  REQUIRE(anthropic().set_model(body, seen.document, seen.view, "n"));
  CHECK(body.to_string() == R"({ "model" : "n", "stream":true, "messages":[] })");
  CHECK_FALSE(*anthropic().ask_for_usage(body, seen.document, seen.view));
  const Seen none(R"({"messages":[]})");
  base::EditedBody without(none.document.body());
  REQUIRE(anthropic().set_model(without, none.document, none.view, "n"));
  CHECK(test::canonical(without.to_string()) == test::canonical(R"({"model":"n","messages":[]})"));
  chat::RequestView list;
  list.operation = Operation::kListModels;
  CHECK(anthropic().set_model(without, none.document, list, "n").error().code == Code::kInvalidModel);
}

TEST_CASE("a body that passes as it is is made fit for hosts that have the model in the path") {
  const auto document = parsed(R"({"model":"m","stream":true,"messages":[ ]})");
  const auto fitted = [&document](std::uint32_t quirks) {
    base::EditedBody body(document.body());
    REQUIRE(dialect::anthropic_parts::fit_to_host(body, document, quirks));
    return body.to_string();
  };
  CHECK(fitted(dialect::kNoQuirk) == document.body().view());
  CHECK(fitted(dialect::kBodyForVertex) == R"({"anthropic_version":"vertex-2023-10-16","stream":true,"messages":[ ]})");
  base::EditedBody own(document.body());
  CHECK(dialect::fit_to_host(own, document, anthropic(), dialect::kNoQuirk) == false);
  CHECK(dialect::fit_to_host(own, document, dialect::openai(), dialect::kBodyForVertex) == false);
  CHECK_FALSE(own.edited());
  CHECK(dialect::fit_to_host(own, document, anthropic(), dialect::kBodyForVertex) == true);
  CHECK(own.to_string() == fitted(dialect::kBodyForVertex));
  CHECK(fitted(dialect::kBodyForBedrock) == R"({"anthropic_version":"bedrock-2023-05-31","messages":[ ]})");
}

TEST_CASE("Vertex has the model in the path, its version behind an @, and chat alone") {
  const auto target = [](std::string_view model, bool streaming, Operation operation = Operation::kChat) {
    return anthropic().target_of({.operation = operation, .model = model, .streaming = streaming, .quirks = dialect::kBodyForVertex});
  };
  CHECK(target("claude-sonnet-4@20250514", false) == "/models/claude-sonnet-4@20250514:rawPredict");
  CHECK(target("claude-sonnet-4@20250514", true) == "/models/claude-sonnet-4@20250514:streamRawPredict");
  CHECK(target("a/../b?c%40", false) == "/models/a%2F..%2Fb%3Fc%2540:rawPredict");
  for (const Operation operation : {Operation::kCountTokens, Operation::kListModels, Operation::kGetModel}) CHECK(target("m", false, operation).empty());
}

TEST_CASE("what a model can be asked for is read off its name") {
  using dialect::anthropic_parts::ModelTraits;
  using dialect::anthropic_parts::traits_of;
  const ModelTraits old{false, false, true, false, false}, thinker{true, false, true, false, false};
  CHECK(traits_of("claude-3-5-sonnet-20241022") == old);
  CHECK(traits_of("claude-2.1") == old);
  CHECK(traits_of("us.anthropic.claude-3-7-sonnet-20250219-v1:0") == thinker);
  CHECK(traits_of("claude-sonnet-4-20250514") == thinker);
  CHECK(traits_of("claude-opus-4-1@20250805") == thinker);
  CHECK(traits_of("anthropic/claude-haiku-4.5") == ModelTraits{true, false, true, false, true});
  CHECK(traits_of("claude-sonnet-4-6") == ModelTraits{true, true, true, false, true});
  CHECK(traits_of("claude-opus-4-7") == ModelTraits{true, true, false, true, true});
  CHECK(traits_of("claude-fable-5") == ModelTraits{true, true, false, true, true});
  CHECK(traits_of("my-own-name") == ModelTraits{});
}

TEST_CASE("Anthropic's own servers and those on Azure take the key in a header of their own") {
  for (const std::string_view name : {"anthropic", "azure-anthropic"}) {
    const dialect::Provider* provider = dialect::find_provider(name);
    REQUIRE(provider);
    CHECK(provider->dialect == "anthropic");
    CHECK(provider->auth == dialect::AuthStyle::kXApiKeyHeader);
  }
  CHECK(dialect::find_provider("anthropic")->request_id_header == "request-id");
}
