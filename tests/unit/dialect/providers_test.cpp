// The rows of providers hold together.

#include <catch2/catch.hpp>

#include <set>

#include "dialect/providers.hpp"
#include "dialect/rest.hpp"
#include "http/target.hpp"

using namespace sluice;

TEST_CASE("every provider has a dialect that exists and a base URL that parses") {
  std::set<std::string_view> names;
  for (const dialect::Provider& provider : dialect::providers()) {
    INFO(provider.name);
    CHECK(names.insert(provider.name).second);
    CHECK((dialect::find_dialect(provider.dialect) != nullptr || provider.dialect == dialect::kRest));
    CHECK((provider.alternate.empty() || dialect::find_dialect(provider.alternate) != nullptr));
    CHECK(provider.alternate != provider.dialect);
    CHECK(dialect::find_provider(provider.name) == &provider);
    CHECK_FALSE(provider.label.empty());
    const std::string base = dialect::base_url(provider, "us-east-1");
    if (base.empty()) {  // whose servers stand under names of their customers
      CHECK(std::set<std::string_view>{"openai-compatible", "azure", "azure-anthropic", "azure-content-safety", "custom", "kserve", "vertex", "vertex-anthropic"}.contains(provider.name));
      continue;
    }
    const auto url = http::parse_url(base);
    REQUIRE(url);
    CHECK_FALSE(url->path.ends_with('/'));
    // Keys go over plain http to this machine alone.
    CHECK((url->tls || url->host == "127.0.0.1" || provider.auth == dialect::AuthStyle::kNone));
  }
  CHECK(dialect::find_provider("nobody") == nullptr);
}

TEST_CASE("providers that serve the Responses API beside chat say so") {
  for (const char* name : {"openai", "openrouter", "groq", "xai", "deepseek", "vllm", "ollama", "llamacpp"}) {
    INFO(name);
    CHECK(dialect::find_provider(name)->alternate == "openai-responses");
  }
  CHECK(dialect::find_provider("mistral")->alternate.empty());
}
