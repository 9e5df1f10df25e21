// Usage of streams, end to end: asked of the upstream on the caller's behalf, accounted, and taken out again so that the
// caller gets the stream of one who never asked (issue item 7).
#include <catch2/catch.hpp>

#include "stream_support.hpp"

using namespace sluice;
using namespace sluice::test;

namespace {

constexpr const char* kUsage = R"("usage":{"prompt_tokens":11,"completion_tokens":5,"total_tokens":16,"prompt_tokens_details":{"cached_tokens":4}})";

std::string chunk_of(std::string_view choices, std::string_view tail = {}) {
  return event_of(R"({"id":"c1","object":"chat.completion.chunk","model":"m-1","choices":)" + std::string(choices) + std::string(tail) + "}");
}
const std::string kText = R"([{"index":0,"delta":{"content":"say \"usage\":null twice"},"finish_reason":null}])";
const std::string kEnd = R"([{"index":0,"delta":{},"finish_reason":"stop"}])";

/// What a provider says that was asked for usage, and what one says that was not.
const std::string kAsked = chunk_of(kText, R"(,"usage":null)") + chunk_of(kEnd, R"( , "usage" : null)") + chunk_of("[]", "," + std::string(kUsage)) + kDone;
const std::string kNotAsked = chunk_of(kText) + chunk_of(kEnd) + kDone;

std::string request_with(std::string_view options) {
  std::string body = chat_body("m", "hello", true);
  if (!options.empty()) body.insert(body.size() - 1, R"(,"stream_options":)" + std::string(options));
  return body;
}

struct Exchange {
  WireAnswer answer;
  Outcome outcome;
  std::string sent;
};

Exchange run(const std::string& body, std::uint32_t threads, const std::string& upstream = {}, const std::string& reply = kAsked) {
  FaultServer server;
  server.on_request([&](const RawRequest&) { return whole_stream(reply); });
  Live live(config_of(server, upstream), threads);
  RawClient client(live.port());
  client.send(post("/v1/chat/completions", body));
  Exchange out;
  out.answer = client.answer();
  const auto outcomes = live.outcomes().wait(1);
  REQUIRE(outcomes.size() == 1);
  out.outcome = outcomes[0];
  REQUIRE(server.requests().size() == 1);
  out.sent = server.requests()[0].body;
  return out;
}

void check_counted(const Usage& usage) {
  CHECK(usage.input_tokens == 11u);
  CHECK(usage.output_tokens == 5u);
  CHECK(usage.cached_input_tokens == 4u);
  CHECK(usage.total_tokens == 16u);
  CHECK_FALSE(usage.estimated);
}

}  // namespace

TEST_CASE("a caller who did not ask for usage is accounted and gets the stream of one who did not ask") {
  const auto threads = GENERATE(1u, 4u);
  const auto got = run(request_with({}), threads);
  CHECK(got.answer.body == kNotAsked);
  check_counted(got.outcome.usage);
  CHECK(got.outcome.finish_reason == "stop");
  CHECK(got.outcome.served_model == "m-1");
  // One option more, every other byte as it was.
  const std::string option = R"("stream_options":{"include_usage":true})";
  const std::size_t at = got.sent.find(option);
  REQUIRE(at != std::string::npos);
  CHECK(got.sent.size() == request_with({}).size() + option.size() + 1);
  std::string without = got.sent;
  without.erase(at, option.size() + 1);
  CHECK(without == request_with({}));
}

TEST_CASE("a caller who asked for usage gets every byte, and sends every byte") {
  const auto threads = GENERATE(1u, 4u);
  const auto options = GENERATE(values<std::string>({R"({"include_usage":true})", R"({ "include_usage" : true , "x" : 1.50 })"}));
  const auto got = run(request_with(options), threads);
  CHECK(got.sent == request_with(options));
  CHECK(got.answer.body == kAsked);
  check_counted(got.outcome.usage);
}

TEST_CASE("stream options that do not ask for usage are kept beside the one that is put in") {
  const auto threads = GENERATE(1u, 4u);
  const auto options =
      GENERATE(values<std::string>({"{}", R"({"include_obfuscation":false})", R"({"include_usage":false})", "null", R"({"include_usage":null})"}));
  INFO(options);
  const auto got = run(request_with(options), threads);
  INFO(got.sent);
  CHECK(got.sent.find(R"("include_usage":true)") != std::string::npos);
  CHECK(got.sent.find(R"("include_usage":false)") == std::string::npos);
  CHECK(got.sent.find(R"("include_usage":null)") == std::string::npos);
  if (options.find("obfuscation") != std::string::npos) CHECK(got.sent.find(R"("include_obfuscation":false)") != std::string::npos);
  CHECK(got.answer.body == kNotAsked);
  check_counted(got.outcome.usage);
}

TEST_CASE("an upstream that refuses the option is not asked") {
  const auto got = run(request_with({}), 1, R"("provider":"mistral")", chunk_of(kText) + chunk_of(kEnd, "," + std::string(kUsage)) + kDone);
  CHECK(got.sent == request_with({}));
  // Mistral says usage in its last chunk, unasked: that is the provider's own stream.
  CHECK(got.answer.body == chunk_of(kText) + chunk_of(kEnd, "," + std::string(kUsage)) + kDone);
  check_counted(got.outcome.usage);
}

TEST_CASE("usage beside the last choice is counted, and cut out where the caller had not asked") {
  const auto threads = GENERATE(1u, 4u);
  const auto got = run(request_with({}), threads, {}, chunk_of(kText) + chunk_of(kEnd, "," + std::string(kUsage)) + kDone);
  CHECK(got.answer.body == chunk_of(kText) + chunk_of(kEnd) + kDone);
  check_counted(got.outcome.usage);
}

TEST_CASE("an upstream that sends no usage leaves the counts unknown, not zero") {
  const auto got = run(request_with({}), 1, {}, kNotAsked);
  CHECK(got.answer.body == kNotAsked);
  CHECK_FALSE(got.outcome.usage.input_tokens);
  CHECK_FALSE(got.outcome.usage.output_tokens);
}

TEST_CASE("a cancelled stream is accounted with what was known") {
  FaultServer server;
  server.on_request([&](const RawRequest&) {
    return open_stream().chunk(chunk_of(kText, "," + std::string(kUsage))).then_stall();
  });
  Live live(config_of(server), 1);
  RawClient client(live.port());
  client.send(stream_request());
  client.until("twice");
  client.close();
  const auto outcomes = live.outcomes().wait(1);
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes[0].ending == Ending::kCancelled);
  check_counted(outcomes[0].usage);
}

TEST_CASE("the usage of a whole answer is counted and every byte of it passes") {
  const auto threads = GENERATE(1u, 4u);
  FaultServer server;
  server.on_request([&](const RawRequest&) { return answer_of(); });
  Live live(config_of(server), threads);
  RawClient client(live.port());
  client.send(plain_request());
  CHECK(client.answer().body == kAnswer);
  const auto outcomes = live.outcomes().wait(1);
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes[0].usage.input_tokens == 5u);
  CHECK(outcomes[0].usage.output_tokens == 2u);
  CHECK(outcomes[0].finish_reason == "stop");
}
