// Every client's dialect against every upstream's: what is asked arrives, and what is answered is heard, whole and streamed.
// The upstream is the simulator, the client's ear is the tests' own; neither uses a dialect of the library.

#include <catch2/catch.hpp>
#include <set>

#include "integration/dialect_pair.hpp"
#include "integration/dialect_speech.hpp"
#include "sluice/testing.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

std::vector<std::string_view> spoken() {
  std::vector<std::string_view> names;
  for (const Speech& one : speeches()) names.push_back(one.name);
  return names;
}

}  // namespace

// DIAL-01, DIAL-10, DIAL-11, DIAL-22
TEST_CASE("a text is asked for and heard between every two dialects") {
  for (const std::string_view upstream : spoken()) {
    for (const Speech& caller : speeches()) {
      for (const bool stream : {false, true}) {
        INFO(caller.name << " -> " << upstream << (stream ? ", streamed" : ""));
        Pair pair(upstream);
        pair.simulation.upstream("up").answers("Grüße aus Rom, \"2\" Mal.").usage(11, 7);
        const testing::Run run = pair.run(caller.ask({.stream = stream, .system = "Be brief.", .user = "Say hello"}));
        REQUIRE(run.status() == 200);
        const Heard heard = caller.hear(run.body(), stream);
        CHECK(heard.mistake == "");
        CHECK_FALSE(heard.gaps);
        CHECK(heard.ended);
        CHECK(heard.text == "Grüße aus Rom, \"2\" Mal.");
        CHECK(heard.finish == caller.stop);
        CHECK(heard.input == 11);
        CHECK(heard.output == 7);
        CHECK(run.outcome().usage.input_tokens == 11u);
        CHECK(run.outcome().usage.output_tokens == 7u);
        CHECK(run.outcome().ending == Ending::kCompleted);
        const std::string& sent = pair.simulation.seen().back().body;
        CHECK(sent.find("Be brief.") != std::string::npos);
        CHECK(sent.find("Say hello") != std::string::npos);
        CHECK(sent.find("64") != std::string::npos);  // the most tokens it may take
      }
    }
  }
}

// DIAL-01, DIAL-04, DIAL-05, DIAL-09
TEST_CASE("parallel tool calls, one of them without arguments, are heard between every two dialects") {
  for (const std::string_view upstream : spoken()) {
    for (const Speech& caller : speeches()) {
      for (const bool stream : {false, true}) {
        INFO(caller.name << " -> " << upstream << (stream ? ", streamed" : ""));
        Pair pair(upstream);
        pair.simulation.upstream("up").calls({{.name = "weather", .arguments = "{\n  \"city\": \"Rome\"\r\n}"},  // printed over lines
                                              {.name = "weather", .arguments = R"({"city":"Oslo \"N\""})"},
                                              {.name = "clock", .arguments = "{}"}});
        const testing::Run run = pair.run(caller.ask({.stream = stream, .tools = true}));
        REQUIRE(run.status() == 200);
        const Heard heard = caller.hear(run.body(), stream);
        CHECK(heard.mistake == "");
        CHECK_FALSE(heard.gaps);
        CHECK(heard.ended);
        REQUIRE(heard.calls.size() == 3);
        CHECK(heard.calls[0] == SpokenCall{.name = "weather", .arguments = R"({"city":"Rome"})"});
        CHECK(heard.calls[1] == SpokenCall{.name = "weather", .arguments = R"({"city":"Oslo \"N\""})"});
        CHECK(heard.calls[2] == SpokenCall{.name = "clock", .arguments = "{}"});
        if (caller.name != "gemini" && caller.name != "ollama") {
          CHECK(std::set<std::string>{heard.calls[0].id, heard.calls[1].id, heard.calls[2].id}.size() == 3);
        }
        CHECK(heard.finish == caller.tool_calls);
      }
    }
  }
}

// DIAL-01, DIAL-06, DIAL-07
TEST_CASE("calls and their results go up between every two dialects") {
  for (const std::string_view upstream : spoken()) {
    for (const Speech& caller : speeches()) {
      INFO(caller.name << " -> " << upstream);
      Pair pair(upstream);
      pair.simulation.upstream("up").answers("Fine.");
      const testing::Run run = pair.run(caller.ask({.history = true}));
      REQUIRE(run.status() == 200);
      CHECK(caller.hear(run.body(), false).text == "Fine.");
      const std::string& sent = pair.simulation.seen().back().body;
      const std::size_t rome = sent.find("Rome"), oslo = sent.find("Oslo", rome), sunny = sent.find("sunny in Rome", oslo);
      CHECK(sunny != std::string::npos);
      CHECK(sent.find("snow in Oslo", sunny) != std::string::npos);
    }
  }
}

// DIAL-01
TEST_CASE("an answer that was cut says so between every two dialects") {
  for (const std::string_view upstream : spoken()) {
    for (const Speech& caller : speeches()) {
      for (const bool stream : {false, true}) {
        INFO(caller.name << " -> " << upstream << (stream ? ", streamed" : ""));
        Pair pair(upstream);
        pair.simulation.upstream("up").generates(40);
        const testing::Run run = pair.run(caller.ask({.stream = stream, .max_tokens = 16}));
        REQUIRE(run.status() == 200);
        const Heard heard = caller.hear(run.body(), stream);
        CHECK(heard.mistake == "");
        CHECK_FALSE(heard.gaps);
        CHECK(heard.ended);
        CHECK(heard.finish == caller.length);
        CHECK(heard.output == 16);
      }
    }
  }
}

// DIAL-17
TEST_CASE("an upstream's error keeps its status and its words between every two dialects") {
  for (const std::string_view upstream : spoken()) {
    for (const Speech& caller : speeches()) {
      for (const int status : {400, 401, 404, 429, 500, 503}) {
        INFO(caller.name << " -> " << upstream << ", " << status);
        Pair pair(upstream, R"(,"retry":{"attempts":1})");
        pair.simulation.upstream("up").fails_with(status);
        const testing::Run run = pair.run(caller.ask({}));
        CHECK(run.status() == status);
        CHECK(canonical_json(run.body())[0] == '{');
        CHECK(run.body().find(caller.name == "ollama" ? "\"error\":\"" : "message") != std::string::npos);
        CHECK(run.outcome().ending == Ending::kCompleted);
      }
    }
  }
}

// DIAL-04, STREAM-13
TEST_CASE("a stream that breaks off is told as an error, and never as an end, between every two dialects") {
  for (const std::string_view upstream : spoken()) {
    for (const Speech& caller : speeches()) {
      INFO(caller.name << " -> " << upstream);
      Pair pair(upstream, R"(,"retry":{"attempts":1})");
      pair.simulation.upstream("up").generates(200).fails({.kind = testing::Fault::Kind::kCut, .at_byte = 8000});
      const testing::Run run = pair.run(caller.ask({.stream = true, .max_tokens = 400}));
      const Heard heard = caller.hear(run.body(), true);
      CHECK_FALSE(heard.text.empty());
      CHECK_FALSE((heard.ended && heard.finish == caller.stop));
      REQUIRE(run.outcome().error);
      CHECK(run.outcome().error->code == Code::kUpstreamTruncated);
    }
  }
}
