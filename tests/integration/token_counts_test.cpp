// Tokens that no provider has counted, end to end: by the model's vocabulary, corrected by what was reported before, and
// always told as what they are.

#include <catch2/catch.hpp>

#include <fstream>

#include "chat/tokens.hpp"
#include "integration/telemetry_support.hpp"
#include "unit/chat/rank_table.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

constexpr const char* kCounting = "anthropic-version: 2023-06-01\r\n";

/// A rank file in which the roles and `word` are tokens.
std::string write_ranks(const Directory& directory, const std::string& name = "ranks") {
  std::ofstream(directory.file(name), std::ios::binary) << tests::rank_file(tests::tokens_with({"user", " word"}));
  return directory.file(name);
}

std::string with_tokens(const std::string& config, const std::string& tokens) {
  return config.substr(0, config.size() - 1) + R"(,"gateway":{"tokens":{)" + tokens + "}}}";
}
std::string ranks(const std::string& file, const std::string& more = {}) { return R"("ranks":[{"encoding":"o200k_base","file":")" + file + "\"" + more + "}]"; }

std::string words(int n) {
  std::string out;
  for (int i = 0; i != n; ++i) out += " word";
  return out;
}

std::int64_t input_tokens(const WireAnswer& answer) {
  const std::size_t at = answer.body.find(R"("input_tokens":)");
  return at == std::string::npos ? -1 : std::atoll(answer.body.c_str() + at + 15);
}

WireAnswer counted(Live& live, const std::string& model, const std::string& text, const std::string& more = {}) {
  return ask(live, post("/v1/messages/count_tokens",
                        R"({"model":")" + model + R"(","messages":[{"role":"user","content":")" + text + "\"}]" + more + "}", kCounting));
}

const Reply kSilent = answer_of(R"({"model":"m-1","choices":[{"index":0,"message":{"content":" word word"},"finish_reason":"stop"}]})");
Reply silent_stream() { return whole_stream(kRole + text_event(" wo") + text_event("rd word") + kStop + kDone); }

std::string reporting(std::uint64_t input, std::uint64_t output) {
  return R"({"model":"m-1","choices":[{"index":0,"message":{"content":"some words of an answer, enough of them to say something about their number"},"finish_reason":"stop"}],"usage":{"prompt_tokens":)" +
         std::to_string(input) + R"(,"completion_tokens":)" + std::to_string(output) + "}}";
}

}  // namespace

TEST_CASE("who asks for a count gets the vocabulary's, with the rule around messages, and is told how it was come to") {
  const Directory directory;
  Backend a("a");
  Live live(with_tokens(document(a.entry(), route_to("a")), ranks(write_ranks(directory))));
  const WireAnswer exact = counted(live, "gpt-4o", words(100));
  REQUIRE(exact.status == 200);
  CHECK(input_tokens(exact) == 100 + 4 + 3);
  CHECK(exact.field("x-sluice-estimated") == "true");
  CHECK(exact.field("x-sluice-estimated-by") == "tokenizer");
  const WireAnswer tools = counted(live, "gpt-4o", words(100), R"(,"tools":[{"name":"f","input_schema":{"type":"object"}}])");
  CHECK(input_tokens(tools) > 107);
  CHECK(tools.field("x-sluice-estimated-by") == "tokenizer_partly");
  const WireAnswer other = counted(live, "some-model", words(100));
  CHECK(other.field("x-sluice-estimated") == "true");
  CHECK(other.field("x-sluice-estimated-by") == "weights");
  CHECK(a->request_count() == 0);
  for (const Outcome& outcome : live.outcomes().wait(3)) CHECK(outcome.usage.estimated);
}

TEST_CASE("a model is counted by the name its upstream is sent") {
  const Directory directory;
  Backend a("a");
  const std::string route = R"({"name":"r","upstreams":[{"name":"a","model":"deployment-7"}]})";
  Live live(with_tokens(document(a.entry(), route), ranks(write_ranks(directory), R"(,"models":["deployment-*"])")));
  CHECK(input_tokens(counted(live, "smart", words(10))) == 10 + 4 + 3);
}

TEST_CASE("what a silent upstream has read and written is counted by the model's vocabulary, in streams across their events") {
  const Directory directory;
  const auto threads = GENERATE(1u, 4u);
  const bool stream = GENERATE(false, true);
  FaultServer server;
  server.on_request([stream](const RawRequest&) { return stream ? silent_stream() : kSilent; });
  Events events;
  const std::string config = document(R"({"name":"up","url":"http://)" + server.authority() + R"(/v1"})", route_to("up"));
  Live live(with_tokens(config, ranks(write_ranks(directory))), threads, telling(events));
  CHECK(ask(live, post("/v1/chat/completions", chat_body("gpt-4o", words(50), stream))).status == 200);
  const std::string event = events.wait(1).at(0);
  CHECK(fits_schema(event));
  CHECK(at(event, {"usage", "source"}) == R"("estimated")");
  CHECK(at(event, {"usage", "estimated_by"}) == R"("tokenizer")");
  CHECK(number_at(event, {"usage", "input_tokens"}) == 50 + 4 + 3);
  CHECK(number_at(event, {"usage", "output_tokens"}) == 2);
  // Beyond 32 KB it goes by share, and says so.
  CHECK(ask(live, post("/v1/chat/completions", chat_body("gpt-4o", words(20'000), stream))).status == 200);
  const std::string longer = events.wait(2).at(1);
  CHECK(at(longer, {"usage", "estimated_by"}) == R"("tokenizer_partly")");
  CHECK(number_at(longer, {"usage", "input_tokens"}) > 19'900);
  CHECK(number_at(longer, {"usage", "input_tokens"}) < 20'100);
}

TEST_CASE("estimates are corrected by what an upstream reported for the model before, from the eighth answer on") {
  const bool stream = GENERATE(false, true);
  const bool learn = GENERATE(false, true);
  FaultServer server;
  const std::string text = words(200);
  const auto estimate = chat::tokens::estimate(text, chat::tokens::tokenizer_of("m-1")) + 4;
  bool silent = false;
  server.on_request([&](const RawRequest&) {
    if (silent) return stream ? silent_stream() : kSilent;
    if (!stream) return answer_of(reporting(estimate * 2, 7));
    return whole_stream(kRole + text_event(words(30)) + kStop +
                        event_of(R"({"choices":[],"usage":{"prompt_tokens":)" + std::to_string(estimate * 2) + R"(,"completion_tokens":60}})") + kDone);
  });
  Events events;
  const std::string config = document(R"({"name":"up","url":"http://)" + server.authority() + R"(/v1"})", route_to("up"));
  Live live(with_tokens(config, learn ? R"("learn":true)" : R"("learn":false)"), 1, telling(events));
  const auto send = [&](std::size_t n) {
    CHECK(ask(live, post("/v1/chat/completions", chat_body("m", text, stream))).status == 200);
    return events.wait(n).at(n - 1);
  };
  for (std::size_t n = 1; n <= 7; ++n) CHECK(at(send(n), {"usage", "source"}) == R"("reported")");
  silent = true;
  const std::string early = send(8);
  CHECK(at(early, {"usage", "estimated_by"}) == R"("weights")");
  CHECK(number_at(early, {"usage", "input_tokens"}) == static_cast<std::int64_t>(estimate));
  silent = false;
  (void)send(9);
  silent = true;
  const std::string late = send(10);
  CHECK(at(late, {"usage", "source"}) == R"("estimated")");
  CHECK(at(late, {"usage", "estimated_by"}) == (learn ? R"("corrected")" : R"("weights")"));
  CHECK(number_at(late, {"usage", "input_tokens"}) == static_cast<std::int64_t>(learn ? estimate * 2 : estimate));

  // Who asks for a count gets the same correction, and the statistics tell it.
  const WireAnswer count = counted(live, "m", text);
  CHECK(count.field("x-sluice-estimated-by") == (learn ? "corrected" : "weights"));
  const Statistics statistics = live.gateway().statistics();
  REQUIRE(statistics.token_corrections.size() == (learn ? 1 : 0));
  if (!learn) return;
  const TokenCorrection& learned = statistics.token_corrections[0];
  CHECK(learned.upstream == "up");
  CHECK(learned.model == "m");
  CHECK(learned.input_samples == 8);
  CHECK(learned.input == Approx(2).margin(0.01));
  CHECK((stream ? learned.output_samples : learned.output_samples + 8) >= 8);
  // It holds over a reload.
  auto parsed = Config::parse(config);
  REQUIRE(parsed);
  parsed->gateway.threads = 1;
  parsed->gateway.listen.push_back({});
  REQUIRE(live.gateway().reload(*parsed));
  CHECK(live.gateway().statistics().token_corrections.size() == 1);
  CHECK(counted(live, "m", text).field("x-sluice-estimated-by") == "corrected");
}

TEST_CASE("an answer to a request with tools or media teaches nothing of input, for they are billed and not counted") {
  FaultServer server;
  server.on_request([](const RawRequest&) { return answer_of(reporting(5000, 14)); });
  Events events;
  Live live(document(R"({"name":"up","url":"http://)" + server.authority() + R"(/v1"})", route_to("up")), 1, telling(events));
  const std::string message = R"({"model":"m","messages":[{"role":"user","content":[{"type":"text","text":")" + words(50) + "\"}";
  const std::string image = message + R"(,{"type":"image_url","image_url":{"url":"https://a.b/c.png"}}]}]})";
  const std::string tools = message + R"(]}],"tools":[{"type":"function","function":{"name":"f","parameters":{}}}]})";
  for (const std::string& body : {image, tools}) CHECK(ask(live, post("/v1/chat/completions", body)).status == 200);
  (void)events.wait(2);
  for (const TokenCorrection& one : live.gateway().statistics().token_corrections) CHECK(one.input_samples == 0);
  CHECK(ask(live, post("/v1/chat/completions", message + "]}]}")).status == 200);
  (void)events.wait(3);
  REQUIRE(live.gateway().statistics().token_corrections.size() == 1);
  CHECK(live.gateway().statistics().token_corrections[0].input_samples == 1);
}
