// Requests that are signed for AWS: what arrives at the upstream is what was signed, to the byte, whatever was on the way.

#include <catch2/catch.hpp>
#include <cstdlib>

#include "auth/sigv4.hpp"
#include "integration/rig.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

const std::string kAnswer =
    R"({"output":{"message":{"role":"assistant","content":[{"text":"Hi"}]}},"stopReason":"end_turn","usage":{"inputTokens":3,"outputTokens":1,"totalTokens":4},"metrics":{"latencyMs":5}})";

/// Configurations refer to secrets; they never hold them.
struct Keys {
  Keys() {
    ::setenv("SLUICE_TEST_AWS_ID", "AKIDEXAMPLE", 1);
    ::setenv("SLUICE_TEST_AWS_SECRET", "wJalrXUtnFEMI", 1);
  }
} keys_in_environment;

std::string upstream_entry(const FaultServer& server, const std::string& more = {}) {
  return R"({"name":"aws","provider":"bedrock","url":"http://)" + server.authority() +
         R"(","aws":{"region":"eu-west-1","access_key_id":{"env":"SLUICE_TEST_AWS_ID"},"secret_access_key":{"env":"SLUICE_TEST_AWS_SECRET"}}})" + more;
}

/// The fields as they stood on the wire.
Headers fields_of(const RawRequest& request) {
  Headers out;
  std::string_view rest = request.head;
  rest.remove_prefix(std::min(rest.find("\r\n") + 2, rest.size()));
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find("\r\n"));
    rest.remove_prefix(std::min(line.size() + 2, rest.size()));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    std::string_view value = line.substr(colon + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    REQUIRE(out.add(line.substr(0, colon), value));
  }
  return out;
}

Status verified(const RawRequest& request, std::string_view secret) {
  const Headers headers = fields_of(request);
  const auto claim = auth::sigv4::parse_authorization(headers.get("authorization").value_or(""));
  if (!claim) return tl::unexpected(claim.error());
  const std::string payload = auth::sigv4::hex_sha256(request.body);
  const std::string_view target = request.target;
  const std::size_t query = std::min(target.find('?'), target.size());
  const auth::sigv4::SigningKeys keys{std::string(secret)};
  return auth::sigv4::verify(*claim, {.method = request.method, .path = target.substr(0, query), .query = target.substr(std::min(query + 1, target.size())), .payload = payload},
                             headers, keys, {.region = "eu-west-1", .service = "bedrock", .now = std::chrono::time_point_cast<WallTime::duration>(std::chrono::system_clock::now())});
}

}  // namespace

// DIAL-25
TEST_CASE("a request to AWS carries a signature of itself, and no secret") {
  const auto threads = GENERATE(1u, 4u);
  FaultServer server;
  server.on_request([](const RawRequest&) { return json_reply(kAnswer); });
  Live live(document(upstream_entry(server), R"({"name":"r","upstreams":[{"name":"aws","model":"eu.anthropic.claude-v2:1"}],"forward_headers":["x-team"]})"), threads);
  const WireAnswer answer = ask(live, post("/v1/chat/completions", chat_body("m"), "X-Team: a  b\r\nX-Request-Id: r1\r\n"));
  CHECK(answer.status == 200);
  CHECK(answer.body.find("\"Hi\"") != std::string::npos);
  REQUIRE(server.requests().size() == 1);
  const RawRequest seen = server.requests().front();
  CHECK(seen.target == "/model/eu.anthropic.claude-v2%3A1/converse");
  const Status good = verified(seen, "wJalrXUtnFEMI");
  if (!good) FAIL(good.error().message);
  CHECK_FALSE(verified(seen, "another secret"));
  RawRequest forged = seen;
  forged.body += " ";
  CHECK_FALSE(verified(forged, "wJalrXUtnFEMI"));
  CHECK(seen.head.find("wJalrXUtnFEMI") == std::string::npos);
}

// DIAL-25
TEST_CASE("an inference profile's ARN reaches AWS as it was given") {
  FaultServer server;
  server.on_request([](const RawRequest&) { return json_reply(kAnswer); });
  Live live(document(upstream_entry(server), route_to("aws")));
  const std::string arn = "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude-sonnet-4-20250514-v1:0";
  CHECK(ask(live, post("/v1/chat/completions", chat_body(arn))).status == 200);
  REQUIRE(server.requests().size() == 1);
  CHECK(server.requests().front().target == "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A123456789012%3Ainference-profile%2Feu.anthropic.claude-sonnet-4-20250514-v1%3A0/converse");
  CHECK(verified(server.requests().front(), "wJalrXUtnFEMI"));
}

// DIAL-25, DIAL-27
TEST_CASE("a caller is known by what it signs, and a request that was changed on the way is nobody's") {
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  Live live(document(a.entry(), route_to("a"), R"(,"consumers":[{"name":"cloud","aws_keys":[{"access_key_id":"AKIDEXAMPLE","secret_access_key":{"env":"SLUICE_TEST_AWS_SECRET"}}]}])"), threads);
  const std::string body = R"({"messages":[{"role":"user","content":[{"text":"hi"}]}]})", path = "/model/m/converse";
  const auto request = [&](const std::string& secret, const std::string& signed_body, const std::string& id = "AKIDEXAMPLE") {
    Headers headers;
    REQUIRE(headers.add("Host", "127.0.0.1"));
    REQUIRE(headers.add("Content-Type", "application/json"));
    const auth::sigv4::Signer signer(id, secret, {}, "us-east-1", "bedrock");
    const std::string payload = auth::sigv4::hex_sha256(signed_body);
    REQUIRE(signer.sign({.method = "POST", .path = path, .payload = payload},
                        std::chrono::time_point_cast<WallTime::duration>(std::chrono::system_clock::now()), headers));
    std::string head = "POST " + path + " HTTP/1.1\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
    for (const HeaderField field : headers) head.append(field.name).append(": ").append(field.value).append("\r\n");
    return head + "\r\n" + body;
  };
  const WireAnswer good = ask(live, request("wJalrXUtnFEMI", body));
  CHECK(good.status == 200);
  CHECK(good.body.find(R"("text":"Hi")") != std::string::npos);
  CHECK(live.outcomes().wait(1).front().consumer == "cloud");
  REQUIRE(a->request_count() == 1);
  CHECK_FALSE(a->requests().front().header("authorization"));
  CHECK_FALSE(a->requests().front().header("x-amz-date"));
  for (const std::string& bad : {request("another secret", body), request("wJalrXUtnFEMI", body + " "), request("wJalrXUtnFEMI", body, "AKIDOTHER")}) {
    const WireAnswer refused = ask(live, bad);
    CHECK(refused.status >= 401);
    CHECK(refused.status <= 403);
    CHECK(refused.body.find("wJalrXUtnFEMI") == std::string::npos);
    CHECK(refused.field("x-amzn-errortype") == "AccessDeniedException");
  }
  CHECK(ask(live, post(path, body)).status >= 401);
  // Who signs as one and shows the key of another is nobody: neither is taken for the caller.
  std::string both = request("wJalrXUtnFEMI", body);
  both.insert(both.find("\r\n") + 2, "x-api-key: some key\r\n");
  CHECK(ask(live, both).status == 400);
  CHECK(a->request_count() == 1);
}

TEST_CASE("keys of AWS beside a credential, for another dialect, or for no region are refused at load") {
  const auto said = [](const std::string& members) {
    return problems(document(R"({"name":"a",)" + members + "}", route_to("a")));
  };
  const std::string id = R"("access_key_id":{"env":"SLUICE_TEST_AWS_ID"})", keys = id + R"(,"secret_access_key":{"env":"SLUICE_TEST_AWS_SECRET"})";
  CHECK(said(R"("provider":"bedrock","aws":{"region":"us-east-1",)" + keys + "}") == "");
  CHECK(said(R"("provider":"bedrock","credential":{"env":"SLUICE_TEST_AWS_ID"})").find("needs \"url\"") != std::string::npos);
  CHECK(said(R"("provider":"bedrock","credential":{"env":"SLUICE_TEST_AWS_ID"},"aws":{"region":"us-east-1",)" + keys + "}").find("not both") != std::string::npos);
  CHECK(said(R"("provider":"openai","aws":{"region":"us-east-1",)" + keys + "}").find("takes no signed requests") != std::string::npos);
  CHECK(said(R"("provider":"bedrock","aws":{"region":"us east",)" + keys + "}").find("no region of AWS") != std::string::npos);
  CHECK(said(R"("provider":"bedrock","aws":{"region":"us-east-1",)" + id + "}").find("secret_access_key") != std::string::npos);
}
