// Tokens asked of OAuth 2.0 endpoints, and service accounts' statements.

#include "auth/oauth.hpp"

#include <catch2/catch.hpp>

#include <string>

#include "auth/endpoint_words.hpp"
#include "http/target.hpp"

using namespace sluice;
using namespace sluice::auth;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

std::string why(int status, std::string_view body) {
  const auto answer = oauth::read_answer(status, body);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == Code::kUpstreamCredential);
  return answer.error().message;
}

}  // namespace

TEST_CASE("a client asks for a token with every character of its secret escaped") {
  CHECK(oauth::client_credentials("app id", "a+b/c=&~d", "https://x.example/.default") ==
        "grant_type=client_credentials&client_id=app%20id&client_secret=a%2Bb%2Fc%3D%26~d&scope=https%3A%2F%2Fx.example%2F.default");
  CHECK(oauth::jwt_bearer("a.b-c_d.e") == "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=a.b-c_d.e");
}

TEST_CASE("a granted token is good for as long as is said") {
  const auto granted = oauth::read_answer(200, R"({"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":"eyJ0.x.y"})");
  REQUIRE(granted);
  CHECK(granted->token == "eyJ0.x.y");
  CHECK(granted->lifetime == 3599s);
  CHECK(oauth::read_answer(200, R"({"token_type":"bearer","expires_in":"60","access_token":"t"})")->lifetime == 60s);
  CHECK(oauth::read_answer(200, R"({"token_type":"Bearer","expires_in":59.9,"access_token":"t"})")->lifetime == 59s);
  CHECK(oauth::read_answer(200, R"({"token_type":"Bearer","expires_in":1e300,"access_token":"t"})")->lifetime == 24h);
  CHECK(oauth::read_answer(200, R"({"token_type":"Bearer","access_token":"t"})")->lifetime == oauth::kUnsaidLifetime);
}

TEST_CASE("what is no token is refused, in words that hold none") {
  CHECK(why(200, "") == "answered 200 with what is no JSON object");
  CHECK(why(200, "[]") == "answered 200 with what is no JSON object");
  CHECK(why(200, "<html>") == "answered 200 with what is no JSON object");
  CHECK(why(200, "{}") == "answered without an \"access_token\"");
  CHECK(why(200, R"({"error":"interaction_required"})") == "answered without an \"access_token\": interaction_required");
  CHECK(why(200, R"({"token_type":"Bearer","access_token":7})") == "answered without an \"access_token\"");
  CHECK(why(200, R"({"token_type":"Bearer","access_token":"sesame","access_token":"open"})") == "states its \"access_token\" twice");
  CHECK(why(200, R"({"token_type":"mac","access_token":"sesame"})") == "granted a token that is no bearer token: its type is 'mac'");
  CHECK(why(200, R"({"access_token":"sesame"})") == "granted a token that is no bearer token: its type is ''");
  CHECK(why(200, R"({"token_type":"Bearer","access_token":"ses\r\name"})") == "granted a token with a control character, which no header may hold");
  CHECK(why(200, R"({"token_type":"Bearer","access_token":"sesame","expires_in":0})") == "granted a token that has expired already");
  CHECK(why(200, R"({"token_type":"Bearer","access_token":"sesame","expires_in":-1e300})") == "granted a token that has expired already");
  for (const char* no_number : {"\"soon\"", "\"60 s\"", "\"\"", "true", "[60]", "{}"}) {
    CHECK(why(200, R"({"token_type":"Bearer","access_token":"sesame","expires_in":)" + std::string(no_number) + "}") ==
          "states \"expires_in\", but not as a number of seconds");
  }
}

TEST_CASE("an endpoint's refusal is told in its own words, bounded") {
  CHECK(why(401, R"({"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret\r\nprovided.","error_codes":[7000215]})") ==
        "answered 401: invalid_client: AADSTS7000215: Invalid client secret provided.");
  CHECK(why(400, R"({"error":"invalid_grant"})") == "answered 400: invalid_grant");
  CHECK(why(403, R"({"error":{"code":403,"message":"API off","status":"PERMISSION_DENIED"}})") == "answered 403: PERMISSION_DENIED: API off");
  CHECK(why(500, "<html>no</html>") == "answered 500");
  CHECK(why(302, "") == "answered 302");
  const std::string long_one = why(400, R"({"error":"x","error_description":")" + std::string(5000, 'y') + "\"}");
  CHECK(long_one.size() < 230);
  CHECK(long_one.ends_with("y..."));
}

TEST_CASE("words of an endpoint are one line of ASCII, never longer than their bound") {
  CHECK(endpoint_words("") == "");
  CHECK(endpoint_words(" \r\n a\t\tb\x7f""c \n") == "a b c");
  CHECK(endpoint_words("K\xc3\xb6ln") == "K??ln");
  for (std::size_t n = 150; n < 260; ++n) CHECK(endpoint_words(std::string(n, 'a')).size() <= 200);
  CHECK(endpoint_words(std::string(5000, 'a')).size() > 190);
}
