// Tokens in place of keys: asked for once, shown to one upstream, renewed, and what follows when none is granted.

#include <catch2/catch.hpp>

#include <atomic>
#include <functional>
#include <mutex>
#include <tuple>
#include <vector>

#include "integration/token_support.hpp"

using namespace sluice;
using namespace sluice::test;
using Catch::Matchers::Contains;

namespace {

constexpr const char* kOnce = R"(,"retry":{"attempts":1})";

/// Upstreams a (with a token) and b (without), in this order.
std::string failing_over(const Backend& a, const Grantor& grantor, const Backend& b) {
  return document(a.entry(grantor.entra()) + "," + b.entry(), R"({"name":"r","upstreams":[{"name":"a"},{"name":"b"}],"retry":{"attempts":2}})");
}

Config reloaded(const std::string& text, std::uint32_t threads) {
  auto config = Config::parse(text);
  REQUIRE(config);
  config->gateway.threads = threads;
  config->gateway.listen.push_back({});
  return std::move(*config);
}

}  // namespace

TEST_CASE("the first request waits for a token, the next ones have it, and the secret goes to the authority alone") {
  const auto threads = GENERATE(1u, 4u);
  Grantor grantor;
  Backend a("a");
  Live live(document(a.entry(grantor.entra()), route_to("a")), threads);
  for (int i = 0; i < 5; ++i) CHECK(ask(live, chat_request()).status == 200);
  REQUIRE(grantor->request_count() == 1);
  const RawRequest asked = grantor->requests()[0];
  CHECK(asked.method == "POST");
  CHECK(asked.target == "/tenant-1/oauth2/v2.0/token");
  CHECK(asked.header("content-type") == "application/x-www-form-urlencoded");
  CHECK(asked.header("host") == grantor->authority());
  CHECK(asked.body ==
        "grant_type=client_credentials&client_id=app&client_secret=s3cr3t%2Bof%2Fthe%3Dclient-0123456789&scope=https%3A%2F%2Fcognitiveservices.azure.com%2F.default");
  REQUIRE(a->request_count() == 5);
  for (const RawRequest& request : a->requests()) {
    CHECK(request.header("authorization") == Grantor::bearer(1));
    CHECK(request.head.find("s3cr3t") == std::string::npos);
  }
  const auto outcomes = live.outcomes().wait(5);
  CHECK_THAT(outcomes[0].attempts.at(0).chosen_because, Contains("waited for a token"));
  CHECK_THAT(outcomes[1].attempts.at(0).chosen_because, !Contains("token"));
}

TEST_CASE("Azure's resources take Entra's token in Authorization, and no key beside it") {
  Grantor grantor;
  FaultServer azure;
  azure.on_request([](const RawRequest&) { return json_reply(chat_answer("gpt")); });
  Live live(document(R"({"name":"az","provider":"azure","url":"http://)" + azure.authority() + R"(")" + grantor.entra() + "}", route_to("az")));
  CHECK(ask(live, post("/v1/chat/completions", chat_body("gpt"), "Api-Key: of-the-client\r\nAuthorization: Bearer of-the-client\r\n")).status == 200);
  const RawRequest seen = azure.requests().at(0);
  CHECK(seen.target == "/openai/deployments/gpt/chat/completions?api-version=2024-10-21");
  CHECK(seen.header("authorization") == Grantor::bearer(1));
  CHECK_FALSE(seen.header("api-key"));
}

TEST_CASE("a hundred requests that come at once ask for one token") {
  const auto threads = GENERATE(1u, 4u);
  Grantor grantor;
  grantor->on_request([&](const RawRequest&) { return Reply::nothing().then_wait("go").then(json_reply_bytes(grantor.answer(1))); });
  Backend a("a");
  Live live(document(a.entry(grantor.entra()), route_to("a")), threads);
  std::vector<RawClient> clients;
  for (int i = 0; i < 100; ++i) {
    clients.emplace_back(live.port());
    clients.back().send(chat_request());
  }
  REQUIRE(eventually([&] { return live.gateway().statistics().exchanges_open == 100; }));
  REQUIRE(grantor->wait_for([&] { return grantor->request_count() == 1; }));
  CHECK(a->request_count() == 0);
  grantor->open("go");
  for (RawClient& client : clients) CHECK(client.answer().status == 200);
  CHECK(a->request_count() == 100);
  CHECK(grantor->request_count() == 1);
}

TEST_CASE("an endpoint that grants nothing fails over, says why, and is left alone for a while") {
  const auto threads = GENERATE(1u, 4u);
  const auto endpoint = GENERATE(table<std::string, std::function<Reply()>, std::string>(
      {{"refuses", [] { return json_reply(R"({"error":"invalid_client","error_description":"AADSTS7000215: no such secret"})", 401); },
        "answered 401: invalid_client: AADSTS7000215: no such secret"},
       {"is ill", [] { return json_reply("<html>", 500); }, "answered 500"},
       {"talks nonsense", [] { return json_reply("token, please"); }, "answered 200 with what is no JSON object"},
       {"is empty", [] { return json_reply(""); }, "answered 200 with what is no JSON object"},
       {"redirects", [] { return json_reply("", 302, "Location: /elsewhere\r\n"); }, "answered 302, a redirect, which is never followed"},
       {"floods", [] { return json_reply(std::string(200'000, ' ')); }, "answered with more than 64 KiB"},
       {"hangs up", [] { return Reply::nothing().then_close(); }, ""},
       {"resets", [] { return Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{").then_reset(); }, ""}}));
  INFO(std::get<0>(endpoint));
  Grantor grantor;
  grantor->on_request([&](const RawRequest&) { return std::get<1>(endpoint)(); });
  Backend a("a"), b("b");
  Live live(failing_over(a, grantor, b), threads);
  for (int i = 0; i < 4; ++i) {
    const WireAnswer answer = ask(live, chat_request());
    CHECK(answer.status == 200);
    CHECK(served_by(answer) == "b");
  }
  CHECK(a->request_count() == 0);
  CHECK(grantor->request_count() <= 2);  // the pause is a second; a slow machine may see the next try
  for (const Outcome& outcome : live.outcomes().wait(4)) {
    REQUIRE(outcome.attempts.size() == 2);
    const Attempt& failed = outcome.attempts[0];
    CHECK(failed.upstream == "a");
    CHECK(failed.sends == 0);
    CHECK(failed.code != Code::kOk);
    CHECK_THAT(failed.reason, Contains("upstream 'a' got no token: " + grantor->authority()) && Contains(std::get<2>(endpoint)));
    CHECK(outcome.attempts[1].upstream == "b");
  }
}

TEST_CASE("where nobody else can serve, the caller is told that there was no token, and when to come back") {
  const auto threads = GENERATE(1u, 4u);
  Grantor grantor;
  grantor->on_request([](const RawRequest&) { return json_reply(R"({"error":"invalid_client"})", 401); });
  Backend a("a");
  Live live(document(a.entry(grantor.entra()), route_to("a", kOnce)), threads);
  const WireAnswer answer = ask(live, chat_request());
  CHECK(answer.status == 502);
  CHECK(error_code(answer.body) == "provider_credential_error");
  CHECK_THAT(answer.body, Contains("got no token") && Contains("invalid_client"));
  CHECK(answer.field("retry-after"));
  CHECK(live.outcomes().wait(1)[0].ending == Ending::kFailed);
}

TEST_CASE("an endpoint that nobody answers at fails over as a connection that fails does") {
  Grantor grantor;
  Backend a("a"), b("b");
  const std::string text = failing_over(a, grantor, b);
  const std::string nobody = "http://127.0.0.1:1", somebody = "http://" + grantor->authority() + "\"}";
  std::string dead = text;
  dead.replace(dead.find(somebody), somebody.size(), nobody + "\"}");
  Live live(dead);
  CHECK(served_by(ask(live, chat_request())) == "b");
  const Attempt failed = live.outcomes().wait(1)[0].attempts.at(0);
  CHECK(failed.code == Code::kUpstreamConnectFailed);
  CHECK_THAT(failed.reason, Contains("got no token: 127.0.0.1:1: "));
}

TEST_CASE("no secret is told, even where an endpoint repeats it") {
  Grantor grantor;
  grantor->on_request([](const RawRequest& request) {
    return json_reply(R"({"error":"invalid_client","error_description":"not )" + std::string(kClientSecret) + " nor " + request.body.substr(request.body.find("client_secret=")) + "\"}", 400);
  });
  Backend a("a");
  std::mutex mutex;
  std::string logged;
  OpenOptions options;
  options.log = [&](LogLevel, std::string_view line) {
    const std::lock_guard lock(mutex);
    logged += line;
  };
  Live live(document(a.entry(grantor.entra()), route_to("a", kOnce)), 1, options);
  const WireAnswer answer = ask(live, chat_request());
  const std::lock_guard lock(mutex);
  CHECK_THAT(logged, Contains("upstream a (tokens): " + grantor->authority() + " answered 400: invalid_client: not ***"));
  for (const std::string& text : {logged, answer.head + answer.body, live.outcomes().wait(1)[0].attempts.at(0).reason, live.gateway().dump()}) {
    CHECK(text.find("s3cr3t") == std::string::npos);
  }
}

TEST_CASE("a token is told to nobody, even where its upstream repeats it") {
  Grantor grantor;
  Backend a("a");
  a->on_request([](const RawRequest& request) {
    return json_reply(R"({"error":{"message":"bad )" + *request.header("authorization") + R"("}})", 400, "X-Echo: " + *request.header("authorization") + "\r\n");
  });
  Live live(document(a.entry(grantor.entra()), route_to("a")));
  const WireAnswer answer = ask(live, chat_request());
  CHECK(answer.status == 400);
  CHECK_THAT(answer.body, Contains("bad Bearer ***"));
  CHECK((answer.head + answer.body).find("token-1") == std::string::npos);
}

TEST_CASE("an upstream that refuses a token gets the request again with a new one, once") {
  const auto threads = GENERATE(1u, 4u);
  Grantor grantor;
  Backend a("a");
  a->on_request([](const RawRequest& request) {
    if (request.header("authorization") == Grantor::bearer(1) && request.number > 2) return json_reply(R"({"error":{"message":"expired"}})", 401);
    return json_reply(chat_answer("a"));
  });
  Live live(document(a.entry(grantor.entra()), route_to("a")), threads);
  for (int i = 0; i < 4; ++i) CHECK(ask(live, chat_request()).status == 200);
  CHECK(grantor->request_count() == 2);
  CHECK(a->request_count() == 5);
  const Outcome renewed = live.outcomes().wait(4)[2];
  REQUIRE(renewed.attempts.size() == 2);
  CHECK(renewed.attempts[0].reason == "status 401; again with a new token");
  CHECK(renewed.attempts[0].status == 401);
  CHECK(renewed.attempts[1].status == 200);
}

TEST_CASE("an upstream that refuses every token is not asked to take one after the other") {
  const auto threads = GENERATE(1u, 4u);
  Grantor grantor;
  Backend a("a");
  a->on_request([](const RawRequest&) { return json_reply(R"({"error":{"message":"not for you"}})", 401); });
  Live live(document(a.entry(grantor.entra()), route_to("a")), threads);
  for (int i = 0; i < 5; ++i) {
    const WireAnswer answer = ask(live, chat_request());
    CHECK(answer.status == 401);
    CHECK_THAT(answer.body, Contains("not for you"));
  }
  CHECK(grantor->request_count() == 2);
  CHECK(a->request_count() == 6);
}

TEST_CASE("a request that must not be repeated is not, but its token is dropped") {
  Grantor grantor;
  Backend a("a");
  a->on_request([](const RawRequest& request) { return request.number == 1 ? json_reply("{}", 401) : json_reply(chat_answer("a")); });
  Live live(document(a.entry(grantor.entra() + R"(,"repeatable":false)"), route_to("a")));
  CHECK(ask(live, chat_request()).status == 401);
  CHECK(ask(live, chat_request()).status == 200);
  CHECK(a->requests().at(1).header("authorization") == Grantor::bearer(2));
}

TEST_CASE("a token outlives a reload that leaves its grant alone, and no other one") {
  const auto threads = GENERATE(1u, 4u);
  Grantor grantor;
  Backend a("a"), b("b");
  Live live(document(a.entry(grantor.entra()), route_to("a")), threads);
  CHECK(ask(live, chat_request()).status == 200);
  REQUIRE(live.gateway().reload(reloaded(document(a.entry(grantor.entra() + R"(,"timeouts":{"idle_ms":1234})") + "," + b.entry(), route_to("a")), threads)));
  CHECK(ask(live, chat_request()).status == 200);
  CHECK(grantor->request_count() == 1);
  REQUIRE(live.gateway().reload(reloaded(document(a.entry(grantor.entra("another-app")), route_to("a")), threads)));
  CHECK(ask(live, chat_request()).status == 200);
  CHECK(grantor->request_count() == 2);
  ::setenv("SLUICE_TEST_ENTRA_SECRET", "another secret of the client", 1);
  const Status rotated = live.gateway().reload(reloaded(document(a.entry(grantor.entra("another-app")), route_to("a")), threads));
  ::setenv("SLUICE_TEST_ENTRA_SECRET", std::string(kClientSecret).c_str(), 1);
  REQUIRE(rotated);
  CHECK(ask(live, chat_request()).status == 200);
  REQUIRE(grantor->request_count() == 3);
  CHECK_THAT(grantor->requests()[2].body, Contains("another%20secret"));
}

TEST_CASE("a caller that leaves while a token is fetched leaves the fetch to the next one") {
  const auto threads = GENERATE(1u, 4u);
  Grantor grantor;
  grantor->on_request([&](const RawRequest&) { return Reply::nothing().then_wait("go").then(json_reply_bytes(grantor.answer(1))); });
  Backend a("a");
  Live live(document(a.entry(grantor.entra()), route_to("a")), threads);
  {
    RawClient client(live.port());
    client.send(chat_request());
    REQUIRE(grantor->wait_for([&] { return grantor->request_count() == 1; }));
    client.reset();
  }
  const Outcome gone = live.outcomes().wait(1)[0];
  CHECK(gone.ending == Ending::kCancelled);
  CHECK(gone.attempts.empty());
  RawClient next(live.port());
  next.send(chat_request());
  grantor->open("go");
  CHECK(next.answer().status == 200);
  CHECK(grantor->request_count() == 1);
  CHECK(a->request_count() == 1);
}

TEST_CASE("who waits for a token waits no longer than its own deadline") {
  const auto threads = GENERATE(1u, 4u);
  Grantor grantor;
  grantor->on_request([](const RawRequest&) { return Reply::nothing().then_stall(); });
  Backend a("a");
  Live live(document(a.entry(grantor.entra() + R"(,"timeouts":{"total_ms":150})"), route_to("a")), threads);
  const WireAnswer answer = ask(live, chat_request());
  CHECK(answer.status == 504);
  CHECK(error_code(answer.body) == "total_timeout");
  CHECK_THAT(answer.body, Contains("it waited for a token of upstream 'a'"));
}

TEST_CASE("a gateway closes while tokens are fetched, and everybody is told") {
  const auto threads = GENERATE(1u, 4u);
  Grantor grantor;
  grantor->on_request([](const RawRequest&) { return Reply::nothing().then_stall(); });
  Backend a("a");
  Live live(document(a.entry(grantor.entra()), route_to("a")), threads);
  std::vector<RawClient> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back(live.port());
    clients.back().send(chat_request());
  }
  REQUIRE(eventually([&] { return live.gateway().statistics().exchanges_open == 8; }));
  REQUIRE(grantor->wait_for([&] { return grantor->request_count() == 1; }));
  REQUIRE(live.gateway().close());
  CHECK(live.outcomes().wait(8).size() == 8);
  CHECK(grantor->wait_for([&] { return grantor->closed() == grantor->opened(); }));
}

TEST_CASE("a token goes to the origin of its upstream and to nobody else") {
  Grantor grantor;
  Backend a("a"), b("b");
  a->on_request([&](const RawRequest&) { return json_reply("", 307, "Location: http://" + b->authority() + "/v1/chat/completions\r\n"); });
  Live live(document(a.entry(grantor.entra()) + "," + b.entry(), R"({"name":"other","match":{"path":"/b/*"},"upstreams":[{"name":"b"}]},{"name":"r","upstreams":[{"name":"a"}]})"));
  CHECK(ask(live, chat_request()).status == 502);
  CHECK(b->request_count() == 0);
}

TEST_CASE("a plugin's call to an upstream has that upstream's token, and is told where none is granted") {
  const auto threads = GENERATE(1u, 4u);
  Grantor grantor;
  std::atomic<bool> grants{true};
  grantor->on_request([&](const RawRequest&) { return grants ? grantor.grant() : json_reply("{}", 500); });
  Backend a("a");
  FaultServer guard;
  guard.on_request([](const RawRequest&) { return json_reply(R"({"flagged":false})"); });
  const std::string entry = R"({"name":"guard","url":"http://)" + guard.authority() + R"(")" + grantor.entra() + "}";
  const std::string guarded = document(a.entry() + "," + entry,
                                       route_to("a", R"(,"plugins":[{"name":"ask","http_guard":{"upstream":"guard","refuse_if":{"pointer":"/flagged","equals":true}}}])"));
  Live live(guarded, threads);
  for (int i = 0; i < 3; ++i) CHECK(ask(live, chat_request()).status == 200);
  CHECK(grantor->request_count() == 1);
  for (const RawRequest& request : guard.requests()) CHECK(request.header("authorization") == Grantor::bearer(1));
  for (const RawRequest& request : a->requests()) CHECK_FALSE(request.header("authorization"));

  grants = false;
  Live denied(guarded, threads);
  CHECK(ask(denied, chat_request()).status >= 500);
  CHECK(a->request_count() == 3);
  const Outcome outcome = denied.outcomes().wait(1)[0];
  REQUIRE(outcome.calls.size() == 1);
  CHECK(outcome.calls[0].code == Code::kUpstreamCredential);
}
