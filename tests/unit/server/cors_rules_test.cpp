// Pages of other origins: which may call, and what their browsers are told.

#include <catch2/catch.hpp>

#include "server/cors_rules.hpp"

using namespace sluice;
using server::CorsRules;

namespace {

CorsRules rules(Cors options = {}) {
  if (options.allow_origins.empty()) options.allow_origins = {"https://app.example.com", "http://localhost:3000"};
  return CorsRules(options);
}

Headers preflight(std::string_view method, std::string_view fields = {}, std::string_view origin = "https://app.example.com") {
  Headers out;
  out.add_trusted("Origin", origin);
  if (!method.empty()) out.add_trusted("Access-Control-Request-Method", method);
  if (!fields.empty()) out.add_trusted("Access-Control-Request-Headers", fields);
  return out;
}

std::string told(const Headers& headers, std::string_view name) { return std::string(headers.get(name).value_or("(none)")); }

/// What an answer with `before` says to `origin` in the end.
Headers applied(const CorsRules& rules, std::string_view origin, Headers before) {
  rules.apply(origin, before);
  return before;
}

}  // namespace

TEST_CASE("a request without an origin is nobody's page") {  // SEC-34
  for (const char* method : {"GET", "POST", "OPTIONS"}) {
    const auto judged = rules().judge(method, {{"Access-Control-Request-Method", "POST"}});
    CHECK(judged.origin.empty());
    CHECK_FALSE(judged.refusal);
    CHECK_FALSE(judged.preflight);
  }
}

TEST_CASE("an origin is on the list letter by letter, or it is refused") {  // SEC-34
  CHECK(rules().judge("POST", {{"Origin", "http://localhost:3000"}}).origin == "http://localhost:3000");
  for (const char* other : {"https://evil.example", "https://app.example.com.evil.example", "http://app.example.com", "https://app.example.com:8443", "https://APP.example.com",
                            "https://app.example.com/", "null", "*", "", "https://app.example.com, https://evil.example"}) {
    for (const char* method : {"GET", "POST", "OPTIONS"}) {
      INFO(method << " from " << other);
      const auto judged = rules().judge(method, preflight("POST", {}, other));
      REQUIRE(judged.refusal);
      CHECK(judged.refusal->http_status == 403);
      CHECK(judged.origin.empty());
      CHECK_FALSE(judged.preflight);
    }
  }
}

TEST_CASE("a request of two origins is refused, even where any may call") {
  const auto judged = rules({.allow_origins = {"*"}}).judge("POST", {{"Origin", "https://app.example.com"}, {"origin", "https://app.example.com"}});
  REQUIRE(judged.refusal);
  CHECK(judged.refusal->http_status == 400);
}

TEST_CASE("a preflight without the method it is for is 400, with one off the list 405") {  // SEC-34
  const auto none = rules().judge("OPTIONS", preflight(""));
  REQUIRE(none.refusal);
  CHECK(none.refusal->http_status == 400);
  CHECK(none.origin == "https://app.example.com");
  for (const char* method : {"DELETE", "post", "POST, GET"}) {
    INFO(method);
    const auto off = rules().judge("OPTIONS", preflight(method));
    REQUIRE(off.refusal);
    CHECK(off.refusal->http_status == 405);
    CHECK(off.refusal->code == Code::kMethodNotAllowed);
    CHECK(off.refusal->param == "GET, POST");
    CHECK_FALSE(off.preflight);
  }
}

TEST_CASE("a preflight is answered with what the page may do") {  // SEC-34
  const auto judged = rules({.allow_headers = {"authorization", "x-tier"}, .allow_credentials = true, .max_age_seconds = 42})
                          .judge("OPTIONS", preflight("POST", "authorization,x-other"));
  REQUIRE(judged.preflight);
  const Headers& answer = *judged.preflight;
  CHECK(told(answer, "access-control-allow-origin") == "https://app.example.com");
  CHECK(told(answer, "access-control-allow-methods") == "GET, POST");
  CHECK(told(answer, "access-control-allow-headers") == "authorization, x-tier");
  CHECK(told(answer, "access-control-allow-credentials") == "true");
  CHECK(told(answer, "access-control-max-age") == "42");
  CHECK(told(answer, "vary") == "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
}

TEST_CASE("where no fields are listed a page may set those it asks for") {
  Headers asked = preflight("POST", "authorization ,,content-type");
  asked.add_trusted("access-control-request-headers", "x-tier");
  CHECK(told(*rules().judge("OPTIONS", asked).preflight, "access-control-allow-headers") == "authorization, content-type, x-tier");
  CHECK(told(*rules().judge("OPTIONS", preflight("POST")).preflight, "access-control-allow-headers") == "(none)");
  const auto garbage = rules().judge("OPTIONS", preflight("POST", "authorization, x<script>"));
  REQUIRE(garbage.refusal);
  CHECK(garbage.refusal->http_status == 400);
}

TEST_CASE("where any origin may call, answers say so and never name one") {
  const CorsRules any = rules({.allow_origins = {"*"}});
  CHECK(told(*any.judge("OPTIONS", preflight("POST", {}, "https://evil.example")).preflight, "access-control-allow-origin") == "*");
  CHECK(any.judge("POST", {{"Origin", "null"}}).origin == "null");
  CHECK(told(applied(any, "null", {}), "access-control-allow-origin") == "*");
}

TEST_CASE("an answer says what the listener's rules say, whatever an upstream has said") {  // SEC-34
  const CorsRules exposing = rules({.expose_headers = {"x-request-id", "retry-after"}});
  const Headers upstreams = {{"Access-Control-Allow-Origin", "*"},          {"access-control-allow-credentials", "true"},
                             {"Access-Control-Expose-Headers", "x-secret"}, {"Access-Control-Anything-New", "1"},
                             {"content-type", "text/plain"},                {"vary", "accept-encoding"}};
  const Headers page = applied(exposing, "https://app.example.com", upstreams);
  CHECK(page.count("access-control-allow-origin") == 1);
  CHECK(told(page, "access-control-allow-origin") == "https://app.example.com");
  CHECK(told(page, "access-control-expose-headers") == "x-request-id, retry-after");
  CHECK_FALSE(page.contains("access-control-allow-credentials"));
  CHECK_FALSE(page.contains("access-control-anything-new"));
  CHECK(told(page, "content-type") == "text/plain");
  CHECK(page.count("vary") == 2);

  const Headers nobody = applied(exposing, "", upstreams);
  CHECK(nobody.size() == 2);
  CHECK(told(nobody, "vary") == "accept-encoding");
}
