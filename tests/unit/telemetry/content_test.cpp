// What is kept of what was said: nothing by default, redacted before anything else, cut between characters. TELE-03,
// TELE-10

#include "telemetry/content.hpp"

#include <catch2/catch.hpp>

#include <stdexcept>

#include "base/utf8.hpp"
#include "json/document.hpp"
#include "support/schema_checker.hpp"
#include "unit/telemetry/event_samples.hpp"

using namespace sluice;
using telemetry::SecretMask;

namespace {

const TelemetryOptions kAll{.prompt = true, .answer = true, .tool_calls = true};

Content said() {
  return {.prompt = {{"system", "Be brief."}, {"user", "What is 24 times 7?"}},
          .answer = "168",
          .tool_calls = {{"call_1", "multiply", R"({"a":24,"b":7})"}}};
}

std::optional<Content> kept(Content content, const TelemetryOptions& options,
                            const std::vector<Redactor>& redactors = {}, const SecretMask& mask = {}) {
  std::optional<Content> out = std::move(content);
  telemetry::keep_content(out, options, redactors, mask);
  return out;
}

std::size_t bytes_of(const std::vector<Content::Message>& prompt) {
  std::size_t sum = 0;
  for (const auto& message : prompt) sum += message.role.size() + message.text.size();
  return sum;
}

}  // namespace

// TELE-03
TEST_CASE("by default no content is kept") { CHECK_FALSE(kept(said(), TelemetryOptions{})); }

TEST_CASE("each part is kept only where it is asked for") {
  const auto prompt = kept(said(), {.prompt = true});
  REQUIRE(prompt);
  CHECK(prompt->prompt.size() == 2);
  CHECK(prompt->answer.empty());
  CHECK(prompt->tool_calls.empty());
  CHECK_FALSE(prompt->truncated);
  const auto answer = kept(said(), {.answer = true});
  REQUIRE(answer);
  CHECK(answer->prompt.empty());
  CHECK(answer->answer == "168");
  const auto calls = kept(said(), {.tool_calls = true});
  REQUIRE(calls);
  CHECK(calls->answer.empty());
  CHECK(calls->tool_calls.at(0).arguments == R"({"a":24,"b":7})");
  std::optional<Content> none;
  CHECK(telemetry::keep_content(none, kAll, {}, SecretMask()));
  CHECK_FALSE(none);
}

// TELE-03
TEST_CASE("redactors see every text, whole, in their order, before it is cut") {
  std::vector<std::string> seen;
  const std::vector<Redactor> redactors = {[&](std::string& text) { seen.push_back(text), text += "!"; },
                                           [](std::string& text) { text += "?"; }};
  TelemetryOptions options = kAll;
  options.content_bytes = 24;
  const auto out = kept(said(), options, redactors);
  CHECK(seen == std::vector<std::string>{"system", "Be brief.", "user", "What is 24 times 7?", "168", "call_1", "multiply",
                                         R"({"a":24,"b":7})"});
  REQUIRE(out);
  CHECK(out->answer == "168!?");
  CHECK(out->prompt.at(0).role == "system!?");
}

TEST_CASE("a redactor may take a text away altogether") {
  const auto out = kept(said(), kAll, {[](std::string& text) { text.clear(); }});
  REQUIRE(out);
  CHECK(out->answer.empty());
  CHECK_FALSE(out->truncated);
}

// TELE-03
TEST_CASE("where a redactor throws nothing is kept, and the event says that something was withheld") {
  const auto out = kept(said(), kAll, {[](std::string& text) {
                          if (text == "168") throw std::runtime_error("no");
                        }});
  REQUIRE(out);
  CHECK(out->prompt.empty());
  CHECK(out->answer.empty());
  CHECK(out->tool_calls.empty());
  CHECK(out->truncated);
  std::optional<Content> content = said();
  const std::vector<Redactor> throws{[](std::string&) { throw std::runtime_error("no"); }};
  CHECK_FALSE(telemetry::keep_content(content, kAll, throws, SecretMask()));
}

// TELE-02
TEST_CASE("a secret is masked before the text is cut, so that no part of it stays") {
  const std::string secret = "sk-canary-0123456789";
  const SecretMask mask(std::vector<std::string>{secret});
  Content content;
  content.answer = "the key is " + secret + " as you know";
  content.tool_calls = {{"", "", "{\"k\":\"" + secret + "\"}"}};
  for (std::size_t cap = 1; cap < content.answer.size() + 20; ++cap) {
    TelemetryOptions options = kAll;
    options.content_bytes = cap;
    const auto out = kept(content, options, {}, mask);
    CHECK(out->answer.find("sk-") == std::string::npos);
    for (const auto& call : out->tool_calls) CHECK(call.arguments.find("sk-") == std::string::npos);
  }
}

// TELE-10
TEST_CASE("a text is cut between two characters, at every cap, and the line stays valid JSON with a mark") {
  const std::string text = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"\\\n\x01z";
  for (std::size_t cap = 0; cap <= text.size() + 1; ++cap) {
    Content content;
    content.answer = text;
    TelemetryOptions options = kAll;
    options.content_bytes = cap;
    const auto out = kept(content, options);
    REQUIRE(out);
    CHECK(text.starts_with(out->answer));
    CHECK(out->answer.size() <= cap);
    CHECK(out->answer.size() + 4 > std::min(cap, text.size()));
    CHECK(base::is_utf8(out->answer));
    CHECK(out->truncated == (cap < text.size()));

    tests::EventSample sample = tests::event_sample("bare");
    sample.outcome.content = out;
    const std::string line = sample.line();
    CHECK(json::Document::parse(Body::copy(line)));
    CHECK((line.find(R"("truncated":true)") != std::string::npos) == (cap < text.size()));
  }
}

TEST_CASE("each part has its own allowance") {
  Content content;
  content.prompt = {{"", std::string(5000, 'p')}};
  content.answer = std::string(50, 'a');
  content.tool_calls = {{"", "f", "{}"}};
  TelemetryOptions options = kAll;
  options.content_bytes = 100;
  const auto out = kept(content, options);
  CHECK(out->prompt.at(0).text.size() == 84);
  CHECK(out->answer.size() == 50);
  CHECK(out->tool_calls.at(0).arguments == "{}");
  CHECK(out->truncated);
}

TEST_CASE("a prompt is kept from its first message on; what does not fit is cut, and what follows the cut goes") {
  Content content;
  for (int i = 0; i < 5; ++i) content.prompt.push_back({"user", std::string(20, static_cast<char>('a' + i))});
  for (std::size_t cap = 0; cap <= 5 * 40; ++cap) {
    TelemetryOptions options = kAll;
    options.content_bytes = cap;
    const auto out = kept(content, options);
    INFO(cap);
    CHECK(out->truncated == (cap < 200));
    CHECK(bytes_of(out->prompt) + 16 * out->prompt.size() <= cap);
    CHECK(out->prompt.size() == (cap + 20) / 40);
    for (std::size_t i = 0; i + 1 < out->prompt.size(); ++i) CHECK(out->prompt[i].text.size() == 20);
  }
}

TEST_CASE("behind a message that was cut nothing stands, though it would fit") {
  Content content;
  content.prompt = {{"user", std::string(1000, 'a')}, {"user", "b"}};
  TelemetryOptions options = kAll;
  for (options.content_bytes = 20; options.content_bytes < 1000; ++options.content_bytes) {
    const auto out = kept(content, options);
    REQUIRE(out->prompt.size() == 1);
    CHECK(out->prompt[0].text.size() == options.content_bytes - 20);
  }
}

TEST_CASE("a thousand empty messages and calls are bounded, too") {
  Content content;
  content.prompt.resize(1000);
  content.tool_calls.resize(1000);
  TelemetryOptions options = kAll;
  options.content_bytes = 160;
  const auto out = kept(content, options);
  CHECK(out->prompt.size() == 10);
  CHECK(out->tool_calls.size() == 10);
  CHECK(out->truncated);
}

// TELE-10
TEST_CASE("the arguments of a tool call are a document: they stay whole or go") {
  Content content;
  content.tool_calls = {{"id", "big", "{\"text\":\"" + std::string(100, 'x') + "\"}"}, {"id", "small", "{}"}};
  for (std::size_t cap = 0; cap < 200; ++cap) {
    TelemetryOptions options = kAll;
    options.content_bytes = cap;
    const auto out = kept(content, options);
    for (const auto& call : out->tool_calls) CHECK((call.arguments.empty() || json::Document::parse(Body::copy(call.arguments))));
    CHECK(out->truncated == (cap < 16 + 2 + 3 + 111 + 16 + 2 + 5 + 2));
  }
  TelemetryOptions options = kAll;
  options.content_bytes = 60;
  const auto out = kept(content, options);
  REQUIRE(out->tool_calls.size() == 2);
  CHECK(out->tool_calls[0].name == "big");
  CHECK(out->tool_calls[0].arguments.empty());
  CHECK(out->tool_calls[1].arguments == "{}");
}

TEST_CASE("what was cut when it was gathered stays marked, and loses nothing more") {
  Content content = said();
  content.truncated = true;
  const auto out = kept(content, kAll);
  CHECK(out->truncated);
  CHECK(out->prompt.size() == 2);
}
