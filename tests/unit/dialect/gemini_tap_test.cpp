// What a tap hears of answers of the Gemini dialect that pass by.

#include <catch2/catch.hpp>

#include "unit/dialect/wire.hpp"

using namespace sluice;
using chat::Operation;
using dialect::gemini;

namespace {

std::unique_ptr<dialect::AnswerTap> stream_tap() { return gemini().tap({Operation::kChat, true, false}); }

struct Whole {
  std::string usage, model, finish;
  std::optional<Error> error;
  Status end;
};

Whole whole(std::string_view body, std::size_t cut, Operation operation = Operation::kChat) {
  const auto tap = gemini().tap({operation, false, false});
  REQUIRE(tap->on_bytes(body.substr(0, cut)));
  REQUIRE(tap->on_bytes(body.substr(cut)));
  Status end = tap->on_end();
  return {chat::describe(tap->usage()), std::string(tap->model()), std::string(tap->finish_reason()), tap->error(), std::move(end)};
}

}  // namespace

// DIAL-11
TEST_CASE("a tap takes usage, model, finish and content of each element") {
  const auto tap = stream_tap();
  auto verdict = tap->on_event({}, R"({"candidates":[{"content":{"parts":[{"text":"a"}]}}],"usageMetadata":{"promptTokenCount":3},"modelVersion":"m\u0031"})");
  CHECK(verdict.content);
  CHECK_FALSE(verdict.finished);
  CHECK(verdict.action == dialect::TapAction::kForward);
  verdict = tap->on_event({}, R"({"candidates":[{"content":{"parts":[{"text":""}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":4,"thoughtsTokenCount":2,"totalTokenCount":9},"modelVersion":"m2"})");
  CHECK_FALSE(verdict.content);
  CHECK(verdict.finished);
  CHECK_FALSE(verdict.terminal);
  CHECK(tap->model() == "m1");
  CHECK(tap->finish_reason() == "STOP");
  CHECK(chat::describe(tap->usage()) == "3 in, 6 out (2 reasoning)");
  CHECK(tap->usage().total_tokens == 9u);
}

TEST_CASE("a member of a call's arguments is no finish reason, and a call is content") {
  const auto tap = stream_tap();
  const auto verdict = tap->on_event({}, R"({"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"finishReason":"STOP","error":{"code":1},"x":[{"finishReason":"STOP"}]}}}]}}]})");
  CHECK(verdict.content);
  CHECK_FALSE(verdict.finished);
  CHECK_FALSE(verdict.error);
}

TEST_CASE("an error in a 200, a refused prompt and what is no JSON are told") {
  auto verdict = stream_tap()->on_event({}, R"({"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}})");
  REQUIRE(verdict.error);
  CHECK(verdict.error->http_status == 503);
  const auto tap = stream_tap();
  verdict = tap->on_event({}, R"({"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":3}})");
  CHECK(verdict.finished);
  CHECK(tap->finish_reason() == "SAFETY");
  CHECK(stream_tap()->on_event({}, "<html>").error);
  CHECK_FALSE(stream_tap()->on_event({}, " \n").error);
  CHECK(stream_tap()->on_event({}, R"({"candidates":[{"finishReason":2}]})").finished);
}

// DIAL-18
TEST_CASE("a tap hears the same of a whole answer wherever it is cut, short or long") {
  for (const std::size_t length : {std::size_t{5}, std::size_t{40000}}) {
    const std::string body = R"({"candidates":[{"content":{"parts":[{"text":")" + std::string(length, 'x') + R"("}]},"finishReason":"MAX_TOKENS","index":0}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":4,"totalTokenCount":7},"modelVersion":"m"})";
    const std::size_t step = 1 + length / 300;
    for (std::size_t cut = 0; cut <= body.size(); cut += body.size() - cut < 300 ? 1 : step) {
      const Whole heard = whole(body, cut);
      INFO(cut);
      REQUIRE(heard.end);
      REQUIRE(heard.usage == "3 in, 4 out");
      REQUIRE(heard.model == "m");
      REQUIRE(heard.finish == "MAX_TOKENS");
    }
  }
}

TEST_CASE("a whole answer that is cut off, empty or an error is told") {
  CHECK_FALSE(whole(R"({"candidates":[{"content")", 3).end);
  CHECK(whole(R"({"candidates":[{"content")", 3).end.error().code == Code::kUpstreamTruncated);
  CHECK_FALSE(whole("", 0).end);
  CHECK(whole(R"({"error":{"code":429,"message":"slow"}})", 9).error->http_status == 429);
  CHECK(whole(R"({"promptFeedback":{"blockReason":"SAFETY"}})", 9).finish == "SAFETY");
  CHECK(whole(R"({"totalTokens":12})", 4, Operation::kCountTokens).usage == "12 in, ? out");
  CHECK_FALSE(gemini().tap({Operation::kChat, false, false})->on_bytes("<html>"));
}
