// Errors of plugins, fail modes, observe mode: what stops an exchange and what does not.

#include "unit/plugin/rig.hpp"

using namespace sluice;
using namespace sluice::plugin;
using Kind = Ruling::Kind;

namespace {

Verdict throws(HookContext&) { throw std::runtime_error("the model is not there"); }

}  // namespace

// PLUG-09
TEST_CASE("a plugin that throws fails the exchange, unless it is configured open; the host goes on living") {
  for (const FailMode mode : {FailMode::kClosed, FailMode::kOpen}) {
    Rig rig;
    rig.add({.name = "a", .request = throws}, PluginMode::kEnforce, mode);
    rig.add({.name = "b"});
    const Ruling ruling = rig.request();
    CHECK(ruling.kind == (mode == FailMode::kOpen ? Kind::kGoOn : Kind::kFail));
    if (ruling.kind == Kind::kFail) {
      CHECK(ruling.plugin == "a");
      CHECK(ruling.verdict.error().code == Code::kPluginError);
      CHECK(ruling.verdict.error().origin == Origin::kPlugin);
      CHECK(ruling.verdict.error().http_status == 500);
      CHECK(ruling.verdict.error().message == "plugin 'a' threw in on_request");  // what it threw is not the caller's business
    }
    CHECK(rig.diary.size() == (mode == FailMode::kOpen ? 2 : 1));
    CHECK(rig.host.counted(Count::kError, "a") == 1);
    CHECK(rig.host.counted(Count::kFailedOpen, "a") == (mode == FailMode::kOpen ? 1 : 0));
    const Outcome outcome = rig.end();
    REQUIRE(outcome.verdicts.size() == 1);
    CHECK(outcome.verdicts[0].verdict == "error");
    CHECK(outcome.verdicts[0].failed_open == (mode == FailMode::kOpen));
    CHECK(outcome.verdicts[0].code == Code::kPluginError);
    CHECK(outcome.verdicts[0].message == "plugin 'a' threw in on_request: the model is not there");
  }
}

// PLUG-09
TEST_CASE("what is thrown need not be an exception of the library's") {
  Rig rig;
  rig.add({.name = "a", .request = [](RequestContext&) -> Verdict { throw 7; }});
  CHECK(rig.request().kind == Kind::kFail);
  CHECK_THAT(rig.end().verdicts.at(0).message, Catch::Contains("no std::exception"));
}

// PLUG-09
TEST_CASE("a plugin that cannot be opened has failed, closed or open") {
  for (const FailMode mode : {FailMode::kClosed, FailMode::kOpen}) {
    Rig rig;
    rig.add({.name = "a"});
    rig.add({.name = "b", .open = [](const ExchangeView&) -> bool { throw std::runtime_error("no table"); }}, PluginMode::kEnforce, mode);
    rig.add({.name = "c"});
    const Ruling ruling = rig.request();
    CHECK(ruling.kind == (mode == FailMode::kOpen ? Kind::kGoOn : Kind::kFail));
    CHECK(ruling.plugin == (mode == FailMode::kOpen ? "" : "b"));
    const Outcome outcome = rig.end();
    REQUIRE(outcome.verdicts.size() == 1);
    CHECK(outcome.verdicts[0].plugin == "b");
    CHECK(outcome.verdicts[0].hook == "request");
    // PLUG-13
    CHECK(rig.diary == (mode == FailMode::kOpen ? Diary{"a request", "c request", "a finish", "c finish"} : Diary{"a finish"}));
  }
}

// PLUG-09
TEST_CASE("an error of the plugin's own keeps its status and may be forgiven; a judgement may not") {
  struct Case {
    Code code;
    int status;
    bool forgiven;
  };
  for (const auto& [code, status, forgiven] :
       {Case{Code::kPluginError, 502, true}, Case{Code::kPluginTimeout, 504, true}, Case{Code::kUnauthorized, 401, false},
        Case{Code::kConsumerNotAllowed, 403, false}, Case{Code::kInternal, 500, false}, Case{Code::kUpstreamStatus, 502, false}}) {
    Error error = make_error(code, "said so");
    error.http_status = status;
    for (const FailMode mode : {FailMode::kClosed, FailMode::kOpen}) {
      Rig rig;
      rig.add({.name = "a", .request = says(Verdict::fail(error))}, PluginMode::kEnforce, mode);
      const Ruling ruling = rig.request();
      CHECK(ruling.kind == (forgiven && mode == FailMode::kOpen ? Kind::kGoOn : Kind::kFail));
      if (ruling.kind == Kind::kFail) {
        CHECK(ruling.verdict.error().code == code);
        CHECK(ruling.verdict.error().http_status == status);
        CHECK(ruling.verdict.error().message == "said so");
      }
      const auto verdicts = rig.end().verdicts;
      CHECK(verdicts.at(0).verdict == (forgiven ? "error" : "fail"));
      CHECK(rig.host.counted(code == Code::kPluginTimeout ? Count::kTimeout : Count::kError, "a") == (forgiven ? 1 : 0));
    }
  }
}

TEST_CASE("an error whose code is ok is none: its plugin has failed") {
  Rig rig;
  rig.add({.name = "a", .request = says(refusal("fine", Code::kOk))});
  const Ruling ruling = rig.request();
  REQUIRE(ruling.kind == Kind::kFail);
  CHECK(ruling.verdict.error().code == Code::kPluginError);
}

TEST_CASE("a judgement stands against a rule broken in the same hook, and a reply does not") {
  for (const bool judges : {true, false}) {
    Rig rig;
    rig.add({.name = "a", .request = [judges](RequestContext& context) {
      CHECK_FALSE(context.set_body("x"));
      return judges ? refusal("no") : Verdict::reply({});
    }}, PluginMode::kEnforce, FailMode::kOpen);
    const Ruling ruling = rig.request();
    CHECK(ruling.kind == (judges ? Kind::kFail : Kind::kGoOn));
    if (judges) CHECK(ruling.verdict.error().message == "no");
  }
}

// PLUG-08
TEST_CASE("in observe mode verdicts are written down and nothing is stopped or changed") {
  const auto verdict_of = [](std::function<Verdict(RequestContext&)> hook, Wants wants = kWantsRequestEdits) {
    Rig rig;
    rig.add({.name = "a", .wants = wants, .request = std::move(hook)}, PluginMode::kObserve);
    rig.add({.name = "b", .phase = Phase::kTransform});
    CHECK(rig.request().kind == Kind::kGoOn);
    CHECK(rig.diary == Diary{"a request", "b request"});
    CHECK(rig.host.exchange.text == "hello");
    CHECK(rig.host.versions == 0);
    CHECK(rig.host.counted(Count::kFailedOpen, "a") == 0);
    const Outcome outcome = rig.end();
    REQUIRE(outcome.verdicts.size() == 1);
    CHECK(outcome.verdicts[0].observed);
    CHECK_FALSE(outcome.verdicts[0].failed_open);
    return outcome.verdicts[0].verdict;
  };
  CHECK(verdict_of(says(refusal("no"))) == "fail");
  CHECK(verdict_of(says(Verdict::reply({}))) == "reply");
  CHECK(verdict_of(throws) == "error");
  CHECK(verdict_of([](RequestContext& context) {
    CHECK(context.set_body("changed"));
    CHECK(context.exchange().body() == "changed");  // as it would be in force
    return Verdict::go_on();
  }) == "edit");
  CHECK(verdict_of([](RequestContext& context) {
    CHECK_FALSE(context.set_body("changed"));
    return Verdict::go_on();
  }, kWantsRequest) == "error");
}

// PLUG-08
TEST_CASE("a suspended observer of mode observe is waited for, and forgiven") {
  Rig rig;
  Resumer resumer;
  rig.add({.name = "a", .request = suspends_into(resumer)}, PluginMode::kObserve, FailMode::kClosed, 50ms);
  REQUIRE(rig.request().kind == Kind::kWait);
  rig.host.time += 50ms;
  rig.run->on_time(rig.host.time);
  REQUIRE(rig.host.rulings.size() == 1);
  CHECK(rig.host.rulings[0].second.kind == Kind::kGoOn);
  CHECK(rig.host.counted(Count::kTimeout, "a") == 1);
}

// PLUG-08
TEST_CASE("a guard in observe mode does not keep others from starting by what it says") {
  Rig rig;
  rig.add({.name = "a", .request = says(refusal("no"))}, PluginMode::kObserve);
  rig.add({.name = "b", .request = says(refusal("b says no"))});
  const Ruling ruling = rig.request();
  REQUIRE(ruling.kind == Kind::kFail);
  CHECK(ruling.plugin == "b");
}

// PLUG-08
TEST_CASE("in observe mode attempts, heads and deltas stay as they are") {
  Rig rig;
  rig.add({.name = "a",
           .wants = kWantsRequestEdits | kWantsAttempts | kWantsHead | kWantsDeltaEdits,
           .attempt =
               [](AttemptContext& context) {
                 CHECK(context.set_header("x-a", "1"));
                 return Verdict::go_on();
               },
           .head =
               [](HeadContext& context) {
                 CHECK(context.set_header("x-a", "1"));
                 CHECK(context.headers().get("x-a") == "1");
                 return Verdict::go_on();
               },
           .delta = [](DeltaContext&, Delta& delta) { return delta.text.clear(), Verdict::go_on(); },
           .answer_end = [](AnswerEndContext& context) { return context.emit({.text = "more"}), refusal("no"); }},
          PluginMode::kObserve);
  rig.answer();
  Headers wire, head;
  CHECK(rig.run->attempt("openai", "m", 1, wire).kind == Kind::kGoOn);
  CHECK(rig.run->head(200, head).kind == Kind::kGoOn);
  CHECK(rig.delta("one").kind == Kind::kGoOn);
  CHECK(rig.delta("two").kind == Kind::kGoOn);
  CHECK(rig.run->answer_end().kind == Kind::kGoOn);
  CHECK(wire.empty());
  CHECK(head.empty());
  CHECK(rig.host.given == std::vector<TestHost::Given>{{"one"}, {"two"}});
  const Outcome outcome = rig.end();
  REQUIRE(outcome.verdicts.size() == 4);
  for (const PluginVerdict& verdict : outcome.verdicts) CHECK(verdict.observed);
  CHECK(outcome.verdicts[0].hook == "attempt");
  CHECK(outcome.verdicts[0].verdict == "edit");
  CHECK(outcome.verdicts[1].hook == "head");
  CHECK(outcome.verdicts[2].hook == "delta");
  CHECK(outcome.verdicts[2].verdict == "edit");
  CHECK(outcome.verdicts[3].hook == "answer_end");
  CHECK(outcome.verdicts[3].verdict == "fail");
}

// PLUG-09
TEST_CASE("what an observer throws is written down and ends nothing, whatever its fail mode") {
  for (const char* where : {"open", "request", "head", "delta"}) {
    Rig rig;
    rig.observe("log", kWantsRequest | kWantsHead | kWantsDeltas, where);
    rig.observe("other", kWantsDeltas);
    CHECK(rig.request().kind == Kind::kGoOn);
    Headers head;
    CHECK(rig.run->head(200, head).kind == Kind::kGoOn);
    CHECK(rig.delta("one").kind == Kind::kGoOn);
    CHECK(rig.diary.back() == "other delta one");
    CHECK(rig.host.counted(Count::kError, "log") == 1);
    const Outcome outcome = rig.end();
    REQUIRE(outcome.verdicts.size() == 1);
    CHECK(outcome.verdicts[0].plugin == "log");
    CHECK(outcome.verdicts[0].verdict == "error");
    CHECK(outcome.verdicts[0].failed_open);
    CHECK_THAT(outcome.verdicts[0].message, Catch::EndsWith("no disk"));
  }
}

TEST_CASE("the ledger is bounded, what it left out is counted, and who decided is never left out") {
  Rig rig;
  for (int i = 0; i < 70; ++i) {
    rig.add({.name = "p" + std::to_string(i), .request = [i](RequestContext& context) {
      if (i == 0) {
        for (int k = 0; k < 70; ++k) context.report({.kind = "k" + std::to_string(k)});
      }
      context.report({.kind = "k"});
      return i == 69 ? refusal("no") : Verdict::go_on();
    }});
  }
  CHECK(rig.request().kind == Kind::kFail);
  const Outcome outcome = rig.end();
  REQUIRE(outcome.verdicts.size() == 65);
  CHECK(outcome.verdicts[0].detections.size() == 64);
  CHECK(outcome.verdicts.back().plugin == "p69");
  CHECK(outcome.verdicts.back().verdict == "fail");
  CHECK(rig.host.counted(Count::kUnrecorded, "p0") == 7);
  CHECK(rig.host.counted(Count::kUnrecorded, "p64") == 2);  // its verdict, and what it found
}
