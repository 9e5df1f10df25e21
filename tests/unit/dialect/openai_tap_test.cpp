// What the tap hears in answers that pass, and what it takes out of streams.

#include <catch2/catch.hpp>

#include "unit/dialect/wire.hpp"

using namespace sluice;
using chat::Operation;
using dialect::TapAction;
using dialect::TapVerdict;

namespace {

std::unique_ptr<dialect::AnswerTap> stream_tap(bool withhold, Operation operation = Operation::kChat) {
  return dialect::openai().tap({operation, true, withhold});
}

TapVerdict heard(std::string_view data, bool withhold = false, Operation operation = Operation::kChat) {
  return stream_tap(withhold, operation)->on_event({}, data);
}

/// What reaches the caller.
std::string passed(dialect::AnswerTap& tap, std::string_view data) {
  const TapVerdict verdict = tap.on_event({}, data);
  if (verdict.action == TapAction::kWithhold) return "";
  return std::string(verdict.action == TapAction::kReplace ? verdict.replacement : data);
}

std::string delta(std::string_view members, std::string_view rest = "") {
  std::string json = R"({"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{)";
  return json.append(members).append(R"(},"logprobs":null,"finish_reason":null}])").append(rest).append("}");
}

constexpr std::string_view kUsageChunk =
    R"({"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}})";

}  // namespace

TEST_CASE("content is what a reader would see") {
  const auto [members, content] = GENERATE(table<std::string, bool>({
      {R"("role":"assistant","content":"","refusal":null)", false},
      {R"("role":"assistant","content":null)", false},
      {"", false},
      {R"("role":"assistant")", false},
      {R"("content":"Hi")", true},
      {R"("content":"\"")", true},
      {R"("role":"assistant","content":"Hi")", true},
      {R"("role": "assistant", "content": "Hi")", true},
      {R"("content":null,"reasoning_content":"Hm")", true},
      {R"("content":"","reasoning":"Hm")", true},
      {R"("content":"","reasoning":"")", false},
      {R"("refusal":"No")", true},
      {R"("tool_calls":[{"index":0,"id":"x","type":"function","function":{"name":"f","arguments":""}}])", true},
      {R"("tool_calls":[{"index":0,"function":{"arguments":"{"}}])", true},
      {R"("tool_calls":[])", false},
      {R"("tool_calls":null)", false},
      {R"("function_call":{"name":"f"})", true},
      {R"("audio":{"id":"a"})", true},
      {R"("content":[{"type":"text","text":"x"}])", true},
      {R"("x":{"content":"no"},"y":["content","a"])", false},
  }));
  INFO(members);
  CHECK(heard(delta(members)).content == content);
}

TEST_CASE("content of any choice in a chunk counts") {
  CHECK(heard(R"({"choices":[{"index":0,"delta":{}},{"index":1,"delta":{"content":"x"}}]})").content);
  CHECK_FALSE(heard(R"({"choices":[{"index":0,"delta":{"role":"delta"}},{"index":1,"delta":{}}]})").content);
}

TEST_CASE("content of a completion is its text") {
  CHECK(heard(R"({"object":"text_completion","choices":[{"text":"x","index":0,"logprobs":null,"finish_reason":null}]})", false, Operation::kCompletions).content);
  CHECK_FALSE(heard(R"({"object":"text_completion","choices":[{"text":"","index":0}]})", false, Operation::kCompletions).content);
}

TEST_CASE("the end is said by [DONE], completeness by a finish reason") {
  auto tap = stream_tap(false);
  CHECK_FALSE(tap->on_event({}, delta(R"("content":"x")")).finished);
  const TapVerdict last = tap->on_event({}, R"({"choices":[{"index":0,"delta":{},"finish_reason": "length"}]})");
  CHECK(last.finished);
  CHECK_FALSE(last.terminal);
  const TapVerdict done = tap->on_event({}, " [DONE] ");
  CHECK(done.terminal);
  CHECK(done.finished);
  CHECK(done.action == TapAction::kForward);
  CHECK(tap->finish_reason() == "length");
  CHECK(tap->model() == "m");
}

TEST_CASE("Azure's first chunk has no model and no choices, and does no harm") {
  // DIAL-24
  auto tap = stream_tap(true);
  const TapVerdict first = tap->on_event({}, R"({"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0}]})");
  CHECK(first.action == TapAction::kForward);
  CHECK_FALSE(first.content);
  CHECK_FALSE(first.error);
  (void)tap->on_event({}, delta(R"("content":"x")"));
  CHECK(tap->model() == "m");
}

// DIAL-12
TEST_CASE("a stream that was asked for usage is given as one that was not") {
  auto tap = stream_tap(true);
  CHECK(passed(*tap, delta(R"("content":"Hi")", R"(,"usage":null)")) == delta(R"("content":"Hi")"));
  CHECK(passed(*tap, delta(R"("content":"Hi")", R"(,"usage":null,"obfuscation":"ab}c")")) == delta(R"("content":"Hi")", R"(,"obfuscation":"ab}c")"));
  CHECK(passed(*tap, delta(R"("content":"Hi")")) == delta(R"("content":"Hi")"));
  CHECK(passed(*tap, kUsageChunk).empty());
  CHECK(passed(*tap, "[DONE]") == "[DONE]");
  CHECK(tap->usage() == chat::Usage{9, 3, {}, {}, {}, 12});
}

// DIAL-12
TEST_CASE("usage beside choices is counted and cut out where the caller did not ask") {
  const std::string last = R"({"id":"c","choices":[{"index":0,"delta":{"content":"!"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12,"x":{"y":["}"]}}})";
  auto tap = stream_tap(true);
  const TapVerdict verdict = tap->on_event({}, last);
  CHECK(verdict.action == TapAction::kReplace);
  CHECK(verdict.replacement == R"({"id":"c","choices":[{"index":0,"delta":{"content":"!"},"finish_reason":"stop"}]})");
  CHECK(verdict.content);
  CHECK(verdict.finished);
  CHECK(tap->usage().output_tokens == 3u);
  // Asked for by the caller: theirs.
  auto open = stream_tap(false);
  CHECK(passed(*open, last) == last);
  CHECK(open->usage().output_tokens == 3u);
}

TEST_CASE("a caller who asked gets every byte") {
  auto tap = stream_tap(false);
  CHECK(passed(*tap, delta(R"("content":"Hi")", R"(,"usage":null)")) == delta(R"("content":"Hi")", R"(,"usage":null)"));
  CHECK(passed(*tap, kUsageChunk) == kUsageChunk);
  CHECK(tap->usage().input_tokens == 9u);
}

// DIAL-23
TEST_CASE("usage below the root is the provider's own and stays") {
  const std::string groq = R"({"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"x_groq":{"id":"r","usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}}})";
  auto tap = stream_tap(true);
  CHECK(passed(*tap, groq) == groq);
  CHECK(tap->usage() == chat::Usage{7, 2, {}, {}, {}, 9});
  // Both: the nested one stays, the root's goes and counts.
  auto both = stream_tap(true);
  const std::string nested = R"({"x_groq":{"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}},"choices":[{"index":0,"delta":{"usage":null}}])";
  CHECK(passed(*both, nested + R"(,"usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}})") == nested + "}");
  CHECK(both->usage().input_tokens == 7u);
  // Whatever comes last.
  (void)both->on_event({}, R"({"choices":[{"index":0,"delta":{}}],"x_groq":{"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}})");
  CHECK(both->usage().input_tokens == 7u);
}

// DIAL-20
TEST_CASE("a model that writes about usage, errors and [DONE] confuses nobody") {
  const std::string said = delta(R"("content":"{\"usage\":null}, \"usage\":{\"prompt_tokens\":1}\n\ndata: [DONE]\n\n\"error\":{} \"finish_reason\":\"stop\" \u2028")");
  auto tap = stream_tap(true);
  const TapVerdict verdict = tap->on_event({}, said);
  CHECK(verdict.action == TapAction::kForward);
  CHECK(verdict.content);
  CHECK_FALSE(verdict.terminal);
  CHECK_FALSE(verdict.finished);
  CHECK_FALSE(verdict.error);
  CHECK(chat::empty(tap->usage()));
  // Texts that are nothing but the words themselves.
  for (const std::string_view word : {"usage", "error", "finish_reason", "[DONE]", "delta"}) {
    const TapVerdict one = heard(delta("\"content\":\"" + std::string(word) + "\""), true);
    CHECK(one.action == TapAction::kForward);
    CHECK(one.content);
    CHECK_FALSE(one.error);
    CHECK_FALSE(one.finished);
  }
}

TEST_CASE("usage stated in every chunk is cumulative") {
  auto tap = stream_tap(false);
  for (const int n : {1, 2, 3}) {
    (void)tap->on_event({}, delta(R"("content":"x")", ",\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":" + std::to_string(n) + ",\"total_tokens\":" + std::to_string(5 + n) + "}"));
  }
  CHECK(tap->usage() == chat::Usage{5, 3, {}, {}, {}, 8});
}

TEST_CASE("candidates that end apart add up what they wrote") {
  // llama.cpp, n = 2: a usage chunk behind each finish.
  auto tap = stream_tap(true);
  const std::string_view usage = R"({"choices":[],"usage":{"prompt_tokens":28,"completion_tokens":8,"total_tokens":36}})";
  (void)tap->on_event({}, R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})");
  CHECK(passed(*tap, usage).empty());
  (void)tap->on_event({}, R"({"choices":[{"index":1,"delta":{},"finish_reason":"stop"}]})");
  CHECK(passed(*tap, usage).empty());
  CHECK(tap->usage() == chat::Usage{28, 16, {}, {}, {}, 44});
  // Said again without another finish, it is the same usage.
  CHECK(passed(*tap, R"({"choices":[],"usage":{"prompt_tokens":28,"completion_tokens":16,"total_tokens":44}})").empty());
  CHECK(tap->usage().output_tokens == 16u);
}

TEST_CASE("an error inside a stream is found") {
  struct Row {
    std::string name, data, text;
    int status;
  };
  const auto row = GENERATE(values<Row>({
      {"", R"({"error":{"message":"overloaded","type":"server_error"}})", "overloaded", 502},
      {"error", R"({"error":{"message":"bad call","code":"tool_use_failed","failed_generation":"x","status_code":400}})", "bad call", 400},
      {"", R"({"id":"g","error":{"code":429,"message":"Rate limited"},"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":"error"}]})", "Rate limited", 429},
      {"", R"({"error":"text"})", "text", 502},
      {"error", R"({"message":"plain"})", "plain", 502},
      {"error", "{broken", "{broken", 502},
  }));
  const TapVerdict verdict = stream_tap(true)->on_event(row.name, row.data);
  REQUIRE(verdict.error);
  CHECK(verdict.error->code == Code::kUpstreamError);
  CHECK(verdict.error->origin == Origin::kUpstream);
  CHECK(verdict.error->message == row.text);
  CHECK(verdict.error->http_status == row.status);
}

TEST_CASE("no error is made of a null, a false, or a member below the root") {
  CHECK_FALSE(heard(R"({"choices":[],"error":null})").error);
  CHECK_FALSE(heard(R"({"choices":[],"error":false})").error);
  CHECK_FALSE(heard(R"({"choices":[{"index":0,"delta":{},"x":{"error":"inner"}}]})").error);
}

// DIAL-24
TEST_CASE("events that are odd are forwarded, and those that are no JSON are named") {
  for (const std::string_view data : {"", " ", "{}", "{\"choices\":[]}", "{\"choices\":null}", "{\"choices\":[{}]}", "[]", "{\"usage\":", "{\"delta\":{\"content\":",
                                      "{\"delta\":{\"content\"", "{\"usage\":{\"a\"", "{\"choices\":[{\"delta\":7,\"finish_reason\":9}],\"usage\":[]}", "{\"finish_reason\":\""}) {
    const bool withhold = GENERATE(false, true);
    INFO(data);
    const TapVerdict verdict = heard(data, withhold);
    CHECK_FALSE(verdict.error);
    CHECK_FALSE(verdict.terminal);
  }
  for (const std::string_view data : {"<html>", "busy", "DONE", "\"text\"", "null"}) {
    const TapVerdict verdict = heard(data);
    REQUIRE(verdict.error);
    CHECK(verdict.error->code == Code::kUpstreamInvalidAnswer);
  }
}

// Of two members of that name side by side, both first, the comma between them was taken twice: what came out was no JSON.
TEST_CASE("usage that is stated twice is taken out twice") {
  const auto row = GENERATE(values<std::pair<const char*, const char*>>({
      {R"({"usage":[1],"usage":null})", "{}"},
      {R"({"usage":null,"usage":[1],"b":1})", R"({"b":1})"},
      {R"({ "usage" : 1 , "usage" : 2 , "usage" : 3 , "b":1})", R"({ "b":1})"},
      {R"({"a":1,"usage":[1],"usage":null})", R"({"a":1})"},
      {R"({"a":1,"usage":[1],"usage":null,"b":1})", R"({"a":1,"b":1})"},
      {R"({"usage":1,"a":1,"usage":2})", R"({"a":1})"},
  }));
  INFO(row.first);
  const auto tap = stream_tap(true);
  const TapVerdict verdict = tap->on_event({}, row.first);
  REQUIRE(verdict.action == dialect::TapAction::kReplace);
  CHECK(verdict.replacement == row.second);
}

// DIAL-18
TEST_CASE("a whole answer reads the same at every split") {
  const std::string answer =
      R"( {"id":"c","model":"gpt-4\u006f","choices":[{"index":0,"message":{"role":"assistant","content":"say \"usage\": {\"finish_reason\":\"no\"} )"
      "\xf0\x9f\x98\x80"
      R"(","tool_calls":null},"logprobs":{"content":[{"token":"finish_reason","logprob":-1}]},"finish_reason": "tool_calls"},{"index":1,"finish_reason":"stop"}],)"
      R"("usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12,"x":"}\"{"}} )";
  const auto check = [](dialect::AnswerTap& tap) {
    REQUIRE(tap.on_end());
    CHECK(tap.usage() == chat::Usage{9, 3, {}, {}, {}, 12});
    CHECK(tap.model() == "gpt-4o");
    CHECK(tap.finish_reason() == "tool_calls");
  };
  for (std::size_t cut = 0; cut <= answer.size(); ++cut) {
    auto tap = dialect::openai().tap({});
    REQUIRE(tap->on_bytes(std::string_view(answer).substr(0, cut)));
    REQUIRE(tap->on_bytes(std::string_view(answer).substr(cut)));
    check(*tap);
  }
  for (std::size_t size = 1; size < 40; ++size) {
    auto tap = dialect::openai().tap({});
    for (std::size_t at = 0; at < answer.size(); at += size) REQUIRE(tap->on_bytes(std::string_view(answer).substr(at, size)));
    check(*tap);
  }
}

TEST_CASE("an answer cut anywhere is truncated") {
  const std::string answer = R"({"choices":[{"message":{"content":"}"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1}})";
  for (std::size_t cut = 0; cut < answer.size(); ++cut) {
    auto tap = dialect::openai().tap({});
    REQUIRE(tap->on_bytes(std::string_view(answer).substr(0, cut)));
    const Status end = tap->on_end();
    REQUIRE_FALSE(end);
    CHECK(end.error().code == Code::kUpstreamTruncated);
  }
}

TEST_CASE("a bare list is an answer, and may be cut off too") {
  const std::string list = R"([{"id":"a]","x":"\""},{"id":"b"}])";
  for (std::size_t cut = 0; cut <= list.size(); ++cut) {
    auto tap = dialect::openai().tap({Operation::kListModels, false, false});
    REQUIRE(tap->on_bytes(std::string_view(list).substr(0, cut)));
    CHECK(tap->on_end().has_value() == (cut == list.size()));
  }
}

// DIAL-24
TEST_CASE("an answer that is no JSON is named as soon as it comes") {
  for (const std::string_view body : {"<html><title>502</title></html>", "upstream busy", "\"text\"", "404", "\xff\xfe"}) {
    auto tap = dialect::openai().tap({});
    REQUIRE(tap->on_bytes(" \r\n"));
    const Status status = tap->on_bytes(body);
    REQUIRE_FALSE(status);
    CHECK(status.error().code == Code::kUpstreamInvalidAnswer);
    CHECK(status.error().origin == Origin::kUpstream);
  }
  auto tap = dialect::openai().tap({});
  CHECK(tap->on_bytes("<html>key sk-abcdefghijklmnop</html>").error().message ==
        "the upstream's answer is no JSON; it begins with \"key sk-***\"; check the upstream's url");
}

// DIAL-14
TEST_CASE("an answer without usage leaves it unknown") {
  auto tap = dialect::openai().tap({});
  REQUIRE(tap->on_bytes(R"({"choices":[],"usage":null})"));
  REQUIRE(tap->on_end());
  CHECK(chat::empty(tap->usage()));
}
