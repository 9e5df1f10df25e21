// Calls that hooks make: when they are answered, and when not.

#include "unit/plugin/rig.hpp"

using namespace sluice;
using namespace sluice::plugin;
using Kind = Ruling::Kind;

namespace {

/// Calls `upstream` and goes on with what `judge` makes of the answer.
std::function<Verdict(RequestContext&)> asks(std::string upstream, std::function<Verdict(const Result<CallAnswer>&)> judge) {
  return [=](RequestContext& context) {
    context.call(upstream, Request::get("/check"), {},
                 [judge, resumer = context.resumer()](Result<CallAnswer> answer) { resumer.resume(judge(answer)); });
    return Verdict::suspend();
  };
}

}  // namespace

// PLUG-22
TEST_CASE("a call goes to the host with its plugin's name, and its answer decides") {
  Rig rig;
  rig.add({.name = "remote", .request = asks("openai", [](const Result<CallAnswer>& answer) {
    return answer && answer->status == 200 ? Verdict::go_on() : refusal("no");
  })});
  REQUIRE(rig.request().kind == Kind::kWait);
  REQUIRE(rig.host.calls.size() == 1);
  CHECK(rig.host.calls[0].plugin == "remote");
  CHECK(rig.host.calls[0].upstream == "openai");
  rig.host.calls[0].done(CallAnswer{.status = 200});
  rig.host.read_mail();
  REQUIRE(rig.host.rulings.size() == 1);
  CHECK(rig.host.rulings[0].second.kind == Kind::kGoOn);
}

// PLUG-22
TEST_CASE("a call is never answered inside itself, though the host knows at once") {
  Rig rig;
  bool inside = false, answered = false;
  rig.add({.name = "a", .request = [&](RequestContext& context) {
    inside = true;
    context.call("nowhere", Request::get("/"), {}, [&, resumer = context.resumer()](Result<CallAnswer> answer) {
      CHECK_FALSE(inside);
      CHECK(answer.error().code == Code::kPluginError);
      answered = true;
      resumer.resume(Verdict::fail(answer.error()));
    });
    CHECK_FALSE(answered);
    inside = false;
    return Verdict::suspend();
  }});
  REQUIRE(rig.request().kind == Kind::kWait);
  rig.host.read_mail();
  CHECK(answered);
  REQUIRE(rig.host.rulings.size() == 1);
  CHECK(rig.host.rulings[0].second.kind == Kind::kFail);
}

TEST_CASE("a call may be made in answer to another, and outlives the hook it was begun in") {
  Rig rig;
  std::string heard;
  rig.add({.name = "a", .wants = kWantsDeltas | kWantsRequest, .request = [&](RequestContext& context) {
    context.call("openai", Request::get("/1"), {}, [&](Result<CallAnswer> first) {
      heard += first->body;
      context.call("local", Request::get("/2"), {}, [&](Result<CallAnswer> second) { heard += second->body; });
    });
    return Verdict::go_on();
  }});
  rig.answer();
  CHECK(rig.delta("one").kind == Kind::kGoOn);
  rig.host.calls.at(0).done(CallAnswer{.body = "1"});
  REQUIRE(rig.host.calls.size() == 2);
  rig.host.calls.at(1).done(CallAnswer{.body = "2"});
  CHECK(heard == "12");
}

// PLUG-05, PLUG-22
TEST_CASE("a call is answered at most once, and not at all after the exchange") {
  Rig rig;
  int answers = 0;
  rig.add({.name = "a", .request = [&](RequestContext& context) {
    for (int i = 0; i < 3; ++i) context.call("openai", Request::get("/"), {}, [&](Result<CallAnswer>) { ++answers; });
    context.call("nowhere", Request::get("/"), {}, [&](Result<CallAnswer>) { ++answers; });
    return Verdict::go_on();
  }});
  CHECK(rig.request().kind == Kind::kGoOn);
  auto calls = rig.host.calls;
  calls.at(0).done(CallAnswer{});
  calls.at(0).done(CallAnswer{});
  CHECK(answers == 1);
  rig.end();
  calls.at(1).done(CallAnswer{});
  rig.host.read_mail();
  rig.run.reset();
  calls.at(2).done(CallAnswer{});
  CHECK(answers == 1);
}

// PLUG-09
TEST_CASE("a callback that throws fails the hook that waits for it") {
  for (const FailMode mode : {FailMode::kClosed, FailMode::kOpen}) {
    Rig rig;
    Resumer kept;
    rig.add({.name = "a", .request = [&](RequestContext& context) {
      kept = context.resumer();
      context.call("openai", Request::get("/"), {}, [](Result<CallAnswer>) { throw std::runtime_error("no such field"); });
      return Verdict::suspend();
    }}, PluginMode::kEnforce, mode);
    REQUIRE(rig.request().kind == Kind::kWait);
    rig.host.calls.at(0).done(CallAnswer{});
    REQUIRE(rig.host.rulings.size() == 1);
    CHECK(rig.host.rulings[0].second.kind == (mode == FailMode::kOpen ? Kind::kGoOn : Kind::kFail));
    CHECK(rig.host.counted(Count::kError, "a") == 1);
    CHECK_THAT(rig.end().verdicts.at(0).message, Catch::Contains("call") && Catch::EndsWith("no such field"));
  }
}

// PLUG-09
TEST_CASE("a callback that throws while nothing waits for it fails its plugin's next hook, or stands in the account") {
  for (const bool next : {true, false}) {
    Rig rig;
    rig.add({.name = "a", .wants = kWantsRequest | kWantsDeltas, .request = [&](RequestContext& context) {
      context.call("openai", Request::get("/"), {}, [](Result<CallAnswer>) { throw std::runtime_error("no such field"); });
      return Verdict::go_on();
    }});
    rig.answer();
    rig.host.calls.at(0).done(CallAnswer{});
    CHECK(rig.host.rulings.empty());
    if (next) CHECK(rig.delta("one").kind == Kind::kFail);
    const Outcome outcome = rig.end();
    REQUIRE(outcome.verdicts.size() == 1);
    CHECK(outcome.verdicts[0].verdict == "error");
    CHECK(outcome.verdicts[0].hook == (next ? "delta" : "request"));
    CHECK(rig.host.counted(Count::kError, "a") == 1);
  }
}

TEST_CASE("what is found in a callback is in the account") {
  Rig rig;
  rig.add({.name = "a", .request = [](RequestContext& context) {
    context.call("openai", Request::get("/"), {}, [&context](Result<CallAnswer>) { context.report({.kind = "found.late"}); });
    return Verdict::go_on();
  }});
  CHECK(rig.request().kind == Kind::kGoOn);
  rig.host.calls.at(0).done(CallAnswer{});
  const Outcome outcome = rig.end();
  REQUIRE(outcome.verdicts.size() == 1);
  CHECK(outcome.verdicts[0].verdict == "continue");
  CHECK(outcome.verdicts[0].detections.at(0).kind == "found.late");
}
