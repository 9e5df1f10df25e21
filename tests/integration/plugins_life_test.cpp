// Plugins and the life of an exchange: cancelled, reloaded, closed and drained while somebody is waited for, on_finish once
// and last whatever happens, and nothing shared between exchanges.
#include <catch2/catch.hpp>

#include "integration/plugins_support.hpp"

using namespace sluice;
using namespace sluice::test;
using namespace std::chrono_literals;

namespace {

const std::string kStreamed = kRole + text_event("one ") + text_event("two") + kStop + kDone;

/// Waits at one stage, and counts its ends.
struct Parked {
  Waiting waiting;
  std::atomic<int> finished{0};
  std::mutex mutex;
  std::vector<Outcome> outcomes;

  std::shared_ptr<const Plugin> at(const std::string& stage) {
    Hooks hooks;
    if (stage == "authenticate" || stage == "request") hooks.request = [this](RequestContext& ctx) { return waiting.park(ctx); };
    if (stage == "attempt") hooks.attempt = [this](AttemptContext& ctx) { return waiting.park(ctx); };
    if (stage == "head") hooks.head = [this](HeadContext& ctx) { return waiting.park(ctx); };
    if (stage == "delta") hooks.delta = [this](DeltaContext& ctx, Delta&) { return waiting.park(ctx); };
    if (stage == "answer_end") hooks.end = [this](AnswerEndContext& ctx) { return waiting.park(ctx); };
    hooks.finish = [this](const Outcome& outcome) {
      const std::lock_guard lock(mutex);
      outcomes.push_back(outcome);
      ++finished;
    };
    const Phase phase = stage == "authenticate" ? Phase::kAuthenticate : Phase::kGuard;
    const Wants wants = phase == Phase::kAuthenticate ? kWantsRequest : kWantsRequest | kWantsAttempts | kWantsHead | kWantsDeltas;
    return scripted("parked", phase, wants | kWantsFinish, std::move(hooks));
  }
};

const std::vector<std::string> kStages{"authenticate", "request", "attempt", "head", "delta", "answer_end"};

std::string of_gateway(const FaultServer& server, const std::vector<std::string>& entries, const std::string& upstream = {}) {
  return config_of("http://" + server.authority() + "/v1", upstream, plugin_list(entries));
}

}  // namespace

// PLUG-05, PLUG-13
TEST_CASE("who leaves while a plugin is waited for ends the exchange once, at every stage; what is resumed then does no harm") {
  const auto threads = GENERATE(1u, 4u);
  const auto stream = GENERATE(false, true);
  const auto stage = GENERATE(from_range(kStages));
  INFO(stage << (stream ? ", stream" : ""));
  FaultServer server;
  server.on_request([&](const RawRequest&) { return stream ? whole_stream(kStreamed) : answer_of(); });
  Parked parked;
  Live live(of_gateway(server, {"parked"}), threads, bringing({parked.at(stage)}));
  RawClient client(live.port());
  client.send(stream ? stream_request() : plain_request());
  REQUIRE(parked.waiting.wait());
  client.reset();
  const Outcome outcome = live.outcomes().wait(1)[0];
  CHECK(outcome.ending == Ending::kCancelled);
  CHECK(eventually([&] { return parked.finished == 1; }));
  const Resumer late = parked.waiting.take();
  late.resume(Verdict::go_on());
  late.resume(Verdict::fail(refusal("too late")));
  CHECK(ask(live, get("/healthz")).status == 200);
  CHECK(parked.finished == 1);
  CHECK(live.gateway().statistics().exchanges_open == 0);
}

// PLUG-05, PLUG-13
TEST_CASE("resumed at every stage an exchange ends as if nobody had waited, also over a reload that takes the plugin away") {
  const auto threads = GENERATE(1u, 4u);
  const auto stream = GENERATE(false, true);
  const auto reload = GENERATE(false, true);
  const auto stage = GENERATE(from_range(kStages));
  INFO(stage << (stream ? ", stream" : "") << (reload ? ", reload" : ""));
  FaultServer server;
  server.on_request([&](const RawRequest&) { return stream ? whole_stream(kStreamed) : answer_of(); });
  Parked parked;
  Live live(of_gateway(server, {"parked"}), threads, bringing({parked.at(stage)}));
  RawClient client(live.port());
  client.send(stream ? stream_request() : plain_request());
  const std::size_t times = stage == "delta" && stream ? 2 : 1;
  for (std::size_t i = 1; i <= times; ++i) {
    REQUIRE(parked.waiting.wait(i));
    if (reload && i == 1) {
      Config config = *Config::parse(of_gateway(server, {}));
      config.gateway.threads = threads;
      config.gateway.listen.push_back({});
      REQUIRE(live.gateway().reload(std::move(config)));
    }
    const Resumer resumer = parked.waiting.take();
    resumer.resume(Verdict::go_on());
    resumer.resume(Verdict::fail(refusal("again")));
  }
  const WireAnswer answer = client.answer();
  CHECK(answer.body == (stream ? kStreamed : kAnswer));
  CHECK(live.outcomes().wait(1)[0].ending == Ending::kCompleted);
  CHECK(eventually([&] { return parked.finished == 1; }));
  if (reload) CHECK(ask(live, plain_request()).complete);  // of the new configuration: nobody waits
  CHECK(parked.finished == 1);
}

// PLUG-05, PLUG-13
TEST_CASE("a gateway that closes while plugins are waited for ends their exchanges, and later Resumers do no harm") {
  const auto threads = GENERATE(1u, 4u);
  const auto stage = GENERATE(from_range(kStages));
  INFO(stage);
  FaultServer server;
  server.on_request([](const RawRequest&) { return whole_stream(kStreamed); });
  Parked parked;
  Resumer late;
  {
    Live live(of_gateway(server, {"parked"}), threads, bringing({parked.at(stage)}));
    const auto counting = std::make_shared<Counting>();
    REQUIRE(live.gateway().submit(Request::post("/v1/chat/completions", chat_body("m", "hello", true)), counting));
    REQUIRE(parked.waiting.wait());
    live.stop_server();
    REQUIRE(live.gateway().close());
    REQUIRE(counting->wait_end());
    CHECK(counting->ends() == 1);
    CHECK(counting->outcome().ending == Ending::kCancelled);
    CHECK(parked.finished == 1);
    late = parked.waiting.take();
    late.resume(Verdict::go_on());
  }
  late.resume(Verdict::go_on());
  CHECK(parked.finished == 1);
}

TEST_CASE("a drain whose deadline passes while a plugin is waited for answers in the caller's dialect") {
  FaultServer server;
  server.on_request([](const RawRequest&) { return answer_of(); });
  Parked parked;
  Live live(config_of("http://" + server.authority() + "/v1", {}, R"("drain_timeout_ms":50,)" + plugin_list({"parked"})), 1, bringing({parked.at("request")}));
  RawClient client(live.port());
  client.send(plain_request());
  REQUIRE(parked.waiting.wait());
  live.server().drain(Milliseconds{50});
  const WireAnswer answer = client.answer();
  CHECK(answer.status == 503);
  CHECK(error_code(answer.body) == "shutting_down");
  CHECK(eventually([&] { return parked.finished == 1; }));
}

// PLUG-05, PLUG-09
TEST_CASE("a plugin that never answers is timed out by its own limit, closed or open, in virtual time") {
  const auto stage = GENERATE(from_range(kStages));
  const auto open = GENERATE(false, true);
  if (stage == "authenticate") return;  // for the gateway's list
  INFO(stage);
  Parked parked;
  PluginBench bench(virtual_config({R"({"name":"parked","timeout_ms":2000)" + std::string(open ? R"(,"on_error":"open"})" : "}")}), bringing({parked.at(stage)}));
  bench.up().answers("Hi");
  const auto run = bench.run();
  const std::string hook = stage;
  REQUIRE(verdict_of(run.outcome(), "parked", hook));
  CHECK(verdict_of(run.outcome(), "parked", hook)->verdict == "error");
  CHECK(verdict_of(run.outcome(), "parked", hook)->code == Code::kPluginTimeout);
  CHECK(run.outcome().plugin_time == 2s);
  CHECK(run.outcome().total >= 2s);
  CHECK(run.outcome().upstream_time <= run.outcome().total - 2s);
  CHECK(run.status() == (open ? 200 : 500));
  CHECK(parked.finished == 1);
  CHECK(bench.gateway->statistics().plugin_timeouts == 1);
}

TEST_CASE("the exchange's deadline ends it while a plugin without one of its own is waited for") {
  const auto stage = GENERATE(from_range(kStages));
  if (stage == "authenticate") return;
  INFO(stage);
  Parked parked;
  PluginBench bench(virtual_config({R"({"name":"parked","timeout_ms":0})"}, R"("timeouts":{"total_ms":7000,"idle_ms":3000})"), bringing({parked.at(stage)}));
  bench.up().answers("Hi");
  const auto run = bench.run();
  CHECK(run.status() == 504);
  REQUIRE(run.outcome().error);
  CHECK(run.outcome().error->code == Code::kTotalTimeout);
  CHECK(run.outcome().total == 7s);
  CHECK(parked.finished == 1);
}

TEST_CASE("the caller's deadline holds while who authenticates is waited for") {
  Parked parked;
  PluginBench bench(config_of("http://up.test/v1", {}, R"("threads":0,)" + plugin_list({R"({"name":"parked","timeout_ms":0})"})), bringing({parked.at("authenticate")}));
  const auto run = bench.simulation.run(*bench.gateway, Request::post("/v1/chat/completions", chat_body("m")), {.deadline = Milliseconds{1500}});
  CHECK(run.status() == 504);
  CHECK(run.outcome().total == 1500ms);
}

// PLUG-13
TEST_CASE("on_finish comes once and last, with the account as the caller's own end has it, however the exchange ends") {
  struct Case {
    const char* what;
    Verdict verdict;
    int status;
    Ending ending;
  };
  auto one = GENERATE(values<Case>({{"success", Verdict::go_on(), 200, Ending::kCompleted},
                                    {"refusal", Verdict::fail(refusal("no")), 403, Ending::kRefused},
                                    {"reply", Verdict::reply({.text = "hi"}), 200, Ending::kRefused},
                                    {"error", Verdict::suspend(), 500, Ending::kRefused}}));
  INFO(one.what);
  FaultServer server;
  server.on_request([](const RawRequest&) { return answer_of(); });
  std::string log;
  const auto plugin = scripted("p", Phase::kGuard, kWantsRequest | kWantsFinish, {.request = [&](RequestContext&) { return one.verdict; },
                                                                                 .finish = [&](const Outcome& outcome) { log += "finish " + std::string(to_string(outcome.ending)) + std::to_string(outcome.verdicts.size()); }});
  {
    Live live(with_plugins(server, {"p"}), 1, bringing({plugin}));
    CHECK(ask(live, plain_request()).status == one.status);
    CHECK(live.outcomes().wait(1)[0].ending == one.ending);
  }
  CHECK(log == "finish " + std::string(to_string(one.ending)) + (one.ending == Ending::kCompleted ? "0" : "1"));
}

// PLUG-15
TEST_CASE("a thousand exchanges at once share no state between the instances of one plugin") {
  FaultServer server;
  server.on_request([](const RawRequest& request) {
    const std::size_t at = request.body.find("word");
    const std::string word = request.body.substr(at, request.body.find('"', at) - at);
    return whole_stream(kRole + text_event(word + " ") + text_event(word) + kStop + kDone);
  });
  std::atomic<int> opened{0}, finished{0};
  const auto gather = scripted_each("gather", Phase::kTransform, kWantsDeltaEdits | kWantsFinish, [&] {
    ++opened;
    auto held = std::make_shared<std::string>();
    return Hooks{.delta =
                     [held](DeltaContext&, Delta& delta) {
                       *held += delta.text;
                       delta.text.clear();
                       return Verdict::go_on();
                     },
                 .end =
                     [held](AnswerEndContext& ctx) {
                       ctx.emit({.text = *held});
                       return Verdict::go_on();
                     },
                 .finish = [&](const Outcome&) { ++finished; }};
  });
  Live live(with_plugins(server, {"gather"}), 4, bringing({gather}));
  std::vector<std::shared_ptr<Counting>> all;
  for (int i = 0; i < 1000; ++i) {
    all.push_back(std::make_shared<Counting>());
    REQUIRE(live.gateway().submit(Request::post("/v1/chat/completions", chat_body("m", "word" + std::to_string(i), true)), all.back()));
  }
  for (int i = 0; i < 1000; ++i) {
    REQUIRE(all[static_cast<std::size_t>(i)]->wait_end());
    const std::string word = "word" + std::to_string(i);
    CHECK(all[static_cast<std::size_t>(i)]->body().find('"' + word + ' ' + word + '"') != std::string::npos);
  }
  CHECK(opened == 1000);
  CHECK(eventually([&] { return finished == 1000; }));
}
