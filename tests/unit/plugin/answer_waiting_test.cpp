// Answers that wait for a plugin: order, bounds, and what comes late.

#include "unit/plugin/rig.hpp"

using namespace sluice;
using namespace sluice::plugin;
using Kind = Ruling::Kind;
using Given = TestHost::Given;

// PLUG-12
TEST_CASE("an attempt can be waited for, and refused") {
  Rig rig;
  Resumer resumer;
  AttemptContext* held = nullptr;
  rig.add({.name = "token", .wants = kWantsRequestEdits | kWantsAttempts, .attempt = [&](AttemptContext& context) {
    held = &context;
    resumer = context.resumer();
    return Verdict::suspend();
  }});
  rig.answer();
  Headers wire;
  CHECK(rig.run->attempt("openai", "m", 1, wire).kind == Kind::kWait);
  SECTION("it goes on with a token") {
    resumer.resume(Verdict::go_on(), [held] { CHECK(held->set_header("x-token", "t")); });
    rig.host.read_mail();
    REQUIRE(rig.host.rulings.size() == 1);
    CHECK(rig.host.rulings[0].first == Stage::kAttempt);
    CHECK(rig.host.rulings[0].second.kind == Kind::kGoOn);
    CHECK(wire.get("x-token") == "t");
  }
  SECTION("it is refused") {
    resumer.resume(refusal("no token"));
    rig.host.read_mail();
    REQUIRE(rig.host.rulings.size() == 1);
    CHECK(rig.host.rulings[0].first == Stage::kAttempt);
    CHECK(rig.host.rulings[0].second.kind == Kind::kFail);
    CHECK(rig.host.rulings[0].second.plugin == "token");
    CHECK(wire.empty());
  }
}

TEST_CASE("the next attempt gives up what the one before left waiting") {
  Rig rig;
  Resumer resumer;
  rig.add({.name = "a", .wants = kWantsDeltas, .delta = suspends_on("one", resumer)});
  rig.answer();
  Headers wire;
  CHECK(rig.run->attempt("openai", "m", 1, wire).kind == Kind::kGoOn);
  CHECK(rig.delta("one").kind == Kind::kWait);
  CHECK(rig.delta(std::string(70'000, 'x')).kind == Kind::kWait);
  CHECK(rig.host.paused == 1);
  CHECK(rig.run->attempt("local", "m", 2, wire).kind == Kind::kGoOn);
  CHECK(rig.host.resumed == 1);
  CHECK_FALSE(rig.run->waiting());
  CHECK_FALSE(rig.run->next_deadline());
  resumer.resume(refusal("late"));
  rig.host.read_mail();
  CHECK(rig.host.rulings.empty());
  CHECK(rig.host.counted(Count::kIgnoredResume, "a") == 1);
  CHECK(rig.delta("two").kind == Kind::kGoOn);
  CHECK(rig.host.given == std::vector<Given>{{"two"}});
}

TEST_CASE("deltas behind one that waits come in order, each once, and so does the end") {
  Rig rig;
  Resumer first, second;
  rig.add({.name = "a", .wants = kWantsDeltaEdits, .delta = suspends_on("2", first)});
  rig.add({.name = "b", .wants = kWantsDeltaEdits, .delta = suspends_on("3!", second)});
  rig.answer();
  CHECK(rig.delta("1").kind == Kind::kGoOn);
  CHECK(rig.delta("2").kind == Kind::kWait);
  CHECK(rig.delta("3!").kind == Kind::kWait);
  CHECK(rig.delta("4").kind == Kind::kWait);
  CHECK(rig.run->answer_end().kind == Kind::kWait);
  CHECK(rig.diary == Diary{"a delta 1", "b delta 1", "a delta 2"});
  first.resume(Verdict::go_on());
  rig.host.read_mail();
  CHECK(rig.host.given == std::vector<Given>{{"1"}, {"2"}});
  CHECK(rig.diary.back() == "b delta 3!");
  CHECK(rig.run->waiting());
  second.resume(Verdict::go_on());
  rig.host.read_mail();
  CHECK(rig.host.given == std::vector<Given>{{"1"}, {"2"}, {"3!"}, {"4"}});
  REQUIRE(rig.host.rulings.size() == 1);
  CHECK(rig.host.rulings[0].first == Stage::kAnswerEnd);
  CHECK(rig.host.rulings[0].second.kind == Kind::kGoOn);
  CHECK(rig.host.paused == 0);
}

TEST_CASE("who waited changes the delta as it is resumed; who is too late changes nothing") {
  Rig rig;
  Resumer resumer;
  Delta* held = nullptr;
  rig.add({.name = "a", .wants = kWantsDeltaEdits, .delta = [&](DeltaContext& context, Delta& delta) {
    held = &delta;
    resumer = context.resumer();
    return Verdict::suspend();
  }}, PluginMode::kEnforce, FailMode::kOpen, 100ms);
  rig.answer();
  CHECK(rig.delta("one").kind == Kind::kWait);
  resumer.resume(Verdict::go_on(), [held] { held->text = "ONE"; });
  rig.host.read_mail();
  CHECK(rig.host.given == std::vector<Given>{{"ONE", Change::kEdited}});
  CHECK(rig.delta("two").kind == Kind::kWait);
  rig.host.time += 100ms;
  rig.run->on_time(rig.host.time);
  resumer.resume(Verdict::go_on(), [held] { held->text = "TWO"; });
  rig.host.read_mail();
  CHECK(rig.host.given == std::vector<Given>{{"ONE", Change::kEdited}, {"two"}});
}

// PLUG-05
TEST_CASE("a Resumer of an earlier hook does not resume the one that waits now") {
  Rig rig;
  std::vector<Resumer> resumers;
  rig.add({.name = "a", .wants = kWantsDeltas, .delta = [&](DeltaContext& context, Delta&) {
    resumers.push_back(context.resumer());
    return Verdict::suspend();
  }}, PluginMode::kEnforce, FailMode::kOpen, 100ms);
  rig.answer();
  CHECK(rig.delta("one").kind == Kind::kWait);
  rig.host.time += 100ms;
  rig.run->on_time(rig.host.time);
  CHECK(rig.delta("two").kind == Kind::kWait);
  resumers[0].resume(refusal("late"));
  rig.host.read_mail();
  CHECK(rig.run->waiting());
  CHECK(rig.host.rulings.empty());
  CHECK(rig.host.counted(Count::kIgnoredResume, "a") == 1);
  resumers[1].resume(Verdict::go_on());
  rig.host.read_mail();
  CHECK(rig.host.given == std::vector<Given>{{"one"}, {"two"}});
}

TEST_CASE("what waits is bounded: the upstream is paused at 64 KiB and goes on when nothing waits any more") {
  Rig rig;
  Resumer resumer;
  rig.add({.name = "a", .wants = kWantsDeltas, .delta = suspends_on("x", resumer)});
  rig.answer();
  CHECK(rig.delta("x").kind == Kind::kWait);
  std::size_t text = 1;
  int sent = 0;
  for (; rig.host.paused == 0 && sent < 100; ++sent) {
    CHECK(rig.delta(std::string(1024, 'y')).kind == Kind::kWait);
    text += 1024;
  }
  CHECK(rig.host.paused == 1);
  CHECK(text <= 64 * 1024);
  CHECK(text > 48 * 1024);
  CHECK(rig.delta("still on its way").kind == Kind::kWait);
  CHECK(rig.host.paused == 1);
  CHECK(rig.host.resumed == 0);
  rig.host.on_resume = [&] { CHECK(rig.delta("after").kind == Kind::kGoOn); };  // a transport that delivers at once
  resumer.resume(Verdict::go_on());
  rig.host.read_mail();
  CHECK(rig.host.resumed == 1);
  REQUIRE(rig.host.given.size() == static_cast<std::size_t>(sent) + 3);
  CHECK(rig.host.given[0].text == "x");
  CHECK(rig.host.given.back().text == "after");
}

TEST_CASE("many small deltas that wait are bounded too, by what they take and not by their text alone") {
  Rig rig;
  Resumer resumer;
  rig.add({.name = "a", .wants = kWantsDeltas, .delta = suspends_on("x", resumer)});
  rig.answer();
  CHECK(rig.delta("x").kind == Kind::kWait);
  int sent = 0;
  while (rig.host.paused == 0 && sent < 2000) ++sent, (void)rig.delta("y");
  CHECK(rig.host.paused == 1);
  CHECK(sent > 100);
}

TEST_CASE("deltas that come while the head waits are kept behind it") {
  Rig rig;
  Resumer resumer;
  rig.add({.name = "a", .wants = kWantsHead | kWantsDeltas, .head = suspends_into(resumer)});
  rig.answer();
  Headers head;
  CHECK(rig.run->head(200, head).kind == Kind::kWait);
  CHECK(rig.delta("one").kind == Kind::kWait);
  CHECK(rig.diary == Diary{"a head"});
  std::size_t given_before_head = 99;
  rig.host.on_ruled = [&](Stage stage, const Ruling&) {
    if (stage == Stage::kHead) given_before_head = rig.host.given.size();
  };
  resumer.resume(Verdict::go_on());
  rig.host.read_mail();
  CHECK(given_before_head == 0);
  REQUIRE(rig.host.rulings.size() == 1);
  CHECK(rig.host.rulings[0].first == Stage::kHead);
  CHECK(rig.host.given == std::vector<Given>{{"one"}});
}

TEST_CASE("a delta that comes while the host is given another one takes its place behind") {
  Rig rig;
  Resumer resumer;
  rig.add({.name = "a", .wants = kWantsDeltas, .delta = suspends_on("1", resumer)});
  rig.answer();
  CHECK(rig.delta("1").kind == Kind::kWait);
  CHECK(rig.delta("2").kind == Kind::kWait);
  rig.host.on_given = [&] {
    const std::size_t given = rig.host.given.size();
    if (given == 1) CHECK(rig.delta("3").kind == Kind::kWait);
    if (given == 3) CHECK(rig.delta("4").kind == Kind::kWait);  // also where none is behind it
    if (given == 4) CHECK(rig.run->answer_end().kind == Kind::kWait);
    CHECK(rig.host.given.size() == given);
  };
  resumer.resume(Verdict::go_on());
  rig.host.read_mail();
  CHECK(rig.host.given == std::vector<Given>{{"1"}, {"2"}, {"3"}, {"4"}});
  REQUIRE(rig.host.rulings.size() == 1);
  CHECK(rig.host.rulings[0].first == Stage::kAnswerEnd);
}

TEST_CASE("added text can be waited for by the plugins behind, before they hear the end") {
  Rig rig;
  Resumer resumer, at_end;
  rig.add({.name = "a", .wants = kWantsDeltaEdits, .answer_end = [](AnswerEndContext& context) {
    context.emit({.text = "x"});
    context.emit({.text = "y"});
    return Verdict::go_on();
  }});
  rig.add({.name = "b", .wants = kWantsDeltas, .delta = suspends_on("x", resumer), .answer_end = suspends_into(at_end)});
  rig.answer();
  CHECK(rig.run->answer_end().kind == Kind::kWait);
  CHECK(rig.diary == Diary{"a answer_end", "b delta x"});
  resumer.resume(Verdict::go_on());
  rig.host.read_mail();
  CHECK(rig.diary == Diary{"a answer_end", "b delta x", "b delta y", "b answer_end"});
  CHECK(rig.host.given == std::vector<Given>{{"x", Change::kAdded}, {"y", Change::kAdded}});
  CHECK(rig.host.rulings.empty());
  at_end.resume(Verdict::go_on());
  rig.host.read_mail();
  REQUIRE(rig.host.rulings.size() == 1);
  CHECK(rig.host.rulings[0].first == Stage::kAnswerEnd);
}

TEST_CASE("the deltas of one plugin are one line of the account, with the gravest it said and all it waited") {
  Rig rig;
  Resumer resumer;
  rig.add({.name = "a", .wants = kWantsDeltaEdits, .delta = [&](DeltaContext& context, Delta& delta) {
    context.report({.kind = "seen", .where = delta.text});
    if (delta.text == "edit") delta.text = "EDIT";
    if (delta.text != "wait") return Verdict::go_on();
    resumer = context.resumer();
    return Verdict::suspend();
  }});
  rig.answer();
  CHECK(rig.delta("1").kind == Kind::kGoOn);
  CHECK(rig.delta("edit").kind == Kind::kGoOn);
  for (int i = 0; i < 2; ++i) {
    CHECK(rig.delta("wait").kind == Kind::kWait);
    rig.host.time += 10ms;
    resumer.resume(Verdict::go_on());
    rig.host.read_mail();
  }
  const Outcome outcome = rig.end();
  REQUIRE(outcome.verdicts.size() == 1);
  CHECK(outcome.verdicts[0].hook == "delta");
  CHECK(outcome.verdicts[0].verdict == "edit");
  CHECK(outcome.verdicts[0].took == 20ms);
  CHECK(outcome.verdicts[0].detections.size() == 4);
  CHECK(outcome.plugin_time == 20ms);
}
