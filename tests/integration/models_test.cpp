// Which model is meant, whether it may be had, and who serves it.

#include <catch2/catch.hpp>

#include "integration/rig.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

std::string chat(const std::string& body) { return post("/v1/chat/completions", body); }
std::string naming(const std::string& model) { return R"({"model":)" + model + R"(,"messages":[]})"; }

/// Model allowed, not allowed, absent: one route to `a`.
std::string policed(Backend& a, const std::string& policy) { return document(a.entry(), route_to("a", R"(,"models":)" + policy)); }

}  // namespace

TEST_CASE("a model outside of the list is refused, or replaced where the route says so") {  // ROUTE-09
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  {
    Live live(policed(a, R"({"allow":["gpt-4o","o*"]})"), threads);
    for (const char* model : {"gpt-4o", "o3-mini"}) CHECK(ask(live, chat(chat_body(model))).status == 200);
    const WireAnswer refused = ask(live, chat(chat_body("gpt-4o-mini")));
    CHECK(refused.status == 403);
    CHECK(error_code(refused.body) == "model_not_allowed");
    CHECK(refused.body.find("gpt-4o-mini") != std::string::npos);
    CHECK(refused.body.find("o*") != std::string::npos);  // the rule
    CHECK(live.outcomes().wait(3)[2].ending == Ending::kRefused);
  }
  CHECK(a->request_count() == 2);
  Live live(policed(a, R"({"allow":["gpt-4o"],"default":"gpt-4o","substitute":true})"), threads);
  CHECK(ask(live, chat(R"({"messages":[], "model" : "gpt-9" ,"x":1.0})")).status == 200);
  CHECK(a->requests().back().body == R"({"messages":[], "model" : "gpt-4o" ,"x":1.0})");
  const Outcome outcome = live.outcomes().wait(1)[0];
  CHECK(outcome.requested_model == "gpt-9");
  CHECK(outcome.model_note.find("gpt-9") != std::string::npos);
  CHECK(outcome.model_note.find("gpt-4o") != std::string::npos);
}

TEST_CASE("an absent model takes the default, is refused, or is nobody's business") {  // ROUTE-10
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  const std::string body = R"({ "messages" : [], "temperature":1.0 })";
  {
    Live live(policed(a, R"({"default":"gpt-4o"})"), threads);
    CHECK(ask(live, chat(body)).status == 200);
    CHECK(a->requests().back().body.find(R"("model":"gpt-4o")") != std::string::npos);
    CHECK(a->requests().back().body.find(R"("temperature":1.0)") != std::string::npos);
  }
  {
    Live live(policed(a, R"({"allow":["gpt-4o"]})"), threads);
    CHECK(ask(live, chat(body)).status == 403);
  }
  Live live(document(a.entry(), route_to("a")), threads);
  CHECK(ask(live, chat(body)).status == 200);
  CHECK(sha256(a->requests().back().body) == sha256(body));
  CHECK(a->request_count() == 2);
}

TEST_CASE("an empty model is never defaulted, and one that is no text never taken") {  // ROUTE-11
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  {
    Live live(policed(a, R"({"allow":["*"],"default":"gpt-4o","substitute":true})"), threads);
    const WireAnswer empty = ask(live, chat(naming(R"("")")));
    CHECK(empty.status == 403);
    CHECK(error_code(empty.body) == "model_not_allowed");
    for (const char* model : {"7", "null", "[]", "{}", "true", "[\"gpt-4o\"]"}) CHECK(ask(live, chat(naming(model))).status == 400);
  }
  Live live(document(a.entry(), route_to("a")), threads);
  for (const char* model : {"7", "null", "[]", "{}", "true"}) {
    const WireAnswer refused = ask(live, chat(naming(model)));
    CHECK(refused.status == 400);
    CHECK(error_code(refused.body) == "invalid_model");
  }
  CHECK(a->request_count() == 0);
}

TEST_CASE("a second key that could be the model is refused") {  // ROUTE-12
  const auto threads = GENERATE(1u, 4u);
  Backend a("a");
  Live live(document(a.entry(), route_to("a")), threads);
  for (const char* body : {R"({"model":"a","modelId":"b","messages":[]})", R"({"model":"a","model_id":"b","messages":[]})", R"({"modelId":"b","messages":[],"model":"a"})",
                           R"({"model":"a","MODEL":"b","messages":[]})", R"({"model":"a","model\u0049d":"b","messages":[]})"}) {
    INFO(body);
    const WireAnswer refused = ask(live, chat(body));
    CHECK(refused.status == 400);
    CHECK(error_code(refused.body) == "invalid_model");
  }
  CHECK(a->request_count() == 0);
}

TEST_CASE("a provider's own model is taken from that provider, and its error is the answer") {  // ROUTE-16
  const auto threads = GENERATE(1u, 4u);
  Backend first("first"), second("second");
  second->on_request([](const RawRequest& request) {
    if (request.body.find("broken") != std::string::npos) return json_reply(R"({"error":{"message":"out of order","type":"server_error","code":"x17"}})", 503);
    return json_reply(chat_answer("second"));
  });
  Live live(document(first.entry() + "," + second.entry(), R"({"name":"r","upstreams":[{"name":"first"},{"name":"second"}]})"), threads);
  CHECK(served_by(ask(live, chat(chat_body("@second/org/native-1")))) == "second");
  CHECK(second->requests().back().body == chat_body("org/native-1"));
  const WireAnswer broken = ask(live, chat(chat_body("@second/broken")));
  CHECK(broken.status == 503);
  CHECK(broken.body.find("out of order") != std::string::npos);
  CHECK(error_code(broken.body) == "x17");
  CHECK(live.outcomes().wait(2)[1].attempts.size() == 3);  // all of them there
  CHECK(first->request_count() == 0);
  CHECK(second->request_count() == 4);
  // By the provider's id too, which several upstreams may share.
  CHECK(served_by(ask(live, chat(chat_body("@openai-compatible/native-2")))) == "first");
}

TEST_CASE("an intent that is none is a mistake; one for somebody else is refused") {  // ROUTE-17
  const auto threads = GENERATE(1u, 4u);
  Backend a("a"), b("b");
  Live live(document(a.entry(R"(,"models":["served-*"])") + "," + b.entry(),
                     R"({"name":"elsewhere","match":{"path":"/v1/embeddings"},"upstreams":[{"name":"b"}]},)"
                     R"({"name":"r","models":{"allow":["served-*","@a/*","pool:*"]},"upstreams":[{"name":"a","pools":["fast"],"model":"served-1"}]})"),
            threads);
  for (const char* model : {"@", "@x/", "@/m", "@a", "pool:", "pool:unknown"}) {
    INFO(model);
    const WireAnswer refused = ask(live, chat(chat_body(model)));
    CHECK(refused.status == 400);
    CHECK(error_code(refused.body) == "invalid_model");
  }
  for (const char* model : {"@b/m", "@nobody/m", "@a/not-served"}) {
    INFO(model);
    CHECK(ask(live, chat(chat_body(model))).status == 403);
  }
  CHECK(a->request_count() == 0);
  CHECK(b->request_count() == 0);
}

TEST_CASE("a pool's alias reaches no upstream, in no place") {  // ROUTE-18
  const auto threads = GENERATE(1u, 4u);
  Backend a("a"), b("b");
  Live live(document(a.entry() + "," + b.entry(), R"({"name":"r","upstreams":[{"name":"a"},{"name":"b","model":"native-b","pools":["Fast"]}]})"), threads);
  for (const char* model : {"pool:Fast", "pool:fast", "POOL:FAST"}) {
    INFO(model);
    CHECK(served_by(ask(live, chat(chat_body(model)))) == "b");
    const RawRequest seen = b->requests().back();
    CHECK(seen.body == chat_body("native-b"));
    for (const char* trace : {"pool:", "POOL", "Fast", "FAST", "fast"}) CHECK((seen.head + seen.body).find(trace) == std::string::npos);
  }
  CHECK(a->request_count() == 0);
}

TEST_CASE("auto gives each upstream its own model and passes over one that has none") {  // ROUTE-19
  const auto threads = GENERATE(1u, 4u);
  Backend none("none"), own("own");
  Live live(document(none.entry() + "," + own.entry(R"(,"default_model":"mine")"), R"({"name":"r","upstreams":[{"name":"none"},{"name":"own"}]})"), threads);
  CHECK(served_by(ask(live, chat(chat_body("auto")))) == "own");
  CHECK(own->requests().back().body == chat_body("mine"));
  CHECK(none->request_count() == 0);
}

TEST_CASE("a bare model goes to an upstream that serves it, and is refused where none does") {  // ROUTE-20 ROUTE-21
  const auto threads = GENERATE(1u, 4u);
  Backend a("a"), b("b");
  Live live(document(a.entry(R"(,"models":["a-*","both"])") + "," + b.entry(R"(,"models":["b-*","both"])"), R"({"name":"r","upstreams":[{"name":"a"},{"name":"b"}]})"), threads);
  CHECK(served_by(ask(live, chat(chat_body("b-1")))) == "b");
  CHECK(served_by(ask(live, chat(chat_body("a-1")))) == "a");
  CHECK(served_by(ask(live, chat(chat_body("both")))) == "a");  // in the route's order
  CHECK(b->requests().back().body == chat_body("b-1"));
  const std::size_t sent = a->request_count() + b->request_count();
  const WireAnswer nobody = ask(live, chat(chat_body("c-1")));
  CHECK(nobody.status == 403);
  CHECK(error_code(nobody.body) == "model_not_allowed");
  CHECK(a->request_count() + b->request_count() == sent);
}

TEST_CASE("explaining says who would serve and why the others would not, and sends nothing") {  // ROUTE-22
  const auto threads = GENERATE(1u, 4u);
  ::setenv("SLUICE_TEST_HELD_KEY", "held-key-000111222333", 1);
  Backend a("a"), b("b"), c("c");
  Live live(document(a.entry(R"(,"models":["a-*"])") + "," + b.entry(R"(,"credential":{"env":"SLUICE_TEST_HELD_KEY"},"allow_plaintext_credential":true)") + "," + c.entry(),
                     R"({"name":"gold","match":{"headers":{"x-tier":"gold"}},"upstreams":[{"name":"c"}]},)"
                     R"({"name":"r","models":{"allow":["b-*"]},"upstreams":[{"name":"a"},{"name":"b","model":"native"},{"name":"c"}]})"),
            threads);
  const Explanation told = live.gateway().explain(Request::post("/v1/chat/completions", chat_body("b-1")));
  CHECK(told.status == 200);
  for (const char* part : {R"("route":"r")", R"("upstream":"b")", R"("model":"native")", R"("body_edited":true)", R"("passed_over":[{"route":"gold")", "x-tier", "does not serve", "could serve"}) {
    INFO(part << " in " << told.json);
    CHECK(told.json.find(part) != std::string::npos);
  }
  CHECK(told.text.find("native") != std::string::npos);
  CHECK((told.text + told.json).find("held-key") == std::string::npos);
  const Explanation refused = live.gateway().explain(Request::post("/v1/chat/completions", chat_body("z-1")));
  CHECK(refused.status == 403);
  CHECK(refused.json.find("model_not_allowed") != std::string::npos);
  CHECK(refused.json.find("z-1") != std::string::npos);
  CHECK(live.gateway().explain(Request::get("/nothing")).status == 404);
  // And it is true: what is told is what happens.
  CHECK(served_by(ask(live, chat(chat_body("b-1")))) == "b");
  CHECK(a->opened() + c->opened() == 0);
  CHECK(b->request_count() == 1);
  CHECK(live.gateway().statistics().exchanges_started == 1);
}
