// Which route takes a request, what a caller is told where none does, and who may call at all.

#include <catch2/catch.hpp>

#include "integration/rig.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

std::string route(const std::string& name, const std::string& match, const std::string& upstream, const std::string& more = {}) {
  return R"({"name":")" + name + R"(","match":)" + match + R"(,"upstreams":[{"name":")" + upstream + "\"}]" + more + "}";
}

std::string chat(const std::string& model = "m", const std::string& fields = {}) { return post("/v1/chat/completions", chat_body(model), fields); }

std::string with_host(const std::string& host, std::string request = chat()) { return request.replace(request.find("gateway.test"), 12, host); }

}  // namespace

TEST_CASE("of two routes that match, the first serves and the second sees nothing") {  // ROUTE-01
  const auto threads = GENERATE(1u, 4u);
  Backend a("a"), b("b");
  Live live(document(a.entry() + "," + b.entry(), route("first", R"({"model":"gpt-*"})", "a") + "," + route("second", R"({"path_prefix":"/v1"})", "b")), threads);
  CHECK(served_by(ask(live, chat("gpt-4o"))) == "a");
  CHECK(b->request_count() == 0);
  CHECK(served_by(ask(live, chat("other"))) == "b");
  CHECK(a->request_count() == 1);
  const auto outcomes = live.outcomes().wait(2);
  CHECK(outcomes[0].route == "first");
  CHECK(outcomes[1].route == "second");
}

TEST_CASE("paths are matched normalised, and the path that was matched is the path that is sent") {  // ROUTE-02
  const auto threads = GENERATE(1u, 4u);
  Backend exact("exact"), prefix("prefix"), glob("glob"), named("named"), rest("rest");
  const std::string opaque = R"(,"operation":"opaque")";
  Live live(document(exact.entry() + "," + prefix.entry() + "," + glob.entry() + "," + named.entry() + "," + rest.entry(),
                     route("exact", R"({"path":"/v1/exact"})", "exact", opaque) + "," + route("prefix", R"({"path_prefix":"/v1/under"})", "prefix", opaque) + "," +
                         route("glob", R"({"path":"/v1/files/*/content"})", "glob", opaque) + "," + route("named", R"({"path":"/v1/t/{team}/x"})", "named", opaque) + "," +
                         route("rest", R"({"path":"/v1/**"})", "rest", opaque)),
            threads);
  const auto goes = [&](const std::string& target) { return served_by(ask(live, get(target))); };
  CHECK(goes("/v1/exact") == "exact");
  CHECK(goes("/v1/exact/more") == "rest");
  CHECK(goes("/v1/under") == "prefix");
  CHECK(goes("/v1/under/a/b") == "prefix");
  CHECK(goes("/v1/underneath") == "rest");
  CHECK(goes("/v1/files/7/content") == "glob");
  CHECK(goes("/v1/files/7/8/content") == "rest");
  CHECK(goes("/v1/t/red/x") == "named");
  CHECK(goes("/v1/t/red/blue/x") == "rest");
  CHECK(ask(live, get("/v2/x")).status == 404);
  CHECK(ask(live, get("/v1x")).status == 404);
  // Written in other ways: matched and sent in the one normal way, the query as it came.
  for (const char* target : {"//v1//exact?a=%2F&b", "/v1/./exact?a=%2F&b", "/v1/under/../exact?a=%2F&b", "/v1/under/%2e%2e/exact?a=%2F&b", "/v1/%2E/exact?a=%2F&b"}) {
    INFO(target);
    CHECK(goes(target) == "exact");
    CHECK(exact->requests().back().target == "/v1/exact?a=%2F&b");
  }
  CHECK(goes("/v1/under/%2e%2e/%2e%2e/v1/under/z") == "prefix");
  CHECK(prefix->requests().back().target == "/v1/under/z");
}

TEST_CASE("a path is stripped, filled or replaced, and its query left alone") {  // ROUTE-03
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  const std::string opaque = R"(,"operation":"opaque","rewrite":)";
  Live live(document(a.entry(), route("strip", R"({"path_prefix":"/team-a"})", "a", opaque + R"({"strip_prefix":"/team-a"})") + "," +
                                    route("fill", R"({"path":"/t/{team}/{rest}"})", "a", opaque + R"({"path":"/v1/{rest}/of/{team}"})") + "," +
                                    route("replace", R"({"path_prefix":"/old"})", "a", opaque + R"({"regex":"^/old/([a-z]+)/(.*)$","replacement":"/v1/\\2/\\1"})")),
            threads);
  const auto sent = [&](const std::string& target) {
    CHECK(ask(live, get(target)).status == 200);
    return a->requests().back().target;
  };
  CHECK(sent("/team-a/v1/x?q=%20a+b&&=&k") == "/v1/x?q=%20a+b&&=&k");
  CHECK(sent("/team-a/x") == "/v1/x");
  CHECK(sent("/team-a/x?") == "/v1/x?");
  CHECK(sent("/t/red/files?a=1&a=%32") == "/v1/files/of/red?a=1&a=%32");
  // What was captured comes back percent-encoded: it stays one segment and starts no query.
  CHECK(sent("/t/a%20b/c%3Fd%23e") == "/v1/c%3Fd%23e/of/a%20b");
  CHECK(sent("/t/%C3%BC/x%25y") == "/v1/x%25y/of/%C3%BC");
  CHECK(sent("/old/abc/d/e?q") == "/v1/d/e/abc?q");
  const std::string said = problems(document(a.entry(), route("bad", R"({"path":"/t/{team}"})", "a", R"(,"rewrite":{"path":"/v1/{taem}"})")));
  CHECK(said.find("/routes/0/rewrite/path") != std::string::npos);
  CHECK(said.find("team") != std::string::npos);
}

TEST_CASE("every rule of a match must hold, and what is missing fits nothing") {  // ROUTE-04
  const auto threads = GENERATE(1u, 4u);
  Backend yes("yes"), no("no");
  const auto decides = [&](const std::string& match, const std::string& request) {
    Live live(document(yes.entry() + "," + no.entry(), route("yes", match, "yes") + "," + route("no", "{}", "no")), threads);
    return served_by(ask(live, request)) == "yes";
  };
  CHECK(decides(R"({"host":"api.example.com"})", with_host("API.example.com:8080")));
  CHECK_FALSE(decides(R"({"host":"api.example.com"})", with_host("example.com")));
  CHECK(decides(R"({"host":"*.example.com"})", with_host("a.example.com")));
  CHECK_FALSE(decides(R"({"host":"*.example.com"})", with_host("a.b.example.com")));
  CHECK_FALSE(decides(R"({"host":"*.example.com"})", with_host("example.com")));
  CHECK_FALSE(decides(R"({"host":"api.example.com"})", chat("m", "X-Forwarded-Host: api.example.com\r\n")));
  CHECK(decides(R"({"method":"POST"})", chat()));
  CHECK(decides(R"({"headers":{"x-tier":"gold","x-b":{"present":true}}})", chat("m", "X-Tier: gold\r\nX-B: 1\r\n")));
  CHECK_FALSE(decides(R"({"headers":{"x-tier":"gold","x-b":{"present":true}}})", chat("m", "X-Tier: gold\r\n")));
  CHECK_FALSE(decides(R"({"headers":{"x-tier":{"glob":"*"}}})", chat()));
  CHECK(decides(R"({"headers":{"x-tier":{"regex":"^v[12]$"}}})", chat("m", "X-Tier: v2\r\n")));
  CHECK(decides(R"({"headers":{"x-tier":{"prefix":"go"}}})", chat("m", "X-Tier: gold\r\n")));
  CHECK(decides(R"({"model":["a","g*4"]})", chat("gpt-4")));
  CHECK_FALSE(decides(R"({"model":"gpt"})", chat("gpt-4")));
  const auto body = [](const std::string& member) { return post("/v1/chat/completions", R"({"model":"m","messages":[],)" + member + "}"); };
  CHECK(decides(R"({"body":[{"pointer":"/max_tokens","gte":100}]})", body(R"("max_tokens":100)")));
  CHECK_FALSE(decides(R"({"body":[{"pointer":"/x","equals":1}]})", body(R"("x":"1")")));
  CHECK(decides(R"({"body":[{"pointer":"/x","equals":1}]})", body(R"("x":1.0)")));
  CHECK(decides(R"({"body":[{"pointer":"/a~1b/0/c","in":["u","v"]}]})", body(R"("a/b":[{"c":"v"}])")));
  CHECK_FALSE(decides(R"({"body":[{"pointer":"/x","glob":"*"}]})", body(R"("y":"1")")));
  CHECK(decides(R"({"body":[{"pointer":"/x","exists":false}]})", body(R"("y":"1")")));
  CHECK_FALSE(decides(R"({"path":"/v1/chat/completions","method":"POST","model":"m","headers":{"x-tier":"gold"}})", chat("m")));
}

TEST_CASE("prompt text is one text, however it is written") {  // ROUTE-05
  const auto threads = GENERATE(1u, 4u);
  Backend yes("yes"), no("no");
  Live live(document(yes.entry() + "," + no.entry(), route("yes", R"({"prompt":[{"contains":"Übersetze das"}]})", "yes") + "," + route("no", "{}", "no")), threads);
  const auto goes = [&](const std::string& content) {
    return served_by(ask(live, post("/v1/chat/completions", R"({"model":"m","messages":[{"role":"user","content":)" + content + "}]}")));
  };
  CHECK(goes(R"("Bitte: Übersetze das!")") == "yes");
  CHECK(goes(R"([{"type":"text","text":"Bitte: Übersetze das!"}])") == "yes");
  CHECK(goes(R"("Bitte: \u00dcbersetze\u0020das!")") == "yes");
  CHECK(goes(R"([{"type":"text","text":"x"},{"type":"text","text":"\u00DCbersetz\u0065 das"}])") == "yes");
  CHECK(goes(R"("Bitte: übersetze das!")") == "no");
}

TEST_CASE("where no route takes it the caller is told so, in the shape it knows") {  // ROUTE-06
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  Live live(document(a.entry(), route("chat", R"({"path":"/v1/chat/completions","model":"gpt-*"})", "a")), threads);
  const WireAnswer unrouted = ask(live, chat("other"));
  CHECK(unrouted.status == 404);
  CHECK(error_code(unrouted.body) == "route_not_found");
  CHECK(unrouted.body.substr(0, 10) == R"({"error":{)");
  CHECK(unrouted.body.find("other") != std::string::npos);
  CHECK(unrouted.field("content-type") == "application/json");
  CHECK(ask(live, get("/nothing/here")).status == 404);
  CHECK(ask(live, post("/v1/embeddings", R"({"model":"gpt-4","input":"x"})")).status == 404);
  for (const char* target : {"/v1/chat/completions"}) {
    for (const char* method : {"GET", "DELETE", "PUT"}) {
      INFO(method);
      const WireAnswer wrong = ask(live, std::string(method) + " " + target + " HTTP/1.1\r\nHost: x\r\n\r\n");
      CHECK(wrong.status == 405);
      CHECK(wrong.field("allow") == "POST");
      CHECK(error_code(wrong.body) == "method_not_allowed");
    }
  }
  for (const Outcome& outcome : live.outcomes().wait(6)) CHECK(outcome.ending == Ending::kRefused);
  CHECK(a->request_count() == 0);
}

TEST_CASE("a method that no route of a path takes is told with those that are taken") {  // ROUTE-06
  Backend a("a");
  Live live(document(a.entry(), route("models", R"({"path":"/v1/models","method":"GET"})", "a") + "," + route("c", R"({"path":"/v1/chat/completions","method":"POST"})", "a")));
  CHECK(ask(live, get("/v1/models")).status == 200);
  const WireAnswer answer = ask(live, "POST /v1/models HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  CHECK(answer.status == 405);
  CHECK(answer.field("allow") == "GET");
}

TEST_CASE("who may not call is turned away before a byte of the body is read") {  // ROUTE-07
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  const auto consumer = [](const std::string& name, const std::string& groups) {
    return R"({"name":")" + name + R"(","groups":[)" + groups + R"(],"keys":[{"sha256":")" + sha256(name + "-key") + "\"}]}";
  };
  Live live(document(a.entry(), route("staff", R"({"path":"/v1/chat/completions"})", "a", R"(,"admit":["red","blue"])") + "," + route("all", "{}", "a"),
                     R"(,"groups":[{"name":"red","models":["r-*"]},{"name":"blue","models":["b-*"]},{"name":"green"}],"consumers":[)" + consumer("both", R"("red","blue")") + "," +
                         consumer("one", R"("red")") + "," + R"({"name":"none","keys":[{"sha256":")" + sha256("none-key") + "\"}]}," + consumer("outside", R"("green")") + "]"),
            threads);
  for (const char* fields : {"", "Authorization: Bearer wrong\r\n"}) {
    RawClient client(live.port());
    // Only the head is ever sent: an answer proves that nobody waited for the body.
    client.send("POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 30000000\r\n" + std::string(fields) + "\r\n");
    const std::string all = client.until("\r\n\r\n");
    CHECK(all.substr(0, 12) == "HTTP/1.1 401");
    const WireAnswer answer = client.answer();
    CHECK(answer.status == 401);
    CHECK(error_code(answer.body) == "unauthorized");
    CHECK(live.gateway().statistics().body_bytes_held == 0);
  }
  const auto status = [&](const std::string& key, const std::string& model) { return ask(live, chat(model, "Authorization: Bearer " + key + "\r\n")); };
  CHECK(status("both-key", "r-1").status == 200);
  CHECK(status("both-key", "b-1").status == 200);
  CHECK(status("one-key", "r-1").status == 200);
  const WireAnswer other_model = status("one-key", "b-1");
  CHECK(other_model.status == 403);
  CHECK(error_code(other_model.body) == "model_not_allowed");
  for (const char* key : {"none-key", "outside-key"}) {
    const WireAnswer denied = status(key, "r-1");
    CHECK(denied.status == 403);
    CHECK(error_code(denied.body) == "consumer_not_allowed");
  }
  CHECK(a->request_count() == 3);
}

TEST_CASE("an answer comes back whole, streamed or not; who answered is told where that is asked for") {  // ROUTE-08
  const auto threads = GENERATE(1u, 4u);
  const bool exposed = GENERATE(false, true);
  Backend a("internal-upstream-name");
  const std::string stream =
      "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"H\"}}]}\n\n"
      "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
      "data: [DONE]\n\n";
  a->on_request([&](const RawRequest& request) {
    if (request.body.find("\"stream\":true") == std::string::npos) return json_reply(chat_answer("m"));
    Reply reply = Reply::chunked("Content-Type: text/event-stream\r\n");
    for (const char byte : stream) reply.chunk(std::string(1, byte));
    return reply.end_chunks();
  });
  Live live(document(a.entry(), R"({"name":"internal-route-name","upstreams":[{"name":"internal-upstream-name","model":"native-1"}])" + std::string(exposed ? R"(,"expose_target":true)" : "") + "}"), threads);
  const WireAnswer whole = ask(live, chat("alias"));
  CHECK(whole.status == 200);
  CHECK(whole.body == chat_answer("m"));
  const WireAnswer streamed = ask(live, post("/v1/chat/completions", R"({"model":"alias","messages":[],"stream":true,"stream_options":{"include_usage":true}})"));
  CHECK(streamed.status == 200);
  CHECK(streamed.body == stream);
  CHECK(streamed.complete);
  for (const WireAnswer* answer : {&whole, &streamed}) {
    CHECK(answer->field("x-sluice-provider") == (exposed ? std::optional<std::string>("openai-compatible") : std::nullopt));
    CHECK(answer->field("x-sluice-model") == (exposed ? std::optional<std::string>("native-1") : std::nullopt));
    CHECK(answer->head.find("internal-") == std::string::npos);
    CHECK(answer->field("x-request-id").has_value());
  }
}
