// Bounds of requests and answers: what each lets pass, what it refuses, and how it says so.

#include "plugins/limits.hpp"

#include "unit/plugin/rig.hpp"

using namespace sluice;
using namespace sluice::plugin;

namespace {

std::shared_ptr<const Plugin> limits(const LimitsPlugin& settings) {
  auto made = plugins::make_limits("size", settings);
  if (!made) FAIL(made.error().message);
  return *std::move(made);
}

struct LimitsRig : Rig {
  explicit LimitsRig(const LimitsPlugin& settings, PluginMode mode = PluginMode::kEnforce) { links.push_back({limits(settings), mode}); }
};

Error unmakeable(const LimitsPlugin& settings) {
  const auto made = plugins::make_limits("size", settings);
  REQUIRE_FALSE(made);
  CHECK(made.error().code == Code::kInvalidConfiguration);
  return made.error();
}

/// A request whose counts all differ, so that no bound is mistaken for another.
RequestShape shape() {
  RequestShape shape;
  shape.messages = 11, shape.parts = 12, shape.tools = 13, shape.json_depth = 14, shape.characters = 15, shape.inputs = 16;
  shape.largest_input_characters = 17, shape.largest_input_tokens = 18, shape.dimensions = 19;
  shape.attachments = {{"image/png", 20, true}, {"audio/wav", 21, true}, {"image/*", 0, false}};
  return shape;
}

struct Case {
  std::string name;
  std::optional<std::uint64_t> LimitsPlugin::*limit;
  std::uint64_t seen;
  Code code;
  int status;
  std::string param;
};
const Case kCases[] = {
    {"request_bytes", &LimitsPlugin::request_bytes, 5, Code::kBodyTooLarge, 413, ""},
    {"characters", &LimitsPlugin::characters, 15, Code::kPromptTooLarge, 413, "messages"},
    {"messages", &LimitsPlugin::messages, 11, Code::kTooManyMessages, 400, "messages"},
    {"parts", &LimitsPlugin::parts, 12, Code::kTooManyParts, 400, "messages"},
    {"tools", &LimitsPlugin::tools, 13, Code::kTooManyTools, 400, "tools"},
    {"json_depth", &LimitsPlugin::json_depth, 14, Code::kJsonTooDeep, 400, ""},
    {"attachments", &LimitsPlugin::attachments, 3, Code::kTooManyAttachments, 400, "messages"},
    {"attachment_bytes", &LimitsPlugin::attachment_bytes, 21, Code::kAttachmentTooLarge, 413, "messages"},
    {"inputs", &LimitsPlugin::inputs, 16, Code::kTooManyInputs, 400, "messages"},
    {"input_characters", &LimitsPlugin::input_characters, 17, Code::kInputTooLarge, 413, "messages"},
    {"input_tokens", &LimitsPlugin::input_tokens, 18, Code::kInputTooLarge, 413, "messages"},
    {"dimensions", &LimitsPlugin::dimensions, 19, Code::kTooManyDimensions, 400, "dimensions"},
};

}  // namespace

// LIMIT-20 LIMIT-21 LIMIT-27
TEST_CASE("each bound lets its number pass and refuses one more, by an error of its own") {
  for (const Case& c : kCases) {
    INFO(c.name);
    LimitsPlugin settings;
    settings.*c.limit = c.seen;
    LimitsRig at(settings);
    at.host.exchange.counts = shape();
    CHECK(at.request().kind == Ruling::Kind::kGoOn);
    CHECK(at.end().verdicts.empty());

    settings.*c.limit = c.seen - 1;
    LimitsRig over(settings);
    over.host.exchange.counts = shape();
    const Ruling ruling = over.request();
    REQUIRE(ruling.kind == Ruling::Kind::kFail);
    const Error& error = ruling.verdict.error();
    CHECK(error.code == c.code);
    CHECK(error.http_status == c.status);
    CHECK(error.origin == Origin::kCaller);
    CHECK(error.param == c.param);
    CHECK(error.message.find('`' + c.name + '`') != std::string::npos);
    CHECK(error.message.find("plugin 'size' is " + std::to_string(c.seen - 1) + "; ") != std::string::npos);
    CHECK(error.message.find(std::to_string(c.seen) + ' ') != std::string::npos);
    const Outcome outcome = over.end();
    REQUIRE(outcome.verdicts.size() == 1);
    REQUIRE(outcome.verdicts[0].detections.size() == 1);
    CHECK(outcome.verdicts[0].detections[0] == Detection{"size." + c.name, c.param});
  }
}

TEST_CASE("an error says what was seen, the limit, whose it is and what next") {
  LimitsRig rig({.messages = 10});
  rig.host.exchange.counts = shape();
  CHECK(rig.request().verdict.error().message == "the request has 11 messages, and the limit `messages` of plugin 'size' is 10; send fewer");
}

// LIMIT-27
TEST_CASE("what stands in another field than messages is named by it") {
  const auto [operation, field] = GENERATE(table<std::string, std::string>({{"embeddings", "input"}, {"moderations", "input"}, {"completions", "prompt"}}));
  for (const Case& c : kCases) {
    if (c.param != "messages" || c.name == "messages" || c.name == "parts") continue;
    INFO(c.name);
    LimitsPlugin settings;
    settings.*c.limit = c.seen - 1;
    LimitsRig rig(settings);
    rig.host.exchange.asked = operation;
    rig.host.exchange.counts = shape();
    CHECK(rig.request().verdict.error().param == field);
  }
}

// LIMIT-21
TEST_CASE("attachments are refused by type, and by the first that is too large") {
  LimitsRig listed({.attachment_types = {"IMAGE/*", "audio/wav"}});
  listed.host.exchange.counts = shape();
  CHECK(listed.request().kind == Ruling::Kind::kGoOn);

  LimitsRig strange({.attachment_types = {"image/png", "image/jpeg"}});
  strange.host.exchange.counts = shape();
  const Error error = strange.request().verdict.error();
  CHECK(error.code == Code::kAttachmentTypeNotAllowed);
  CHECK(error.http_status == 400);
  CHECK(error.param == "messages");
  CHECK(error.message == "attachment 2 is of type audio/wav, and the limit `attachment_types` of plugin 'size' lists image/png, image/jpeg; send one of these");

  LimitsRig unsaid({.attachment_types = {"image/*"}});
  unsaid.host.exchange.counts.attachments = {{"", 0, false}};
  CHECK(unsaid.request().verdict.error().message.starts_with("attachment 1 is of no type that is said, "));
  LimitsRig any({.attachment_types = {"*"}});
  any.host.exchange.counts.attachments = {{"", 0, false}};
  CHECK(any.request().kind == Ruling::Kind::kGoOn);

  LimitsRig large({.attachment_bytes = 20});
  large.host.exchange.counts = shape();
  CHECK(large.request().verdict.error().message ==
        "attachment 2 has 21 bytes, and the limit `attachment_bytes` of plugin 'size' is 20; send a smaller one");
}

TEST_CASE("all that is too large is reported, and the first of it is the error") {
  LimitsRig rig({.request_bytes = 5, .characters = 1, .tools = 1, .attachment_types = {"text/plain"}, .dimensions = 1});
  rig.host.exchange.counts = shape();
  CHECK(rig.request().verdict.error().code == Code::kPromptTooLarge);
  const Outcome outcome = rig.end();
  std::vector<std::string> kinds;
  for (const Detection& found : outcome.verdicts.at(0).detections) kinds.push_back(found.kind);
  CHECK(kinds == std::vector<std::string>{"size.characters", "size.tools", "size.attachment_types", "size.dimensions"});
}

// LIMIT-21
TEST_CASE("an answer ends where its text passes the bound, whatever it is split into") {
  const std::string answer = "0123456789";
  for (std::size_t split = 0; split <= answer.size(); ++split) {
    INFO(split);
    for (const std::uint64_t limit : {10u, 9u}) {
      LimitsRig rig({.response_bytes = limit});
      rig.answer();
      bool failed = false;
      for (const std::string& piece : {answer.substr(0, split), answer.substr(split)}) {
        if (piece.empty() || failed) continue;
        const Ruling ruling = rig.delta(piece);
        failed = ruling.kind == Ruling::Kind::kFail;
        if (!failed) continue;
        CHECK(ruling.verdict.error().code == Code::kAnswerTooLarge);
        CHECK(ruling.verdict.error().http_status == 403);
        CHECK(ruling.verdict.error().message ==
              "the answer has 10 bytes of text so far, and the limit `response_bytes` of plugin 'size' is 9; ask for a shorter one, with max_tokens");
      }
      CHECK(failed == (limit == 9));
    }
  }
}

TEST_CASE("text counts in bytes, in every choice and channel") {
  LimitsRig rig({.response_bytes = 10});
  rig.answer();
  Delta delta;
  for (const Channel channel : {Channel::kText, Channel::kReasoning, Channel::kToolArguments, Channel::kRefusal}) {
    delta = {.choice = static_cast<std::uint32_t>(channel), .channel = channel, .text = "\xc3\xa9"};
    CHECK(rig.run->delta(delta).kind == Ruling::Kind::kGoOn);
  }
  CHECK(rig.run->delta(delta).kind == Ruling::Kind::kGoOn);
  CHECK(rig.run->delta(delta).kind == Ruling::Kind::kFail);
}

TEST_CASE("an answer that follows a failed one is counted from its own beginning") {
  LimitsRig rig({.response_bytes = 10});
  rig.answer();
  Headers headers;
  REQUIRE(rig.run->attempt("openai", "gpt-4o", 1, headers).kind == Ruling::Kind::kGoOn);
  REQUIRE(rig.delta("123456789").kind == Ruling::Kind::kGoOn);
  REQUIRE(rig.run->attempt("local", "gpt-4o", 2, headers).kind == Ruling::Kind::kGoOn);
  CHECK(rig.delta("0123456789").kind == Ruling::Kind::kGoOn);
  CHECK(rig.delta("!").kind == Ruling::Kind::kFail);
}

// PLUG-11
TEST_CASE("it asks for what its bounds need and for nothing else") {
  CHECK(limits({.request_bytes = 1})->wants() == kWantsRequest);
  for (const Case& c : kCases) {
    INFO(c.name);
    LimitsPlugin settings;
    settings.*c.limit = 1;
    CHECK(limits(settings)->wants() == (c.name == "request_bytes" ? kWantsRequest : kWantsShape));
  }
  CHECK(limits({.attachment_types = {"image/*"}})->wants() == kWantsShape);
  CHECK(limits({.response_bytes = 1})->wants() == (kWantsDeltas | kWantsAttempts));
  CHECK(limits({.messages = 1, .response_bytes = 1})->wants() == (kWantsShape | kWantsDeltas | kWantsAttempts));
  CHECK(limits({.messages = 1})->phase() == Phase::kGuard);
  CHECK(limits({.messages = 1})->name() == "size");
}

// PLUG-08
TEST_CASE("observed, it records what it would refuse, and neither request nor answer is another") {
  LimitsRig rig({.messages = 1, .response_bytes = 4}, PluginMode::kObserve);
  rig.host.exchange.counts = shape();
  REQUIRE(rig.request().kind == Ruling::Kind::kGoOn);
  CHECK(rig.host.exchange.text == "hello");
  CHECK(rig.host.versions == 0);
  for (const char* piece : {"abc", "def", "ghi"}) CHECK(rig.delta(piece).kind == Ruling::Kind::kGoOn);
  CHECK(rig.host.given == std::vector<TestHost::Given>{{"abc"}, {"def"}, {"ghi"}});
  const Outcome outcome = rig.end();
  REQUIRE(outcome.verdicts.size() == 2);
  for (const PluginVerdict& verdict : outcome.verdicts) {
    CHECK(verdict.plugin == "size");
    CHECK(verdict.verdict == "fail");
    CHECK(verdict.observed);
  }
  CHECK(outcome.verdicts[0].code == Code::kTooManyMessages);
  CHECK(outcome.verdicts[1].code == Code::kAnswerTooLarge);
  CHECK(outcome.verdicts[1].detections == std::vector<Detection>{{"size.response_bytes", "answer"}});
}

// PLUG-10
TEST_CASE("settings that do nothing, let nothing through or contradict each other are refused, and where") {
  CHECK(unmakeable({}).param.empty());
  CHECK(unmakeable({.request_bytes = 0}).param == "/request_bytes");
  CHECK(unmakeable({.characters = 0}).param == "/characters");
  CHECK(unmakeable({.messages = 0}).param == "/messages");
  CHECK(unmakeable({.parts = 0}).param == "/parts");
  CHECK(unmakeable({.json_depth = 0}).param == "/json_depth");
  CHECK(unmakeable({.inputs = 0}).param == "/inputs");
  CHECK(unmakeable({.input_characters = 0}).param == "/input_characters");
  CHECK(unmakeable({.response_bytes = 0}).param == "/response_bytes");
  CHECK(unmakeable({.attachments = 0, .attachment_bytes = 5}).param == "/attachment_bytes");
  CHECK(unmakeable({.attachments = 0, .attachment_types = {"image/*"}}).param == "/attachment_types");
  CHECK(unmakeable({.attachment_types = {"image/*", "png"}}).param == "/attachment_types/1");
  CHECK(unmakeable({.attachment_types = {""}}).param == "/attachment_types/0");
  const Error error = unmakeable({.characters = 10, .input_characters = 11});
  CHECK(error.param == "/input_characters");
  CHECK(error.message == "input_characters is 11 and can never be reached: `characters`, of all inputs together, is 10; lower it, or leave it out");
}

TEST_CASE("none at all is a bound where it makes sense") {
  for (const Case& c : {kCases[4], kCases[6], kCases[7], kCases[10], kCases[11]}) {
    INFO(c.name);
    LimitsPlugin settings;
    settings.*c.limit = 0;
    LimitsRig rig(settings);
    CHECK(rig.request().kind == Ruling::Kind::kGoOn);
    rig.end();
    LimitsRig some(settings);
    some.host.exchange.counts = shape();
    CHECK(some.request().kind == Ruling::Kind::kFail);
  }
}
