// Plugins on attempts and heads: every attempt announced, heads that wait, errors of providers, and an upstream that breaks
// while a plugin thinks.
#include <catch2/catch.hpp>

#include "integration/plugins_support.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

const std::string kStreamed = kRole + text_event("one ") + ": ping\n\n" + text_event("two ") + text_event("three") + kStop + kDone;

std::string two(Backend& a, Backend& b, const std::string& plugin) {
  return document(a.entry() + "," + b.entry(), R"({"name":"r","upstreams":[{"name":"a"},{"name":"b"}],)" + plugin_list({plugin}) + "}");
}

}  // namespace

TEST_CASE("a head that waits keeps what comes behind it; a field it sets is told, and the gateway's own is not") {
  const auto threads = GENERATE(1u, 4u);
  const auto stream = GENERATE(false, true);
  FaultServer server;
  server.on_request([&](const RawRequest&) { return stream ? whole_stream(kStreamed) : answer_of(); });
  Waiting waiting;
  const auto head = scripted("head", Phase::kTransform, kWantsHead, {.head = [&](HeadContext& ctx) {
    HOOK_CHECK(ctx.status() == 200);
    HOOK_CHECK(ctx.set_header("x-head", "seen"));
    HOOK_CHECK_FALSE(ctx.set_header("content-length", "3"));
    return waiting.park(ctx);
  }});
  Live live(with_plugins(server, {"head"}), threads, bringing({head}));
  RawClient client(live.port());
  client.send(stream ? stream_request() : plain_request());
  REQUIRE(waiting.wait());
  waiting.take().resume(Verdict::go_on());
  const WireAnswer answer = client.answer();
  CHECK(answer.body == (stream ? kStreamed : kAnswer));
  CHECK(answer.field("x-head") == "seen");
  CHECK(live.outcomes().wait(1)[0].ending == Ending::kCompleted);
}

TEST_CASE("the head of a provider's error goes along the plugins once it is known to be the caller's") {
  Backend a("a"), b("b");
  a->on_request([](const RawRequest&) { return json_reply(R"({"error":{"message":"busy"}})", 503); });
  b->on_request([](const RawRequest&) { return json_reply(R"({"error":{"message":"bad"}})", 400); });
  std::vector<int> seen;
  const auto head = scripted("head", Phase::kTransform, kWantsHead, {.head = [&](HeadContext& ctx) {
    seen.push_back(ctx.status());
    (void)ctx.set_header("x-head", "seen");
    return Verdict::go_on();
  }});
  Live live(document(a.entry() + "," + b.entry(), R"({"name":"r","upstreams":[{"name":"a"},{"name":"b"}],)" + plugin_list({"head"}) + "}"), 1, bringing({head}));
  const WireAnswer answer = ask(live, plain_request());
  CHECK(answer.status == 400);
  CHECK(answer.field("x-head") == "seen");
  CHECK(answer.body.find("bad") != std::string::npos);
  CHECK(seen == std::vector<int>{400});
}

// PLUG-12
TEST_CASE("every attempt is announced, and a header set for one is not sent with the next") {
  const auto threads = GENERATE(1u, 4u);
  Backend a("a"), b("b");
  a->on_request([](const RawRequest&) { return whole_stream(kRole + event_of(R"({"error":{"message":"on fire"}})")); });
  b->on_request([](const RawRequest&) { return whole_stream(kStreamed); });
  std::vector<std::string> attempts;
  std::string text;
  const auto watch = scripted("watch", Phase::kTransform, kWantsAttempts | kWantsRequestEdits | kWantsDeltas, {
      .attempt =
          [&](AttemptContext& ctx) {
            attempts.push_back(std::string(ctx.upstream()) + std::to_string(ctx.number()) + std::string(ctx.model()));
            text.clear();
            HOOK_CHECK_FALSE(ctx.set_header("authorization", "x"));
            return ctx.number() == 1 && !ctx.set_header("x-first", "yes") ? Verdict::fail(refusal("?")) : Verdict::go_on();
          },
      .delta =
          [&](DeltaContext&, Delta& delta) {
            text += delta.text;
            return Verdict::go_on();
          }});
  Live live(document(a.entry() + "," + b.entry(), R"({"name":"r","upstreams":[{"name":"a"},{"name":"b","model":"n"}],)" + plugin_list({"watch"}) + "}"), threads,
            bringing({watch}));
  CHECK(ask(live, stream_request()).body == kStreamed);
  CHECK(attempts == std::vector<std::string>{"a1m", "b2n"});
  CHECK(a->requests()[0].header("x-first") == "yes");
  CHECK_FALSE(b->requests()[0].header("x-first"));
  CHECK(text == "one two three");
}

// PLUG-12, STREAM-03
TEST_CASE("an upstream that breaks while a delta waits is followed by another one if the text is held back, and by none if it is told") {
  const auto threads = GENERATE(1u, 4u);
  const auto told = GENERATE(false, true);
  Backend a("a"), b("b");
  a->on_request([](const RawRequest&) { return open_stream().chunk(kRole + text_event("half")).then_reset(); });
  b->on_request([](const RawRequest&) { return whole_stream(kStreamed); });
  Waiting waiting;
  Delta* waits = nullptr;
  const auto slow = scripted("slow", Phase::kTransform, kWantsDeltaEdits, {.delta = [&](DeltaContext& ctx, Delta& delta) {
    if (delta.text != "half") return Verdict::go_on();
    waits = &delta;
    return waiting.park(ctx);
  }});
  Live live(two(a, b, "slow"), threads, bringing({slow}));
  RawClient client(live.port());
  client.send(stream_request());
  REQUIRE(waiting.wait());
  REQUIRE(a->wait_for([&] { return a->closed() == 1; }));
  waiting.take().resume(Verdict::go_on(), [&] {
    if (!told) waits->text.clear();
  });
  const WireAnswer answer = client.answer();
  const Outcome outcome = live.outcomes().wait(1)[0];
  if (told) {
    CHECK(answer.body.find("half") != std::string::npos);
    CHECK(answer.body.find("upstream_reset") != std::string::npos);
    CHECK(b->request_count() == 0);
    CHECK(outcome.ending == Ending::kFailed);
  } else {
    CHECK(answer.body == kStreamed);
    CHECK(outcome.ending == Ending::kCompleted);
    CHECK(outcome.attempts.size() == 2);
  }
}

TEST_CASE("an explanation names the plugins of the route and asks none of them") {
  Backend a("a"), b("b");
  const auto guard = scripted("guard", Phase::kGuard, kWantsRequest, {.request = [](RequestContext&) { return Verdict::fail(refusal("asked")); }});
  Live live(two(a, b, "guard"), 1, bringing({guard}));
  const Explanation explained = live.gateway().explain(Request::post("/v1/chat/completions", chat_body("m")));
  CHECK(explained.status == 200);
  CHECK(explained.text.find("plugins, not asked here: guard") != std::string::npos);
  CHECK(explained.json.find(R"("plugins":["guard"])") != std::string::npos);
}
