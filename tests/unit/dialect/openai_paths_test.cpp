// What paths and methods mean to OpenAI's clients.

#include <catch2/catch.hpp>

#include "dialect/dialect.hpp"
#include "dialect/openai.hpp"

using namespace sluice;
using chat::Operation;

namespace {

std::optional<dialect::Recognised> recognised(std::string_view method, std::string_view path) {
  return dialect::openai().recognise(method, path, {}, {});
}

}  // namespace

TEST_CASE("operations are known by the end of the path, whatever the base") {
  const auto [path, operation, suffix] = GENERATE(table<std::string, Operation, std::string>({
      {"/v1/chat/completions", Operation::kChat, "/chat/completions"},
      {"/chat/completions", Operation::kChat, "/chat/completions"},
      {"/openai/v1/chat/completions", Operation::kChat, "/chat/completions"},
      {"/models/gpt2/v1/chat/completions", Operation::kChat, "/chat/completions"},
      {"/v1/completions", Operation::kCompletions, "/completions"},
      {"/v1/embeddings", Operation::kEmbeddings, "/embeddings"},
      {"/v1/moderations", Operation::kModerations, "/moderations"},
  }));
  const auto found = recognised("POST", path);
  REQUIRE(found);
  CHECK(found->operation == operation);
  CHECK(found->suffix == suffix);
  CHECK(found->method_ok);
}

TEST_CASE("suffixes begin on a segment boundary") {
  CHECK_FALSE(recognised("POST", "/v1/xembeddings"));
  CHECK_FALSE(recognised("POST", "/v1/embeddingsx"));
  CHECK_FALSE(recognised("POST", "/v1/embeddings/"));
  CHECK_FALSE(recognised("GET", "/"));
  CHECK_FALSE(recognised("GET", ""));
  // Ends in /completions, but not in /chat/completions.
  CHECK(recognised("POST", "/v1/xchat/completions")->operation == Operation::kCompletions);
}

// ROUTE-06
TEST_CASE("a wrong method on a known path names the right one") {
  const auto chat = recognised("GET", "/v1/chat/completions");
  REQUIRE(chat);
  CHECK_FALSE(chat->method_ok);
  CHECK(chat->allow == "POST");
  const auto models = recognised("DELETE", "/v1/models/ft-1");
  REQUIRE(models);
  CHECK_FALSE(models->method_ok);
  CHECK(models->allow == "GET");
}

TEST_CASE("models are listed, and named with slashes plain or encoded") {
  CHECK(recognised("GET", "/v1/models")->operation == Operation::kListModels);
  CHECK_FALSE(recognised("GET", "/v1/models/"));
  const auto [path, model] = GENERATE(table<std::string, std::string>({
      {"/v1/models/gpt-4o", "gpt-4o"},
      {"/v1/models/meta-llama%2FLlama-3", "meta-llama/Llama-3"},
      {"/v1/models/accounts/fireworks/models/llama", "accounts/fireworks/models/llama"},
      {"/v1/models/ft:gpt-4o:acme", "ft:gpt-4o:acme"},
  }));
  const auto found = recognised("GET", path);
  REQUIRE(found);
  CHECK(found->operation == Operation::kGetModel);
  CHECK(found->model == model);
  CHECK(found->method_ok);
  CHECK(found->suffix.starts_with("/models/"));
}

TEST_CASE("methods of other APIs are not taken for wrong methods of this one") {
  CHECK_FALSE(recognised("POST", "/v1beta/models/gemini-2.5-pro:generateContent"));
  CHECK_FALSE(recognised("POST", "/v1beta/models/:generateContent"));
}

TEST_CASE("an operation says where its requests go") {
  using dialect::openai_parts::suffix_of;
  CHECK(suffix_of(Operation::kChat, "") == "/chat/completions");
  CHECK(suffix_of(Operation::kGetModel, "a/b") == "/models/a%2Fb");
  CHECK(suffix_of(Operation::kOpaque, "").empty());
}
