// The register of dialects.

#include <catch2/catch.hpp>

#include "dialect/dialect.hpp"

using namespace sluice;

TEST_CASE("dialects are found by name") {
  CHECK(dialect::find_dialect("openai") == &dialect::openai());
  CHECK(dialect::find_dialect("OpenAI") == nullptr);
  CHECK(dialect::dialect_names() == std::vector<std::string_view>{"openai", "bedrock"});
}

TEST_CASE("a path is recognised by the dialect that knows it, or by none") {
  dialect::Recognised found;
  CHECK(dialect::recognise("POST", "/v1/embeddings", {}, found) == &dialect::openai());
  CHECK(found.operation == chat::Operation::kEmbeddings);
  CHECK(dialect::recognise("POST", "/v1/responsesx", {}, found) == nullptr);
}
