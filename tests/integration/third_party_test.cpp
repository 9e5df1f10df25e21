// In front of an upstream that routes itself (mode `security`): what is read along, and what guards do there. That bytes pass
// such an upstream at all is in contents_test.cpp.

#include <catch2/catch.hpp>

#include "integration/rig.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

constexpr const char* kSecurity = R"(,"mode":"security")";
// Positions, comments, spaces and members as nobody here would write them.
const std::string kStream =
    "retry: 10\n\n: hello\nid: 1\ndata: {\"id\":\"c\", \"model\":\"theirs\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"Hel\"}}]}\n\n"
    "id: 2\ndata: {\"choices\" : [{\"delta\":{\"content\":\"lo\"},\"index\":0}], \"x_theirs\":1}\n\n"
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":2,\"total_tokens\":9}}\n\ndata: [DONE]\n\n";
const std::string kErrorStream = "data: {\"error\":{\"message\":\"their own words\",\"code\":7}}\n\n";
const std::string kHidesCards =
    R"(,"plugins":[{"name":"cards","regex_replace":{"rules":[{"pattern":"[0-9]{4}","replacement":"card"}],"request":true,"response":true}}])";

Reply stream_of(std::string bytes) { return Reply::ok(std::move(bytes), "Content-Type: text/event-stream\r\n"); }
std::string asks(const std::string& text, bool stream = false) {
  return post("/v1/chat/completions", R"({"model":"m",  "messages":[{"role":"user","content":")" + text + R"("}],"stream":)" + (stream ? "true" : "false") + "}");
}

}  // namespace

TEST_CASE("what passes an upstream that routes itself is read along for the account, however it is cut") {  // ROUTE-23
  const auto threads = GENERATE(1u, 4u);
  Backend a("theirs");
  Live live(document(a.entry(kSecurity), route_to("theirs")), threads);
  std::size_t asked = 0;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{61}}) {
    INFO(size);
    a->on_request([size](const RawRequest&) { return Reply(stream_of(kStream).in_pieces(size)); });
    CHECK(ask(live, asks("hi", true)).body == kStream);
    const Outcome outcome = live.outcomes().wait(++asked).back();
    CHECK(outcome.mode == "security");
    CHECK(outcome.streamed);
    CHECK(outcome.usage.input_tokens == 7u);
    CHECK(outcome.usage.output_tokens == 2u);
    CHECK(outcome.finish_reason == "stop");
    CHECK(outcome.served_model == "theirs");
    CHECK(outcome.deltas == 2u);
  }
  a->on_request([](const RawRequest&) { return json_reply(chat_answer("theirs")); });
  CHECK(ask(live, asks("hi")).body == chat_answer("theirs"));
  const Outcome whole = live.outcomes().wait(++asked).back();
  CHECK(whole.usage.input_tokens == 3u);
  CHECK_FALSE(whole.streamed);
}

TEST_CASE("an answer that cannot be read along passes all the same, and counts nothing") {
  Backend a("theirs");
  Live live(document(a.entry(kSecurity), route_to("theirs")), 1);
  std::size_t asked = 0;
  for (const Reply& reply : {json_reply("{\"usage\": {\"prompt_tok"), stream_of("data: {\n\ndata: no json\n\n: and no end"), stream_of(kErrorStream),
                             json_reply("\x1f\x8b\x08", 200, "Content-Encoding: gzip\r\n"), json_reply("[]")}) {
    a->on_request([reply](const RawRequest&) { return reply; });
    const WireAnswer answer = ask(live, asks("hi"));
    CHECK(answer.status == 200);
    CHECK(answer.complete);
    const Outcome outcome = live.outcomes().wait(++asked).back();
    CHECK(outcome.ending == Ending::kCompleted);
    CHECK_FALSE(outcome.usage.input_tokens);
  }
}

TEST_CASE("a guard that finds nothing leaves every byte to and from an upstream that routes itself") {
  const auto threads = GENERATE(1u, 4u);
  Backend a("theirs");
  Live live(document(a.entry(kSecurity), route_to("theirs", kHidesCards)), threads);
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{7}}) {
    for (const std::string& bytes : {kStream, kErrorStream}) {
      a->on_request([&](const RawRequest&) { return Reply(stream_of(bytes).in_pieces(size)); });
      const WireAnswer answer = ask(live, asks("hi", true));
      CHECK(answer.status == 200);
      CHECK(answer.body == bytes);
    }
  }
  CHECK(a->requests().back().body == asks("hi", true).substr(asks("hi", true).find("\r\n\r\n") + 4));
  const std::string down = R"({"detail": "the upstream's own words, and 4242"})";
  a->on_request([&](const RawRequest&) { return json_reply(down, 503, "Retry-After: 7\r\nX-Own: kept\r\n"); });
  const WireAnswer answer = ask(live, asks("hi"));
  CHECK(answer.status == 503);
  CHECK(answer.body == down);
  CHECK(answer.field("retry-after") == "7");
  CHECK(answer.field("x-own") == "kept");
  for (const Outcome& outcome : live.outcomes().wait(7)) CHECK(outcome.attempts.size() == 1);
}

TEST_CASE("a guard edits what goes to and comes from an upstream that routes itself, and the rest stays as it came") {
  Backend a("theirs");
  Live live(document(a.entry(kSecurity), route_to("theirs", kHidesCards)), 1);
  std::string said = kStream, wanted = kStream;
  said.replace(said.find("\"lo\""), 4, "\"4242 lo\"");
  wanted.replace(wanted.find("\"lo\""), 4, "\"card lo\"");
  a->on_request([&](const RawRequest&) { return stream_of(said); });
  const WireAnswer answer = ask(live, asks("mine is 4242", true));
  CHECK(answer.body == wanted);
  const std::string expected = asks("mine is card", true);
  CHECK(a->requests().back().body == expected.substr(expected.find("\r\n\r\n") + 4));
  const Outcome outcome = live.outcomes().wait(1).back();
  CHECK(outcome.usage.input_tokens == 7u);
  CHECK(outcome.mode == "security");
}

TEST_CASE("where a guard reads texts, nothing passes an upstream that routes itself unread") {
  Backend a("theirs");
  Live live(document(a.entry(kSecurity), route_to("theirs", kHidesCards)), 1);
  CHECK(ask(live, post("/v1/of/their/own", "{}")).status == 404);
  CHECK(ask(live, post("/v1/chat/completions", "no json")).status == 400);
  CHECK(a->request_count() == 0);
  for (const Reply& reply : {json_reply("no json, and 4242"), stream_of("data: no json, and 4242\n\n")}) {
    a->on_request([reply](const RawRequest&) { return reply; });
    const WireAnswer answer = ask(live, asks("hi"));
    CHECK(answer.status == 502);
    INFO(answer.body);
    CHECK(answer.body.find("4242") == std::string::npos);
  }
  CHECK(problems(document(a.entry(kSecurity), route_to("theirs", R"(,"operation":"opaque")" + kHidesCards))).find("opaque") != std::string::npos);
}
