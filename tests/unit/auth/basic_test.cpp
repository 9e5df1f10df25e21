// HTTP Basic: a consumer's name and one of its keys.

#include <catch2/catch.hpp>

#include <string>

#include "auth/api_key.hpp"
#include "base/base64.hpp"

using namespace sluice;
using namespace sluice::auth;

namespace {

std::string basic(std::string_view pair) { return "Basic " + base::base64_encode(pair); }

Presented presented(const Headers& headers, std::string_view query = "") {
  auto result = presented_key(headers, query);
  REQUIRE(result);
  REQUIRE(*result);
  return std::move(**result);
}

bool ambiguous(const Headers& headers, std::string_view query = "") {
  const auto result = presented_key(headers, query);
  if (result) return false;
  CHECK(result.error().code == Code::kAmbiguousCredentials);
  CHECK(result.error().http_status == 400);
  CHECK(result.error().message.find("sk-") == std::string::npos);
  return true;
}

}  // namespace

TEST_CASE("Basic presents a user and a key, which may hold colons itself") {  // SEC-37
  for (const char* scheme : {"Basic ", "basic   ", "bASIC "}) {
    const Presented one = presented({{"Authorization", scheme + base::base64_encode("app:sk-1")}});
    CHECK(one.is_basic());
    CHECK(one.user() == "app");
    CHECK(one.key() == "sk-1");
  }
  const Presented colons = presented({{"Authorization", basic("app:sk:1:2")}});
  CHECK(colons.user() == "app");
  CHECK(colons.key() == "sk:1:2");
  const Presented nobody = presented({{"Authorization", basic(":sk-1")}});
  CHECK(nobody.user().empty());
  CHECK(nobody.key() == "sk-1");
}

TEST_CASE("a Basic that cannot be read presents a key that is nobody's") {  // SEC-37
  for (const std::string& value : {std::string("Basic sk-1"), std::string("Basic !!!!"), std::string("Basic YXBwOnNr LTE="), basic("app"), basic("app:"), std::string("Basic A")}) {
    INFO(value);
    const Presented one = presented({{"Authorization", value}});
    CHECK(one.is_basic());
    CHECK(one.key().empty());
  }
}

TEST_CASE("no other scheme and no other field has a user") {
  CHECK_FALSE(presented({{"Authorization", "Bearer sk-1"}}).is_basic());
  CHECK_FALSE(presented({{"x-api-key", basic("app:sk-1")}}).is_basic());
  CHECK(presented({{"x-api-key", "sk-1"}}).user().empty());
}

TEST_CASE("Basic and another key in one request are two keys, in either order") {  // SEC-37, SEC-23
  CHECK(ambiguous({{"Authorization", basic("app:sk-1")}, {"x-api-key", "sk-2"}}));
  CHECK(ambiguous({{"x-api-key", "sk-2"}, {"Authorization", basic("app:sk-1")}}));
  CHECK(ambiguous({{"Authorization", basic("app:sk-1")}, {"Authorization", "Bearer sk-2"}}));
  CHECK(ambiguous({{"Authorization", "Bearer sk-2"}, {"Authorization", basic("app:sk-1")}}));
  CHECK(ambiguous({{"Authorization", basic("app:sk-1")}}, "key=sk-2"));
  CHECK(ambiguous({{"Authorization", basic("app:sk-1")}, {"Authorization", basic("app:sk-2")}}));
  // One that cannot be read is none that would agree.
  CHECK(ambiguous({{"Authorization", "Basic !!!!"}, {"x-api-key", "sk-1"}}));
  CHECK(ambiguous({{"x-api-key", "sk-1"}, {"Authorization", "Basic !!!!"}}));
}

TEST_CASE("one key of two users is two keys") {  // SEC-37
  CHECK(ambiguous({{"Authorization", basic("app:sk-1")}, {"Authorization", basic("other:sk-1")}}));
}

TEST_CASE("the same key in Basic and elsewhere is one key, of the user that Basic names") {  // SEC-37
  for (const Headers& headers : {Headers{{"Authorization", basic("app:sk-1")}, {"x-api-key", "sk-1"}},
                                 Headers{{"x-api-key", "sk-1"}, {"Authorization", basic("app:sk-1")}},
                                 Headers{{"Authorization", basic("app:sk-1")}, {"Authorization", basic("app:sk-1")}}}) {
    const Presented one = presented(headers);
    CHECK(one.is_basic());
    CHECK(one.user() == "app");
    CHECK(one.key() == "sk-1");
  }
}
