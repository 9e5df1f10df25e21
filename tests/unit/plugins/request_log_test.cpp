// One line for each exchange, however it ended.

#include "plugins/request_log.hpp"

#include <stdexcept>

#include "unit/plugin/rig.hpp"

using namespace sluice;
using namespace sluice::plugin;

namespace {

struct LogRig : Rig {
  explicit LogRig(const RequestLogPlugin& settings = {}) {
    auto made = plugins::make_request_log("log", settings, [this](std::string_view line) { lines.emplace_back(line); });
    if (!made) FAIL(made.error().message);
    links.push_back({*std::move(made)});
  }
  /// The line of an exchange that ended so.
  std::string ended(const Outcome& outcome) {
    run->finish(outcome);
    REQUIRE(lines.size() == 1);
    return lines[0];
  }
  std::vector<std::string> lines;
};

Outcome completed() {
  Outcome outcome;
  outcome.id = "x-1", outcome.ending = Ending::kCompleted, outcome.status = 200;
  outcome.consumer = "app", outcome.tenant = "acme", outcome.route = "chat", outcome.dialect = "openai", outcome.operation = "chat";
  outcome.requested_model = "gpt-4o", outcome.served_model = "gpt-4o-2024", outcome.streamed = true, outcome.finish_reason = "stop";
  outcome.usage.input_tokens = 12, outcome.usage.output_tokens = 0;
  for (const char* upstream : {"passed-over", "failed", "served", "too-late"}) outcome.attempts.emplace_back().upstream = upstream;
  outcome.attempts.front().skipped = outcome.attempts.back().skipped = true;
  outcome.bytes_in = 100, outcome.bytes_out = 2000;
  outcome.queue_time = 1500us, outcome.first_delta = 20ms, outcome.total = 1234567us;
  return outcome;
}

}  // namespace

TEST_CASE("an exchange that completed is told in full") {
  LogRig rig;
  REQUIRE(rig.request().kind == Ruling::Kind::kGoOn);
  CHECK(rig.ended(completed()) ==
        "exchange id=x-1 consumer=app tenant=acme route=chat dialect=openai operation=chat model=gpt-4o served_model=gpt-4o-2024 upstream=served attempts=2 "
        "status=200 ending=completed streamed=true bytes_in=100 bytes_out=2000 queue_ms=1.500 first_delta_ms=20.000 total_ms=1234.567 "
        "input_tokens=12 output_tokens=0 finish_reason=stop");
}

TEST_CASE("an exchange that was refused has no upstream, and says why") {
  LogRig rig;
  rig.add({.name = "guard", .request = says(refusal("no"))});
  REQUIRE(rig.request().kind == Ruling::Kind::kFail);
  Outcome outcome;
  outcome.id = "x-1", outcome.ending = Ending::kRefused, outcome.status = 400;
  outcome.error = make_error(Code::kTooManyMessages, "the request has 11 messages; send fewer");
  CHECK(rig.ended(outcome) ==
        "exchange id=x-1 attempts=0 status=400 ending=refused error=too_many_messages origin=caller message=\"the request has 11 messages; send fewer\" "
        "streamed=false bytes_in=0 bytes_out=0 queue_ms=0.000 total_ms=0.000");
}

TEST_CASE("failed and cancelled exchanges say so") {
  const auto [ending, code, said] = GENERATE(table<Ending, Code, std::string>({
      {Ending::kFailed, Code::kUpstreamReset, "status=502 ending=failed error=upstream_reset origin=upstream message=gone "},
      {Ending::kCancelled, Code::kCancelled, "status=499 ending=cancelled error=cancelled origin=caller message=gone "},
  }));
  LogRig rig;
  REQUIRE(rig.request().kind == Ruling::Kind::kGoOn);
  Outcome outcome = completed();
  outcome.ending = ending, outcome.error = make_error(code, "gone"), outcome.status = outcome.error->http_status;
  CHECK(rig.ended(outcome).find(said) != std::string::npos);
}

TEST_CASE("a model asked for and served by one name is named once") {
  LogRig rig;
  (void)rig.request();
  Outcome outcome = completed();
  outcome.served_model = outcome.requested_model;
  CHECK(rig.ended(outcome).find("served_model") == std::string::npos);
}

TEST_CASE("tokens that nobody has counted are not told as none") {
  LogRig rig;
  (void)rig.request();
  Outcome outcome = completed();
  outcome.usage = {};
  CHECK(rig.ended(outcome).find("tokens") == std::string::npos);
}

TEST_CASE("a name that a caller chose forges neither a line nor a field, and is cut") {
  LogRig rig;
  (void)rig.request();
  Outcome outcome = completed();
  outcome.requested_model = "m\nexchange id=x-2\" status=200";
  outcome.finish_reason = std::string(300, 'y');
  const std::string line = rig.ended(outcome);
  CHECK(line.find(R"( model="m\nexchange id=x-2\" status=200" )") != std::string::npos);
  CHECK(line.find('\n') == std::string::npos);
  CHECK(line.ends_with(" finish_reason=\"" + std::string(256, 'y') + "...\""));
}

TEST_CASE("no text is kept that is not asked for, and no header ever") {
  LogRig rig;
  REQUIRE(rig.host.exchange.fields.set("x-secret", "sk-1"));
  rig.answer();
  (void)rig.delta("answer");
  const std::string line = rig.ended(completed());
  for (const char* absent : {"hello", "answer", "body", "text", "sk-1"}) CHECK(line.find(absent) == std::string::npos);
}

TEST_CASE("the body is told as guards and transforms leave it") {
  LogRig rig({.request_body = true});
  rig.add({.name = "edit", .wants = kWantsRequestEdits, .phase = Phase::kTransform, .request = [](RequestContext& context) {
             return context.set_body("{\"a\":\n1}") ? Verdict::go_on() : refusal("no");
           }});
  REQUIRE(rig.request().kind == Ruling::Kind::kGoOn);
  CHECK(rig.ended(completed()).ends_with(R"( body="{\"a\":\n1}" body_bytes=8)"));
}

TEST_CASE("the answer's text is that of its first choice, over all its deltas") {
  LogRig rig({.response_text = true});
  rig.answer();
  for (Delta delta : {Delta{.text = "one "}, Delta{.choice = 1, .text = "other"}, Delta{.channel = Channel::kReasoning, .text = "thought"}, Delta{.text = "two"}}) {
    REQUIRE(rig.run->delta(delta).kind == Ruling::Kind::kGoOn);
  }
  CHECK(rig.ended(completed()).ends_with(" text=\"one two\" text_bytes=7"));
}

TEST_CASE("texts are cut between characters, with their whole size beside them, at every split") {
  const std::string answer = "ab\xc3\xa9\xf0\x9f\x98\x80yz";  // 10 bytes
  for (std::size_t split = 0; split <= answer.size(); ++split) {
    for (std::uint32_t longest = 1; longest <= 11; ++longest) {
      INFO(split << ' ' << longest);
      LogRig rig({.response_text = true, .max_bytes = longest});
      rig.answer();
      for (const std::string& piece : {answer.substr(0, split), answer.substr(split)}) {
        if (!piece.empty()) (void)rig.delta(piece);
      }
      const std::size_t end = longest < 2 ? 1 : longest < 4 ? 2 : longest < 8 ? 4 : std::min<std::size_t>(longest, 10);
      const std::string shown = answer.substr(0, end) + (longest < 10 ? "..." : "");
      CHECK(rig.ended(completed()).ends_with(" text=\"" + shown + "\" text_bytes=10"));
    }
  }
}

TEST_CASE("an answer that follows a failed one is told alone") {
  LogRig rig({.response_text = true});
  rig.answer();
  Headers headers;
  REQUIRE(rig.run->head(200, headers).kind == Ruling::Kind::kGoOn);
  (void)rig.delta("lost");
  REQUIRE(rig.run->head(200, headers).kind == Ruling::Kind::kGoOn);
  (void)rig.delta("kept");
  CHECK(rig.ended(completed()).ends_with(" text=kept text_bytes=4"));
}

// PLUG-08 PLUG-16
TEST_CASE("it changes nothing and leaves no verdict") {
  LogRig rig({.request_body = true, .response_text = true});
  rig.answer();
  (void)rig.delta("abc");
  CHECK(rig.host.exchange.text == "hello");
  CHECK(rig.host.versions == 0);
  CHECK(rig.host.given == std::vector<TestHost::Given>{{"abc"}});
  CHECK(rig.end().verdicts.empty());
}

// PLUG-11
TEST_CASE("it asks for what it tells and for nothing else") {
  const auto wants = [](const RequestLogPlugin& settings) { return plugins::make_request_log("log", settings, [](std::string_view) {}).value()->wants(); };
  CHECK(wants({}) == kWantsFinish);
  CHECK(wants({.request_body = true}) == (kWantsFinish | kWantsRequest));
  CHECK(wants({.response_text = true}) == (kWantsFinish | kWantsHead | kWantsDeltas));
}

TEST_CASE("a log that throws ends nothing") {
  Rig rig;
  rig.links.push_back({plugins::make_request_log("log", {}, [](std::string_view) { throw std::runtime_error("no disk"); }).value()});
  (void)rig.request();
  CHECK_NOTHROW(rig.end());
}

// PLUG-10
TEST_CASE("settings that cannot be honoured are refused, and where") {
  const auto refused = [](const RequestLogPlugin& settings, std::function<void(std::string_view)> log) {
    const auto made = plugins::make_request_log("log", settings, std::move(log));
    REQUIRE_FALSE(made);
    CHECK(made.error().code == Code::kInvalidConfiguration);
    return made.error().param;
  };
  const auto nowhere = [](std::string_view) {};
  CHECK(refused({.max_bytes = 0}, nowhere) == "/max_bytes");
  CHECK(refused({.max_bytes = 1'048'577}, nowhere) == "/max_bytes");
  CHECK(refused({}, nullptr).empty());
  CHECK(plugins::make_request_log("log", {.max_bytes = 1'048'576}, nowhere));
}
