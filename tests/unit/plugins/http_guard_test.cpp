// `http_guard`: what it asks, and what it makes of every kind of answer.

#include "plugins/http_guard.hpp"

#include "unit/plugins/rig.hpp"

using namespace sluice;
using namespace sluice::plugins;
using Kind = Ruling::Kind;

namespace {

HttpGuardPlugin settings_of(HttpGuardPlugin::Text text = HttpGuardPlugin::Text::kPrompt) {
  return {.upstream = "local", .path = "/judge?v=1", .text = text, .refuse_if = {.pointer = "/flagged", .op = BodyMatch::Op::kEquals, .values = {true}}};
}

/// What becomes of a request when its guard answers so.
Ruling ruling_on(Result<CallAnswer> answer, FailMode on_error = FailMode::kClosed, PluginMode mode = PluginMode::kEnforce,
                 std::vector<PluginVerdict>* verdicts = nullptr, const HttpGuardPlugin& settings = settings_of()) {
  BuiltIn rig(make_http_guard("g", settings), mode, on_error);
  REQUIRE(rig.request().kind == Kind::kWait);
  REQUIRE(rig.host.calls.size() == 1);
  rig.host.calls[0].done(std::move(answer));
  rig.host.read_mail();
  REQUIRE(rig.host.rulings.size() == 1);
  Ruling ruling = rig.host.rulings[0].second;
  CHECK(ruling.plugin == (ruling.kind == Kind::kFail ? "g" : ""));
  ruling.plugin = {};  // a view of the chain's
  auto said = rig.end();
  if (verdicts != nullptr) *verdicts = std::move(said);
  return ruling;
}

/// A call whose request and bounds are looked at.
struct Asked final : RequestContext {
  const ExchangeView& exchange() const noexcept override { return view; }
  Resumer resumer() override { return {}; }
  void call(std::string_view to, Request sent, CallBounds within, std::function<void(Result<CallAnswer>)> then) override {
    upstream = to;
    request = std::move(sent);
    bounds = within;
    done = std::move(then);
  }
  void report(Detection) override {}
  Status set_header(std::string_view, std::string_view) override { return {}; }
  void remove_header(std::string_view) override {}
  Status set_body(std::string) override { return {}; }
  Status set_json(std::string_view, std::string_view) override { return {}; }
  Status remove_json(std::string_view) override { return {}; }
  Status set_prompt_text(std::size_t, std::string_view) override { return {}; }
  Status choose(std::vector<RouteChoice>) override { return {}; }

  plugin::TestView view;
  std::string upstream;
  Request request;
  CallBounds bounds;
  std::function<void(Result<CallAnswer>)> done;
};

}  // namespace

// PLUG-20
TEST_CASE("the guard is asked with the exchange and the texts that were chosen") {
  for (const auto text : {HttpGuardPlugin::Text::kPrompt, HttpGuardPlugin::Text::kLastUser}) {
    Asked asked;
    asked.view.parts = {{PromptPart::Role::kSystem, false, "be \"kind\""}, {PromptPart::Role::kAssistant, false, "yes"},
                        {PromptPart::Role::kTool, false, "4"}, {PromptPart::Role::kUser, true, "hello"}};
    const auto guard = make_http_guard("g", settings_of(text), 700ms);
    REQUIRE(guard);
    CHECK((*guard)->wants() == kWantsPrompt);
    CHECK((*guard)->phase() == Phase::kGuard);
    CHECK((*guard)->open(asked.view)->on_request(asked).kind() == Verdict::Kind::kSuspend);
    CHECK(asked.upstream == "local");
    CHECK(asked.request.method == "POST");
    CHECK(asked.request.target == "/judge?v=1");
    CHECK(asked.request.headers.get("content-type") == "application/json");
    CHECK(asked.bounds.timeout == 699ms);  // sooner than the wait: the guard is away then, and not the plugin too slow
    CHECK(asked.bounds.answer_bytes == kGuardAnswerBytes);
    const std::string head = R"({"exchange":"x-1","route":"chat","consumer":"app","model":"gpt-4o","text":[)";
    const std::string rest = R"({"role":"system","text":"be \"kind\""},{"role":"assistant","text":"yes"},{"role":"tool","text":"4"},)";
    const std::string last = R"({"role":"user","text":"hello"}]})";
    CHECK(asked.request.body.view() == head + (text == HttpGuardPlugin::Text::kPrompt ? rest : "") + last);
  }
}

// PLUG-20
TEST_CASE("a request passes where the condition does not hold, and is refused where it does") {
  CHECK(ruling_on(CallAnswer{.status = 200, .body = R"({"flagged":false})"}).kind == Kind::kGoOn);
  CHECK(ruling_on(CallAnswer{.status = 201, .body = R"({})"}).kind == Kind::kGoOn);
  for (const FailMode mode : {FailMode::kClosed, FailMode::kOpen}) {  // a judgement: nothing forgives it
    std::vector<PluginVerdict> verdicts;
    const Ruling ruling = ruling_on(CallAnswer{.status = 200, .body = R"({"flagged":true})"}, mode, PluginMode::kEnforce, &verdicts);
    REQUIRE(ruling.kind == Kind::kFail);
    CHECK(ruling.verdict.error().http_status == 422);
    CHECK(ruling.verdict.error().code == Code::kInvalidRequest);
    CHECK(ruling.verdict.error().message == "plugin 'g' does not let this request pass; change what it asks for");
    CHECK(verdicts.at(0).verdict == "fail");
  }
  HttpGuardPlugin settings = settings_of();
  settings.status = 451;
  settings.message = "not here";
  const Ruling ruling = ruling_on(CallAnswer{.status = 200, .body = R"({"flagged":true})"}, FailMode::kClosed, PluginMode::kEnforce, nullptr, settings);
  CHECK(ruling.verdict.error().http_status == 451);
  CHECK(ruling.verdict.error().message == "not here");
}

TEST_CASE("the condition is one on a body field, as in a match") {
  const auto refused = [](BodyMatch condition, std::string body) {
    HttpGuardPlugin settings = settings_of();
    settings.refuse_if = std::move(condition);
    return ruling_on(CallAnswer{.status = 200, .body = std::move(body)}, FailMode::kClosed, PluginMode::kEnforce, nullptr, settings).kind == Kind::kFail;
  };
  using Op = BodyMatch::Op;
  CHECK(refused({"/results/0/score", Op::kGreater, {0.5}}, R"({"results":[{"score":0.51}]})"));
  CHECK_FALSE(refused({"/results/0/score", Op::kGreater, {0.5}}, R"({"results":[{"score":0.5}]})"));
  CHECK(refused({"/allow", Op::kExists, {false}}, R"({"deny":1})"));
  CHECK_FALSE(refused({"/allow", Op::kExists, {false}}, R"({"allow":1})"));
  CHECK(refused({"/verdict", Op::kRegex, {std::string("^block")}}, R"({"verdict":"blocked"})"));
  CHECK_FALSE(refused({"/verdict", Op::kRegex, {std::string("^block")}}, R"([])"));
}

// PLUG-09
TEST_CASE("a guard that is away fails closed with 502, unless it is configured open") {
  const std::vector<std::pair<Result<CallAnswer>, std::string>> answers{
      {fail(Code::kUpstreamConnectFailed, "10.0.0.7 refuses"), "upstream_connect_failed"},
      {fail(Code::kTotalTimeout, "too late"), "total_timeout"},
      {CallAnswer{.status = 503, .body = R"({"flagged":true})"}, "status 503"},
      {CallAnswer{.status = 429}, "status 429"}};
  for (const auto& [answer, said] : answers) {
    INFO(said);
    const Ruling ruling = ruling_on(answer);
    REQUIRE(ruling.kind == Kind::kFail);
    CHECK(ruling.verdict.error().code == Code::kPluginError);
    CHECK(ruling.verdict.error().http_status == 502);
    CHECK_THAT(ruling.verdict.error().message, Catch::StartsWith("plugin 'g': its guard 'local' ") && Catch::Contains(said) && !Catch::Contains("10.0.0.7"));
    std::vector<PluginVerdict> verdicts;
    CHECK(ruling_on(answer, FailMode::kOpen, PluginMode::kEnforce, &verdicts).kind == Kind::kGoOn);
    CHECK(verdicts.at(0).failed_open);
  }
}

// PLUG-09
TEST_CASE("a guard that answers what is no judgement fails closed with 500, unless it is configured open") {
  std::string deep(100, '[');
  deep.append(100, ']');
  for (const Result<CallAnswer>& answer : std::vector<Result<CallAnswer>>{
           CallAnswer{.status = 200, .body = "yes"}, CallAnswer{.status = 200}, CallAnswer{.status = 204}, CallAnswer{.status = 404, .body = R"({"flagged":false})"},
           CallAnswer{.status = 302}, CallAnswer{.status = 200, .body = R"({"flagged":false,"flagged":true})"}, CallAnswer{.status = 200, .body = deep},
           fail(Code::kUpstreamAnswerTooLarge, "1 MiB"), fail(Code::kPluginError, "no upstream is called 'local'"), fail(Code::kAddressRefused, "private")}) {
    const Ruling ruling = ruling_on(answer);
    REQUIRE(ruling.kind == Kind::kFail);
    CHECK(ruling.verdict.error().code == Code::kPluginError);
    CHECK(ruling.verdict.error().http_status == 500);
    CHECK(ruling_on(answer, FailMode::kOpen).kind == Kind::kGoOn);
  }
}

// PLUG-09
TEST_CASE("a guard that keeps the gateway out fails closed, whatever the fail mode") {
  for (const int status : {401, 403}) {
    for (const FailMode mode : {FailMode::kClosed, FailMode::kOpen}) {
      const Ruling ruling = ruling_on(CallAnswer{.status = status, .body = R"({"flagged":false})"}, mode);
      REQUIRE(ruling.kind == Kind::kFail);
      CHECK(ruling.verdict.error().code == Code::kUpstreamCredential);
      CHECK(ruling.verdict.error().origin == Origin::kPlugin);
      CHECK(ruling.verdict.error().http_status == 502);
    }
  }
}

// PLUG-08
TEST_CASE("in observe mode a guard refuses nobody, and its verdict is written down") {
  for (const auto& [answer, verdict] : std::vector<std::pair<CallAnswer, std::string>>{
           {{.status = 200, .body = R"({"flagged":true})"}, "fail"}, {{.status = 401}, "fail"}, {{.status = 500}, "error"}}) {
    std::vector<PluginVerdict> verdicts;
    CHECK(ruling_on(answer, FailMode::kClosed, PluginMode::kObserve, &verdicts).kind == Kind::kGoOn);
    REQUIRE(verdicts.size() == 1);
    CHECK(verdicts[0].verdict == verdict);
    CHECK(verdicts[0].observed);
  }
}

// PLUG-20
TEST_CASE("a guard that does not answer is timed out, and its late verdict is harmless") {
  BuiltIn rig(make_http_guard("g", settings_of(), 500ms));
  REQUIRE(rig.request().kind == Kind::kWait);
  REQUIRE(rig.run->next_deadline() == rig.host.time + 500ms);
  rig.host.time += 500ms;
  rig.run->on_time(rig.host.time);
  REQUIRE(rig.host.rulings.size() == 1);
  CHECK(rig.host.rulings[0].second.verdict.error().code == Code::kPluginTimeout);
  rig.host.calls[0].done(CallAnswer{.status = 200, .body = R"({"flagged":true})"});
  rig.host.read_mail();
  CHECK(rig.host.rulings.size() == 1);
}

TEST_CASE("an answer that comes when the exchange and the plugin are gone changes nothing and reads nothing") {
  std::function<void(Result<CallAnswer>)> done;
  std::weak_ptr<const Plugin> plugin;
  {
    auto made = make_http_guard("g", settings_of());
    REQUIRE(made);
    plugin = *made;
    Asked asked;
    auto session = (*made)->open(asked.view);
    CHECK(session->on_request(asked).kind() == Verdict::Kind::kSuspend);
    session->on_finish({});
    done = asked.done;
  }
  CHECK(plugin.expired());
  done(CallAnswer{.status = 200, .body = R"({"flagged":true})"});
}

// PLUG-10
TEST_CASE("settings a guard cannot honour are refused where they stand") {
  const auto with = [](auto change) {
    HttpGuardPlugin settings = settings_of();
    change(settings);
    return make_http_guard("g", settings);
  };
  check_refused(with([](auto& s) { s.upstream.clear(); }), "/upstream", "must name an upstream");
  for (const char* path : {"", "judge", "/a b", "/a#b", "/\xC3\xA9", "/a\r\nx-b: 1"}) {
    check_refused(with([path](auto& s) { s.path = path; }), "/path", "must be a path");
  }
  for (const int status : {0, 200, 399, 600}) check_refused(with([status](auto& s) { s.status = status; }), "/status", "from 400 to 599");
  check_refused(with([](auto& s) { s.refuse_if = {}; }), "/refuse_if/exists", "takes one value");
  check_refused(with([](auto& s) { s.refuse_if.pointer = "flagged"; }), "/refuse_if/pointer", "no JSON Pointer");
  check_refused(with([](auto& s) { s.refuse_if = {"/a", BodyMatch::Op::kRegex, {std::string("(")}}; }), "/refuse_if/regex", "no RE2");
}
