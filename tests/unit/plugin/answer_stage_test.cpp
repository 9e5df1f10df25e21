// Attempts, heads, deltas and the end of an answer.

#include "unit/plugin/rig.hpp"

using namespace sluice;
using namespace sluice::plugin;
using Kind = Ruling::Kind;
using Given = TestHost::Given;

// PLUG-11
TEST_CASE("where nobody wants anything of an answer, nobody is asked") {
  Rig rig;
  rig.add({.name = "a"});
  rig.observe("log", kWantsRequest);
  CHECK_FALSE(rig.chain()->wants(kWantsDeltas));
  rig.answer();
  Headers headers;
  CHECK(rig.run->attempt("openai", "m", 1, headers).kind == Kind::kGoOn);
  CHECK(rig.run->head(200, headers).kind == Kind::kGoOn);
  CHECK(rig.delta("one").change == Change::kNone);
  CHECK(rig.run->answer_end().kind == Kind::kGoOn);
  CHECK(rig.diary.empty());
}

// PLUG-12
TEST_CASE("every attempt is told, and what was changed for one holds for that one") {
  Rig rig;
  rig.add({.name = "a", .wants = kWantsRequestEdits | kWantsAttempts, .attempt = [](AttemptContext& context) {
    CHECK(context.set_header("x-attempt", std::to_string(context.number())));
    return Verdict::go_on();
  }});
  rig.answer();
  Headers first = {{"x-base", "1"}}, second = {{"x-base", "1"}};
  CHECK(rig.run->attempt("openai", "gpt-4o", 1, first).kind == Kind::kGoOn);
  CHECK(rig.run->attempt("local", "qwen3", 2, second).kind == Kind::kGoOn);
  CHECK(rig.diary == Diary{"a attempt 1 openai gpt-4o", "a attempt 2 local qwen3"});
  CHECK(first.get("x-attempt") == "1");
  CHECK(second.get("x-attempt") == "2");
  CHECK(second.size() == 2);
}

TEST_CASE("each plugin sees the head the one before it left, and the observers see the last") {
  Rig rig;
  rig.host.exchange.fields = {};
  rig.observe("log", kWantsHead);
  rig.add({.name = "a", .wants = kWantsHead, .head = [](HeadContext& context) {
    CHECK(context.status() == 206);
    CHECK(context.set_header("x-a", "1"));
    CHECK(context.set_header("x-a", "2"));
    context.remove_header("x-b");
    return Verdict::go_on();
  }});
  rig.add({.name = "b", .wants = kWantsHead, .head = [](HeadContext& context) {
    CHECK(context.headers().get("x-a") == "2");
    CHECK_FALSE(context.headers().contains("x-b"));
    return Verdict::go_on();
  }});
  rig.answer();
  Headers head = {{"x-b", "1"}};
  CHECK(rig.run->head(206, head).kind == Kind::kGoOn);
  CHECK(head.size() == 1);
  CHECK(rig.diary == Diary{"a head", "b head", "log head 206/2"});
}

TEST_CASE("a head that is looked at when it has been given is empty, not gone") {
  Rig rig;
  HeadContext* held = nullptr;
  rig.add({.name = "a", .wants = kWantsHead, .head = [&](HeadContext& context) { return held = &context, Verdict::go_on(); }});
  rig.answer();
  {
    Headers head = {{"x", "1"}};
    CHECK(rig.run->head(200, head).kind == Kind::kGoOn);
  }
  CHECK(held->headers().empty());
  CHECK_FALSE(held->set_header("x", "2"));
  CHECK(rig.host.counted(Count::kError, "a") == 1);
}

TEST_CASE("framing is not a plugin's to change, nor is a value that would break out of its line") {
  Rig rig;
  rig.add({.name = "a", .wants = kWantsHead, .head = [](HeadContext& context) {
    const Status own = context.set_header("content-length", "1");
    CHECK(own.error().code == Code::kInvalidParameter);
    context.remove_header("content-length");
    CHECK(context.set_header("x", "a\r\nb").error().code == Code::kInvalidHeader);
    return Verdict::go_on();
  }});
  rig.answer();
  Headers head = {{"content-length", "7"}};
  CHECK(rig.run->head(200, head).kind == Kind::kGoOn);
  CHECK(head.get("content-length") == "7");
}

TEST_CASE("an attempt's headers belong to those who asked to edit requests") {
  Rig rig;
  rig.add({.name = "a", .wants = kWantsAttempts, .attempt = [](AttemptContext& context) {
    CHECK_FALSE(context.set_header("x", "1"));
    return Verdict::go_on();
  }});
  rig.answer();
  Headers wire;
  CHECK(rig.run->attempt("openai", "m", 1, wire).kind == Kind::kFail);
  CHECK(wire.empty());
}

// PLUG-16, PLUG-23
TEST_CASE("each plugin sees the text the one before it left, and the observers what the caller sees") {
  Rig rig;
  rig.observe("log", kWantsDeltas);
  rig.add({.name = "a", .wants = kWantsDeltaEdits, .delta = appends("a")});
  rig.add({.name = "b", .wants = kWantsDeltas});
  rig.add({.name = "c", .wants = kWantsDeltaEdits, .phase = Phase::kTransform, .delta = appends("c")});
  rig.answer();
  CHECK(rig.delta("1").change == Change::kEdited);
  CHECK(rig.diary == Diary{"a delta 1", "b delta 1a", "c delta 1a", "log delta 1ac"});
  CHECK(rig.host.given == std::vector<Given>{{"1ac", Change::kEdited}});
}

// PLUG-23
TEST_CASE("text that is held back reaches nobody behind, and may be added at the end, before the end is told") {
  Rig rig;
  std::string kept;
  rig.add({.name = "before", .wants = kWantsDeltas});
  rig.add({.name = "holder", .wants = kWantsDeltaEdits,
           .delta = [&](DeltaContext&, Delta& delta) { return kept += std::exchange(delta.text, {}), Verdict::go_on(); },
           .answer_end = [&](AnswerEndContext& context) {
             context.emit({.text = kept});
             context.emit({.text = "!"});
             return Verdict::go_on();
           }});
  rig.add({.name = "behind", .wants = kWantsDeltaEdits, .delta = appends("?")});
  rig.observe("log", kWantsDeltas);
  rig.answer();
  CHECK(rig.delta("one ").change == Change::kEdited);
  CHECK(rig.delta("two").change == Change::kEdited);
  CHECK(rig.run->answer_end().kind == Kind::kGoOn);
  CHECK(rig.diary == Diary{"before delta one ", "holder delta one ", "before delta two", "holder delta two", "before answer_end", "holder answer_end",
                           "behind delta one two", "log delta one two?", "behind delta !", "log delta !?", "behind answer_end"});
  CHECK(rig.host.given == std::vector<Given>{{"", Change::kEdited}, {"", Change::kEdited}, {"one two?", Change::kAdded}, {"!?", Change::kAdded}});
}

// PLUG-23
TEST_CASE("an answer that came whole goes through the same hooks as one delta") {
  Rig rig;
  rig.add({.name = "a", .wants = kWantsDeltaEdits | kWantsHead, .delta = appends("!")});
  rig.answer();
  Headers head;
  CHECK(rig.run->head(200, head).kind == Kind::kGoOn);
  CHECK(rig.delta("the whole answer").change == Change::kEdited);
  CHECK(rig.run->answer_end().kind == Kind::kGoOn);
  CHECK(rig.diary == Diary{"a head", "a delta the whole answer", "a answer_end"});
  CHECK(rig.host.given == std::vector<Given>{{"the whole answer!", Change::kEdited}});
}

TEST_CASE("a delta that begins a tool call goes on with its text held back") {
  Rig rig;
  rig.add({.name = "a", .wants = kWantsDeltaEdits, .delta = [](DeltaContext&, Delta& delta) { return delta.text.clear(), Verdict::go_on(); }});
  rig.add({.name = "b", .wants = kWantsDeltas});
  rig.answer();
  Delta delta{.channel = Channel::kToolArguments, .tool_index = 2, .tool_name = "weather", .text = "{"};
  CHECK(rig.run->delta(delta).kind == Kind::kGoOn);
  CHECK(delta.tool_name == "weather");
  CHECK(rig.diary == Diary{"a delta {", "b delta "});
}

TEST_CASE("of a delta the text alone can be changed") {
  Rig rig;
  rig.add({.name = "a", .wants = kWantsDeltaEdits, .delta = [](DeltaContext&, Delta& delta) {
    delta.choice = 9;
    delta.channel = Channel::kRefusal;
    delta.tool_index = 9;
    delta.tool_name = "other";
    delta.text += delta.text == "{" ? "" : "!";
    return Verdict::go_on();
  }});
  rig.answer();
  Delta delta{.choice = 1, .channel = Channel::kToolArguments, .tool_index = 2, .tool_name = "weather", .text = "{"};
  for (const bool edited : {false, true}) {
    if (edited) delta.text = "}";
    CHECK(rig.run->delta(delta).change == (edited ? Change::kEdited : Change::kNone));
    CHECK(delta.choice == 1);
    CHECK(delta.channel == Channel::kToolArguments);
    CHECK(delta.tool_index == 2);
    CHECK(delta.tool_name == "weather");
    CHECK(delta.text == (edited ? "}!" : "{"));
  }
}

TEST_CASE("who changes or adds text without having asked to has failed, and nothing is changed") {
  for (const FailMode mode : {FailMode::kClosed, FailMode::kOpen}) {
    Rig rig;
    rig.add({.name = "a", .wants = kWantsDeltas,
             .delta = appends("!"),
             .answer_end = [](AnswerEndContext& context) { return context.emit({.text = "more"}), Verdict::go_on(); }},
            PluginMode::kEnforce, mode);
    rig.answer();
    const Ruling ruling = rig.delta("one");
    CHECK(ruling.kind == (mode == FailMode::kOpen ? Kind::kGoOn : Kind::kFail));
    if (mode == FailMode::kClosed) {
      CHECK(ruling.verdict.error().code == Code::kPluginError);
      CHECK_THAT(ruling.verdict.error().message, Catch::Contains("kWantsDeltaEdits"));
      continue;
    }
    CHECK(rig.host.given == std::vector<Given>{{"one"}});
    CHECK(rig.run->answer_end().kind == Kind::kGoOn);
    CHECK(rig.host.given.size() == 1);
    CHECK(rig.host.counted(Count::kFailedOpen, "a") == 2);
  }
}

// PLUG-04
TEST_CASE("a reply is no verdict on an answer") {
  Rig rig;
  rig.add({.name = "a", .wants = kWantsHead, .head = says(Verdict::reply({}))});
  rig.answer();
  Headers head;
  const Ruling ruling = rig.run->head(200, head);
  REQUIRE(ruling.kind == Kind::kFail);
  CHECK(ruling.verdict.error().code == Code::kPluginError);
  CHECK_THAT(ruling.verdict.error().message, Catch::Contains("on_head"));
}

// PLUG-14
TEST_CASE("a judgement on a delta comes up with its plugin's name, at once or when it is made; then nothing runs any more") {
  for (const bool late : {false, true}) {
    Rig rig;
    Resumer resumer;
    rig.add({.name = "a", .wants = kWantsDeltas, .delta = [&](DeltaContext& context, Delta& delta) {
      if (delta.text != "bad") return Verdict::go_on();
      if (!late) return refusal("not this", Code::kConsumerNotAllowed);
      resumer = context.resumer();
      return Verdict::suspend();
    }});
    rig.add({.name = "b", .wants = kWantsDeltas});
    rig.answer();
    CHECK(rig.delta("good").kind == Kind::kGoOn);
    Ruling ruling = rig.delta("bad");
    if (late) {
      CHECK(ruling.kind == Kind::kWait);
      CHECK(rig.delta("behind").kind == Kind::kWait);
      resumer.resume(refusal("not this", Code::kConsumerNotAllowed));
      rig.host.read_mail();
      REQUIRE(rig.host.rulings.size() == 1);
      CHECK(rig.host.rulings[0].first == Stage::kDelta);
      ruling = rig.host.rulings[0].second;
    }
    REQUIRE(ruling.kind == Kind::kFail);
    CHECK(ruling.plugin == "a");
    CHECK(ruling.verdict.error().code == Code::kConsumerNotAllowed);
    CHECK(rig.delta("more").kind == Kind::kWait);
    CHECK(rig.run->answer_end().kind == Kind::kWait);
    CHECK(rig.host.given == std::vector<Given>{{"good"}});
    CHECK(rig.diary == Diary{"a delta good", "b delta good", "a delta bad"});
    rig.end();
    CHECK(rig.diary.back() == "b finish");
  }
}

TEST_CASE("added text that a plugin behind refuses ends the answer's end") {
  Rig rig;
  rig.add({.name = "a", .wants = kWantsDeltaEdits, .answer_end = [](AnswerEndContext& context) { return context.emit({.text = "x"}), Verdict::go_on(); }});
  rig.add({.name = "b", .wants = kWantsDeltas, .delta = [](DeltaContext&, Delta&) { return refusal("no"); }});
  rig.answer();
  const Ruling ruling = rig.run->answer_end();
  CHECK(ruling.kind == Kind::kFail);
  CHECK(ruling.plugin == "b");
  CHECK(rig.host.given.empty());
  CHECK(rig.host.rulings.empty());
}
