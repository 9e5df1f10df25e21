// Roles assumed: the form that is signed, and the XML that comes back.

#include "auth/sts.hpp"

#include <catch2/catch.hpp>

#include <string>

#include "auth/sigv4.hpp"

using namespace sluice;
using namespace sluice::auth;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

const std::string kAnswer = R"(<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleResult>
    <SourceIdentity>x</SourceIdentity>
    <AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/gateway/sluice</Arn><AssumedRoleId>AROA:sluice</AssumedRoleId></AssumedRoleUser>
    <Credentials>
      <AccessKeyId>ASIAIOSFODNN7EXAMPLE</AccessKeyId>
      <SecretAccessKey>wJalrXUtnFEMI/K7MDENG/bPxRfiCY&amp;EKEY</SecretAccessKey>
      <SessionToken>AQoDYXdzEPT//////////wEXAMPLE+tc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQW==</SessionToken>
      <Expiration>2026-11-26T19:00:00Z</Expiration>
    </Credentials>
    <PackedPolicySize>6</PackedPolicySize>
  </AssumeRoleResult>
  <ResponseMetadata><RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId></ResponseMetadata>
</AssumeRoleResponse>
)";

std::string why(int status, std::string_view body) {
  const auto answer = sts::read_answer(status, body);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == Code::kUpstreamCredential);
  CHECK_THAT(answer.error().message, !Contains("wJalr") && !Contains("AQoDY"));
  return answer.error().message;
}

std::string without(std::string_view element) {
  std::string out = kAnswer;
  const std::size_t at = out.find('<' + std::string(element) + '>'), end = out.find("</" + std::string(element) + '>');
  return out.erase(at, end - at);
}

std::string with(std::string_view element, std::string_view text) {
  std::string out = kAnswer;
  const std::size_t at = out.find('<' + std::string(element) + '>') + element.size() + 2;
  return out.replace(at, out.find('<', at) - at, text);
}

}  // namespace

// The signature was computed from the documented algorithm by a program of another language.
TEST_CASE("a role is asked for by a form, signed for the service sts") {
  const std::string form = sts::form({.role_arn = "arn:aws:iam::123456789012:role/gateway", .session_name = "sluice", .external_id = "tenant 7/a", .duration = 900s});
  CHECK(form ==
        "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fgateway&RoleSessionName=sluice&DurationSeconds=900&"
        "ExternalId=tenant%207%2Fa");
  CHECK(sts::form({.role_arn = "r", .session_name = "s"}) == "Action=AssumeRole&Version=2011-06-15&RoleArn=r&RoleSessionName=s&DurationSeconds=3600");
  const sigv4::Signer signer("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "", "eu-west-1", "sts");
  Headers headers{{"Host", "sts.eu-west-1.amazonaws.com"}, {"Content-Type", std::string(sts::kFormType)}};
  const std::string payload = sigv4::hex_sha256(form);
  REQUIRE(signer.sign({.method = "POST", .path = "/", .payload = payload}, sigv4::parse_amz_date("20261126T180000Z").value(), headers));
  CHECK(headers.get("authorization").value() ==
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261126/eu-west-1/sts/aws4_request, SignedHeaders=content-type;host;x-amz-date, "
        "Signature=4e9305f3e16316d5496aa1013cabea4d86b2380a0d240467609b1a33b9a95d1a");
}

TEST_CASE("an assumed role has keys, a session token and an end") {
  const auto session = sts::read_answer(200, kAnswer);
  REQUIRE(session);
  CHECK(session->access_key_id == "ASIAIOSFODNN7EXAMPLE");
  CHECK(session->secret_access_key == "wJalrXUtnFEMI/K7MDENG/bPxRfiCY&EKEY");
  CHECK(session->session_token == "AQoDYXdzEPT//////////wEXAMPLE+tc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQW==");
  CHECK(session->expiration == sigv4::parse_amz_date("20261126T190000Z").value());
  CHECK(sts::read_answer(200, with("Expiration", "2026-11-26T19:00:00.359Z"))->expiration == session->expiration);
}

TEST_CASE("an answer that is not STS' own is refused, in words that hold no key") {
  CHECK(why(200, "") == "answered 200 with what is no answer to AssumeRole");
  CHECK(why(200, R"({"AssumeRoleResponse":{}})") == "answered 200 with what is no answer to AssumeRole");
  CHECK(why(200, kAnswer.substr(0, kAnswer.find("</Credentials>"))) == "answered 200 with what is no answer to AssumeRole");
  CHECK(why(200, "<!DOCTYPE x>" + kAnswer) == "answered 200 with what is no answer to AssumeRole");
  CHECK(why(200, kAnswer + kAnswer) == "answered 200 with what is no answer to AssumeRole");
  for (const char* name : {"AccessKeyId", "SecretAccessKey", "SessionToken"}) {
    CHECK(why(200, without(name)) == "answered without " + std::string(name));
    CHECK(why(200, with(name, "")) == "answered without " + std::string(name));
    CHECK(why(200, with(name, "a&unknown;b")) == "answered without " + std::string(name));
    CHECK(why(200, with(name, "a\r\nb")) == "answered with a control character in " + std::string(name));
  }
  for (const char* no_time : {"", "soon", "2026-11-26 19:00:00Z", "2026-11-26T19:00:00", "2026-11-26T19:00:00.x9Z", "2026-13-26T19:00:00Z", "2026-11-26T19:00:00+01:00"}) {
    CHECK(why(200, with("Expiration", no_time)) == "answered without an Expiration that is a time");
  }
}

TEST_CASE("every beginning of an answer is refused, never half read") {
  for (std::size_t n = 0; n < kAnswer.find("</AssumeRoleResponse>") + 20; ++n) CHECK_FALSE(sts::read_answer(200, kAnswer.substr(0, n)));
}

TEST_CASE("a refusal of STS is told in its own words, bounded") {
  const std::string refusal =
      R"(<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>AccessDenied</Code>)"
      R"(<Message>User: arn:aws:iam::1:user/x is not authorized to perform: sts:AssumeRole on &quot;r&quot;</Message></Error><RequestId>1</RequestId></ErrorResponse>)";
  CHECK(why(403, refusal) == "answered 403: AccessDenied: User: arn:aws:iam::1:user/x is not authorized to perform: sts:AssumeRole on \"r\"");
  CHECK(why(503, "<html>busy</html>") == "answered 503");
  CHECK(why(400, "<Code>" + std::string(9000, 'x') + "</Code>").size() < 230);
}
