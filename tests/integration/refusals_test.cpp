// What a guard refuses in a stream is said nowhere, and the stream ends as its dialect ends one that was broken off: between every
// two dialects, judged at once and late. The callers' ears are the tests' own.

#include <catch2/catch.hpp>

#include "integration/dialect_pair.hpp"
#include "integration/dialect_speech.hpp"
#include "integration/plugins_support.hpp"
#include "sluice/testing.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

/// How each dialect says that something else than its model ended an answer; empty: an error is all it has.
std::string_view filtered_word(std::string_view dialect) {
  if (dialect == "openai") return "content_filter";
  if (dialect == "openai-responses") return "incomplete";
  if (dialect == "anthropic") return "refusal";
  if (dialect == "gemini") return "SAFETY";
  if (dialect == "bedrock") return "content_filtered";
  if (dialect == "cohere") return "ERROR";
  return {};
}

/// Refuses, or fails over, the first text that holds `word`; `late` asks another thread first.
std::shared_ptr<const Plugin> guard(std::string word, bool refuses, Waiting* late = nullptr) {
  return scripted("guard", Phase::kGuard, kWantsDeltas, {.delta = [=](DeltaContext& ctx, Delta& delta) -> Verdict {
                    if (delta.text.find(word) == std::string::npos && delta.tool_name.find(word) == std::string::npos) return Verdict::go_on();
                    if (late != nullptr) return late->park(ctx);
                    if (!refuses) throw std::runtime_error("secret");
                    return Verdict::fail(refusal("not to be told"));
                  }});
}

std::string wire(const Request& request) {
  std::string out = "POST " + request.target + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
  return out + "Content-Length: " + std::to_string(request.body.view().size()) + "\r\n\r\n" + std::string(request.body.view());
}

/// `body` is what a caller of that dialect may be told where `said` was let through and the rest refused.
void check_end(const Speech& caller, std::string_view body, std::string_view said, bool refused) {
  const Heard heard = caller.hear(body, true);
  CHECK(heard.text.substr(0, heard.text.find_last_not_of(" ") + 1) == said);
  const std::string_view word = filtered_word(caller.name);
  if (!refused || word.empty()) {
    CHECK(body.find(refused ? "not to be told" : "guard") != std::string_view::npos);
    return;
  }
  CHECK(heard.mistake == "");
  CHECK(heard.finish == word);
}

}  // namespace

// PLUG-14
TEST_CASE("text that a guard refuses is said nowhere, between every two dialects") {
  for (const Speech& upstream : speeches()) {
    for (const Speech& caller : speeches()) {
      for (const bool refuses : {true, false}) {
        INFO(caller.name << " -> " << upstream.name << (refuses ? ", refused" : ", the guard fails"));
        Pair pair(upstream.name, "," + plugin_list({"guard"}), {guard("poison", refuses)});
        pair.simulation.upstream("up").answers("One two poison three.").usage(11, 7);
        const testing::Run run = pair.run(caller.ask({.stream = true}));
        REQUIRE(run.status() == 200);
        CHECK(run.body().find("poison") == std::string::npos);
        CHECK(run.body().find("three") == std::string::npos);
        CHECK(run.body().find("secret") == std::string::npos);
        check_end(caller, run.body(), "One two", refuses);
        CHECK(run.outcome().ending == Ending::kFailed);
      }
    }
  }
}

// PLUG-14
TEST_CASE("a call that a guard refuses is told nowhere, and those before it are ended, between every two dialects") {
  for (const Speech& upstream : speeches()) {
    for (const Speech& caller : speeches()) {
      for (const std::string word : {"poison", "Oslo"}) {
        INFO(caller.name << " -> " << upstream.name << ", " << word << " is refused");
        Pair pair(upstream.name, "," + plugin_list({"guard"}), {guard(word, true)});
        pair.simulation.upstream("up").calls({{.name = "weather", .arguments = R"({"city":"Rome"})"}, {.name = "poison", .arguments = R"({"city":"Oslo"})"}});
        const testing::Run run = pair.run(caller.ask({.stream = true, .tools = true}));
        REQUIRE(run.status() == 200);
        CHECK(run.body().find(word) == std::string::npos);
        check_end(caller, run.body(), "", true);
      }
    }
  }
}

// PLUG-14
TEST_CASE("what a guard refuses late was read ahead by then, and is said nowhere all the same") {
  const auto threads = GENERATE(1u, 4u);
  FaultServer server;
  const std::string whole = kRole + text_event("one ") + text_event("poison ") + text_event("three") + kStop + kDone;
  server.on_request([&](const RawRequest&) { return whole_stream(whole); });
  for (const Speech& caller : speeches()) {
    for (const bool refuses : {true, false}) {
      INFO(caller.name << (refuses ? ", refused" : ", the guard fails"));
      Waiting waiting;
      Live live(document(R"({"name":"up","url":"http://)" + server.authority() + R"(/v1"})", route_to("up", "," + plugin_list({"guard"}))), threads, bringing({guard("poison", refuses, &waiting)}));
      RawClient client(live.port());
      client.send(wire(caller.ask({.stream = true})));
      REQUIRE(waiting.wait());
      Error error = refuses ? refusal("not to be told") : make_error(Code::kPluginError, "the guard is broken");
      waiting.take().resume(Verdict::fail(std::move(error)));
      const WireAnswer answer = client.answer();
      CHECK(answer.status == 200);
      CHECK(answer.body.find("poison") == std::string::npos);
      CHECK(answer.body.find("three") == std::string::npos);
      check_end(caller, answer.body, "one", refuses);
      CHECK(live.outcomes().wait(1)[0].ending == Ending::kFailed);
    }
  }
}
