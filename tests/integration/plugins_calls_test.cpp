// Calls that plugins make to upstreams of the gateway.
#include <catch2/catch.hpp>

#include "integration/plugins_support.hpp"

using namespace sluice;
using namespace sluice::test;
using namespace std::chrono_literals;

namespace {

/// Asks upstream `side` and refuses what it flags.
std::shared_ptr<const Plugin> asking(CallBounds bounds = {}, std::string upstream = "side") {
  return scripted("asker", Phase::kGuard, kWantsRequest, {.request = [bounds, upstream](RequestContext& ctx) {
    const Resumer resumer = ctx.resumer();
    Request request = Request::post("/check?x=1", R"({"q":1})");
    (void)request.headers.add("x-from", "plugin");
    (void)request.headers.add("connection", "close");
    ctx.call(upstream, std::move(request), bounds, [resumer](Result<CallAnswer> answer) {
      if (!answer) {
        Error error = answer.error();
        error.http_status = 502;
        return resumer.resume(Verdict::fail(std::move(error)));
      }
      resumer.resume(answer->body == "flagged" ? Verdict::fail(refusal("flagged", 422)) : Verdict::go_on());
    });
    return Verdict::suspend();
  }});
}

std::string with_side(const FaultServer& up, const FaultServer& side, const std::string& of_side = {}, const std::string& of_up = {}) {
  return R"({"version":1,"upstreams":[{"name":"up","url":"http://)" + up.authority() + R"(/v1")" + of_up + R"(},{"name":"side","url":"http://)" +
         side.authority() + R"(/base")" + of_side + R"(}],"routes":[{"name":"r","upstreams":[{"name":"up"}],)" + plugin_list({"asker"}) + "}]}";
}

}  // namespace

// PLUG-22
TEST_CASE("a call goes to an upstream outside of the route, behind its base path, and is in the ledger") {
  const auto threads = GENERATE(1u, 4u);
  FaultServer up, side;
  up.on_request([](const RawRequest&) { return answer_of(); });
  std::string verdict = "fine";
  side.on_request([&](const RawRequest&) { return Reply::ok(verdict); });
  Live live(with_side(up, side), threads, bringing({asking()}));
  CHECK(ask(live, plain_request()).status == 200);
  const RawRequest asked = side.requests().at(0);
  CHECK(asked.method == "POST");
  CHECK(asked.target == "/base/check?x=1");
  CHECK(asked.body == R"({"q":1})");
  CHECK(asked.header("x-from") == "plugin");
  CHECK(asked.header("content-type") == "application/json");
  verdict = "flagged";
  CHECK(ask(live, plain_request()).status == 422);
  const auto outcomes = live.outcomes().wait(2);
  REQUIRE(outcomes[0].calls.size() == 1);
  CHECK(outcomes[0].calls[0].plugin == "asker");
  CHECK(outcomes[0].calls[0].upstream == "side");
  CHECK(outcomes[0].calls[0].code == Code::kOk);
  CHECK(outcomes[0].calls[0].status == 200);
  CHECK(outcomes[0].attempts.size() == 1);
  CHECK(outcomes[1].attempts.empty());
}

// PLUG-22
TEST_CASE("a call that fails says why: nobody of that name, nobody there, too slow, too long") {
  struct Case {
    const char* what;
    Reply reply;
    CallBounds bounds;
    std::string upstream;
    Code code;
  };
  auto one = GENERATE(values<Case>({
      {"no such upstream", Reply::ok(), {}, "sied", Code::kPluginError},
      {"a reset", Reply::nothing().then_reset(), {}, "side", Code::kUpstreamReset},
      {"too slow", Reply::nothing().then_stall(), {.timeout = Milliseconds{60}}, "side", Code::kTotalTimeout},
      {"too long", Reply::ok(std::string(2000, 'x')), {.answer_bytes = 1000}, "side", Code::kUpstreamAnswerTooLarge},
  }));
  INFO(one.what);
  FaultServer up, side;
  side.on_request([&](const RawRequest&) { return one.reply; });
  Live live(with_side(up, side, R"(,"repeatable":false)"), 1, bringing({asking(one.bounds, one.upstream)}));
  CHECK(ask(live, plain_request()).status == 502);
  const Outcome outcome = live.outcomes().wait(1)[0];
  REQUIRE(outcome.calls.size() == 1);
  CHECK(outcome.calls[0].code == one.code);
  CHECK(up.request_count() == 0);
}

// PLUG-22
TEST_CASE("a call is cancelled with its exchange, whose deadline it is under") {
  FaultServer up, side;
  side.on_request([](const RawRequest&) { return Reply::nothing().then_stall(); });
  const bool deadline = GENERATE(false, true);
  Live live(with_side(up, side, {}, deadline ? R"(,"timeouts":{"total_ms":80})" : ""), 1, bringing({asking({.timeout = Milliseconds{60'000}})}));
  RawClient client(live.port());
  client.send(plain_request());
  REQUIRE(side.wait_for([&] { return side.request_count() == 1; }));
  if (!deadline) client.reset();
  const Outcome outcome = live.outcomes().wait(1)[0];
  CHECK((outcome.ending == Ending::kCancelled) == !deadline);
  REQUIRE(outcome.calls.size() == 1);
  CHECK(outcome.calls[0].code != Code::kOk);
  CHECK(side.wait_for([&] { return side.reads_closed() == 1; }));
}

// PLUG-22
TEST_CASE("calls honour the cap of their upstream: who has no place waits for one") {
  FaultServer up, side;
  up.on_request([](const RawRequest&) { return answer_of(); });
  side.on_request([](const RawRequest& request) { return request.number == 1 ? Reply::nothing().then_wait("go").then("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") : Reply::ok(); });
  Live live(with_side(up, side, R"(,"caps":{"in_flight":1,"queue":10})"), GENERATE(1u, 4u), bringing({asking()}));
  RawClient first(live.port()), second(live.port());
  first.send(plain_request());
  REQUIRE(side.wait_for([&] { return side.request_count() == 1; }));
  second.send(plain_request());
  int turns = 0;
  (void)eventually([&turns] { return ++turns > 50; });
  CHECK(side.request_count() == 1);
  side.open("go");
  CHECK(first.answer().status == 200);
  CHECK(second.answer().status == 200);
  CHECK(side.request_count() == 2);
}

// PLUG-22
TEST_CASE("the upstream's credential goes with a call and is not the plugin's to see or to set") {
  ::setenv("SLUICE_TEST_SIDE_KEY", "side-key", 1);
  FaultServer up, side;
  up.on_request([](const RawRequest&) { return answer_of(); });
  Live live(with_side(up, side, R"(,"credential":{"env":"SLUICE_TEST_SIDE_KEY"},"allow_plaintext_credential":true)"), 1, bringing({asking()}));
  CHECK(ask(live, plain_request()).status == 200);
  CHECK(side.requests().at(0).header("authorization") == "Bearer side-key");
  ::unsetenv("SLUICE_TEST_SIDE_KEY");
}

TEST_CASE("many exchanges that wait on calls do not keep each other waiting, in virtual time") {
  PluginBench bench(R"({"version":1,"gateway":{"threads":0},"upstreams":[{"name":"up","url":"http://up.test/v1"},{"name":"side","url":"http://side.test/v1"}],"routes":[{"name":"r","upstreams":[{"name":"up"}],)" +
                        plugin_list({"asker"}) + "}]}",
                    bringing({asking()}));
  bench.up().answers("Hi");
  testing::Pace pace;
  pace.first_token = std::chrono::milliseconds(50);
  bench.up("side").answers("fine").pace(pace);
  const auto run = bench.run();
  CHECK(run.status() == 200);
  CHECK(run.outcome().plugin_time >= 50ms);
  CHECK(run.outcome().plugin_time < 60ms);
}
