// Suspending and resuming: from any thread, early, twice, never, too late.

#include <thread>

#include "unit/plugin/rig.hpp"

using namespace sluice;
using namespace sluice::plugin;
using Kind = Ruling::Kind;

// PLUG-05
TEST_CASE("a resumption from another thread goes on with the exchange's own thread, and not before it reads its mail") {
  Rig rig;
  Resumer resumer;
  const auto own = std::this_thread::get_id();
  std::thread::id edited, asked;
  rig.add({.name = "a", .request = suspends_into(resumer)});
  rig.add({.name = "b", .phase = Phase::kTransform, .request = [&](RequestContext&) {
    asked = std::this_thread::get_id();
    return Verdict::go_on();
  }});
  REQUIRE(rig.request().kind == Kind::kWait);
  std::thread([&] { resumer.resume(Verdict::go_on(), [&] { edited = std::this_thread::get_id(); }); }).join();
  CHECK(rig.host.rulings.empty());
  CHECK(rig.diary == Diary{"a request"});
  rig.host.read_mail();
  CHECK(rig.host.rulings.size() == 1);
  CHECK(edited == own);
  CHECK(asked == own);
}

// PLUG-05
TEST_CASE("a resumption before the hook has returned counts") {
  Rig rig;
  rig.add({.name = "a", .request = [](RequestContext& context) {
    std::thread([resumer = context.resumer()] { resumer.resume(Verdict::go_on()); }).join();
    return Verdict::suspend();
  }});
  CHECK(rig.request().kind == Kind::kWait);
  rig.host.read_mail();
  REQUIRE(rig.host.rulings.size() == 1);
  CHECK(rig.host.rulings[0].second.kind == Kind::kGoOn);
}

// PLUG-05
TEST_CASE("the second resumption is ignored and counted, also from a copy") {
  Rig rig;
  Resumer resumer;
  rig.add({.name = "a", .request = suspends_into(resumer)});
  REQUIRE(rig.request().kind == Kind::kWait);
  const Resumer copy = resumer;
  resumer.resume(Verdict::go_on());
  bool edited = false;
  copy.resume(refusal("no"), [&] { edited = true; });
  rig.host.read_mail();
  copy.resume(refusal("no"), [&] { edited = true; });
  rig.host.read_mail();
  REQUIRE(rig.host.rulings.size() == 1);
  CHECK(rig.host.rulings[0].second.kind == Kind::kGoOn);
  CHECK(rig.host.counted(Count::kIgnoredResume, "a") == 2);
  CHECK_FALSE(edited);
}

// PLUG-05
TEST_CASE("of many threads that resume at once, one is heard and the others are counted") {
  for (int round = 0; round < 20; ++round) {
    Rig rig;
    Resumer resumer;
    rig.add({.name = "a", .request = suspends_into(resumer)});
    REQUIRE(rig.request().kind == Kind::kWait);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([copy = resumer] { copy.resume(Verdict::go_on()); });
    }
    while (rig.host.rulings.empty()) rig.host.read_mail();
    for (std::thread& thread : threads) thread.join();
    rig.host.read_mail();
    CHECK(rig.host.rulings.size() == 1);
    CHECK(rig.host.counted(Count::kIgnoredResume, "a") == 3);
  }
}

// PLUG-05
TEST_CASE("who is never resumed times out, by its own timeout, closed or open") {
  for (const FailMode mode : {FailMode::kClosed, FailMode::kOpen}) {
    Rig rig;
    Resumer resumer;
    rig.add({.name = "a", .request = suspends_into(resumer)}, PluginMode::kEnforce, mode, 300ms);
    rig.add({.name = "b", .phase = Phase::kTransform});
    REQUIRE(rig.request().kind == Kind::kWait);
    const TimePoint due = rig.host.time + 300ms;
    CHECK(rig.host.deadline_changes == 1);
    CHECK(rig.run->next_deadline() == due);
    rig.run->on_time(due - 1ns);
    CHECK(rig.host.rulings.empty());
    rig.host.time = due;
    rig.run->on_time(due);
    REQUIRE(rig.host.rulings.size() == 1);
    CHECK_FALSE(rig.run->next_deadline());
    CHECK(rig.host.counted(Count::kTimeout, "a") == 1);
    CHECK(rig.host.counted(Count::kError, "a") == 0);
    const Ruling& ruling = rig.host.rulings[0].second;
    CHECK(ruling.kind == (mode == FailMode::kOpen ? Kind::kGoOn : Kind::kFail));
    if (ruling.kind == Kind::kFail) {
      CHECK(ruling.verdict.error().code == Code::kPluginTimeout);
      CHECK(ruling.verdict.error().http_status == 500);
      CHECK_THAT(ruling.verdict.error().message, Catch::Contains("'a'") && Catch::Contains("300 ms"));
    } else {
      CHECK(rig.diary.back() == "b request");
      CHECK(rig.host.counted(Count::kFailedOpen, "a") == 1);
      resumer.resume(refusal("no"));  // too late
      rig.host.read_mail();
      CHECK(rig.host.counted(Count::kIgnoredResume, "a") == 1);
    }
    CHECK(rig.host.rulings.size() == 1);
    const Outcome outcome = rig.end();
    REQUIRE(outcome.verdicts.size() == 1);
    CHECK(outcome.verdicts[0].verdict == "error");
    CHECK(outcome.verdicts[0].code == Code::kPluginTimeout);
    CHECK(outcome.verdicts[0].failed_open == (mode == FailMode::kOpen));
    CHECK(outcome.verdicts[0].took == 300ms);
  }
}

TEST_CASE("without a timeout of its own a plugin has as long as the exchange") {
  Rig rig;
  Resumer resumer;
  rig.add({.name = "a", .request = suspends_into(resumer)}, PluginMode::kEnforce, FailMode::kClosed, 0ms);
  REQUIRE(rig.request().kind == Kind::kWait);
  CHECK_FALSE(rig.run->next_deadline());
  CHECK(rig.host.deadline_changes == 0);
  rig.run->on_time(rig.host.time + 1h);
  CHECK(rig.run->waiting());
}

TEST_CASE("of several deadlines the next is told, and those that are due at once are judged in chain order") {
  Rig rig;
  Resumer a, b, c;
  rig.add({.name = "a", .request = suspends_into(a)}, PluginMode::kEnforce, FailMode::kClosed, 300ms);
  rig.add({.name = "b", .request = suspends_into(b)}, PluginMode::kEnforce, FailMode::kOpen, 100ms);
  rig.add({.name = "c", .request = suspends_into(c)}, PluginMode::kEnforce, FailMode::kClosed, 200ms);
  REQUIRE(rig.request().kind == Kind::kWait);
  const TimePoint start = rig.host.time;
  CHECK(rig.run->next_deadline() == start + 100ms);
  CHECK(rig.host.deadline_changes == 2);
  rig.host.time = start + 100ms;
  rig.run->on_time(rig.host.time);
  CHECK(rig.run->next_deadline() == start + 200ms);
  rig.host.time = start + 400ms;
  rig.run->on_time(rig.host.time);
  REQUIRE(rig.host.rulings.size() == 1);
  CHECK(rig.host.rulings[0].second.plugin == "a");
  CHECK(rig.host.counted(Count::kTimeout, "a") == 1);
  CHECK(rig.host.counted(Count::kTimeout, "c") == 0);  // nobody waits for it any more
}

// PLUG-05
TEST_CASE("a Resumer that is let go unused is its plugin's failure") {
  Rig rig;
  rig.add({.name = "a", .request = [](RequestContext& context) {
    (void)context.resumer();
    return Verdict::suspend();
  }});
  CHECK(rig.request().kind == Kind::kWait);
  rig.host.read_mail();
  REQUIRE(rig.host.rulings.size() == 1);
  const Ruling& ruling = rig.host.rulings[0].second;
  REQUIRE(ruling.kind == Kind::kFail);
  CHECK(ruling.verdict.error().code == Code::kPluginError);
  CHECK_THAT(ruling.verdict.error().message, Catch::Contains("'a'") && Catch::Contains("unused"));
}

TEST_CASE("a Resumer that was used has nothing more to say when it goes") {
  Rig rig;
  Resumer resumer;
  rig.add({.name = "a", .request = suspends_into(resumer)});
  REQUIRE(rig.request().kind == Kind::kWait);
  resumer.resume(Verdict::go_on());
  resumer = {};
  CHECK(rig.host.read_mail() == 1);
}

TEST_CASE("a Resumer is one for each hook, and the last copy is the one that counts") {
  Rig rig;
  Resumer kept;
  rig.add({.name = "a", .request = [&](RequestContext& context) {
    kept = context.resumer();
    (void)context.resumer();  // the same one: nothing is let go
    return Verdict::suspend();
  }});
  REQUIRE(rig.request().kind == Kind::kWait);
  CHECK(rig.host.read_mail() == 0);
  kept = {};
  rig.host.read_mail();
  CHECK(rig.host.rulings.size() == 1);
}

// PLUG-09
TEST_CASE("who suspends without having taken a Resumer has failed") {
  Rig rig;
  rig.add({.name = "a", .request = says(Verdict::suspend())});
  const Ruling ruling = rig.request();
  REQUIRE(ruling.kind == Kind::kFail);
  CHECK(ruling.verdict.error().code == Code::kPluginError);
  CHECK_FALSE(rig.run->waiting());
}

TEST_CASE("suspend is no way to end a suspension") {
  Rig rig;
  Resumer resumer;
  rig.add({.name = "a", .request = suspends_into(resumer)});
  REQUIRE(rig.request().kind == Kind::kWait);
  resumer.resume(Verdict::suspend());
  rig.host.read_mail();
  REQUIRE(rig.host.rulings.size() == 1);
  REQUIRE(rig.host.rulings[0].second.kind == Kind::kFail);
  CHECK(rig.host.rulings[0].second.verdict.error().code == Code::kPluginError);
}

TEST_CASE("a Resumer taken for nothing is forgotten; one used for nothing is counted") {
  Rig rig;
  bool use = false;
  rig.add({.name = "a", .request = [&](RequestContext& context) {
    const Resumer resumer = context.resumer();
    if (use) resumer.resume(refusal("no"));
    return Verdict::go_on();
  }});
  CHECK(rig.request().kind == Kind::kGoOn);
  rig.host.read_mail();
  CHECK(rig.host.counts.empty());
  use = true;
  rig.run = std::make_unique<Run>(rig.host);
  CHECK(rig.request().kind == Kind::kGoOn);
  rig.host.read_mail();
  CHECK(rig.host.counted(Count::kIgnoredResume, "a") == 1);
  CHECK(rig.host.rulings.empty());
}

// PLUG-06
TEST_CASE("who waited changes the request as it is resumed") {
  Rig rig;
  Resumer resumer;
  RequestContext* held = nullptr;
  rig.add({.name = "a", .wants = kWantsRequestEdits, .request = [&](RequestContext& context) {
    held = &context;
    CHECK(context.set_json("/now", "1"));
    resumer = context.resumer();
    return Verdict::suspend();
  }});
  rig.add({.name = "b", .wants = kWantsRequestEdits, .request = [&](RequestContext& context) {
    CHECK(context.exchange().body() == "hello+/now=1+/then=2");
    return Verdict::go_on();
  }});
  REQUIRE(rig.request().kind == Kind::kWait);
  std::thread([&] { resumer.resume(Verdict::go_on(), [held] { CHECK(held->set_json("/then", "2")); }); }).join();
  rig.host.read_mail();
  REQUIRE(rig.host.rulings.size() == 1);
  CHECK(rig.host.rulings[0].second.kind == Kind::kGoOn);
  // Afterwards the context changes nothing, and harms nobody.
  CHECK_FALSE(held->set_json("/later", "3"));
  held->report({.kind = "late"});
  CHECK(held->exchange().body() == "hello+/now=1+/then=2");
  CHECK(rig.host.counted(Count::kError, "a") == 1);
  CHECK(rig.host.exchange.text == "hello+/now=1+/then=2");
}

// PLUG-09
TEST_CASE("an edit that throws is its plugin's failure") {
  Rig rig;
  Resumer resumer;
  rig.add({.name = "a", .request = suspends_into(resumer)});
  REQUIRE(rig.request().kind == Kind::kWait);
  resumer.resume(Verdict::go_on(), [] { throw std::runtime_error("broken"); });
  rig.host.read_mail();
  REQUIRE(rig.host.rulings.size() == 1);
  CHECK(rig.host.rulings[0].second.kind == Kind::kFail);
}

// PLUG-05
TEST_CASE("resuming is harmless once the exchange is stopped, over, or gone with its gateway") {
  Rig rig;
  Resumer a, b;
  bool edited = false;
  rig.add({.name = "a", .request = suspends_into(a)});
  rig.add({.name = "b", .request = suspends_into(b)});
  REQUIRE(rig.request().kind == Kind::kWait);
  const auto use = [&](Resumer& resumer) {
    std::thread([&] { resumer.resume(Verdict::go_on(), [&] { edited = true; }); }).join();
    rig.host.read_mail();
  };
  SECTION("stopped") {
    rig.run->stop();
    CHECK_FALSE(rig.run->waiting());
    CHECK_FALSE(rig.run->next_deadline());
    use(a);
  }
  SECTION("over") {
    rig.end();
    use(a);
  }
  SECTION("gone, with what it had said on its way") {
    a.resume(Verdict::go_on(), [&] { edited = true; });
    rig.end();
    rig.run.reset();
    use(b);
  }
  SECTION("the thread too") {
    a.resume(Verdict::go_on(), [&] { edited = true; });
    rig.end();
    rig.run.reset();
    rig.host.box->close();
    rig.host.box.reset();
    std::thread([&] { b.resume(Verdict::go_on()); }).join();
    a = b = {};
  }
  SECTION("let go") {
    rig.end();
    rig.run.reset();
    a = b = {};
    rig.host.read_mail();
  }
  CHECK_FALSE(edited);
  CHECK(rig.host.rulings.empty());
  CHECK(rig.host.counts.empty());
}

TEST_CASE("a Resumer that its own session keeps does not keep the run, and goes with it") {
  struct Keeper final : Plugin {
    struct Session final : PluginSession {
      Verdict on_request(RequestContext& context) override { return resumer = context.resumer(), Verdict::suspend(); }
      Resumer resumer;
    };
    std::string_view name() const noexcept override { return "keeper"; }
    Wants wants() const noexcept override { return kWantsRequest; }
    std::unique_ptr<PluginSession> open(const ExchangeView&) const override { return std::make_unique<Session>(); }
  };
  Rig rig;
  rig.links.push_back({std::make_shared<const Keeper>()});
  REQUIRE(rig.request().kind == Kind::kWait);
  rig.run.reset();
  CHECK(rig.host.read_mail() == 1);  // what the Resumer had to say, to nobody
  CHECK(rig.host.counts.empty());
}

TEST_CASE("what plugins keep an exchange waiting is added up, and counts once where several do") {
  Rig rig;
  Resumer a, b, c;
  rig.add({.name = "a", .request = suspends_into(a)}, PluginMode::kEnforce, FailMode::kClosed, 0ms);
  rig.add({.name = "b", .request = [&](RequestContext& context) {
    rig.host.time += 3ms;  // a loop that looks at its clock again
    context.report({.kind = "x"});
    b = context.resumer();
    return Verdict::suspend();
  }}, PluginMode::kEnforce, FailMode::kClosed, 0ms);
  rig.add({.name = "c", .wants = kWantsRequestEdits, .request = suspends_into(c)}, PluginMode::kEnforce, FailMode::kClosed, 0ms);
  REQUIRE(rig.request().kind == Kind::kWait);
  rig.host.time += 10ms;
  a.resume(Verdict::go_on());
  rig.host.read_mail();
  rig.host.time += 20ms;
  b.resume(Verdict::go_on());
  rig.host.read_mail();
  CHECK(rig.run->waited() == 33ms);
  rig.host.time += 5ms;
  CHECK(rig.run->waited() == 38ms);
  c.resume(Verdict::go_on());
  rig.host.read_mail();
  rig.host.time += 100ms;
  CHECK(rig.run->waited() == 38ms);
  const Outcome outcome = rig.end();
  CHECK(outcome.plugin_time == 38ms);
  REQUIRE(outcome.verdicts.size() == 1);
  CHECK(outcome.verdicts[0].took == 30ms);
}
