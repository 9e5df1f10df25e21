// `regex_replace` in an exchange: which texts it reads, in what order, and what it gives when. What counts as a match is
// tested with replace_stream.

#include "plugins/regex_replace.hpp"

#include "unit/plugins/rig.hpp"

using namespace sluice;
using namespace sluice::plugins;
using Kind = Ruling::Kind;

namespace {

using Rules = std::vector<RegexReplacePlugin::Rule>;

RegexReplacePlugin settings_of(Rules rules, bool request, bool response) {
  return {.rules = std::move(rules), .request = request, .response = response};
}

/// To where deltas may come.
struct Answering : BuiltIn {
  explicit Answering(Rules rules, PluginMode mode = PluginMode::kEnforce)
      : BuiltIn(make_regex_replace("r", settings_of(std::move(rules), false, true)), mode) {
    REQUIRE(request().kind == Kind::kGoOn);
    REQUIRE(attempt().kind == Kind::kGoOn);
  }
};

}  // namespace

// PLUG-19
TEST_CASE("the parts of a prompt in which something fits are replaced, each by itself") {
  BuiltIn rig(make_regex_replace("r", settings_of({{"[0-9]{4}", "####"}}, true, false)));
  rig.host.exchange.parts = {{PromptPart::Role::kSystem, false, "1234"}, {PromptPart::Role::kUser, false, "12"}, {PromptPart::Role::kUser, true, "34 5678"}};
  REQUIRE(rig.request().kind == Kind::kGoOn);
  CHECK(rig.host.exchange.text == "hello#0=####" "#2=34 ####");
  const auto verdicts = rig.end();
  REQUIRE(verdicts.size() == 1);
  CHECK(verdicts[0].verdict == "edit");
  CHECK(verdicts[0].detections == std::vector<Detection>{{"rule.0", "prompt[0]"}, {"rule.0", "prompt[2]"}});
}

TEST_CASE("a prompt in which nothing fits stays the request it is") {
  BuiltIn rig(make_regex_replace("r", settings_of({{"x", "y"}}, true, false)));
  REQUIRE(rig.request().kind == Kind::kGoOn);
  CHECK(rig.host.versions == 0);
  CHECK(rig.end().empty());
}

TEST_CASE("each rule reads what the one before it has made") {
  BuiltIn rig(make_regex_replace("r", settings_of({{"hello", "a"}, {"a$", "b c"}, {"\\bc", "d"}}, true, false)));
  REQUIRE(rig.request().kind == Kind::kGoOn);
  CHECK(rig.host.exchange.text == "hello#0=b d");
}

// PLUG-19
TEST_CASE("an answer reads the same streamed in any two pieces and whole") {
  const std::string text = "my key is sk-abcd1234, mail a.b@c.example";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Answering rig(Rules{{"sk-[a-z0-9]+", "***"}, {"[a-z.]+@[a-z.]+", "<\\0>"}, {"\\*+", "key"}});
    rig.delta({.text = text.substr(0, cut)});
    rig.delta({.text = text.substr(cut)});
    REQUIRE(rig.end_answer() == "my key is key, mail <a.b@c.example>");
  }
}

TEST_CASE("what cannot become a match is given on at once, and the rest at the end") {
  Answering rig(Rules{{"sk-[a-z]+", "***"}});
  rig.delta({.text = "my key is "});
  CHECK(rig.given == "my key is ");
  rig.delta({.text = "sk-ab"});
  CHECK(rig.given == "my key is ");
  CHECK(rig.end_answer() == "my key is ***");
  const auto verdicts = rig.end();
  REQUIRE_FALSE(verdicts.empty());
  CHECK(verdicts.back().detections == std::vector<Detection>{{"rule.0", "answer.text"}});
}

TEST_CASE("choices and channels are read each by itself, and the arguments of tool calls not at all") {
  Answering rig(Rules{{"ab", "-"}});
  rig.delta({.choice = 0, .text = "a"});
  rig.delta({.choice = 1, .text = "b a"});
  rig.delta({.choice = 0, .channel = Channel::kReasoning, .text = "b ab "});
  rig.delta({.choice = 0, .channel = Channel::kRefusal, .text = "ab."});
  CHECK(rig.given == "b b - -.");
  rig.given.clear();
  rig.delta({.choice = 0, .channel = Channel::kToolArguments, .tool_name = "f", .text = "ab a"});
  CHECK(rig.given == "ab a");
  rig.given.clear();
  rig.delta({.choice = 0, .text = "b."});
  CHECK(rig.given == "-.");
  CHECK(rig.end_answer() == "-.a");  // of choice 1
}

TEST_CASE("what was held back is added in the order in which its texts began") {
  Answering rig(Rules{{"ab+", "-"}});
  rig.delta({.choice = 1, .channel = Channel::kReasoning, .text = "1a"});
  rig.delta({.choice = 0, .text = "2ab"});
  CHECK(rig.end_answer() == "12a-");
}

TEST_CASE("what is held of an answer is forgotten when another attempt begins") {
  Answering rig(Rules{{"ab", "-"}});
  rig.delta({.text = "a"});
  REQUIRE(rig.attempt(2).kind == Kind::kGoOn);
  rig.delta({.text = "b"});
  CHECK(rig.end_answer() == "b");
}

// PLUG-08
TEST_CASE("in observe mode nothing is replaced or held back, and what would have been is written down") {
  Answering rig(Rules{{"ab", "-"}}, PluginMode::kObserve);
  rig.delta({.text = "xa"});
  CHECK(rig.given == "xa");
  rig.delta({.text = "b"});
  CHECK(rig.end_answer() == "xab");
  const auto verdicts = rig.end();
  REQUIRE_FALSE(verdicts.empty());
  std::size_t detections = 0;
  for (const PluginVerdict& one : verdicts) {
    CHECK(one.observed);
    detections += one.detections.size();
  }
  CHECK(detections == 1);

  BuiltIn asking(make_regex_replace("r", settings_of({{"hello", "-"}}, true, false)), PluginMode::kObserve);
  REQUIRE(asking.request().kind == Kind::kGoOn);
  CHECK(asking.host.versions == 0);
  CHECK(asking.host.exchange.text == "hello");
  CHECK(asking.end().at(0).observed);
}

TEST_CASE("it asks for no more than its settings need") {
  const auto wants = [](bool request, bool response) { return (*make_regex_replace("r", settings_of({{"a", "b"}}, request, response)))->wants(); };
  CHECK(wants(true, false) == (kWantsPrompt | kWantsRequestEdits));
  CHECK(wants(false, true) == (kWantsDeltaEdits | kWantsAttempts));
  CHECK(wants(true, true) == (kWantsPrompt | kWantsRequestEdits | kWantsDeltaEdits | kWantsAttempts));
}

// PLUG-10
TEST_CASE("settings it cannot honour are refused where they stand") {
  check_refused(make_regex_replace("r", settings_of({}, true, true)), "/rules", "at least one rule");
  check_refused(make_regex_replace("r", settings_of({{"a", "b"}}, false, false)), "", "replaces nothing");
  check_refused(make_regex_replace("r", settings_of({{"a", "b"}, {"(", ""}}, true, true)), "/rules/1/pattern", "no RE2");
  check_refused(make_regex_replace("r", settings_of({{"a", "\\1"}}, true, true)), "/rules/0/replacement", "does not fit the pattern");
  for (const std::uint32_t bound : {0u, 16'385u}) {
    RegexReplacePlugin settings = settings_of({{"a", "b"}}, true, true);
    settings.max_match_bytes = bound;
    check_refused(make_regex_replace("r", settings), "/max_match_bytes", "from 1 to 16384");
  }
  RegexReplacePlugin settings = settings_of({{"a{300}", "b"}}, true, true);
  check_refused(make_regex_replace("r", settings), "/rules/0/pattern", "looked for within 256");
  settings.max_match_bytes = 300;
  CHECK(make_regex_replace("r", settings));
}
