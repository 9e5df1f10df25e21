// Deltas into a message and back.

#include <catch2/catch.hpp>

#include "chat/message.hpp"

using namespace sluice::chat;

namespace {

Message gathered(const std::vector<Delta>& deltas) {
  Gatherer gatherer;
  for (const Delta& delta : deltas) gatherer.add(delta);
  return gatherer.take();
}

}  // namespace

TEST_CASE("text, thinking and calls gather in the order they came") {
  const Message message = gathered({
      {0, AnswerStart{"id", "m", 7, {}}},
      {0, TurnStart{}},
      {0, ThinkingDelta{"let "}},
      {0, ThinkingDelta{"me", "SIG"}},
      {0, TextDelta{"Hel"}},
      {0, TextDelta{"lo"}},
      {0, ToolCallStart{0, ToolKind::kFunction, "a", "f"}},
      {0, ToolCallStart{1, ToolKind::kFunction, "b", "g"}},
      {0, ToolCallDelta{0, "{\"x\""}},
      {0, ToolCallDelta{1, "{}"}},
      {0, ToolCallDelta{0, ":1}"}},
      {0, FinishDelta{FinishReason::kToolCalls}},
      {0, UsageDelta{{1, 2, {}, {}, {}, {}}, "{}"}},
  });
  REQUIRE(message.choices.size() == 1);
  const auto& parts = message.choices[0].turn.parts;
  REQUIRE(parts.size() == 4);
  CHECK(*parts[0].as<Thinking>() == Thinking{"let me", "SIG"});
  CHECK(parts[1].as<Text>()->text == "Hello");
  CHECK(parts[2].as<ToolCall>()->arguments == "{\"x\":1}");
  CHECK(parts[3].as<ToolCall>()->arguments == "{}");
  CHECK(message.choices[0].finish == FinishReason::kToolCalls);
  CHECK(message.usage->output_tokens == 2u);
  CHECK(message.id == "id");
}

TEST_CASE("choices interleave and are ordered by index") {
  const Message message = gathered({{1, TextDelta{"b"}}, {0, TextDelta{"a"}}, {1, TextDelta{"B"}}});
  REQUIRE(message.choices.size() == 2);
  CHECK(message.choices[0].turn.text() == "a");
  CHECK(message.choices[1].turn.text() == "bB");
}

// Two thoughts that were signed and not shown became one with both signatures, which no provider takes back.
TEST_CASE("signatures without words stay apart") {
  const Message message = gathered({{0, ThinkingDelta{"", "S1"}}, {0, ThinkingDelta{"", "S2"}}});
  const auto& parts = message.choices[0].turn.parts;
  REQUIRE(parts.size() == 2);
  CHECK(*parts[0].as<Thinking>() == Thinking{"", "S1"});
  CHECK(*parts[1].as<Thinking>() == Thinking{"", "S2"});
}

TEST_CASE("a signature ends its block and redacted thinking is its own") {
  const Message message = gathered({{0, ThinkingDelta{"a", "S1"}}, {0, ThinkingDelta{"b", "S2"}}, {0, ThinkingDelta{"", "", "R"}}});
  const auto& parts = message.choices[0].turn.parts;
  REQUIRE(parts.size() == 3);
  CHECK(*parts[1].as<Thinking>() == Thinking{"b", "S2"});
  CHECK(*parts[2].as<Thinking>() == Thinking{"", "", "R"});
}

TEST_CASE("a signature on a text ends its part, and stands on the text it came with") {
  Gatherer gatherer;
  for (const auto& [said, signature] : std::vector<std::pair<std::string, std::string>>{{"a", ""}, {"b", "S"}, {"c", ""}, {"d", ""}, {"", "T"}, {"", ""}}) {
    gatherer.add({0, TextDelta{said, signature}});
  }
  const Message message = gatherer.take();
  const std::vector<Part>& parts = message.choices[0].turn.parts;
  REQUIRE(parts.size() == 4);
  CHECK(*parts[0].as<Text>() == Text{.text = "a"});
  CHECK(*parts[1].as<Text>() == Text{.text = "b", .signature = "S"});
  CHECK(*parts[2].as<Text>() == Text{.text = "cd"});
  CHECK(*parts[3].as<Text>() == Text{.signature = "T"});
  Gatherer again;
  for (const Delta& delta : to_deltas(message)) again.add(delta);
  CHECK(again.message() == message);
}

TEST_CASE("citations hang on the text whatever comes between") {
  Citation citation;
  citation.url = "u";
  const Message message = gathered({{0, TextDelta{"a"}}, {0, ToolCallStart{0, ToolKind::kFunction, "1", "f"}}, {0, CitationDelta{citation}}});
  CHECK(message.choices[0].turn.parts[0].as<Text>()->citations.size() == 1);
}

TEST_CASE("extras that are lists join, others are replaced") {
  const auto extra = [](std::string json) {
    return Delta{0, ExtraDelta{ExtraDelta::Where::kTurn, {"openai", "details", std::move(json)}}};
  };
  CHECK(gathered({extra("[1]"), extra("[]"), extra("[2,3]")}).choices[0].turn.extras[0].json == "[1,2,3]");
  CHECK(gathered({extra("[ ]"), extra("[2]")}).choices[0].turn.extras[0].json == "[2]");
  CHECK(gathered({extra("1"), extra("{}")}).choices[0].turn.extras[0].json == "{}");
}

TEST_CASE("an argument for a call that never began is dropped") {
  CHECK(gathered({{0, ToolCallDelta{3, "x"}}}).choices[0].turn.parts.empty());
}

TEST_CASE("a message goes through deltas and comes back the same") {
  Message message;
  message.id = "id";
  message.model = "m";
  message.created = 5;
  Choice choice;
  choice.index = 1;
  Citation citation;
  citation.url = "u";
  choice.turn.parts = {{Thinking{"t", "S", "", "reasoning"}}, {Text{"a", {citation}}}, {Refusal{"no"}},
                       {ToolCall{ToolKind::kCustom, "1", "f", "free text"}}};
  choice.turn.extras = {{"openai", "x", "1"}};
  choice.extras = {{"openai", "y", "2"}};
  choice.finish = FinishReason::kStop;
  choice.native_finish = "eos";
  choice.logprobs = Logprobs{{{"a", -1.5}}, {}};
  message.choices = {choice};
  message.usage = Usage{1, 2, {}, {}, {}, 3};
  message.raw_usage = "{}";
  CHECK(gathered(to_deltas(message)) == message);
}
