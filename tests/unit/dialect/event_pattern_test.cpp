// The next event known by the last one: only what a parser would have read the same way.

#include <catch2/catch.hpp>

#include <random>

#include "dialect/event_pattern.hpp"
#include "unit/dialect/editing.hpp"

using namespace sluice;
using dialect::EventPattern;
using test::AnswerTexts;
using test::Said;
using test::TextChannel;

namespace {

/// Learns `event`, whose text is `text` and whose padding, if it has any, is `padding`.
EventPattern learnt(std::string_view event, std::string_view text, std::string_view padding = {}) {
  const auto range = [&](std::string_view what) { return EventPattern::Range{event.find(what), event.find(what) + what.size()}; };
  EventPattern pattern;
  pattern.learn(event, range(text), padding.empty() ? std::nullopt : std::optional(range(padding)));
  return pattern;
}

/// The text that is found, as it stands; "-" for none.
std::string found(const EventPattern& pattern, std::string_view data) {
  const auto text = pattern.match(data);
  if (!text) return "-";
  CHECK(text->escaped == (data.substr(text->range.begin, text->range.end - text->range.begin).find('\\') != std::string_view::npos));
  return std::string(data.substr(text->range.begin, text->range.end - text->range.begin));
}

}  // namespace

TEST_CASE("an event that differs from the last one in its text alone is known") {
  const EventPattern pattern = learnt(R"({"a":"TEXT","b":1})", "TEXT");
  for (const std::string_view text : {"x", "a much longer text than the one that was learnt, of more than sixteen bytes", "\\n\\\"\\\\\\/\\t", "\\u00e9\\u0000\\uFFFD", "TEXT",
                                      "\xc3\xa9\xf0\x9f\x98\x80\xe2\x80\xa8", " ", "\x7f"}) {
    CHECK(found(pattern, R"({"a":")" + std::string(text) + R"(","b":1})") == text);
  }
}

TEST_CASE("an event that differs in anything else is not known") {
  const EventPattern pattern = learnt(R"({"a":"TEXT","b":1})", "TEXT");
  for (const std::string_view data : {R"({"a":"x","b":2})", R"({"A":"x","b":1})", R"({"a":"x","b":1} )", R"( {"a":"x","b":1})", R"({"a":"x","b":1)", R"({"a":"x)", R"({"a":")", R"({"a":)", "{",
                                      "", R"({"a":null,"b":1})", R"({"a":"x","c":"","b":1})", R"({"a":"x"y","b":1})", R"({"a":"x","b":1,"a":"y","b":1})"}) {
    INFO(data);
    CHECK(found(pattern, data) == "-");
  }
}

TEST_CASE("what stands in the text's place has to be a string with something in it") {
  const EventPattern pattern = learnt(R"({"a":"TEXT","b":1})", "TEXT");
  for (const std::string_view text : {"", "a\nb", "\\", "\\x", "\\u12", "\\u12G4", "\\ud83d", "\\ud83d\\ude00", "\\ude00", "\xff", "\xc3", "\xed\xa0\x80", "\xf0\x9f\x98", "\\\"", "a\x1f"}) {
    INFO(text);
    const std::string data = R"({"a":")" + std::string(text) + R"(","b":1})";
    CHECK(found(pattern, data) == (text == "\\\"" ? text : "-"));
  }
}

TEST_CASE("padding may differ too, before the text and behind it") {
  const EventPattern behind = learnt(R"({"a":"TEXT","p":"PAD"})", "TEXT", "PAD"), before = learnt(R"({"p":"PAD","a":"TEXT"})", "TEXT", "PAD");
  CHECK(found(behind, R"({"a":"x","p":""})") == "x");
  CHECK(found(behind, R"({"a":"longer","p":"longer too"})") == "longer");
  CHECK(found(behind, R"({"a":"","p":"x"})") == "-");
  CHECK(found(behind, R"({"a":"x","p":"bro\ken"})") == "-");
  CHECK(found(before, R"({"p":"","a":"x"})") == "x");
  CHECK(found(before, R"({"p":"y","a":"x\n"})") == "x\\n");
}

TEST_CASE("nothing is known by an example of nothing") {
  EventPattern pattern;
  CHECK(found(pattern, "") == "-");
  pattern = learnt(R"({"a":"TEXT"})", "TEXT");
  pattern.learn(R"({"a":"x"})");
  CHECK(found(pattern, R"({"a":"x"})") == "-");
  CHECK(pattern.example() == R"({"a":"x"})");
}

TEST_CASE("arguments that came as a number are no string whose text may differ") {
  const auto call = [](std::string_view arguments) { return R"({"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":)" + std::string(arguments) + "}}]}}]}"; };
  const auto editor = test::stream_editor();
  (void)test::read(*editor, call("1"));
  CHECK(test::said_by(test::read(*editor, call("12345"))) == std::vector<Said>{{0, TextChannel::kToolArguments, "12345"}});
  AnswerTexts texts;
  CHECK_FALSE(editor->read(call("1x\"5"), texts));
}

TEST_CASE("an event is read the same whatever came before it") {
  const auto chunk = [](std::string_view members, std::string_view rest = "") {
    return R"({"id":"c","choices":[{"index":0,"delta":{)" + std::string(members) + R"(},"finish_reason":null}])" + std::string(rest) + "}";
  };
  const std::vector<std::string> events{
      chunk(R"("content":"a")"), chunk(R"("content":"b\n")"), chunk(R"("content":"")"), chunk(R"("content":null)"), chunk(R"("refusal":"b")"),
      chunk(R"("content":"b","role":"assistant")"), chunk(R"("content":"b")", R"(,"obfuscation":"x")"), chunk(R"("content":"bc")", R"(,"obfuscation":"yz")"),
      chunk(R"("reasoning":"a","reasoning_content":"a")"), chunk(R"("reasoning":"a","reasoning_content":"b")"), chunk(R"("reasoning":"b","reasoning_content":"b")"),
      chunk(R"("tool_calls":[{"index":0,"function":{"arguments":"x"}}])"), chunk(R"("tool_calls":[{"index":0,"function":{"arguments":"y"}}])"),
      chunk(R"("tool_calls":[{"index":0,"function":{"arguments":""}}])"), chunk(R"("tool_calls":[{"index":0,"function":{"arguments":{"a":"x"}}}])"),
      chunk(R"("tool_calls":[{"index":0,"function":{"arguments":{"a":"y"}}}])"), chunk(R"("content":"\ud83d")"), chunk(R"("content":"\ude00")"),
      R"({"choices":[{"index":0,"delta":{"content":"a"},"logprobs":{"content":[]}}]})", R"({"choices":[{"index":0,"delta":{"content":"b"},"logprobs":{"content":[]}}]})",
      R"({"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]})", R"({"choices":[{"index":0,"delta":{"content":"b"},"finish_reason":"stop"}]})",
      R"({"choices":[{"index":0,"delta":{"content":"a"},"message":{"content":"a"}}]})", R"({"choices":[{"index":0,"delta":{"content":"b"},"message":{"content":"a"}}]})",
      R"({"choices":[{"index":0,"delta":{"content":"a"}},{"index":1,"delta":{"content":"a"}}]})", R"({"choices":[{"index":0,"delta":{"content":"b"}},{"index":1,"delta":{"content":"a"}}]})",
      R"({"choices":[{"index":0,"delta":{"content":"a"},"logprobs":{"content":[]}},{"index":1,"delta":{}}]})",
      R"({"choices":[{"index":0,"delta":{"content":"b"},"logprobs":{"content":[]}},{"index":1,"delta":{}}]})",
      "[DONE]", R"({"choices":[],"usage":{"prompt_tokens":1}})", ""};
  std::mt19937 random(20261126);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  const auto editor = test::stream_editor();
  // So that no call begins later, which is the one thing the past decides.
  (void)test::read(*editor, chunk(R"("tool_calls":[{"index":0,"id":"i","function":{"name":"f","arguments":""}}])"));
  std::size_t refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string event = events[below(events.size())];
    if (!event.empty() && below(2) == 0) {
      // One byte or one piece is another: the pattern must see every one of them.
      constexpr std::string_view kPieces[] = {"\"", "\\", "{", "}", "null", "\\u00e9", "\\ud83d", "\xff", "\n", "a", ",", "0"};
      const std::size_t at = below(event.size()), length = below(3);
      event.replace(at, length, kPieces[below(std::size(kPieces))]);
    }
    const auto fresh = test::stream_editor();
    (void)test::read(*fresh, chunk(R"("tool_calls":[{"index":0,"id":"i","function":{"name":"f","arguments":""}}])"));
    AnswerTexts now, anew;
    const Status status = editor->read(event, now), status_anew = fresh->read(event, anew);
    INFO(event);
    REQUIRE(status.has_value() == status_anew.has_value());
    if (!status) {
      ++refused;
      continue;
    }
    // A broken piece may have begun a call under another index or id: then the numbers part.
    auto said = test::said_by(now), said_anew = test::said_by(anew);
    for (auto* list : {&said, &said_anew}) {
      std::erase_if(*list, [](const Said& s) { return s.text.empty(); });
      for (Said& s : *list) s.tool = 0, s.name.clear();
    }
    REQUIRE(said == said_anew);
    REQUIRE(now.ends() == anew.ends());
    // All changed, they are written alike: the places are the same.
    for (auto* texts : {&now, &anew}) {
      for (auto& text : texts->texts()) {
        if (!text.text.empty()) text.replacement = "<\">";
      }
    }
    std::string out, out_anew;
    now.write(out, 0, now.data().size());
    anew.write(out_anew, 0, anew.data().size());
    REQUIRE(out == out_anew);
  }
  CHECK(refused > 1000);
}
