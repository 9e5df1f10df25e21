// The rows of providers hold together.

#include <catch2/catch.hpp>

#include <set>

#include "dialect/providers.hpp"
#include "http/target.hpp"

using namespace sluice;

TEST_CASE("every provider has a dialect that exists and a base URL that parses") {
  std::set<std::string_view> names;
  for (const dialect::Provider& provider : dialect::providers()) {
    INFO(provider.name);
    CHECK(names.insert(provider.name).second);
    CHECK(dialect::find_dialect(provider.dialect) != nullptr);
    CHECK(dialect::find_provider(provider.name) == &provider);
    CHECK_FALSE(provider.label.empty());
    if (provider.url.empty()) {
      CHECK((provider.name == "openai-compatible" || provider.name == "vertex"));
      continue;
    }
    const auto url = http::parse_url(provider.url);
    REQUIRE(url);
    CHECK_FALSE(url->path.ends_with('/'));
    // Keys go over plain http to this machine alone.
    CHECK((url->tls || url->host == "127.0.0.1" || provider.auth == dialect::AuthStyle::kNone));
  }
  CHECK(dialect::find_provider("nobody") == nullptr);
}
