// The texts of an event: valid JSON on one line whatever an account holds, bounded, and without secrets.

#include "telemetry/event.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "unit/telemetry/event_reading.hpp"
#include "unit/telemetry/event_samples.hpp"

using namespace sluice;
using namespace sluice::tests;

TEST_CASE("a text comes back from the line as it went in, on either side of every boundary of the buffer") {
  EventSample sample = event_sample("bare");
  const auto comes_back = [&](const std::string& text) {
    sample.outcome.consumer = text;
    const auto document = parsed(sample.line());
    return tests::text_of(tests::member(document.root(), "consumer")) == text;
  };
  for (std::size_t size = 1; size < 1300; size += size < 300 ? 1 : 37) {
    std::string text(size, 'x');
    REQUIRE(comes_back(text));
    for (const std::size_t at : {std::size_t{0}, size / 2, size - 1}) {
      for (const char* special : {"\"", "\\", "\n", "\x01", "\xC3\xA9"}) {
        std::string with = text;
        with.replace(at, 1, special);
        REQUIRE(comes_back(with));
      }
    }
  }
}

TEST_CASE("texts that come one after another fill the buffer at every byte, and come back") {
  EventSample sample = event_sample("bare");
  Outcome& o = sample.outcome;
  for (std::size_t size = 0; size <= 256; ++size) {
    o.consumer = std::string(size, 'c');
    const std::pair<std::string*, const char*> kTexts[] = {
        {&o.tenant, "tenant"},       {&o.route, "route"},                     {&o.dialect, "dialect"},
        {&o.operation, "operation"}, {&o.requested_model, "requested_model"}, {&o.served_model, "served_model"},
    };
    char c = 'd';
    for (const auto& [text, name] : kTexts) *text = std::string(256, c++);
    const auto document = parsed(sample.line());
    for (const auto& [text, name] : kTexts) REQUIRE(tests::text_of(tests::member(document.root(), name)) == *text);
  }
}

// AVAIL-06
TEST_CASE("a text that a caller made long is cut between two characters, and content is not") {
  EventSample sample = event_sample("bare");
  const std::string euros = [] {
    std::string out;
    for (int i = 0; i < 1000; ++i) out += "\xE2\x82\xAC";
    return out;
  }();
  sample.outcome.requested_model = std::string(2048, 'm');
  sample.outcome.model_note = std::string(2049, 'n');
  sample.outcome.served_model = euros;
  sample.outcome.content = Content{.prompt = {{"", euros}}, .answer = euros, .tool_calls = {{"", "", euros}}};
  const auto document = parsed(sample.line());
  const auto told = [&](const char* name) { return tests::text_of(tests::member(document.root(), name)); };
  CHECK(told("requested_model") == std::string(2048, 'm'));
  CHECK(told("model_note") == std::string(2048, 'n') + "...");
  CHECK(told("served_model") == euros.substr(0, 2046) + "...");
  const json::Value content = tests::member(document.root(), "content");
  CHECK(tests::text_of(tests::member(content, "answer")) == euros);
  CHECK(tests::text_of(tests::member(tests::member(content, "prompt").first(), "text")) == euros);
  CHECK(tests::text_of(tests::member(tests::member(content, "tool_calls").first(), "arguments")) == euros);
}

TEST_CASE("a secret is masked before a long text is cut, so that no part of it stays") {
  const std::string secret = "sk-canary-0123456789";
  const telemetry::SecretMask mask(std::vector<std::string>{secret});
  EventSample sample = event_sample("bare");
  for (std::size_t before = 2020; before < 2060; ++before) {
    sample.outcome.model_note = std::string(before, 'n') + secret;
    CHECK(sample.line(&mask).find("sk-") == std::string::npos);
  }
}

TEST_CASE("the events of accounts that no exchange could leave are valid, too") {
  Random random(4);
  for (int round = 0; round < 3000; ++round) {
    const std::string line = tests::random_sample(random).line();
    REQUIRE(line.find('\n') == std::string::npos);
    const auto document = parsed(line);
    INFO(line);
    REQUIRE(tests::valid(event_schema().root(), document.root()));
  }
}

TEST_CASE("secrets are masked in every text of the account") {  // TELE-02
  const std::string secret = "sk-canary-0123456789";
  EventSample sample = event_sample("everything");
  Outcome& o = sample.outcome;
  std::size_t texts = 0;
  const auto plant = [&](std::string& text) { text = "x " + secret + " y", ++texts; };
  for (auto* text : {&o.id, &o.consumer, &o.tenant, &o.route, &o.requested_model, &o.served_model, &o.dialect,
                     &o.operation, &o.model_note, &o.mode, &o.finish_reason, &o.error->message, &o.error->param,
                     &o.content->answer}) {
    plant(*text);
  }
  for (Attempt& attempt : o.attempts) {
    plant(attempt.upstream), plant(attempt.model), plant(attempt.reason), plant(attempt.chosen_because);
  }
  for (PluginVerdict& verdict : o.verdicts) {
    plant(verdict.plugin), plant(verdict.hook), plant(verdict.verdict), plant(verdict.message);
    for (Detection& detection : verdict.detections) plant(detection.kind), plant(detection.where);
  }
  for (PluginCall& call : o.calls) plant(call.plugin), plant(call.upstream);
  for (LostField& loss : o.losses) plant(loss.field), plant(loss.reason), plant(loss.severity);
  for (Content::Message& message : o.content->prompt) plant(message.role), plant(message.text);
  for (Content::ToolCall& call : o.content->tool_calls) plant(call.id), plant(call.name), plant(call.arguments);
  const telemetry::SecretMask mask(std::vector<std::string>{secret});
  const std::string masked = sample.line(&mask);
  (void)parsed(masked);
  CHECK(masked.find("canary") == std::string::npos);
  std::size_t stars = 0;
  for (std::size_t at = masked.find("x *** y"); at != std::string::npos; at = masked.find("x *** y", at + 1)) ++stars;
  CHECK(stars == texts);
  CHECK(sample.line().find("canary") != std::string::npos);
}
