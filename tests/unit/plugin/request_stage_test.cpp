// What is asked before an attempt: order, refusals, replies, versions, choices.

#include "unit/plugin/rig.hpp"

using namespace sluice;
using namespace sluice::plugin;
using Kind = Ruling::Kind;

// PLUG-01
TEST_CASE("who authenticates is asked on the head, the others on the whole request, phase by phase") {
  Rig rig;
  rig.observe("log", kWantsRequest);
  rig.add({.name = "route", .phase = Phase::kRoute});
  rig.add({.name = "edit", .wants = kWantsRequestEdits, .phase = Phase::kTransform});
  rig.add({.name = "guard"});
  rig.add({.name = "key", .phase = Phase::kAuthenticate});
  const auto chain = rig.chain();
  CHECK(rig.run->authenticate(chain).kind == Kind::kGoOn);
  CHECK(rig.diary == Diary{"key request"});
  CHECK(rig.run->request(chain).kind == Kind::kGoOn);
  CHECK(rig.diary == Diary{"key request", "log open '' 0", "guard request", "edit request", "route request", "log request hello"});
}

TEST_CASE("who authenticates and was not asked on the head is asked on the request") {
  Rig rig;
  rig.add({.name = "guard"});
  rig.add({.name = "key", .phase = Phase::kAuthenticate, .request = says(refusal("no key", Code::kUnauthorized))});
  const Ruling ruling = rig.request();
  CHECK(ruling.kind == Kind::kFail);
  CHECK(ruling.plugin == "key");
  CHECK(rig.diary == Diary{"key request"});
}

TEST_CASE("a refusal on the head opens nobody else, and whom it opened hears the end") {
  Rig rig;
  rig.add({.name = "key", .phase = Phase::kAuthenticate, .request = says(refusal("no key", Code::kUnauthorized))});
  rig.add({.name = "guard"});
  const Ruling ruling = rig.run->authenticate(rig.chain());
  REQUIRE(ruling.kind == Kind::kFail);
  CHECK(ruling.verdict.error().code == Code::kUnauthorized);
  rig.end();
  CHECK(rig.diary == Diary{"key request", "key finish"});
}

// PLUG-02
TEST_CASE("a guard that refuses ends it: nobody behind it starts, and every session hears the end once") {
  Rig rig;
  rig.add({.name = "a"});
  rig.add({.name = "b", .request = says(refusal("no"))});
  rig.add({.name = "c"});
  rig.add({.name = "edit", .wants = kWantsRequestEdits, .phase = Phase::kTransform});
  rig.observe("log", kWantsRequest);
  const Ruling ruling = rig.request();
  REQUIRE(ruling.kind == Kind::kFail);
  CHECK(ruling.plugin == "b");
  CHECK(ruling.verdict.error().message == "no");
  rig.end();
  rig.run->finish({});
  CHECK(rig.diary == Diary{"log open '' 0", "a request", "b request", "a finish", "b finish", "c finish", "edit finish", "log finish"});
}

// PLUG-02
TEST_CASE("a phase does not begin while a plugin of the phase before it is waited for") {
  Rig rig;
  Resumer resumer;
  rig.add({.name = "guard", .request = suspends_into(resumer)});
  rig.add({.name = "edit", .wants = kWantsRequestEdits, .phase = Phase::kTransform});
  CHECK(rig.request().kind == Kind::kWait);
  CHECK(rig.run->waiting());
  CHECK(rig.diary == Diary{"guard request"});
  SECTION("it goes on") {
    resumer.resume(Verdict::go_on());
    rig.host.read_mail();
    CHECK(rig.diary == Diary{"guard request", "edit request"});
    REQUIRE(rig.host.rulings.size() == 1);
    CHECK(rig.host.rulings[0].first == Stage::kRequest);
    CHECK(rig.host.rulings[0].second.kind == Kind::kGoOn);
    CHECK_FALSE(rig.run->waiting());
  }
  SECTION("it refuses") {
    resumer.resume(refusal("no"));
    rig.host.read_mail();
    CHECK(rig.diary == Diary{"guard request"});
    REQUIRE(rig.host.rulings.size() == 1);
    CHECK(rig.host.rulings[0].second.kind == Kind::kFail);
    CHECK(rig.host.rulings[0].second.plugin == "guard");
  }
}

// PLUG-03
TEST_CASE("of two guards that refuse, the first of the chain is heard, whoever is the faster") {
  for (const bool second_first : {false, true}) {
    Rig rig;
    Resumer a, b;
    rig.add({.name = "a", .request = suspends_into(a)});
    rig.add({.name = "b", .request = suspends_into(b)});
    REQUIRE(rig.request().kind == Kind::kWait);
    CHECK(rig.diary == Diary{"a request", "b request"});  // together
    if (second_first) b.resume(refusal("b says no"));
    if (second_first) rig.host.read_mail();
    CHECK(rig.host.rulings.empty());
    a.resume(refusal("a says no"));
    b.resume(refusal("b says no"));
    rig.host.read_mail();
    REQUIRE(rig.host.rulings.size() == 1);
    CHECK(rig.host.rulings[0].second.plugin == "a");
    CHECK(rig.host.rulings[0].second.verdict.error().message == "a says no");
    // What b had said when a decided is heard for the account, and only for that.
    const auto verdicts = rig.end().verdicts;
    REQUIRE(verdicts.size() == (second_first ? 2 : 1));
    CHECK(verdicts[0].message == "a says no");
    CHECK(verdicts.back().message == (second_first ? "b says no" : "a says no"));
  }
}

// PLUG-03
TEST_CASE("a refusal that is in early waits for those before it, and stands when they go on") {
  Rig rig;
  Resumer a, b;
  rig.add({.name = "a", .request = suspends_into(a)});
  rig.add({.name = "b", .request = suspends_into(b)});
  rig.add({.name = "c", .request = says(refusal("c says no"))});
  rig.add({.name = "d"});
  REQUIRE(rig.request().kind == Kind::kWait);
  CHECK(rig.diary == Diary{"a request", "b request", "c request"});  // d need not begin: somebody refuses already
  b.resume(Verdict::go_on());
  rig.host.read_mail();
  CHECK(rig.host.rulings.empty());
  a.resume(Verdict::go_on());
  rig.host.read_mail();
  REQUIRE(rig.host.rulings.size() == 1);
  CHECK(rig.host.rulings[0].second.plugin == "c");
  CHECK(rig.diary.size() == 3);
}

TEST_CASE("neighbours that only read run together; who edits, and who routes, runs alone") {
  Rig rig;
  Resumer wait[6];
  const auto script = [&](int i, std::string name, Phase phase, Wants wants) {
    return Script{.name = std::move(name), .wants = wants, .phase = phase, .request = suspends_into(wait[i])};
  };
  rig.add(script(0, "g1", Phase::kGuard, kWantsPrompt));
  rig.add(script(1, "g2", Phase::kGuard, kWantsRequestEdits));
  rig.add(script(2, "g3", Phase::kGuard, kWantsRequest));
  rig.add(script(3, "t1", Phase::kTransform, kWantsRequest));
  rig.add(script(4, "r1", Phase::kRoute, kWantsRequest));
  rig.add(script(5, "r2", Phase::kRoute, kWantsRequest));
  REQUIRE(rig.request().kind == Kind::kWait);
  const Diary order = {"g1 request", "g2 request", "g3 request", "t1 request", "r1 request", "r2 request"};
  for (std::size_t i = 0; i < 6; ++i) {
    CHECK(rig.diary == Diary(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(i) + 1));
    wait[i].resume(Verdict::go_on());
    rig.host.read_mail();
  }
  CHECK(rig.host.rulings.size() == 1);
}

// PLUG-04
TEST_CASE("a reply ends the request stage and comes up with its plugin's name") {
  Rig rig;
  rig.add({.name = "cache", .request = says(Verdict::reply({.status = 203, .text = "from memory", .headers = {{"x-cache", "hit"}}}))});
  rig.add({.name = "behind"});
  const Ruling ruling = rig.request();
  REQUIRE(ruling.kind == Kind::kReply);
  CHECK(ruling.plugin == "cache");
  CHECK(ruling.verdict.reply().status == 203);
  CHECK(ruling.verdict.reply().text == "from memory");
  CHECK(ruling.verdict.reply().headers.get("x-cache") == "hit");
  CHECK(rig.diary == Diary{"cache request"});
  const Outcome outcome = rig.end();
  REQUIRE(outcome.verdicts.size() == 1);
  CHECK(outcome.verdicts[0].verdict == "reply");
  CHECK(outcome.verdicts[0].code == Code::kOk);
}

// PLUG-04
TEST_CASE("a reply gives up those behind it who are waited for") {
  Rig rig;
  Resumer a, b;
  rig.add({.name = "a", .request = suspends_into(a)}, PluginMode::kEnforce, FailMode::kClosed, 0ms);
  rig.add({.name = "b", .request = suspends_into(b)});
  REQUIRE(rig.request().kind == Kind::kWait);
  rig.host.time += 10ms;
  a.resume(Verdict::reply({}));
  rig.host.read_mail();
  REQUIRE(rig.host.rulings.size() == 1);
  CHECK(rig.host.rulings[0].second.kind == Kind::kReply);
  CHECK_FALSE(rig.run->waiting());
  CHECK_FALSE(rig.run->next_deadline());
  rig.host.time += 10s;
  CHECK(rig.run->waited() == 10ms);
  rig.run->on_time(rig.host.time);
  b.resume(refusal("late"));
  rig.host.read_mail();
  CHECK(rig.host.rulings.size() == 1);
  CHECK(rig.host.counted(Count::kIgnoredResume, "b") == 1);
}

// PLUG-04
TEST_CASE("an error keeps its status, its code and its moment to come back") {
  Rig rig;
  Error error = make_error(Code::kOverloaded, "later");
  error.http_status = 529;
  error.retry_after = 7s;
  rig.add({.name = "a", .request = says(Verdict::fail(error))});
  const Ruling ruling = rig.request();
  REQUIRE(ruling.kind == Kind::kFail);
  CHECK(ruling.verdict.error().http_status == 529);
  CHECK(ruling.verdict.error().code == Code::kOverloaded);
  CHECK(ruling.verdict.error().retry_after == 7s);
}

TEST_CASE("deltas of a reply can be sent through the plugins behind") {
  Rig rig;
  rig.add({.name = "cache", .request = says(Verdict::reply({}))});
  rig.observe("log", kWantsDeltas);
  REQUIRE(rig.request().kind == Kind::kReply);
  CHECK(rig.delta("from memory").kind == Kind::kGoOn);
  CHECK(rig.diary.back() == "log delta from memory");
}

// PLUG-06
TEST_CASE("who edits sees the version before, and the last one is what is there") {
  Rig rig;
  const auto adds = [](std::string what) {
    return [what](RequestContext& context) {
      const std::string before(context.exchange().body());
      CHECK(context.set_json("/" + what, "1"));
      CHECK(context.exchange().body() == before + "+/" + what + "=1");
      return Verdict::go_on();
    };
  };
  std::vector<std::string> seen;
  const auto reads = [&](RequestContext& context) {
    seen.emplace_back(context.exchange().body());
    return Verdict::go_on();
  };
  rig.add({.name = "a", .wants = kWantsRequestEdits, .request = adds("a")});
  rig.add({.name = "look", .request = reads});
  rig.add({.name = "b", .wants = kWantsRequestEdits, .request = adds("b")});
  rig.add({.name = "t", .wants = kWantsRequestEdits, .phase = Phase::kTransform, .request = adds("t")});
  rig.add({.name = "look2", .phase = Phase::kTransform, .request = reads});
  rig.observe("log", kWantsRequest);
  CHECK(rig.request().kind == Kind::kGoOn);
  CHECK(rig.host.exchange.text == "hello+/a=1+/b=1+/t=1");
  CHECK(seen == std::vector<std::string>{"hello+/a=1", "hello+/a=1+/b=1+/t=1"});
  CHECK(rig.host.versions == 3);
  // PLUG-16
  CHECK(rig.diary.back() == "log request hello+/a=1+/b=1+/t=1");
  const Outcome outcome = rig.end();
  REQUIRE(outcome.verdicts.size() == 3);
  CHECK(outcome.verdicts[0].plugin == "a");
  CHECK(outcome.verdicts[0].hook == "request");
  CHECK(outcome.verdicts[0].verdict == "edit");
}

// PLUG-06
TEST_CASE("every way to change a request reaches its version") {
  Rig rig;
  rig.host.exchange.fields = {{"x-old", "1"}};
  rig.add({.name = "a", .wants = kWantsRequestEdits, .request = [](RequestContext& context) {
    CHECK(context.set_body("B"));
    CHECK(context.remove_json("/x"));
    CHECK(context.set_prompt_text(2, "T"));
    CHECK(context.set_header("x-new", "1"));
    CHECK_FALSE(context.set_header("x-new", "a\nb"));
    context.remove_header("x-old");
    return Verdict::go_on();
  }});
  CHECK(rig.request().kind == Kind::kGoOn);
  CHECK(rig.host.exchange.text == "B-/x#2=T");
  CHECK(rig.host.exchange.fields.get("x-new") == "1");
  CHECK_FALSE(rig.host.exchange.fields.contains("x-old"));
}

TEST_CASE("what a plugin changed goes with its verdict: nothing stays of one that errs or refuses") {
  for (const bool errs : {true, false}) {
    Rig rig;
    rig.add({.name = "a", .wants = kWantsRequestEdits, .request = [errs](RequestContext& context) {
      CHECK(context.set_body("half"));
      return errs ? refusal("lost", Code::kPluginError) : refusal("no");
    }}, PluginMode::kEnforce, FailMode::kOpen);
    CHECK(rig.request().kind == (errs ? Kind::kGoOn : Kind::kFail));
    CHECK(rig.host.exchange.text == "hello");
    CHECK(rig.host.versions == 0);
  }
}

TEST_CASE("a version that is no request any more is its plugin's failure") {
  Rig rig;
  rig.add({.name = "a", .wants = kWantsRequestEdits, .request = [](RequestContext& context) {
    CHECK(context.set_body("broken"));
    return Verdict::go_on();
  }});
  const Ruling ruling = rig.request();
  REQUIRE(ruling.kind == Kind::kFail);
  CHECK(ruling.verdict.error().code == Code::kPluginError);
  CHECK_THAT(ruling.verdict.error().message, Catch::Contains("'a'") && Catch::Contains("no JSON"));
  CHECK(rig.host.exchange.text == "hello");
}

TEST_CASE("who has not asked to edit changes nothing, and has failed") {
  Rig rig;
  rig.add({.name = "a", .request = [](RequestContext& context) {
    CHECK_FALSE(context.set_body("mine"));
    context.remove_header("x");
    return Verdict::go_on();
  }});
  const Ruling ruling = rig.request();
  REQUIRE(ruling.kind == Kind::kFail);
  CHECK(ruling.verdict.error().code == Code::kPluginError);
  CHECK_THAT(ruling.verdict.error().message, Catch::Contains("'a'") && Catch::Contains("kWantsRequestEdits"));
  CHECK(rig.host.exchange.text == "hello");
}

// PLUG-21
TEST_CASE("a router chooses among the route's upstreams") {
  Rig rig;
  rig.add({.name = "r", .phase = Phase::kRoute, .request = [](RequestContext& context) {
    CHECK(context.choose({{.upstream = "local"}, {.upstream = "openai"}}));
    return Verdict::go_on();
  }});
  CHECK(rig.request().kind == Kind::kGoOn);
  CHECK(rig.host.chosen == std::vector<std::string>{"local", "openai"});
}

// PLUG-21
TEST_CASE("a router that names an upstream of another route has failed, though it goes on") {
  Rig rig;
  rig.add({.name = "r", .phase = Phase::kRoute, .request = [](RequestContext& context) {
    CHECK(context.choose({{.upstream = "local"}}));
    CHECK_FALSE(context.choose({{.upstream = "elsewhere"}}));
    return Verdict::go_on();
  }});
  const Ruling ruling = rig.request();
  REQUIRE(ruling.kind == Kind::kFail);
  CHECK(ruling.plugin == "r");
  CHECK(ruling.verdict.error().code == Code::kPluginError);
  CHECK(ruling.verdict.error().http_status == 500);
  CHECK_THAT(ruling.verdict.error().message, Catch::Contains("'r'") && Catch::Contains("'elsewhere'"));
  CHECK(rig.host.chosen.empty());
  CHECK(rig.end().verdicts.at(0).plugin == "r");
}

// PLUG-21
TEST_CASE("who is no router chooses nothing") {
  Rig rig;
  rig.add({.name = "a", .wants = kWantsRequestEdits, .request = [](RequestContext& context) {
    CHECK_FALSE(context.choose({{.upstream = "local"}}));
    return Verdict::go_on();
  }});
  CHECK(rig.request().kind == Kind::kFail);
  CHECK(rig.host.chosen.empty());
}

TEST_CASE("a plugin without business here is not asked, and hears no end") {
  Rig rig;
  rig.add({.name = "a", .open = [](const ExchangeView& exchange) { return exchange.consumer() == "somebody else"; }});
  rig.add({.name = "b"});
  CHECK(rig.request().kind == Kind::kGoOn);
  rig.end();
  CHECK(rig.diary == Diary{"b request", "b finish"});
}

TEST_CASE("what is found is in the account, and nothing is where nothing was found") {
  Rig rig;
  rig.add({.name = "quiet"});
  rig.add({.name = "pii", .request = [](RequestContext& context) {
    context.report({.kind = "pii.email", .where = "messages[2]", .score = 0.9});
    context.report({.kind = "pii.phone"});
    return Verdict::go_on();
  }});
  CHECK(rig.request().kind == Kind::kGoOn);
  const Outcome outcome = rig.end();
  REQUIRE(outcome.verdicts.size() == 1);
  CHECK(outcome.verdicts[0].plugin == "pii");
  CHECK(outcome.verdicts[0].verdict == "continue");
  CHECK(outcome.verdicts[0].detections == std::vector<Detection>{{"pii.email", "messages[2]", 0.9}, {"pii.phone"}});
}
