// Signature Version 4: requests signed, URLs presigned, claims verified.

#include "auth/sigv4.hpp"

#include <catch2/catch.hpp>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <string>
#include <thread>
#include <vector>

using namespace sluice;
using namespace sluice::auth;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view kArnPath =
    "/model/arn%3Aaws%3Abedrock%3Aus-west-2%3A123456789012%3Ainference-profile%2Fus.anthropic.claude-sonnet-4-20250514-v1%3A0/converse";
constexpr std::string_view kBody = R"({"messages":[]})";
constexpr sigv4::Rules kS3{.normalise_path = false, .encode_twice = false, .body_header = true};

const WallTime kTime = sigv4::parse_amz_date("20261126T145900Z").value();

/// A request to Bedrock, signed: what a verifier gets to see.
struct SignedRequest {
  std::string path = std::string(kArnPath), query = {}, payload = sigv4::hex_sha256(kBody);
  Headers headers{{"Content-Type", "application/json"}, {"Host", "bedrock-runtime.us-west-2.amazonaws.com"}};
  std::string authorization = {};

  explicit SignedRequest(const std::string& token = {}) {
    const sigv4::Signer signer("AKIDNOBODY", "secret/of+nobody", token, "us-west-2", "bedrock");
    REQUIRE(signer.sign(parts(), kTime, headers));
    authorization = headers.get("authorization").value();
  }
  [[nodiscard]] sigv4::Parts parts() const { return {"POST", path, query, payload}; }
  /// Empty where it is accepted, else why not.
  [[nodiscard]] std::string judged(WallTime now = kTime, const sigv4::Rules& rules = {}) const {
    const auto claim = sigv4::parse_authorization(authorization);
    if (!claim) return claim.error().message;
    const sigv4::SigningKeys keys("secret/of+nobody");
    const Status status = sigv4::verify(*claim, parts(), headers, keys, {.region = "us-west-2", .service = "bedrock", .now = now}, rules);
    if (!status) CHECK(status.error().code == Code::kUnauthorized);
    return status ? std::string() : status.error().message;
  }
};

Digest key_of(const sigv4::SigningKeys& keys, std::string_view day, std::string_view region, std::string_view service) {
  const auto key = keys.key(day, region, service);
  REQUIRE(key);
  return *key;
}

bool says(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::string refusal(std::string_view authorization) {
  const auto claim = sigv4::parse_authorization(authorization);
  if (!claim) CHECK(claim.error().code == Code::kUnauthorized);
  return claim ? std::string() : claim.error().message;
}

}  // namespace

TEST_CASE("a signing key is the one the user guide derives") {
  // Source: "Examples of how to derive a signing key", AWS General Reference.
  const sigv4::SigningKeys keys("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
  const Digest key = key_of(keys, "20120215", "us-east-1", "iam");
  CHECK(key[0] == 0xf4);
  CHECK(key[1] == 0x78);
  CHECK(key[31] == 0x4d);
}

TEST_CASE("a signing key is derived once a day, region and service, and the last few are kept") {
  const sigv4::SigningKeys keys("secret");
  const Digest first = key_of(keys, "20261126", "us-east-1", "bedrock");
  CHECK(key_of(keys, "20261126", "us-east-1", "bedrock") == first);
  CHECK(keys.derived() == 1);
  CHECK(key_of(keys, "20261127", "us-east-1", "bedrock") != first);
  CHECK(key_of(keys, "20261126", "us-east-2", "bedrock") != first);
  CHECK(key_of(keys, "20261126", "us-east-1", "s3") != first);
  CHECK(keys.derived() == 4);
  CHECK(key_of(keys, "20261126", "us-east-1", "bedrock") == first);
  CHECK(keys.derived() == 4);
  for (int day = 1; day <= 8; ++day) REQUIRE(keys.key("2027010" + std::to_string(day), "us-east-1", "bedrock"));
  CHECK(keys.derived() == 12);
  CHECK(key_of(keys, "20261126", "us-east-1", "bedrock") == first);  // forgotten, and the same again
  CHECK(keys.derived() == 13);
}

TEST_CASE("the parts of a key's scope cannot be shifted into each other") {
  const sigv4::SigningKeys keys("secret");
  const Digest one = key_of(keys, "20261126", "a", "bc");
  CHECK(key_of(keys, "20261126", "ab", "c") != one);
  CHECK(keys.derived() == 2);
}

TEST_CASE("one signer serves threads at once") {
  const sigv4::Signer signer("AKIDNOBODY", "secret/of+nobody", "", "us-west-2", "bedrock");
  std::vector<std::thread> threads;
  std::vector<std::string> got(4);
  for (std::size_t i = 0; i < got.size(); ++i) {
    threads.emplace_back([&, i] {
      for (int day = 0; day < 50; ++day) {
        Headers headers{{"Host", "example.com"}};
        if (!signer.sign({"GET", "/", "", "x"}, kTime + std::chrono::days(day % 20), headers)) return;
        if (day == 40) got[i] = std::string(headers.get("authorization").value_or(""));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK_FALSE(got[0].empty());
  CHECK(got == std::vector<std::string>(4, got[0]));
}

TEST_CASE("a request to Bedrock is signed with its model's name escaped a second time") {  // DIAL-25
  SignedRequest request;
  // Computed apart from this code, with Python's hmac over the canonical form written out by hand.
  CHECK(request.authorization ==
        "AWS4-HMAC-SHA256 Credential=AKIDNOBODY/20261126/us-west-2/bedrock/aws4_request, SignedHeaders=content-type;host;x-amz-date, "
        "Signature=4129d3ab3511fe5c919fea4efda94c6e1edcd944fef3dbea2f507babc4bb3f9e");
  CHECK(request.headers.get("x-amz-date") == "20261126T145900Z");
  const std::string canonical = sigv4::canonical_request(request.parts(), request.headers, "host", {});
  CHECK(says(canonical, "POST\n/model/arn%253Aaws%253Abedrock%253Aus-west-2%253A123456789012%253Ainference-profile%252Fus."));
}

TEST_CASE("S3 takes paths as they are sent, and names the body's digest") {
  // Source: "Authenticating Requests: Using the Authorization Header", S3 API reference: GET Object and PUT Object.
  const sigv4::Signer signer("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "", "us-east-1", "s3", kS3);
  const WallTime time = sigv4::parse_amz_date("20130524T000000Z").value();
  const auto signature = [&](std::string_view method, std::string_view path, std::string_view body, Headers headers) {
    const std::string payload = sigv4::hex_sha256(body);
    REQUIRE(signer.sign({method, path, "", payload}, time, headers));
    return std::string(sigv4::parse_authorization(headers.get("authorization").value())->signature);
  };
  CHECK(signature("GET", "/test.txt", "", {{"Host", "examplebucket.s3.amazonaws.com"}, {"Range", "bytes=0-9"}}) ==
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  CHECK(signature("PUT", "/test%24file.text", "Welcome to Amazon S3.",
                  {{"Host", "examplebucket.s3.amazonaws.com"}, {"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}}) ==
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST_CASE("a presigned URL of S3 is the one its reference shows") {
  // Source: "Authenticating Requests: Using Query Parameters", S3 API reference.
  const sigv4::Signer signer("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "", "us-east-1", "s3", kS3);
  const auto query = signer.presign({"GET", "/test.txt", "", "UNSIGNED-PAYLOAD"}, sigv4::parse_amz_date("20130524T000000Z").value(), 86400s,
                                    {{"Host", "examplebucket.s3.amazonaws.com"}});
  REQUIRE(query);
  CHECK(query->ends_with("X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"));
}

TEST_CASE("what a hop or a proxy changes is not signed") {
  const Headers headers{{"Host", "h"}, {"User-Agent", "x"}, {"Connection", "close"}, {"X-Amzn-Trace-Id", "1"}, {"Authorization", "Bearer x"},
                        {"B", "1"}, {"a", "2"}, {"b", "3"}, {"Transfer-Encoding", "chunked"}};
  CHECK(sigv4::names_to_sign(headers) == "a;b;host");
}

TEST_CASE("signing again replaces what an earlier signature left") {
  SignedRequest once("token");
  Headers twice = once.headers;
  REQUIRE(twice.set("Authorization", "Bearer of-somebody"));
  REQUIRE(twice.set("x-amz-content-sha256", "stale"));
  const sigv4::Signer signer("AKIDNOBODY", "secret/of+nobody", "token", "us-west-2", "bedrock");
  REQUIRE(signer.sign(once.parts(), kTime, twice));
  CHECK(twice.get("authorization") == once.authorization);
  CHECK(twice.count("authorization") == 1);
  CHECK(twice.count("x-amz-date") == 1);
  CHECK_FALSE(twice.contains("x-amz-content-sha256"));
  CHECK(says(once.authorization, "x-amz-security-token"));
}

TEST_CASE("a request without Host cannot be signed") {
  const sigv4::Signer signer("AKIDNOBODY", "secret", "", "us-west-2", "bedrock");
  Headers none;
  CHECK(signer.sign({"GET", "/", "", ""}, kTime, none).error().code == Code::kInvalidHeader);
  CHECK(none.empty());
  CHECK(signer.presign({"GET", "/", "", ""}, kTime, 60s, none).error().code == Code::kInvalidHeader);
}

TEST_CASE("a body's digest is that of what is sent, splices and all") {
  base::EditedBody body(Body::copy("{\"a\":1,\"model\":\"x\"}"));
  CHECK(sigv4::hex_sha256(body) == sigv4::hex_sha256(body.to_string()));
  body.replace(15, 3, "\"another\"");
  body.replace(1, 0, "\"b\":2,");
  CHECK(body.to_string() == "{\"b\":2,\"a\":1,\"model\":\"another\"}");
  CHECK(sigv4::hex_sha256(body) == sigv4::hex_sha256(body.to_string()));
  CHECK(sigv4::hex_sha256(base::EditedBody()) == sigv4::hex_sha256(""));
}

TEST_CASE("dates are written and read in the one form, and no other is taken") {
  for (const std::string_view text : {"20150830T123600Z", "19700101T000000Z", "20240229T235959Z", "99991231T235959Z"}) {
    CHECK(sigv4::amz_date(sigv4::parse_amz_date(text).value()) == text);
  }
  CHECK(sigv4::amz_date(sigv4::parse_amz_date("20150830T123600Z").value() + 999ms) == "20150830T123600Z");
  CHECK(sigv4::amz_date(WallTime(-1ms)) == "19691231T235959Z");
  for (const std::string_view text : {"", "20150830T123600", "20150830 123600Z", "20150230T123600Z", "20151330T123600Z", "20150830T243600Z",
                                      "20150830T126000Z", "20150830T123660Z", "2015083xT123600Z", "20150830T123600Z "}) {
    CHECK_FALSE(sigv4::parse_amz_date(text));
  }
}

TEST_CASE("queries are sorted by name and then value, escapes in one spelling") {
  const auto canonical = [](std::string_view query) {
    const std::string whole = sigv4::canonical_request({"GET", "/", query, "p"}, {}, "", {});
    return whole.substr(6, whole.find('\n', 6) - 6);
  };
  CHECK(canonical("b=2&a=1&b=1&a") == "a=&a=1&b=1&b=2");
  CHECK(canonical("a-b=1&a=2") == "a=2&a-b=1");
  CHECK(canonical("k=%7e%2f&K=x y+z") == "K=x%20y%2Bz&k=~%2F");
  CHECK(canonical("k=%zz") == "k=%25zz");  // no escape, so what it says
  CHECK(canonical("&&=&") == "=");
  CHECK(canonical("a=b=c") == "a=b%3Dc");
}

TEST_CASE("paths are folded where the rules say so, and escapes kept where they are not doubled") {
  const auto canonical = [](std::string_view path, const sigv4::Rules& rules) {
    const std::string whole = sigv4::canonical_request({"GET", path, "", "p"}, {}, "", rules);
    return whole.substr(4, whole.find('\n', 4) - 4);
  };
  CHECK(canonical("", {}) == "/");
  CHECK(canonical("/a/../../b", {}) == "/b");
  CHECK(canonical("/a/./b//c/", {}) == "/a/b/c/");
  CHECK(canonical("/a/..", {}) == "/");
  CHECK(canonical("/a/b/..", {}) == "/a/");
  CHECK(canonical("/a%3A0", {}) == "/a%253A0");
  CHECK(canonical("/a%3A0/%zz/ü", kS3) == "/a%3A0/%25zz/%C3%BC");
  CHECK(canonical("//a/./b", kS3) == "//a/./b");
}

TEST_CASE("the request that was signed is accepted") {
  CHECK(SignedRequest().judged() == "");
  CHECK(SignedRequest("token").judged() == "");
}

TEST_CASE("any change of what was signed is refused") {
  SignedRequest path, query, body, field, key;
  path.path.back() = 'E';
  CHECK(says(path.judged(), "not the one this access key gives"));
  query.query = "a=b";
  CHECK_FALSE(query.judged().empty());
  body.payload = sigv4::hex_sha256("{}");
  CHECK_FALSE(body.judged().empty());
  REQUIRE(field.headers.set("content-type", "text/plain"));
  CHECK_FALSE(field.judged().empty());
  key.authorization.replace(key.authorization.find("AKIDNOBODY"), 10, "AKIDOTHERS");  // the id is a name, not a part of what is signed
  CHECK(key.judged() == "");
  for (std::size_t digit = 1; digit <= 64; ++digit) {
    SignedRequest request;
    char& c = request.authorization[request.authorization.size() - digit];
    c = c == '0' ? '1' : '0';
    CHECK(says(request.judged(), "not the one this access key gives"));
  }
}

TEST_CASE("a field that was not signed may change, one that was may not be missing or doubled") {
  SignedRequest added, missing, doubled, host;
  REQUIRE(added.headers.add("X-Request-Id", "1"));
  CHECK(added.judged() == "");
  missing.headers.remove("content-type");
  CHECK(says(missing.judged(), "content-type is signed but not there"));
  REQUIRE(doubled.headers.add("content-type", "application/json"));
  CHECK(says(doubled.judged(), "not the one"));
  REQUIRE(host.headers.add("host", "evil.example"));
  CHECK(says(host.judged(), "Host must be there once"));
}

TEST_CASE("a signature that leaves Host out is refused, however right it is") {
  SignedRequest request;
  const std::string names = "content-type;x-amz-date", scope = "20261126/us-west-2/bedrock/aws4_request";
  const std::string text =
      sigv4::string_to_sign("20261126T145900Z", scope, sigv4::canonical_request(request.parts(), request.headers, names, {}));
  const Digest key = key_of(sigv4::SigningKeys("secret/of+nobody"), "20261126", "us-west-2", "bedrock");
  Digest signature{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()), text.size(), signature.data(), &size);
  std::string hex;
  for (const unsigned byte : signature) hex.append(1, "0123456789abcdef"[byte >> 4]).append(1, "0123456789abcdef"[byte & 15]);
  request.authorization = "AWS4-HMAC-SHA256 Credential=AKIDNOBODY/" + scope + ", SignedHeaders=" + names + ", Signature=" + hex;
  CHECK(says(request.judged(), "Host must be there once, and signed"));
}

TEST_CASE("every x-amz- field must be signed, the session token where the rules say so") {
  SignedRequest request;
  REQUIRE(request.headers.add("X-Amz-Target", "Service.DeleteAll"));
  CHECK(says(request.judged(), "X-Amz-Target is not signed"));
  SignedRequest token;
  REQUIRE(token.headers.add("X-Amz-Security-Token", "t"));
  CHECK(says(token.judged(), "X-Amz-Security-Token is not signed"));
  CHECK(token.judged(kTime, {.sign_token = false}) == "");
}

TEST_CASE("a signature is good for five minutes either way") {
  const SignedRequest request;
  CHECK(request.judged(kTime + 300s) == "");
  CHECK(request.judged(kTime - 300s) == "");
  CHECK(says(request.judged(kTime + 301s), "more than 300 s away"));
  CHECK(says(request.judged(kTime - 301s), "more than 300 s away"));
}

TEST_CASE("the date is there once, in form, and of the credential's day") {
  SignedRequest none, twice, form, day;
  none.headers.remove("x-amz-date");
  CHECK(says(none.judged(), "exactly one X-Amz-Date"));
  REQUIRE(twice.headers.add("x-amz-date", "20261126T145900Z"));
  CHECK(says(twice.judged(), "exactly one X-Amz-Date"));
  REQUIRE(form.headers.set("x-amz-date", "Thu, 26 Nov 2026 14:59:00 GMT"));
  CHECK(says(form.judged(), "not of the form"));
  REQUIRE(day.headers.set("x-amz-date", "20261127T000000Z"));
  CHECK(says(day.judged(kTime + std::chrono::hours(9)), "different days"));
}

TEST_CASE("a claim for another region or service is refused before anything is computed") {
  const SignedRequest request;
  const auto claim = sigv4::parse_authorization(request.authorization);
  REQUIRE(claim);
  const sigv4::SigningKeys keys("secret/of+nobody");
  const auto judged = [&](std::string_view region, std::string_view service) {
    const Status status = sigv4::verify(*claim, request.parts(), request.headers, keys, {.region = region, .service = service, .now = kTime});
    return status ? std::string() : status.error().message;
  };
  CHECK(says(judged("eu-central-1", ""), "another region"));
  CHECK(says(judged("", "s3"), "another service"));
  CHECK(keys.derived() == 0);
  CHECK(judged("", "") == "");
  CHECK(keys.derived() == 1);
}

TEST_CASE("an Authorization field is taken apart, however its parts are ordered and spaced") {
  const std::string sixty_four(64, 'a');
  const std::string field = "AWS4-HMAC-SHA256  Signature=" + sixty_four + ",SignedHeaders=host;x-amz-date ,\tCredential=A/K/20261126/r/s/aws4_request";
  const auto claim = sigv4::parse_authorization(field);
  REQUIRE(claim);
  CHECK(claim->access_key_id == "A/K");
  CHECK(claim->day == "20261126");
  CHECK(claim->region == "r");
  CHECK(claim->service == "s");
  CHECK(claim->scope == "20261126/r/s/aws4_request");
  CHECK(claim->signed_headers == "host;x-amz-date");
  CHECK(claim->signature == sixty_four);
}

TEST_CASE("a malformed Authorization field is refused with the part that is wrong") {
  const std::string good(64, 'a'), credential = "Credential=AK/20261126/r/s/aws4_request", names = "SignedHeaders=host";
  const auto with = [&](const std::string& c, const std::string& n, const std::string& s) { return refusal("AWS4-HMAC-SHA256 " + c + ", " + n + ", " + s); };
  CHECK(with(credential, names, "Signature=" + good) == "");
  CHECK(says(refusal("Bearer x"), "does not begin"));
  CHECK(says(refusal("AWS4-HMAC-SHA256x " + credential), "does not begin"));
  CHECK(says(refusal(""), "does not begin"));
  CHECK(says(refusal("AWS4-HMAC-SHA256"), "Credential"));
  for (const std::string_view bad : {"Credential=", "Credential=AK", "Credential=AK/20261126/r/s", "Credential=/20261126/r/s/aws4_request",
                                     "Credential=AK/2026112/r/s/aws4_request", "Credential=AK/2026112x/r/s/aws4_request",
                                     "Credential=AK/20261126//s/aws4_request", "Credential=AK/20261126/r//aws4_request",
                                     "Credential=AK/20261126/r/s/aws4_other"}) {
    CHECK(says(with(std::string(bad), names, "Signature=" + good), "Credential is not"));
  }
  for (const std::string_view bad : {"SignedHeaders=", "SignedHeaders=Host", "SignedHeaders=host;", "SignedHeaders=;host", "SignedHeaders=host;a",
                                     "SignedHeaders=host;host", "SignedHeaders=ho st"}) {
    CHECK(says(with(credential, std::string(bad), "Signature=" + good), "SignedHeaders is no sorted list"));
  }
  for (const std::string& bad : {std::string("Signature="), "Signature=" + good + "a", "Signature=" + good.substr(1), "Signature=" + good.substr(1) + "A"}) {
    CHECK(says(with(credential, names, bad), "Signature is not 64"));
  }
  CHECK(says(with(credential, names, names), "SignedHeaders twice"));
  CHECK(says(with(credential, names, "Other=x"), "none of"));
}

TEST_CASE("a refusal holds neither the signature nor the secret") {
  SignedRequest request;
  request.query = "a=b";
  const std::string why = request.judged();
  CHECK_FALSE(says(why, request.authorization.substr(request.authorization.size() - 64)));
  CHECK_FALSE(says(why, "secret"));
}
