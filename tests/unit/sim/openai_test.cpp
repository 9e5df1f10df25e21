// What the simulator says, read back with a parser that is not its own.
#include "sim/openai.hpp"

#include <catch2/catch.hpp>

#include <bit>
#include <cmath>
#include <cstring>
#include <map>
#include <string>

#include "sim/text.hpp"
#include "unit/sim/rig.hpp"

using namespace sluice;
using namespace sluice::sim;

namespace {

std::string body_of(Rig& rig, const std::string& path, std::string_view body) {
  const auto heard = rig.run(Rig::post(path, body));
  CHECK(heard->end.code == Code::kOk);
  return heard->body;
}

}  // namespace

TEST_CASE("a chat answer counts its tokens and the prompt's exactly") {
  Rig rig;
  rig.script().answers("One, two.");
  const Parsed answer(body_of(rig, "/v1/chat/completions",
                              R"({"model":"m-1","messages":[{"role":"system","content":"Be brief."},
                                  {"role":"user","content":[{"type":"text","text":"Count to two"},{"type":"image_url","image_url":{"url":"http://x/y"}}]},
                                  {"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}}]}]})"));
  CHECK(answer.text("/object") == "chat.completion");
  CHECK(answer.text("/model") == "m-1");
  CHECK(answer.text("/choices/0/message/content") == "One, two.");
  CHECK(answer.text("/choices/0/finish_reason") == "stop");
  CHECK(answer.integer("/usage/completion_tokens") == 4);
  // "Be brief." 3, "Count to two" 3, f 1, {"x":1} 7
  CHECK(answer.integer("/usage/prompt_tokens") == 14);
  CHECK(answer.integer("/usage/total_tokens") == 18);
  CHECK(answer.integer("/usage/prompt_tokens_details/cached_tokens") == 0);
  CHECK(answer.integer("/created") == 1'767'225'600);
  CHECK(answer.text("/id").starts_with("chatcmpl-"));
}

TEST_CASE("n choices, cut at max_tokens, say length and count all of it") {
  Rig rig;
  rig.script().generates(50);
  for (const char* limit : {"max_tokens", "max_completion_tokens"}) {
    const Parsed answer(body_of(rig, "/v1/chat/completions",
                                std::string(R"({"model":"m","n":3,")") + limit + R"(":7,"messages":[{"role":"user","content":"x"}]})"));
    CHECK(answer.at("/choices").size() == 3);
    CHECK(answer.text("/choices/2/finish_reason") == "length");
    CHECK(count_tokens(answer.text("/choices/1/message/content")) == 7);
    CHECK(answer.integer("/usage/completion_tokens") == 21);
  }
}

TEST_CASE("usage as scripted, cached input, and no usage at all") {
  Rig rig;
  rig.script().usage(100, 20).cached(64);
  {
    const Parsed answer(rig.run(Rig::chat())->body);
    CHECK(answer.integer("/usage/prompt_tokens") == 100);
    CHECK(answer.integer("/usage/completion_tokens") == 20);
    CHECK(answer.integer("/usage/total_tokens") == 120);
    CHECK(answer.integer("/usage/prompt_tokens_details/cached_tokens") == 64);
  }
  rig.script().no_usage();
  CHECK_FALSE(Parsed(rig.run(Rig::chat())->body).at("/usage"));
  const auto streamed = events(rig.run(Rig::chat(true, R"(,"stream_options":{"include_usage":true})"))->body);
  for (const auto& event : streamed) CHECK(event.find("usage") == std::string::npos);
}

TEST_CASE("a stream says role, one token an event, the reason, and done") {
  Rig rig;
  rig.script().answers("Grüße, \"world\"\nand more.");
  const auto list = events(rig.run(Rig::chat(true))->body);
  REQUIRE(list.size() == 1 + 8 + 1 + 1);
  CHECK(list.back() == "[DONE]");
  std::string said;
  std::string id;
  for (std::size_t i = 0; i + 1 < list.size(); ++i) {
    const Parsed event(list[i]);
    CHECK(event.text("/object") == "chat.completion.chunk");
    if (i == 0) {
      id = event.text("/id");
      CHECK(event.text("/choices/0/delta/role") == "assistant");
    }
    CHECK(event.text("/id") == id);
    CHECK_FALSE(event.at("/usage"));
    const auto content = event.at("/choices/0/delta/content");
    std::string scratch;
    if (content.is(json::Type::kString)) said += content.text(scratch);
  }
  CHECK(said == "Grüße, \"world\"\nand more.");
  CHECK(Parsed(list[list.size() - 2]).text("/choices/0/finish_reason") == "stop");
}

TEST_CASE("include_usage puts null on every event and one more with the count and no choices") {
  Rig rig;
  rig.script().answers("a b c");
  for (const std::string path : {"/v1/chat/completions", "/v1/completions"}) {
    const auto list = events(body_of(rig, path,
                                     R"({"model":"m","prompt":"p q","messages":[{"role":"user","content":"p q"}],"stream":true,
                                         "stream_options":{"include_usage":true}})"));
    REQUIRE(list.size() >= 3);
    for (std::size_t i = 0; i + 2 < list.size(); ++i) CHECK(Parsed(list[i]).at("/usage").is(json::Type::kNull));
    const Parsed last(list[list.size() - 2]);
    CHECK(last.at("/choices").size() == 0);
    CHECK(last.at("/choices").is(json::Type::kArray));
    CHECK(last.integer("/usage/prompt_tokens") == 2);
    CHECK(last.integer("/usage/completion_tokens") == 3);
    CHECK(last.integer("/usage/total_tokens") == 5);
  }
}

TEST_CASE("parallel tool calls stream by index and come out whole") {
  Rig rig;
  rig.script().calls({{"call_a", "weather", R"({"city": "Oslo \"N\""})"}, {"", "time", ""}, {"call_c", "sum", "{}"}});
  const Parsed whole(rig.run(Rig::chat())->body);
  CHECK(whole.at("/choices/0/message/content").is(json::Type::kNull));
  CHECK(whole.text("/choices/0/message/tool_calls/0/function/arguments") == R"({"city": "Oslo \"N\""})");
  CHECK(whole.text("/choices/0/message/tool_calls/1/id").starts_with("call_"));
  CHECK(whole.text("/choices/0/finish_reason") == "tool_calls");

  struct Call {
    std::string id, name, arguments;
  };
  std::map<std::int64_t, Call> calls;
  const auto list = events(rig.run(Rig::chat(true))->body);
  CHECK(Parsed(list[0]).at("/choices/0/delta/content").is(json::Type::kNull));
  for (std::size_t i = 0; i + 1 < list.size(); ++i) {
    const Parsed event(list[i]);
    if (!event.at("/choices/0/delta/tool_calls")) continue;
    Call& call = calls[event.integer("/choices/0/delta/tool_calls/0/index")];
    if (event.at("/choices/0/delta/tool_calls/0/id")) {
      CHECK(call.name.empty());
      call.id = event.text("/choices/0/delta/tool_calls/0/id");
      call.name = event.text("/choices/0/delta/tool_calls/0/function/name");
    }
    call.arguments += event.text("/choices/0/delta/tool_calls/0/function/arguments");
  }
  REQUIRE(calls.size() == 3);
  CHECK(calls[0].name == "weather");
  CHECK(calls[0].arguments == R"({"city": "Oslo \"N\""})");
  CHECK(calls[1].name == "time");
  CHECK(calls[1].arguments.empty());
  CHECK(calls[2].id == "call_c");
  CHECK(calls[2].arguments == "{}");
  CHECK(Parsed(list[list.size() - 2]).text("/choices/0/finish_reason") == "tool_calls");
}

TEST_CASE("a refusal stands in its own field, streamed or not") {
  Rig rig;
  rig.script().refuses("I can't do that.");
  const Parsed whole(rig.run(Rig::chat())->body);
  CHECK(whole.at("/choices/0/message/content").is(json::Type::kNull));
  CHECK(whole.text("/choices/0/message/refusal") == "I can't do that.");
  CHECK(whole.integer("/usage/completion_tokens") == 5);  // I can't do that .
  std::string said;
  const auto list = events(rig.run(Rig::chat(true))->body);
  for (std::size_t i = 1; i + 2 < list.size(); ++i) said += Parsed(list[i]).text("/choices/0/delta/refusal");
  CHECK(said == "I can't do that.");
}

TEST_CASE("choices of a stream interleave and each comes out whole") {
  Rig rig;
  rig.script().generates(9);
  const auto list = events(rig.run(Rig::chat(true, R"(,"n":2)"))->body);
  std::string said[2];
  std::vector<std::int64_t> order;
  for (std::size_t i = 0; i + 1 < list.size(); ++i) {
    const Parsed event(list[i]);
    const auto index = event.integer("/choices/0/index");
    REQUIRE((index == 0 || index == 1));
    order.push_back(index);
    if (event.at("/choices/0/delta/content")) said[index] += event.text("/choices/0/delta/content");
  }
  CHECK(count_tokens(said[0]) == 9);
  CHECK(count_tokens(said[1]) == 9);
  CHECK(said[0] != said[1]);
  CHECK(std::vector<std::int64_t>(order.begin() + 2, order.begin() + 6) == std::vector<std::int64_t>{0, 1, 0, 1});
}

TEST_CASE("completions answer each prompt n times") {
  Rig rig;
  rig.script().answers("yes");
  const Parsed answer(body_of(rig, "/v1/completions", R"({"model":"m","prompt":[[1,2,3],[4]],"n":2})"));
  CHECK(answer.text("/object") == "text_completion");
  CHECK(answer.at("/choices").size() == 4);
  CHECK(answer.text("/choices/3/text") == "yes");
  CHECK(answer.integer("/usage/prompt_tokens") == 4);
  CHECK(answer.integer("/usage/completion_tokens") == 4);
  CHECK_FALSE(answer.at("/usage/prompt_tokens_details"));
}

TEST_CASE("an empty answer is a stream without content and a count of nothing") {
  Rig rig;
  rig.script().answers("");
  const auto list = events(rig.run(Rig::chat(true, R"(,"stream_options":{"include_usage":true})"))->body);
  REQUIRE(list.size() == 4);
  CHECK(Parsed(list[2]).integer("/usage/completion_tokens") == 0);
}

TEST_CASE("base64 embeddings are the same floats, little-endian") {
  Rig rig;
  const Parsed floats(body_of(rig, "/v1/embeddings", R"({"model":"e","input":["one two","three"],"dimensions":5})"));
  const Parsed packed(body_of(rig, "/v1/embeddings", R"({"model":"e","input":["one two","three"],"dimensions":5,"encoding_format":"base64"})"));
  CHECK(floats.integer("/usage/prompt_tokens") == 3);
  CHECK(floats.integer("/usage/total_tokens") == 3);
  CHECK_FALSE(floats.at("/usage/completion_tokens"));
  for (const std::string item : {"/data/0", "/data/1"}) {
    const std::string bytes = decoded_base64(packed.text(item + "/embedding"));
    REQUIRE(bytes.size() == 20);
    double square = 0;
    for (std::size_t i = 0; i < 5; ++i) {
      std::uint32_t bits = 0;
      for (std::size_t k = 0; k < 4; ++k) bits |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i * 4 + k])) << (8 * k);
      const auto number = floats.at(item + "/embedding/" + std::to_string(i)).number();
      REQUIRE(number);
      CHECK(static_cast<float>(*number) == std::bit_cast<float>(bits));
      square += *number * *number;
    }
    CHECK(std::abs(square - 1) < 1e-5);
  }
}

TEST_CASE("embeddings of one text are one vector, of the script's size unless asked") {
  Rig a(1), b(2);
  b.script().embeds(16);
  const std::string body = R"({"model":"e","input":"same text"})";
  CHECK(body_of(a, "/v1/embeddings", body) == body_of(b, "/v1/embeddings", body));
  b.script().embeds(3);
  CHECK(Parsed(body_of(b, "/v1/embeddings", body)).at("/data/0/embedding").size() == 3);
}

TEST_CASE("a moderation flags the categories named in brackets") {
  Rig rig;
  const Parsed answer(body_of(rig, "/v1/moderations", R"({"input":["fine","[violence] and [self-harm/intent]"],"model":"omni-moderation-latest"})"));
  CHECK(answer.at("/results/0/flagged").boolean() == false);
  CHECK(answer.at("/results/1/flagged").boolean() == true);
  CHECK(answer.at("/results/1/categories/violence").boolean() == true);
  CHECK(answer.at("/results/1/categories/self-harm~1intent").boolean() == true);
  CHECK(answer.at("/results/1/categories/hate").boolean() == false);
  CHECK(answer.at("/results/1/category_scores/violence").number().value_or(0) > 0.9);
  CHECK(answer.at("/results/1/categories").size() == 13);
  const Parsed text(body_of(rig, "/v1/moderations", R"({"input":"fine","model":"text-moderation-007"})"));
  CHECK(text.at("/results/0/categories").size() == 11);
}

TEST_CASE("models are listed and got, and a model that is not served is not found") {
  Rig rig;
  const auto get = [&](const std::string& target) {
    engine::WireRequest request;
    request.method = "GET";
    request.target = target;
    return rig.run(std::move(request));
  };
  CHECK(Parsed(get("/v1/models")->body).at("/data").size() == 1);
  rig.script().models({"a", "b/c"});
  const Parsed list(get("/v1/models?x=1")->body);
  CHECK(list.text("/data/1/id") == "b/c");
  CHECK(list.text("/data/1/object") == "model");
  CHECK(Parsed(get("/v1/models/b/c")->body).text("/id") == "b/c");
  CHECK(get("/v1/models/nope")->head.status == 404);
  const auto chat = rig.run(Rig::chat());
  CHECK(chat->head.status == 404);
  CHECK(Parsed(chat->body).text("/error/code") == "model_not_found");
  CHECK(get("/health")->head.status == 200);
}

TEST_CASE("requests that make no sense are refused in the dialect's shape") {
  Rig rig;
  const auto status = [&](const std::string& path, std::string_view body) {
    const auto heard = rig.run(Rig::post(path, body));
    CHECK(Parsed(heard->body).text("/error/type") == "invalid_request_error");
    return heard->head.status;
  };
  CHECK(status("/v1/chat/completions", "{") == 400);
  CHECK(status("/v1/chat/completions", "[]") == 400);
  CHECK(status("/v1/chat/completions", R"({"model":"m"})") == 400);
  CHECK(status("/v1/chat/completions", R"({"messages":[]})") == 400);
  CHECK(status("/v1/embeddings", R"({"model":"m"})") == 400);
  CHECK(status("/v1/nothing", "{}") == 404);
  engine::WireRequest get;
  get.method = "GET";
  get.target = "/v1/chat/completions";
  CHECK(rig.run(std::move(get))->head.status == 405);
}
