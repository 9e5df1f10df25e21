// The other grants on the wire: a service account's signed statement, an assumed role's temporary keys.

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <memory>

#include "auth/sigv4.hpp"
#include "integration/token_support.hpp"
#include "json/writer.hpp"

using namespace sluice;
using namespace sluice::test;
using Catch::Matchers::Contains;

namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

/// A key document in a file that is gone afterwards.
class KeyFile {
 public:
  explicit KeyFile(const std::string& token_uri) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), &BIO_free);
    REQUIRE(PEM_write_bio_PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    std::string pem;
    json::Writer(pem).string(std::string_view(data, static_cast<std::size_t>(size)));
    std::string name = (std::filesystem::temp_directory_path() / "sluice-key-XXXXXX").string();
    const int fd = ::mkstemp(name.data());
    REQUIRE(fd >= 0);
    ::close(fd);
    path_ = name;
    std::ofstream(path_) << R"({"type":"service_account","private_key_id":"k1","client_email":"gw@p.iam.example","private_key":)" << pem << R"(,"token_uri":")" << token_uri << "\"}";
  }
  ~KeyFile() { std::filesystem::remove(path_); }
  [[nodiscard]] const std::string& path() const { return path_; }
  /// True where this key has signed the statement.
  [[nodiscard]] bool signed_it(const std::string& jwt) const {
    const std::size_t dot = jwt.rfind('.');
    std::string signature = jwt.substr(dot + 1);
    for (char& c : signature) c = c == '-' ? '+' : c == '_' ? '/' : c;
    const std::size_t padding = (4 - signature.size() % 4) % 4;
    signature.append(padding, '=');
    std::string raw(signature.size(), '\0');
    const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(raw.data()), reinterpret_cast<const unsigned char*>(signature.data()), static_cast<int>(signature.size()));
    if (size < 0) return false;
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    return EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1 &&
           EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(raw.data()), static_cast<std::size_t>(size) - padding,
                            reinterpret_cast<const unsigned char*>(jwt.data()), dot) == 1;
  }

 private:
  Key key_{EVP_RSA_gen(2048), &EVP_PKEY_free};
  std::string path_;
};

std::string vertex_entry(const FaultServer& server, const std::string& more) {
  return R"({"name":"v","provider":"vertex","url":"http://)" + server.authority() + R"(/v1/projects/p/locations/l/publishers/google","allow_plaintext_credential":true)" + more + "}";
}

std::string account(const KeyFile& file, const std::string& more = {}) { return R"(,"service_account":{"key":{"file":")" + file.path() + "\"}" + more + "}"; }

Reply gemini_answer() {
  return json_reply(R"({"candidates":[{"content":{"role":"model","parts":[{"text":"Hi"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1}})");
}

std::string sts_answer(const std::string& expiration) {
  return "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials><AccessKeyId>ASIATEMP</AccessKeyId>"
         "<SecretAccessKey>temporary-secret-of-role</SecretAccessKey><SessionToken>session-token-of-role==</SessionToken><Expiration>" +
         expiration + "</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>";
}

std::string role_entry(const FaultServer& bedrock, const FaultServer& sts) {
  ::setenv("SLUICE_TEST_AWS_ID", "AKIDEXAMPLE", 1);
  ::setenv("SLUICE_TEST_AWS_SECRET", "wJalrXUtnFEMI", 1);
  return R"({"name":"aws","provider":"bedrock","url":"http://)" + bedrock.authority() +
         R"(","allow_plaintext_credential":true,"aws":{"region":"eu-west-1","access_key_id":{"env":"SLUICE_TEST_AWS_ID"},"secret_access_key":{"env":"SLUICE_TEST_AWS_SECRET"},)" +
         R"("assume_role":{"role_arn":"arn:aws:iam::123456789012:role/gw","external_id":"tenant 7","duration_s":900,"endpoint":"http://)" + sts.authority() + R"("}}})";
}

/// Whether `secret` gives the request the signature it came with.
Status verified(const RawRequest& request, const std::string& secret, std::string_view service) {
  Headers headers;
  std::string_view rest = request.head;
  rest.remove_prefix(rest.find("\r\n") + 2);
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find("\r\n"));
    rest.remove_prefix(std::min(line.size() + 2, rest.size()));
    const std::size_t colon = line.find(": ");
    if (colon != std::string_view::npos) REQUIRE(headers.add(line.substr(0, colon), line.substr(colon + 2)));
  }
  const auto claim = auth::sigv4::parse_authorization(headers.get("authorization").value_or(""));
  if (!claim) return tl::unexpected(claim.error());
  const std::string payload = auth::sigv4::hex_sha256(request.body);
  return auth::sigv4::verify(*claim, {.method = request.method, .path = request.target, .payload = payload}, headers, auth::sigv4::SigningKeys(secret),
                             {.region = "eu-west-1", .service = service, .now = std::chrono::time_point_cast<WallTime::duration>(std::chrono::system_clock::now())});
}

std::string in_an_hour() {
  const auto then = std::chrono::time_point_cast<WallTime::duration>(std::chrono::system_clock::now() + std::chrono::hours(1));
  const std::string compact = auth::sigv4::amz_date(then);  // 20261126T180000Z
  return compact.substr(0, 4) + '-' + compact.substr(4, 2) + '-' + compact.substr(6, 5) + ':' + compact.substr(11, 2) + ':' + compact.substr(13);
}

Reply bedrock_answer() {
  return json_reply(
      R"({"output":{"message":{"role":"assistant","content":[{"text":"Hi"}]}},"stopReason":"end_turn","usage":{"inputTokens":3,"outputTokens":1,"totalTokens":4},"metrics":{"latencyMs":5}})");
}

}  // namespace

TEST_CASE("Vertex gets a token that a statement of the service account's key was exchanged for") {
  const auto threads = GENERATE(1u, 4u);
  Grantor grantor;
  FaultServer vertex;
  vertex.on_request([](const RawRequest&) { return gemini_answer(); });
  const KeyFile key("https://oauth2.example/token");
  Live live(document(vertex_entry(vertex, account(key, R"(,"token_url":"http://)" + grantor->authority() + R"(/token")")), route_to("v")), threads);
  for (int i = 0; i < 3; ++i) CHECK(ask(live, post("/v1/chat/completions", chat_body("gemini-x"))).status == 200);
  REQUIRE(grantor->request_count() == 1);
  const RawRequest asked = grantor->requests()[0];
  CHECK(asked.target == "/token");
  const std::string lead = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
  REQUIRE(asked.body.starts_with(lead));
  CHECK(key.signed_it(asked.body.substr(lead.size())));
  for (const RawRequest& request : vertex.requests()) {
    CHECK(request.target == "/v1/projects/p/locations/l/publishers/google/models/gemini-x:generateContent");
    CHECK(request.header("authorization") == Grantor::bearer(1));
  }
}

TEST_CASE("Claude on Vertex gets the model in the path, its version in the body, and every other byte of its own dialect as it was") {
  const auto threads = GENERATE(1u, 4u);
  Grantor grantor;
  FaultServer vertex;
  vertex.on_request([](const RawRequest& request) {
    if (request.target.ends_with(":streamRawPredict")) {
      return Reply::raw("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
                        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude\",\"content\":[],\"usage\":{\"input_tokens\":3,\"output_tokens\":1}}}\n\n"
                        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n"
                        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hi\"}}\n\n"
                        "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n"
                        "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":2}}\n\n"
                        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n")
          .then_close();
    }
    return json_reply(R"({"id":"m","type":"message","role":"assistant","model":"claude","content":[{"type":"text","text":"Hi"}],"stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":2}})");
  });
  const KeyFile key("https://oauth2.example/token");
  const std::string entry = R"({"name":"v","provider":"vertex-anthropic","url":"http://)" + vertex.authority() + R"(/v1/projects/p/locations/l/publishers/anthropic","allow_plaintext_credential":true)" +
                            account(key, R"(,"token_url":"http://)" + grantor->authority() + R"(/token")") + "}";
  Live live(document(entry, R"({"name":"r","upstreams":[{"name":"v","model":"claude-sonnet-4@20250514"}]})"), threads);
  const std::string base = "/v1/projects/p/locations/l/publishers/anthropic/models/claude-sonnet-4@20250514";
  const auto own = [](const std::string& more) {
    return post("/v1/messages", R"({"model":"smart", "max_tokens":9,"messages" :[{"role":"user","content":"hello"}],"x_own":1.0)" + more + "}");
  };

  CHECK_THAT(ask(live, own("")).body, Contains("\"Hi\""));
  CHECK_THAT(ask(live, own(R"(,"stream":true)")).body, Contains("message_stop"));
  CHECK_THAT(ask(live, post("/v1/chat/completions", chat_body("smart"))).body, Contains("\"Hi\""));
  CHECK_THAT(ask(live, post("/v1/chat/completions", chat_body("smart", "hello", true))).body, Contains("[DONE]"));
  const WireAnswer counted = ask(live, post("/v1/messages/count_tokens", R"({"model":"smart","messages":[{"role":"user","content":"hello"}]})"));
  CHECK(counted.status == 200);
  CHECK(counted.field("x-sluice-estimated") == "true");

  const auto seen = vertex.requests();
  REQUIRE(seen.size() == 4);
  for (std::size_t i = 0; i < seen.size(); ++i) {
    CHECK(seen[i].target == base + (i % 2 == 0 ? ":rawPredict" : ":streamRawPredict"));
    CHECK(seen[i].header("authorization") == Grantor::bearer(1));
    CHECK_THAT(seen[i].body, Contains(R"("anthropic_version":"vertex-2023-10-16")") && !Contains("\"model\""));
  }
  CHECK_THAT(seen[0].body, Contains(R"("max_tokens":9,"messages" :[{"role":"user","content":"hello"}],"x_own":1.0)"));
  CHECK_THAT(seen[1].body, Contains(R"("stream":true)"));
}

TEST_CASE("a statement is told to nobody, even where the endpoint repeats it") {
  Grantor grantor;
  grantor->on_request([](const RawRequest& request) {
    return json_reply(R"({"error":"invalid_grant","error_description":")" + request.body.substr(request.body.find("assertion=")) + "\"}", 400);
  });
  FaultServer vertex;
  const KeyFile key("https://oauth2.example/token");
  Live live(document(vertex_entry(vertex, account(key, R"(,"token_url":"http://)" + grantor->authority() + R"(/token")")), route_to("v", R"(,"retry":{"attempts":1})")));
  const WireAnswer answer = ask(live, chat_request());
  CHECK(answer.status == 502);
  CHECK_THAT(answer.body, Contains("invalid_grant") && !Contains("eyJ"));
}

TEST_CASE("a key document that cannot be used is refused when it is read, without a word of it") {
  const KeyFile plain("http://127.0.0.1:1/token");
  auto config = Config::parse(document(R"({"name":"v","provider":"vertex","url":"https://vertex.example/v1")" + account(plain) + "}", route_to("v")));
  REQUIRE(config);
  auto gateway = Gateway::open(*config);
  REQUIRE_FALSE(gateway);
  CHECK(gateway.error().code == Code::kInvalidConfiguration);
  CHECK_THAT(gateway.error().message, Contains("upstream 'v'") && Contains("not https"));
  std::ofstream(plain.path(), std::ios::trunc) << R"({"type":"service_account","client_email":"a","private_key":"not-a-key-at-all"})";
  gateway = Gateway::open(*config);
  REQUIRE_FALSE(gateway);
  CHECK_THAT(gateway.error().message, Contains("no PEM text") && !Contains("not-a-key-at-all"));
}

TEST_CASE("Bedrock is signed for with the keys of an assumed role, which the upstream's own keys have asked for") {
  const auto threads = GENERATE(1u, 4u);
  FaultServer bedrock, sts;
  bedrock.on_request([](const RawRequest&) { return bedrock_answer(); });
  sts.on_request([](const RawRequest&) { return Reply::status(200, sts_answer(in_an_hour()), "Content-Type: text/xml\r\n"); });
  Live live(document(role_entry(bedrock, sts), R"({"name":"r","upstreams":[{"name":"aws","model":"claude"}]})"), threads);
  for (int i = 0; i < 3; ++i) CHECK(ask(live, chat_request()).status == 200);
  REQUIRE(sts.request_count() == 1);
  const RawRequest asked = sts.requests()[0];
  CHECK(asked.method == "POST");
  CHECK(asked.target == "/");
  CHECK(asked.body ==
        "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fgw&RoleSessionName=sluice&DurationSeconds=900&ExternalId=tenant%207");
  const Status own = verified(asked, "wJalrXUtnFEMI", "sts");
  if (!own) FAIL(own.error().message);
  REQUIRE(bedrock.request_count() == 3);
  for (const RawRequest& request : bedrock.requests()) {
    const Status temporary = verified(request, "temporary-secret-of-role", "bedrock");
    if (!temporary) FAIL(temporary.error().message);
    CHECK(request.header("x-amz-security-token") == "session-token-of-role==");
    CHECK_THAT(*request.header("authorization"), Contains("Credential=ASIATEMP/"));
  }
}

TEST_CASE("keys of a role that AWS calls expired are asked for anew, once") {
  FaultServer bedrock, sts;
  bedrock.on_request([](const RawRequest& request) {
    return request.number == 1 ? json_reply(R"({"message":"The security token included in the request is expired"})", 403, "x-amzn-ErrorType: ExpiredTokenException\r\n") : bedrock_answer();
  });
  sts.on_request([](const RawRequest&) { return Reply::status(200, sts_answer(in_an_hour())); });
  Live live(document(role_entry(bedrock, sts), route_to("aws")));
  CHECK(ask(live, chat_request()).status == 200);
  CHECK(sts.request_count() == 2);
  CHECK(bedrock.request_count() == 2);
}

TEST_CASE("STS that grants nothing, or nothing any more, is told by its own words") {
  FaultServer bedrock, sts;
  std::string answer = sts_answer("2001-01-01T00:00:00Z");
  int status = 200;
  sts.on_request([&](const RawRequest&) { return Reply::status(status, answer); });
  Live expired(document(role_entry(bedrock, sts), route_to("aws", R"(,"retry":{"attempts":1})")));
  CHECK_THAT(ask(expired, chat_request()).body, Contains("granted keys that have expired already"));
  answer = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>";
  status = 403;
  Live denied(document(role_entry(bedrock, sts), route_to("aws", R"(,"retry":{"attempts":1})")));
  CHECK_THAT(ask(denied, chat_request()).body, Contains("answered 403: AccessDenied: not you"));
  CHECK(bedrock.request_count() == 0);
}
