// What a script says is said in every dialect: each test runs over all of them.
#include "sim/voice.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <string>

#include "sim/anthropic.hpp"
#include "sim/aws_frame.hpp"
#include "sim/bedrock.hpp"
#include "sim/cohere.hpp"
#include "sim/gemini.hpp"
#include "sim/ollama.hpp"
#include "sim/openai.hpp"
#include "sim/openai_responses.hpp"
#include "sim/text.hpp"
#include "unit/sim/rig.hpp"
#include "unit/sim/tongues.hpp"

using namespace sluice;
using namespace sluice::sim;
using namespace std::chrono_literals;
using Kind = testing::Fault::Kind;

namespace {

Told whole(Rig& rig, const Tongue& tongue, std::uint64_t max_tokens = 0) {
  return tongue.whole(rig.run(tongue.ask(false, max_tokens))->body);
}

Told streamed(Rig& rig, const Tongue& tongue, std::uint64_t max_tokens = 0) {
  return tongue.stream(rig.run(tongue.ask(true, max_tokens))->body);
}

/// Whole and streamed.
template <typename Check>
void both(const Check& check) {
  for (const Tongue& tongue : tongues()) {
    for (const bool stream : {false, true}) {
      DYNAMIC_SECTION(tongue.name << (stream ? ", streamed" : "")) { check(tongue, stream); }
    }
  }
}

template <typename Check>
void each(const Check& check) {
  for (const Tongue& tongue : tongues()) {
    DYNAMIC_SECTION(tongue.name) { check(tongue); }
  }
}

}  // namespace

TEST_CASE("a scripted text is said in every dialect, with its exact count") {
  both([](const Tongue& tongue, bool stream) {
    Rig rig;
    rig.script().answers("Grüße, \"world\"\nand more.");
    const Told told = stream ? streamed(rig, tongue) : whole(rig, tongue);
    CHECK(told.text == "Grüße, \"world\"\nand more.");
    CHECK(told.reason == tongue.stop);
    CHECK(told.calls.empty());
    CHECK(told.refusal.empty());
    CHECK(told.error.empty());
    CHECK(told.input == 5);
    CHECK(told.output == 8);
    CHECK(told.ends == (stream ? 1 : 0));
  });
}

TEST_CASE("parallel tool calls come out whole in every dialect") {
  both([](const Tongue& tongue, bool stream) {
    Rig rig;
    rig.script().calls({{"id_a", "weather", R"({"city": "Oslo \"N\""})"}, {"", "time", ""}, {"id_c", "sum", "{}"}});
    const Told told = stream ? streamed(rig, tongue) : whole(rig, tongue);
    REQUIRE(told.calls.size() == 3);
    CHECK(told.calls[0].name == "weather");
    CHECK(told.calls[0].arguments == R"({"city":"Oslo \"N\""})");
    CHECK(told.calls[1].name == "time");
    CHECK(told.calls[1].arguments == "{}");
    CHECK(told.calls[2].name == "sum");
    CHECK(told.calls[2].arguments == "{}");
    if (tongue.call_ids) {
      CHECK(told.calls[0].id == "id_a");
      CHECK_FALSE(told.calls[1].id.empty());
      CHECK(told.calls[2].id == "id_c");
    }
    CHECK(told.text.empty());
    CHECK(told.reason == tongue.tools);
    // weather 1, {"city": "Oslo \"N\""} 14; time 1; sum 1, {} 2
    CHECK(told.output == 19);
    CHECK(told.ends == (stream ? 1 : 0));
  });
}

TEST_CASE("a refusal stands where the dialect has a place for it") {
  both([](const Tongue& tongue, bool stream) {
    Rig rig;
    rig.script().refuses("I can't do that.");
    const Told told = stream ? streamed(rig, tongue) : whole(rig, tongue);
    CHECK((tongue.refuses ? told.refusal : told.text) == "I can't do that.");
    CHECK((tongue.refuses ? told.text : told.refusal).empty());
    CHECK(told.reason == tongue.refusal);
    CHECK(told.output == 5);
    CHECK(told.ends == (stream ? 1 : 0));
  });
}

TEST_CASE("an answer is cut where the request says, and says length in every dialect") {
  both([](const Tongue& tongue, bool stream) {
    Rig rig;
    rig.script().generates(50);
    const Told told = stream ? streamed(rig, tongue, 7) : whole(rig, tongue, 7);
    CHECK(count_tokens(told.text) == 7);
    CHECK(told.reason == tongue.length);
    CHECK(told.output == 7);
  });
}

TEST_CASE("usage as scripted, cached input and no usage at all, in every dialect") {
  both([](const Tongue& tongue, bool stream) {
    Rig rig;
    rig.script().usage(100, 20).cached(64);
    Told told = stream ? streamed(rig, tongue) : whole(rig, tongue);
    CHECK(told.input == 100);
    CHECK(told.output == 20);
    if (tongue.counts_cached) CHECK(told.cached == 64);
    rig.script().no_usage();
    told = stream ? streamed(rig, tongue) : whole(rig, tongue);
    CHECK_FALSE(told.input);
    CHECK_FALSE(told.output);
    CHECK_FALSE(told.cached);
    CHECK(told.text == "Hello from the simulator.");
  });
}

TEST_CASE("an empty answer has no text and an end in every dialect") {
  both([](const Tongue& tongue, bool stream) {
    Rig rig;
    rig.script().answers("");
    const Told told = stream ? streamed(rig, tongue) : whole(rig, tongue);
    CHECK(told.text.empty());
    CHECK(told.reason == tongue.stop);
    CHECK(told.output == 0);
  });
}

TEST_CASE("a status comes with the dialect's own error") {
  both([](const Tongue& tongue, bool stream) {
    Rig rig;
    for (const int status : {400, 401, 403, 404, 408, 413, 429, 500, 502, 503, 504, 529}) {
      rig.script().fails_with(status);
      const auto heard = rig.run(tongue.ask(stream, 0));
      CHECK(heard->head.status == status);
      INFO(heard->body);
      CHECK_FALSE(tongue.whole(heard->body).error.empty());
    }
  });
}

TEST_CASE("a model that is not served is refused in the dialect's words") {
  both([](const Tongue& tongue, bool stream) {
    Rig rig;
    rig.script().models({"other"});
    const auto heard = rig.run(tongue.ask(stream, 0));
    CHECK(heard->head.status >= 400);
    CHECK(heard->head.status <= 404);
    CHECK_FALSE(tongue.whole(heard->body).error.empty());
    rig.script().models({"m"});
    CHECK(rig.run(tongue.ask(stream, 0))->head.status == 200);
  });
}

TEST_CASE("a request without sense is refused in the dialect's words") {
  each([](const Tongue& tongue) {
    Rig rig;
    for (const std::string body : {"{", "[]", "{}"}) {
      auto request = tongue.ask(false, 0);
      request.body = base::EditedBody(Body::copy(body));
      const auto heard = rig.run(std::move(request));
      INFO(body);
      CHECK(heard->head.status == 400);
      CHECK_FALSE(tongue.whole(heard->body).error.empty());
    }
    auto get = tongue.ask(false, 0);
    get.method = "GET";
    const auto heard = rig.run(std::move(get));
    CHECK(heard->head.status >= 403);
    CHECK(heard->head.status <= 405);
    CHECK_FALSE(tongue.whole(heard->body).error.empty());
  });
}

TEST_CASE("a stream breaks off with the dialect's error after any number of events") {
  each([](const Tongue& tongue) {
    for (std::size_t events = 0; events <= 8; ++events) {
      Rig rig;
      testing::Fault broken = fault(Kind::kErrorInStream);
      broken.after_events = events;
      rig.script().answers("one two three").fails(broken);
      const auto heard = rig.run(tongue.ask(true, 0));
      CHECK(heard->head.status == 200);
      CHECK(heard->end.code == Code::kOk);
      const Told told = tongue.stream(heard->body);
      // An array that is closed has no place for more.
      if (tongue.name != "gemini array" || told.ends == 0) CHECK_FALSE(told.error.empty());
      CHECK(std::string("one two three").starts_with(told.text));
    }
    Rig rig;
    rig.script().fails(fault(Kind::kErrorInStream));
    const auto heard = rig.run(tongue.ask(false, 0));
    CHECK(heard->head.status == 200);
    CHECK_FALSE(tongue.whole(heard->body).error.empty());
  });
}

TEST_CASE("a stream is cut at any byte, and in pieces it is the same bytes") {
  each([](const Tongue& tongue) {
    Rig whole_rig;
    whole_rig.script().answers("one two");
    const std::string all = whole_rig.run(tongue.ask(true, 0))->body;
    for (std::size_t at = 0; at < all.size(); ++at) {
      Rig rig;
      testing::Fault cut = fault(Kind::kCut);
      cut.at_byte = at;
      rig.script().answers("one two").fails(cut);
      const auto heard = rig.run(tongue.ask(true, 0));
      REQUIRE(heard->body == all.substr(0, at));
      CHECK(heard->end.code == Code::kUpstreamTruncated);
    }
    Rig rig;
    rig.script().answers("one two").piece_bytes(1);
    const auto heard = rig.run(tongue.ask(true, 0));
    CHECK(heard->body == all);
    CHECK(heard->pieces.size() == all.size());
  });
}

TEST_CASE("first token, rate and head are exact to the nanosecond in every dialect") {
  each([](const Tongue& tongue) {
    Rig rig;
    testing::Pace pace;
    pace.head = 100ms;
    pace.first_token = 1s;
    pace.tokens_per_second = 50;
    rig.script().answers("a b c d").pace(pace);
    const auto heard = rig.run(tongue.ask(true, 0));
    CHECK(heard->head_at == 100ms);
    CHECK(heard->done_at == 1060ms);
    std::string so_far;
    std::vector<Duration> moments;
    for (const auto& [at, piece] : heard->pieces) {
      if (at >= 1s) moments.push_back(at);
      else so_far += piece;
    }
    CHECK(moments == std::vector<Duration>{1s, 1020ms, 1040ms, 1060ms});
    const TimePoint before = rig.clock.now();
    CHECK(rig.run(tongue.ask(false, 0))->head_at == (before - rig.first) + 1060ms);
  });
}

TEST_CASE("silence is filled where the framing has something for it, and changes nothing that is said") {
  each([](const Tongue& tongue) {
    Rig rig;
    testing::Pace pace;
    pace.first_token = 35s;
    pace.ping = 10s;
    rig.script().answers("a b").pace(pace);
    const auto heard = rig.run(tongue.ask(true, 0));
    const Told told = tongue.stream(heard->body);
    CHECK(told.text == "a b");
    CHECK(told.ends == 1);
    CHECK(heard->done_at == 35s);
    const std::string target = tongue.ask(true, 0).target;
    const Voice& voice = voice_of(target);
    const bool fills = !voice.manner(voice.read("POST", target, Body())).ping.empty();
    std::size_t before = 0;  // moments at which something came in the silence
    for (const auto& [at, piece] : heard->pieces) before += at >= 10s && at < 35s ? 1 : 0;
    CHECK(before == (fills ? 3 : 0));
  });
}

TEST_CASE("the same seed says the same bytes in every dialect, another says others") {
  each([](const Tongue& tongue) {
    const auto bytes = [&](std::uint64_t seed) {
      Rig rig(seed);
      rig.script().generates(12);
      return rig.run(tongue.ask(true, 0))->body + rig.run(tongue.ask(false, 0))->body;
    };
    CHECK(bytes(1) == bytes(1));
    CHECK(bytes(1) != bytes(2));
  });
}

TEST_CASE("a stream of the script's own bytes goes out event by event in every dialect") {
  each([](const Tongue& tongue) {
    Rig rig;
    rig.script().answers("one two three");
    const std::string own = rig.run(tongue.ask(true, 0))->body;
    testing::Pace pace;
    pace.tokens_per_second = 1;
    rig.script().stream_bytes(own).pace(pace);
    const auto heard = rig.run(tongue.ask(true, 0));
    CHECK(heard->body == own);
    if (tongue.name != "gemini array") CHECK(heard->pieces.size() > 3);  // an array is not taken apart
    for (std::size_t i = 1; i < heard->pieces.size(); ++i) CHECK(heard->pieces[i].first - heard->pieces[i - 1].first == 1s);

    // It breaks off like one of the simulator's own.
    if (tongue.name == "gemini array") return;
    testing::Fault broken = fault(Kind::kErrorInStream);
    broken.after_events = 2;
    rig.script().fails(broken);
    const Told told = tongue.stream(rig.run(tongue.ask(true, 0))->body);
    CHECK_FALSE(told.error.empty());
    CHECK(std::string("one two three").starts_with(told.text));
  });
}

TEST_CASE("the path tells which dialect is spoken, behind any prefix and before any query") {
  for (const auto& [target, voice] : {std::pair<std::string, const Voice*>{"/v1/messages", &anthropic_voice()},
                                      {"/anthropic/v1/messages/count_tokens?beta=true", &anthropic_voice()},
                                      {"/v1beta/models/m:generateContent", &gemini_voice()},
                                      {"/v1/projects/p/locations/l/publishers/google/models/m:streamGenerateContent?alt=sse", &gemini_voice()},
                                      {"/v1beta/models/m:batchEmbedContents?key=k", &gemini_voice()},
                                      {"/openai/v1/responses?api-version=preview", &openai_responses_voice()},
                                      {"/v2/chat", &cohere_voice()}, {"/v2/embed", &cohere_voice()}, {"/v2/rerank", &cohere_voice()},
                                      {"/api/chat", &ollama_voice()}, {"/api/generate", &ollama_voice()}, {"/api/embed", &ollama_voice()},
                                      {"/model/a%3A0/converse", &bedrock_voice()}, {"/model/a/converse-stream", &bedrock_voice()},
                                      {"/v1/chat/completions", &openai_voice()}, {"/v1/embeddings", &openai_voice()},
                                      {"/v1/models/m", &openai_voice()}, {"/v1beta/models/m:somethingElse", &openai_voice()},
                                      {"/v1/threads/messages/t", &openai_voice()}, {"/converse", &openai_voice()}, {"", &openai_voice()}}) {
    INFO(target);
    CHECK(&voice_of(target) == voice);
  }
}

TEST_CASE("the first event of a stream ends where its framing says") {
  CHECK(event_size(Framing::kEventStream, "data: a\n\ndata: b\n\n") == 9);
  CHECK(event_size(Framing::kEventStream, "data: a\r\n\r\ndata: b\n\n") == 11);
  CHECK(event_size(Framing::kEventStream, "data: a") == 7);
  CHECK(event_size(Framing::kLines, "{}\n{}\n") == 3);
  CHECK(event_size(Framing::kLines, "{}") == 2);
  CHECK(event_size(Framing::kArray, "[{},{}]") == 7);
  const std::string frame = aws_frame({{":event-type", "x"}}, "{}");
  CHECK(event_size(Framing::kFrames, frame + frame) == frame.size());
  CHECK(event_size(Framing::kFrames, frame.substr(0, 3)) == 3);
  CHECK(event_size(Framing::kFrames, std::string("\0\0\0\0more", 8)) == 4);  // never nothing: a stream goes on
  CHECK(event_size(Framing::kFrames, frame.substr(0, frame.size() - 1)) == frame.size() - 1);
}
