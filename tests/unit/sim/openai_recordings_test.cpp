// The simulator's templates against what the real service was recorded to say: the same keys, and for whole answers and
// events the same order of keys. Read in place; skipped where the recordings are not there.
#include <catch2/catch.hpp>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "unit/sim/recordings.hpp"
#include "unit/sim/rig.hpp"

using namespace sluice;
using namespace sluice::sim;

namespace {

bool missing() { return recordings_missing("openai"); }

/// The paths of all members in the order they stand; elements of arrays share one path, so the first of a kind counts.
/// Values under `opaque` keys are the caller's business.
void collect(const json::Value& value, const std::string& path, std::vector<std::string>& keys, std::set<std::string>& seen) {
  if (value.is(json::Type::kObject)) {
    for (json::Value member = value.first(); member; member = member.next()) {
      std::string scratch;
      const std::string name(member.key(scratch));
      if (name == "obfuscation") continue;  // padding against traffic analysis: newer recordings only
      const std::string at = path + "/" + name;
      if (seen.insert(at).second) keys.push_back(at);
      collect(member, at, keys, seen);
    }
  } else if (value.is(json::Type::kArray)) {
    for (json::Value element = value.first(); element; element = element.next()) collect(element, path + "[]", keys, seen);
  }
}

std::vector<std::string> key_order(std::string_view text) {
  const Parsed parsed(text);
  std::vector<std::string> keys;
  std::set<std::string> seen;
  collect(parsed.document->root(), "", keys, seen);
  return keys;
}

std::set<std::string> key_set(std::string_view text) {
  const auto keys = key_order(text);
  return {keys.begin(), keys.end()};
}

/// The recorded answer bodies of one file.
std::vector<std::string> recorded(const std::string& name) {
  std::vector<std::string> bodies;
  for (Recorded& exchange : recorded_in("openai/" + name)) bodies.push_back(std::move(exchange.body));
  REQUIRE_FALSE(bodies.empty());
  return bodies;
}

}  // namespace

TEST_CASE("a chat answer has the keys of a recorded one, in their order") {
  if (missing()) return;
  Rig rig;
  CHECK(key_order(rig.run(Rig::chat())->body) ==
        key_order(recorded("chat_completions/openinference__test-instrumentor-test-token-counts.json").at(0)));
}

TEST_CASE("a chat answer with parallel tool calls has the keys of a recorded one, in their order") {
  if (missing()) return;
  Rig rig;
  rig.script().calls({{"", "a", "{}"}, {"", "b", "{}"}});
  const auto bodies = recorded("chat_completions-stream/braintrust__test-openai-parallel-tool-calls.json");
  CHECK(key_order(rig.run(Rig::chat())->body) == key_order(bodies.at(0)));

  // Streamed: event by event over the kinds of event there are.
  const auto ours = events(rig.run(Rig::chat(true, R"(,"stream_options":{"include_usage":true})"))->body);
  const auto theirs = events(bodies.at(2));
  CHECK(key_set(ours.at(0)) == key_set(theirs.at(0)));                                      // role
  CHECK(key_set(ours.at(1)) == key_set(theirs.at(1)));                                      // a call opens
  CHECK(key_set(ours.at(2)) == key_set(theirs.at(2)));                                      // arguments
  CHECK(key_order(ours.at(ours.size() - 3)) == key_order(theirs.at(theirs.size() - 3)));    // reason
  CHECK(key_order(ours.at(ours.size() - 2)) == key_order(theirs.at(theirs.size() - 2)));    // usage
  CHECK(ours.back() == theirs.back());
}

TEST_CASE("the events of a chat stream have the keys of recorded ones, in their order") {
  if (missing()) return;
  Rig rig;
  const auto ours = events(rig.run(Rig::chat(true, R"(,"stream_options":{"include_usage":true})"))->body);
  const auto theirs = events(recorded("chat_completions-stream/req_llm_sgs__openai-gpt-3-5-turbo-streaming.json").at(0));
  CHECK(key_order(ours.at(0)) == key_order(theirs.at(0)));
  CHECK(key_order(ours.at(1)) == key_order(theirs.at(1)));
  CHECK(key_order(ours.at(ours.size() - 3)) == key_order(theirs.at(theirs.size() - 3)));
  CHECK(key_order(ours.at(ours.size() - 2)) == key_order(theirs.at(theirs.size() - 2)));
  CHECK(ours.back() == theirs.back());
}

TEST_CASE("a refusal has the keys of a recorded one, streamed and not") {
  if (missing()) return;
  Rig rig;
  rig.script().refuses("No, sorry.");
  const auto bodies = recorded(
      "chat_completions-stream/rig__openai-refusal-matrix-chat-streaming-and-blocking-each-deliver-their-refusal-in-full.json");
  CHECK(key_set(rig.run(Rig::chat())->body) == key_set(bodies.at(0)));  // the recorder sorted these keys
  const auto ours = events(rig.run(Rig::chat(true, R"(,"stream_options":{"include_usage":true})"))->body);
  const auto theirs = events(bodies.at(1));
  CHECK(key_set(ours.at(0)) == key_set(theirs.at(0)));
  CHECK(key_set(ours.at(1)) == key_set(theirs.at(1)));
}

TEST_CASE("completions have the keys of recorded ones, streamed and not") {
  if (missing()) return;
  Rig rig;
  CHECK(key_order(rig.run(Rig::post("/v1/completions", R"({"model":"m","prompt":"p"})"))->body) ==
        key_order(recorded("completions/dd-trace-py__openai-openai-completions-post-028af692.json").at(0)));
  const auto plain = events(rig.run(Rig::post("/v1/completions", R"({"model":"m","prompt":"p","stream":true})"))->body);
  const auto recorded_plain = events(recorded("completions-stream/dd-trace-py__openai-openai-completions-post-1dd33b11.json").at(0));
  CHECK(key_order(plain.at(0)) == key_order(recorded_plain.at(0)));
  CHECK(key_order(plain.at(plain.size() - 2)) == key_order(recorded_plain.at(recorded_plain.size() - 2)));
  const auto usage = events(
      rig.run(Rig::post("/v1/completions", R"({"model":"m","prompt":"p","stream":true,"stream_options":{"include_usage":true}})"))->body);
  const auto recorded_usage = events(recorded("completions-stream/ai-gateway__completion-streaming-usage.json").at(0));
  CHECK(key_order(usage.at(0)) == key_order(recorded_usage.at(0)));
  CHECK(key_order(usage.at(usage.size() - 2)) == key_order(recorded_usage.at(recorded_usage.size() - 2)));
}

TEST_CASE("embeddings have the keys of recorded ones, and as many bytes a number") {
  if (missing()) return;
  Rig rig;
  const auto theirs = recorded("embeddings/otel__test-embeddings-with-dimensions.json").at(0);
  const auto ours = rig.run(Rig::post("/v1/embeddings", R"({"model":"e","input":"x","dimensions":512})"))->body;
  CHECK(key_order(ours) == key_order(theirs));
  CHECK(Parsed(ours).at("/data/0/embedding").size() == Parsed(theirs).at("/data/0/embedding").size());
  const auto packed = recorded("embeddings/pydantic-ai__test-embeddings-testopenai-test-instrumentation.json").at(0);
  const auto ours_packed =
      rig.run(Rig::post("/v1/embeddings", R"({"model":"e","input":"x","dimensions":128,"encoding_format":"base64"})"))->body;
  CHECK(key_set(ours_packed) == key_set(packed));
  CHECK(Parsed(ours_packed).text("/data/0/embedding").size() == Parsed(packed).text("/data/0/embedding").size());
}

TEST_CASE("a moderation has the keys of a recorded one, in their order") {
  if (missing()) return;
  Rig rig;
  CHECK(key_order(rig.run(Rig::post("/v1/moderations", R"({"model":"text-moderation-007","input":"x"})"))->body) ==
        key_order(recorded("moderations/ruby-openai__cassettes-moderations-have-a-great-day.json").at(0)));
}

TEST_CASE("errors have the keys of recorded ones, in their order") {
  if (missing()) return;
  Rig rig;
  rig.script().models({"other"});
  CHECK(key_order(rig.run(Rig::chat())->body) == key_order(recorded("chat_completions/ai-gateway__chat-unknown-model.json").at(0)));
  rig.script().fails_with(401);
  CHECK(key_order(rig.run(Rig::chat())->body) ==
        key_order(recorded("chat_completions/openinference__test-instrumentor-test-error-status-code-and-exception-events-with-"
                           "invalid-api-key.json").at(0)));
  rig.script().fails_with(400);
  CHECK(key_order(rig.run(Rig::post("/v1/completions", "{}"))->body) ==
        key_order(recorded("completions/dd-trace-py__openai-openai-completions-post-48ee296c.json").at(0)));
}
