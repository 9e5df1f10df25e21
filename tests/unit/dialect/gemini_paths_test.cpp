// What paths, queries and methods mean to Gemini's clients, and where requests to its servers go.

#include <catch2/catch.hpp>

#include "dialect/dialect.hpp"
#include "dialect/gemini.hpp"
#include "dialect/providers.hpp"

using namespace sluice;
using chat::Operation;
using dialect::gemini;
using http::Framing;

namespace {

std::optional<dialect::Recognised> recognised(std::string_view method, std::string_view path, std::string_view query = {}, const Headers& headers = {}) {
  return gemini().recognise(method, path, query, headers);
}

}  // namespace

TEST_CASE("a path names model and method, whatever the base") {
  struct Row {
    std::string path;
    Operation operation;
    bool stream;
    std::string model, suffix;
  };
  const auto row = GENERATE(values<Row>({
      {"/v1beta/models/gemini-2.5-pro:generateContent", Operation::kChat, false, "gemini-2.5-pro", "/models/gemini-2.5-pro:generateContent"},
      {"/models/m:streamGenerateContent", Operation::kChat, true, "m", "/models/m:streamGenerateContent"},
      {"/v1/projects/p/locations/global/publishers/google/models/m:generateContent", Operation::kChat, false, "m", "/models/m:generateContent"},
      {"/v1beta/models/m:countTokens", Operation::kCountTokens, false, "m", "/models/m:countTokens"},
      {"/v1beta/models/m:embedContent", Operation::kEmbeddings, false, "m", "/models/m:embedContent"},
      {"/v1beta/models/m:batchEmbedContents", Operation::kEmbeddings, false, "m", "/models/m:batchEmbedContents"},
      {"/v1beta/models/a%2Fb:c:generateContent", Operation::kChat, false, "a/b:c", "/models/a%2Fb:c:generateContent"},
      {"/v1beta/models/org/x:generateContent", Operation::kChat, false, "org/x", "/models/org/x:generateContent"},
      {"/v1beta/tunedModels/mine:generateContent", Operation::kChat, false, "tunedModels/mine", "/tunedModels/mine:generateContent"},
  }));
  const auto found = recognised("POST", row.path);
  REQUIRE(found);
  CHECK(found->operation == row.operation);
  CHECK(found->stream == row.stream);
  CHECK(found->model == row.model);
  CHECK(found->suffix == row.suffix);
  CHECK(found->method_ok);
}

TEST_CASE("a stream is server-sent events with alt=sse in the query, else one JSON array") {
  const auto [query, framing] = GENERATE(table<std::string, Framing>({
      {"alt=sse", Framing::kSse},
      {"key=abc&alt=sse", Framing::kSse},
      {"%24alt=sse", Framing::kSse},
      {"alt=ss%65", Framing::kSse},
      {"$alt=json%3Benum-encoding%3Dint", Framing::kJsonArray},
      {"alt=json", Framing::kJsonArray},
      {"xalt=sse", Framing::kJsonArray},
      {"", Framing::kJsonArray},
  }));
  INFO(query);
  CHECK(recognised("POST", "/v1beta/models/m:streamGenerateContent", query)->framing == framing);
}

TEST_CASE("paths of other APIs are nobody's here") {
  CHECK_FALSE(recognised("POST", "/v1/projects/p/locations/l/publishers/anthropic/models/claude:rawPredict"));
  CHECK_FALSE(recognised("POST", "/v1beta/models/m:generateContentx"));
  CHECK_FALSE(recognised("POST", "/v1beta/models/:generateContent"));
  CHECK_FALSE(recognised("POST", "/v1beta/models/x/:generateContent"));
  CHECK_FALSE(recognised("POST", "/v1beta/models/m:generateContent/x"));
  CHECK_FALSE(recognised("POST", "/v1beta/models/%zz:generateContent"));
  CHECK_FALSE(recognised("POST", "/v1beta/xmodels/m:generateContent"));
  CHECK_FALSE(recognised("POST", "/v1/chat/completions"));
  CHECK_FALSE(recognised("GET", ""));
}

// ROUTE-06
TEST_CASE("a wrong method on a gemini path names the right one") {
  const auto found = recognised("GET", "/v1beta/models/m:generateContent");
  REQUIRE(found);
  CHECK_FALSE(found->method_ok);
  CHECK(found->allow == "POST");
}

TEST_CASE("models are listed for clients that say by version, header or key that they speak gemini") {
  CHECK(recognised("GET", "/v1beta/models")->operation == Operation::kListModels);
  const auto one = recognised("GET", "/v1beta/models/gemini-2.5-pro");
  REQUIRE(one);
  CHECK(one->operation == Operation::kGetModel);
  CHECK(one->model == "gemini-2.5-pro");
  CHECK_FALSE(recognised("GET", "/v1/models"));
  CHECK(recognised("GET", "/v1/models", "pageSize=3&key=k"));
  Headers headers;
  REQUIRE(headers.add("x-goog-api-key", "k"));
  CHECK(recognised("GET", "/v1/models", {}, headers));
  dialect::Recognised found;
  CHECK(dialect::recognise("GET", "/v1beta/models", {}, {}, found) == &gemini());
  CHECK(dialect::recognise("GET", "/v1/models", {}, {}, found) == &dialect::openai());
  CHECK(dialect::recognise("GET", "/v1beta/models/m", {}, {}, found) == &gemini());
  CHECK(dialect::recognise("POST", "/v1beta/models/m:generateContent", {}, {}, found) == &gemini());
  CHECK(dialect::recognise("POST", "/v1beta/openai/chat/completions", {}, {}, found) == &dialect::openai());
}

TEST_CASE("requests go to the model's path, its name escaped but for slashes") {
  const auto target = [](std::string_view model, Operation operation = Operation::kChat, bool streaming = false, std::uint32_t quirks = 0) {
    return gemini().target_of({.operation = operation, .model = model, .streaming = streaming, .quirks = quirks});
  };
  CHECK(target("gemini-2.5-pro") == "/models/gemini-2.5-pro:generateContent");
  CHECK(target("gemini-2.5-pro", Operation::kChat, true) == "/models/gemini-2.5-pro:streamGenerateContent?alt=sse");
  CHECK(target("models/x") == "/models/x:generateContent");
  CHECK(target("tunedModels/x") == "/tunedModels/x:generateContent");
  CHECK(target("tuned/x") == "/models/tuned/x:generateContent");
  CHECK(target("a b?c:d") == "/models/a%20b%3Fc%3Ad:generateContent");
  CHECK(target("m", Operation::kCountTokens) == "/models/m:countTokens");
  CHECK(target("m", Operation::kEmbeddings) == "/models/m:batchEmbedContents");
  CHECK(target("m", Operation::kEmbeddings, false, dialect::kEmbedsByPredict) == "/models/m:predict");
  CHECK(target("m", Operation::kGetModel) == "/models/m");
  CHECK(target("", Operation::kListModels) == "/models");
  CHECK_FALSE(gemini().serves(Operation::kModerations));
  CHECK(gemini().serves(Operation::kCountTokens));
}

TEST_CASE("a request's target is recognised as what it was sent for") {
  for (const std::string model : {"gemini-2.5-pro", "tunedModels/x", "org/a b:c"}) {
    const std::string target = gemini().target_of({.operation = Operation::kChat, .model = model, .streaming = true});
    const std::size_t query = target.find('?');
    const auto found = recognised("POST", target.substr(0, query), target.substr(query + 1));
    REQUIRE(found);
    CHECK(found->model == model);
    CHECK(found->framing == Framing::kSse);
  }
}

TEST_CASE("the providers of the dialect say how they are asked") {
  const auto* hosted = dialect::find_provider("gemini");
  REQUIRE(hosted != nullptr);
  CHECK(hosted->auth == dialect::AuthStyle::kGoogApiKeyHeader);
  CHECK(dialect::find_dialect(hosted->dialect) == &gemini());
  const auto* vertex = dialect::find_provider("vertex");
  REQUIRE(vertex != nullptr);
  CHECK(vertex->auth == dialect::AuthStyle::kBearer);
  CHECK(vertex->url.empty());
}
