// The register of dialects.

#include <catch2/catch.hpp>

#include "dialect/dialect.hpp"

using namespace sluice;

TEST_CASE("dialects are found by name") {
  CHECK(dialect::find_dialect("openai") == &dialect::openai());
  CHECK(dialect::find_dialect("anthropic") == &dialect::anthropic());
  CHECK(dialect::find_dialect("OpenAI") == nullptr);
  CHECK(dialect::find_dialect("gemini") == &dialect::gemini());
  CHECK(dialect::dialect_names() == std::vector<std::string_view>{"anthropic", "bedrock", "cohere", "gemini", "ollama", "openai", "openai-responses", "jina", "voyage"});
}

TEST_CASE("a path is recognised by the dialect that knows it, or by none") {
  dialect::Recognised found;
  CHECK(dialect::recognise("POST", "/v1/embeddings", {}, {}, found) == &dialect::openai());
  CHECK(found.operation == chat::Operation::kEmbeddings);
  CHECK(dialect::recognise("POST", "/v1/responsesx", {}, {}, found) == nullptr);
}

TEST_CASE("models are listed in the dialect of whoever sends its header") {
  dialect::Recognised found;
  CHECK(dialect::recognise("GET", "/v1/models", {}, {}, found) == &dialect::openai());
  Headers headers;
  REQUIRE(headers.add("anthropic-version", "2026-10-21"));
  CHECK(dialect::recognise("GET", "/v1/models", {}, headers, found) == &dialect::anthropic());
  CHECK(found.operation == chat::Operation::kListModels);
  CHECK(dialect::recognise("GET", "/v1/models/claude%2Dx", {}, headers, found) == &dialect::anthropic());
  CHECK(found.model == "claude-x");
}
