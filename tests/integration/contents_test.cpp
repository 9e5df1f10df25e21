// Routes by what a request says, and routes that never look.

#include <catch2/catch.hpp>

#include "integration/rig.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

std::string chat(const std::string& members) { return post("/v1/chat/completions", R"({"model":"m",)" + members + "}"); }
std::string user(const std::string& content) { return R"({"role":"user","content":)" + content + "}"; }

const std::string kOfferedSql = R"("tools":[{"type":"function","function":{"name":"run_sql","parameters":{}}}])";

}  // namespace

TEST_CASE("bytes of an opaque route and of an upstream that routes itself pass as they are, both ways") {  // ROUTE-23
  const auto threads = GENERATE(1u, 4u);
  const bool security = GENERATE(false, true);
  std::string every_byte;
  for (int i = 0; i < 3; ++i) for (int byte = 0; byte < 256; ++byte) every_byte.push_back(static_cast<char>(byte));
  Backend a("a");
  a->on_request([&](const RawRequest& request) {
    if (request.body.find("trip over it") != std::string::npos) return json_reply(R"({"detail": "the upstream's own words"})", 503, "Retry-After: 7\r\n");
    return Reply::ok(every_byte + request.body, "Content-Type: application/x-anything\r\nX-Own: kept\r\n");
  });
  Live live(document(a.entry(security ? R"(,"mode":"security")" : ""), security ? route_to("a") : route_to("a", R"(,"operation":"opaque")")), threads);
  struct Sent {
    const char *method, *target, *type;
    std::string body;
  };
  const std::vector<Sent> all{{"POST", "/v1/chat/completions", "application/json", R"({"model":"theirs","model":"twice",  "messages":1e5, })"},
                              {"POST", "/v1/chat/completions", "application/json", R"({"model":"pool:none","messages":[],"stream":true})"},
                              {"PUT", "/v1/files/7", "application/octet-stream", every_byte},
                              {"PATCH", "/v1/any/path", "text/plain", "no json"},
                              {"DELETE", "/v1/files/7?purge=%31", "", ""},
                              {"POST", "/v1/audio/transcriptions", "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n\x01\x02\r\n--x--\r\n"},
                              {"POST", "/v1/packed", "application/json", std::string("\x1f\x8b\x08\x00", 4)}};
  for (const Sent& sent : all) {
    INFO(sent.method << " " << sent.target);
    RawClient client(live.port());
    std::string head = std::string(sent.method) + " " + sent.target + " HTTP/1.1\r\nHost: x\r\n";
    if (*sent.type != '\0') head += "Content-Type: " + std::string(sent.type) + "\r\n";
    if (std::string_view(sent.target) == "/v1/packed") head += "Content-Encoding: gzip\r\n";
    client.send(head + "Content-Length: " + std::to_string(sent.body.size()) + "\r\n\r\n" + sent.body);
    const WireAnswer answer = client.answer();
    REQUIRE(answer.status == 200);
    const RawRequest seen = a->requests().back();
    CHECK(seen.method == sent.method);
    CHECK(seen.target == sent.target);
    CHECK(sha256(seen.body) == sha256(sent.body));
    if (*sent.type != '\0') CHECK(seen.header("content-type") == sent.type);
    CHECK(sha256(answer.body) == sha256(every_byte + sent.body));
    CHECK(answer.field("content-type") == "application/x-anything");
    CHECK(answer.field("x-own") == "kept");
  }
  CHECK(a->requests().back().header("content-encoding") == "gzip");
  // Its own errors too, after one attempt.
  const WireAnswer down = ask(live, post("/v1/chat/completions", R"({"model":"m","messages":[],"x":"trip over it"})"));
  CHECK(down.status == 503);
  CHECK(down.body == R"({"detail": "the upstream's own words"})");
  CHECK(down.field("retry-after") == "7");
  const auto outcomes = live.outcomes().wait(all.size() + 1);
  for (const Outcome& outcome : outcomes) {
    CHECK(outcome.attempts.size() == 1);
    CHECK(outcome.mode == (security ? "security" : "embedded"));
  }
  CHECK(a->request_count() == all.size() + 1);
}

TEST_CASE("a streamed upload and a streamed answer pass an opaque route piece by piece") {  // ROUTE-23
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  a->on_request([](const RawRequest&) {
    return Reply::chunked("Content-Type: text/event-stream\r\n").chunk("data: no json at all\n").then_wait("seen").chunk("\n: and no end").end_chunks();
  });
  Live live(document(a.entry(), route_to("a", R"(,"operation":"opaque")")), threads);
  RawClient client(live.port());
  client.send("POST /v1/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  client.send("2\r\nde\r\n0\r\n\r\n");
  (void)client.until("no json at all\n");  // the first piece is here while the upstream holds the second back
  a->open("seen");
  const WireAnswer answer = client.answer();
  CHECK(answer.body == "data: no json at all\n\n: and no end");
  CHECK(answer.complete);
  CHECK(a->requests().at(0).body == "abcde");
}

TEST_CASE("what needs to look into a body is refused on a route that never does") {  // ROUTE-23
  Backend a("a"), b("b");
  for (const char* rule : {R"("match":{"model":"x"})", R"("match":{"prompt":[{"contains":"x"}]})", R"("match":{"tools":{"offered":"x"}})", R"("match":{"body":[{"pointer":"/x","exists":true}]})",
                           R"("match":{"stream":true})", R"("body":{"remove":["/x"]})", R"("models":{"allow":["x"]})"}) {
    INFO(rule);
    const std::string said = problems(document(a.entry(), route_to("a", R"(,"operation":"opaque",)" + std::string(rule))));
    CHECK(said.find("/routes/0/") != std::string::npos);
    CHECK(said.find("opaque") != std::string::npos);
  }
  CHECK_FALSE(problems(document(a.entry(R"(,"mode":"security")") + "," + b.entry(), R"({"name":"r","upstreams":[{"name":"a"},{"name":"b"}]})")).empty());
  CHECK_FALSE(problems(document(a.entry(R"(,"mode":"security")"), R"({"name":"r","upstreams":[{"name":"a","model":"renamed"}]})")).empty());
}

TEST_CASE("each thing a request can say about prompt, tools and streaming is a rule of its own") {  // ROUTE-24
  const auto threads = GENERATE(1u, 4u);
  Backend yes("yes"), no("no");
  const auto decides = [&](const std::string& match, const std::string& members) {
    Live live(document(yes.entry() + "," + no.entry(), R"({"name":"yes","match":)" + match + R"(,"upstreams":[{"name":"yes"}]},{"name":"no","upstreams":[{"name":"no"}]})"), threads);
    const WireAnswer answer = ask(live, chat(members));
    CHECK(answer.status == 200);
    return served_by(answer) == "yes";
  };
  const std::string hello = R"("messages":[)" + user("\"hello\"") + "]";
  CHECK(decides(R"({"tools":{"offered":"run_*"}})", hello + "," + kOfferedSql));
  CHECK_FALSE(decides(R"({"tools":{"offered":"run_*"}})", hello));
  CHECK(decides(R"({"tools":{"offered":"run_*"}})", hello + R"(,"functions":[{"name":"run_it"}])"));
  CHECK(decides(R"({"tools":{"forced":"run_sql"}})", hello + "," + kOfferedSql + R"(,"tool_choice":{"type":"function","function":{"name":"run_sql"}})"));
  CHECK_FALSE(decides(R"({"tools":{"forced":"run_sql"}})", hello + "," + kOfferedSql + R"(,"tool_choice":"auto")"));
  const std::string called = R"("messages":[)" + user("\"q\"") + R"(,{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"run_sql","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"1"}])";
  CHECK(decides(R"({"tools":{"last_called":"run_sql"}})", called));
  CHECK_FALSE(decides(R"({"tools":{"last_called":"run_sql"}})", hello + "," + kOfferedSql));

  for (const bool parts : {false, true}) {
    const auto text = [parts](const std::string& words) { return parts ? R"([{"type":"text","text":")" + words + "\"}]" : "\"" + words + "\""; };
    const std::string talk = R"("messages":[{"role":"system","content":)" + text("be brief") + "}," + user(text("the first word")) + R"(,{"role":"assistant","content":"ok"},)" + user(text("the last word")) + "]";
    INFO(talk);
    CHECK(decides(R"({"prompt":[{"where":"any","contains":"first"}]})", talk));
    CHECK(decides(R"({"prompt":[{"where":"any","contains":"brief"}]})", talk));
    CHECK(decides(R"({"prompt":[{"where":"last_user","contains":"last"}]})", talk));
    CHECK_FALSE(decides(R"({"prompt":[{"where":"last_user","contains":"first"}]})", talk));
    CHECK(decides(R"({"prompt":[{"where":"system","contains":"brief"}]})", talk));
    CHECK_FALSE(decides(R"({"prompt":[{"where":"system","contains":"word"}]})", talk));
    CHECK(decides(R"({"prompt":[{"where":"last_user","regex":"l.st"}]})", talk));
    CHECK(decides(R"({"prompt":[{"contains":"FIRST","ignore_case":true}]})", talk));
    CHECK_FALSE(decides(R"({"prompt":[{"contains":"FIRST"}]})", talk));
  }
  CHECK_FALSE(decides(R"({"stream":true})", hello));
  CHECK(decides(R"({"stream":false})", hello + R"(,"stream":false)"));
  CHECK(decides(R"({"stream":false})", hello));
}

TEST_CASE("whether an answer is streamed chooses a route") {  // ROUTE-24
  Backend yes("yes"), no("no");
  yes->on_request([](const RawRequest&) { return Reply::ok("data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"model\":\"yes\"}\n\ndata: [DONE]\n\n", "Content-Type: text/event-stream\r\n"); });
  Live live(document(yes.entry() + "," + no.entry(), R"({"name":"yes","match":{"stream":true},"upstreams":[{"name":"yes"}]},{"name":"no","upstreams":[{"name":"no"}]})"));
  CHECK(served_by(ask(live, post("/v1/chat/completions", chat_body("m", "x", true)))) == "yes");
  CHECK(served_by(ask(live, post("/v1/chat/completions", chat_body("m", "x", false)))) == "no");
}

TEST_CASE("who calls chooses a route") {  // ROUTE-24
  const auto threads = GENERATE(1u, 4u);
  Backend batch("batch"), rest("rest");
  const auto consumer = [](const std::string& name) { return R"({"name":")" + name + R"(","keys":[{"sha256":")" + sha256(name) + "\"}]}"; };
  Live live(document(batch.entry() + "," + rest.entry(), R"({"name":"b","match":{"consumer":"batch"},"upstreams":[{"name":"batch"}]},{"name":"r","upstreams":[{"name":"rest"}]})",
                     ",\"consumers\":[" + consumer("batch") + "," + consumer("app") + "]"),
            threads);
  for (const char* who : {"batch", "app"}) {
    CHECK(served_by(ask(live, post("/v1/chat/completions", chat_body("m"), "X-Api-Key: " + std::string(who) + "\r\n"))) == (std::string(who) == "batch" ? "batch" : "rest"));
  }
}
