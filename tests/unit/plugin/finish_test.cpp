// The end: on_finish once and last, and exchanges that end in the middle of a hook or of a call to their host.

#include "unit/plugin/rig.hpp"

using namespace sluice;
using namespace sluice::plugin;
using Kind = Ruling::Kind;

namespace {

constexpr Wants kEverything = kWantsRequestEdits | kWantsAttempts | kWantsHead | kWantsDeltaEdits | kWantsFinish;

std::size_t times(const Diary& diary, const std::string& what) {
  return static_cast<std::size_t>(std::count(diary.begin(), diary.end(), what));
}

}  // namespace

// PLUG-13
TEST_CASE("every session hears the end once, last, in chain order, however the exchange ended") {
  Rig rig;
  Resumer resumer;
  int hooks_after = 0;
  std::optional<Ending> told;
  rig.add({.name = "a", .wants = kWantsFinish, .finish = [&](const Outcome& end) { told = end.ending; }});
  rig.add({.name = "b", .request = suspends_into(resumer)});
  rig.add({.name = "c", .phase = Phase::kTransform, .request = [&](RequestContext&) { return ++hooks_after, Verdict::go_on(); }});
  rig.observe("log", kWantsFinish);
  REQUIRE(rig.request().kind == Kind::kWait);
  SECTION("completed") {
    resumer.resume(Verdict::go_on());
    rig.host.read_mail();
    CHECK(hooks_after == 1);
    hooks_after = 0;
  }
  SECTION("cancelled while a plugin was waited for") {}
  SECTION("stopped first") { rig.run->stop(); }
  SECTION("refused") {
    resumer.resume(refusal("no"));
    rig.host.read_mail();
  }
  SECTION("timed out") {
    rig.host.time += 1s;
    rig.run->on_time(rig.host.time);
  }
  Outcome outcome;
  outcome.ending = Ending::kCancelled;
  rig.run->finish(outcome);
  outcome.ending = Ending::kFailed;
  rig.run->finish(outcome);
  CHECK(told == Ending::kCancelled);
  const Diary end = {"a finish", "b finish", "c finish", "log finish"};
  CHECK(Diary(rig.diary.end() - 4, rig.diary.end()) == end);
  resumer.resume(Verdict::go_on());
  rig.host.read_mail();
  rig.run->on_time(rig.host.time + 10s);
  Headers headers;
  CHECK(rig.run->head(200, headers).kind == Kind::kWait);
  CHECK(rig.delta("one").kind == Kind::kWait);
  CHECK(rig.run->answer_end().kind == Kind::kWait);
  CHECK(Diary(rig.diary.end() - 4, rig.diary.end()) == end);
  CHECK(hooks_after == 0);
}

// PLUG-13
TEST_CASE("an exchange that no plugin looks at ends as it is") {
  Rig rig;
  rig.add({.name = "idle", .wants = kWantsNothing});
  const auto chain = rig.chain();
  CHECK(rig.run->authenticate(chain).kind == Kind::kGoOn);
  CHECK(rig.run->request(chain).kind == Kind::kGoOn);
  CHECK(rig.delta("one").kind == Kind::kGoOn);
  const Outcome outcome = rig.end();
  CHECK(outcome.verdicts.empty());
  CHECK(outcome.plugin_time == 0ns);
  CHECK(rig.diary.empty());
}

TEST_CASE("the account is written once, and adds to what is there") {
  Rig rig;
  rig.add({.name = "a", .request = says(refusal("no"))});
  CHECK(rig.request().kind == Kind::kFail);
  Outcome outcome;
  outcome.verdicts.resize(1);
  outcome.plugin_time = 5ms;
  rig.run->account(outcome);
  rig.run->account(outcome);
  CHECK(outcome.verdicts.size() == 2);
  CHECK(outcome.plugin_time == 5ms);
}

TEST_CASE("what plugins waited for when it ended is in the account") {
  Rig rig;
  Resumer resumer;
  rig.add({.name = "a", .request = suspends_into(resumer)});
  REQUIRE(rig.request().kind == Kind::kWait);
  rig.host.time += 40ms;
  CHECK(rig.end().plugin_time == 40ms);
}

// PLUG-13
TEST_CASE("an exchange that ends inside a hook tells its plugins when that hook has returned") {
  for (const std::string where : {"open", "request", "attempt", "head", "delta", "answer_end", "edit", "callback"}) {
    for (const bool destroyed : {false, true}) {
      INFO(where << (destroyed ? ", and the run goes with it" : ""));
      Rig rig;
      HookContext* held = nullptr;
      const auto end_it = [&](HookContext* context) {
        Outcome outcome;
        rig.run->account(outcome);
        rig.run->finish(outcome);
        CHECK(times(rig.diary, "a finish") == 0);
        if (destroyed) rig.run.reset();
        if (context == nullptr) return;
        // The rest of the hook does no harm.
        context->report({.kind = "late"});
        context->call("openai", Request::get("/"), {}, [](Result<CallAnswer>) { FAIL("called"); });
        context->resumer().resume(refusal("late"));
        CHECK(context->exchange().id() == (destroyed ? "" : "x-1"));
      };
      const auto in = [&](const char* hook, HookContext& context) {
        held = &context;
        if (where != hook) return Verdict::go_on();
        const Resumer taken = context.resumer();
        end_it(&context);
        return destroyed ? Verdict::suspend() : refusal("nobody hears this");
      };
      Resumer resumer;
      rig.add({.name = "a",
               .wants = kEverything,
               .request =
                   [&](RequestContext& context) {
                     if (where == "callback") context.call("openai", Request::get("/"), {}, [&](Result<CallAnswer>) { end_it(held); });
                     const Verdict verdict = in("request", context);
                     CHECK(context.set_body("late").has_value() == (where != "request"));
                     if (where != "edit") return verdict;
                     resumer = context.resumer();
                     return Verdict::suspend();
                   },
               .attempt = [&](AttemptContext& context) { return in("attempt", context); },
               .head = [&](HeadContext& context) { return in("head", context); },
               .delta =
                   [&](DeltaContext& context, Delta& delta) {
                     const Verdict verdict = in("delta", context);
                     delta.text += "!";  // it is still there
                     return verdict;
                   },
               .answer_end =
                   [&](AnswerEndContext& context) {
                     const Verdict verdict = in("answer_end", context);
                     context.emit({.text = "late"});
                     return verdict;
                   },
               .finish = [&](const Outcome&) { held = nullptr; },
               .open = [&](const ExchangeView&) {
                 if (where == "open") end_it(nullptr);
                 return true;
               }});
      rig.add({.name = "b", .wants = kEverything});
      const auto asked = [&](Ruling ruling, const char* hook) {
        if (where == hook) CHECK(ruling.kind == Kind::kWait);
        return where != hook && ruling.kind == Kind::kGoOn;
      };
      Headers headers;
      const bool waits = [&] {
        if (!asked(rig.request(), where == "open" ? "open" : "request")) return where == "edit";
        if (where == "callback") return true;
        if (!asked(rig.run->attempt("openai", "m", 1, headers), "attempt")) return false;
        if (!asked(rig.run->head(200, headers), "head")) return false;
        if (!asked(rig.delta(std::string(70'000, 'x')), "delta")) return false;
        (void)asked(rig.run->answer_end(), "answer_end");
        return false;
      }();
      if (waits && where == "edit") {
        resumer.resume(Verdict::go_on(), [&] { end_it(held); });
        rig.host.read_mail();
      } else if (waits) {
        rig.host.calls.at(0).done(CallAnswer{});
        rig.host.read_mail();
      }
      CHECK(times(rig.diary, "a finish") == 1);
      CHECK(times(rig.diary, "b finish") == (where == "open" ? 0 : 1));
      CHECK(rig.diary.back() == (where == "open" ? "a finish" : "b finish"));
      CHECK(held == nullptr);
      if (rig.run) rig.run->finish({});
      CHECK(times(rig.diary, "a finish") == 1);
      rig.host.read_mail();
      CHECK(rig.host.rulings.empty());
      CHECK(rig.host.counts.empty());
      CHECK(rig.host.paused == 0);
      CHECK(rig.host.deadline_changes == (where == "edit" ? 1 : 0));
    }
  }
}

TEST_CASE("an exchange may end inside every call to its host") {
  for (const std::string where : {"request", "delta", "fail", "head", "answer_end", "resume"}) {
    for (const bool destroyed : {false, true}) {
      INFO(where << (destroyed ? ", and the run goes with it" : ""));
      Rig rig;
      Resumer resumer;
      const auto waits = [&](HookContext& context) {
        resumer = context.resumer();
        return Verdict::suspend();
      };
      const auto end_it = [&] {
        rig.end();
        if (destroyed) rig.run.reset();
      };
      rig.add({.name = "a", .wants = kEverything,
               .request = [&](RequestContext& context) { return where == "request" ? waits(context) : Verdict::go_on(); },
               .head = [&](HeadContext& context) { return where == "head" ? waits(context) : Verdict::go_on(); },
               .delta = [&](DeltaContext& context, Delta& delta) { return delta.text == "x" ? waits(context) : Verdict::go_on(); },
               .answer_end = [&](AnswerEndContext& context) { return where == "answer_end" ? waits(context) : Verdict::go_on(); }});
      rig.host.on_ruled = [&](Stage, const Ruling&) { end_it(); };
      rig.host.on_given = [&] {
        if (where == "delta") end_it();
      };
      rig.host.on_resume = [&] {
        if (where == "resume") end_it();
      };
      const auto chain = rig.chain();
      Headers headers;
      if (rig.run->request(chain).kind == Kind::kGoOn && rig.run->head(200, headers).kind == Kind::kGoOn) {
        if (where == "answer_end") {
          CHECK(rig.run->answer_end().kind == Kind::kWait);
        } else {
          CHECK(rig.delta("x").kind == Kind::kWait);
          CHECK(rig.delta(std::string(where == "resume" ? 70'000 : 10, 'y')).kind == Kind::kWait);
          CHECK(rig.delta("behind").kind == Kind::kWait);
        }
      }
      resumer.resume(where == "fail" ? refusal("no") : Verdict::go_on());
      rig.host.read_mail();
      CHECK(times(rig.diary, "a finish") == 1);
      CHECK(rig.diary.back() == "a finish");
      CHECK(rig.host.given.size() == (where == "delta" ? 1 : where == "resume" ? 3 : 0));
      CHECK(rig.host.rulings.size() == (where == "delta" || where == "resume" ? 0 : 1));
    }
  }
}

TEST_CASE("an exchange may end inside a timeout") {
  Rig rig;
  Resumer a, b;
  rig.add({.name = "a", .request = suspends_into(a)}, PluginMode::kEnforce, FailMode::kOpen, 10ms);
  rig.add({.name = "b", .request = suspends_into(b)}, PluginMode::kEnforce, FailMode::kClosed, 10ms);
  rig.host.on_ruled = [&](Stage, const Ruling&) {
    rig.end();
    rig.run.reset();
  };
  REQUIRE(rig.request().kind == Kind::kWait);
  rig.host.time += 10ms;
  rig.run->on_time(rig.host.time);
  CHECK(rig.host.rulings.size() == 1);
  CHECK(rig.diary.back() == "b finish");
}

TEST_CASE("a run that is destroyed without an end tells nobody, and leaves nothing") {
  Rig rig;
  Resumer resumer;
  rig.add({.name = "a", .wants = kWantsDeltas, .delta = [&](DeltaContext& context, Delta&) { return resumer = context.resumer(), Verdict::suspend(); }});
  rig.answer();
  CHECK(rig.delta("one").kind == Kind::kWait);
  CHECK(rig.delta("two").kind == Kind::kWait);
  rig.run.reset();
  CHECK(rig.diary == Diary{"a delta one"});
}

TEST_CASE("a plugin may go with its configuration while its session is in a hook") {
  Rig rig;
  rig.add({.name = "a", .request = [&](RequestContext& context) {
    rig.end();
    rig.run.reset();
    rig.links.clear();  // the run alone holds the plugin now
    CHECK(context.exchange().id().empty());
    return Verdict::go_on();
  }});
  CHECK(rig.run->request(rig.chain()).kind == Kind::kWait);
  CHECK(rig.diary.back() == "a finish");
}
